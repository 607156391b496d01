"""Opening files: as one run or each for itself, and a list of what could not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QMessageBox, QScrollArea, QSizePolicy, QWidget

from kernelviewer.gui.controls import (
    Dialog,
    dialog_button,
    in_column,
    in_row,
    label_of,
    line_of,
    named,
)
from kernelviewer.gui.text import as_tip
from kernelviewer.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.runs import RunFound
    from kernelviewer.jobs.tasks import Unusable

NAME = "unopenedDialog"
SIZE = (720, 420)


def ask_about_run(window: WindowContext, found: RunFound) -> None:
    """Ask whether files are to be opened as one run or each for itself."""
    box = named(QMessageBox(window), "askAboutRun")
    box.setWindowTitle("Open")
    box.setText(f"Open {found.name} as one run?")
    others = found.files - found.steps
    rest = (
        f" The other {others} file{'s' * (others > 1)} would be left out."
        if others
        else ""
    )
    box.setInformativeText(
        f"{found.steps} checkpoints have the same layers and tell their order. "
        "As one run they are one network with a slider for its training steps; "
        f"separately each is a network of its own.{rest}"
    )
    whole = box.addButton("As One Run", QMessageBox.ButtonRole.AcceptRole)
    apart = box.addButton("Separately", QMessageBox.ButtonRole.NoRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(whole)

    def answer() -> None:
        if box.clickedButton() is whole:
            window.opener.open_run(found.paths, found.name)
        elif box.clickedButton() is apart:
            window.opener.open(found.paths, apart=True)
        box.deleteLater()

    box.finished.connect(answer)
    box.open()


def show_unopened(window: WindowContext) -> None:
    """Show the list beside the window; once only."""
    known = window.findChild(UnopenedDialog, NAME)
    dialog = known or UnopenedDialog(window)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()


def unopened_text(window: WindowContext) -> str:
    """How many files could not be opened, in a few words; empty without any."""
    unusable = window.opener.unusable.values()
    failed = sum(not found.empty for found in unusable)
    empty = len(unusable) - failed
    if failed:
        more = f", {empty} without kernels" if empty else ""
        return f"{failed} could not be opened{more}"
    return f"{empty} without depthwise kernels" if empty else ""


class UnopenedDialog(Dialog):
    """The files with reason and advice; gone once none is left."""

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window, NAME, "Not opened")
        self._opener = window.opener
        screen = window.screen().availableSize()
        self.resize(min(SIZE[0], screen.width()), min(SIZE[1], screen.height()))
        scroll = QScrollArea(self)
        named(scroll, "unopenedList", "Files that could not be opened")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget(scroll)
        self._list = in_column(body, margins=(0, 0, 8, 0), spacing=12)
        self._list.setAlignment(Qt.AlignmentFlag.AlignTop)
        scroll.setWidget(body)
        again = dialog_button(self, "Try All Again", "tryAllAgain", self._try_all)
        gone = dialog_button(self, "Dismiss All", "dismissAll", self._dismiss_all)
        shut = dialog_button(self, "Close", "unopenedClose", self.close)
        shut.setDefault(True)
        self.lay_out((scroll, 1), line_of(again, gone, shut), spacing=12)
        self._rows: dict[Path, tuple[Unusable, QWidget]] = {}
        self._opener.unusable_changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        """List what there is now; rows that stay are not made anew."""
        unusable = self._opener.unusable
        for path, (found, row) in list(self._rows.items()):
            if unusable.get(path) is not found:
                del self._rows[path]
                row.hide()
                row.deleteLater()
        for path, found in unusable.items():
            if path not in self._rows:
                row = self._row(found)
                self._rows[path] = found, row
                self._list.addWidget(row)
        if not self._rows:
            self.close()

    def _row(self, found: Unusable) -> QWidget:
        row = QWidget(self)
        title = label_of(row, shown(found.path.name), role="strong", plain=True)
        title.setToolTip(as_tip(shown(found.path)))
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        name = f"{shown(found.path.name)}: "
        reason = QLabel(found.sentence.removeprefix(name), row)
        reason.setTextFormat(Qt.TextFormat.PlainText)
        reason.setProperty("role", "secondary")
        reason.setWordWrap(True)
        flags = Qt.TextInteractionFlag
        reason.setTextInteractionFlags(flags.TextSelectableByMouse)
        again = dialog_button(row, "Try Again", "tryAgain", lambda: self._again(found))
        again.setAccessibleName(f"Try {shown(found.path.name)} again")
        copy = dialog_button(row, "Copy Details", "copyDetails", lambda: _copy(found))
        texts = in_column(None, title, reason, spacing=2)
        in_row(row, (texts, 1), again, copy, spacing=8)
        again.setVisible(not found.empty)  # it will be without kernels again
        return row

    def _again(self, found: Unusable) -> None:
        self._opener.try_again([found.path])

    def _try_all(self) -> None:
        found = self._opener.unusable.values()
        self._opener.try_again([one.path for one in found if not one.empty])

    def _dismiss_all(self) -> None:
        self._opener.dismiss([*self._rows])


def _copy(found: Unusable) -> None:
    text = f"{found.sentence}\n{found.details}"
    QGuiApplication.clipboard().setText(text)
