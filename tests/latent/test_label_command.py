"""The command label: its table, its sizes, and what is wrong with wishes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from kernelviewer.kernels.classes import CLASSES, FINE, PAPER, PAPER_OF
from kernelviewer.kernels.family.spectrum import family_spectrum
from tests.latent.conftest import rows_of
from tests.latent.made import patterns
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


def test_label_writes_a_row_for_each_kernel(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "labels.csv"
    printed = cli("label", network, "-o", out).out
    rows = rows_of(out)
    assert len(rows) == 120
    assert {row["source"] for row in rows} == {str(network)}
    by_size = {
        key: [row for row in rows if row["size"] == key] for key in ("7x7", "1x11")
    }
    assert [len(items) for items in by_size.values()] == [80, 40]
    flat = by_size["7x7"][3]
    assert flat["layer"] == "a.dwconv"
    assert flat["channel"] == "3"
    assert [flat[key] for key in ("code", "fit", "class", "best_class")] == [
        *("", "", "flat", "flat"),
    ]
    assert flat["family_class"] == ""
    ids = {item.id for item in CLASSES}
    for row in by_size["7x7"][:3] + by_size["7x7"][40:]:
        assert 0 <= float(row["code"]) <= 1
        assert 0 < float(row["fit"]) <= 1
        assert row["class"] in (row["best_class"], "unidentified")
        assert row["best_class"] in ids
        assert 0 < float(row["family_cosine"]) <= 1
    assert float(by_size["7x7"][41]["offset"]) == pytest.approx(0.5, abs=0.01)
    strip = by_size["1x11"][0]
    assert [strip[key] for key in ("code", "fit", "code_class")] == [""] * 3
    assert strip["family_class"] in {item.id for item in FINE.patterns}
    assert strip["class"] in (strip["best_class"], "unidentified")
    assert "7×7: 80 kernels, 1 flat" in printed
    assert re.search(r"at 0\.700, where white noise reaches (<0\.1|0\.0) %", printed)
    assert "1×11: 40 kernels; named by the family" in printed
    assert f"{out}: 120 rows" in printed


def test_label_json_agrees_with_its_rows(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "labels.csv"
    summary = cli("label", network, "-o", out, "--json").json
    assert list(summary) == ["sizes"]
    assert set(summary["sizes"]) == {"7x7", "1x11"}
    found = summary["sizes"]["7x7"]
    rows = [row for row in rows_of(out) if row["size"] == "7x7"]
    there = [row for row in rows if row["class"] != "flat"]
    assert list(found) == [
        *("kernels", "flat", "by", "words", "mean_fit", "threshold", "coverage"),
        *("null_coverage", "stability", "classes", "offsets"),
    ]
    assert found["by"] == "family"
    assert 0.8 < found["stability"] < 1
    assert found["kernels"] == len(rows) == 80
    assert found["flat"] == 1
    fits = [float(row["family_cosine"]) for row in there]
    assert found["mean_fit"] == pytest.approx(np.mean(fits), abs=1e-5)
    assert found["threshold"] == 0.7
    identified = [row for row in there if row["class"] != "unidentified"]
    assert found["coverage"] == pytest.approx(len(identified) / 79, abs=1e-5)
    assert all(
        (fit >= 0.7) == (row in identified)
        for fit, row in zip(fits, there, strict=True)
    )
    assert sum(found["classes"].values()) == 80
    for name, count in found["classes"].items():
        assert count == sum(row["class"] == name for row in rows)
    strip = summary["sizes"]["1x11"]
    assert (strip["kernels"], strip["flat"], strip["by"]) == (40, 0, "family")
    assert strip["threshold"] > 0.9  # noise of eleven taps fits well
    assert 0.005 < strip["null_coverage"] <= 0.01
    assert strip["stability"] is None
    assert sum(item["kernels"] for item in strip["offsets"]) == 40


def test_the_names_are_by_what_is_wished(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    found, rows = {}, {}
    for by in ("code", "family"):
        out = tmp_path / f"{by}.csv"
        command = ("label", network, "-o", out, "--json", "--by", by)
        found[by] = cli(*command).json["sizes"]
        rows[by] = [row for row in rows_of(out) if row["size"] == "7x7"]
    assert {by: item["7x7"]["by"] for by, item in found.items()} == {
        "code": "code",
        "family": "family",
    }
    assert found["code"]["1x11"] == found["family"]["1x11"]
    for by, column in (("code", "fit"), ("family", "family_cosine")):
        for row in rows[by]:
            if row["class"] != "flat":
                assert row["by"] == by
                if by == "code":
                    assert row["best_class"] == row["code_class"]
                named = float(row[column]) >= found[by]["7x7"]["threshold"]
                assert (row["class"] != "unidentified") == named
                assert 0 <= float(row["margin"]) <= 2
    same = (
        *("code", "fit", "code_class", "family_class", "family_cosine", "margin"),
        "family_position",
    )
    spectrum = family_spectrum((7, 7))
    for row in rows["family"]:
        if row["class"] == "flat":
            assert row["family_position"] == ""
            continue
        at = float(row["family_position"])
        own = next(name for low, high, name in spectrum.stretches if low <= at < high)
        assert own == row["family_class"]
    for one, other in zip(rows["code"], rows["family"], strict=True):
        assert [one[key] for key in same] == [other[key] for key in same]
    printed = cli("label", network, "--by", "code").out
    assert "7×7: 80 kernels, 1 flat; named by the code" in printed
    assert "names by code and by the family agree: exactly for " in printed


def test_weights_that_are_no_numbers_are_told_of_and_counted_as_flat(
    tmp_path: Path, cli: Cli
) -> None:
    weights = patterns(8, noise=0.3)[0][:, None].copy()
    weights[1, 0, 3, 3], weights[2, 0, 0, 0] = np.nan, np.inf
    path = tmp_path / "broken.safetensors"
    save_file({"dwconv.weight": weights}, path)
    out = tmp_path / "labels.csv"
    printed, complained = cli("label", path, "-o", out, "--json")
    assert "dwconv: 2 of 8 kernels have weights that are NaN, infinite" in complained
    assert json.loads(printed)["sizes"]["7x7"]["flat"] == 2
    assert [row["class"] == "flat" for row in rows_of(out)] == [
        *(False, True, True),
        *[False] * 5,
    ]


def test_layers_that_may_be_depthwise_are_told_of_where_none_is(
    tmp_path: Path, cli: Cli
) -> None:
    path = tmp_path / "stem.safetensors"
    save_file({"conv.weight": patterns(8)[0].reshape(8, 1, 49)}, path)
    printed, complained = cli("label", path)
    assert "There are no depthwise kernels." in printed
    assert "no layer is surely depthwise, 1 may be" in complained
    printed, complained = cli("label", path, "--include", "conv", "--json")
    assert json.loads(printed)["sizes"]["49"]["kernels"] == 8
    assert complained == ""


@pytest.mark.parametrize("command", ["label", "evaluate", "null-test", "train"])
def test_including_a_layer_that_is_nowhere_is_wrong_usage(
    command: str, network: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "out.safetensors"
    words = ("-o", out) if command == "train" else ()
    assert (
        "no layer 'nowhere' that could be included"
        in cli(command, network, *words, "--include", "nowhere", code=2).err
    )
    assert not out.exists()


@pytest.mark.usefixtures("one_sweep")
def test_one_kernel_that_is_not_flat_is_enough(
    tmp_path: Path, quick: Path, cli: Cli, train: Cli
) -> None:
    weights = np.zeros((8, 1, 7, 7), np.float32)
    weights[5, 0] = patterns(1)[0]
    path, out = tmp_path / "single.safetensors", tmp_path / "labels.csv"
    save_file({"dwconv.weight": weights}, path)
    cli("label", path, "-o", out)
    assert [row["fit"] != "" for row in rows_of(out)] == [
        index == 5 for index in range(8)
    ]
    train(path)
    cli("evaluate", path)
    assert cli("null-test", path, "--autoencoder", quick).err == ""


def test_a_threshold_and_an_autoencoder_can_be_chosen(
    network: Path, quick: Path, cli: Cli
) -> None:
    found = []
    for threshold in ("0", "0.99"):
        words = ("--threshold", threshold, "--autoencoder", quick, "--json")
        found.append(cli("label", network, *words).json["sizes"]["7x7"])
    assert found[0]["coverage"] == found[0]["null_coverage"] == 1
    assert found[1]["coverage"] < 0.5
    assert found[0]["mean_fit"] == found[1]["mean_fit"]


@needs_checkpoints
@pytest.mark.parametrize("command", ["label", "null-test", "evaluate"])
def test_an_autoencoder_for_other_kernels_is_told_of_and_the_rest_is_done(
    command: str, tmp_path: Path, quick: Path, cli: Cli
) -> None:
    path = tmp_path / "small.safetensors"
    weights = np.random.default_rng(0).standard_normal((40, 1, 5, 5), np.float32)
    stem = np.ones((40, 3, 3, 3), np.float32)
    save_file({"a.stem.weight": stem, "b.dwconv.weight": weights}, path)
    more = ("--no-training",) if command == "null-test" else ()
    printed, complained = cli(
        command, path, "--autoencoder", quick, "--json", *more, code=1
    )
    assert list(json.loads(printed)["sizes"]) == ["5x5"]
    assert complained == (
        "kernelviewer: own.safetensors is for 7×7 kernels, "
        "which the files do not have\n"
    )


@pytest.mark.usefixtures("one_sweep")
def test_sizes_of_any_shape_are_listed(tmp_path: Path, cli: Cli, train: Cli) -> None:
    shapes = {"a": (3, 3, 3), "b": (2, 2), "c": (60, 60), "d": (1, 2)}
    rng = np.random.default_rng(0)
    arrays = {
        f"{name}.dwconv.weight": rng.standard_normal((40, 1, *size), np.float32)
        for name, size in shapes.items()
    }
    path = tmp_path / "shapes.safetensors"
    save_file({"a.stem.weight": np.ones((40, 3, 3, 3), np.float32), **arrays}, path)
    out = tmp_path / "labels.csv"
    printed = cli("label", path, "-o", out).out
    assert printed.count("there is no autoencoder for this size") == 3
    assert "2×2: 40 kernels; named by the family" in printed
    assert "coverage 0.0 % at 1.000" in printed  # noise fits as well as anything
    named = {row["size"] for row in rows_of(out) if row["family_class"]}
    assert named == {"2x2"}
    train(path, "--size", "3x3x3")
    words = ("--autoencoder", tmp_path / "new.safetensors", "--size", "3x3x3")
    cli("evaluate", path, *words)
    cli("null-test", path, *words)


def test_the_family_names_in_fine_words_or_the_papers(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    rows, told = {}, {}
    for words in ("fine", "paper"):
        out = tmp_path / f"{words}.csv"
        command = ("label", network, "-o", out, "--json", "--words", words)
        told[words] = cli(*command).json["sizes"]["7x7"]
        rows[words] = rows_of(out)
        assert told[words]["words"] == words
    of = {CLASSES[i].id: CLASSES[k].id for i, k in enumerate(PAPER_OF)}
    eleven = {item.id for item in PAPER.patterns}
    diagonal = {"edge-d", "on-bar-d", "off-bar-d"}
    for fine, paper in zip(rows["fine"], rows["paper"], strict=True):
        assert paper["best_class"] in {*eleven, "unidentified", "flat"}
        if fine["best_class"] not in diagonal:
            assert paper["best_class"] == of[fine["best_class"]]
        assert fine["fit"] == paper["fit"]
    assert {row["best_class"] for row in rows["fine"]} - eleven - {"flat"}
    assert set(told["paper"]["classes"]) == {*eleven, "unidentified", "flat"}
    same = ("threshold", "null_coverage", "mean_fit")
    assert [told["fine"][key] for key in same] == [told["paper"][key] for key in same]


@needs_checkpoints
def test_1d_kernels_have_their_key(cli: Cli) -> None:
    file = CHECKPOINTS / "hybridids-convnext1d-checkpoint.pth"
    sizes = cli("label", file, "--json").json["sizes"]
    assert list(sizes) == ["7"]
    assert (sizes["7"]["kernels"], sizes["7"]["by"]) == (128, "family")
    assert sizes["7"]["null_coverage"] <= 0.01


@needs_checkpoints
def test_networks_without_depthwise_kernels_have_no_sizes(
    cli: Cli,
) -> None:
    file = CHECKPOINTS / "imdn-x4-ntire2022-baseline.pth"
    assert cli("label", file, "--json").json == {"sizes": {}}
    assert cli("label", file).out == "There are no depthwise kernels.\n"


def test_a_bad_file_does_not_stop_the_others(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    bad = tmp_path / "bad.pth"
    bad.write_bytes(b"<html>not found</html>")
    out = tmp_path / "labels.csv"
    printed = cli("label", bad, network, "-o", out, code=1)
    assert len(printed.err.splitlines()) == 1
    assert "bad.pth" in printed.err
    assert len(rows_of(out)) == 120
    cli("label", bad, "-o", tmp_path / "none.csv", code=1)
    assert not (tmp_path / "none.csv").exists()


def test_broken_weights_are_flat(tmp_path: Path, cli: Cli) -> None:
    kernels = patterns(8)[0][:, None].copy()
    kernels[0, 0, 0, 0], kernels[1, 0, 3, 3], kernels[2] = np.nan, np.inf, 4.0
    path = tmp_path / "broken.safetensors"
    save_file({"dwconv.weight": kernels, "n.weight": np.ones(8, np.float32)}, path)
    found = cli("label", path, "--json").json["sizes"]["7x7"]
    assert found["flat"] == found["classes"]["flat"] == 3
    assert np.isfinite(found["mean_fit"])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--autoencoder", "{bad}"], 1, "bad.txt: is no autoencoder, or a damaged one"),
        (["--autoencoder", "{none}"], 1, "there is no such file"),
        (["--autoencoder", "{own}", "--autoencoder", "{own}"], 1, "is the second for"),
        (["-o", "{folder}/deep/out.csv"], 1, "there is no folder"),
        (["-o", "{folder}"], 1, "is a folder; name a file in it"),
        (["-o", "/dev/full"], 1, "is no ordinary file"),
        (["--threshold", "1.5"], 2, "'1.5' is no fit between 0 and 1"),
        (["--threshold", "high"], 2, "'high' is no fit between 0 and 1"),
    ],
)
def test_wrong_wishes_are_named(
    words: list[str],
    code: int,
    message: str,
    network: Path,
    quick: Path,
    tmp_path: Path,
    cli: Cli,
) -> None:
    (tmp_path / "bad.txt").write_text("nothing")
    places = {
        "bad": tmp_path / "bad.txt",
        "none": tmp_path / "none",
        "own": quick,
        "folder": tmp_path,
    }
    filled = [word.format(**places) for word in words]
    assert message in cli("label", network, *filled, code=code).err


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_is_told_and_leaves_nothing(network: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    script = (
        "import resource, signal, sys; from kernelviewer.cli import main;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "sys.exit(main(sys.argv[1:]))"
    )
    words = ["label", str(network), "-o", str(out / "labels.csv"), "--device", "cpu"]
    done = subprocess.run(
        # without -B what it compiles would be cut as well, and kept
        [sys.executable, "-B", "-W", "ignore", "-c", script, *words],
        capture_output=True,
        text=True,
        env=os.environ
        | {
            "KERNELVIEWER_CACHE": str(tmp_path / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",  # it would be cut off, too
        },
    )
    assert done.returncode == 1
    assert "labels.csv: cannot be written (File too large)" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(out.iterdir()) == []
