"""A page in millimetres from its top left corner, on which exhibits are laid out."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kernelviewer.figures.colours import ink
from kernelviewer.figures.content import FigureError
from kernelviewer.figures.fonts import FALLBACKS, POINT, Face
from kernelviewer.figures.legend import HATCH
from kernelviewer.kernels.classes import CLASSES, FLAT, class_shown, ink_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform
    from numpy.typing import NDArray

    from kernelviewer.figures.colours import Ink
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.kernels.classes import PatternClass

_MAX_PIXELS = 60_000
_IMAGE, _SHAPE, _MARK, _TEXT = 1, 2, 3, 4
_BEFORE = {"left": 0.0, "center": 0.5, "right": 1.0}
_TURNED = {"left": 1.0, "center": 0.5, "right": 0.0}
"""Share of a text that lies before its place: left of it, and above it if upright."""
TITLE = 8 / 7
"""Size of the title in units of the labels' size: letters of 8 pt beside 7 pt."""
SHEET = 247.0
"""Height of a journal's page in mm: what is higher does not fit on one."""
_CAPTIONED = 170.0
"""Height in mm that leaves room for a caption on it."""


def usual_height(options: FigureOptions) -> float:
    """Height in mm that is asked for, or that exhibits keep to where they can.

    A page of a journal with a caption below the figure; more where the font is larger.
    """
    if options.height_mm is not None:
        return options.height_mm
    return _CAPTIONED * max(1.0, options.font_size / 7)


