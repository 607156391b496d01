"""What the two views of this package show, and how it is made of the view state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.text import class_text
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.state.view_state import ViewState

NO_SPECTRUM = "Drag the slider of the spectrum: the kernel of its code appears here."
NO_FOCUS = "Click a kernel, or move with the arrow keys, to compare it here."
UNIDENTIFIED = INDEX["unidentified"]


@dataclass(frozen=True, slots=True)
class FamilyFit:
    """The member of the pattern family that is nearest to a pattern.

    Attributes
    ----------
    class_index
        Its class, into `kernelviewer.kernels.classes.CLASSES`.
    cosine
        With the pattern.
    sigma
        σx and σy, px.
    angle
        Of the derivative's direction, degrees.
    offset
        Of its centre from the middle, x and y, px.
    """

    class_index: int
    cosine: float
    sigma: tuple[float, float]
    angle: float
    offset: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class ReconstructionContent:
    """A decoded kernel.

    Attributes
    ----------
    code
        0 … 1.
    taps
        float32 [*size], the pattern.
    class_index
        Of the code's stretch; None: nothing is named.
    family
        None: not known.
    """

    code: float
    taps: NDArray[np.float32]
    class_index: int | None = None
    family: FamilyFit | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NearKernel:
    """A real kernel near to the decoded one.

    Attributes
    ----------
    id
        What `kernel_requested` says.
    taps
        float32 [*size]
    cosine
        With the decoded pattern.
    title
        Where it is from, for the tooltip.
    """

    id: int
    taps: NDArray[np.float32]
    cosine: float
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonContent:
    """The focused kernel beside its reconstruction.

    Attributes
    ----------
    kernel
        float32 [*size]; the taps of the layer's support alone where it has one.
    decoded
        The same taps of the pattern at its code; None: it has no code.
    code
        On the spectrum of what names the kernels; None for flat kernels, and while it
        is not known.
    fit
        Cosine with the decoded pattern; None without one.
    class_index
        Best class, also where the fit is below the threshold; None: not known.
    identified
        Whether the fit reaches the threshold.
    note
        Why there is no code, or which part of the kernel this is.
    centred
        Whether the kernel's taps are given without their mean.
    """

    kernel: NDArray[np.float32]
    decoded: NDArray[np.float32] | None = None
    code: float | None = None
    fit: float | None = None
    class_index: int | None = None
    identified: bool = True
    note: str = ""
    centred: bool = False

    @property
    def reconstruction(self) -> NDArray[np.float32] | None:
        """Best a·pattern + b for the kernel; float32 [*size]."""
        if self.decoded is None:
            return None
        offset = self.kernel.mean()
        centred = self.kernel - offset
        pattern = self.decoded - self.decoded.mean()
        square = float(np.vdot(pattern, pattern)) or 1.0
        found = offset + float(np.vdot(centred, pattern)) / square * pattern
        return np.asarray(found, np.float32)


def without_code(
    state: ViewState, focus: int, kernel: NDArray[np.float32]
) -> ComparisonContent:
    """A kernel alone, and why it has no code."""
    assert state.pool is not None
    note = ""
    if state.pool.flat[focus]:
        note = "This kernel is flat, dead or constant: it has no pattern and no code."
    return ComparisonContent(kernel, note=note)


def cosine(kernel: NDArray[np.float32], pattern: NDArray[np.float32]) -> float:
    """Cosine of two patterns, whatever their offsets and scales; 0 for flat ones."""
    some, other = kernel - kernel.mean(), pattern - pattern.mean()
    length = float(np.linalg.norm(some) * np.linalg.norm(other))
    return float(np.vdot(some, other)) / length if length else 0.0


def no_reconstruction(state: ViewState) -> str:
    """What stands in the place of the decoded kernel."""
    if state.pool is not None and state.spectrum is None:
        if not state.all_analysed:
            return "A decoded kernel shows here once the kernels are encoded."
        if state.named_by == "family":
            return "A decoded kernel shows here once the family has named the kernels."
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
