"""How fast two networks are compared.

Prints; gates on nothing. Run with ``pytest -s tests/speed/test_comparing.py``. The
floor is one pass over the weights of both: the products of corresponding kernels and
their lengths, as numpy does them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.kernels.comparison import KernelNames, compare_pairs
from kernelviewer.kernels.pairing import match_kernels, pair
from tests.kernels.banks import bank_of, noise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.kernels.bank import KernelBank

SIZE = (7, 7)


def least(action: Callable[[], object]) -> float:
    """Least seconds of three runs."""
    runs = []
    for _ in range(3):
        start = time.perf_counter()
        action()
        runs.append(time.perf_counter() - start)
    return min(runs)


def names_of(count: int, seed: int) -> KernelNames:
    rng = np.random.default_rng(seed)
    code = rng.random(count, np.float32)
    return KernelNames(code, code, rng.integers(0, 13, count).astype(np.int8))


def one_pass(first: KernelBank, second: KernelBank) -> None:
    x, y = (b.sizes[SIZE].weights.reshape(-1, 49) for b in (first, second))
    for one, other in ((x, y), (x, x), (y, y)):
        np.einsum("ij,ij->i", one, other)


@pytest.mark.timeout(600)
def test_time_of_comparing_100_000_pairs() -> None:
    first, second = (
        bank_of(*(noise(1000, start + i, SIZE) for i in range(100)))
        for start in (0, 500)
    )
    names = {SIZE: (names_of(100_000, 0), names_of(100_000, 1))}

    def compare() -> None:
        found = compare_pairs(pair(first, second), names).sizes[SIZE]
        assert found.summary.pairs == found.transitions.sum() == 100_000  # type: ignore[union-attr]
        assert found.null.patterned == 300_000

    floor, whole = least(lambda: one_pass(first, second)), least(compare)
    found = compare_pairs(pair(first, second), names).sizes[SIZE]
    layers = least(lambda: [found.shift_of(layer) for layer in found.layers])
    print(
        f"\n100 000 pairs of 7×7, one pass over the weights {1e3 * floor:.0f} ms:\n"
        f"  compared {whole:.2f} s, {whole / floor:.0f} × (goal: 1 s)\n"
        f"  shift of 100 layers {layers:.2f} s, {layers / floor:.0f} ×"
    )


@pytest.mark.timeout(600)
def test_time_of_the_best_match() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(8, 49))
    first, second = (
        bank_of(
            (rng.normal(size=(1000, 8)) @ shared).reshape(-1, 7, 7).astype(np.float32)
        ).sizes[SIZE]
        for _ in range(2)
    )
    rows = np.arange(1000)
    flat = [part.weights.reshape(1000, 49) for part in (first, second)]
    floor = least(lambda: flat[0] @ flat[1].T)
    whole = least(lambda: match_kernels(first, rows, second, rows))
    print(
        f"\nbest match of 1 000 × 1 000 of 7×7: {whole:.2f} s (goal: 2 s), "
        f"{whole / floor:.0f} × the product of all with all"
    )


GOALS = {"open": 1000, "cell": 50, "layer": 50}
"""Scene → wished median, milliseconds."""


@pytest.mark.timeout(900)
def test_every_view_answers_while_100_000_pairs_are_compared(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.speed.comparing_harness", "100000"],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "KERNELVIEWER_CONFIG": str(tmp_path / "config"),
            "KERNELVIEWER_CACHE": str(tmp_path / "cache"),
        },
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["pairs"] == 100_000
    print(f"\ndrawing the whole window: {found['naive']:.0f} ms")
    for name, wished in GOALS.items():
        clock, busy, every = np.array(found[name]).T
        print(
            f"{name:6} median {np.median(clock):6.1f} ms (wished {wished}), worst "
            f"{clock.max():6.1f}; processor {np.median(every):6.1f}, the window's "
            f"thread {np.median(busy):6.1f}, {np.median(busy) / found['naive']:.1f} × "
            "drawing the whole window"
        )
