"""What `family_fit` takes: other sizes, few kernels, bad values, a wish to stop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kernelviewer import device
from kernelviewer.kernels.family import family_fit, member
from tests.kernels.family_made import CPU, IDS, fit, noise, varied
from tests.recorder import EndedError, Recorder

BLOBS = ("point", "centre", "disc")
PLAIN = ["on-centre", "off-centre", "edge-x", "edge-y", "edge-d", "saddle"]


@pytest.mark.parametrize(
    ("size", "sigma", "classes"),
    [
        ((31, 31), 4.0, [*PLAIN, "on-bar-v", "off-bar-d"]),
        ((51, 51), 8.0, [*PLAIN, "on-bar-v", "off-bar-d"]),
        ((13, 13), 1.5, [*PLAIN, "on-bar-h", "off-bar-d"]),
        ((9, 9), 1.2, [*PLAIN, "on-square", "on-bar-h", "checker", "on-ring"]),
        ((5, 5), 1.0, [*PLAIN, "on-square", "checker"]),
        ((6, 6), 1.0, [*PLAIN, "on-square"]),
        ((1, 11), 1.2, ["on-centre", "off-centre", "edge-x"]),
        ((31, 1), 2.5, ["on-centre", "off-centre", "edge-y"]),
        ((9,), 1.2, ["on-centre", "off-centre", "edge-x"]),
    ],
)
def test_members_of_other_sizes_are_found(
    size: tuple[int, ...], sigma: float, classes: list[str]
) -> None:
    even = all(taps % 2 == 0 for taps in size)
    kernels = []
    for item in classes:
        offset = 0.5 if even and "centre" in item else None
        longer = 1.5 * sigma if "bar" in item else None
        plane = member(
            item, size, sigma=sigma, sigma_y=longer, offset_x=offset, offset_y=offset
        )
        kernels.append(plane)
    found = fit(np.stack(kernels) + 0.05 * noise(len(kernels), size))
    assert list(IDS[found.class_index]) == list(classes)
    assert (found.cosine > 0.98).all()
    np.testing.assert_allclose(found.sigma_x, sigma, rtol=0.2)


def test_classes_without_taps_for_them_have_cosine_minus_one() -> None:
    found = fit(noise(5, (1, 11)))
    there = [f"{sign}-{base}" for sign in ("on", "off") for base in BLOBS]
    missing = ~np.isin(IDS, [*there, "edge-x"])
    assert (found.class_cosine[:, missing] == -1).all()
    assert (found.class_cosine[:, ~missing] > -1).all()
    assert (found.offset_y == 0).all()
    assert (found.angle == 0).all()


def test_one_dimensional_kernels_are_strips() -> None:
    rows = noise(20, (11,))
    line, strip = fit(rows), fit(rows[:, None, :])
    assert line.size == (11,)
    assert np.array_equal(line.class_index, strip.class_index)
    assert np.array_equal(line.cosine, strip.cosine)


def test_no_kernels_and_one_kernel() -> None:
    none = fit(np.empty((0, 7, 7), np.float32))
    assert len(none) == 0
    assert none.class_cosine.shape == (0, len(IDS))
    kernels = varied()
    all_of_them, one = fit(kernels), fit(kernels[5:6])
    assert len(one) == 1
    assert one.class_index[0] == all_of_them.class_index[5]
    assert one.cosine[0] == pytest.approx(all_of_them.cosine[5], abs=1e-5)


def test_the_same_kernels_give_the_same_fit() -> None:
    kernels = varied()
    kernels.flags.writeable = False
    one, other = fit(kernels), family_fit(torch.tensor(kernels), device=CPU)
    for name in ("class_index", "sign", "cosine", "sigma_x", "angle", "class_cosine"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_kernels_that_are_not_finite_are_named(value: float) -> None:
    kernels = noise(20)
    kernels[11, 2, 3] = value
    with pytest.raises(ValueError, match="kernel 11 has values that are not finite"):
        fit(kernels)


@pytest.mark.parametrize("value", [0.0, 0.1, 7e20])
def test_constant_kernels_are_named(value: float) -> None:
    kernels = noise(20)
    kernels[3] = value
    with pytest.raises(ValueError, match="kernel 3 is constant"):
        fit(kernels)


def test_sizes_without_a_family_are_refused() -> None:
    with pytest.raises(ValueError, match="no 3×3×3 kernels"):
        fit(noise(2, (3, 3, 3)))
    with pytest.raises(ValueError, match="1×2 kernels have too few taps"):
        fit(noise(2, (1, 2)))
    with pytest.raises(ValueError, match=r"\[N, rows, columns\]"):
        fit(np.ones(3, np.float32))


def test_progress_is_told_and_a_check_ends_the_fit() -> None:
    kernels, watch = noise(12_000), Recorder()
    fit(kernels, refine=False, watch=watch)
    told = [state[:2] for state in watch.told]
    assert told[-1] == (12_000, 12_000)
    assert len(told) > 1
    assert told == sorted(told)
    with pytest.raises(EndedError):
        fit(kernels, refine=False, watch=Recorder(end=2))


def test_batches_side_by_side_are_fitted_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernels = noise(700)
    whole = fit(kernels)
    monkeypatch.setitem(device._TAPS, "numpy", 256 * 49)
    monkeypatch.setattr(device, "threads", lambda: 3)
    watch = Recorder()
    parts = fit(kernels, watch=watch)
    np.testing.assert_array_equal(parts.class_index, whole.class_index)
    np.testing.assert_allclose(parts.cosine, whole.cosine, atol=1e-5)
    assert [done for done, *_ in watch.told] == [256, 512, 700]
    with pytest.raises(EndedError):
        fit(kernels, watch=Recorder(end=1))
