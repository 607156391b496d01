"""Members of the pattern family, as people name them, and their patterns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import INDEX, PATTERNS
from kernelviewer.kernels.family.formulas import KINDS, OX, OY, A, B, E, planes
from kernelviewer.kernels.family.regions import ORDERS, boxes, kinds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size


CLASS_KINDS = tuple(
    (item.id.split("-", 1)[1], 1 - 2 * item.id.startswith("off-"))
    if item.id.startswith(("on-", "off-"))
    else (item.id, 0)
    for item in PATTERNS
)
"""For each class its kind, and its sign: 0 where it has both."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Members:
    """Members of the pattern family. N members; arrays of length N.

    Attributes
    ----------
    class_index
        int8, index into `kernelviewer.kernels.classes.PATTERNS`.
    sign
        int8, +1 or −1: the off- classes have −1, the derivatives either. +∂x falls
        from left to right through the middle, +∂²x is a trough there.
    sigma_x, sigma_y
        float32, px. For a cross, σ along and σ across its arms.
    offset_x, offset_y
        float32, px: the centre, from the middle of the kernel to the right and down.
    angle
        float32, degrees from x (right) towards y (down), by which a derivative is
        turned from its class's axis; 0 for other classes.
    gamma
        float32, weight of the surround of centre and square, in [0, 1]; else 0.
    """

    class_index: NDArray[np.int8]
    sign: NDArray[np.int8]
    sigma_x: NDArray[np.float32]
    sigma_y: NDArray[np.float32]
    offset_x: NDArray[np.float32]
    offset_y: NDArray[np.float32]
    angle: NDArray[np.float32]
    gamma: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.class_index)


MOST_TAPS = 51 * 51


def supported(size: Size) -> bool:
    """True if the family has members of this kernel size.

    It has for (k,), k ≥ 3, and for (rows, columns) with three taps along one axis or
    two along both; not for 3-D kernels, nor for more than 51 × 51 taps, whose bank
    would take minutes and gigabytes.
    """
    if math.prod(size) > MOST_TAPS:
        return False
    if len(size) not in (1, 2) or min(size) < 1:
        return False
    return max(size) > 2 or size == (2, 2)


def as_plane(size: Size) -> tuple[int, int]:
    """(rows, columns) of a kernel size; a 1-D kernel is one row.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    if not size:
        msg = "kernels have to come as [N, rows, columns] or, 1-D ones, as [N, taps]"
        raise ValueError(msg)
    if len(size) > 2:
        msg = f"the pattern family is flat: it has no {size_label(size)} kernels"
        raise ValueError(msg)
    if not supported(size):
        msg = f"{size_label(size)} kernels have too few taps for the pattern family"
        raise ValueError(msg)
    return (1, size[0]) if len(size) == 1 else (size[0], size[1])


def member(
    class_id: str,
    size: Size,
    *,
    sigma: float = 1.0,
    sigma_x: float | None = None,
    sigma_y: float | None = None,
    offset_x: float | None = None,
    offset_y: float | None = None,
    angle: float = 0.0,
    gamma: float = 0.6,
    sign: int = 1,
) -> NDArray[np.float32]:
    """One member of the family, for any parameters.

    Parameters
    ----------
    class_id
        Such as ``on-centre`` or ``d2-xy``.
    size
        Kernel size.
    sigma, sigma_x, sigma_y
        px; ``sigma`` stands for what is not given. A cross's arms are by default three
        times as long as wide.
    offset_x, offset_y
        px, right and down. By default 0, and for a square half a pixel where that
        lies between taps.
    angle, gamma, sign
        As in `Members`; ``gamma`` is for centre and square, ``sign`` for derivatives.

    Returns
    -------
    float32 of shape ``size``, mean 0, length 1.

    Raises
    ------
    ValueError
        No such class, or the family has no members of this size.
    """
    import numpy as np

    if class_id not in INDEX or INDEX[class_id] >= len(PATTERNS):
        names = ", ".join(item.id for item in PATTERNS)
        msg = f"no pattern class is called {class_id!r}; there are {names}"
        raise ValueError(msg)
    rows, columns = as_plane(size)
    kind, only_sign = CLASS_KINDS[INDEX[class_id]]
    across = sigma / 3 if kind == "cross" else sigma
    between = 0.5 if kind == "square" else 0.0

    def one(value: float) -> NDArray[np.float32]:
        return np.array([value], dtype=np.float32)

    found = Members(
        class_index=np.array([INDEX[class_id]], dtype=np.int8),
        sign=np.array([only_sign or sign], dtype=np.int8),
        sigma_x=one(sigma if sigma_x is None else sigma_x),
        sigma_y=one(across if sigma_y is None else sigma_y),
        offset_x=one(between * (columns % 2) if offset_x is None else offset_x),
        offset_y=one(between * (rows % 2) if offset_y is None else offset_y),
        angle=one(angle if kind in ORDERS else 0.0),
        gamma=one(gamma),
    )
    one_member: NDArray[np.float32] = render(found, size)[0]
    return one_member


def render(members: Members, size: Size) -> NDArray[np.float32]:
    """Patterns of family members.

    Parameters
    ----------
    members
        N members, such as a `FamilyFit`.
    size
        Kernel size; ``members`` may have been fitted to another one.

    Returns
    -------
    float32 [N, *size], each with mean 0 and length 1.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    import numpy as np

    plane = as_plane(size)
    found = np.empty((len(members), plane[0] * plane[1]), np.float32)
    kinds = np.array([kind for kind, _ in CLASS_KINDS])[members.class_index]
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            patterns = planes(kind, _parameters(kind, members, rows), plane).T
            found[rows] = patterns * members.sign[rows, None]
    found -= found.mean(axis=1, keepdims=True)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.reshape(len(members), *size)


