"""Make ``nulls.json``: what white noise reaches with the family, for common sizes.

``python resources/family/make_nulls.py [NETWORK…]`` fits the family to white noise of
each size, which takes ten minutes, and measures on the networks how stable its names
are: noise of half a kernel's own residual is added, and the kernel is named again.
Networks weigh alike. A test tells when the family has changed since.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from kernelviewer import extract_kernels, open_checkpoint
from kernelviewer.device import CPU
from kernelviewer.kernels.family import family_fit, render, supported
from kernelviewer.kernels.statistics import patterns
from kernelviewer.latent.family_null import ShippedNulls, fingerprint, measure

SQUARES = (*range(2, 10), 11, 13, 15, 17, 21, 27, 29, 31)
STRIPS = (3, 4, 5, 7, 9, 11, 13, 15, 17, 21, 31)
OTHERS = ((2, 3), (3, 5), (5, 47), (5, 49), (5, 51))
MOST, LEAST = 40_000, 2_000
TAPS = MOST * 7**2
KERNELS, ENOUGH = 1_500, 50
"""The most of a network, and the fewest that say something of it."""


def nulls() -> dict[tuple[int, ...], object]:
    """What noise of every size reaches."""
    squares = [(side, side) for side in SQUARES]
    strips = [(1, length) for length in STRIPS]
    found = {}
    for size in sorted((*squares, *strips, *OTHERS), key=math.prod):
        if supported(size):
            count = min(MOST, max(LEAST, TAPS // math.prod(size)))
            found[size] = measure(size, count, device=CPU)
            say(f"{size} {found[size].threshold(0.01):.3f}")
    return found


def stability(paths: list[Path], levels: dict) -> dict[tuple[int, ...], float]:
    """The mean over networks of the share of names kept, by size."""
    shares: dict[tuple[int, ...], list[float]] = {}
    for path in paths:
        bank = extract_kernels(open_checkpoint(path))
        for size, kernels in bank.sizes.items():
            if size not in levels:
                continue
            there = np.flatnonzero(~kernels.flat)[:KERNELS]
            rows = patterns(
                kernels.weights[there], kernels.scale[there], kernels.offset[there]
            )
            kept = kept_names(rows, levels[size].default_threshold)
            if len(kept) >= ENOUGH:
                shares.setdefault(size, []).append(float(kept.mean()))
                say(f"{path.name} {size} {len(kept)} {kept.mean():.3f}")
    return {size: round(float(np.mean(own)), 3) for size, own in shares.items()}


def kept_names(rows: np.ndarray, threshold: float) -> np.ndarray:
    """Whether the name of each identified pattern survives noise."""
    found = family_fit(rows, device=CPU)
    here = found.cosine >= np.float32(threshold)
    if not here.any():
        return here[:0]
    own = render(found, found.size)
    residual = (rows - found.cosine[:, None, None] * own).reshape(len(rows), -1)
    noise = np.random.default_rng(0).standard_normal(residual.shape)
    half = np.linalg.norm(residual, axis=1, keepdims=True) / 2
    noise *= half / np.linalg.norm(noise, axis=1, keepdims=True)
    again = family_fit((rows + noise.reshape(rows.shape))[here], device=CPU)
    return again.class_index == found.class_index[here]


def say(text: str) -> None:
    """A line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(paths: list[Path]) -> None:
    """Measure, and write the file beside this script."""
    target = Path(__file__).with_name("nulls.json")
    known = (
        ShippedNulls.from_text(target.read_text("utf-8")) if target.exists() else None
    )
    fresh = known is not None and known.family == fingerprint()
    levels = known.nulls if fresh else nulls()
    kept = known.stability if fresh and not paths else stability(paths, levels)
    target.write_text(ShippedNulls(fingerprint(), levels, kept).to_text(), "utf-8")


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
