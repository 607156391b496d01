"""Archives around a checkpoint: ``.zip``, ``.tar``, ``.tar.gz``, ``.gz`` and the like.

What is inside is unpacked into a temporary folder, which goes when the last tensor of
it is let go, and opened there.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import CheckpointError
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.unpacking import packer, unpack, unzip
from kernelviewer.formats.wrong_files import document
from kernelviewer.formats.zip_directory import ZIP_MAGIC, zip_records

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.formats.leaves import Load
    from kernelviewer.formats.source import Options, Source

    Opener = Callable[[Path, Options], Checkpoint]

_PREFIX = "kernelviewer-"
_OLD_TORCH = ("storages", "tensors", "pickle")


def match(source: Source) -> bool:
    """Whether the file is a tar, something compressed, or a zip that is no document.

    Asked after the formats that are zips themselves.
    """
    if not source.head.startswith(ZIP_MAGIC):
        return packer(source) != "" or source.head[257:262] == b"ustar"
    try:
        records = zip_records(source)
    except DamagedError:
        return False
    return bool(records) and not document(records)


def open_archive(source: Source, options: Options, open_inner: Opener) -> Checkpoint:
    """Open the checkpoint in an archive; ``open_inner`` opens the unpacked folder.

    Raises
    ------
    CheckpointError
        It holds no checkpoint, or several, or is damaged.
    """
    kind = _kind(source)
    what = f"a file packed with {kind}" if packer(source) else f"a {kind} file"
    with damage_named(source.path, what):
        folder = _Folder()
        (unzip if kind == "zip" else unpack)(source, folder.path, options.check)
        if all((folder.path / name).exists() for name in _OLD_TORCH):
            problem = "it was saved by a PyTorch from before 0.2, which is not read"
            raise DamagedError(problem, "Load it in Python and save it again.")
    try:
        inner = open_inner(folder.path, options)
    except CheckpointError as error:
        raise _outside(source.path, error) from None
    tensors = [
        replace(tensor, load=_Kept(tensor.load, folder, source.path))
        for tensor in inner.tensors
    ]
    return replace(
        inner,
        path=source.path,
        format=f"{inner.format} in {kind}",
        size_bytes=source.size,
        tensors=tuple(tensors),
    )


class _Folder:
    """A temporary folder that goes when nothing refers to it any more."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
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


def _kind(source: Source) -> str:
    """Name of the archive's format."""
    if source.head.startswith(ZIP_MAGIC):
        return "zip"
    return packer(source) or "tar"


def _outside(archive: Path, error: CheckpointError) -> CheckpointError:
    """Say of the archive what is wrong inside."""
    if error.path.name.startswith(_PREFIX):
        problem = error.problem.replace("the folder", "it").replace("this is", "it is")
        return CheckpointError(archive, f"an archive, but {problem}", error.hint)
    problem = f"an archive, but {error.path.name} in it: {error.problem}"
    return CheckpointError(archive, problem, error.hint)
