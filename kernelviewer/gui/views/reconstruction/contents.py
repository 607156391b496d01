"""What the panels of decoded and focused kernel say of a view state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.gui.tips import class_text
from kernelviewer.gui.views.reconstruction.content import NO_SPECTRUM, ComparisonContent
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import INDEX

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
        if not state.all_analysed:
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
