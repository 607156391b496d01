"""The table of readers, and `open_checkpoint`, which asks them in order."""

from __future__ import annotations

import re
import stat
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kernelviewer.formats import (
    archives,
    flax_file,
    folders,
    keras_file,
    numpy_file,
    onnx_file,
    paddle_file,
    plain_pickle,
    safetensors,
    sharded,
    tf_graph,
    tfjs_file,
    tflite_file,
    torch_export,
    torch_folder,
    torch_legacy,
    torch_script,
    torch_zip,
)
from kernelviewer.formats.distributed import is_part
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.model_config import WEIGHTS, with_config
from kernelviewer.formats.opened import OpenedFile
from kernelviewer.formats.printable import with_printable_names
from kernelviewer.formats.source import HEAD_BYTES, Options, Reader, Source
from kernelviewer.formats.unpacked import unpacking
from kernelviewer.formats.wrong_files import wrong_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.text import AnyPath

READERS: tuple[Reader, ...] = (
    Reader("safetensors", safetensors.match, safetensors.open_safetensors),
    Reader("TorchScript", torch_script.match, torch_script.open_torch_script),
    Reader("torch.export", torch_export.match, torch_export.open_torch_export),
    Reader("PyTorch", torch_zip.match, torch_zip.open_torch_zip),
    Reader("PyTorch (legacy)", torch_legacy.match, torch_legacy.open_torch_legacy),
    Reader("TFLite", tflite_file.match, tflite_file.open_tflite),
    Reader("Keras", keras_file.match, keras_file.open_keras),
    Reader("NumPy archive", numpy_file.match_npz, numpy_file.open_npz),
    Reader("NumPy array", numpy_file.match_npy, numpy_file.open_npy),
    Reader("ONNX", onnx_file.match, onnx_file.open_onnx, has_parts=True),
    Reader("Flax", flax_file.match, flax_file.open_flax),
    Reader("sharded checkpoint", sharded.match, sharded.open_sharded, has_parts=True),
    Reader("TensorFlow.js", tfjs_file.match, tfjs_file.open_tfjs, has_parts=True),
    Reader("Paddle", paddle_file.match, paddle_file.open_paddle, has_parts=True),
    Reader("TensorFlow graph", tf_graph.match, tf_graph.open_tf_graph),
    Reader(
        *("PyTorch (unpacked)", torch_folder.match, torch_folder.open_torch_folder),
        has_parts=True,
    ),
    Reader("Python pickle", plain_pickle.match, plain_pickle.open_pickle),
)
"""Asked from the top; the first whose ``match`` says yes opens the file."""

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.")


def _never() -> None:
    """Nothing cancels."""


def open_checkpoint(
    path: AnyPath, *, copy: str = "", check: Callable[[], None] = _never
) -> Checkpoint:
    """Open a checkpoint; only its headers are read.

    Parameters
    ----------
    path
        A file of any format, a model folder, or an archive around one of these. Its
        content decides, not its suffix.
    copy
        Which copy of the network to open where the file holds several; the default
        is the EMA copy.
    check
        Called between pieces of work; what it raises cancels the opening.

    Returns
    -------
    Checkpoint
        All texts in it are printable (`kernelviewer.text.printable`).

    Raises
    ------
    CheckpointError
        The file is no checkpoint or is damaged; the message says what it is and what
        to do.
    """
    try:
        return with_printable_names(_open(Path(path), Options(copy, check)))
    except OSError as error:
        reason = error.strerror or "disk error"
        problem = f"the file cannot be read ({reason})"
        raise CheckpointError(Path(path), problem) from None


def _open(path: Path, options: Options) -> Checkpoint:
    """Open a file, folder or archive; names are as it has them."""
    source = _look_at(path)
    with unpacking(options.check):
        if source.is_folder:
            return _open_folder(source.path, options)
        with _unchanged(source):
            return _open_whole(source, options)


def _open_whole(source: Source, options: Options) -> Checkpoint:
    """Open a file or an archive."""
    reader = _reader_of(source)
    if reader is None and not is_part(source.path) and archives.match(source):
        return archives.open_archive(source, options, _open_folder, _archive_in)
    return _open_file(source, options, reader)


@contextmanager
def _unchanged(source: Source) -> Iterator[None]:
    """Believe neither what is read of a file that changes meanwhile, nor an error."""
    file = source.file()
    try:
        yield
    except (CheckpointError, OSError):
        if not file.is_as_it_was() and source.path.exists():
            raise file.changed() from None
        raise
    if not file.is_as_it_was():
        raise file.changed()


