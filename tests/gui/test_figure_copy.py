"""What is on the clipboard may stay there when the program ends."""

from __future__ import annotations

import subprocess
import sys

COPY_AND_END = """
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from kernelviewer.gui.application import png_bytes
from kernelviewer.gui.dialogs.figure.output import mime_of
from kernelviewer.jobs.drawing import Copies
app = QApplication([])
image = QImage(3, 2, QImage.Format.Format_RGB32)
image.fill(0)
mime = mime_of(Copies("sheet", b"<svg/>", png_bytes(image), 300, "a caption", ""))
app.clipboard().setMimeData(mime)
del mime
assert app.clipboard().text() == "a caption"
assert app.clipboard().image().width() == 3
"""


def test_the_program_ends_well_with_a_figure_on_the_clipboard() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COPY_AND_END],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
