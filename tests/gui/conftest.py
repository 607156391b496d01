"""A window per test, closed at the end, with nothing of Qt left behind."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.kernels.classes import Naming
from kernelviewer.latent.training import TrainingOptions
from tests.networks import write_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PySide6.QtWidgets import QApplication

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.reconstruction.view import ReconstructionView
    from kernelviewer.kernels.classes import By
    from tests.gui.harness import MakeWindow, ViewHarness

WAIT_MS = 60_000
SMALL, LARGE = (1280, 800), (1600, 1000)
"""In a small window some panels lie behind others, and wait until they are seen."""


@pytest.fixture(scope="module", autouse=True)
def little_noise(module_patch: pytest.MonkeyPatch, each_fit_once: None) -> None:
    """Nulls take most of the time of windows on unusual sizes, and of null tests."""
    module_patch.setattr("kernelviewer.latent.family_null.KERNELS", 100)
    brief = partial(TrainingOptions, sweeps=1)
    module_patch.setattr("kernelviewer.latent.noise_control.TrainingOptions", brief)


@pytest.fixture(autouse=True)
def no_window_left(qapp: QApplication, may_stay: set[object]) -> Iterator[None]:
    """A test that leaves a top-level widget behind fails."""
    before = set(qapp.topLevelWidgets())
    yield
    qapp.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    new = set(qapp.topLevelWidgets()) - before - may_stay
    assert not [widget for widget in new if widget.isVisible()]


@pytest.fixture(autouse=True)
def light_colours(qapp: QApplication, request: pytest.FixtureRequest) -> None:
    """Whatever was used before, a test begins in light colours; a window has its own.

    A style sheet costs a window that has none more than it costs to be made with it.
    """
    from kernelviewer.gui import theme

    has_own = {"make_window", "make_shared"} & {*request.fixturenames}
    if theme.tokens().dark or (qapp.styleSheet() and not has_own):
        use_colours(theme.LIGHT)


def use_colours(tokens: Tokens) -> None:
    """Give all widgets the palette of a theme, without a style sheet.

    Under that of a window of an earlier test they would not all be told.
    """
    from PySide6.QtWidgets import QApplication

    from kernelviewer.gui.theme import make_palette

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.setStyleSheet("")
    QApplication.setPalette(make_palette(tokens))
    QApplication.processEvents()  # what is shown is told by a posted event


@contextmanager
def text_of(pixels: int) -> Iterator[None]:
    """Meanwhile the application's text is so high, as on a screen of more dots."""
    from PySide6.QtGui import QFont
    from PySide6.QtWidgets import QApplication

    before = QApplication.font()
    font = QFont(before)
    font.setPixelSize(pixels)
    QApplication.setFont(font)
    try:
        yield
    finally:
        QApplication.setFont(before)


@pytest.fixture
def make_window(qtbot: Any) -> Iterator[Callable[..., MainWindow]]:
    """Make windows that are closed after the test."""
    with windows_to_close() as make:
        yield make


@pytest.fixture(scope="module")
def make_shared(
    qapp: QApplication, little_noise: None, may_stay: set[object]
) -> Iterator[Callable[..., MainWindow]]:
    """Make windows that are closed after the last test of the module.

    A test that changes one asks for it by `as_made`.
    """
    with windows_to_close() as make:

        def make_to_stay(*paths: Path, **how: Any) -> MainWindow:
            before = set(threading.enumerate())
            window = make(*paths, **how)
            may_stay.update({window, *threading.enumerate()} - before)
            return window

        yield make_to_stay


@contextmanager
def windows_to_close() -> Iterator[Callable[..., MainWindow]]:
    """Make windows, shown and settled; those made are closed at the end."""
    from PySide6.QtTest import QTest

    from kernelviewer.gui import create_window

    windows: list[MainWindow] = []

    def make(
        *paths: Path,
        settle: bool = True,
        size: tuple[int, int] = SMALL,
        by: By | None = None,
    ) -> MainWindow:
        window = create_window(paths=paths)
        if by is not None:
            marks = replace(window.document.marks, naming=Naming(by))
            window.document.restore(replace(window.document.work, marks=marks))
        windows.append(window)
        window.resize(*size)
        window.show()
        window.activateWindow()
        assert QTest.qWaitForWindowActive(window)
        if size == LARGE:
            spread(window)
        if settle:
            settle_down(window)
        return window

    try:
        yield make
    finally:
        for window in windows:
            window.close()
            window.deleteLater()


