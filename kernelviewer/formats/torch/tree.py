"""From what a PyTorch pickle holds to the arrays in it.

Dictionaries and lists are walked, modules by their ``_parameters``, ``_buffers`` and
``_modules``, and other objects by their attributes. Optimizers, schedulers and the like
are left out here, as whole branches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelviewer.formats.checkpoint import Skipped, operator_of
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.network.assemble import Contents
from kernelviewer.formats.network.folding import Dequantised
from kernelviewer.formats.network.roles import (
    OPTIMIZER,
    array_role,
    branch_role,
    is_optimizer,
    object_role,
)
from kernelviewer.formats.stored import (
    ITEMSIZE,
    STORED,
    Contiguous,
    FortranOrder,
    Leaf,
    no_values,
    window,
)
from kernelviewer.formats.torch.pickle_values import (
    Global,
    NumpyArray,
    Span,
    StoredTensor,
    Stub,
    Unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Operator
    from kernelviewer.formats.stored import Load
    from kernelviewer.formats.torch.pickle_values import Readable, Storage
    from kernelviewer.watch import Watch


MAX_DEPTH = 100
MAX_KEYS = 24
MAX_VALUES = 2_000_000
_ARRAY_COUNTS = 20
_CONTAINERS = (dict, list, tuple, Stub)
_MODULE_KEYS = {"_parameters", "_modules"}
_WEIGHT = re.compile(r"weight(_\w+)?|parametrizations\.weight\.original\d?")
"""A module's weight, or a part that re-parametrisation keeps of it."""
_QUANTISED = re.compile(r"torch(\.ao)?\.nn\.(intrinsic\.)?quantized\.")
_QUANTISED_FACTS = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation"),
    *("transposed", "output_padding", "groups"),
)
_PLAIN_CLASSES = ("collections", "builtins", "__builtin__", "argparse", "pathlib", "")


class _Place(NamedTuple):
    """Where the walk is: keys so far, the raw name, whether inside a module."""

    path: tuple[str, ...]
    raw_name: str
    in_module: bool = False
    depth: int = 0

    def entered(self, key: str) -> _Place:
        """Step into a dictionary's key."""
        raw = f"{self.raw_name}/{key}" if self.raw_name else key
        return _Place((*self.path, key), raw, False, self.depth + 1)

    def numbered(self, index: int) -> _Place:
        """Step into a list's element."""
        raw = f"{self.raw_name}[{index}]"
        return _Place((*self.path, str(index)), raw, False, self.depth + 1)

    def inside(self, name: str) -> _Place:
        """Step to a module's part: names within a module are joined by dots."""
        if not self.in_module:
            return self.entered(name)._replace(in_module=True)
        path = (*self.path[:-1], f"{self.path[-1]}.{name}")
        return _Place(path, f"{self.raw_name}.{name}", True, self.depth + 1)


