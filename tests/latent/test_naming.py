"""The names of the spectrum: chosen together, for the kernels that live there."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from kernelviewer.kernels.classes import PAPER
from kernelviewer.latent.naming import (
    Evidence,
    NamingOptions,
    best_path,
    common_classes,
    name_points,
)

POINTS, CLASSES = 400, 11


def evidence(
    point_class: np.ndarray, kernels: list[tuple[int, int, int]], common: set[int]
) -> Evidence:
    """Points of plain classes, and (number, point, class) of kernels."""
    points = np.full((POINTS, CLASSES), 0.5)
    points[np.arange(POINTS), point_class] = 0.9
    at = np.concatenate([np.full(n, point) for n, point, _ in kernels])
    own = np.concatenate([np.full(n, kind) for n, _, kind in kernels])
    cosine = np.full((len(at), CLASSES), 0.6)
    cosine[np.arange(len(at)), own] = 0.95
    wanted = np.isin(np.arange(CLASSES), list(common))
    return Evidence(points, at, cosine, np.ones(len(at)), wanted)


def stretches(path: np.ndarray) -> list[tuple[int, int]]:
    """(class, length) of each stretch."""
    cuts = [0, *(np.flatnonzero(np.diff(path)) + 1), len(path)]
    return [(int(path[low]), high - low) for low, high in pairwise(cuts)]


def test_the_best_path_is_the_cheapest_of_all() -> None:
    rng = np.random.default_rng(0)
    for shortest, cost in ((1, 0.3), (2, 0.5), (3, 0.2)):
        price = rng.random((8, 3))
        found = best_path(price, cost, shortest)

        def total(path: tuple[int, ...], price: np.ndarray, cost: float) -> float:
            switches = np.count_nonzero(np.diff(path))
            return float(price[np.arange(8), list(path)].sum() + cost * switches)

        allowed = [
            path
            for path in product(range(3), repeat=8)
            if min(n for _, n in stretches(np.array(path))) >= shortest
        ]
        best = min(total(path, price, cost) for path in allowed)
        assert total(tuple(found), price, cost) == pytest.approx(best)


def test_names_follow_the_kernels_not_the_length() -> None:
    # the curve is longer in class 0, but all kernels that live there are of class 1
    points = np.zeros(POINTS, int)
    points[300:] = 2
    kernels = [(500, 150, 1), (500, 350, 2)]
    path = name_points(evidence(points, kernels, set()))
    assert path[150] == 1
    assert path[350] == 2


def test_no_stretch_is_shorter_than_one_percent() -> None:
    rng = np.random.default_rng(1)
    kernels = [(9, int(p), int(rng.integers(CLASSES))) for p in range(POINTS)]
    path = name_points(evidence(rng.integers(CLASSES, size=POINTS), kernels, set()))
    assert min(length for _, length in stretches(path)) >= 0.01 * POINTS


def test_there_are_never_more_stretches_than_wished() -> None:
    rng = np.random.default_rng(2)
    kernels = [(9, int(p), int(rng.integers(CLASSES))) for p in range(POINTS)]
    known = evidence(rng.integers(CLASSES, size=POINTS), kernels, set())
    for most in (3, 8, 24):
        path = name_points(known, NamingOptions(most=most))
        assert len(stretches(path)) <= most


def test_a_common_class_is_not_swallowed() -> None:
    # like on-square among on-centre: scattered, and hardly worse as the neighbour
    points = np.zeros(POINTS, int)
    kernels = [(900, p, 0) for p in range(0, POINTS, 20)]
    known = evidence(points, [*kernels, (100, 200, 3)], {3})
    known.kernel_cosine[-100:, 0] = 0.92
    assert 3 not in name_points(
        Evidence(
            known.point_cosine,
            known.point,
            known.kernel_cosine,
            known.weight,
            np.zeros(CLASSES, bool),
        )
    )
    path = name_points(known)
    assert path[200] == 3
    assert path[0] == 0


def test_classes_are_common_from_a_share_on() -> None:
    classes = np.array(PAPER.rows)[[0] * 97 + [4] * 2 + [7]]
    assert np.flatnonzero(common_classes(classes, 0.02)).tolist() == [0, 4]
    assert not common_classes(classes[:0], 0.02).any()


def test_without_kernels_the_curve_names_itself() -> None:
    points = np.repeat([5, 9], POINTS // 2)
    known = evidence(points, [(1, 0, 5)], set())
    alone = Evidence(
        known.point_cosine,
        known.point[:0],
        known.kernel_cosine[:0],
        known.weight[:0],
        known.common,
    )
    path = name_points(alone)
    assert [kind for kind, _ in stretches(path)] == [5, 9]
