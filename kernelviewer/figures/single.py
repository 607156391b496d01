"""Exhibit: a kernel beside its reconstruction and what is left of it.

With a marked code: what the code stands for, and the real kernels nearest to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.content import Table
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.names import count, listing
from kernelviewer.figures.page import Page, never, title_height
from kernelviewer.figures.sampling import spread
from kernelviewer.figures.scale_bar import draw_scale_bar, scale_bar_height
from kernelviewer.figures.single_row import Item, NearRow, Row, arrange
from kernelviewer.figures.style import figure_style
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.statistics import patterns
from kernelviewer.latent.segments import segment_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.page import Check
    from kernelviewer.figures.scene import Scene, Subject, Yardstick
    from kernelviewer.figures.single_row import Plan
    from kernelviewer.kernels.bank import Size

_MOST = 64
_USUAL = 4
_NEAREST = 100


@dataclass(frozen=True, eq=False)
class KernelContent:
    """Some kernels, or the one of a code with the real ones nearest to it.

    Attributes
    ----------
    items
        As many as could be wanted.
    total
        How many kernels there were to choose from.
    mark
        The code that was decoded, if one was.
    nearest, cosines
        float32 [n, *size] and [n]: the real kernels nearest to it, nearest first.
    """

    items: tuple[Item, ...]
    size: Size
    networks: tuple[str, ...]
    total: int
    yardstick: Yardstick | None
    mark: float | None
    nearest: NDArray[np.float32]
    cosines: NDArray[np.float32]

    def draw(self, options: FigureOptions, check: Check = never) -> Page:
        """A row for each kernel: surface, kernel, reconstruction, residual, facts."""
        with figure_style():
            face = Face.of(options)
            near = NearRow.of(self.nearest, options, face)
            top, foot = title_height(options, face), scale_bar_height(options, face)
            rest = top + foot + face.margin + near.height
            rows, plan = self._arrange(options, face, rest)
            height = max(plan.height * len(rows) + rest, options.height_mm or 0.0)
            page = Page(options, height, face)
            page.title()
            for number, row in enumerate(rows):
                check()
                row.draw(page, plan, page.margin, top + number * plan.height)
            near.draw(page, page.margin, top + len(rows) * plan.height)
            draw_scale_bar(page, page.height - page.margin)
            return page

    def _arrange(
        self, options: FigureOptions, face: Face, rest: float
    ) -> tuple[list[Row], Plan]:
        """As many kernels as are wanted, or fewer where that does not matter."""
        most = min(options.samples or _USUAL, len(self.items))
        while True:
            rows = [Row(item, face) for item in spread(self.items, most)]
            try:
                return rows, arrange(rows, options, face, rest)
            except FigureError:
                if options.samples or most == 1:
                    raise
            most -= 1

    def caption(self) -> str:
        """What stands beside what."""
        kind = size_label(self.size)
        if self.mark is not None:
            sentence = f"The {kind} kernel that the code {self.mark:.3f} stands for"
            if self.yardstick is not None:
                sentence += f" ({self.yardstick.method})"
            if not len(self.nearest):
                return f"{sentence}."
            return (
                f"{sentence}, and the kernels of {listing(self.networks)} that are "
                f"nearest to it (cosine {self.cosines[0]:.2f} and less)."
            )
        names = listing([name for name, _ in self.items[0].parts])
        if self.total == 1:
            whose = f"{self.items[0].titles[0]} of {listing(self.networks)}"
            return f"A {kind} kernel, {whose}: {names}."
        return (
            f"Some of the {count(self.total, 'kernel')} ({kind}) of "
            f"{listing(self.networks)}: {names}."
        )

    def table(self) -> Table:
        """A row for each part of each kernel, or for each of the nearest ones."""
        columns: dict[str, list[Any]] = {"kernel": [], "part": []}
        weights = []
        for item in self.items:
            for name, values in item.parts:
                columns["kernel"].append(item.titles[0])
                columns["part"].append(name)
                weights.append(values.ravel())
        for number, values in enumerate(self.nearest):
            columns["kernel"].append(f"nearest {number + 1}")
            columns["part"].append("kernel")
            weights.append(values.ravel())
        taps = np.stack(weights).T
        return Table(columns | {f"w{i}": tap.tolist() for i, tap in enumerate(taps)})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The parts of each kernel, and the nearest ones."""
        arrays: dict[str, NDArray[Any]] = {
            "kernels": np.array([item.titles[0] for item in self.items])
        }
        for number, item in enumerate(self.items):
            arrays |= {f"{name}_{number}": values for name, values in item.parts}
        if len(self.nearest):
            arrays |= {"nearest": self.nearest, "cosine": self.cosines}
        return arrays


