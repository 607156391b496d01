"""Random work in the window: every view stays equal to one built from the document."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from safetensors.numpy import save_file

from kernelviewer.formats import open_checkpoint
from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.runs import open_run
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.classes import PATTERNS, OwnName
from kernelviewer.latent import stretches as stretch_editing
from kernelviewer.state.comparing import Comparing
from kernelviewer.state.view_state import resolve
from tests.gui.conftest import wait_idle
from tests.gui.mirror import CHARTS, JobsOnDemand, Mirror, contents, difference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.jobs.runs import OpenedRun
    from kernelviewer.kernels import KernelBank
    from tests.gui.harness import MakeWindow

LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
KEYS = Qt.KeyboardModifier
NO_KEY = KEYS.NoModifier
MODIFIERS = (
    *(NO_KEY, NO_KEY, KEYS.ShiftModifier, KEYS.ControlModifier),
    KEYS.ShiftModifier | KEYS.ControlModifier,
)
PANELS = (
    *("classes", "composition", "scatter", "spectrum", "reconstruction"),
    *("transitions", "drift", "shares", "formation", "keys"),
)
STEPS = 320
BETWEEN_MIRRORS = 32
MOST_OPEN = 4


def write_patterns(path: Path, seed: int) -> Path:
    """A network of bells, edges, noise and dead kernels, in three sizes."""
    rng = np.random.default_rng(seed)

    def kernels(count: int, side: int) -> np.ndarray:
        y, x = np.mgrid[:side, :side] - (side - 1) / 2
        sigma, sign = rng.uniform(0.7, 2.5, (count, 1, 1)), rng.choice([-1, 1], count)
        bell = np.exp(-(x**2 + y**2) / (2 * sigma**2)) * sign[:, None, None]
        kind = rng.integers(0, 3, count)[:, None, None]
        taps = np.where(kind == 0, bell, np.where(kind == 1, bell * x, bell * y))
        taps += rng.normal(0, 0.1, taps.shape) + rng.normal(0, 0.1, (count, 1, 1))
        taps[:: 7 + seed] = 0.01
        return taps[:, None].astype(np.float32)

    def weights(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    tensors = {"stem.weight": weights(14, 3, 4, 4)}
    for layer, side in enumerate((7, 7, 3, 7, 11)):
        name = f"stages.{layer // 2}.blocks.{layer % 2}"
        tensors[f"{name}.dw.weight"] = kernels(14, side)
        tensors[f"{name}.dw.bias"] = weights(14)
        tensors[f"{name}.pw.weight"] = weights(14, 14, 1, 1)
    save_file(tensors, path)
    return path


class Visitor:
    """Somebody who does everything, at random, with mouse, keys and commands."""

    def __init__(
        self,
        window: MainWindow,
        banks: list[KernelBank],
        run: OpenedRun,
        wait: Callable[[], object],
        seed: int,
    ) -> None:
        self.window, self.banks, self.run, self.wait = window, banks, run, wait
        self.random = random.Random(seed)
        self.done: list[str] = []
        self._acts: list[tuple[int, Callable[[], object]]] = [
            *((8, self.brush), (6, self.click_class), (6, self.click_part)),
            *((4, self.scatter_click), (5, self.scatter_band), (5, self.threshold)),
            *((4, self.slider), (8, self.grid_click), (5, self.grid_keys)),
            *((4, self.grid_band), (5, self.border), (3, self.edit_stretch)),
            *((6, self.click_tree), (3, self.search), (5, self.size)),
            *((4, self.display), (4, self.charts), (10, self.undo), (4, self.redo)),
            *((3, self.command), (3, self.only_selected), (4, self.remove_chip)),
            *((2, self.similar), (2, self.adjust), (3, self.open_or_close)),
            *((1, self.theme), (1, self.include), (1, self.framed)),
            *((5, self.compare), (5, self.click_transition), (4, self.click_drift)),
            *(
                (3, self.plane),
                (1, self.end_comparison),
                (4, self.naming),
                (3, self.words),
            ),
            *((3, self.choose_keys), (4, self.click_key)),
            *((8, self.scrub), (3, self.run_chart), (2, self.open_run)),
            *((6, self.bring_up), (4, self.rename), (5, self.tag), (1, self.reset)),
        ]
        weights, acts = zip(*self._acts, strict=True)
        more = self.random.choices(acts, weights, k=STEPS - len(acts))
        self._acts_to_come = [*acts, *more]  # each at least once
        self.random.shuffle(self._acts_to_come)

    def step(self) -> None:
        """Do something."""
        act = self._acts_to_come.pop()
        self.done.append(act.__name__)
        act()

    # Hands

    def keys(self) -> Qt.KeyboardModifier:
        return self.random.choice(MODIFIERS)

    def place(self, widget: QWidget) -> QPoint:
        return QPoint(
            self.random.randrange(max(1, widget.width())),
            self.random.randrange(max(1, widget.height())),
        )

    def drag(self, widget: QWidget, *places: QPoint, keys: Any = NO_KEY) -> None:
        """Press, move, and let go, or give up with Escape."""
        QTest.mousePress(widget, LEFT, keys, places[0])
        for place in places[1:]:
            at, on_screen = QPointF(place), QPointF(widget.mapToGlobal(place))
            kind = QEvent.Type.MouseMove
            move = QMouseEvent(kind, at, on_screen, NO_BUTTON, LEFT, keys)
            QApplication.sendEvent(widget, move)
        if self.random.random() < 0.15:
            QTest.keyClick(widget, Qt.Key.Key_Escape)
        QTest.mouseRelease(widget, LEFT, keys, places[-1])

    def trigger(self, name: str) -> None:
        self.window.commands[name].trigger()

    # Acts

    def brush(self) -> None:
        strip = self.window.parts.spectrum.histogram
        if strip.isVisible():
            self.drag(strip, *(self.place(strip) for _ in range(4)), keys=self.keys())

    def click_class(self) -> None:
        view = self.window.parts.histogram
        if not view.isVisible():
            return
        QTest.mouseClick(view, LEFT, self.keys(), self.place(view))

    def click_part(self) -> None:
        view = self.window.parts.composition
        boxes = view.boxes()
        if boxes and view.isVisible():
            box = self.random.choice(boxes)
            x = int(box.center().x())
            place = QPoint(x, self.random.randrange(view.height()))
            QTest.mouseClick(view, LEFT, self.keys(), place)

    def scatter_click(self) -> None:
        view = self.window.parts.scatter
        content = view.content
        if not view.isVisible():
            return
        place = self.place(view)
        if content is not None and len(content.numbers):
            number = int(self.random.choice(content.numbers.tolist()))
            place = (view.place_of(number) or QPointF(place)).toPoint()
        QTest.mouseClick(view, LEFT, NO_KEY, place)

    def scatter_band(self) -> None:
        view = self.window.parts.scatter
        if not view.isVisible():
            return
        keys = self.keys()
        if self.random.random() < 0.4:
            keys |= KEYS.AltModifier
        self.drag(view, *(self.place(view) for _ in range(5)), keys=keys)

    def threshold(self) -> None:
        bar = self.window.parts.threshold
        if bar.isHidden():
            return
        if self.random.random() < 0.5:
            bar.value.setValue(round(self.random.uniform(0.3, 1), 3))
        else:
            bar.slider.setSliderDown(True)
            for _ in range(3):
                bar.slider.setValue(self.random.randrange(300, 1001))
            bar.slider.setSliderDown(False)

    def slider(self) -> None:
        slider = self.window.parts.spectrum.slider
        if not slider.isVisible():
            return
        if self.random.random() < 0.5:
            self.drag(slider, self.place(slider), self.place(slider))
        else:
            names = ("Left", "Right", "Home", "End", "PageUp", "PageDown", "Up", "Down")
            key = getattr(Qt.Key, f"Key_{self.random.choice(names)}")
            QTest.keyClick(slider, key, self.random.choice(MODIFIERS[:3]))

    def grid_click(self) -> None:
        port = self.window.parts.grid.viewport()
        QTest.mouseClick(port, LEFT, self.keys(), self.place(port))

    def grid_keys(self) -> None:
        grid = self.window.parts.grid
        names = ("Left", "Right", "Up", "Down", "Home", "End", "Space", "Escape")
        key = getattr(Qt.Key, f"Key_{self.random.choice(names)}")
        QTest.keyClick(grid, key, self.random.choice((NO_KEY, KEYS.ShiftModifier)))

    def grid_band(self) -> None:
        port = self.window.parts.grid.viewport()
        places = [self.place(port) for _ in range(3)]
        self.drag(port, *places, keys=self.keys())

    def border(self) -> None:
        editor = self.window.parts.spectrum.stretches
        if editor.content is None or not editor.isVisible():
            return
        stretch = self.random.choice(editor.content.stretches[:-1])
        x = round(editor.axis.logical(stretch.stop))
        places = [
            QPoint(x + by, 4) for by in (0, *self.random.sample(range(-60, 61), 2))
        ]
        self.drag(editor, *places)

    def edit_stretch(self) -> None:
        view = self.window.parts.spectrum
        if not (view.isVisible() and view.content and view.content.editable):
            return
        stretches = view.content.stretches
        at = self.random.randrange(len(stretches))
        stretch = stretches[at]
        what = self.random.choice(("rename", "split", "merge", "reset"))
        if what == "rename":
            view.rename_requested.emit(at, self.random.randrange(len(PATTERNS)))
        elif what == "split" and stretch.stop - stretch.start > 0.02:
            view.split_requested.emit(at, (stretch.start + stretch.stop) / 2)
        elif what == "merge" and len(stretches) > 2:
            view.merge_requested.emit(at, at - 1 if at else 1)
        elif what == "reset":
            view.reset_requested.emit()

    def click_tree(self) -> None:
        tree = self.window.parts.tree.tree
        if not tree.isVisible():
            return
        if self.random.random() < 0.3:
            QTest.keyClick(tree, Qt.Key.Key_Escape)
            return
        port = tree.viewport()
        keys = self.random.choice(MODIFIERS[1:4])
        QTest.mouseClick(port, LEFT, keys, self.place(port))

    def search(self) -> None:
        texts = ("", "", "", "blocks.1", "7x7", "stages.1", "nothing")
        self.window.parts.tree.search.setText(self.random.choice(texts))

    def size(self) -> None:
        buttons = self.window.parts.sizes._group.buttons()
        if buttons:
            QTest.mouseClick(self.random.choice(buttons), LEFT)

    def display(self) -> None:
        controls = self.window.parts.controls
        button = self.random.choice(list(controls._buttons.values()))
        self.random.choice(list(button._actions.values())).trigger()

    def charts(self) -> None:
        button = getattr(self.window.parts, self.random.choice(CHARTS))
        self.random.choice(list(button._actions.values())).trigger()

    def undo(self) -> None:
        self.trigger("undo")

    def redo(self) -> None:
        self.trigger("redo")

    def command(self) -> None:
        names = ("select_all", "select_layer", "invert", "clear", "only_layer")
        self.trigger(self.random.choice((*names, "show_all")))

    def only_selected(self) -> None:
        button = self.window.parts.controls.only_selected
        if button.isVisible():
            QTest.mouseClick(button, LEFT)
        else:
            self.trigger("only_selected")

    def remove_chip(self) -> None:
        pills = [p for p in self.window.parts.chips._shown() if p.cross.isVisible()]
        if pills:
            pill = self.random.choice(pills)
            if self.random.random() < 0.5:
                QTest.mouseClick(pill.cross, LEFT)
            else:
                QTest.keyClick(pill.cross, Qt.Key.Key_Delete)
        elif self.window.parts.chips.more.isVisible():
            self.random.choice(self.window.parts.chips.menu().actions()).trigger()

    def similar(self) -> None:
        self.trigger("similar")

    def adjust(self) -> None:
        chips = self.window.parts.chips
        for pill in chips._pills[: len(chips.chips)]:
            if pill.adjust.isVisible():
                QTest.mouseClick(pill.adjust, LEFT)
                for _ in range(2):
                    chips._popover.slider.setValue(self.random.randrange(101))
                chips._popover.hide()
                return

    def open_or_close(self) -> None:
        document = self.window.document
        count = len(document.models)
        if count and self.random.random() < (0.6 if count > 2 else 0.3):
            identity = self.random.choice(document.models).id
            self.window.parts.tree.close_requested.emit(identity)
        elif count < MOST_OPEN:
            document.open(self.random.choice(self.banks))

    def compare(self) -> None:
        """Compare two networks, or the same ones otherwise, by what the bar offers."""
        document, bar = self.window.document, self.window.parts.comparing
        models = [model.id for model in document.models]
        if bar.isVisible() and self.random.random() < 0.6:
            act = self.random.choice(("swap", "match", "hand"))
            if act == "swap":
                QTest.mouseClick(bar.swap, LEFT)
            elif act == "match":
                actions = [*bar.match._actions.values()]
                self.random.choice(actions).trigger()
            elif (how := document.comparing) is not None:
                first, second = (document.model(i).bank for i in (how.a, how.b))
                layers = [layer.name for layer in first.layers]
                names = [layer.name for layer in second.layers]
                self.random.shuffle(names)
                pairs = tuple(zip(layers, names, strict=False))
                document.compare(replace(how, layers=pairs))
        elif len(models) > 1:
            self.window.compare(Comparing(*self.random.sample(models, 2)))

    def end_comparison(self) -> None:
        self.trigger("end_comparison")

    def click_transition(self) -> None:
        view = self.window.parts.transitions
        if view.isVisible():
            boxes = [*view.boxes().values()]
            place = self.place(view)
            if boxes:
                place = self.random.choice(boxes).center().toPoint()
            QTest.mouseClick(view, LEFT, self.keys(), place)

    def click_drift(self) -> None:
        view = self.window.parts.drift
        if view.isVisible():
            QTest.mouseClick(view, LEFT, self.keys(), self.place(view))

    def choose_keys(self) -> None:
        names = [n for n in self.window.parts.keys_choice.choices if " " in n]
        self.window.parts.keys_choice.chosen.emit(self.random.choice(names))

    def click_key(self) -> None:
        view = self.window.parts.keys.tiles
        if view.isVisible() and view.height():
            QTest.mouseClick(view, LEFT, self.keys(), self.place(view))

    def plane(self) -> None:
        view = self.window.parts.scatter
        keys = ["codes", "change"] if view._planes else []
        view.across.chosen.emit(self.random.choice([*keys, "0"]))

    def open_run(self) -> None:
        """Open the training run, or close it."""
        document = self.window.document
        runs = [model for model in document.models if model.run is not None]
        if runs and self.random.random() < 0.5:
            document.close(runs[0].id)
        elif not runs and len(document.models) < MOST_OPEN:
            document.open(self.run.bank, run=self.run.run, step=len(self.run.run) - 1)

    def scrub(self) -> None:
        """Go through time, by mouse, keys or commands; mostly wait for the step."""
        slider = self.window.parts.steps.slider
        if slider.content is None:
            return
        what = self.random.random()
        if what < 0.4:
            self.drag(slider, *(self.place(slider) for _ in range(3)))
        elif what < 0.7:
            names = ("Left", "Right", "Home", "End", "Up", "Down")
            key = getattr(Qt.Key, f"Key_{self.random.choice(names)}")
            QTest.keyClick(slider, key)
        else:
            self.trigger(self.random.choice(("next_step", "previous_step")))
        if self.random.random() < 0.7:
            self.wait()

    def run_chart(self) -> None:
        """Click a layer in the chart of formation, or a step in that of the shares."""
        view = self.random.choice(
            (self.window.parts.shares, self.window.parts.formation)
        )
        if view.isVisible() and view.axis is not None:
            QTest.mouseClick(view, LEFT, self.keys(), self.place(view))

    def include(self) -> None:
        """Read a network again, with a layer more or less."""
        document = self.window.document
        models = [model for model in document.models if model.run is None]
        if models:
            model = self.random.choice(models)
            others = [bank for bank in self.banks if bank.name == model.bank.name]
            document.replace(model.id, self.random.choice(others))

    def theme(self) -> None:
        self.window.set_theme(self.random.choice(("light", "dark")))

    def bring_up(self) -> None:
        """Close a panel, or bring one to the front."""
        name = self.random.choice(PANELS)
        if self.random.random() < 0.2:
            self.window.docks[name].close()
        else:
            self.window.layouts.show_panel(name)

    def framed(self) -> None:
        self.trigger("framed")

    def naming(self) -> None:
        self.trigger("naming")

    def words(self) -> None:
        self.trigger("words")

    def rename(self) -> None:
        """Call a network, a class, a stretch or a tag otherwise, or as usual again."""
        document = self.window.document
        name = self.random.choice(("", "mine", "Mexican hat", "a & b <i>"))
        own = OwnName(name, self.random.choice(("", "#D55E00")))
        what = self.random.choice(("network", "class", "stretch", "tag"))
        if what == "network" and document.models:
            identity = self.random.choice(document.models).id
            self.window.parts.tree.rename_requested.emit(identity, name)
        elif what == "class" and document.models:
            document.rename_class(self.random.choice(PATTERNS).id, own)
        elif what == "tag" and document.models:
            document.rename_tag(self.random.randrange(1, 10), own)
        elif what == "stretch" and self.window.state.learned_stretches:
            stretches, size = self.window.state.learned_stretches, document.size
            at = self.random.randrange(len(stretches))
            named = stretch_editing.rename(stretches, at, None, name, own.colour)
            document.set_stretches(size, named, act="Rename")

    def tag(self) -> None:
        key = getattr(Qt.Key, f"Key_{self.random.randrange(1, 4)}")
        QTest.keyClick(self.window.parts.grid, key)

    def reset(self) -> None:
        self.trigger("reset_names")


@pytest.fixture
def banks(tmp_path: Path) -> list[KernelBank]:
    """Three networks, and one of them without its last layers."""
    found = []
    for seed, name in enumerate(("first", "second", "third")):
        path = write_patterns(tmp_path / f"{name}.safetensors", seed)
        found.append(extract_kernels(open_checkpoint(path)))
    return [*found, without_layer(found[0], 1)]


@pytest.fixture
def run(tmp_path: Path) -> OpenedRun:
    """A training run of three steps."""
    folder = tmp_path / "run"
    folder.mkdir()
    for step in range(3):
        write_patterns(folder / f"step-{step}.safetensors", 10 + step)
    return run_now(open_run, [folder])


def without_layer(bank: KernelBank, gone: int) -> KernelBank:
    """The same bank with one layer's kernels left out."""
    layers = list(bank.layers)
    size = layers[gone].size
    layers[gone] = replace(layers[gone], kind="ambiguous")
    kernels = bank.sizes[size]
    kept = kernels.layer != gone
    less = {
        name: getattr(kernels, name)[kept]
        for name in ("weights", "layer", "channel", "scale", "offset", "flat")
    }
    sizes = {**bank.sizes, size: replace(kernels, **less)}
    return replace(bank, layers=tuple(layers), sizes=sizes)


