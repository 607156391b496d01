"""PyTorch's zip files, under any suffix: a pickle, and one record per storage.

Unpacked into a folder they are a pickle, and one file per storage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelviewer.formats.containers.zip_directory import (
    STORED,
    ZIP_MAGIC,
    ZipRecord,
    zip_records,
)
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.source import OpenedFile, Reader, viewed
from kernelviewer.formats.torch.pickle_machine import PickleMachine
from kernelviewer.formats.torch.pickle_values import BUILDERS, InMemory, storage_of
from kernelviewer.formats.torch.tree import LeafMaker, Place, torch_contents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kernelviewer.formats.containers.zip_directory import Record
    from kernelviewer.formats.network.assemble import Contents
    from kernelviewer.formats.source import Data, Options, Source
    from kernelviewer.formats.torch.pickle_values import Readable, Storage
    from kernelviewer.watch import Watch

WHAT = "a PyTorch file"
PICKLE = "data.pkl"
_IN_MEMORY = 1 << 24  # read whole: faster than window by window
_MAX_PACKED = 1 << 27


def match(source: Source) -> bool:
    """True if the file is a zip with the pickle of ``torch.save`` in it."""
    return source.head.startswith(ZIP_MAGIC) and bool(pickle_name(source))


def pickle_name(source: Source) -> str:
    """Name of the record with the pickle; empty if there is none."""
    try:
        records = zip_records(source)
    except DamagedError:
        return ""
    return next((name for name in records if name.split("/", 1)[-1] == PICKLE), "")


def read(source: Source, options: Options) -> Contents:
    """Read what the pickle describes; storages stay in the file.

    Raises
    ------
    DamagedError
        The file makes no sense.
    """
    file = source.file()
    archive = TorchArchive(file, zip_records(source), pickle_name(source))
    tree = archive.unpickle(PICKLE, options.watch)
    return torch_contents("PyTorch", tree, archive.leaves(), options.watch)


class TorchArchive:
    """The records of a zip that PyTorch wrote.

    Parameters
    ----------
    file, records
        The file and its records.
    pickle
        Name of its main pickle, beside which the storages lie.
    """

    def __init__(
        self, file: OpenedFile, records: Mapping[str, Record], pickle: str
    ) -> None:
        self.file = file
        self.records = records
        self.root = pickle.removesuffix(PICKLE)
        order = records.get(f"{self.root}byteorder")
        self.big_endian = (
            order is not None and order.size < 16 and b"big" in self.bytes_of(order)
        )

    def bytes_of(self, record: Record) -> bytes:
        """Unpack all bytes of a record."""
        return ZipRecord(self.file, record).unpacked().tobytes()

    def leaves(self, folder: str = "data") -> LeafMaker:
        """The maker of leaves from tensors; their storages lie in a folder."""

        def place_of(storage: Storage) -> Place:
            record = self.records.get(f"{self.root}{folder}/{storage.key}")
            if record is None:
                raise DamagedError(f"its record {folder}/{storage.key[:80]} is missing")
            return Place(ZipRecord(self.file, record), 0, record.size)

        return LeafMaker(place_of, big_endian=self.big_endian)

    def unpickle(self, name: str, watch: Watch) -> Any:
        """Interpret one of the pickles without running it."""
        record = self.records[self.root + name]
        reader = ZipRecord(self.file, record)

        def run(data: Data, start: int, origin: Readable, base: int) -> Any:
            return PickleMachine(
                *(data, start, start + record.size),
                origin=origin,
                base=base,
                builders=BUILDERS,
                persistent=storage_of,
                watch=watch,
            ).run()

        if record.method != STORED:
            if record.size > _MAX_PACKED:
                raise DamagedError(
                    f"its list of contents (a pickle) has {record.size:,} bytes",
                    "Re-save the weights alone, best as safetensors.",
                )
            unpacked = self.bytes_of(record)
            return run(unpacked, 0, InMemory(unpacked), 0)
        start = reader.start()
        if record.size > _IN_MEMORY:
            with viewed(self.file) as data:
                return run(data, start, self.file, 0)
        raw = self.file.read(start, record.size).tobytes()
        return run(raw, 0, self.file, start)


READER = Reader("PyTorch", WHAT, match, read)


UNPACKED_WHAT = "an unpacked PyTorch file"
STORAGES = "data"
_MARKS = ("version", "byteorder", ".format_version")


def pickle_in(folder: Path) -> Path | None:
    """The pickle of an unpacked file that a folder is; None if it is none."""
    pickle = folder / PICKLE
    marked = (folder / STORAGES).is_dir() or any(
        (folder / name).is_file() for name in _MARKS
    )
    return pickle if marked and pickle.is_file() else None


def match_unpacked(source: Source) -> bool:
    """True if the file is the pickle of an unpacked file, with the rest beside it."""
    path = source.path
    return source.head[:1] == b"\x80" and pickle_in(path.parent) == path


def read_unpacked(source: Source, options: Options) -> Contents:
    """Read the pickle; storages stay in the files beside it.

    Raises
    ------
    DamagedError
        A file makes no sense or is missing, or it is a program.
    """
    folder = source.path.parent
    if (folder / "constants.pkl").exists():
        name = folder.resolve().name
        raise DamagedError(
            "it holds a TorchScript program, which is read only as one file",
            f"Pack it again: zip -r -0 {name}.pt {name}, in the folder above.",
        )
    storages = _Storages(folder / STORAGES)
    file = source.file()
    with viewed(file) as data:
        tree = PickleMachine(
            *(data, 0, len(data)),
            origin=file,
            builders=BUILDERS,
            persistent=storage_of,
            watch=options.watch,
        ).run()
    order = folder / "byteorder"
    big = order.is_file() and order.stat().st_size < 16 and b"big" in order.read_bytes()
    leaves = LeafMaker(storages.place_of, big_endian=big)
    name = "PyTorch, unpacked"
    contents = torch_contents(name, tree, leaves, options.watch)
    contents.files = tuple(storages.files.values())
    return contents


class _Storages:
    """The files with the values; ``files`` are those that tensors use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: dict[str, OpenedFile] = {}

    def place_of(self, storage: Storage) -> Place:
        """Where a storage's bytes are."""
        key = storage.key
        if key not in self.files:
            path = self._folder / key
            if path.parent != self._folder or not path.is_file():
                raise DamagedError(
                    f"its file {STORAGES}/{key[:80]} is missing",
                    "Unpack it again, or open the file that was unpacked.",
                )
            self.files[key] = OpenedFile.of(path)
        return Place(self.files[key], 0, self.files[key].size)


UNPACKED = Reader(
    "PyTorch (unpacked)", UNPACKED_WHAT, match_unpacked, read_unpacked, has_parts=True
)
