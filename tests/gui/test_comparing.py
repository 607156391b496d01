"""Two networks compared in the window, with mouse and keys."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QFontMetricsF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton, QToolButton
from safetensors.numpy import load_file, save_file

from kernelviewer.formats import open_checkpoint
from kernelviewer.gui.dialogs.comparing import NOBODY, ComparingDialog
from kernelviewer.gui.painting.layers import TOP
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.text import partner_text, percent
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.comparing import Comparing
from kernelviewer.state.own_names import tag_colour
from kernelviewer.state.selection import Kernels, Layers
from tests.gui.conftest import Shared, settle_down, wait_idle
from tests.gui.harness import click_row, drop, tree_rows
from tests.gui.test_random import write_patterns
from tests.kernels.banks import bank_of, noise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

    MakeWindow = Callable[..., MainWindow]

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier
SEVEN = (7, 7)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of bells, edges and noise in three sizes."""
    return write_patterns(tmp_path_factory.mktemp("two") / "before.safetensors", 0)


@pytest.fixture(scope="module")
def after(before: Path) -> Path:
    """The same, each kernel a little another, the first layer's turned around."""
    rng = np.random.default_rng(5)
    tensors = load_file(before)
    for name, values in tensors.items():
        if name.endswith("dw.weight"):
            noise = rng.normal(0, 0.05, values.shape).astype(np.float32)
            tensors[name] = values + noise
    first = "stages.0.blocks.0.dw.weight"
    tensors[first] = -tensors[first]
    path = before.with_name("after.safetensors")
    save_file(tensors, path)
    return path


@pytest.fixture(scope="module")
def compared(make_shared: MakeWindow, before: Path, after: Path) -> Shared:
    """Both are open and compared."""
    window = make_shared(before, after)
    window.use_preset("compare")
    first, second = window.document.models
    window.compare(Comparing(first.id, second.id))
    settle_down(window)
    return Shared(window)


@pytest.fixture
def window(compared: Shared) -> MainWindow:
    """The window of the two."""
    return compared.as_made()


def facts(window: MainWindow) -> str:
    return str(window.parts.comparing.facts.toolTip())


def test_the_tree_s_menu_compares_and_the_bar_says_what(
    open_anew: MakeWindow, before: Path, after: Path, qtbot: Any
) -> None:
    window = open_anew(before, after)
    bar, tree = window.parts.comparing, window.parts.tree
    assert bar.isHidden()
    menu = tree.menu_for(tree.source.roots[0])
    beside = next(a.menu() for a in menu.actions() if a.text() == "Compare With")
    [action] = beside.actions()
    assert action.text() == "after"
    action.trigger()
    menu.deleteLater()
    wait_idle(qtbot, window)
    assert bar.isVisible()
    assert bar.names.whole == "before  →  after"
    assert "42 pairs of 7×7 kernels" in facts(window)
    assert window.state.display.picture == "pair"
    assert len(window.parts.grid.content.order) == 42
    assert len(window.parts.grid.content.mosaic.beside) == 2
    QTest.mouseClick(bar.swap, LEFT)
    wait_idle(qtbot, window)
    assert bar.names.whole == "after  →  before"
    QTest.mouseClick(bar.end, LEFT)
    wait_idle(qtbot, window)
    assert bar.isHidden()
    assert window.state.display.picture == "kernel"
    assert len(window.parts.grid.content.order) == 84
    window.commands["undo"].trigger()
    wait_idle(qtbot, window)
    assert bar.names.whole == "after  →  before"


