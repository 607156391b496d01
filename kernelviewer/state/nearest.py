"""The kernels that are nearest to a place on the decoded spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.state.memo import MemoOf
from kernelviewer.state.similarity import cosines
from kernelviewer.state.tally import order_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.pool import KernelPool

POINTS = 2048
"""Codes at which a spectrum is decoded."""
NEAREST = 12
CANDIDATES = 4096
"""How many kernels of nearest code are looked through for the nearest pattern."""


def _decode(autoencoder: Autoencoder) -> NDArray[np.float32]:
    return autoencoder.spectrum(POINTS)


def _sorted(
    pool: KernelPool, code: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The order of a pool's codes, and the codes in order."""
    order = order_of(code)
    return order, code[order]


spectrum_of = MemoOf(_decode)
"""The patterns float32 [`POINTS`, *size] at evenly spaced codes, decoded once."""
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
