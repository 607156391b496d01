"""Networks and autoencoders made for the tests."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

from kernelviewer.device import CPU
from kernelviewer.kernels.classes import INDEX, PAPER
from kernelviewer.kernels.family import member
from kernelviewer.latent.networks import Network
from kernelviewer.latent.training import TrainingOptions, train

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.latent.autoencoder import Autoencoder

__all__ = ["CPU"]

IDS = [item.id for item in PAPER.patterns]
SIZE = (7, 7)
FINE = {
    "d1-x": ("edge-x", "edge-x"),
    "d1-y": ("edge-y", "edge-y"),
    "d2-x": ("off-bar-v", "on-bar-v"),
    "d2-y": ("off-bar-h", "on-bar-h"),
    "d2-xy": ("saddle", "saddle"),
}
"""The fine classes of the paper's derivatives, by their sign."""


@cache
def members(per_class: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Family members [n, 7, 7] of known classes, and these: indices into `CLASSES`."""
    rng = np.random.default_rng(seed)
    rows, classes = [], []
    for name in IDS:
        derivative = name.startswith("d")
        for _ in range(per_class):
            sigma = rng.uniform(0.8, 1.5) if derivative else rng.uniform(0.6, 1.4)
            sigma = rng.uniform(1.0, 1.5) if "square" in name else sigma
            sign = int(rng.choice([-1, 1])) if derivative else 1
            sigma = 2.5 if "cross" in name else sigma
            fine = FINE.get(name, (name, name))[sign < 0]
            # arms wider than that are named as a centre, which is simpler
            across = 0.5 if "cross" in fine else None
            across = 1.5 * sigma if "bar" in fine else across
            rows.append(member(fine, SIZE, sigma=sigma, sigma_y=across, sign=sign))
            classes.append(INDEX[name])
    return np.stack(rows), np.array(classes)


def patterns(
    count: int, *, noise: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Patterns [count, 7, 7] of the family with noise, and their classes."""
    clean, classes = members()
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(clean), size=count)
    rows = clean[chosen] + noise / 7 * rng.standard_normal((count, *SIZE))
    rows -= rows.mean(axis=(1, 2), keepdims=True)
    rows /= np.linalg.norm(rows, axis=(1, 2), keepdims=True)
    return rows.astype(np.float32), classes[chosen]


def networks(
    count: int, kernels: int, *, noise: float = 0.3, seed: int = 0, family: int = 0
) -> list[Network]:
    """Networks of their own families with such kernels, four layers each."""
    return [
        Network(
            f"network-{seed + i}.pth",
            f"{seed + i:064x}",
            patterns(kernels, noise=noise, seed=seed + i)[0],
            np.arange(kernels, dtype=np.int32) * 4 // kernels,
            family + i,
        )
        for i in range(count)
    ]


@cache
def small(method: str = "curve") -> Autoencoder:
    """A quickly trained 7×7 autoencoder."""
    sweeps = {"curve": 8, "paper": 3}
    options = TrainingOptions(method=method, sweeps=sweeps[method])
    return train(SIZE, networks(2, 400), options=options, device=CPU)


def write_network(path: Path, seed: int, count: int = 40) -> Path:
    """A network with 7×7 patterns in two layers, one flat, a strip and 3-D kernels."""
    first = patterns(count, noise=0.3, seed=seed)[0][:, None].copy()
    first[3] = 0
    second = patterns(count, noise=0.3, seed=seed + 50)[0][:, None]
    rng = np.random.default_rng(seed)
    save_file(
        {
            "stem.weight": np.zeros((count, 3, 3, 3), np.float32),
            "a.dwconv.weight": first,
            "b.dwconv.weight": 0.1 * second + 0.5,
            "c.dwconv.weight": rng.standard_normal((count, 1, 1, 11), np.float32),
        },
        path,
    )
    return path
