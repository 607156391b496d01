"""Networks whose names, within and without, are as odd as a file system allows."""

from __future__ import annotations

import json
import os
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

ODD_NAME = os.fsdecode(b"net-\xff\x1b[31m.safetensors")
"""A file name that is no UTF-8 and holds a terminal escape."""
ODD_LAYERS = ("a\ud800.dw", "b\u202e.dw", "=1+1.dw", "$\\frac{<b>&|`x`[y].dw")
BAD_SIGNS = {"\x1b", "\u202e", *map(chr, range(0xD800, 0xE000))}


def write_odd_network(folder: Path, name: str = ODD_NAME) -> Path:
    """A safetensors file of depthwise layers with such names."""
    path = folder / name
    rng = np.random.default_rng(0)
    header, data = {}, b""
    for layer in ODD_LAYERS:
        part = rng.standard_normal((6, 1, 7, 7)).astype("<f4").tobytes()
        header[f"{layer}.weight"] = {
            "dtype": "F32",
            "shape": [6, 1, 7, 7],
            "data_offsets": [len(data), len(data) + len(part)],
        }
        data += part
    text = json.dumps(header).encode()
    try:
        path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    except (OSError, UnicodeError):
        pytest.skip("the file system takes no such name")
    return path


def is_harmless(text: str) -> bool:
    """Whether a text can be shown, and written as UTF-8."""
    return not BAD_SIGNS & set(text)
