"""Refining: Levenberg and Marquardt's steps on the cosine, inside a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.device import namespace_of
from kernelviewer.kernels.family.formulas import A, B, planes, planes_and_slopes

if TYPE_CHECKING:
    from kernelviewer.device import Array

STEPS = 6
LONGEST_STEP = 0.7
"""Per step, in px (in σ, where that is longer), in ln σ, in radians and in γ."""


def refined(
    kind: str,
    kernels: Array,
    start: Array,
    limits: tuple[Array, Array],
    size: tuple[int, int],
) -> tuple[Array, Array]:
    """Change the parameters so that each member comes nearer to its kernel.

    The cosine never falls, and the parameters stay within their limits.

    Parameters
    ----------
    kind
        One of `kernelviewer.kernels.family.formulas.KINDS`.
    kernels
        [taps, B], mean 0, length 1, each with the sign of its member.
    start, limits
        Parameters [5, B], and their lowest and highest values.
    size
        (rows, columns).

    Returns
    -------
    cosine, parameters
        [B] and [5, B].
    """
    xp = namespace_of(kernels)
    low, high = limits
    p = start
    cosine = _cosine(kernels, planes(kind, p, size))
    damping = xp.ones_like(cosine)
    for _ in range(STEPS):
        slope, curvature = _normal_equations(kernels, planes_and_slopes(kind, p, size))
        stuck = ((p <= low) & (slope <= 0)) | ((p >= high) & (slope >= 0))
        step = _solve(curvature, slope, damping, ~stuck)
        reach = LONGEST_STEP * xp.ones_like(step)
        reach[:2] *= xp.maximum(xp.exp(xp.stack([p[A], p[B]])), 1.0)
        step = xp.minimum(xp.maximum(step, -reach), reach)
        trial = xp.minimum(xp.maximum(p + step, low), high)
        found = _cosine(kernels, planes(kind, trial, size))
        better = found > cosine
        p = xp.where(better, trial, p)
        cosine = xp.where(better, found, cosine)
        damping = xp.where(better, damping * 0.2, damping * 10)
        damping = xp.minimum(xp.maximum(damping, 1e-6), 1e4)
    return cosine, p


def _cosine(kernels: Array, members: Array) -> Array:
    """Cosines of [taps, B] and [taps, B], the members' mean left out."""
    xp = namespace_of(members)
    total = xp.sum(members, axis=0)
    square = xp.sum(members * members, axis=0) - total * total / len(members)
    onto = xp.sum(kernels * members, axis=0)
    return onto / xp.sqrt(xp.maximum(square, 1e-20))


def _normal_equations(kernels: Array, rows: Array) -> tuple[Array, Array]:
    """Slope [5, B] of the cosine, and Gauss and Newton's curvature [5, 5, B].

    ``rows`` holds member and slopes, [6, taps, B]. Their means and the slopes' shares
    along the member, which change no cosine, are taken off in the products.
    """
    xp = namespace_of(rows)
    n, taps, _ = rows.shape
    sums = xp.sum(rows, axis=1)
    gram = xp.empty((n, *sums.shape), dtype=rows.dtype, device=rows.device)
    for i in range(n):
        products = xp.sum(rows[i:] * rows[i], axis=1) - sums[i:] * sums[i] / taps
        gram[i, i:] = gram[i:, i] = products
    onto = xp.sum(rows * kernels, axis=1)
    square = xp.maximum(gram[0, 0], 1e-20)
    length = xp.sqrt(square)
    along = gram[1:, 0] / square
    slope = (onto[1:] - along * onto[0]) / length
    curvature = (gram[1:, 1:] - along[:, None] * gram[0, 1:]) / square
    return slope, curvature * xp.maximum(onto[0] / length, 0.1)


def _solve(curvature: Array, slope: Array, damping: Array, free: Array) -> Array:
    """Damped steps [5, B], zero where a parameter is not free.

    Gauss's elimination, all members at once: the damped matrices need no pivots.
    """
    xp = namespace_of(slope)
    n = len(slope)
    mask = xp.astype(free, slope.dtype)
    rows = []
    for i in range(n):
        row = curvature[i] * mask[i] * mask
        row[i] += damping * (row[i] + 1e-3) + (1 - mask[i])
        rows.append(xp.concat([row, (slope[i] * mask[i])[None]]))
    for i in range(n):
        for j in range(i + 1, n):
            rows[j] = rows[j] - rows[j][i] / rows[i][i] * rows[i]
    step = xp.zeros_like(slope)
    for i in reversed(range(n)):
        known = xp.sum(rows[i][i + 1 : n] * step[i + 1 :], axis=0)
        step[i] = (rows[i][n] - known) / rows[i][i]
    return step
