"""Starts the window; nothing heavy is imported before it stands."""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

import shiboken6
from PySide6.QtCore import QBuffer, QByteArray, QObject, QTimer
from PySide6.QtGui import QIcon, QImageWriter
from PySide6.QtWidgets import QApplication

from kernelviewer.files import atomic_write, resource
from kernelviewer.gui.main_window import MainWindow
from kernelviewer.gui.theme import base_font
from kernelviewer.state.settings import load_settings, reset_settings
from kernelviewer.text import as_paths

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from PySide6.QtGui import QImage

    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.state.settings import Settings
    from kernelviewer.text import AnyPath

POLL_MS = 30
CALM_TICKS = 3


def create_window(
    paths: AnyPath | Iterable[AnyPath] = (), settings: Settings | None = None
) -> MainWindow:
    """Make a window and let it open files; it does not show itself.

    Parameters
    ----------
    paths
        Files and folders to open; one alone need not be in a list.
    settings
        In place of the saved ones.
    """
    _application()
    problem = ""
    if settings is None:
        settings, problem = load_settings()
    window = MainWindow(settings, problem)
    atexit.register(_end, ref(window))
    window.opener.open(as_paths(paths))
    return window


def run(
    paths: AnyPath | Iterable[AnyPath] = (),
    screenshot: AnyPath | None = None,
    reset: bool = False,
    device: str = "",
    theme: str = "",
    size: tuple[int, int] | None = None,
    watch: Path | None = None,
) -> int:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    paths
        Files and folders to open.
    screenshot
        Write a picture of the window there once nothing is left to do, and leave. The
        panels are arranged for its size, and no settings are changed.
    reset
        Forget settings and layout first.
    device, theme, size
        In place of what the settings say, for this run.
    watch
        Folder whose new checkpoints join a run.

    Returns
    -------
    int
        Exit code: 1 if the screenshot could not be written, or shows what failed.
    """
    app = _application()
    if reset:
        reset_settings()
    settings, problem = load_settings()
    given = {"device": device, "theme": theme}
    given = {name: value for name, value in given.items() if value}
    kept, settings = settings, replace(settings, **given)  # type: ignore[arg-type]
    if screenshot:
        settings = replace(settings, geometry="", layout="")
    window = MainWindow(settings, problem)
    window.of_this_run, window.kept_settings = set(given), kept
    window.keeps_settings = window.opener.asks = screenshot is None
    report_errors_in(window)
    if size:
        window.resize(*size)
    window.show()
    if screenshot is None:
        QTimer.singleShot(0, window, lambda: _listen(app, window))
    window.opener.open(as_paths(paths))
    if watch is not None:
        window.runs.watch(watch, window.opener.take_run)
    photographer = _Photographer(window, Path(screenshot)) if screenshot else None
    code = app.exec()
    if photographer is not None:
        code = photographer.code
    if not window.stopped:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


_shown: list[MainWindow] = []
"""Windows that were opened from Python: nobody else may hold them."""


def show_window(
    sources: Iterable[Path | KernelBank], served: bool = False
) -> MainWindow | None:
    """Open a window from Python.

    Parameters
    ----------
    served
        Whether somebody serves Qt's events. So it is, too, where the program has made
        its application already.

    Returns
    -------
    MainWindow or None
        The window; None after it was closed, where it had to serve events itself.

    Raises
    ------
    RuntimeError
        The program's Qt application is one without windows.
    """
    served = served or QApplication.instance() is not None
    app = _application()
    settings, problem = load_settings()
    window = MainWindow(settings, problem)
    window.show()
    paths = []
    for source in sources:
        if isinstance(source, Path):
            paths.append(source)
        else:
            window.document.open(source)
    window.opener.open(paths)
    atexit.register(_end, ref(window))
    if served:
        _shown.append(window)
        return window
    app.exec()
    _end(ref(window))
    return None


def _end(made: ref[MainWindow]) -> None:
    """Take a window apart while Qt still stands, which at exit it may not."""
    window = made()
    if window is not None and shiboken6.isValid(window):
        if not window.jobs.closed:
            window.close()
        if (focused := window.focusWidget()) is not None:
            focused.clearFocus()  # else its event filters would be told amid it
        if window.stopped:
            shiboken6.delete(window)


def _application() -> QApplication:
    """The application, made and furnished unless the program has one."""
    app = QApplication.instance()
    if app is None:
        app = QApplication(sys.argv[:1])
        app.setApplicationName("kernelviewer")
        app.setDesktopFileName("kernelviewer")
        app.setFont(base_font())
        app.setWindowIcon(QIcon(str(resource("icons", "kernelviewer.svg"))))
    if not isinstance(app, QApplication):
        msg = "the program has a Qt application without windows; make a QApplication"
        raise RuntimeError(msg)
    return app


def _listen(app: QApplication, window: MainWindow) -> None:
    """The window stands: let later starts hand it their files."""
    from kernelviewer.gui.instance import Doorkeeper

    keeper = Doorkeeper(window)
    app.applicationStateChanged.connect(keeper.note_state)
    app.aboutToQuit.connect(keeper.close)

    def open_for_another(paths: list[Path]) -> None:
        if window.isMinimized():
            window.showNormal()
        window.raise_()
        window.activateWindow()
        app.alert(window)
        window.opener.open(paths)

    keeper.asked.connect(open_for_another)


class _Photographer(QObject):
    """Waits until the window has nothing left to do, then takes its picture."""

    def __init__(self, window: MainWindow, path: Path) -> None:
        super().__init__(window)
        self._window, self._path = window, path
        self.code = 1
        self._calm = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start()

    def _on_tick(self) -> None:
        self._calm = self._calm + 1 if self._window.jobs.is_idle() else 0
        if self._calm < CALM_TICKS:
            return
        self._timer.stop()
        unusable = self._window.opener.unusable.values()
        failures = self._window.parts.jobs_panel.failures()
        failures += [found.sentence for found in unusable if not found.empty]
        for text in failures:
            print(f"kernelviewer: {text}", file=sys.stderr)
        try:
            with atomic_write(self._path) as file:
                file.write(png_bytes(self._window.grab().toImage()))
            self.code = int(bool(failures))
        except OSError as error:
            reason = error.strerror or error
            print(f"kernelviewer: {self._path}: {reason}", file=sys.stderr)
        finally:
            self._window.close()


def png_bytes(image: QImage) -> bytes:
    """A picture as a PNG file."""
    data = QBuffer()
    data.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(data, QByteArray(b"png")).write(image)
    return bytes(data.data().data())


def report_errors_in(window: MainWindow) -> None:
    """Show unexpected errors of the window in its jobs panel; the program goes on."""

    def report(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        details = "".join(traceback.format_exception(kind, error, trace))
        print(details, file=sys.stderr)
        window.parts.jobs_panel.add_error(
            "Unexpected error", f"{kind.__name__}: {error}", details
        )

    sys.excepthook = report