def prepare_kernel(
    scene: Scene, options: FigureOptions, check: Check = never
) -> KernelContent:
    """Some of the kernels shown, at even distances; or what the marked code stands for.

    Raises
    ------
    FigureError
        No kernels are shown, or a code is marked and there is no autoencoder.
    """
    nothing = np.zeros((0, *scene.size), np.float32)
    nearest, cosines = nothing, np.zeros(0, np.float32)
    if options.mark is None:
        places = [
            (subject, int(i)) for subject in scene.subjects for i in subject.index
        ]
        if not places:
            raise FigureError("no kernels are shown", "Show a layer or another size.")
        several = len(scene.subjects) > 1
        items = [
            _item(subject, i, scene.yardstick, several)
            for subject, i in spread(places, _MOST)
        ]
        total = len(places)
    else:
        item, pattern = _decoded(scene, options.mark)
        items, total = [item], 1
        nearest, cosines = _nearest(scene, pattern, check)
    return KernelContent(
        items=tuple(items),
        size=scene.size,
        networks=tuple(s.name for s in scene.subjects if len(s.index)),
        total=total,
        yardstick=scene.yardstick,
        mark=options.mark,
        nearest=nearest,
        cosines=cosines,
    )


def _item(
    subject: Subject, index: int, yardstick: Yardstick | None, several: bool
) -> Item:
    """One kernel with its reconstruction, if it has a code."""
    kernels = subject.kernels
    weights, flat = kernels.weights[index], bool(kernels.flat[index])
    layer = subject.bank.layers[kernels.layer[index]].name
    place = f"{layer}, channel {kernels.channel[index]}"
    titles = (f"{subject.name}: {place}", place) if several else (place,)
    scale, offset = float(kernels.scale[index]), float(kernels.offset[index])
    facts = [("scale", _number(scale)), ("offset", _number(offset))]
    if flat or subject.coding is None or yardstick is None:
        note = [("", "flat: dead or constant")] if flat else []
        return Item(titles, (("kernel", weights),), (*note, *facts), flat=flat)
    code, fit = float(subject.coding.code[index]), float(subject.coding.fit[index])
    best = int(subject.coding.best[index])
    parts = [("kernel", weights)]
    if yardstick.spectrum is not None and np.isfinite(code):
        decoded = _at(yardstick.spectrum, code)
        again = offset + float(((weights - offset) * decoded).sum()) * decoded
        again = again.astype(np.float32)
        parts += [("reconstruction", again), ("residual", weights - again)]
        facts.insert(0, ("code", f"{code:.3f}"))
    facts.insert(len(facts) - 2, ("fit", f"{fit:.3f}"))
    known = fit >= np.float32(yardstick.threshold)
    return Item(titles, tuple(parts), tuple(facts), best, bool(known))


def _decoded(scene: Scene, code: float) -> tuple[Item, NDArray[np.float32]]:
    """The kernel of a code, and its pattern [*size]."""
    yardstick = scene.yardstick
    if yardstick is None or yardstick.spectrum is None:
        raise FigureError(
            f"there is no autoencoder for {size_label(scene.size)} kernels",
            "Train one, or choose another size.",
        )
    pattern = _at(yardstick.spectrum, code)
    place = int(segment_of(yardstick.stretches, np.array([code]))[0])
    stretch = yardstick.stretches[min(place, len(yardstick.stretches) - 1)]
    facts = (
        ("code", f"{code:.3f}"),
        ("stretch", f"{stretch.low:.3f}–{stretch.high:.3f}"),
    )
    parts = (("decoded", pattern),)
    return Item((f"Code {code:.3f}",), parts, facts, stretch.class_index), pattern


def _nearest(
    scene: Scene, pattern: NDArray[np.float32], check: Check
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The kernels shown whose patterns are most like a pattern, and their cosines."""
    found, cosines = [], []
    direction = pattern.ravel() / max(float(np.linalg.norm(pattern)), 1e-12)
    for subject in scene.pooled.subjects:
        check()
        kernels = subject.kernels
        index = subject.index[~kernels.flat[subject.index]]
        unit = patterns(
            kernels.weights[index], kernels.scale[index], kernels.offset[index]
        )
        cosine = unit.reshape(len(index), direction.size) @ direction
        best = np.argsort(-cosine, kind="stable")[:_NEAREST]
        found.append(kernels.weights[index[best]])
        cosines.append(cosine[best])
    if not found:
        return np.zeros((0, *scene.size), np.float32), np.zeros(0, np.float32)
    joined = np.concatenate(cosines).astype(np.float32)
    order = np.argsort(-joined, kind="stable")[:_NEAREST]
    return np.concatenate(found)[order], joined[order]


def _at(spectrum: NDArray[np.float32], code: float) -> NDArray[np.float32]:
    """The decoded pattern [*size] nearest to a code."""
    chosen: NDArray[np.float32] = spectrum[round(code * (len(spectrum) - 1))]
    return chosen


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
