"""How fast kernels get their family member, against multiplying them with the bank.

Prints; gates on nothing. Run with ``pytest -s tests/speed/test_family.py``. Processor
time is that of all threads together, so that what else the machine does matters little.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.device import CPU, threads
from kernelviewer.kernels.family import family_fit
from kernelviewer.kernels.family.members import bank
from tests.kernels.family_made import IDS, draw, noise, render

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTS = {(7, 7): 100_000, (31, 31): 4_000, (51, 51): 1_000}
WISHED = {(7, 7): 120}
"""Seconds of processor time for a million kernels: 60 on each of two cores."""


def spent(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


def kernels_of(size: tuple[int, int], count: int) -> np.ndarray:
    """As unlike the family as trained kernels are: a mean cosine of about 0.85."""
    rng = np.random.default_rng(0)
    each = -(-count // len(IDS))
    clean = [render(draw(item, rng, each), size) for item in IDS]
    return np.concatenate(clean)[:count] + 0.6 * noise(count, size)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("size", COUNTS)
def test_time_of_a_family_fit(size: tuple[int, int]) -> None:
    count = COUNTS[size]
    kernels = kernels_of(size, count)
    members = bank(size, CPU).patterns
    rows = kernels.reshape(count, -1)
    room = np.empty((256, members.shape[1]), np.float32)

    def multiply() -> None:
        for first in range(0, count, 256):
            part = rows[first : first + 256]
            np.matmul(part, members, out=room[: len(part)])

    multiply()
    floor, floor_processor = spent(multiply)
    name = "×".join(map(str, size))
    print(f"\n{name}: {count} kernels, {members.shape[1]} members in the bank")
    print(f"  bank product alone  {floor:6.2f} s, {floor_processor:6.2f} s processor")
    for label, options in (
        ("bank only", {"refine": False}),
        ("refined", {}),
        ("refined, all classes", {"margin": 2.0}),
    ):
        wall, processor = spent(lambda: family_fit(kernels, device=CPU, **options))  # noqa: B023
        print(
            f"  {label:20s}{wall:6.2f} s, {processor:6.2f} s processor "
            f"({processor / floor_processor:4.1f} ×); a million in "
            f"{1e6 * wall / count:5.0f} s, {1e6 * processor / count:5.0f} s processor"
        )
    if size in WISHED:
        spend = spent(lambda: family_fit(kernels[: count // 2], device=CPU))[1]
        print(
            f"  a million are named in {2e6 * spend / count / threads():.0f} s on "
            f"{threads()} free cores (wished: {WISHED[size] / 2} on two)"
        )
