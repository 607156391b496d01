"""Naming files that are no checkpoint: what they are, and what to do instead.

Among them are the parts of checkpoints that many processes wrote, and how to join them.
"""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.formats.containers.zip_directory import ZIP_MAGIC, zip_records
from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.tensorflow.js import shard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernelviewer.formats.source import Source
    from kernelviewer.watch import Watch

_DCP = "a distributed checkpoint of PyTorch (DCP)"
_DEEPSPEED = "a checkpoint of DeepSpeed"
_TOOL = "torch.distributed.checkpoint.format_utils"
_SCRIPT = "zero_to_fp32.py"
_MAX_FILES = 10_000
_PARTS = (
    (re.compile(r"\.metadata|.*\.distcp"), _DCP),
    (
        re.compile(
            r"(bf16_|fp16_)?zero_pp_rank_\d+_.*_states\.pt|.*_optim_states\.pt"
            r"|layer_\d+-model_.*states\.pt"
        ),
        _DEEPSPEED,
    ),
)
"""Names of parts that hold no whole network, and what they are of."""
_WEIGHTS = re.compile(r"mp_rank_\d+_model_states\.pt")
"""DeepSpeed's file of weights: whole only where it divides just the optimizer."""
_COMMON = {"meta.pt", "common.pt"}
"""What Lightning and Megatron write beside the parts of a DCP for all of them."""


def is_part(path: Path) -> bool:
    """True if a file's name is that of a part that holds no whole network."""
    return _kind(path.name) != ""


def without_parts(names: Iterable[str]) -> list[str]:
    """The files of a folder that are no parts of a divided checkpoint."""
    found = list(names)
    kinds = {_DEEPSPEED if name == _SCRIPT else _kind(name) for name in found}
    return [
        name
        for name in found
        if not _kind(name)
        and not (_DEEPSPEED in kinds and _WEIGHTS.fullmatch(name))
        and not (_DCP in kinds and name in _COMMON)
    ]


def part(source: Source) -> tuple[str, str] | None:
    """What a part is, with an article, and what to do; None if it is none."""
    kind = _kind(source.path.name)
    return (f"a part of {kind}", _advice(kind, source.path.parent)) if kind else None


def divided_in(folder: Path, watch: Watch) -> CheckpointError | None:
    """What to say of a folder that holds such a checkpoint; None if it holds none."""
    looked_at = 0
    for place, folders, names in os.walk(folder):
        watch.check()
        folders.sort(key=lambda name: ("optim" in name, name))  # the network's first
        looked_at += len(names)
        kinds = [
            _kind(name) or _DEEPSPEED * (name == _SCRIPT) for name in sorted(names)
        ]
        kind = next((kind for kind in kinds if kind), "")
        if kind:
            problem = f"this is {kind}, which is not read"
            return CheckpointError(folder, problem, _advice(kind, Path(place)))
        if looked_at > _MAX_FILES:
            break
    return None


def _kind(name: str) -> str:
    """What a file of this name is a part of; empty if of nothing."""
    return next((kind for pattern, kind in _PARTS if pattern.fullmatch(name)), "")


def _advice(kind: str, folder: Path) -> str:
    """How to join a checkpoint that lies in a folder."""
    if kind == _DCP:
        name = folder.resolve().name
        return (
            f"Convert it with torch's own tool, python -m {_TOOL} dcp_to_torch {name} "
            f"{name}.pth, and open the .pth file."
        )
    above = not (folder / _SCRIPT).is_file() and (folder.parent / _SCRIPT).is_file()
    where = "folder above" if above else "same folder"
    return (
        f"Join its parts with DeepSpeed's script in the {where}, python {_SCRIPT} . "
        "joined, and open what it writes."
    )


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
    """True if a pickle has joblib's arrays between its parts, which ends it early."""
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


_MODEL = "Open the network's checkpoint instead."
_UNPACK = "Unpack it and open what is inside."
_AGAIN = "Download it again."

