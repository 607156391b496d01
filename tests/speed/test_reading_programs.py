"""TorchScript, torch.export, shards and packed files against the ordinary way.

The same network of some 80 MB as in `tests.speed.test_reading_graphs`. Prints ratios;
gates on nothing. Run with ``pytest -s tests/speed``.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from tests.speed.test_reading_graphs import BLOCKS, WIDTH, compare

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

if TYPE_CHECKING:
    from pathlib import Path


def network() -> nn.Module:
    """Depthwise 7×7 and pointwise convolutions, in turn."""
    layers: list[nn.Module] = []
    for _ in range(BLOCKS):
        layers.append(nn.Conv2d(WIDTH, WIDTH, 7, padding=3, groups=WIDTH))
        layers.append(nn.Conv2d(WIDTH, WIDTH, 1))
    return nn.Sequential(*layers).eval()


def test_torch_script(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.jit.save(torch.jit.script(network()), path)
    compare("TorchScript", path, lambda: torch.jit.load(path), "torch.jit.load")


def test_torch_export(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    program = torch.export.export(network(), (torch.zeros(1, WIDTH, 7, 7),))
    torch.export.save(program, path)
    compare("torch.export", path, lambda: torch.export.load(path), "torch.export.load")


def test_shards(tmp_path: Path) -> None:
    state = list(network().state_dict().items())
    where = {}
    for part in range(4):
        name = f"model-{part + 1:05}-of-00004.safetensors"
        chosen = dict(state[part::4])
        save_file(chosen, tmp_path / name)
        where |= dict.fromkeys(chosen, name)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    parts = [tmp_path / name for name in dict.fromkeys(where.values())]
    compare("4 shards", index, lambda: list(map(load_file, parts)), "load_file of all")


def test_gzip(tmp_path: Path) -> None:
    save_file(network().state_dict(), tmp_path / "net.safetensors")
    path = tmp_path / "net.safetensors.gz"
    data = (tmp_path / "net.safetensors").read_bytes()
    path.write_bytes(gzip.compress(data, compresslevel=1))
    compare("gzip", path, lambda: gzip.decompress(path.read_bytes()), "unpacking alone")
