"""Where kernels stand and which are in view: none of it needs a window."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.gui.views.grid import colours, compose, image, mosaic
from kernelviewer.gui.views.grid import geometry as geometry_module
from kernelviewer.gui.views.grid.geometry import (
    Band,
    Cell,
    GridGeometry,
    GridLayout,
    View,
    default_tap,
    zoomed_tap,
)
from kernelviewer.gui.views.grid.mosaic import GridContent, GridGroup, build_mosaic

if TYPE_CHECKING:
    from types import ModuleType

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


VIEW = View(400, 300, 1.0, 24.0)


def make_content(
    count: int = 2000,
    size: tuple[int, ...] = (7, 7),
    cuts: tuple[int, ...] = (0, 700),
    order: np.ndarray | None = None,
) -> GridContent:
    kernels = build_mosaic([np.ones((count, *size), np.float32)])
    groups = tuple(GridGroup(cut, f"layer {cut}") for cut in cuts)
    return GridContent(kernels, np.arange(count) if order is None else order, groups)


def make_geometry(
    content: GridContent | None = None, view: View = VIEW
) -> GridGeometry:
    geometry = GridGeometry(view)
    geometry.set_content(make_content() if content is None else content)
    return geometry


def top_of(geometry: GridGeometry, kernel: int) -> int:
    box = geometry.box_of(kernel)
    assert box is not None
    return box[1]


def middle_of(geometry: GridGeometry, kernel: int) -> tuple[float, float]:
    """A point for the cursor, logical pixels."""
    box = geometry.box_of(kernel)
    assert box is not None
    x, y, width, height = box
    return (x + width / 2) / geometry.view.ratio, (y + height / 2) / geometry.view.ratio


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("size", [(7, 7), (16,), (3, 3, 3), (60, 1)])
@pytest.mark.parametrize("cuts", [(), (0, 700)])
def test_a_kernel_scrolled_to_is_found_where_it_is_said_to_be(
    ratio: float, size: tuple[int, ...], cuts: tuple[int, ...]
) -> None:
    geometry = make_geometry(make_content(900, size, cuts), replace(VIEW, ratio=ratio))
    for zoom in (0, 1, 2.4, 1000):
        geometry.set_zoom(zoom)
        for kernel in (0, 699, 700, 899, 350):
            geometry.scroll_to(kernel)
            x, y, width, height = geometry.box_of(kernel) or (0, 0, 0, 0)
            assert x >= 0
            assert y >= geometry.stuck_bottom
            assert x + width <= geometry.view.across
            assert y + height <= geometry.view.down
            assert geometry.kernel_at(middle_of(geometry, kernel)) == kernel


def test_what_is_in_view_does_not_scroll() -> None:
    geometry = make_geometry()
    geometry.scroll(0, 1000)
    kernel = geometry.kernel_at((200, 150))
    assert kernel is not None
    geometry.scroll_to(kernel)
    assert geometry.top == 1000


def test_there_is_nothing_beyond_the_ends() -> None:
    geometry = make_geometry()
    geometry.scroll(-5, 10**9)
    assert (geometry.left, geometry.top) == geometry.scroll_range
    geometry.scroll(3, -1)
    assert (geometry.left, geometry.top) == (0, 0)


@pytest.mark.parametrize("ratio", [1.0, 1.5])
def test_zooming_keeps_what_is_under_the_cursor(ratio: float) -> None:
    geometry = make_geometry(view=replace(VIEW, ratio=ratio))
    geometry.scroll_to(1200)
    at = middle_of(geometry, 1200)
    for steps in (*[1] * 12, *[-1] * 12):
        geometry.zoom_by(steps, at)
        y, tall = top_of(geometry, 1200), geometry.plan.cell.height  # type: ignore[union-attr]
        assert y - 2 <= at[1] * ratio <= y + tall + 2


def test_zooming_by_keys_keeps_the_focused_kernel_or_else_the_first() -> None:
    geometry = make_geometry()
    geometry.scroll_to(1200)
    geometry.set_focus(1190)
    before = top_of(geometry, 1190)
    geometry.zoom_by(2)
    assert top_of(geometry, 1190) == before
    geometry.reset_zoom()
    geometry.scroll(0, geometry.top + 1)
    geometry.set_focus(None)
    first = geometry.moved("down")
    assert first is not None
    before = top_of(geometry, first)
    geometry.zoom_by(-1)
    assert top_of(geometry, first) == before


def test_the_same_kernel_stays_first_over_many_sizes_of_the_view() -> None:
    geometry = make_geometry()
    geometry.scroll(0, 2345)
    first = geometry.moved("down")
    assert first is not None
    before = top_of(geometry, first)
    for width in (800, 300, 111, 640, 431, 400):
        geometry.view = replace(VIEW, width=width)
        geometry.rearrange()
        assert top_of(geometry, first) == before
    assert geometry.top == 2345


def test_another_order_keeps_the_focused_kernel_or_starts_at_the_top() -> None:
    geometry = make_geometry()
    geometry.scroll_to(1500)
    geometry.set_focus(1500)
    before = top_of(geometry, 1500)
    mixed = make_content(order=np.random.default_rng(0).permutation(2000))
    geometry.set_content(mixed)
    assert top_of(geometry, 1500) == before
    geometry.set_focus(None)
    geometry.set_content(make_content())
    assert geometry.top == 0


def test_the_same_places_stay_where_they_are() -> None:
    geometry = make_geometry()
    geometry.scroll(0, 1234)
    geometry.set_content(make_content())
    assert geometry.top == 1234


def test_a_zoom_wished_before_there_are_kernels_is_used_for_all_sizes() -> None:
    geometry = GridGeometry(VIEW)
    geometry.set_zoom(12)
    assert geometry.zoom == 12
    geometry.set_content(make_content())
    assert geometry.zoom == 12
    geometry.set_content(make_content(size=(51, 51)))
    assert geometry.zoom == 2 * default_tap((1, 51, 51))
    geometry.set_content(None)
    assert geometry.zoom == 0
    assert geometry.scroll_range == (0, 0)


def test_the_largest_zoom_shows_one_whole_kernel_and_pinches_add_up() -> None:
    geometry = make_geometry()
    geometry.set_zoom(10_000)
    assert geometry.zoom == geometry.zoom_range[1]
    geometry.view = replace(VIEW, height=200)
    geometry.rearrange()
    assert geometry.zoom == geometry.zoom_range[1]
    geometry.set_zoom(6)
    for _ in range(4):
        geometry.pinch(1.02, (50, 50))
    assert geometry.zoom == 6
    for _ in range(4):
        geometry.pinch(1.02, (50, 50))
    assert geometry.zoom == 7


def test_a_heading_is_held_until_its_kernels_have_passed() -> None:
    geometry = make_geometry()
    assert geometry.stuck_heading is None
    assert [(group.start, y) for group, y in geometry.headings] == [(0, 0)]
    geometry.scroll(0, 50)
    group, y = geometry.stuck_heading or (None, 1)
    assert (group and group.start, y) == (0, 0)
    assert geometry.stuck_bottom == 24
    assert geometry.kernel_at((20, 23)) is None
    assert geometry.kernel_at((20, 24)) is not None
    assert geometry.plan is not None
    geometry.scroll(0, int(geometry.plan.bottoms[0]) - 10)
    group, y = geometry.stuck_heading or (None, 1)
    assert (group and group.start, y) == (0, 10 - 24)
    assert geometry.headings[-1][0].start == 700
    geometry.scroll(0, int(geometry.plan.tops[1]))
    assert geometry.stuck_heading is None
    assert make_geometry(make_content(cuts=())).headings == []


def test_moves_follow_the_drawing_order() -> None:
    order = np.random.default_rng(0).permutation(60)
    geometry = make_geometry(make_content(60, cuts=(0, 10, 11), order=order))
    assert geometry.plan is not None
    assert geometry.plan.columns == 8

    def walk(*moves: str) -> list[int]:
        path = []
        for move in moves:
            kernel = geometry.moved(move)  # type: ignore[arg-type]
            geometry.set_focus(kernel)
            path.append(int(np.flatnonzero(order == kernel)[0]))
        return path

    assert walk("right", "right", "down", "down", "up") == [0, 1, 9, 10, 8]
    assert walk("last", "right", "down", "up", "left") == [59, 59, 59, 51, 50]
    assert walk("first", "left", "up", "page up") == [0, 0, 0, 0]
    assert walk("page down")[0] >= 11
    assert walk("page down", "page down", "page down", "page down")[-1] == 59
    assert geometry.span(int(order[7]), int(order[3])).tolist() == order[3:8].tolist()
    assert geometry.span(None, int(order[3])).tolist() == [order[3]]
    geometry.set_content(None)
    assert geometry.moved("last") is None


def test_a_page_is_what_was_in_view() -> None:
    geometry = make_geometry()
    geometry.set_focus(800)
    geometry.scroll_to(800)
    before = top_of(geometry, 800)
    kernel = geometry.moved("page down")
    assert kernel is not None
    assert geometry.plan is not None
    pitch = geometry.plan.cell.pitch_y
    way = top_of(geometry, kernel) - before
    assert geometry.view.down - 24 - 2 * pitch <= way <= geometry.view.down - 24


def test_a_band_goes_with_its_content_and_pulls_at_the_edges() -> None:
    geometry = make_geometry(make_content(60, cuts=()))
    band = Band(geometry, middle_of(geometry, 1), "add")
    band.cursor = middle_of(geometry, 2)
    assert band.kernels.tolist() == [1, 2]
    left, top, width, _ = band.box
    geometry.scroll(0, 20)
    band.cursor = middle_of(geometry, 2)
    assert band.box == (left, top - 20, width, 1)
    assert band.kernels.tolist() == [1, 2]
    pulls = []
    for y in (-100, -1, 0, 150, 299, 300, 400):
        band.cursor = (50, y)
        pulls.append(band.pull)
    assert pulls == [-25, -2, 0, 0, 0, 2, 25]
    geometry.set_content(None)
    assert band.kernels.tolist() == []


def test_a_picture_taller_than_scroll_bars_count_is_drawn_smaller() -> None:
    one = make_content(1, (51, 51), cuts=())
    many = np.broadcast_to(np.int64(0), 10_000_000)
    geometry = make_geometry(GridContent(one.mosaic, many))
    geometry.set_zoom(1000)
    assert geometry.plan is not None
    assert 2**30 < geometry.plan.height < 2**31


@pytest.mark.parametrize("module", [geometry_module, mosaic, compose, image, colours])
def test_all_but_painter_and_widget_need_no_qt(module: ModuleType) -> None:
    assert "PySide6" not in Path(module.__file__ or "").read_text()
