"""What `family_fit` finds, in kernels whose class is known and in trained ones."""

from __future__ import annotations

import csv
from functools import cache

import numpy as np
import pytest
import torch

from kernelviewer.device import Device
from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.classes import INDEX
from kernelviewer.kernels.family import family_fit, render
from tests.kernels.family_made import (
    COUNT,
    IDS,
    SIZE,
    draw,
    fit,
    kind_of,
    noise,
    varied,
)
from tests.shared import CHECKPOINTS, SHARED, needs_checkpoints

MIRRORED = {"d1-x": "d1-y", "d1-y": "d1-x", "d2-x": "d2-y", "d2-y": "d2-x"}


@cache
def trained(file: str) -> np.ndarray:
    """The 7×7 kernels of a network that are not flat."""
    kernels = extract_kernels(open_checkpoint(CHECKPOINTS / file)).sizes[SIZE]
    return kernels.weights[~kernels.flat]


# Noise in units of the pattern's length; the share of right classes; the median errors
# of ln σ, angle (degrees) and offset (px).
LEVELS = [
    (0.0, 1.0, 0.002, 0.1, 0.002),
    (0.1, 1.0, 0.04, 1.0, 0.03),
    (0.2, 0.97, 0.06, 2.0, 0.05),
    (0.3, 0.95, 0.10, 3.0, 0.08),
    (0.5, 0.85, 0.20, 5.0, 0.15),
]


@pytest.mark.parametrize("class_id", IDS)
@pytest.mark.parametrize(("level", "share", "sigma", "angle", "offset"), LEVELS)
def test_known_members_are_found_again(
    class_id: str,
    level: float,
    share: float,
    sigma: float,
    angle: float,
    offset: float,
) -> None:
    true = draw(class_id, np.random.default_rng(3))
    found = fit(render(true, SIZE) + level * noise(COUNT))
    right = found.class_index == INDEX[class_id]
    assert right.mean() >= share
    assert (found.sign[right] == true.sign[right]).all()

    def error(name: str) -> float:
        one, other = getattr(found, name)[right], getattr(true, name)[right]
        if name.startswith("sigma"):
            one, other = np.log(one), np.log(other)
        return float(np.median(np.abs(one - other)))

    assert max(error("sigma_x"), error("sigma_y")) <= sigma
    assert max(error("offset_x"), error("offset_y")) <= offset
    assert error("angle") <= angle
    assert np.median(found.cosine) >= 1 / np.sqrt(1 + level**2) - 0.003


def test_negative_kernels_change_on_for_off() -> None:
    kernels = varied()
    one, other = fit(kernels), fit(-kernels)
    swapped = {f"on-{kind}": f"off-{kind}" for kind in ("centre", "square", "cross")}
    swapped |= {off: on for on, off in swapped.items()}
    expected = [swapped.get(item, item) for item in IDS[one.class_index]]
    assert list(IDS[other.class_index]) == expected
    assert (other.sign == -one.sign).all()
    np.testing.assert_allclose(other.cosine, one.cosine, atol=1e-5)
    np.testing.assert_allclose(other.sigma_x, one.sigma_x, rtol=1e-3)


@pytest.mark.parametrize("turn", ["transpose", "rotate"])
def test_mirrored_and_turned_kernels_change_x_for_y(turn: str) -> None:
    kernels = varied()
    if turn == "transpose":
        moved = kernels.transpose(0, 2, 1)
    else:
        moved = np.rot90(kernels, axes=(1, 2))
    one, other = fit(kernels), fit(moved)
    expected = np.array([MIRRORED.get(item, item) for item in IDS[one.class_index]])
    same = IDS[other.class_index] == expected
    assert same.mean() >= 0.98
    np.testing.assert_allclose(other.cosine, one.cosine, atol=5e-3)
    derivative = same & np.char.startswith(IDS[one.class_index], "d")
    np.testing.assert_allclose(
        np.median(np.abs(other.sigma_y - one.sigma_x)[derivative]), 0, atol=1e-3
    )
    offset = other.offset_y if turn == "transpose" else -other.offset_y
    np.testing.assert_allclose(
        np.median(np.abs(offset - one.offset_x)[derivative]), 0, atol=1e-3
    )


def test_means_and_lengths_do_not_matter() -> None:
    kernels = varied()
    one, other = fit(kernels), fit(1e4 * kernels + 3)
    np.testing.assert_allclose(other.cosine, one.cosine, atol=1e-3)
    assert (other.class_index == one.class_index).mean() > 0.98
    tiny = fit((kernels * 1e-30).astype(np.float32))
    np.testing.assert_allclose(tiny.cosine, one.cosine, atol=1e-3)


def test_render_gives_the_member_whose_cosine_is_reported() -> None:
    for size in [SIZE, (6, 6), (1, 11), (3, 3)]:
        kernels = noise(200, size)
        found = fit(kernels)
        patterns = kernels - kernels.mean((1, 2), keepdims=True)
        patterns /= np.sqrt((patterns**2).sum((1, 2), keepdims=True))
        cosine = (patterns * render(found, size)).sum((1, 2))
        np.testing.assert_allclose(cosine, found.cosine, atol=1e-4)
        best = found.class_cosine.max(1)
        np.testing.assert_allclose(best, found.cosine, atol=1.1e-5)


