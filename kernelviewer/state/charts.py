"""What the charts beside the grid show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColourBy = Literal["class", "layer", "model", "fit"]
CountOf = Literal["shown", "selected", "models"]
Switch = Literal["on", "off"]
EqualKernels = Literal["once", "all"]
Matrix = Literal["numbers", "shares", "shuffled"]
Plane = Literal["pca", "codes", "change"]


@dataclass(frozen=True, slots=True)
class Charts:
    """Choices of the charts: scatter plot, classes, layers, transitions.

    Attributes
    ----------
    across, up
        Principal components of the axes, from 0.
    colour_by
        What the colour of a point tells.
    thumbnails
        Whether kernels are drawn at the dense places.
    count_of
        Whose kernels the histogram counts: all in scope, the selected ones, or each
        network apart.
    pale
        Whether unidentified kernels stand in the paler colour of their best class.
    equal
        How often kernels count that several open networks have alike, wherever
        networks are counted together (`kernelviewer.kernels.equality`).
    matrix
        What the matrix of classes before and after says: pairs, shares of its rows,
        or pairs with channels shuffled.
    plane
        What the scatter plot's axes are: components, or of the pairs that are
        compared their codes before and after, or cosine and ln of the scale ratio.
    """

    across: int = 0
    up: int = 1
    colour_by: ColourBy = "class"
    thumbnails: Switch = "on"
    count_of: CountOf = "shown"
    pale: Switch = "off"
    equal: EqualKernels = "once"
    matrix: Matrix = "numbers"
    plane: Plane = "pca"

    def __post_init__(self) -> None:
        """Raise ValueError for a component that none can be, as a session may name."""
        if not 0 <= min(self.across, self.up) <= max(self.across, self.up) <= 2**31:
            raise ValueError("names a component that there cannot be")
