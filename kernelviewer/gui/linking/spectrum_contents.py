"""What spectrum and reconstruction say of a view state, and why they may be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.tips import class_text
from kernelviewer.gui.views.reconstruction.content import NO_SPECTRUM, ComparisonContent
from kernelviewer.gui.views.spectrum.content import (
    NO_KERNELS,
    NOTHING_OPEN,
    no_autoencoder,
    not_encoded,
)
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.views.spectrum.content import Absence
    from kernelviewer.state.analysis import Stage
    from kernelviewer.state.view_state import ViewState

UNIDENTIFIED = INDEX["unidentified"]


def without_code(
    state: ViewState, focus: int, kernel: NDArray[np.float32]
) -> ComparisonContent:
    """A kernel alone, with its class of the family, and why it has no code."""
    labels, pool = state.labels, state.pool
    assert pool is not None
    if pool.flat[focus]:
        note = "This kernel is flat, dead or constant: it has no pattern and no code."
        return ComparisonContent(kernel, note=note)
    if labels is None:
        return ComparisonContent(kernel)
    size = size_label(pool.size)
    note = f"No reconstruction: there is no autoencoder for {size} kernels. "
    note += "Class and fit are those of the nearest member of the pattern family."
    best, fit = int(labels.best[focus]), float(labels.fit[focus])
    named = int(labels.label[focus]) != UNIDENTIFIED
    return ComparisonContent(kernel, None, None, fit, best, named, note)


def no_reconstruction(state: ViewState) -> str:
    """What stands in the place of the decoded kernel."""
    if state.pool is not None and state.autoencoder is None:
        if not _all_analysed(state):
            return "A decoded kernel shows here once the kernels are encoded."
        size = size_label(state.pool.size)
        return f"Nothing to decode: there is no autoencoder for {size} kernels yet."
    return NO_SPECTRUM


def near_title(state: ViewState, number: int) -> str:
    """Layer, channel and class of a kernel near to the slider."""
    pool = state.pool
    assert pool is not None
    layer = pool.layer_of(number)[1]
    place = f"{layer.name}, channel {pool.channel[number]}"
    return f"{place}\n{class_text(state, number)}"


def _all_analysed(state: ViewState) -> bool:
    pool = state.pool
    return pool is not None and all(
        (model.id, pool.size) in state.analyses for model in pool.models
    )


def absence(state: ViewState, stage: Stage) -> Absence:
    """Why there is no spectrum."""
    pool = state.pool
    if state.size is None or pool is None:
        return NO_KERNELS if state.models else NOTHING_OPEN
    if not _all_analysed(state):
        return not_encoded(state.size, stage)
    count = int(np.count_nonzero(state.counting(~pool.flat)))
    return no_autoencoder(state.size, count, named=state.named is not None)
