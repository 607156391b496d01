"""A run along its steps: the slider, the shares of the classes, when layers form."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.view import Controller, Home, ViewFigure, ViewSpec, view_keys
from kernelviewer.gui.views.run.charts import (
    Axis,
    FormationChart,
    FormationRow,
    SharesChart,
)
from kernelviewer.gui.views.run.steps import StepsBar, StepsContent
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.state.layer_tree import short_names
from kernelviewer.state.memo import Memo
from kernelviewer.state.model import LayerRef
from kernelviewer.state.selection import Layers
from kernelviewer.text import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import Qt

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.latent.film import Formation, Track
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.view_state import ViewState

NO_RUN = (
    "Open the checkpoints of a training run together, or File → Open Sample Run: "
    "what happens along its steps shows here."
)


def coverages(track: Track, threshold: float | None) -> tuple[float, ...]:
    """Share of the kernels with a pattern that is identified at each step."""
    if track.by is None:
        return ()
    level = track.threshold if threshold is None else threshold
    return tuple(track.totals(step, level).coverage for step in range(len(track.code)))


def shares(
    track: Track, threshold: float | None, among: NDArray[np.bool_] | None
) -> NDArray[np.int64]:
    """Kernels of each class at each step, [S, classes]; of some, ``among`` bool [N]."""
    found = track.classes(slice(None), threshold)
    if among is not None:
        found = found[:, among]
    return np.stack([np.bincount(row, minlength=len(CLASSES)) for row in found])


def _go_to(window: WindowContext, step: int) -> None:
    """Show a step of the run, which is not played any more."""
    if (model := window.state.run) is not None:
        window.runs.stop()
        window.runs.go_to(model.id, step)


class StepsController(Controller):
    """The row of steps below the kernels."""

    def listen(self) -> None:
        """Steps and playing; what goes on beside the document."""
        self.is_news("there", False)
        self.bar: StepsBar = self.parts.steps
        self._coverages = Memo(coverages)
        self.bar.slider.step_requested.connect(partial(_go_to, self.window))
        self.bar.slider.play_requested.connect(self._on_play_requested)
        self.bar.stop_watching_requested.connect(self.window.runs.stop_watching)
        self.window.runs.changed.connect(self.again)

    def show(self, state: ViewState) -> None:
        """Show the step, what is known of all, and what goes on."""
        model, track = state.run, state.track
        if self.is_news("steps", model, track, state.threshold):
            self.bar.set_content(self._content(state))
        if self.is_news("there", model is not None):
            self.window.show_panels(("shares", "formation"), model is not None)
        runs = self.window.runs
        playing = model is not None and runs.is_playing(model.id)
        note, watched = "", runs.watched
        if watched is not None:
            note = f"watching {shown(watched.name)}"
        note = (runs.progress(model.id) if model else "") or note
        if self.is_news("going on", playing, note):
            self.bar.set_playing(playing)
            self.bar.set_note(note, stoppable=watched is not None)

    def _content(self, state: ViewState) -> StepsContent | None:
        model = state.run
        if model is None or model.run is None:
            return None
        run = model.run
        known: tuple[float, ...] = ()
        if state.track is not None:
            known = self._coverages(state.track, state.threshold)
        return StepsContent(run.name, run.unit, run.numbers, model.step, known)

    def _on_play_requested(self) -> None:
        if (model := self.window.state.run) is not None:
            self.window.runs.toggle(model.id)


class SharesController(Controller):
    """Share of each class among the kernels in scope, along the run."""

    def listen(self) -> None:
        """Steps from the chart."""
        self.chart: SharesChart = self.parts.shares
        self._shares = Memo(shares)
        self.chart.step_requested.connect(partial(_go_to, self.window))

    def show(self, state: ViewState) -> None:
        """Stack the classes of what is in scope."""
        model, track = state.run, state.track
        if not self.is_news("shares", model, track, state.threshold, state.shown):
            return
        if model is None or track is None or track.by is None:
            self.chart.set_counts(None, None, why_nothing(state))
            return
        counts = self._shares(track, state.threshold, _in_scope(state, model, track))
        self.chart.set_counts(axis_of(model), counts)


class FormationController(Controller):
    """When the kernels of each layer formed."""

    def listen(self) -> None:
        """Layers and steps from the chart."""
        self.chart: FormationChart = self.parts.formation
        self._formation = Memo(lambda track, threshold: track.formation(threshold))
        self._rows = Memo(formation_rows)
        self.chart.step_requested.connect(partial(_go_to, self.window))
        self.chart.layer_requested.connect(self._on_layer_requested)

    def show(self, state: ViewState) -> None:
        """Show a row for each layer in scope."""
        model, track = state.run, state.track
        known = (model, track, state.threshold, state.layers)
        if not self.is_news("formation", *known):
            return
        if model is None or track is None or track.by is None:
            self.chart.set_rows(None, (), why_nothing(state))
            return
        found = self._formation(track, state.threshold)
        short = short_names(model.bank)
        layers = tuple(
            (i, model.bank.layers[i].name, name) for i, name in short.items()
        )
        rows = self._rows(found, model.id, layers, state.layers)
        self.chart.set_rows(axis_of(model), rows)

    def _on_layer_requested(self, ref: LayerRef, keys: Qt.KeyboardModifier) -> None:
        self.document.select(mode_of(keys), Layers(frozenset({ref})))


def why_nothing(state: ViewState) -> str:
    """Why nothing is drawn along a run, and what would give something."""
    model, size = state.run, state.size
    if model is None:
        return NO_RUN
    if size is None or size not in model.bank.sizes:
        return f"{model.name} has no kernels of this size."
    if state.track is None:
        return "This shows once the kernels of every step are encoded."
    return f"Neither a code nor the pattern family names {size_label(size)} kernels."


def axis_of(model: OpenModel) -> Axis:
    """The steps of a run, spaced as in figures."""
    from kernelviewer.kernels.series import places_of

    assert model.run is not None
    places = tuple(places_of(model.run.numbers))
    return Axis(model.run.unit, model.run.numbers, places, model.step)


def _in_scope(
    state: ViewState, model: OpenModel, track: Track
) -> NDArray[np.bool_] | None:
    """Which kernels of a track are in scope; None: all of them."""
    if state.pool is None or state.layers is None:
        return None
    rows = [item.id for item in state.pool.models]
    if model.id not in rows:
        return None
    row = rows.index(model.id)
    start, end = state.pool.starts[row : row + 2]
    mask = state.shown[start:end]
    return mask if len(mask) == len(track) and mask.any() else None


def formation_rows(
    found: Formation,
    identity: int,
    layers: tuple[tuple[int, str, str], ...],
    scope: frozenset[LayerRef] | None,
) -> tuple[FormationRow, ...]:
    """A row for each layer of a track that is in scope; all if none is.

    Parameters
    ----------
    identity, layers
        Id of the run; number, name and short name of its layers.
    """
    places = {name: (i, short) for i, name, short in layers}
    numbers = np.asarray(found.numbers, np.float64)
    rows = []
    for number, (title, kernels, formed, _) in enumerate(found.of_layers()):
        first = found.first[(found.layer == number) & (found.first >= 0)]
        quartiles = np.quantile(numbers[first], (0.25, 0.5, 0.75)) if formed else []
        if title in places:
            place, short = places[title]
            told = tuple(map(float, quartiles))
            ref = LayerRef(identity, place)
            rows.append(FormationRow(ref, short, title, kernels, formed, told))
    if scope is not None:
        return tuple(row for row in rows if row.layer in scope) or tuple(rows)
    return tuple(rows)


STEPS = ViewSpec(
    id="steps",
    title="Training steps",
    make={"steps": StepsBar},
    grow=None,
    page="kernels",
    controller=StepsController,
    reads=("run", "track", "threshold"),
    keys=(
        view_keys(
            "Training steps",
            "views.run.steps",
            ("To a step", "click, drag, wheel; arrow keys; Home, End"),
            ("Play the run", "Space"),
            ("Give up a drag", "Escape"),
        ),
    ),
)
SHARES = ViewSpec(
    id="shares",
    title="Classes along the run",
    short="Run",
    make={"shares": SharesChart},
    controller=SharesController,
    reads=("run", "track", "threshold", "shown", "layers", "pool", "size"),
    keys=(
        view_keys(
            "Classes along the run",
            "views.run.charts",
            ("To a step", "click, drag; Left, Right, Home, End"),
            ("Give up a drag", "Escape"),
            ("Select a forming layer", "click; Up, Down, Enter, Space"),
        ),
    ),
    figures={"sharesChart": ViewFigure("shares-over-time")},
    home=Home("right", 2, 0),
    homes={"compare": Home("bottom", 1, 0), "label": Home("left", 1, 3)},
    of_runs=True,
)
FORMATION = ViewSpec(
    id="formation",
    title="When layers form",
    short="Formation",
    make={"formation": FormationChart},
    controller=FormationController,
    reads=("run", "track", "threshold", "layers", "size"),
    figures={"formationChart": ViewFigure("formation")},
    home=Home("right", 2, 1),
    homes={"compare": Home("bottom", 1, 1), "label": Home("left", 1, 4)},
    of_runs=True,
)
