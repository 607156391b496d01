"""Linked views: a change in one is seen in all, and equals a count by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDoubleSpinBox, QLabel, QMenu, QToolButton

from kernelviewer.kernels.classes import CLASSES, INDEX, PATTERNS
from kernelviewer.kernels.family.spectrum import family_spectrum
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.state.selection import Classes, CodeRange
from tests.gui.conftest import LARGE, wait_idle
from tests.gui.harness import LEFT, NO_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

pytestmark = pytest.mark.networks(2, channels=60, size=LARGE, identified=0.5, by="code")

UNIDENTIFIED, FLAT = INDEX["unidentified"], INDEX["flat"]


def codes_by_hand(window: MainWindow) -> Any:
    """Codes of the open 7×7 kernels by the autoencoder itself."""
    autoencoder = shipped((7, 7))
    weights = np.concatenate([b.sizes[(7, 7)].weights for b in window.document.banks])
    return autoencoder.encode(weights)


def test_every_kernel_is_encoded_and_named(window: MainWindow) -> None:
    state = window.state
    codes = codes_by_hand(window)
    assert np.allclose(state.labels.code, codes.code, atol=1e-6)
    assert np.allclose(state.labels.fit, codes.fit, atol=1e-5)
    threshold = window.document.threshold_of((7, 7))
    named = state.labels.label < len(PATTERNS)
    assert np.array_equal(named, state.labels.fit >= np.float32(threshold))


def test_coverage_and_null_stand_beside_the_threshold(window: MainWindow) -> None:
    value = window.findChild(QDoubleSpinBox, "thresholdValue")
    value.setValue(0.5)
    state = window.state
    share = float((state.labels.fit >= 0.5).mean())
    shown = window.findChild(QLabel, "coverage").text()
    assert shown.replace("\u202f", " ") == f"{100 * share:.1f} % identified"
    null = shipped((7, 7)).null.coverage(0.5)
    assert f"{100 * null:.1f}" in window.findChild(QLabel, "nullCoverage").text()


def test_thresholds_are_chosen_by_the_share_of_noise_they_let_through(
    window: MainWindow,
) -> None:
    null = shipped((7, 7)).null
    document = window.document
    QTest.mouseClick(window.findChild(QToolButton, "thresholdPresets"), LEFT)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    offered = [action for action in menu.actions() if not action.isSeparator()]
    assert offered[0].text().startswith("Default")
    assert len(offered) == 4
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(offered[-1]).center())
    assert null.coverage(document.threshold_of((7, 7))) == pytest.approx(0.05, abs=2e-3)
    share = f"{100 * null.coverage(document.threshold_of((7, 7))):.1f}"
    assert share in window.findChild(QLabel, "nullCoverage").text()
    QTest.mouseClick(window.findChild(QToolButton, "thresholdReset"), LEFT)
    assert document.threshold_of((7, 7)) == shipped((7, 7)).threshold
    assert not window.findChild(QToolButton, "thresholdReset").isVisible()
    document.undo()
    assert null.coverage(document.threshold_of((7, 7))) == pytest.approx(0.05, abs=2e-3)


def test_a_brush_on_the_codes_is_seen_in_every_view(window: MainWindow) -> None:
    window.parts.spectrum.range_requested.emit(0.2, 0.6, "replace")
    codes = codes_by_hand(window).code
    mask = (codes >= 0.2) & (codes <= 0.6)
    state = window.state
    assert np.array_equal(state.selected, mask)
    assert np.array_equal(window.parts.grid.selected, mask)
    assert (
        window.findChild(QLabel, "selectionCount").text().startswith(f"{mask.sum()} of")
    )
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not window.state.selected.any()


def test_a_drag_is_one_step_and_can_be_given_up(window: MainWindow) -> None:
    view = window.parts.spectrum
    for high in (0.3, 0.4, 0.5):
        view.range_moved.emit(0.2, high, "replace")
    view.range_requested.emit(0.2, 0.5, "replace")
    assert window.document.selection.steps[-1].query == CodeRange(0.2, 0.5)
    view.range_moved.emit(0.7, 0.8, "add")
    view.range_dropped.emit()
    assert len(window.document.selection.steps) == 1
    window.document.undo()
    assert not window.document.selection.steps


def test_clicking_a_class_selects_its_kernels(window: MainWindow) -> None:
    state = window.state
    index = int(np.bincount(state.labels.label, minlength=len(CLASSES))[:11].argmax())
    histogram = window.parts.histogram
    place = histogram.bar_box(index).center().toPoint()
    QTest.mouseClick(histogram, LEFT, NO_KEY, place)
    assert window.document.selection.steps[-1].query == Classes(
        frozenset({CLASSES[index].id})
    )
    selected = window.state.selected
    assert np.array_equal(selected, state.labels.label == index)


def test_clicking_a_part_of_a_layer_selects_just_that(window: MainWindow) -> None:
    view = window.parts.composition
    window.docks["composition"].raise_()
    QApplication.processEvents()
    box = view.boxes()[0]
    place = QPoint(int(box.center().x()), int(box.bottom()) - 2)
    number, index = view.part_at(place.toPointF())
    QTest.mouseClick(view, LEFT, NO_KEY, place)
    state = window.state
    assert number == 0
    expected = (state.pool.layer == 0) & (state.labels.label == index)
    assert expected.any()
    assert np.array_equal(state.selected, expected)


def test_the_threshold_moves_counts_live_and_is_undone_as_one(
    window: MainWindow,
) -> None:
    before = window.document.threshold_of((7, 7))
    bar = window.parts.threshold
    for value in (0.2, 0.4, 0.9):
        bar.threshold_requested.emit(value, True)
    bar.threshold_requested.emit(0.95, False)
    state = window.state
    assert (state.labels.label == UNIDENTIFIED).sum() == (state.labels.fit < 0.95).sum()
    window.document.undo()
    assert window.document.threshold_of((7, 7)) == before


def test_a_moved_border_renames_the_kernels_between(window: MainWindow) -> None:
    document = window.document
    stretches = document.stretches_of((7, 7))
    view = window.parts.spectrum
    middle = (stretches[1].low + stretches[1].high) / 2
    view.border_moved.emit(0, middle)
    view.border_set.emit(0, middle)
    state = window.state
    codes = state.labels.code
    between = (codes >= stretches[0].high) & (codes < middle)
    wanted = stretches[0].class_index
    assert (state.labels.best[between] == wanted).all()
    view.reset_requested.emit()
    assert document.stretches_of((7, 7)) is document.autoencoders[(7, 7)].stretches


def test_stretches_are_renamed_split_and_merged(window: MainWindow) -> None:
    view, document = window.parts.spectrum, window.document
    count = len(document.stretches_of((7, 7)))
    view.rename_requested.emit(0, INDEX["d2-xy"])
    assert document.stretches_of((7, 7))[0].class_id == "d2-xy"
    first = document.stretches_of((7, 7))[0]
    view.split_requested.emit(0, (first.low + first.high) / 2)
    assert len(document.stretches_of((7, 7))) == count + 1
    view.merge_requested.emit(1, 0)
    assert len(document.stretches_of((7, 7))) == count
    for _ in range(3):
        document.undo()
    assert document.stretches_of((7, 7)) is document.autoencoders[(7, 7)].stretches


def test_the_slider_shows_what_is_decoded_and_what_is_near(window: MainWindow) -> None:
    window.parts.spectrum.position_requested.emit(0.25)
    assert window.document.position == 0.25
    state = window.state
    table = document_table(window)
    shown = window.parts.reconstruction.nearest._kernels
    best = max(shown, key=lambda near: near.cosine)
    kernel = state.pool.weights_of(best.id)
    pattern = (kernel - kernel.mean()) / np.linalg.norm(kernel - kernel.mean())
    assert best.cosine == pytest.approx(float((pattern * table).sum()), abs=1e-4)


def document_table(window: MainWindow) -> np.ndarray:
    """The decoded pattern at the slider."""
    autoencoder = window.document.autoencoders[(7, 7)]
    rows = autoencoder.spectrum(2048)
    return rows[round(window.document.position * 2047)]


def test_grouping_by_class_follows_the_threshold(
    window: MainWindow, qtbot: Any
) -> None:
    window.parts.controls.group_by.chosen.emit("class")
    wait_idle(qtbot, window)
    window.document.set_threshold((7, 7), 1.0)
    wait_idle(qtbot, window)
    titles = [group.title for group in window.parts.grid.content.groups]
    assert titles == ["Unidentified"]


def test_closing_one_network_keeps_the_other_right(
    window: MainWindow, qtbot: Any
) -> None:
    before = window.state.labels.code
    window.document.close(window.document.models[0].id)
    wait_idle(qtbot, window)
    after = window.state.labels.code
    assert np.array_equal(after, before[len(before) // 2 :])


def test_a_size_without_autoencoder_is_named_by_the_family(
    window: MainWindow, tmp_path: Path, qtbot: Any
) -> None:
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    path = tmp_path / "wide.safetensors"
    save_file(
        {
            "stem.weight": rng.normal(size=(16, 3, 3, 3)).astype(np.float32),
            "dw.weight": rng.normal(size=(16, 1, 11, 11)).astype(np.float32),
            "dw.bias": np.zeros(16, np.float32),
            "pw.weight": rng.normal(size=(16, 16, 1, 1)).astype(np.float32),
        },
        path,
    )
    window.document.close_all()
    window.opener.open([path])
    wait_idle(qtbot, window)
    labels = window.state.labels
    assert (labels.best < len(PATTERNS)).all()
    assert not np.isnan(labels.code).any()
    content = window.parts.spectrum.content
    assert content.table is family_spectrum((11, 11)).table
    assert not content.editable
