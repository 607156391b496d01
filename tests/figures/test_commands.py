"""The commands figure, report and sample, as a user calls them."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.figures import EXHIBITS, FigureOptions
from kernelviewer.figures.provenance import read_record
from kernelviewer.figures.report import plan_report
from kernelviewer.files import resource
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Cli

try:
    SAMPLE = str(resource("sample", "sample.safetensors"))
except FileNotFoundError:
    SAMPLE = ""
needs_sample = pytest.mark.skipif(not SAMPLE, reason="the sample is not there")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A network of two small depthwise layers."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    path = tmp_path / "small.safetensors"
    tensors = {
        "stem.weight": rng.normal(size=(8, 3, 3, 3)),
        "a.dw.weight": rng.normal(size=(8, 1, 5, 5)),
        "a.pw.weight": rng.normal(size=(8, 8, 1, 1)),
        "b.dw.weight": rng.normal(size=(8, 1, 5, 5)),
        "b.pw.weight": rng.normal(size=(4, 8, 1, 1)),
    }
    save_file({k: v.astype(np.float32) for k, v in tensors.items()}, path)
    return path


def test_a_figure_is_written_and_described(
    small: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "sheet"
    command = ["figure", "sheet", str(small), "-o", str(out), "--width", "single"]
    assert cli(*command).out.startswith(f"{out}.svg: 16 depthwise kernels (5×5)")
    record = read_record(tmp_path / "sheet.svg")
    assert record.kind == "sheet"
    assert record.options == {"width_mm": 89.0}
    assert record.files[0].name == "small.safetensors"


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_from_makes_the_same_file_again(
    small: Path, tmp_path: Path, suffix: str, cli: Cli
) -> None:
    first, again = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    options = ["--layer", "b", "--seed", "4", "--dark", "--no-legend"]
    cli("figure", "pca", small, "-o", first, *options)
    cli("figure", "--from", first, "-o", again)
    assert first.read_bytes() == again.read_bytes()
    assert read_record(first).files[0].shown


def test_options_given_anew_win_over_the_record(
    small: Path, tmp_path: Path, cli: Cli
) -> None:
    first, wider = tmp_path / "a.svg", tmp_path / "b.svg"
    cli("figure", "sheet", small, "-o", first, "--width", 89)
    command = ["figure", "--from", str(first), "-o", str(wider), "--width", "double"]
    cli(*command)
    assert read_record(wider).options == {}


@pytest.mark.parametrize("suffix", [".csv", ".md", ".tex"])
def test_tables_come_as_text_too(
    small: Path, tmp_path: Path, suffix: str, cli: Cli
) -> None:
    out = tmp_path / f"table{suffix}"
    command = ["figure", "table", str(small), "-o", str(out), "--device", "cpu"]
    cli(*command)
    assert "small" in out.read_text()


def test_data_and_kernels_go_with_the_figure(
    small: Path, tmp_path: Path, cli: Cli
) -> None:
    data, kernels = tmp_path / "d.csv", tmp_path / "k.npz"
    command = ["figure", "sheet", str(small), "-o", str(tmp_path / "a.png")]
    command += ["--data", str(data), "--kernels", str(kernels), "--device", "cpu"]
    cli(*command, "--layer", "a.dw")
    assert len(data.read_text().splitlines()) == 9
    assert np.load(kernels)["kernels_5x5"].shape == (8, 5, 5)


def test_family_needs_no_file(tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "family.pdf"
    cli("figure", "family", "-o", out, "--size", "5x5")
    assert read_record(out).size == "5x5"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["figure", "-o", "x"], 2, "name a figure: family, samples"),
        (["figure", "sheet", "-o", "x"], 2, "name a checkpoint"),
        (["figure", "nothing", "x", "-o", "x"], 2, "there is no figure 'nothing'"),
        (["figure", "sheet", "none.pth", "-o", "x"], 1, "none.pth: there is no such"),
        (["figure", "--from", "none.svg", "-o", "x"], 1, "none.svg: there is no such"),
        (["report", "none.pth", "-o", "x"], 1, "none.pth: there is no such"),
    ],
)
def test_wrong_calls_are_one_line(
    arguments: list[str],
    code: int,
    message: str,
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    error = cli(*arguments, code=code).err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            ["--size", "9x9"],
            1,
            "there are no 9×9 kernels. There are kernels of the sizes",
        ),
        (["--layer", "c"], 1, "no layer with kernels of this size is named 'c'"),
        (["--width", "7"], 2, "the width is between 40 and 1000 mm, not 7"),
        (["--colormap", "rainbowish"], 2, "there is no colour map 'rainbowish'"),
        (["--mark", "nan"], 2, "the marked code is between 0 and 1, not nan"),
        (["--device", "mps"], 2, "this machine has no mps device"),
        (["--height", "20", "--font-size", "20"], 1, "do not fit into 20 mm"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    small: Path,
    tmp_path: Path,
    options: list[str],
    code: int,
    message: str,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    command = ["figure", "sheet", str(small), "-o", str(tmp_path / "a.svg")]
    assert message in cli(*command, "--group", "class", *options, code=code).err
    assert not (tmp_path / "a.svg").exists()


def test_a_figure_named_by_another_autoencoder_is_not_made(
    small: Path, tmp_path: Path, cli: Cli
) -> None:
    first = tmp_path / "a.svg"
    command = ["figure", "classes", str(small), "-o", str(first), "--device", "cpu"]
    cli(*command, "--autoencoder", "family")
    text = first.read_text().replace("pattern family", "curve autoencoder")
    first.write_text(text.replace('"method"', '"sha256": "00", "method"'))
    assert (
        "named by another autoencoder"
        in cli("figure", "--from", first, "-o", tmp_path / "b.svg", code=1).err
    )


def test_an_existing_file_is_asked_about(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    out = tmp_path / "a.svg"
    out.write_text("mine")
    command = ["figure", "sheet", str(small), "-o", str(out)]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    cli(*command, code=1)
    assert out.read_text() == "mine"
    monkeypatch.setattr("builtins.input", _never_asked)
    cli(*command, "--force")
    assert out.read_text() != "mine"


def _never_asked(question: str) -> str:
    raise AssertionError(question)


def test_a_bad_file_does_not_stop_the_good_one(
    small: Path, tmp_path: Path, cli: Cli
) -> None:
    bad = tmp_path / "bad.pth"
    bad.write_text("nothing")
    out = tmp_path / "a.svg"
    assert "bad.pth" in cli("figure", "sheet", small, bad, "-o", out, code=1).err
    assert out.exists()


def test_report_is_one_page_that_needs_nothing_else(
    small: Path, tmp_path: Path, cli: Cli
) -> None:
    folder = tmp_path / "report"
    command = ["report", str(small), "-o", str(folder), "--device", "cpu"]
    printed = cli(*command, "--format", "svg", "--format", "png", "--dpi", 100).out
    page = (folder / "index.html").read_text()
    assert page.count("<figure>") == 14
    assert page.count("data:image/svg+xml;base64,") >= 10
    for outside in ("http://", "https://", "<script", 'src="figures'):
        assert outside not in page.replace("http://www.w3.org", "")
    names = {path.name for path in (folder / "figures").iterdir()}
    assert "small-5x5-sheet.svg" in names
    assert "small-5x5-sheet.png" in names
    assert {"table-5x5.csv", "table-5x5.md", "table-5x5.tex"} <= {
        path.name for path in (folder / "data").iterdir()
    }
    assert str(tmp_path) not in page
    assert "[1/14]" in printed
    assert printed.endswith(f"{folder / 'index.html'}: the report\n")


def test_a_report_of_two_networks_tells_what_changed(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "kernelviewer.figures.report.plan_report",
        lambda banks: [p for p in plan_report(banks) if EXHIBITS[p.kind].pairs],
    )
    paths = [
        write_network(tmp_path / f"{name}.safetensors", channels=8, seed=seed)
        for seed, name in enumerate(("before", "after"))
    ]
    folder = tmp_path / "report"
    command = ["report", *paths, "-o", folder, "--autoencoder", "family"]
    cli(*command, "--device", "cpu")
    names = {path.name for path in (folder / "figures").iterdir()}
    for kind in ("transitions", "drift", "scatter", "pairs", "shift"):
        assert {f"{kind}-7x7.svg", f"{kind}-3x3.svg"} <= names
        assert (folder / "data" / f"{kind}-7x7.csv").read_text().count("\n") > 1


@needs_sample
def test_sample_without_a_display_writes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    coarse = partial(FigureOptions, dpi=100)
    monkeypatch.setattr("kernelviewer.commands.sample.FigureOptions", coarse)
    folder = tmp_path / "sample"
    first, last = cli("sample", "-o", folder).out.splitlines()
    assert first.startswith("There is no display")
    assert last.startswith(str(folder))
    assert {path.name for path in folder.iterdir()} == {
        "info.txt",
        "info.json",
        "kernels.png",
    }
    assert json.loads((folder / "info.json").read_text())["layers"]


@needs_sample
def test_sample_with_a_display_opens_the_window(
    monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    opened = []
    monkeypatch.setattr(
        "kernelviewer.commands.window.run",
        lambda options: opened.append(options.files) or 0,
    )
    cli("sample")
    assert opened == [[SAMPLE]]


@needs_sample
def test_figures_say_by_what_the_names_are_and_are_made_again(
    tmp_path: Path, cli: Cli
) -> None:
    captions = {}
    for by in ("code", "family"):
        first, again = tmp_path / f"{by}.svg", tmp_path / f"{by}-again.svg"
        command = ["figure", "classes", SAMPLE, "-o", str(first), "--device", "cpu"]
        captions[by] = cli(*command, "--by", by).out
        naming = read_record(first).naming
        assert (naming["method"] == "pattern family") == (by == "family")
        assert ("sha256" in naming) == (by == "code")
        command = ["figure", "--from", str(first), SAMPLE, "-o", str(again)]
        cli(*command, "--device", "cpu")
        assert again.read_bytes() == first.read_bytes()
    assert "named by the code, curve autoencoder" in captions["code"]
    assert "named by the pattern family" in captions["family"]
    other = tmp_path / "other.svg"
    command = ["figure", "--from", str(tmp_path / "code.svg"), SAMPLE]
    command += ["-o", str(other), "--by", "family", "--device", "cpu"]
    assert "named by the pattern family" in cli(*command).out
