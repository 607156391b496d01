from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from kernelviewer.cli import main
from kernelviewer.commands import COMMANDS
from tests.shared import CHECKPOINTS, needs_checkpoints


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Two sizes, a strip, one dead kernel, an ambiguous and a fixed layer."""
    first = noise(8, 1, 7, 7)
    first[3] = 0
    path = tmp_path / "network.safetensors"
    save_file(
        {
            "stem.weight": noise(8, 3, 3, 3),
            "blocks.0.dwconv.weight": first,
            "blocks.1.dwconv.weight": noise(8, 1, 3, 3).astype(np.float16),
            "blocks.2.dwconv.weight": noise(8, 1, 1, 11),
            "blocks.3.dwconv.weight": noise(8, 1, 5),
            "blocks.4.blur.filt": np.ones((8, 1, 3, 3), np.float32),
            "extra.conv_x": noise(4, 1, 7, 7),
            "head.weight": noise(10, 8),
        },
        path,
    )
    return path


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


def info(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    assert main(["info", str(path), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_info_as_json_has_the_documented_keys(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = info(network, capsys)
    assert list(summary) == [
        "path", "format", "size_bytes", "layers", "other_convolutions", "skipped",
        "warnings",
    ]  # fmt: skip
    assert summary["path"] == str(network)
    assert summary["format"] == "safetensors"
    assert summary["size_bytes"] == network.stat().st_size
    assert summary["other_convolutions"] == 1
    layers = {layer["name"]: layer for layer in summary["layers"]}
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
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(network)]) == 0
    out = capsys.readouterr().out
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
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plain.safetensors"
    save_file({"a.weight": noise(8, 3, 3, 3), "b.weight": noise(8, 8, 3, 3)}, path)
    assert info(path, capsys)["layers"] == []
    assert main(["info", str(path)]) == 0
    assert "No depthwise kernels; 2 other convolutions." in capsys.readouterr().out


def test_an_ambiguous_layer_is_included_on_request(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = info(network, capsys, "--include", "extra.conv_x")["layers"]
    included = next(item for item in layers if item["name"] == "extra.conv_x")
    assert included["included"] is True
    out = tmp_path / "out.npz"
    assert main(["extract", str(network), "-o", str(out)]) == 0
    assert np.load(out)["kernels_7x7"].shape == (8, 7, 7)
    words = ["extract", str(network), "--include", "extra.conv_x", "-o", str(out)]
    assert main(words) == 0
    assert np.load(out)["kernels_7x7"].shape == (12, 7, 7)


def test_including_an_unknown_layer_is_wrong_usage(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.npz"
    assert main(["info", str(network), "--include", "nowhere"]) == 2
    assert "nowhere" in complaint(capsys)
    words = ["extract", str(network), "--include", "nowhere", "-o", str(out)]
    assert main(words) == 2
    assert not out.exists()


def test_extract_writes_kernels_and_their_origin(
    network: Path, other: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.npz"
    assert main(["extract", str(network), str(other), "-o", str(out)]) == 0
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


def test_extract_is_the_same_file_every_time(network: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for out in outs:
        assert main(["extract", str(network), "-o", str(out)]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_one_bad_file_leaves_the_others_done(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.pth"
    bad.write_text("no checkpoint")
    out = tmp_path / "out.npz"
    assert main(["extract", str(bad), str(network), "-o", str(out)]) == 1
    assert "bad.pth" in complaint(capsys)
    with np.load(out) as archive:
        assert archive["sources"].tolist() == [str(network)]


def test_no_usable_file_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.npz"
    assert main(["extract", str(tmp_path / "nix.pth"), "-o", str(out)]) == 1
    assert "nix.pth" in complaint(capsys)
    assert list(tmp_path.iterdir()) == []


def test_info_of_a_bad_file_prints_nothing_on_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(tmp_path / "nix.pth"), "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_an_output_that_cannot_be_written_is_said_before_reading(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out in (tmp_path / "no" / "out.npz", tmp_path, network / "out.npz"):
        assert main(["extract", str(network), "-o", str(out)]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert str(out) in captured.err
        assert captured.err.count("\n") == 1


def test_an_input_is_never_overwritten(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = network.read_bytes()
    assert main(["extract", str(network), "-o", str(network)]) == 2
    assert "one of the files to read" in complaint(capsys)
    assert network.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_no_half_file(network: Path, tmp_path: Path) -> None:
    import resource

    folder = tmp_path / "out"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "kernelviewer", "extract", network, "-o", "out/o.npz"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("kernelviewer: out/o.npz: cannot be written (")
    assert done.stderr.count("\n") == 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["info"],
        ["info", "a", "b"],
        ["extract", "a.pth"],
        ["extract", "-o", "out.npz"],
        ["--device", "abacus"],
        ["--size", "large"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_exits_with_two(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(words)
    assert ending.value.code == 2


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["--help"])
    assert ending.value.code == 0
    out = capsys.readouterr().out
    for name, summary in COMMANDS.items():
        assert f"  {name} " in out
        assert summary in out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main([name, "--help"])
    assert ending.value.code == 0
    assert f"kernelviewer {name}" in capsys.readouterr().out


def test_a_reader_that_stops_early_is_no_error(network: Path) -> None:
    command = f"{sys.executable} -m kernelviewer info {network} --json | head -c 10"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""


def test_output_goes_through_a_terminal_that_knows_only_ascii(network: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kernelviewer", "info", network],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0
    assert "blocks.0.dwconv" in done.stdout


def test_interrupting_is_said_in_one_line(
    network: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kernelviewer.commands.reading.open_checkpoint", interrupt)
    assert main(["info", str(network)]) == 130
    assert complaint(capsys) == "kernelviewer: interrupted"
    monkeypatch.setattr("kernelviewer.cli.import_module", interrupt)  # still starting
    assert main(["info", str(network)]) == 130
    assert complaint(capsys) == "kernelviewer: interrupted"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
def test_output_that_cannot_be_written_is_said_in_one_line(network: Path) -> None:
    command = f"{sys.executable} -m kernelviewer info {network} --json > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("kernelviewer: standard output cannot be written (")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_without_any_output_the_exit_code_still_tells(network: Path) -> None:
    command = f"{sys.executable} -m kernelviewer info {{}} >&- 2>&-"
    for file, code in ((network, 0), (network.with_name("none.pth"), 1)):
        assert subprocess.run(["sh", "-c", command.format(file)]).returncode == code


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
@pytest.mark.parametrize("command", ["extract", "label", "figure sheet"])
def test_a_device_is_never_replaced_by_a_file(
    network: Path, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe.svg"
    os.mkfifo(pipe)
    assert main([*command.split(), str(network), "-o", str(pipe)]) == 1
    assert "pipe.svg" in complaint(capsys)
    assert pipe.is_fifo()


@needs_checkpoints
def test_a_chosen_copy_of_a_real_network_is_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = CHECKPOINTS / "vapsr-x4-zhoumumu.pth"
    summary = info(path, capsys, "--copy", "params")
    assert summary["copies"] == ["params", "params_ema"]
    assert summary["copy"] == "params"
    assert sum(layer["kernels"] for layer in summary["layers"]) == 2688


@needs_checkpoints
def test_an_unknown_copy_is_refused_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = CHECKPOINTS / "vapsr-x4-zhoumumu.pth"
    assert main(["info", str(path), "--copy", "nowhere"]) == 1
    assert "params_ema" in complaint(capsys)


def test_names_from_a_file_cannot_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = np.ones((8, 1, 3, 3), np.float32) * np.arange(8)[:, None, None, None]
    name = "evil\x1b[31m\n\u202ename" + "x" * 5000 + ".dw.weight"
    path = tmp_path / "names.safetensors"
    save_file({name: weights, "dw2.weight": weights}, path)
    assert main(["info", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert max(map(len, printed.splitlines())) < 300


@pytest.mark.parametrize("seed", ["-1", "1.5", "4294967296", "one"])
@pytest.mark.parametrize("command", ["figure", "report", "train", "null-test"])
def test_a_seed_that_no_generator_takes_is_wrong_usage(
    network: Path,
    tmp_path: Path,
    command: str,
    seed: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [command, str(network), "-o", str(tmp_path / "out"), "--seed", seed]
    with pytest.raises(SystemExit) as ending:
        main(words)
    assert ending.value.code == 2
    assert "is no seed; give a whole number" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
