"""The shipped autoencoders on real kernels, and the targets they were made for."""

from __future__ import annotations

import csv
import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.files import resource
from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels, size_key, size_label
from kernelviewer.kernels.classes import CLASSES, PAPER, SCHEMES
from kernelviewer.kernels.family import family_fit
from kernelviewer.kernels.statistics import patterns
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.finishing import measure_null
from kernelviewer.latent.labels import agreement, label
from kernelviewer.latent.stretches import common_classes
from tests.latent.made import CPU
from tests.shared import CHECKPOINTS, SHARED, needs_checkpoints

if TYPE_CHECKING:
    from kernelviewer.kernels import KernelBank
    from kernelviewer.latent.autoencoder import Autoencoder

SIZES = ((3, 3), (5, 5), (7, 7), (9, 9))
TRAINED = {
    (7, 7): (
        "hfenet-x4-ntire2026-team10.bin",
        "mcunet-in4-pruned-cifar10-statedict-sanchoo1.pth",
        "proxylessnas-w0.3-imagenet-flaxlayout.npz",
        "rfdnext-x4-ntire2022-team38.pth",
        "ppocrv6-det-small-rapidocr.onnx",
        "lkdnet-s-its-swu.pth",
        "mcunet-vww-int8-tinyengine.tflite",
        "mcunet-in3-cifar100-best-sanchoo1.pth",
    ),
    (5, 5): ("vapsr-x4-zhoumumu.pth", "nanotrack-v1-honglinchu.pth"),
    (3, 3): (
        "deimv2-atto-coco-intellindust.safetensors",
        "mdan-x4-ntire2022-team23.pt",
    ),
    (9, 9): ("cfsr-x2-df2k-aitical.pth",),
}
LEAST_MEAN_FIT = {(7, 7): 0.76, (5, 5): 0.8, (3, 3): 0.88, (9, 9): 0.8}
UNTRAINED = "UNTRAINED-mcunetv2-large-int8-tinyengine.tflite"


def known(size: tuple[int, ...]) -> Autoencoder:
    found = shipped(size)
    assert found is not None
    return found


@cache
def bank(name: str) -> KernelBank:
    return extract_kernels(open_checkpoint(CHECKPOINTS / name))


@cache
def kernels_of(size: tuple[int, ...]) -> np.ndarray:
    """Patterns of some trained networks."""
    found = []
    for name in TRAINED[size]:
        some = bank(name).sizes[size]
        there = ~some.flat
        found.append(
            patterns(some.weights[there], some.scale[there], some.offset[there])
        )
    return np.concatenate(found)


@cache
def master_filters() -> np.ndarray:
    path = SHARED / "reference" / "master_key_filters.csv"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    found = np.zeros((8, 7, 7), np.float32)
    for row in csv.DictReader(lines):
        at = int(row["filter"]) - 1, int(row["row"]), int(row["column"])
        found[at] = float(row["value"])
    return found


@needs_checkpoints
@pytest.mark.parametrize("size", SIZES)
def test_trained_kernels_fit(size: tuple[int, int]) -> None:
    codes = known(size).encode(kernels_of(size), device=CPU)
    assert codes.mean_fit > LEAST_MEAN_FIT[size]
    found = label(codes, known(size).stretches, known(size).threshold)
    assert found.coverage > known(size).null.coverage(known(size).threshold) + 0.3


@needs_checkpoints
def test_names_hold_for_the_identified_7x7_kernels() -> None:
    kernels = kernels_of((7, 7))
    codes = known((7, 7)).encode(kernels, device=CPU)
    found = label(codes, known((7, 7)).stretches, known((7, 7)).threshold)
    agreed = agreement(found, family_fit(kernels, device=CPU))
    assert agreed.within >= 0.93
    assert agreed.exact >= 0.8


@needs_checkpoints
@pytest.mark.parametrize("size", [(3, 3), (5, 5), (7, 7)])
def test_no_common_class_is_without_a_stretch(size: tuple[int, int]) -> None:
    own = family_fit(kernels_of(size), device=CPU)
    # a margin: the training data had other networks too
    common = np.flatnonzero(common_classes(own.paper_index, 0.03))
    named = {item.class_index for item in known(size).stretches}
    assert {PAPER.rows[i] for i in common} <= named


@pytest.mark.parametrize("size", [(5, 5), (7, 7)])
def test_every_class_has_a_stretch(size: tuple[int, int]) -> None:
    named = {CLASSES[item.class_index].id for item in known(size).stretches}
    assert named == {item.id for item in PAPER.patterns}


