"""The members of the pattern family: formulas, slopes, sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kernelviewer.device import CPU, Device, host
from kernelviewer.kernels.classes import PATTERNS
from kernelviewer.kernels.family import member, render, supported
from kernelviewer.kernels.family.formulas import KINDS, planes, planes_and_slopes
from kernelviewer.kernels.family.grid import bank
from kernelviewer.kernels.family.members import CLASS_KINDS
from kernelviewer.kernels.family.regions import boxes, kinds

IDS = [item.id for item in PATTERNS]
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
    long, short = 2.0, 0.6
    arms = [
        np.exp(-(a**2) / (2 * long**2) - b**2 / (2 * short**2))
        for a, b in ((x, y), (y, x))
    ]
    turned = (x * math.cos(0.5) + y * math.sin(0.5)) / 1.3
    expected = {
        "on-centre": gauss - 0.5 * wide,
        "off-centre": 0.5 * wide - gauss,
        "on-cross": arms[0] + arms[1],
        "d1-x": -turned * gauss,
        "d2-x": (turned**2 - 1) * gauss,
    }
    made = {
        "on-centre": member("on-centre", (9, 9), sigma=1.3, gamma=0.5),
        "off-centre": member("off-centre", (9, 9), sigma=1.3, gamma=0.5),
        "on-cross": member("on-cross", (9, 9), sigma_x=long, sigma_y=short),
        "d1-x": member("d1-x", (9, 9), sigma=1.3, angle=math.degrees(0.5)),
        "d2-x": member("d2-x", (9, 9), sigma=1.3, angle=math.degrees(0.5)),
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


def test_on_and_off_are_negatives_and_derivatives_have_both_signs() -> None:
    for name in ("centre", "square", "cross"):
        on, off = member(f"on-{name}", (7, 7)), member(f"off-{name}", (7, 7))
        np.testing.assert_array_equal(on, -off)
        assert np.abs(on).max() == on.max()
    for name in ("d1-x", "d1-y", "d2-x", "d2-y", "d2-xy"):
        negative = member(name, (7, 7), sign=-1)
        np.testing.assert_array_equal(negative, -member(name, (7, 7)))


def test_turning_by_a_right_angle_takes_x_to_y() -> None:
    for order in ("d1", "d2"):
        x, y = (member(f"{order}-{axis}", (7, 7), sigma=1.1) for axis in "xy")
        np.testing.assert_allclose(x.T, y, atol=1e-5)
        turned = member(f"{order}-x", (7, 7), sigma=1.1, angle=90)
        np.testing.assert_allclose(turned, y, atol=1e-5)
    saddle = member("d2-xy", (7, 7), sigma=1.1, angle=45)
    half = member("d2-y", (7, 7), sigma=1.1) - member("d2-x", (7, 7), sigma=1.1)
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


@pytest.mark.parametrize("size", [(7, 7), (6, 7), (31, 31)])
def test_centre_and_square_do_not_overlap(size: tuple[int, int]) -> None:
    for a in boxes("centre", size):
        for b in boxes("square", size):
            apart = any(
                one[1] <= other[0] or other[1] <= one[0]
                for one, other in zip(a[:3], b[:3], strict=True)
            )
            assert apart, (a, b)


def test_the_kinds_of_a_size_are_those_with_enough_taps() -> None:
    assert kinds((3, 3)) == KINDS
    assert kinds((1, 11)) == ("centre", "d1-x", "d2-x")
    assert kinds((31, 1)) == ("centre", "d1-y", "d2-y")
    assert kinds((2, 2)) == ("centre", "d1-x", "d1-y", "d2-xy")


def test_supported_sizes() -> None:
    for size in [*SIZES, (3,), (7,)]:
        assert supported(size)
    for size in [(), (2,), (1, 2), (1, 1), (3, 3, 3), (0, 3)]:
        assert not supported(size)


def test_unknown_classes_and_sizes_are_named_in_the_error() -> None:
    with pytest.raises(ValueError, match=r"is called 'blob'; there are on-.*d2-xy"):
        member("blob", (7, 7))
    with pytest.raises(ValueError, match="no pattern class is called 'flat'"):
        member("flat", (7, 7))
    with pytest.raises(ValueError, match="flat: it has no 3×3×3 kernels"):
        member("on-centre", (3, 3, 3))
    with pytest.raises(ValueError, match="1×2 kernels have too few taps"):
        member("on-centre", (1, 2))


def test_one_dimensional_members_are_the_row_of_a_strip() -> None:
    row = member("d2-x", (9,), sigma=1.4)
    assert row.shape == (9,)
    np.testing.assert_array_equal(row, member("d2-x", (1, 9), sigma=1.4)[0])


def test_kinds_and_signs_of_the_classes() -> None:
    assert len(CLASS_KINDS) == len(PATTERNS)
    assert dict(zip(IDS, CLASS_KINDS, strict=True))["off-square"] == ("square", -1)
    assert dict(zip(IDS, CLASS_KINDS, strict=True))["d2-xy"] == ("d2-xy", 0)


def test_render_of_no_members() -> None:
    from kernelviewer.kernels.family import family_fit

    none = family_fit(np.empty((0, 7, 7), np.float32), device=CPU)
    assert render(none, (7, 7)).shape == (0, 7, 7)
