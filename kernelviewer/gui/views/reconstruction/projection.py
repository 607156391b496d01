"""A kernel as a surface in space, seen from a side. Needs no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RISE = 0.42
"""Height of the largest tap, the longer side of the ground being 1."""
_SHORTEST = 0.25
"""Shorter side of the ground at the least."""
_LIGHT = np.array([-0.45, -0.35, 0.82])
"""Where light comes from: x right, y towards the viewer, z up."""


@dataclass(frozen=True, slots=True)
class Camera:
    """From where a surface is seen, degrees.

    ``azimuth`` turns it about its axis; ``elevation`` is 0 from the side and 90 from
    above.
    """

    azimuth: float = 35.0
    elevation: float = 32.0

    def turned(self, azimuth: float, elevation: float) -> Camera:
        """Turned further; never to be seen from below or quite from the side."""
        raised = min(max(self.elevation + elevation, 5.0), 90.0)
        return Camera((self.azimuth + azimuth) % 360, raised)


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Quads between taps in drawing order, far ones first. Q quads of P parts.

    On the screen x runs right and y down; the middle of the ground is at 0.

    Attributes
    ----------
    outline
        float64 [Q, 4, 2]: corners of the quads.
    parts
        float64 [Q, P, 4, 2]: corners of what they are coloured by.
    level
        float64 [Q, P]: mean height, −1 … 1.
    light
        float64 [Q, P]: how much light falls there, 0 … 1.
    """

    outline: NDArray[np.float64]
    parts: NDArray[np.float64]
    level: NDArray[np.float64]
    light: NDArray[np.float64]


def heights_of(taps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Heights [rows, columns] within −1 … 1 of taps [rows, columns].

    What is one tap wide is drawn as a ribbon; what is not a number as 0.
    """
    values = np.where(np.isfinite(taps), taps, 0).astype(np.float64)
    values /= np.abs(values).max(initial=0) or 1.0
    rows, columns = values.shape
    return values.repeat(2 if rows == 1 else 1, 0).repeat(2 if columns == 1 else 1, 1)


def ground_of(shape: tuple[int, int]) -> tuple[float, float]:
    """Half the length of the ground along x and along y, for rows and columns."""
    down, across = shape[0] - 1, shape[1] - 1
    longest = max(down, across)
    return max(across / longest, _SHORTEST) / 2, max(down / longest, _SHORTEST) / 2


def project(
    points: NDArray[np.float64], camera: Camera
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places [..., 2] on the screen, and nearness [...], of points [..., 3] in space.

    In space x runs along columns, y along rows and z up.
    """
    turn, tilt = radians(camera.azimuth), radians(camera.elevation)
    x, y, z = np.moveaxis(points, -1, 0)
    across = x * cos(turn) - y * sin(turn)
    near = x * sin(turn) + y * cos(turn)
    down = near * sin(tilt) - z * cos(tilt)
    return np.stack([across, down], axis=-1), near


def make_mesh(heights: NDArray[np.float64], camera: Camera, cuts: int = 1) -> Mesh:
    """The quads between the taps of ``heights`` [rows, columns], seen from a side.

    Parameters
    ----------
    cuts
        Into so many parts along each side a quad is cut, for the sake of its colours.
    """
    whole = _quads(_points(heights))
    outline, near = project(whole.reshape(-1, 4, 3), camera)
    # between quads of one size, nearness of the middles says which covers which
    order = np.argsort(near.mean(axis=1), kind="stable")
    fine = _quads(_points(_refined(_refined(heights, cuts).T, cuts).T))
    rows, columns = whole.shape[:2]
    cut = fine.reshape(rows, cuts, columns, cuts, 4, 3).swapaxes(1, 2)
    cut = cut.reshape(rows * columns, cuts * cuts, 4, 3)[order]
    # all quads are alike on the ground, so their parts cover each other alike
    _, near = project(cut[:1], camera)
    cut = cut[:, np.argsort(near[0].mean(axis=1), kind="stable")]
    level = cut[..., 2].mean(axis=2) / RISE
    parts, _ = project(cut, camera)
    return Mesh(outline[order], parts, level, _light_on(cut, camera))


def extent(heights: NDArray[np.float64], camera: Camera) -> tuple[float, float, float]:
    """Reach of a surface sideways, up and down from the middle of its ground.

    The same however it is turned about its axis.
    """
    points = _points(heights)
    radius = np.hypot(points[..., 0], points[..., 1])
    flat = radius * sin(radians(camera.elevation))
    rise = points[..., 2] * cos(radians(camera.elevation))
    return (
        float(radius.max()),
        float((flat + rise).max()),
        float((flat - rise).max()),
    )


def _points(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights [rows, columns] as points [rows, columns, 3] in space."""
    rows, columns = heights.shape
    half_x, half_y = ground_of((rows, columns))
    x, y = np.linspace(-half_x, half_x, columns), np.linspace(-half_y, half_y, rows)
    down, across = np.meshgrid(y, x, indexing="ij")
    return np.stack([across, down, RISE * heights], axis=-1)


def _quads(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [rows, columns, 3] as the quads [rows − 1, columns − 1, 4, 3] between."""
    corners = (points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1])
    return np.stack(corners, axis=2)


def _refined(heights: NDArray[np.float64], cuts: int) -> NDArray[np.float64]:
    """Rows between the rows, on straight lines."""
    at = np.arange((len(heights) - 1) * cuts + 1) / cuts
    low = np.minimum(at.astype(int), len(heights) - 2)
    share = (at - low)[:, None]
    refined: NDArray[np.float64] = heights[low] * (1 - share) + heights[low + 1] * share
    return refined


def _light_on(solid: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Light on quads [..., 4, 3], by Lambert's law; it stays where the viewer is."""
    normal = np.cross(
        solid[..., 2, :] - solid[..., 0, :], solid[..., 3, :] - solid[..., 1, :]
    )
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    turn = radians(camera.azimuth)
    x = normal[..., 0] * cos(turn) - normal[..., 1] * sin(turn)
    y = normal[..., 0] * sin(turn) + normal[..., 1] * cos(turn)
    light = x * _LIGHT[0] + y * _LIGHT[1] + normal[..., 2] * _LIGHT[2]
    lit: NDArray[np.float64] = np.clip(light / np.linalg.norm(_LIGHT), 0, 1)
    return lit


def lower_edge(outline: NDArray[np.float64], x: float) -> float:
    """How far down quads [N, 4, 2] reach at a place across; −inf beside them."""
    after = np.roll(outline, -1, axis=1)
    (x0, y0), (x1, y1) = np.moveaxis(outline, 2, 0), np.moveaxis(after, 2, 0)
    crosses = (np.minimum(x0, x1) <= x) & (x <= np.maximum(x0, x1)) & (x0 != x1)
    if not crosses.any():
        return float("-inf")
    x0, y0, x1, y1 = (part[crosses] for part in (x0, y0, x1, y1))
    return float((y0 + (y1 - y0) * (x - x0) / (x1 - x0)).max())
