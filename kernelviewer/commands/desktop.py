"""``kernelviewer desktop``: menu entry, file types and icons in the user's folders.

They follow the freedesktop.org specifications (desktop entries, shared MIME info, icon
themes, AppStream), below ``$XDG_DATA_HOME``.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.commands.output import complain, say
from kernelviewer.files import atomic_write, resource

if TYPE_CHECKING:
    import argparse

_ENTRY = "applications/kernelviewer.desktop"
_TYPES = "mime/packages/kernelviewer.xml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    wish = parser.add_mutually_exclusive_group(required=True)
    wish.add_argument(
        "--install",
        action="store_true",
        help="put the program into your desktop's menus and file types",
    )
    wish.add_argument(
        "--remove", action="store_true", help="take away what --install wrote"
    )


def run(options: argparse.Namespace) -> int:
    """Install or remove the files."""
    if sys.platform in ("win32", "darwin"):
        complain(
            "menu entries are written for Linux desktops only; here, make a shortcut "
            f"to {_program()}"
        )
        return 1
    try:
        content = _content()
        folder = data_folder()
        if options.install:
            for name, data in content.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_write(path) as file:
                    file.write(data)
        else:
            for name in content:
                (folder / name).unlink(missing_ok=True)
    except FileNotFoundError as error:
        complain(str(error))
        return 1
    except OSError as error:
        complain(
            f"{error.filename or folder}: it cannot be written "
            f"({error.strerror or error}); look at its permissions"
        )
        return 1
    _refresh(folder)
    say(f"{len(content)} files {'in' if options.install else 'removed from'} {folder}")
    return 0


def data_folder() -> Path:
    """The user's folder for applications' data, ``$XDG_DATA_HOME``."""
    chosen = os.environ.get("XDG_DATA_HOME", "")
    return Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".local/share"


def _content() -> dict[str, bytes]:
    """Path below the data folder → what stands there."""
    source = resource("desktop")
    entry = (source / "kernelviewer.desktop").read_text("utf-8")
    content = {
        _ENTRY: entry.replace(
            "Exec=kernelviewer", f"Exec={_quoted(_program())}"
        ).encode(),
        _TYPES: (source / "kernelviewer.xml").read_bytes(),
        "metainfo/org.kernelviewer.kernelviewer.metainfo.xml": (
            source / "kernelviewer.metainfo.xml"
        ).read_bytes(),
        "icons/hicolor/scalable/apps/kernelviewer.svg": resource(
            "icons", "kernelviewer.svg"
        ).read_bytes(),
    }
    for picture in sorted((source / "icons").glob("*.png")):
        size = f"{picture.stem}x{picture.stem}"
        content[f"icons/hicolor/{size}/apps/kernelviewer.png"] = picture.read_bytes()
    return content


def _program() -> str:
    """Path of the installed program, so that the entry works without ``PATH``."""
    beside = Path(sys.executable).with_name("kernelviewer")
    return (
        str(beside)
        if beside.exists()
        else shutil.which("kernelviewer") or "kernelviewer"
    )


def _quoted(path: str) -> str:
    """A program's path as the desktop entry specification quotes it."""
    if shlex.quote(path) == path and "%" not in path:
        return path
    for sign in '\\"`$':
        path = path.replace(sign, f"\\{sign}")
    return '"' + path.replace("\\", "\\\\").replace("%", "%%") + '"'


def _refresh(folder: Path) -> None:
    """Tell the desktop, where its tools are installed."""
    for tool, place in (
        ("update-desktop-database", "applications"),
        ("update-mime-database", "mime"),
    ):
        if shutil.which(tool) and (folder / place).is_dir():
            subprocess.run(
                [tool, str(folder / place)], check=False, capture_output=True
            )
