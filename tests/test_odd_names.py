"""Every command on a file whose names are no UTF-8, and which has odd layers."""

from __future__ import annotations

import csv
import json
import os
import pickle
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer.cli import main
from kernelviewer.commands.null_test import write_fits
from kernelviewer.figures.provenance import read_record
from tests.odd_files import ODD_LAYERS, is_harmless, write_odd_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Printed = Callable[[], str]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    return write_odd_network(tmp_path)


@pytest.fixture
def printed(capfd: pytest.CaptureFixture[str]) -> Printed:
    """What was printed since; nothing on stderr, all of it harmless."""

    def read() -> str:
        out, err = capfd.readouterr()
        assert err == ""
        assert is_harmless(out)
        return out

    return read


def test_every_layer_keeps_a_name_of_its_own(odd: Path) -> None:
    bank = kv.extract_kernels(kv.open_checkpoint(odd))
    names = [layer.name for layer in bank.layers]
    assert sorted(names) == sorted(["a\\ud800.dw", "b\\u202e.dw", *ODD_LAYERS[2:]])
    assert all(map(is_harmless, [bank.name, *names]))
    assert bank.path == odd


def test_info_and_extract(odd: Path, printed: Printed) -> None:
    assert main(["info", str(odd)]) == 0
    assert "net-\\xff\\x1b[31m.safetensors" in printed()
    assert main(["info", "--json", str(odd)]) == 0
    facts = json.loads(printed())
    assert facts["path"].endswith("net-\\xff\\x1b[31m.safetensors")
    assert "a\\ud800.dw" in [layer["name"] for layer in facts["layers"]]
    out = odd.with_name("out.npz")
    assert main(["extract", str(odd), "-o", str(out)]) == 0
    with np.load(out) as arrays:
        texts = [*arrays["layers"], *arrays["sources"]]
    assert all(map(is_harmless, texts))


def test_a_layer_is_named_as_the_file_has_it_or_as_it_is_shown(
    odd: Path, printed: Printed
) -> None:
    for name in ("a\ud800.dw", "a\\ud800.dw"):
        out = odd.with_name("out.svg")
        assert main(["figure", "sheet", str(odd), "-o", str(out)]) == 0
        assert main(["info", str(odd), "--include", name]) == 0
    printed()


def test_label_writes_names_that_no_spreadsheet_runs(
    odd: Path, printed: Printed
) -> None:
    out = odd.with_name(os.fsdecode(b"labels-\xfe.csv"))
    assert main(["label", str(odd), "-o", str(out)]) == 0
    printed()
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert {row["layer"] for row in rows} >= {"a\\ud800.dw", "'=1+1.dw"}
    assert any(float(row["offset"]) < 0 for row in rows), "numbers stay numbers"
    assert main(["label", "--json", str(odd)]) == 0
    assert json.loads(printed())["sizes"]["7x7"]["kernels"] == 24


def test_no_table_has_a_formula(tmp_path: Path) -> None:
    """Layers, steps of a run and networks whose names begin as one."""
    files = [write_odd_network(tmp_path, f"={number}.safetensors") for number in "12"]
    a, b, c = (tmp_path / f"{name}.csv" for name in "abc")
    assert main(["compare", *map(str, files), "-o", str(a)]) == 0
    assert main(["series", *map(str, files), "-o", str(b)]) == 0
    condition = SimpleNamespace(name="=1+1", fit=[0.5], own_fit=[-0.25])
    write_fits(c, [SimpleNamespace(size=(7, 7), conditions=[condition])])  # type: ignore[list-item]
    for path, name in ((a, "'=1+1.dw"), (b, "'=1+1.dw"), (c, "'=1+1")):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert name in cells
        assert not [cell for cell in cells if cell.startswith("=")]


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_a_figure_is_drawn_and_made_again(
    odd: Path, printed: Printed, suffix: str
) -> None:
    out = odd.with_name(os.fsdecode(b"fig-\xfe") + suffix)
    data = odd.with_name("data.csv")
    arguments = ["figure", "sheet", str(odd), "-o", str(out), "--data", str(data)]
    assert main(arguments) == 0
    (item,) = read_record(out).files
    assert item.name == odd.name, "the record has the very name, to find the file"
    again = odd.with_name(f"again{suffix}")
    assert main(["figure", "--from", str(out), "-o", str(again)]) == 0
    assert again.read_bytes() == out.read_bytes()
    assert is_harmless(data.read_text(encoding="utf-8"))
    assert "\n'=1+1.dw," in data.read_text(encoding="utf-8") or ",'=1+1.dw," in (
        data.read_text(encoding="utf-8")
    )
    printed()


def test_a_report_has_names_as_text(odd: Path, printed: Printed) -> None:
    folder = odd.parent / os.fsdecode(b"report-\xfe")
    assert main(["report", str(odd), "-o", str(folder), "--dpi", "100"]) == 0
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert is_harmless(page)
    assert "net-\\xff\\x1b[31m.safetensors" in page
    assert "<b>&|" not in page
    printed()


def test_a_pickle_has_odd_names_too(tmp_path: Path, printed: Printed) -> None:
    path = tmp_path / os.fsdecode(b"\xfe.pkl")
    weights = np.ones((4, 1, 3, 3), np.float32)
    weights += np.random.default_rng(0).normal(size=weights.shape).astype(np.float32)
    path.write_bytes(pickle.dumps({"x\ud800.dw.weight": weights}))
    assert main(["info", str(path)]) == 0
    assert "x\\ud800.dw" in printed()


def test_what_is_wrong_is_said_with_harmless_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / os.fsdecode(b"bad-\xff\x1b.safetensors")
    path.write_bytes(b"\x00" * 40)
    assert main(["info", str(path)]) == 1
    err = capsys.readouterr().err
    assert "bad-\\xff\\x1b.safetensors: " in err
    assert "fault of kernelviewer" not in err
    assert is_harmless(err)


def test_pictures_of_kernels_stay_in_their_archive(odd: Path, printed: Printed) -> None:
    out = odd.with_name("kernels.zip")
    arguments = ["figure", "sheet", str(odd), "-o", str(odd.with_name("f.svg"))]
    assert main([*arguments, "--kernels", str(out)]) == 0
    printed()
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
    assert len(names) == 24
    assert all(map(is_harmless, names))
