"""How to open the checkpoints of a run, and where to write its animation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox

if TYPE_CHECKING:
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.runs import RunFound


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
