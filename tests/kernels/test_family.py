"""The members of the pattern family: formulas, slopes, sizes."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest

from kernelviewer.device import CPU, Device, host
from kernelviewer.kernels.classes import FINE
from kernelviewer.kernels.family import member, render, supported
from kernelviewer.kernels.family.formulas import KINDS, planes, planes_and_slopes
from kernelviewer.kernels.family.members import CLASS_KINDS, bank
from kernelviewer.kernels.family.regions import boxes, kinds

IDS = [item.id for item in FINE.patterns]
SIZES = [
    (3, 3), (5, 5), (7, 7), (9, 9), (31, 31), (4, 4), (6, 6), (2, 2), (2, 7), (3, 5),
    (1, 11), (31, 1), (5, 51), (51, 51),
]  # fmt: skip


def unit(plane: np.ndarray) -> np.ndarray:
    plane = plane - plane.mean()
    return plane / np.linalg.norm(plane)


def grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    at = np.arange(size) - (size - 1) / 2
    return at[None, :], at[:, None]


def test_members_are_the_formulas_of_the_paper() -> None:
    x, y = grid(9)
    gauss = np.exp(-(x**2 + y**2) / (2 * 1.3**2))
    wide = np.exp(-(x**2 + y**2) / (2 * (1.6 * 1.3) ** 2)) / 1.6**2
    narrow = np.exp(-(x**2 + y**2) / (2 * (1.3 / 1.6) ** 2))
    alternating = (-1.0) ** np.arange(81).reshape(9, 9)
    long, short = 2.0, 0.6
    arms = [
        np.exp(-(a**2) / (2 * long**2) - b**2 / (2 * short**2))
        for a, b in ((x, y), (y, x))
    ]
    turned = (x * math.cos(0.5) + y * math.sin(0.5)) / 1.3
    across = (y * math.cos(0.5) - x * math.sin(0.5)) / 1.3
    oblong = np.exp(-(turned**2) / 2 - (across / 2) ** 2 / 2)
    expected = {
        "on-centre": gauss - 0.5 * wide,
        "off-centre": 0.5 * wide - gauss,
        "on-cross": arms[0] + arms[1],
        "edge-x": -turned * gauss,
        "on-bar-v": (1 - turned**2) * oblong,
        "off-bar-v": -oblong,
        "saddle": turned * across * gauss,
        "on-ring": gauss - 1.1 * narrow,
        "on-disc": gauss - 0.3 * narrow,
        "checker": alternating * gauss,
    }
    degrees = math.degrees(0.5)
    made = {
        "on-centre": member("on-centre", (9, 9), sigma=1.3, gamma=0.5),
        "off-centre": member("off-centre", (9, 9), sigma=1.3, gamma=0.5),
        "on-cross": member("on-cross", (9, 9), sigma_x=long, sigma_y=short),
        "edge-x": member("edge-x", (9, 9), sigma=1.3, angle=degrees),
        "on-bar-v": member("on-bar-v", (9, 9), sigma=1.3, sigma_y=2.6, angle=degrees),
        "off-bar-v": member(
            "off-bar-v", (9, 9), sigma=1.3, sigma_y=2.6, angle=degrees, kind="line-v"
        ),
        "saddle": member("saddle", (9, 9), sigma=1.3, angle=degrees),
        "on-ring": member("on-ring", (9, 9), sigma=1.3, gamma=1.1),
        "on-disc": member("on-disc", (9, 9), sigma=1.3, gamma=0.3, kind="plate"),
        "checker": member("checker", (9, 9), sigma=1.3),
    }
    for name, plane in expected.items():
        np.testing.assert_allclose(made[name], unit(plane), atol=1e-5)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_slopes_are_the_derivatives_of_the_members(kind: str, library: str) -> None:
    device = Device("cpu", library)
    p = np.array([0.2, -0.3, 0.1, 0.2, 0.3])[:, None]

    def made(p: np.ndarray) -> np.ndarray:
        return host(planes(kind, device.put(p, np.float64), (7, 6)))

    rows = host(planes_and_slopes(kind, device.put(p, np.float64), (7, 6)))
    np.testing.assert_array_equal(rows[0], made(p))
    for index in range(5):
        step = np.zeros_like(p)
        step[index] = 1e-5
        slope = made(p + step) - made(p - step)
        np.testing.assert_allclose(rows[1 + index], slope / 2e-5, atol=1e-7)


@pytest.mark.parametrize("class_id", IDS)
@pytest.mark.parametrize("size", [(7, 7), (4, 6), (51, 51), (11, 5)])
def test_members_are_mean_free_and_of_length_one(
    class_id: str, size: tuple[int, int]
) -> None:
    plane = member(class_id, size)
    assert plane.shape == size
    assert plane.dtype == np.float32
    assert abs(float(plane.mean())) < 1e-6
    assert float(np.linalg.norm(plane)) == pytest.approx(1, abs=1e-5)


def test_on_and_off_are_negatives_and_the_others_have_both_signs() -> None:
    for name in IDS:
        if name.startswith("on-"):
            on, off = member(name, (7, 7)), member(f"off-{name[3:]}", (7, 7))
            np.testing.assert_array_equal(on, -off)
            if name != "on-ring":
                assert np.abs(on).max() == on.max()
        elif not name.startswith("off-"):
            negative = member(name, (7, 7), sign=-1)
            np.testing.assert_array_equal(negative, -member(name, (7, 7)))


def test_turning_by_a_right_angle_takes_x_to_y() -> None:
    for one, other in (("edge-x", "edge-y"), ("on-bar-v", "on-bar-h")):
        x, y = (member(name, (7, 7), sigma=1.1) for name in (one, other))
        np.testing.assert_allclose(x.T, y, atol=1e-5)
        turned = member(one, (7, 7), sigma=1.1, angle=90)
        np.testing.assert_allclose(turned, y, atol=1e-5)
    saddle = member("saddle", (7, 7), sigma=1.1, angle=45)
    x, y = grid(7)
    half = (y**2 - x**2) * np.exp(-(x**2 + y**2) / (2 * 1.1**2))
    np.testing.assert_allclose(saddle, unit(half), atol=1e-5)


def test_a_square_lights_an_even_block_up() -> None:
    for size, block in (((7, 7), slice(3, 5)), ((6, 6), slice(2, 4))):
        plane = member("on-square", size, sigma=0.6)
        lit = plane[block, block]
        np.testing.assert_allclose(lit, lit[0, 0], rtol=1e-5)
        assert float(lit.min()) > 2 * float(np.sort(plane.ravel())[-5])


@pytest.mark.parametrize("size", SIZES)
def test_the_bank_of_every_size_is_of_sound_members(size: tuple[int, int]) -> None:
    found = bank(size, CPU)
    norms = np.linalg.norm(found.patterns, axis=0)
    np.testing.assert_allclose(norms, 1, atol=1e-4)
    assert np.abs(found.patterns.mean(axis=0)).max() < 1e-6
    assert (found.parameters >= found.low).all()
    assert (found.parameters <= found.high).all()
    assert [kind for kind, _, _ in found.kinds] == list(kinds(size))
    assert found.kinds[-1][2] == found.patterns.shape[1]


@pytest.mark.parametrize("size", [(7, 7), (5, 5), (6, 7), (31, 31)])
def test_point_centre_square_and_disc_do_not_overlap(size: tuple[int, int]) -> None:
    for first, second in combinations(("point", "centre", "square", "disc"), 2):
        for a, b in product(boxes(first, size), boxes(second, size)):
            apart = any(
                one[1] <= other[0] + 1e-9 or other[1] <= one[0] + 1e-9
                for one, other in zip(a[:3], b[:3], strict=True)
            )
            # wide members of large kernels may be off the middle: there no two differ
            assert apart or min(a.a[0], b.a[0]) >= math.log(1.9), (first, a, second, b)


def test_the_kinds_of_a_size_are_those_with_enough_taps() -> None:
    assert kinds((3, 3)) == KINDS
    blobs = ("point", "centre", "disc", "plate")
    assert kinds((1, 11)) == (*blobs, "edge-x")
    assert kinds((31, 1)) == (*blobs, "edge-y")
    assert kinds((2, 2)) == ("point", "centre", "edge-x", "edge-y", "edge-d", "saddle")


def test_supported_sizes() -> None:
    for size in [*SIZES, (3,), (7,)]:
        assert supported(size)
    for size in [(), (2,), (1, 2), (1, 1), (3, 3, 3), (0, 3)]:
        assert not supported(size)


def test_unknown_classes_and_sizes_are_named_in_the_error() -> None:
    with pytest.raises(ValueError, match=r"is called 'blob'; there are on-.*checker"):
        member("blob", (7, 7))
    with pytest.raises(ValueError, match="no pattern class is called 'flat'"):
        member("flat", (7, 7))
    with pytest.raises(ValueError, match="flat: it has no 3×3×3 kernels"):
        member("on-centre", (3, 3, 3))
    with pytest.raises(ValueError, match="1×2 kernels have too few taps"):
        member("on-centre", (1, 2))


def test_one_dimensional_members_are_the_row_of_a_strip() -> None:
    row = member("edge-x", (9,), sigma=1.4)
    assert row.shape == (9,)
    np.testing.assert_array_equal(row, member("edge-x", (1, 9), sigma=1.4)[0])


def test_kinds_and_signs_of_the_classes() -> None:
    assert len(CLASS_KINDS) == len(FINE.patterns)
    found = dict(zip(IDS, CLASS_KINDS, strict=True))
    assert found["off-square"] == (("square",), -1)
    assert found["on-bar-h"] == (("ridge-h", "line-h"), 1)
    assert found["on-disc"] == (("disc", "plate"), 1)
    assert found["saddle"] == (("saddle",), 0)
    assert {kind for kinds, _ in CLASS_KINDS for kind in kinds} == set(KINDS)


def test_render_of_no_members() -> None:
    from kernelviewer.kernels.family import family_fit

    none = family_fit(np.empty((0, 7, 7), np.float32), device=CPU)
    assert render(none, (7, 7)).shape == (0, 7, 7)
