"""Best match: kernels of two layers, paired so that their cosines are largest in all.

Channels of networks that were trained apart have no order. Which kernel stands for
which is then an assignment (Crouse, *On implementing 2D rectangular assignment
algorithms*, 2016, as scipy has it). The sign counts: x and −x are different patterns.
Any two sets of many kernels can be matched well, so the same matching on noise that has
the layers' own second moments is the baseline.
"""

from __future__ import annotations

import math
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.statistics import patterns
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelSet
    from kernelviewer.watch import Watch

_APART = -1.0
"""Likeness of a flat kernel and one with a pattern; two flat ones are alike."""
_WAIT = 0.05


def match_kernels(
    first: KernelSet,
    mine: NDArray[np.int64],
    second: KernelSet,
    theirs: NDArray[np.int64],
    watch: Watch = NEVER,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The best match of two layers' kernels.

    Flat kernels go to flat ones as far as there are any. Of layers with different
    numbers of kernels, those that fit worst are left out.

    Parameters
    ----------
    first, second
        Kernels of one size of two networks.
    mine, theirs
        int64 [n] and [m], indices of the layers' kernels.
    watch
        Checked while the match is sought; what it raises ends it.

    Returns
    -------
    int64 [p], int64 [p]
        Indices of the kernels of each pair, p = min(n, m), in the order of ``mine``.
    """
    x, y = unit_patterns(first, mine), unit_patterns(second, theirs)
    likeness = x @ y.T
    flat_a, flat_b = first.flat[mine], second.flat[theirs]
    likeness[flat_a] = _APART
    likeness[:, flat_b] = _APART
    likeness[np.ix_(flat_a, flat_b)] = 1.0
    a, b = best_assignment(likeness, watch)
    return mine[a], theirs[b]


def best_assignment(
    likeness: NDArray[np.float32], watch: Watch = NEVER
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of an [n, m] array, each at most once, with the largest sum.

    Exact; about 0.5 s for 1 000 × 1 000. It runs on a thread of its own, which is left
    to itself if ``watch`` ends the work.
    """
    from scipy.optimize import linear_sum_assignment

    cost = 1.0 - likeness.astype(np.float64)
    if not cost.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if len(cost) <= cost.shape[1]:  # with a zero in each row the paths are short
        cost -= cost.min(axis=1, keepdims=True)
    if len(cost) >= cost.shape[1]:
        cost -= cost.min(axis=0)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            found.append(linear_sum_assignment(cost))
        except Exception as error:  # raised on the thread that waits
            failed.append(error)

    thread = Thread(target=work, name="assignment", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_WAIT)
        watch.check()
    if failed:
        raise failed[0]
    return found[0]


def noise_cosines(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    seed: int = 0,
    watch: Watch = NEVER,
) -> NDArray[np.float32]:
    """Cosines that the best match of noise reaches, float32 [min(n, m)].

    Parameters
    ----------
    first, second
        Patterns [n, taps] and [m, taps] of two layers. The noise is normal, with the
        same second moments XᵀX/n: the same spectrum, but no common patterns.
    seed
        Of the noise.

    Returns
    -------
    float32 [min(n, m)]
        Empty where a layer has fewer than two patterns: its noise would be they.
    """
    if min(len(first), len(second)) < 2:
        return np.zeros(0, np.float32)
    rng = np.random.default_rng(seed)
    x, y = _noise_like(first, rng), _noise_like(second, rng)
    likeness = x @ y.T
    reached: NDArray[np.float32] = likeness[best_assignment(likeness, watch)]
    return reached


def unit_patterns(kernels: KernelSet, index: NDArray[np.int64]) -> NDArray[np.float32]:
    """Patterns of some kernels, float32 [n, taps]."""
    found = patterns(
        kernels.weights[index], kernels.scale[index], kernels.offset[index]
    )
    return found.reshape(len(index), math.prod(kernels.size))


def _noise_like(
    rows: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """As many normal rows with the same second moments, of length 1."""
    mixed: NDArray[np.float32]
    mixed = rng.standard_normal((len(rows), len(rows)), np.float32) @ rows
    length = np.linalg.norm(mixed, axis=1, keepdims=True)
    mixed /= np.maximum(length, np.finfo(np.float32).tiny)
    return mixed