class Walk:
    """Collects the arrays of one tree.

    Parameters
    ----------
    make_leaf
        Turns a described tensor or array into a leaf without a place.
    operators_of
        Name of a TorchScript class → its attributes that convolutions use.

    Attributes
    ----------
    leaves, skipped
        What was found, in order, and the branches that were left out.
    numbers
        Raw name → value of numbers that may be scales of quantised arrays.
    classes
        Names of the classes met, whose code was not run.
    """

    def __init__(
        self,
        make_leaf: Callable[[StoredTensor | NumpyArray], Leaf],
        watch: Watch,
        operators_of: Callable[[str], Mapping[str, Operator]] = lambda name: {},
    ) -> None:
        self.leaves: list[Leaf] = []
        self.skipped: list[Skipped] = []
        self.numbers: dict[str, float] = {}
        self.classes: set[str] = set()
        self._make_leaf = make_leaf
        self._operators_of = operators_of
        self._watch = watch
        self._seen: dict[int, tuple[object, str, bool]] = {}
        self._values = 0

    def visit(self, value: object, place: _Place | None = None) -> None:
        """Collect what lies below a value; without a place it is the file's root."""
        place = place or _Place((), "")
        kind = type(value)
        if kind in ARRAYS:
            self._array(value, place, in_state_dict=place.in_module)
        elif kind in _CONTAINERS:
            self._container(value, place)
        elif kind in (float, int) and place.path:
            key = place.path[-1]
            if "scale" in key or "zero" in key:
                self.numbers[place.raw_name] = value  # type: ignore[assignment]

    def _container(self, value: Any, place: _Place) -> None:
        """Walk a container, once: others that are the same object are left out."""
        if place.depth > MAX_DEPTH or len(place.path) > MAX_KEYS:
            self.skipped.append(Skipped(place.raw_name, "it is nested too deeply"))
            return
        seen = self._seen.get(id(value))
        if seen is not None:
            _, first, held_arrays = seen
            if held_arrays:
                reason = f"the same object as {first}"
                self.skipped.append(Skipped(place.raw_name, reason))
            return
        self._seen[id(value)] = (value, place.raw_name, False)  # keeps the id taken
        before = len(self.leaves)
        if isinstance(value, dict):
            self._dictionary(value, place)
        elif isinstance(value, Stub):
            self._object(value, place)
        else:
            self._count(len(value))
            for index, item in enumerate(value):
                if isinstance(item, ARRAYS + _CONTAINERS):
                    self.visit(item, place.numbered(index))
        self._seen[id(value)] = (value, place.raw_name, len(self.leaves) > before)

    def _dictionary(self, values: dict[Any, Any], place: _Place) -> None:
        """Walk a dictionary, which may be a state dict."""
        if values.keys() >= _MODULE_KEYS:
            self._module(values, place)
            return
        if is_optimizer(values):
            self.skipped.append(Skipped(place.raw_name or "the file", OPTIMIZER))
            return
        self._count(len(values))
        before = len(self.leaves)
        in_state_dict = _is_state_dict(values)
        for key, value in values.items():
            name = label_of(key)
            there = place.entered(name)
            if isinstance(value, ARRAYS):
                self._array(value, there, in_state_dict=in_state_dict)
            elif isinstance(value, _CONTAINERS):
                if is_packed(name, value) and self._packed(value, there):
                    continue
                role = branch_role(name) and array_role(name, most_dimensions(value))
                if not role:
                    self._container(value, there)
                elif value:
                    self.skipped.append(Skipped(there.raw_name, role))
            else:
                self.visit(value, there)
        operator = _operator(values)
        if operator:
            for leaf in self.leaves[before:]:
                near = len(leaf.path) <= len(place.path) + 2
                if near and leaf.path[-1] in ("weight", "kernel"):
                    leaf.operator = leaf.operator or operator

    def _object(self, stub: Stub, place: _Place) -> None:
        """Walk an object of a class that was not built."""
        self._count(1)
        name = class_name(stub.kind)
        state = stub.state or {}
        is_module = state.keys() >= _MODULE_KEYS
        role = "" if is_module else object_role(name)
        if role:
            self.skipped.append(Skipped(place.raw_name or name, role))
            return
        if name and name.split(".")[0] not in _PLAIN_CLASSES:
            self.classes.add(name[:120])
        if is_module:
            self._module(state, place)
        elif name.startswith("__torch__."):
            self._script_module(name, state, place)
        elif _QUANTISED.match(name) and "" in state:
            self._quantised_module(state[""], place)
        else:
            self._plain_object(stub, place)

    def _plain_object(self, stub: Stub, place: _Place) -> None:
        """Walk an object that is no module: a learner, a configuration."""
        parts: Iterable[Any] = (stub.state, stub.mapping, stub.items)
        if not any(parts) and isinstance(stub.arguments, tuple):
            parts = [as_mapping(value) or value for value in stub.arguments]
        for part in parts:
            if isinstance(part, _CONTAINERS) and part:
                self._container(part, place._replace(depth=place.depth + 1))

    def _module(self, state: dict[Any, Any], place: _Place) -> None:
        """Walk a module as its state dict would list it."""
        before = len(self.leaves)
        left_out = strings_of(state.get("_non_persistent_buffers_set"))
        for group in ("_parameters", "_buffers", "_modules"):
            members = as_mapping(state.get(group))
            self._count(len(members))
            for name, value in members.items():
                there = place.inside(label_of(name))
                if group == "_buffers" and label_of(name) in left_out:
                    reason = "a buffer that its module does not save"
                    self.skipped.append(Skipped(there.raw_name, reason))
                else:
                    self.visit(value, there)
        for name, value in state.items():
            if type(name) is str and is_packed(name, value):
                self._packed(value, place)
        operator = _operator(state)
        if operator:
            self._used_by(operator, before, place)

    def _used_by(self, operator: Operator, before: int, place: _Place) -> None:
        """Say of a module's weight, or of the parts that make it, what uses it."""
        start = len(place.inside("").raw_name)
        for leaf in self.leaves[before:]:
            if _WEIGHT.fullmatch(leaf.raw_name, start):
                leaf.operator = leaf.operator or operator

    def _script_module(self, name: str, state: dict[Any, Any], place: _Place) -> None:
        """Walk a TorchScript module, whose attributes hold weights and submodules."""
        self._count(len(state))
        before = len(self.leaves)
        operators = self._operators_of(name)
        for key, value in state.items():
            if isinstance(value, (*ARRAYS, Stub)):
                self.visit(value, place.inside(label_of(key)))
            if isinstance(value, StoredTensor):
                self.leaves[-1].operator = operators.get(label_of(key))
            elif key == "":
                self._quantised_module(value, place)
        computed = [operators[weight] for weight in operators if weight not in state]
        if len(computed) == 1:  # its weight is made of others: weight norm
            self._used_by(computed[0], before, place)

    def _quantised_module(self, values: object, place: _Place) -> None:
        """Walk a quantised layer, whose pickled state is a tuple of its facts."""
        known = values if isinstance(values, tuple | list) else ()
        facts = dict(zip(_QUANTISED_FACTS, known, strict=False))
        before = len(self.leaves)
        self._packed(values, place)
        for leaf in self.leaves[before:]:
            if leaf.path[-1].endswith("weight"):
                leaf.operator = _operator(facts)

    def _packed(self, values: object, place: _Place) -> bool:
        """Add what a layer's packed values hold, as its weight and bias.

        False, and nothing is added, if there is no quantised weight among them.
        """
        found = packed_tensors(values)
        if not any(tensor.scale is not None for tensor in found):
            return False
        around = _without_packing(place)
        for tensor in found:
            is_weight = tensor.scale is not None
            if is_weight or (len(tensor.shape) == 1 and "float" in tensor.dtype):
                there = around.inside("weight" if is_weight else "bias")
                self._array(tensor, there, in_state_dict=True)
        return True

    def _array(self, value: Any, place: _Place, *, in_state_dict: bool) -> None:
        self._count(_ARRAY_COUNTS)
        path, raw_name = place.path or ("tensor",), place.raw_name or "tensor"
        if isinstance(value, Unreadable):
            leaf = Leaf(path, raw_name, value.shape, "", no_values)
            leaf.unusable = value.reason
        else:
            leaf = self._make_leaf(value)
            leaf.path, leaf.raw_name = path, raw_name
        leaf.in_state_dict = in_state_dict or not place.path
        self.leaves.append(leaf)

    def _count(self, values: int) -> None:
        """Bound the work: nesting by reference can describe endless trees."""
        self._values += values
        if self._values > MAX_VALUES:
            raise DamagedError(
                "it holds more arrays and values than any network",
                "Re-save the weights alone, best as safetensors.",
            )
        self._watch.check()


