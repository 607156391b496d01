"""PyTorch files from before 1.6: four pickles, then the storages one after another."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.source import Reader, viewed
from kernelviewer.formats.stored import ITEMSIZE
from kernelviewer.formats.torch.pickle_machine import PickleMachine
from kernelviewer.formats.torch.pickle_values import BUILDERS, Storage, storage_of
from kernelviewer.formats.torch.tree import LeafMaker, Place, torch_contents

if TYPE_CHECKING:
    from kernelviewer.formats.network.assemble import Contents
    from kernelviewer.formats.source import Data, Options, Source
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
    watch
        Checked now and then; raises to cancel.

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
        """Interpret the next pickle."""
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
