"""Exporting kernels themselves: arrays for other programs, or pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.figures import FigureError, FigureOptions
from kernelviewer.gui.asking import ask_where
from kernelviewer.gui.export.figure_requests import FigureRequests
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.drawing import Refusal, save_kernels
from kernelviewer.kernels.bank import size_label

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
