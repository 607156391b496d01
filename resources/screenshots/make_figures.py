"""Makes the figures that the README shows, from the bundled sample network and run.

Run from anywhere: ``python resources/screenshots/make_figures.py [FOLDER]``; the folder
is this one by default. Equal versions make equal files. The window is drawn where two
steps of the run are compared, and with the film strips of all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.cli import main

if TYPE_CHECKING:
    from kernelviewer.gui.main_window import MainWindow

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "sample" / "sample.safetensors"
SAMPLE_RUN = HERE.parent / "sample-run"
FIGURES: dict[str, tuple[str, ...]] = {
    "family": (),
    "spectrum": (),
    "classes": (),
    "composition": (),
    "pca": (),
    "compare": (),
    "kernel": ("--samples", "3"),
    "shares-over-time": ("--autoencoder", "family"),
    "formation": ("--autoencoder", "family"),
    "strips": ("--samples", "2"),
    "drift": ("--autoencoder", "family"),
    "scatter": ("--autoencoder", "family"),
    "sheet": ("--group", "class", "--sort", "code", "--height", "150"),
}
"""Exhibit → what it is asked for beside the usual."""
RUN = ("shares-over-time", "formation", "strips")
"""What is made of the sample run."""
COMPARED = ("step-000180.safetensors.gz", "step-000450.safetensors.gz")
"""Steps of the run that are compared."""
PAIRED = ("drift", "scatter")
LOOKS = ("--dpi", "150", "--width", "183", "--force")


def make(folder: Path) -> int:
    """Write every figure; the number of those that could not be made."""
    failed = 0
    for kind, options in FIGURES.items():
        shown = [SAMPLE_RUN if kind in RUN else SAMPLE]
        if kind in PAIRED:
            shown = [SAMPLE_RUN / name for name in COMPARED]
        files = [] if kind == "family" else [str(path) for path in shown]
        out = folder / f"figure-{kind}.png"
        failed += main(["figure", kind, *files, "-o", str(out), *LOOKS, *options])
    return failed


def photograph(folder: Path) -> None:
    """Write pictures of the window: two steps compared, and the whole run."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from kernelviewer.gui import create_window
    from kernelviewer.state.comparing import Comparing
    from kernelviewer.state.settings import Settings

    app = QApplication.instance() or QApplication([])
    wakes = QTimer()
    wakes.start(10)
    for name, theme in (("compare", "light"), ("run", "dark")):
        window = create_window(settings=Settings(theme=theme))
        window.resize(1440, 900)
        window.show()

        def settle(calm: int = 0, window: MainWindow = window) -> None:
            """Wait until nothing is left to do."""
            while calm < 20:
                app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
                calm = calm + 1 if window.jobs.is_idle() else 0

        if name == "compare":
            window.use_preset("compare")
            window.opener.open([SAMPLE_RUN / file for file in COMPARED], apart=True)
            settle()
            first, second = window.document.models
            window.compare(Comparing(first.id, second.id))
        else:
            window.opener.open_run([SAMPLE_RUN])
            settle()
            window.parts.controls.picture.chosen.emit("strip")
            window.layouts.show_panel("formation")
        settle()
        window.acts.go_to(int(window.parts.grid.content.order[0]))
        settle()
        window.grab().save(str(folder / f"window-{name}.png"))
        window.close()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    photograph(target)
    sys.exit(make(target))
