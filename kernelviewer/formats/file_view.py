"""Looking at a file's bytes without reading them all.

Nothing is mapped: where a mapped file is cut off by another program, the system ends
the process that looks at it. Pieces are read when they are looked at, and each piece
is followed by a look at the file's size and time, so that a file that is written
meanwhile gives an error instead of a mixture.
"""

from __future__ import annotations

from contextlib import contextmanager
from io import FileIO
from typing import TYPE_CHECKING, overload

from kernelviewer.formats.opened import OpenedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
