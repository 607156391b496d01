"""The command series: its order, its numbers, and what is left out."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

import kernelviewer as kv
from kernelviewer.files import resource
from tests.latent.runs import LAYERS, STEPS, made_run
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def test_a_folder_is_followed_from_step_to_step(tmp_path: Path, cli: Cli) -> None:
    expected = made_run(tmp_path / "run")
    out = tmp_path / "run.csv"
    told = cli("series", tmp_path / "run", "-o", out, "--json", "--by", "family").json
    assert [item["step"] for item in told["steps"]] == list(STEPS)
    assert told["steps"][2]["path"].endswith("step-000005.safetensors")
    totals = told["steps"][-1]["sizes"]["7x7"]
    assert list(totals) == ["kernels", "flat", "mean_fit", "coverage", "classes"]
    assert (totals["kernels"], totals["flat"]) == (32, 2)
    first = np.concatenate(list(expected.values()))
    assert totals["coverage"] == pytest.approx((first >= 0).sum() / 30, abs=1e-6)
    assert sum(totals["classes"].values()) == 32
    formation = told["formation"]["7x7"]
    assert list(formation) == ["formed", "never", "median_step", "layers"]
    assert formation["formed"] == (first >= 0).sum()
    assert formation["never"] == (first < 0).sum()
    assert [item["layer"] for item in formation["layers"]] == list(LAYERS)
    medians = [
        np.median([STEPS[i] for i in item if i >= 0]) for item in expected.values()
    ]
    assert [item["median_step"] for item in formation["layers"]] == medians
    assert told["left_out"] == []
    assert told["details"]["7x7"]["null_coverage"] < 0.01

    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(STEPS) * 32
    last = rows[-32:]
    assert {row["step"] for row in last} == {"100"}
    steps = ["" if i < 0 else str(STEPS[i]) for i in first]
    assert [row["formation_step"] for row in last] == steps
    assert [row["class"] == "flat" for row in last].count(True) == 2
    kinds = [row["class"] for row in last]
    assert totals["classes"] == {name: kinds.count(name) for name in totals["classes"]}


def test_what_is_no_step_is_named_and_the_rest_is_done(
    tmp_path: Path, cli: Cli
) -> None:
    made_run(tmp_path)
    (tmp_path / "step-000005.safetensors").write_bytes(b"half")
    kv.snapshot({"a.dw": np.ones((3, 1, 5, 5))}, 30, tmp_path)
    paths = sorted(tmp_path.iterdir(), reverse=True)
    printed, complained = cli("series", *paths, code=1)
    assert "step-000005.safetensors is left out: " in complained
    assert "step-000030.safetensors is left out: other layers" in complained
    assert "4 steps, 0 to 100, in the order of step" in printed
    assert "7×7: 32 kernels, named by the family; identified from 0.700 on" in printed


def test_no_step_at_all_is_told(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "empty").mkdir()
    told = cli("series", tmp_path / "empty", code=1).err
    assert "no checkpoint in this folder" in told
    (tmp_path / "a.pth").write_bytes(b"nothing")
    told = cli("series", tmp_path / "a.pth", tmp_path / "missing.pth", code=1).err
    lines = told.splitlines()
    assert len(lines) == 3
    assert "none of the files is a step of a run" in lines[-1]


def test_layers_that_may_be_depthwise_are_taken_in_by_name(
    tmp_path: Path, cli: Cli
) -> None:
    rng = np.random.default_rng(0)
    for step in (1, 2):
        weights = {"conv.weight": rng.normal(size=(8, 1, 7, 7)).astype(np.float32)}
        save_file(weights, tmp_path / f"net_{step}.safetensors")
    assert "There are no depthwise kernels." in cli("series", tmp_path).out
    assert "7×7: 8 kernels" in cli("series", tmp_path, "--include", "conv").out
    told = cli("series", tmp_path, "--include", "other", code=2).err
    assert "no layer 'other'" in told


def test_a_place_that_cannot_be_written_is_told_first(tmp_path: Path, cli: Cli) -> None:
    told = cli("series", tmp_path, "-o", tmp_path / "none" / "a.csv", code=1).err
    assert "there is no folder" in told
    told = cli("series", tmp_path, "--animation", tmp_path / "a.mp4", code=2).err
    assert "animations are written as GIF or PNG" in told


def test_an_autoencoder_of_another_size_is_told(tmp_path: Path, cli: Cli) -> None:
    made_run(tmp_path / "run")
    file = resource("autoencoders", "curve-5x5.safetensors")
    told = cli("series", tmp_path / "run", "--autoencoder", file, code=1).err
    assert "which the files do not have" in told


def test_interrupted_it_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    made_run(tmp_path / "run")

    def interrupt(done: int, total: int, text: str = "") -> None:
        if text.startswith("writing"):
            raise KeyboardInterrupt

    monkeypatch.setattr("kernelviewer.commands.series.LINE.progress", interrupt)
    cli("series", tmp_path / "run", "-o", tmp_path / "a.csv", code=130)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_sample_run_goes_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.chdir(tmp_path)
    told = cli("series", "sample-run", "--json", "--by", "code").json
    assert 12 <= len(told["steps"]) <= 20
    coverage = [item["sizes"]["7x7"]["coverage"] for item in told["steps"]]
    assert coverage[0] < 0.05
    assert coverage[-1] > 0.6
    assert told["formation"]["7x7"]["formed"] > 400
    made_run(tmp_path / "sample-run")
    assert "in the order of step" in cli("series", "sample-run").out


@needs_checkpoints
def test_the_epochs_of_mini_xception_come_in_order(cli: Cli) -> None:
    paths = sorted(CHECKPOINTS.glob("minixception-fer2013-epoch*"), reverse=True)
    told = cli("series", *paths, "--by", "code", "--json").json
    assert [item["step"] for item in told["steps"]] == [0, 3, 10, 29, 110]
    fits = [item["sizes"]["3x3"]["mean_fit"] for item in told["steps"]]
    assert fits == pytest.approx([0.867, 0.869, 0.874, 0.882, 0.893], abs=3e-3)
    assert told["ordered_by"] == "names"
