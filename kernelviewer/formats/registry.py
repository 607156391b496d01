"""The table of readers, and `open_checkpoint`, which asks them in order.

Another package adds a reader by an entry point of the group ``kernelviewer.readers``
that names a `Reader`; it is asked before those here.

A network's files are hashed together, so that the network is known again: of one file
it is the usual SHA-256, of several (an index or a graph, and the parts it names) that
of their hashes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import warnings
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kernelviewer.files import file_hash
from kernelviewer.formats import (
    flax,
    keras,
    numpy_file,
    onnx,
    paddle,
    safetensors,
    tflite,
)
from kernelviewer.formats.containers import archives, folders, sharded
from kernelviewer.formats.containers.unpacked import unpacking
from kernelviewer.formats.errors import CheckpointError, damage_named
from kernelviewer.formats.network.assemble import Contents, assemble
from kernelviewer.formats.network.names import natural_key, with_printable_names
from kernelviewer.formats.source import (
    HEAD_BYTES,
    OpenedFile,
    Options,
    Reader,
    Source,
    settled,
)
from kernelviewer.formats.tensorflow import graph, js
from kernelviewer.formats.torch import export, legacy, script, zip_file
from kernelviewer.formats.wrong_files import is_part, wrong_file
from kernelviewer.text import shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

READERS: tuple[Reader, ...] = (
    safetensors.READER,
    script.READER,
    export.READER,
    zip_file.READER,
    legacy.READER,
    tflite.READER,
    keras.READER,
    numpy_file.ARCHIVE,
    numpy_file.ARRAY,
    onnx.READER,
    flax.READER,
    sharded.READER,
    js.READER,
    paddle.READER,
    graph.READER,
    zip_file.UNPACKED,
    legacy.PLAIN,
)
"""Asked from the top; the first whose ``match`` says yes reads the file."""
READABLE = (
    "PyTorch, safetensors, ONNX, TFLite, TensorFlow, Paddle, Keras, NumPy and Flax "
    "files are read."
)

GROUP = "kernelviewer.readers"
"""Entry points by which other packages add readers."""

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.")


@cache
def readers() -> tuple[Reader, ...]:
    """Readers of other packages, by the names of their entry points, then our own.

    One that cannot be loaded is passed over with a warning: other files still open.
    """
    from importlib.metadata import entry_points

    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            reader = point.load()
        except Exception as error:  # whatever another package's import raises
            warnings.warn(
                f"the reader {point.name} cannot be loaded: {error}", stacklevel=2
            )
            continue
        if isinstance(reader, Reader):
            found.append(reader)
        else:
            warnings.warn(f"the reader {point.name} is no Reader", stacklevel=2)
    return (*found, *READERS)


def open_checkpoint(
    path: AnyPath, *, copy: str = "", watch: Watch = NEVER
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
    watch
        Checked between pieces of work; what it raises cancels the opening.

    Returns
    -------
    Checkpoint
        All texts in it are printable (`kernelviewer.text.printable`).

    Raises
    ------
    CheckpointError
        The file is no checkpoint or is damaged; the message says what it is and what
        to do.

    Examples
    --------
    >>> import kernelviewer as kv
    >>> from kernelviewer.files import resource
    >>> checkpoint = kv.open_checkpoint(resource("sample", "sample.safetensors"))
    >>> checkpoint
    <Checkpoint sample.safetensors: safetensors, ... tensors>
    >>> checkpoint.tensors[0].load().shape == checkpoint.tensors[0].shape
    True
    """
    given: object = path
    if not isinstance(given, str | os.PathLike):
        msg = f"give the path of a file, not {type(path).__name__}; extract_kernels "
        raise TypeError(f"{msg}takes networks in memory too")
    try:
        with unpacking(watch):
            opened = _Opening(Options(copy, watch)).open(look_at(Path(path)))
        return with_printable_names(opened)
    except OSError as error:
        reason = error.strerror or "disk error"
        problem = f"the file cannot be read ({reason})"
        raise CheckpointError(Path(path), problem) from None


