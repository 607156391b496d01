"""Files that a model names beside itself, because its weights lie there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.opened import OpenedFile


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
