"""What `family_fit` finds, in kernels whose class is known and in trained ones."""

from __future__ import annotations

import csv
from functools import cache

import numpy as np
import pytest
import torch

from kernelviewer.device import CPU, Device
from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.classes import CLASSES, INDEX, PAPER
from kernelviewer.kernels.family import family_fit, member, render
from kernelviewer.kernels.family.fit import SPREAD
from kernelviewer.kernels.family.formulas import KINDS
from kernelviewer.kernels.family.members import CLASS_KINDS, bank
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

MIRRORED = {"edge-x": "edge-y", "edge-y": "edge-x"} | {
    f"{sign}-bar-{one}": f"{sign}-bar-{other}"
    for sign in ("on", "off")
    for one, other in ("vh", "hv")
}


@cache
def trained(file: str) -> np.ndarray:
    """The 7×7 kernels of a network that are not flat."""
    kernels = extract_kernels(open_checkpoint(CHECKPOINTS / file)).sizes[SIZE]
    return kernels.weights[~kernels.flat]


# Noise in units of the pattern's length; the share of right classes; the median errors
# of ln σ, angle (degrees) and offset (px).
LEVELS = [
    (0.0, 0.98, 0.002, 0.1, 0.002),
    (0.2, 0.96, 0.09, 2.0, 0.07),
    (0.5, 0.82, 0.20, 5.0, 0.20),
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

    if "disc" not in class_id:  # most of it is outside: surround and top stand for σ
        assert max(error("sigma_x"), error("sigma_y")) <= sigma
    assert max(error("offset_x"), error("offset_y")) <= offset
    assert error("angle") <= angle
    assert np.median(found.cosine) >= 1 / np.sqrt(1 + level**2) - 0.003


def test_negative_kernels_change_on_for_off() -> None:
    kernels = varied()
    one, other = fit(kernels), fit(-kernels)
    swapped = {item: f"off-{kind_of(item)}" for item in IDS if item[:3] == "on-"}
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
    derivative = same & np.char.startswith(IDS[one.class_index], "edge")
    np.testing.assert_allclose(
        np.median(np.abs(other.sigma_x - one.sigma_x)[derivative]), 0, atol=1e-3
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
        np.testing.assert_allclose(cosine, found.cosine, atol=3e-4)
        rows = np.arange(len(found))
        own = found.class_cosine[rows, found.class_index]
        np.testing.assert_array_equal(own, found.cosine)


def test_every_member_is_within_the_limits_of_its_class() -> None:
    found = fit(np.concatenate([noise(1500), varied()]), margin=2.0)
    kinds = np.array(KINDS)[found.kind]
    ids = IDS[found.class_index]
    x, y = np.abs(found.offset_x), np.abs(found.offset_y)
    far, near, slack = np.maximum(x, y), np.minimum(x, y), 1e-4
    narrow = np.minimum(found.sigma_x, found.sigma_y)
    blob = np.isin(kinds, ["point", "centre", "square", "disc", "plate"])
    ratio = np.maximum(found.sigma_x, found.sigma_y) / narrow
    assert (ratio[blob] <= 1.5 + slack).all()
    point, centre, square, cross, disc = (
        np.char.endswith(ids, f"-{base}")
        for base in ("point", "centre", "square", "cross", "disc")
    )
    mean = np.sqrt(found.sigma_x * found.sigma_y)
    assert (mean[blob] >= 0.35 - slack).all()
    assert (mean[point] <= 0.7 + slack).all()
    assert (mean[disc] >= 0.28 * 7 - slack).all()
    assert (mean[centre] <= 0.28 * 7 + slack).all()
    assert (far[point] <= 1.4 + slack).all()
    assert (far[centre | cross | disc] <= 0.5 + slack).all()
    assert ((near[square] >= 0.25 - slack) & (far[square] <= 0.75 + slack)).all()
    assert (ratio[cross] >= 2 - slack).all()
    assert (found.sigma_x[cross] >= 0.8 - slack).all()
    edge, bar = np.char.startswith(ids, "edge"), np.char.find(ids, "bar") >= 0
    assert (far[edge | bar] <= 1 + slack).all()
    longer = found.sigma_y / found.sigma_x
    assert (longer[bar] >= 1 - slack).all()
    assert (longer[np.char.startswith(kinds, "line")] >= 2 - slack).all()
    for ends, axis in (("-x", 0), ("-v", 0), ("-y", 90), ("-h", 90), ("-d", 45)):
        rows = np.char.endswith(ids, ends)
        turned = found.angle[rows] if axis else np.abs(found.angle[rows])
        turned = np.abs(turned) if axis == 45 else turned
        limit = 15 if axis == 45 else 30
        assert (np.abs(turned - axis) <= limit + 1e-3).all()
    assert (narrow[np.abs(found.angle % 90) > 1e-3] >= 0.5 / 1.5 - slack).all()
    assert (found.sign[np.char.startswith(ids, "on-")] == 1).all()
    assert (found.sign[np.char.startswith(ids, "off-")] == -1).all()


def test_a_third_of_all_directions_is_diagonal_and_a_tie_goes_to_x() -> None:
    at = np.arange(7) - 3.0
    x, y = at[None, :], at[:, None]
    gauss = np.exp(-(x**2 + y**2) / 2)
    angles = [0, 29, 31, 45, 59, 61, 90, 119, 121, 135, 149, 151]
    turned = np.radians(angles)
    edges = [(x * np.cos(t) + y * np.sin(t)) * gauss for t in turned]
    found = fit(np.stack(edges).astype(np.float32))
    ends = "xxdddyyydddx"
    assert list(IDS[found.class_index]) == [f"edge-{end}" for end in ends]
    # the paper's classes know no diagonal
    ids = [CLASSES[i].id for i in found.paper_index]
    assert ids == [f"d1-{end}" for end in "xxxxyyyyyxxx"]


def test_what_the_paper_calls_a_kernel() -> None:
    names = {
        "on-point": "on-centre",
        "off-disc": "off-centre",
        "on-square": "on-square",
        "on-ring": "off-centre",
        "on-bar-v": "d2-x",
        "off-bar-h": "d2-y",
        "saddle": "d2-xy",
        "checker": "unidentified",
    }
    sigma = {"on-point": 0.5, "off-disc": 2.5, "on-square": 1.1, "on-ring": 1.3}
    kernels = [member(item, SIZE, sigma=sigma.get(item, 0.9)) for item in names]
    found = fit(np.stack(kernels))
    assert list(IDS[found.class_index]) == list(names)
    assert [CLASSES[i].id for i in found.paper_index] == list(names.values())
    known = np.flatnonzero(np.isin(found.paper_index, PAPER.rows[:-2]))
    column = np.searchsorted(PAPER.rows, found.paper_index[known])
    own = found.paper_cosine[known, column]
    assert (own >= found.cosine[known]).all()


def test_a_kernel_between_two_classes_is_near_both() -> None:
    middle, between = (
        member("on-centre", SIZE, sigma=1.1, offset_x=at, offset_y=at)
        for at in (0.0, 0.25)
    )
    found = fit(np.stack([middle, between]))
    assert list(found.near) == [False, True]
    named = {IDS[found.class_index[1]], IDS[found.second_index[1]]}
    assert named == {"on-centre", "on-square"}
    assert (found.margin >= 0).all()


@pytest.mark.parametrize("size", [(7, 7), (4, 5), (1, 9)])
def test_all_members_that_come_near_speak_for_their_class(
    size: tuple[int, int],
) -> None:
    kernels = noise(100, size)
    if size == SIZE:
        kernels = np.concatenate([kernels, varied()])
    found, members = fit(kernels), bank(size, CPU)
    rows = kernels.reshape(len(kernels), -1).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosine = rows @ members.patterns.astype(np.float64)
    likelihood = np.zeros((len(rows), len(IDS)))
    for kind, low, high in members.kinds:
        for index, (kinds, sign) in enumerate(CLASS_KINDS):
            for way in (1, -1):
                if kind in kinds and way in (sign or way,):
                    some = np.exp(way * cosine[:, low:high] / SPREAD)
                    likelihood[:, index] += some @ members.common[low:high]
    there = likelihood[0] > 0
    score = SPREAD * np.log(likelihood[:, there])
    np.testing.assert_allclose(found.class_score[:, there], score, atol=1e-4)
    assert found.class_score[:, ~there].max(initial=-2) < found.class_score.min(0).max()
    ordered = np.sort(score, axis=1)
    np.testing.assert_allclose(found.margin, ordered[:, -1] - ordered[:, -2], atol=2e-4)
    number = np.arange(len(rows))
    for index, place in ((found.class_index, -1), (found.second_index, -2)):
        own = found.class_score[number, index]
        np.testing.assert_allclose(own, ordered[:, place], atol=2e-4)
    assert (found.second_index != found.class_index).all()


def test_of_two_classes_that_fit_alike_the_commoner_is_chosen() -> None:
    """A tap with its opposite neighbour: both halves of an edge, or a point."""
    kernels = np.zeros((3, 7, 7), np.float32)
    kernels[:, 3, 3] = 1
    kernels[:, 3, 4] = -0.15, -0.75, -1
    found = fit(kernels)
    assert list(IDS[found.class_index]) == ["on-point", "edge-x", "edge-x"]
    gains = found.class_cosine[:, IDS == "on-cross"].max(axis=1) - found.cosine
    assert (gains < 0.1).all()


def test_a_name_survives_noise_of_half_the_residual() -> None:
    """As measured on networks, on kernels as far from the family as theirs are."""
    kernels = varied() + 0.35 * noise(len(varied()), seed=5)
    found = fit(kernels)
    rows = kernels - kernels.mean((1, 2), keepdims=True)
    rows /= np.sqrt((rows**2).sum((1, 2), keepdims=True))
    half = np.sqrt(1 - found.cosine**2) / 2
    again = fit(rows + half[:, None, None] * noise(len(rows), seed=6))
    assert (again.class_index == found.class_index).mean() > 0.93


def test_refining_never_makes_a_fit_worse() -> None:
    kernels = np.concatenate([noise(300), varied()])
    coarse, fine = fit(kernels, refine=False), fit(kernels)
    every = fit(kernels, margin=2.0)
    assert (fine.class_cosine >= coarse.class_cosine - 1e-5).all()
    assert (every.class_cosine >= fine.class_cosine - 1e-5).all()
    assert fine.cosine.mean() > coarse.cosine.mean() + 0.01


def test_white_noise_stays_unlike_the_family() -> None:
    cosine = fit(noise(5_000)).cosine
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
    # how many classes are refined has no say in the names
    every = fit(kernels, margin=2.0)
    assert (every.class_index == found.class_index).all()


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
    # 1 to 4 are differences of neighbours, 5 and 6 derivatives, 7 and 8 blobs
    along_y, along_x, centre = "d1-y", "d1-x", "on-centre"
    assert [CLASSES[i].id for i in found.paper_index] == [
        along_y, along_x, along_y, along_x, along_x, along_y, centre, centre,
    ]  # fmt: skip
    # one tap of 1 is four times the other, which is a point to the eye
    assert list(IDS[found.class_index]) == [
        *("on-point", "edge-x", "edge-y", "edge-x", "edge-x", "edge-y"),
        *("on-point", "on-point"),
    ]
    assert (found.cosine >= 0.92).all()


def test_a_lone_tap_beside_the_middle_stays_a_centre_to_the_paper() -> None:
    kernels = np.zeros((3, 7, 7), np.float32)
    kernels[:, 4, 3] = 1
    kernels[1, 3, 3] = -0.2
    kernels[2, 4, 2] = -0.2
    found = fit(kernels)
    assert set(IDS[found.class_index]) == {"on-point"}
    ids = [CLASSES[i].id for i in found.paper_index]
    assert ids == ["on-centre", "d1-y", "d1-x"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_the_cpu_and_the_gpu_agree() -> None:
    kernels = np.concatenate([noise(3000), varied()])
    one, other = fit(kernels), family_fit(kernels, device=Device("cuda"))
    assert (one.class_index == other.class_index).mean() > 0.99
    np.testing.assert_allclose(other.cosine, one.cosine, atol=5e-3)
