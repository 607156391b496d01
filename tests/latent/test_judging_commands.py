"""The commands evaluate and null-test."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import save_file

from kernelviewer.latent.training import SWEEPS
from tests.latent.command_desk import run
from tests.latent.made import write_network

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def write_flat(path: Path) -> Path:
    """A network whose 7×7 kernels are all constant."""
    weights = np.ones((8, 1, 7, 7)) * np.arange(1, 9)[:, None, None, None]
    save_file({"dwconv.weight": weights.astype(np.float32)}, path)
    return path


def test_evaluate_with_what_comes_with_the_program(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("evaluate", network, "--size", "7x7", "--json") == 0
    found = json.loads(capsys.readouterr().out)["sizes"]["7x7"]
    (judged,) = found["networks"]
    assert judged["name"] == "network.safetensors"
    assert judged["kernels"] == 79
    wanted = {"curve", "paper", "family"} | {f"k-means {k}" for k in (10, 50, 100, 200)}
    assert set(judged["methods"]) == wanted
    for row in judged["methods"].values():
        assert 0 < row["mean_fit"] <= 1
    assert run("evaluate", network) == 0
    printed, complained = capsys.readouterr()
    assert "network.safetensors, 7×7: 79 kernels" in printed
    assert "k-means 100" in printed
    assert complained == (
        "kernelviewer: there is no autoencoder for 1×11 kernels. "
        "Name one with --autoencoder; kernelviewer train makes one.\n"
    )


def test_evaluate_tells_when_there_is_nothing_to_judge_with(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = write_flat(tmp_path / "flat.safetensors")
    for words, problem in (
        (("--leave-one-out",), "takes two or more with 7×7 kernels; there is one"),
        (("--train", flat), "there are no 7×7 kernels to train on"),
        (("--size", "1x11"), "there is no autoencoder for 1×11 kernels"),
    ):
        assert run("evaluate", network, "--json", *words) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert problem in captured.err
    assert run("evaluate", flat, "--size", "7x7") == 1
    assert "all 7×7 kernels of the files are flat" in capsys.readouterr().err


def test_evaluate_with_what_is_trained_on_others(
    network: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for method in SWEEPS:
        monkeypatch.setitem(SWEEPS, method, 1)
    other = write_network(tmp_path / "other.safetensors", 9)
    size = ("--size", "7x7", "--json")
    assert run("evaluate", network, *size, "--train", other) == 0
    one = json.loads(capsys.readouterr().out)["sizes"]["7x7"]["networks"]
    assert [item["name"] for item in one] == ["network.safetensors"]
    assert run("evaluate", network, other, *size, "--leave-one-out") == 0
    both = json.loads(capsys.readouterr().out)["sizes"]["7x7"]["networks"]
    assert [item["name"] for item in both] == [
        "network.safetensors",
        "other.safetensors",
    ]
    fits = [item["methods"]["curve"]["mean_fit"] for item in (one[0], both[0])]
    assert fits[0] == fits[1]


def test_an_autoencoder_cannot_be_given_and_trained(
    network: Path, quick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--autoencoder", quick, "--leave-one-out")
    assert run("evaluate", network, *words) == 2
    assert "--autoencoder cannot be used where" in capsys.readouterr().err


def test_null_test_tells_trained_from_untrained(
    network: Path, quick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "fits.csv"
    words = ("--autoencoder", quick, "--no-training", "--json", "-o", out)
    assert run("null-test", network, *words) == 0
    found = json.loads(capsys.readouterr().out)["sizes"]
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


def test_null_test_prints_a_table(
    network: Path, quick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("null-test", network, "--autoencoder", quick, "--size", "7x7") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("7×7, threshold 0.7")
    assert "shuffled taps" in printed
    assert "own: trained on half of these kernels alone" in printed
    words = ("--autoencoder", quick, "--size", "7x7", "--no-training")
    assert run("null-test", network, *words) == 0
    assert "own" not in capsys.readouterr().out


def test_null_test_tells_of_each_size_why_it_cannot_be_tested(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("null-test", network, "--size", "1x11") == 1
    assert "there is no autoencoder for 1×11 kernels" in capsys.readouterr().err
    assert run("null-test", network, "--size", "3x3") == 1
    assert "the files have no 3×3 depthwise kernels" in capsys.readouterr().err
    assert run("null-test", write_flat(tmp_path / "flat.safetensors")) == 1
    assert "all 7×7 kernels of the files are flat" in capsys.readouterr().err
