"""Where each kernel of the grid stands, and which of them are in view. Needs no Qt.

A *position* counts kernels in drawing order; *content* coordinates start at the top
left corner of the whole scrolled picture. Lengths are device pixels, unless they say
otherwise; a `Point` is one of the viewport in logical pixels, as events have it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from kernelviewer.gui.views.grid.mosaic import GridContent, GridGroup
    from kernelviewer.state.selection import Mode

Point = tuple[float, float]
"""x, y in the viewport, logical pixels."""
Box = tuple[int, int, int, int]
"""x, y, width and height in the viewport, device pixels."""
Move = Literal["left", "right", "up", "down", "page up", "page down", "first", "last"]
"""Where keys move the focus."""

MARGIN = 12
"""Around the kernels, logical pixels."""
_SPACE = 8
"""Between the groups, logical pixels."""
_TALLEST = 2**31 - 1
"""Scroll bars count in 32 bits."""
_MOST_TAP = 64
"""Largest tap while it is not known of which kernels."""
_EDGE_SPEED = 0.25
"""Part of a band's way beyond the edge that one step scrolls."""
_EDGE_STEP = 2
"""The least of such a step."""
_WIDEST_GAP = 12
"""Space between kernels at the largest zoom, logical pixels."""
_FEW_SLICES = 5
"""From more slices on, kernels stand further apart than their slices do."""
_ZOOM_STEP = 1.2


