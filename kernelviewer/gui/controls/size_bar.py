"""The kernel sizes: a row of buttons, or one menu where there is no room for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)

from kernelviewer.gui.text import spaced
from kernelviewer.kernels.bank import size_key, size_label

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import Size

SPACING = 6


class SizeBar(QWidget):
    """One button per kernel size of the open networks; a menu of them where narrow."""

    size_requested = Signal(object)
    widened = Signal()
    """The row's width has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sizeBar")
        self.menu = QToolButton(self)
        self.menu.setObjectName("sizeMenu")
        self.menu.setProperty("button", True)
        self.menu.clicked.connect(self._open_menu)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(SPACING)
        self._line.addWidget(self.menu)
        self._group = QButtonGroup(self)
        self._sizes: dict[Size, int] = {}
        self._size: Size | None = None
        self._compact = False
        self._group.idClicked.connect(
            lambda number: self.size_requested.emit(list(self._sizes)[number])
        )
        self._show_mode()

    def set_sizes(self, sizes: dict[Size, int], size: Size | None) -> None:
        """Offer these sizes with their counts, one of them in use."""
        rebuilt = list(sizes) != list(self._sizes)
        self._sizes, self._size = dict(sizes), size
        if rebuilt:
            self._rebuild()
        for number, (key, count) in enumerate(sizes.items()):
            button = self._group.button(number)
            button.setChecked(key == size)
            button.setToolTip(f"{spaced(count)} kernels of {size_label(key)}")
        shown = size_label(size) if size else ""
        self.menu.setText(f"{shown} ▾")
        self.menu.setAccessibleName(f"Kernel size: {shown}")
        self.menu.setToolTip(f"{len(sizes)} kernel sizes are open")
        if rebuilt:
            self.widened.emit()

    def set_compact(self, compact: bool) -> None:
        """Show one menu in place of the row."""
        if compact != self._compact:
            self._compact = compact
            self._show_mode()

    def row_width(self) -> int:
        """How wide the row of buttons is."""
        widths = [button.sizeHint().width() for button in self._group.buttons()]
        return sum(widths) + SPACING * max(0, len(widths) - 1)

    def step(self, by: int) -> None:
        """Ask for the next or previous size."""
        if self._sizes:
            sizes = list(self._sizes)
            place = sizes.index(self._size) + by if self._size in sizes else 0
            self.size_requested.emit(sizes[place % len(sizes)])

    def make_menu(self) -> QMenu:
        """The sizes with their counts, to choose from."""
        menu = QMenu(self)
        for key, count in self._sizes.items():
            text = f"{size_label(key)}   {spaced(count)} kernels"
            action = menu.addAction(text, partial(self.size_requested.emit, key))
            action.setCheckable(True)
            action.setChecked(key == self._size)
        return menu

    def _open_menu(self) -> None:
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.menu.mapToGlobal(self.menu.rect().bottomLeft()))

    def _rebuild(self) -> None:
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._line.removeWidget(button)
            button.hide()
            button.deleteLater()
        for number, key in enumerate(self._sizes):
            button = QPushButton(size_label(key), self)
            button.setObjectName(f"size_{size_key(key)}")
            button.setAccessibleName(f"Show kernels of size {size_label(key)}")
            button.setCheckable(True)
            self._group.addButton(button, number)
            self._line.addWidget(button)
        self._show_mode()

    def _show_mode(self) -> None:
        for button in self._group.buttons():
            button.setVisible(not self._compact)
        self.menu.setVisible(self._compact and bool(self._sizes))