def test_a_cell_selects_what_changed_in_both_networks(
    window: MainWindow, qtbot: Any
) -> None:
    view, state = window.parts.transitions, window.state
    counts = view.content.counts
    assert counts.sum() == 42
    off = counts.copy()
    np.fill_diagonal(off, 0)
    cell = tuple(int(i) for i in np.unravel_index(off.argmax(), off.shape))
    assert off[cell]
    plain = view.grab().toImage()
    QTest.mouseClick(view, LEFT, NO_KEY, view.boxes()[cell].center().toPoint())
    [step] = window.document.selection.steps
    assert isinstance(step.query, Kernels)
    assert view.grab().toImage() != plain
    assert len(step.query) == 2 * off[cell]
    chosen = window.state.selected
    labels, pairs = state.labels, state.pairs
    assert labels is not None
    assert pairs is not None
    rows = pairs.inside(chosen)
    assert {*labels.label[pairs.first[rows]]} == {cell[0]}
    assert {*labels.label[pairs.second[rows]]} == {cell[1]}
    names = f"{CLASSES[cell[0]].short} → {CLASSES[cell[1]].short}"
    assert window.parts.chips.chips[0].text.startswith(names)
    assert view.content.selected[cell] == off[cell]
    assert np.count_nonzero(window.parts.grid.selected) == off[cell]
    tip = view.tip(cell)
    assert f"{off[cell]} pair" in tip
    assert "channels shuffled" in tip
    field = view.boxes()[cell]
    left = QPoint(4, round(field.center().y()))
    QTest.mouseClick(view, LEFT, NO_KEY, left)
    assert len(window.document.selection.steps[-1].query) == 2 * counts[cell[0]].sum()
    kinds = view.content.kinds
    place = view._current[0], min(view._current[1] + 1, len(kinds) - 1)
    QTest.keyClick(view, Qt.Key.Key_Right)
    with qtbot.waitSignal(view.cells_requested) as asked:
        QTest.keyClick(view, Qt.Key.Key_Space)
    assert asked.args[:2] == [kinds[number] for number in place]


def test_the_matrix_follows_threshold_and_scope(window: MainWindow, qtbot: Any) -> None:
    view, last = window.parts.transitions, len(CLASSES) - 2
    before = view.grab().toImage()
    window.document.set_threshold(SEVEN, 1.0)
    wait_idle(qtbot, window)
    assert view.grab().toImage() != before
    named = view.content.counts[:last, :last]
    assert named.sum() == 0
    window.document.set_threshold(SEVEN, None)
    first = window.document.models[0]
    layer = next(r for r in window.state.pool.layer_refs if r.model == first.id)
    window.document.show_layers(frozenset({layer}))
    wait_idle(qtbot, window)
    assert view.content.counts.sum() == 14
    assert len(window.parts.grid.content.order) == 14
    assert [drift.shown for drift in window.parts.drift.layers] == [True, False, False]


def test_both_kernels_of_a_pair_are_in_scope_where_one_is(
    window: MainWindow, qtbot: Any
) -> None:
    click_row(window, "after")
    wait_idle(qtbot, window)
    state = window.state
    assert state.layers is not None
    assert state.shown.sum() == 2 * len(state.pairs) == 84
    chips = window.parts.chips
    assert chips.scope.text == "7×7 · all of after, with partners"
    window.document.compare(None)
    wait_idle(qtbot, window)
    assert chips.scope.text == "7×7 · all of after"
    assert window.state.shown.sum() == 42
    window.commands["undo"].trigger()
    wait_idle(qtbot, window)
    assert chips.scope.text == "7×7 · all of after, with partners"
    grid = window.parts.grid
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(grid, Qt.Key.Key_1)
    wait_idle(qtbot, window)
    assert window.state.selected.sum() == 84
    tagged = window.document.marks.tags[1].kernels[SEVEN]
    assert {model: len(found) for model, found in tagged.indices.items()} == {
        model.id: 42 for model in window.document.models
    }


def test_a_pair_bears_the_tags_of_both_its_kernels(
    window: MainWindow, qtbot: Any
) -> None:
    pairs, grid = window.state.pairs, window.parts.grid
    assert window.document.display.picture == "pair"
    grid.setFocus()
    for row, number, key in ((0, pairs.second[0], "1"), (1, pairs.first[1], "2")):
        window.acts.focus(int(number))
        QTest.keyClicks(grid, key)
        wait_idle(qtbot, window)
        box = grid._geometry.box_of(int(pairs.first[row]))
        assert box is not None
        colour = QColor(tag_colour(window.state.tags, int(key))).rgb()
        picture = grid.viewport().grab().toImage()
        left, top, wide, high = box
        seen = {
            picture.pixel(x, y)
            for x in range(left, left + wide)
            for y in range(top, top + high)
            if picture.rect().contains(x, y)
        }
        assert colour in seen, key


