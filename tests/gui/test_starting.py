"""Before kernels have codes the window says why, and what runs meanwhile."""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import shiboken6
from PySide6.QtTest import QTest

from kernelviewer.gui import create_window, main_window
from kernelviewer.gui.controllers import schedulers
from kernelviewer.jobs import tasks
from tests.gui.conftest import WAIT_MS, wait_idle
from tests.gui.harness import LEFT
from tests.gui.test_jobs_panel import row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.jobs.runner import Ticket
    from tests.gui.harness import MakeWindow


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a task waits for, opened at the end of the test."""
    gate = threading.Event()
    yield gate
    gate.set()


def absence(window: MainWindow) -> str:
    """What stands in the place of the spectrum."""
    absent = window.parts.spectrum.absent
    return absent.title.text() if absent.isVisible() else ""


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that seems to have a GPU, whose torch finds none."""
    monkeypatch.setattr(main_window, "needs_torch", lambda wish: wish != "cpu")
    monkeypatch.setattr(tasks, "needs_torch", lambda wish: wish != "cpu")
    monkeypatch.setattr(tasks, "start_torch", lambda watch: None)


@pytest.mark.usefixtures("gpu")
def test_while_torch_is_imported_a_job_runs_and_nothing_says_otherwise(
    make_window: MakeWindow,
    qtbot: Any,
    small_file: Path,
    gate: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = main_window.prepare_device

    def slow(ticket: Ticket, wish: str) -> str:
        gate.wait()
        return real(ticket, wish)

    monkeypatch.setattr(main_window, "prepare_device", slow)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    window = make_window(small_file, settle=False)
    qtbot.waitUntil(lambda: window.device_label.text() != "device: auto")
    assert window.document.banks
    assert window.jobs_button.text() == "1 job running"
    assert window.device_label.text() == "device: starting…"
    assert absence(window) == "Starting torch…"
    window.parts.jobs_panel._slow.timeout.emit()
    assert window.docks["jobs"].isHidden()  # nothing can be done about it
    window.docks["jobs"].show()
    row = row_of(window, "Start torch")
    assert row.running
    assert row.button.isHidden()
    gate.set()
    wait_idle(qtbot, window)
    assert not row.running
    assert row.button.isVisible()
    assert window.device_label.text() == row.text.text()
    assert absence(window) == ""
    assert window.jobs_button.text() == "Jobs"


@pytest.mark.usefixtures("gpu")
def test_where_torch_is_broken_the_cpu_computes_and_the_window_says_so(
    make_window: MakeWindow, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(ticket: Ticket, wish: str) -> str:
        msg = "libtorch.so: cannot open shared object file"
        raise ImportError(msg)

    monkeypatch.setattr(main_window, "prepare_device", broken)
    window = make_window(small_file)
    assert absence(window) == ""
    assert window.document.analyses
    assert window.device_label.text() == "cpu: torch cannot start"
    assert any("libtorch.so" in text for text in window.parts.jobs_panel.failures())


def test_on_a_cpu_no_job_starts_torch(
    make_window: MakeWindow, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_window, "needs_torch", lambda wish: False)
    window = make_window(small_file)
    assert window.device_label.text() == "cpu"
    assert window.document.analyses
    rows = window.parts.jobs_panel.rows.values()
    assert not any("torch" in row.title.text() for row in rows)


def test_encoding_that_was_cancelled_can_be_asked_for_again(
    make_window: MakeWindow,
    qtbot: Any,
    small_file: Path,
    gate: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = schedulers.analyse

    def slow(ticket: Ticket, *given: Any) -> object:
        while not gate.wait(0.01):
            ticket.check()
        return real(ticket, *given)

    monkeypatch.setattr(schedulers, "analyse", slow)
    window = make_window(small_file, settle=False)
    panel = window.parts.jobs_panel
    qtbot.waitUntil(lambda: panel.running() == 2, timeout=WAIT_MS)
    assert absence(window) == "Decoding the spectrum of 7×7 kernels…"
    window.docks["jobs"].show()
    for size in ("7×7", "3×3"):
        QTest.mouseClick(row_of(window, f"Encode {size} of small").button, LEFT)
    wait_idle(qtbot, window)
    assert absence(window) == "The 7×7 kernels are not encoded"
    assert not window.document.analyses
    gate.set()
    QTest.mouseClick(window.parts.spectrum.absent.encode, LEFT)
    wait_idle(qtbot, window)
    assert absence(window) == ""
    assert len(window.document.analyses) == 2


def test_a_program_that_ends_with_its_window_open_takes_it_apart_before_qt(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_exit: list[Callable[[], None]] = []
    monkeypatch.setattr(
        "atexit.register", lambda call, *given: at_exit.append(partial(call, *given))
    )
    window = create_window()
    window.show()
    window.parts.tree.tree.setFocus()
    [end] = at_exit
    end()
    assert window.stopped
    assert not shiboken6.isValid(window)
