"""Names networks of programs whose files are not read, and says what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kernelviewer.formats.tfjs_parts import shard

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.formats.source import Source

EXPORT = "Export the network as ONNX or safetensors and open that."
_ORIGINAL = "Open the file that it was converted from (ONNX, PyTorch, TensorFlow)."
_PADDLE = "Convert it with paddle2onnx and open the .onnx file."
_GRAPH = "It lies beside its graph: open its .pdmodel."

_SUFFIXES = {
    ".caffemodel": ("the weights file of a Caffe network", EXPORT),
    ".prototxt": ("the graph file of a Caffe network, without weights", EXPORT),
    ".pdmodel": ("the graph file of a Paddle network, without weights", _PADDLE),
    ".pdiparams": ("the weights file of a Paddle network", _GRAPH),
    ".mlmodel": ("a Core ML network", _ORIGINAL),
    ".mnn": ("an MNN network", _ORIGINAL),
    ".tnnmodel": ("a TNN network", _ORIGINAL),
    ".rknn": ("an RKNN network", _ORIGINAL),
    ".weights": ("the weights file of a Darknet network", EXPORT),
    ".params": ("the weights file of an MXNet network", EXPORT),
    ".t7": ("a file of Torch 7", EXPORT),
}
"""Names that only these programs give; asked where the content tells nothing."""

_JOBLIB = b"joblib.numpy_pickle"
_NCNN = b"7767517"
_OPENVINO = re.compile(rb"<net\s[^>]*version=")
_PADDLE_3 = re.compile(rb'"magic"\s*:\s*"pir"')
_LOOKED_AT = 1024


def is_joblib(source: Source) -> bool:
    """Whether a pickle has joblib's arrays between its parts, which ends it early."""
    return _JOBLIB in source.head


def other_network(source: Source) -> tuple[str, str] | None:
    """What the file is, with an article, and what to do; None if it is none of these.

    Parameters
    ----------
    source
        A file that no reader took.
    """
    head, path = source.head, source.path
    if is_joblib(source):
        return "a joblib file (scikit-learn's), which is not read", EXPORT
    if head.startswith(_NCNN):
        return "the graph file of an ncnn network, without weights", _ORIGINAL
    if _OPENVINO.search(head):
        return "the graph file of an OpenVINO network, without weights", _ORIGINAL
    if _PADDLE_3.search(head):
        return "the graph file of a Paddle 3 network, without weights", _PADDLE
    if (part := shard(path)) is not None:
        return part
    if path.suffix == ".bin":
        if _start(path.with_suffix(".param")).startswith(_NCNN):
            return "the weights file of an ncnn network", _ORIGINAL
        if _OPENVINO.search(_start(path.with_suffix(".xml"))):
            return "the weights file of an OpenVINO network", _ORIGINAL
    return _SUFFIXES.get(path.suffix.lower())


def _start(path: Path) -> bytes:
    """The first bytes of a file beside this one, or nothing."""
    try:
        with path.open("rb") as file:
            return file.read(_LOOKED_AT)
    except OSError:
        return b""
