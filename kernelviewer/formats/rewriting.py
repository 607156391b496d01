"""The same file with other values in some of its tensors, and nothing else changed.

Where a tensor's bytes lie is not asked of each format anew: its ``load`` is run with
numbered bytes in place of the file's, and what comes out tells which stored number went
where, through any transposition or stride. Where the values are not the stored ones but
computed from them (quantised, weight norm, pruned by a mask, packed), that shows as
well, and the tensor is refused. The bytes are then written into a copy of the file.
"""

from __future__ import annotations

import json
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from kernelviewer.files import atomic_write
from kernelviewer.formats.containers.zip_directory import ZIP_MAGIC
from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.source import reading_through
from kernelviewer.formats.stored import STORED
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Checkpoint, Tensor
    from kernelviewer.formats.source import OpenedFile
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

WRITTEN = ("PyTorch", "safetensors", "Keras", "ONNX", "NumPy")
"""Containers whose files are rewritten, as the beginning of `Checkpoint.format`."""
FLOATS = ("float64", "float32", "float16", "bfloat16")
NOTE = "kernelviewer"
"""Key of what a file's metadata tell of the rewriting."""
_BASE = 256  # whole numbers below it are exact in every float type, bfloat16 too
_CHUNK = 1 << 22
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_CONVERT = (
    "Save the network as safetensors (safetensors.torch.save_file), PyTorch, ONNX, "
    "Keras or NumPy and rewrite that file."
)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a tensor's numbers lie."""

    file: OpenedFile
    offset: int
    count: int
    """The bytes."""
    dtype: str
    """Stored type, one of `FLOATS`."""
    big_endian: bool
    """Byte order."""
    order: NDArray[np.int64]
    """int64 [n]: which stored number each value of the tensor is, in C order."""

    def encode(self, values: NDArray[np.floating]) -> bytes:
        """The bytes of new values, of the tensor's shape.

        Raises
        ------
        DamagedError
            A value is too large for the stored type.
        """
        stored = np.empty(len(self.order), np.float64)
        stored[self.order] = values.reshape(-1)
        return encode(stored, self.dtype, big_endian=self.big_endian)


def encode(
    values: NDArray[np.floating], dtype: str, *, big_endian: bool = False
) -> bytes:
    """Bytes of values [n] in a stored type, rounded to nearest, ties to even."""
    code = STORED[dtype].newbyteorder(">" if big_endian else "<")
    if dtype == "bfloat16":
        bits = values.astype(np.float32).view(np.uint32)
        bits = bits + 0x7FFF + ((bits >> 16) & 1)
        found = (bits >> 16).astype(np.uint16)
        fits = ((found & 0x7F80) != 0x7F80) | ~np.isfinite(values)
        raw = found.astype(code)
    else:
        with np.errstate(over="ignore"):
            raw = values.astype(code)
        fits = np.isfinite(raw) | ~np.isfinite(values)
    if not fits.all():
        raise DamagedError(f"a new weight is too large for {dtype}", "")
    return bytes(raw.tobytes())


def place_of(checkpoint: Checkpoint, tensor: Tensor) -> Place:
    """Where a tensor's numbers lie in the file.

    Raises
    ------
    CheckpointError
        They are no floats, or are computed from what is stored.
    """
    name = tensor.raw_name or tensor.name
    if tensor.dtype not in FLOATS:
        problem = f"{name} is stored as {tensor.dtype}, which keeps no other values"
        raise CheckpointError(checkpoint.path, problem, _CONVERT)
    numbers = int(np.prod(tensor.shape))
    size = numbers * STORED[tensor.dtype].itemsize
    try:
        reads = _reads_of(tensor)
        places = [read for read in reads if read[2] == size]
        if len(places) == 1:
            for big_endian in (False, True):
                order = _traced(tensor, places[0], numbers, big_endian)
                if order is not None:
                    return Place(*places[0], tensor.dtype, big_endian, order)
    except (ValueError, ArithmeticError, zlib.error):
        pass  # what the numbered bytes led to: they are not the tensor's values
    problem = f"{name} is not stored as it is used (packed, in parts or computed)"
    raise CheckpointError(checkpoint.path, problem, _CONVERT)


