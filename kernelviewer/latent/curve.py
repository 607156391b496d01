"""The curve: a spectrum of patterns as a cosine series of the code.

    D(z) = unit(Σ_j a_j cos(π j u(z))),   j = 0 … L,

with vectors ``a_j`` of one number per tap and a monotone ``u`` that stretches the axis
where many kernels live. A kernel's code is that of the nearest point of the curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels import Size


POINTS = 2048
"""Points of the table that codes are read from."""


def codes_of_table(points: int = POINTS) -> NDArray[np.float64]:
    """Codes of the points of a table: 0 and 1 are its ends."""
    return np.linspace(0.0, 1.0, points)


def cosines(position: NDArray[np.float64], harmonics: int) -> NDArray[np.float64]:
    """cos(π j u) for j = 0 … ``harmonics``, [n, harmonics + 1]."""
    return np.cos(np.pi * position[:, None] * np.arange(harmonics + 1))


def unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows with mean 0 and length 1; zeros where a row is constant."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    length[length == 0] = 1
    return np.asarray(rows / length, np.float32)


def arc_length(table: NDArray[np.float32]) -> float:
    """Length of a path through unit patterns [n, taps] on their sphere, in π."""
    chords = np.linalg.norm(np.diff(table.astype(np.float64), axis=0), axis=1)
    return float(2 * np.arcsin(np.clip(chords / 2, 0, 1)).sum() / np.pi)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A decoder from codes to patterns.

    Attributes
    ----------
    size
        Kernel size.
    series
        float32 [L + 1, taps], the vectors ``a_j``.
    stretch
        float32 [n ≥ 2], values of ``u`` at n codes evenly apart, from 0 to 1.
    """

    size: Size
    series: NDArray[np.float32]
    stretch: NDArray[np.float32]

    def decode(self, code: NDArray[np.floating]) -> NDArray[np.float32]:
        """Patterns [n, taps] of codes [n]; beyond [0, 1] those of the ends."""
        knots = codes_of_table(len(self.stretch))
        position = np.interp(np.asarray(code, np.float64), knots, self.stretch)
        waves = cosines(position, len(self.series) - 1)
        return unit_rows(waves @ self.series.astype(np.float64))

    def arc_length(self) -> float:
        """Length of the curve on the sphere of patterns, in units of π."""
        return arc_length(self.decode(codes_of_table()))


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Where kernels lie on the spectrum. N kernels.

    Attributes
    ----------
    code
        float32 [N] in [0, 1]; NaN for flat kernels.
    fit
        float32 [N], cosine of each kernel with its reconstruction; NaN likewise.
    """

    code: NDArray[np.float32]
    fit: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, rows: slice) -> Codes:
        return Codes(self.code[rows], self.fit[rows])

    @property
    def mean_fit(self) -> float:
        """Mean over the kernels that are not flat; NaN without any."""
        there = self.fit[~np.isnan(self.fit)]
        return float(there.mean(dtype=np.float64)) if len(there) else float("nan")
