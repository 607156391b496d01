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
    """The member of the pattern family that is nearest to a pattern."""

    class_index: int
    """Its class, into `kernelviewer.kernels.classes.CLASSES`."""
    cosine: float
    """With the pattern."""
    sigma: tuple[float, float]
    """σx and σy, px."""
    angle: float
    """Of the derivative's direction, degrees."""
    offset: tuple[float, float]
    """Of its centre from the middle, x and y, px."""


@dataclass(frozen=True, slots=True, eq=False)
class ReconstructionContent:
    """A decoded kernel."""

    code: float
    """0 … 1."""
    taps: NDArray[np.float32]
    """float32 [*size], the pattern."""
    class_index: int | None = None
    """Of the code's stretch; None: nothing is named."""
    family: FamilyFit | None = None
    """None: not known."""


@dataclass(frozen=True, slots=True, eq=False)
class NearKernel:
    """A real kernel near to the decoded one."""

    id: int
    """What `kernel_requested` says."""
    taps: NDArray[np.float32]
    """float32 [*size]"""
    cosine: float
    """With the decoded pattern."""
    title: str = ""
    """Where it is from, for the tooltip."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonContent:
    """The focused kernel beside its reconstruction."""

    kernel: NDArray[np.float32]
    """float32 [*size]; the taps of the layer's support alone where it has one."""
    decoded: NDArray[np.float32] | None = None
    """The same taps of the pattern at its code; None: it has no code."""
    code: float | None = None
    """On the spectrum of what names the kernels; None for flat kernels, and while it is
    not known."""
    fit: float | None = None
    """Cosine with the decoded pattern; None without one."""
    class_index: int | None = None
    """Best class, also where the fit is below the threshold; None: not known."""
    identified: bool = True
    """Whether the fit reaches the threshold."""
    note: str = ""
    """Why there is no code, or which part of the kernel this is."""
    centred: bool = False
    """Whether the kernel's taps are given without their mean."""

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
