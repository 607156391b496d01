"""Cases: safetensors files whose header contradicts them."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from tests.files.writing import case

if TYPE_CHECKING:
    from tests.files.writing import Case

AGAIN = "Download or export it again."


def entry(shape: list[int], start: int, end: int, kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


def safetensors(header: dict[str, Any] | str, data: bytes) -> bytes:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + data


WHOLE = safetensors({"dw.weight": entry([6, 1, 3, 3], 0, 216)}, bytes(216))
START = len(WHOLE) - 216


def bad(name: str, data: bytes, problem: str, hint: str = AGAIN) -> Case:
    message = f"a safetensors file, but {problem}. {hint}"
    return case(f"{name}.safetensors", data, message)


def claim(length: int) -> str:
    return (
        f"its header claims {START - 8} bytes but the file ends after {length}: "
        "it is half a download or damaged"
    )


SPECIAL = {
    "nan": struct.pack("<54f", *([float("nan")] * 54)),
    "infinite": struct.pack("<54f", *([float("inf"), float("-inf")] * 27)),
}

HEADERS: list[Case] = [
    case("sound.safetensors", WHOLE),
    *(
        case(f"{name}.safetensors", WHOLE[:START] + data)
        for name, data in SPECIAL.items()
    ),
    *(bad(f"half-{n}", WHOLE[:n], claim(n)) for n in (9, 10, 20, 40, START - 1)),
    *(
        bad(
            f"half-{n}",
            WHOLE[:n],
            "it ends before the values of “dw.weight”: it is half a download",
            "Download it again.",
        )
        for n in (START, START + 1, START + 100, START + 215)
    ),
    case(
        "half-8.safetensors",
        WHOLE[:8],
        "this is no checkpoint of a known format (it starts with "
        f"{WHOLE[:8].hex(' ')}). PyTorch, safetensors, ONNX, TFLite, TensorFlow, "
        "Paddle, Keras, NumPy and Flax files are read.",
    ),
    bad(
        "header-of-terabytes",
        struct.pack("<Q", (1 << 40) - 1) + WHOLE[8:],
        "its header claims 1,099,511,627,775 bytes, more than any has",
    ),
    bad(
        "header-beyond",
        struct.pack("<Q", 10_000) + WHOLE[8:],
        f"its header claims 10,000 bytes but the file ends after {len(WHOLE)}: "
        "it is half a download or damaged",
    ),
    bad(
        "nested",
        safetensors('{"a":' * 100_000, b""),
        "its structure makes no sense",
    ),
    bad(
        "twice",
        safetensors(
            f'{{"a": {json.dumps(entry([1], 0, 4))}, '
            f'"a": {json.dumps(entry([1], 0, 4))}}}',
            bytes(4),
        ),
        "its header lists a name twice",
    ),
    bad(
        "overlapping",
        safetensors({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
        "its header gives two tensors the same bytes",
    ),
    bad(
        "negative-shape",
        safetensors({"a": entry([-6, -1, 3, 3], 0, 216)}, bytes(216)),
        "its header makes no sense of “a”",
    ),
    bad(
        "negative-offset",
        safetensors({"a": entry([1], -8, -4)}, bytes(16)),
        "its header makes no sense of “a”",
    ),
    bad(
        "wrong-shape",
        safetensors({"a": entry([6, 1, 3, 4], 0, 216)}, bytes(216)),
        "its header gives “a” a shape that does not fit its bytes",
    ),
    bad(
        "terabytes",
        safetensors({"a": entry([1 << 20, 1 << 20], 0, 1 << 42)}, bytes(16)),
        "it ends before the values of “a”: it is half a download",
        "Download it again.",
    ),
    bad(
        "no-numbers",
        safetensors('{"a": {"dtype": 3, "shape": "x", "data_offsets": {}}}', b""),
        "its header makes no sense of “a”",
    ),
    bad(
        "no-arrays",
        safetensors({"__metadata__": {"format": "pt"}}, b""),
        "it holds no arrays",
        "Open the file that holds the network's state dict.",
    ),
]