def _reads_of(tensor: Tensor) -> list[tuple[OpenedFile, int, int]]:
    reads = []

    def read(file: OpenedFile, offset: int, count: int) -> NDArray[np.uint8]:
        reads.append((file, offset, count))
        return file.read_now(offset, count)

    with reading_through(read):
        tensor.load()
    return list(dict.fromkeys(reads))


def _traced(
    tensor: Tensor, place: tuple[OpenedFile, int, int], numbers: int, big_endian: bool
) -> NDArray[np.int64] | None:
    """Which stored number each value is; None if they are no such numbers."""
    order = np.zeros(numbers, np.int64)
    power = 1
    while power < max(numbers, 2):
        digits = np.arange(numbers) // power % _BASE
        raw = encode(digits.astype(np.float64), tensor.dtype, big_endian=big_endian)

        def read(
            file: OpenedFile, offset: int, count: int, raw: bytes = raw
        ) -> NDArray[np.uint8]:
            if (file, offset, count) == place:
                return np.frombuffer(raw, np.uint8).copy()
            return file.read_now(offset, count)

        with reading_through(read), np.errstate(all="ignore"):
            values = np.asarray(tensor.load(), np.float64).reshape(-1)
        if len(values) != numbers or not np.isin(values, np.arange(_BASE)).all():
            return None
        order += values.astype(np.int64) * power
        power *= _BASE
    each_once = np.bincount(order, minlength=numbers)
    return order if len(each_once) == numbers and (each_once == 1).all() else None


def check_container(checkpoint: Checkpoint) -> set[Path]:
    """See whether a file can be rewritten at all; the files that it is read from.

    Raises
    ------
    CheckpointError
        The container is not written, or is packed.
    """
    path = checkpoint.path
    if not checkpoint.format.startswith(WRITTEN) or not path.is_file():
        problem = f"{checkpoint.format} files are not rewritten"
        raise CheckpointError(path, problem, _CONVERT)
    paths = {file.path.resolve() for file in checkpoint.files} | {path.resolve()}
    if len(paths) > 1 and not checkpoint.format.startswith("ONNX"):
        problem = "its weights lie in other files"
        raise CheckpointError(path, problem, "Rewrite the file that holds them.")
    return paths


def check_written(checkpoint: Checkpoint, output: AnyPath) -> Path:
    """See whether a file can be rewritten there; its path.

    Raises
    ------
    CheckpointError
        As `check_container`, or the output is one of its files.
    """
    path, paths = checkpoint.path, check_container(checkpoint)
    output = Path(output)
    if output.resolve() in paths or any(
        output.exists() and output.samefile(other) for other in paths if other.exists()
    ):
        problem = "the rewritten file would replace what it is made of"
        raise CheckpointError(path, problem, "Choose another name.")
    return output


def rewrite(
    checkpoint: Checkpoint,
    output: AnyPath,
    changes: Iterable[tuple[Tensor, NDArray[np.floating]]],
    note: Mapping[str, object],
    watch: Watch = NEVER,
) -> list[Path]:
    """Write a checkpoint's file again with other values in some tensors.

    The file is copied, and only the bytes of those tensors are written over; a zip's
    checksums follow. Safetensors and ONNX files get the note among their metadata. Of a
    model whose weights lie in files beside it, these are copied under their names into
    the output's folder. Memory: a piece of the file and a tensor at a time.

    Parameters
    ----------
    output
        The file to write; never one that the checkpoint is read from.
    changes
        Tensors of the checkpoint with values of their shapes.
    note
        What was done, JSON-like.
    watch
        Told bytes; what it raises cancels, and nothing is left.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    CheckpointError
        As `check_written` and `place_of`.
    OSError
        The folder is read-only or the disk is full.
    """
    output = check_written(checkpoint, output)
    patches: dict[Path, list[tuple[int, bytes]]] = {}
    for tensor, values in changes:
        watch.check()
        place = place_of(checkpoint, tensor)
        try:
            raw = place.encode(values)
        except DamagedError as error:
            raise CheckpointError(checkpoint.path, str(error), "") from None
        patches.setdefault(place.file.path.resolve(), []).append((place.offset, raw))
    main = checkpoint.path.resolve()
    beside = {file.path.resolve() for file in checkpoint.files} - {main}
    if unknown := set(patches) - beside - {main}:
        problem = "its weights are packed"
        raise CheckpointError(checkpoint.path, problem, f"Unpack {unknown.pop().name}.")
    written = []
    for source in (*sorted(beside), main):  # the model last: then it is whole
        target = output
        if source != main:
            target = output.parent / os.path.relpath(source, main.parent)
            if target.exists():
                problem = f"the output's folder already has a file {target.name}"
                hint = "Choose a folder of its own for it."
                raise CheckpointError(checkpoint.path, problem, hint)
            target.parent.mkdir(parents=True, exist_ok=True)
        own = note if source == main else None
        with atomic_write(target) as file:
            _write(file, source, patches.get(source, []), own, watch)
        written.append(target)
    return written


