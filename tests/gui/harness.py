"""Hands and eyes for a window and for its views: what tests do and see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QTreeView,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

    MakeWindow = Callable[..., MainWindow]

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


class ViewHarness:
    """A view on its own: a stand-in for the document keeps all that it asks.

    Parameters
    ----------
    view
        Its signals are heard.
    heard
        Names of those that are only kept.
    """

    def __init__(self, view: QWidget, heard: Iterable[str]) -> None:
        self.view = view
        self.asked: list[tuple[object, ...]] = []
        for name in heard:
            getattr(view, name).connect(
                lambda *values, name=name: self.asked.append((name, *values))
            )

    def of(self, name: str) -> list[list[object]]:
        """What was asked by one signal."""
        return [values for signal, *values in self.asked if signal == name]


def drop(window: MainWindow, *paths: Path) -> None:
    """Drag files over the middle of the window and let them fall."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = window.rect().center()
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(place, copy, data, LEFT, NO_KEY)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    assert window.findChild(QWidget, "dropOverlay").isVisible()
    fall = QDropEvent(QPointF(place), copy, data, LEFT, NO_KEY)
    QApplication.sendEvent(window, fall)
    assert not window.findChild(QWidget, "dropOverlay").isVisible()


def tree_rows(window: MainWindow) -> dict[str, Any]:
    """Name → index of every row of the tree."""
    view = window.findChild(QTreeView, "modelTree")
    rows: dict[str, Any] = {}

    def walk(parent: Any) -> None:
        for row in range(view.model().rowCount(parent)):
            index = view.model().index(row, 0, parent)
            rows[index.data()] = index
            walk(index)

    walk(view.rootIndex())
    return rows


def click_row(window: MainWindow, name: str, key: Any = NO_KEY) -> None:
    """Click a row of the tree by its name."""
    view = window.findChild(QTreeView, "modelTree")
    index = tree_rows(window)[name]
    view.scrollTo(index)
    place = view.visualRect(index).center()
    QTest.mouseClick(view.viewport(), LEFT, key, place)


def errors(window: MainWindow) -> list[str]:
    """What could not be opened, and what the jobs panel lists as failed."""
    rows = window.parts.jobs_panel.rows.values()
    parts = [line.text.text() for row in rows for line in row.failures]
    parts += [row.text.text() for row in rows if row.failed and not row.failures]
    unusable = window.opener.unusable.values()
    return parts + [found.sentence for found in unusable if not found.empty]
