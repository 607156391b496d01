"""info and extract, as a user types them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.networks import noise
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.safetensors"
    save_file(
        {
            "stem.weight": noise(4, 3, 3, 3),
            "dwconv.weight": noise(4, 1, 7, 7, seed=9),
        },
        path,
    )
    return path


def info(path: Path, cli: Cli, *more: str) -> dict[str, Any]:
    return cli("info", path, "--json", *more).json


def test_info_as_json_has_the_documented_keys(network: Path, cli: Cli) -> None:
    summary = info(network, cli)
    assert list(summary) == [
        "path", "format", "size_bytes", "layers", "other_convolutions", "skipped",
        "warnings",
    ]  # fmt: skip
    assert summary["path"] == str(network)
    assert summary["format"] == "safetensors"
    assert summary["size_bytes"] == network.stat().st_size
    assert summary["other_convolutions"] == 1
    layers = {layer["name"]: layer for layer in summary["layers"]}
    health = layers["blocks.0.dwconv"].pop("health")
    assert health["flat"] == 0.125
    assert {"decile", "support", "sparsity", "entropy"} < set(health)
    assert layers["blocks.0.dwconv"] == {
        "name": "blocks.0.dwconv",
        "kind": "depthwise",
        "kernels": 8,
        "size": [7, 7],
        "dtype": "float32",
        "flat": 1,
    }
    assert layers["blocks.1.dwconv"]["dtype"] == "float16"
    assert layers["blocks.2.dwconv"]["size"] == [1, 11]
    assert layers["blocks.3.dwconv"]["size"] == [5]
    for name, kind in (("blocks.4.blur.filt", "fixed"), ("extra.conv_x", "ambiguous")):
        assert layers[name]["kind"] == kind
        assert layers[name]["reason"]


def test_info_as_a_table_tells_the_same_in_aligned_columns(
    network: Path, cli: Cli
) -> None:
    out = cli("info", network).out
    assert "network.safetensors · safetensors" in out
    heading, *rows = [
        line for line in out.splitlines() if line.startswith(("layer", "blocks"))
    ]
    column = heading.index("kind")
    assert all(row[column - 1] == " " and row[column] != " " for row in rows)
    assert "12.5 %" in next(row for row in rows if row.startswith("blocks.0"))
    assert "4 depthwise layers, 32 kernels: 8 of 7×7, 8 of 1×11" in out
    assert "1 flat (3.1 %); 1 other convolution." in out
    assert "extra.conv_x: It has the shape of depthwise kernels" in out


def test_info_of_a_network_without_depthwise_kernels_is_no_error(
    tmp_path: Path, cli: Cli
) -> None:
    path = tmp_path / "plain.safetensors"
    save_file({"a.weight": noise(8, 3, 3, 3), "b.weight": noise(8, 8, 3, 3)}, path)
    assert info(path, cli)["layers"] == []
    assert "No depthwise kernels; 2 other convolutions." in cli("info", path).out


def test_a_network_with_fixed_filters_alone_says_so(tmp_path: Path, cli: Cli) -> None:
    path = tmp_path / "blurs.safetensors"
    blur = np.ones((8, 1, 5, 5), np.float32)
    save_file({"a.blur.filt": blur, "b.blur.filt": blur}, path)
    told = cli("label", path)
    assert "There are no depthwise kernels." in told.out
    assert "it has 2 fixed filters" in told.err
    assert "--include takes them in" in told.err
    assert "8 kernels" in cli("label", path, "--include", "a.blur.filt").out


def test_an_ambiguous_layer_is_included_on_request(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    layers = info(network, cli, "--include", "extra.conv_x")["layers"]
    included = next(item for item in layers if item["name"] == "extra.conv_x")
    assert included["included"] is True
    out = tmp_path / "out.npz"
    cli("extract", network, "-o", out)
    assert np.load(out)["kernels_7x7"].shape == (8, 7, 7)
    words = ["extract", str(network), "--include", "extra.conv_x", "-o", str(out)]
    cli(*words)
    assert np.load(out)["kernels_7x7"].shape == (12, 7, 7)


def test_including_an_unknown_layer_is_wrong_usage(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "out.npz"
    assert "nowhere" in cli("info", network, "--include", "nowhere", code=2).complaint
    words = ["extract", str(network), "--include", "nowhere", "-o", str(out)]
    cli(*words, code=2)
    assert not out.exists()


def test_extract_writes_kernels_and_their_origin(
    network: Path, other: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "out.npz"
    cli("extract", network, other, "-o", out)
    with np.load(out, allow_pickle=False) as archive:
        arrays = dict(archive)
    sizes = ("7x7", "3x3", "1x11", "5")
    assert set(arrays) == {"layers", "sources"} | {
        f"{part}_{size}"
        for part in ("kernels", "layer", "channel", "source")
        for size in sizes
    }
    assert arrays["sources"].tolist() == [str(network), str(other)]
    assert arrays["layers"].tolist() == [
        "blocks.0.dwconv", "blocks.1.dwconv", "blocks.2.dwconv", "blocks.3.dwconv",
        "dwconv",
    ]  # fmt: skip
    kernels = arrays["kernels_7x7"]
    assert kernels.dtype == np.float32
    expected = np.concatenate([noise(8, 1, 7, 7), noise(4, 1, 7, 7, seed=9)])[:, 0]
    expected[3] = 0
    np.testing.assert_array_equal(kernels, expected)
    assert arrays["layer_7x7"].tolist() == [0] * 8 + [4] * 4
    assert arrays["channel_7x7"].tolist() == [*range(8), *range(4)]
    assert arrays["source_7x7"].tolist() == [0] * 8 + [1] * 4
    assert arrays["kernels_5"].shape == (8, 5)
    assert {arrays[f"{part}_3x3"].dtype.name for part in ("layer", "channel")} == {
        "int32"
    }


def test_extract_is_the_same_file_every_time(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    outs = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for out in outs:
        cli("extract", network, "-o", out)
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_one_bad_file_leaves_the_others_done(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    bad = tmp_path / "bad.pth"
    bad.write_text("no checkpoint")
    out = tmp_path / "out.npz"
    assert "bad.pth" in cli("extract", bad, network, "-o", out, code=1).complaint
    with np.load(out) as archive:
        assert archive["sources"].tolist() == [str(network)]


def test_no_usable_file_writes_nothing(tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "out.npz"
    assert (
        "nix.pth" in cli("extract", tmp_path / "nix.pth", "-o", out, code=1).complaint
    )
    assert list(tmp_path.iterdir()) == []


def test_info_of_a_bad_file_prints_nothing_on_stdout(tmp_path: Path, cli: Cli) -> None:
    captured = cli("info", tmp_path / "nix.pth", "--json", code=1)
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_an_output_that_cannot_be_written_is_said_before_reading(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    for out in (tmp_path / "no" / "out.npz", tmp_path, network / "out.npz"):
        captured = cli("extract", network, "-o", out, code=1)
        assert captured.out == ""
        assert str(out) in captured.err
        assert captured.err.count("\n") == 1


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(
    "words",
    [
        ("extract", "FILE", "-o", "OUT"),
        ("label", "FILE", "-o", "OUT"),
        ("label", "FOLDER", "-o", "OUT"),
        ("compare", "FILE", "FILE", "-o", "OUT"),
        ("series", "FILE", "-o", "OUT"),
        ("series", "FOLDER", "-o", "OUT"),
        ("keys", "FILE", "--save", "OUT"),
        ("train", "FILE", "--size", "7x7", "-o", "OUT"),
        ("null-test", "FILE", "-o", "OUT"),
        ("init", "--like", "FILE", "--kind", "dog", "-o", "OUT"),
        ("figure", "sheet", "FILE", "-o", "sheet.svg", "--kernels", "OUT"),
    ],
    ids=" ".join,
)
def test_an_input_is_never_overwritten(
    network: Path,
    tmp_path: Path,
    cli: Cli,
    words: tuple[str, ...],
    linked: bool,
) -> None:
    before = network.read_bytes()
    (tmp_path / "nets").mkdir()
    named = network.rename(tmp_path / "nets" / network.name)
    output = named
    if linked:
        output = tmp_path / "link.safetensors"
        output.symlink_to(named)
    given = {"FILE": named, "FOLDER": named.parent, "OUT": output}
    words = tuple(given.get(word, word) for word in words)
    complaint = cli(*words, code=2).complaint
    assert complaint.endswith("is one of the files to read; choose another name")
    assert named.read_bytes() == before


def test_keys_are_not_written_over_the_keys_they_are_from(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    keys = tmp_path / "keys.csv"
    cli("keys", network, "--keys", "2", "--among", "kernels", "--save", keys)
    before = keys.read_bytes()
    cli("keys", network, "--keys", keys, "--save", keys, code=2)
    assert keys.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_no_half_file(network: Path, tmp_path: Path) -> None:
    import resource

    folder = tmp_path / "out"
    folder.mkdir()
    done = subprocess.run(
        # without -B what it compiles would be cut as well, and kept
        [
            *(sys.executable, "-B", "-m", "kernelviewer"),
            *("extract", network, "-o", "out/o.npz"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},  # it would be cut off, too
    )
    assert done.returncode == 1
    assert done.stderr.startswith("kernelviewer: out/o.npz: cannot be written (")
    assert done.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []


@needs_checkpoints
def test_a_chosen_copy_of_a_real_network_is_listed(
    cli: Cli,
) -> None:
    path = CHECKPOINTS / "vapsr-x4-zhoumumu.pth"
    summary = info(path, cli, "--copy", "params")
    assert summary["copies"] == ["params", "params_ema"]
    assert summary["copy"] == "params"
    assert sum(layer["kernels"] for layer in summary["layers"]) == 2688


@needs_checkpoints
def test_an_unknown_copy_is_refused_with_the_known_ones(
    cli: Cli,
) -> None:
    path = CHECKPOINTS / "vapsr-x4-zhoumumu.pth"
    assert "params_ema" in cli("info", path, "--copy", "nowhere", code=1).complaint


def test_info_tells_the_taps_that_saw_data(
    network: Path, tmp_path: Path, cli: Cli
) -> None:
    summary = info(network, cli)
    assert not any("support" in layer for layer in summary["layers"])
    path = tmp_path / "small_maps.safetensors"
    outer = 1e-20 * noise(8, 1, 9, 9)
    outer[:, :, 2:7, 1:7] = noise(8, 1, 5, 6, seed=2)
    whole = noise(8, 1, 9, 9)
    save_file({"blocks.0.dwconv.weight": whole, "blocks.1.dwconv.weight": outer}, path)
    first, second = info(path, cli)["layers"]
    assert "support" not in first
    assert second["support"] == [[2, 7], [1, 7]]
    assert second["support_size"] == [5, 6]
    lines = cli("info", path).out.splitlines()
    assert next(line for line in lines if "blocks.1" in line).split() == [
        *("blocks.1.dwconv", "depthwise", "9×9", "5×6", "8", "0", "float32"),
    ]
    assert (
        "Support: taps that saw data; kernels are named on them, not beyond." in lines
    )
