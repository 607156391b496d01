"""What the spectrum view shows."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING

from kernelviewer.gui.text import spaced
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import class_shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.analysis import Stage, Status

NARROWEST = 0.002
"""Borders keep this distance from each other, in codes."""


@dataclass(frozen=True, slots=True)
class StretchSpan:
    """A part of the code's axis whose kernels bear one class."""

    start: float
    stop: float
    """Codes, 0 … 1."""
    class_index: int
    """Into `kernelviewer.kernels.classes.CLASSES`."""
    cosine: float
    """Mean cosine of the decoded patterns with the class's family; NaN: not known."""
    name: str = ""
    """What stands under it; empty: the class's short name."""
    note: str = ""
    """What else its tooltip says, such as how many kernels bear its code."""
    colour: str = ""
    """Its own, ``#RRGGBB``; empty: the class's."""

    @property
    def label(self) -> str:
        """What stands under it."""
        return self.name or class_shown(self.class_index).short

    @property
    def title(self) -> str:
        """Its name where there is room."""
        return self.name or class_shown(self.class_index).name

    @property
    def span(self) -> str:
        """Its codes as text."""
        return f"{self.start:.3f}–{self.stop:.3f}"

    @property
    def quality(self) -> str:
        """How well it fits the family, as text; empty: not known."""
        return "" if isnan(self.cosine) else f"family cosine {self.cosine:.2f}"

    @property
    def middle(self) -> float:
        """Code half way."""
        return (self.start + self.stop) / 2


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumContent:
    """The decoded curve and the stretches of its axis.

    Raises
    ------
    ValueError
        If the table is empty or the stretches do not cover the axis in order.
    """

    table: NDArray[np.float32]
    """float32 [M, *size], decoded patterns at M equal steps of the code from 0 to 1."""
    stretches: tuple[StretchSpan, ...] = ()
    """From 0 to 1 without gaps; empty: nothing is named."""
    edited: bool = False
    """Whether a user changed the stretches, so that they can be reset."""
    editable: bool = True
    """Whether a user can change them: those of the family can't be."""

    def __post_init__(self) -> None:
        if not len(self.table):
            raise ValueError("a spectrum has at least one decoded pattern")
        edge = 0.0
        for stretch in self.stretches:
            if stretch.start != edge or stretch.stop <= stretch.start:
                raise ValueError("stretches must cover the axis from 0 to 1 in order")
            edge = stretch.stop
        if self.stretches and edge != 1.0:
            raise ValueError("stretches must cover the axis from 0 to 1 in order")

    @property
    def size(self) -> Size:
        """Kernel size."""
        return tuple(self.table.shape[1:])

    @property
    def spans(self) -> list[tuple[float, float]]:
        """Lower and upper code of each stretch."""
        return [(stretch.start, stretch.stop) for stretch in self.stretches]

    def row_at(self, z: float) -> int:
        """Row of the table nearest to a code."""
        return round(min(max(z, 0.0), 1.0) * (len(self.table) - 1))

    def stretch_at(self, z: float) -> int | None:
        """Which stretch a code lies in; a border belongs to the stretch after it."""
        if not self.stretches:
            return None
        found = bisect_right(self.stretches, z, key=lambda stretch: stretch.start) - 1
        return min(max(found, 0), len(self.stretches) - 1)

    def limits_of(self, border: int) -> tuple[float, float]:
        """Between which codes a border can be moved."""
        before, after = self.stretches[border : border + 2]
        least = min(NARROWEST, (after.stop - before.start) / 4)
        return before.start + least, after.stop - least

    def with_border(self, border: int, z: float) -> SpectrumContent:
        """The same with border ``border`` (after stretch ``border``) at a code."""
        stretches = list(self.stretches)
        stretches[border] = replace(stretches[border], stop=z)
        stretches[border + 1] = replace(stretches[border + 1], start=z)
        return replace(self, stretches=tuple(stretches))


@dataclass(frozen=True, slots=True)
class Absence:
    """Why there is no spectrum, and what would give one."""

    title: str
    text: str = ""
    """What is said."""
    train: bool = False
    """Whether training is offered."""
    encode: bool = False
    """Whether encoding is."""


NOTHING_OPEN = Absence(
    "The spectrum",
    "Open a checkpoint: each of its kernels gets a number, its code, and this strip "
    "shows what every value of that number looks like.",
)
NO_KERNELS = Absence(
    "No depthwise kernels",
    "The open networks have none, so there is nothing to encode. Layers that only look "
    "depthwise can be included by hand: right-click them in the tree.",
)


def not_named(size: Size, status: Status) -> Absence:
    """The family, whose spectrum is wanted, has not named kernels of this size."""
    name = f"{size_label(size)} kernels"
    if status == "ask":
        text = "That was cancelled, or has failed: ask for it under Class names."
        return Absence(f"The {name} are not named by the family", text)
    return Absence(f"Naming {name} by the family…")


def no_autoencoder(size: Size, count: int) -> Absence:
    """Neither an autoencoder nor the family is there for kernels of this size.

    ``count``: open kernels that are not flat.
    """
    text = f"Train one on the {spaced(count)} open kernels to fill the spectrum. "
    text += "The pattern family has no members of this size, so nothing is named."
    title = f"No autoencoder for {size_label(size)} kernels yet"
    return Absence(title, text, train=count > 0)


def not_encoded(size: Size, stage: Stage) -> Absence:
    """The kernels of this size have no codes yet, or no more."""
    name = f"{size_label(size)} kernels"
    match stage:
        case "starting":
            return Absence("Starting torch…", f"Then the {name} are encoded.")
        case "encoding":
            return Absence(f"Decoding the spectrum of {name}…")
        case "stopped":
            title = f"The {name} are not encoded"
            text = "It was cancelled or has failed: Show Jobs (Ctrl+J) says which."
            return Absence(title, text, encode=True)


STAGES: dict[Stage, str] = {
    "starting": "starting torch…",
    "encoding": "encoding…",
    "stopped": "not encoded: Analysis → Compute Missing Codes",
}
"""What stands in the place of the density."""
