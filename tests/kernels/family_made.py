"""Members of the family and noise, made to be fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import CPU
from kernelviewer.kernels.classes import INDEX, PATTERNS
from kernelviewer.kernels.family import Members, family_fit, render

if TYPE_CHECKING:
    from kernelviewer.kernels.family import FamilyFit

SIZE = (7, 7)
IDS = np.array([item.id for item in PATTERNS])
COUNT = 60


def fit(kernels: np.ndarray, **options: object) -> FamilyFit:
    return family_fit(kernels, device=CPU, **options)


def kind_of(class_id: str) -> str:
    return class_id.removeprefix("on-").removeprefix("off-")


def draw(class_id: str, rng: np.random.Generator, count: int = COUNT) -> Members:
    """Members from the middle of a class's region on a 7×7 grid."""

    def between(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, count).astype(np.float32)

    def either() -> np.ndarray:
        return rng.choice([-1.0, 1.0], count).astype(np.float32)

    kind = kind_of(class_id)
    derivative, cross = kind.startswith("d"), kind == "cross"
    sigma = between(0.85, 1.3)
    offset_x, offset_y = between(-0.2, 0.2), between(-0.2, 0.2)
    if kind == "square":
        offset_x, offset_y = (either() * between(0.4, 0.6) for _ in range(2))
    sign = either() if derivative else np.full(count, 1 - 2 * ("off-" in class_id))
    return Members(
        class_index=np.full(count, INDEX[class_id], np.int8),
        sign=sign.astype(np.int8),
        sigma_x=sigma * between(1.8, 2.2) if cross else sigma,
        sigma_y=between(0.4, 0.6) if cross else sigma * between(0.85, 1.15),
        offset_x=offset_x,
        offset_y=offset_y,
        angle=between(-15, 15) * derivative,
        gamma=between(0.1, 0.9) * (not derivative and not cross),
    )


def noise(count: int, size: tuple[int, ...] = SIZE, seed: int = 1) -> np.ndarray:
    """White noise of length 1."""
    taps = np.random.default_rng(seed).standard_normal((count, *size))
    length = np.sqrt((taps**2).sum(tuple(range(1, taps.ndim)), keepdims=True))
    return (taps / length).astype(np.float32)


def varied(seed: int = 0) -> np.ndarray:
    """Members of every class, somewhat noisy."""
    rng = np.random.default_rng(seed)
    clean = np.concatenate([render(draw(i, rng, 12), SIZE) for i in IDS])
    return clean + 0.3 * noise(len(clean), seed=seed)
