"""One array found in a file, before it is known what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.formats.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Operator

    Load = Callable[[], NDArray[np.generic]]


@dataclass(slots=True, eq=False)
class Leaf:
    """An array in a file.

    Attributes
    ----------
    path
        Keys from the file's root; the last is the dotted name in its state dict.
    raw_name
        The path as people write it: ``params/body.0.weight``, ``blocks[3]/weight``.
    shape, dtype, load, operator
        As in `kernelviewer.formats.Tensor`.
    identity
        Equal for two names of the very same values; None where that cannot be.
    in_state_dict
        Whether it lies in a network's state dict (or module) rather than loose in
        some dictionary.
    unusable
        Why it cannot be read, a clause; else empty.
    """

    path: tuple[str, ...]
    raw_name: str
    shape: tuple[int, ...]
    dtype: str
    load: Load
    operator: Operator | None = None
    identity: Hashable = None
    in_state_dict: bool = True
    unusable: str = ""


def no_values() -> NDArray[np.generic]:
    """Stand in for reading what cannot be read; such leaves are left out."""
    raise DamagedError("a tensor in it cannot be read")
