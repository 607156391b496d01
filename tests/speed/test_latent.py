"""How fast kernels are encoded and a curve is trained.

Prints; gates on nothing. Run with ``pytest -s tests/speed/test_latent.py``. Encoding is
compared with the bare product of patterns and the table that codes are read from.
Processor time is that of all threads together.
"""

from __future__ import annotations

import math
import resource
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from kernelviewer.device import choose_device
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.curve import POINTS, Curve
from kernelviewer.latent.training import Training
from tests.latent.made import networks

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.device import Device

COUNT = 1_000_000
BATCHES = (256, 1024, 8192)
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def spent(action: Callable[[], object]) -> tuple[float, float]:
    """Least seconds on the clock, and of processor time, of three runs."""
    runs = []
    for _ in range(3):
        wall, processor = time.perf_counter(), time.process_time()
        action()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        runs.append((time.perf_counter() - wall, time.process_time() - processor))
    return min(run[0] for run in runs), min(run[1] for run in runs)


def multiply(kernels: np.ndarray, table: np.ndarray, batch: int, place: Device) -> None:
    """The bare product, into memory that is used again."""
    xp, there = place.xp, place.put(table)
    room = xp.empty((batch, len(table)), dtype=xp.float32, device=place.type)
    for first in range(0, len(kernels), batch):
        part = place.put(kernels[first : first + batch])
        xp.matmul(part, there.T, out=room[: len(part)])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("device", DEVICES)
def test_time_of_encoding(device: str) -> None:
    rng = np.random.default_rng(0)
    kernels = rng.standard_normal((COUNT, 7, 7), np.float32)
    series = rng.standard_normal((200, 49)).astype(np.float32)
    curve = Autoencoder.of("curve", Curve((7, 7), series, np.array([0, 1], np.float32)))
    place = choose_device(device)
    table = curve.spectrum(POINTS).reshape(POINTS, -1)
    rows = kernels.reshape(COUNT, -1)
    floor, floor_processor = min(
        spent(lambda batch=batch: multiply(rows, table, batch, place))
        for batch in BATCHES
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, processor = spent(lambda: curve.encode(kernels, device=place))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"\n{COUNT} kernels of 7×7 on {device}, with {place.library}:\n"
        f"  bare product {floor:6.2f} s, {floor_processor:6.2f} s processor\n"
        f"  encoding     {wall:6.2f} s, {processor:6.2f} s processor: "
        f"{wall / floor:.2f} × on the clock, {processor / floor_processor:.2f} × "
        f"processor; peak memory + {grown:.0f} MB"
    )
    assert math.isfinite(curve.encode(kernels[:9], device=place).mean_fit)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("device", DEVICES)
def test_time_of_training(device: str) -> None:
    seen = networks(5, 2000, noise=0.8)
    unseen = networks(1, 2000, noise=0.8, seed=9, family=9)
    start = time.perf_counter()
    course = []
    training = Training((7, 7), seen, held_out=unseen, device=choose_device(device))
    for sweep in training:
        assert sweep.held_out_fit is not None
        course.append((time.perf_counter() - start, sweep.held_out_fit))
    last = course[-1][1]
    near = next(moment for moment, fit in course if abs(fit - last) < 0.005)
    training.result()
    print(
        f"\n10 000 kernels of 7×7 on {device}: within 0.005 of the final held-out fit "
        f"of {last:.3f} after {near:.1f} s, trained after {course[-1][0]:.1f} s, named "
        f"and with its null after {time.perf_counter() - start:.1f} s"
    )
    assert last > 0.5
