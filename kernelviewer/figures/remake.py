"""Finding again what a figure was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.provenance import from_ranges
from kernelviewer.formats.hashing import hash_at, network_hash
from kernelviewer.strangers import is_plain, reach
from kernelviewer.text import shortened, shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kernelviewer.figures.provenance import FileRecord, Record
    from kernelviewer.figures.scene import Scene
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


def find_files(
    record: Record,
    given: Sequence[AnyPath],
    folders: Iterable[AnyPath],
    watch: Watch = NEVER,
) -> list[Path]:
    """The files of a record, in its order.

    Parameters
    ----------
    given
        Files named by the user, under whatever names.
    folders
        Where else to look, by name; a recorded name that is more than a name, as a
        stranger may have written it, is not looked for.

    Raises
    ------
    FigureError
        A file is not there, or has another content than it had.
    """
    places = [Path(folder) for folder in folders]
    hashes = {Path(path): hash_at(path, watch) for path in given}
    return [_find(item, hashes, places, watch) for item in record.files]


def show_again(scene: Scene, record: Record) -> Scene:
    """The scene with just the kernels that the figure showed.

    Raises
    ------
    FigureError
        The record does not fit the networks.
    """
    if len(record.files) != len(scene.subjects):
        raise FigureError("the figure was made from other networks")
    subjects = []
    for subject, item in zip(scene.subjects, record.files, strict=True):
        try:
            mask = from_ranges(item.shown, len(subject.kernels))
        except ValueError:
            name = shortened(shown(item.name))
            msg = f"{name}: the figure showed kernels that are not there"
            raise FigureError(msg) from None
        subjects.append(
            replace(subject, shown=mask, sha256=item.sha256, called=item.called)
        )
    return replace(
        scene,
        subjects=tuple(subjects),
        selection=record.selection,
        count_equal=not record.once,
    )


def with_hashes(scene: Scene, watch: Watch = NEVER) -> Scene:
    """The scene with the hash of each network's files, as they were read."""
    subjects = (
        replace(item, sha256=network_hash(item.bank.files, watch))
        for item in scene.subjects
    )
    return replace(scene, subjects=tuple(subjects))


def _find(
    item: FileRecord, hashes: dict[Path, str], folders: list[Path], watch: Watch
) -> Path:
    for path, found in hashes.items():
        if found == item.sha256:
            return path
    named = [folder / item.name for folder in folders if is_plain(item.name)]
    there = [path for path in named if _may_be_read(path)]
    for path in there:
        if hash_at(path, watch) == item.sha256:
            return path
    name = shortened(shown(item.name))
    if there or any(path.name == item.name for path in hashes):
        raise FigureError(
            f"{name}: this is not the file that the figure was made from",
            "Its content differs.",
        )
    raise FigureError(
        f"{name}: the file that the figure was made from is not here",
        "Name it after the figure.",
    )


def _may_be_read(path: Path) -> bool:
    """True if a network may be there; a link to a share or a device is not followed."""
    try:
        if reach(path.parent, path.name) == "never":
            return False
        return path.is_file() or path.is_dir()
    except (OSError, ValueError):  # such as a name that is too long
        return False
