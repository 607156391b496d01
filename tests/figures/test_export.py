"""Data files hold exactly what is drawn."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.figures import EXHIBITS, FigureError, FigureOptions, make_figure
from kernelviewer.figures.content import Table
from kernelviewer.figures.export import (
    to_csv,
    to_latex,
    to_markdown,
    write_data,
    write_kernels,
)
from kernelviewer.kernels.classes import CLASSES
from tests.figures.scenes import make_bank, named, scene_of
from tests.recorder import EndedError, Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.figures import Scene


@pytest.fixture
def scene() -> Scene:
    return named(make_bank(), make_bank(name="other", seed=4))


@pytest.mark.parametrize("kind", EXHIBITS)
def test_every_exhibit_writes_its_data(kind: str, tmp_path: Path) -> None:
    content = EXHIBITS[kind].prepare(scene_of(kind, make_bank()), FigureOptions())
    path = write_data(content, tmp_path / kind)
    assert path.name == f"{kind}.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == len(content.table()) > 0
    assert None not in rows[0].values()
    arrays = np.load(write_data(content, tmp_path / "a.npz"), allow_pickle=False)
    expected = content.arrays()
    assert set(arrays) == set(expected)
    for name, values in expected.items():
        assert np.array_equal(arrays[name], values, equal_nan=values.dtype.kind == "f")


def test_equal_data_are_equal_files(scene: Scene, tmp_path: Path) -> None:
    content = make_figure("composition", scene).content
    first, again = (write_data(content, tmp_path / f"{n}.npz") for n in "ab")
    assert first.read_bytes() == again.read_bytes()


def test_csv_of_the_sheet_has_the_weights_themselves(tmp_path: Path) -> None:
    bank = make_bank([("layer", 3)])
    content = make_figure("sheet", named(bank)).content
    path = write_data(content, tmp_path / "a.csv")
    rows = list(csv.reader(path.read_text().splitlines()))
    assert rows[0][:5] == ["source", "layer", "channel", "flat", "w0"]
    found = np.array([row[4:] for row in rows[1:]], np.float32)
    assert np.array_equal(found, bank.sizes[7, 7].weights.reshape(3, 49))


def test_kernels_as_npz(scene: Scene, tmp_path: Path) -> None:
    arrays = np.load(write_kernels(scene, tmp_path / "k"), allow_pickle=False)
    first = scene.subjects[0]
    assert arrays["kernels_7x7"].shape == (142, 7, 7)
    assert np.array_equal(arrays["kernels_7x7"][:71], first.kernels.weights)
    assert arrays["sources"].tolist() == ["net", "other"]
    assert arrays["layers"][arrays["layer_7x7"][30]] == "stages.1.conv_dw"
    assert arrays["classes"].tolist() == [item.id for item in CLASSES]
    assert np.isnan(arrays["fit_7x7"][arrays["flat_7x7"]]).all()


def test_kernels_as_safetensors(scene: Scene, tmp_path: Path) -> None:
    from safetensors import safe_open

    path = write_kernels(scene, tmp_path / "k.safetensors")
    with safe_open(path, "np") as file:
        assert file.get_tensor("kernels_7x7").shape == (142, 7, 7)
        assert json.loads(file.metadata()["sources"]) == ["net", "other"]
        assert file.metadata()["size"] == "7x7"


def test_kernels_as_pictures(scene: Scene, tmp_path: Path) -> None:
    from PIL import Image

    path = write_kernels(scene, tmp_path / "k.zip")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names)) == 142
        assert names[0] == "1 net/stages.0.conv_dw/00000.png"
        with Image.open(io.BytesIO(archive.read(names[0]))) as picture:
            assert picture.size == (56, 56)
    with Image.open(write_kernels(scene, tmp_path / "k.png")) as picture:
        assert abs(picture.width - picture.height) < 0.3 * picture.width


def test_names_in_an_archive_stay_inside_it(tmp_path: Path) -> None:
    scene = named(make_bank([("../../etc\\pass:wd\x00", 2)], name="../up"))
    path = write_kernels(scene, tmp_path / "k.zip")
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            assert ".." not in name
            assert not set(name) & set('\\:*?"<>|\x00')


def test_only_what_is_shown_is_written(scene: Scene, tmp_path: Path) -> None:
    subject = scene.subjects[0]
    shown = subject.kernels.channel < 2
    part = replace(scene, subjects=(replace(subject, shown=shown),))
    arrays = np.load(write_kernels(part, tmp_path / "k.npz"))
    assert np.array_equal(arrays["kernels_7x7"], subject.kernels.weights[shown])
    nothing = replace(subject, shown=np.zeros(71, bool))
    with pytest.raises(FigureError, match="no kernels are shown"):
        write_kernels(replace(scene, subjects=(nothing,)), tmp_path / "n.npz")
    assert not (tmp_path / "n.npz").exists()


def test_kernels_are_named_as_the_command_extract_names_them(tmp_path: Path) -> None:
    from kernelviewer.kernels.archive import write_archive

    bank = make_bank()
    write_archive(tmp_path / "whole.npz", [("net", bank)])
    whole = np.load(tmp_path / "whole.npz")
    part = np.load(write_kernels(named(bank), tmp_path / "part.npz"))
    assert set(whole) <= set(part)
    for name in whole:
        assert np.array_equal(whole[name], part[name]), name


@pytest.mark.parametrize("suffix", ["npz", "safetensors", "png", "zip"])
def test_a_cancelled_export_leaves_nothing(
    scene: Scene, tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(EndedError):
        write_kernels(scene, tmp_path / f"k.{suffix}", Recorder(end=3))
    assert list(tmp_path.iterdir()) == []


TABLE = Table(
    {"name": ["a_b|c", "50 % ∂²x"], "share": [0.25, float("nan")], "n": [3, 4]}
)


def test_csv_quotes_what_it_must() -> None:
    text = to_csv(Table({"a": ['x,"y"\nz'], "b": [0.1]}))
    assert list(csv.reader(io.StringIO(text))) == [["a", "b"], ['x,"y"\nz', "0.1"]]


def test_markdown_aligns_numbers_to_the_right() -> None:
    lines = to_markdown(TABLE).splitlines()
    assert lines[1].count(":") == 2
    assert r"a_b\|c" in lines[2]
    assert "–" in lines[3]
    assert len({len(line) for line in lines}) == 1


def test_latex_is_booktabs_with_nothing_left_to_break_it() -> None:
    text = to_latex(TABLE)
    assert "\\toprule" in text
    assert "\\begin{tabular}{lrr}" in text
    assert r"a\_b\textbar{}c & 0.250 & 3 \\" in text
    assert r"50 \% $\partial$$^2$x" in text
