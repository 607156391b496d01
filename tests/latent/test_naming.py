"""The names of the spectrum: chosen together, for the kernels that live there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from kernelviewer.kernels.classes import FINE, INDEX, PAPER, PAPER_OF
from kernelviewer.latent.stretches import (
    NamingOptions,
    best_path,
    common_classes,
    evidence,
    name_points,
)

if TYPE_CHECKING:
    from kernelviewer.latent.stretches import Evidence

POINTS, FINES = 400, len(FINE.patterns)
ON_CENTRE, ON_DISC, ON_CROSS, EDGE_X, SADDLE = (
    INDEX[name] for name in ("on-centre", "on-disc", "on-cross", "edge-x", "saddle")
)


@dataclass
class Points:
    """What is known of the points of a curve."""

    class_index: np.ndarray
    paper_index: np.ndarray

    def __len__(self) -> int:
        return len(self.class_index)


def known(
    point_class: np.ndarray,
    kernels: list[tuple[int, int, int]],
    common: tuple[str, ...] = (),
) -> Evidence:
    """Points of plain fine classes, and (number, point, fine class) of kernels."""
    at = np.array([p for n, p, _ in kernels for _ in range(n)], int)
    own = np.array([kind for n, _, kind in kernels for _ in range(n)], int)
    papers = np.array(PAPER_OF)
    points = Points(class_index=point_class, paper_index=papers[point_class])
    wanted = np.isin([item.id for item in PAPER.patterns], common)
    return evidence(
        cast("Any", points), (own, papers[own]), at, np.ones(len(at)), wanted
    )


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
    # the curve is longer in a class that none of the kernels that live there has
    points = np.full(POINTS, ON_CENTRE)
    points[300:] = EDGE_X
    path = name_points(known(points, [(500, 150, SADDLE), (500, 350, EDGE_X)]))
    assert path[150] == SADDLE
    assert path[350] == EDGE_X


def test_a_name_is_half_right_if_only_the_class_of_the_paper_is() -> None:
    # fewer crosses than discs and centres, which the paper has as one class
    kernels = [(40, 200, ON_CROSS), (35, 200, ON_CENTRE), (25, 200, ON_DISC)]
    path = name_points(known(np.full(POINTS, ON_CROSS), kernels))
    assert path[200] == ON_CENTRE


def test_no_stretch_has_a_class_that_the_paper_lacks() -> None:
    checker = INDEX["checker"]
    kernels = [(90, p, checker) for p in range(POINTS)]
    kernels += [(9, p, SADDLE) for p in range(POINTS)]
    path = name_points(known(np.full(POINTS, checker), kernels))
    assert set(path) == {SADDLE}


def test_no_stretch_is_shorter_than_one_percent() -> None:
    rng = np.random.default_rng(1)
    kernels = [(9, int(p), int(rng.integers(FINES))) for p in range(POINTS)]
    path = name_points(known(rng.integers(FINES, size=POINTS), kernels))
    assert min(length for _, length in stretches(path)) >= 0.01 * POINTS


def test_there_are_never_more_stretches_than_wished() -> None:
    rng = np.random.default_rng(2)
    kernels = [(9, int(p), int(rng.integers(FINES))) for p in range(POINTS)]
    found = known(rng.integers(FINES, size=POINTS), kernels)
    for most in (3, 8, 24):
        path = name_points(found, NamingOptions(most=most))
        assert len(stretches(path)) <= most


def test_a_common_class_is_not_swallowed() -> None:
    # like on-square among on-centre: scattered among more of another class
    points = np.full(POINTS, ON_CENTRE)
    kernels = [(90, p, ON_CENTRE) for p in range(POINTS)]
    kernels += [(30, p, ON_CROSS) for p in range(195, 205)]
    assert ON_CROSS not in name_points(known(points, kernels))
    path = name_points(known(points, kernels, common=("on-cross",)))
    assert path[200] == ON_CROSS
    assert path[0] == ON_CENTRE


def test_classes_are_common_from_a_share_on() -> None:
    names = ["on-centre"] * 97 + ["on-cross"] * 2 + ["d1-y"]
    classes = np.array([INDEX[name] for name in names])
    common = np.flatnonzero(common_classes(classes, 0.02))
    assert [PAPER.patterns[i].id for i in common] == ["on-centre", "on-cross"]
    assert not common_classes(classes[:0], 0.02).any()


def test_without_kernels_the_curve_names_itself() -> None:
    points = np.repeat([EDGE_X, SADDLE], POINTS // 2)
    path = name_points(known(points, []))
    assert [kind for kind, _ in stretches(path)] == [EDGE_X, SADDLE]
