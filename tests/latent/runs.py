"""A made training run: kernels that become patterns at steps that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import kernelviewer as kv
from tests.latent.made import members

if TYPE_CHECKING:
    from pathlib import Path

STEPS = (0, 2, 5, 10, 30, 100)
LAYERS = {"a.dw": 12, "b.dw": 20}


def made_run(folder: Path, seed: int = 0) -> dict[str, np.ndarray]:
    """Write a snapshot a step; layer → index [N] of the step it forms at, or −1.

    Before it a kernel is noise, or for every third another pattern. Kernel 0 of each
    layer is flat throughout, kernel 1 forms early, is lost, and forms again last.
    """
    rng = np.random.default_rng(seed)
    clean, classes = members()
    expected, states = {}, {}
    for number, (layer, count) in enumerate(LAYERS.items()):
        first = rng.integers(-1, len(STEPS), size=count)
        first[:2] = -1, len(STEPS) - 1
        shown = rng.integers(len(clean), size=count)
        other = np.array(
            [rng.choice(np.flatnonzero(classes != classes[i])) for i in shown]
        )
        film = np.empty((len(STEPS), count, 1, 7, 7), np.float32)
        for step in range(len(STEPS)):
            noise = rng.standard_normal((count, 7, 7))
            before = np.where(
                (np.arange(count) % 3 == 0)[:, None, None], clean[other], noise
            )
            formed = (first >= 0) & (step >= first)
            formed[1] |= step == 1
            film[step, :, 0] = np.where(formed[:, None, None], clean[shown], before)
            never = (first < 0)[:, None, None]
            film[step, :, 0] = np.where(never, noise, film[step, :, 0])
        film[:, 0] = 0
        expected[layer], states[layer] = first, film * 10.0**-number
    for step, number in enumerate(STEPS):
        kv.snapshot({name: film[step] for name, film in states.items()}, number, folder)
    return expected
