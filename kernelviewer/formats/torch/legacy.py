"""Pickles outside a zip: PyTorch's from before 1.6, and plain ones.

Before 1.6 a file is four pickles, then the storages one after another. Plain pickles
hold numpy arrays or tensors (detectron2, Paddle, ``pickle.dump``).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.source import Reader, viewed
from kernelviewer.formats.stored import ITEMSIZE
from kernelviewer.formats.torch.pickle_machine import PickleMachine
from kernelviewer.formats.torch.pickle_values import (
    BUILDERS,
    Global,
    InMemory,
    Span,
    Storage,
    storage_of,
)
from kernelviewer.formats.torch.tree import LeafMaker, Place, torch_contents
from kernelviewer.formats.wrong_files import is_joblib

if TYPE_CHECKING:
    from kernelviewer.formats.network.assemble import Contents
    from kernelviewer.formats.source import Data, OpenedFile, Options, Source
    from kernelviewer.formats.torch.pickle_values import Readable
    from kernelviewer.watch import Watch

WHAT = "an older PyTorch file"
MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa850192e")
_PROTOCOL = 1001
_COUNT = struct.Struct("<q")
_CUT_OFF = "it ends before the last values: it is half a download"
_UNKNOWN = "its list of storages is damaged"
_AGAIN = "Download it again."


def match(source: Source) -> bool:
    """True if the file starts with the pickled magic number."""
    return source.head[:1] == b"\x80" and MAGIC in source.head[:32]


def read(source: Source, options: Options) -> Contents:
    """Read what the pickles describe; storages stay in the file.

    Raises
    ------
    DamagedError
        The file makes no sense.
    """
    file = source.file()
    with viewed(file) as data:
        saved = LegacyStream(data, 0, file.size, file, options.watch)
    name = "PyTorch (legacy)"
    return torch_contents(name, saved.tree, saved.leaves, options.watch)


class LegacyStream:
    """The objects saved in one stream.

    Parameters
    ----------
    data, start, end
        What holds the stream, and where.
    origin
        Where values are read later, at the same positions.

    Attributes
    ----------
    tree
        What the main pickle describes.
    leaves
        Turns its tensors into leaves.
    """

    def __init__(
        self, data: Data, start: int, end: int, origin: Readable, watch: Watch
    ) -> None:
        self._data, self._end, self._origin, self._watch = data, end, origin, watch
        self._position = start
        self._itemsizes: dict[str, int] = {}
        self._unpickle()  # the magic number
        if self._unpickle() != _PROTOCOL:
            raise DamagedError("its version is not known")
        self._unpickle()  # facts of the machine; values are always little endian
        self.tree = self._unpickle()
        self._places = self._find_places()
        self.leaves = LeafMaker(self.place_of)

    def _unpickle(self) -> Any:
        machine = PickleMachine(
            *(self._data, self._position, self._end),
            origin=self._origin,
            builders=BUILDERS,
            persistent=self._refer,
            watch=self._watch,
        )
        value = machine.run()
        self._position = machine.place
        return value

    def _refer(self, persistent_id: object) -> object:
        """Note the type of a storage, which says how long it is."""
        found = storage_of(persistent_id)
        if isinstance(found, Storage):
            self._itemsizes.setdefault(found.key, ITEMSIZE[found.dtype])
        return found

    def _find_places(self) -> dict[str, Place]:
        """Storage key → its bytes: a list of keys, then for each a count and values."""
        keys = self._unpickle()
        if not isinstance(keys, list):
            raise DamagedError("its list of storages is damaged")
        places = {}
        for key in keys:
            itemsize = self._itemsizes.get(key) if isinstance(key, str) else None
            start = self._position + _COUNT.size
            if itemsize is None or start > self._end:
                raise DamagedError(_CUT_OFF if itemsize else _UNKNOWN, _AGAIN)
            (count,) = _COUNT.unpack(self._data[self._position : start])
            self._position = start + count * itemsize
            if count < 0 or self._position > self._end:
                raise DamagedError(_CUT_OFF, _AGAIN)
            places[key] = Place(self._origin, start, count * itemsize)
        return places

    def place_of(self, storage: Storage) -> Place:
        """Where a storage's bytes are."""
        place = self._places.get(storage.key)
        if place is None:
            raise DamagedError(_UNKNOWN, _AGAIN)
        return place


READER = Reader("PyTorch (legacy)", WHAT, match, read)


PLAIN_WHAT = "a Python pickle"
_STARTS = (b"(dp", b"(lp", b"(i", b"ccollections\n", b"cnumpy", b"}q\x00", b"]q\x00")
_LOAD_FROM_BYTES = Global("torch.storage", "_load_from_bytes")


def match_plain(source: Source) -> bool:
    """True if the file starts like a pickle: protocols 2 to 5, or a few older ones."""
    head = source.head
    newer = head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5")
    return (newer or head.startswith(_STARTS)) and not is_joblib(source)


def read_plain(source: Source, options: Options) -> Contents:
    """Interpret the pickle; arrays stay in the file.

    Raises
    ------
    DamagedError
        The file makes no sense, or holds no arrays.
    """
    file = source.file()
    with viewed(file) as data:
        storages = _NestedStorages(data, file, options.watch)
        tree = PickleMachine(
            *(data, 0, file.size),
            origin=file,
            builders={**BUILDERS, _LOAD_FROM_BYTES: storages.load},
            persistent=_no_storage,
            watch=options.watch,
        ).run()
    leaves = LeafMaker(storages.place_of)
    contents = torch_contents("Python pickle", tree, leaves, options.watch)
    if not contents.leaves and not contents.skipped:
        raise DamagedError(*_not_a_network(contents.metadata.get("classes", [])))
    return contents


class _NestedStorages:
    """Storages that ``pickle.dump`` of a tensor puts into the pickle as bytes."""

    def __init__(self, data: Data, file: OpenedFile, watch: Watch) -> None:
        self._data, self._file, self._watch = data, file, watch
        self._places: dict[str, Place] = {}

    def load(self, saved: object) -> object:
        """Describe the storage in bytes that ``torch.save`` wrote."""
        if isinstance(saved, Span) and saved.origin is self._file and not saved.text:
            end = saved.offset + saved.count
            stream = LegacyStream(
                self._data, saved.offset, end, self._file, self._watch
            )
        else:
            raw = saved.read().tobytes() if isinstance(saved, Span) else saved
            if not isinstance(raw, bytes):
                raise TypeError
            stream = LegacyStream(raw, 0, len(raw), InMemory(raw), self._watch)
        storage = stream.tree
        if not isinstance(storage, Storage):
            raise TypeError
        key = f"storage {len(self._places)}"
        self._places[key] = stream.place_of(storage)
        return Storage(storage.dtype, key, storage.count, storage.first)

    def place_of(self, storage: Storage) -> Place:
        """Where a storage's bytes are."""
        return self._places[storage.key]


def _no_storage(persistent_id: object) -> object:
    """Refuse persistent ids: nothing in a plain pickle says what they mean."""
    raise ValueError


def _not_a_network(classes: list[str]) -> tuple[str, str]:
    """The contents of a pickle without arrays in words, and what to do."""
    held = f"it holds objects of {', '.join(classes[:3])}" if classes else "no arrays"
    problem = held if classes else f"it holds {held}"
    return f"{problem} and no network", "Open the file with the network's weights."


PLAIN = Reader("Python pickle", PLAIN_WHAT, match_plain, read_plain)
