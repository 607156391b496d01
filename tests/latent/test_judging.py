"""Judging, and the null test: what is trained must differ from what is not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.files import cache_dir
from kernelviewer.kernels import KernelBank, LayerInfo
from kernelviewer.latent import LatentError
from kernelviewer.latent.evaluation import (
    Baselines,
    by_layer,
    centroids_of,
    judge,
    leave_one_family_out,
    mean_rows,
)
from kernelviewer.latent.family_null import cached, content_hash
from kernelviewer.latent.finishing import measure_null
from kernelviewer.latent.noise_control import null_test, shuffled, untrained_kernels
from kernelviewer.latent.training import SWEEPS, TrainingOptions
from tests.latent.made import CPU, SIZE, networks, patterns, small

if TYPE_CHECKING:
    from collections.abc import Callable


def bank(name: str = "network-0.pth", architecture: str = "") -> KernelBank:
    layer = LayerInfo("conv", "depthwise", 600, SIZE, "float32")
    return KernelBank(
        Path(name),
        name,
        "made",
        0,
        (layer,),
        {SIZE: None},  # type: ignore[dict-item]
        architecture=architecture,
    )


def test_a_judgement_has_all_methods_beside_each_other() -> None:
    seen = networks(2, 400)
    contest = Baselines(small(), small("paper"), {9: centroids_of(seen, 9)})
    kernels, _ = patterns(300, noise=0.3, seed=70)
    found = judge(contest, "unseen", kernels, device=CPU)
    assert [row.method for row in found.rows] == [
        "curve",
        "paper",
        "k-means 9",
        "family",
    ]
    curve = found.row("curve")
    codes = small().encode(kernels, device=CPU)
    assert curve.mean_fit == pytest.approx(codes.mean_fit)
    assert curve.coverage == pytest.approx((codes.fit >= found.threshold).mean())
    assert curve.null_coverage == small().null.coverage(found.threshold)
    assert curve.arc_length == pytest.approx(small().arc_length)
    # the class with most evidence: a little less than the best
    assert found.row("family").mean_fit > curve.mean_fit - 0.01
    assert 0 <= found.row("family").null_coverage < 0.01
    for names in (found.names["fine"], found.names["paper"]):
        assert names.within >= names.exact > 0.5
    assert found.to_json()["methods"]["k-means 9"]["arc_length"] is None


def test_no_kernels_are_judged_as_nothing() -> None:
    found = judge(Baselines(small(), None, {}), "none", patterns(0)[0], device=CPU)
    assert found.kernels == 0
    assert found.to_json()["methods"]["curve"]["mean_fit"] is None


def test_each_family_is_left_out_once() -> None:
    some = networks(2, 60)
    options = TrainingOptions(sweeps=1)
    found = list(
        leave_one_family_out(SIZE, some, options=options, threshold=0.9, device=CPU)
    )
    assert [item.name for item in found] == [item.name for item in some]
    assert set(mean_rows(found)) >= {"curve", "paper", "k-means 100", "family"}
    assert {item.threshold for item in found} == {0.9}


def test_one_family_alone_cannot_be_left_out() -> None:
    for some, there in ((networks(1, 60), r"one \(network-0.pth\)"), ([], "none")):
        with pytest.raises(LatentError, match=f"two or more with 7×7.* is {there}"):
            list(leave_one_family_out(SIZE, some, device=CPU))


def test_a_network_is_split_by_its_layers() -> None:
    (whole,) = networks(1, 400)
    even, odd = by_layer(whole)
    assert len(even) == len(odd) == 200
    assert set(np.unique(even.layer)) == {0, 2}
    assert even.family != odd.family


def test_fresh_noise_is_covered_as_the_null_says() -> None:
    known = small()
    fresh = measure_null(known, count=20_000, seed=5, device=CPU)
    for share in (0.01, 0.05):
        threshold = known.null.threshold(share)
        assert fresh.coverage(threshold) <= share + 0.006


def test_only_trained_kernels_stand_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SWEEPS, "curve", 8)  # as of `small`
    found = null_test([bank()], networks(1, 300), small(), device=CPU)
    names = [item.name for item in found.conditions]
    assert names == ["these kernels", "white noise", "shuffled taps", "untrained"]
    trained, *nulls = found.conditions
    assert trained.coverage > 0.8
    assert trained.own_coverage > 0.5
    for item in nulls:
        assert len(item.fit) == (600 if item is nulls[2] else 300)
        assert item.coverage < found.null_coverage + 0.03
        # trained on such kernels alone, the curve does not explain unseen ones either
        assert item.own_coverage < 0.1
        assert trained.own_fit.mean() > item.own_fit.mean() + 0.2
    assert nulls[2].origin == "PyTorch's default initialisation"


def test_a_null_test_without_training_only_encodes() -> None:
    found = null_test(
        [bank()], networks(1, 100), small(), retrain=False, threshold=0.5, device=CPU
    )
    assert found.threshold == 0.5
    assert all(not len(item.own_fit) for item in found.conditions)


def test_flat_kernels_alone_cannot_be_tested() -> None:
    with pytest.raises(LatentError, match="there are no 7×7 kernels to test"):
        null_test([bank()], (), small(), device=CPU)


def test_shuffling_keeps_each_kernels_taps() -> None:
    kernels, _ = patterns(20)
    mixed = shuffled(kernels)
    np.testing.assert_array_equal(
        np.sort(mixed.reshape(20, -1)), np.sort(kernels.reshape(20, -1))
    )
    assert not np.array_equal(mixed, kernels)
    orders = np.argsort(mixed.reshape(20, -1)) - np.argsort(kernels.reshape(20, -1))
    assert len(np.unique(orders, axis=0)) == 20


class FakeLayer:
    def __init__(self, groups: int, shape: tuple[int, ...]) -> None:
        import torch

        self.groups = groups
        self.weight = torch.randn(shape)


def fake_timm(monkeypatch: pytest.MonkeyPatch, layers: list[FakeLayer]) -> None:
    timm = ModuleType("timm")
    timm.is_model = lambda name: name == "convnext_tiny"  # type: ignore[attr-defined]
    network = type("Network", (), {"modules": lambda self: layers})
    timm.create_model = (  # type: ignore[attr-defined]
        lambda name, pretrained: network()
    )
    monkeypatch.setitem(sys.modules, "timm", timm)


@pytest.mark.parametrize(
    ("layers", "origin"),
    [
        (lambda: [FakeLayer(600, (600, 1, 7, 7))], "timm's convnext_tiny untrained"),
        (
            lambda: [FakeLayer(600, (600, 1, 3, 3))],
            "PyTorch's default initialisation",
        ),
        (lambda: [FakeLayer(1, (600, 1, 7, 7))], "PyTorch's default initialisation"),
    ],
)
def test_untrained_kernels_are_those_of_the_architecture(
    layers: Callable[[], list[FakeLayer]],
    origin: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake_timm(monkeypatch, layers())
    kernels, told = untrained_kernels(bank(architecture="convnext_tiny"), SIZE)
    assert told == origin
    assert kernels.shape == (600, 7, 7)


def test_results_are_kept_by_content() -> None:
    calls = []

    def compute() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"values": np.arange(3)}

    key = content_hash(np.arange(5), "a", 3)
    assert key != content_hash(np.arange(5.0), "a", 3)
    for _ in range(2):
        assert cached("test", key, compute)["values"].tolist() == [0, 1, 2]
    assert len(calls) == 1
    (kept,) = (cache_dir() / "latent").iterdir()
    kept.write_bytes(b"not an archive")
    assert cached("test", key, compute)["values"].tolist() == [0, 1, 2]
    assert len(calls) == 2


def test_a_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("KERNELVIEWER_CACHE", str(blocked / "below"))
    found = cached("test", "key", lambda: {"values": np.arange(2)})
    assert found["values"].tolist() == [0, 1]
