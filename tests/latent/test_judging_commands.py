"""The commands evaluate and null-test."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.latent.made import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def write_flat(path: Path) -> Path:
    """A network whose 7×7 kernels are all constant."""
    weights = np.ones((8, 1, 7, 7)) * np.arange(1, 9)[:, None, None, None]
    save_file({"dwconv.weight": weights.astype(np.float32)}, path)
    return path


def test_evaluate_with_what_comes_with_the_program(network: Path, cli: Cli) -> None:
    found = cli("evaluate", network, "--size", "7x7", "--json").json["sizes"]["7x7"]
    (judged,) = found["networks"]
    assert judged["name"] == "network.safetensors"
    assert judged["kernels"] == 79
    wanted = {"curve", "paper", "family"} | {f"k-means {k}" for k in (10, 50, 100, 200)}
    assert set(judged["methods"]) == wanted
    for row in judged["methods"].values():
        assert 0 < row["mean_fit"] <= 1
    printed, complained = cli("evaluate", network)
    assert "network.safetensors, 7×7: 79 kernels" in printed
    assert "k-means 100" in printed
    assert complained == (
        "kernelviewer: there is no autoencoder for 1×11 kernels. "
        "Name one with --autoencoder; kernelviewer train makes one.\n"
    )


def test_evaluate_tells_when_there_is_nothing_to_judge_with(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    flat = write_flat(tmp_path / "flat.safetensors")
    for words, problem in (
        (("--leave-one-out",), "takes two or more with 7×7 kernels; there is one"),
        (("--train", flat), "there are no 7×7 kernels to train on"),
        (("--size", "1x11"), "there is no autoencoder for 1×11 kernels"),
    ):
        captured = cli("evaluate", network, "--json", *words, code=1)
        assert captured.out == ""
        assert problem in captured.err
    assert (
        "all 7×7 kernels of the files are flat"
        in cli("evaluate", flat, "--size", "7x7", code=1).err
    )


@pytest.mark.usefixtures("one_sweep")
def test_evaluate_with_what_is_trained_on_others(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    other = write_network(tmp_path / "other.safetensors", 9)
    size = ("--size", "7x7", "--json")
    one = cli("evaluate", network, *size, "--train", other).json["sizes"]["7x7"][
        "networks"
    ]
    assert [item["name"] for item in one] == ["network.safetensors"]
    both = cli("evaluate", network, other, *size, "--leave-one-out").json["sizes"][
        "7x7"
    ]["networks"]
    assert [item["name"] for item in both] == [
        "network.safetensors",
        "other.safetensors",
    ]
    fits = [item["methods"]["curve"]["mean_fit"] for item in (one[0], both[0])]
    assert fits[0] == fits[1]


def test_an_autoencoder_cannot_be_given_and_trained(
    network: Path, quick: Path, cli: Cli
) -> None:
    words = ("--autoencoder", quick, "--leave-one-out")
    assert (
        "--autoencoder cannot be used where"
        in cli("evaluate", network, *words, code=2).err
    )


def test_null_test_tells_trained_from_untrained(
    network: Path, quick: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "fits.csv"
    words = ("--autoencoder", quick, "--no-training", "--json", "-o", out)
    found = cli("null-test", network, *words).json["sizes"]
    assert set(found) == {"7x7"}
    conditions = found["7x7"]["conditions"]
    assert list(conditions) == [
        *("these kernels", "white noise", "shuffled taps", "untrained"),
    ]
    assert conditions["these kernels"]["coverage"] > 0.5
    for name in list(conditions)[1:]:
        assert conditions[name]["coverage"] < 0.1
        assert conditions[name]["own_coverage"] is None
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["size", "kernels", "fitted_with", "fit"]
    assert len(rows) == 79 + 79 + 79 + 80


@pytest.mark.usefixtures("one_sweep")
def test_null_test_prints_a_table(network: Path, quick: Path, cli: Cli) -> None:
    printed = cli("null-test", network, "--autoencoder", quick, "--size", "7x7").out
    assert printed.startswith("7×7, threshold 0.7")
    assert "shuffled taps" in printed
    assert "own: trained on half of these kernels alone" in printed
    words = ("--autoencoder", quick, "--size", "7x7", "--no-training")
    assert "own" not in cli("null-test", network, *words).out


def test_null_test_tells_of_each_size_why_it_cannot_be_tested(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    assert (
        "there is no autoencoder for 1×11 kernels"
        in cli("null-test", network, "--size", "1x11", code=1).err
    )
    assert (
        "the files have no 3×3 depthwise kernels"
        in cli("null-test", network, "--size", "3x3", code=1).err
    )
    assert (
        "all 7×7 kernels of the files are flat"
        in cli("null-test", write_flat(tmp_path / "flat.safetensors"), code=1).err
    )