def spread(window: MainWindow) -> None:
    """Lay the panels beside each other that Explore has behind each other."""
    from PySide6.QtCore import Qt

    from kernelviewer.gui.frame.layouts import AREAS

    docks = window.docks
    for name in ("classes", "composition", "scatter"):
        window.addDockWidget(AREAS["bottom"], docks[name], Qt.Orientation.Horizontal)
    window.splitDockWidget(
        docks["reconstruction"], docks["inspector"], Qt.Orientation.Vertical
    )


@pytest.fixture(scope="module")
def shared_windows() -> dict[Made, Shared]:
    """What was made for `window` in this module."""
    return {}


@pytest.fixture
def window(
    request: pytest.FixtureRequest,
    make_shared: MakeWindow,
    shared_windows: dict[Made, Shared],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MainWindow]:
    """A window with made networks, as the mark ``networks`` asks for: see `Made`.

    The tests of a module have it in common; each gets it as it was. Dialogs that a test
    leaves open are closed.
    """
    from PySide6.QtWidgets import QDialog

    marker = request.node.get_closest_marker("networks")
    made = Made(*marker.args, **marker.kwargs) if marker else Made()
    if made not in shared_windows:
        folder = tmp_path_factory.mktemp("window")
        shared_windows[made] = Shared(window_of(made, make_shared, folder))
    window = shared_windows[made].as_made()
    yield window
    for dialog in window.findChildren(QDialog):
        if dialog.isVisible():
            dialog.close()


@pytest.fixture
def open_anew(
    make_shared: MakeWindow, shared_windows: dict[Made, Shared]
) -> Callable[..., MainWindow]:
    """Open files as `make_window` does, but in a window of the module, as it was made.

    What was open in it before is gone, as if its networks had been closed.
    """
    made = Made(0)

    def open_files(*paths: Path, by: By | None = None, **how: Any) -> MainWindow:
        if made not in shared_windows:
            shared_windows[made] = Shared(make_shared())
        window = shared_windows[made].as_made()
        window.resize(*how.get("size", SMALL))
        if how.get("size") == LARGE:
            spread(window)
        if by is not None:
            marks = replace(window.document.marks, naming=Naming(by))
            window.document.restore(replace(window.document.work, marks=marks))
        window.opener.open(paths)
        settle_down(window)
        return window

    return open_files


@pytest.fixture
def own_window(
    request: pytest.FixtureRequest, make_window: MakeWindow, tmp_path: Path
) -> MainWindow:
    """The same, for this test alone."""
    marker = request.node.get_closest_marker("networks")
    made = Made(*marker.args, **marker.kwargs) if marker else Made()
    return window_of(made, make_window, tmp_path)


def window_of(made: Made, make: MakeWindow, folder: Path) -> MainWindow:
    """A window as asked for, its files in a folder."""
    names = (
        ("first", "second")[: made.count] if made.count > 1 else ("net",)[: made.count]
    )
    files = [
        write_network(folder / f"{name}.safetensors", made.channels, seed)
        for seed, name in enumerate(names)
    ]
    window = make(*files, size=made.size, by=made.by)
    if made.identified is not None:
        threshold = np.nanquantile(window.state.labels.fit, 1 - made.identified)
        window.document.set_threshold((7, 7), float(threshold))
    return window


@dataclass(frozen=True)
class Made:
    """How many networks, of how many channels, in a window of what size; the share of
    7×7 kernels that the threshold identifies (None: it stays as it is); by what kernels
    are named (None: as usual).
    """

    count: int = 1
    channels: int = 40
    size: tuple[int, int] = SMALL
    identified: float | None = None
    by: By | None = None


