"""The table of readers, and `open_checkpoint`, which asks them in order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.formats import (
    flax_file,
    keras_file,
    numpy_file,
    onnx_file,
    safetensors,
    tflite_file,
    torch_zip,
)
from kernelviewer.formats.checkpoint import CheckpointError
from kernelviewer.formats.source import HEAD_BYTES, Options, Reader, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.formats.checkpoint import Checkpoint

READERS: tuple[Reader, ...] = (
    Reader("safetensors", safetensors.match, safetensors.open_safetensors),
    Reader("PyTorch", torch_zip.match, torch_zip.open_torch_zip),
    Reader("TFLite", tflite_file.match, tflite_file.open_tflite),
    Reader("Keras", keras_file.match, keras_file.open_keras),
    Reader("NumPy archive", numpy_file.match_npz, numpy_file.open_npz),
    Reader("NumPy array", numpy_file.match_npy, numpy_file.open_npy),
    Reader("ONNX", onnx_file.match, onnx_file.open_onnx),
    Reader("Flax", flax_file.match, flax_file.open_flax),
)
"""Asked from the top; the first whose ``match`` says yes opens the file."""


def _never() -> None:
    """Nothing cancels."""


def open_checkpoint(
    path: str | Path, *, copy: str = "", check: Callable[[], None] = _never
) -> Checkpoint:
    """Open a checkpoint; only its headers are read.

    Parameters
    ----------
    path
        A file of any format, or a model folder. Its content decides, not its suffix.
    copy
        Which copy of the network to open where the file holds several; the default
        is the EMA copy.
    check
        Called between pieces of work; what it raises cancels the opening.

    Raises
    ------
    CheckpointError
        The file is no checkpoint or is damaged; the message says what it is and what
        to do.
    """
    source = _look_at(Path(path))
    options = Options(copy, check)
    for reader in READERS:
        if reader.match(source):
            return reader.open(source, options)
    raise CheckpointError(source.path, "this is no checkpoint that can be read")


def is_checkpoint(path: str | Path) -> bool:
    """Whether some reader takes the file, or the folder as a model; by content."""
    try:
        source = _look_at(Path(path))
    except CheckpointError:
        return False
    return any(reader.match(source) for reader in READERS)


def _look_at(path: Path) -> Source:
    """Fetch size and first bytes."""
    try:
        if path.is_dir():
            return Source(path, 0, b"", is_folder=True)
        with path.open("rb") as file:
            return Source(path, path.stat().st_size, file.read(HEAD_BYTES))
    except FileNotFoundError:
        raise CheckpointError(
            path, "there is no such file", "Check the name."
        ) from None
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise CheckpointError(path, f"the file cannot be opened ({reason})") from None
