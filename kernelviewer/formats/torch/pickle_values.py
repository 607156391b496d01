"""What a pickle is turned into: inert values that only describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kernelviewer.formats.checkpoint import NESTED, OWN_CLASS, SPARSE, WITHOUT_VALUES
from kernelviewer.formats.errors import DamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.formats.torch.pickle_machine import Builder


class Readable(Protocol):
    """Where bytes come from when they are asked for."""

    def read(self, offset: int, count: int) -> NDArray[np.uint8]:
        """Bytes as uint8 [count]."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """Bytes that had to be unpacked."""

    data: bytes

    def read(self, offset: int, count: int) -> NDArray[np.uint8]:
        """Bytes as uint8 [count]; a short array past the end."""
        return np.frombuffer(self.data[offset : offset + count], np.uint8).copy()


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """A long string or bytes object left where it is in the file.

    ``text`` tells that the bytes are UTF-8; with ``latin1`` the characters stand for
    the bytes meant (how protocol 2 writes bytes).
    """

    origin: Readable
    offset: int
    count: int
    text: bool = False
    latin1: bool = False

    @classmethod
    def of_bytes(cls, data: bytes) -> Span:
        """Span of bytes that are in memory anyway."""
        return cls(InMemory(data), 0, len(data))

    def read(self) -> NDArray[np.uint8]:
        """Fetch the bytes meant."""
        raw = self.origin.read(self.offset, self.count)
        if not self.latin1:
            return raw
        try:
            meant = raw.tobytes().decode().encode("latin-1")
        except UnicodeError:
            raise DamagedError("an array in it is damaged") from None
        return np.frombuffer(meant, np.uint8).copy()


@dataclass(frozen=True, slots=True)
class Global:
    """A class or function that the pickle names. It is never imported."""

    module: str
    name: str


@dataclass(slots=True, eq=False)
class Stub:
    """An object of a class that is not ours to build."""

    kind: object
    """Its class, or the function that would have made it."""
    arguments: object = ()
    """What it would have been made with."""
    state: dict[Any, Any] | None = None
    """Its attributes; None where the pickle sets none, as for the following."""
    items: list[Any] | None = None
    mapping: dict[Any, Any] | None = None
    """What was appended to it, and set in it by key."""


@dataclass(slots=True, eq=False)  # made in thousands: frozen ones take twice as long
class Storage:
    """A run of values of one type, saved under a key.

    ``count`` is in values; ``first`` is where it starts in the run that was saved.
    """

    dtype: str
    key: str
    count: int
    first: int = 0


@dataclass(slots=True, eq=False)
class StoredTensor:
    """A tensor as a window on a storage.

    Attributes
    ----------
    offset, strides
        In values, as PyTorch counts them.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str
    scale: object = None
    zero_point: object = 0
    axis: int = 0
    """Of a quantised tensor: numbers, or tensors with one value per index of
    ``axis``."""


@dataclass(slots=True, eq=False)
class NumpyArray:
    """A numpy array inside the pickle; its state arrives after it was made."""

    shape: tuple[int, ...] = ()
    dtype: str = ""
    big_endian: bool = False
    fortran: bool = False
    data: object = b""