def test_a_matrix_too_low_for_names_is_as_wide_as_its_panel(
    window: MainWindow, qtbot: Any
) -> None:
    view = window.parts.transitions
    for high, least in ((700, 0.4), (110, 0.85)):
        view.resize(280, high)
        across = [box.right() for box in view.boxes().values()]
        wide = max(across) - min(box.left() for box in view.boxes().values())
        assert least * 280 < wide < (least + 0.3) * 280


def test_drift_tells_each_layer_and_selects_it(window: MainWindow) -> None:
    view = window.parts.drift
    assert [layer.names[0] for layer in view.layers] == [
        f"stages.{n // 2}.blocks.{n % 2}.dw" for n in (0, 1, 3)
    ]
    turned, other = view.layers[0], view.layers[1]
    assert turned.summary.mean_cosine < -0.8
    assert other.summary.mean_cosine > 0.8
    assert abs(other.null.mean_cosine) < 0.5
    assert turned.changed > other.changed
    assert f"median cosine −{abs(turned.summary.median_cosine):.3f}" in view.tip(0)
    QTest.mouseClick(view, LEFT, NO_KEY, view.box_of(1).center().toPoint())
    [step] = window.document.selection.steps
    assert step.query == Layers(frozenset(other.refs))
    assert view.selected == {1}
    assert int(window.state.selected.sum()) == 28
    QTest.keyClick(view, Qt.Key.Key_Left)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert view.selected == {0}


def test_ticks_of_the_drift_keep_off_the_edge_and_a_low_chart_shows_fewer(
    window: MainWindow, qtbot: Any
) -> None:
    view = window.parts.drift
    for high, charts in ((400, 3), (110, 2), (70, 1)):
        view.resize(300, high)
        picture = view.grab().toImage()
        ground = picture.pixel(0, 0)
        for x in range(4):
            column = {picture.pixel(x, y) for y in range(picture.height())}
            assert column == {ground}, (high, x)
        caption = QFontMetricsF(caption_font(view.font())).height()
        tracks = view._tracks(caption)
        assert len(tracks) == charts
        assert all(track.box.height() > 1.2 * caption for track in tracks)
        # a dot at the very top keeps off the title and the legend
        assert tracks[0].place(tracks[0].high) - 3 > TOP + caption


def test_the_grid_shows_the_most_changed_first_and_selects_pairs(
    window: MainWindow, qtbot: Any
) -> None:
    pairs, grid = window.state.pairs, window.parts.grid
    assert pairs is not None
    display = replace(window.document.display, group_by="none")
    window.document.show_as(display)
    wait_idle(qtbot, window)
    order = pairs.row[grid.content.order]
    cosine = pairs.found.cosine[order]
    there = cosine[~np.isnan(cosine)]
    assert (np.diff(there) >= 0).all()
    assert not np.isnan(cosine[: len(there)]).any()
    number = int(grid.content.order[0])
    grid.focus_requested.emit(number)
    grid.selection_requested.emit(np.array([number]), "replace")
    both = {number, int(pairs.second[pairs.row[number]])}
    assert {*np.flatnonzero(window.state.selected).tolist()} == both
    window.acts.focus(int(pairs.second[pairs.row[number]]))
    assert grid.focus == number
    window.document.show_as(replace(display, group_by="transition"))
    wait_idle(qtbot, window)
    titles = [group.title for group in grid.content.groups]
    assert any(" → " in title for title in titles)
    assert sum(" → " in title or "as before" in title for title in titles) == len(
        titles
    )


def test_pairs_are_drawn_on_one_scale(window: MainWindow) -> None:
    from kernelviewer.gui.views.grid.mosaic import TOP, ZERO

    pairs, mosaic = window.state.pairs, window.parts.grid.content.mosaic
    assert pairs is not None
    row = int(np.flatnonzero(~np.isnan(pairs.found.cosine))[0])
    number = int(pairs.first[row])
    before, after = (
        window.state.pool.weights_of(int(side[row]))
        for side in (pairs.first, pairs.second)
    )
    three = (before, after, after - before)
    top = max(float(np.abs(taps).max()) for taps in three)
    panes = (mosaic.tiles, *mosaic.beside)
    for pane, taps in zip(panes, three, strict=True):
        drawn = pane[number, :, :-1].astype(float) - ZERO
        assert np.abs(drawn - taps / top * ZERO).max() <= 1
    assert max(
        int(np.abs(p[number, :, :-1].astype(int) - ZERO).max()) for p in panes
    ) == (TOP - ZERO)


