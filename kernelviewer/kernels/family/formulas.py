"""The family's formulas: many members at once, and their slopes by the parameters.

With the scale-normalised derivatives of the Gaussian along one axis and their products,

    p_m(x) = σᵐ dᵐ/dxᵐ exp(−(x − o)²/2σ²)/σ      P(m, n) = p_m(x) p_n(y)

a member is, before its mean is taken off and its length set to 1, ± one of

    centre, square  P(0,0; σx, σy) − γ P(0,0; 1.6 σx, 1.6 σy)
    cross           P(0,0; long, short) + P(0,0; short, long)
    d1-x            cos θ P(1,0) + sin θ P(0,1)
    d2-x            cos² θ P(2,0) + 2 sin θ cos θ P(1,1) + sin² θ P(0,2)
    d2-xy           cos 2θ P(1,1) + ½ sin 2θ [P(0,2) − P(2,0)]

and d1-y, d2-y are d1-x, d2-x at θ + 90°. These are directional derivatives of an
axis-aligned Gaussian, the direction being taken in units of σ; where σx = σy they are
the pattern turned by θ. Slopes stay in the family of products: ∂p_m/∂o = −p_{m+1}/σ
and, by the heat equation, ∂p_m/∂ln σ = p_{m+2} + m p_m.

The Gaussians are sampled at the taps. On 2 679 kernels of eight trained 7×7 networks,
with all parameters refined, sampling explains a mean cosine of 0.814, Gaussians
integrated over each pixel 0.806, the discrete analogue of the Gaussian with central
differences (Lindeberg, arXiv:2509.12746) 0.802. All of the difference lies at σ < ½ px,
where it is 0.810, 0.797, 0.790: trained kernels have thin lines and single taps
without the side lobes that the smallest derivatives of the other two still have.

B members of one kind have their parameters in an array [5, B], of numpy or torch: the
offset of the centre ``OX``, ``OY`` in px; ``A`` and ``B``, from which `PARTS` makes the
logarithms of the two σ; and ``E``: θ in radians for derivatives, γ for centre and
square.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.device import namespace_of

if TYPE_CHECKING:
    from kernelviewer.device import Array

    Terms = list[tuple[Array | float, int, int]]

OX, OY, A, B, E = range(5)
SURROUND = 1.6
"""σ of the surround over σ of the centre: Marr and Hildreth's ratio, at which a
difference of Gaussians comes nearest to the Laplacian."""

KINDS = ("centre", "square", "cross", "d1-x", "d1-y", "d2-x", "d2-y", "d2-xy")
"""The classes without their sign, in the order of `kernelviewer.kernels.classes`."""


@dataclass(frozen=True, slots=True)
class Part:
    """A Gaussian of a member: ln σx = x·(A, B) + widen, ln σy = y·(A, B) + widen."""

    x: tuple[float, float]
    y: tuple[float, float]
    widen: float = 0.0
    surround: bool = False


# A: mean of the two ln σ, B: their difference.
_BLOB = (
    Part((1, -0.5), (1, 0.5)),
    Part((1, -0.5), (1, 0.5), math.log(SURROUND), surround=True),
)
# A: ln σ across an arm, B: ln of its length over its width.
_CROSS = (Part((1, 1), (1, 0)), Part((1, 0), (1, 1)))
# A: ln σx, B: ln σy.
_DERIVATIVE = (Part((1, 0), (0, 1)),)
PARTS = dict.fromkeys(KINDS, _DERIVATIVE) | {
    "centre": _BLOB,
    "square": _BLOB,
    "cross": _CROSS,
}


def planes(kind: str, p: Array, size: tuple[int, int]) -> Array:
    """Members [taps, B] for parameters ``p`` [5, B], as the formula gives them."""
    found = []
    for part in PARTS[kind]:
        terms, _ = _terms(kind, part, p[E])
        x, y, *_ = _profiles(part, p, size, _order(terms))
        found.append(_plane(x, y, terms))
    return sum(found[1:], found[0])


def planes_and_slopes(kind: str, p: Array, size: tuple[int, int]) -> Array:
    """Members and their slopes by the five parameters, [1 + 5, taps, B]."""
    xp = namespace_of(p)
    found = []
    for part in PARTS[kind]:
        terms, by_e = _terms(kind, part, p[E])
        x, y, sigma_x, sigma_y = _profiles(part, p, size, _order(terms) + 2)
        plane = _plane(x, y, terms)
        wider = _plane(_warmed(x), y, terms), _plane(x, _warmed(y), terms)
        rows = [
            plane,
            _plane([-row / sigma_x for row in x[1:]], y, terms),
            _plane(x, [-row / sigma_y for row in y[1:]], terms),
            _mix((part.x[0], part.y[0]), wider),
            _mix((part.x[1], part.y[1]), wider),
            _plane(x, y, by_e) if by_e else xp.zeros_like(plane),
        ]
        found.append(xp.stack(rows))
    return sum(found[1:], found[0])


def _profiles(
    part: Part, p: Array, size: tuple[int, int], order: int
) -> tuple[list[Array], list[Array], Array, Array]:
    """Profiles along x and along y, σx and σy."""
    xp = namespace_of(p)
    sigma_x = xp.exp(part.x[0] * p[A] + part.x[1] * p[B] + part.widen)
    sigma_y = xp.exp(part.y[0] * p[A] + part.y[1] * p[B] + part.widen)
    x = _profile(p[OX], sigma_x, size[1], order)
    y = _profile(p[OY], sigma_y, size[0], order)
    return x, y, sigma_x, sigma_y


def _profile(offset: Array, sigma: Array, taps: int, order: int) -> list[Array]:
    """p_0 … p_order along one axis, each [taps, B].

    An axis of one tap has no extent: p_0 = 1, and nothing to derive.
    """
    xp = namespace_of(offset)
    if taps == 1:
        one = xp.ones_like(offset)[None]
        return [one, *[xp.zeros_like(one)] * order]
    at = xp.arange(taps, dtype=offset.dtype, device=offset.device) - (taps - 1) / 2
    z = (at[:, None] - offset) / sigma
    found = [xp.exp(-0.5 * z * z) / sigma]
    for m in range(order):
        # Hermite's recurrence: p_{m+1} = −z p_m − m p_{m−1}
        following = -z * found[m]
        found.append(following - m * found[m - 1] if m else following)
    return found


def _warmed(profile: list[Array]) -> list[Array]:
    """∂p_m/∂ln σ, by the heat equation."""
    return [profile[m + 2] + m * profile[m] for m in range(len(profile) - 2)]


def _plane(x: list[Array], y: list[Array], terms: Terms) -> Array:
    """Σ c p_m(x) p_n(y) as [taps, B]."""
    found = [(factor * y[n])[:, None] * x[m] for factor, m, n in terms]
    plane = sum(found[1:], found[0])
    return plane.reshape(-1, plane.shape[-1])


def _mix(factors: tuple[float, float], pair: tuple[Array, Array]) -> Array:
    """Their weighted sum, without the work for factors 0 and 1."""
    found = [
        plane if factor == 1 else factor * plane
        for factor, plane in zip(factors, pair, strict=True)
        if factor
    ]
    return sum(found[1:], found[0])


def _order(terms: Terms) -> int:
    return max(max(m, n) for _, m, n in terms)


def _terms(kind: str, part: Part, e: Array) -> tuple[Terms, Terms]:
    """The formula as (factor, order in x, order in y), and its slope by ``E``."""
    if part.surround:
        return [(-e, 0, 0)], [(-1.0, 0, 0)]
    if not kind.startswith("d"):
        return [(1.0, 0, 0)], []
    xp = namespace_of(e)
    if kind == "d2-xy":
        c, s = xp.cos(2 * e), xp.sin(2 * e)
        return (
            [(c, 1, 1), (-s / 2, 2, 0), (s / 2, 0, 2)],
            [(-2 * s, 1, 1), (-c, 2, 0), (c, 0, 2)],
        )
    if kind.endswith("y"):
        e = e + math.pi / 2
    c, s = xp.cos(e), xp.sin(e)
    if kind.startswith("d1"):
        return [(c, 1, 0), (s, 0, 1)], [(-s, 1, 0), (c, 0, 1)]
    return (
        [(c * c, 2, 0), (2 * c * s, 1, 1), (s * s, 0, 2)],
        [(-2 * c * s, 2, 0), (2 * (c * c - s * s), 1, 1), (2 * c * s, 0, 2)],
    )
