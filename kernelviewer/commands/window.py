"""``kernelviewer [FILE…]``: opens the window, or says why none can open here."""

from __future__ import annotations

import argparse
import ctypes
import difflib
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from kernelviewer import __version__
from kernelviewer.commands import COMMANDS
from kernelviewer.commands.output import complain
from kernelviewer.device import CHOICES
from kernelviewer.importing import there_to_stay

PACKAGES = {
    "libEGL.so.1": ("libegl1", "libglvnd-egl"),
    "libGL.so.1": ("libgl1", "libglvnd-glx"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
    "libX11.so.6": ("libx11-6", "libX11"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb"),
    "libxcb.so.1": ("libxcb1", "libxcb"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil"),
    "libxcb-render.so.0": ("libxcb-render0", "libxcb"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb"),
}
"""System library that Qt needs → its Debian and its Fedora package."""

_LIBRARY = re.compile(r"\blib[\w.+-]+\.so[.\d]*")


def has_display() -> bool:
    """True if there is a screen, or the user chose a platform that needs none."""
    if sys.platform in ("win32", "darwin"):
        return True
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(variable) for variable in variables)


def window_problem() -> str:
    """Why no window can open, a sentence; empty if one can, as far as can be told."""
    if not has_display():
        return (
            "there is no display for the window (neither DISPLAY nor WAYLAND_DISPLAY "
            "is set); kernelviewer info and kernelviewer extract work without one"
        )
    if not _uses_x11():
        return ""
    return _missing_for_x11() or _unreachable_x11()


def missing_library(error: ImportError) -> str:
    """What to install if Qt cannot be imported; empty if that is not the reason."""
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or "").partition(".")[0]
        if module not in ("PySide6", "shiboken6", "pyqtgraph"):
            return ""
        return f"the window needs {module}; reinstall kernelviewer with pip"
    named = _LIBRARY.search(str(error))
    return _install({named.group()} | _absent()) if named else ""


def _uses_x11() -> bool:
    if sys.platform in ("win32", "darwin"):
        return False
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform:
        return platform.partition(":")[0].partition(";")[0] == "xcb"
    return not os.environ.get("WAYLAND_DISPLAY")


def _missing_for_x11() -> str:
    """Qt ends the process if its X11 plugin cannot be loaded, so load it first."""
    package = find_spec("PySide6")
    if package is None or package.origin is None:
        return ""  # the import will tell
    plugins = Path(package.origin).parent / "Qt" / "plugins" / "platforms"
    plugin = plugins / "libqxcb.so"
    if not plugin.is_file():
        return ""
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        named = _LIBRARY.search(str(error).replace(str(plugin), ""))
        return _install({named.group()} | _absent()) if named else ""
    return ""


def _unreachable_x11() -> str:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return ""
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    if not failed:
        return ""
    name = os.environ.get("DISPLAY", "")
    return f"the display {name!r} cannot be reached (is an X server running there?)"


def _absent() -> set[str]:
    """Which of the libraries that Qt is known to need are not installed."""
    absent = set()
    for name in PACKAGES:
        try:
            ctypes.CDLL(name)
        except OSError:
            absent.add(name)
    return absent


def _install(libraries: set[str]) -> str:
    names = sorted(libraries)
    known = [PACKAGES[name] for name in names if name in PACKAGES]
    plural = "ies" if len(names) > 1 else "y"
    text = f"the window needs the missing system librar{plural} {', '.join(names)}"
    if not known:
        return f"{text}; install the package of your system that holds it"
    debian = " ".join(sorted({package for package, _ in known}))
    fedora = " ".join(sorted({package for _, package in known}))
    return (
        f"{text}; install with: sudo apt install {debian} (Debian, Ubuntu) or "
        f"sudo dnf install {fedora} (Fedora)"
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the window's arguments."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="checkpoints, folders, sessions and corpora to open",
    )
    parser.add_argument(
        "--device", choices=CHOICES, default="", help="where to compute"
    )
    parser.add_argument(
        "--screenshot",
        type=Path,
        metavar="OUT.png",
        help="open the files, write a picture of the window and leave",
    )
    parser.add_argument(
        "--theme", choices=("light", "dark"), default="", help="colours of the window"
    )
    parser.add_argument(
        "--size", type=_size, metavar="WIDTHxHEIGHT", help="size of the window"
    )
    parser.add_argument(
        "--reset", action="store_true", help="forget settings and window layout"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--reuse-window",
        dest="reuse",
        action="store_true",
        default=None,
        help="let the window that is open take the files, if there is one (default: as "
        "Open Files in This Window in its View menu says)",
    )
    which.add_argument(
        "--new-window",
        dest="reuse",
        action="store_false",
        help="open a window of their own for the files",
    )
    parser.add_argument(
        "--version", action="version", version=f"kernelviewer {__version__}"
    )


def run(options: argparse.Namespace, watch: Path | None = None) -> int:
    """Open the window and stay until it is closed; ``watch``: a folder to watch."""
    problem = _unknown_command(options.files)
    if problem:
        complain(problem)
        return 2
    if options.screenshot and not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"  # the picture needs no screen
    problem = window_problem()
    if problem:
        complain(problem)
        return 1
    try:
        if watch is None and _reuses(options):
            from kernelviewer.gui.instance import hand_over

            if hand_over(map(Path, options.files)):
                return 0
        with there_to_stay():
            from kernelviewer.gui.application import run as open_window
    except ImportError as error:
        problem = missing_library(error)
        if not problem:
            raise
        complain(problem)
        return 1
    return open_window(
        [Path(file) for file in options.files],
        screenshot=options.screenshot,
        reset=options.reset,
        device=options.device,
        theme=options.theme,
        size=options.size,
        watch=watch,
    )


def _reuses(options: argparse.Namespace) -> bool:
    """True if a window that is open may take the files: as asked, else as it is set.

    What is said of the window itself needs one of its own.
    """
    own = (options.screenshot, options.reset, options.device, options.theme)
    if any(own) or options.size:
        if options.reuse:
            complain("options of the window itself open a new one")
        return False
    if options.reuse is None:
        from kernelviewer.state.settings import load_settings

        return load_settings()[0].reuse == "on"
    return bool(options.reuse)


def _unknown_command(files: list[str]) -> str:
    """What to say where the first word is meant as a command and is none; else empty.

    A word with a folder or an ending is a file, of which the window tells: so do the
    missing files that a file manager or a desktop's list of latest ones names.
    """
    word = files[0] if files else ""
    if not word or Path(word).name != word or Path(word).suffix or Path(word).exists():
        return ""
    close = difflib.get_close_matches(word.lower(), COMMANDS, 1)
    advice = (
        f"is the command {close[0]} meant?"
        if close
        else "kernelviewer --help lists the commands"
    )
    return f"{word!r} is neither a command nor a file; {advice}"


def _size(text: str) -> tuple[int, int]:
    numbers = re.fullmatch(r"(\d{2,5})[x×](\d{2,5})", text)
    if numbers is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 1280x800")
    return int(numbers[1]), int(numbers[2])
