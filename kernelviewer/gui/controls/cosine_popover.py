"""A small popover over a chip: from which cosine on kernels are similar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QFrame, QHBoxLayout, QLabel, QSlider

from kernelviewer.gui.theme import as_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QHideEvent
    from PySide6.QtWidgets import QWidget

STEPS = 100


class CosinePopover(QFrame):
    """A slider and its value; what it changes while it is open is one act."""

    cosine_requested = Signal(int, float, bool)
    """Number of the act, the wished cosine, and whether it is still being changed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("cosinePopover")
        self._number: int | None = None
        self._changed = False
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setObjectName("cosineSlider")
        self.slider.setAccessibleName("Least cosine of similar kernels")
        self.slider.setRange(0, STEPS)
        self.slider.setFixedWidth(140)
        self.value = QDoubleSpinBox(self)
        as_field(self.value)
        self.value.setObjectName("cosineValue")
        self.value.setAccessibleName("Least cosine of similar kernels, 0 to 1")
        self.value.setRange(0, 1)
        self.value.setSingleStep(0.01)
        self.value.setKeyboardTracking(False)
        title = QLabel("cosine at least", self)
        title.setProperty("role", "secondary")
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 8, 12, 8)
        line.setSpacing(8)
        for widget in (title, self.slider, self.value):
            line.addWidget(widget)
        self.slider.valueChanged.connect(lambda value: self._ask(value / STEPS))
        self.value.valueChanged.connect(self._ask)

    def open(self, number: int, cosine: float, corner: QPoint) -> None:
        """Change the act of this number, in a popover above a corner of its chip."""
        self._number, self._changed = number, False
        self._show(cosine)
        self.adjustSize()
        self.move(corner.x(), corner.y() - self.height() - 4)
        self.show()
        self.slider.setFocus()

    def follow(self, cosines: Sequence[float | None]) -> None:
        """Show what became of the acts; close if the one here is gone."""
        if self._number is None:
            return
        known = cosines[self._number] if self._number < len(cosines) else None
        if known is None:
            self._changed = False
            self.hide()
        else:
            self._show(known)

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt: what was changed is done."""
        number, self._number = self._number, None
        if number is not None and self._changed:
            self.cosine_requested.emit(number, self.value.value(), False)
        super().hideEvent(event)

    def _show(self, cosine: float) -> None:
        with QSignalBlocker(self.slider), QSignalBlocker(self.value):
            self.slider.setValue(round(cosine * STEPS))
            self.value.setValue(cosine)

    def _ask(self, cosine: float) -> None:
        if self._number is not None:
            self._changed = True
            self.cosine_requested.emit(self._number, cosine, True)
