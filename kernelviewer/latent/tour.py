"""A short path through points: nearest neighbours, then 2-opt and Or-opt moves.

Croes, *A method for solving traveling-salesman problems* (1958); Or (1976). A path is a
round trip through one more point that is near to all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.watch import Watch

    Order = NDArray[np.int64]

STARTS = 6
_SEGMENTS = (1, 2, 3, 5, 8, 13)
_GAIN = 1e-9


def short_path(
    distance: NDArray[np.float64], *, seed: int = 0, watch: Watch = NEVER
) -> Order:
    """Order of the points along a short open path.

    Parameters
    ----------
    distance
        [K, K], symmetric, K ≥ 1.
    seed
        Of the points to start from.
    watch
        Checked between improvements; what it raises ends the search.
    """
    count = len(distance)
    if count < 3:
        return np.arange(count)
    padded = np.zeros((count + 1, count + 1))
    padded[:count, :count] = distance
    random = np.random.default_rng(seed)
    starts = random.permutation(count)[:STARTS]
    trips = [
        _improved(_greedy(distance, int(start)), padded, watch) for start in starts
    ]
    best = min(trips, key=lambda trip: _length(trip, padded))
    at = int(np.flatnonzero(best == count)[0])
    return np.roll(best, -at)[1:]


def _length(trip: Order, distance: NDArray[np.float64]) -> float:
    return float(distance[trip, np.roll(trip, -1)].sum())


def _greedy(distance: NDArray[np.float64], start: int) -> Order:
    """The extra point, then always the nearest point not visited yet."""
    count = len(distance)
    open_ = np.ones(count, np.bool_)
    trip = [count, start]
    open_[start] = False
    while len(trip) <= count:
        following = int(np.where(open_, distance[trip[-1]], np.inf).argmin())
        trip.append(following)
        open_[following] = False
    return np.array(trip)


def _improved(trip: Order, distance: NDArray[np.float64], watch: Watch) -> Order:
    while True:
        watch.check()
        before = _length(trip, distance)
        trip = _reverse_parts(trip, distance)
        trip = _move_parts(trip, distance)
        if _length(trip, distance) > before - _GAIN:
            return trip


def _reverse_parts(trip: Order, distance: NDArray[np.float64]) -> Order:
    """2-opt: turn a part of the trip around wherever that shortens it."""
    count = len(trip)
    for first in range(count - 2):
        a, b = trip[first], trip[first + 1]
        last = np.arange(first + 2, count)
        c, d = trip[last], trip[(last + 1) % count]
        gain = distance[a, b] + distance[c, d] - distance[a, c] - distance[b, d]
        most = int(gain.argmax())
        if gain[most] > _GAIN:
            part = slice(first + 1, int(last[most]) + 1)
            trip[part] = trip[part][::-1].copy()
    return trip


def _move_parts(trip: Order, distance: NDArray[np.float64]) -> Order:
    """Or-opt: move a short part elsewhere, either way around, where that shortens."""
    count = len(trip)
    for length in _SEGMENTS:
        for first in range(1, count - length):
            part = trip[first : first + length]
            before, after = trip[first - 1], trip[(first + length) % count]
            saved = (
                distance[before, part[0]]
                + distance[part[-1], after]
                - distance[before, after]
            )
            rest = np.concatenate([trip[:first], trip[first + length :]])
            following = np.roll(rest, -1)
            gap = distance[rest, following]
            ways = np.stack(
                [
                    distance[rest, part[0]] + distance[part[-1], following] - gap,
                    distance[rest, part[-1]] + distance[part[0], following] - gap,
                ]
            )
            way, place = np.unravel_index(int(ways.argmin()), ways.shape)
            if saved - ways[way, place] > _GAIN:
                part = part[::-1] if way else part
                trip = np.concatenate([rest[: place + 1], part, rest[place + 1 :]])
    return trip
