"""Two components of the kernels' patterns as a cloud of points (the paper's Fig. 4)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.gui import theme
from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.controls import chart_choice
from kernelviewer.gui.painting.kernels import WeightColours, enlarge, fit_taps, to_image
from kernelviewer.gui.text import percent, spaced
from kernelviewer.gui.view import (
    FIGURE_WORDS,
    Computed,
    Controller,
    Home,
    ViewFigure,
    ViewSpec,
    match_option,
    view_keys,
)
from kernelviewer.gui.views.scatter.cloud import ScatterContent
from kernelviewer.gui.views.scatter.colours import colours_of
from kernelviewer.gui.views.scatter.view import ScatterView
from kernelviewer.jobs.analysing import Projection, project
from kernelviewer.jobs.runs import kernel_along
from kernelviewer.kernels.statistics import without_mean
from kernelviewer.state.arrangement import leaves_out_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PySide6.QtGui import QImage

    from kernelviewer.gui.theme import Looks
    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import KernelRef
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState

NO_POINTS = "Open a checkpoint: each kernel becomes a point here, by its pattern."
ALL_FLAT = "All kernels of this size are flat: there is no pattern to compare."
NO_KERNELS = "No depthwise kernels are open."
NOTHING_SHOWN = "The picked layers have no kernels of this size."
NO_CODES = "Codes show here once the kernels are encoded."
NO_PAIRS = "No kernels of this size correspond in the two networks."
PLANES = {
    "codes": ("code before", "code after"),
    "change": ("cosine", "ln scale ratio"),
}
"""What pairs can be placed by: names across and up."""
_SLOPES = {"codes": 1.0, "change": 0.0}
"""Of the line where they do not change."""
COLOURS = {
    "class": "by class",
    "layer": "by layer",
    "model": "by network",
    "fit": "by fit",
}
THUMBNAILS = {"on": "with kernels", "off": "points only"}
BRIEF_THUMBNAILS = {"on": "kernels", "off": "points"}


class ScatterController(Controller):
    """Principal components of the pool: computed once, then coloured and marked.

    Until they are computed the plot shows the points of the pool before; nothing is
    marked in it then, and what is asked of it is not passed on.
    """

    def listen(self) -> None:
        """Focus and selection from the plot, its axes and colours."""
        self.view: ScatterView = self.parts.scatter
        acts = self.window.acts
        self._projection = Computed(
            *(self.jobs, "views", "pca", "Principal components", project, self.again)
        )
        self._along = Computed(
            *(self.jobs, "views", "kernel along", "A kernel along its run"),
            *(kernel_along, self.again),
        )
        self._placed: tuple[KernelPool, object] | None = None
        self.view.set_tooltip(acts.tooltip, acts.name_of)
        self.view.axes_requested.connect(self._on_axes_requested)
        self.view.plane_requested.connect(partial(self.window.set_chart, "plane"))
        self.view.focus_requested.connect(self._if_current(acts.go_to))
        self.view.selection_requested.connect(
            self._if_current(
                lambda numbers, keys: acts.select_kernels(
                    self._with_equal(numbers), mode_of(keys)
                )
            )
        )
        self.view.name_requested.connect(self.window.rename_class)
        self.view.toggle_requested.connect(
            self._if_current(
                lambda number: acts.select_kernels(
                    self._with_equal(np.array([number])), "toggle"
                )
            )
        )
        for name in ("colour_by", "thumbnails"):
            button = self.widgets[name]
            button.chosen.connect(partial(self.window.set_chart, name))  # type: ignore[attr-defined]

    def show(self, state: ViewState) -> None:
        """Show the points of the scope, once they are computed."""
        charts = state.charts
        self.parts.colour_by.set_choice(charts.colour_by)
        self.parts.thumbnails.set_choice(charts.thumbnails)
        self.view.set_planes({} if state.pairs is None else PLANES)
        if self.is_news("title", title := _title(state)):
            self.window.docks["scatter"].title_line.label.setText(title)
        if (pairs := _plotted(state)) is not None:
            self._projection.forget()
            self._placed = pairs.pool, pairs
            self._place_pairs(state, pairs)
        elif state.pool is None:
            self._projection.forget()
            self._placed = None
            if self.is_news("points", None, state.models):
                self.view.set_content(None, NO_KERNELS if state.models else NO_POINTS)
        elif (found := self._projection.of(state.pool, state.once)) is not None:
            self._placed = found
            self._place(state, found[1])
        looks = self.window.looks
        if self.is_news(
            "thumbnails", charts.thumbnails, self._placed, looks, state.mean
        ):
            on = charts.thumbnails == "on" and self._placed is not None
            self.view.set_thumbnail(self._thumbnails(looks) if on else None)
        self._mark(state)
        self._show_trail(state)

    def set_looks(self, looks: Looks) -> None:
        """Use other colours, also for the points."""
        super().set_looks(looks)
        self.again()

    def _place(self, state: ViewState, found: Projection) -> None:
        """Show the points of the scope on the chosen axes."""
        across, up = state.charts.across, state.charts.up
        kinds = len(found.share)
        if not self.is_news("points", found, state.counted, across, up):
            return
        if not len(found.numbers) or kinds < 2:
            self.view.set_content(None, ALL_FLAT)
            return
        names = tuple(
            f"PC{axis + 1} {rounded(share)}" for axis, share in enumerate(found.share)
        )
        if not {across, up} <= set(range(kinds)) or across == up:
            across, up = 0, 1
        inside: Any = state.counted[found.numbers]
        if inside.all():
            inside = slice(None)  # the same array, not a copy
        numbers = found.numbers[inside]
        missing = int(np.count_nonzero(state.counted)) - len(numbers)
        note = f"{spaced(missing)} flat kernels have no point" if missing else ""
        content = ScatterContent(
            numbers,
            np.ascontiguousarray(found.points[inside][:, [across, up]]),
            (names[across], names[up]),
            note,
        )
        self.view.set_components(names, (across, up))
        self.view.set_content(content, NOTHING_SHOWN)

    def _place_pairs(self, state: ViewState, pairs: PoolPairs) -> None:
        """Show the pairs in scope by their codes, or by how far they moved.

        A pair has the number of its kernel before.
        """
        plane, code = state.charts.plane, None
        if plane == "codes":
            code = None if state.named is None else state.named.code
        if not self.is_news("points", pairs, state.shown, plane, code):
            return
        if plane == "change":
            axes = pairs.found.cosine, pairs.found.scale_ratio
        elif code is None:
            self.view.set_content(None, NO_CODES)
            return
        else:
            axes = code[pairs.first], code[pairs.second]
        points = np.stack(axes, axis=1).astype(np.float32)
        inside = pairs.inside(state.shown)
        there = inside & np.isfinite(points).all(axis=1)
        missing = int(np.count_nonzero(inside)) - int(np.count_nonzero(there))
        note = f"{spaced(missing)} pairs with flat kernels have no point"
        content = ScatterContent(
            pairs.first[there],
            np.ascontiguousarray(points[there]),
            PLANES[plane],
            note if missing else "",
            _SLOPES[plane],
        )
        self.view.set_plane(plane)
        self.view.set_content(content if there.any() else None, NO_PAIRS)

    def _mark(self, state: ViewState) -> None:
        """Colour the points, mark the selected, the focused and the nearest ones."""
        content = self.view.content if self._is_current() else None
        tokens, by = theme.tokens(), state.charts.colour_by
        if self.is_news("colours", content, state.labels, by, tokens) and content:
            self.view.set_classes(*colours_of(state, content.numbers, tokens))
        pairs = _plotted(state)
        selected = state.counted_selected if pairs is None else state.selected
        if self.is_news("selected", content, selected):
            chosen = selected if pairs is None else pairs.as_before(selected)
            self.view.set_selection(chosen[content.numbers] if content else None)
        there = self._is_current()
        if self.is_news("focus", there, content, state.focus, state.near):
            focus, near = state.focus if there else None, state.near
            if focus is not None:
                focus = pairs.before(focus) if pairs else state.standing_for(focus)
            self.view.set_focus(focus)
            near = near if pairs is None else pairs.befores(near)
            self.view.set_marked(near if there else near[:0])

    def _show_trail(self, state: ViewState) -> None:
        """Show the way of the focused kernel along its run."""
        found = self._placed[1] if self._is_current() and self._placed else None
        kernel, run = _of_run(state), state.run
        if not isinstance(found, Projection) or kernel is None or run is None:
            self._along.forget()
            self.view.set_trail(None)
            return
        kernels = run.bank.sizes[kernel.size]
        layer = run.bank.layers[int(kernels.layer[kernel.index])].name
        channel = int(kernels.channel[kernel.index])
        assert run.run is not None
        taps = self._along.of(run.run, kernel.size, layer, channel)
        if taps is None:
            self.view.set_trail(None)
            return
        across, up = state.charts.across, state.charts.up
        kinds = len(found.share)
        if not {across, up} <= set(range(kinds)) or across == up:
            across, up = 0, 1
        self.view.set_trail(found.places(taps)[:, [across, up]])

    def _is_current(self) -> bool:
        """True if the plot's numbers mean the kernels of the pool."""
        return self._placed is not None and self._placed[0] is self.window.state.pool

    def _if_current(self, call: Callable[..., None]) -> Callable[..., None]:
        return lambda *given: call(*given) if self._is_current() else None

    def _with_equal(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Kernels of points, with those for which the points stand as well."""
        state = self.window.state
        if (pairs := _plotted(state)) is not None:
            return pairs.both(numbers)
        if state.once is None:
            return numbers
        mask = np.zeros(len(state.shown), bool)
        mask[numbers] = True
        return np.flatnonzero(state.spread(mask))

    def _thumbnails(self, looks: Looks) -> Callable[[int, int], QImage]:
        """How to draw a kernel at a dense place."""
        assert self._placed is not None
        pool = self._placed[0]
        tokens = theme.tokens()
        paints = WeightColours.of(looks.weights, tokens.panel, tokens.neutral)
        # the plane is that of patterns, which have no mean
        centred = leaves_out_mean(self.window.state.mean, True)

        def thumbnail(number: int, side: int) -> QImage:
            taps = pool.weights_of(number)[None]
            pixels = paints.pixels(without_mean(taps) if centred else taps)[0]
            rows, columns = pixels.shape
            return to_image(enlarge(pixels, *fit_taps(rows, columns, side, side)))

        return thumbnail

    def _on_axes_requested(self, across: int, up: int) -> None:
        charts = replace(self.document.charts, across=across, up=up, plane="pca")
        self.document.show_charts(charts)


def _of_run(state: ViewState) -> KernelRef | None:
    """The focused kernel, if it is one of the run."""
    if state.run is None or state.pool is None or state.focus is None:
        return None
    kernel = state.pool.locate(state.focus)
    return kernel if kernel.model == state.run.id else None


def _plotted(state: ViewState) -> PoolPairs | None:
    """The pairs, if they are what is plotted."""
    return None if state.charts.plane == "pca" else state.pairs


def _title(state: ViewState) -> str:
    """What the plot is called: pairs are not placed by components."""
    return "PCA" if _plotted(state) is None else "Before and after"


def rounded(share: float) -> str:
    """A component's share of the variance; small ones with a decimal."""
    return percent(share, int(share < 0.095))


def _figure_options(document: Document) -> dict[str, object]:
    """Axes and colours of the plot."""
    charts = document.charts
    colour = FIGURE_WORDS.get(charts.colour_by, charts.colour_by)
    return {"components": (charts.across + 1, charts.up + 1), "colour": colour}


def _pair_options(document: Document) -> dict[str, object]:
    """What pairs are placed by, their colours, and how they are paired."""
    colour = _figure_options(document)["colour"]
    plane = document.charts.plane
    return {**match_option(document), "plane": plane, "colour": colour}


def _figure_of_pairs(state: ViewState) -> ViewFigure | None:
    """Another figure while pairs are plotted."""
    if _plotted(state) is None:
        return None
    return ViewFigure("scatter", options=_pair_options)


SCATTER = ViewSpec(
    id="scatter",
    title="PCA",
    make={"scatter": ScatterView},
    controls={
        "colour_by": chart_choice("colourBy", "Colour points", COLOURS),
        "thumbnails": chart_choice("thumbnails", "Draw", THUMBNAILS, BRIEF_THUMBNAILS),
    },
    controller=ScatterController,
    reads=(
        *("models", "pool", "once", "counted", "labels", "charts"),
        *("counted_selected", "focus", "near", "pairs", "shown", "selected", "named"),
        *("run", "mean"),
    ),
    keys=(
        view_keys(
            "PCA",
            "views.scatter.view",
            ("Select", "drag; Alt+drag: lasso; Space: the focused one"),
            ("Look at a neighbour, move the picture", "arrow keys; Shift+arrow keys"),
            ("Zoom, show all", "wheel, + (=), −; double click, Home, 0"),
            ("Give a class a name and a colour", "double click in the legend"),
            ("Give up a drag", "Escape"),
        ),
    ),
    figures={
        "scatterView": ViewFigure(
            "pca", options=_figure_options, instead=_figure_of_pairs
        )
    },
    home=Home("right", 1, 2),
    homes={"compare": Home("right", 1, 0), "label": Home("left", 1, 1)},
)
