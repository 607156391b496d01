"""Texts and paths made fit for people, terminals, tables and files."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.formats.checkpoint import Checkpoint, Skipped, Tensor
from kernelviewer.formats.network.names import with_printable_names
from kernelviewer.text import csv_text, latex_text, markdown_text, printable, shown

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_printable_text_goes_anywhere_and_stays(text: str) -> None:
    found = printable(text)
    found.encode()
    assert not set("\n\r\t\x1b\x7f\x9b\u202e\u2066\u2028\ufeff\uffff") & set(found)
    assert printable(found) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain.Ünï–名.conv", "plain.Ünï–名.conv"),
        ("a\ud800b", "a\\ud800b"),
        ("\u202egnp", "\\u202egnp"),
        ("\x1b[31m", "\\x1b[31m"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_cannot_be_shown_is_written_out(text: str, found: str) -> None:
    assert printable(text) == found


def test_a_path_is_shown_with_its_bytes() -> None:
    path = Path(os.fsdecode(b"nets/net-\xff-\xc3\xa4.pth"))
    assert shown(path) == str(Path("nets", "net-\\xff-ä.pth"))


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
def test_no_cell_is_a_formula(first: str) -> None:
    cell = csv_text(f"{first}cmd|' /C calc'!A0")
    text = io.StringIO()
    csv.writer(text).writerow([cell])
    (row,) = csv.reader(io.StringIO(text.getvalue()))
    assert row[0][0] in "'\\"
    assert csv_text("stages.0-1=2") == "stages.0-1=2"
    for separator in ",;\n":  # some countries' spreadsheets begin a cell there
        inner = csv_text(f"net{separator}{first}x")
        assert inner == f"net{separator}{cell[: cell.index('cmd')]}x"


def test_markup_is_text() -> None:
    name = "a|b*c*<i>&`x`_y_[z](w)_in_word"
    assert markdown_text(name) == (
        "a\\|b\\*c\\*\\<i\\>\\&\\`x\\`\\_y\\_\\[z\\](w)\\_in_word"
    )
    assert latex_text("[5]%\\x_{$}^~#&") == (
        r"{[}5{]}\%\textbackslash{}x\_\{\$\}\textasciicircum{}"
        r"\textasciitilde{}\#\&"
    )


def test_names_that_become_alike_stay_apart() -> None:
    def tensor(name: str) -> Tensor:
        return Tensor(name, (1,), "float32", lambda: None, raw_name=name)  # type: ignore[arg-type, return-value]

    names = ("a\x01.weight", "a\\x01.weight", "b.weight")
    checkpoint = Checkpoint(
        Path("x"),
        "f",
        0,
        tuple(map(tensor, names)),
        skipped=(Skipped("\ud800", "\x1b"),),
        warnings=("\u202e",),
        metadata={"k\x1b": ["\ud800", {"deep": "line\nline"}]},
    )
    found = with_printable_names(checkpoint)
    assert [item.name for item in found.tensors] == [
        "a\\x01_2.weight",
        "a\\x01.weight",
        "b.weight",
    ]
    assert found.skipped == (Skipped("\\ud800", "\\x1b"),)
    assert found.warnings == ("\\u202e",)
    assert found.metadata == {"k\\x1b": ["\\ud800", {"deep": "line\nline"}]}
