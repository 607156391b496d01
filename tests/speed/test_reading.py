"""How fast the depthwise kernels of a large checkpoint are read, against the floor.

Prints ratios; gates on nothing. Run with ``pytest -s tests/speed/test_reading.py``.
The checkpoint is ConvNeXtV2-L with random weights (790 MB, in a temporary folder, in
the cache of the system). The floor reads the header by hand and copies just the
depthwise bytes out of a memory map. Times are the processor's, so that what else the
machine does matters little.
"""

from __future__ import annotations

import json
import mmap
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.formats import open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Kernels = list[np.ndarray]

ROUNDS = 15


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Format → path of the same network."""
    import timm
    import torch
    from safetensors.torch import save_file

    state = timm.create_model("convnextv2_large").state_dict()
    folder = tmp_path_factory.mktemp("large")
    paths = {
        "safetensors": folder / "large.safetensors",
        "PyTorch zip": folder / "large.pth",
        "PyTorch legacy": folder / "large-legacy.pth",
    }
    save_file(state, paths["safetensors"])
    torch.save(state, paths["PyTorch zip"])
    torch.save(state, paths["PyTorch legacy"], _use_new_zipfile_serialization=False)
    yield paths
    for path in paths.values():
        path.unlink()


def is_depthwise(shape: tuple[int, ...]) -> bool:
    return len(shape) == 4 and shape[1] == 1 and shape[2] > 1


def floor(path: Path) -> Kernels:
    """What cannot be done without: the header, a map, the bytes."""
    found = []
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        start = 8 + int.from_bytes(data[:8], "little")
        for name, item in json.loads(data[8:start]).items():
            if name != "__metadata__" and is_depthwise(item["shape"]):
                first, last = item["data_offsets"]
                values = np.frombuffer(data[start + first : start + last], np.float32)
                found.append(values.reshape(item["shape"]))
    return found


def ours(path: Path) -> Kernels:
    tensors = open_checkpoint(path).tensors
    return [t.load() for t in tensors if is_depthwise(t.shape)]


def by_torch(path: Path) -> Kernels:
    import torch

    state = torch.load(path, weights_only=True, map_location="cpu")
    return [v.numpy() for v in state.values() if is_depthwise(v.shape)]


def by_safetensors(path: Path) -> Kernels:
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        names = [n for n in file.keys() if is_depthwise(file.get_slice(n).get_shape())]  # noqa: SIM118
        return [file.get_tensor(name) for name in names]


def milliseconds(read: Callable[[], Any], rounds: int) -> list[float]:
    """Processor time of each round, the shortest first.

    What was read is kept, as a program that shows it does: memory is fresh each time.
    """
    times, kept = [], []
    for _ in range(rounds):
        start = time.process_time()
        kept.append(read())
        times.append((time.process_time() - start) * 1e3)
    return sorted(times)


def test_speed(checkpoints: dict[str, Path]) -> None:
    reference = {a.tobytes() for a in floor(checkpoints["safetensors"])}
    depthwise = sum(map(len, reference))
    contenders: list[tuple[str, Callable[[Path], Kernels], str, int]] = [
        ("floor: header and map by hand", floor, "safetensors", ROUNDS),
        ("ours, safetensors", ours, "safetensors", ROUNDS),
        ("ours, PyTorch zip", ours, "PyTorch zip", ROUNDS),
        ("ours, PyTorch legacy", ours, "PyTorch legacy", ROUNDS),
        ("safetensors.safe_open", by_safetensors, "safetensors", ROUNDS),
        ("torch.load(weights_only=True)", by_torch, "PyTorch zip", 5),
    ]
    best: dict[str, float] = {}
    print(f"\n{depthwise / 1e6:.1f} MB of depthwise kernels")
    for name, read, kind, rounds in contenders:
        path = checkpoints[kind]
        assert {a.tobytes() for a in read(path)} == reference
        times = milliseconds(lambda read=read, path=path: read(path), rounds)
        best[name] = times[0]
        first = next(iter(best.values()))
        print(
            f"{name:<32} best {times[0]:8.2f} ms  median {times[rounds // 2]:8.2f} ms"
            f"  {times[0] / first:6.1f} × the floor"
        )
    torch_time = best["torch.load(weights_only=True)"]
    for name in ("ours, safetensors", "ours, PyTorch zip"):
        print(f"torch.load takes {torch_time / best[name]:.0f} × as long as {name}")


MEMORY = """
import resource, sys, torch
from pathlib import Path
from kernelviewer.formats import open_checkpoint

def peak():
    line = [x for x in open("/proc/self/status") if x.startswith("VmHWM")]
    return int(line[0].split()[1]) * 1024

Path("/proc/self/clear_refs").write_text("5")
before = peak()
tensors = open_checkpoint(sys.argv[1]).tensors
kernels = [t.load() for t in tensors if len(t.shape) == 4 and t.shape[1] == 1]
print(peak() - before, sum(k.nbytes for k in kernels))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
@pytest.mark.parametrize("kind", ["safetensors", "PyTorch zip", "PyTorch legacy"])
def test_peak_memory(kind: str, checkpoints: dict[str, Path]) -> None:
    """File pages included; torch is imported before, as in the window."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(checkpoints[kind])],
        capture_output=True,
        text=True,
        check=True,
    )
    grown, depthwise = map(int, done.stdout.split())
    print(f"\n{kind}: peak {grown / 1e6:.1f} MB, {grown / depthwise:.1f} × the kernels")
