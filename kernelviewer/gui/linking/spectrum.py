"""Joins document and views as to the spectrum, its slider and reconstructions."""

from __future__ import annotations

from dataclasses import replace
from operator import is_
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.linking.lay_out import POINTS
from kernelviewer.gui.linking.spectrum_contents import (
    absence,
    near_title,
    no_reconstruction,
    without_code,
)
from kernelviewer.gui.views.reconstruction.content import (
    ComparisonContent,
    FamilyFit,
    NearKernel,
    ReconstructionContent,
)
from kernelviewer.gui.views.spectrum.content import (
    STAGES,
    SpectrumContent,
    Stretch,
)
from kernelviewer.gui.views.spectrum.density import bin_codes, count_codes
from kernelviewer.jobs.analysing import fit_points
from kernelviewer.kernels.classes import CLASSES, INDEX
from kernelviewer.latent import segments as stretches
from kernelviewer.state.selection import CodeRange
from kernelviewer.state.similarity import cosines
from kernelviewer.state.tally import order_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.parts import Parts
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.kernels.family import FamilyFit as PointFits
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.analysis import PoolLabels, Stage
    from kernelviewer.state.document import Document
    from kernelviewer.state.selection import Mode
    from kernelviewer.state.view_state import ViewState

NEAREST = 12
CANDIDATES = 4096
"""How many kernels of nearest code are looked through for the nearest pattern."""
UNIDENTIFIED = INDEX["unidentified"]


