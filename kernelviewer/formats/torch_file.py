"""What the containers of PyTorch share: from a pickle's tree to the file's contents."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.dtypes import ITEMSIZE, STORED
from kernelviewer.formats.leaves import Leaf, no_values
from kernelviewer.formats.network import Contents
from kernelviewer.formats.pickle_values import (
    NumpyArray,
    Span,
    StoredTensor,
)
from kernelviewer.formats.scales import Dequantised
from kernelviewer.formats.stored import Contiguous, FortranOrder, window
from kernelviewer.formats.torch_tree import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Operator
    from kernelviewer.formats.leaves import Load
    from kernelviewer.formats.pickle_values import (
        Readable,
        Storage,
    )

_NUMPY_TYPES = {
    dtype.str.lstrip("<|"): name
    for name, dtype in STORED.items()
    if name != "bfloat16" and not name.startswith("float8")
} | {"b1": "bool"}
_MOST_FACTS, _LONG_FACT = 30, 200


@dataclass(slots=True, eq=False)
class Place:
    """Where the bytes of a storage are."""

    origin: Readable
    start: int
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class SpanBytes:
    """Bytes of an array inside a pickle."""

    span: Span

    def read(self, offset: int, count: int) -> NDArray[np.uint8]:
        """Read bytes as uint8 [count]."""
        data = self.span.read()
        if len(data) != count:
            raise DamagedError("an array in it has another size than it announces")
        return data


class LeafMaker:
    """Turns described tensors and arrays into leaves.

    Parameters
    ----------
    place_of
        Finds a storage's bytes; raises `DamagedError` where there are none.
    big_endian
        Whether the file was written on a big-endian machine.
    """

    def __init__(
        self, place_of: Callable[[Storage], Place], *, big_endian: bool = False
    ) -> None:
        self._place_of = place_of
        self._big_endian = big_endian

    def __call__(self, value: StoredTensor | NumpyArray) -> Leaf:
        """Leaf without a name."""
        if isinstance(value, NumpyArray):
            return _array_leaf(value)
        leaf = self._tensor_leaf(value)
        if value.scale is not None and not leaf.unusable:
            leaf.load = self._dequantised(leaf.load, value)
        return leaf

    def _tensor_leaf(self, tensor: StoredTensor) -> Leaf:
        storage, dtype, shape = tensor.storage, tensor.dtype, tensor.shape
        if dtype not in STORED:
            reason = f"its number type, {dtype}, is not read"
            return Leaf((), "", shape, dtype, no_values, unusable=reason)
        place = self._place_of(storage)
        size = ITEMSIZE[storage.dtype]
        first, stored = storage.first * size, storage.count * size
        if first + stored > place.size:
            raise DamagedError(
                f"its record {storage.key[:80]} holds {place.size:,} bytes "
                f"where {stored:,} are announced"
            )
        load = window(
            *(place.origin, place.start + first, stored // ITEMSIZE[dtype]),
            dtype=dtype,
            offset=tensor.offset,
            shape=shape,
            strides=tensor.strides,
            big_endian=self._big_endian,
        )
        offset = storage.first + tensor.offset
        identity = (self, storage.key, dtype, offset, shape, tensor.strides)
        return Leaf((), "", shape, dtype, load, identity=identity)

    def _dequantised(self, load: Load, tensor: StoredTensor) -> Load:
        along = (*tensor.shape, 1)[tensor.axis : tensor.axis + 1]
        scale, zero = (
            self._numbers(part, along) for part in (tensor.scale, tensor.zero_point)
        )
        return Dequantised(load, scale, zero, tensor.axis)

    def _numbers(self, part: object, along: tuple[int, ...]) -> Load | float:
        """Scale or zero point: a number, or a tensor with one for each index."""
        if isinstance(part, StoredTensor) and part.shape == along:
            return self._tensor_leaf(part).load
        if isinstance(part, int | float):
            return float(part)
        raise DamagedError("a quantised tensor in it has scales that do not fit it")


def _array_leaf(array: NumpyArray) -> Leaf:
    """Leaf of a numpy array."""
    dtype = _NUMPY_TYPES.get(array.dtype, "")
    shape, data = array.shape, array.data
    if isinstance(data, str):
        data = data.encode("latin-1", "replace")
    counts = isinstance(shape, tuple) and all(
        type(count) is int and count >= 0 for count in shape
    )
    if not counts:
        raise DamagedError("an array in it has no possible shape")
    if not dtype or not isinstance(data, bytes | Span):
        reason = "it is a numpy array that holds no plain numbers"
        return Leaf((), "", shape, dtype, no_values, unusable=reason)
    size = prod(shape) * ITEMSIZE[dtype]
    announced = data.count if isinstance(data, Span) else len(data)
    exact = not (isinstance(data, Span) and data.latin1)
    if announced < size or (exact and announced != size):
        raise DamagedError("an array in it has another size than it announces")
    span = data if isinstance(data, Span) else Span.of_bytes(data)
    values = Contiguous(SpanBytes(span), 0, size, dtype, shape, array.big_endian)
    load = FortranOrder(values) if array.fortran else values
    return Leaf((), "", shape, dtype, load)


def torch_contents(
    name: str,
    tree: object,
    make_leaf: LeafMaker,
    check: Callable[[], None],
    operators_of: Callable[[str], Mapping[str, Operator]] = lambda name: {},
) -> Contents:
    """Contents of a file whose pickle holds ``tree``; see `Walk`."""
    walk = Walk(make_leaf, check, operators_of)
    walk.visit(tree)
    facts = _facts(tree)
    metadata: dict[str, object] = {"facts": facts} if facts else {}
    if walk.classes:
        metadata["classes"] = sorted(walk.classes)
    architecture = facts.get("arch") or facts.get("architecture")
    return Contents(
        *(name, walk.leaves, walk.skipped),
        numbers=walk.numbers,
        architecture=architecture if isinstance(architecture, str) else "",
        metadata=metadata,
    )


def _facts(tree: object) -> dict[str, object]:
    """What a training script noted beside the weights: its epoch, its accuracy."""
    if not isinstance(tree, dict):
        return {}
    plain = {
        key: value
        for key, value in tree.items()
        if isinstance(key, str) and type(value) in (str, int, float, bool)
    }
    short = [item for item in plain.items() if len(str(item)) < _LONG_FACT]
    return dict(short[:_MOST_FACTS])