def _without_packing(place: _Place) -> _Place:
    """The layer around packed values, whose modules all are called the same."""
    if not place.path:
        return place
    *outer, last = place.path
    kept = last.split(".")
    while kept[-1:] == [PACKED_PARAMS]:
        kept.pop()
    path = (*outer, ".".join(kept)) if kept else tuple(outer)
    return place._replace(path=path, in_module=bool(path))


def _operator(state: dict[Any, Any]) -> Operator | None:
    """Convolution that a module's (or layer's) attributes describe."""
    is_convolution = type(state.get("groups")) is int and "kernel_size" in state
    return operator_of(state) if is_convolution else None


def _is_state_dict(values: dict[Any, Any]) -> bool:
    """True if a dictionary's arrays are a network's, not loose ones beside it."""
    nested = False
    for key, value in values.items():
        if isinstance(value, ARRAYS):
            if isinstance(key, str) and "." in key:
                return True
        elif isinstance(value, dict | Stub) and value:
            nested = True
    return not nested


ARRAYS = (StoredTensor, NumpyArray, Unreadable)
PACKED_PARAMS = "_packed_params"
_MOST_PARTS, _LOOKED_AT = 500, 20


def as_mapping(value: object) -> dict[Any, Any]:
    """Items of a dictionary or of what stands for one; else an empty one."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, Stub):
        return {}
    if value.mapping:
        return value.mapping
    arguments = value.arguments
    pairs = arguments[0] if isinstance(arguments, tuple | list) and arguments else ()
    return {
        pair[0]: pair[1]
        for pair in (pairs if isinstance(pairs, tuple | list) else ())
        if isinstance(pair, list | tuple) and len(pair) == 2 and type(pair[0]) is str
    }


def label_of(key: object) -> str:
    """Name of a key; an object's own description could be endless."""
    if isinstance(key, str):
        return key
    if isinstance(key, bytes):
        return key.decode("latin-1")
    return str(key) if isinstance(key, int | float) else type(key).__name__


