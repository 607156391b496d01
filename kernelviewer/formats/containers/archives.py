"""Archives around a checkpoint: ``.zip``, ``.tar``, ``.tar.gz``, ``.gz`` and the like.

What is inside is unpacked into a temporary folder, which goes when the last tensor of
it is let go, and opened there. A single archive in an archive is unpacked as well.
"""

from __future__ import annotations

import bz2
import lzma
import os
import shutil
import tempfile
import zlib
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NoReturn, Protocol

from kernelviewer.formats.containers.tar import Tar, is_tar
from kernelviewer.formats.containers.unpacked import (
    PREFIX,
    TemporaryFolder,
    remove_left_behind,
)
from kernelviewer.formats.containers.zip_directory import (
    ZIP_MAGIC,
    ZipRecord,
    zip_records,
)
from kernelviewer.formats.errors import CheckpointError, DamagedError, damage_named
from kernelviewer.formats.source import Source
from kernelviewer.formats.wrong_files import document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.formats.source import Options
    from kernelviewer.formats.stored import Load
    from kernelviewer.watch import Watch

    Opener = Callable[[Source], Checkpoint]
    from io import BufferedReader


LEVELS = 2
"""An archive may lie in an archive."""
_BUT = "an archive, but "
_OLD_TORCH = ("storages", "tensors", "pickle")


def match(source: Source) -> bool:
    """True if the file is a tar, something compressed, or a zip that is no document.

    Asked after the formats that are zips themselves.
    """
    if not source.head.startswith(ZIP_MAGIC):
        return packer(source) != "" or is_tar(source.head)
    try:
        records = zip_records(source)
    except DamagedError:
        return False
    return bool(records) and not document(records)


def names_in_zip(source: Source) -> tuple[str, ...]:
    """Names of the files in a zip, from its directory; empty for other archives."""
    if not source.head.startswith(ZIP_MAGIC):
        return ()
    try:
        return tuple(zip_records(source))
    except DamagedError:
        return ()


def open_archive(
    source: Source, options: Options, limits: Limits, open_inner: Opener
) -> Checkpoint:
    """Open the checkpoint in an archive.

    Parameters
    ----------
    limits
        Of the bytes that come out of it; one for an archive and those inside it.
    open_inner
        Opens the unpacked folder.

    Raises
    ------
    CheckpointError
        It holds no checkpoint, or several, or is damaged.
    """
    remove_left_behind()
    folder = TemporaryFolder()
    _unpack(source, folder.path, limits)
    try:
        inner = open_inner(Source(folder.path, 0, b"", is_folder=True))
    except CheckpointError as error:
        raise _outside(source.path, error) from None
    tensors = [
        replace(tensor, load=_Kept(tensor.load, folder, source.path))
        for tensor in inner.tensors
    ]
    return replace(
        inner,
        path=source.path,
        format=f"{inner.format} in {_kind(source)}",
        size_bytes=source.size,
        tensors=tuple(tensors),
        files=(source.file(),),
    )


def _unpack(source: Source, folder: Path, limits: Limits) -> None:
    """Unpack one archive into an empty folder."""
    kind = _kind(source)
    what = f"a file packed with {kind}" if packer(source) else f"a {kind} file"
    with damage_named(source.path, what):
        (unzip if kind == "zip" else unpack)(source, folder, limits)
        if all((folder / name).exists() for name in _OLD_TORCH):
            problem = "it was saved by a PyTorch from before 0.2, which is not read"
            raise DamagedError(problem, "Load it in Python and save it again.")


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """Reads values from the temporary folder, and keeps it."""

    load: Load
    folder: TemporaryFolder
    archive: Path

    def __call__(self) -> NDArray[np.generic]:
        """Read now."""
        try:
            return self.load()
        except CheckpointError as error:
            raise _outside(self.archive, error) from None


def _kind(source: Source) -> str:
    """Name of the archive's format."""
    if source.head.startswith(ZIP_MAGIC):
        return "zip"
    return packer(source) or "tar"


def _outside(archive: Path, error: CheckpointError) -> CheckpointError:
    """Say of the archive what is wrong inside, perhaps in an archive in it."""
    problem, name = error.problem, error.path.name
    if name.startswith(PREFIX):
        problem = problem.replace("the folder", "it").replace("this is", "it is")
    elif problem.startswith(_BUT):
        problem = f"{name} in it is one too, and {problem.removeprefix(_BUT)}"
    else:
        problem = f"{name} in it: {problem}"
    hint = error.hint.replace("Open one of", "Unpack it and open one of")
    return CheckpointError(archive, f"{_BUT}{problem}", hint)


