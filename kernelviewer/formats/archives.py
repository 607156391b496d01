"""Archives around a checkpoint: ``.zip``, ``.tar``, ``.tar.gz``, ``.gz`` and the like.

What is inside is unpacked into a temporary folder, which goes when the last tensor of
it is let go, and opened there. Nothing is written outside that folder: names that point
elsewhere are refused, links and devices passed over, and sizes bounded while unpacking.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import tempfile
import weakref
import zlib
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from kernelviewer.formats.checkpoint import CheckpointError
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.opened import OpenedFile
from kernelviewer.formats.wrong_files import document
from kernelviewer.formats.zip_directory import ZIP_MAGIC, ZipRecord, zip_records

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.formats.leaves import Load
    from kernelviewer.formats.source import Options, Source

    Opener = Callable[[Path, Options], Checkpoint]

_CHUNK = 1 << 20
_MUCH = 1 << 26
_RATIO = 100
_MAX_FILES = 10_000
_PACKERS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)
_OLD_TORCH = ("storages", "tensors", "pickle")
_NOT_WEIGHTS = {
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".mp4", ".wav", ".webp"),
    *(".py", ".md", ".html", ".csv", ".ipynb", ".c", ".h", ".so", ".exe", ".whl"),
}


def match(source: Source) -> bool:
    """Whether the file is packed: a tar, or something gzip, bzip2 or xz made."""
    return _packer(source) != "" or source.head[257:262] == b"ustar"


def match_zip(source: Source) -> bool:
    """Whether the file is a sound zip; asked after the formats that are zips."""
    if not source.head.startswith(ZIP_MAGIC):
        return False
    try:
        records = zip_records(source)
        return bool(records) and not document(records)
    except DamagedError:
        return False


def open_zip(source: Source, options: Options, open_inner: Opener) -> Checkpoint:
    """Open the checkpoint in a zip.

    Raises
    ------
    CheckpointError
        It holds none, or several, or is damaged.
    """
    with damage_named(source.path, "a zip file"):
        folder = _Folder()
        _unzip(source, folder, options.check)
    return _opened(source, options, folder, open_inner)


def open_packed(source: Source, options: Options, open_inner: Opener) -> Checkpoint:
    """Open the checkpoint in a tar or a compressed file.

    Raises
    ------
    CheckpointError
        It holds none, or several, or is damaged.
    """
    packer = _packer(source)
    what = f"a file packed with {packer}" if packer else "a tar file"
    with damage_named(source.path, what):
        folder = _Folder()
        try:
            _unpack(source, packer, folder, options.check)
        except DamagedError:
            raise
        except (*_BROKEN, ValueError):
            problem = "it is cut off or damaged: it may be half a download"
            raise DamagedError(problem, "Download it again.") from None
        if all((folder.path / name).exists() for name in _OLD_TORCH):
            problem = "it was saved by a PyTorch from before 0.2, which is not read"
            raise DamagedError(problem, "Load it in Python and save it again.")
    return _opened(source, options, folder, open_inner)


class _Folder:
    """A temporary folder that goes when nothing refers to it any more."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="kernelviewer-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """Reads values from the temporary folder, and keeps it."""

    load: Load
    folder: _Folder
    archive: Path

    def __call__(self) -> NDArray[np.generic]:
        """Read now."""
        try:
            return self.load()
        except CheckpointError as error:
            raise _outside(self.archive, error) from None


def _opened(
    source: Source, options: Options, folder: _Folder, open_inner: Opener
) -> Checkpoint:
    """Open what was unpacked, under the archive's name."""
    try:
        inner = open_inner(folder.path, options)
    except CheckpointError as error:
        raise _outside(source.path, error) from None
    tensors = tuple(
        replace(tensor, load=_Kept(tensor.load, folder, source.path))
        for tensor in inner.tensors
    )
    kind = "zip" if source.head.startswith(ZIP_MAGIC) else _packer(source) or "tar"
    return replace(
        inner,
        path=source.path,
        format=f"{inner.format} in {kind}",
        size_bytes=source.size,
        tensors=tensors,
    )


