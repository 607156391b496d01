"""Texts fit where they are put, in whatever script they are."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelviewer.figures import FigureOptions, make_figure
from kernelviewer.figures.counts import count, short_names
from kernelviewer.figures.fonts import Face, _files, installed
from kernelviewer.latent.axis import spaced
from kernelviewer.text import percent
from tests.figures.reading import Svg, faults
from tests.figures.scenes import make_bank, named

FACE = Face("sans-serif", 7.0)


@settings(max_examples=50)
@given(st.text(max_size=80), st.floats(0, 60))
def test_an_elided_text_is_no_wider_than_its_room(text: str, room: float) -> None:
    elided = FACE.elide(text, room)
    assert FACE.width(elided) <= room or elided == ""
    if FACE.width(text) <= room:
        assert elided == text


def test_the_middle_is_left_out() -> None:
    name = "stages.2.blocks.17.depthwise.conv"
    elided = FACE.elide(name, FACE.width(name) * 0.7)
    head, tail = elided.split("…")
    assert name.startswith(head)
    assert name.endswith(tail)
    assert len(tail) >= len(head) > 0


@given(st.text(st.characters(categories=["L", "Zs"]), max_size=200))
def test_wrapped_lines_fit(text: str) -> None:
    lines = FACE.wrap(text, 30.0)
    assert all(FACE.width(line) <= 30.0 for line in lines)


@pytest.mark.parametrize("name", ["сеть.слой", "δίκτυο", "réseau", "mạng ∂²x"])
def test_scripts_that_a_font_covers_stay_as_they_are(name: str) -> None:
    drawn = make_figure("sheet", named(make_bank([(name, 4)])))
    assert name in Svg(drawn.figure).texts
    assert drawn.notes == ()


def test_signs_that_no_font_covers_are_escaped_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kernelviewer.figures.fonts._covering", lambda sign: "")
    drawn = make_figure("sheet", named(make_bank([("网络.conv", 4)])))
    assert r"\u7f51\u7edc.conv" in Svg(drawn.figure).texts
    assert drawn.notes == (
        "No installed font covers some characters of the names; they are written as "
        r"\u escapes.",
    )


@pytest.mark.parametrize(
    "name", ["a\x00b\nc", "<b>&amp;$x_1^2$\\frac", "\udcff", "\u202e"]
)
def test_names_that_would_break_a_file_are_harmless(name: str) -> None:
    bank = make_bank([(name, 4), (f"{name}2", 3)], name=name)
    for kind in ("sheet", "composition", "samples", "compare", "table"):
        drawn = make_figure(kind, named(bank), FigureOptions(title=name))
        Svg(drawn.figure)
        assert faults(drawn.figure) == []


def test_a_font_that_is_not_there_is_said() -> None:
    drawn = make_figure(
        "sheet", named(make_bank()), FigureOptions(font_family="No Such Font")
    )
    assert drawn.notes == ("The font No Such Font is not installed.",)


def test_a_face_of_another_width_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts = {name: path for name, path in _files().items() if "DejaVu" in name}
    monkeypatch.setattr("kernelviewer.figures.fonts._files", lambda: fonts)
    (note,) = make_figure("sheet", named(make_bank())).notes
    assert note.startswith("Neither Arial nor a face as wide is installed")


@pytest.mark.parametrize("family", ["serif", "monospace", "DejaVu Serif"])
def test_other_families_are_written_into_the_file(family: str) -> None:
    drawn = make_figure(
        "sheet", named(make_bank()), FigureOptions(width_mm=89, font_family=family)
    )
    assert family.encode() in Svg(drawn.figure).data
    assert faults(drawn.figure) == []


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=30).map(sorted),
    st.floats(0.1, 3),
)
def test_spaced_names_keep_order_distance_and_room(
    wanted: list[float], gap: float
) -> None:
    places = spaced(wanted, gap, 0.0, 100.0)
    assert len(places) == len(wanted)
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(places))
    if gap * (len(wanted) - 1) <= 100:
        assert places[0] >= -1e-9
        assert places[-1] <= 100 + 1e-9


def test_names_far_enough_apart_stay_where_they_are() -> None:
    assert spaced([1.0, 5.0, 9.0], 2.0, 0.0, 10.0) == [1.0, 5.0, 9.0]


def test_short_names_drop_what_all_share() -> None:
    names = ["blocks.1.conv.dw", "blocks.12.conv.dw"]
    assert short_names(names) == ["blocks.1", "blocks.12"]
    assert short_names(["net.a.dw", "net.b.dw"]) == ["a", "b"]
    assert short_names(["only.one"]) == ["only.one"]
    assert short_names(["same", "same"]) == ["same", "same"]
    assert short_names(["a.dw", "a.b.dw"]) == ["a", "a.b"]


def test_numbers_read_well() -> None:
    assert count(1, "kernel") == "1 kernel"
    assert count(12345, "kernel") == "12\u202f345 kernels"
    assert percent(0.9075) == "90.8 %"
    assert percent(0.0004) == "<0.1 %"
    assert percent(0.0) == "0.0 %"
    assert percent(float("nan")) == "–"


def test_a_face_as_wide_as_arial_ships() -> None:
    assert {"Liberation Sans", "DejaVu Sans"} <= installed()
    families = Face("sans-serif", 7).families()
    assert families[0] in ("Arial", "Helvetica", "Liberation Sans")
    for sign in "∂²σθ×≥−…":
        assert Face("Liberation Sans", 7).readable(sign) == sign
