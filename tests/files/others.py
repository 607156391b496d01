"""Cases: files that are something else than a checkpoint."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from tests.files.writing import case, zipped

if TYPE_CHECKING:
    from tests.files.writing import Case

MODEL = "Open the network's checkpoint instead."
PACKED = "Unpack it and open what is inside."
AGAIN = "Download it again."
ORIGINAL = "Open the file that it was converted from (ONNX, PyTorch, TensorFlow)."
EXPORT = "Export the network as ONNX or safetensors and open that."


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40)
LFS = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    b"size 791827360\n"
)
OTHERS: list[Case] = [
    case(
        "empty.pth",
        b"",
        "the file is empty. It was not saved or downloaded to its end; fetch it again.",
    ),
    case(
        "zeros.pth",
        bytes(5000),
        f"the file begins with zeros: an interrupted download. {AGAIN}",
    ),
    case(
        "page.pth",
        b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>",
        "this is an HTML page: the download gave a web page instead of the file. "
        "Download the file itself, with the page's download or “raw” link.",
    ),
    case(
        "denied.pth",
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        f"this is an XML text: the message of a server, or a drawing. {AGAIN}",
    ),
    case(
        "pointer.safetensors",
        LFS,
        "this is a Git-LFS pointer: the file of 791,827,360 bytes it stands for was "
        "not fetched. Run “git lfs pull”, or download the file itself.",
    ),
    case("image.pth", PNG, f"this is an image (PNG). {MODEL}"),
    case(
        "photo.bin", b"\xff\xd8\xff\xe0" + bytes(9), f"this is an image (JPEG). {MODEL}"
    ),
    case("paper.pt", b"%PDF-1.7\n%\xe2\xe3", f"this is a PDF document. {MODEL}"),
    case(
        "config.json",
        b'{"architecture": "x"}',
        f"this is a JSON text, which holds no weights. {MODEL}",
    ),
    case(
        "work.json",
        b'{"format": "kernelviewer session", "networks": []}',
        "this is a session of kernelviewer, which only names networks. Open it in the "
        "window, or give the networks themselves.",
    ),
    case("log.csv", b"epoch,loss\n1,2\n2,1\n3,1\n", f"this is a table (CSV). {MODEL}"),
    case("pk.txt", b"PK stands for primary key.\n", f"this is a text. {MODEL}"),
    case("notes.txt", b"Use the large model.\n", f"this is a text. {MODEL}"),
    case("model.py", b"import torch\nx = 1\n", f"this is Python source code. {MODEL}"),
    case("tool.bin", b"\x7fELF\x02\x01" + bytes(40), f"this is a program. {MODEL}"),
    case(
        "data.db",
        b"SQLite format 3\0" + bytes(40),
        f"this is an SQLite database. {MODEL}",
    ),
    case(
        "chat.gguf",
        b"GGUF\3\0\0\0" + bytes(40),
        f"this is a GGUF file (llama.cpp), which holds no convolutions. {MODEL}",
    ),
    case(
        "saved_model.pb",
        b"\x08\x01\x12\xff\x01\n\x10" + bytes(90),
        f"this is a TensorFlow SavedModel. {EXPORT}",
    ),
    case(
        "model.ckpt-1.data-00000-of-00001",
        struct.pack("<9f", *range(1, 10)),
        f"this is a part of a TensorFlow checkpoint. {EXPORT}",
    ),
    case(
        "model.engine",
        b"ftrt" + bytes(range(1, 60)),
        f"this is a TensorRT engine, whose weights cannot be read. {EXPORT}",
    ),
    case(
        "a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(9), f"this is a 7-Zip archive. {PACKED}"
    ),
    case("a.rar", b"Rar!\x1a\x07\x01" + bytes(9), f"this is a RAR archive. {PACKED}"),
    case(
        "a.joblib",
        lambda: zlib.compress(bytes(range(200))),
        f"this is a compressed file (zlib; joblib writes such). {PACKED}",
    ),
    case(
        "labels.pkl",
        b"\x80\x04\x95\x0d\x01\0\0\0\0\0\0\x8c\x13joblib.numpy_pickle\x94\x8c\x11",
        f"this is a joblib file (scikit-learn's), which is not read. {EXPORT}",
    ),
    case(
        "letter.docx",
        lambda: zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}),
        f"this is a Word document. {MODEL}",
    ),
    case(
        "noise.pth",
        bytes(range(7, 200)),
        "this is no checkpoint of a known format (it starts with 07 08 09 0a 0b 0c 0d "
        "0e). PyTorch, safetensors, ONNX, TFLite, TensorFlow, Paddle, Keras, NumPy and "
        "Flax files are read.",
    ),
    case(
        "net.param",
        b"7767517\n2 2\nInput data 0 1 data\n",
        f"this is the graph file of an ncnn network, without weights. {ORIGINAL}",
    ),
    case(
        "net.bin",
        bytes(range(7, 200)),
        f"this is the weights file of an ncnn network. {ORIGINAL}",
    ),
    case(
        "ir.xml",
        b'<?xml version="1.0"?>\n<net name="torch_jit" version="11">\n<layers>',
        f"this is the graph file of an OpenVINO network, without weights. {ORIGINAL}",
    ),
    case(
        "ir.bin",
        bytes(range(7, 200)),
        f"this is the weights file of an OpenVINO network. {ORIGINAL}",
    ),
    case(
        "group1-shard2of3.bin",
        bytes(range(7, 200)),
        "this is a part of a TensorFlow.js network. It lies beside its list of "
        "weights: open its model.json.",
    ),
    case(
        "deploy.prototxt",
        b'name: "net"\nlayer {\n  name: "data"\n}\n',
        f"this is the graph file of a Caffe network, without weights. {EXPORT}",
    ),
    case(
        "net.caffemodel",
        b"\x0a\x03net\xa2\x06" + bytes(range(60)),
        f"this is the weights file of a Caffe network. {EXPORT}",
    ),
    case(
        "inference.pdiparams",
        bytes(16) + bytes(range(60)),
        "this is the weights file of a Paddle network. It lies beside its graph: open "
        "its .pdmodel.",
    ),
    case(
        "inference.json",
        b'{"base_code":{"magic":"pir","version":1},"program":{"regions":[]}}',
        "this is the graph file of a Paddle 3 network, without weights. Convert it "
        "with paddle2onnx and open the .onnx file.",
    ),
    case(
        "net.mlmodel",
        b"\x08\x02\x12\xe8\x11" + bytes(range(60)),
        f"this is a Core ML network. {ORIGINAL}",
    ),
]
