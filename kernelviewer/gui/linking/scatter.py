"""Joins document and scatter plot."""

from __future__ import annotations

from dataclasses import replace
from operator import is_
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.linking.point_colours import colours_of
from kernelviewer.gui.painting.kernels import (
    WeightColours,
    enlarge,
    fit_taps,
    to_image,
)
from kernelviewer.gui.text import percent, spaced
from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.scatter import ScatterContent
from kernelviewer.jobs.analysing import project

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import SignalInstance
    from PySide6.QtGui import QImage

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.parts import Parts
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.jobs.analysing import Projection
    from kernelviewer.kernels.equality import Equal
    from kernelviewer.state.document import Document
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState

NO_POINTS = "Open a checkpoint: each kernel becomes a point here, by its pattern."
ALL_FLAT = "All kernels of this size are flat: there is no pattern to compare."
NO_KERNELS = "No depthwise kernels are open."
NOTHING_SHOWN = "The picked layers have no kernels of this size."


class ScatterLinking(QObject):
    """Principal components of the pool: computed once, then coloured and marked.

    Until they are computed the plot shows the points of the pool before; nothing is
    marked in it then, and what is asked of it is not passed on.
    """

    focus_requested = Signal(int)
    """Pool number."""
    selection_requested = Signal(object, object)
    """Pool numbers, int64, and the keyboard modifiers held."""
    toggle_requested = Signal(int)
    """Pool number."""

    def __init__(
        self, document: Document, parts: Parts, jobs: Jobs, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._jobs = document, jobs
        self._view = parts.scatter
        self._state: ViewState | None = None
        self._projected: tuple[KernelPool, Projection] | None = None
        self._projecting: tuple[KernelPool, Equal | None] | None = None
        self._near: NDArray[np.int64] = np.zeros(0, np.int64)
        self._placed: tuple[object, ...] = ()
        self._tokens = LIGHT
        self._paints: WeightColours | None = None
        view = self._view
        view.axes_requested.connect(self._on_axes_requested)
        view.focus_requested.connect(
            lambda number: self._pass_on(self.focus_requested, number)
        )
        view.selection_requested.connect(
            lambda numbers, keys: self._pass_on(
                self.selection_requested, self._with_equal(numbers), keys
            )
        )
        view.toggle_requested.connect(
            lambda number: self._pass_on(self.toggle_requested, number)
        )

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        self._tokens = tokens
        self._view.set_theme(tokens)
        self._colour()

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Draw kernels at dense places in these colours [K, 3] of 0 … 255."""
        tokens = self._tokens
        self._paints = WeightColours.of(colours, tokens.panel, tokens.neutral)
        self._show_thumbnails()

    def show_labels(self, state: ViewState) -> None:
        """Project the pool in the background, once; then only colours change."""
        self._state = state
        if state.pool is None:
            self._projected, self._projecting, self._placed = None, None, ()
            self._view.set_content(None, NO_KERNELS if state.models else NO_POINTS)
            self._mark()
            return
        if self._projecting is None or not all(
            map(is_, self._projecting, (state.pool, state.once))
        ):
            self._projecting = state.pool, state.once
            self._mark()
            reaction = Reaction(done=self._on_projected, quiet=True)
            self._jobs.submit(
                "views",
                "pca",
                "Principal components",
                reaction,
                project,
                state.pool,
                state.once,
            )
        elif self._fits(state):
            self._place(state)

    def show_charts(self, state: ViewState) -> None:
        """Show other components, other colours, thumbnails or none."""
        self._state = state
        self._show_thumbnails()
        if self._fits(state):
            self._place(state)

    def show_selection(self, state: ViewState) -> None:
        """Mark the selected kernels."""
        self._state = state
        content = self._view.content
        if content is not None and self._fits(state):
            self._view.set_selection(state.counted_selected[content.numbers])

    def show_focus(self, state: ViewState) -> None:
        """Ring the focused kernel."""
        self._state = state
        self._mark()

    def show_nearest(self, numbers: NDArray[np.int64]) -> None:
        """Mark the kernels nearest to the slider."""
        self._near = numbers
        self._mark()

    def _on_projected(self, result: tuple[KernelPool, Projection]) -> None:
        if self._state is not None and self._state.pool is result[0]:
            self._projected = result
            self._place(self._state)

    def _place(self, state: ViewState) -> None:
        """Show the points of the scope on the chosen axes."""
        assert self._projected is not None
        _, found = self._projected
        across, up = state.charts.across, state.charts.up
        placed = (found, state.counted, across, up)
        if len(placed) == len(self._placed) and all(
            a is b for a, b in zip(placed, self._placed, strict=True)
        ):
            self._colour()
            return
        self._placed = placed
        kinds = len(found.share)
        if not len(found.numbers) or kinds < 2:
            self._view.set_content(None, ALL_FLAT)
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
        self._view.set_components(names, (across, up))
        self._view.set_content(content, NOTHING_SHOWN)
        self._colour()
        self.show_selection(state)
        self._mark()

    def _mark(self) -> None:
        """Ring the focused and the nearest kernels, if the plot shows their pool."""
        state = self._state
        if state is None or not self._fits(state):
            self._view.set_selection(None)
            self._view.set_focus(None)
            self._view.set_marked(np.zeros(0, np.int64))
        else:
            focus = state.focus
            self._view.set_focus(None if focus is None else state.standing_for(focus))
            self._view.set_marked(self._near)

    def _pass_on(self, signal: SignalInstance, *values: object) -> None:
        """What the plot asks, if its numbers mean the kernels of the pool."""
        if self._state is not None and self._fits(self._state):
            signal.emit(*values)

    def _with_equal(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Kernels of points, with those for which the points stand as well."""
        state = self._state
        if state is None or state.once is None or not self._fits(state):
            return numbers
        mask = np.zeros(len(state.shown), bool)
        mask[numbers] = True
        return np.flatnonzero(state.spread(mask))

    def _colour(self) -> None:
        state, content = self._state, self._view.content
        if state is None or content is None or not self._fits(state):
            return
        self._view.set_classes(*colours_of(state, content.numbers, self._tokens))

    def _fits(self, state: ViewState) -> bool:
        """Whether the scatter shows the pool of this state."""
        return self._projected is not None and self._projected[0] is state.pool

    def _show_thumbnails(self) -> None:
        on = self._document.charts.thumbnails == "on" and self._paints is not None
        self._view.set_thumbnail(self._thumbnail if on else None)

    def _thumbnail(self, number: int, side: int) -> QImage:
        assert self._paints is not None
        assert self._projected is not None
        taps = self._projected[0].weights_of(number)
        pixels = self._paints.pixels(taps[None])[0]
        rows, columns = pixels.shape
        return to_image(enlarge(pixels, *fit_taps(rows, columns, side, side)))

    def _on_axes_requested(self, across: int, up: int) -> None:
        charts = self._document.charts
        self._document.show_charts(replace(charts, across=across, up=up))


def rounded(share: float) -> str:
    """A component's share of the variance; small ones with a decimal."""
    return percent(share) if share < 0.095 else f"{100 * share:.0f}\u202f%"
