"""Windows in which several networks have kernels alike."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kernelviewer.gui.search import collect
from kernelviewer.state.model import LayerRef
from kernelviewer.state.selection import Layers
from tests.gui.conftest import LARGE, Shared, wait_idle
from tests.gui.harness import NO_KEY, tree_rows
from tests.gui.session_harness import save_as
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A network, the same again, and one of which a layer was trained further."""
    tmp_path = tmp_path_factory.mktemp("alike")
    best, final = tmp_path / "best.safetensors", tmp_path / "final.safetensors"
    tuned = tmp_path / "tuned.safetensors"
    shutil.copy(write_network(best), final)
    tensors = dict(load_file(best))
    name = "stages.1.conv_dw.weight"
    save_file({**tensors, name: tensors[name] + np.float32(0.01)}, tuned)
    return [best, final, tuned]


@pytest.fixture(scope="module")
def shared(make_shared: MakeWindow, paths: list[Path]) -> Shared:
    return Shared(make_shared(*paths[:2], size=LARGE))


@pytest.fixture
def window(shared: Shared) -> MainWindow:
    return shared.as_made()


def once_of(window: MainWindow) -> QAction:
    return window.commands["equal_once"]


def total(window: MainWindow) -> int:
    (content,) = window.parts.histogram.contents
    return int(content.total)


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def test_the_tree_marks_what_an_earlier_network_has(
    window: MainWindow, paths: list[Path], qtbot: Any
) -> None:
    window.opener.open(paths[2:])
    wait_idle(qtbot, window)
    rows = tree_rows(window)
    assert {"best", "= final", "(=) tuned"} <= rows.keys()
    assert {"= stages.0", "= stages.2", "stages.1"} <= rows.keys()
    assert "= stages.1" not in rows
    tips = {name: index.data(3) for name, index in rows.items()}
    assert "All 3 layers are equal to those of “best”, bit for bit." in tips["= final"]
    assert "2 of 3 layers are equal to those of “best”" in tips["(=) tuned"]
    assert "equal" not in tips["best"]


def test_it_is_said_when_an_equal_network_opens(
    window: MainWindow, paths: list[Path], qtbot: Any
) -> None:
    window.document.close(window.document.models[1].id)
    told: list[str] = []
    window.opener.told.connect(told.append)
    window.opener.open(paths[1:2])
    wait_idle(qtbot, window)
    assert any(
        "All 3 layers are equal to those of “best”; equal kernels count once" in text
        for text in told
    )


def test_equal_kernels_count_once_until_it_is_wished_otherwise(
    window: MainWindow, qtbot: Any
) -> None:
    parts = window.parts
    assert total(window) == 48
    assert plain(parts.selected.text()) == "72 kernels open, 72 equal ones counted once"
    assert len(parts.scatter.content.numbers) == 48
    assert len(parts.grid.content.order) == 96
    parts.count_of.chosen.emit("models")
    assert [content.total for content in parts.histogram.contents] == [48, 48]
    parts.count_of.chosen.emit("shown")
    share = parts.threshold.coverage.text()
    assert once_of(window).isChecked()
    once_of(window).trigger()
    wait_idle(qtbot, window)
    assert not once_of(window).isChecked()
    assert total(window) == 96
    assert plain(parts.selected.text()) == "144 kernels open"
    assert len(parts.scatter.content.numbers) == 96
    assert parts.threshold.coverage.text() == share
    once_of(window).trigger()
    wait_idle(qtbot, window)
    assert total(window) == 48


def test_a_layer_of_the_second_network_is_selected_as_what_it_equals(
    window: MainWindow,
) -> None:
    parts, second = window.parts, window.document.models[1].id
    window.document.select("replace", Layers(frozenset({LayerRef(second, 0)})))
    assert plain(parts.selected.text()) == (
        "24 of 48 selected, 48 equal ones counted once"
    )
    (content,) = parts.histogram.contents
    assert content.selected.sum() == 24
    assert np.flatnonzero(parts.grid.selected).tolist() == list(range(48, 72))


def test_a_point_stands_for_all_that_are_equal(window: MainWindow) -> None:
    window.parts.scatter.selection_requested.emit(np.array([3, 5]), NO_KEY)
    selected = window.state.selected
    assert np.flatnonzero(selected).tolist() == [3, 5, 51, 53]


def test_the_second_network_alone_has_all_of_its_kernels(
    window: MainWindow, qtbot: Any
) -> None:
    second = window.document.models[1].id
    window.document.show_layers(frozenset(LayerRef(second, i) for i in range(3)))
    wait_idle(qtbot, window)
    assert total(window) == 48
    assert len(window.parts.scatter.content.numbers) == 48
    assert len(window.parts.grid.content.order) == 48


def test_typing_finds_the_switch(window: MainWindow) -> None:
    entries = [e for e in collect(window) if e.title == "Count Equal Kernels Once"]
    (entry,) = entries
    assert "on" in entry.note
    assert "duplicate" in entry.also


def test_a_session_keeps_the_switch(
    window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    once_of(window).trigger()
    path = tmp_path / "one.kvsession"
    save_as(qtbot, window, path)
    assert json.loads(path.read_text())["charts"]["equal"] == "all"
    window.document.close_all()
    once_of(window).trigger()
    assert once_of(window).isChecked()
    window.sessions.open(path)
    wait_idle(qtbot, window)
    assert not once_of(window).isChecked()
    assert total(window) == 96
