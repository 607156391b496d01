"""Unpacking archives into a folder: within bounds, and never outside it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import tempfile
import zlib
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from kernelviewer.formats.damage import DamagedError
from kernelviewer.formats.opened import OpenedFile
from kernelviewer.formats.zip_directory import ZipRecord, zip_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.formats.source import Source

_CHUNK = 1 << 20
_MUCH = 1 << 26
_RATIO = 100
_MAX_FILES = 10_000
_PACKERS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_BROKEN = (
    *(tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError),
    *(ValueError, FileExistsError, NotADirectoryError, IsADirectoryError),
)
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
        with _stream(source.path, packer(source)) as stream:
            if stream.read(512)[257:262] == b"ustar":
                stream.seek(0)
                with tarfile.open(fileobj=stream, mode="r|") as tar:
                    for member in tar:
                        _untar(tar, member, folder, limits)
            else:
                stream.seek(0)
                name = source.path.stem.replace(":", "_") or "contents"
                limits.next_file()
                _copy(stream, _target(folder, name), limits)
    except DamagedError:
        raise
    except _BROKEN:
        problem = "it is cut off or damaged: it may be half a download"
        raise DamagedError(problem, "Download it again.") from None


def unzip(source: Source, folder: Path, limits: Limits) -> None:
    """Unpack a zip; raises as `unpack`."""
    file = OpenedFile.of(source.path)
    try:
        for name, record in zip_records(source).items():
            if name.endswith("/") or name.startswith("__MACOSX/") or _is_other(name):
                continue
            target = _target(folder, name)
            limits.next_file()
            limits.take(record.size)
            with target.open("wb") as out:
                for piece in ZipRecord(file, record).pieces():
                    limits.check()
                    out.write(piece)
    except DamagedError:
        raise
    except _BROKEN:
        raise DamagedError("the names of the files in it make no sense") from None


class Limits:
    """Bounds on what one archive may unpack to, archives in it included.

    Parameters
    ----------
    packed
        Size of the archive in bytes.
    check
        Called between pieces of work; raises to cancel.
    """

    def __init__(self, packed: int, check: Callable[[], None]) -> None:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        self._allowed = min(max(_MUCH, _RATIO * packed), free)
        self._files = 0
        self.check = check

    def next_file(self) -> None:
        """Count a file."""
        self._files += 1
        if self._files > _MAX_FILES:
            raise DamagedError(f"it holds more than {_MAX_FILES:,} files", _BY_HAND)

    def take(self, count: int) -> None:
        """Count bytes."""
        self.check()
        self._allowed -= count
        if self._allowed < 0:
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


def _stream(path: Path, packed_by: str) -> IO[bytes]:
    """Open the unpacked bytes."""
    if packed_by == "gzip":
        return cast("IO[bytes]", gzip.open(path))
    if packed_by == "bzip2":
        return bz2.open(path)
    return lzma.open(path) if packed_by == "xz" else path.open("rb")


def _untar(
    tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, limits: Limits
) -> None:
    """Unpack one file of a tar."""
    limits.next_file()
    if not member.isreg() or _is_other(member.name):
        return
    stream = tar.extractfile(member)
    if stream is not None:
        _copy(stream, _target(folder, member.name), limits)


def _copy(stream: IO[bytes], target: Path, limits: Limits) -> None:
    """Copy bytes within the limits."""
    with target.open("wb") as out:
        while piece := stream.read(_CHUNK):
            limits.take(len(piece))
            out.write(piece)


def _is_other(name: str) -> bool:
    """Whether a name says that the file holds no weights."""
    return PurePosixPath(name).suffix.lower() in _NOT_WEIGHTS