def test_the_inspector_shows_both_kernels(window: MainWindow, qtbot: Any) -> None:
    pairs, view = window.state.pairs, window.parts.inspector.pair
    assert pairs is not None
    window.layouts.show_panel("inspector")
    assert view.isHidden()
    row = int(np.nanargmin(pairs.found.cosine))
    window.acts.focus(int(pairs.second[row]))
    wait_idle(qtbot, window)
    assert view.isVisible()
    assert window.parts.inspector.comparison.isHidden()
    assert view.content is not None
    window.document.draw_mean("with")
    wait_idle(qtbot, window)
    assert np.array_equal(
        view.content.before, window.state.pool.weights_of(int(pairs.first[row]))
    )
    assert f"{abs(pairs.found.cosine[row]):.3f}" in view.change.text()
    labels = window.state.labels
    assert f"{labels.code[pairs.first[row]]:.3f}" in view.texts()
    assert f"{labels.code[pairs.second[row]]:.3f}" in view.texts()
    window.document.compare(None)
    wait_idle(qtbot, window)
    assert view.isHidden()
    assert not window.parts.inspector.comparison.isHidden()


def test_the_scatter_plots_codes_before_against_after(
    window: MainWindow, qtbot: Any
) -> None:
    pairs, view = window.state.pairs, window.parts.scatter
    assert pairs is not None
    window.layouts.show_panel("scatter")
    wait_idle(qtbot, window)
    assert view.content.axes[0].startswith("PC1")
    view.across._actions["codes"].trigger()
    wait_idle(qtbot, window)
    assert (view.across.text(), view.up.text()) == ("code before ▾", "code after ▾")
    title = window.docks["scatter"].title_line.label
    assert title.text() == "Before and after"
    code = window.state.labels.code
    rows = pairs.row[view.content.numbers]
    assert np.array_equal(view.content.points[:, 0], code[pairs.first[rows]])
    assert np.array_equal(view.content.points[:, 1], code[pairs.second[rows]])
    view.up._actions["change"].trigger()
    wait_idle(qtbot, window)
    rows = pairs.row[view.content.numbers]
    assert view.content.slope == 0.0
    assert np.array_equal(view.content.points[:, 0], pairs.found.cosine[rows])
    dialog = window.view_menus.export("scatterView")
    wish = dialog.wish()
    assert (wish.kind, wish.options.value("plane")) == ("scatter", "change")
    qtbot.waitUntil(lambda: "A point is a pair" in dialog.caption.toPlainText())
    dialog.close()
    number = int(view.content.numbers[3])
    view.selection_requested.emit(np.array([number]), NO_KEY)
    assert int(window.state.selected.sum()) == 2
    view.across._actions["1"].trigger()
    wait_idle(qtbot, window)
    assert view.content.axes[0].startswith("PC2")
    assert title.text() == "PCA"
    window.document.compare(None)
    wait_idle(qtbot, window)
    assert "codes" not in view.across.choices


def test_closing_one_of_the_two_ends_the_comparison(
    window: MainWindow, qtbot: Any
) -> None:
    window.document.select("replace", Layers(frozenset()))
    window.document.close(window.document.models[1].id)
    wait_idle(qtbot, window)
    parts = window.parts
    assert window.document.comparing is None
    assert parts.comparing.isHidden()
    assert parts.transitions.content is None
    assert "Compare With" in parts.transitions._message
    assert parts.drift.layers == ()
    assert parts.inspector.pair.isHidden()
    assert len(parts.grid.content.order) == 42
    while window.document.can_undo:
        window.commands["undo"].trigger()
        assert window.document.comparing is None


def test_a_network_with_itself_changes_nothing(
    open_anew: MakeWindow, before: Path, qtbot: Any
) -> None:
    window = open_anew(before, before)
    window.commands["compare"].trigger()
    wait_idle(qtbot, window)
    matrix = window.parts.transitions.content
    assert matrix.counts.sum() == np.trace(matrix.counts) == 42
    assert matrix.changed == 0 < matrix.null_changed
    assert "mean cosine 1.000" in facts(window)
    assert "equal" in facts(window)


