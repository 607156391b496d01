"""The view of master keys: what each carries, choosing others, selecting by them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget
from safetensors.numpy import load_file, save_file

import kernelviewer as kv
from kernelviewer.figures import FigureOptions, make_figure
from kernelviewer.figures.scene import make_scene
from kernelviewer.gui.registry import VIEWS
from kernelviewer.gui.views.grid.mosaic import TOP, ZERO
from kernelviewer.gui.views.keys.chart import paint_scale
from kernelviewer.kernels.classes import Naming
from kernelviewer.kernels.keys import Keys, write_keys
from kernelviewer.latent.keys import QUANTILES, published
from kernelviewer.state.keys import KeyChoice
from kernelviewer.state.model import LayerRef
from kernelviewer.state.session.capture import Coders, Surroundings, describe, rebuild
from kernelviewer.state.session.form import Look, from_text, to_text
from kernelviewer.state.work import Work
from tests.gui.conftest import wait_idle
from tests.gui.harness import LEFT
from tests.networks import write_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.gui.views.keys import KeysView
    from tests.gui.harness import MakeWindow

pytestmark = pytest.mark.networks(channels=24)

SIZE = (7, 7)
NO_KEY = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def view(window: MainWindow, qtbot: Any) -> KeysView:
    """The panel in front, with what it shows."""
    window.layouts.show_panel("keys")
    wait_idle(qtbot, window)
    view: KeysView = window.parts.keys
    return view


@pytest.fixture
def settle(window: MainWindow, qtbot: Any) -> Callable[[], None]:
    """Wait until nothing is left to do, and no list of jobs lies before the keys."""

    def settle() -> None:
        wait_idle(qtbot, window)
        keys = window.docks["keys"]
        qtbot.waitUntil(lambda: keys.in_front or keys.isHidden())

    return settle


def test_nothing_is_computed_before_somebody_looks(
    own_window: MainWindow, qtbot: Any
) -> None:
    assert own_window.document.keyed_of(SIZE) is None
    own_window.layouts.show_panel("keys")
    wait_idle(qtbot, own_window)
    assert own_window.document.keyed_of(SIZE) is not None


@pytest.mark.networks(count=2, channels=24)
def test_it_says_what_the_command_says(window: MainWindow, view: KeysView) -> None:
    found = kv.approximate(list(window.document.banks), "published")
    assert [tile.number for tile in view.tiles.tiles] == list(found.order)
    for tile in view.tiles.tiles:
        share, r2 = found.use[tile.number]
        assert (tile.share, tile.r2) == pytest.approx((share, r2), nan_ok=True)
        number = sum(
            int((part.approximation.key == tile.number).sum()) for part in found.parts
        )
        assert tile.kernels == number
    assert view.curve.curve == pytest.approx(np.array(found.curve))
    assert f"mean R² {found.mean:.3f}" in view.facts.text()
    assert f"white noise {found.null.mean:.3f}" in view.facts.text()
    rows = [layer for part in found.parts for layer in part.layers]
    shown = [(layer.name, layer.kernels, layer.mean) for layer in view.layers.layers]
    assert shown == rows
    part, layer = found.parts[1], view.layers.layers[-1]
    kernels = part.bank.sizes[SIZE]
    own = part.approximation.r2[kernels.layer == layer.ref.layer]
    assert layer.quantiles == pytest.approx(np.nanquantile(own, QUANTILES))
    assert view.layers.null == found.null.quantiles
    assert f"white noise {found.null.mean:.3f}" in view.layers.tip(0)


def test_a_key_and_a_layer_select_kernels(
    window: MainWindow, view: KeysView, settle: Callable[[], None]
) -> None:
    tile = max(view.tiles.tiles, key=lambda tile: tile.kernels)
    place = view.tiles.tiles.index(tile)
    QTest.mouseClick(view.tiles, LEFT, pos=view.tiles.box_of(place).center())
    state = window.state
    assert (state.selected == (state.by_keys.key == tile.number)).all()
    assert view.tiles.tiles[place].selected == tile.kernels > 0
    assert f"key {tile.number + 1}" in window.parts.chips.chips[0].text
    before = window.document.selection
    box = view.tiles.box_of(place)
    QTest.mouseClick(view.tiles, Qt.MouseButton.RightButton, pos=box.center())
    QTest.mouseClick(view.tiles, LEFT, pos=QPoint(box.left() - 2, box.top()))
    assert window.document.selection == before
    view.tiles.setFocus()
    QTest.keyClick(view.tiles, Qt.Key.Key_Home)
    QTest.keyClick(view.tiles, Qt.Key.Key_Right)
    QTest.keyClick(view.tiles, Qt.Key.Key_Space)
    second = view.tiles.tiles[1].number
    assert (window.state.selected == (window.state.by_keys.key == second)).all()
    view.layers.ask(1, NO_KEY)
    layer = view.layers.layers[1].ref
    own = window.state.pool.layers_mask(frozenset({layer}))
    assert (window.state.selected == own).all()
    settle()
    assert view.layers.selected == {1}


def test_it_follows_scope_and_size(
    window: MainWindow, view: KeysView, settle: Callable[[], None]
) -> None:
    whole = view.facts.text()
    window.document.show_layers(frozenset({LayerRef(1, 0)}))
    settle()
    shown = window.state.shown
    assert sum(t.kernels for t in view.tiles.tiles) <= int(shown.sum()) < len(shown)
    assert len(view.layers.layers) == 1
    assert view.facts.text() != whole
    window.document.show_layers(None)
    sizes = [size for size in window.document.sizes if size != SIZE]
    window.document.show_size(sizes[0])
    settle()
    assert window.state.by_keys is None or window.state.by_keys.keys.size == sizes[0]
    if sizes[0] == (3, 3):  # others stand in, and that is said
        assert "published ones are 7×7" in view.facts.text()


def test_other_keys_can_be_undone(
    window: MainWindow, view: KeysView, settle: Callable[[], None], monkeypatch: Any
) -> None:
    choose, document = window.parts.keys_choice, window.document
    choose.chosen.emit("found 4")
    settle()
    assert len(view.tiles.tiles) == 4
    found = kv.approximate(list(document.banks), 4)
    assert f"mean R² {found.mean:.3f}" in view.facts.text()
    monkeypatch.setattr(QInputDialog, "getInt", lambda *a, **k: (5, True))
    choose.chosen.emit("other")
    settle()
    assert len(view.tiles.tiles) == 5
    assert choose.choice == "found 5"
    monkeypatch.setattr(QInputDialog, "getInt", lambda *a, **k: (9, False))
    choose.chosen.emit("other")
    assert document.keys == KeyChoice("found", 5)
    choose.chosen.emit("centroids 8")
    settle()
    assert "8 centroids" in view.facts.text()
    window.commands["undo"].trigger()
    window.commands["undo"].trigger()
    assert document.keys == KeyChoice("found", 4)
    settle()
    assert len(view.tiles.tiles) == 4


def test_keys_of_a_file(
    window: MainWindow,
    view: KeysView,
    settle: Callable[[], None],
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    random = np.random.default_rng(0)
    path, wrong = tmp_path / "mine.csv", tmp_path / "five.csv"
    write_keys(path, Keys.of("mine", random.normal(size=(3, 7, 7))))
    write_keys(wrong, Keys.of("five", random.normal(size=(3, 5, 5))))
    for name in (path, wrong):
        answer = (str(name), "")
        monkeypatch.setattr(
            QFileDialog, "getOpenFileName", lambda *a, answer=answer: answer
        )
        window.parts.keys_choice.chosen.emit("file")
        settle()
        if name == path:
            assert len(view.tiles.tiles) == 3
            assert "mine.csv" in window.parts.keys_choice.text()
    assert view.tiles.tiles == ()
    assert "five.csv" in view.facts.text()
    assert "5×5, not 7×7" in view.facts.text()
    write_keys(wrong, Keys.of("seven", random.normal(size=(2, 7, 7))))
    QTest.mouseClick(view.again, LEFT)
    settle()
    assert len(view.tiles.tiles) == 2


def test_a_search_that_was_stopped(
    window: MainWindow, view: KeysView, settle: Callable[[], None], monkeypatch: Any
) -> None:
    from kernelviewer.jobs.runner import Cancelled
    from kernelviewer.latent import keys

    def stopped(*args: object, **how: object) -> None:
        raise Cancelled

    with monkeypatch.context() as patch:
        patch.setattr(keys, "find_keys", stopped)
        window.parts.keys_choice.chosen.emit("found 16")
        settle()
    assert "stopped" in view.facts.text()
    assert view.again.isVisible()
    QTest.mouseClick(view.again, LEFT)
    settle()
    assert len(view.tiles.tiles) == 16


def test_the_focused_kernel_by_its_key(
    window: MainWindow, view: KeysView, settle: Callable[[], None]
) -> None:
    number = int(np.flatnonzero(window.state.by_keys.gain < 0)[0])
    window.acts.focus(number)
    window.layouts.show_panel("keys")
    settle()
    content = view.focused.content
    kernel = window.state.pool.weights_of(number).astype(float)
    mean = kernel.mean()
    products = published().rows.astype(float) @ (kernel - mean).ravel()
    key = int(np.abs(products).argmax())
    made = products[key] * published().patterns[key] + mean
    assert content.key == key == view.tiles.marked
    assert content.made == pytest.approx(made, abs=1e-4)
    assert content.pattern == pytest.approx(-published().patterns[key])
    r2 = 1 - ((kernel - made) ** 2).sum() / ((kernel - mean) ** 2).sum()
    assert content.r2 == pytest.approx(r2, abs=1e-4)
    assert "turned over" in view.focused.text()
    assert not view.focused.grab().isNull()


def test_figures_show_the_keys_in_use(
    window: MainWindow, view: KeysView, settle: Callable[[], None]
) -> None:
    (spec,) = (spec for spec in VIEWS if spec.id == "keys")
    names = ("found 4", "shipped 8", "centroids 8", "published 8")
    for name, (widget, figure) in itertools.product(names, spec.figures.items()):
        window.parts.keys_choice.chosen.emit(name)
        settle()
        assert view.findChild(QWidget, widget) is not None
        options = FigureOptions(**figure.options(window.document))
        drawn = make_figure(figure.kind, make_scene(window.document.banks), options)
        keys = drawn.content.found.keys
        assert (keys.patterns == window.state.by_keys.keys.patterns).all()


@pytest.mark.parametrize(
    "choice", [KeyChoice(), KeyChoice("found", 12), KeyChoice("file", 8, "/a/keys.csv")]
)
def test_sessions_keep_the_choice(choice: KeyChoice) -> None:
    work = Work()
    work = replace(work, marks=replace(work.marks, keys=choice))
    around = Surroundings(
        (), {}, Look(), "2026-11-29T12:00:00Z", keys=(choice.path, "")
    )
    text = to_text(describe(work, around))
    assert ('"keys"' in text) == (choice != KeyChoice())
    again, lost = rebuild(from_text(text), [], Coders())
    assert again.marks.keys == choice
    assert not lost


@pytest.mark.parametrize("count", [0, 65])
def test_a_session_cannot_name_any_number_of_keys(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        KeyChoice("found", count)


def test_the_grid_by_keys(window: MainWindow, settle: Callable[[], None]) -> None:
    document, grid = window.document, window.parts.grid
    document.show_as(replace(document.display, group_by="key", picture="key_residual"))
    settle()
    keys = window.state.by_keys
    assert keys is not None  # though nobody looks at the panel
    groups = [group.title for group in grid.content.groups]
    used = np.unique(keys.key[keys.key >= 0])
    assert groups[: len(used)] == [f"Key {key + 1}" for key in used]
    assert "white noise" in grid.content.groups[0].note
    order = grid.content.order
    assert (np.diff(keys.key[order][keys.key[order] >= 0]) >= 0).all()
    document.name(Naming("code"))  # kernels are drawn with their mean
    document.draw_mean("with")
    settle()
    tiles = grid.content.mosaic.tiles.copy()
    amplitude = grid.content.mosaic.amplitude
    for number in np.flatnonzero(keys.key >= 0)[:20]:
        kernel = window.state.pool.weights_of(int(number)).astype(float)
        left = kernel - keys.of(int(number))
        steps = np.floor(left / amplitude[number] * ZERO + ZERO + 0.5)
        drawn = tiles[number][..., :7].astype(int)
        assert np.abs(drawn.reshape(7, 7) - np.clip(steps, 0, TOP)).max() <= 1
    document.show_as(replace(document.display, picture="kernel"))
    settle()
    assert not np.array_equal(tiles, grid.content.mosaic.tiles)


def test_a_low_chart_leaves_out_the_number_in_the_middle(qapp: object) -> None:
    for height, told in ((90, True), (20, False)):
        image = QImage(60, 120, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        box = QRectF(40, 10, 10, height)
        painter = QPainter(image)
        paint_scale(painter, box, 12.0)
        painter.end()
        middle = round(box.center().y())
        beside = {
            image.pixelColor(x, y).name()
            for x in range(36)
            for y in range(middle - 3, middle + 4)
        }
        assert (len(beside) > 1) == told, height


def test_a_scope_of_flat_kernels_has_none_to_tell_of(
    open_anew: MakeWindow, tmp_path: Path, qtbot: Any
) -> None:
    path = write_network(tmp_path / "net.safetensors")
    tensors = load_file(path)
    flat = next(name for name, taps in tensors.items() if taps.shape[2:] == SIZE)
    save_file({**tensors, flat: np.zeros_like(tensors[flat])}, path)
    window = open_anew(path)
    window.layouts.show_panel("keys")
    window.document.show_layers(frozenset({LayerRef(window.document.models[0].id, 0)}))
    wait_idle(qtbot, window)
    names = [layer.name for layer in window.document.banks[0].layers]
    assert flat.startswith(names[0])
    assert "no kernel in scope has a pattern" in window.parts.keys.facts.text()