class SpectrumLinking(QObject):
    """Spectrum, latent slider, reconstruction and comparison.

    Attributes
    ----------
    near
        The kernels in scope that are nearest to the slider, nearest first.
    """

    nearest_changed = Signal(object, object)
    """The pool, and in it the numbers of the kernels nearest to the slider, int64."""

    def __init__(
        self, document: Document, parts: Parts, jobs: Jobs, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._parts, self._jobs = document, parts, jobs
        self._state: ViewState | None = None
        self._stage: Stage = "encoding"
        self._autoencoder: Autoencoder | None = None
        self._table: NDArray[np.float32] | None = None
        self._fits: PointFits | None = None
        self._counted: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None
        self._binned: tuple[NDArray[np.float32], NDArray[np.uint16]] | None = None
        self._drawn: tuple[int, tuple[object, ...]] | None = None
        self._sorted: (
            tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]] | None
        ) = None
        self.near: tuple[NearKernel, ...] = ()
        self._listen()

    def _listen(self) -> None:
        view, document = self._parts.spectrum, self._document
        view.position_requested.connect(document.set_position)
        view.range_moved.connect(lambda a, b, mode: self._select(a, b, mode, True))
        view.range_requested.connect(lambda a, b, mode: self._select(a, b, mode, False))
        view.range_dropped.connect(document.give_up_drag)
        view.clear_requested.connect(document.clear_selection)
        view.border_moved.connect(lambda i, z: self._move_border(i, z, True))
        view.border_set.connect(lambda i, z: self._move_border(i, z, False))
        view.border_dropped.connect(lambda border: document.give_up_drag())
        view.rename_requested.connect(self._on_rename_requested)
        view.split_requested.connect(self._on_split_requested)
        view.merge_requested.connect(self._on_merge_requested)
        view.reset_requested.connect(self.reset)
        self._parts.comparison.code_requested.connect(document.set_position)

    def reset(self) -> None:
        """Name the stretches as the autoencoder does."""
        size = self._document.size
        if size is not None and size in self._document.marks.segments:
            self._edit(None, "Reset of Stretches")

    def set_theme(self, tokens: Tokens) -> None:
        """Use these colours."""
        for view in (
            self._parts.spectrum,
            self._parts.reconstruction,
            self._parts.comparison,
        ):
            view.set_theme(tokens)

    def show_spectrum(
        self, autoencoder: Autoencoder | None, segments: Segments | None
    ) -> None:
        """Draw the decoded curve and its stretches."""
        if autoencoder is None or segments is None:
            self._autoencoder = self._table = self._fits = None
            self._parts.spectrum.set_spectrum(None)
            return
        if autoencoder is not self._autoencoder:
            self._autoencoder = autoencoder
            self._table = autoencoder.spectrum(POINTS)
            self._fits = None
            reaction = Reaction(done=self._on_points_fitted, quiet=True)
            title = "Fit the family to the spectrum"
            self._jobs.submit(
                "compute", "points", title, reaction, fit_points, self._table
            )
        assert self._table is not None
        edited = not stretches.same_names(segments, autoencoder.segments)
        parts = tuple(
            Stretch(s.low, s.high, s.class_index, s.family_cosine, s.name)
            for s in segments
        )
        self._parts.spectrum.set_spectrum(SpectrumContent(self._table, parts, edited))

    def show_labels(self, state: ViewState) -> None:
        """Show the density of codes, and why there may be none."""
        self._state = state
        self._parts.reconstruction.set_message(no_reconstruction(state))
        self._show_stage(state)
        self._show_reconstruction(state)

    def set_stage(self, stage: Stage) -> None:
        """Say why kernels without codes have none."""
        self._stage = stage
        if self._state is not None:
            self._show_stage(self._state)

    def _show_stage(self, state: ViewState) -> None:
        self._parts.spectrum.set_absence(absence(state, self._stage))
        self._show_density(state)

    def show_selection(self, state: ViewState) -> None:
        """Show the selected part of the density, and the ranges selected by code."""
        self._state = state
        self._show_density(state)
        ranges = tuple(
            (step.query.low, step.query.high)
            for step in state.selection.steps
            if isinstance(step.query, CodeRange)
        )
        self._parts.spectrum.set_ranges(ranges)

    def show_position(self, state: ViewState) -> None:
        """Move the slider and show what lies there."""
        self._state = state
        self._parts.spectrum.set_position(state.position)
        self._show_reconstruction(state)

    def show_focus(self, state: ViewState) -> None:
        """Compare the focused kernel with its reconstruction."""
        self._state = state
        pool, focus, labels = state.pool, state.focus, state.labels
        self._parts.comparison.setVisible(focus is not None)
        if pool is None or focus is None:
            self._parts.comparison.set_content(None)
            self._parts.spectrum.set_mark(None)
            return
        kernel = pool.weights_of(focus)
        code = float("nan") if labels is None else float(labels.code[focus])
        if labels is None or self._table is None or np.isnan(code):
            content = without_code(state, focus, kernel)
            self._parts.spectrum.set_mark(None)
        else:
            content = ComparisonContent(
                kernel,
                self._table[round(code * (POINTS - 1))],
                code,
                float(labels.fit[focus]),
                int(labels.best[focus]),
                int(labels.label[focus]) != UNIDENTIFIED,
            )
            self._parts.spectrum.set_mark(code)
        self._parts.comparison.set_content(content)

    def _show_density(self, state: ViewState) -> None:
        named = state.named
        if named is None:
            self._counted = None
            self._parts.spectrum.set_density(None, STAGES[self._stage])
            return
        if self._binned is None or self._binned[0] is not named.code:
            self._binned = (named.code, bin_codes(named.code))
            self._counted = None
        counted = (state.counted, state.counted_selected)
        if self._counted is not None and all(map(is_, counted, self._counted)):
            return
        self._counted = counted
        some = state.counted_selected if state.selected.any() else None
        density = count_codes(self._binned[1], state.counted, some)
        self._parts.spectrum.set_density(density)

    def _show_reconstruction(self, state: ViewState) -> None:
        if self._table is None:
            self._drawn = None
            self._parts.reconstruction.set_content(None)
            self._tell_nearest(())
            return
        row = round(state.position * (POINTS - 1))
        drawn = (self._table, self._fits, state.segments, state.named, state.counted)
        if (
            self._drawn is not None
            and self._drawn[0] == row
            and all(map(is_, drawn, self._drawn[1]))
        ):
            self._name_nearest(state)
            return
        self._drawn = (row, drawn)
        taps = self._table[row]
        class_index = None
        if state.segments is not None:
            number = stretches.segment_at(state.segments, state.position)
            class_index = state.segments[number].class_index
        self._parts.reconstruction.set_content(
            ReconstructionContent(state.position, taps, class_index, self._fit_of(row))
        )
        self._show_nearest(state, taps)

    def _show_nearest(self, state: ViewState, taps: NDArray[np.float32]) -> None:
        """The kernels in scope nearest to a pattern, by cosine."""
        pool, named = state.pool, state.named
        if pool is None or named is None:
            self._tell_nearest(())
            return
        numbers = self._near_codes(named, state.position)
        numbers = numbers[state.counted[numbers]]
        found = cosines(pool, taps, numbers)
        best = np.argsort(-found, kind="stable")[:NEAREST]
        near: list[NearKernel] = []
        for place in best:
            number = int(numbers[place])
            title = near_title(state, number)
            taps_near = pool.weights_of(number)
            near.append(NearKernel(number, taps_near, float(found[place]), title))
        self._tell_nearest(tuple(near))

    def _name_nearest(self, state: ViewState) -> None:
        """Say the classes of the nearest kernels anew: the threshold may differ."""
        if state.pool is None:
            return
        named = tuple(
            replace(near, title=near_title(state, near.id)) for near in self.near
        )
        if any(a.title != b.title for a, b in zip(named, self.near, strict=True)):
            self.near = named
            self._parts.reconstruction.set_nearest(named)

    def _tell_nearest(self, near: tuple[NearKernel, ...]) -> None:
        self.near = near
        self._parts.reconstruction.set_nearest(near)
        numbers = np.array([kernel.id for kernel in near], np.int64)
        pool = None if self._state is None else self._state.pool
        self.nearest_changed.emit(pool, numbers)

    def _near_codes(self, named: PoolLabels, position: float) -> NDArray[np.int64]:
        """Numbers of the kernels whose codes are nearest to a position."""
        if self._sorted is None or self._sorted[0] is not named.code:
            order = order_of(named.code)
            self._sorted = (named.code, order, named.code[order])
        _, order, codes = self._sorted
        place = int(np.searchsorted(codes, position))
        near = order[max(0, place - CANDIDATES // 2) : place + CANDIDATES // 2]
        return near.astype(np.int64)

    def _fit_of(self, row: int) -> FamilyFit | None:
        fits = self._fits
        if fits is None:
            return None
        return FamilyFit(
            int(fits.class_index[row]),
            float(fits.cosine[row]),
            (float(fits.sigma_x[row]), float(fits.sigma_y[row])),
            float(fits.angle[row]),
            (float(fits.offset_x[row]), float(fits.offset_y[row])),
        )

    def _on_points_fitted(self, fits: PointFits | None) -> None:
        self._fits = fits
        if self._state is not None:
            self._show_reconstruction(self._state)

    def _select(self, low: float, high: float, mode: Mode, dragging: bool) -> None:
        self._document.select(mode, CodeRange(low, high), dragging=dragging)

    def _move_border(self, border: int, code: float, dragging: bool) -> None:
        if (now := self._segments()) is not None:
            moved = stretches.move_border(now, border, code)
            self._edit(moved, dragging=dragging)

    def _on_rename_requested(self, stretch: int, class_index: int) -> None:
        if (now := self._segments()) is not None:
            renamed = stretches.rename(now, stretch, CLASSES[class_index].id, "")
            self._edit(renamed, "Rename")

    def _on_split_requested(self, stretch: int, code: float) -> None:
        if (now := self._segments()) is not None:
            self._edit(stretches.split(now, code), "Split")

    def _on_merge_requested(self, stretch: int, neighbour: int) -> None:
        if (now := self._segments()) is not None:
            kept = now[neighbour]
            lower = min(stretch, neighbour)
            joined = stretches.merge(now, lower)
            merged = stretches.rename(joined, lower, kept.class_id, kept.name)
            self._edit(merged, "Merge")

    def _segments(self) -> Segments | None:
        size = self._document.size
        return self._document.segments_of(size) if size else None

    def _edit(
        self,
        segments: Segments | None,
        act: str = "Border Move",
        *,
        dragging: bool = False,
    ) -> None:
        if (size := self._document.size) is not None:
            self._document.set_segments(size, segments, act=act, dragging=dragging)
