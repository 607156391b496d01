from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.gui.views.grid.geometry import (
    Cell,
    GridLayout,
    default_tap,
    zoomed_tap,
)

SHAPES = [(1, 7, 7), (1, 1, 16), (1, 60, 1), (3, 3, 3), (1, 2, 2), (1, 51, 51)]


def make_layout(
    counts: tuple[int, ...] = (5, 1, 12, 3),
    *,
    shape: tuple[int, int, int] = (1, 7, 7),
    tap: int = 4,
    width: int = 200,
    heading: int = 20,
) -> GridLayout:
    starts = np.cumsum([0, *counts])[:-1].astype(np.int64)
    return GridLayout(
        Cell.fit(shape, tap, 1.0),
        sum(counts),
        starts,
        width=width,
        margin=12,
        heading=heading,
        space=8,
    )


layouts = st.builds(
    make_layout,
    st.lists(st.integers(0, 9), min_size=1, max_size=5).map(
        lambda counts: (*counts, 1)
    ),
    shape=st.sampled_from(SHAPES[:5]),
    tap=st.integers(1, 9),
    width=st.integers(10, 400),
    heading=st.sampled_from([0, 20]),
)


@given(layouts)
def test_kernels_stand_apart_and_are_found_where_they_stand(plan: GridLayout) -> None:
    cell = plan.cell
    seen = np.zeros((plan.height, plan.width), int)
    for position in range(plan.count):
        x, y = plan.origin(position)
        box = seen[y : y + cell.height, x : x + cell.width]
        assert box.shape == (cell.height, cell.width)
        box += 1
        for at in ((x, y), (x + cell.width - 1, y + cell.height - 1)):
            assert plan.position_at(*at) == position
            assert plan.nearest(*at) == position
    assert seen.max() == 1
    assert seen.sum() == plan.count * cell.height * cell.width


@given(layouts, st.tuples(*[st.integers(-20, 420)] * 4))
def test_a_rectangle_finds_what_it_touches(
    plan: GridLayout, corners: tuple[int, int, int, int]
) -> None:
    x0, x1 = sorted(corners[:2])
    y0, y1 = sorted(corners[2:])
    touched = []
    for position in range(plan.count):
        x, y = plan.origin(position)
        apart = x > x1 or y > y1
        if not (apart or x + plan.cell.width <= x0 or y + plan.cell.height <= y0):
            touched.append(position)
    assert plan.positions_in(x0, y0, x1, y1).tolist() == touched


@given(layouts, st.integers(0, 300), st.integers(1, 300))
def test_blocks_cover_what_is_in_view(plan: GridLayout, y0: int, height: int) -> None:
    y1 = y0 + height
    covered = [
        position
        for block in plan.blocks_in(y0, y1)
        for position in range(block.first, block.stop)
    ]
    assert covered == sorted(set(covered))
    for position in range(plan.count):
        y = plan.origin(position)[1]
        if y < y1 and y + plan.cell.height > y0:
            assert position in covered


@given(layouts)
def test_rows_lead_down_and_up_through_all_groups(plan: GridLayout) -> None:
    position, ways = 0, 0
    while (below := plan.beside(position, 1)) != position:
        assert plan.origin(below)[1] > plan.origin(position)[1]
        assert plan.origin(below)[0] <= plan.origin(position)[0]
        position, ways = below, ways + 1
    assert ways == plan.rows.sum() - 1
    for _ in range(ways):
        position = plan.beside(position, -1)
    assert position == 0


def test_points_beside_kernels_find_none() -> None:
    plan = make_layout((5, 3))
    x, y = plan.origin(4)
    assert plan.position_at(x + plan.cell.pitch_x, y) is None
    assert plan.position_at(0, 5) is None
    assert plan.position_at(-1, y) is None
    assert plan.position_at(20, plan.height + 1) is None
    assert plan.nearest(20, plan.height + 99) == 5
    assert plan.nearest(10_000, -5) == 4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_gaps_grow_with_the_kernels_within_bounds(
    shape: tuple[int, int, int], ratio: float
) -> None:
    gaps = [Cell.fit(shape, tap, ratio).gap for tap in range(1, 200)]
    assert gaps == sorted(gaps)
    assert gaps[0] >= 1
    assert gaps[-1] <= 12 * ratio + 1
    assert Cell.fit((1, 7, 7), 6, 1.0).gap == 4


def test_a_narrow_view_still_has_a_column() -> None:
    plan = make_layout((3,), width=5)
    assert plan.columns == 1
    assert plan.rows.tolist() == [3]


def test_no_kernels_need_no_room() -> None:
    plan = make_layout(())
    assert plan.height == 0
    assert plan.nearest(5, 5) is None
    assert plan.position_at(5, 5) is None
    assert len(plan.positions_in(0, 0, 9, 9)) == 0


def test_zoom_steps_go_through_whole_pixels_and_back() -> None:
    taps = [1]
    for _ in range(30):
        taps.append(zoomed_tap(taps[-1], 1))
    assert taps[:5] == [1, 2, 3, 4, 5]
    assert all(a < b for a, b in itertools.pairwise(taps))
    assert zoomed_tap(1, -1) == 1
    assert zoomed_tap(1, 30) == taps[-1]
    assert zoomed_tap(taps[-1], -60) == 1


def test_first_zoom_suits_the_size() -> None:
    sizes = [default_tap((1, k, k)) for k in (2, 3, 5, 7, 11, 31, 51)]
    assert sizes == sorted(sizes, reverse=True)
    assert default_tap((1, 7, 7)) == 6
    assert sizes[-1] == 2
