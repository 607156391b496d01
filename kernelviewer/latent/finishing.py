"""From a fitted model to an autoencoder: axis, null, names, card.

Random members of the pattern family are shown to a curve beside trained kernels. Nine
networks have few wide patterns; others, that train on larger pictures or with larger
strides between, have many. The family is closed under what such networks do, so a share
of its members, all kinds alike, stands for networks that are not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.kernels.classes import PAPER, SCHEMES
from kernelviewer.kernels.family import random_members, supported
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.curve import POINTS, Curve, codes_of_table
from kernelviewer.latent.labels import agreement, label, reaches
from kernelviewer.latent.networks import network_weights
from kernelviewer.latent.noise import KERNELS, SEED, Null, white_noise
from kernelviewer.latent.stretches import (
    NamingOptions,
    common_classes,
    evidence,
    name_points,
    stretches_from_path,
)
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels import Size
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.latent.autoencoder import Method
    from kernelviewer.latent.curve import Codes, PlainAutoencoder
    from kernelviewer.latent.labels import Agreement
    from kernelviewer.latent.networks import Network
    from kernelviewer.watch import Watch

    Order = NDArray[np.int64]

PER_KIND = 500


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The patterns a curve learns from. The first ``real`` are trained kernels."""

    patterns: NDArray[np.float32]
    """float32 [N, *size]."""
    weight: NDArray[np.float32]
    """float32 [N], sums to 1."""
    real: int
    """How many of them come from networks."""

    @property
    def real_weight(self) -> NDArray[np.float32]:
        """Weight of the trained kernels alone."""
        return self.weight[: self.real]


def with_members(
    size: Size, patterns: NDArray[np.float32], weight: NDArray[np.float32], share: float
) -> Shown:
    """Patterns and, with a ``share`` of all the weight, members of the family.

    Sizes that the family has no members of stay as they are.

    Parameters
    ----------
    patterns, weight
        float32 [n, *size] and [n].
    share
        From 0 to below 1.
    """
    whole = weight / max(float(weight.sum()), 1e-30)
    if not share or not supported(size):
        return Shown(patterns, whole, len(patterns))
    members = random_members(size, PER_KIND, SEED)
    even = np.full(len(members), share / len(members), np.float32)
    return Shown(
        np.concatenate([patterns, members]),
        np.concatenate([(1 - share) * whole, even]).astype(np.float32),
        len(patterns),
    )


_BY_KERNELS, _BY_LENGTH = 0.6, 0.3
"""What makes a part of the axis long: kernels that live there, length of the curve
there; the rest is even."""
_KNOTS = 257
_ORIENTING = 256
"""Points that tell which way round a curve is."""
NAMED = 65_536
"""Kernels that names are made from at most."""


def finish(
    method: Method,
    model: Curve | PlainAutoencoder,
    networks: Sequence[Network],
    card: dict[str, Any],
    *,
    device: Device,
    members: float = 0.0,
    watch: Watch,
    names: bool = True,
) -> Autoencoder:
    """An `Autoencoder` of a fitted model, its spectrum named or not.

    ``members`` is the share that members of the family had beside the kernels: the axis
    and the names count them too, the results do not.
    """
    quiet = watch.quiet()
    shown = with_members(model.size, *_sample(networks), members)
    coder = Autoencoder.of(method, model)
    if isinstance(model, Curve):
        codes = coder.encode(shown.patterns, device=device, watch=quiet)
        model = stretched(model, codes, _even(shown))
        model = _turned(model, device, quiet)
        coder = Autoencoder.of(method, model)
    watch.progress(0, 3, "measuring what noise reaches")
    coder = replace(coder, null=measure_null(coder, device=device, watch=quiet))
    watch.progress(1, 3, "naming the spectrum")
    codes = coder.encode(shown.patterns, device=device, watch=quiet)
    agreed: dict[str, Any] = {}
    if names:
        coder, agreed = _named(coder, shown, codes, device, quiet)
    watch.progress(3, 3, "done")
    results = {
        "mean_fit": round(codes[: shown.real].mean_fit, 4),
        "arc_length": round(coder.arc_length, 2),
        "threshold": coder.threshold,
        "null_coverage": round(coder.null.coverage(coder.threshold), 5),
        **agreed,
    }
    return replace(coder, card=card | {"results": results, "null": _null_card()})


