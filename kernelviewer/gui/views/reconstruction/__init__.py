"""The decoded kernel of a code, and the focused kernel beside its reconstruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.view import (
    Computed,
    Controller,
    Home,
    ViewFigure,
    ViewSpec,
    view_keys,
)
from kernelviewer.gui.views.reconstruction.content import (
    FamilyFit,
    NearKernel,
    ReconstructionContent,
    near_title,
    no_reconstruction,
)
from kernelviewer.gui.views.reconstruction.view import ReconstructionView
from kernelviewer.jobs.analysing import fit_points
from kernelviewer.kernels.statistics import without_mean
from kernelviewer.latent.stretches import stretch_at
from kernelviewer.state.arrangement import leaves_out_mean
from kernelviewer.state.similarity import cosines, row_at
from kernelviewer.state.work import START

if TYPE_CHECKING:
    from kernelviewer.kernels.family import FamilyFit as PointFits
    from kernelviewer.state.view_state import ViewState


class ReconstructionController(Controller):
    """The pattern that the slider's code is decoded to, and the kernels near it."""

    def listen(self) -> None:
        """A near kernel can be gone to."""
        self.view: ReconstructionView = self.parts.reconstruction
        self.view.kernel_requested.connect(self.window.acts.go_to)
        title = "Fit the family to the spectrum"
        task, ready = fit_points, self.again
        self._fits = Computed(  # one for each naming
            self.jobs, "compute", "points", title, task, ready, keeps=2
        )

    def show(self, state: ViewState) -> None:
        """Show what lies at the slider, or what would fill the place."""
        self.view.set_message(no_reconstruction(state))
        fits = None
        if state.spectrum is None:
            self._fits.forget()
        else:
            fits = self._fits.of(state.spectrum)
        row = row_at(state.position)
        shown = (state.spectrum, row, fits, state.stretches, state.naming)
        if self.is_news("content", *shown):
            self.view.set_content(_content(state, row, fits))
        titles = tuple(near_title(state, number) for number in state.near.tolist())
        if self.is_news("near", state.near, titles, state.mean):
            centred = leaves_out_mean(state.mean, True)
            self.view.set_nearest(_near(state, row, titles, centred), centred)


def _content(
    state: ViewState, row: int, fits: PointFits | None
) -> ReconstructionContent | None:
    if state.spectrum is None:
        return None
    class_index = None
    if state.stretches is not None:
        number = stretch_at(state.stretches, state.position)
        class_index = state.stretches[number].class_index
    family = None
    if fits is not None:
        family = FamilyFit(
            int(fits.index_in(state.naming.scheme("family"))[row]),
            float(fits.cosine[row]),
            (float(fits.sigma_x[row]), float(fits.sigma_y[row])),
            float(fits.angle[row]),
            (float(fits.offset_x[row]), float(fits.offset_y[row])),
        )
    taps = state.spectrum[row]
    return ReconstructionContent(state.position, taps, class_index, family)


def _near(
    state: ViewState, row: int, titles: tuple[str, ...], centred: bool
) -> tuple[NearKernel, ...]:
    """The real kernels nearest to the decoded one, the nearest first.

    ``centred``: without their mean, as that is.
    """
    pool, spectrum, numbers = state.pool, state.spectrum, state.near
    if pool is None or spectrum is None or not len(numbers):
        return ()
    found = cosines(pool, spectrum[row], numbers).tolist()
    taps = np.stack([pool.weights_of(number) for number in numbers.tolist()])
    drawn = without_mean(taps) if centred else taps
    rows = zip(numbers.tolist(), drawn, found, titles, strict=True)
    return tuple(NearKernel(*row) for row in rows)


RECONSTRUCTION = ViewSpec(
    id="reconstruction",
    title="Reconstruction",
    make={"reconstruction": ReconstructionView},
    controller=ReconstructionController,
    reads=(
        *("pool", "autoencoder", "known", "spectrum", "stretches", "labels"),
        *("position", "near", "naming", "mean"),
    ),
    keys=(
        view_keys(
            "Surface",
            "views.reconstruction.surface",
            ("Turn, turn back", "drag, arrow keys; double click, Home"),
            ("Give up a drag", "Escape"),
        ),
        view_keys(
            "Nearest kernels",
            "views.reconstruction.thumbnails",
            ("Look at one", "click; arrow keys, then Enter or Space"),
        ),
    ),
    figures={
        "reconstructionView": ViewFigure(
            "kernel", options=lambda document: {"mark": round(document.position, 4)}
        )
    },
    home=Home("right", 0, 0),
    says=lambda state: state.focus is not None or state.position != START,
    homes={"compare": Home("right", 1, 1)},
)
