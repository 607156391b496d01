"""The command compare: its table, its JSON, and what is said where little compares."""

from __future__ import annotations

import csv
import doctest
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import kernelviewer as kv
from kernelviewer.commands import compare as command
from kernelviewer.device import CPU
from kernelviewer.files import resource
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.latent import compare as module
from tests.latent.made import patterns, write_network
from tests.recorder import Recorder
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

COLUMNS = [
    *("layer_a", "channel_a", "layer_b", "channel_b", "size", "cosine"),
    *("log_scale_ratio", "offset_change", "code_a", "code_b", "class_a", "class_b"),
    *("fit_a", "fit_b"),
]
KEYS = [
    *("pairs", "unpaired_a", "unpaired_b", "mean_cosine", "shuffled_cosine"),
    *("changed", "transitions", "shift"),
]
IDS = [item.id for item in CLASSES]


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_network(tmp_path / "other.safetensors", 2)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == COLUMNS
        return list(reader)


def summary_of(cli: Cli, *words: object) -> dict[str, Any]:
    found: dict[str, Any] = cli("compare", *words, "--json").json
    assert list(found) == ["by", "words", "sizes", "layers"]
    for item in found["sizes"].values():
        assert list(item)[: len(KEYS)] == KEYS
    return found


def test_json_agrees_with_the_rows(
    network: Path, other: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "pairs.csv"
    found = summary_of(cli, network, other, "-o", out)
    rows = rows_of(out)
    assert len(rows) == sum(item["pairs"] for item in found["sizes"].values()) == 120
    mine = [row for row in rows if row["size"] == "7x7"]
    item = found["sizes"]["7x7"]
    cosines = [float(row["cosine"]) for row in mine if row["cosine"]]
    assert item["mean_cosine"] == pytest.approx(np.mean(cosines), abs=1e-5)
    changed = [row["class_a"] != row["class_b"] for row in mine]
    assert item["changed"] == pytest.approx(np.mean(changed), abs=1e-5)
    there = {row[side] for row in mine for side in ("class_a", "class_b")}
    listed = [name for name in IDS if name in there | {"unidentified"}]
    assert list(item["transitions"]) == listed
    for before in listed:
        assert list(item["transitions"][before]) == listed
        for after in listed:
            both = [(row["class_a"], row["class_b"]) == (before, after) for row in mine]
            assert item["transitions"][before][after] == sum(both)
    layers = {row["layer"]: row for row in found["layers"]}
    for name, layer in layers.items():
        its = [row for row in rows if row["layer_a"] == name]
        assert layer["pairs"] == len(its)
        known = [float(row["cosine"]) for row in its if row["cosine"]]
        assert layer["mean_cosine"] == pytest.approx(np.mean(known), abs=1e-5)
    flat = mine[3]
    assert [flat[key] for key in ("class_a", "cosine", "code_a", "fit_a")] == [
        *("flat", "", "", ""),
    ]
    strip = [row for row in rows if row["size"] == "1x11"]
    assert {row["code_a"] for row in strip} == {""}
    assert {row["class_b"] for row in strip} <= set(IDS)
    strips = found["sizes"]["1x11"]
    assert strips["transitions"] is not None
    assert strips["mean_cosine"] is not None


def test_a_network_with_itself_has_not_changed(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "pairs.csv"
    found = summary_of(cli, network, network, "-o", out)
    for item in found["sizes"].values():
        assert item["mean_cosine"] == 1
        assert item["shift"] == 0
        assert item["changed"] in (0, None)
    for row in rows_of(out):
        assert row["code_a"] == row["code_b"]
        assert float(row["log_scale_ratio"] or 0) == float(row["offset_change"]) == 0


def test_shuffled_channels_are_found_again(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    from safetensors.numpy import load_file

    rng = np.random.default_rng(0)
    mixed = {
        name: values[rng.permutation(len(values))]
        for name, values in load_file(network).items()
    }
    path = tmp_path / "mixed.safetensors"
    save_file(mixed, path)
    by_name = summary_of(cli, network, path)["sizes"]["7x7"]
    assert by_name["mean_cosine"] == pytest.approx(by_name["shuffled_cosine"], abs=0.15)
    best = summary_of(cli, network, path, "--match", "best")["sizes"]["7x7"]
    assert best["mean_cosine"] == 1
    assert best["changed"] == 0
    assert 0 < best["noise_cosine"] < 1


def test_the_family_names_where_no_autoencoder_does(
    network: Path, other: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "pairs.csv"
    found = summary_of(cli, network, other, "-o", out, "--by", "family")
    assert found["sizes"]["1x11"]["transitions"] is not None
    rows = rows_of(out)
    assert {row["class_a"] for row in rows} <= set(IDS)
    assert all(row["code_a"] for row in rows if row["size"] == "7x7" and row["cosine"])
    assert not any(row["code_a"] for row in rows if row["size"] == "1x11")


def test_tables_tell_the_null_beside(
    network: Path, other: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "pairs.csv"
    printed, complained = cli("compare", network, other, "-o", out)
    assert "7×7: 80 pairs" in printed
    assert "shuffled channels" in printed
    assert "dealt at random" in printed
    assert "a.dwconv" in printed
    assert f"{out}: 120 rows" in printed
    assert complained == ""


def test_layers_that_only_their_order_pairs_are_told(tmp_path: Path, cli: Cli) -> None:
    weights = patterns(8)[0][:, None]
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({"one.dwconv.weight": weights}, first)
    save_file({"two.conv_dw.weight": weights}, second)
    printed, complained = cli("compare", first, second)
    assert "mean cosine 1.000" in printed
    assert "names differ: 1 layer: one.dwconv – two.conv_dw" in complained
    assert "names differ" not in cli("compare", first, second, "--match", "order").err


def test_networks_that_are_equal_are_noticed(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    again = tmp_path / "again.safetensors"
    again.write_bytes(network.read_bytes())
    told = cli("compare", network, again).err
    assert "layers are equal to those of “network”" in told


def test_what_does_not_correspond_is_told(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    path = tmp_path / "another.safetensors"
    save_file({"stem.dwconv.weight": patterns(5)[0][:, None]}, path)
    found = summary_of(cli, network, path)
    assert found["sizes"]["7x7"]["pairs"] == 0
    assert found["sizes"]["7x7"]["unpaired_b"] == 5
    assert found["sizes"]["7x7"]["mean_cosine"] is None
    assert found["layers"] == []
    printed, complained = cli("compare", path, network)
    assert "7×7: 0 pairs; without a partner 5 before, 80 after" in printed
    assert "no kernels of the two networks correspond; try --match" in complained
    assert "another.safetensors: 1 layer alone: stem.dwconv" in complained
    found = summary_of(cli, network, path, "--match", "best")
    assert found["sizes"]["7x7"]["pairs"] == 5


def test_files_that_cannot_be_used_are_one_line(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "pairs.csv"
    bad = tmp_path / "bad.pth"
    bad.write_bytes(b"nothing of the kind")
    assert cli("compare", network, bad, "-o", out, code=1).err.count("\n") == 1
    assert not out.exists()
    cli("compare", network, tmp_path / "gone.pth", "-o", out, code=1)
    told = cli(
        "compare", network, network, "-o", tmp_path / "none" / "o.csv", code=1
    ).err
    assert "there is no folder" in told
    (tmp_path / "two").mkdir()
    write_network(tmp_path / "two" / "a.safetensors", 1)
    write_network(tmp_path / "two" / "b.safetensors", 2)
    told = cli("compare", network, tmp_path / "two", code=1).err
    assert "this folder has 2 networks; name one" in told


def test_networks_without_depthwise_kernels_are_said(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    path = tmp_path / "plain.safetensors"
    save_file({"conv.weight": np.ones((8, 4, 3, 3), np.float32)}, path)
    assert "There are no depthwise kernels." in cli("compare", path, path).out
    assert summary_of(cli, path, network)["sizes"]["7x7"]["unpaired_b"] == 80


def test_ctrl_c_leaves_no_file(
    network: Path,
    tmp_path: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stopped(Recorder):
        def check(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(command, "LINE", Stopped())
    out = tmp_path / "pairs.csv"
    words = (network, network, "-o", out, "--match", "best")
    assert cli("compare", *words, code=130).err == "kernelviewer: interrupted\n"
    assert not out.exists()


def test_the_example_of_the_docstring_runs() -> None:
    try:
        resource("sample", "sample.safetensors")
    except FileNotFoundError:
        pytest.skip("this checkout has no sample")
    results = doctest.testmod(module)
    assert results.attempted > 5
    assert results.failed == 0


@needs_checkpoints
def test_copies_of_one_file_are_compared(cli: Cli) -> None:
    path = CHECKPOINTS / "vapsr-x4-zhoumumu.pth"
    words = (path, path, "--copy", "params", "--copy-b", "params_ema")
    found = summary_of(cli, *words)["sizes"]["5x5"]
    assert found["pairs"] == 2688
    assert 0.98 < found["mean_cosine"] < 1


@needs_checkpoints
def test_weights_stored_otherwise_are_the_same_network() -> None:
    first, second = (
        kv.extract_kernels(kv.open_checkpoint(CHECKPOINTS / name))
        for name in (
            "proxylessnas-w0.3-imagenet-int8-mit.pkl",
            "proxylessnas-w0.3-imagenet-flaxlayout.npz",
        )
    )
    found = kv.compare(first, second, device=CPU)
    assert found.pairing.left_a == found.pairing.left_b == ()
    for item in found.sizes.values():
        assert item.summary.mean_cosine == pytest.approx(1, abs=1e-5)


def test_layers_are_paired_by_hand(network: Path, tmp_path: Path, cli: Cli) -> None:
    one, other = "a.dwconv", "b.dwconv"
    out = tmp_path / "hand.csv"
    cli("compare", network, network, "--pair", f"{one}={other}", "-o", out)
    assert {(r["layer_a"], r["layer_b"]) for r in rows_of(out)} == {(one, other)}
    done = cli("compare", network, network, "--pair", f"{one}=c.dwconv", code=1)
    assert "'a.dwconv' and 'c.dwconv' have 7×7 and 1×11 kernels" in done.err
    done = cli("compare", network, network, "--pair", "nothing", code=2)
    assert "no pair of layers such as" in done.err
    figure = tmp_path / "drift.svg"
    cli("figure", "drift", network, network, "-o", figure, "--pair", f"{one}={other}")
    again = tmp_path / "again.csv"
    cli("figure", "--from", figure, "-o", tmp_path / "again.svg", "--data", again)
    with again.open(newline="") as file:
        assert [row["layer"] for row in csv.DictReader(file)] == [one]
