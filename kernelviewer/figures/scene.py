"""What a figure shows: networks, a kernel size, and which of the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.errors import FigureError
from kernelviewer.kernels.bank import size_key, size_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, KernelSet, Size


@dataclass(frozen=True, eq=False)
class Subject:
    """One network in a figure.

    Attributes
    ----------
    bank, size
        Its kernels and the size looked at.
    shown
        Which of them, bool [N]; None: all.
    sha256
        Hash of the file, hexadecimal; empty where it is not known.
    """

    bank: KernelBank
    size: Size
    shown: NDArray[np.bool_] | None = None
    sha256: str = ""

    @property
    def kernels(self) -> KernelSet:
        """All kernels of the size."""
        return self.bank.sizes[self.size]

    @cached_property
    def index(self) -> NDArray[np.intp]:
        """Indices of what is shown, by layer and channel."""
        kernels = self.kernels
        order = np.lexsort((kernels.channel, kernels.layer))
        return order if self.shown is None else order[self.shown[order]]

    def layers(self) -> list[tuple[str, NDArray[np.intp]]]:
        """Name and indices of what is shown of each layer, in network order."""
        index = self.index
        layer = self.kernels.layer[index]
        starts = np.flatnonzero(np.diff(layer, prepend=-1))
        return [
            (self.bank.layers[layer[part[0]]].name, index[part])
            for part in np.split(np.arange(len(index)), starts[1:])
            if len(part)
        ]


@dataclass(frozen=True, eq=False)
class Scene:
    """The networks of a figure, all seen at one kernel size."""

    subjects: tuple[Subject, ...]
    size: Size

    @property
    def count(self) -> int:
        """Number of kernels shown."""
        return sum(len(subject.index) for subject in self.subjects)


def make_scene(banks: Sequence[KernelBank], size: Size | None = None) -> Scene:
    """Scene of all kernels of a size.

    Parameters
    ----------
    banks
        Networks; those without kernels of the size are left out.
    size
        Default: the size with most kernels in all of them together.

    Raises
    ------
    FigureError
        No network has kernels of the size, or there are none at all.
    """
    counts: dict[Size, int] = {}
    for bank in banks:
        for key, kernels in bank.sizes.items():
            counts[key] = counts.get(key, 0) + len(kernels)
    names = ", ".join(bank.name for bank in banks)
    if not counts:
        msg = f"{names}: there are no depthwise kernels to show"
        raise FigureError(msg)
    size = size or max(counts, key=lambda key: (counts[key], key))
    if size not in counts:
        sizes = ", ".join(map(size_key, counts))
        problem = f"{names}: there are no {size_label(size)} kernels"
        raise FigureError(problem, f"There are kernels of the sizes {sizes}.")
    return Scene(
        tuple(Subject(bank, size) for bank in banks if size in bank.sizes), size
    )
