"""The kernel sizes as a row of buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from kernelviewer.gui.text import spaced
from kernelviewer.kernels.bank import size_key, size_label

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import Size


class SizeBar(QWidget):
    """One button per kernel size of the open networks."""

    size_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sizeBar")
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(6)
        self._group = QButtonGroup(self)
        self._sizes: list[Size] = []
        self._group.idClicked.connect(
            lambda number: self.size_requested.emit(self._sizes[number])
        )

    def set_sizes(self, sizes: dict[Size, int], size: Size | None) -> None:
        """Offer these sizes with their counts, one of them in use."""
        if list(sizes) != self._sizes:
            self._rebuild(sizes)
        for number, (key, count) in enumerate(sizes.items()):
            button = self._group.button(number)
            button.setChecked(key == size)
            button.setToolTip(f"{spaced(count)} kernels of {size_label(key)}")

    def step(self, by: int) -> None:
        """Ask for the next or previous size."""
        if self._sizes:
            place = (self._group.checkedId() + by) % len(self._sizes)
            self.size_requested.emit(self._sizes[place])

    def _rebuild(self, sizes: dict[Size, int]) -> None:
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._line.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._sizes = list(sizes)
        for number, key in enumerate(self._sizes):
            button = QPushButton(size_label(key), self)
            button.setObjectName(f"size_{size_key(key)}")
            button.setAccessibleName(f"Show kernels of size {size_label(key)}")
            button.setCheckable(True)
            self._group.addButton(button, number)
            self._line.addWidget(button)
