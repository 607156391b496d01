"""K-means, the path through centroids, mirror images, the nearest of a table."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from kernelviewer.device import CPU, Device, host
from kernelviewer.kernels.family import family_fit, member
from kernelviewer.latent.curve import unit_rows
from kernelviewer.latent.curve_training import class_images, mirrors, vary
from kernelviewer.latent.finishing import short_path
from kernelviewer.latent.nearest import (
    Table,
    nearest_in_batches,
    spherical_kmeans,
    unit,
)
from tests.latent.made import patterns

if TYPE_CHECKING:
    from collections.abc import Sequence

BOTH = (CPU, Device("cpu", "torch"))
"""The libraries that compute."""


@pytest.fixture(autouse=True)
def few_steps() -> None:
    """Parts are looked at as they are."""


def rows(count: int, taps: int = 9, seed: int = 0) -> torch.Tensor:
    noise = torch.randn(count, taps, generator=torch.Generator().manual_seed(seed))
    return unit(noise)[0]


def test_centroids_are_the_means_of_separate_clusters() -> None:
    middles = rows(5, 25)
    noise = 0.02 * torch.randn(500, 25, generator=torch.Generator().manual_seed(1))
    points = unit(middles.repeat(100, 1) + noise)[0]
    found = spherical_kmeans(points, 5)
    cosine = (found @ middles.T).max(0).values
    assert (cosine > 0.999).all()
    torch.testing.assert_close(found.norm(dim=1), torch.ones(5))


def test_more_centroids_fit_better() -> None:
    points = rows(800, 25)
    fits = [
        float(nearest_in_batches(points, spherical_kmeans(points, count))[0].mean())
        for count in (2, 10, 50)
    ]
    assert fits == sorted(fits)
    assert fits[-1] > fits[0] + 0.1


def test_weights_pull_centroids() -> None:
    points = torch.tensor([[1.0, 0, -1], [0, 1, -1]]) / 2**0.5
    middle = spherical_kmeans(points, 1, weights=torch.tensor([9.0, 1.0]))
    assert float(middle @ points[0]) > float(middle @ points[1])


def test_there_are_no_more_centroids_than_patterns() -> None:
    assert len(spherical_kmeans(rows(3), 10)) == 3
    assert len(spherical_kmeans(rows(1), 10)) == 1


def test_k_means_is_the_same_for_a_seed() -> None:
    points = rows(300)
    torch.testing.assert_close(
        spherical_kmeans(points, 20, seed=4), spherical_kmeans(points, 20, seed=4)
    )


def test_k_means_ends_after_the_iterations_that_were_asked_for() -> None:
    points = rows(300)
    fits = [
        nearest_in_batches(
            points.numpy(), spherical_kmeans(points, 20, iterations=count).numpy()
        )[0].mean()
        for count in (1, 2, 30)
    ]
    assert fits[0] < fits[1] < fits[2]


def test_short_paths_are_the_shortest_of_few_points() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        distance = distances(rng.random((7, 2)))
        best = min(length(order, distance) for order in permutations(range(7)))
        assert length(short_path(distance), distance) == pytest.approx(best)


def test_no_part_of_a_short_path_is_better_elsewhere() -> None:
    distance = distances(np.random.default_rng(0).random((60, 8)))
    order = list(short_path(distance))
    best = length(order, distance) - 1e-9
    for size in (1, 2, 3, 5):
        for first in range(len(order) - size + 1):
            part, rest = (
                order[first : first + size],
                order[:first] + order[first + size :],
            )
            for place in range(len(rest) + 1):
                for way in (part, part[::-1]):
                    moved = rest[:place] + way + rest[place:]
                    assert length(moved, distance) >= best


def distances(places: np.ndarray) -> np.ndarray:
    return np.linalg.norm(places[:, None] - places[None], axis=2)


def length(order: Sequence[int], distance: np.ndarray) -> float:
    return float(distance[list(order[1:]), list(order[:-1])].sum())


def test_points_on_a_line_are_visited_in_order() -> None:
    places = np.random.default_rng(1).permutation(60).astype(float)
    order = places[short_path(np.abs(places[:, None] - places[None]))]
    assert sorted([order[0], order[-1]]) == [0, 59]
    assert (np.abs(np.diff(order)) == 1).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_points_have_a_path(count: int) -> None:
    distance = np.ones((count, count)) - np.eye(count)
    assert sorted(short_path(distance)) == list(range(count))


@pytest.mark.parametrize(
    ("size", "count"),
    [((7, 7), 8), ((3, 3), 8), ((1, 11), 2), ((5, 7), 4), ((9,), 2), ((3, 3, 3), 8)],
)
def test_kernels_have_as_many_images_as_their_shape_allows(
    size: tuple[int, ...], count: int
) -> None:
    images = mirrors(size)
    assert images.shape == (count, np.prod(size))
    assert (images[0] == np.arange(np.prod(size))).all()
    assert (np.sort(images, axis=1) == images[0]).all()
    assert len(np.unique(images, axis=0)) == count


def test_images_are_mirrored_and_transposed() -> None:
    kernel = np.arange(9.0).reshape(3, 3)
    seen = {tuple(kernel.reshape(-1)[image]) for image in mirrors((3, 3))}
    for plane in (kernel, kernel.T):
        for flip in ((), (0,), (1,), (0, 1)):
            assert tuple(np.flip(plane, flip).reshape(-1)) in seen


def test_kernels_are_varied_as_often_as_wished() -> None:
    kernels = torch.from_numpy(patterns(4000)[0]).reshape(4000, -1)
    images = torch.from_numpy(mirrors((7, 7)))
    random = torch.Generator().manual_seed(0)
    same, image = vary(kernels, images, 0.0, random)
    assert not image.any()
    torch.testing.assert_close(same, kernels)
    varied, image = vary(kernels, images, 1.0, random)
    assert set(image.tolist()) == set(range(16))
    torch.testing.assert_close(
        varied.abs().sort(1).values, kernels.abs().sort(1).values
    )
    turned = float(((varied * kernels).sum(1) < 0.99).float().mean())
    assert 0.6 < turned < 1


@pytest.mark.parametrize("size", [(5, 5), (5, 7)])
def test_the_classes_of_images_are_those_that_the_family_gives_them(
    size: tuple[int, int],
) -> None:
    ids = ("on-disc", "off-cross", "edge-x", "edge-y", "on-bar-v", "off-bar-h")
    kernels = np.stack([member(name, size, sigma=1.2, sigma_y=2.4) for name in ids])
    rows = kernels.reshape(len(ids), -1)
    images, classes = mirrors(size), class_images(size)
    own = family_fit(kernels).class_index
    for number in range(2 * len(images)):
        sign = 1 if number < len(images) else -1
        turned = sign * rows[:, images[number % len(images)]]
        found = family_fit(turned.reshape(-1, *size)).class_index
        assert (classes[number][found] == own).all()


@pytest.mark.parametrize("columns", [1, 31, 32, 64, 2048])
def test_the_nearest_row_is_found(columns: int) -> None:
    points, table = rows(300, 25).numpy(), rows(columns, 25, seed=9).numpy()
    products = points @ table.T
    for where in BOTH:
        cosine, row = map(host, Table(table, where).nearest(where.put(points)))
        assert (row == products.argmax(1)).all()
        np.testing.assert_allclose(cosine, products.max(1), atol=1e-6)
        batched = nearest_in_batches(points, table, where)
        assert (batched[1] == row).all()


def test_both_libraries_find_the_same_rows_where_float32_cannot_tell() -> None:
    angle = np.linspace(0, 1e-2, 2048)  # neighbours' cosines differ by 1e-11
    ways = unit_rows(np.random.default_rng(0).standard_normal((2, 49)))
    table = unit_rows(
        np.cos(angle)[:, None] * ways[0] + np.sin(angle)[:, None] * ways[1]
    )
    kernels = 3 * table[::7] + np.float32(0.5)
    exact = (kernels - kernels.mean(axis=1, keepdims=True)).astype(np.float64)
    wanted = (exact @ table.T.astype(np.float64)).argmax(axis=1)
    for where in BOTH:
        _, row, valid = map(host, Table(table, where).nearest_exactly(kernels))
        assert valid.all()
        np.testing.assert_array_equal(row, wanted)


def test_a_large_offset_does_not_drown_the_pattern() -> None:
    noise = np.random.default_rng(0).standard_normal((50, 49)).astype(np.float32)
    for where in BOTH:
        plain, _ = unit(where.put(noise))
        moved, valid = unit(where.put(noise + np.float32(300)))
        assert valid.all()
        assert float((plain * moved).sum(1).min()) > 0.99999


@pytest.mark.parametrize("scale", [1e-30, 1.0, 3e38])
def test_patterns_do_not_depend_on_the_scale(scale: float) -> None:
    some = rows(50, 49)
    for where in BOTH:
        found, valid = unit(where.put(some / some.abs().max() * scale))
        assert valid.all()
        np.testing.assert_allclose(host(found), some, atol=1e-5)


def test_kernels_without_a_pattern_are_zero_and_marked() -> None:
    kernels = rows(6, 9)
    kernels[1] = 0
    kernels[2] = 0.1
    kernels[3, 4] = torch.nan
    kernels[4, 0] = torch.inf
    kernels[5, 8] = -torch.inf
    for where in BOTH:
        found, valid = unit(where.put(kernels))
        assert valid.tolist() == [True] + [False] * 5
        assert not found[1:].any()
        np.testing.assert_allclose(host(found[0]), kernels[0], atol=1e-6)
