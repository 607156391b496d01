"""From what a PyTorch pickle holds to the arrays in it.

Dictionaries and lists are walked, modules by their ``_parameters``, ``_buffers`` and
``_modules``, and other objects by their attributes. Optimizers, schedulers and the like
are left out here, as whole branches.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelviewer.formats.checkpoint import Skipped
from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.leaves import Leaf, no_values
from kernelviewer.formats.operators import operator_of
from kernelviewer.formats.pickle_values import StoredTensor, Stub, Unreadable
from kernelviewer.formats.roles import (
    OPTIMIZER,
    array_role,
    branch_role,
    is_optimizer,
    object_role,
)
from kernelviewer.formats.torch_values import (
    ARRAYS,
    PACKED_PARAMS,
    as_mapping,
    class_name,
    is_packed,
    label_of,
    most_dimensions,
    packed_tensors,
    strings_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kernelviewer.formats.checkpoint import Operator
    from kernelviewer.formats.pickle_values import NumpyArray

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
    check
        Called now and then; raises to cancel.
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
        check: Callable[[], None],
        operators_of: Callable[[str], Mapping[str, Operator]] = lambda name: {},
    ) -> None:
        self.leaves: list[Leaf] = []
        self.skipped: list[Skipped] = []
        self.numbers: dict[str, float] = {}
        self.classes: set[str] = set()
        self._make_leaf = make_leaf
        self._operators_of = operators_of
        self._check = check
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
        """Add a leaf."""
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
        self._check()


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
    """Whether a dictionary's arrays are a network's, not loose ones beside it."""
    nested = False
    for key, value in values.items():
        if isinstance(value, ARRAYS):
            if isinstance(key, str) and "." in key:
                return True
        elif isinstance(value, dict | Stub) and value:
            nested = True
    return not nested
