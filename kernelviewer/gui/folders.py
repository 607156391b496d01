"""Showing a file in the desktop's file manager."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess, QUrl
from PySide6.QtGui import QDesktopServices

if TYPE_CHECKING:
    from pathlib import Path


def show_in_folder(path: Path) -> bool:
    """Open the folder of a file, with the file marked where the desktop can do that."""
    if sys.platform == "win32":
        return bool(QProcess.startDetached("explorer", [f"/select,{path}"])[0])
    if sys.platform == "darwin":
        return bool(QProcess.startDetached("open", ["-R", str(path)])[0])
    return QDesktopServices.openUrl(
        QUrl.fromEncoded(path.absolute().parent.as_uri().encode())
    )
