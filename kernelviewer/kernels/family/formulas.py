"""The family's formulas: many members at once, and their slopes by the parameters.

A member is, before its mean is taken off and its length set to 1, ± one of

    point, centre, square, disc  g(σ) − γ g(1.6 σ)/1.6²    DoG, round or a little oval
    plate, ring                  g(σ) − γ g(σ/1.6)         flat in the middle, or hollow
    cross                        G(long, short) + G(short, long)
    checker                      alternating signs · g(σ)
    edge                         −u h                       first derivative
    ridge                        (1 − u²) h                 second derivative, negative
    line                         h                          an elongated Gaussian
    saddle                       u v h                      mixed derivative

with g(σ) = exp(−(x/σx)²/2 − (y/σy)²/2) and, turned by θ,

    u = (cos θ x + sin θ y)/σu     v = (cos θ y − sin θ x)/σv     h = exp(−(u² + v²)/2)

Edge, ridge and line come in three kinds by the direction of u (the limits of θ are in
`kernelviewer.kernels.family.regions`).

The Gaussians are sampled at the taps. On 2 679 kernels of eight trained 7×7 networks,
with all parameters refined, sampling explains a mean cosine of 0.814, Gaussians
integrated over each pixel 0.806, the discrete analogue of the Gaussian with central
differences (Lindeberg, arXiv:2509.12746) 0.802. All of the difference lies at σ < ½ px,
where it is 0.810, 0.797, 0.790: trained kernels have thin lines and single taps
without the side lobes that the smallest derivatives of the other two still have.

B members of one kind have their parameters in an array [5, B], of numpy or torch: the
offset of the centre ``OX``, ``OY`` in px; ``A`` and ``B``, from which come the
logarithms of the two σ; and ``E``: θ in radians for what is turned, γ for the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.device import namespace_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.device import Array

OX, OY, A, B, E = range(5)
SURROUND = 1.6
"""σ of the surround over σ of the centre: Marr and Hildreth's ratio, at which a
difference of Gaussians comes nearest to the Laplacian."""

KINDS = (
    *("point", "centre", "square", "disc", "plate", "cross", "ring"),
    *("edge-x", "edge-y", "edge-d"),
    *("ridge-v", "ridge-h", "ridge-d", "line-v", "line-h", "line-d"),
    *("saddle", "checker"),
)
TURNED = tuple(
    kind for kind in KINDS if kind.split("-")[0] in ("edge", "ridge", "line", "saddle")
)
"""Kinds whose ``A`` is ln σu, whose ``B`` is ln σv/σu and whose ``E`` is θ."""


@dataclass(frozen=True, slots=True)
class Part:
    """A Gaussian of a member: ln σx = x·(A, B) + widen, ln σy = y·(A, B) + widen.

    Its weight is 1, or ``by_e`` times ``E``.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    widen: float = 0.0
    by_e: float = 0.0


# A: mean of the two ln σ, B: their difference.
_ROUND = Part((1, -0.5), (1, 0.5))
_OUTER = Part((1, -0.5), (1, 0.5), math.log(SURROUND), -(SURROUND**-2))
_INNER = Part((1, -0.5), (1, 0.5), -math.log(SURROUND), -1.0)
# A: ln σ along an arm, B: ln of its length over its width.
_CROSS = (Part((1, 0), (1, -1)), Part((1, -1), (1, 0)))
_PARTS = dict.fromkeys(("point", "centre", "square", "disc"), (_ROUND, _OUTER)) | {
    "plate": (_ROUND, _INNER),
    "ring": (_ROUND, _INNER),
    "cross": _CROSS,
    "checker": (_ROUND,),
}


def planes(kind: str, p: Array, size: tuple[int, int]) -> Array:
    """Members [taps, B] for parameters ``p`` [5, B], as the formula gives them."""
    if kind in TURNED:
        u, v, h = _turned(p, size)
        return _FACTORS[kind.split("-")[0]](u, v) * h
    found = []
    for part in _PARTS[kind]:
        x, y, *_ = _profiles(part, p, size)
        plane = (y[:, None] * x[None]).reshape(-1, x.shape[-1])
        found.append(part.by_e * p[E] * plane if part.by_e else plane)
    return _signed(kind, sum(found[1:], found[0]), size)