def test_by_best_match_shuffled_channels_are_found_again(
    open_anew: MakeWindow, before: Path, tmp_path: Path, qtbot: Any
) -> None:
    rng = np.random.default_rng(2)
    tensors = load_file(before)
    for name, values in tensors.items():
        if name.endswith("dw.weight"):
            tensors[name] = values[rng.permutation(len(values))]
    path = tmp_path / "shuffled.safetensors"
    save_file(tensors, path)
    window = open_anew(before, path)
    window.commands["compare"].trigger()
    wait_idle(qtbot, window)
    by_name = window.state.comparison.sizes[SEVEN].summary.mean_cosine
    assert by_name < 0.5
    bar = window.parts.comparing
    bar.match._actions["best"].trigger()
    wait_idle(qtbot, window)
    found = window.state.comparison.sizes[SEVEN]
    assert found.summary.mean_cosine == pytest.approx(1, abs=1e-5)
    assert "noise matched alike" in facts(window)
    assert bar.match.choice == "best"


def test_other_sizes_and_missing_layers_are_told(
    open_anew: MakeWindow, before: Path, tmp_path: Path, qtbot: Any
) -> None:
    tensors = load_file(before)
    del tensors["stages.0.blocks.0.dw.weight"]
    del tensors["stages.0.blocks.0.dw.bias"]
    big = np.random.default_rng(0).normal(size=(14, 1, 9, 9)).astype(np.float32)
    tensors["stages.0.blocks.1.dw.weight"] = big
    path = tmp_path / "less.safetensors"
    save_file(tensors, path)
    window = open_anew(before, path)
    window.commands["compare"].trigger()
    wait_idle(qtbot, window)
    told = facts(window)
    assert "14 pairs of 7×7 kernels" in told
    assert "without a partner 28 before, 0 after" in told
    alone = next(line for line in told.splitlines() if line.startswith("alone before"))
    assert "stages.0.blocks.0.dw" in alone
    assert "stages.0.blocks.1.dw" in alone
    window.document.show_size((9, 9))
    wait_idle(qtbot, window)
    assert "No 9×9 kernels" in window.parts.transitions._message
    assert window.parts.grid.content is not None


def test_the_matrix_of_shuffled_channels_says_so(window: MainWindow) -> None:
    view = window.parts.transitions
    before, picture = view._headline(), view.grab().toImage()
    assert "changed (channels shuffled: " in before
    window.parts.matrix_shows._actions["shuffled"].trigger()
    share = percent(view.content.null_changed)
    assert view._headline() == f"with channels shuffled: {share} changed"
    assert view.grab().toImage() != picture


def test_a_kernel_without_a_partner_has_none_to_tell_of(
    window: MainWindow, qtbot: Any
) -> None:
    window.document.open(bank_of(noise(4, 0, SEVEN)))
    wait_idle(qtbot, window)
    state, grid = window.state, window.parts.grid
    alone = int(np.flatnonzero(state.pairs.row < 0)[0])
    assert partner_text(state, state.pairs, alone) == ""
    second = int(state.pairs.second[-1])
    assert "before: " in partner_text(state, state.pairs, second)
    window.acts.go_to(second)
    wait_idle(qtbot, window)
    box = grid._geometry.box_of(int(state.pairs.first[-1]))
    assert box is not None
    assert grid.viewport().rect().intersects(QRect(*box))