def test_every_member_is_within_the_limits_of_its_class() -> None:
    found = fit(np.concatenate([noise(1500), varied()]), margin=2.0)
    kinds = np.array([kind_of(item) for item in IDS])[found.class_index]
    x, y = np.abs(found.offset_x), np.abs(found.offset_y)
    far, near, slack = np.maximum(x, y), np.minimum(x, y), 1e-4
    narrow = np.minimum(found.sigma_x, found.sigma_y)
    blob = np.isin(kinds, ["centre", "square"])
    ratio = np.maximum(found.sigma_x, found.sigma_y) / narrow
    assert (narrow >= 0.35 / np.sqrt(1.5) - slack).all()
    assert (ratio[blob] <= 1.5 + slack).all()
    assert ((found.gamma >= 0) & (found.gamma <= 1)).all()
    centre, square, cross = (kinds == kind for kind in ("centre", "square", "cross"))
    assert (far[centre | cross] <= 0.5 + slack).all()
    assert (near[centre] <= 0.25 + slack).all()
    assert ((near[square] >= 0.25 - slack) & (far[square] <= 0.75 + slack)).all()
    assert (2.355 * np.sqrt(found.sigma_x * found.sigma_y)[square] >= 1.199).all()
    assert (ratio[cross] >= 2 - slack).all()
    derivative = np.char.startswith(kinds, "d")
    assert (far[derivative] <= 1 + slack).all()
    turned = np.abs(found.angle) > 0
    assert (derivative | ~turned).all()
    assert (np.abs(found.angle) <= np.where(kinds == "d2-xy", 22.5, 45) + 1e-3).all()
    second = turned & np.char.startswith(kinds, "d2")
    assert (narrow[second] >= 0.7 - slack).all()
    assert (found.sign[np.char.startswith(IDS[found.class_index], "on-")] == 1).all()
    assert (found.sign[np.char.startswith(IDS[found.class_index], "off-")] == -1).all()


def test_a_tie_between_the_axes_goes_to_x() -> None:
    at = np.arange(7) - 3.0
    x, y = at[None, :], at[:, None]
    gauss = np.exp(-(x**2 + y**2) / 2)
    diagonal = np.stack([(x + y) * gauss, (x - y) * gauss, -(x + y) * gauss])
    found = fit(diagonal.astype(np.float32))
    assert list(IDS[found.class_index]) == ["d1-x"] * 3
    np.testing.assert_allclose(np.abs(found.angle), 45, atol=1e-2)


def test_refining_never_makes_a_fit_worse() -> None:
    kernels = np.concatenate([noise(300), varied()])
    coarse, fine = fit(kernels, refine=False), fit(kernels)
    every = fit(kernels, margin=2.0)
    assert (fine.class_cosine >= coarse.class_cosine - 1e-5).all()
    assert (every.class_cosine >= fine.class_cosine - 1e-5).all()
    assert fine.cosine.mean() > coarse.cosine.mean() + 0.01


def test_white_noise_stays_unlike_the_family() -> None:
    cosine = fit(noise(20_000)).cosine
    assert (cosine > 0.7).mean() <= 0.001
    assert np.quantile(cosine, 0.99) < 0.65


# Mean cosines that were measured, less 0.01.
@needs_checkpoints
@pytest.mark.parametrize(
    ("file", "mean"),
    [
        ("mcunet-in4-pruned-cifar10-statedict-sanchoo1.pth", 0.88),
        ("rfdnext-x4-ntire2022-team38.pth", 0.876),
        ("hfenet-x4-ntire2026-team10.bin", 0.879),
        ("proxylessnas-w0.3-imagenet-flaxlayout.npz", 0.813),
    ],
)
def test_trained_kernels_are_explained_far_better_than_noise(
    file: str, mean: float
) -> None:
    kernels = trained(file)
    found = fit(kernels)
    assert found.cosine.mean() >= mean
    assert found.cosine.mean() >= fit(kernels, refine=False).cosine.mean() + 0.015
    # refining all classes hardly changes the names
    every = fit(kernels, margin=2.0)
    assert (every.class_index == found.class_index).mean() > 0.93


@needs_checkpoints
def test_an_untrained_network_is_like_noise() -> None:
    kernels = trained("UNTRAINED-mcunetv2-large-int8-tinyengine.tflite")
    cosine = fit(kernels).cosine
    assert cosine.mean() == pytest.approx(fit(noise(2000)).cosine.mean(), abs=0.04)
    assert (cosine > 0.7).mean() < 0.005


@needs_checkpoints
def test_the_master_key_filters_have_the_classes_of_the_literature() -> None:
    path = SHARED / "reference" / "master_key_filters.csv"
    kernels = np.zeros((8, 7, 7), np.float32)
    lines = [line for line in path.read_text().splitlines() if line[0] != "#"]
    for row in csv.DictReader(lines):
        at = int(row["filter"]) - 1, int(row["row"]), int(row["column"])
        kernels[at] = float(row["value"])
    found = fit(kernels)
    along_y, along_x, centre = "d1-y", "d1-x", "on-centre"
    assert list(IDS[found.class_index]) == [
        along_y, along_x, along_y, along_x, along_x, along_y, centre, centre,
    ]  # fmt: skip
    assert found.cosine[0] >= 0.84
    assert (found.cosine[1:] >= 0.9).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_the_cpu_and_the_gpu_agree() -> None:
    kernels = np.concatenate([noise(3000), varied()])
    one, other = fit(kernels), family_fit(kernels, device=Device("cuda"))
    assert (one.class_index == other.class_index).mean() > 0.99
    np.testing.assert_allclose(other.cosine, one.cosine, atol=5e-3)
