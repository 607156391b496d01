"""Exhibit: corresponding kernels of two networks as points, by how far they moved."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kernelviewer.figures.chart import Chart, axis_height, nice_ticks
from kernelviewer.figures.colours import ink
from kernelviewer.figures.comparing import compare_scene
from kernelviewer.figures.content import FigureError, Table, too_narrow
from kernelviewer.figures.counts import UNNAMED, count, decimal
from kernelviewer.figures.exhibits import PLANE
from kernelviewer.figures.exhibits.pca import by_class, by_depth, by_fit
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import Entry, Legend
from kernelviewer.figures.page import Page, title_height, usual_height
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.comparing import Compared
    from kernelviewer.figures.exhibits.pca import Colouring
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.watch import Watch

_VECTOR_POINTS = 4000
_HEAD, _AXIS = 2.0, 3.4
_BESIDE, _NARROWEST = 50.0, 14.0
_LEAST, _MOST = 8.0, 36.0
"""Lengths in units of the font size: headings, room for the numbers of the upright
axis, from which width on both charts lie beside each other, the narrowest page, and
the least and largest side of a chart."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Points of one chart. P pairs; NaN where a pair has no point."""

    kind: Literal["codes", "change"]
    """``codes`` or ``change``."""
    points: NDArray[np.float64]
    null: NDArray[np.float64]
    """float64 [P, 2]: across and up; the same of each kernel before beside one of
    another channel."""

    @property
    def heading(self) -> tuple[str, ...]:
        """What stands above it, longest first."""
        if self.kind == "codes":
            return "Code before and after", "Codes"
        return "Change of pattern and scale", "Change"

    @property
    def labels(self) -> tuple[str, str]:
        """What is across and up."""
        if self.kind == "codes":
            return "code before", "code after"
        return "cosine", "ln scale ratio"

    def reach(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Lowest and highest number across and up, with all points inside."""
        if self.kind == "codes":
            return (-0.02, 1.02), (-0.02, 1.02)
        cosine, ratio = self.points[np.isfinite(self.points).all(axis=1)].T
        low = min(float(cosine.min(initial=1.0)), 0.99)
        high = max(float(np.abs(ratio).max(initial=0.0)), 0.05)
        spare = 0.03 * (1 - low)
        return (low - spare, 1 + spare), (-1.06 * high, 1.06 * high)

    def ticks(self) -> tuple[list[float], list[float]]:
        """Numbers across and up; those at the ends stay where names would touch."""
        if self.kind == "codes":
            every = [0.0, 1.0, 0.5, 0.25, 0.75]
            return every, every
        (low, _), (_, high) = self.reach()
        down = nice_ticks(1 - low, 4)
        up = nice_ticks(high, 2)
        return [1 - step for step in down], [*(-step for step in up[1:]), *up]


@dataclass(frozen=True, eq=False)
class ScatterContent:
    """The pairs as points."""

    compared: Compared
    """The networks and their pairs."""
    planes: tuple[Plane, ...]
    """The charts."""
    depth: NDArray[np.float64]
    """float64 [P], 0 in the first network's first layer that corresponds … 1 in the
    last."""
    label: NDArray[np.int64] | None
    fit: NDArray[np.float32] | None
    """Class int64 [P] and fit float32 [P] before; None without classes."""
    seed: int
    """Of the order in which points are drawn."""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """The charts beside each other, or below each other on a narrow page."""
        face = Face.of(options)
        em, top = face.em, title_height(options, face)
        room = options.width_mm - 2 * face.margin
        if room < _NARROWEST * em:
            raise too_narrow("the pairs do not fit")
        colouring = self._colouring(options)
        legend = Legend(self._entries(colouring, options), face, room)
        across = len(self.planes) if room > _BESIDE * em else 1
        down = -(-len(self.planes) // across)
        axis, below = _AXIS * em, axis_height(em, options.labels)
        if options.labels:
            axis += 1.4 * em
        pitch = (room + 2 * em) / across
        side = min(pitch - 2 * em - axis - em, _MOST * em)
        rest = top + legend.height + face.margin
        part = _HEAD * em + below + 0.6 * em
        high = (usual_height(options) - rest) / down - part
        if options.height_mm is None:
            high = max(high, _LEAST * em)
        side = min(side, high)
        if side < _LEAST * em:
            problem = "the pairs do not fit into this size"
            hint = "Make the figure larger, or its font smaller."
            raise FigureError(problem, hint)
        height = max(rest + down * (part + side), options.height_mm or 0.0)
        page = Page(options, height, face)
        page.title()
        for number, plane in enumerate(self.planes):
            watch.check()
            row, column = divmod(number, across)
            x, y = face.margin + column * pitch, top + row * (part + side)
            letter = string.ascii_lowercase[number]
            page.heading(x, y + em, plane.heading, pitch - 2 * em, letter)
            chart = Chart(*(page, x + axis, y + _HEAD * em, side, side), *plane.reach())
            self._draw_plane(chart, plane, colouring)
        legend.draw(page, page.margin, page.height - page.margin - legend.height)
        return page

    def caption(self) -> str:
        """What a point is, and how far they lie from where nothing changes."""
        found, texts = self.compared.found, [self.compared.sentence]
        texts.append(
            "A point is a pair, in the colour of the kernel before; small dots: that "
            "kernel beside one of another channel of the layer."
        )
        for plane in self.planes:
            if plane.kind == "codes":
                own, other = (
                    float(np.nanmedian(np.abs(points[:, 1] - points[:, 0])))
                    for points in (plane.points, plane.null)
                )
                texts.append(
                    f"Codes differ by {own:.3f} at the median (other channels: "
                    f"{decimal(other)})."
                )
            else:
                ratio = float(np.nanmedian(np.abs(plane.points[:, 1])))
                texts.append(
                    f"Mean cosine {found.summary.mean_cosine:.3f} (other channels: "
                    f"{decimal(found.null.mean_cosine)}); scales differ by a factor of "
                    f"{np.exp(ratio):.2f} at the median."
                )
        texts.append(f"{count(self._missing, 'pair')} with flat kernels: no point.")
        return " ".join(texts if self._missing else texts[:-1])

    def table(self) -> Table:
        """A row for each pair."""
        found = self.compared.found
        names = [layer.name for layer in self.compared.before.bank.layers]
        columns: dict[str, Any] = {
            "layer": [names[i] for i in found.pairs.layer_a.tolist()],
            "channel_a": found.pairs.channel_a.tolist(),
            "channel_b": found.pairs.channel_b.tolist(),
        }
        for plane in self.planes:
            names_of = {
                "codes": ("code_a", "code_b"),
                "change": ("cosine", "log_scale_ratio"),
            }[plane.kind]
            columns |= dict(zip(names_of, plane.points.T.tolist(), strict=True))
        if self.label is not None:
            columns["class_a"] = [CLASSES[i].id for i in self.label.tolist()]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Points of the pairs, and of kernels beside other channels."""
        arrays: dict[str, NDArray[Any]] = {"sources": np.array(self.compared.names)}
        for plane in self.planes:
            arrays[plane.kind] = plane.points
            arrays[f"shuffled_{plane.kind}"] = plane.null
        if self.label is not None:
            arrays["class_a"] = self.label
        return arrays

    @property
    def _missing(self) -> int:
        """Pairs without a point, as one of the two is flat."""
        return int(np.isnan(self.compared.found.cosine).sum())

    def _colouring(self, options: FigureOptions) -> Colouring:
        """What the colours of the points tell, by as much as is known of them."""
        ground = ink(options.dark)
        if options.colour == "fit" and self.fit is not None:
            return by_fit(self.fit, ground)
        if options.colour == "layer" or self.label is None:
            return by_depth(self.depth, ground)
        there = ~np.isnan(self.compared.found.cosine)
        entries = by_class(self.label[there], options).entries
        return replace(by_class(self.label, options), entries=entries)

    def _entries(self, colouring: Colouring, options: FigureOptions) -> list[Entry]:
        if not options.legend:
            return []
        null = Entry(ink(options.dark).secondary, "small dots: other channels")
        return [*colouring.entries, null]

    def _draw_plane(self, chart: Chart, plane: Plane, colouring: Colouring) -> None:
        page, em = chart.page, chart.page.face.em
        axes = page.axes(chart.x, chart.y, chart.width, chart.height)
        axes.set(xticks=[], yticks=[], xlim=chart.xs, ylim=chart.ys)
        axes.spines[["left", "bottom"]].set_visible(False)
        there = np.isfinite(plane.points).all(axis=1)
        drawn = np.flatnonzero(there)
        drawn = np.random.default_rng(self.seed).permutation(drawn)
        number = len(plane.points)
        area = max(0.8, min((0.4 * page.face.size) ** 2, 2.8 * chart.width**2 / number))
        (left, right), (low, high) = chart.xs, chart.ys
        x, y = plane.null.T
        inside = (x >= left) & (x <= right) & (y >= low) & (y <= high)
        for points, colour, size, alpha in (
            (plane.null[inside], page.ink.secondary, 0.12 * area, 0.6),
            (plane.points[drawn], colouring.points[drawn], area, 0.85),
        ):
            axes.scatter(
                points[:, 0],
                points[:, 1],
                s=size,
                c=colour,
                alpha=alpha,
                edgecolors="none",
                rasterized=number > _VECTOR_POINTS,
            )
        if colouring.classes is not None:
            marked = plane.points[drawn].tolist()
            places = [(chart.right(x), chart.up(y)) for x, y in marked]
            page.class_tags(np.array(places), colouring.classes[drawn])
        if plane.kind == "codes":
            ends = [chart.right(0), chart.right(1)], [chart.up(0), chart.up(1)]
        else:
            ends = [chart.x, chart.x + chart.width], [chart.up(0)] * 2
        page.line(*ends, colour=page.ink.secondary)
        across, up = plane.labels
        chart.x_axis(plane.ticks()[0], across)
        chart.y_axis(plane.ticks()[1], _signed)
        if page.options.labels:
            middle, edge = chart.y + chart.height / 2, chart.x - (_AXIS + 0.2) * em
            page.text(edge, middle, up, align="center", rotation=90, gid="axis")


def _signed(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def prepare_scatter(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> ScatterContent:
    """Place the pairs by their codes, and by how far pattern and scale moved.

    Raises
    ------
    FigureError
        There are not two networks, no kernels of theirs correspond, all that do are
        flat, or codes are wanted and there are none.
    """
    compared = compare_scene(scene, options, watch)
    found, wanted = compared.found, PLANE.of(options)
    if not found.summary.patterned:
        raise FigureError("no kernels that correspond have a pattern: all are flat")
    other = found.shuffled[0]
    planes = []
    names = found.side_a.names, found.side_b.names
    if wanted != "change" and names[0] is not None and names[1] is not None:
        before = names[0].code[found.pairs.index_a]
        after = names[1].code[found.pairs.index_b]
        beside = np.where(other >= 0, after[other], np.nan)
        if np.isfinite(before + after).any():
            planes.append(_plane("codes", (before, after), (before, beside)))
    if wanted == "codes" and not planes:
        raise FigureError(*UNNAMED)
    if wanted != "codes":
        points = found.cosine, found.scale_ratio
        null = found.shuffled_cosine[0], found.shuffled_scale_ratio[0]
        planes.append(_plane("change", points, null))
    layers = np.unique(found.pairs.layer_a, return_inverse=True)[1]
    label = found.class_a
    return ScatterContent(
        compared,
        tuple(planes),
        layers / max(int(layers.max()), 1),
        None if label is None else label.astype(np.int64),
        None if names[0] is None else names[0].fit[found.pairs.index_a],
        options.seed,
    )


def _plane(
    kind: Literal["codes", "change"],
    points: tuple[NDArray[Any], NDArray[Any]],
    null: tuple[NDArray[Any], NDArray[Any]],
) -> Plane:
    return Plane(
        kind,
        np.stack(points, axis=1).astype(np.float64),
        np.stack(null, axis=1).astype(np.float64),
    )