def test_layers_are_paired_by_hand(window: MainWindow, qtbot: Any) -> None:
    window.commands["compare"].trigger()
    dialog = window.findChild(ComparingDialog)
    assert dialog.layers.topLevelItemCount() == 5
    item = dialog.layers.topLevelItem(0)
    dialog.layers.editItem(item, 1)
    box = dialog.layers.findChild(QComboBox, "partnerLayers")
    assert [box.itemText(i) for i in range(box.count())] == [
        NOBODY,
        *(f"stages.{n // 2}.blocks.{n % 2}" for n in (0, 1, 3)),
    ]
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert item.text(1) == "stages.0.blocks.1", "less what all names end with"
    assert item.toolTip(1).startswith("stages.0.blocks.1.dw")
    assert dialog.layers.topLevelItem(1).text(1) == NOBODY
    assert "without a partner 1 before, 1 after" in dialog.note.text()
    QTest.mouseClick(dialog.start, LEFT)
    wait_idle(qtbot, window)
    layers = window.state.comparison.pairing.layers
    assert (layers[0].a, layers[0].b, layers[0].how) == (0, 1, "hand")
    assert len(window.state.pairs) == 28
    assert window.parts.comparing.edit.text() == "Edit Pairs (by hand)…"
    dialog = window.view_menus.export("driftChart")
    assert dialog.subject.fields["pairing"].widget.isVisible()
    wish = dialog.wish()
    assert wish.options.pairing[0] == ("stages.0.blocks.0.dw", "stages.0.blocks.1.dw")
    assert len(wish.options.pairing) == len(layers)
    qtbot.waitUntil(lambda: "28 pairs of 7×7" in dialog.caption.toPlainText())
    assert "layers paired by hand" in dialog.caption.toPlainText()
    QTest.mouseClick(dialog.subject.fields["pairing"].widget, LEFT)
    assert dialog.wish().options.pairing is None
    dialog.close()
    window.view_menus.copy("transitionMatrix")
    wait_idle(qtbot, window)
    assert window.statusBar().currentMessage().startswith("Transitions copied")
    window.commands["undo"].trigger()
    wait_idle(qtbot, window)
    assert len(window.state.pairs) == 42
    window.commands["compare"].trigger()
    dialog = window.findChild(ComparingDialog)
    dialog.after.setCurrentIndex(0)
    assert not dialog.start.isEnabled()
    dialog.close()


def test_a_file_dropped_while_one_network_is_marked_is_compared(
    open_anew: MakeWindow, before: Path, after: Path, qtbot: Any
) -> None:
    window = open_anew(before)
    view, root = window.parts.tree.tree, tree_rows(window)["before"]
    QTest.mouseClick(view.viewport(), LEFT, NO_KEY, view.visualRect(root).center())
    drop(window, after)
    wait_idle(qtbot, window)
    assert window.parts.comparing.names.whole == "before  →  after"
    assert window.document.scope.layers is None


def test_a_comparison_is_saved_and_opened_again(
    window: MainWindow, tmp_path: Path, qtbot: Any
) -> None:
    window.document.compare(window.document.comparing.swapped())
    wait_idle(qtbot, window)
    path = tmp_path / "work.kvsession"
    window.sessions.save_to(path)
    wait_idle(qtbot, window)
    window.document.close_all()
    assert window.state.pairs is None
    window.sessions.open(path)
    wait_idle(qtbot, window)
    assert window.parts.comparing.names.whole == "after  →  before"
    assert len(window.state.pairs) == 42


def test_figures_are_of_the_two_that_are_compared(
    window: MainWindow, before: Path, qtbot: Any
) -> None:
    third = extract_kernels(open_checkpoint(before))
    window.document.open(third)
    wait_idle(qtbot, window)
    first = window.document.models[0]
    layer = next(r for r in window.state.pool.layer_refs if r.model == first.id)
    window.document.show_layers(frozenset({layer}))
    wait_idle(qtbot, window)
    for name, kind in (
        ("transitionMatrix", "transitions"),
        ("driftChart", "drift"),
        ("kernelGrid", "pairs"),
    ):
        dialog = window.view_menus.export(name)
        wish = dialog.wish()
        assert wish.kind == kind
        assert [part.bank.name for part in wish.parts] == ["before", "after"]
        qtbot.waitUntil(lambda: window.jobs.is_idle(), timeout=30_000)
        dialog.close()


def test_a_stopped_comparison_says_so_and_can_be_had_again(
    open_anew: MakeWindow, before: Path, after: Path, qtbot: Any
) -> None:
    window = open_anew(before, after)
    first, second = window.document.models
    window.compare(Comparing(first.id, second.id, "best"))
    window.jobs.cancel("compare")
    bar = window.parts.comparing
    wait_idle(qtbot, window)
    assert "stopped" in bar.facts.whole
    assert window.state.pairs is None
    assert window.state.display.picture == "kernel"
    QTest.mouseClick(bar.again, LEFT)
    wait_idle(qtbot, window)
    assert bar.again.isHidden()
    assert len(window.state.pairs) == 42


