"""The threshold of the fit, with the coverage it gives and that of white noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QSlider,
    QToolButton,
    QWidget,
)

from kernelviewer.gui.controls.number_field import NumberField
from kernelviewer.gui.text import percent, short_percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.gui.theme import Tokens

STEPS = 1000


@dataclass(frozen=True, slots=True)
class ThresholdChoices:
    """Thresholds to choose from.

    Attributes
    ----------
    default
        The autoencoder's own.
    by_null
        (share, threshold): the threshold that this share of white noise reaches.
    """

    default: float
    by_null: tuple[tuple[float, float], ...]


class ThresholdBar(QWidget):
    """A slider, its value, thresholds to choose from, and what follows from it."""

    threshold_requested = Signal(float, bool)
    """The wished threshold, and whether the slider is still being dragged."""
    default_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("thresholdBar")
        self._choices: ThresholdChoices | None = None
        self._threshold = 0.0
        title = QLabel("Threshold", self)
        title.setProperty("role", "secondary")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("thresholdSlider")
        self.slider.setAccessibleName("Threshold of the fit")
        self.slider.setRange(0, STEPS)
        self.slider.setMinimumWidth(70)
        self.slider.setMaximumWidth(140)
        title_of_value = "Threshold of the fit, a cosine"
        self.value = NumberField("thresholdValue", title_of_value, 0.01, self)
        self.value.setFixedWidth(58)
        self.presets = self._tool("thresholdPresets", "▾", "Thresholds to choose from")
        self.reset = self._tool("thresholdReset", "↺", "Back to the default threshold")
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        self.coverage = QLabel(self)
        self.coverage.setObjectName("coverage")
        self.coverage.setProperty("role", "strong")
        self.null = QLabel(self)
        self.null.setObjectName("nullCoverage")
        self.null.setProperty("role", "secondary")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(title)
        line.addWidget(self.slider, 1)
        tools = QHBoxLayout()
        tools.setSpacing(0)
        for widget in (self.value, self.presets, self.reset):
            tools.addWidget(widget)
        line.addLayout(tools)
        line.addWidget(self.coverage)
        line.addWidget(self.null)
        self.slider.valueChanged.connect(self._on_slider_moved)
        self.slider.sliderReleased.connect(self._on_slider_released)
        self.value.valueChanged.connect(self._on_value_typed)
        self.presets.clicked.connect(self._open_menu)
        self.reset.clicked.connect(lambda: self.default_requested.emit())

    def _tool(self, name: str, sign: str, title: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setText(sign)
        button.setProperty("quiet", True)
        button.setAccessibleName(title)
        button.setToolTip(title)
        return button

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        self.value.set_theme(tokens)

    def set_threshold(self, threshold: float | None) -> None:
        """Show the threshold in use; None hides the bar."""
        self.setVisible(threshold is not None)
        if threshold is None:
            return
        self._threshold = threshold
        with QSignalBlocker(self.slider), QSignalBlocker(self.value):
            self.slider.setValue(round(threshold * STEPS))
            self.value.setValue(threshold)
        self._show_reset()

    def set_choices(self, choices: ThresholdChoices | None) -> None:
        """Offer these thresholds."""
        self._choices = choices
        self.presets.setEnabled(choices is not None)
        self._show_reset()

    def set_coverage(self, coverage: float, null: float | None) -> None:
        """Show the identified share of the kernels, and of white noise."""
        known = not math.isnan(coverage)
        self.coverage.setText(f"{percent(coverage)} identified" if known else "")
        self.null.setText("" if null is None else f"white noise {percent(null)}")
        self.null.setToolTip(
            "Share of white-noise kernels that would be identified at this threshold"
        )

    def make_menu(self) -> QMenu:
        """The default, and the thresholds that some of the noise reaches."""
        menu = QMenu(self)
        if self._choices is None:
            return menu

        def offer(text: str, level: float, use: Callable[[], object]) -> None:
            action = menu.addAction(f"{text}   {level:.3f}", use)
            action.setCheckable(True)
            action.setChecked(abs(level - self._threshold) < 0.5 / STEPS)

        default = self._choices.default
        offer("Default", default, self.default_requested.emit)
        menu.addSeparator()
        for share, level in self._choices.by_null:
            use = partial(self.threshold_requested.emit, level, False)
            offer(f"White noise {short_percent(share)}", level, use)
        return menu

    def _open_menu(self) -> None:
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.presets.mapToGlobal(self.presets.rect().bottomLeft()))

    def _show_reset(self) -> None:
        choices = self._choices
        changed = choices is not None and choices.default != self._threshold
        self.reset.setVisible(changed)
        if choices is not None:
            self.reset.setToolTip(f"Back to the default, {choices.default:.3f}")

    def _on_slider_moved(self, value: int) -> None:
        self.threshold_requested.emit(value / STEPS, self.slider.isSliderDown())

    def _on_slider_released(self) -> None:
        self.threshold_requested.emit(self.slider.value() / STEPS, False)

    def _on_value_typed(self, value: float) -> None:
        self.threshold_requested.emit(value, False)
