from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.gui.views.grid.compose import Marks, compose
from kernelviewer.gui.views.grid.geometry import Cell, GridLayout
from kernelviewer.gui.views.grid.mosaic import (
    BLANK,
    FLAT,
    FRAMES,
    HATCH,
    MISSING,
    NO_FRAME,
    RING,
    ZERO,
    GridContent,
    GridGroup,
    build_mosaic,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = [(7, 7), (4, 4), (1, 16), (60, 1), (9,), (2, 3, 5), (51, 51)]
NOTHING = Marks(None, dimmed=False, line=2, hatch=6)


def make_content(
    size: tuple[int, ...], count: int = 40, cuts: tuple[int, ...] = (0, 1, 9, 9)
) -> GridContent:
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((count, *size), np.float32)
    mosaic = build_mosaic([weights])
    groups = tuple(GridGroup(cut, f"group {cut}") for cut in cuts)
    return GridContent(mosaic, rng.permutation(count), groups)


def make_layout(content: GridContent, tap: int, width: int = 300) -> GridLayout:
    return GridLayout(
        Cell.fit(content.mosaic.shape, tap, 1.0),
        len(content.order),
        content.starts,
        width=width,
        margin=12,
        heading=20,
        space=8,
    )


def tile_picture(content: GridContent, plan: GridLayout, kernel: int) -> NDArray:
    """One kernel as it must look, painted tap by tap."""
    cell = plan.cell
    picture = np.full((cell.height, cell.width), BLANK, np.uint8)
    step = cell.columns * cell.tap + cell.slice_gap
    for (row, column), index in np.ndenumerate(content.mosaic.tiles[kernel]):
        piece, tap = divmod(column, cell.columns + 1)
        if tap < cell.columns:
            x, y = piece * step + tap * cell.tap, row * cell.tap
            picture[y : y + cell.tap, x : x + cell.tap] = index
    return picture


def by_hand(content: GridContent, plan: GridLayout) -> NDArray:
    """The whole content, one kernel after the other."""
    picture = np.full((plan.height, plan.width), BLANK, np.uint8)
    for position, kernel in enumerate(content.order):
        x, y = plan.origin(position)
        tile = tile_picture(content, plan, int(kernel))
        picture[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return picture


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("tap", [1, 2, 5])
def test_the_picture_is_that_of_every_kernel_painted_by_hand(
    size: tuple[int, ...], tap: int
) -> None:
    content = make_content(size)
    plan = make_layout(content, tap)
    whole = by_hand(content, plan)
    drawn = compose(content, plan, (0, 0, plan.width, plan.height), NOTHING)
    assert np.array_equal(drawn, whole)
    for x, y, width, height in ((0, 33, 200, 50), (17, 60, 120, 91), (5, 0, 9, 9)):
        part = compose(content, plan, (x, y, width, height), NOTHING)
        assert part.shape == (height, width)
        inside = whole[y : y + height, x : x + width]
        assert np.array_equal(part[: inside.shape[0], : inside.shape[1]], inside)


def test_what_lies_outside_the_content_is_blank() -> None:
    content = make_content((3, 3), count=2, cuts=())
    plan = make_layout(content, 4)
    drawn = compose(content, plan, (0, 0, 500, 400), NOTHING)
    assert (drawn[plan.height :] == BLANK).all()
    assert (drawn[:, plan.width :] == BLANK).all()


def test_a_common_scale_shrinks_weights_and_nothing_else() -> None:
    weights = np.random.default_rng(0).standard_normal((6, 3, 3), np.float32)
    weights[1, 0, 0] = np.nan
    mosaic = build_mosaic([weights], np.arange(6) == 2)
    gain = np.array([1, 0.5, 0.5, 0.25, 0, 1], np.float32)
    own = GridContent(mosaic, np.arange(6))
    common = GridContent(mosaic, np.arange(6), gain=gain)
    plan = make_layout(own, 1)
    part = (0, 0, plan.width, plan.height)
    before, after = (compose(content, plan, part, NOTHING) for content in (own, common))
    for position, factor in enumerate(gain):
        x, y = plan.origin(position)
        old, new = (p[y : y + 3, x : x + 3].astype(float) for p in (before, after))
        special = old > 2 * ZERO
        assert np.array_equal(old[special], new[special])
        wanted = ZERO + (old - ZERO) * factor
        assert np.abs(new - wanted)[~special].max(initial=0) <= 0.51
    assert (before == MISSING).sum() == 1


def test_flat_kernels_are_hatched() -> None:
    weights = np.ones((3, 5, 5), np.float32)
    content = GridContent(build_mosaic([weights], np.arange(3) == 1), np.arange(3))
    plan = make_layout(content, 8)
    drawn = compose(content, plan, (0, 0, plan.width, plan.height), NOTHING)
    x, y = plan.origin(1)
    tile = drawn[y : y + 40, x : x + 40]
    assert set(np.unique(tile)) == {FLAT, HATCH}
    assert np.array_equal(tile[1:, :-1], tile[:-1, 1:])
    assert ((drawn == FLAT) | (drawn == HATCH)).sum() == tile.size


def test_selected_kernels_get_a_ring_in_the_gap() -> None:
    content = make_content((7, 7), count=12, cuts=(0, 5))
    plan = make_layout(content, 6)
    part = (0, 0, plan.width, plan.height)
    selected = np.zeros(12, bool)
    selected[content.order[[0, 4, 11]]] = True
    plain = compose(content, plan, part, NOTHING)
    drawn = compose(content, plan, part, Marks(selected, False, 2, 6))
    wanted = plain.copy()
    for position in (0, 4, 11):
        x, y = plan.origin(position)
        wanted[y - 2 : y + 44, x - 2 : x + 44] = RING
        wanted[y : y + 42, x : x + 42] = plain[y : y + 42, x : x + 42]
    assert np.array_equal(drawn, wanted)


def test_selecting_all_marks_nothing_behind_the_last_kernel() -> None:
    content = make_content((7, 7), count=4, cuts=())
    plan = make_layout(content, 6)
    part = (0, 0, 300, 120)
    drawn = compose(content, plan, part, Marks(np.ones(4, bool), False, 2, 6))
    x, _ = plan.origin(3)
    assert RING in drawn
    assert (drawn[:, x + 42 + 2 :] == BLANK).all()


def test_frames_have_their_own_colours_under_the_rings() -> None:
    content = make_content((7, 7), count=4, cuts=())
    frames = np.array([3, NO_FRAME, 0, 27], np.uint8)
    content = GridContent(
        content.mosaic, np.arange(4), frames=frames, frame_colours=("#000000",) * 28
    )
    plan = make_layout(content, 6)
    selected = np.array([False, False, True, False])
    part = (0, 0, plan.width, plan.height)
    drawn = compose(content, plan, part, Marks(selected, False, 2, 6))
    edges = []
    for position in range(4):
        x, y = plan.origin(position)
        edges.append((int(drawn[y - 1, x + 9]), int(drawn[y - 2, x + 9])))
    wanted = [(FRAMES + 3, BLANK), (BLANK, BLANK), (RING, RING), (FRAMES + 27, BLANK)]
    assert edges == wanted


def test_dimming_keeps_every_index_apart_for_selected_and_others() -> None:
    content = make_content((7, 7), count=12, cuts=(0, 5))
    plan = make_layout(content, 1)
    part = (0, 0, plan.width, plan.height)
    selected = np.arange(12) % 3 == 0
    plain = compose(content, plan, part, NOTHING)
    drawn = compose(content, plan, part, Marks(selected, True, 2, 6))
    assert np.array_equal(drawn & 127, plain >> 1)
    for position, kernel in enumerate(content.order):
        x, y = plan.origin(position)
        tile = drawn[y : y + 7, x : x + 7]
        assert ((tile >= 128) == selected[kernel]).all()


def test_groups_that_do_not_fit_are_refused() -> None:
    mosaic = build_mosaic([np.ones((4, 3, 3), np.float32)])
    order = np.arange(4)
    with pytest.raises(ValueError, match="ascend from position 0"):
        GridContent(mosaic, order, (GridGroup(1, "a"),))
    with pytest.raises(ValueError, match="ascend from position 0"):
        GridContent(
            mosaic, order, (GridGroup(0, "a"), GridGroup(3, "b"), GridGroup(2, "c"))
        )
    with pytest.raises(ValueError, match="behind the last kernel"):
        GridContent(mosaic, order, (GridGroup(0, "a"), GridGroup(5, "b")))
    with pytest.raises(ValueError, match="at most 28 frame colours"):
        GridContent(mosaic, order, frame_colours=("#000000",) * 29)
