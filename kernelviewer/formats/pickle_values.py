"""What a pickle is turned into: inert values that only describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kernelviewer.formats.damage import DamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    """An object of a class that is not ours to build.

    Attributes
    ----------
    kind
        Its class, or the function that would have made it.
    arguments
        What it would have been made with.
    state
        Its attributes; None where the pickle sets none, as for the following.
    items, mapping
        What was appended to it, and set in it by key.
    """

    kind: object
    arguments: object = ()
    state: dict[Any, Any] | None = None
    items: list[Any] | None = None
    mapping: dict[Any, Any] | None = None


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
    scale, zero_point, axis
        Of a quantised tensor: numbers, or tensors with one value per index of ``axis``.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str
    scale: object = None
    zero_point: object = 0
    axis: int = 0


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