def measure_null(
    coder: Autoencoder,
    *,
    count: int | None = None,
    seed: int = SEED,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Null:
    """The null of an autoencoder, from 100 000 kernels or ``count``."""
    fits = [
        coder.encode(batch, device=device, watch=watch).fit
        for batch in white_noise(coder.size, KERNELS if count is None else count, seed)
    ]
    return Null.of(np.concatenate(fits))


def stretched(curve: Curve, codes: Codes, weight: NDArray[np.floating]) -> Curve:
    """The same curve on an axis that is longer where more kernels live."""
    table = curve.decode(codes_of_table()).astype(np.float64)
    steps = np.append(0, np.linalg.norm(np.diff(table, axis=0), axis=1))
    there = ~np.isnan(codes.code)
    points = np.rint(codes.code[there] * (POINTS - 1)).astype(int)
    kernels = np.bincount(points, weight[there], minlength=POINTS)
    even = 1 - _BY_KERNELS - _BY_LENGTH
    density = (
        _BY_KERNELS * kernels / max(1e-12, kernels.sum())
        + _BY_LENGTH * steps / max(1e-12, steps.sum())
        + even / POINTS
    )
    passed = density.cumsum()
    passed = (passed - passed[0]) / (passed[-1] - passed[0])
    knots = np.interp(codes_of_table(_KNOTS), passed, codes_of_table())
    before = np.interp(knots, codes_of_table(len(curve.stretch)), curve.stretch)
    before[0], before[-1] = 0, 1
    return replace(curve, stretch=before.astype(np.float32))


def _turned(curve: Curve, device: Device, watch: Watch) -> Curve:
    """The curve with its on-centres below its off-centres: one way round for all."""
    codes = codes_of_table(_ORIENTING)
    points = _points(curve.size, curve.decode(codes), device, watch)
    if points is None:
        return curve
    ids = [item.id for item in PAPER.patterns]
    near = np.maximum(points.paper_cosine, 1e-6) ** 8
    on = np.average(codes, weights=near[:, ids.index("on-centre")])
    off = np.average(codes, weights=near[:, ids.index("off-centre")])
    if on <= off:
        return curve
    series = curve.series.copy()
    series[1::2] *= -1
    stretch = 1 - curve.stretch[::-1]
    return replace(curve, series=series, stretch=stretch.astype(np.float32))


def _even(shown: Shown) -> NDArray[np.float32]:
    """Weights that count each trained kernel alike, whatever its network."""
    weight = shown.weight.copy()
    weight[: shown.real] = shown.real_weight.sum() / max(1, shown.real)
    return weight


def _named(
    coder: Autoencoder, shown: Shown, codes: Codes, device: Device, watch: Watch
) -> tuple[Autoencoder, dict[str, Any]]:
    """The autoencoder with its stretches, and how well their names hold."""
    from kernelviewer.kernels.family import family_fit

    points = _points(coder.size, coder.spectrum(POINTS), device, watch)
    if points is None:
        return coder, {"stretches": 1}
    real = slice(shown.real)
    own = family_fit(shown.patterns[real], device=device, watch=watch)
    others = family_fit(shown.patterns[shown.real :], device=device, watch=watch)
    identified = reaches(codes.fit, coder.threshold)
    options = NamingOptions()
    known = evidence(
        points,
        (
            np.concatenate([own.class_index, others.class_index])[identified],
            np.concatenate([own.paper_index, others.paper_index])[identified],
        ),
        np.rint(codes.code[identified] * (POINTS - 1)).astype(int),
        shown.weight[identified],
        common_classes(own.paper_index[identified[real]], options.common),
    )
    path = name_points(known, options)
    stretches = stretches_from_path(path, points.class_cosine, points.sign)
    named = replace(coder, stretches=stretches, point_cosine=points.class_cosine)
    agreed = agreements(named, codes[real], coder.threshold, own)
    return named, {
        "stretches": len(stretches),
        "names": {scheme: found.to_json() for scheme, found in agreed.items()},
        "family_mean_cosine": round(float(own.cosine.mean()), 4),
    }


def agreements(
    coder: Autoencoder, codes: Codes, threshold: float, own: FamilyFit
) -> dict[str, Agreement]:
    """How the names of stretches hold in each scheme, by its id."""
    return {
        scheme.id: agreement(
            label(codes, coder.stretches, threshold, scheme), own, scheme=scheme
        )
        for scheme in SCHEMES.values()
    }


def _points(
    size: Size, patterns: NDArray[np.float32], device: Device, watch: Watch
) -> FamilyFit | None:
    """`family_fit` of the points of a spectrum; None if there is no family."""
    from kernelviewer.kernels.family import family_fit, supported

    if not supported(size):
        return None
    rows = patterns.reshape(-1, *size)
    return family_fit(rows, device=device, watch=watch)


def _sample(
    networks: Sequence[Network],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The training kernels and their weights, or a fixed sample of them."""
    kernels = np.concatenate([network.patterns for network in networks])
    weight = network_weights(networks)
    if len(kernels) <= NAMED:
        return kernels, weight
    drawn = np.random.default_rng(SEED).choice(len(kernels), NAMED, replace=False)
    drawn.sort()
    return kernels[drawn], weight[drawn]


def _null_card() -> dict[str, Any]:
    return {"kernels": KERNELS, "seed": SEED, "noise": "independent normal weights"}


STARTS = 6
_STRETCHES = (1, 2, 3, 5, 8, 13)
_GAIN = 1e-9
_TOGETHER = 32
"""Parts that are looked at together."""


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
    apart = _along(trip, distance)
    for length in _STRETCHES:
        first = 1
        while (first := _movable(apart, first, length)) < len(trip) - length:
            order = _moved(apart, first, length)
            trip, apart = trip[order], _along(order, apart)
            first += 1
    return trip


def _along(order: Order, distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, n] distances of points in another order."""
    return distance.take(order, axis=0).take(order, axis=1)


def _moved(apart: NDArray[np.float64], first: int, length: int) -> Order:
    """The order that has the part where it costs least."""
    order = np.arange(len(apart))
    part = order[first : first + length]
    rest = np.concatenate([order[:first], order[first + length :]])
    following = np.roll(rest, -1)
    gap = apart[rest, following]
    heads, tails = apart[first], apart[part[-1]]
    ways = [
        heads[rest] + tails[following] - gap,
        tails[rest] + heads[following] - gap,
    ]
    way, place = np.unravel_index(int(np.argmin(ways)), (2, len(rest)))
    part = part[::-1] if way else part
    return np.concatenate([rest[: place + 1], part, rest[place + 1 :]])


def _movable(apart: NDArray[np.float64], first: int, length: int) -> int:
    """Where the next part is that is better elsewhere; n − length: nowhere.

    ``apart`` [n, n] is symmetric and in the order of the trip, which is a circle.
    """
    stop = len(apart) - length
    onwards = np.roll(apart, -1, axis=1)
    gap = onwards.diagonal()
    while first < stop:
        at = np.arange(first, min(first + _TOGETHER, stop))
        last = at + length - 1
        heads, tails = slice(at[0], at[-1] + 1), slice(last[0], last[-1] + 1)
        ways = apart[heads] + onwards[tails]
        np.minimum(ways, apart[tails] + onwards[heads], out=ways)
        ways -= gap
        for by in range(-1, length):  # places that are the part's own
            ways[at - first, at + by] = np.inf
        saved = gap[at - 1] + gap[last] - apart[at - 1, last + 1]
        turned = apart[at - 1, last] + apart[at, last + 1] - apart[at - 1, last + 1]
        gains = saved - np.minimum(ways.min(axis=1), turned) > _GAIN
        if gains.any():
            return first + int(gains.argmax())
        first = int(at[-1]) + 1
    return stop
