"""A figure's file tells how to make it again, and what no longer fits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.figures import FigureError, FigureOptions, make_figure
from kernelviewer.figures.provenance import (
    FileRecord,
    Record,
    find_files,
    from_ranges,
    read_record,
    show_again,
    to_ranges,
    with_hashes,
)
from kernelviewer.files import file_hash
from kernelviewer.formats.source import OpenedFile
from tests.figures.scenes import make_bank, named

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_ranges_name_what_is_shown(shown: list[bool]) -> None:
    mask = np.array(shown)
    found = from_ranges(to_ranges(mask), len(mask))
    if mask.all():
        assert found is None
    elif mask.any():
        assert found is not None
        assert np.array_equal(found, mask)


@pytest.mark.parametrize("text", ["x", "3-1", "0-9", "-1", "1,,2", "1-2-3"])
def test_ranges_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        from_ranges(text, 5)


@given(
    st.text(min_size=1, max_size=20),
    st.text(min_size=1, max_size=20),
    st.dictionaries(
        st.text(max_size=5), st.floats(allow_nan=False) | st.text(max_size=5)
    ),
)
def test_records_survive_their_text(
    name: str, size: str, facts: dict[str, object]
) -> None:
    files = (FileRecord(name, "ab" * 32, include=("a", "b"), shown="0-3"),)
    record = Record("sheet", size, files, facts, facts)
    text = record.to_text()
    assert text.isascii()
    assert Record.from_text(text) == record


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<svg/>", b"<svg", b"%PDF-1.4 nothing", b"\x89PNG\r\n\x1a\n\x00"],
)
def test_files_that_are_no_figures_are_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    path.write_bytes(content)
    with pytest.raises(FigureError, match=r"figure\.svg: this is no figure of kernel"):
        read_record(path)
    with pytest.raises(FigureError, match="there is no such file"):
        read_record(tmp_path / "none.svg")


@pytest.mark.parametrize(
    "values",
    [{"title": 5}, {"width_mm": "wide"}, {"dpi": True}, {"dark": 1}, {"width_mm": 5.0}],
)
def test_options_of_the_wrong_type_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(FigureError):
        FigureOptions.from_json(values)


def test_options_keep_only_what_differs() -> None:
    options = FigureOptions(width_mm=89.0, samples=4, height_mm=50)
    assert options.to_json() == {"width_mm": 89.0, "samples": 4, "height_mm": 50}
    assert FigureOptions.from_json({**options.to_json(), "later": 1}) == options


def test_the_record_names_files_by_hash_and_what_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"weights")
    scene = named(replace(make_bank(path=path), files=(OpenedFile.of(path),)))
    subject = scene.subjects[0]
    shown = subject.kernels.layer == 1
    scene = with_hashes(replace(scene, subjects=(replace(subject, shown=shown),)))
    drawn = make_figure("sheet", scene)
    (item,) = read_record(drawn.write(tmp_path / "a.svg")).files
    assert item == FileRecord(path.name, file_hash(path), shown="24-63")
    again = show_again(named(make_bank()), drawn.record)
    assert np.array_equal(again.subjects[0].shown, shown)
    with pytest.raises(FigureError, match="other networks"):
        show_again(named(make_bank(), make_bank()), drawn.record)
    with pytest.raises(FigureError, match="not there"):
        show_again(named(make_bank([("small", 3)])), drawn.record)


def test_files_are_found_by_hash_or_beside_the_figure(tmp_path: Path) -> None:
    path = tmp_path / "net.bin"
    path.write_bytes(b"weights")
    record = Record("sheet", "7x7", (FileRecord("net.bin", file_hash(path)),))
    assert find_files(record, [], [tmp_path]) == [path]
    renamed = path.rename(tmp_path / "other.bin")
    assert find_files(record, [renamed], []) == [renamed]
    with pytest.raises(FigureError, match=r"net\.bin: .*is not here"):
        find_files(record, [], [tmp_path])
    path.write_bytes(b"changed")
    with pytest.raises(FigureError, match=r"net\.bin: this is not the file"):
        find_files(record, [], [tmp_path])