class Page:
    """A figure being laid out; all lengths in mm, y downwards.

    Parameters
    ----------
    height
        Height in mm.

    Attributes
    ----------
    width, height, margin
        Lengths in mm.
    left_out
        Sentences on what has no room on a journal's page, for the caption.
    """

    def __init__(
        self, options: FigureOptions, height: float, face: Face | None = None
    ) -> None:
        from matplotlib.figure import Figure

        pixel = 25.4 / options.dpi
        across, down = round(options.width_mm / pixel), round(height / pixel)
        if down > _MAX_PIXELS:
            raise FigureError(
                f"the figure would be {height / 1000:.1f} m high",
                "Show fewer kernels or layers, or make the figure wider.",
            )
        self.options = options
        self.width, self.height = across * pixel, down * pixel
        self.ink: Ink = ink(options.dark)
        self.face = face or Face.of(options)
        self.margin = self.face.margin
        self.left_out: list[str] = []
        self._ids: Counter[str] = Counter()
        self.figure: Figure = Figure(
            figsize=(across / options.dpi, down / options.dpi),
            dpi=options.dpi,
            facecolor=self.ink.paper,
        )
        self.ground = self.figure.add_axes((0.0, 0.0, 1.0, 1.0), label="page")
        self.ground.set_axis_off()  # lies over the charts, for marks in them
        self.ground.set(xlim=(0, self.width), ylim=(self.height, 0), autoscale_on=False)
        # made once, not anew for each mark that is clipped to it
        border = partial(_itself, self.ground.patch.get_transform())
        self.ground.patch.get_transform = border  # type: ignore[method-assign]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        notes = [f"The font {name} is not installed." for name in self.face.missing]
        if self.face.stand_in and self.face.stand_in != self.options.font_family:
            usual = FALLBACKS[self.face.generic]
            notes.append(
                f"Neither {usual[0]} nor a face as wide is installed: the figure is "
                f"set in {self.face.stand_in}, whose letters differ in width."
            )
        if self.face.escaped:
            notes.append(
                "No installed font covers some characters of the names; they are "
                "written as \\u escapes."
            )
        if self.options.height_mm is None and self.height > SHEET:
            notes.append(
                f"The figure is {self.height:.0f} mm high; a journal's page has "
                f"{SHEET:.0f} mm."
            )
        return tuple(notes)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes for a chart, in the style of the page; nothing but the two spines."""
        box = (
            x / self.width,
            1 - (y + height) / self.height,
            width / self.width,
            height / self.height,
        )
        axes = self.figure.add_axes(
            box, label=f"axes {len(self.figure.axes)}", zorder=-1
        )
        axes.set_facecolor("none")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set(
            color=self.ink.line, linewidth=self.face.hairline
        )
        axes.tick_params(
            length=2,
            width=self.face.hairline,
            pad=2,
            color=self.ink.line,
            labelcolor=self.ink.text,
            labelsize=self.face.size,
            labelfontfamily=self.face.families(),
        )
        return axes

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float | None = None,
        colour: str | None = None,
        weight: Literal["normal", "bold"] = "normal",
        align: Literal["left", "center", "right"] = "left",
        rotation: float = 0.0,
        gid: str | None = None,
    ) -> None:
        """Write a text whose baseline is at y; it never reaches over the border."""
        size = size or self.face.size
        if rotation:
            text, y = self._kept(text, y, size, weight, _TURNED[align], self.height)
        else:
            text, x = self._kept(text, x, size, weight, _BEFORE[align], self.width)
        if text:
            self.ground.text(
                x,
                y,
                self.face.readable(text),
                fontsize=size,
                color=colour or self.ink.text,
                fontweight=weight,
                fontfamily=self.face.families(),
                ha=align,
                va="baseline",
                rotation=rotation,
                rotation_mode="anchor",
                parse_math=False,
                gid=self._unique(gid),
                zorder=_TEXT,
            )

    def note(self, x: float, y: float, text: str, **looks: Any) -> None:
        """Write a text that gives way to others, paler; as `text` otherwise."""
        self.text(x, y, text, colour=self.ink.secondary, **looks)

    def _kept(
        self, text: str, at: float, size: float, weight: str, before: float, room: float
    ) -> tuple[str, float]:
        """The text, shortened if it must be, and its place, moved if it must be.

        Parameters
        ----------
        before
            Share of the text that comes before its place.
        room
            Width or height of the page.
        """
        wide = self.face.width(text, size, weight)
        if wide > room:
            text = self.face.elide(text, room, size, weight)
            wide = self.face.width(text, size, weight)
        start = min(max(at - before * wide, 0.0), max(room - wide, 0.0))
        return text, start + before * wide

    def image(
        self,
        colours: NDArray[np.uint8],
        x: float,
        y: float,
        width: float,
        height: float,
    ) -> None:
        """Place a picture [rows, columns, 3 or 4], nearest neighbour."""
        from matplotlib.image import AxesImage

        picture = AxesImage(
            self.ground, interpolation="none", extent=(x, x + width, y + height, y)
        )
        picture.set(data=colours, zorder=_IMAGE)
        self.ground.add_image(picture)

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str,
        *,
        edge: str = "none",
        hatch: str = "",
        gid: str | None = None,
    ) -> None:
        """Fill a rectangle."""
        from matplotlib.patches import Rectangle

        self.ground.add_artist(  # add_patch would look for limits, which are set
            Rectangle(
                (x, y),
                width,
                height,
                facecolor=colour,
                edgecolor=edge,
                linewidth=self.face.hairline if edge != "none" else 0.0,
                hatch=hatch or None,
                gid=self._unique(gid),
                zorder=_SHAPE,
            )
        )

    def area(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        colour: str,
        *,
        hatch: str = "",
        gid: str | None = None,
    ) -> None:
        """Fill a polygon."""
        from matplotlib.patches import Polygon

        self.ground.add_artist(  # add_patch would look for limits, which are set
            Polygon(
                list(zip(xs, ys, strict=True)),
                facecolor=colour,
                linewidth=0.0,
                hatch=hatch or None,
                gid=self._unique(gid),
                zorder=_SHAPE,
            )
        )

    def class_box(
        self,
        kind: PatternClass,
        x: float,
        y: float,
        width: float,
        height: float,
        gid: str | None = None,
    ) -> None:
        """Fill a class's box; if wanted, a line around it, and letters with room."""
        letters = self.options.class_marks == "letters"
        edge = self.ink.paper if letters else "none"
        hatch = HATCH if kind is FLAT else ""
        colour = self.ink.of_class(kind)
        self.rectangle(x, y, width, height, colour, edge=edge, hatch=hatch, gid=gid)
        self.class_mark(kind, x, y, width, height)

    def class_mark(
        self, kind: PatternClass, x: float, y: float, width: float, height: float
    ) -> None:
        """Write a class's letters into its box, if wanted and there is room."""
        size = 0.85 * self.face.size
        tall = size * POINT
        if self.options.class_marks != "letters" or height < 1.05 * tall:
            return
        if width < self.face.width(kind.mark, size):
            return
        middle = y + height / 2 + 0.36 * tall
        ink = self.ink.text if kind is FLAT else ink_on(self.ink.of_class(kind))
        self.text(
            x + width / 2, middle, kind.mark, size=size, align="center", colour=ink
        )

    @property
    def tag_size(self) -> tuple[float, float]:
        """Room of a tag, mm: across for the widest letters, and down."""
        size = 0.85 * self.face.size
        widest = max(self.face.width(item.mark, size) for item in CLASSES)
        return widest + 0.2 * self.face.em, 1.1 * size * POINT

    def class_tag(self, kind: PatternClass, x: float, y: float) -> None:
        """A class's letters in a box of its colour, its middle there."""
        wide, high = self.tag_size
        box = x - wide / 2, y - high / 2, wide, high
        self.class_box(kind, *box, f"tag-{kind.id}")

    def class_tags(
        self,
        places: NDArray[np.float64],
        classes: NDArray[np.int64],
        free: Iterable[NDArray[np.float64]] = (),
    ) -> None:
        """Tags on points, as many as find room, each class in turn.

        Parameters
        ----------
        places, classes
            Millimetres [N, 2], and classes by their index into `CLASSES` [N].
        free
            Places that stay free.
        """
        wide, high = self.tag_size
        cell = high / 4
        taken = np.zeros(
            (int(self.height / cell) + 1, int(self.width / cell) + 1), bool
        )

        def box(x: float, y: float) -> NDArray[np.bool_]:
            left, right = max(x - 0.6 * wide, 0.0), x + 0.6 * wide
            top, bottom = max(y - 0.6 * high, 0.0), y + 0.6 * high
            return taken[
                int(top / cell) : int(bottom / cell) + 1,
                int(left / cell) : int(right / cell) + 1,
            ]

        for place in free:
            box(*place.tolist())[:] = True
        rank = np.zeros(len(classes), np.int64)
        for kind in np.unique(classes):
            alike = classes == kind
            rank[alike] = np.arange(alike.sum())
        for index in np.argsort(rank, kind="stable").tolist():
            x, y = places[index].tolist()
            if not box(x, y).any():
                box(x, y)[:] = True
                self.class_tag(class_shown(int(classes[index])), x, y)

    def marker(self, x: float, y: float, text: str, ring: str) -> None:
        """Write a short text in a circle around a point."""
        from matplotlib.patches import Circle

        size = 0.85 * self.face.size
        radius = max(
            self.face.width(text, size) / 2 + 0.3 * self.face.em, 0.62 * self.face.em
        )
        self.ground.add_artist(  # add_patch would look for limits, which are set
            Circle(
                (x, y),
                radius,
                facecolor=self.ink.paper,
                edgecolor=ring,
                linewidth=2 * self.face.hairline,
                zorder=_MARK,
            )
        )
        y += 0.36 * size * POINT
        self.text(x, y, text, size=size, align="center", gid="marker")

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        """Fill a small circle."""
        from matplotlib.patches import Circle

        self.ground.add_artist(  # add_patch would look for limits, which are set
            Circle((x, y), radius, facecolor=colour, linewidth=0.0, zorder=_MARK)
        )

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a hairline around a rectangle."""
        self.rectangle(x, y, width, height, "none", edge=self.ink.line)

    def snap(self, length: float) -> float:
        """The length as a whole number of pixels."""
        pixel = 25.4 / self.options.dpi
        return round(length / pixel) * pixel

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        *,
        colour: str | None = None,
        width: float | None = None,
    ) -> None:
        """Draw a line through points."""
        self.ground.plot(
            xs,
            ys,
            color=colour or self.ink.line,
            linewidth=width or self.face.hairline,
            zorder=_SHAPE,
            solid_capstyle="butt",
            scalex=False,
            scaley=False,
        )

    def _unique(self, gid: str | None) -> str | None:
        """The id, numbered from its second use on: SVG wants each just once."""
        if gid is None:
            return None
        self._ids[gid] += 1
        return gid if self._ids[gid] == 1 else f"{gid}.{self._ids[gid]}"

    def heading(
        self,
        x: float,
        y: float,
        text: str | Sequence[str],
        width: float,
        letter: str = "",
    ) -> None:
        """Write the heading of a panel, with its letter if there are letters.

        Of several texts the first that fits is written.
        """
        if letter and self.options.panel_letters:
            self.text(x, y, letter, weight="bold", size=self.face.size * TITLE)
            step = self.face.width(letter, self.face.size * TITLE, "bold")
            x, width = x + step + 0.5 * self.face.em, width - step - 0.5 * self.face.em
        texts = (text,) if isinstance(text, str) else text
        name = self.face.first_fitting(texts, width, weight="bold")
        self.text(x, y, name, weight="bold", gid="heading")

    def title(self) -> float:
        """Write the title, if there is one; where the rest may begin."""
        size = self.face.size * TITLE
        y = self.margin
        for line in _title_lines(self.options, self.face):
            self.text(self.margin, y + size * POINT, line, size=size, weight="bold")
            y += self.face.line(size)
        return title_height(self.options, self.face)


def _itself(transform: Transform) -> Transform:
    return transform


def title_height(options: FigureOptions, face: Face) -> float:
    """Where the content begins below the title."""
    lines = _title_lines(options, face)
    if not lines:
        return face.margin
    return face.margin + len(lines) * face.line(face.size * TITLE) + 0.4 * face.line()


def _title_lines(options: FigureOptions, face: Face) -> list[str]:
    room = options.width_mm - 2 * face.margin
    return face.wrap(options.title, room, face.size * TITLE, "bold")
