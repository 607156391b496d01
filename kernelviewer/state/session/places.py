"""Layers, kernels and queries as a session names them, and what they mean now.

Sets of kernel numbers are text: ``0-119,240``, or bits where that is shorter.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from kernelviewer.kernels.bank import size_key
from kernelviewer.kernels.classes import INDEX, By
from kernelviewer.state.comparing import Comparing, Match
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.selection import (
    All,
    Classes,
    CodeRange,
    Every,
    Kernels,
    Layers,
    Similar,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.selection import Query

    Indices = NDArray[np.int64]


_BITS = "bits:"
_WRONG = "is no list of kernels"
_FEW = 64
"""So many ranges are written as such even where bits are shorter, to be read."""


def ranges_to_text(indices: Indices) -> str:
    """Sorted numbers from 0 on as text; the same numbers give the same text."""
    if not len(indices):
        return ""
    cuts = np.flatnonzero(np.diff(indices) != 1) + 1
    firsts = indices[np.concatenate([[0], cuts])]
    lasts = indices[np.concatenate([cuts - 1, [len(indices) - 1]])]
    if len(firsts) > _FEW and len(firsts) * 8 > int(indices[-1]) // 6:
        bits = np.zeros(int(indices[-1]) + 1, bool)
        bits[indices] = True
        return _BITS + base64.b64encode(np.packbits(bits).tobytes()).decode("ascii")
    return ",".join(
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    )


def ranges_from_text(text: str) -> tuple[Indices, Indices]:
    """First and last number of each run, rising; bounded by the text's length.

    Raises
    ------
    ValueError
        The text is something else.
    """
    try:
        if text.startswith(_BITS):
            return _from_bits(text.removeprefix(_BITS))
        pairs = [_run(part) for part in text.split(",")] if text else []
    except (ValueError, binascii.Error):
        raise ValueError(_WRONG) from None
    ranges = np.array(pairs, np.int64).reshape(-1, 2)
    firsts, lasts = ranges[:, 0], ranges[:, 1]
    if (firsts > lasts).any() or (firsts[1:] <= lasts[:-1]).any():
        raise ValueError(_WRONG)
    return firsts, lasts


def in_ranges(firsts: Indices, lasts: Indices, count: int) -> tuple[Indices, int]:
    """The numbers below ``count``, and how many lie beyond."""
    total = int((lasts - firsts + 1).sum())
    kept = firsts < count
    firsts, lengths = firsts[kept], np.minimum(lasts[kept], count - 1) - firsts[kept]
    lengths = lengths + 1
    before = np.cumsum(lengths) - lengths
    indices = np.arange(int(lengths.sum())) + np.repeat(firsts - before, lengths)
    return indices.astype(np.int64), total - len(indices)


def _run(part: str) -> tuple[int, int]:
    first, dash, last = part.partition("-")
    numbers = (first, last if dash else first)
    if not all(n.isascii() and n.isdigit() and len(n) < 13 for n in numbers):
        raise ValueError(part)
    return int(numbers[0]), int(numbers[1])


def _from_bits(text: str) -> tuple[Indices, Indices]:
    data = base64.b64decode(text.encode("ascii"), validate=True)
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).astype(np.int8)
    edges = np.flatnonzero(np.diff(bits, prepend=0, append=0)).reshape(-1, 2)
    return edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64) - 1


_TEXT = r"^[^\0]*\Z"
_SIZE = r"^[1-9][0-9]{0,3}(x[1-9][0-9]{0,3}){0,2}\Z"
_NUMBER = r"^(0|[1-9][0-9]{0,5})\Z"
_CLASS = rf"^({'|'.join(INDEX)})\Z"
PATTERNS = {
    _TEXT: "a text without zero characters",
    _SIZE: "a kernel size such as 7x7",
    _NUMBER: "the number of a network",
    _CLASS: f"one of {', '.join(INDEX)}",
}
"""Shapes of the texts in the file, and their names in words."""
_DEEPEST = 20

Text = Annotated[str, Meta(pattern=_TEXT)]
SizeKey = Annotated[str, Meta(pattern=_SIZE)]
Number = Annotated[str, Meta(pattern=_NUMBER)]
ClassId = Annotated[str, Meta(pattern=_CLASS)]
Index = Annotated[int, Meta(ge=0, le=2**53)]


def size_of(key: SizeKey) -> Size:
    """The kernel size that `size_key` wrote."""
    return tuple(map(int, key.split("x")))


class Places:
    """The networks of a session by their number from 0 on.

    Parameters
    ----------
    models
        In the session's order; None where one is not there.

    Attributes
    ----------
    missing
        What reading found no place for: (network number, what) → how many.
    """

    def __init__(self, models: Sequence[OpenModel | None]) -> None:
        self._models = tuple(models)
        self._numbers = {
            model.id: number for number, model in enumerate(models) if model is not None
        }
        self.missing: Counter[tuple[int, str]] = Counter()

    # --- writing ---

    def layer_names(self, layers: Iterable[LayerRef]) -> dict[Number, tuple[str, ...]]:
        """Layers of open networks as network number → names in network order."""
        found: dict[int, list[str]] = {}
        for ref in sorted(layers):
            number = self._numbers.get(ref.model)
            model = None if number is None else self._models[number]
            if number is not None and model is not None:
                names = found.setdefault(number, [])
                names.append(model.bank.layers[ref.layer].name)
        return {str(number): tuple(found[number]) for number in sorted(found)}

    def kernel_ranges(
        self, indices: Mapping[int, NDArray[np.int64]]
    ) -> dict[Number, str]:
        """Kernels of open networks as network number → ranges; none are left out."""
        return {
            str(self._numbers[identity]): ranges_to_text(chosen)
            for identity, chosen in indices.items()
            if identity in self._numbers and len(chosen)
        }

    def network_names(self, own: Mapping[int, str]) -> dict[Number, str]:
        """The user's names of open networks by network number."""
        return {
            str(self._numbers[identity]): name
            for identity, name in sorted(own.items())
            if identity in self._numbers
        }

    def kernel(self, ref: KernelRef) -> KernelEntry | None:
        """One kernel; None if its network is closed."""
        number = self._numbers.get(ref.model)
        if number is None:
            return None
        return KernelEntry(number, size_key(ref.size), int(ref.index))

    # --- reading ---

    def layers(self, named: Mapping[Number, Sequence[str]]) -> frozenset[LayerRef]:
        """The layers that `layer_names` wrote, as far as they are there."""
        found = set()
        for key, names in named.items():
            model = self._model(int(key))
            known: dict[str, int] = {}
            if model is not None:
                for index, layer in enumerate(model.bank.layers):
                    known.setdefault(layer.name, index)
            for name in names:
                if model is not None and name in known:
                    found.add(LayerRef(model.id, known[name]))
                else:
                    self.missing[int(key), "layer"] += 1
        return frozenset(found)

    def named_networks(self, written: Mapping[Number, str]) -> dict[int, str]:
        """The names that `network_names` wrote, of networks that are there."""
        found = ((self._model(int(key)), name) for key, name in written.items())
        return {model.id: name for model, name in found if model is not None and name}

    def kernels(
        self, written: Mapping[Number, str], size: Size
    ) -> dict[int, NDArray[np.int64]]:
        """Kernels that `kernel_ranges` wrote, as far as there: model id → indices."""
        found = {}
        for key, text in written.items():
            model = self._model(int(key))
            indices, beyond = in_ranges(*ranges_from_text(text), _count(model, size))
            if beyond:
                self.missing[int(key), "kernel"] += beyond
            if model is not None:
                found[model.id] = indices
        return found

    def kernel_at(self, entry: KernelEntry) -> KernelRef | None:
        """The kernel that `kernel` wrote; None where it is not there."""
        model, size = self._model(entry.network), size_of(entry.size)
        if model is None or entry.index >= _count(model, size):
            self.missing[entry.network, "kernel"] += 1
            return None
        return KernelRef(model.id, size, entry.index)

    def comparing(self, how: Comparing) -> ComparingEntry:
        """Two networks that are compared."""
        numbers = self._numbers[how.a], self._numbers[how.b]
        return ComparingEntry(*numbers, how.match, how.layers)

    def compared(self, entry: ComparingEntry) -> Comparing | None:
        """What `comparing` wrote; None where one of the two is not there."""
        first, second = self._model(entry.a), self._model(entry.b)
        if first is None or second is None:
            return None
        return Comparing(first.id, second.id, entry.match, entry.layers)

    def _model(self, number: int) -> OpenModel | None:
        if number >= len(self._models):
            count = len(self._models)
            raise ValueError(f"is about network {number}, but there are only {count}")
        return self._models[number]


