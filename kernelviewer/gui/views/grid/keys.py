"""Where the keys move the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

if TYPE_CHECKING:
    from kernelviewer.gui.views.grid.layout import GridLayout

_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_ROWS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_PAGES = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
ENDS = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: -1}
"""Keys that move it wherever it was, and the position they lead to."""
MOVES = frozenset((*_STEPS, *_ROWS, *_PAGES, *ENDS))
"""Keys that move the focus."""


def moved(plan: GridLayout, position: int, key: int, page: int) -> int:
    """Position that a key of `MOVES` leads to.

    Parameters
    ----------
    page
        Height of the view, device pixels.
    """
    move = Qt.Key(key)
    if move in _STEPS:
        return min(max(position + _STEPS[move], 0), plan.count - 1)
    if move in _ROWS:
        return plan.beside(position, _ROWS[move])
    if move in ENDS:
        return ENDS[move] % plan.count
    return _paged(plan, position, _PAGES[move], page)


def _paged(plan: GridLayout, position: int, direction: int, page: int) -> int:
    """A view's height further in the same column, one row at the least."""
    x, y = plan.origin(position)
    stride = max(page - plan.heading - plan.cell.pitch_y, plan.cell.pitch_y)
    found = plan.nearest(x, y + direction * stride)
    beside = plan.beside(position, direction)
    if found is None:
        return beside
    return max(found, beside) if direction > 0 else min(found, beside)