_CHUNK, _PACKED = 1 << 20, 1 << 15
_TAR_HEAD = 512
_MUCH = 1 << 26
_RATIO = 100
_MAX_FILES = 10_000
_PACKERS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_CUT_OFF = "it is cut off or damaged: it may be half a download"
_AGAIN = "Download it again."
_MAX_MEMORY = 1 << 28  # for the dictionary of xz; its largest preset takes 65 MB
_MISNAMED = (ValueError, FileExistsError, NotADirectoryError, IsADirectoryError)
_NOT_WEIGHTS = {
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".mp4", ".wav", ".webp"),
    *(".py", ".md", ".html", ".csv", ".ipynb", ".c", ".h", ".so", ".exe", ".whl"),
}
_BY_HAND = "Unpack it yourself, if you trust it, and open what is inside."


def packer(source: Source) -> str:
    """Program that packed the file: gzip, bzip2 or xz; empty if none did."""
    return next(
        (name for magic, name in _PACKERS.items() if source.head.startswith(magic)), ""
    )


def unpack(source: Source, folder: Path, limits: Limits) -> None:
    """Unpack a tar, or a single file that was compressed.

    Links and devices are passed over.

    Raises
    ------
    DamagedError
        It is damaged, too large, or would write outside the folder.
    """
    try:
        with source.path.open("rb") as file:
            stream = _Unpacked(file, packer(source), limits)
            if is_tar(stream.peek(_TAR_HEAD)):
                _untar(stream, folder, limits)
            else:
                name = source.path.stem.replace(":", "_") or "contents"
                limits.next_file()
                _copy(stream.read, _target(folder, name), limits)
    except DamagedError:
        raise
    except _MISNAMED:
        raise DamagedError("the names of the files in it make no sense") from None


def unzip(source: Source, folder: Path, limits: Limits) -> None:
    """Unpack a zip; raises as `unpack`."""
    file = source.file()
    try:
        for name, record in zip_records(source).items():
            limits.watch.check()
            if name.endswith("/") or name.startswith("__MACOSX/") or _is_other(name):
                continue
            target = _target(folder, name)
            limits.next_file()
            limits.take(record.size)
            with target.open("wb") as out:
                for piece in ZipRecord(file, record).pieces():
                    limits.watch.check()
                    limits.keep(len(piece))
                    out.write(piece)
    except DamagedError:
        raise
    except _MISNAMED:
        raise DamagedError("the names of the files in it make no sense") from None


class Limits:
    """Bounds on what one archive may unpack to, archives in it included.

    Parameters
    ----------
    packed
        Size of the archive in bytes.
    """

    def __init__(self, packed: int, watch: Watch) -> None:
        self._free = shutil.disk_usage(tempfile.gettempdir()).free
        self._allowed = max(_MUCH, _RATIO * packed)
        self._files = 0
        self.watch = watch

    def next_file(self) -> None:
        """Count a file."""
        self.watch.check()
        self._files += 1
        if self._files > _MAX_FILES:
            raise DamagedError(f"it holds more than {_MAX_FILES:,} files", _BY_HAND)

    def take(self, count: int) -> None:
        """Count bytes that were unpacked."""
        self.watch.check()
        self._allowed -= count
        if self._allowed < 0:
            self._refuse()

    def keep(self, count: int) -> None:
        """Count bytes that are written to the disk."""
        self._free -= count
        if self._free < 0:
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise DamagedError(
            "it would unpack to far more than weights can be packed into, "
            "or than the disk has room for",
            _BY_HAND,
        )


def _target(folder: Path, name: str) -> Path:
    """Where to unpack a file of this name: never outside the folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or parts[:1] in ((), ("/",)) or ":" in parts[0]:
        problem = f"it holds a file “{name[:80]}” that points outside"
        raise DamagedError(problem, _BY_HAND)
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


class _Unpacker(Protocol):
    """What `bz2` and `lzma` offer, and `_Gzip` for `zlib`."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """`zlib`'s unpacker of gzip in the form of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        found = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # where as much came out as was asked for, more may be waiting inside
        self.needs_input = len(found) < max_length
        return found


