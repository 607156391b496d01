"""Archives around a checkpoint: ``.zip``, ``.tar``, ``.tar.gz``, ``.gz`` and the like.

What is inside is unpacked into a temporary folder, which goes when the last tensor of
it is let go, and opened there. A single archive in an archive is unpacked as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.tar import is_tar
from kernelviewer.formats.temporary import (
    PREFIX,
    TemporaryFolder,
    remove_left_behind,
)
from kernelviewer.formats.unpacking import Limits, packer, unpack, unzip
from kernelviewer.formats.wrong_files import document
from kernelviewer.formats.zip_directory import ZIP_MAGIC, zip_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.formats.leaves import Load
    from kernelviewer.formats.source import Options, Source

    Opener = Callable[[Path, Options], Checkpoint]
    Finder = Callable[[Path, Options], Source | None]

_LEVELS = 2
_OLD_TORCH = ("storages", "tensors", "pickle")


def match(source: Source) -> bool:
    """Whether the file is a tar, something compressed, or a zip that is no document.

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
    source: Source, options: Options, open_inner: Opener, archive_in: Finder
) -> Checkpoint:
    """Open the checkpoint in an archive.

    Parameters
    ----------
    source, options
        As for every reader.
    open_inner
        Opens the unpacked folder.
    archive_in
        Gives the one archive that a folder without checkpoints holds, if it does.

    Raises
    ------
    CheckpointError
        It holds no checkpoint, or several, or is damaged.
    """
    remove_left_behind()
    folder = TemporaryFolder()
    limits = Limits(source.size, options.check)
    place, packed, kinds = folder.path, source, [_kind(source)]
    _unpack(packed, place, limits)
    try:
        while len(kinds) < _LEVELS and (inside := archive_in(place, options)):
            packed, place = inside, folder.path / f"{PREFIX}{len(kinds)}"
            kinds.insert(0, _kind(packed))
            place.mkdir()
            _unpack(packed, place, limits)
            packed.path.unlink()
        inner = open_inner(place, options)
    except CheckpointError as error:
        raise _outside(source.path, error, packed.path) from None
    tensors = [
        replace(tensor, load=_Kept(tensor.load, folder, source.path))
        for tensor in inner.tensors
    ]
    return replace(
        inner,
        path=source.path,
        format=" in ".join((inner.format, *kinds)),
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


def _outside(
    archive: Path, error: CheckpointError, inside: Path | None = None
) -> CheckpointError:
    """Say of the archive what is wrong inside, perhaps in an archive in it."""
    problem = error.problem
    if error.path.name.startswith(PREFIX):
        problem = problem.replace("the folder", "it").replace("this is", "it is")
        if inside not in (None, archive):
            problem = f"{inside.name} in it is one too, and {problem}"
    else:
        problem = f"{error.path.name} in it: {problem}"
    hint = error.hint.replace("Open one of", "Unpack it and open one of")
    return CheckpointError(archive, f"an archive, but {problem}", hint)
