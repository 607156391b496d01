"""The window as a user meets it: files in, kernels on screen."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QPushButton,
    QTreeView,
    QWidget,
)
from safetensors.numpy import save_file

import kernelviewer as kv
from tests.gui.conftest import wait_idle
from tests.gui.harness import LEFT, click_row, drop, errors, tree_rows
from tests.networks import write_network
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

pytestmark = pytest.mark.networks(channels=24)


def test_clicking_a_layer_shows_only_its_kernels(
    window: MainWindow, qtbot: Any
) -> None:
    click_row(window, "stages.1")
    wait_idle(qtbot, window)
    content = window.parts.grid.content
    assert content.order.tolist() == list(range(24, 48))
    assert [group.title for group in content.groups] == ["stages.1"]
    click_row(window, "stages.0", Qt.KeyboardModifier.ControlModifier)
    wait_idle(qtbot, window)
    assert len(window.parts.grid.content.order) == 48
    QTest.keyClick(window.findChild(QTreeView, "modelTree"), Qt.Key.Key_Escape)
    wait_idle(qtbot, window)
    assert window.document.scope.layers is None


def test_clicking_a_layer_of_another_size_switches_to_that_size(
    window: MainWindow, qtbot: Any
) -> None:
    click_row(window, "stages.2")
    wait_idle(qtbot, window)
    assert window.document.size == (3, 3)
    assert window.findChild(QPushButton, "size_3x3").isChecked()
    assert len(window.parts.grid.content.order) == 24


def test_the_size_buttons_switch_the_grid(window: MainWindow, qtbot: Any) -> None:
    QTest.mouseClick(window.findChild(QPushButton, "size_3x3"), LEFT)
    wait_idle(qtbot, window)
    assert window.parts.grid.content.mosaic.size == (3, 3)


def test_searching_narrows_the_tree(window: MainWindow) -> None:
    search = window.parts.tree.search
    QTest.keyClicks(search, "3x3")
    assert set(tree_rows(window)) == {"net", "stages.2"}
    QTest.keyClick(search, Qt.Key.Key_Escape)
    assert set(tree_rows(window)) == {"net", "stages.0", "stages.1", "stages.2"}
    QTest.keyClicks(search, "1.conv_dw")
    assert set(tree_rows(window)) == {"net", "stages.1"}


def test_clicking_a_kernel_shows_it_in_the_inspector(window: MainWindow) -> None:
    window.parts.grid.setFocus()
    QTest.keyClick(window.parts.grid, Qt.Key.Key_Home)
    QTest.keyClick(window.parts.grid, Qt.Key.Key_Right)
    inspector = window.parts.inspector
    assert inspector.findChild(QLabel, "value_channel").text() == "1 of 24"
    assert "conv_dw" in inspector.findChild(QLabel, "value_layer").text().replace(
        "\u200b", ""
    )
    QTest.mouseClick(window.findChild(QPushButton, "copyKernel"), LEFT)
    namespace = {"np": np}
    copied = eval(QGuiApplication.clipboard().text(), namespace)
    assert np.array_equal(copied, window.document.banks[0].sizes[(7, 7)].weights[1])


def test_selecting_can_be_undone_and_is_counted(window: MainWindow) -> None:
    window.parts.grid.setFocus()
    QTest.keyClick(window, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    count = window.findChild(QLabel, "selectionCount")
    assert count.text().startswith("48 of 48")
    QTest.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert "selected" not in count.text()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.parts.grid.selected.sum() == 48
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "selected" not in count.text()
    assert not window.state.selected.any()


def test_closing_one_of_two_networks_leaves_the_other_right(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    first = write_network(tmp_path / "first.safetensors", channels=8)
    second = write_network(tmp_path / "second.safetensors", channels=16)
    window = open_anew(first, second)
    assert len(window.parts.grid.content.order) == 16 + 32
    click_row(window, "first")
    QTest.keyClick(window.findChild(QTreeView, "modelTree"), Qt.Key.Key_Delete)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["second"]
    assert len(window.parts.grid.content.order) == 32
    assert "first" not in tree_rows(window)
    QTest.keyClick(
        window,
        Qt.Key.Key_W,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    wait_idle(qtbot, window)
    assert window.document.banks == ()
    assert window.parts.welcome.isVisible()


def test_a_closed_network_is_let_go(own_window: MainWindow, qtbot: Any) -> None:
    bank = weakref.ref(own_window.document.banks[0])
    own_window.document.close(own_window.document.models[0].id)
    wait_idle(qtbot, own_window)
    qtbot.waitUntil(lambda: bank() is None)


@pytest.mark.networks(count=0)
def test_what_comes_of_a_network_closed_meanwhile_is_let_go(
    own_window: MainWindow, small_file: Path, qtbot: Any
) -> None:
    bank = kv.extract_kernels(kv.open_checkpoint(small_file))
    known = weakref.ref(bank)
    own_window.document.open(bank)
    own_window.document.close(own_window.document.models[0].id)
    del bank
    wait_idle(qtbot, own_window)
    qtbot.waitUntil(lambda: known() is None)


def test_a_network_without_depthwise_kernels_is_no_row_and_is_told_of(
    make_window: MakeWindow, tmp_path: Path
) -> None:
    path = tmp_path / "plain.safetensors"
    weights = np.ones((4, 3, 3, 3), np.float32)
    save_file({"conv1.weight": weights, "conv2.weight": weights}, path)
    window = make_window(path)
    assert window.document.banks == ()
    assert not errors(window)
    assert "no depthwise kernels" in window.statusBar().currentMessage()
    assert window.unopened_button.text() == "1 without depthwise kernels"


def test_every_interactive_widget_has_a_name(window: MainWindow) -> None:
    for theme in ("light", "dark"):
        window.set_theme(theme)
        nameless = [
            (type(widget).__name__, widget.objectName())
            for widget in window.findChildren(QWidget)
            if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
            and widget.isVisible()
            and not widget.objectName().startswith("qt_")
            and not (widget.objectName() and widget.accessibleName())
            and widget.parent() is not None
            and widget.focusProxy() is None
        ]
        assert nameless == [], theme


def test_closing_during_work_stops_it(make_window: MakeWindow, tmp_path: Path) -> None:
    paths = [write_network(tmp_path / f"{n}.safetensors") for n in range(40)]
    window = make_window(*paths, settle=False)
    window.close()
    assert window.stopped
    assert len(window.document.banks) < 40


@pytest.mark.networks(count=0)
def test_five_files_of_mixed_sizes_fill_view_after_view(
    own_window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    names = ("oak", "elm", "ash", "fir", "yew")  # no steps of one run
    paths = [
        write_network(tmp_path / f"{name}.safetensors", seed=seed)
        for seed, name in enumerate(names)
    ]
    seen: list[tuple[str, bool]] = []

    def note() -> None:
        there = own_window.state.labels is not None
        seen.append(("kernels" if own_window.document.banks else "nothing", there))

    own_window.laid_out.connect(note)
    drop(own_window, *paths)
    wait_idle(qtbot, own_window)
    assert seen[0] == ("kernels", False)  # the grid does not wait for the codes
    assert len(own_window.document.banks) == 5
    state = own_window.state
    assert len(state.labels.code) == 5 * 48
    for size in ((7, 7), (3, 3)):
        own_window.document.show_size(size)
        wait_idle(qtbot, own_window)
        assert own_window.state.labels is not None
        assert own_window.parts.spectrum.content is not None
        assert own_window.parts.scatter.content is None  # nobody sees it
    own_window.docks["scatter"].raise_()
    wait_idle(qtbot, own_window)
    assert own_window.parts.scatter.content is not None
    assert (own_window.width(), own_window.height()) == (1280, 800)


def test_closing_while_kernels_are_encoded_is_clean(
    make_window: MakeWindow, tmp_path: Path, qtbot: Any
) -> None:
    path = tmp_path / "large.safetensors"
    weights = np.random.default_rng(0).normal(size=(8000, 1, 7, 7))
    save_file({"conv_dw.weight": weights.astype(np.float32)}, path)
    window = make_window(path, settle=False)
    qtbot.waitUntil(lambda: bool(window.document.banks), timeout=20_000)
    qtbot.waitUntil(
        lambda: bool(window.analyst._asked or window.document.analyses), timeout=60_000
    )
    window.close()
    assert window.stopped


@needs_checkpoints
def test_a_real_network_fills_tree_grid_and_counts(open_anew: MakeWindow) -> None:
    window = open_anew(CHECKPOINTS / "mcunet-in4-pruned-cifar10-statedict-sanchoo1.pth")
    (bank,) = window.document.banks
    assert {size: len(kernels) for size, kernels in bank.sizes.items()} == {
        (7, 7): 1198,
        (5, 5): 1252,
        (3, 3): 872,
    }
    assert len(window.parts.grid.content.order) == 1252
    assert len(tree_rows(window)) == 18


def test_what_was_said_of_a_network_goes_with_it(own_window: MainWindow) -> None:
    assert "net" in own_window.statusBar().currentMessage()
    own_window.commands["close_all"].trigger()
    assert own_window.statusBar().currentMessage() == ""


def test_a_narrow_tree_keeps_the_names(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "deep.safetensors"
    rng = np.random.default_rng(0)
    save_file(
        {
            f"backbone.{a}.{b}.branch.depthwise_conv.weight": rng.normal(
                size=(8, 1, 7, 7)
            ).astype(np.float32)
            for a in range(2)
            for b in range(2)
        },
        path,
    )
    window = open_anew(path)
    tree = window.findChild(QTreeView, "modelTree")
    window.resize(1024, 700)
    window.layouts.reset()
    QApplication.processEvents()
    texts = [name for name in tree_rows(window) if name != "deep"]
    widest = max(map(tree.fontMetrics().horizontalAdvance, texts))
    assert tree.columnWidth(0) >= widest + 2 * tree.indentation()
    window.resize(2560, 1440)
    window.layouts.reset()
    qtbot.waitUntil(
        lambda: not any(tree.isColumnHidden(column) for column in range(1, 6))
    )
