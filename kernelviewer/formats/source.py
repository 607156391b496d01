"""A file about to be read: told by its first bytes, then read in pieces."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Self, overload

import numpy as np

from kernelviewer.formats.errors import CheckpointError
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.formats.network.assemble import Contents
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


HEAD_BYTES = 4096


_reads: ContextVar[Callable[[OpenedFile, int, int], NDArray[np.uint8]] | None]
_reads = ContextVar("reads", default=None)


@contextmanager
def reading_through(
    read: Callable[[OpenedFile, int, int], NDArray[np.uint8]],
) -> Iterator[None]:
    """Have ``read(file, offset, count)`` give the bytes that the block reads."""
    token = _reads.set(read)
    try:
        yield
    finally:
        _reads.reset(token)


TICK_NS = 10_000_000
"""Longer than the clock stands still by which systems note when files are written."""


def settled(path: Path) -> os.stat_result:
    """The state of a file, from when on each writing gives it another time.

    Of one that was written this very moment that is a moment later: else what is
    written to it next, and of the same size, would go unnoticed.

    Raises
    ------
    OSError
        It is not there.
    """
    state = path.stat()
    if 0 <= time.time_ns() - state.st_mtime_ns < TICK_NS:
        time.sleep(TICK_NS / 1e9)
        state = path.stat()
    return state


@dataclass(frozen=True, slots=True)
class Source:
    """The signs by which readers tell whether a file is theirs."""

    path: Path
    size: int
    """The file and its size in bytes (0 for a folder)."""
    head: bytes
    """Its first 4 096 bytes."""
    is_folder: bool = False
    """True for a folder."""
    mtime_ns: int = 0
    """When the file was last written; 0 where that was not looked at."""

    def file(self) -> OpenedFile:
        """The file as it was looked at."""
        if not self.mtime_ns:
            return OpenedFile.of(self.path)
        return OpenedFile(self.path, self.size, self.mtime_ns)


@dataclass(frozen=True, slots=True)
class Options:
    """How to open: ``copy`` names the wanted copy of the network (``""``: the default).

    ``watch`` is checked between pieces of work; what it raises cancels.
    """

    copy: str = ""
    watch: Watch = NEVER


@dataclass(frozen=True, slots=True)
class Reader:
    """One container format: ``match`` by content, cheap; then ``read``."""

    name: str
    """What people know the format by."""
    what: str
    """One such file, with its article, for messages: "a TFLite model"."""
    match: Callable[[Source], bool]
    """Whether a file is one; never raises on strange bytes."""
    read: Callable[[Source, Options], Contents | Checkpoint]
    """Lists what is in the file, or gives the network where the format tells it apart
    itself; raises only `CheckpointError`, `DamagedError` and what ``options.watch``
    raises. Heavy libraries are imported inside."""
    has_parts: bool = False
    """Whether a file may name others that hold weights; ``read`` lists them in
    ``files``."""


CHANGED = "the file changed while it was read"
_AGAIN = "Open it again."


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file as it was when its headers were read.

    It holds no descriptor and no mapping: the file can be replaced or deleted while
    its network is on screen (on Windows too), and a later read tells that it was.
    """

    path: Path
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: AnyPath) -> Self:
        """Take note of the file's present state."""
        path = Path(path)
        state = settled(path)
        return cls(path, state.st_size, state.st_mtime_ns)

    def read(self, offset: int, count: int) -> NDArray[np.uint8]:
        """Read bytes as uint8 [count].

        Raises
        ------
        CheckpointError
            The file vanished or changed since, or the disk fails.
        """
        if (seen := _reads.get()) is not None:
            return seen(self, offset, count)
        return self.read_now(offset, count)

    def read_now(self, offset: int, count: int) -> NDArray[np.uint8]:
        """As `read`, unseen by what follows reads."""
        data = np.empty(count, np.uint8)
        done = 0
        try:
            with FileIO(self.path) as handle:
                handle.seek(offset)
                view = data.data
                while done < count and (step := handle.readinto(view[done:])):
                    done += step
                same = self._is(handle)
        except FileNotFoundError:
            problem = "the file is no longer there"
            raise CheckpointError(self.path, problem, _AGAIN) from None
        except OSError as error:
            problem = f"the file cannot be read ({error.strerror or 'disk error'})"
            raise CheckpointError(self.path, problem, _AGAIN) from None
        if done < count or not same:
            problem = "the file changed after it was opened"
            raise CheckpointError(self.path, problem, _AGAIN)
        return data

    def read_from(self, handle: FileIO, offset: int, count: int) -> bytes:
        """Read bytes through a handle of the file that is being opened.

        Raises
        ------
        CheckpointError
            The file changed.
        OSError
            The disk fails.
        """
        handle.seek(offset)
        data = handle.read(count)
        while len(data) < count and (more := handle.read(count - len(data))):
            data += more
        if len(data) < count or not self._is(handle):
            raise self.changed()
        return data

    def _is(self, handle: FileIO) -> bool:
        """True if what a handle reads has this size and time."""
        state = os.fstat(handle.fileno())
        return (state.st_size, state.st_mtime_ns) == (self.size, self.mtime_ns)

    def is_as_it_was(self) -> bool:
        """True if the file still has the size and time it had."""
        try:
            state = self.path.stat()
        except OSError:
            return False
        return (state.st_size, state.st_mtime_ns) == (self.size, self.mtime_ns)

    def changed(self) -> CheckpointError:
        """The error where the file is written while it is opened."""
        return CheckpointError(self.path, CHANGED, _AGAIN)


