"""Tree, charts and empty views of real windows: what they say, and what keys do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from safetensors.numpy import save_file

import kernelviewer as kv
from kernelviewer.gui.search import collect
from kernelviewer.gui.text import kernel_tip
from kernelviewer.gui.views.models.tree_model import NAMED_COLUMN
from kernelviewer.kernels.classes import CLASSES, INDEX
from tests.gui.conftest import LARGE, wait_idle
from tests.gui.harness import NO_KEY
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.gui.views.models.tree_model import TreeItem
    from tests.gui.harness import MakeWindow

pytestmark = pytest.mark.networks(2, size=LARGE, by="code")

UNIDENTIFIED, FLAT = INDEX["unidentified"], INDEX["flat"]


def write_one_size(path: Path, *size: int, flat: int = 0) -> Path:
    """A network with one depthwise layer of 24 kernels, some of them flat."""
    rng = np.random.default_rng(1)
    kernels = rng.normal(size=(24, 1, *size)).astype(np.float32)
    kernels[:flat] = 0
    save_file(
        {
            "stem.weight": rng.normal(size=(24, 3, 3, 3)).astype(np.float32),
            "dw.weight": kernels,
            "dw.bias": np.zeros(24, np.float32),
            "pw.weight": rng.normal(size=(24, 24, 1, 1)).astype(np.float32),
        },
        path,
    )
    return path


def rows(window: MainWindow) -> list[TreeItem]:
    """Every row of the tree."""
    tree = window.parts.tree
    return tree._items(tree.source.roots)


def test_the_tree_counts_every_size_and_says_the_coverage(window: MainWindow) -> None:
    document, source = window.document, window.parts.tree.source
    for size, threshold in (((7, 7), 0.5), ((3, 3), 0.9)):
        document.set_threshold(size, threshold)
    for item in rows(window):
        if item.layer is None:
            continue
        (ref,) = item.refs
        kernels = document.model(ref.model).bank.sizes[item.layer.size]
        mine = kernels.layer == ref.layer
        fit = document.analyses[(ref.model, item.layer.size)].fit[mine]
        threshold = document.threshold_of(item.layer.size)
        named = int((fit >= np.float32(threshold)).sum())
        index = source.index_of(item, NAMED_COLUMN)
        counts = source.counts_of(item).counts
        assert sum(counts) == mine.sum()
        assert sum(counts[:UNIDENTIFIED]) == named
        assert index.data() == f"{100 * named / mine.sum():.0f}\u202f%"
        tip = index.data(Qt.ItemDataRole.ToolTipRole)
        assert f"{named} of {mine.sum()}" in tip
        null = document.autoencoders[item.layer.size].null.coverage(threshold)
        assert f"of white noise {100 * null:.1f}" in tip
    document.show_size((3, 3))
    document.undo()
    small = next(i for i in rows(window) if i.layer and i.layer.size == (3, 3))
    own = document.autoencoders[(3, 3)].threshold
    assert document.threshold_of((3, 3)) == own
    fit = document.analyses[(small.model.id, (3, 3))].fit
    counts = source.counts_of(small).counts
    assert sum(counts[:UNIDENTIFIED]) == int((fit >= np.float32(own)).sum())


def test_names_in_the_tree_have_room_and_nothing_is_cut(window: MainWindow) -> None:
    tree = window.parts.tree
    for width in (240, 300, 420):
        tree.resize(width, 500)
        header = tree.tree.header()
        shown = [column for column in range(6) if not header.isSectionHidden(column)]
        assert header.sectionSize(0) >= 80
        metrics = tree.fontMetrics()
        for item in rows(window):
            for column in shown[1:]:
                text = tree.source.index_of(item, column).data() or ""
                assert metrics.horizontalAdvance(text) <= header.sectionSize(column)
        assert sum(map(header.sectionSize, shown)) <= tree.tree.viewport().width()


def test_the_histogram_counts_what_is_chosen(window: MainWindow, qtbot: Any) -> None:
    histogram = window.parts.histogram
    window.parts.count_of.chosen.emit("models")
    first, second = histogram.contents
    labels = window.state.labels.label
    for content, part in ((first, labels[:80]), (second, labels[80:])):
        assert (
            content.counts.tolist()
            == np.bincount(part, minlength=len(CLASSES)).tolist()
        )
    assert [first.title, second.title] == ["first", "second"]
    histogram.model_class_requested.emit(second.model, "unidentified", NO_KEY)
    selected = window.state.selected
    wanted = (labels == UNIDENTIFIED) & (np.arange(160) >= 80)
    assert wanted.any()
    assert np.array_equal(selected, wanted)
    window.parts.count_of.chosen.emit("selected")
    (content,) = histogram.contents
    assert content.total == wanted.sum()
    window.document.clear_selection()
    assert histogram.contents == ()
    assert "Select" in histogram.accessibleDescription()


def test_the_composition_shows_the_best_class_of_the_unidentified(
    window: MainWindow,
) -> None:
    assert not window.parts.composition.bars[0].below
    window.parts.pale.chosen.emit("on")
    labels = window.state.labels
    for bar, start in zip(window.parts.composition.bars, (0, 40, 80, 120), strict=True):
        here = slice(start, start + 40)
        below = labels.best[here][labels.label[here] == UNIDENTIFIED]
        assert list(bar.below) == np.bincount(below, minlength=len(CLASSES)).tolist()
        assert bar.network in ("first", "second")


def test_points_are_coloured_by_what_is_chosen(window: MainWindow) -> None:
    window.document.set_threshold((7, 7), 0.4)
    for by in ("class", "layer", "model", "fit"):
        window.parts.colour_by.chosen.emit(by)
        scatter, state = window.parts.scatter, window.state
        numbers, found = scatter.content.numbers, scatter._classes
        colours = scatter._colours
        assert found.max() < len(colours)
        if by == "class":
            assert np.array_equal(found, state.labels.label[numbers])
            there = np.unique(state.labels.label)
            assert len(scatter.legend.entries) == len(there)
        elif by == "model":
            assert np.array_equal(found, numbers >= 80)
            assert [name for _, name in scatter.legend.entries] == ["first", "second"]
        elif by == "layer":
            assert len(np.unique(found)) == 2
            assert scatter.legend.bar
        else:
            order = np.argsort(state.labels.fit[numbers])
            assert (np.diff(found[order].astype(int)) >= 0).all()
            assert scatter.legend.high == "1"


def test_other_components_are_shown_and_remembered(
    own_window: MainWindow, make_window: MakeWindow
) -> None:
    scatter = own_window.parts.scatter
    before = scatter.content.points.copy()
    scatter.across.chosen.emit("2")
    assert own_window.document.charts.across == 2
    assert scatter.content.axes[0].startswith("PC3")
    assert not np.allclose(scatter.content.points[:, 0], before[:, 0])
    assert np.allclose(scatter.content.points[:, 1], before[:, 1])
    own_window.parts.colour_by.chosen.emit("fit")
    own_window.close()
    assert make_window().document.charts.colour_by == "fit"


def test_space_in_the_scatter_takes_the_focused_kernel(window: MainWindow) -> None:
    scatter = window.parts.scatter
    scatter.setFocus()
    QTest.keyClick(scatter, Qt.Key.Key_Right)
    focus = window.state.focus
    assert focus is not None
    QTest.keyClick(scatter, Qt.Key.Key_Space)
    assert np.flatnonzero(window.state.selected).tolist() == [focus]
    QTest.keyClick(scatter, Qt.Key.Key_Space)
    assert not window.state.selected.any()


def test_the_tip_of_a_kernel_names_its_class_code_and_fit(window: MainWindow) -> None:
    state = window.state
    for number in (0, 90):
        tip = kernel_tip(state, number)
        assert CLASSES[state.labels.best[number]].name in tip
        assert f"code {state.labels.code[number]:.3f}" in tip
        assert f"fit {state.labels.fit[number]:.3f}" in tip
        below = state.labels.label[number] == UNIDENTIFIED
        assert ("unidentified, best class" in tip) == below


def test_a_size_without_autoencoder_has_the_family_s_spectrum(
    open_anew: MakeWindow, tmp_path: Path, qtbot: Any
) -> None:
    window = open_anew(write_one_size(tmp_path / "wide.safetensors", 11, 11, flat=2))
    assert not window.parts.spectrum.absent.isVisible()
    assert window.parts.spectrum.content.table.shape[1:] == (11, 11)
    window.acts.focus(5)
    comparison = window.parts.inspector.comparison
    assert comparison.class_line.label.text()
    assert comparison.fit.isVisible()
    window.acts.focus(0)
    assert "flat" in comparison.note.text()
    assert window.parts.controls.picture.isEnabled()
    QTest.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert window.document.display.picture != "kernel"


def test_a_size_that_nothing_names_says_so(
    open_anew: MakeWindow, tmp_path: Path
) -> None:
    window = open_anew(
        write_one_size(tmp_path / "deep.safetensors", 3, 3, 3), size=LARGE
    )
    assert "nothing is named" in window.parts.spectrum.absent.text.text()
    assert "3×3×3" in window.parts.histogram.accessibleDescription()
    assert "3×3×3" in window.parts.composition.accessibleDescription()
    assert window.parts.scatter.content is not None
    window.acts.focus(3)
    assert not window.grab().isNull()


@needs_checkpoints
def test_a_network_without_depthwise_kernels_is_told_everywhere(
    open_anew: MakeWindow,
) -> None:
    path = CHECKPOINTS / "resnet8-cifar10-mlcommons.h5"
    window = open_anew(size=LARGE)
    window.document.open(kv.extract_kernels(kv.open_checkpoint(path)))
    assert "no depthwise kernels" in window.parts.grid.message
    assert window.parts.spectrum.absent.title.text() == "No depthwise kernels"
    for view in (window.parts.histogram, window.parts.composition):
        assert "No depthwise kernels" in view.accessibleDescription()


@needs_checkpoints
def test_strips_and_flat_kernels_of_real_files_fill_every_view(
    open_anew: MakeWindow, qtbot: Any
) -> None:
    window = open_anew(
        CHECKPOINTS / "eegnet-8-2-erp-arl.h5",
        CHECKPOINTS / "mediapipe-hand-landmark-full-fp16.tflite",
        size=LARGE,
    )
    for size in window.document.sizes:
        window.document.show_size(size)
        wait_idle(qtbot, window)
        state = window.state
        (content,) = window.parts.histogram.contents
        assert content.counts[FLAT] == state.pool.flat.sum()
        assert content.total == len(state.pool)
        points = window.parts.scatter.content
        assert len(points.numbers) == (~state.pool.flat).sum()
        if state.pool.flat.any():
            assert "flat kernels have no point" in points.note
        window.acts.focus(0)
        assert not window.grab().isNull()


def test_choices_open_with_a_key_and_are_found_by_typing(window: MainWindow) -> None:
    button = window.parts.colour_by
    QTest.keyClick(button, Qt.Key.Key_Down)
    menu = button.findChild(QMenu)
    assert menu.isVisible()
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    assert not menu.isVisible()
    assert window.document.charts.colour_by != "class"
    entries = {entry.title: entry for entry in collect(window)}
    entries["Colour points: by fit"].run()
    assert window.document.charts.colour_by == "fit"
    entries["Show: residuals"].run()
    assert window.document.display.picture == "residual"