def _count(model: OpenModel | None, size: Size) -> int:
    """How many kernels of a size a network has."""
    kernels = model.bank.sizes.get(size) if model is not None else None
    return 0 if kernels is None else len(kernels)


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the file; a field that is not known here is an error."""


class ComparingEntry(Entry, frozen=True, omit_defaults=True):
    """`Comparing`: numbers of the networks, how they are paired, layers by hand."""

    a: Index
    b: Index
    match: Match = "names"
    layers: tuple[tuple[Text, Text], ...] | None = None

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise ValueError("compares a network with itself")


class KernelEntry(Entry, frozen=True):
    """A kernel: number of its network, its size, its place among those of the size."""

    network: Index
    size: SizeKey
    index: Index


# --- queries: for each kind its part of the file, and the way there and back ---


class AllEntry(Entry, frozen=True, tag_field="type", tag="all"):
    """`All`."""

    @classmethod
    def write(cls, query: All, places: Places) -> AllEntry:
        """The query as the file says it."""
        return cls()

    def read(self, places: Places) -> All:
        """The query; what is not there any more is left out and counted."""
        return All()


class LayersEntry(Entry, frozen=True, tag_field="type", tag="layers"):
    """`Layers`: by network number, their names."""

    of: dict[Number, tuple[Text, ...]]

    @classmethod
    def write(cls, query: Layers, places: Places) -> LayersEntry:
        """The query as the file says it."""
        return cls(places.layer_names(query.layers))

    def read(self, places: Places) -> Layers:
        """The query; what is not there any more is left out and counted."""
        return Layers(places.layers(self.of))


class KernelsEntry(
    Entry, frozen=True, tag_field="type", tag="kernels", omit_defaults=True
):
    """`Kernels`: by network number, ranges (`ranges_to_text`)."""

    size: SizeKey
    of: dict[Number, str]
    name: Text = ""

    def __post_init__(self) -> None:
        for written in self.of.values():
            ranges_from_text(written)

    @classmethod
    def write(cls, query: Kernels, places: Places) -> KernelsEntry:
        """The query as the file says it."""
        of = places.kernel_ranges(query.indices)
        return cls(size_key(query.size), of, query.name)

    def read(self, places: Places) -> Kernels:
        """The query; what is not there any more is left out and counted."""
        size = size_of(self.size)
        return Kernels(size, places.kernels(self.of, size), self.name)


class CodesEntry(Entry, frozen=True, omit_defaults=True, tag_field="type", tag="codes"):
    """`CodeRange`."""

    low: float
    high: float
    by: By = "code"

    @classmethod
    def write(cls, query: CodeRange, places: Places) -> CodesEntry:
        """The query as the file says it."""
        return cls(float(query.low), float(query.high), query.by)

    def read(self, places: Places) -> CodeRange:
        """The query."""
        return CodeRange(self.low, self.high, self.by)


class ClassesEntry(Entry, frozen=True, tag_field="type", tag="classes"):
    """`Classes`."""

    ids: tuple[ClassId, ...]

    @classmethod
    def write(cls, query: Classes, places: Places) -> ClassesEntry:
        """The query as the file says it."""
        return cls(tuple(sorted(query.ids)))

    def read(self, places: Places) -> Classes:
        """The query."""
        return Classes(frozenset(self.ids))


class SimilarEntry(Entry, frozen=True, tag_field="type", tag="similar"):
    """`Similar`; ``taps`` are numbers with a space between."""

    size: SizeKey
    taps: Text
    cosine: float
    name: Text = ""

    def __post_init__(self) -> None:
        try:
            taps = tuple(map(float, self.taps.split(" ")))
        except ValueError:
            raise ValueError("has a pattern that is no list of numbers") from None
        if len(taps) != math.prod(size_of(self.size)):
            raise ValueError("has a pattern that is not of its size")
        if not all(map(math.isfinite, taps)):
            raise ValueError("has a pattern that is not finite")

    @classmethod
    def write(cls, query: Similar, places: Places) -> SimilarEntry:
        """The query as the file says it."""
        taps = " ".join(repr(float(tap)) for tap in query.taps)
        return cls(size_key(query.size), taps, float(query.cosine), query.name)

    def read(self, places: Places) -> Similar:
        """The query."""
        taps = tuple(map(float, self.taps.split(" ")))
        return Similar(size_of(self.size), taps, self.cosine, self.name)


class EveryEntry(Entry, frozen=True, tag_field="type", tag="every"):
    """`Every`."""

    queries: tuple[QueryEntry, ...]

    def __post_init__(self) -> None:
        if self.depth > _DEEPEST:
            raise ValueError("is nested too deep")

    @property
    def depth(self) -> int:
        """How many of its kind are in each other."""
        inner = (q.depth for q in self.queries if isinstance(q, EveryEntry))
        return 1 + max(inner, default=0)

    @classmethod
    def write(cls, query: Every, places: Places) -> EveryEntry:
        """The query as the file says it."""
        return cls(tuple(write_query(part, places) for part in query.queries))

    def read(self, places: Places) -> Every:
        """The query; what is not there any more is left out and counted."""
        return Every(tuple(part.read(places) for part in self.queries))


QueryEntry = (
    AllEntry
    | LayersEntry
    | KernelsEntry
    | CodesEntry
    | ClassesEntry
    | SimilarEntry
    | EveryEntry
)
ENTRIES: dict[type, Any] = {
    All: AllEntry,
    Layers: LayersEntry,
    Kernels: KernelsEntry,
    CodeRange: CodesEntry,
    Classes: ClassesEntry,
    Similar: SimilarEntry,
    Every: EveryEntry,
}
"""Kind of query → its part of the file."""


def write_query(query: Query, places: Places) -> QueryEntry:
    """A query as the file says it."""
    entry: QueryEntry = ENTRIES[type(query)].write(query, places)
    return entry
