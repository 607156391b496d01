"""How alike the kernels of a pool are to a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.state.memo import MemoOf

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
