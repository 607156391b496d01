"""Small networks and autoencoders, nulls of few kernels: those take the time."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from kernelviewer.latent import evaluation, finishing
from kernelviewer.latent.curve import PlainFit
from kernelviewer.latent.training import SWEEPS
from tests.latent.made import small, write_network

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli, Printed

NOISE_KERNELS = 5000
COLUMNS = [
    *("source", "layer", "channel", "size", "code", "fit", "class", "best_class"),
    *("scale", "offset", "family_class", "family_cosine"),
    *("discrete_model", "discrete_sigma_x", "discrete_sigma_y", "discrete_cosine"),
    *("moment_sigma_x", "moment_sigma_y", "by", "code_class", "margin"),
    "family_position",
]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table of labels."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == COLUMNS
        return list(reader)


@pytest.fixture
def cli(cli: Cli) -> Cli:
    """The command line, on the CPU."""

    def run(*words: object, code: int = 0) -> Printed:
        return cli(*words, "--device", "cpu", code=code)

    return run


@pytest.fixture
def train(cli: Cli, tmp_path: Path) -> Cli:
    """The command train: three sweeps, to ``new.safetensors``."""

    def run(*words: object, code: int = 0) -> Printed:
        out = tmp_path / "new.safetensors"
        return cli("train", *words, "-o", out, "--epochs", 3, code=code)

    return run


@pytest.fixture(autouse=True)
def little_noise(monkeypatch: pytest.MonkeyPatch, each_fit_once: None) -> None:
    for module in (finishing, evaluation):
        monkeypatch.setattr(module, "KERNELS", NOISE_KERNELS)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlainFit, "STEPS", 10)
    monkeypatch.setattr(finishing, "STARTS", 1)


@pytest.fixture
def one_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """As short as a training gets, where none is asked for."""
    for method in SWEEPS:
        monkeypatch.setitem(SWEEPS, method, 1)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_network(tmp_path / "network.safetensors", 1)


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """A quickly trained 7×7 autoencoder."""
    path = tmp_path / "quick" / "own.safetensors"
    path.parent.mkdir()
    small().save(path)
    return path
