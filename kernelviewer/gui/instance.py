"""A running window takes the files of a second start.

Every window listens on a socket that only its user may open, and nothing but names of
files passes. The second start waits until the window answers before it names any, so
that none is opened twice where a window hangs.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from kernelviewer.files import running_dir

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HELLO, _TAKEN = b"kernelviewer 1\n", b"taken\n"
_MOST = 1 << 20
_CONNECT_MS, _ANSWER_MS = 100, 2000


class Doorkeeper(QObject):
    """Listens for the files of later starts.

    A place where nothing can listen (a folder that cannot be made, a name that is too
    long) is no fault of the window: later starts then open windows of their own.
    """

    asked = Signal(object)
    """Paths to open; without any the window is just to come to the front."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._place: Path | None = None
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        with suppress(OSError):
            self._place = running_dir() / f"{_host()}-{os.getpid()}"
            self._place.unlink(missing_ok=True)
            if sys.platform == "win32":
                self._place.touch()
            if not self._server.listen(_address(self._place)):
                self.close()

    @property
    def listens(self) -> bool:
        """True if it can be reached."""
        return self._server.isListening()

    def come_first(self) -> None:
        """Be the one that is asked: its window was used last."""
        if self._place is not None:
            with suppress(OSError):
                os.utime(self._place)

    def note_state(self, state: Qt.ApplicationState) -> None:
        """Take note that the program comes to the front or leaves it."""
        if state == Qt.ApplicationState.ApplicationActive:
            self.come_first()

    def close(self) -> None:
        """Listen no more."""
        self._server.close()
        if self._place is not None:
            with suppress(OSError):
                self._place.unlink(missing_ok=True)

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        read = bytearray()
        socket.readyRead.connect(partial(self._on_read, socket, read))
        socket.disconnected.connect(socket.deleteLater)
        socket.write(_HELLO)

    def _on_read(self, socket: QLocalSocket, read: bytearray) -> None:
        """Names, each ended by a zero byte, and a zero byte behind the last."""
        read += bytes(socket.readAll().data())
        if len(read) > _MOST:
            socket.abort()
        elif read == b"\0" or read.endswith(b"\0\0"):
            names = [os.fsdecode(name) for name in bytes(read).split(b"\0") if name]
            paths = [Path(name) for name in names if Path(name).is_absolute()]
            read.clear()
            socket.write(_TAKEN)
            socket.flush()
            self.asked.emit(paths)


def hand_over(paths: Iterable[Path]) -> bool:
    """Have the window that was used last open files; False if none runs."""
    message = b"".join(os.fsencode(path.absolute()) + b"\0" for path in paths) + b"\0"
    return len(message) <= _MOST and any(_ask(place, message) for place in _running())


def _running() -> Sequence[Path]:
    """Where windows on this machine listen, or listened, the last one used first."""
    try:
        found = [
            (place.stat().st_mtime_ns, place)
            for place in running_dir().glob(f"{_host()}-*")
            if re.fullmatch(r"\d+", place.name.rpartition("-")[2])
        ]
    except OSError:
        return []
    return [place for _, place in sorted(found, reverse=True)]


def _ask(place: Path, message: bytes) -> bool:
    """Give a window the message; a place where nobody listens any more is removed."""
    socket = QLocalSocket()
    socket.connectToServer(_address(place))
    if not socket.waitForConnected(_CONNECT_MS):
        gone = QLocalSocket.LocalSocketError
        if socket.error() in (gone.ConnectionRefusedError, gone.ServerNotFoundError):
            place.unlink(missing_ok=True)
        return False
    if not _hears(socket, _HELLO):
        socket.abort()
        return False
    socket.write(message)
    taken = socket.waitForBytesWritten(_ANSWER_MS) and _hears(socket, _TAKEN)
    socket.abort()
    return taken


def _hears(socket: QLocalSocket, words: bytes) -> bool:
    while socket.bytesAvailable() < len(words):
        if not socket.waitForReadyRead(_ANSWER_MS):
            return False
    return bytes(socket.read(len(words)).data()) == words


def _address(place: Path) -> str:
    """What Qt calls the socket: its path, or on Windows the name of a pipe."""
    return f"kernelviewer-{place.name}" if sys.platform == "win32" else str(place)


def _host() -> str:
    """Name of the machine: a home folder may be that of several."""
    return re.sub(r"[^\w.-]", "_", platform.node())[:24] or "host"
