"""Ask where the files of a session are that are not where they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
)

from kernelviewer.formats.errors import with_hint
from kernelviewer.gui.controls import (
    Dialog,
    dialog_button,
    in_row,
    label_of,
    make_default,
    named,
)
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import as_tip
from kernelviewer.jobs.sessions import download_missing, look_along
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.sessions import Answers, Lacking, Sighting

HINT = "Once one is located, those that moved along with it are found by themselves."
OUTSIDE = (
    "A file outside the folder of the session is opened only if you say so, once: who "
    "wrote the session may have named any file of yours, or a server to log in at."
)
DOWNLOAD = (
    "A pretrained network is downloaded only if you say so: the hub learns of it, and "
    "who wrote the session may own the repository."
)
FILE, PLACE, STATE = range(3)
ROW = 26


class LocateDialog(Dialog):
    """Lists missing files; each can be located, and the rest done without.

    Parameters
    ----------
    use
        Called once with where the files are, or with None if the user gives up.
    """

    def __init__(
        self,
        window: WindowContext,
        name: str,
        lacking: Lacking,
        use: Callable[[Answers | None], None],
    ) -> None:
        super().__init__(window, "locateDialog", "Locate missing files")
        self._window, self._lacking, self._use = window, lacking, use
        self._job = f"locate {id(self)}"
        self._found: dict[str, Sighting] = {}
        self._unasked = {
            item.key: item.outside
            for item in lacking.missing
            if item.outside is not None
        }
        self._hub = {item.key for item in lacking.missing if item.hub}
        self._is_answered = False
        count = len(lacking.missing)
        title = label_of(self, _title(name, lacking), role="strong", plain=True)
        hint = label_of(self, HINT, role="secondary")
        for label in (title, hint):
            label.setWordWrap(True)
        hint.setVisible(count > 1)
        asked = [OUTSIDE] * bool(self._unasked) + [DOWNLOAD] * bool(self._hub)
        self.resize(800, 220 + ROW * min(count, 10) + 2 * ROW * len(asked))
        warning = label_of(
            self, "\n\n".join(asked), name="locateOutside", role="secondary", wraps=True
        )
        warning.setVisible(bool(asked))
        self.list = self._make_list()
        self.status = label_of(
            self, name="locateStatus", role="secondary", wraps=True, plain=True
        )
        self.locate = dialog_button(self, "Locate…", "locateFile", self._on_locate)
        self.allow = dialog_button(self, "", "useOutside", self._on_allowed)
        self.download = dialog_button(self, "", "download", self._on_download)
        self.without = dialog_button(self, "", "openWithout", self._on_accepted)
        self.go_on = dialog_button(self, "Open", "openLocated", self._on_accepted)
        self.cancel = dialog_button(self, "Cancel", "cancelLocate", self.close)
        first = (self.locate, self.allow, self.download)
        last = (self.without, self.go_on, self.cancel)
        buttons = in_row(None, *first, 1, *last, spacing=8)
        self.lay_out(
            title, hint, warning, (self.list, 1), self.status, buttons, spacing=10
        )
        self._show_state()

    def _make_list(self) -> QTreeWidget:
        view = named(QTreeWidget(self), "missingFiles", "Missing files")
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setHeaderLabels(["File", "Place", "State"])
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        for item in self._lacking.missing:
            state = "missing" if item.outside is None else "not allowed yet"
            state = "not downloaded" if item.hub else state
            row = QTreeWidgetItem([item.name, "", state])
            _show_place(row, item.where, item.name)
            width = view.fontMetrics().horizontalAdvance(item.name)
            row.setSizeHint(FILE, QSize(width + 28, ROW))
            view.addTopLevelItem(row)
        header = view.header()
        header.setStretchLastSection(False)
        for column in (FILE, STATE):
            mode = QHeaderView.ResizeMode.ResizeToContents
            header.setSectionResizeMode(column, mode)
        header.setSectionResizeMode(PLACE, QHeaderView.ResizeMode.Stretch)
        view.setCurrentIndex(view.model().index(0, FILE))
        view.itemActivated.connect(lambda row, column: self._on_locate())
        return view

    def _on_locate(self) -> None:
        item = self._lacking.missing[max(self.list.currentIndex().row(), 0)]
        dialog = named(QFileDialog(self, f"Locate {item.name}"), "locateFileDialog")
        modes = QFileDialog.FileMode
        folder = item.is_folder
        dialog.setFileMode(modes.Directory if folder else modes.ExistingFile)
        dialog.setDirectory(self._window.settings.last_folder)
        dialog.fileSelected.connect(lambda path: self._on_located(item.key, path))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _on_located(self, key: str, path: str) -> None:
        self._look({key: Path(path)}, "Looking for the others…")

    def _on_allowed(self) -> None:
        """The user lets the session have what lies outside its folder."""
        allowed, self._unasked = self._unasked, {}
        for row, item in enumerate(self._lacking.missing):
            widget = self.list.topLevelItem(row)
            if item.key in allowed and widget is not None:
                widget.setText(STATE, "missing")
        self._look(allowed, "Looking there…")

    def _on_download(self) -> None:
        """The user lets the session have pretrained networks from the hub."""
        self.download.setEnabled(False)
        self.status.setText("Downloading…")
        self._window.jobs.submit(
            "files",
            self._job,
            "Download missing networks",
            Reaction(
                done=lambda found: self._on_found({**self._found, **found}),
                failed=self._on_failed,
                stopped=lambda: self.download.setEnabled(True),
            ).while_alive(self),
            download_missing,
            [i for i in self._lacking.missing if i.key not in self._found],
        )

    def _look(self, places: dict[str, Path], text: str) -> None:
        """Look at files that the user named, and for those that moved along."""
        self.status.setText(text)
        known = {other: sighting.path for other, sighting in self._found.items()}
        self._window.jobs.submit(
            "files",
            self._job,
            "Look for missing files",
            Reaction(
                done=self._on_found, failed=self._on_failed, quiet=True
            ).while_alive(self),
            look_along,
            self._lacking.path.parent,
            self._lacking.missing,
            {**places, **known},
        )

    def _on_found(self, found: dict[str, Sighting]) -> None:
        self._found = found
        for row, item in enumerate(self._lacking.missing):
            sighting = found.get(item.key)
            widget = self.list.topLevelItem(row)
            if sighting is None or widget is None:
                continue
            _show_place(widget, shown(sighting.path), item.name)
            widget.setText(STATE, "found" if sighting.same else "found, but changed")
        self._select_missing()
        self._show_state()

    def _on_failed(self, message: str, hint: str) -> None:
        self.download.setEnabled(True)
        self.status.setText(with_hint(message, hint))

    def _select_missing(self) -> None:
        for row, item in enumerate(self._lacking.missing):
            if item.key not in self._found:
                self.list.setCurrentIndex(self.list.model().index(row, FILE))
                return

    def _show_state(self) -> None:
        missing = len(self._lacking.missing) - len(self._found)
        changed = sum(not sighting.same for sighting in self._found.values())
        text = "Open Without It" if missing == 1 else f"Open Without {missing} Files"
        waiting = len(self._unasked.keys() - self._found.keys())
        allow = "Use It There" if waiting == 1 else f"Use {waiting} Files There"
        self.allow.setText(allow)
        self.allow.setAccessibleName(allow)
        self.allow.setVisible(waiting > 0)
        absent = len(self._hub - self._found.keys())
        download = "Download It" if absent == 1 else f"Download {absent} Networks"
        self.download.setText(download)
        self.download.setAccessibleName(download)
        self.download.setEnabled(True)
        self.download.setVisible(absent > 0)
        self.without.setText(text)
        self.without.setAccessibleName(text)
        self.without.setVisible(missing > 0)
        self.go_on.setVisible(not missing)
        make_default(self.locate if missing else self.go_on)
        status = "" if missing else "All files are found."
        if changed:
            names = f"{changed} file{'s have' if changed > 1 else ' has'}"
            status = f"{names} another content than when the session was saved: "
            status += "what is marked may be other kernels now."
        self.status.setText(status)

    def _on_accepted(self) -> None:
        answers: Answers = {
            item.key: self._found[item.key].path if item.key in self._found else None
            for item in self._lacking.missing
        }
        self._answer(answers)
        self.close()

    def _answer(self, answers: Answers | None) -> None:
        if not self._is_answered:
            self._is_answered = True
            self._use(answers)

    def done(self, result: int) -> None:
        """Qt: closing without an answer gives the session up."""
        self._window.jobs.cancel(self._job)
        self._answer(None)
        super().done(result)


def _title(name: str, lacking: Lacking) -> str:
    """What the session lacks, a sentence."""
    outside = sum(item.outside is not None for item in lacking.missing)
    absent = sum(bool(item.hub) for item in lacking.missing)
    gone = len(lacking.missing) - outside - absent
    parts = []
    if gone:
        what = "a file that is" if gone == 1 else f"{gone} files that are"
        parts.append(f"{what} not where it says")
    if outside:
        what = "a file" if outside == 1 else f"{outside} files"
        parts.append(f"{what} outside its folder")
    if absent:
        what = "a network" if absent == 1 else f"{absent} networks"
        parts.append(f"{what} of the hub")
    *most, last = parts
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"{name} names {listed}."


def _show_place(row: QTreeWidgetItem, where: str, name: str) -> None:
    """The folder of a file that has its own name; whatever else is said as it is."""
    path = Path(where)
    folder = path.name == name and str(path.parent) != "."
    row.setText(PLACE, str(path.parent) if folder else where)
    row.setToolTip(PLACE, as_tip(where))
