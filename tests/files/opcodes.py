"""Writing PyTorch files opcode by opcode, sound ones and ones torch would never write.

Nothing here needs torch, so that the files are the same everywhere.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC = 0x1950A86A20F9469CFC6C
STOP = b"."


def text(value: str) -> bytes:
    """Push a string."""
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    """Push an integer of any size."""
    return pickle.dumps(value, 2)[2:-1]


def group(*values: bytes) -> bytes:
    """Push a tuple."""
    return b"(" + b"".join(values) + b"t"


def call(function: str, *arguments: bytes) -> bytes:
    """Push what a function (``module name``) gives."""
    return (
        b"c" + function.replace(" ", "\n").encode() + b"\n" + group(*arguments) + b"R"
    )


def table(values: dict[str, bytes]) -> bytes:
    """Push a dictionary."""
    return b"}(" + b"".join(text(k) + v for k, v in values.items()) + b"u"


def storage(
    count: int, key: str = "0", kind: str = "FloatStorage", *more: bytes
) -> bytes:
    """Push a storage by its persistent id."""
    name = f"ctorch\n{kind}\n".encode()
    return (
        group(text("storage"), name, text(key), text("cpu"), number(count), *more)
        + b"Q"
    )


def tensor(
    shape: Sequence[int],
    strides: Sequence[int] | None = None,
    *,
    offset: int = 0,
    count: int = 54,
    key: str = "0",
) -> bytes:
    """Push a tensor on a storage of ``count`` float32 values."""
    if strides is None:
        strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    return call(
        "torch._utils _rebuild_tensor_v2",
        *(storage(count, key), number(offset)),
        *(group(*map(number, part)) for part in (shape, strides)),
        *(b"\x89", call("collections OrderedDict")),
    )


SHAPE = (6, 1, 3, 3)
WEIGHT = {"dw.weight": tensor(SHAPE)}
VALUES = struct.pack("<54f", *(0.5 * n for n in range(54)))


def stream(body: bytes) -> bytes:
    """A pickle of protocol 2."""
    return b"\x80\x02" + body + STOP


def torch_zip(
    body: bytes,
    values: bytes | None = VALUES,
    *,
    packed: bool = False,
) -> bytes:
    """A PyTorch file whose pickle is ``body``, with one storage."""
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as archive:
        parts = {"data.pkl": stream(body), "byteorder": b"little"}
        if values is not None:
            parts["data/0"] = values
        for name, data in {**parts, "version": b"3\n"}.items():
            archive.writestr(zipfile.ZipInfo(f"x/{name}"), data, method)
    return out.getvalue()


def torch_legacy(
    body: bytes, values: bytes = VALUES, *, count: int = 54, keys: bytes | None = None
) -> bytes:
    """A PyTorch file from before 1.6 whose pickle is ``body``, with one storage."""
    keys = b"](" + text("0") + b"e" if keys is None else keys
    starts = [
        pickle.dumps(value, 2) for value in (MAGIC, 1001, {"little_endian": True})
    ]
    pickles = [*starts, stream(body), stream(keys)]
    return b"".join(pickles) + struct.pack("<q", count) + values
