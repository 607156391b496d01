from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.gui.views.spectrum.content import (
    SpectrumContent,
    StretchSpan,
    no_autoencoder,
    not_named,
)
from kernelviewer.gui.views.spectrum.histogram import (
    BINS,
    bin_codes,
    count_codes,
    fitting_bars,
    join_bins,
)
from kernelviewer.gui.views.spectrum.strip import Axis
from kernelviewer.latent.axis import place_kernels, place_names
from tests.gui.spectrum_harness import STRETCHES, make_codes, make_spectrum

# Density


def test_every_code_is_counted_once_in_its_bin() -> None:
    codes = make_codes(20_000)
    rng = np.random.default_rng(1)
    shown, selected = rng.random(20_000) < 0.7, rng.random(20_000) < 0.2
    density = count_codes(bin_codes(codes), shown, selected)
    here = shown & ~np.isnan(codes)
    expected, _ = np.histogram(codes[here], BINS, (0, 1))
    assert density.shown.tolist() == expected.tolist()
    expected, _ = np.histogram(codes[here & selected], BINS, (0, 1))
    assert density.selected.tolist() == expected.tolist()


def test_codes_that_are_none_are_left_out() -> None:
    codes = np.array([0, 1, np.nan, -0.1, 1.1, np.inf, -np.inf], np.float32)
    density = count_codes(bin_codes(codes), None, np.ones(7, bool))
    assert density.shown.sum() == density.selected.sum() == 2
    assert density.shown[0] == density.shown[-1] == 1


def test_no_kernels_at_all_make_an_empty_density() -> None:
    density = count_codes(bin_codes(np.zeros(0, np.float32)))
    assert density.shown.shape == density.selected.shape == (BINS,)
    assert not density.shown.any()


@pytest.mark.parametrize(("pixels", "bars"), [(4 * 1024, 1024), (1560, 256), (3, 1)])
def test_bars_are_as_wide_as_can_be_seen_and_lose_nothing(
    pixels: int, bars: int
) -> None:
    assert fitting_bars(pixels, 4) == bars
    counts = np.arange(BINS)
    assert join_bins(counts, bars).sum() == counts.sum()


# Axis


@given(st.floats(0, 1), st.integers(60, 4000), st.sampled_from([1.0, 1.25, 1.5, 2.0]))
def test_a_code_is_found_where_it_is_drawn(z: float, width: int, ratio: float) -> None:
    axis = Axis.across(width, ratio)
    assert 0 < axis.pixel(z) < width * ratio
    assert abs(axis.code(axis.logical(z)) - z) <= 0.5 / axis.length + 1e-9


def test_places_beyond_the_ends_are_the_ends() -> None:
    axis = Axis.across(500, 1)
    assert (axis.code(-50), axis.code(0), axis.code(9999)) == (0, 0, 1)


@pytest.mark.parametrize("width", [40, 200, 400, 1100, 4000])
def test_ticks_stand_apart_and_reach_from_0_to_1(width: int) -> None:
    axis = Axis.across(width, 1)
    ticks = axis.ticks(60)
    assert (ticks[0], ticks[-1]) == ((0, "0"), (1, "1"))
    assert all(abs(float(text) - z) < 1e-9 for z, text in ticks)
    places = [axis.logical(z) for z, _ in ticks]
    gaps = np.diff(places)
    assert len(gaps) == 1 or gaps.min() >= 58


# Names


@given(st.lists(st.floats(1, 200), min_size=1, max_size=30), st.floats(5, 120))
def test_names_are_whole_apart_and_at_their_stretch(
    lengths: list[float], width: float
) -> None:
    edges = np.cumsum([12.0, *lengths])
    spans = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    low, high = 6.0, float(edges[-1]) + 6
    names = [str(number) for number in range(len(spans))]
    placed = place_names(spans, names, [width] * len(spans), (low, high), 8)
    for name in placed:
        left, right = spans[name.index]
        assert low - 1e-6 <= name.left
        assert name.left + name.width <= high + 1e-6
        if name.led:
            assert name.left <= (left + right) / 2 <= name.left + width
        else:
            assert left <= name.left
            assert name.left + width <= right
    for side in (True, False):
        ends = sorted((n.left, n.left + n.width) for n in placed if n.above is side)
        assert all(a[1] <= b[0] + 1e-6 for a, b in itertools.pairwise(ends))


def test_the_names_of_short_stretches_go_first() -> None:
    spans = [(0.0, 40.0), (40.0, 44.0), (44.0, 48.0), (48.0, 88.0)]
    placed = place_names(spans, list("abcd"), [40.0] * 4, (0.0, 90.0), 8)
    assert {0, 3} <= {name.index for name in placed}
    assert len(placed) < 4


def test_neighbours_stand_on_both_sides() -> None:
    spans = [(35.0 * i, 35.0 * (i + 1)) for i in range(20)]
    names = [f"name {i}" for i in range(20)]
    placed = place_names(spans, names, [60.0] * 20, (-6.0, 706.0), 8)
    assert len(placed) >= 19
    assert {name.above for name in placed} == {True, False}


