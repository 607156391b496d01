"""Sets of kernel numbers as text: ``0-119,240``, or bits where that is shorter."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Indices = NDArray[np.int64]

_BITS = "bits:"
_WRONG = "is no list of kernels"
_FEW = 64
"""So many runs are written as such even where bits are shorter, to be read."""


def to_text(indices: Indices) -> str:
    """Sorted numbers from 0 on as text; the same numbers give the same text."""
    if not len(indices):
        return ""
    cuts = np.flatnonzero(np.diff(indices) != 1) + 1
    firsts = indices[np.concatenate([[0], cuts])]
    lasts = indices[np.concatenate([cuts - 1, [len(indices) - 1]])]
    if len(firsts) > _FEW and len(firsts) * 8 > int(indices[-1]) // 6:
        bits = np.zeros(int(indices[-1]) + 1, bool)
        bits[indices] = True
        return _BITS + base64.b64encode(np.packbits(bits).tobytes()).decode("ascii")
    return ",".join(
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    )


def from_text(text: str) -> tuple[Indices, Indices]:
    """First and last number of each run, rising; bounded by the text's length.

    Raises
    ------
    ValueError
        The text is something else.
    """
    try:
        if text.startswith(_BITS):
            return _from_bits(text.removeprefix(_BITS))
        pairs = [_run(part) for part in text.split(",")] if text else []
    except (ValueError, binascii.Error):
        raise ValueError(_WRONG) from None
    runs = np.array(pairs, np.int64).reshape(-1, 2)
    firsts, lasts = runs[:, 0], runs[:, 1]
    if (firsts > lasts).any() or (firsts[1:] <= lasts[:-1]).any():
        raise ValueError(_WRONG)
    return firsts, lasts


def within(firsts: Indices, lasts: Indices, count: int) -> tuple[Indices, int]:
    """The numbers below ``count``, and how many lie beyond."""
    total = int((lasts - firsts + 1).sum())
    kept = firsts < count
    firsts, lengths = firsts[kept], np.minimum(lasts[kept], count - 1) - firsts[kept]
    lengths = lengths + 1
    before = np.cumsum(lengths) - lengths
    indices = np.arange(int(lengths.sum())) + np.repeat(firsts - before, lengths)
    return indices.astype(np.int64), total - len(indices)


def _run(part: str) -> tuple[int, int]:
    first, dash, last = part.partition("-")
    numbers = (first, last if dash else first)
    if not all(n.isascii() and n.isdigit() and len(n) < 13 for n in numbers):
        raise ValueError(part)
    return int(numbers[0]), int(numbers[1])


def _from_bits(text: str) -> tuple[Indices, Indices]:
    data = base64.b64decode(text.encode("ascii"), validate=True)
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).astype(np.int8)
    edges = np.flatnonzero(np.diff(bits, prepend=0, append=0)).reshape(-1, 2)
    return edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64) - 1