_MAGIC: tuple[tuple[bytes, int, str, str], ...] = (
    (b"\x89PNG\r\n", 0, "an image (PNG)", _MODEL),
    (b"\xff\xd8\xff", 0, "an image (JPEG)", _MODEL),
    (b"GIF8", 0, "an image (GIF)", _MODEL),
    (b"WEBP", 8, "an image (WebP)", _MODEL),
    (b"II*\0", 0, "an image (TIFF)", _MODEL),
    (b"MM\0*", 0, "an image (TIFF)", _MODEL),
    (b"8BPS", 0, "an image (Photoshop)", _MODEL),
    (b"WAVE", 8, "a sound (WAV)", _MODEL),
    (b"ID3", 0, "a sound (MP3)", _MODEL),
    (b"AVI ", 8, "a film (AVI)", _MODEL),
    (b"ftyp", 4, "a film or image (MP4, HEIC)", _MODEL),
    (b"\x1aE\xdf\xa3", 0, "a film (Matroska)", _MODEL),
    (b"%PDF", 0, "a PDF document", _MODEL),
    (b"%!PS", 0, "a PostScript document", _MODEL),
    (b"\x7fELF", 0, "a program", _MODEL),
    (b"MZ", 0, "a Windows program", _MODEL),
    (b"SQLite format 3\0", 0, "an SQLite database", _MODEL),
    (b"PAR1", 0, "a data table (Parquet)", _MODEL),
    (b"ARROW1", 0, "a data table (Arrow)", _MODEL),
    (b"MATLAB 5.0", 0, "a MATLAB file", "Save its arrays as .npz and open that."),
    (b"\x89HDF\r\n", 0, "an HDF5 file without a Keras network", _MODEL),
    (b"GGUF", 0, "a GGUF file (llama.cpp), which holds no convolutions", _MODEL),
    (b"lmgg", 0, "a GGML file (llama.cpp), which holds no convolutions", _MODEL),
    (b"tjgg", 0, "a GGML file (llama.cpp), which holds no convolutions", _MODEL),
    (b"ftrt", 0, "a TensorRT engine, whose weights cannot be read", EXPORT),
    (b"ptrt", 0, "a TensorRT engine, whose weights cannot be read", EXPORT),
    (b"\x28\xb5\x2f\xfd", 0, "a Zstandard archive", _UNPACK),
    (b"\x04\x22\x4d\x18", 0, "an LZ4 archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", 0, "a RAR archive", _UNPACK),
    (b"\x78\x9c", 0, "a compressed file (zlib; joblib writes such)", _UNPACK),
    (b"\x78\xda", 0, "a compressed file (zlib; joblib writes such)", _UNPACK),
    (b"\x78\x01", 0, "a compressed file (zlib; joblib writes such)", _UNPACK),
    (b"\x08\x01\x12", 0, "a TensorFlow SavedModel", EXPORT),
)
"""Bytes, where they stand, what the file is, what to do."""

_DOCUMENTS = (
    ("word/", "a Word document"),
    ("xl/", "an Excel workbook"),
    ("ppt/", "a PowerPoint presentation"),
    ("META-INF/MANIFEST.MF", "a Java archive"),
    ("AndroidManifest.xml", "an Android app"),
    ("content.xml", "an OpenDocument file"),
    ("META-INF/container.xml", "an e-book (EPUB)"),
)
_LFS = b"version https://git-lfs.github.com/spec/"
_TF_DATA = re.compile(r"\.(data-\d{5}-of-\d{5}|index)$")
_CONTROL = bytes(set(range(32)) - {7, 8, 9, 10, 12, 13, 27})


