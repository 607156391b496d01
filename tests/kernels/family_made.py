"""Members of the family and noise, made to be fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import CPU
from kernelviewer.kernels.classes import FINE, INDEX
from kernelviewer.kernels.family import Members, family_fit, render
from kernelviewer.kernels.family.formulas import KINDS
from kernelviewer.kernels.family.members import CLASS_KINDS

if TYPE_CHECKING:
    from kernelviewer.kernels.family import FamilyFit

SIZE = (7, 7)
IDS = np.array([item.id for item in FINE.patterns])
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

    base, _, way = kind_of(class_id).partition("-")
    turned = base in ("edge", "bar", "saddle")
    low, high = {
        "point": (0.5, 0.65),
        "bar": (0.9, 1.15),
        "disc": (2.2, 2.8),
        "ring": (1.1, 1.6),
        "checker": (1.5, 3.0),
        "centre": (1.0, 1.4),
        "cross": (2.0, 2.6),
    }.get(base, (0.85, 1.3))
    sigma = between(low, high)
    offset_x, offset_y = between(-0.2, 0.2), between(-0.2, 0.2)
    if base == "square":
        offset_x, offset_y = (either() * between(0.4, 0.6) for _ in range(2))
    if base == "checker":
        offset_x, offset_y = 0 * offset_x, 0 * offset_y
    aspect = between(0.85, 1.15)
    if base == "bar":
        aspect = between(1.7, 2.1)
    elif base == "cross":
        aspect = 1 / between(4, 5)
    elif base == "checker":
        aspect = np.ones_like(sigma)
    both = base in ("edge", "saddle", "checker")
    sign = either() if both else np.full(count, 1 - 2 * class_id.startswith("off-"))
    surround = between(0.1, 0.9) * (base in ("point", "centre", "square", "disc"))
    place = INDEX[class_id]
    return Members(
        class_index=np.full(count, place, np.int8),
        kind=np.full(count, KINDS.index(CLASS_KINDS[place][0][0]), np.int8),
        sign=sign.astype(np.int8),
        sigma_x=sigma,
        sigma_y=sigma * aspect,
        offset_x=offset_x,
        offset_y=offset_y,
        angle=({"y": 90, "h": 90, "d": 45}.get(way, 0) + between(-10, 10)) * turned,
        gamma=between(1.0, 1.3) if base == "ring" else surround,
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
