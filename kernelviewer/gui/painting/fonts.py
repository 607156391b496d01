"""The sizes of text in what is painted, from the widget's own font."""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontMetricsF

_CAPTION = 11 / 13


def caption_font(font: QFont) -> QFont:
    """Font of captions: a little smaller."""
    small = QFont(font)
    if font.pixelSize() > 0:
        small.setPixelSize(max(9, round(font.pixelSize() * _CAPTION)))
    else:
        small.setPointSizeF(font.pointSizeF() * _CAPTION)
    return small


def baseline(font: QFont, top: float, height: float) -> float:
    """Where text of this font stands that is centred in a line."""
    metrics = QFontMetricsF(font)
    return top + (height + metrics.ascent() - metrics.descent()) / 2