@pytest.mark.parametrize("size", [(3, 3), (5, 5), (7, 7)])
def test_the_card_tells_what_was_reached_on_unseen_networks(
    size: tuple[int, int],
) -> None:
    path = resource("autoencoders", "evaluation.json")
    judged = json.loads(path.read_text())["sizes"][size_key(size)]["left_out"]
    fits = {
        method: np.array([item["methods"][method]["mean_fit"] for item in judged])
        for method in ("curve", "k-means 100", "paper")
    }
    assert len(judged) >= 8
    assert (fits["curve"] >= fits["k-means 100"]).all()
    assert fits["curve"].mean() >= fits["paper"].mean() + 0.1
    card = resource("autoencoders", "MODEL_CARD.md").read_text()
    assert f"**{fits['curve'].mean():.3f}**" in card
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    assert f"| {size_label(size)} | {fits['curve'].mean():.3f} |" in readme


@pytest.mark.parametrize("size", SIZES)
def test_the_spectrum_is_readable(size: tuple[int, int]) -> None:
    stretches = known(size).stretches
    assert len(stretches) <= 24
    assert min(item.high - item.low for item in stretches) >= 0.01
    assert all(a.class_id != b.class_id for a, b in pairwise(stretches))
    table = known(size).spectrum(2048).reshape(2048, -1)
    beside = np.einsum("ij,ij->i", table[1:], table[:-1])
    assert beside.min() > 0.9
    assert np.quantile(beside, 0.05) > 0.99


@needs_checkpoints
def test_stretches_are_as_long_as_kernels_live_there() -> None:
    codes = known((7, 7)).encode(kernels_of((7, 7)), device=CPU).code
    stretches = known((7, 7)).stretches
    borders = [item.low for item in stretches] + [1.0]
    share = np.histogram(codes, borders)[0] / len(codes)
    assert np.corrcoef(share, np.diff(borders))[0, 1] > 0.8


@pytest.mark.parametrize("size", SIZES)
def test_fresh_noise_stays_out(size: tuple[int, int]) -> None:
    fresh = measure_null(known(size), count=30_000, seed=123, device=CPU)
    most = 0.001 if size == (7, 7) else 0.012
    assert fresh.coverage(known(size).threshold) <= most


@needs_checkpoints
def test_the_untrained_network_is_covered_no_more_than_noise() -> None:
    for size, kernels in bank(UNTRAINED).sizes.items():
        codes = known(size).encode_set(kernels, device=CPU)
        threshold = known(size).threshold
        found = label(codes, known(size).stretches, threshold)
        assert abs(found.coverage - known(size).null.coverage(threshold)) <= 0.01


@needs_checkpoints
def test_the_master_key_filters_have_their_classes() -> None:
    filters = master_filters()
    codes = known((7, 7)).encode(filters, device=CPU)
    found = label(codes, known((7, 7)).stretches, known((7, 7)).threshold)
    named = [CLASSES[i].id for i in found.best_class]
    assert named[4:] == ["d1-x", "d1-y", "on-centre", "on-centre"]
    own = [CLASSES[i].id for i in family_fit(filters, device=CPU).paper_index]
    assert own == ["d1-y", "d1-x", "d1-y", "d1-x", *named[4:]]
    # the code takes those whose one tap is more than twice the other for points
    assert all(
        one in (other, "on-centre") for one, other in zip(named, own, strict=True)
    )
    assert (codes.fit[4:] >= 0.9).all()


def test_the_bundled_network_is_named() -> None:
    try:
        path = resource("sample", "sample.safetensors")
    except FileNotFoundError:
        pytest.skip("this clone has no sample")
    kernels = extract_kernels(open_checkpoint(path)).sizes[(7, 7)]
    codes = known((7, 7)).encode_set(kernels, device=CPU)
    found = label(codes, known((7, 7)).stretches, known((7, 7)).threshold)
    # a network that no autoencoder was trained on
    assert codes.mean_fit >= 0.78
    assert found.coverage > 0.65
    assert sum(count > 0 for count in found.counts().values()) >= 9
    own = family_fit(kernels.weights[~kernels.flat], device=CPU)
    for scheme in SCHEMES.values():
        named = label(codes, known((7, 7)).stretches, known((7, 7)).threshold, scheme)
        assert agreement(named, own).exact >= 0.7


def test_where_no_unseen_network_was_judged_the_family_names() -> None:
    naming = {size: known(size).default_naming for size in SIZES}
    assert naming == dict.fromkeys(SIZES, "code") | {(9, 9): "family"}