@dataclass(frozen=True, slots=True)
class Cell:
    """One kernel and the space around it, device pixels."""

    slices: int
    rows: int
    columns: int
    """Taps, as `kernelviewer.gui.views.grid.mosaic.tile_shape` gives them."""
    tap: int
    """Pixels per tap."""
    gap: int
    slice_gap: int
    """Space between kernels and between the slices of a 3-D kernel."""
    spread: int = 0
    """What more there is between the kernels of a row, so that rows reach the edge."""

    @classmethod
    def fit(cls, shape: tuple[int, int, int], tap: int, ratio: float) -> Cell:
        """Cell at ``tap`` pixels per tap on a screen of the given pixel ratio."""
        slices, rows, columns = shape
        side = tap * (rows + slices * columns) / 2
        least = (3 if slices <= _FEW_SLICES else 6) * ratio
        widest = min(_WIDEST_GAP * ratio, max(tap, least))
        gap = max(1, round(min(side / 10, widest)))
        return cls(slices, rows, columns, tap, gap, max(1, gap // 2))

    @property
    def width(self) -> int:
        """Width of the drawn kernel."""
        taps = self.slices * self.columns * self.tap
        return taps + (self.slices - 1) * self.slice_gap

    @property
    def height(self) -> int:
        """Height of the drawn kernel."""
        return self.rows * self.tap

    @property
    def lead(self) -> int:
        """The part of the gap that lies left of and above the kernel."""
        return self.gap // 2

    @property
    def pitch_x(self) -> int:
        """Distance from one kernel to the next in its row."""
        return self.width + self.gap + self.spread

    @property
    def pitch_y(self) -> int:
        """Distance from one row of kernels to the next."""
        return self.height + self.gap


def default_tap(shape: tuple[int, int, int]) -> float:
    """Logical pixels per tap at which kernels of this shape are first shown."""
    slices, rows, columns = shape
    return min(max(round(42 / sqrt(rows * slices * columns)), 2), 14)


def zoomed_tap(tap: int, steps: int) -> int:
    """Device pixels per tap some zoom steps further in (or out, if negative)."""
    for _ in range(abs(steps)):
        if steps > 0:
            tap = max(tap + 1, round(tap * _ZOOM_STEP))
        else:
            tap = max(1, min(tap - 1, round(tap / _ZOOM_STEP)))
    return tap


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows of one group: ``rows`` of them, from position ``first``, at ``y``."""

    first: int
    stop: int
    rows: int
    y: int


class GridLayout:
    """Groups of kernels flowing in rows from left to right.

    Parameters
    ----------
    starts
        Int [G]: first position of each group, ascending, the first 0.
    margin, heading, space
        Around the whole; height of a group's heading; space between groups.
    """

    def __init__(
        self,
        cell: Cell,
        count: int,
        starts: NDArray[np.int64],
        *,
        width: int,
        margin: int,
        heading: int,
        space: int,
    ) -> None:
        room = width - 2 * margin + cell.gap
        self.columns = max(1, room // cell.pitch_x)
        spare = max(0, room - self.columns * cell.pitch_x) // max(1, self.columns - 1)
        self.cell = cell = replace(cell, spread=min(spare, cell.gap))
        self.count = count
        self.starts = starts
        self.margin = margin
        self.heading = heading
        self.ends = np.append(starts[1:], count)[: len(starts)]
        self.rows = -(-(self.ends - starts) // self.columns)
        heights = heading + self.rows * cell.pitch_y
        below = np.cumsum(heights + space)
        top = margin if heading == 0 else 0
        self.tops = top + below - heights - space
        self.bottoms = self.tops + heights
        self.height = int(self.bottoms[-1]) + margin if len(starts) else 0
        self.width = 2 * margin + self.columns * cell.pitch_x - cell.gap - cell.spread

    @property
    def left(self) -> int:
        """Content x of the first cell."""
        return self.margin - self.cell.lead

    def group_of(self, position: int) -> int:
        """Index of the group that holds a position."""
        return int(np.searchsorted(self.starts, position, side="right")) - 1

    def group_at(self, y: int) -> int:
        """Index of the last group whose heading starts at or above content y."""
        return max(0, int(np.searchsorted(self.tops, y, side="right")) - 1)

    def origin(self, position: int) -> tuple[int, int]:
        """Content x, y of the top left pixel of a kernel (its gap not counted)."""
        group = self.group_of(position)
        row, column = divmod(position - int(self.starts[group]), self.columns)
        x = self.margin + column * self.cell.pitch_x
        y = int(self.tops[group]) + self.heading + row * self.cell.pitch_y
        return x, y + self.cell.lead

    def position_at(self, x: int, y: int) -> int | None:
        """Position whose cell (kernel and its share of the gap) holds the point."""
        if not self.count or y < 0 or y >= self.height:
            return None
        group = self.group_at(y)
        row = (y - int(self.tops[group]) - self.heading) // self.cell.pitch_y
        column = (x - self.left) // self.cell.pitch_x
        if row < 0 or not 0 <= column < self.columns:
            return None
        position = int(self.starts[group]) + row * self.columns + column
        return position if position < self.ends[group] else None

    def nearest(self, x: int, y: int) -> int | None:
        """Position whose cell is nearest to the point; None if there is no kernel."""
        if not self.count:
            return None
        group = self.group_at(y)
        while group > 0 and self.rows[group] == 0:
            group -= 1
        while self.rows[group] == 0:
            group += 1
        row = (y - int(self.tops[group]) - self.heading) // self.cell.pitch_y
        column = (x - self.left) // self.cell.pitch_x
        row = min(max(row, 0), int(self.rows[group]) - 1)
        column = min(max(column, 0), self.columns - 1)
        start, end = int(self.starts[group]), int(self.ends[group])
        return min(start + row * self.columns + column, end - 1)

    def beside(self, position: int, rows: int) -> int:
        """Position in the same column, one row down (+1) or up (−1), over groups."""
        group = self.group_of(position)
        row, column = divmod(position - int(self.starts[group]), self.columns)
        row += rows
        while not 0 <= row < self.rows[group]:
            group += 1 if rows > 0 else -1
            if not 0 <= group < len(self.starts):
                return position
            row = 0 if rows > 0 else int(self.rows[group]) - 1
        target = int(self.starts[group]) + row * self.columns + column
        return min(target, int(self.ends[group]) - 1)

    def groups_in(self, y0: int, y1: int) -> range:
        """Groups that show something between two content heights."""
        first = int(np.searchsorted(self.bottoms, y0, side="right"))
        return range(first, int(np.searchsorted(self.tops, y1, side="left")))

    def blocks_in(self, y0: int, y1: int) -> Iterator[Block]:
        """Whole rows of kernels between two content heights, one block a group."""
        pitch = self.cell.pitch_y
        for group in self.groups_in(y0, y1):
            top = int(self.tops[group]) + self.heading
            row = max(0, (y0 - top) // pitch)
            stop_row = min(int(self.rows[group]), -((top - y1) // pitch))
            if stop_row <= row:
                continue
            first = int(self.starts[group]) + row * self.columns
            stop = int(self.starts[group]) + stop_row * self.columns
            stop = min(stop, int(self.ends[group]))
            yield Block(first, stop, stop_row - row, top + row * pitch)

    def positions_in(self, x0: int, y0: int, x1: int, y1: int) -> NDArray[np.int64]:
        """Positions of the kernels that a rectangle touches, ascending, int64."""
        cell = self.cell
        apart = cell.gap + cell.spread
        column0 = max(0, (x0 - self.margin + apart) // cell.pitch_x)
        column1 = min(self.columns, (x1 - self.margin) // cell.pitch_x + 1)
        groups = np.asarray(self.groups_in(y0, y1 + 1), np.int64)
        tops = self.tops[groups] + self.heading + cell.lead
        row0 = np.maximum((y0 - tops + cell.gap) // cell.pitch_y, 0)
        row1 = np.minimum((y1 - tops) // cell.pitch_y + 1, self.rows[groups])
        rows = np.maximum(row1 - row0, 0)
        within = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
        row = within + np.repeat(row0, rows)
        firsts = np.repeat(self.starts[groups], rows) + row * self.columns
        positions = firsts[:, None] + np.arange(column0, max(column0, column1))
        found: NDArray[np.int64] = positions[
            positions < np.repeat(self.ends[groups], rows)[:, None]
        ]
        return found


@dataclass(frozen=True, slots=True)
class View:
    """The viewport and its screen."""

    width: int
    height: int
    """Of the viewport, logical pixels."""
    ratio: float
    """Device pixels per logical pixel."""
    heading: float
    """Height of a group's heading, logical pixels."""

    @property
    def across(self) -> int:
        """Whole device pixels across the viewport."""
        return int(self.width * self.ratio)

    @property
    def down(self) -> int:
        """Whole device pixels down the viewport."""
        return int(self.height * self.ratio)

    def pixels(self, length: float) -> int:
        """Logical to device pixels, at least one."""
        return max(1, round(length * self.ratio))


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in a cell (share of its pitch) that stays at a height of the view."""

    position: int
    share: float
    view_y: int


class GridGeometry:
    """Which kernels stand where in the view, and what stays there when that changes.

    Attributes
    ----------
    view
        The viewport; after a change of it, `rearrange`.
    content, plan
        The kernels, and where they stand; ``plan`` is None while there is no kernel.
    left, top
        Content x, y at the viewport's top left corner.
    focus, focus_position
        The focused kernel and its place in the drawing order; None: no kernel, or one
        that is not shown.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.content: GridContent | None = None
        self.plan: GridLayout | None = None
        self.left = self.top = 0
        self.focus: int | None = None
        self.focus_position: int | None = None
        self._magnification = 1.0
        self._wished_zoom = 0.0
        self._pinched = 1.0
        self._pin: Anchor | None = None
        self._zoom_point: Point | None = None
        self._zoom_anchor: Anchor | None = None
        self._places: NDArray[np.int32] | None = None

    def set_content(self, content: GridContent | None) -> None:
        """Other kernels, or the same in another order; None: no kernels.

        The view stays where it is if every kernel does; else the focused kernel stays
        at its height if it is in view; else the view starts at the top.
        """
        before, self.content = self.content, content
        if before is None or content is None or before.order is not content.order:
            self._places = None
        stays = content is not None and content.same_places(before)
        anchor = self._keep() if stays else None
        focus = self._focus_anchor()
        self.focus_position = self.position_of(self.focus)
        if content is not None and self._wished_zoom:
            self._magnification = self._wished_zoom / default_tap(content.mosaic.shape)
            self._wished_zoom = 0.0
        if not stays and focus is not None and self.focus_position is not None:
            anchor = replace(focus, position=self.focus_position)
        self._arrange(anchor)

    def set_focus(self, kernel: int | None) -> None:
        """Focus a kernel, without scrolling to it; None: no kernel."""
        self.focus = kernel
        self.focus_position = self.position_of(kernel)

    def rearrange(self) -> None:
        """Flow anew, the first kernel in view staying there."""
        self._arrange(self._keep())

    # Scrolling

    @property
    def scroll_range(self) -> tuple[int, int]:
        """Largest ``left`` and ``top``."""
        if self.plan is None:
            return 0, 0
        across = self.plan.width - self.view.across
        down = self.plan.height - self.view.down
        return max(0, across), max(0, down)

    def scroll(self, left: int, top: int) -> None:
        """Bring another part into view, as far as there is one."""
        across, down = self.scroll_range
        place = min(max(left, 0), across), min(max(top, 0), down)
        if place != (self.left, self.top):
            self.left, self.top = place
            self._pin = None

    def scroll_to(self, kernel: int) -> None:
        """Scroll as little as shows the kernel whole; nothing if it is not shown."""
        position = self.position_of(kernel)
        if position is None or self.plan is None:
            return
        cell, margin = self.plan.cell, self.view.pixels(MARGIN)
        x, y = self.plan.origin(position)
        right = x + cell.width + margin - self.view.across
        bottom = y + cell.height + margin - self.view.down
        top = y - cell.lead - max(margin, self.plan.heading)
        self.scroll(
            min(max(self.left, right), x - margin), min(max(self.top, bottom), top)
        )

    # Zooming

    @property
    def zoom(self) -> float:
        """Side of a tap in logical pixels, as drawn, or as wished without kernels."""
        if self.plan is None:
            return self._wished_zoom
        return self.plan.cell.tap / self.view.ratio

    @property
    def zoom_range(self) -> tuple[float, float]:
        """Smallest zoom, a device pixel per tap, and largest: a kernel fills the view.

        The largest depends on the view and the kernel size.
        """
        content, ratio = self.content, self.view.ratio
        largest = _MOST_TAP if content is None else self._largest_tap(content)
        return 1 / ratio, largest / ratio

    def set_zoom(self, zoom: float) -> None:
        """Draw taps this large, in logical pixels; whole device pixels are used.

        0: as suits the size of the kernels. Kernels of another size are enlarged or
        reduced as much against what suits them.
        """
        if self.content is None:
            self._wished_zoom = zoom
        elif zoom:
            self._zoom_to(self.content, zoom * self.view.ratio, self._keep())
        else:
            self._zoom_to(self.content, self._usual_tap(self.content), self._keep())

    def zoom_by(self, steps: int, at: Point | None = None) -> None:
        """Some steps in, or out if negative.

        About a point, or else about the focused kernel if it is in view.
        """
        if self.plan is not None and steps:
            self._zoom_about(zoomed_tap(self.plan.cell.tap, steps), at)

    def pinch(self, factor: float, at: Point) -> None:
        """Zoom by a small factor; what is less than a device pixel is kept."""
        if self.plan is None:
            return
        tap = self.plan.cell.tap
        wanted = max(tap * self._pinched * factor, 0.5)
        target = max(1, round(wanted))
        self._pinched = wanted / target
        if target != tap:
            self._zoom_about(target, at)

    def reset_zoom(self) -> None:
        """The size at which kernels are first shown."""
        if self.content is not None:
            self._zoom_about(self._usual_tap(self.content), None)

    def _zoom_about(self, tap: float, at: Point | None) -> None:
        if self.content is None or self.plan is None:
            return
        if at is None:
            anchor = self._focus_anchor() or self._keep()
        else:
            anchor = self._anchor_under(at)
        self._zoom_to(self.content, tap, anchor)

    def _zoom_to(self, content: GridContent, tap: float, anchor: Anchor | None) -> None:
        whole = min(max(1, round(tap)), self._largest_tap(content))
        self._magnification = whole / self._usual_tap(content)
        self._arrange(anchor)

    def _usual_tap(self, content: GridContent) -> float:
        """At which kernels are first shown."""
        return default_tap(content.mosaic.shape) * self.view.ratio

    def _largest_tap(self, content: GridContent) -> int:
        """At which one kernel fills the view."""
        slices, rows, columns = content.mosaic.shape
        heading, view = self.view.heading if content.headed else MARGIN, self.view
        width = view.across - view.pixels(2 * MARGIN)
        height = view.down - view.pixels(heading + MARGIN)
        return max(1, min(width // (slices * columns), height // rows))

    # Arranging

    def _arrange(self, anchor: Anchor | None) -> None:
        """Lay the kernels out anew; what is anchored stays, else the top is shown."""
        content = self.content
        self.plan = None
        if content is not None and len(content.order):
            tap = max(1, round(self._magnification * self._usual_tap(content)))
            tap = min(tap, self._largest_tap(content))
            self.plan = self._make_plan(content, tap)
            if self.plan.height > _TALLEST:
                tap = max(1, int(tap * _TALLEST / self.plan.height))
                self.plan = self._make_plan(content, tap)
        top = 0
        if self.plan is not None and anchor is not None:
            y = self.plan.origin(anchor.position)[1]
            top = round(y + anchor.share * self.plan.cell.pitch_y) - anchor.view_y
        self.scroll(self.left, top)
        self._pin = anchor

    def _make_plan(self, content: GridContent, tap: int) -> GridLayout:
        view = self.view
        return GridLayout(
            Cell.fit(content.mosaic.shape, tap, view.ratio),
            len(content.order),
            content.starts,
            width=view.across,
            margin=view.pixels(MARGIN),
            heading=view.pixels(view.heading) if content.headed else 0,
            space=view.pixels(_SPACE) if content.headed else 0,
        )

    def _anchor_at(self, position: int, view_y: int | None = None) -> Anchor:
        """What keeps a kernel in place: at a height of the view, or where it is."""
        assert self.plan is not None
        y = self.plan.origin(position)[1] - self.top
        if view_y is None:
            return Anchor(position, 0, y)
        return Anchor(position, (view_y - y) / self.plan.cell.pitch_y, view_y)

    def _keep(self) -> Anchor | None:
        """What keeps the first kernel in view; the same until the user scrolls."""
        if self._pin is not None or self.plan is None or not self.top:
            return self._pin
        position = self.plan.nearest(0, self.top + self.stuck_bottom)
        return None if position is None else self._anchor_at(position)

    def _focus_anchor(self) -> Anchor | None:
        """What keeps the focused kernel where it is, if it is in view."""
        if self.plan is None or self.focus_position is None:
            return None
        anchor = self._anchor_at(self.focus_position)
        return anchor if 0 <= anchor.view_y < self.view.down else None

    def _anchor_under(self, at: Point) -> Anchor | None:
        """What keeps the kernel under the cursor at its height.

        While the cursor rests, it is the kernel that was there at first: rows reflow,
        and the one that is looked at must not get lost.
        """
        same = self._pin is not None and self._pin is self._zoom_anchor
        if same and at == self._zoom_point:
            return self._zoom_anchor
        assert self.plan is not None
        position = self.plan.nearest(*self.content_point(at))
        if position is None:
            return None
        self._zoom_point = at
        self._zoom_anchor = self._anchor_at(position, floor(at[1] * self.view.ratio))
        return self._zoom_anchor

    # Finding

    @property
    def headings(self) -> list[tuple[GridGroup, int]]:
        """Groups with a heading or kernels in view, and the heading's y in the view."""
        plan, content, top = self.plan, self.content, self.top
        if plan is None or content is None or not plan.heading:
            return []
        groups = plan.groups_in(top, top + self.view.down)
        return [(content.groups[at], int(plan.tops[at]) - top) for at in groups]

    @property
    def stuck_heading(self) -> tuple[GridGroup, int] | None:
        """Group whose heading is held at the top of the view, and its y there."""
        plan, content = self.plan, self.content
        if plan is None or content is None or not plan.heading:
            return None
        group = plan.group_at(self.top)
        bottom = min(plan.heading, int(plan.bottoms[group]) - self.top)
        if plan.tops[group] >= self.top or bottom <= 0:
            return None
        return content.groups[group], bottom - plan.heading

    @property
    def stuck_bottom(self) -> int:
        """Where the heading held at the top of the view ends; 0: there is none."""
        plan, stuck = self.plan, self.stuck_heading
        return 0 if plan is None or stuck is None else stuck[1] + plan.heading

    def content_point(self, at: Point) -> tuple[int, int]:
        """Content x, y of a point."""
        x, y = (floor(length * self.view.ratio) for length in at)
        return x + self.left, y + self.top

    def position_of(self, kernel: int | None) -> int | None:
        """Place of a kernel in the drawing order; None: it is not shown."""
        if kernel is None or self.content is None:
            return None
        places = self._find_places(self.content)
        found = int(places[kernel]) if 0 <= kernel < len(places) else -1
        return found if found >= 0 else None

    def _find_places(self, content: GridContent) -> NDArray[np.int32]:
        """Int32 [N], place of every kernel in the drawing order; −1: not shown."""
        if self._places is None:
            self._places = np.full(len(content.mosaic), -1, np.int32)
            self._places[content.order] = np.arange(len(content.order), dtype=np.int32)
        return self._places

    def kernel_at(self, at: Point) -> int | None:
        """Kernel at a point; None: none, or a heading is over it."""
        if self.plan is None or self.content is None:
            return None
        if at[1] * self.view.ratio < self.stuck_bottom:
            return None
        position = self.plan.position_at(*self.content_point(at))
        return None if position is None else int(self.content.order[position])

    def box_of(self, kernel: int | None) -> Box | None:
        """Where a kernel is drawn, in view or not; None: it is not shown."""
        position = self.position_of(kernel)
        if position is None or self.plan is None:
            return None
        x, y = self.plan.origin(position)
        return x - self.left, y - self.top, self.plan.cell.width, self.plan.cell.height

    def span(self, first: int | None, last: int) -> NDArray[np.int64]:
        """Kernels from one to another that is shown, both included, in drawing order.

        Only the other, if the one is not shown.
        """
        start, stop = self.position_of(first), self.position_of(last)
        assert self.content is not None
        assert stop is not None
        low, high = sorted((stop if start is None else start, stop))
        return self.content.order[low : high + 1]

    def moved(self, move: Move) -> int | None:
        """Kernel that a move from the focused one leads to; None: there is no kernel.

        From nowhere most lead to the first kernel in view.
        """
        plan, content, here = self.plan, self.content, self.focus_position
        if plan is None or content is None:
            return None
        if move in ("first", "last"):
            there: int | None = 0 if move == "first" else plan.count - 1
        elif here is None:
            there = plan.nearest(0, self.top + self.stuck_bottom)
        elif move in ("left", "right"):
            there = min(max(here + (1 if move == "right" else -1), 0), plan.count - 1)
        elif move in ("up", "down"):
            there = plan.beside(here, 1 if move == "down" else -1)
        else:
            there = self._paged(plan, here, 1 if move == "page down" else -1)
        return None if there is None else int(content.order[there])

    def _paged(self, plan: GridLayout, position: int, direction: int) -> int:
        """A view's height further in the same column, one row at the least."""
        x, y = plan.origin(position)
        pitch = plan.cell.pitch_y
        stride = max(self.view.down - plan.heading - pitch, pitch)
        found = plan.nearest(x, y + direction * stride)
        beside = plan.beside(position, direction)
        if found is None:
            return beside
        return max(found, beside) if direction > 0 else min(found, beside)


class Band:
    """A rubber band from a place of the content to the cursor.

    Attributes
    ----------
    cursor
        Point of the viewport, or beyond its edges.
    mode
        How the kernels under it join the selection.
    """

    def __init__(self, geometry: GridGeometry, start: Point, mode: Mode) -> None:
        self._geometry = geometry
        self._start = geometry.content_point(start)
        self.cursor = start
        self.mode = mode

    def _corners(self) -> tuple[int, int, int, int]:
        (x0, y0), (x1, y1) = self._start, self._geometry.content_point(self.cursor)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    @property
    def box(self) -> Box:
        """Where it is drawn."""
        x0, y0, x1, y1 = self._corners()
        left, top = self._geometry.left, self._geometry.top
        return x0 - left, y0 - top, x1 - x0 + 1, y1 - y0 + 1

    @property
    def kernels(self) -> NDArray[np.int64]:
        """Kernels that it touches, in drawing order."""
        content, plan = self._geometry.content, self._geometry.plan
        if content is None or plan is None:
            return np.zeros(0, np.int64)
        return content.order[plan.positions_in(*self._corners())]

    @property
    def pull(self) -> int:
        """By how much the view scrolls in one step; 0: the cursor is over it."""
        y = self.cursor[1]
        beyond = min(y, 0) or max(y - self._geometry.view.height + 1, 0)
        if not beyond:
            return 0
        step = max(abs(beyond) * _EDGE_SPEED, _EDGE_STEP)
        return round(step if beyond > 0 else -step)
