"""Bad TFLite files: cut off, offsets out of the file, lists of billions."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.files.bad_file import AGAIN, BadFile, cut
from tests.formats import tflite_models as models
from tests.formats.reading import weights

if TYPE_CHECKING:
    from pathlib import Path

K = weights(0, (1, 3, 3, 6))
CUT = (
    "a TFLite model, but a part of it points outside the file: "
    f"it is cut off or damaged. {AGAIN}"
)
BEYOND = (
    "a TFLite model, but a weight in it lies beyond its end: "
    f"it is cut off or damaged. {AGAIN}"
)
LONG = f"a TFLite model, but a list of numbers in it is absurdly long. {AGAIN}"


def bad_files(folder: Path) -> list[BadFile]:
    """Write the files; all of them, with the message for each."""
    whole = models.save(folder / "whole.tflite", [models.depthwise_graph(K, 6)])
    data = whole.read_bytes()
    far = models.save(folder / "far.tflite", [models.depthwise_graph(K, 6)], far=True)
    return [
        *cut(whole, data, CUT),
        _written(folder, "far-cut", far.read_bytes()[:-1], BEYOND),
        _written(folder, "no-root", b"\xff\xff\xff\x7fTFL3" + bytes(64), CUT),
        _written(folder, "backwards", _table_before_the_file(data), CUT),
        _written(folder, "terabytes", _replaced_count(data, 0xFFFF_FFFF), CUT),
        _written(folder, "long-shape", _long_shape(data), LONG),
        *_graphs(folder),
    ]


def _written(folder: Path, name: str, data: bytes, message: str) -> BadFile:
    path = folder / f"{name}.tflite"
    path.write_bytes(data)
    return BadFile(path, message)


def _table_before_the_file(data: bytes) -> bytes:
    """The root's table of offsets lies before the start of the file."""
    root = struct.unpack_from("<I", data)[0]
    return data[:root] + struct.pack("<i", 1 << 30) + data[root + 4 :]


def _replaced_count(data: bytes, count: int) -> bytes:
    """The kernels' bytes are said to be so many."""
    at = data.index(K.tobytes()) - 4
    return data[:at] + struct.pack("<I", count) + data[at + 4 :]


def _long_shape(data: bytes) -> bytes:
    """The kernels' shape is said to have 5 000 entries, in a file that has room."""
    at = data.index(struct.pack("<5i", 4, *K.shape))
    return data[:at] + struct.pack("<I", 5000) + data[at + 4 :] + bytes(20_000)


def _graphs(folder: Path) -> list[BadFile]:
    """Models that can be written but mean nothing."""
    rows = []

    def add(name: str, graphs: list[models.GraphSpec], message: str) -> None:
        path = models.save(folder / f"{name}.tflite", graphs)
        rows.append(BadFile(path, f"a TFLite model, but {message}. {AGAIN}"))

    claims = models.depthwise_graph(K, 6)
    claims.tensors[1].shape = (1, 1 << 15, 1 << 15, 1 << 10)
    add(
        "terabyte-shape",
        [claims],
        "a weight in it has fewer values than its shape says",
    )
    negative = models.depthwise_graph(K, 6)
    negative.tensors[1].shape = (1, -3, -3, 6)
    add("negative-shape", [negative], "a weight in it has the shape [1, -3, -3, 6]")
    scales = models.depthwise_graph(K.astype("int8"), 6)
    scales.tensors[1].scale, scales.tensors[1].axis = (1.0, 2.0), 3
    message = "the scales of a quantised weight in it do not fit its shape"
    add("scales", [scales], message)
    missing = models.depthwise_graph(K, 6)
    missing.operators[0].inputs = (0, 99)
    message = "a part of it points outside the file: it is cut off or damaged"
    add("missing-tensor", [missing], message)
    bare = models.depthwise_graph(K, 6)
    bare.operators[0].inputs = (0,)
    add("no-weights", [bare], "a layer in it has no weights")
    buffer = models.depthwise_graph(K, 6)
    buffer.tensors[1].buffer = 1 << 30
    message = "a part of it points outside the file: it is cut off or damaged"
    add("missing-buffer", [buffer], message)
    add("no-graph", [], "there is no graph in it")
    return rows
