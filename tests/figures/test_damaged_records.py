"""Figures from somebody else: whatever their record says, a clear message follows."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest

from kernelviewer.cli import main
from kernelviewer.figures import FigureError, provenance
from kernelviewer.figures.provenance import FileRecord, Record, find_files, read_record
from kernelviewer.files import file_hash
from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.tasks import load
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.stretches import to_json
from tests.formats.test_bombs import at_most
from tests.jobs.test_strange_sessions import write_strange
from tests.networks import write_network
from tests.test_strangers import OUTSIDE, SHARES
from tests.watching import watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEEP = "[" * 100_000 + "]" * 100_000
WRONG = [
    *(None, [], {}, True, -1, 0, 1e308, float("nan"), float("inf"), -5.5, 10**400),
    *("x", "", "x" * 100_000, "../../etc/passwd", "1" * 6000, "\ud800", "9999x9999"),
    *([None], {"a": []}, ["a"] * 3, [1, 2], "@deep"),
]
OPTIONS: dict[str, Any] = {
    **{"width_mm": 89.0, "height_mm": None, "margin_mm": 1.0, "dpi": 150},
    **{"font_family": "serif", "font_size": 8.0, "labels": False, "title": "a"},
    **{"legend": False, "scale_bar": False, "panel_letters": True},
    **{"colormap": "grey", "scale": "layer", "samples": 3, "group": "none"},
    **{"sort": "scale", "colour": "fit", "components": [1, 3], "mark": 0.5},
    **{"seed": 3, "dark": True},
}


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return write_network(tmp_path / "net.safetensors")


def facts_of(net: Path) -> dict[str, Any]:
    """A record that has everything."""
    autoencoder = shipped((7, 7))
    assert autoencoder is not None
    return {
        "kernelviewer": "0.1.0",
        "figure": "samples",
        "size": "7x7",
        "files": [
            {
                "name": net.name,
                "sha256": file_hash(net),
                "copy": "",
                "include": ["stages.0.conv_dw"],
                "shown": "0-9,12",
            }
        ],
        "naming": {
            "method": "curve autoencoder",
            "threshold": 0.7,
            "sha256": "0" * 64,
            "stretches": to_json(autoencoder.stretches)[:2],
        },
        "options": OPTIONS,
        "selection": "some",
        "caption": "own",
    }


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something is in a JSON value."""
    yield at
    inner: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        inner = list(enumerate(value))[:1]
    for key, item in inner:
        yield from places(item, (*at, key))


def changed(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    value = copy.deepcopy(value)
    inner = value
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = new
    return value


def test_whatever_a_record_says_is_read_or_refused(
    net: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = facts_of(net)
    figure = net.with_name("figure.svg")
    figure.write_text("<svg/>", encoding="utf-8")
    text = ""
    monkeypatch.setattr(provenance, "_embedded", lambda data: text)
    monkeypatch.chdir(net.parent)
    bank = run_now(load, net)
    monkeypatch.setattr("kernelviewer.commands.figure.read_bank", lambda *args: bank)
    monkeypatch.setattr(
        "kernelviewer.commands.figure.make_figure", lambda kind, scene, look: _Drawn()
    )
    codes = set()
    for at in places(facts):
        for wrong in WRONG:
            text = json.dumps(changed(facts, at, wrong)).replace('"@deep"', DEEP)
            code = main(["figure", "--from", str(figure), "-o", "out.svg"])
            codes.add(code)
            err = capsys.readouterr().err
            assert err.count("\n") == (1 if code else 0), (at, wrong, err)
            assert "Traceback" not in err
            assert len(err) < 1100
    assert codes <= {0, 1, 2}


class _Drawn:
    """A figure that need not be drawn."""

    caption, notes, remark = "", (), ""

    def with_caption(self, text: str) -> _Drawn:
        return self

    def write(self, path: Path) -> Path:
        return path


@pytest.mark.parametrize(
    ("at", "wrong", "message"),
    [
        (("size",), "0x7", r"its size is no kernel size"),
        (("size",), 7, r"size is no text"),
        (("files",), {}, r"files is no list"),
        (("files", 0), "net", r"files\[0\] is no table"),
        (("files", 0, "include"), "net", r"files\[0\]\.include is no list"),
        (("files", 0, "shown"), 4, r"files\[0\]\.shown is no text"),
        (("naming", "threshold"), "0.5", r"naming\.threshold is no fit"),
        (("options",), [], r"options is no table"),
        (("caption",), None, r"caption is no text"),
    ],
)
def test_what_is_wrong_is_named(
    net: Path,
    at: tuple[Any, ...],
    wrong: Any,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = json.dumps(changed(facts_of(net), at, wrong))
    figure = net.with_name("figure.pdf")
    escaped = record.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    figure.write_bytes(b"%PDF-1.4\n<< /Keywords (" + escaped.encode() + b") >>")
    code = main(["figure", "--from", str(figure), "-o", str(net.with_name("o.svg"))])
    assert code == 1
    err = capsys.readouterr().err
    assert re.search(message, err)
    assert "the record of how the figure was made is damaged" in err


def test_a_record_that_never_ends_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "_LONGEST", 1 << 20)
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF /Keywords (" + b"x" * (2 * provenance._LONGEST))
    with pytest.raises(FigureError, match="this is no figure"):
        read_record(path)
    path.write_bytes(b"%PDF /Keywords (" + b'{"kernelviewer": ' + DEEP.encode() + b"})")
    with pytest.raises(FigureError, match="nested too deep"):
        read_record(path)


def test_a_drawing_of_millions_of_parts_takes_little(tmp_path: Path) -> None:
    record = Record("sheet", "7x7", caption="a < b & “&amp;”")
    source = f"<dc:source>{escape(record.to_text())}</dc:source>"
    path = tmp_path / "a.svg"
    path.write_text(f"<svg>{source}{'<a/>' * 300_000}</svg>")
    with at_most(8):
        assert read_record(path) == record


@pytest.mark.parametrize("name", [*SHARES, *OUTSIDE, "sub/net.safetensors"])
def test_a_recorded_name_does_not_leave_its_folder(
    name: str, net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record("sheet", "7x7", (FileRecord(name, "0" * 64),))
    folder = net.parent / "sent"
    folder.mkdir()
    touched = watch(monkeypatch)
    with pytest.raises(FigureError, match="is not here"):
        find_files(record, [], [folder])
    assert touched == []


def test_an_absolute_name_of_a_file_with_the_right_hash_is_not_taken(net: Path) -> None:
    record = Record("sheet", "7x7", (FileRecord(str(net), file_hash(net)),))
    with pytest.raises(FigureError, match="is not here"):
        find_files(record, [], [net.parent])
    assert find_files(record, [net], []) == [net], "the user may name it"


@pytest.mark.parametrize("command", ["report", "figure", "info", "label", "extract"])
def test_commands_open_nothing_that_a_session_names(
    command: str,
    net: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = write_strange(net.parent / "sent" / "s.kvsession", str(net))
    words = {
        "report": ["report", str(session), "-o", str(net.parent / "r")],
        "figure": ["figure", "sheet", str(session), "-o", str(net.parent / "f.svg")],
        "info": ["info", str(session)],
        "label": ["label", str(session)],
        "extract": ["extract", str(session), "-o", str(net.parent / "x.npz")],
    }[command]
    with monkeypatch.context() as patch:
        touched = watch(patch)
        assert main(words) == 1
    assert str(session) in touched
    assert str(net) not in touched
    assert "s.kvsession: " in capsys.readouterr().err
