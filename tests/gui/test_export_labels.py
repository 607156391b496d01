"""Exporting labels from the window: the same table as ``kernelviewer label`` writes."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QRadioButton,
)

from kernelviewer.cli import main
from kernelviewer.jobs.drawing import wish_of, write_labels
from kernelviewer.jobs.runner import Cancelled, Ticket
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.model import LayerRef
from kernelviewer.state.selection import CodeRange, Layers
from tests.gui.conftest import wait_idle
from tests.gui.harness import LEFT, click_row
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

SIZE = (7, 7)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [
        write_network(tmp_path / f"{name}.safetensors", channels=10, seed=seed)
        for seed, name in enumerate(("first", "second"))
    ]


def save(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, path: Path, choice: str = ""
) -> None:
    """Give the command, choose which kernels, save."""
    answer = (str(path), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: answer)
    window.commands["export_labels"].trigger()
    dialog = window.findChild(QDialog, "exportLabelsDialog")
    if choice:
        button = dialog.findChild(QRadioButton, choice)
        QTest.mouseClick(button, LEFT, pos=QPoint(8, button.height() // 2))
    buttons = dialog.findChild(QDialogButtonBox)
    QTest.mouseClick(buttons.button(QDialogButtonBox.StandardButton.Save), LEFT)
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_selected_pairs_are_written_from_both_networks(
    open_anew: MakeWindow,
    files: list[Path],
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    window = open_anew(*files)
    window.commands["compare"].trigger()
    wait_idle(qtbot, window)
    click_row(window, "second")
    wait_idle(qtbot, window)
    window.commands["select_all"].trigger()
    save(window, monkeypatch, tmp_path / "pairs.csv", "labelsOfSelected")
    wait_idle(qtbot, window)
    rows = [r for r in rows_of(tmp_path / "pairs.csv") if r["size"] == "7x7"]
    assert len(rows) == window.state.selected.sum() == len(window.state.pool)


def test_the_table_is_that_of_the_command_line(
    open_anew: MakeWindow,
    files: list[Path],
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    window = open_anew(*files)
    save(window, monkeypatch, tmp_path / "window")
    wait_idle(qtbot, window)
    assert "60 rows" in window.statusBar().currentMessage().replace("\u202f", " ")
    words = ["label", *map(str, files), "-o", str(tmp_path / "command.csv")]
    assert main(words) == 0
    written = (tmp_path / "window.csv").read_text()
    assert written == (tmp_path / "command.csv").read_text()


def test_stretches_threshold_and_selection_of_the_window_are_used(
    open_anew: MakeWindow,
    files: list[Path],
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    window = open_anew(*files)
    document, view = window.document, window.parts.spectrum
    view.rename_requested.emit(2, 8)
    document.set_threshold(SIZE, 0.3)
    one, two = (model.id for model in document.models)
    document.show_layers(
        frozenset({LayerRef(one, 0), LayerRef(two, 0), LayerRef(two, 1)})
    )
    document.select("replace", CodeRange(0.1, 0.6))
    document.select("subtract", Layers(frozenset({LayerRef(two, 1)})))
    state = window.state
    save(window, monkeypatch, tmp_path / "some.csv", "labelsOfSelected")
    wait_idle(qtbot, window)
    rows = rows_of(tmp_path / "some.csv")
    here = np.flatnonzero(state.selected)
    assert 0 < len(here) < 20
    assert len(rows) == len(here)
    for row, number in zip(rows, here, strict=True):
        model, layer = state.pool.layer_of(number)
        assert row["source"] == str(model.bank.path)
        assert row["layer"] == layer.name
        assert int(row["channel"]) == state.pool.channel[number]
        assert row["class"] == CLASSES[state.labels.label[number]].id
        assert row["best_class"] == CLASSES[state.labels.best[number]].id
    save(window, monkeypatch, tmp_path / "all.csv", "labelsOfAll")
    wait_idle(qtbot, window)
    rows = [row for row in rows_of(tmp_path / "all.csv") if row["size"] == "7x7"]
    ids = [CLASSES[index].id for index in state.labels.label]
    assert [row["class"] for row in rows] == ids


def test_a_folder_that_is_not_there_is_named_and_nothing_is_lost(
    open_anew: MakeWindow,
    files: list[Path],
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    window = open_anew(files[0])
    path = tmp_path / "none" / "labels.csv"
    save(window, monkeypatch, path)
    wait_idle(qtbot, window)
    assert f"{path}: No such file" in window.statusBar().currentMessage()
    assert len(window.document.banks) == 1


def test_cancelling_leaves_the_old_table_as_it_was(
    open_anew: MakeWindow, files: list[Path], tmp_path: Path
) -> None:
    window = open_anew(files[0])
    path = tmp_path / "out" / "labels.csv"
    path.parent.mkdir()
    path.write_text("mine")
    ticket = Ticket("labels")
    ticket.cancel()
    wish = wish_of(window.document, "cpu", only_selected=False)
    with pytest.raises(Cancelled):
        write_labels(ticket, path, wish)
    assert path.read_text() == "mine"
    assert [child.name for child in path.parent.iterdir()] == ["labels.csv"]


def test_codes_that_are_still_to_come_are_waited_for(
    open_anew: MakeWindow, files: list[Path], tmp_path: Path
) -> None:
    window = open_anew(*files)
    window.document.select("replace", CodeRange(0.0, 0.5))
    wish = wish_of(window.document, "cpu", only_selected=True)
    later = replace(wish, analyses={})
    counts = [
        write_labels(Ticket("labels"), tmp_path / f"{number}.csv", one)
        for number, one in enumerate((wish, later))
    ]
    assert 0 < counts[0] < 60
    assert counts[0] == counts[1]
    assert rows_of(tmp_path / "0.csv") == rows_of(tmp_path / "1.csv")
