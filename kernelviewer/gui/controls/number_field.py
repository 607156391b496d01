"""A field for a number from 0 to 1, that looks as text fields do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QRectF
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox

from kernelviewer.gui.theme import CONTROL, LIGHT

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent, QValidator
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.theme import Tokens


class NumberField(QDoubleSpinBox):
    """A share with three decimals; a comma is read as a point."""

    def __init__(
        self, name: str, title: str, step: float, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._tokens = LIGHT
        self.setMinimumHeight(CONTROL)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setLocale(QLocale.c())
        self.setRange(0.0, 1.0)
        self.setDecimals(3)
        self.setSingleStep(step)
        self.setKeyboardTracking(False)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)

    def set_theme(self, tokens: Tokens) -> None:
        """Show other colours."""
        self._tokens = tokens
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: a box as other fields have; the style's own has room for buttons."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self._tokens.accent if self.hasFocus() else self._tokens.separator
        painter.setPen(QColor(line))
        painter.setBrush(QColor(self._tokens.panel))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5
        )

    def validate(self, text: str, at: int) -> tuple[QValidator.State, str, int]:
        """Qt: whether this can be, or become, a number of the range."""
        state, text, at = super().validate(text.replace(",", "."), at)
        return state, text, at

    def valueFromText(self, text: str) -> float:
        """Qt: what is typed, as a number."""
        return super().valueFromText(text.replace(",", "."))
