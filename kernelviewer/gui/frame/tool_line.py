"""The line above everything: title, kernel sizes, threshold, search, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolBar, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent
    from PySide6.QtWidgets import QMainWindow

    from kernelviewer.gui.parts import Parts

HEIGHT = 38
GAP = 20


class ToolLine(QWidget):
    """Gives way where it is narrow: the title goes first, then the row of sizes."""

    def __init__(self, parent: QWidget, parts: Parts) -> None:
        super().__init__(parent)
        self.setMinimumHeight(HEIGHT)
        self._parts = parts
        self.title = QLabel("kernelviewer", self)
        self.title.setProperty("role", "heading")
        space = QWidget(self)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        line = QHBoxLayout(self)
        line.setContentsMargins(4, 4, 4, 6)
        line.setSpacing(GAP)
        line.addWidget(self.title)
        line.addWidget(parts.sizes)
        line.addWidget(parts.naming)
        line.addWidget(parts.threshold)
        line.addWidget(space, 1)
        line.addWidget(parts.palette)
        line.addWidget(parts.export)
        parts.sizes.widened.connect(self._give_way)

    def event(self, event: QEvent) -> bool:
        """Qt: a part may want more room than before."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._give_way()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: there is more or less room."""
        super().resizeEvent(event)
        self._give_way()

    def _give_way(self) -> None:
        parts = self._parts
        rest = [parts.naming, parts.threshold, parts.palette, parts.export]
        widths = [part.sizeHint().width() for part in rest if not part.isHidden()]
        room = self.width() - sum(widths) - GAP * (len(widths) + 2) - 8
        row, menu = parts.sizes.row_width(), parts.sizes.menu.sizeHint().width()
        title = self.title.sizeHint().width()
        compact = row > room
        parts.sizes.set_compact(compact)
        self.title.setVisible(title + (menu if compact else row) <= room)


def make_tool_line(window: QMainWindow, parts: Parts) -> QToolBar:
    """The line as a tool bar that stays where it is."""
    bar = QToolBar("Tools", window)
    bar.setObjectName("toolLine")
    bar.setMovable(False)
    bar.toggleViewAction().setVisible(False)
    bar.addWidget(ToolLine(bar, parts))
    return bar