@pytest.mark.timeout(600)
def test_every_view_equals_one_built_from_the_document(
    make_window: MakeWindow, banks: list[KernelBank], run: OpenedRun, qtbot: Any
) -> None:
    window = make_window()
    window.document.open(banks[0])
    window.document.open(banks[1])
    wait_idle(qtbot, window)
    wait = partial(wait_idle, qtbot, window)
    visitor = Visitor(window, banks, run, wait, seed=20261125)
    jobs = JobsOnDemand()
    presenter = window.presenter
    for number in range(1, STEPS + 1):
        visitor.step()
        told = f"step {number}, after {', '.join(visitor.done[-BETWEEN_MIRRORS:])}"
        state = resolve(window.document, None)
        for name in ("shown", "selected", "listed", "labels", "focus", "threshold"):
            found = difference(getattr(presenter.state, name), getattr(state, name))
            assert not found, f"{told}: {name}{found}"
        if number % BETWEEN_MIRRORS and number < STEPS:
            continue
        for _ in range(3):  # what is computed for a hidden view is shown as well
            wait_idle(qtbot, window)
            presenter.show_hidden()
        mirror = Mirror(window, jobs)
        found = difference(contents(window.parts), contents(mirror.parts))
        mirror.close()
        assert not found, f"{told}: {found}"
    assert len(set(visitor.done)) == len(visitor._acts)
    rows = window.parts.jobs_panel.rows.values()
    assert [row.text.text() for row in rows if row.failed] == []
