"""Plain pickles of numpy arrays or tensors (detectron2, Paddle, ``pickle.dump``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.source import Reader, viewed
from kernelviewer.formats.torch.legacy import LegacyStream
from kernelviewer.formats.torch.pickle_machine import PickleMachine
from kernelviewer.formats.torch.pickle_values import (
    BUILDERS,
    Global,
    InMemory,
    Span,
    Storage,
)
from kernelviewer.formats.torch.tree import LeafMaker, torch_contents
from kernelviewer.formats.wrong_files import is_joblib

if TYPE_CHECKING:
    from kernelviewer.formats.network.assemble import Contents
    from kernelviewer.formats.source import Data, OpenedFile, Options, Source
    from kernelviewer.formats.torch.tree import Place
    from kernelviewer.watch import Watch


WHAT = "a Python pickle"
_STARTS = (b"(dp", b"(lp", b"(i", b"ccollections\n", b"cnumpy", b"}q\x00", b"]q\x00")
_LOAD_FROM_BYTES = Global("torch.storage", "_load_from_bytes")


def match(source: Source) -> bool:
    """True if the file starts like a pickle: protocols 2 to 5, or a few older ones."""
    head = source.head
    newer = head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5")
    return (newer or head.startswith(_STARTS)) and not is_joblib(source)


def read(source: Source, options: Options) -> Contents:
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


READER = Reader("Python pickle", WHAT, match, read)
