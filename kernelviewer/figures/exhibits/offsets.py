"""Exhibit: where the kernels of each layer have their centres.

Mean and spread of the offsets of the nearest members of the pattern family, beside size
and stride of the layer.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.figures.chart import Chart, axis_height
from kernelviewer.figures.content import FigureError, Table, too_low, too_narrow
from kernelviewer.figures.counts import count, listing, short_names
from kernelviewer.figures.exhibits import LEAST, REACH
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.page import SHEET, Page, title_height
from kernelviewer.kernels.bank import size_label
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.noise import LOWEST_THRESHOLD
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene
    from kernelviewer.kernels.bank import LayerInfo, Size
    from kernelviewer.kernels.family.fit import LayerOffsets
    from kernelviewer.watch import Watch


_ROW, _LEAST_ROW, _MOST_ROW = 1.35, 1.2, 2.4
_CHART, _LEAST_CHART = 40.0, 5.0
_NAME, _LEAST_NAME = 22.0, 4.0
_GAP, _BETWEEN = 0.9, 2.2
"""Lengths in units of the font size: rows, charts, names; between columns, charts."""


@dataclass(frozen=True, eq=False)
class Network:
    """One network: what is known of its layers, and their offsets."""

    name: str
    layers: tuple[LayerInfo, ...]
    offsets: tuple[LayerOffsets, ...]

    @property
    def counted(self) -> int:
        """Kernels whose offsets count."""
        return sum(item.counted for item in self.offsets)

    @property
    def kernels(self) -> int:
        """All of them."""
        return sum(item.kernels for item in self.offsets)


@dataclass(frozen=True, eq=False)
class OffsetsContent:
    """Networks below each other, a row for each layer."""

    networks: tuple[Network, ...]
    size: Size
    least: float

    def draw(self, options: FigureOptions, watch: Watch = NEVER) -> Page:
        """Name, size, stride and count of each layer, and its offsets in x and y."""
        face = Face.of(options)
        room = options.width_mm - 2 * face.margin
        columns = _Columns.of(self, room, options, face)
        top, em = title_height(options, face), face.em
        head, foot = 3.6 * em, axis_height(em, options.labels) + 0.6 * em
        ends = top + face.margin
        networks, pitch = self.networks, _ROW * em
        if options.height_mm is None:
            if _height(networks, pitch, head + foot) > SHEET - ends:
                pitch = _LEAST_ROW * em
            networks = _fitting(networks, pitch, SHEET - ends, head + foot)
        rows = sum(len(item.layers) for item in networks)
        rest = ends + len(networks) * (head + foot)
        if options.height_mm is not None:
            pitch = min((options.height_mm - rest) / rows, _MOST_ROW * em)
        if pitch < _LEAST_ROW * em:
            raise too_low(f"{count(rows, 'layer')} do not fit", options)
        height = rest + rows * pitch
        page = Page(options, max(height, options.height_mm or 0.0), face)
        page.left_out += self._left_out(networks)
        page.title()
        y = top
        for number, item in enumerate(networks):
            watch.check()
            letter = string.ascii_lowercase[number % 26]
            self._draw_network(page, item, y, head, pitch, columns, letter)
            y += head + len(item.layers) * pitch + foot
        return page

    def _left_out(self, shown: Sequence[Network]) -> list[str]:
        """What is not on the page, for the caption."""
        said, most = [], max(len(item.layers) for item in shown)
        whole = zip(shown, self.networks, strict=False)
        if any(len(item.layers) < len(all_.layers) for item, all_ in whole):
            said.append(
                f"The first {count(most, 'layer')} are shown: a page has no room for "
                "more."
            )
        if len(shown) < len(self.networks):
            networks = count(len(self.networks), "network")
            said.append(f"Only the first {len(shown)} of {networks} are shown.")
        return said

    def _draw_network(
        self,
        page: Page,
        item: Network,
        y: float,
        head: float,
        pitch: float,
        columns: _Columns,
        letter: str,
    ) -> None:
        em = page.face.em
        facts = f"{count(item.counted)} of {count(item.kernels, 'kernel')} count"
        name = f"{item.name}, {size_label(self.size)}"
        texts = (f"{name}: {facts}", name, item.name)
        page.heading(page.margin, y + em, texts, page.width - 2 * page.margin, letter)
        quiet = page.ink.secondary
        for title, x in zip(columns.titles, columns.rights, strict=True):
            page.text(x, y + head - 0.5 * em, title, align="right", colour=quiet)
        names = short_names([layer.name for layer in item.layers])
        for row, (name, layer, offsets) in enumerate(
            zip(names, item.layers, item.offsets, strict=True)
        ):
            base = y + head + (row + 0.5) * pitch + 0.36 * em
            if page.options.labels:
                text = page.face.elide(name, columns.name)
                page.text(page.margin, base, text, gid="layer")
            for make, x in zip(columns.cells, columns.rights, strict=True):
                text = make(layer, offsets)
                page.text(x, base, text, align="right", colour=quiet)
        high = len(item.layers) * pitch
        for axis, left in zip("xy", columns.charts, strict=True):
            chart = Chart(
                page,
                left,
                y + head,
                columns.chart,
                high,
                (-columns.reach, columns.reach),
                (0.0, float(len(item.layers))),
            )
            self._draw_chart(chart, item, axis, pitch)

    def _draw_chart(self, chart: Chart, item: Network, axis: str, pitch: float) -> None:
        """Points and bars of mean and spread, and lines at 0 and ± half a pixel."""
        page, em = chart.page, chart.page.face.em
        reach = chart.xs[1]
        for place in (-0.5, 0.0, 0.5):
            at = chart.right(place)
            page.line([at, at], [chart.y, chart.y + chart.height])
        for row, found in enumerate(item.offsets):
            mean = getattr(found, axis)
            if not found.counted:
                continue
            spread = getattr(found, f"spread_{axis}")
            y = chart.y + (row + 0.5) * pitch
            ends = [
                chart.right(float(np.clip(end, -reach, reach)))
                for end in (mean - spread, mean + spread)
            ]
            width = 2.5 * page.face.hairline
            page.line(ends, [y, y], colour=page.ink.secondary, width=width)
            if abs(mean) <= reach:
                page.dot(chart.right(mean), y, 0.28 * em, page.ink.text)
        way = {"x": "x (px, to the right)", "y": "y (px, down)"}[axis]
        ticks = [-reach, 0.0, reach]
        apart = chart.right(0.5) - chart.right(0.0)
        if apart > page.face.width("−0.5") + 0.4 * em and reach > 0.5:
            ticks += [-0.5, 0.5]
        chart.x_axis(ticks, way, lambda tick: f"{tick:g}".replace("-", "−"))

    def caption(self) -> str:
        """What is drawn, and which kernels count."""
        names = listing([item.name for item in self.networks])
        whole = [
            np.array([item.counted for item in net.offsets]) for net in self.networks
        ]
        told = []
        for net, weight in zip(self.networks, whole, strict=True):
            if not weight.sum():
                continue
            means = [
                np.average(
                    np.nan_to_num([getattr(o, axis) for o in net.offsets]),
                    weights=weight,
                )
                for axis in "xy"
            ]
            text = " and ".join(
                f"{round(value, 2) + 0.0:+.2f}" for value in means
            ).replace("-", "−")
            told.append(f"{net.name}: {text} px on average.")
        return (
            f"Offsets of the {size_label(self.size)} kernels of {names} from the "
            "middle of their window, by the nearest member of the pattern family: mean "
            "(dot) and standard deviation (bar) of each layer, x to the right and y "
            f"down. Kernels with a cosine of {self.least:.2f} or more count. "
            + " ".join(told)
        ).strip()

    def table(self) -> Table:
        """A row for each layer."""
        rows = [
            (net.name, layer, found)
            for net in self.networks
            for layer, found in zip(net.layers, net.offsets, strict=True)
        ]
        columns: dict[str, Sequence[Any]] = {
            "network": [name for name, _, _ in rows],
            "layer": [layer.name for _, layer, _ in rows],
            "size": [size_label(layer.size) for _, layer, _ in rows],
            "support": [layer.support_label for _, layer, _ in rows],
            "stride": [_told(layer.stride) for _, layer, _ in rows],
            "padding": [_told(layer.padding) for _, layer, _ in rows],
        }
        for name in ("kernels", "counted", "x", "y", "spread_x", "spread_y"):
            columns[name] = [getattr(found, name) for _, _, found in rows]
        return Table(columns)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The columns of the table."""
        return {name: np.array(v) for name, v in self.table().columns.items()}


