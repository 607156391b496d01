"""Files and folders dropped on the window."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QPushButton,
    QWidget,
)

import kernelviewer as kv
from kernelviewer.jobs.tasks import Tally
from tests.gui.conftest import answer_next, wait_idle
from tests.gui.harness import LEFT, NO_KEY, drop, errors, tree_rows
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.gui.harness import MakeWindow


def test_dropping_a_file_shows_its_tree_and_every_kernel(
    open_anew: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = open_anew()
    drop(window, small_file)
    wait_idle(qtbot, window)
    (bank,) = window.document.banks
    assert {size: len(kernels) for size, kernels in bank.sizes.items()} == {
        (7, 7): 48,
        (3, 3): 24,
    }
    assert {"small", "stages.0", "stages.1", "stages.2"} <= set(tree_rows(window))
    assert len(window.parts.grid.content.order) == 48
    assert window.findChild(QLabel, "gridCounts").text() == "48 of 48"


def test_one_bad_file_among_several_leaves_the_others_open(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    good = [write_network(tmp_path / f"net{n}.safetensors", 4, n) for n in range(9)]
    bad = tmp_path / "page.pth"
    bad.write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    window = open_anew()
    drop(window, *good[:4], bad, *good[4:])
    wait_idle(qtbot, window)
    asked = answer_next("Separately")
    qtbot.waitUntil(lambda: bool(asked))
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == [
        f"net{n}" for n in range(9)
    ]
    (message,) = errors(window)
    assert "page.pth" in message
    assert window.findChild(QWidget, "unopenedDialog") is None, "nobody asked"
    assert window.unopened_button.text() == "1 could not be opened"
    QTest.mouseClick(window.unopened_button, LEFT)
    dialog = window.findChild(QWidget, "unopenedDialog")
    assert dialog.isVisible()
    QTest.mouseClick(dialog.findChild(QPushButton, "copyDetails"), LEFT)
    assert "page.pth" in QGuiApplication.clipboard().text()
    dialog.close()


def test_networks_that_arrive_together_are_one_change(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    window = open_anew()
    told: list[int] = []
    window.document.changed.connect(lambda: told.append(len(window.document.banks)))
    paths = [write_network(tmp_path / f"net{n}.safetensors", seed=n) for n in range(3)]
    banks = [kv.extract_kernels(kv.open_checkpoint(path)) for path in paths]
    for bank in banks[:2]:
        window.opener._on_partial(bank)
    assert told == []
    QApplication.processEvents()
    assert told[0] == 2
    window.opener._on_partial(banks[2])
    window.opener._on_done(Tally(3, 0))
    assert window.document.banks == tuple(banks)
    wait_idle(qtbot, window)


def test_a_dropped_folder_is_searched(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    inner = tmp_path / "runs" / "a"
    inner.mkdir(parents=True)
    write_network(inner / "one.safetensors")
    write_network(tmp_path / "runs" / "two.bin")
    (inner / "log.txt").write_text("epoch 1")
    window = open_anew()
    drop(window, tmp_path / "runs")
    wait_idle(qtbot, window)
    assert {bank.name for bank in window.document.banks} == {"one", "two"}
    assert not errors(window)


def test_an_empty_folder_is_said_to_be_empty(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    window = open_anew()
    drop(window, tmp_path / "empty")
    wait_idle(qtbot, window)
    assert window.document.banks == ()
    (message,) = errors(window)
    assert "empty" in message
    window.findChild(QWidget, "unopenedDialog").close()


def test_dragging_away_uncovers_the_window(
    open_anew: MakeWindow, small_file: Path
) -> None:
    window = open_anew()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(small_file))])
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, LEFT, NO_KEY)
    QApplication.sendEvent(window, enter)
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not window.findChild(QWidget, "dropOverlay").isVisible()


def test_the_overlay_hides_the_window_and_counts_folders(
    open_anew: MakeWindow, qtbot: Any, small_file: Path, tmp_path: Path
) -> None:
    window = open_anew(small_file)
    wait_idle(qtbot, window)
    folder = tmp_path / "run"
    folder.mkdir()
    data = QMimeData()
    paths = (small_file, folder, tmp_path / "other.pth")
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, LEFT, NO_KEY)
    QApplication.sendEvent(window, enter)
    overlay = window.findChild(QWidget, "dropOverlay")
    assert overlay.text == "Drop to open 2 files and 1 folder"
    image = window.grab().toImage()
    ground = overlay.palette().window().color()
    quarter = window.height() // 4
    row = {image.pixelColor(x, quarter).name() for x in range(20, window.width() - 20)}
    assert row == {ground.name()}


def test_text_cannot_be_dropped(open_anew: MakeWindow) -> None:
    window = open_anew()
    data = QMimeData()
    data.setText("hello")
    enter = QDragEnterEvent(
        QPoint(50, 50), Qt.DropAction.CopyAction, data, LEFT, NO_KEY
    )
    enter.ignore()
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


def test_what_was_opened_is_told_after_it_is_shown(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    paths = [
        write_network(tmp_path / f"{n}.safetensors", seed=seed)
        for seed, n in enumerate("ab")
    ]
    window = open_anew()
    drop(window, *paths)
    qtbot.waitUntil(lambda: len(window.document.banks) == 2, timeout=20_000)
    assert "depthwise kernels" in window.statusBar().currentMessage()
    wait_idle(qtbot, window)


def test_closing_all_stops_what_is_being_opened(
    open_anew: MakeWindow,
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from kernelviewer.jobs import tasks

    files = [
        write_network(tmp_path / f"{name}.safetensors", seed=seed)
        for seed, name in enumerate(("first", "second", "third"))
    ]
    window = open_anew(files[0])
    reading, go_on = threading.Event(), threading.Event()
    load = tasks.load

    def slow(ticket: Any, path: Path, **options: Any) -> Any:
        bank = load(ticket, path, **options)
        if path == files[2]:
            reading.set()
            go_on.wait(20)
        return bank

    monkeypatch.setattr(tasks, "load", slow)
    window.opener.open(files[1:])
    qtbot.waitUntil(reading.is_set)
    window.commands["close_all"].trigger()
    go_on.set()
    wait_idle(qtbot, window)
    assert not window.document.models
    window.opener.open(files[:1])
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["first"]
