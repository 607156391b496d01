"""All open kernels of one size as one numbered pool: what views draw and select in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from kernelviewer.state.model import KernelRef, LayerRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelSet, LayerInfo, Size
    from kernelviewer.state.model import OpenModel

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class KernelPool:
    """The kernels of one size over all open models, numbered 0 … N−1.

    The weights stay in the banks; only small per-kernel columns are joined.
    """

    size: Size
    models: tuple[OpenModel, ...]
    sets: tuple[KernelSet, ...]
    """Kernel size; the models that have it and their sets, in opening order."""
    starts: NDArray[np.int64]
    """int64 [models + 1]: the pool numbers of model i are starts[i] … starts[i+1]−1."""
    layer_refs: tuple[LayerRef, ...]
    layer: NDArray[np.int32]
    """Layers of this size in order, and int32 [N], each kernel's index into them."""
    channel: NDArray[np.int32]
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    flat: NDArray[np.bool_]
    """As in `KernelSet`, joined; [N]."""

    def __len__(self) -> int:
        return int(self.starts[-1])

    def locate(self, number: int) -> KernelRef:
        """Name of kernel ``number``, which outlives the pool."""
        row = int(np.searchsorted(self.starts, number, side="right")) - 1
        return KernelRef(self.models[row].id, self.size, int(number - self.starts[row]))

    def number(self, ref: KernelRef | None) -> int | None:
        """Pool number of a kernel; None if it is not in this pool."""
        if ref is None or ref.size != self.size:
            return None
        for row, model in enumerate(self.models):
            if model.id == ref.model:
                return int(self.starts[row]) + ref.index
        return None

    def set_of(self, number: int) -> tuple[KernelSet, int]:
        """The set that holds one kernel, and its number there."""
        row = int(np.searchsorted(self.starts, number, side="right")) - 1
        return self.sets[row], int(number - self.starts[row])

    def weights_of(self, number: int) -> NDArray[np.float32]:
        """Weights of one kernel, [*size]."""
        kernels, row = self.set_of(number)
        weights: NDArray[np.float32] = kernels.weights[row]
        return weights

    def layer_of(self, number: int) -> tuple[OpenModel, LayerInfo]:
        """Model and layer of one kernel."""
        ref = self.layer_refs[self.layer[number]]
        model = next(model for model in self.models if model.id == ref.model)
        return model, model.bank.layers[ref.layer]

    def layers_mask(self, wanted: frozenset[LayerRef] | None) -> NDArray[np.bool_]:
        """Bool [N]: kernels of the wanted layers (None: of all)."""
        if wanted is None:
            return np.ones(len(self), bool)
        return self.layers_ticked(wanted)[self.layer]

    def layers_ticked(self, wanted: frozenset[LayerRef] | None) -> NDArray[np.bool_]:
        """Bool [layers]: which of the pool's layers are wanted (None: all)."""
        if wanted is None:
            return np.ones(len(self.layer_refs), bool)
        return np.fromiter((ref in wanted for ref in self.layer_refs), bool)


def make_pool(models: Sequence[OpenModel], size: Size) -> KernelPool:
    """Join the kernels of one size of the given models."""
    having = tuple(model for model in models if size in model.bank.sizes)
    sets = tuple(model.bank.sizes[size] for model in having)
    refs: list[LayerRef] = []
    rows: list[NDArray[np.int32]] = []
    for model, kernels in zip(having, sets, strict=True):
        used, local = np.unique(kernels.layer, return_inverse=True)
        rows.append((local + len(refs)).astype(np.int32))
        refs += [LayerRef(model.id, int(layer)) for layer in used]
    return KernelPool(
        size=size,
        models=having,
        sets=sets,
        starts=np.cumsum([0, *map(len, sets)], dtype=np.int64),
        layer_refs=tuple(refs),
        layer=_join(rows, np.int32),
        channel=_join([kernels.channel for kernels in sets], np.int32),
        scale=_join([kernels.scale for kernels in sets], np.float32),
        offset=_join([kernels.offset for kernels in sets], np.float32),
        flat=_join([kernels.flat for kernels in sets], np.bool_),
    )


def _join(parts: Sequence[NDArray[S]], dtype: type[S]) -> NDArray[S]:
    """One column; a lone part is passed on, not copied."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
