"""Exhibit: the kernels in the plane of their principal components.

Babaiee et al. (ICLR 2024), figure 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.colours import ink
from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import coding_of, scene_coverage
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.mosaic import as_pictures, quantise
from kernelviewer.figures.names import count, listing, percent
from kernelviewer.figures.page import Page, never
from kernelviewer.figures.pca_colours import (
    by_class,
    by_depth,
    by_fit,
    by_network,
)
from kernelviewer.figures.pca_plan import PcaPlan
from kernelviewer.figures.places import find_places, span_of
from kernelviewer.figures.projection import project
from kernelviewer.figures.scale_bar import draw_scale_bar, scale_bar_height
from kernelviewer.figures.style import figure_style
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.kernels.statistics import patterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Check
    from kernelviewer.figures.pca_colours import Colouring
    from kernelviewer.figures.places import Place
    from kernelviewer.figures.projection import Projection
    from kernelviewer.figures.scene import Scene, Subject
    from kernelviewer.kernels.bank import Size

_VECTOR_POINTS = 4000


@dataclass(frozen=True, eq=False)
class PcaContent:
    """Points, their classes, and the dense places with kernels from there.

    Attributes
    ----------
    source, layer, channel
        Where each of the N points comes from; ``layer`` counts through the network.
    label, fit
        int [N], index into `CLASSES`, and float32 [N]; None without classes.
    """

    networks: tuple[str, ...]
    layers: tuple[tuple[str, ...], ...]
    size: Size
    projection: Projection
    weights: NDArray[np.float32]
    source: NDArray[np.intp]
    layer: NDArray[np.int32]
    channel: NDArray[np.int32]
    label: NDArray[np.int64] | None
    fit: NDArray[np.float32] | None
    places: tuple[Place, ...]
    flat: int
    seed: int
    components: tuple[int, int] = (1, 2)
    coverage: str = ""

    def draw(self, options: FigureOptions, check: Check = never) -> Page:
        """The scatter, and kernels of its dense places beside or below it."""
        with figure_style():
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
            check()
            self._draw_places(page, plan, check)
            y = page.height - page.margin - scale_bar_height(options, face)
            plan.legend.draw(page, page.margin, y - plan.legend.height)
            draw_scale_bar(page, page.height - page.margin)
            return page

    def caption(self) -> str:
        """What is seen, and how much of the variance."""
        first, second = (percent(share, 0) for share in self.projection.variance)
        left_out = f"; {count(self.flat)} flat ones are left out" if self.flat else ""
        return (
            f"Patterns of {count(len(self.source), 'kernel')} "
            f"({size_label(self.size)}) of {listing(self.networks)} in the plane of "
            f"{self._which()} principal components ({first} and {second} of the "
            f"variance{left_out}). Numbers mark dense places; beside them the kernels "
            f"most like the mean of each. {self.coverage}"
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
            return by_class(self.label, ground)
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
        axes.scatter(
            self.projection.points[order, 0],
            self.projection.points[order, 1],
            c=colouring.points[order],
            s=area,
            linewidths=0,
            alpha=0.8,
            rasterized=n > _VECTOR_POINTS,
        )
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

    def _draw_places(self, page: Page, plan: PcaPlan, check: Check) -> None:
        """Numbers in the scatter and a row of kernels for each."""
        low, high = span_of(self.projection.points)
        blocks = []
        for number, place in enumerate(self.places):
            share = (place.at - low) / (high - low)
            x = plan.left + share[0] * plan.side
            y = plan.top + (1 - share[1]) * plan.side
            page.marker(x, y, str(number + 1), self._ring(page, place))
            chosen = place.members[: plan.tiling.per_row]
            pictures = as_pictures(self.weights[chosen])
            blocks.append(quantise(pictures, np.zeros(len(chosen), bool)))
        if not blocks:
            return
        plan.tiling.draw(
            page, blocks, plan.rows_left + plan.gutter, plan.rows_top, check
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
        return page.ink.of_class(CLASSES[place.class_index])


def prepare_pca(
    scene: Scene, options: FigureOptions, check: Check = never
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
        check()
        kernels = subject.kernels
        found.append(
            patterns(
                kernels.weights[index], kernels.scale[index], kernels.offset[index]
            ).reshape(len(index), prod(scene.size))
        )
    joined = np.concatenate(found)
    projection = project(joined, options.components)
    check()
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
    """Indices of what is shown and not flat."""
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
    """Fits of the points."""
    return np.concatenate([coding_of(subject).fit[index] for subject, index in parts])
