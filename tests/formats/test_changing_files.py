"""Files that are cut off or written again while they are opened, in every format.

In a process of its own: where a file is mapped, the system would end it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.source import TICK_NS, OpenedFile
from tests.formats.every_format import FORMATS
from tests.networks import write_network

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Format → what its reader does wrong."""
    networks = {name: written(tmp_path_factory.mktemp("n"), name) for name in FORMATS}
    found: dict[str, list[str]] = {}
    while left := [name for name in FORMATS if name not in found]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.formats.changing"]
            + [part for name in left for part in networks[name]],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=1000,
        )
        lines = done.stdout.splitlines()
        found |= dict(zip(left, map(json.loads, lines), strict=False))
        if len(lines) < len(left):
            end = f"the process ended ({done.returncode}): {done.stderr[-2000:]}"
            found[left[len(lines)]] = [end]
    return found


def written(folder: Path, name: str) -> list[str]:
    """Two networks of a format: their folders, and the name of the file to open."""
    folders = folder / "first", folder / "second"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed, each in enumerate(folders):
            each.mkdir()
            path = FORMATS[name](each, seed)
    return [*map(str, folders), path.name]


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_changes_while_it_is_opened(
    name: str, found: dict[str, list[str]]
) -> None:
    assert found[name] == []


def test_a_file_is_looked_at_once_another_writing_would_have_another_time(
    tmp_path: Path,
) -> None:
    """Systems note when a file is written by a clock that stands still for 4 ms."""
    for seed in range(5):
        path = write_network(tmp_path / f"net{seed}.safetensors", seed=seed)
        for look in (OpenedFile.of, open_checkpoint):
            os.utime(path)
            look(path)
            assert time.time_ns() - path.stat().st_mtime_ns >= TICK_NS
    old = path.stat().st_mtime_ns - 10**9
    os.utime(path, ns=(old, old))
    checkpoint = open_checkpoint(path)
    path.write_bytes(path.read_bytes())
    with pytest.raises(CheckpointError, match="changed"):
        checkpoint.tensors[0].load()