def named(
    class_index: NDArray[np.int8], p: NDArray[np.float32], plane: tuple[int, int]
) -> dict[str, NDArray[np.float32]]:
    """The arrays of `Members` from the parameters [5, N] of the formulas.

    Along an axis of one tap σ has no meaning; it gets the other axis's.
    """
    import numpy as np

    kinds = np.array([kind for kind, _ in CLASS_KINDS])[class_index]
    derivative, cross = np.isin(kinds, list(ORDERS)), kinds == "cross"
    half = np.where(derivative | cross, 0.0, p[B] / 2)
    log_x = np.where(cross, p[A] + p[B], p[A] - half)
    log_y = np.where(derivative, p[B], p[A] + half)
    log_x = log_y if plane[1] == 1 else log_x
    log_y = log_x if plane[0] == 1 else log_y
    return {
        "sigma_x": np.exp(log_x, dtype=np.float32),
        "sigma_y": np.exp(log_y, dtype=np.float32),
        "offset_x": p[OX],
        "offset_y": p[OY],
        "angle": np.where(derivative, np.degrees(p[E]), 0).astype(np.float32),
        "gamma": np.where(derivative | cross, 0, p[E]).astype(np.float32),
    }


def _parameters(
    kind: str, members: Members, rows: NDArray[np.intp]
) -> NDArray[np.float32]:
    """The parameters that the formulas call OX, OY, A, B and E, [5, n]."""
    import numpy as np

    p = np.zeros((5, len(rows)), dtype=np.float32)
    p[OX], p[OY] = members.offset_x[rows], members.offset_y[rows]
    x, y = np.log(members.sigma_x[rows]), np.log(members.sigma_y[rows])
    if kind in ORDERS:
        p[A], p[B], p[E] = x, y, np.radians(members.angle[rows])
    elif kind == "cross":
        p[A], p[B] = y, x - y
    else:
        p[A], p[B], p[E] = (x + y) / 2, y - x, members.gamma[rows]
    return p


_THINNEST = 0.05
"""What a limit counts at least, so that boxes without extent are drawn from as well."""


def random_members(size: Size, count: int, seed: int = 0) -> NDArray[np.float32]:
    """Patterns of random members, as many of each kind.

    A kind is a class without its sign. Parameters are drawn evenly between the limits
    of `kernelviewer.kernels.family.regions`, σ on a logarithmic scale; either sign is
    as likely.

    Parameters
    ----------
    size
        Kernel size.
    count
        Members of each kind.
    seed
        The same seed gives the same members.

    Returns
    -------
    float32 [kinds · count, *size], mean 0 and length 1.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    import numpy as np

    plane = as_plane(size)
    random = np.random.default_rng(seed)
    found = []
    for kind in kinds(plane):
        p = _drawn(kind, plane, count, random)
        rows = planes(kind, p, plane).T
        rows = rows - rows.mean(axis=1, keepdims=True)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        found.append(rows * random.choice([-1.0, 1.0], (count, 1)))
    return np.concatenate(found).astype(np.float32).reshape(-1, *size)


def _drawn(
    kind: str, plane: tuple[int, int], count: int, random: np.random.Generator
) -> NDArray[np.float32]:
    """Parameters [5, count] within the boxes of a kind, the larger ones more often."""
    import numpy as np

    limits = np.array(boxes(kind, plane))
    low, extent = limits[..., 0], limits[..., 1] - limits[..., 0]
    # turning is no extent of a pattern's shape: a box that turns counts no more
    volume = np.prod(np.maximum(extent[:, :4], _THINNEST), axis=1)
    box = random.choice(len(limits), count, p=volume / math.fsum(volume))
    drawn = low[box] + extent[box] * random.random((count, 5))
    return np.ascontiguousarray(drawn.T, np.float32)
