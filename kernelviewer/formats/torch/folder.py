"""PyTorch's zip files that were unpacked: a pickle, and one file per storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.source import OpenedFile, Reader, viewed
from kernelviewer.formats.torch.zip_file import PICKLE
from kernelviewer.formats.torch.pickle_machine import PickleMachine
from kernelviewer.formats.torch.pickle_values import BUILDERS, storage_of
from kernelviewer.formats.torch.tree import LeafMaker, Place, torch_contents

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.formats.network.assemble import Contents
    from kernelviewer.formats.source import Options, Source
    from kernelviewer.formats.torch.pickle_values import Storage


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
    big = order.is_file() and b"big" in order.read_bytes()[:16]
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