@pytest.fixture
def make_harness(request: pytest.FixtureRequest, qtbot: Any) -> Callable[..., Any]:
    """Make views of the kind that the mark ``harness`` names, closed after the test."""
    kind = request.node.get_closest_marker("harness").args[0]

    def make(*content: Any, **how: Any) -> Any:
        harness = kind(*content, **how)
        qtbot.addWidget(harness.view)
        return harness

    return make


@pytest.fixture
def harness(
    request: pytest.FixtureRequest, make_harness: Callable[..., Any]
) -> ViewHarness:
    """The view with the content that the mark makes."""
    _, content = request.node.get_closest_marker("harness").args
    return make_harness(content())


@pytest.fixture
def view(qtbot: Any) -> ReconstructionView:
    """The reconstruction of a first derivative, with kernels near it."""
    from tests.gui.reconstruction_harness import shown_view

    return shown_view(qtbot)


def wait_idle(qtbot: Any, window: MainWindow) -> None:
    """Wait until the window has nothing left to do."""
    qtbot.waitUntil(window.jobs.is_idle, timeout=WAIT_MS)


def settle_down(window: MainWindow) -> None:
    """The same, where there is no ``qtbot``."""
    from PySide6.QtCore import QEventLoop, QTimer

    until = monotonic() + WAIT_MS / 1000
    while not window.jobs.is_idle():
        assert monotonic() < until
        loop = QEventLoop()
        QTimer.singleShot(10, loop.quit)
        loop.exec()


class Shared:
    """A window that the tests of a module have in common."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._work, self._look = window.document.work, window.look
        self._settings, self._size = window.settings, window.size()
        self._page, self._preset = window.page, window.layouts.preset
        self._hidden = {name: dock.isHidden() for name, dock in window.docks.items()}
        self._fronts = [dock for dock in window.docks.values() if dock.in_front]

    def as_made(self) -> MainWindow:
        """The window as it was: its work, its look and what lies where."""
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QApplication

        from kernelviewer.gui.theme import tokens

        window = self._window
        assert window.isVisible(), "a test that closes a window has its own"
        window.resize(self._size)
        for name, hidden in self._hidden.items():
            window.docks[name].setHidden(hidden)
        if window.look != self._look or window.layouts.preset != self._preset:
            window.layouts.use(self._preset)
            if window.look != self._look:
                window.show_look(self._look)
        self._end_session()
        window.settings = self._settings
        if tokens().dark or not QApplication.instance().styleSheet():
            window.set_theme(self._settings.theme)
        window.document.restore(self._work)
        window.show_page(self._page)
        for dock in self._fronts:
            if not dock.in_front:
                dock.raise_()
        window.statusBar().clearMessage()
        window.parts.tree.search.clear()
        for number in tuple(window.parts.jobs_panel.rows):
            window.parts.jobs_panel.remove(number)
        window.activateWindow()
        assert QTest.qWaitForWindowActive(window)
        window.setFocus()
        settle_down(window)
        return window

    def _end_session(self) -> None:
        """Let nothing of a session stay: its file, what is offered, what failed."""
        window, sessions = self._window, self._window.sessions
        if window.document.models and (sessions.path or not self._work.models):
            sessions._saved, sessions._is_stale = (
                window.document.work.fingerprint,
                False,
            )
            window.document.close_all()
        for offer in sessions.recovery.offers:
            sessions.recovery.dismiss(offer.path)
        if window.opener.unusable:
            window.opener.dismiss([*window.opener.unusable])
        if window.settings.recent != self._settings.recent:
            window.parts.welcome.set_recent(self._settings.recent)


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    """A network with 7×7 and 3×3 depthwise layers and a regular convolution."""
    return write_network(tmp_path / "small.safetensors")


def answer_next(button: str) -> list[str]:
    """Press a button of the next message box; what it asks is listed here."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication, QMessageBox

    asked: list[str] = []

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        asked.append(f"{box.text()} {box.informativeText()}")
        [found] = [one for one in box.buttons() if one.text() == button]
        QTest.mouseClick(found, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, answer)
    return asked