class _Opening:
    """Opens what a path holds, through folders and archives; looks at each file once.

    An archive may lie in an archive, not deeper; one in a folder that a user opens is
    left to the user.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._seen: dict[Path, tuple[Source, Reader | None]] = {}
        self._limits: archives.Limits | None = None
        self._archives = 0

    def open(self, source: Source) -> Checkpoint:
        """Open a file, a folder or an archive.

        Raises
        ------
        CheckpointError
            It holds no network, or several, or is damaged.
        """
        if source.is_folder:
            return self._open_folder(source)
        with _unchanged(source):
            reader = _reader_of(source)
            if reader is not None:
                return self._read(source, reader)
            if is_part(source.path) or not archives.match(source):
                raise wrong_file(source, READABLE)
            self._archives += 1
            limits = self._limits or archives.Limits(source.size, self._options.watch)
            self._limits = limits
            return archives.open_archive(source, self._options, limits, self.open)

    def _open_folder(self, source: Source) -> Checkpoint:
        """Open what stands for a folder, or the one checkpoint in it."""
        inside = folders.network_in(
            source.path, self._options.watch, self._is_network, self._is_archive
        )
        if inside is None:
            packed = folders.files_in(
                source.path, self._is_archive, self._options.watch
            )
            if len(packed) != 1 or not 0 < self._archives < archives.LEVELS:
                raise folders.without_network(source.path, packed)
            return self.open(self._look_at(packed[0])[0])
        opened = self.open(self._look_at(inside)[0])
        return replace(folders.with_config(opened, inside.parent), path=source.path)

    def _read(self, source: Source, reader: Reader) -> Checkpoint:
        with damage_named(source.path, reader.what):
            found = reader.read(source, self._options)
            if isinstance(found, Contents):
                found = assemble(source, self._options, found)
        checkpoint = replace(found, files=(source.file(), *found.files))
        if source.path.name in folders.WEIGHTS:
            checkpoint = folders.with_config(checkpoint, source.path.parent)
        return _with_part_warning(checkpoint)

    def _look_at(self, path: Path) -> tuple[Source, Reader | None]:
        """A file in a folder, and the reader that takes it."""
        if path not in self._seen:
            source = look_at(path)
            reader = None if source.is_folder else _reader_of(source)
            self._seen[path] = source, reader
        return self._seen[path]

    def _is_network(self, path: Path) -> bool:
        try:
            source, reader = self._look_at(path)
        except (CheckpointError, OSError):
            return False
        return reader is not None or (source.is_folder and folders.match(source))

    def _is_archive(self, path: Path) -> bool:
        try:
            source, reader = self._look_at(path)
            return _is_archive(source, reader)
        except (CheckpointError, OSError):
            return False


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


def files_of(path: AnyPath, *, watch: Watch = NEVER) -> tuple[OpenedFile, ...]:
    """The files that hold the network at a path: `Checkpoint.files`, without more work.

    Raises
    ------
    CheckpointError
        There is no network, or a part of it is missing.
    OSError
        The disk fails.
    """
    path = Path(path)
    source = look_at(path)
    if not source.is_folder:
        reader = _reader_of(source)
        if reader is None or not reader.has_parts:
            return (OpenedFile.of(path),)
    return open_checkpoint(path, watch=watch).files


def is_checkpoint(path: AnyPath) -> bool:
    """True if some reader takes the file, or the folder as one model; by content.

    Archives count only when they are opened by name.
    """
    try:
        source = look_at(Path(path))
        if source.is_folder:
            return folders.match(source)
        return _reader_of(source) is not None
    except (CheckpointError, OSError):
        return False


def holds_checkpoint(path: AnyPath) -> bool:
    """True if a file is a zip with a file in it that is named like a checkpoint.

    Only its directory is read.
    """
    try:
        source = look_at(Path(path))
        if source.is_folder or not _is_archive(source, _reader_of(source)):
            return False
        names = archives.names_in_zip(source)
        return any(folders.is_named_so(PurePosixPath(name)) for name in names)
    except (CheckpointError, OSError):
        return False


def _reader_of(source: Source) -> Reader | None:
    """Reader that takes a file; None for a part that holds no whole network."""
    if is_part(source.path):
        return None
    return next((reader for reader in readers() if reader.match(source)), None)


def _is_archive(source: Source, reader: Reader | None) -> bool:
    """True if a file is an archive around other files."""
    if source.is_folder or reader is not None or is_part(source.path):
        return False
    return archives.match(source)


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


def look_at(path: Path) -> Source:
    """Fetch size and first bytes; a pipe or device is not even opened.

    Raises
    ------
    CheckpointError
        There is no such file, or it can't be read.
    """
    try:
        state = settled(path)
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


_known: dict[OpenedFile, str] = {}
"""A file in this state → its hash: what was read stays known when it is replaced."""


def find_checkpoints(path: AnyPath, watch: Watch = NEVER) -> Iterator[Path]:
    """The path itself if it is a file or a model folder, else what a folder holds.

    Files that bear a checkpoint's suffix and are none are among them, so that opening
    them tells what they are. What lies in a corpus is not: it is opened by its folder.
    """
    path = Path(path)
    if not path.is_dir() or is_checkpoint(path):
        yield path
        return
    for folder, inside, names in os.walk(path):
        watch.progress(0, 0, f"searching {shown(folder)}")
        if folders.is_corpus(folder):
            inside.clear()
            continue
        inner = sorted(inside, key=natural_key)
        models = [name for name in inner if is_checkpoint(Path(folder, name))]
        inside[:] = [n for n in inner if n not in models and not folders.is_hidden(n)]
        yield from (Path(folder, name) for name in models)
        for name in sorted(names, key=natural_key):
            watch.check()
            file = Path(folder, name)
            if folders.is_for_training(file):
                continue
            by_name = folders.is_named_so(file) or folders.is_packed(file)
            if by_name or is_checkpoint(file) or holds_checkpoint(file):
                yield file


def network_hash(files: Sequence[OpenedFile], watch: Watch = NEVER) -> str:
    """Hash of the files of a network as they were when it was read.

    Parameters
    ----------
    files
        `kernelviewer.formats.Checkpoint.files`.

    Returns
    -------
    str
        Hexadecimal; empty where there are no files, or one is gone or another one by
        now and its hash was not asked for before.
    """
    return _joined([_known.get(file) or _read(file, watch) for file in files])


def hash_at(path: AnyPath, watch: Watch = NEVER) -> str:
    """Hash of the network at a path as it is now; empty where there is none."""
    try:
        return _joined([_read(file, watch) for file in files_of(path, watch=watch)])
    except (CheckpointError, OSError):
        return ""


def _read(file: OpenedFile, watch: Watch) -> str:
    try:
        found = file_hash(file.path, watch)
        if OpenedFile.of(file.path) != file:
            return ""
    except OSError:
        return ""
    _known[file] = found
    return found


def _joined(hashes: list[str]) -> str:
    if len(hashes) < 2 or not all(hashes):
        return hashes[0] if len(hashes) == 1 else ""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
