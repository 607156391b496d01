"""Commands over files that hold the same kernels."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture
def best(tmp_path: Path) -> Path:
    return write_network(tmp_path / "best.safetensors")


@pytest.fixture
def final(best: Path, tmp_path: Path) -> Path:
    path = tmp_path / "final.safetensors"
    shutil.copy(best, path)
    return path


@pytest.fixture
def tuned(best: Path, tmp_path: Path) -> Path:
    """The network with one layer trained further."""
    tensors = dict(load_file(best))
    name = "stages.1.conv_dw.weight"
    tensors[name] = tensors[name] + np.float32(0.01)
    path = tmp_path / "tuned.safetensors"
    save_file(tensors, path)
    return path


ALL = "final: all 3 layers are equal to those of “best”"
SOME = "tuned: 2 of 3 layers are equal to those of “best”"


def test_info_of_several_files_tells_what_is_equal(
    cli: Cli, best: Path, final: Path, tuned: Path
) -> None:
    out, err = cli("info", best, final, tuned)
    assert "Together 96 kernels, 120 equal ones counted once." in out
    assert err.splitlines() == [f"kernelviewer: {ALL}", f"kernelviewer: {SOME}"]
    facts = cli("info", best, final, tuned, "--json").json
    assert [len(item["layers"]) for item in facts["networks"]] == [3, 3, 3]
    assert (facts["kernels"], facts["equal_counted_once"]) == (96, 120)
    assert facts["equal_networks"] == [ALL, SOME]
    facts = cli("info", best, final, "--json", "--count-equal").json
    assert (facts["kernels"], facts["equal_counted_once"]) == (144, 0)


def test_info_of_one_file_is_as_it_was(cli: Cli, best: Path) -> None:
    ran = cli("info", best, "--json")
    facts, err = ran.json, ran.err
    assert "networks" not in facts
    assert facts["path"] == str(best)
    assert err == ""


def test_label_counts_equal_kernels_once(
    cli: Cli, best: Path, final: Path, tmp_path: Path
) -> None:
    alone = cli("label", best, "--json").json
    ran = cli("label", best, final, "--json")
    both, err = ran.json, ran.err
    assert ALL in err
    assert both["equal_networks"] == [ALL]
    for size, facts in both["sizes"].items():
        repeated = facts.pop("equal_counted_once")
        assert repeated == facts["kernels"]
        once, offsets = alone["sizes"][size], facts.pop("offsets")
        mine = [item for item in offsets if item["source"] == str(best)]
        assert mine == once.pop("offsets")
        assert len(offsets) == 2 * len(mine) > 0
        assert facts == once
    twice = cli("label", best, final, "--json", "--count-equal").json
    assert twice["sizes"]["7x7"]["kernels"] == 96
    table = tmp_path / "out.csv"
    out, _ = cli("label", best, final, "-o", table)
    assert "48 equal ones counted once" in out
    assert len(table.read_text().splitlines()) == 1 + 144


def test_a_figure_says_so_and_is_made_again(
    cli: Cli, best: Path, final: Path, tmp_path: Path
) -> None:
    path = tmp_path / "pca.svg"
    out, err = cli("figure", "pca", best, final, "-o", path)
    assert "48 equal kernels are counted once" in out.replace("\u2009", " ")
    assert ALL in err
    again = tmp_path / "again.svg"
    cli("figure", "--from", path, "-o", again)
    assert again.read_bytes() == path.read_bytes()
    data = [tmp_path / f"{name}.csv" for name in ("once", "all")]
    for file, words in zip(data, ([], ["--count-equal"]), strict=True):
        cli(
            *("figure", "pca", best, final, "-o", path, "--data", file),
            *words,
        )
    once, everything = (len(file.read_text().splitlines()) - 1 for file in data)
    assert (once, everything) == (48, 96)
