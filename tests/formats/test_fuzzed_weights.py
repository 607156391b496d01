"""PyTorch, safetensors, pickles and archives with bytes changed or cut off.

``KERNELVIEWER_FUZZ=2000`` tries so many cases of each, not always the same.
"""

from __future__ import annotations

import io
import json
import pickle
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.files.opcodes import WEIGHT, table, torch_legacy, torch_zip
from tests.files.writing import gzipped, tarred, zipped
from tests.formats.reading import weights
from tests.formats.test_fuzzed_graphs import CASES, changed, fuzzed, try_to_read
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

fuzzed = settings(fuzzed, max_examples=CASES or 50)

REAL = {
    "safetensors": "deimv2-atto-coco-intellindust.safetensors",
    "zip": "hfenet-x4-ntire2026-team10.bin",
    "zip with an optimizer": "rfdnext-x4-ntire2022-team38.pth",
    "zip with numpy arrays": "proxylessnas-w0.3-imagenet-int8-mit.pkl",
    "zip with a whole module": "mcunet-in4-pruned-cifar10-wholemodule-sanchoo1.pth",
    "weight norm": "mdan-x4-ntire2022-team23.pt",
    "legacy": "imdn-x4-ntire2022-baseline.pth",
}


ONE = torch.ones(2, 2)


def saved(value: object) -> bytes:
    out = io.BytesIO()
    torch.save(value, out)
    return out.getvalue()


def _safetensors() -> bytes:
    from safetensors.numpy import save

    names = ("a.weight", "b.weight_g", "b.weight_v")
    return save({name: weights(0, (4, 1, 3, 3)) for name in names})


def _mlx() -> bytes:
    from safetensors.numpy import save

    return save({"a.weight": weights(0, (4, 3, 3, 1))}, metadata={"format": "mlx"})


def _script() -> bytes:
    layer = torch.nn.Sequential(torch.nn.Conv2d(6, 6, 3, groups=6))
    out = io.BytesIO()
    torch.jit.save(torch.jit.script(layer), out)
    return out.getvalue()


def _export() -> bytes:
    layer = torch.nn.Sequential(torch.nn.Conv2d(6, 6, 3, groups=6)).eval()
    out = io.BytesIO()
    torch.export.save(torch.export.export(layer, (torch.zeros(1, 6, 9, 9),)), out)
    return out.getvalue()


def _pickle() -> bytes:
    arrays = {"a.weight": weights(0, (40, 1, 7, 7)), "b.weight": weights(1, (3, 3))}
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return pickle.dumps({"model": arrays, "other": tensors}, 4)


def _index() -> bytes:
    return json.dumps({"weight_map": {"a": "x.bin", "b": "y.bin"}}).encode()


SMALL: dict[str, Callable[[], bytes]] = {
    "safetensors": _safetensors,
    "safetensors of mlx": _mlx,
    "zip": lambda: torch_zip(table(WEIGHT)),
    "packed zip": lambda: torch_zip(table(WEIGHT), packed=True),
    "legacy": lambda: torch_legacy(table(WEIGHT)),
    "module": lambda: saved(torch.nn.Conv2d(6, 6, 3, groups=6)),
    "copies": lambda: saved({name: {"a.w": ONE.clone()} for name in ("net", "ema")}),
    "quantised": lambda: saved({"a.w": ONE.char(), "a.w_scale": np.ones(2)}),
    "script": _script,
    "export": _export,
    "pickle": _pickle,
    "index": _index,
    "zip around it": lambda: zipped({"x.pth": torch_zip(table(WEIGHT))}),
    "tar around it": lambda: tarred({"x.pth": torch_zip(table(WEIGHT))}),
    "gzip around it": lambda: gzipped(torch_zip(table(WEIGHT))),
    "gzip in a zip": lambda: zipped({"x.gz": gzipped(torch_zip(table(WEIGHT)))}),
    "zip in a tar": lambda: tarred({"x.zip": zipped({"x": torch_zip(table(WEIGHT))})}),
}


def damaged(data: bytes, seed: int) -> bytes:
    """The file with bytes changed near its start, or near its end as zips need."""
    return changed(data[::-1], seed)[::-1] if seed % 2 else changed(data, seed)


@cache
def small(name: str) -> bytes:
    """Bytes of a small file, made once."""
    return SMALL[name]()


@needs_checkpoints
@pytest.mark.parametrize("name", REAL)
@pytest.mark.timeout(7200 if CASES else 120)
@fuzzed
@given(seed=st.integers(0, 1 << 64))
def test_changed_real_files(name: str, seed: int, tmp_path: Path) -> None:
    path = tmp_path / "changed"
    path.write_bytes(damaged((CHECKPOINTS / REAL[name]).read_bytes(), seed))
    try_to_read(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.timeout(7200 if CASES else 120)
@fuzzed
@given(seed=st.integers(0, 1 << 64))
def test_changed_small_files(name: str, seed: int, tmp_path: Path) -> None:
    path = tmp_path / "changed"
    path.write_bytes(damaged(small(name), seed))
    try_to_read(path)
