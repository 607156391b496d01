"""Exhibit: the kernels in the plane of their principal components.

Babaiee et al. (ICLR 2024), figure 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.colours import ink, rgb, weight_colours
from kernelviewer.figures.content import FigureError, Table
from kernelviewer.figures.counts import coding_of, count, listing, scene_coverage
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import (
    Entry,
    Legend,
    class_entries,
    draw_scale_bar,
    scale_bar_height,
)
from kernelviewer.figures.page import Page, title_height, usual_height
from kernelviewer.figures.tiling import Blocks, as_pictures, drawn_weights, quantise
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import (
    CLASSES,
    INDEX,
    NETWORK_COLOURS,
    class_shown,
    classes_shown,
)
from kernelviewer.kernels.statistics import patterns
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.colours import Ink
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene, Subject
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


_VECTOR_POINTS = 4000


@dataclass(frozen=True, eq=False)
class PcaContent:
    """Points, their classes, and the dense places with kernels from there."""

    networks: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]
    size: Size
    projection: Projection
    weights: NDArray[np.float32]
    source: NDArray[np.intp]
    layer: NDArray[np.int32]
    channel: NDArray[np.int32]
    """Where each of the N points comes from; ``layer`` counts through the network."""
    label: NDArray[np.int64] | None
    fit: NDArray[np.float32] | None
    """int [N], index into `CLASSES`, and float32 [N]; None without classes."""
    places: tuple[Place, ...]
    flat: int
    seed: int
    components: tuple[int, int] = (1, 2)
    coverage: str = ""

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """The scatter, and kernels of its dense places beside or below it."""
        face = Face.of(options)
        colouring = self._colouring(options)
        plan = PcaPlan.of(
            as_pictures(self.weights[:0]).shape[1:],
            len(self.places),
            colouring.entries if options.legend else [],
            options,
            face,
        )
        page = Page(options, plan.height, face)
        page.title()
        self._draw_points(page, plan, colouring)
        watch.check()
        self._draw_places(page, plan, colouring, watch)
        y = page.height - page.margin - scale_bar_height(options, face)
        plan.legend.draw(page, page.margin, y - plan.legend.height)
        draw_scale_bar(page, page.height - page.margin)
        return page

    def caption(self) -> str:
        """What is seen, and how much of the variance."""
        first, second = (percent(share, 0) for share in self.projection.variance)
        left_out = f"; {count(self.flat)} flat ones are left out" if self.flat else ""
        where = "where the largest classes lie densest"
        if self.label is None:
            where = "dense places"
        return (
            f"Patterns of {count(len(self.source), 'kernel')} "
            f"({size_label(self.size)}) of {listing(self.networks)} in the plane of "
            f"{self._which()} principal components ({first} and {second} of the "
            f"variance{left_out}). Numbers mark {where}; beside them the kernels most "
            f"like the mean of each. {self.coverage}"
        ).rstrip()

    def table(self) -> Table:
        """A row for each point."""
        columns: dict[str, Any] = {
            "source": [self.networks[i] for i in self.source],
            "layer": [
                self.layers[i][k] for i, k in zip(self.source, self.layer, strict=True)
            ],
            "channel": self.channel.tolist(),
            **{
                f"pc{number}": self.projection.points[:, axis].tolist()
                for axis, number in enumerate(self.components)
            },
        }
        if self.label is not None:
            columns["class"] = [CLASSES[i].id for i in self.label]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Coordinates, variance, and which kernels stand beside."""
        arrays: dict[str, NDArray[Any]] = {
            "points": self.projection.points,
            "variance": self.projection.variance,
            "components": np.array(self.components),
            "source": self.source,
            "layer": self.layer,
            "channel": self.channel,
            "places": np.array([place.at for place in self.places]).reshape(-1, 2),
            "kernels": self.weights,
        }
        if self.label is not None:
            arrays["class"] = self.label
        return arrays

    def _which(self) -> str:
        if self.components == (1, 2):
            return "their first two"
        return "their {}. and {}.".format(*self.components)

    def _colouring(self, options: FigureOptions) -> Colouring:
        """What the colours of the points tell, by as much as is known of them."""
        ground = ink(options.dark)
        if options.colour == "network":
            return by_network(self.networks, self.source)
        if options.colour == "fit" and self.fit is not None:
            return by_fit(self.fit, ground)
        if options.colour == "class" and self.label is not None:
            return by_class(self.label, options)
        last = [max(len(names) - 1, 1) for names in self.layers]
        return by_depth(self.layer / np.array(last)[self.source], ground)

    def _draw_points(self, page: Page, plan: PcaPlan, colouring: Colouring) -> None:
        axes = page.axes(plan.left, plan.top, plan.side, plan.side)
        axes.set(xticks=[], yticks=[], box_aspect=1)
        low, high = span_of(self.projection.points)
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        n = len(self.source)
        order = np.random.default_rng(self.seed).permutation(n)
        largest = (0.4 * page.face.size) ** 2
        area = min(largest, max(0.8, 2.8 * plan.side**2 / n))
        points = axes.scatter(
            self.projection.points[order, 0],
            self.projection.points[order, 1],
            c=colouring.points[order],
            s=area,
            edgecolors="none",
            alpha=0.8,
            clip_on=False,  # none reaches the border: see `span_of`
            rasterized=n > _VECTOR_POINTS,
        )
        if hasattr(points, "set_hatchcolor"):  # else it is worked out for each point
            points.set_hatchcolor("none")
        if not page.options.labels:
            return
        across, up = (
            page.face.first_fitting(
                (
                    f"PC {number} ({percent(share, 0)} of variance)",
                    f"PC {number} ({percent(share, 0)})",
                    f"PC {number}",
                ),
                plan.side,
            )
            for number, share in zip(
                self.components, self.projection.variance, strict=True
            )
        )
        middle, below = plan.left + plan.side / 2, plan.top + plan.side
        page.text(middle, below + 1.3 * page.face.em, across, align="center")
        middle = plan.top + plan.side / 2
        left = plan.left - 0.5 * page.face.em
        page.text(left, middle, up, align="center", rotation=90)

    def _draw_places(
        self, page: Page, plan: PcaPlan, colouring: Colouring, watch: Watch
    ) -> None:
        """Letters and numbers in the scatter, and a row of kernels for each number."""
        low, high = span_of(self.projection.points)
        blocks = []
        rings = [plan.place(place.at, low, high) for place in self.places]
        if colouring.classes is not None:
            order = np.random.default_rng(self.seed).permutation(len(self.source))
            points = plan.place(self.projection.points[order], low, high)
            page.class_tags(points, colouring.classes[order], rings)
        for number, (place, (x, y)) in enumerate(zip(self.places, rings, strict=True)):
            page.marker(x, y, str(number + 1), self._ring(page, place))
            chosen = place.members[: plan.tiling.per_row]
            pictures = as_pictures(drawn_weights(self.weights[chosen], page.options))
            blocks.append(quantise(pictures, np.zeros(len(chosen), bool)))
        if not blocks:
            return
        plan.tiling.draw(
            page, blocks, plan.rows_left + plan.gutter, plan.rows_top, watch
        )
        tops = plan.tiling.tops(page.snap(plan.rows_top))
        for number, (place, y) in enumerate(zip(self.places, tops, strict=True)):
            middle = y + plan.tiling.cell_height / 2
            left = plan.rows_left + 0.7 * page.face.em
            page.marker(left, middle, str(number + 1), self._ring(page, place))

    def _ring(self, page: Page, place: Place) -> str:
        """Colour of a place's marker."""
        if place.class_index is None:
            return page.ink.text
        return page.ink.of_class(class_shown(place.class_index))


