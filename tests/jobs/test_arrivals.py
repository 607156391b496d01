from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save

from kernelviewer.jobs.runs import Arrivals
from tests.recorder import EndedError, Recorder

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = save({"dw.weight": np.ones((4, 1, 3, 3), np.float32)}, {"step": "1"})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def arrivals(tmp_path: Path, clock: Clock) -> Arrivals:
    return Arrivals(tmp_path / "run", settled=1.0, clock=clock)


def put(path: Path, data: bytes, changed: int = 1) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(changed, changed))
    return path


def test_a_file_is_told_once_when_it_has_settled(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    assert arrivals.poll() == []  # the folder is not there yet
    path = put(tmp_path / "run" / "step-1.safetensors", WHOLE)
    assert arrivals.poll() == []
    clock.now = 0.5
    assert arrivals.poll() == []
    clock.now = 1.0
    assert arrivals.poll() == [path]
    clock.now = 9.0
    assert arrivals.poll() == []


def test_a_file_that_grows_is_waited_for(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    path = tmp_path / "run" / "step-1.safetensors"
    for second in range(4):
        clock.now = float(second)
        put(path, WHOLE[: 40 * (second + 1)], changed=second)
        assert arrivals.poll() == []
        assert arrivals.waiting == {}
    clock.now = 10.0
    assert arrivals.poll() == []  # it has stopped, but is half of one
    assert "half a download" in arrivals.waiting[path]
    put(path, WHOLE, changed=10)
    assert arrivals.poll() == []
    assert arrivals.waiting == {}
    clock.now = 11.0
    assert arrivals.poll() == [path]


def test_a_file_that_is_written_anew_is_told_again(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    path = put(tmp_path / "run" / "last.safetensors", WHOLE)
    arrivals.poll()
    clock.now = 1.0
    assert arrivals.poll() == [path]
    put(path, WHOLE, changed=2)
    arrivals.poll()
    clock.now = 2.0
    assert arrivals.poll() == [path]


def test_many_come_in_the_order_of_their_numbers(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    files = [put(tmp_path / "run" / f"net_{n}.safetensors", WHOLE) for n in (10, 2, 1)]
    put(tmp_path / "run" / "notes.txt", b"not a network")
    put(tmp_path / "run" / ".step-3.safetensors.tmp", WHOLE[:50])
    arrivals.poll()
    clock.now = 1.0
    assert arrivals.poll() == files[::-1]
    assert arrivals.waiting == {}
    files[0].unlink()
    assert arrivals.poll() == []
    put(files[0], WHOLE)
    arrivals.poll()
    clock.now = 2.0
    assert arrivals.poll() == files[:1]


def test_what_is_cut_short_loses_nothing(
    tmp_path: Path, arrivals: Arrivals, clock: Clock
) -> None:
    files = [put(tmp_path / "run" / f"net_{n}.safetensors", WHOLE) for n in (1, 2)]
    arrivals.poll()
    clock.now = 1.0
    told: set[Path] = set()
    for end in range(1, 40):
        try:
            told.update(arrivals.poll(Recorder(end)))
        except EndedError:
            continue
        break
    assert told == set(files)
