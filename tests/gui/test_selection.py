"""Selecting in the window, with mouse and keys: what every view says of it."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton

from kernelviewer.gui.view_menus import GridMenu
from kernelviewer.jobs.drawing import wish_of, write_labels
from kernelviewer.jobs.runner import Ticket
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.state.model import LayerRef
from kernelviewer.state.selection import Classes, CodeRange, Layers
from tests.gui.conftest import LARGE, SMALL, wait_idle
from tests.gui.harness import LEFT

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.main_window import MainWindow

pytestmark = pytest.mark.networks(2, channels=60, size=LARGE, identified=0.5, by="code")

KEYS = Qt.KeyboardModifier
NO_KEY, SHIFT, CTRL = KEYS.NoModifier, KEYS.ShiftModifier, KEYS.ControlModifier
SIZE = (7, 7)


def drag(widget: QWidget, *places: QPoint, keys: Any = NO_KEY, give_up: bool = False):
    """Press at the first place, move through the others, let go at the last."""
    QTest.mousePress(widget, LEFT, keys, places[0])
    for place in places[1:]:
        at, on_screen = QPointF(place), QPointF(widget.mapToGlobal(place))
        none, kind = Qt.MouseButton.NoButton, QEvent.Type.MouseMove
        move = QMouseEvent(kind, at, on_screen, none, LEFT, keys)
        QApplication.sendEvent(widget, move)
    if give_up:
        QTest.keyClick(widget, Qt.Key.Key_Escape)
    QTest.mouseRelease(widget, LEFT, keys, places[-1])


def brush(window: MainWindow, low: float, high: float, **more: Any) -> CodeRange:
    """Brush the code histogram from one code to another; the range of those pixels."""
    strip = window.parts.spectrum.histogram
    ends = [round(strip.axis.logical(code)) for code in (low, high)]
    middle = strip.height() // 2
    drag(
        strip, *(QPoint(x, middle) for x in (ends[0], sum(ends) // 2, ends[1])), **more
    )
    return CodeRange(*(strip.axis.code(x) for x in ends))


def codes_by_hand(window: MainWindow) -> np.ndarray:
    """Codes of the open 7×7 kernels by the autoencoder itself."""
    weights = np.concatenate([b.sizes[SIZE].weights for b in window.document.banks])
    return shipped(SIZE).encode(weights).code


def chip_texts(window: MainWindow) -> list[str]:
    return [f"{chip.sign} {chip.text}".strip() for chip in window.parts.chips.chips]


def count_text(window: MainWindow) -> str:
    text = window.findChild(QLabel, "selectionCount").text()
    return text.replace("\u202f", " ")


def agrees(window: MainWindow, mask: np.ndarray) -> None:
    """Every view marks exactly these kernels."""
    parts, state = window.parts, window.state
    assert np.array_equal(state.selected, mask)
    assert np.array_equal(parts.grid.selected, mask)
    assert count_text(window) == f"{mask.sum()} of {len(mask)} selected"
    points = parts.scatter.content.numbers
    assert np.array_equal(parts.scatter._selected, mask[points])
    chosen = parts.histogram.contents[0].selected
    by_class = np.bincount(state.labels.label[mask], minlength=len(CLASSES))
    assert chosen.tolist() == by_class.tolist()
    assert parts.spectrum.histogram.density.selected.sum() == mask.sum()
    refs = state.pool.layer_refs
    for row, bar in enumerate(parts.composition.bars):
        here = mask & (state.pool.layer == row)
        by_class = np.bincount(state.labels.label[here], minlength=len(CLASSES))
        part = parts.composition._selected.get(bar.key)
        assert (part.counts if part else (0,) * len(CLASSES)) == tuple(
            by_class.tolist()
        )
        assert parts.tree.source._selected.get(refs[row], 0) == here.sum()


def test_a_brush_is_the_same_mask_in_every_view(window: MainWindow) -> None:
    codes = codes_by_hand(window)
    one = brush(window, 0.2, 0.6)
    mask = (codes >= one.low) & (codes <= one.high)
    assert 0 < mask.sum() < len(mask)
    agrees(window, mask)
    assert chip_texts(window) == [f"code {one.low:.2f}–{one.high:.2f}"]
    two = brush(window, 0.7, 0.9, keys=SHIFT)
    mask |= (codes >= two.low) & (codes <= two.high)
    agrees(window, mask)
    three = brush(window, 0.3, 0.4, keys=CTRL)
    mask &= ~((codes >= three.low) & (codes <= three.high))
    agrees(window, mask)
    four = brush(window, 0.35, 0.8, keys=SHIFT | CTRL)
    mask &= (codes >= four.low) & (codes <= four.high)
    agrees(window, mask)
    signs = [chip.sign for chip in window.parts.chips.chips]
    assert signs == ["", "∪", "−", "∩"]
    brush(window, 0.1, 0.9, give_up=True)
    agrees(window, mask)
    assert len(window.parts.chips.chips) == 4


def test_a_part_of_a_layer_is_a_layer_and_a_class(window: MainWindow) -> None:
    view = window.parts.composition
    box = view.boxes()[2]
    place = QPoint(int(box.center().x()), int(box.bottom()) - 2)
    number, index = view.part_at(QPointF(place))
    QTest.mouseClick(view, LEFT, NO_KEY, place)
    ref = view.bars[number].key
    queries = [step.query for step in window.document.selection.steps]
    assert queries == [
        Layers(frozenset({ref})),
        Classes(frozenset({CLASSES[index].id})),
    ]
    texts = chip_texts(window)
    assert texts == ["second: stages.0", f"∩ {_word(index)}"]
    state = window.state
    row = state.pool.layer_refs.index(ref)
    agrees(window, (state.pool.layer == row) & (state.labels.label == index))
    QTest.mouseClick(
        view, LEFT, SHIFT, QPoint(int(view.boxes()[0].center().x()), place.y())
    )
    assert len(window.document.selection.steps) == 3
    assert "∩" in window.parts.chips.chips[-1].text


def _word(index: int) -> str:
    item = CLASSES[index]
    return item.name if item.id == "unidentified" else item.short


def test_chips_are_taken_out_one_by_one_and_come_back(window: MainWindow) -> None:
    codes = codes_by_hand(window)
    one, two = brush(window, 0.1, 0.5), brush(window, 0.3, 0.8, keys=SHIFT | CTRL)
    cross = window.findChild(QToolButton, "chip0Remove")
    assert cross.accessibleName() == f"Remove code {one.low:.2f}–{one.high:.2f}"
    QTest.mouseClick(cross, LEFT)
    second = (codes >= two.low) & (codes <= two.high)
    agrees(window, second)
    assert chip_texts(window) == [f"code {two.low:.2f}–{two.high:.2f}"]
    undo = window.commands["undo"]
    assert undo.text() == "&Undo Selection"
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    agrees(window, second & (codes >= one.low) & (codes <= one.high))
    last = window.findChild(QToolButton, "chip1Remove")
    last.setFocus()
    QTest.keyClick(last, Qt.Key.Key_Delete)
    agrees(window, (codes >= one.low) & (codes <= one.high))
    assert window.findChild(QToolButton, "chip0Remove").hasFocus()


def test_chips_that_do_not_fit_are_in_a_menu_and_widen_nothing(
    window: MainWindow,
) -> None:
    window.resize(*SMALL)
    narrowest = window.minimumSizeHint().width()
    for at in range(12):
        mode = "add" if at else "replace"
        window.document.select(mode, CodeRange(at / 20, at / 20 + 0.03))
    assert window.minimumSizeHint().width() == narrowest
    assert window.width() == 1280
    QApplication.processEvents()
    chips = window.parts.chips
    more = window.findChild(QToolButton, "moreChips")
    shown = [pill for pill in chips._pills if pill.isVisible()]
    assert more.isVisible()
    assert more.text() == f"+{12 - len(shown)}"
    assert all(pill.geometry().right() < more.x() for pill in shown)
    assert more.geometry().right() < chips.width()
    texts = [action.text() for action in chips.menu().actions()]
    assert texts[-1] == "Remove ∪ code 0.55–0.58"
    chips.menu().actions()[-1].trigger()
    assert len(window.document.selection.steps) == 11


def test_undo_and_redo_say_what_they_do_and_return_all(window: MainWindow) -> None:
    document, actions = window.document, window.commands
    labels = window.state.labels
    threshold = document.threshold_of(SIZE)
    brush(window, 0.2, 0.6)
    slider = window.parts.threshold.slider
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert document.threshold_of(SIZE) != threshold
    assert actions["undo"].text() == "&Undo Threshold"
    editor = window.parts.spectrum.stretches
    x = round(editor.axis.logical(document.stretches_of(SIZE)[3].high))
    drag(editor, QPoint(x, 4), QPoint(x + 9, 4), QPoint(x + 14, 4))
    assert document.marks.stretches
    names = []
    while (
        document.can_undo and actions["undo"].text() != "&Undo Threshold"
    ) or not names:
        names.append(actions["undo"].text())
        QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    assert names == ["&Undo Border Move"]
    assert actions["redo"].text() == "&Redo Border Move"
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    now = window.state
    assert not now.selected.any()
    assert document.threshold_of(SIZE) == threshold
    assert np.array_equal(now.labels.label, labels.label)
    for _ in range(3):
        QTest.keyClick(window, Qt.Key.Key_Y, CTRL)
    assert document.marks.stretches
    assert not actions["redo"].isEnabled()
    assert actions["redo"].text() == "&Redo"


def test_a_dragged_border_is_the_same_in_labels_and_in_the_table(
    window: MainWindow, tmp_path: Path
) -> None:
    editor = window.parts.spectrum.stretches
    before = window.document.stretches_of(SIZE)
    codes = codes_by_hand(window)
    middles = [(stretch.low + stretch.high) / 2 for stretch in before]
    fullest = max(
        range(len(before) - 1),
        key=lambda i: ((codes >= middles[i]) & (codes < before[i].high)).sum(),
    )
    x = round(editor.axis.logical(before[fullest].high))
    inside = round(editor.axis.logical(middles[fullest]))
    drag(editor, QPoint(x, 4), QPoint((x + inside) // 2, 4), QPoint(inside, 4))
    after = window.document.stretches_of(SIZE)
    assert after[fullest].high < before[fullest].high
    moved = (codes >= after[fullest].high) & (codes < before[fullest].high)
    assert moved.any()
    state = window.state
    assert (state.labels.best[moved] == after[fullest + 1].class_index).all()
    path = tmp_path / "labels.csv"
    wish = wish_of(window.document, "cpu", only_selected=False)
    write_labels(Ticket("labels"), path, wish)
    with path.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["size"] == "7x7"]
    assert [row["class"] for row in rows] == [CLASSES[i].id for i in state.labels.label]
    assert [row["best_class"] for row in rows] == [
        CLASSES[i].id for i in state.labels.best
    ]


def test_only_selected_shows_them_follows_and_is_left(
    window: MainWindow, qtbot: Any
) -> None:
    one = brush(window, 0.2, 0.6)
    codes = codes_by_hand(window)
    QTest.keyClick(window, Qt.Key.Key_H, CTRL)
    wait_idle(qtbot, window)
    mask = (codes >= one.low) & (codes <= one.high)
    parts = window.parts
    assert sorted(parts.grid.content.order) == np.flatnonzero(mask).tolist()
    assert parts.spectrum.histogram.density.shown.sum() == len(mask)
    assert len(parts.scatter.content.numbers) == len(mask)
    button = parts.controls.only_selected
    assert button.isVisible()
    counts = parts.controls.counts.text().replace("\u202f", " ")
    assert counts == f"{mask.sum()} of {len(mask)}"
    assert window.commands["only_selected"].isChecked()
    two = brush(window, 0.7, 0.9, keys=SHIFT)
    wait_idle(qtbot, window)
    mask |= (codes >= two.low) & (codes <= two.high)
    assert sorted(parts.grid.content.order) == np.flatnonzero(mask).tolist()
    window.document.clear_selection()
    wait_idle(qtbot, window)
    assert len(parts.grid.content.order) == 0
    assert "Nothing is selected" in parts.grid.message
    QTest.mouseClick(button, LEFT)
    wait_idle(qtbot, window)
    assert len(parts.grid.content.order) == len(mask)
    assert not button.isVisible()


def test_similar_kernels_are_found_over_all_networks(window: MainWindow) -> None:
    state = window.state
    menus, similar = GridMenu(window, window.view_menus), window.commands["similar"]
    assert similar not in menus.menu_for(-1).actions()
    assert similar in menus.menu_for(7).actions()
    window.acts.focus(7)
    window.commands["similar"].trigger()
    weights = np.concatenate([b.sizes[SIZE].weights for b in window.document.banks])
    rows = weights.reshape(len(weights), -1)
    cosines = np.corrcoef(rows)[7]
    agrees(window, cosines >= 0.9)
    assert chip_texts(window) == ["like first: stages.0 channel 7, cosine ≥ 0.90"]
    adjust = window.findChild(QToolButton, "chip0Adjust")
    QTest.mouseClick(adjust, LEFT)
    popover = window.parts.chips._popover
    assert popover.isVisible()
    for _ in range(3):
        QTest.keyClick(popover.slider, Qt.Key.Key_PageDown)
    QTest.keyClick(popover, Qt.Key.Key_Escape)
    assert not popover.isVisible()
    assert window.document.selection.steps[0].query.cosine == pytest.approx(0.6)
    agrees(window, cosines >= 0.6)
    window.document.undo()
    assert window.document.selection.steps[0].query.cosine == 0.9
    assert state.pool is window.state.pool


def test_similar_needs_a_kernel_with_a_pattern(window: MainWindow) -> None:
    window.commands["similar"].trigger()
    assert "Click a kernel first" in window.statusBar().currentMessage()
    assert not window.document.selection.steps


def test_kernels_clicked_one_by_one_are_one_chip(window: MainWindow) -> None:
    grid = window.parts.grid
    for number in (0, 1, 2):
        place = grid.kernel_rect(number).center().toPoint()
        QTest.mouseClick(grid.viewport(), LEFT, CTRL, place)
    assert chip_texts(window) == ["3 kernels picked"]
    QTest.keyClick(window, Qt.Key.Key_I, CTRL)
    assert chip_texts(window) == ["3 kernels picked", "inverted"]
    mask = np.ones(240, bool)
    mask[:3] = False
    agrees(window, mask)


def test_the_tree_selects_and_the_scope_has_a_chip(window: MainWindow) -> None:
    tree = window.parts.tree
    menu = tree.menu_for(tree.source.roots[0])
    menu.popup(QPoint(0, 0))
    action = menu.actions()[0]
    assert action.text() == "Select Its Kernels"
    QTest.mouseClick(menu, LEFT, NO_KEY, menu.actionGeometry(action).center())
    assert chip_texts(window) == ["all of first"]
    window.document.show_layers(frozenset({LayerRef(2, 0), LayerRef(2, 1)}))
    assert window.parts.chips.scope.text == "7×7 · second: stages, 2 of 3 layers"
    assert count_text(window) == "0 of 120 selected"
    QTest.mouseClick(window.findChild(QToolButton, "scopeChipRemove"), LEFT)
    assert window.document.scope.layers is None
    assert count_text(window) == "120 of 240 selected"


def test_closing_one_network_leaves_the_views_of_the_other(
    window: MainWindow, qtbot: Any
) -> None:
    one = brush(window, 0.2, 0.6)
    window.document.close(window.document.models[0].id)
    wait_idle(qtbot, window)
    codes = codes_by_hand(window)
    assert len(codes) == 120
    agrees(window, (codes >= one.low) & (codes <= one.high))
