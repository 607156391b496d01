"""What can be done with a stretch, as a menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu

from kernelviewer.gui.painting.classes import swatch_icon
from kernelviewer.gui.views.spectrum.content import NARROWEST
from kernelviewer.kernels.classes import PATTERNS

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.spectrum.content import SpectrumContent


class StretchMenu(QMenu):
    """Menu of one stretch; gone when it is closed."""

    rename_chosen = Signal(int, int)
    split_chosen = Signal(int, float)
    merge_chosen = Signal(int, int)
    range_chosen = Signal(float, float, str)
    reset_chosen = Signal()

    def __init__(
        self,
        content: SpectrumContent,
        index: int,
        z: float,
        tokens: Tokens,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("stretchMenu")
        self.setAccessibleName(f"Stretch {content.stretches[index].title}")
        self._content, self._index = content, index
        stretch = content.stretches[index]
        select = self.addAction(f"Select Kernels of Code {stretch.span}")
        ask = partial(self.range_chosen.emit, stretch.start, stretch.stop, "replace")
        select.triggered.connect(ask)
        self.addSeparator()
        self._add_names(tokens)
        split = self.addAction(f"Split Here, at {z:.3f}")
        room = min(z - stretch.start, stretch.stop - z)
        split.setEnabled(room >= NARROWEST)
        split.triggered.connect(partial(self.split_chosen.emit, index, z))
        self._add_merge(index - 1, "Left")
        self._add_merge(index + 1, "Right")
        self.addSeparator()
        reset = self.addAction("Reset All Stretches")
        reset.setEnabled(content.edited)
        reset.triggered.connect(self.reset_chosen)
        self.aboutToHide.connect(self.deleteLater)

    def _add_names(self, tokens: Tokens) -> None:
        names = self.addMenu("Rename To")
        ratio = self.devicePixelRatioF()
        current = self._content.stretches[self._index].class_index
        for class_index, pattern in enumerate(PATTERNS):
            icon = swatch_icon(class_index, tokens, ratio)
            action = names.addAction(icon, pattern.name)
            action.setEnabled(class_index != current)
            ask = partial(self.rename_chosen.emit, self._index, class_index)
            action.triggered.connect(ask)

    def _add_merge(self, neighbour: int, side: str) -> None:
        there = 0 <= neighbour < len(self._content.stretches)
        text = f"Merge with {side}"
        if there:
            text += f", as {self._content.stretches[neighbour].title}"
        merge = self.addAction(text)
        merge.setEnabled(there)
        merge.triggered.connect(partial(self.merge_chosen.emit, self._index, neighbour))
