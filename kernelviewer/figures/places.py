"""Dense places of a plane of kernels, and kernels that stand for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.projection import peaks
from kernelviewer.kernels.classes import CLASSES, INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLACES = 8
NEAREST = 24
"""Most places, and most kernels that stand for one."""
_APART = 0.09
_FEWEST = 5


@dataclass(frozen=True, eq=False)
class Place:
    """A dense place of the plane.

    Attributes
    ----------
    at
        Its coordinates [2].
    members
        Indices of kernels near it, those first that are most like their mean.
    class_index
        The class it is the middle of; None without classes.
    """

    at: NDArray[np.float64]
    members: NDArray[np.intp]
    class_index: int | None


def find_places(
    points: NDArray[np.float64],
    found: NDArray[np.float32],
    label: NDArray[np.int64] | None,
) -> list[Place]:
    """Dense places: the middles of the largest classes, else of all points."""
    span = np.stack(span_of(points))
    if label is None:
        everything = np.arange(len(points))
        return [
            Place(at, _near(at, points, found, everything), None)
            for at in peaks(points, span, PLACES, 2 * _APART)
        ]
    places: list[Place] = []
    named = np.bincount(label, minlength=len(CLASSES))[: INDEX["unidentified"]]
    for index in np.argsort(-named, kind="stable")[:PLACES]:
        members = np.flatnonzero(label == index)
        if len(members) < min(_FEWEST, len(points)):
            break
        for at in peaks(points[members], span, PLACES, _APART):
            gaps = [
                np.hypot(*((at - other.at) / (span[1] - span[0]))) for other in places
            ]
            if min(gaps, default=1.0) >= _APART:
                places.append(Place(at, _near(at, points, found, members), int(index)))
                break
    return sorted(places, key=lambda place: place.class_index or 0)


def _near(
    at: NDArray[np.float64],
    points: NDArray[np.float64],
    found: NDArray[np.float32],
    members: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Members near a place, those first that are most like the mean pattern there."""
    distance = np.hypot(*(points[members] - at).T)
    near = members[np.argsort(distance, kind="stable")[: 2 * NEAREST]]
    mean = found[near[:NEAREST]].mean(axis=0)
    likeness = found[near] @ mean
    ordered: NDArray[np.intp] = near[np.argsort(-likeness, kind="stable")[:NEAREST]]
    return ordered


def span_of(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest coordinates of a square that holds all points."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach = max(float((high - low).max()), 1e-6) * 0.54
    middle = (low + high) / 2
    return middle - reach, middle + reach
