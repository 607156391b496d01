"""Classes and coverage of a row of the model tree. Needs no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.gui.text import percent, rough_percent, spaced
from kernelviewer.kernels.classes import CLASSES, INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.state.tally import LayerCounts

UNIDENTIFIED = INDEX["unidentified"]


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Kernels of a layer, a module or a network.

    Attributes
    ----------
    counts
        Kernels per class, in the order of `CLASSES`.
    null
        Share of white noise that would be identified, over the sizes of the kernels;
        None: not known.
    """

    counts: tuple[int, ...]
    null: float | None

    @property
    def named(self) -> int:
        """Identified kernels."""
        return sum(self.counts[:UNIDENTIFIED])

    @property
    def patterned(self) -> int:
        """Kernels that are not flat."""
        return sum(self.counts[: UNIDENTIFIED + 1])

    def text(self) -> str:
        """The identified share; empty where all kernels are flat."""
        return rough_percent(self.named / self.patterned) if self.patterned else "–"

    def lines(self) -> list[str]:
        """Coverage and classes in words."""
        if not self.patterned:
            return ["no kernel with a pattern"]
        share = percent(self.named / self.patterned)
        text = f"{share} identified, {spaced(self.named)} of {spaced(self.patterned)}"
        if self.null is not None:
            text += f"; of white noise {percent(self.null)}"
        classes = [
            f"{CLASSES[i].short} {spaced(count)}"
            for i, count in enumerate(self.counts)
            if count
        ]
        return [text, ", ".join(classes)]


def add_up(layers: Sequence[LayerCounts]) -> RowCounts:
    """One row of several layers; noise is weighed as the kernels with a pattern."""
    counts = tuple(map(sum, zip(*(layer.counts for layer in layers), strict=True)))
    weights = [sum(layer.counts[: UNIDENTIFIED + 1]) for layer in layers]
    nulls = [layer.null for layer in layers]
    if any(null is None for null in nulls) or not sum(weights):
        return RowCounts(counts, None)
    pairs = zip(nulls, weights, strict=True)
    mean = sum(null * weight for null, weight in pairs if null is not None)
    return RowCounts(counts, mean / sum(weights))