def strings_of(value: object) -> set[str]:
    """Strings of a list, or of a set as older pickles describe it."""
    if isinstance(value, Stub) and isinstance(value.arguments, tuple):
        return {name for part in value.arguments for name in strings_of(part)}
    if isinstance(value, list | tuple):
        return {name for name in value if isinstance(name, str)}
    return set()


def class_name(kind: object) -> str:
    """Module and name of a class; empty for anything else."""
    return f"{kind.module}.{kind.name}" if isinstance(kind, Global) else ""


def packed_tensors(packed: object) -> list[StoredTensor]:
    """Tensors in the state of a quantised layer: tuples and objects, perhaps nested."""
    found: list[StoredTensor] = []
    waiting = [packed]
    for _ in range(_MOST_PARTS):  # they may contain themselves
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, StoredTensor):
            found.append(value)
        elif isinstance(value, Stub):
            waiting += reversed((value.state or {}).values())
        elif isinstance(value, tuple | list):
            waiting += reversed(value[:_LOOKED_AT])
    return found


def is_packed(key: str, value: object) -> bool:
    """True if an entry is what a quantised layer packs its weight and bias into."""
    if isinstance(value, Stub):
        return class_name(value.kind) == "torch.ScriptObject"
    return isinstance(value, tuple) and key.endswith(PACKED_PARAMS)


def most_dimensions(value: object, depth: int = 3) -> int:
    """The most dimensions of the arrays below a value, as far as one looks."""
    if isinstance(value, ARRAYS):
        return len(value.shape)
    if not depth:
        return 0
    parts: list[object] = []
    if isinstance(value, Stub):
        parts = [value.state, value.mapping, value.items, value.arguments]
    elif isinstance(value, dict):
        parts = [*islice(value.values(), _LOOKED_AT)]
    elif isinstance(value, list | tuple):
        parts = [*value[:_LOOKED_AT]]
    return max((most_dimensions(part, depth - 1) for part in parts), default=0)


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
    watch: Watch,
    operators_of: Callable[[str], Mapping[str, Operator]] = lambda name: {},
) -> Contents:
    """Contents of a file whose pickle holds ``tree``; see `Walk`."""
    walk = Walk(make_leaf, watch, operators_of)
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
    """Facts noted by a training script beside the weights: its epoch, its accuracy."""
    if not isinstance(tree, dict):
        return {}
    plain = {
        key: value
        for key, value in tree.items()
        if isinstance(key, str) and type(value) in (str, int, float, bool)
    }
    short = [item for item in plain.items() if len(str(item)) < _LONG_FACT]
    return dict(short[:_MOST_FACTS])