def planes_and_slopes(kind: str, p: Array, size: tuple[int, int]) -> Array:
    """Members and their slopes by the five parameters, [1 + 5, taps, B]."""
    if kind in TURNED:
        return _turned_slopes(kind.split("-")[0], p, size)
    xp = namespace_of(p)
    found = []
    for part in _PARTS[kind]:
        x, y, zx, zy, sigma_x, sigma_y = _profiles(part, p, size)
        bare = y[:, None] * x[None]
        plane = part.by_e * p[E] * bare if part.by_e else bare
        by_x, by_y = zx[None] * plane, zy[:, None] * plane
        wider = zx[None] * by_x, zy[:, None] * by_y
        rows = [
            plane,
            by_x / sigma_x,
            by_y / sigma_y,
            part.x[0] * wider[0] + part.y[0] * wider[1],
            part.x[1] * wider[0] + part.y[1] * wider[1],
            part.by_e * bare if part.by_e else xp.zeros_like(bare),
        ]
        found.append(xp.stack(rows).reshape(6, -1, p.shape[1]))
    return _signed(kind, sum(found[1:], found[0]), size)


def _profiles(
    part: Part, p: Array, size: tuple[int, int]
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Profiles along x and along y [taps, B], their (x − o)/σ, σx and σy."""
    xp = namespace_of(p)
    sigma_x = xp.exp(part.x[0] * p[A] + part.x[1] * p[B] + part.widen)
    sigma_y = xp.exp(part.y[0] * p[A] + part.y[1] * p[B] + part.widen)
    zx = _places(p[OX], size[1]) / sigma_x
    zy = _places(p[OY], size[0]) / sigma_y
    return xp.exp(-0.5 * zx * zx), xp.exp(-0.5 * zy * zy), zx, zy, sigma_x, sigma_y


def _places(offset: Array, taps: int) -> Array:
    """Where the taps of an axis are, from the member's centre, [taps, B]."""
    xp = namespace_of(offset)
    at = xp.arange(taps, dtype=offset.dtype, device=offset.device) - (taps - 1) / 2
    return at[:, None] - offset


def _signed(kind: str, rows: Array, size: tuple[int, int]) -> Array:
    """The rows […, taps, B]; a checker's with alternating signs, + in the middle."""
    if kind != "checker":
        return rows
    xp = namespace_of(rows)
    down, right = (xp.arange(taps, device=rows.device) for taps in size)
    odd = (down[:, None] + right[None] + (size[0] // 2 + size[1] // 2)) % 2
    return rows * xp.astype(1 - 2 * odd.reshape(-1, 1), rows.dtype)


def _turned(p: Array, size: tuple[int, int]) -> tuple[Array, Array, Array]:
    """u, v and h, [taps, B]."""
    xp = namespace_of(p)
    c, s = xp.cos(p[E]), xp.sin(p[E])
    x, y = _places(p[OX], size[1])[None], _places(p[OY], size[0])[:, None]
    inverse_u, inverse_v = xp.exp(-p[A]), xp.exp(-p[A] - p[B])
    u = (c * inverse_u * x + s * inverse_u * y).reshape(-1, p.shape[1])
    v = (c * inverse_v * y - s * inverse_v * x).reshape(-1, p.shape[1])
    return u, v, xp.exp(-0.5 * (u * u + v * v))


_FACTORS: dict[str, Callable[[Array, Array], Array]] = {
    "edge": lambda u, _: -u,
    "ridge": lambda u, _: 1 - u * u,
    "line": lambda u, _: u * 0 + 1,
    "saddle": lambda u, v: u * v,
}
_SLOPES: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "edge": lambda u, v: (u * u - 1, u * v),
    "ridge": lambda u, v: (u * (u * u - 3), v * (u * u - 1)),
    "line": lambda u, v: (-u, -v),
    "saddle": lambda u, v: (v * (1 - u * u), u * (1 - v * v)),
}
"""Over h: the members, and their slopes by u and by v."""


def _turned_slopes(base: str, p: Array, size: tuple[int, int]) -> Array:
    xp = namespace_of(p)
    u, v, h = _turned(p, size)
    by_u, by_v = (factor * h for factor in _SLOPES[base](u, v))
    c, s = xp.cos(p[E]), xp.sin(p[E])
    inverse_u, inverse_v, ratio = xp.exp(-p[A]), xp.exp(-p[A] - p[B]), xp.exp(p[B])
    narrower = v * by_v
    return xp.stack(
        [
            _FACTORS[base](u, v) * h,
            (s * inverse_v) * by_v - (c * inverse_u) * by_u,
            -(s * inverse_u) * by_u - (c * inverse_v) * by_v,
            -u * by_u - narrower,
            -narrower,
            ratio * v * by_u - u * by_v / ratio,
        ]
    )