def _height(networks: Sequence[Network], pitch: float, rest: float) -> float:
    """Height in mm of networks below each other, ``rest`` beside the rows of each."""
    return sum(rest + pitch * len(item.layers) for item in networks)


def _fitting(
    networks: tuple[Network, ...], pitch: float, room: float, rest: float
) -> tuple[Network, ...]:
    """The networks less the layers, then the networks, without room on a page."""
    shown, most = networks, max(len(item.layers) for item in networks)
    while most > 1 and _height(shown, pitch, rest) > room:
        most -= 1
        shown = tuple(
            replace(item, layers=item.layers[:most], offsets=item.offsets[:most])
            for item in networks
        )
    while len(shown) > 1 and _height(shown, pitch, rest) > room:
        shown = shown[:-1]
    return shown


@dataclass(frozen=True, eq=False)
class _Columns:
    """Where the columns and charts lie, mm; ``rights``: right ends of text columns."""

    name: float
    titles: tuple[str, ...]
    cells: tuple[Callable[[LayerInfo, LayerOffsets], str], ...]
    rights: tuple[float, ...]
    charts: tuple[float, float]
    chart: float
    reach: float

    @classmethod
    def of(
        cls, content: OffsetsContent, room: float, options: FigureOptions, face: Face
    ) -> _Columns:
        """Columns of text go, the last first, until charts and names have room.

        Raises
        ------
        FigureError
            There is no room for charts.
        """
        em, nets = face.em, content.networks
        pairs = [
            pair for net in nets for pair in zip(net.layers, net.offsets, strict=True)
        ]
        texts = [("n", _counted), ("stride", _stride), ("size", _size)]
        if not any(layer.support for layer, _ in pairs):
            texts.pop()  # it is the figure's
        if not any(layer.stride for layer, _ in pairs):
            texts = [item for item in texts if item[0] != "stride"]
        if not options.labels:
            texts = []
        names = [
            face.width(name)
            for net in nets
            for name in short_names([layer.name for layer in net.layers])
        ]
        wanted = (
            min(max(names, default=0.0) + 0.1, _NAME * em) if options.labels else 0.0
        )
        while True:
            widths = [
                max(face.width(title), *(face.width(make(*pair)) for pair in pairs))
                for title, make in texts
            ]
            taken = sum(widths) + (len(widths) + 1) * _GAP * em + _BETWEEN * em
            least = min(wanted, _LEAST_NAME * em) if texts else 0.0
            if (
                room - taken - max(least, min(wanted, 0.4 * room))
                > 2 * _LEAST_CHART * em
            ):
                break
            if not texts:
                break
            texts.pop()
        name = min(wanted, max(room - taken - 2 * _LEAST_CHART * em, 0.0), 0.4 * room)
        chart = min((room - taken - name) / 2, _CHART * em)
        if chart < _LEAST_CHART * em:
            raise too_narrow("the offsets do not fit")
        x, rights = face.margin + name, []
        for width in widths:
            x += _GAP * em + width
            rights.append(x)
        x += _GAP * em
        return cls(
            name,
            tuple(title for title, _ in texts),
            tuple(make for _, make in texts),
            tuple(rights),
            (x, x + chart + _BETWEEN * em),
            chart,
            REACH.of(options),
        )


