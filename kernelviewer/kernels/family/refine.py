"""Refining: Levenberg and Marquardt's steps on the cosine, inside a box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.kernels.family.formulas import A, B, planes, planes_and_slopes

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 6
LONGEST_STEP = 0.7
"""Per step, in px (in σ, where that is longer), in ln σ, in radians and in γ."""


def refined(
    kind: str,
    kernels: Tensor,
    start: Tensor,
    limits: tuple[Tensor, Tensor],
    size: tuple[int, int],
) -> tuple[Tensor, Tensor]:
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
    import torch

    low, high = limits
    p = start
    cosine = _cosine(kernels, planes(kind, p, size))
    damping = torch.ones_like(cosine)
    for _ in range(STEPS):
        slope, curvature = _normal_equations(kernels, planes_and_slopes(kind, p, size))
        stuck = ((p <= low) & (slope <= 0)) | ((p >= high) & (slope >= 0))
        step = _solve(curvature, slope, damping, ~stuck)
        reach = LONGEST_STEP * torch.ones_like(step)
        reach[:2] *= p[[A, B]].exp().clamp(min=1.0)
        step = torch.minimum(torch.maximum(step, -reach), reach)
        trial = torch.minimum(torch.maximum(p + step, low), high)
        found = _cosine(kernels, planes(kind, trial, size))
        better = found > cosine
        p = torch.where(better, trial, p)
        cosine = torch.where(better, found, cosine)
        damping = torch.where(better, damping * 0.2, damping * 10).clamp(1e-6, 1e4)
    return cosine, p


def _cosine(kernels: Tensor, members: Tensor) -> Tensor:
    """Cosines of [taps, B] and [taps, B], the members' mean left out."""
    taps = len(members)
    square = (members * members).sum(0) - members.sum(0).square() / taps
    return (kernels * members).sum(0) / square.clamp(min=1e-20).sqrt()


def _normal_equations(kernels: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Slope [5, B] of the cosine, and Gauss and Newton's curvature [5, 5, B].

    ``rows`` holds member and slopes, [6, taps, B]. Their means and the slopes' shares
    along the member, which change no cosine, are taken off in the products.
    """
    import torch

    n, taps, _ = rows.shape
    sums = rows.sum(1)
    gram = torch.empty(n, *sums.shape, dtype=rows.dtype, device=rows.device)
    for i in range(n):
        products = (rows[i:] * rows[i]).sum(1) - sums[i:] * sums[i] / taps
        gram[i, i:] = gram[i:, i] = products
    onto = (rows * kernels).sum(1)
    square = gram[0, 0].clamp(min=1e-20)
    length = square.sqrt()
    along = gram[1:, 0] / square
    slope = (onto[1:] - along * onto[0]) / length
    curvature = (gram[1:, 1:] - along[:, None] * gram[0, 1:]) / square
    return slope, curvature * (onto[0] / length).clamp(min=0.1)


def _solve(curvature: Tensor, slope: Tensor, damping: Tensor, free: Tensor) -> Tensor:
    """Damped steps [5, B], zero where a parameter is not free.

    Gauss's elimination, all members at once: the damped matrices need no pivots.
    """
    import torch

    n = len(slope)
    mask = free.to(slope.dtype)
    rows = []
    for i in range(n):
        row = curvature[i] * mask[i] * mask
        row[i] += damping * (row[i] + 1e-3) + (1 - mask[i])
        rows.append(torch.cat([row, (slope[i] * mask[i])[None]]))
    for i in range(n):
        for j in range(i + 1, n):
            rows[j] = rows[j] - rows[j][i] / rows[i][i] * rows[i]
    step = torch.zeros_like(slope)
    for i in reversed(range(n)):
        known = (rows[i][i + 1 : n] * step[i + 1 :]).sum(0)
        step[i] = (rows[i][n] - known) / rows[i][i]
    return step
