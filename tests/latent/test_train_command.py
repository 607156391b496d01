"""The command train."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from kernelviewer.commands.reading import read_bank
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.training import Training
from tests.latent.made import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.kernels import KernelBank
    from tests.conftest import Cli


def test_train_writes_an_autoencoder_that_label_uses(
    network: Path, tmp_path: Path, cli: Cli, train: Cli
) -> None:
    other = write_network(tmp_path / "other.safetensors", 9)
    printed = train(network, "--size", "7x7", "--holdout", other).out
    assert "7×7, curve, 79 kernels of 1 network" in printed
    assert "held-out fit 0." in printed
    known = Autoencoder.load(tmp_path / "new.safetensors")
    assert known.card["sweeps"].endswith("of 3")
    (entry,) = known.card["training"]
    assert entry["name"] == "network.safetensors"
    assert len(entry["sha256"]) == 64
    words = ("--autoencoder", tmp_path / "new.safetensors", "--json")
    found = cli("label", network, *words).json["sizes"]["7x7"]
    assert found["mean_fit"] == pytest.approx(
        known.card["results"]["mean_fit"], abs=1e-3
    )


def test_train_on_strips_by_either_method(
    network: Path, tmp_path: Path, train: Cli
) -> None:
    words = ("--size", "1x11", "--method", "paper", "--seed", "3", "--json")
    card = train(network, *words).json
    assert card["seed"] == 3
    known = Autoencoder.load(tmp_path / "new.safetensors")
    assert known.method == "paper"
    assert known.spectrum(3).shape == (3, 1, 11)


def test_siblings_of_held_out_networks_do_not_train(
    network: Path, tmp_path: Path, train: Cli
) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(network.read_bytes())
    lines = train(copy, "--holdout", network, code=1).err.splitlines()
    assert "copy.safetensors is a sibling of a held-out network" in lines[0]
    assert "there are no 7×7 kernels to train on" in lines[1]
    assert not (tmp_path / "new.safetensors").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--size", "9x9"], "there are no 9×9 kernels to train on"),
        (["--holdout", "absent.pth"], "absent.pth"),
    ],
)
def test_what_cannot_be_trained_is_told(
    words: list[str],
    message: str,
    network: Path,
    tmp_path: Path,
    train: Cli,
) -> None:
    assert message in train(network, *words, code=1).err
    assert not (tmp_path / "new.safetensors").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--size", "seven"],
        ["--size", "0x7"],
        ["--epochs", "0"],
        ["--epochs", "many"],
        ["--width", "3"],
        ["--members", "1.5"],
        ["--method", "magic"],
    ],
)
def test_wrong_wishes_for_training_are_wrong_usage(
    words: list[str], network: Path, train: Cli
) -> None:
    train(network, *words, code=2)


def test_a_network_that_is_replaced_meanwhile_is_not_hashed_anew(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: Cli
) -> None:
    def reading(path: str, *rest: Any) -> KernelBank | None:
        bank = read_bank(path, *rest)
        write_network(tmp_path / "new", 9, 30).replace(network)
        return bank

    monkeypatch.setattr("kernelviewer.commands.networks.read_bank", reading)
    train(network, "--size", "7x7")
    (entry,) = Autoencoder.load(tmp_path / "new.safetensors").card["training"]
    assert entry["kernels"] == 79
    assert entry["sha256"] == ""


def test_an_interrupted_training_is_kept(
    network: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    train: Cli,
) -> None:
    whole = Training.__iter__

    def interrupted(self: Training) -> Any:
        for sweep in whole(self):
            yield sweep
            if sweep.number == 2:
                os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Training, "__iter__", interrupted)
    # background jobs of a shell start with the signal ignored
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        printed = train(network, "--size", "7x7", code=130)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "interrupted; the best so far was kept" in printed.err
    known = Autoencoder.load(tmp_path / "new.safetensors")
    assert known.card["sweeps"] == "2 of 3"


def test_an_interruption_before_the_first_sweep_keeps_nothing(
    network: Path,
    tmp_path: Path,
    train: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(self: Training) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Training, "__iter__", interrupted)
    assert (
        "stopped before there was anything to keep"
        in train(network, "--size", "7x7", code=130).err
    )
    assert not (tmp_path / "new.safetensors").exists()