@dataclass(slots=True, eq=False)
class NumpyType:
    """A numpy dtype: its code, such as ``f4``, and its byte order."""

    code: str
    big_endian: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A tensor whose values cannot be had, and why, a clause."""

    reason: str
    shape: tuple[int, ...] = ()


# fmt: off
_STORAGE_TYPES = {
    "Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
    "ComplexDouble": "complex128", "ComplexFloat": "complex64", "Long": "int64",
    "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8", "Bool": "bool",
    "QInt8": "int8", "QUInt8": "uint8", "QInt32": "int32", "Untyped": "uint8",
}
# fmt: on
_NUMBERS = frozenset({int})
# fmt: off
_TORCH_NAMES = {
    "double": "float64", "float": "float32", "half": "float16", "long": "int64",
    "int": "int32", "short": "int16", "qint8": "int8", "quint8": "uint8",
    "qint32": "int32",
}
# fmt: on


def storage_of(persistent_id: object) -> object:
    """Storage that a persistent id describes.

    Raises
    ------
    ValueError
        It describes none.
    """
    if not isinstance(persistent_id, tuple) or not persistent_id:
        raise ValueError
    if persistent_id[0] == "module":  # a class, saved with its source text
        return persistent_id[1]
    tag, kind, key, _, count, *view = persistent_id
    if tag != "storage" or not isinstance(kind, Global):
        raise ValueError
    dtype = _STORAGE_TYPES[kind.name.removesuffix("Storage")]
    if not isinstance(key, str | int) or not isinstance(count, int) or count < 0:
        raise ValueError
    if view and view[0] is not None:  # part of another storage, in older files
        _, first, count = view[0]
        return Storage(dtype, str(key), _count(count), _count(first))
    return Storage(dtype, str(key), count)


def _tensor(
    storage: object, offset: object, shape: object, strides: object, *_: object
) -> StoredTensor:
    if not isinstance(storage, Storage):
        raise TypeError
    return StoredTensor(
        *(storage, _count(offset), _counts(shape), _counts(strides), storage.dtype)
    )


def _typed_tensor(*arguments: object) -> StoredTensor | Unreadable:
    """Describe a tensor on untyped bytes; the seventh argument is its type."""
    plain = _tensor(*arguments[:4])
    dtype = _dtype_name(arguments[6])
    if dtype is None:
        return Unreadable("its number type cannot be read", plain.shape)
    return StoredTensor(plain.storage, plain.offset, plain.shape, plain.strides, dtype)


def _quantised_tensor(*arguments: Any) -> StoredTensor | Unreadable:
    plain = _tensor(*arguments[:4])
    scheme, *numbers = arguments[4]
    if not isinstance(scheme, Global) or not scheme.name.startswith("per_"):
        return Unreadable("its quantisation scheme cannot be read", plain.shape)
    scale, zero_point, *axis = numbers
    if scale is None:
        raise ValueError
    return StoredTensor(
        *(plain.storage, plain.offset, plain.shape, plain.strides, plain.dtype),
        *(scale, zero_point, _count(axis[0]) if axis else 0),
    )


def _first(value: object, *_: object) -> object:
    """Stand for the first argument: parameters, sizes, type tags."""
    return value


def _of_type(function: object, kind: object, arguments: object, *_: object) -> object:
    """Describe a tensor of a subclass by what the plain function would make."""
    builder = BUILDERS.get(function) if isinstance(function, Global) else None
    if builder is None or not isinstance(arguments, tuple):
        return Unreadable(OWN_CLASS)
    return builder(*arguments)


def _unreadable(reason: str) -> Builder:
    return lambda *_: Unreadable(reason)


def _array(*_: object) -> NumpyArray:
    """Describe an empty array; its state follows."""
    return NumpyArray()


def _array_of_bytes(data: object, dtype: object, shape: object, order: object) -> Any:
    if not isinstance(dtype, NumpyType) or not isinstance(data, bytes | Span):
        raise TypeError
    fortran = order == "F"
    return NumpyArray(_counts(shape), dtype.code, dtype.big_endian, fortran, data)


def _numpy_type(code: object, *_: object) -> NumpyType:
    if not isinstance(code, str):
        raise TypeError
    return NumpyType(code.lstrip("<>|="), code.startswith(">"))


def _numpy_scalar(dtype: object, data: object = b"") -> object:
    """The value of a number; others stay a description."""
    if isinstance(dtype, NumpyType) and dtype.code[:1] in "fiub":
        raw = data.encode("latin-1") if isinstance(data, str) else data
        if isinstance(raw, bytes):
            order = ">" if dtype.big_endian else "<"
            return np.frombuffer(raw, order + dtype.code, 1)[0].item()
    return Stub(dtype, data)


def _encoded(text: object, encoding: object = "latin-1") -> object:
    """The bytes that protocol 2 wrote as characters."""
    if isinstance(text, str):
        return text.encode("latin-1")
    if isinstance(text, Span):
        return Span(text.origin, text.offset, text.count, text=True, latin1=True)
    raise TypeError


def _dictionary(*arguments: object) -> object:
    """Describe an ordered dictionary; older pickles give its items at once."""
    if not arguments:
        return {}
    if isinstance(arguments[0], dict):
        return arguments[0]
    return Stub(Global("collections", "OrderedDict"), arguments)


def _reconstructed(kind: object, base: object, state: object) -> Stub:
    """Describe an object as protocols 0 and 1 write it."""
    stub = Stub(kind)
    if isinstance(state, dict):
        stub.mapping = state
    elif isinstance(state, list):
        stub.items = state
    return stub


def _raw(*arguments: object) -> bytes:
    """Empty bytes, as older protocols write them."""
    if arguments:
        raise TypeError
    return b""


def _empty_dictionary(*_: object) -> object:
    return {}


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def _counts(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or not _NUMBERS.issuperset(
        map(type, values)
    ):
        raise TypeError
    if values and min(values) < 0:
        raise ValueError
    return tuple(values)


def _dtype_name(dtype: object) -> str | None:
    """Name of a ``torch.float32``."""
    if not isinstance(dtype, Global):
        return None
    return _TORCH_NAMES.get(dtype.name, dtype.name)


def _table() -> dict[Global, Builder]:
    """Module and function → builder."""
    rebuild: dict[str, Builder] = {
        "_rebuild_tensor": _tensor,
        "_rebuild_tensor_v2": _tensor,
        "_rebuild_tensor_v3": _typed_tensor,
        "_rebuild_qtensor": _quantised_tensor,
        "_rebuild_parameter": _first,
        "_rebuild_parameter_with_state": _first,
        "_rebuild_device_tensor_from_numpy": _first,
        "_rebuild_xla_tensor": _first,
        "_rebuild_device_tensor_from_cpu_tensor": _first,
        "_rebuild_sparse_tensor": _unreadable(SPARSE),
        "_rebuild_sparse_csr_tensor": _unreadable(SPARSE),
        "_rebuild_nested_tensor": _unreadable(NESTED),
        "_rebuild_meta_tensor_no_storage": _unreadable(WITHOUT_VALUES),
        "_rebuild_wrapper_subclass": _unreadable(OWN_CLASS),
    }
    named: dict[tuple[str, str], Builder] = {
        **{("torch._utils", name): builder for name, builder in rebuild.items()},
        ("torch._tensor", "_rebuild_from_type"): _of_type,
        ("torch._tensor", "_rebuild_from_type_v2"): _of_type,
        ("torch.tensor", "_rebuild_from_type"): _of_type,
        ("torch.nn.parameter", "Parameter"): _first,
        ("torch.nn.parameter", "Buffer"): _first,
        ("torch", "Size"): _first,
        ("torch.jit._pickle", "build_intlist"): _first,
        ("torch.jit._pickle", "build_doublelist"): _first,
        ("torch.jit._pickle", "build_boollist"): _first,
        ("torch.jit._pickle", "build_tensorlist"): _first,
        ("torch.jit._pickle", "restore_type_tag"): _first,
        ("collections", "OrderedDict"): _dictionary,
        ("collections", "Counter"): _dictionary,
        ("collections", "defaultdict"): _empty_dictionary,
        ("copy_reg", "_reconstructor"): _reconstructed,
        ("copyreg", "_reconstructor"): _reconstructed,
        ("__builtin__", "bytes"): _raw,
        ("builtins", "bytes"): _raw,
        ("_codecs", "encode"): _encoded,
        ("numpy", "dtype"): _numpy_type,
    }
    for core in ("numpy.core", "numpy._core"):
        named[f"{core}.multiarray", "_reconstruct"] = _array
        named[f"{core}.multiarray", "scalar"] = _numpy_scalar
        named[f"{core}.numeric", "_frombuffer"] = _array_of_bytes
    return {Global(*name): builder for name, builder in named.items()}


BUILDERS: dict[Global, Builder] = _table()
"""Known function → what it is turned into."""
