"""What this program is, and the versions a bug report needs."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox

from kernelviewer import __version__

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

PARTS = ("PySide6-Essentials", "numpy", "torch", "timm", "safetensors", "matplotlib")
TEXT = """<p><b>kernelviewer {version}</b></p>
<p>See the patterns in a trained network's depthwise convolution kernels.</p>
<p>After Babaiee, Kiasari, Rus and Grosu, <i>Unveiling the Unseen: Identifiable
Clusters in Trained Depthwise Convolutional Kernels</i>, ICLR 2024,
arXiv:2401.14469.</p>
<p>MIT licence.</p>"""


def versions() -> str:
    """Versions of the program and what it stands on, one a line."""
    lines = [f"kernelviewer {__version__}", f"Python {platform.python_version()}"]
    for name in PARTS:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} is missing")
    return "\n".join([*lines, platform.platform()])


def show_about(parent: QWidget) -> None:
    """Show the about box."""
    box = QMessageBox(parent)
    box.setObjectName("aboutBox")
    box.setWindowTitle("About kernelviewer")
    box.setText(TEXT.format(version=__version__))
    box.setInformativeText(versions().replace("\n", "<br>"))
    box.setStandardButtons(QMessageBox.StandardButton.Close)
    box.open()
