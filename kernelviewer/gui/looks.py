"""The colours in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.gui.theme import Tokens


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """How the window looks.

    Attributes
    ----------
    tokens
        The colours of the theme.
    colormap
        Name of the colour map of weights.
    weights
        Its colours [K, 3] of 0 … 255, zero in the middle.
    framed
        Whether kernels are framed in the colour of their class.
    """

    tokens: Tokens
    colormap: str
    weights: NDArray[np.float64]
    framed: bool
