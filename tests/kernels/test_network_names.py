"""Names of networks: what all share is left out, and no two are the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.kernels.equality import elided, network_names
from tests.state.banks import make_bank


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["resnet_cifar100_best", "resnet_cifar100_final"], ["best", "final"]),
        (["resnet_best_ema", "resnet_final_ema"], ["best", "final"]),
        (["run-epoch_10", "run-epoch_20"], ["epoch_10", "epoch_20"]),
        (["net_1", "net_2"], ["net_1", "net_2"]),
        (["step-180.safetensors", "step-450.safetensors"], ["step-180", "step-450"]),
        (["convnext_tiny", "convnext_small", "vit"], None),
        (["model", "model_final"], None),
        (["mcunet-in4", "mcunet-in3"], None),
        (["only_one"], None),
        (["same", "same"], None),
        (["a/deep net (best)", "a/deep net (final)"], ["best)", "final)"]),
        (["…", "_"], None),
    ],
)
def test_what_all_names_share_goes(names: list[str], short: list[str] | None) -> None:
    assert elided(names) == (names if short is None else short)


@given(st.lists(st.text("ab_1-", max_size=8), max_size=5))
def test_what_was_told_apart_still_is(names: list[str]) -> None:
    found = elided(names)
    assert len(set(found)) == len(set(names))


def at(path: str, **changes: object) -> object:
    place = Path(path)
    return replace(make_bank(place.stem), path=place, **changes)  # type: ignore[arg-type]


def test_files_of_one_name_are_told_apart() -> None:
    banks = [at("/runs/one/best.pth"), at("/runs/two/best.pth")]
    assert network_names(banks) == ["one/best.pth", "two/best.pth"]  # type: ignore[arg-type]
    banks = [at("/runs/best.pth"), at("/runs/best.onnx")]
    assert network_names(banks) == ["best.pth", "best.onnx"]  # type: ignore[arg-type]
    banks = [at("/runs/best.pth", copy="model"), at("/runs/best.pth", copy="ema")]
    assert network_names(banks) == ["best (model)", "best (ema)"]  # type: ignore[arg-type]
    banks = [at("/runs/best.pth"), at("/runs/best.pth"), at("/runs/last.pth")]
    assert network_names(banks) == ["best", "best (2)", "last"]  # type: ignore[arg-type]


def test_own_names_stand_and_the_others_stay_as_they_are() -> None:
    banks = [at("/net_best.pth"), at("/net_final.pth"), at("/net_start.pth")]
    own = ["", "mine", "mine"]
    assert network_names(banks, own) == ["best", "mine", "mine (2)"]  # type: ignore[arg-type]