def _counted(layer: LayerInfo, found: LayerOffsets) -> str:
    return count(found.counted) if found.counted else "–"


def _stride(layer: LayerInfo, found: LayerOffsets) -> str:
    return _told(layer.stride) or "–"


def _size(layer: LayerInfo, found: LayerOffsets) -> str:
    size = size_label(layer.size)
    return f"{size}→{layer.support_label}" if layer.support else size


def _told(value: tuple[int, ...] | str | None) -> str:
    """A stride or padding: one number where it is the same along all axes."""
    if value is None or isinstance(value, str):
        return value or ""
    return "×".join(map(str, value if len(set(value)) > 1 else value[:1]))


def prepare_offsets(
    scene: Scene, options: FigureOptions, watch: Watch = NEVER
) -> OffsetsContent:
    """The family fitted to the kernels of all networks.

    Raises
    ------
    FigureError
        The family has no members of the size, or no kernel is shown.
    """
    from kernelviewer.kernels.family import family_fit_set, supported
    from kernelviewer.kernels.family.fit import layer_offsets

    if not supported(scene.size):
        raise FigureError(f"the pattern family has no {size_label(scene.size)} kernels")
    networks, least = [], LEAST.of(options)
    if least is None:
        coder = shipped(scene.size)
        least = LOWEST_THRESHOLD if coder is None else coder.threshold
    for subject in scene.subjects:
        watch.check()
        kernels, layers = subject.kernels, subject.bank.layers
        device = choose_device("cpu")
        fit = family_fit_set(kernels, device=device, watch=watch.quiet())
        found = layer_offsets(kernels, fit, least, subject.shown)
        if found:
            infos = tuple(layers[item.layer] for item in found)
            networks.append(Network(subject.name, infos, tuple(found)))
    if not networks:
        raise FigureError("no kernels are shown", "Show other layers.")
    return OffsetsContent(tuple(networks), scene.size, least)