def wrong_file(source: Source, readable: str) -> CheckpointError:
    """Name a file that no reader took; ``readable`` says which files are read."""
    for test in (part, _magic, _zip, other_network, _text, _tensorflow):
        found = test(source)
        if found:
            return CheckpointError(source.path, f"this is {found[0]}", found[1])
    if not source.size:
        hint = "It was not saved or downloaded to its end; fetch it again."
        return CheckpointError(source.path, "the file is empty", hint)
    if not source.head.strip(b"\0"):
        problem = "the file begins with zeros: an interrupted download"
        return CheckpointError(source.path, problem, _AGAIN)
    start = source.head[:8].hex(" ")
    problem = f"this is no checkpoint of a known format (it starts with {start})"
    return CheckpointError(source.path, problem, readable)


def _magic(source: Source) -> tuple[str, str] | None:
    """Name a file by its first bytes."""
    for magic, at, what, hint in _MAGIC:
        certain = len(magic) > 3 or not magic.isascii() or _text(source) is None
        if certain and source.head[at : at + len(magic)] == magic:
            return what, hint
    return None


def _zip(source: Source) -> tuple[str, str] | None:
    """Name a zip: broken, or a document."""
    if source.head.startswith(b"PK\x05\x06"):
        return "an empty zip file", _AGAIN
    if source.head.startswith((b"PK\x01\x02", b"PK\x07\x08")):
        return "a part of a zip file", _AGAIN
    if not source.head.startswith(ZIP_MAGIC):
        return None
    try:
        records = zip_records(source)
    except DamagedError as error:
        what = "a PyTorch file" if b"data.pkl" in source.head else "a zip file"
        return f"{what}, but {error}", error.hint
    what = document(records)
    return (what, _MODEL) if what else None


def document(names: Iterable[str]) -> str:
    """Name the document or program that a zip with these records is; else empty."""
    found = list(names)
    return next(
        (
            what
            for mark, what in _DOCUMENTS
            if any(name.startswith(mark) for name in found)
        ),
        "",
    )


def _text(source: Source) -> tuple[str, str] | None:
    """Name a file that people can read."""
    head = source.head
    if head.startswith(_LFS):
        size = re.search(rb"size (\d+)", head)
        what = f" of {int(size[1]):,} bytes" if size else ""
        return (
            f"a Git-LFS pointer: the file{what} it stands for was not fetched",
            "Run “git lfs pull”, or download the file itself.",
        )
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head or not _is_text(head):
        return None
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return (
            "an HTML page: the download gave a web page instead of the file",
            "Download the file itself, with the page's download or “raw” link.",
        )
    if text.startswith((b"<?xml", b"<error", b"<svg")):
        return "an XML text: the message of a server, or a drawing", _AGAIN
    if text.startswith(b"{") and b'"kernelviewer session"' in head:
        return (
            "a session of kernelviewer, which only names networks",
            "Open it in the window, or give the networks themselves.",
        )
    if text.startswith((b"{", b"[")):
        return "a JSON text, which holds no weights", _MODEL
    return _plain_text(text)


def _is_text(head: bytes) -> bool:
    """True if bytes are UTF-8 without control characters; the last may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return head.translate(None, _CONTROL) == head


def _plain_text(text: bytes) -> tuple[str, str]:
    """Name a text by its first lines."""
    lines = text.splitlines()[:5]
    for mark, what in ((b",", "a table (CSV)"), (b"\t", "a table (TSV)")):
        counts = {line.count(mark) for line in lines[:-1]}
        if len(lines) > 2 and len(counts) == 1 and counts.pop() > 0:
            return what, _MODEL
    if re.search(rb"^(import|from) \w+", text, re.MULTILINE):
        return "Python source code", _MODEL
    return "a text", _MODEL


def _tensorflow(source: Source) -> tuple[str, str] | None:
    """Name the parts of TensorFlow's own formats."""
    if _TF_DATA.search(source.path.name):
        return "a part of a TensorFlow checkpoint", EXPORT
    if b"Placeholder" in source.head and b"dtype" in source.head:
        return "a TensorFlow graph", EXPORT
    return None
