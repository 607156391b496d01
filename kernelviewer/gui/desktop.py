"""Files as the desktop knows them: asking where one goes, showing where it lies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox

from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QWidget


def ask_where(
    parent: QWidget, title: str, start: Path, kinds: Mapping[str, str]
) -> Path | None:
    """Ask for the file to write.

    Parameters
    ----------
    start
        Folder and name that are proposed.
    kinds
        Suffix → what is written with it; the first is the usual one.

    Returns
    -------
    Path or None
        The file, with a suffix of ``kinds``; None if the user gave up.
    """
    filters = {f"{text} (*{suffix})": suffix for suffix, text in kinds.items()}
    name, chosen = QFileDialog.getSaveFileName(
        parent,
        title,
        str(start),
        ";;".join(filters),
        next(iter(filters)),
        QFileDialog.Option.DontConfirmOverwrite,  # the suffix is not there yet
    )
    if not name:
        return None
    path = Path(name)
    if path.suffix.lower() not in kinds:
        path = path.with_name(path.name + filters.get(chosen, next(iter(kinds))))
    if path.exists() and not _may_replace(parent, path):
        return None
    return path


def _may_replace(parent: QWidget, path: Path) -> bool:
    """True if the user wants an existing file replaced."""
    where = shown(path.parent.name or path.parent)
    text = f"{shown(path.name)} exists in {where}. What is in it will be lost."
    return confirm(parent, "Replace the file?", text, "Replace")


def confirm(parent: QWidget, title: str, text: str, verb: str) -> bool:
    """Ask before something is lost; Return and Escape leave it as it is."""
    box = QMessageBox(parent)
    box.setObjectName("confirmBox")
    box.setWindowTitle(title)
    box.setText(title)
    box.setInformativeText(text)
    box.setTextFormat(Qt.TextFormat.PlainText)
    yes = box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole)
    yes.setObjectName("confirm")
    no = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    box.exec()
    agreed = box.clickedButton() is yes
    box.deleteLater()
    return agreed


def show_in_folder(path: Path) -> bool:
    """Open the folder of a file, with the file marked where the desktop can do that."""
    if sys.platform == "win32":
        return bool(QProcess.startDetached("explorer", [f"/select,{path}"])[0])
    if sys.platform == "darwin":
        return bool(QProcess.startDetached("open", ["-R", str(path)])[0])
    return QDesktopServices.openUrl(
        QUrl.fromEncoded(path.absolute().parent.as_uri().encode())
    )