def test_flat_kernels_and_nan_lose_nothing(
    open_anew: MakeWindow, tmp_path: Path, qtbot: Any
) -> None:
    rng = np.random.default_rng(1)
    paths = []
    for number, name in enumerate(("one", "two")):
        taps = rng.normal(size=(4, 1, 7, 7)).astype(np.float32)
        taps[1] = 0
        taps[2 + number, 0, 3, 3] = np.nan
        tensors = {
            "stem.weight": rng.normal(size=(4, 3, 3, 3)).astype(np.float32),
            "many.dw.weight": taps,
            "many.pw.weight": rng.normal(size=(4, 4, 1, 1)).astype(np.float32),
        }
        paths.append(tmp_path / f"{name}.safetensors")
        save_file(tensors, paths[-1])
    window = open_anew(*paths)
    window.commands["compare"].trigger()
    wait_idle(qtbot, window)
    assert window.parts.transitions.content.counts.sum() == 4
    assert window.parts.transitions.content.counts[-1].sum() == 2
    assert int(np.isnan(window.state.pairs.found.cosine).sum()) == 3
    window.acts.focus(int(window.state.pairs.first[2]))
    wait_idle(qtbot, window)
    assert "no cosine" in window.parts.inspector.pair.change.text()
    assert "3 of them with a flat kernel" in window.parts.drift.tip(0)


def test_two_networks_of_one_kernel_are_compared(
    open_anew: MakeWindow, qtbot: Any
) -> None:
    window = open_anew()
    for seed in range(2):
        window.document.open(bank_of(noise(1, seed, SEVEN)))
    window.commands["compare"].trigger()
    wait_idle(qtbot, window)
    assert len(window.state.pairs) == 1
    assert window.parts.transitions.content.counts.sum() == 1
    assert "channels shuffled unknown" in window.parts.drift.tip(0)
    assert not window.parts.drift.grab().isNull()


def test_kernels_of_closed_networks_are_let_go(
    open_anew: MakeWindow, before: Path, after: Path, qtbot: Any
) -> None:
    window = open_anew(before, after)
    window.commands["compare"].trigger()
    window.layouts.show_panel("scatter")
    window.set_chart("plane", "codes")
    window.acts.focus(3)
    wait_idle(qtbot, window)
    held = [weakref.ref(bank) for bank in window.document.banks]
    window.document.close_all()
    wait_idle(qtbot, window)
    gc.collect()
    assert [ref() for ref in held] == [None, None]


def test_a_scope_without_pairs_leaves_an_empty_matrix(
    window: MainWindow, qtbot: Any
) -> None:
    other = window.document.open(bank_of(noise(4, 0, SEVEN)))
    [layer] = [r for r in window.state.pool.layer_refs if r.model == other.id]
    window.document.show_layers(frozenset({layer}))
    wait_idle(qtbot, window)
    view = window.parts.transitions
    assert view.boxes() == {}
    QTest.mouseClick(view, LEFT, NO_KEY, view.rect().center())
    QTest.keyClick(view, Qt.Key.Key_Space)
    assert not window.document.selection.steps
    assert len(window.parts.grid.content.order) == 0


def test_two_open_networks_offer_to_be_compared_by_a_button(
    open_anew: MakeWindow, qtbot: Any, before: Path, after: Path
) -> None:
    window = open_anew(before)
    button = window.findChild(QToolButton, "compareNetworks")
    assert not button.isVisible()
    window.opener.open([after])
    wait_idle(qtbot, window)
    assert button.isVisible()
    assert window.parts.sizes.isVisible(), "it takes no size out of sight"
    QTest.mouseClick(button, LEFT)
    wait_idle(qtbot, window)
    assert window.document.comparing is not None
    assert not button.isVisible()


def test_there_is_no_figure_to_export_before_a_network_is_open(
    open_anew: MakeWindow, qtbot: Any, before: Path
) -> None:
    window = open_anew()
    button = window.findChild(QPushButton, "exportFigure")
    assert not button.isEnabled()
    window.opener.open([before])
    wait_idle(qtbot, window)
    assert button.isEnabled()


def test_a_title_makes_way_for_the_choices_of_its_panel(window: MainWindow) -> None:
    line = window.docks["transitions"].title_line
    shows = window.parts.matrix_shows
    for wide, title in ((420, "Class before and after"), (310, "Transitions")):
        line.resize(wide, line.height())
        assert line.label.text() == title
        assert not shows.isHidden()
    line.resize(120, line.height())
    assert shows.isHidden()