def test_a_name_stands_once_unless_far_away() -> None:
    spans = [(0.0, 100.0), (100.0, 190.0), (190.0, 250.0), (250.0, 300.0)]
    names = ["On-centre", "∂x", "On-centre", "∂y"]
    widths = [50.0, 15.0, 50.0, 15.0]
    placed = place_names(spans, names, widths, (0.0, 300.0), 8)
    assert [name.index for name in placed] == [0, 1, 2, 3]  # 170 of 300 apart
    spans = [(0.0, 100.0), (100.0, 130.0), (130.0, 200.0), (200.0, 600.0)]
    placed = place_names(spans, names, widths, (0.0, 600.0), 8)
    assert [name.index for name in placed] == [0, 1, 3]


# Kernels


@given(
    st.lists(st.floats(0.002, 1), min_size=0, max_size=30),
    st.floats(60, 2000),
    st.floats(8, 60),
)
def test_kernels_stand_apart_near_their_codes(
    lengths: list[float], length: float, pitch: float
) -> None:
    edges = [0.0, *(np.cumsum(lengths) / max(sum(lengths), 1e-9)).tolist()]
    spans = list(itertools.pairwise(edges))
    names = [str(number % 7) for number in range(len(spans))]
    placed = place_kernels(spans, names, length, pitch)
    assert 1 <= len(placed) <= max(1, length / pitch + 1e-6)
    codes, places = zip(*placed, strict=True)
    assert list(codes) == sorted(set(codes))
    assert all(b - a >= pitch - 1e-6 for a, b in itertools.pairwise(places))
    assert places[0] >= pitch / 2 - 1e-6
    assert places[-1] <= max(length - pitch / 2, pitch / 2) + 1e-6
    for code, at in placed:
        assert abs(at - code * length) <= pitch


def test_more_room_adds_kernels_and_changes_hardly_any() -> None:
    edges = np.linspace(0, 1, 24)
    spans = list(itertools.pairwise(edges.tolist()))
    names = list(map(str, range(len(spans))))
    before: set[float] = set()
    kept = []
    for length in range(280, 1580, 20):
        codes = {code for code, _ in place_kernels(spans, names, length, 30)}
        kept.append(len(codes & before) / max(len(before), 1))
        assert len(codes) >= 0.75 * (length // 30)
        before = codes
    assert np.mean(kept[1:]) > 0.95
    assert min(kept[1:]) > 0.7
    assert all(any(low < z < high for z in codes) for low, high in spans)


# Content


def test_stretches_must_cover_the_axis() -> None:
    table = np.zeros((4, 3, 3), np.float32)
    whole = (StretchSpan(0, 0.5, 0, 0.9), StretchSpan(0.5, 1, 1, 0.9))
    assert SpectrumContent(table, whole).size == (3, 3)
    for broken in (
        (StretchSpan(0.1, 1, 0, 0.9),),
        (StretchSpan(0, 0.9, 0, 0.9),),
        (StretchSpan(0, 0.5, 0, 0.9), StretchSpan(0.6, 1, 1, 0.9)),
        (StretchSpan(0, 0, 0, 0.9), StretchSpan(0, 1, 1, 0.9)),
    ):
        with pytest.raises(ValueError, match="from 0 to 1"):
            SpectrumContent(table, broken)
    with pytest.raises(ValueError, match="at least one"):
        SpectrumContent(table[:0])


def test_a_code_lies_in_one_stretch() -> None:
    content = make_spectrum()
    starts = [0.0, *(stop for _, stop in STRETCHES)][:-1]
    for index, start in enumerate(starts):
        assert content.stretch_at(start) == index
        assert content.stretch_at(start + 1e-4) == index
    assert content.stretch_at(1.0) == len(STRETCHES) - 1
    assert SpectrumContent(content.table).stretch_at(0.5) is None


def test_a_border_can_be_moved_between_its_neighbours_even_where_they_are_narrow() -> (
    None
):
    table = np.zeros((4, 3, 3), np.float32)
    cuts = [0, 0.5, 0.5005, 0.501, 1]
    content = SpectrumContent(
        table,
        tuple(StretchSpan(a, b, 0, 0.9) for a, b in itertools.pairwise(cuts)),
    )
    for border in range(3):
        low, high = content.limits_of(border)
        before, after = content.stretches[border : border + 2]
        assert before.start < low < high < after.stop
        moved = content.with_border(border, low)
        assert moved.stretches[border].stop == moved.stretches[border + 1].start == low


def test_what_is_missing_is_said_with_its_size_and_count() -> None:
    absence = no_autoencoder((2, 3, 3), 1488)
    assert "2×3×3" in absence.title
    assert "1\u202f488" in absence.text
    assert absence.train
    assert "nothing is named" in absence.text
    assert not no_autoencoder((2, 3, 3), 0).train
    assert "9×9" in not_named((9, 9), "running").title
    assert "cancelled" in not_named((9, 9), "ask").text


def test_an_unknown_cosine_is_not_said() -> None:
    assert StretchSpan(0, 1, 0, 0.934).quality == "family cosine 0.93"
    assert StretchSpan(0, 1, 0, float("nan")).quality == ""