def files_of(
    path: AnyPath, *, check: Callable[[], None] = _never
) -> tuple[OpenedFile, ...]:
    """The files that hold the network at a path: `Checkpoint.files`, without more work.

    Raises
    ------
    CheckpointError
        There is no network, or a part of it is missing.
    OSError
        The disk fails.
    """
    path = Path(path)
    source = _look_at(path)
    if not source.is_folder:
        reader = _reader_of(source)
        if reader is None or not reader.has_parts:
            return (OpenedFile.of(path),)
    return open_checkpoint(path, check=check).files


def is_checkpoint(path: AnyPath) -> bool:
    """Whether some reader takes the file, or the folder as one model; by content.

    Archives count only when they are opened by name.
    """
    try:
        source = _look_at(Path(path))
    except (CheckpointError, OSError):
        return False
    if source.is_folder:
        return folders.match(source)
    return _has_reader(source)


def _has_reader(source: Source) -> bool:
    """Whether some reader takes a file, as long as it can be read."""
    try:
        return _reader_of(source) is not None
    except (CheckpointError, OSError):
        return False


def _reader_of(source: Source) -> Reader | None:
    """Reader that takes a file; None for a part that holds no whole network."""
    if is_part(source.path):
        return None
    return next((reader for reader in READERS if reader.match(source)), None)


def _open_folder(path: Path, options: Options) -> Checkpoint:
    """Open a folder; its files are opened unless they are archives again."""

    def open_inside(file: Path, options: Options) -> Checkpoint:
        source = _look_at(file)
        with _unchanged(source):
            return _open_file(source, options, _reader_of(source))

    return folders.open_folder(
        _look_at(path), options, open_inside, is_checkpoint, _is_archive
    )


def _archive_in(path: Path, options: Options) -> Source | None:
    """The one archive that a folder without checkpoints holds, if it does."""
    if folders.files_in(path, is_checkpoint, options.check):
        return None
    found = folders.files_in(path, _is_archive, options.check)
    return _look_at(found[0]) if len(found) == 1 else None


def holds_checkpoint(path: AnyPath) -> bool:
    """Whether a file is a zip with a file in it that is named like a checkpoint.

    Only its directory is read.
    """
    try:
        source = _look_at(Path(path))
        return _is_archive(source.path) and any(
            folders.is_named_so(PurePosixPath(name))
            for name in archives.names_in_zip(source)
        )
    except (CheckpointError, OSError):
        return False


def _is_archive(path: Path) -> bool:
    """Whether a file is an archive around other files."""
    try:
        source = _look_at(path)
        no_reader = not source.is_folder and _reader_of(source) is None
        return no_reader and not is_part(path) and archives.match(source)
    except (CheckpointError, OSError):
        return False


def _open_file(source: Source, options: Options, reader: Reader | None) -> Checkpoint:
    """Open a file that is no archive."""
    if reader is None:
        raise wrong_file(source)
    checkpoint = reader.open(source, options)
    checkpoint = replace(checkpoint, files=(source.file(), *checkpoint.files))
    if source.path.name in WEIGHTS:
        checkpoint = with_config(checkpoint, source.path.parent)
    return _with_part_warning(checkpoint)


def _with_part_warning(checkpoint: Checkpoint) -> Checkpoint:
    """Say so where a file's name tells that it is one of several."""
    part = _PART.search(checkpoint.path.name)
    warning = sharded.part_warning(checkpoint.path)
    if part and int(part[2]) > 1:
        warning = (
            f"This is part {int(part[1])} of {int(part[2])} of a network; "
            "open its folder or its .index.json for the whole."
        )
    if not warning:
        return checkpoint
    return replace(checkpoint, warnings=(*checkpoint.warnings, warning))


def _look_at(path: Path) -> Source:
    """Fetch size and first bytes; a pipe or device is not even opened."""
    try:
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            return Source(path, 0, b"", is_folder=True)
        if not stat.S_ISREG(state.st_mode):
            problem = "this is a pipe or device, not a file"
            raise CheckpointError(path, problem, "Save it as a file and open that.")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        return Source(path, state.st_size, head, mtime_ns=state.st_mtime_ns)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        hint = "It may have been moved or renamed; check the name."
        raise CheckpointError(path, "there is no such file", hint) from None
    except PermissionError:
        hint = "Change its permissions, or copy it to a folder of yours."
        raise CheckpointError(path, "you may not read this file", hint) from None
