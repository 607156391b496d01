"""Asking where a file goes: suffix added, an existing file asked about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox

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
    """Whether the user wants an existing file replaced."""
    answer = QMessageBox.question(
        parent,
        "Replace the file?",
        f"{path.name} exists in {path.parent.name or path.parent}. Replace it?",
        QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
        QMessageBox.StandardButton.Cancel,
    )
    return answer == QMessageBox.StandardButton.Yes
