"""How to open the checkpoints of a run, and where to write its animation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox

from kernelviewer.gui.desktop import ask_where
from kernelviewer.gui.jobs import Reaction

if TYPE_CHECKING:
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.drawing import Refusal
    from kernelviewer.jobs.runs import RunFound

ANIMATIONS = {".gif": "Animated GIF", ".png": "Animated PNG, in all colours"}


def ask_about_run(window: WindowContext, found: RunFound) -> None:
    """Ask whether files are to be opened as one run or each for itself."""
    box = QMessageBox(window)
    box.setObjectName("askAboutRun")
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


def export_animation(window: WindowContext) -> None:
    """Ask where to, and write the run as an animated picture in the background."""
    from kernelviewer.figures import FigureError
    from kernelviewer.figures.animation import SCREEN
    from kernelviewer.gui.dialogs.figure.requests import FigureRequests
    from kernelviewer.gui.theme import tokens
    from kernelviewer.jobs.drawing import save_animation

    model = window.state.run
    if model is None or model.run is None:
        return
    options = SCREEN.with_values({"dark": tokens().dark})
    try:
        wish = FigureRequests(window).wish("shares-over-time", "shown", options)
    except FigureError as error:
        window.statusBar().showMessage(str(error))
        return
    name = model.run.name
    start = Path(window.settings.last_folder, f"{name}.gif")
    path = ask_where(window, f"Export {name} as an animation", start, ANIMATIONS)
    if path is None:
        return

    def done(result: Path | Refusal) -> str:
        text = f"{name} in {result}" if isinstance(result, Path) else str(result)
        window.statusBar().showMessage(text)
        return text

    title, reaction = f"Animate {name}", Reaction(done=done)
    window.jobs.submit(
        "compute", "animate", title, reaction, save_animation, wish, path
    )
