"""Bad NumPy and Flax files: cut off, pickled, contradictory, packed to burst."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

import msgpack
import numpy as np

from tests.files.bad_file import AGAIN, BadFile, cut
from tests.formats.reading import weights
from tests.formats.test_flax import packed

if TYPE_CHECKING:
    from pathlib import Path

W = weights(0, (64, 1, 3, 3))
HALF = "its end is missing: it is half a download. Download it again."
CUT = "a part of it reaches beyond the end: it is cut off or damaged"
PROMISED = "in it is cut off: its header promises more values"
PICKLED = (
    "its arrays hold pickled Python objects, which are never loaded. "
    "Save the weights as plain arrays: numpy.savez(…, **{name: array})."
)


def bad_files(folder: Path) -> list[BadFile]:
    """Write the files; all of them, with the message for each."""
    return [*_single(folder), *_archives(folder), *_flax(folder)]


def header(text: str) -> bytes:
    """An array's header with any text."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1")


def _array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, W)
    return stream.getvalue()


def _single(folder: Path) -> list[BadFile]:
    data = _array()
    rows = []
    for index in range(1, 11):
        path = folder / f"cut{index}.npy"
        path.write_bytes(data[: 128 + (len(data) - 129) * index // 11])
        message = f"a NumPy array, but “cut{index}” {PROMISED}. {AGAIN}"
        rows.append(BadFile(path, message))
    start = "{'descr': '<f4', 'fortran_order': False, 'shape': "
    no_shape = "its header claims a shape that no array has"
    for name, text, problem in (
        ("terabytes", f"{start}({1 << 40}, 1, 3, 3)}}", f"“terabytes” {PROMISED}"),
        ("negative", f"{start}(-64, 1, 3, 3)}}", no_shape),
        ("text-shape", f"{start}('a',)}}", no_shape),
        ("nested", "(" * 5000, "its header is damaged"),
        ("calls", "__import__('os').system('false')", "its header is damaged"),
        ("records", "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
         ""),
    ):  # fmt: skip
        path = folder / f"{name}.npy"
        path.write_bytes(header(text) + W.tobytes())
        message = f"a NumPy array, but {problem}. {AGAIN}"
        if not problem:
            message = (
                "a NumPy array without weights. Of “records”: "
                "it is a table of records, not an array of numbers."
            )
        rows.append(BadFile(path, message))
    objects = folder / "objects.npy"
    np.save(objects, np.array([print, {}], dtype=object))
    long = folder / "long.npy"
    long.write_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100))
    damaged = "a NumPy array, but its header is cut off or damaged"
    return [*rows, BadFile(objects, PICKLED), BadFile(long, f"{damaged}. {AGAIN}")]


def _archives(folder: Path) -> list[BadFile]:
    whole = folder / "whole.npz"
    np.savez(whole, **{"a.weight": W, "b.weight": W})
    data = whole.read_bytes()
    evil = folder / "outside.npz"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("../../outside.npy", _array())
        archive.writestr("/outside.npy", _array())
    objects = folder / "objects.npz"
    np.savez(objects, a=np.array([print], dtype=object))
    promise = folder / "promise.npz"
    with zipfile.ZipFile(promise, "w", zipfile.ZIP_DEFLATED) as archive:
        text = "{'descr': '<f4', 'fortran_order': False, 'shape': (1073741824, 1, 9)}"
        archive.writestr("a.npy", header(text) + bytes(1000))
    bomb = folder / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        shape = (1 << 15, 1, 32, 32)  # 128 MB of zeros
        text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"
        with archive.open("a.weight.npy", "w", force_zip64=True) as entry:
            entry.write(header(text))
            for _ in range(128):
                entry.write(bytes(1 << 20))
    return [
        *cut(whole, data, f"a NumPy archive, but {HALF}"),
        BadFile(
            evil,
            "a NumPy archive without weights. Of “../../outside”: "
            "its name points outside the archive.",
        ),
        BadFile(objects, PICKLED),
        BadFile(promise, f"a NumPy archive, but “a” {PROMISED}. {AGAIN}"),
        _burst(bomb),
    ]


def _burst(path: Path) -> BadFile:
    with zipfile.ZipFile(path) as archive:
        (record,) = archive.infolist()
    sizes = f"from {record.compress_size:,} to {record.file_size:,} bytes"
    problem = f"its record 'a.weight.npy' would unpack {sizes}, which no weights do"
    return BadFile(path, f"a NumPy archive, but {problem}. {AGAIN}")


def _flax(folder: Path) -> list[BadFile]:
    whole = folder / "whole.msgpack"
    kernel = {"kernel": packed(W.transpose(2, 3, 1, 0))}
    whole.write_bytes(msgpack.packb({"params": {"dw": kernel}}))
    data = whole.read_bytes()
    claims = {
        "map-of-billions": b"\x81\xa6params\xdf\xff\xff\xff\xff",
        "array-of-gigabytes": b"\x81\xa6params\xc9\xff\xff\xff\xff\x01",
        "text-of-gigabytes": b"\x81\xa6params\xdb\xff\xff\xff\xff",
    }
    rows = []
    for name, start in claims.items():
        path = folder / f"{name}.msgpack"
        path.write_bytes(start)
        rows.append(BadFile(path, f"a Flax checkpoint, but {CUT}. {AGAIN}"))
    problems = {
        "nested": (
            b"\x81\xa6params" + b"\x91" * 500,
            "it is nested or divided absurdly",
        ),
        "shape": (
            msgpack.packb({"params": packed_as((1 << 40, 1), W.tobytes())}),
            "an array in it has another number of values than its shape says",
        ),
        "negative": (
            msgpack.packb({"params": packed_as((-64, 1, 3, 3), W.tobytes())}),
            "an array in it has a shape that none can have",
        ),
        "nothing": (b"\x81\xa6params\xc1", "it holds a byte that means nothing"),
    }
    for name, (content, problem) in problems.items():
        path = folder / f"{name}.msgpack"
        path.write_bytes(content)
        rows.append(BadFile(path, f"a Flax checkpoint, but {problem}. {AGAIN}"))
    optimizer = folder / "optimizer.msgpack"
    optimizer.write_bytes(msgpack.packb({"opt_state": {"mu": kernel}}))
    return [
        *cut(whole, data, f"a Flax checkpoint, but {CUT}. {AGAIN}"),
        *rows,
        BadFile(
            optimizer,
            "this file holds an optimizer's state and no network. "
            "Open the model's own file.",
        ),
    ]


def packed_as(shape: tuple[int, ...], data: bytes) -> msgpack.ExtType:
    """An array with any shape."""
    return msgpack.ExtType(1, msgpack.packb((shape, "float32", data)))