def _unpacker(packed_by: str) -> _Unpacker:
    if packed_by == "gzip":
        return _Gzip()
    if packed_by == "bzip2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_MEMORY)


class _Unpacked:
    """The unpacked bytes of a file in order, each of them counted.

    Parameters
    ----------
    file
        The file, at its start.
    packed_by
        gzip, bzip2 or xz; empty for a file that is not packed.
    """

    def __init__(self, file: BufferedReader, packed_by: str, limits: Limits) -> None:
        self._file, self._packed_by, self._limits = file, packed_by, limits
        self._unpacker = _unpacker(packed_by) if packed_by else None
        self._packed = b""
        self._ready, self._at = b"", 0

    def peek(self, count: int) -> bytes:
        """The next bytes, which stay the next."""
        head = self.read(count)
        self._ready, self._at = head + self._ready[self._at :], 0
        return head

    def read(self, count: int) -> bytes:
        """Up to so many bytes; fewer only at the end."""
        pieces, missing = [], count
        while missing and (self._at < len(self._ready) or self._turn()):
            piece = self._ready[self._at : self._at + missing]
            pieces.append(piece)
            self._at += len(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> None:
        """Pass over bytes."""
        while count and (self._at < len(self._ready) or self._turn()):
            step = min(count, len(self._ready) - self._at)
            self._at += step
            count -= step
            if self._unpacker is None and count:
                self._file.seek(count, os.SEEK_CUR)
                return

    def _turn(self) -> bool:
        """Make the next piece the one that is read from; False at the end."""
        self._ready, self._at = self._next(), 0
        return bool(self._ready)

    def _next(self) -> bytes:
        """The next piece as it comes; empty at the end."""
        if self._unpacker is None:
            piece = self._file.read(_CHUNK)
            self._limits.take(len(piece))
            return piece
        try:
            return self._next_unpacked()
        except lzma.LZMAError as error:
            if "emory" not in str(error):
                raise DamagedError(_CUT_OFF, _AGAIN) from None
            problem = "unpacking it takes more memory than is allowed"
            raise DamagedError(problem, _BY_HAND) from None
        except (zlib.error, EOFError, OSError, ValueError) as error:
            if isinstance(error, DamagedError):
                raise
            raise DamagedError(_CUT_OFF, _AGAIN) from None

    def _next_unpacked(self) -> bytes:
        """The next piece; files may be several that were packed one by one."""
        assert self._unpacker is not None
        while True:
            self._limits.watch.check()
            if self._unpacker.eof:
                self._packed = self._unpacker.unused_data
                if not self._goes_on():
                    return b""
                self._unpacker = _unpacker(self._packed_by)
            packed = b""
            if self._unpacker.needs_input:
                packed, self._packed = self._packed or self._file.read(_PACKED), b""
                if not packed:
                    raise EOFError
            piece = self._unpacker.decompress(packed, _CHUNK)
            if piece:
                self._limits.take(len(piece))
                return piece

    def _goes_on(self) -> bool:
        """True if another packed stream follows, perhaps after zeros."""
        magic = next(key for key, name in _PACKERS.items() if name == self._packed_by)
        while not (rest := self._packed.lstrip(b"\0")) or len(rest) < len(magic):
            self._limits.watch.check()
            more = self._file.read(_PACKED)
            if not more:
                break
            self._packed = rest + more
        self._packed = rest
        return rest.startswith(magic)


def _untar(stream: _Unpacked, folder: Path, limits: Limits) -> None:
    tar = Tar(stream)
    for member in tar:
        limits.next_file()
        if member.kind == "other" or _is_other(member.name):
            continue
        if member.kind == "sparse":
            problem = f"“{member.name[-80:]}” in it is stored sparse, which is not read"
            raise DamagedError(problem, _BY_HAND)
        _copy(tar.read, _target(folder, member.name), limits)


def _copy(read: Callable[[int], bytes], target: Path, limits: Limits) -> None:
    """Copy bytes within the limits."""
    with target.open("wb") as out:
        while piece := read(_CHUNK):
            limits.keep(len(piece))
            out.write(piece)


def _is_other(name: str) -> bool:
    """True if a name says that the file holds no weights."""
    return PurePosixPath(name).suffix.lower() in _NOT_WEIGHTS
