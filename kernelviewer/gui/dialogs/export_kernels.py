"""Writing kernels for other programs: arrays, pictures, and tables of their labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QDialogButtonBox, QRadioButton

from kernelviewer.figures import FigureError, FigureOptions
from kernelviewer.formats.errors import with_hint
from kernelviewer.gui.controls import MARGIN, Dialog, label_of, named, note_of
from kernelviewer.gui.desktop import ask_where
from kernelviewer.gui.dialogs.figure.requests import FigureRequests
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.drawing import Refusal, save_kernels, wish_of, write_labels
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.describe import describe_selection
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.drawing import FigureRequest

KINDS = {
    ".npz": "Arrays for NumPy",
    ".safetensors": "Tensors as safetensors",
    ".png": "One picture of all",
    ".zip": "A PNG picture of each",
}
TEXT = (
    "One row for each kernel: network, layer, channel, size, code, fit, class, best "
    "class, scale, offset, by what it is named, the class by its code and by the "
    "pattern family, and the margin; the same columns as kernelviewer label. Names of "
    "networks that were edited, and tags, are two more. Naming, stretches and "
    "thresholds are those of the window; classes go by their ids."
)
LABEL_KINDS = {".csv": "Tables"}
WIDTH = 480


def export_kernels(
    window: WindowContext,
    wish: FigureRequest,
    parent: QWidget,
    told: Callable[[Path | Refusal], object] = lambda path: None,
) -> None:
    """Ask where to, and write the kernels that the wish shows in the background.

    Parameters
    ----------
    told
        Called with the file, or with what went wrong.
    """
    count = sum(
        len(part.bank.sizes[wish.size]) if part.shown is None else int(part.shown.sum())
        for part in wish.parts
    )
    kernels = "kernel" if count == 1 else "kernels"
    what = f"{spaced(count)} {kernels} of {size_label(wish.size)}"
    start = Path(window.settings.last_folder, "kernels.npz")
    path = ask_where(parent, f"Export {what}", start, KINDS)
    if path is None:
        return

    def done(result: Path | Refusal) -> str:
        text = str(result) if isinstance(result, Refusal) else f"{what} in {result}"
        window.statusBar().showMessage(text)
        told(result)
        return text

    def failed(message: str, hint: str) -> None:
        told(Refusal(message, hint))

    window.jobs.submit(
        "compute",
        "export_kernels",
        f"Export {what}",
        Reaction(done=done, failed=failed),
        save_kernels,
        wish,
        path,
    )


def export_marked(window: WindowContext) -> None:
    """Export the selected kernels; without a selection those in view."""
    requests = FigureRequests(window)
    scope = "selected" if requests.state.selected.any() else "shown"
    try:
        wish = requests.wish("sheet", scope, FigureOptions())
    except FigureError as error:
        window.statusBar().showMessage(str(error))
    else:
        export_kernels(window, wish, window)


class ExportLabelsDialog(Dialog):
    """All open kernels or the selected ones; the writing is a background job."""

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window, "exportLabelsDialog", "Export labels")
        self._window = window
        self.setFixedWidth(WIDTH)
        note = note_of(self, TEXT)
        note.setMinimumHeight(note.heightForWidth(WIDTH - 2 * MARGIN))
        networks = window.document.banks
        count = spaced(sum(map(len, networks)))
        where = (
            "the open network" if len(networks) == 1 else f"{len(networks)} networks"
        )
        self.all = QRadioButton(f"All {count} kernels of {where}", self)
        named(self.all, "labelsOfAll", self.all.text())
        self.selected = QRadioButton("Only what is selected", self)
        named(self.selected, "labelsOfSelected", self.selected.text())
        self.what = label_of(self, role="secondary", wraps=True)
        self.what.setContentsMargins(22, 0, 0, 6)
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Save | kinds.Cancel, self)
        self.buttons.button(kinds.Save).setText("Save…")
        self.buttons.accepted.connect(self._on_accepted)
        self.buttons.rejected.connect(self.close)
        self.lay_out(note, self.all, self.selected, self.what, self.buttons, spacing=8)
        self._show_selection()

    def _show_selection(self) -> None:
        state = self._window.state
        steps = bool(state.selection.steps)
        self.selected.setEnabled(steps)
        self.all.setChecked(not steps)
        self.selected.setChecked(steps)
        if steps:
            count = spaced(int(np.count_nonzero(state.selected)))
            text = f"{describe_selection(state)}: {count} of the size shown"
        else:
            text = "nothing is selected"
        self.what.setText(text)

    def _on_accepted(self) -> None:
        window = self._window
        start = Path(window.settings.last_folder, "labels.csv")
        path = ask_where(self, "Export labels", start, LABEL_KINDS)
        if path is None:
            return
        only = self.selected.isChecked()
        wish = wish_of(window.document, window.settings.device, only_selected=only)
        scope = replace(wish.work.scope, layers=window.state.layers_in_scope)
        wish = replace(wish, work=replace(wish.work, scope=scope))
        tell = window.statusBar().showMessage

        def done(rows: int) -> str:
            tell(f"{shown(path)}: {spaced(rows)} rows")
            return f"{spaced(rows)} rows in {shown(path)}"

        def failed(message: str, hint: str) -> None:
            tell(with_hint(message, hint))

        reaction = Reaction(done=done, failed=failed)
        title = f"Export labels to {shown(path.name)}"
        window.jobs.submit(
            "compute", "labels", title, reaction, write_labels, path, wish
        )
        self.close()