def _outside(archive: Path, error: CheckpointError) -> CheckpointError:
    """Say of the archive what is wrong inside."""
    if error.path.name.startswith("kernelviewer-"):
        problem = error.problem.replace("the folder", "it").replace("this is", "it is")
        return CheckpointError(archive, f"an archive, but {problem}", error.hint)
    problem = f"an archive, but {error.path.name} in it: {error.problem}"
    return CheckpointError(archive, problem, error.hint)


def _packer(source: Source) -> str:
    """Program that packed the file; empty if none did."""
    return next(
        (name for magic, name in _PACKERS.items() if source.head.startswith(magic)), ""
    )


# Unpacking


class _Limits:
    """Bounds on what one archive may unpack to."""

    def __init__(self, packed: int, check: Callable[[], None]) -> None:
        self._allowed = max(_MUCH, _RATIO * packed)
        self._allowed = min(
            self._allowed, shutil.disk_usage(tempfile.gettempdir()).free
        )
        self._files = 0
        self._check = check

    def next_file(self) -> None:
        """Count a file."""
        self._files += 1
        if self._files > _MAX_FILES:
            raise DamagedError(f"it holds more than {_MAX_FILES:,} files", _HINT)

    def take(self, count: int) -> None:
        """Count bytes."""
        self._check()
        self._allowed -= count
        if self._allowed < 0:
            raise DamagedError(
                "it would unpack to far more than weights can be packed into, "
                "or than the disk has room for",
                _HINT,
            )


_HINT = "Unpack it yourself, if you trust it, and open what is inside."


def _target(folder: _Folder, name: str) -> Path:
    """Where to unpack a file of this name: never outside the folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if ".." in parts or parts[:1] in ((), ("/",)) or ":" in parts[0]:
        raise DamagedError(f"it holds a file “{name[:80]}” that points outside", _HINT)
    path = folder.path.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _unzip(source: Source, folder: _Folder, check: Callable[[], None]) -> None:
    """Unpack a zip's files."""
    file = OpenedFile.of(source.path)
    limits = _Limits(source.size, check)
    for name, record in zip_records(source).items():
        if name.endswith("/") or name.startswith("__MACOSX/") or _is_other(name):
            continue
        target = _target(folder, name)
        limits.next_file()
        limits.take(record.size)
        with target.open("wb") as out:
            for piece in ZipRecord(file, record).pieces():
                check()
                out.write(piece)


def _unpack(
    source: Source, packer: str, folder: _Folder, check: Callable[[], None]
) -> None:
    """Unpack a tar or a single compressed file."""
    limits = _Limits(source.size, check)
    with _stream(source.path, packer) as stream:
        start = stream.read(512)
        stream.seek(0)
        if start[257:262] == b"ustar" or not packer:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for member in tar:
                    _untar(tar, member, folder, limits)
        else:
            name = source.path.stem.replace(":", "_") or "contents"
            limits.next_file()
            _copy(stream, _target(folder, name), limits)


def _stream(path: Path, packer: str) -> IO[bytes]:
    """Open the unpacked bytes."""
    if packer == "gzip":
        return cast("IO[bytes]", gzip.open(path))
    if packer == "bzip2":
        return bz2.open(path)
    return lzma.open(path) if packer == "xz" else path.open("rb")


def _untar(
    tar: tarfile.TarFile, member: tarfile.TarInfo, folder: _Folder, limits: _Limits
) -> None:
    """Unpack one file of a tar; links, devices and folders are passed over."""
    limits.next_file()
    if not member.isreg():
        return
    target = _target(folder, member.name)
    stream = tar.extractfile(member)
    if stream is not None and not _is_other(member.name):
        _copy(stream, target, limits)


def _copy(stream: IO[bytes], target: Path, limits: _Limits) -> None:
    """Copy bytes within the limits."""
    with target.open("wb") as out:
        while piece := stream.read(_CHUNK):
            limits.take(len(piece))
            out.write(piece)


def _is_other(name: str) -> bool:
    """Whether a name says that the file holds no weights."""
    return PurePosixPath(name).suffix.lower() in _NOT_WEIGHTS
