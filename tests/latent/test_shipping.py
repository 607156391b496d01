"""Remaking what comes with the program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from kernelviewer.latent import evaluation, finishing, shipping
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.shipping import Task
from kernelviewer.latent.training import TrainingOptions
from tests.latent.made import CPU, write_network

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture
def quick(one_sweep: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "WIDTHS", (0.01,))
    monkeypatch.setattr(shipping, "SHARES", (0.0,))
    monkeypatch.setattr(shipping, "PULLS", (0.0,))
    monkeypatch.setattr(finishing, "PER_KIND", 2)
    for module in (finishing, evaluation):
        monkeypatch.setattr(module, "KERNELS", 500)


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    folder = tmp_path / "networks"
    folder.mkdir()
    for name, seed in (("one", 1), ("two", 2)):
        write_network(folder / f"{name}.safetensors", seed, count=20)
    (folder / "copy.safetensors").write_bytes((folder / "one.safetensors").read_bytes())
    random = np.random.default_rng(0).standard_normal((30, 1, 7, 7), np.float32)
    save_file(
        {"dwconv.weight": random, "norm.weight": np.ones(30, np.float32)},
        folder / "UNTRAINED-three.safetensors",
    )
    return folder


@pytest.mark.usefixtures("quick")
def test_one_command_makes_autoencoders_results_and_card(
    networks: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    unseen = tmp_path / "unseen.safetensors"
    write_network(unseen, 3, count=20)
    words = ["--exclude", "UNTRAINED*", "-o", str(out), "--device", "cpu"]
    words += ["--holdout", str(unseen)]
    assert (
        "autoencoders and MODEL_CARD.md"
        in cli("train", networks, "--shipped", *words).out
    )
    assert sorted(path.name for path in out.iterdir()) == [
        "MODEL_CARD.md",
        "curve-7x7.safetensors",
        "evaluation.json",
        "paper-7x7.safetensors",
    ]
    known = Autoencoder.load(out / "curve-7x7.safetensors")
    assert set(known.centroids) == {10, 50, 100, 200}
    names = [entry["name"] for entry in known.card["training"]]
    assert names == ["one.safetensors", "two.safetensors"]
    facts = json.loads((out / "evaluation.json").read_text())["sizes"]["7x7"]
    assert facts["split"] == "family"
    assert [item["name"] for item in facts["left_out"]] == names
    keys = ("width", "members", "class_pull")
    tried = [tuple(item[key] for key in keys) for item in facts["knee"]]
    width, members, pull = (known.card["options"][key] for key in keys)
    assert tried == [(0.01, 0.2, pull), (width, 0.0, pull), (width, 0.2, 0.0)]
    assert members == 0.2
    assert known.default_naming == "code"
    (held_out,) = facts["held_out"]
    assert held_out["name"] == "unseen.safetensors"
    assert facts["knee"][0]["held_out_fit"] > 0.5
    (control,) = facts["controls"]
    assert control["name"] == "UNTRAINED-three.safetensors"
    card = (out / "MODEL_CARD.md").read_text()
    for words_ in (
        "## 7×7",
        "| one.safetensors | 39 |",
        "copy.safetensors",
        "**Untrained networks**",
        "**Fit against length**",
        "**Held out of everything**",
        "k-means 100",
    ):
        assert words_ in card


@pytest.mark.usefixtures("quick")
def test_a_single_network_is_split_by_layer_and_the_card_says_so(
    networks: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "KNEE_SIZE", ())
    one = str(networks / "one.safetensors")
    words = ["--shipped", "-o", str(tmp_path), "--device", "cpu"]
    cli("train", one, *words)
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert "This is no result about unseen" in card
    assert "one.safetensors (even layers)" in card
    assert "**7×7: the family is the default.**" in card
    made = Autoencoder.load(tmp_path / "curve-7x7.safetensors")
    assert made.default_naming == "family"


class Echo(Task):
    """Says its size, or fails for the last."""

    def do(self) -> dict[str, Any]:
        if self.size == (9, 9):
            raise OSError(28, "No space left on device")
        return {"size": self.size}


def test_several_processes_find_the_same_in_the_same_order() -> None:
    tasks = [Echo((side, side), (), TrainingOptions(), CPU) for side in (3, 5, 7, 9)]
    found = shipping.shared_out(tasks, workers=2)
    assert [next(found)["size"] for _ in range(3)] == [(3, 3), (5, 5), (7, 7)]
    with pytest.raises(OSError, match="No space left"):
        next(found)


def test_what_cannot_be_shipped_is_told(
    networks: Path, tmp_path: Path, cli: Cli
) -> None:
    one = str(networks / "one.safetensors")
    assert (
        "is no folder"
        in cli("train", one, "--shipped", "-o", tmp_path / "none", code=2).err
    )
    words = ["--exclude", "*", "-o", str(tmp_path), "--device", "cpu"]
    assert (
        "no kernels of a size that comes with"
        in cli("train", one, "--shipped", *words, code=1).err
    )