WHOLE = 1 << 20
"""Files up to so many bytes are read whole: faster than piece by piece."""
BLOCK = 1 << 14
_KEPT = 1024  # blocks


class FileView:
    """Bytes of a file by index and slice, as those of a `bytes` object.

    Parameters
    ----------
    file
        The file as it is known.
    handle
        It, opened without a buffer.

    Raises
    ------
    CheckpointError
        From every look: the file is not as it was, or the disk fails.
    """

    __slots__ = ("_block", "_blocks", "_file", "_handle", "_start")

    def __init__(self, file: OpenedFile, handle: FileIO) -> None:
        self._file, self._handle = file, handle
        self._blocks: dict[int, bytes] = {}
        self._start, self._block = 0, b""

    def __len__(self) -> int:
        return self._file.size

    @overload
    def __getitem__(self, place: int) -> int: ...

    @overload
    def __getitem__(self, place: slice) -> bytes: ...

    def __getitem__(self, place: int | slice) -> int | bytes:
        """One byte, or those of a slice of which both ends are given."""
        if isinstance(place, slice):
            at, end = place.start - self._start, place.stop - self._start
            if 0 <= at <= end <= len(self._block):  # nearly always
                return self._block[at:end]
            return self._piece(*place.indices(self._file.size)[:2])
        at = place - self._start
        if not 0 <= at < len(self._block):
            if not 0 <= place < self._file.size:
                raise IndexError
            at = self._turn_to(place)
        return self._block[at]

    def _piece(self, start: int, stop: int) -> bytes:
        """Bytes that are not, or not all, in the present block."""
        if start >= stop:
            return b""
        if stop - start > BLOCK:
            return self._file.read_from(self._handle, start, stop - start)
        at = self._turn_to(start)
        found = self._block[at : at + stop - start]
        missing = stop - start - len(found)
        if missing:
            self._turn_to(stop - 1)
            found += self._block[:missing]
        return found

    def _turn_to(self, place: int) -> int:
        """Make the block around a place the present one; the place in it."""
        number, at = divmod(place, BLOCK)
        block = self._blocks.get(number)
        if block is None:
            start = number * BLOCK
            count = min(BLOCK, self._file.size - start)
            block = self._file.read_from(self._handle, start, count)
            if len(self._blocks) >= _KEPT:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[number] = block
        self._start, self._block = number * BLOCK, block
        return at


Data = bytes | FileView


@contextmanager
def viewed(file: OpenedFile | Path) -> Iterator[Data]:
    """The bytes of a file; of large ones only what is looked at is read.

    Parameters
    ----------
    file
        The file as it was, or where it is now.

    Raises
    ------
    OSError
        It cannot be opened.
    CheckpointError
        It is not as it was; from every look.
    """
    known = file if isinstance(file, OpenedFile) else OpenedFile.of(file)
    with FileIO(known.path) as handle:
        if known.size <= WHOLE:
            yield known.read_from(handle, 0, known.size)
        else:
            yield FileView(known, handle)


def file_beside(model: Path, location: str) -> OpenedFile:
    """The file of that name, which must lie in the model's folder or below.

    Parameters
    ----------
    model
        The file that names the other.
    location
        The name, relative to the model's folder.

    Raises
    ------
    CheckpointError
        It is not there, or elsewhere.
    """
    names = PurePosixPath(location), PureWindowsPath(location)
    if (
        not location
        or "\0" in location
        or any(name.anchor or ".." in name.parts for name in names)
    ):
        raise _outside(model, location)
    path = model.parent / Path(location)
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise CheckpointError(
            model,
            f"its weights lie in another file, “{location}”, that is not there",
            f"Put “{location}” into the folder of {model.name}.",
        ) from None
    # The second folder: a model in a download cache is a link to where all its
    # files really lie.
    homes = model.parent.resolve(), model.resolve().parent
    if not target.is_file() or not any(home in target.parents for home in homes):
        raise _outside(model, location)
    return OpenedFile.of(path)


def _outside(model: Path, location: str) -> CheckpointError:
    return CheckpointError(
        model,
        f"it asks for weights from “{location[:80]}”, outside its own folder, "
        "which is not allowed",
        "Get the model from a source that you trust.",
    )