def _write(
    file: IO[bytes],
    source: Path,
    patches: Sequence[tuple[int, bytes]],
    note: Mapping[str, object] | None,
    watch: Watch,
) -> None:
    """Copy a file with patches, and what goes with them."""
    with source.open("rb") as old:
        head = old.read(10)
        moved = 0
        if note is not None and head[5:9] == b"\0\0\0{":
            moved = _write_header(file, old, note)
        else:
            old.seek(0)
        total = source.stat().st_size
        while piece := old.read(_CHUNK):
            file.write(piece)
            watch.progress(old.tell(), total, f"writing {source.name}")
    for offset, raw in patches:
        file.seek(offset + moved)
        file.write(raw)
    file.flush()
    if head.startswith(ZIP_MAGIC):
        _mend_checksums(file, [(offset, len(raw)) for offset, raw in patches], watch)
    elif note is not None and source.suffix.lower() == ".onnx":
        file.seek(0, os.SEEK_END)
        file.write(_onnx_property(NOTE, json.dumps(note)))


def _write_header(file: IO[bytes], old: IO[bytes], note: Mapping[str, object]) -> int:
    """A safetensors header with the note; how many bytes longer it is."""
    old.seek(0)
    length = int.from_bytes(old.read(8), "little")
    header = json.loads(old.read(length))
    facts = header.pop("__metadata__", None) or {}
    facts[NOTE] = json.dumps(note)
    text = json.dumps({"__metadata__": facts, **header}, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    return len(text) - length


def _onnx_property(key: str, value: str) -> bytes:
    """An entry of a model's ``metadata_props``, field 14: it may stand at its end."""
    entry = b""
    for field, text in ((1, key), (2, value)):
        raw = text.encode()
        entry += bytes([field << 3 | 2]) + _varint(len(raw)) + raw
    return bytes([14 << 3 | 2]) + _varint(len(entry)) + entry


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _mend_checksums(
    file: IO[bytes], spans: Sequence[tuple[int, int]], watch: Watch
) -> None:
    """Give the records of a zip that bytes were written in their new CRC-32."""
    for entry, start, info in _records(file):
        if not any(start <= at < start + info.compress_size for at, _ in spans):
            continue
        crc, left = 0, info.compress_size
        file.seek(start)
        while left and (piece := file.read(min(left, _CHUNK))):
            watch.check()
            crc, left = zlib.crc32(piece, crc), left - len(piece)
        raw = struct.pack("<I", crc)
        file.seek(entry + 16)
        file.write(raw)
        if not info.flag_bits & 8:
            file.seek(info.header_offset + 14)
            file.write(raw)
            continue
        end = start + info.compress_size
        file.seek(end)
        signed = file.read(4) == b"PK\x07\x08"
        file.seek(end + 4 * signed)
        file.write(raw)


def _records(file: IO[bytes]) -> Iterator[tuple[int, int, zipfile.ZipInfo]]:
    """Of each record: its entry in the directory, where its bytes start, the rest."""
    with zipfile.ZipFile(file) as archive:
        infos, entry = archive.infolist(), archive.start_dir
    for info in infos:
        file.seek(entry)
        fields = _CENTRAL.unpack(file.read(_CENTRAL.size))
        length = _CENTRAL.size + sum(fields[10:13])
        file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
        yield entry, info.header_offset + 30 + name + extra, info
        entry += length
