"""Training runs in the window: opening, going through steps, watching a folder."""

from __future__ import annotations

import gc
import shutil
import weakref
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest

from kernelviewer.files import resource
from kernelviewer.gui.controllers import runs
from kernelviewer.gui.views.grid import image
from kernelviewer.gui.views.grid.mosaic import BLANK, ZERO
from kernelviewer.jobs.analysing import analyse, name_by_family
from kernelviewer.jobs.runner import Ticket
from kernelviewer.jobs.runs import read_step
from kernelviewer.kernels.classes import CLASSES, PATTERNS
from kernelviewer.state.comparing import Comparing
from kernelviewer.state.selection import Classes
from kernelviewer.state.session.files import SUFFIX
from tests.gui.conftest import Shared, answer_next, settle_down, wait_idle
from tests.gui.harness import LEFT, drop, errors
from tests.latent.runs import LAYERS, STEPS, made_run
from tests.networks import write_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

    MakeWindow = Callable[..., MainWindow]

SIZE = (7, 7)
LAST = len(STEPS) - 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run whose formation is known."""
    return tmp_path_factory.mktemp("steps")


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, np.ndarray]:
    """When its kernels form."""
    return made_run(folder)


@pytest.fixture(scope="module")
def shared(
    make_shared: MakeWindow, folder: Path, expected: dict[str, np.ndarray]
) -> Shared:
    window = make_shared()
    window.opener.open_run([folder])
    settle_down(window)
    return Shared(window)


@pytest.fixture
def window(shared: Shared) -> MainWindow:
    """The run is open."""
    return shared.as_made()


@pytest.fixture
def empty(window: MainWindow) -> MainWindow:
    """Nothing is open."""
    window.document.close_all()
    settle_down(window)
    return window


@pytest.fixture
def heed() -> Iterator[Callable[..., None]]:
    """Have something called by a signal until the test ends."""
    with ExitStack() as stack:

        def connect(signal: Any, call: Callable[[], object]) -> None:
            signal.connect(call)
            stack.callback(signal.disconnect, call)

        yield connect


def open_run(window: MainWindow, qtbot: Any, folder: Path) -> None:
    """Open it anew: nothing is known of its steps yet."""
    window.opener.open_run([folder])
    wait_idle(qtbot, window)


def click_step(window: MainWindow, qtbot: Any, step: int) -> None:
    """Click a step in the row below the kernels."""
    slider = window.parts.steps.slider
    place = QPoint(round(slider.place_of(step)), slider.height() // 2)
    QTest.mouseClick(slider, LEFT, pos=place)
    wait_idle(qtbot, window)


def test_dropped_steps_are_offered_as_a_run(
    empty: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    made_run(tmp_path / "run")
    broken = tmp_path / "run" / "step-000020.safetensors"
    broken.write_bytes(b"\x10\0\0\0\0\0\0\0{")
    window = empty
    drop(window, tmp_path / "run")
    wait_idle(qtbot, window)
    assert window.document.models == ()
    asked = answer_next("As One Run")
    qtbot.waitUntil(lambda: bool(asked))
    wait_idle(qtbot, window)
    assert f"{len(STEPS)} checkpoints have the same layers" in asked[0]
    (model,) = window.document.models
    assert model.run is not None
    assert model.run.numbers == STEPS
    assert model.step == LAST
    assert window.parts.steps.isVisible()
    assert window.parts.steps.step.text() == f"step {STEPS[-1]}"
    assert "step-000020" in errors(window)[0]


def test_cancelled_question_opens_nothing(
    empty: MainWindow, qtbot: Any, folder: Path
) -> None:
    window = empty
    drop(window, folder)
    wait_idle(qtbot, window)
    asked = answer_next("Cancel")
    qtbot.waitUntil(lambda: bool(asked))
    wait_idle(qtbot, window)
    assert window.document.models == ()
    assert not window.parts.steps.isVisible()


def test_networks_without_numbers_are_no_run(
    empty: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    names = ("anna", "bert")
    files = [write_network(tmp_path / f"{name}.safetensors") for name in names]
    window = empty
    drop(window, *files)
    wait_idle(qtbot, window)
    assert [model.run for model in window.document.models] == [None, None]
    assert not window.parts.steps.isVisible()


def test_each_step_shows_what_encoding_it_alone_gives(
    window: MainWindow, qtbot: Any
) -> None:
    window.docks["shares"].raise_()
    for step in (0, 3, LAST):
        click_step(window, qtbot, step)
        model, state = window.document.models[0], window.state
        kernels = model.bank.sizes[SIZE]
        assert model.step == step
        assert model.bank.name.endswith(f"step {STEPS[step]}")
        coder = window.document.autoencoders[SIZE]
        codes = analyse(Ticket("x"), kernels, coder, "cpu").analysis
        names, _ = name_by_family(Ticket("x"), kernels, "cpu")
        key = model.id, SIZE
        found = window.document.analyses[key].code
        assert np.allclose(found, codes.code, atol=1e-4, equal_nan=True)
        family = window.document.families[key]
        assert np.array_equal(family.best, names.best)
        assert np.array_equal(family.near, names.near)
        assert np.allclose(family.margin, names.margin, atol=1e-4, equal_nan=True)
        told = window.parts.steps.content.coverage[step]
        assert np.isclose(
            told, np.mean(state.labels.label[~kernels.flat] < len(PATTERNS))
        )
        counts = np.bincount(state.labels.label, minlength=len(CLASSES))
        assert np.array_equal(window.parts.shares.counts[step], counts)


def test_going_through_steps_encodes_nothing_and_marks_stay(
    window: MainWindow, qtbot: Any, monkeypatch: Any
) -> None:
    document = window.document
    document.select("replace", Classes(frozenset(item.id for item in PATTERNS)))
    document.set_focus(window.state.pool.locate(5))
    undo = document.undo_name
    seen: list[str] = []
    submit = window.jobs.submit

    def listen(lane: str, key: str, *given: Any, **more: Any) -> Any:
        seen.append(key)
        return submit(lane, key, *given, **more)

    monkeypatch.setattr(window.jobs, "submit", listen)
    for step in range(len(STEPS)):
        click_step(window, qtbot, step)
    assert not [key for key in seen if key.startswith(("encode", "family", "film"))]
    assert document.focus.index == 5
    assert document.undo_name == undo
    assert document.selection.steps


def test_formation_is_what_was_made(
    window: MainWindow, expected: dict[str, np.ndarray], qtbot: Any
) -> None:
    window.layouts.show_panel("formation")
    wait_idle(qtbot, window)
    numbers = np.array(STEPS)
    rows = {row.title: row for row in window.parts.formation.rows}
    assert {name: row.kernels for name, row in rows.items()} == LAYERS
    for name, first in expected.items():
        formed = numbers[first[first >= 0]]
        assert rows[name].formed == len(formed)
        assert rows[name].quartiles[1] == np.median(formed)


def test_playing_goes_to_the_end_and_stops(
    window: MainWindow, qtbot: Any, heed: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("kernelviewer.gui.controllers.runs.PLAYED_MS", 0)
    monkeypatch.setattr("kernelviewer.gui.controllers.runs.SHORTEST_MS", 0)
    steps: list[int] = []
    heed(window.document.changed, lambda: steps.append(window.state.run.step))
    QTest.mouseClick(window.parts.steps.play, LEFT)
    model = window.state.run.id
    qtbot.waitUntil(lambda: not window.runs.is_playing(model))
    assert sorted(set(steps)) == list(range(len(STEPS)))
    assert window.state.run.step == LAST
    QTest.keyClick(window.parts.steps.slider, Qt.Key.Key_Home)
    wait_idle(qtbot, window)
    assert window.state.run.step == 0


def test_while_a_run_plays_every_view_stands_on_the_step_it_says(
    window: MainWindow, qtbot: Any, heed: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(runs, "PLAYED_MS", 0)
    monkeypatch.setattr(runs, "SHORTEST_MS", 0)
    parts, model = window.parts, window.state.run.id
    window.layouts.show_panel("formation")
    window.layouts.show_panel("shares")
    wait_idle(qtbot, window)
    told: list[int] = []
    laid_out: list[int] = []

    def look() -> None:
        state = window.state
        step, title = state.run.step, f"step {STEPS[state.run.step]}"
        told.append(step)
        assert parts.steps.step.text() == title
        assert parts.steps.slider.value() == parts.shares.axis.step == step
        (root,) = parts.tree.source.roots
        assert root.model is state.run
        assert root.text(0).endswith(title)
        counts = parts.tree.source.counts_of(root).counts
        assert counts == tuple(parts.shares.counts[step].tolist())
        share = state.track.totals(step, state.threshold).coverage
        assert parts.threshold.said[0] == pytest.approx(share)
        bank = state.pool.models[0].bank
        assert bank.name.endswith(title)
        if not window.jobs.is_current("grid"):
            weights = state.pool.weights_of(int(parts.grid.content.order[0]))
            assert np.shares_memory(weights, bank.sizes[SIZE].weights)

    heed(window.document.changed, look)
    heed(window.laid_out, lambda: laid_out.append(window.state.run.step))
    window.runs.toggle(model)
    qtbot.waitUntil(lambda: not window.runs.is_playing(model))
    wait_idle(qtbot, window)
    assert told == list(range(len(STEPS)))
    assert laid_out == told


class Late:
    """A clock on which every look finds half a second gone."""

    def __init__(self) -> None:
        self.now = 0
        self.start = self.invalidate = lambda: None

    def isValid(self) -> bool:
        return self.now > 0

    def elapsed(self) -> int:
        self.now += 500
        return self.now


def test_a_step_that_takes_longer_than_its_time_has_others_left_out(
    window: MainWindow, qtbot: Any, heed: Any, monkeypatch: Any
) -> None:
    for name in ("PLAYED_MS", "SHORTEST_MS", "LONGEST_MS"):
        monkeypatch.setattr(runs, name, 200)
    click_step(window, qtbot, 0)
    monkeypatch.setattr(window.runs, "_clock", Late())
    steps: list[int] = []
    heed(window.document.changed, lambda: steps.append(window.state.run.step))
    model = window.state.run.id
    window.runs.toggle(model)
    qtbot.waitUntil(lambda: not window.runs.is_playing(model))
    assert steps == sorted(set(steps))
    assert steps[-1] == LAST
    assert len(steps) < LAST


def test_the_next_step_is_read_while_one_is_seen(
    empty: MainWindow, qtbot: Any, folder: Path, monkeypatch: Any
) -> None:
    for name in ("PLAYED_MS", "SHORTEST_MS", "LONGEST_MS"):
        monkeypatch.setattr(runs, name, 10**9)
    window = empty
    open_run(window, qtbot, folder)
    read: list[int] = []

    def note(ticket: Ticket, run: Any, step: int, like: Any) -> Any:
        read.append(step)
        return read_step(ticket, run, step, like)

    monkeypatch.setattr(runs, "read_step", note)
    model = window.state.run
    window.runs.toggle(model.id)
    wait_idle(qtbot, window)
    assert window.state.run.step == 0
    assert read == [0, 1]
    window.runs._pace.timeout.emit()
    wait_idle(qtbot, window)
    assert window.state.run.step == 1
    assert read == [0, 1, 2]
    click_step(window, qtbot, 2)
    assert not window.runs.is_playing(model.id)
    assert read == [0, 1, 2]
    for step, act, end in ((LAST, "next_step", "last"), (0, "previous_step", "first")):
        click_step(window, qtbot, step)
        window.statusBar().clearMessage()
        window.commands[act].trigger()
        said = window.statusBar().currentMessage()
        assert said == f"This is the {end} step of {model.run.name}"


def test_a_step_asks_for_no_new_layout(window: MainWindow, qtbot: Any) -> None:
    """One would cost more than all that a step changes."""
    shown = [window.parts.threshold.coverage.text()]
    window.document.set_threshold(SIZE, 0.0)  # all identified, whatever the step
    for step in (0, 1):
        click_step(window, qtbot, step)
    asked: list[str] = []

    class Listener(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.LayoutRequest:
                asked.append(watched.objectName())
            return False

    listener = Listener()
    for one in (window, window.parts.threshold):
        one.installEventFilter(listener)
    for step in (2, 3, 4):
        click_step(window, qtbot, step)
        shown.append(window.parts.steps.step.text())
    assert len({*shown}) == len(shown)
    assert not asked
    window.document.set_threshold(SIZE, 1.0)  # a shorter text: here is another layout
    qtbot.waitUntil(lambda: bool(asked))


def test_the_chart_of_shares_keeps_its_areas_under_the_ring(
    window: MainWindow, qtbot: Any
) -> None:
    window.layouts.show_panel("formation")
    window.layouts.show_panel("shares")
    chart = window.parts.shares
    chart.clearFocus()
    box = chart.chart().toRect().adjusted(8, 8, -8, -8)
    plain = chart.grab(box).toImage()
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    assert chart.grab().toImage() != plain
    assert chart.grab(box).toImage() == plain


def test_cancelled_encoding_can_be_asked_for_again(
    empty: MainWindow, qtbot: Any, folder: Path
) -> None:
    window = empty
    window.opener.open_run([folder])
    qtbot.waitUntil(lambda: bool(window.document.models))
    film = f"film {window.document.models[0].id}"
    qtbot.waitUntil(lambda: window.jobs.is_current(film))
    window.jobs.cancel(film)
    wait_idle(qtbot, window)
    assert window.state.track is None
    click_step(window, qtbot, 2)  # read and encoded alone
    assert window.state.labels is not None
    window.commands["encode"].trigger()
    wait_idle(qtbot, window)
    assert window.state.track is not None


def test_session_keeps_the_run_and_its_step(
    window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    saved = tmp_path / f"work{SUFFIX}"
    click_step(window, qtbot, 2)
    window.document.set_focus(window.state.pool.locate(7))
    window.sessions.save_to(saved)
    wait_idle(qtbot, window)
    click_step(window, qtbot, 4)
    assert not window.sessions.is_modified  # which step is looked at is no work
    window.document.close_all()
    wait_idle(qtbot, window)
    assert not window.parts.steps.isVisible()
    window.sessions.open(saved)
    wait_idle(qtbot, window)
    (model,) = window.document.models
    assert model.run.numbers == STEPS
    assert model.step == 2
    assert window.document.focus.index == 7
    assert window.state.track is not None


def test_new_checkpoints_of_a_watched_folder_join(
    empty: MainWindow, qtbot: Any, folder: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("kernelviewer.gui.controllers.runs.WATCHED_MS", 1)
    monkeypatch.setattr("kernelviewer.jobs.runs.SETTLED", 0.0)
    files = sorted(folder.iterdir())
    training = tmp_path / "training"
    window = empty
    window.runs.watch(training, window.opener.take_run)
    training.mkdir()
    shutil.copy(files[0], training)
    qtbot.waitUntil(lambda: len(window.document.models) == 1, timeout=20_000)
    assert window.parts.steps.note.text().startswith("watching")
    half = training / files[1].name
    half.write_bytes(files[1].read_bytes()[:200])
    shutil.copy(files[2], training)
    run = lambda: window.document.models[0].run  # noqa: E731
    qtbot.waitUntil(lambda: run().numbers == (STEPS[0], STEPS[2]), timeout=20_000)
    half.write_bytes(files[1].read_bytes())
    qtbot.waitUntil(lambda: run().numbers == STEPS[:3], timeout=20_000)
    qtbot.waitUntil(lambda: window.state.run.step == 2, timeout=20_000)
    QTest.mouseClick(window.parts.steps.stop, LEFT)
    assert window.runs.watched is None
    wait_idle(qtbot, window)
    assert not errors(window)


def test_a_step_opens_as_a_network_of_its_own(window: MainWindow, qtbot: Any) -> None:
    click_step(window, qtbot, 1)
    window.commands["open_step"].trigger()
    wait_idle(qtbot, window)
    click_step(window, qtbot, LAST)
    run, alone = window.document.models
    assert alone.run is None
    assert alone.bank.path == run.run.steps[1].path
    assert run.bank.path == run.run.steps[LAST].path


def test_any_step_is_compared_with_any_other(
    window: MainWindow, qtbot: Any, heed: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(runs, "PLAYED_MS", 0)
    monkeypatch.setattr(runs, "SHORTEST_MS", 0)
    click_step(window, qtbot, 1)
    window.commands["open_step"].trigger()
    wait_idle(qtbot, window)
    run, alone = window.document.models
    weights = {
        step: read_step(Ticket("x"), run.run, step, run.bank).sizes[SIZE].weights
        for step in range(len(STEPS))
    }
    seen: list[int] = []

    def look() -> None:
        if (pairs := window.state.pairs) is not None:
            step = window.state.run.step
            seen.append(step)
            patterns = [
                (taps - taps.mean((1, 2), keepdims=True)).reshape(len(taps), -1)
                for taps in (weights[1], weights[step])
            ]
            lengths = [np.linalg.norm(taps, axis=1) for taps in patterns]
            there = (lengths[0] > 1e-3) & (lengths[1] > 1e-3)
            cosine = (patterns[0] * patterns[1]).sum(1)[there]
            cosine /= (lengths[0] * lengths[1])[there]
            assert np.allclose(pairs.found.cosine[there], cosine, atol=1e-4)

    heed(window.document.changed, look)
    window.compare(Comparing(alone.id, run.id))
    for step in (LAST, 0, 1, 3):
        click_step(window, qtbot, step)
        assert window.state.pairs is not None
    assert {*seen} >= {LAST, 0, 1, 3}
    seen.clear()
    window.document.set_focus(window.state.pool.locate(0))
    window.runs.toggle(run.id)
    qtbot.waitUntil(lambda: not window.runs.is_playing(run.id))
    wait_idle(qtbot, window)
    assert seen[-1] == LAST
    assert window.comparer.stage == "done"
    assert not errors(window)


def test_the_sample_run_opens(empty: MainWindow, qtbot: Any) -> None:
    window = empty
    window.commands["open_sample_run"].trigger()
    wait_idle(qtbot, window)
    count = len(list(resource("sample-run").glob("*.gz")))
    assert len(window.state.run.run) == count
    coverage = window.parts.steps.content.coverage
    assert coverage[0] < 0.05
    assert coverage[-1] > 0.9


def test_film_strips_show_every_step_and_mark_the_present_one(
    window: MainWindow, qtbot: Any
) -> None:
    grid, picture = window.parts.grid, window.parts.controls.picture
    assert picture.choices["strip"].startswith("film strips")
    picture.chosen.emit("strip")
    wait_idle(qtbot, window)
    mosaic = grid.content.mosaic
    panes = (mosaic.tiles, *mosaic.beside)
    assert len(panes) == len(STEPS)
    assert grid.content.pane == LAST
    weights = [
        read_step(Ticket("x"), model.run, step, model.bank).sizes[SIZE].weights
        for model in window.document.models
        for step in range(len(STEPS))
    ]
    largest = np.abs(weights).max(axis=(0, 2, 3))
    for pane, own in zip(panes, weights, strict=True):
        shown = pane[..., :-1].astype(float) - ZERO
        wanted = own / np.maximum(largest, 1e-30)[:, None, None] * ZERO
        there = largest > 0
        assert np.abs(shown - wanted)[there].max() < 2
    before = grid.grab().toImage()
    click_step(window, qtbot, 1)
    assert grid.content.mosaic is mosaic
    assert grid.content.pane == 1
    assert grid.grab().toImage() != before
    number = int(grid.content.order[4])
    grid.focus_requested.emit(number)
    assert window.document.focus == window.state.pool.locate(number)
    dialog = window.view_menus.export("kernelGrid")
    assert dialog.wish().kind == "strips"
    dialog.close()
    window.document.close_all()
    wait_idle(qtbot, window)
    assert "strip" not in picture.choices
    assert window.state.display.picture == "kernel"


def test_a_strip_s_step_that_cannot_be_read_any_more_is_blank(
    empty: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    window = empty
    made_run(tmp_path)
    open_run(window, qtbot, tmp_path)
    sorted(tmp_path.iterdir())[1].unlink()
    window.parts.controls.picture.chosen.emit("strip")
    wait_idle(qtbot, window)
    panes = window.parts.grid.content.mosaic.beside
    assert (panes[0] == BLANK).all()
    assert (panes[1] != BLANK).any()


def test_the_focused_kernel_s_way_is_drawn_on_spectrum_and_plane(
    window: MainWindow, qtbot: Any
) -> None:
    window.layouts.show_panel("scatter")
    spectrum, scatter = window.parts.spectrum.histogram, window.parts.scatter
    assert spectrum.path == ()
    assert scatter.trail is None
    plain = spectrum.grab().toImage(), scatter.grab().toImage()
    window.document.set_focus(window.state.pool.locate(5))
    wait_idle(qtbot, window)
    codes = [window.state.track.codes(i).code[5] for i in range(len(STEPS))]
    assert spectrum.path == pytest.approx(codes, nan_ok=True)
    assert spectrum.grab().toImage() != plain[0]
    assert scatter.trail.shape == (len(STEPS), 2)
    for step in (LAST, 2):  # the way's place is that of the kernel's point
        click_step(window, qtbot, step)
        row = int(np.searchsorted(scatter.content.numbers, 5))
        assert scatter.content.numbers[row] == 5
        assert np.allclose(scatter.trail[step], scatter.content.points[row], atol=1e-4)
    window.document.set_focus(window.state.pool.locate(0))  # flat throughout
    wait_idle(qtbot, window)
    assert np.isnan(scatter.trail).all()
    assert np.isnan(spectrum.path).all()
    spectrum.grab(), scatter.grab()
    window.document.set_focus(None)
    wait_idle(qtbot, window)
    assert spectrum.path == ()
    assert scatter.trail is None


def test_memory_holds_a_few_steps_and_what_names_all(
    empty: MainWindow, qtbot: Any, folder: Path, monkeypatch: Any
) -> None:
    alive: list[weakref.ref[Any]] = []

    def read(*given: Any) -> Any:
        bank = read_step(*given)
        alive.append(weakref.ref(bank))
        return bank

    monkeypatch.setattr(runs, "read_step", read)
    monkeypatch.setattr(image, "read_step", read)
    monkeypatch.setattr(runs, "KEPT_BYTES", 0)
    window = empty
    open_run(window, qtbot, folder)
    window.parts.controls.picture.chosen.emit("strip")
    wait_idle(qtbot, window)
    for step in range(len(STEPS)):
        click_step(window, qtbot, step)
    assert len(alive) >= 2 * (len(STEPS) - 1)
    qtbot.waitUntil(lambda: not window.presenter.holds_steps)
    gc.collect()
    assert sum(item() is not None for item in alive) <= runs.KEPT_STEPS
    track = window.state.track
    many = len(STEPS) * len(track)
    assert track.code.nbytes + track.fit.nbytes == 4 * many
    each = ("code", "fit", "best", "paper", "second", "margin", "near", "cosine")
    assert sum(getattr(track, name).nbytes for name in each) <= 20 * many


def test_keys_go_from_step_to_step_and_the_curve_is_over_them(
    window: MainWindow, qtbot: Any
) -> None:
    slider = window.parts.steps.slider
    for key, step in (
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Up, 2),
        (Qt.Key.Key_Left, 1),
        (Qt.Key.Key_End, LAST),
    ):
        QTest.keyClick(slider, key)
        wait_idle(qtbot, window)
        assert window.state.run.step == step
        assert slider.content.step == step
    with_curve = slider.grab().toImage()
    content = slider.content
    slider.set_content(replace(content, coverage=()))
    assert slider.grab().toImage() != with_curve
    slider.set_content(content)


def test_the_tree_s_rows_stay_from_step_to_step(window: MainWindow, qtbot: Any) -> None:
    tree = window.parts.tree
    (root,) = tree.source.roots
    tree.tree.collapse(tree._index(root))
    resets = []
    tree.source.modelReset.connect(lambda: resets.append(1))
    click_step(window, qtbot, 1)
    assert tree.source.roots == [root]
    assert not resets
    assert root.text(0).endswith(f"step {STEPS[1]}")
    assert root.model is window.document.models[0]
    assert all(item.model is root.model for item in root.children)
    assert not tree.tree.isExpanded(tree._index(root))
    held = weakref.ref(root.model.bank)
    window.document.close_all()
    wait_idle(qtbot, window)
    del root
    gc.collect()
    assert held() is None