def prepare_pca(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> PcaContent:
    """Project the patterns of all networks of the scene together.

    Raises
    ------
    FigureError
        No kernel that is shown has a pattern.
    """
    pooled = scene.pooled
    chosen = [_patterned(subject) for subject in pooled.subjects]
    parts = list(zip(pooled.subjects, chosen, strict=True))
    if not sum(map(len, chosen)):
        raise FigureError("no kernel that is shown has a pattern: all are flat")
    found = []
    for subject, index in parts:
        watch.check()
        kernels = subject.kernels
        found.append(
            patterns(
                kernels.weights[index], kernels.scale[index], kernels.offset[index]
            ).reshape(len(index), prod(scene.size))
        )
    joined = np.concatenate(found)
    projection = project(joined, options.components)
    watch.check()
    label = _labels(scene, parts)
    return PcaContent(
        networks=tuple(subject.name for subject in scene.subjects),
        layers=tuple(
            tuple(layer.name for layer in subject.bank.layers)
            for subject in scene.subjects
        ),
        size=scene.size,
        projection=projection,
        weights=np.concatenate([s.kernels.weights[i] for s, i in parts]),
        source=np.repeat(np.arange(len(parts)), [len(index) for index in chosen]),
        layer=np.concatenate([s.kernels.layer[i] for s, i in parts]),
        channel=np.concatenate([s.kernels.channel[i] for s, i in parts]),
        label=label,
        fit=_fits(parts) if label is not None else None,
        places=tuple(find_places(projection.points, joined, label)),
        flat=pooled.count - len(projection.points),
        seed=options.seed,
        components=options.components,
        coverage=scene_coverage(scene),
    )


def _patterned(subject: Subject) -> NDArray[np.intp]:
    index: NDArray[np.intp] = subject.index[~subject.kernels.flat[subject.index]]
    return index


def _labels(
    scene: Scene, parts: list[tuple[Subject, NDArray[np.intp]]]
) -> NDArray[np.int64] | None:
    """Classes of the points, if something names every network's kernels."""
    if scene.yardstick is None:
        return None
    labels = []
    for subject, index in parts:
        if subject.coding is None:
            return None
        labels.append(subject.coding.label(scene.yardstick.threshold)[index])
    return np.concatenate(labels)


def _fits(parts: list[tuple[Subject, NDArray[np.intp]]]) -> NDArray[np.float32]:
    return np.concatenate([coding_of(subject).fit[index] for subject, index in parts])


_LARGE, _SMALL = 4.0, 2.8
"""Most size of a kernel beside the scatter and below it, in units of the font size."""
_SIDE_BY_SIDE = 45
"""Least width in units of the font size for thumbnails beside the scatter."""


@dataclass(frozen=True, eq=False)
class PcaPlan:
    """Where scatter, rows of kernels and legend go, in mm."""

    left: float
    top: float
    side: float
    rows_left: float
    rows_top: float
    gutter: float
    tiling: Tiling
    legend: Legend
    height: float

    @classmethod
    def of(
        cls,
        cell: tuple[int, ...],
        places: int,
        entries: list[Entry],
        options: FigureOptions,
        face: Face,
    ) -> PcaPlan:
        """Scatter and rows side by side, or below each other on a narrow page.

        Parameters
        ----------
        cell
            Rows and columns of a kernel's picture.
        places
            Rows of kernels.
        entries
            What the colours stand for.

        Raises
        ------
        FigureError
            It does not fit into the height asked for.
        """
        em, margin = face.em, face.margin
        room = options.width_mm - 2 * margin
        axis = 1.8 * em if options.labels else 0.0
        legend = Legend(entries, face, room)
        top = title_height(options, face)
        foot = legend.height + scale_bar_height(options, face) + margin
        beside = room > _SIDE_BY_SIDE * em
        side = (0.46 if beside else 1.0) * room - axis
        down = usual_height(options) - top - foot - axis - 1.9 * em
        if options.height_mm is None:
            down = max(down, 40 * em)
        side = min(side, down if beside else 0.6 * down)
        if side < 8 * em:
            problem = "the scatter does not fit into this size"
            raise FigureError(problem, "Make the figure larger, or its font smaller.")
        rows_left = margin + axis + side + 2 * em if beside else margin
        rows_top = top if beside else top + side + axis + em
        width = options.width_mm - margin - rows_left - 2 * em
        rows_down = side + axis if beside else down - side
        largest = _LARGE if beside else _SMALL
        tiling = _rows(cell, places, options, width, rows_down, largest * em, em)
        height = max(top + side + axis, rows_top + tiling.height) + 0.8 * em + foot
        height = max(height, options.height_mm or 0.0)
        left = margin + axis
        if not beside:
            left += (room - axis - side) / 2
        return cls(left, top, side, rows_left, rows_top, 2 * em, tiling, legend, height)

    def place(
        self,
        points: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Where points […, 2] of a plane from ``low`` to ``high`` lie, mm."""
        share = (points - low) / (high - low)
        share[..., 1] = 1 - share[..., 1]
        found: NDArray[np.float64] = share * self.side + (self.left, self.top)
        return found


def _rows(
    cell: tuple[int, ...],
    places: int,
    options: FigureOptions,
    width: float,
    height: float,
    largest: float,
    em: float,
) -> Tiling:
    """Rows of kernels, one for each place, that fill the room."""
    places = max(places, 1)
    per_row = options.samples
    plan = Blocks(
        cell=(cell[0], cell[1]),
        counts=(1,) * places,
        width=width,
        dpi=options.dpi,
        after=0.2 * em,
        least=1.5 * em,
    )
    if per_row:
        per_row = min(per_row, NEAREST, plan.tile(1).per_row)
        plan = replace(plan, counts=(per_row,) * places, per_row=per_row)
    tiling = plan.fit(height, largest)
    if tiling is None:
        problem = "the kernels beside the scatter do not fit"
        raise FigureError(problem, "Make the figure larger or show fewer samples.")
    return replace(tiling, per_row=per_row or min(NEAREST, tiling.per_row))


_STEPS = 256


@dataclass(frozen=True, eq=False)
class Colouring:
    """RGB [N, 3], 0 … 1, of the points, and what the colours stand for.

    ``classes``: of the points, where their letters are to be written, int64 [N].
    """

    points: NDArray[np.float64]
    entries: list[Entry]
    classes: NDArray[np.int64] | None = None


def by_class(label: NDArray[np.int64], options: FigureOptions) -> Colouring:
    """Colours of the classes, given by their index [N]."""
    table = _table(map(ink(options.dark).of_class, classes_shown()))
    entries = class_entries(np.unique(label).tolist(), options)
    letters = options.class_marks == "letters"
    return Colouring(table[label], entries, label if letters else None)


def by_network(names: Sequence[str], source: NDArray[np.intp]) -> Colouring:
    """A colour for each network; ``source`` [N] counts in ``names``."""
    last = len(NETWORK_COLOURS) - 1
    entries = [
        Entry(*pair) for pair in zip(NETWORK_COLOURS[:last], names, strict=False)
    ]
    if len(names) > last:
        entries.append(Entry(NETWORK_COLOURS[last], f"{len(names) - last} more"))
    return Colouring(_table(NETWORK_COLOURS)[np.minimum(source, last)], entries)


def by_depth(depth: NDArray[np.float64], ground: Ink) -> Colouring:
    """From the first layer, depth 0, to the last, 1; [N]."""
    names = ("first layer", "middle layer", "last layer")
    return _graded(depth, names, ground)


def by_fit(fit: NDArray[np.float32], ground: Ink) -> Colouring:
    """From a low fit [N] to 1; what is lower still has the lowest one's colour."""
    known = fit[np.isfinite(fit)]
    low = float(np.floor(10 * np.quantile(known, 0.02)) / 10) if len(known) else 0.0
    low = min(max(low, 0.0), 0.9)
    share = np.clip(np.nan_to_num((fit - low) / (1 - low)), 0, 1)
    names = (f"fit ≤ {low:.1f}", f"fit {(low + 1) / 2:.2f}", "fit 1")
    return _graded(np.asarray(share, np.float64), names, ground)


def _graded(
    share: NDArray[np.float64], names: tuple[str, str, str], ground: Ink
) -> Colouring:
    """Colours from dark to light that are told apart without seeing red or green.

    The names are those of the shares 0, ½ and 1.
    """
    colours = weight_colours("viridis", ground)
    at = np.linspace(0.02, 0.88, _STEPS) * (len(colours) - 1)
    ramp = np.asarray(colours[at.astype(int)] / 255, np.float64)
    entries = [
        Entry(_hex(ramp[round(mark * (_STEPS - 1))]), name)
        for mark, name in zip((0.0, 0.5, 1.0), names, strict=True)
    ]
    return Colouring(ramp[np.rint(share * (_STEPS - 1)).astype(int)], entries)


def _table(colours: Iterable[str]) -> NDArray[np.float64]:
    return np.array([rgb(colour) for colour in colours]) / 255


def _hex(colour: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(255 * part):02X}" for part in colour)


PLACES = 8
NEAREST = 24
"""Most places, and most kernels that stand for one."""
_APART = 0.09
_FEWEST = 5


@dataclass(frozen=True, eq=False)
class Place:
    """A dense place of the plane."""

    at: NDArray[np.float64]
    """Its coordinates [2]."""
    members: NDArray[np.intp]
    """Indices of kernels near it, those first that are most like their mean."""
    class_index: int | None
    """The class it is the middle of; None without classes."""


def find_places(
    points: NDArray[np.float64],
    found: NDArray[np.float32],
    label: NDArray[np.int64] | None,
) -> list[Place]:
    """Dense places: the middles of the largest classes, else of all points."""
    span = np.stack(span_of(points))
    if label is None:
        everything = np.arange(len(points))
        return [
            Place(at, _near(at, points, found, everything), None)
            for at in peaks(points, span, PLACES, 2 * _APART)
        ]
    places: list[Place] = []
    named = np.bincount(label, minlength=len(CLASSES))[: INDEX["unidentified"]]
    for index in np.argsort(-named, kind="stable")[:PLACES]:
        members = np.flatnonzero(label == index)
        if len(members) < min(_FEWEST, len(points)):
            break
        for at in peaks(points[members], span, PLACES, _APART):
            gaps = [
                np.hypot(*((at - other.at) / (span[1] - span[0]))) for other in places
            ]
            if min(gaps, default=1.0) >= _APART:
                places.append(Place(at, _near(at, points, found, members), int(index)))
                break
    return sorted(places, key=lambda place: place.class_index or 0)


def _near(
    at: NDArray[np.float64],
    points: NDArray[np.float64],
    found: NDArray[np.float32],
    members: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Members near a place, those first that are most like the mean pattern there."""
    distance = np.hypot(*(points[members] - at).T)
    near = members[np.argsort(distance, kind="stable")[: 2 * NEAREST]]
    mean = found[near[:NEAREST]].mean(axis=0)
    likeness = found[near] @ mean
    ordered: NDArray[np.intp] = near[np.argsort(-likeness, kind="stable")[:NEAREST]]
    return ordered


def span_of(
    points: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest coordinates of a square that holds all points.

    The empty border is 1/27 of its side: wider than a point's radius.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    reach = max(float((high - low).max()), 1e-6) * 0.54
    middle = (low + high) / 2
    return middle - reach, middle + reach


_BINS = 48
_SMOOTH = 2.0


@dataclass(frozen=True, eq=False)
class Projection:
    """Coordinates [N, 2] of patterns and the variance [2] each axis explains."""

    points: NDArray[np.float64]
    variance: NDArray[np.float64]


def project(
    patterns: NDArray[np.float32], components: tuple[int, int] = (1, 2)
) -> Projection:
    """Two principal components of patterns [N, taps]; the sign of each axis is fixed.

    The coefficient of largest magnitude is positive, so that equal kernels give an
    equal picture everywhere. ``components`` count from 1; those that there are not
    are zero.
    """
    n = len(patterns)
    if n < 2:
        return Projection(np.zeros((n, 2)), np.zeros(2))
    mean = patterns.mean(axis=0, dtype=np.float64)
    axes, variance = _principal(patterns - mean, max(components))
    kept = len(variance)
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(kept)] < 0, -1.0, 1.0)
    chosen = [number - 1 for number in components]
    there = [at for at, index in enumerate(chosen) if index < kept]
    points, shares = np.zeros((n, 2)), np.zeros(2)
    wanted = [chosen[at] for at in there]
    points[:, there] = (patterns - mean) @ axes[:, wanted]
    shares[there] = variance[wanted]
    return Projection(points, shares)


def _principal(
    centred: NDArray[np.float64], most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Up to ``most`` axes [taps, k] and the share of variance [k] along each."""
    wide = centred.shape[0] < centred.shape[1]
    gram = centred @ centred.T if wide else centred.T @ centred
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1][:most].clip(0), vectors[:, ::-1][:, :most]
    axes = centred.T @ vectors if wide else vectors
    length = np.linalg.norm(axes, axis=0)
    axes = axes / np.where(length > 0, length, 1.0)
    return axes, values / max(float(np.trace(gram)), 1e-30)


def peaks(
    points: NDArray[np.float64], span: NDArray[np.float64], most: int, apart: float
) -> list[NDArray[np.float64]]:
    """Up to ``most`` dense places [2] of points [N, 2], the densest first.

    Parameters
    ----------
    span
        Lowest and highest coordinates [2, 2] of the plane.
    apart
        Least distance between places, as a share of the plane.
    """
    density = _density(points, span)
    places: list[NDArray[np.float64]] = []
    grid = np.indices(density.shape) + 0.5
    while len(places) < most and density.max() > 0:
        at = np.array(np.unravel_index(int(density.argmax()), density.shape)) + 0.5
        places.append(span[0] + at / _BINS * (span[1] - span[0]))
        distance = np.hypot(*(grid - at[:, None, None]))
        density = np.where(distance < apart * _BINS, 0.0, density)
    return places


def _density(
    points: NDArray[np.float64], span: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Smoothed numbers of points in the bins of a plane."""
    edges = [np.linspace(low, high, _BINS + 1) for low, high in span.T]
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=edges)
    steps = np.arange(_BINS)
    kernel = np.exp(-(((steps[:, None] - steps) / _SMOOTH) ** 2) / 2)
    smooth: NDArray[np.float64] = kernel @ counts @ kernel
    return smooth
