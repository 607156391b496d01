"""How alike kernels are to a pattern, to what found them, to one of the spectrum."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.state.memo import MemoOf
from kernelviewer.state.tally import order_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.state.pool import KernelPool


def pattern_of(pool: KernelPool, number: int) -> NDArray[np.float32] | None:
    """A kernel's pattern, mean 0 and length 1, [taps]; None if it is flat."""
    if pool.flat[number]:
        return None
    taps = pool.weights_of(number).ravel().astype(np.float64)
    taps -= taps.mean()
    found: NDArray[np.float32] = (taps / np.linalg.norm(taps)).astype(np.float32)
    return found


def cosines(
    pool: KernelPool,
    pattern: NDArray[np.float32],
    numbers: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """Cosine of kernels' patterns with a pattern that has mean 0 and length 1.

    Offsets drop out, so it is the product with the weights over their scale.

    Parameters
    ----------
    pattern
        Its taps, in any shape.
    numbers
        int64 [n], the kernels asked for; None: all of the pool.

    Returns
    -------
    float32 [n]
        −1 … 1; 0 for flat kernels, which have no pattern.
    """
    taps = pattern.ravel()
    count = len(pool) if numbers is None else len(numbers)
    found = np.zeros(count, np.float32)
    for kernels, low, high in zip(
        pool.sets, pool.starts[:-1], pool.starts[1:], strict=True
    ):
        if numbers is None:
            here: slice | NDArray[np.bool_] = slice(int(low), int(high))
            rows = kernels.weights
        else:
            here = (numbers >= low) & (numbers < high)
            rows = kernels.weights[numbers[here] - low]
        with np.errstate(invalid="ignore"):  # flat kernels may hold NaN
            found[here] = rows.reshape(-1, len(taps)) @ taps
    scale = pool.scale if numbers is None else pool.scale[numbers]
    flat = pool.flat if numbers is None else pool.flat[numbers]
    found /= np.maximum(scale, np.float32(1e-30))
    found[flat] = 0
    return found


def _cosines(pool: KernelPool, taps: tuple[float, ...]) -> NDArray[np.float32]:
    return cosines(pool, np.array(taps, np.float32))


known_cosines = MemoOf(_cosines)
"""Cosines of all kernels of a pool: moving a threshold asks for the same again."""


_BLOCK = 1 << 16


def _likeness(pool: KernelPool) -> NDArray[np.float32] | None:
    found = np.full(len(pool), np.nan, np.float32)
    for model, kernels, start in zip(
        pool.models, pool.sets, pool.starts[:-1].tolist(), strict=True
    ):
        if model.drawn is None or not model.drawn.like:
            continue
        pattern = np.array(model.drawn.like, np.float64)
        if pattern.size != math.prod(pool.size):
            continue
        pattern -= pattern.mean()
        own = found[start : start + len(kernels)]
        for low in range(0, len(kernels), _BLOCK):
            here = slice(low, low + _BLOCK)
            rows = kernels.weights[here].reshape(-1, pattern.size).astype(np.float64)
            rows -= rows.mean(axis=1, keepdims=True)
            length = np.linalg.norm(rows, axis=1) * np.linalg.norm(pattern)
            with np.errstate(invalid="ignore", divide="ignore"):
                cosine = np.clip(rows @ pattern / length, -1, 1)
            own[here] = np.where(kernels.flat[here], np.nan, cosine)
    return None if np.isnan(found).all() else found


likeness = MemoOf(_likeness)
"""Cosine of each kernel with that by which a corpus found its network, float32 [N].

Over the whole window, as the corpus is searched. NaN: found otherwise, or flat; None:
all are.
"""


POINTS = 2048
"""Codes at which a spectrum is decoded."""
NEAREST = 12
CANDIDATES = 4096
"""How many kernels of nearest code are looked through for the nearest pattern."""


def _sorted(
    pool: KernelPool, code: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The order of a pool's codes, and the codes in order."""
    order = order_of(code)
    return order, code[order]


_sorted_codes = MemoOf(_sorted)
"""The slider asks again."""


def row_at(position: float) -> int:
    """Number of the pattern of a spectrum that is decoded from a code."""
    return round(position * (POINTS - 1))


def nearest(
    pool: KernelPool,
    code: NDArray[np.float32],
    counted: NDArray[np.bool_],
    spectrum: NDArray[np.float32],
    position: float,
) -> NDArray[np.int64]:
    """Pool numbers of the kernels nearest to a pattern, by cosine, nearest first.

    Parameters
    ----------
    code, counted
        Code of each kernel, [N], and whether it is in scope and counts.
    spectrum, position
        The decoded patterns, and the code of the one that is meant.
    """
    order, rising = _sorted_codes(pool, code)
    place = int(np.searchsorted(rising, position))
    near = order[max(0, place - CANDIDATES // 2) : place + CANDIDATES // 2]
    numbers = near.astype(np.int64)[counted[near]]
    found = cosines(pool, spectrum[row_at(position)], numbers)
    return numbers[np.argsort(-found, kind="stable")[:NEAREST]]
