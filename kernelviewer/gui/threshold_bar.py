"""The threshold of the fit, with the coverage it gives and that of white noise."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSlider, QWidget

from kernelviewer.gui.text import percent

STEPS = 1000


class ThresholdBar(QWidget):
    """A slider, its value, and what follows from it."""

    threshold_requested = Signal(float, bool)
    """The wished threshold, and whether the slider is still being dragged."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("thresholdBar")
        title = QLabel("Threshold", self)
        title.setProperty("role", "secondary")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("thresholdSlider")
        self.slider.setAccessibleName("Threshold of the fit")
        self.slider.setRange(0, STEPS)
        self.slider.setFixedWidth(140)
        self.value = QDoubleSpinBox(self)
        self.value.setObjectName("thresholdValue")
        self.value.setAccessibleName("Threshold of the fit, a cosine")
        self.value.setRange(0, 1)
        self.value.setDecimals(3)
        self.value.setSingleStep(0.01)
        self.value.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.value.setKeyboardTracking(False)
        self.value.setFixedWidth(58)
        self.coverage = QLabel(self)
        self.coverage.setObjectName("coverage")
        self.coverage.setProperty("role", "strong")
        self.null = QLabel(self)
        self.null.setObjectName("nullCoverage")
        self.null.setProperty("role", "secondary")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        for widget in (title, self.slider, self.value, self.coverage, self.null):
            line.addWidget(widget)
        self.slider.valueChanged.connect(self._on_slider_moved)
        self.slider.sliderReleased.connect(self._on_slider_released)
        self.value.valueChanged.connect(self._on_value_typed)

    def set_threshold(self, threshold: float | None) -> None:
        """Show the threshold in use; None hides the bar."""
        self.setVisible(threshold is not None)
        if threshold is None:
            return
        with QSignalBlocker(self.slider), QSignalBlocker(self.value):
            self.slider.setValue(round(threshold * STEPS))
            self.value.setValue(threshold)

    def set_coverage(self, coverage: float, null: float | None) -> None:
        """Show the identified share of the kernels, and of white noise."""
        known = not math.isnan(coverage)
        self.coverage.setText(f"{percent(coverage)} identified" if known else "")
        self.null.setText("" if null is None else f"white noise {percent(null)}")
        self.null.setToolTip(
            "Share of white-noise kernels that would be identified at this threshold"
        )

    def _on_slider_moved(self, value: int) -> None:
        self.threshold_requested.emit(value / STEPS, self.slider.isSliderDown())

    def _on_slider_released(self) -> None:
        self.threshold_requested.emit(self.slider.value() / STEPS, False)

    def _on_value_typed(self, value: float) -> None:
        self.threshold_requested.emit(value, False)
