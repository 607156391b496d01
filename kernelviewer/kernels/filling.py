"""The arrays of one kernel size while layers are added to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from kernelviewer.kernels.bank import KernelSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.statistics import Measures


@dataclass(slots=True)
class Filling:
    """Arrays as long as all planned kernels of a size, the first ``used`` filled."""

    kernels: KernelSet
    used: int = 0

    @classmethod
    def of(cls, size: Size, count: int) -> Self:
        """Make room for ``count`` kernels."""
        return cls(
            KernelSet(
                size,
                weights=np.empty((count, *size), np.float32),
                layer=np.empty(count, np.int32),
                channel=np.empty(count, np.int32),
                scale=np.empty(count, np.float32),
                offset=np.empty(count, np.float32),
                flat=np.empty(count, np.bool_),
            )
        )

    def add(self, weights: NDArray[np.float32], measures: Measures, layer: int) -> None:
        """Put in the kernels of one layer."""
        rows = slice(self.used, self.used + len(weights))
        self.kernels.weights[rows] = weights
        self.kernels.layer[rows] = layer
        self.kernels.channel[rows] = np.arange(len(weights), dtype=np.int32)
        self.kernels.scale[rows] = measures.scale
        self.kernels.offset[rows] = measures.offset
        self.kernels.flat[rows] = measures.flat
        self.used += len(weights)

    def finish(self) -> KernelSet:
        """The filled part, read-only; a layer may have turned out to be fixed."""
        full = self.kernels
        arrays = {
            name: getattr(full, name)[: self.used]
            for name in ("weights", "layer", "channel", "scale", "offset", "flat")
        }
        for array in arrays.values():
            array.flags.writeable = False
        return KernelSet(full.size, **arrays)
