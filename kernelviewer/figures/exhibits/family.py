"""Exhibit: the pattern family as surfaces and as kernels.

Babaiee et al. (ICLR 2024), figure 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import FigureError, Table, too_low, too_narrow
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.legend import draw_scale_bar, scale_bar_height
from kernelviewer.figures.page import Page, title_height
from kernelviewer.figures.tiling import Blocks, draw_surface, quantise, surface_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import PAPER
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.figures.tiling import Tiling
    from kernelviewer.kernels.bank import Size
    from kernelviewer.watch import Watch


_MESH = 15
"""Points of a surface's side: at one of them is the middle of the square."""
_KERNEL = 0.6
"""Width of a kernel in units of its surface's."""
_SIGMA = 1.0
_CENTRE_SIGMA, _SURROUND, _GAMMA = 0.8, 1.6, 0.9
_ARM = (0.55, 2.2)
"""σ in px of a 7×7 grid: of a derivative, of a centre (with its surround's ratio and
weight), across and along a cross's arm."""


@dataclass(frozen=True, eq=False)
class FamilyContent:
    """One member of each class."""

    kernels: NDArray[np.float32]
    """float32 [classes, kh, kw], the largest weight 1."""
    surfaces: NDArray[np.float64]
    """float64 [classes, mesh, mesh], the same on a finer grid."""
    size: Size

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """A column for each class: surface, kernel, name."""
        face = Face.of(options)
        columns, panel = _arrange(self.kernels.shape[1:], options, face)
        rows = -(-len(PAPER.patterns) // columns)
        top, foot = title_height(options, face), scale_bar_height(options, face)
        height = top + rows * panel.height + foot + face.margin
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.title()
        pitch = panel.height + (page.height - height) / (rows + 1)
        top += pitch - panel.height
        for number in range(len(PAPER.patterns)):
            watch.check()
            row, column = divmod(number, columns)
            left = page.margin + column * panel.width
            panel.draw(page, self, number, left, top + row * pitch)
        draw_scale_bar(page, page.height - page.margin)
        return page

    def caption(self) -> str:
        """A sentence on the family."""
        return (
            "The pattern family: difference of Gaussians (centre, square), crosses, "
            "and the first and second derivatives of a Gaussian, as surfaces and as "
            f"{size_label(self.size)} kernels."
        )

    def table(self) -> Table:
        """A row for each class: its weights."""
        weights = self.kernels.reshape(len(PAPER.patterns), -1)
        columns: dict[str, Any] = {"class": [item.id for item in PAPER.patterns]}
        columns |= {f"w{i}": column.tolist() for i, column in enumerate(weights.T)}
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Kernels and surfaces."""
        return {
            "classes": np.array([item.id for item in PAPER.patterns]),
            "kernels": self.kernels,
            "surfaces": self.surfaces,
        }


@dataclass(frozen=True, slots=True)
class _Panel:
    """Surface, kernel and name of one class; lengths in mm."""

    width: float
    surface: float
    tiling: Tiling
    height: float

    @classmethod
    def of(
        cls,
        size: tuple[int, ...],
        width: float,
        surface: float,
        options: FigureOptions,
        face: Face,
    ) -> _Panel:
        plan = Blocks((size[0], size[1]), (1,), width, options.dpi, per_row=1)
        tiling = plan.tile(plan.most_pixels(_KERNEL * surface))
        height = surface_height(surface) + tiling.cell_height + face.line()
        if options.labels:
            height += 1.4 * face.line()
        return cls(width, surface, tiling, height)

    def draw(
        self, page: Page, content: FamilyContent, number: int, x: float, y: float
    ) -> None:
        """Draw them below each other."""
        item = PAPER.patterns[number]
        middle, em = x + self.width / 2, page.face.em
        draw_surface(
            page, content.surfaces[number], middle - self.surface / 2, y, self.surface
        )
        y = page.snap(y + surface_height(self.surface) + 0.3 * em)
        left = page.snap(middle - self.tiling.width / 2)
        kernel = content.kernels[number : number + 1]
        self.tiling.draw(page, [quantise(kernel, np.zeros(1, bool))], left, y)
        page.frame(left, y, self.tiling.width, self.tiling.cell_height)
        y += self.tiling.cell_height
        if page.options.legend:
            colour = page.ink.of_class(item)
            page.rectangle(left, y + 0.3 * em, self.tiling.width, 0.25 * em, colour)
        if page.options.labels:
            y += 1.65 * em
            page.text(middle, y, item.short, align="center", gid=f"class-{item.id}")


def _arrange(
    size: tuple[int, ...], options: FigureOptions, face: Face
) -> tuple[int, _Panel]:
    """How many columns there are, and a panel that fits the page.

    Raises
    ------
    FigureError
        The height asked for is too small.
    """
    room = options.width_mm - 2 * face.margin
    name = max(face.width(item.short) for item in PAPER.patterns) + 0.4 * face.em
    if options.labels and name > room:
        raise too_narrow("the names of the classes do not fit")
    fits = max(1, min(len(PAPER.patterns), int(room / name)))
    least = -(-len(PAPER.patterns) // fits)
    if options.height_mm is None:
        columns = -(-len(PAPER.patterns) // least)
        width = room / columns
        return columns, _Panel.of(size, width, width - 0.6 * face.em, options, face)
    down = options.height_mm - title_height(options, face) - face.margin
    down -= scale_bar_height(options, face)
    choices = {
        -(-len(PAPER.patterns) // rows)
        for rows in range(least, len(PAPER.patterns) + 1)
    }
    found = [
        (panel.surface, columns, panel)
        for columns in sorted(choices, reverse=True)
        if (panel := _fitting(size, room, columns, down, options, face))
    ]
    if not found:
        raise too_low("the family does not fit", options)
    _, columns, panel = max(found, key=lambda choice: choice[:2])
    return columns, panel


def _fitting(
    size: tuple[int, ...],
    room: float,
    columns: int,
    down: float,
    options: FigureOptions,
    face: Face,
) -> _Panel | None:
    """The largest panel of so many columns that fits into ``down`` mm."""
    width, rows = room / columns, -(-len(PAPER.patterns) // columns)
    panel = _Panel.of(size, width, width - 0.6 * face.em, options, face)
    while panel.height > down / rows:
        panel = _Panel.of(size, width, 0.95 * panel.surface, options, face)
        if panel.surface < 2 * face.em:
            return None
    return panel


def prepare_family(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> FamilyContent:
    """One member of each class at the scene's kernel size.

    Raises
    ------
    FigureError
        The size is that of 3-D kernels.
    """
    if len(scene.size) > 2:
        raise FigureError("the pattern family is one of 1-D and 2-D kernels")
    rows, columns = (1, *scene.size)[-2:]
    kernels, surfaces = [], []
    for item in PAPER.patterns:
        watch.check()
        kernels.append(_member(item.id, (rows, columns)))
        surfaces.append(_member(item.id, (_MESH, _MESH)))
    return FamilyContent(
        np.stack(kernels).astype(np.float32), np.stack(surfaces), scene.size
    )


def _member(class_id: str, size: tuple[int, int]) -> NDArray[np.float64]:
    """Weights of a class's prototype on a grid, mean-free, the largest ±1."""
    sign = -1.0 if class_id.startswith("off") else 1.0
    values = sign * _formula(class_id.removeprefix("off-").removeprefix("on-"), size)
    values -= values.mean()
    scaled: NDArray[np.float64] = values / (np.abs(values).max() or 1.0)
    return scaled


def _formula(kind: str, size: tuple[int, int]) -> NDArray[np.float64]:
    """The pattern as in the paper's section 4, with the prototype's σ."""
    unit = max(size) / 7
    axes = [np.arange(taps) - (taps - 1) / 2 for taps in size]
    y, x = (np.asarray(axis / unit, np.float64) for axis in axes)
    if kind == "square":
        x, y = x - 0.5, y - 0.5
    if kind in ("centre", "square"):
        sigma = _SIGMA if kind == "square" else _CENTRE_SIGMA
        wide = sigma * _SURROUND
        inner = np.outer(_gaussian(y, sigma), _gaussian(x, sigma))
        return inner - _GAMMA * np.outer(_gaussian(y, wide), _gaussian(x, wide))
    if kind == "cross":
        across, along = _ARM
        lying = np.outer(_gaussian(y, across), _gaussian(x, along))
        upright = np.outer(_gaussian(y, along), _gaussian(x, across))
        return np.asarray(lying + upright, np.float64)
    order = {"d1-x": (0, 1), "d1-y": (1, 0), "d2-x": (0, 2), "d2-y": (2, 0)}
    down, right = order.get(kind, (1, 1))
    return np.outer(_gaussian(y, _SIGMA, down), _gaussian(x, _SIGMA, right))


def _gaussian(
    x: NDArray[np.float64], sigma: float, order: int = 0
) -> NDArray[np.float64]:
    """A Gaussian of unit integral along one axis, or a derivative of it."""
    z = x / sigma
    hermite = (1.0, -z, z * z - 1)[order]
    return np.asarray(hermite * np.exp(-z * z / 2) / sigma ** (order + 1), np.float64)
