"""How a figure looks: everything its reader sees that is not data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from kernelviewer.figures.errors import FigureError, OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

Scale = Literal["kernel", "layer", "figure"]
Group = Literal["layer", "network", "class", "code", "fit", "none"]
Sort = Literal["channel", "scale", "flat", "class", "code", "fit"]
Colour = Literal["class", "layer", "network", "fit"]

WIDTHS: Mapping[str, float] = MappingProxyType(
    {"single": 89.0, "double": 183.0, "slide": 338.7}
)
"""Names of column widths in mm: a journal's columns, and a 16:9 slide."""

MIN_WIDTH, MAX_WIDTH = 40.0, 1000.0
MIN_DPI, MAX_DPI = 72, 1200
MIN_FONT, MAX_FONT = 4.0, 40.0
MOST_PARTS = 9
"""How many principal components there are to choose from."""
_MOST = 2**32 - 1
"""The largest seed; no option is a larger whole number."""


def _check_range(what: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise unless ``low <= value <= high``; NaN fails too."""
    if not low <= value <= high:
        msg = f"the {what} is between {low:g} and {high:g}{unit}, not {value:g}"
        raise OptionError(msg)


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise unless the value is one of the choices."""
    if value not in choices:
        names = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise OptionError(f"the {what} is {names}, not {value!r}")


@dataclass(frozen=True, slots=True)
class FigureOptions:
    """What can be set of a figure. Frozen; two equal ones give equal files.

    Attributes
    ----------
    width_mm
        Width of the column.
    height_mm
        Height; None lets the content decide.
    dpi
        Pixels per inch of PNG files. Kernels are laid out on this raster in every
        format, so that each tap is a whole number of pixels.
    font_family
        ``sans-serif``, ``serif``, ``monospace`` or the name of an installed family.
    font_size
        Size of the labels in points; the rest follows.
    labels
        Names of layers, axes and classes.
    title
        Text above the figure; empty: none.
    legend, scale_bar, panel_letters
        Whether to draw them: class colours; colours of the weights; **a**, **b** …
    colormap
        ``signed`` (blue – paper – red) or one of `kernelviewer.figures.colours`.
    scale
        What shares one scale of colours: each ``kernel``, each ``layer``, all.
    margin_mm
        Empty border; None: hardly any, as journals set figures.
    samples
        Kernels in a row of random samples; None: as many as look well.
    group, sort
        How a sheet's kernels are grouped (``code``: by stretch of the spectrum), and in
        which order they stand in a group.
    colour
        What the colour of a point of a scatter tells.
    components
        Principal components across and up, counted from 1.
    mark
        A code, 0 … 1: marked in a spectrum, decoded in a figure of one kernel.
    seed
        Seed of what is drawn at random.
    dark
        Light ink on dark ground.
    """

    width_mm: float = WIDTHS["double"]
    height_mm: float | None = None
    margin_mm: float | None = None
    dpi: int = 300
    font_family: str = "sans-serif"
    font_size: float = 7.0
    labels: bool = True
    title: str = ""
    legend: bool = True
    scale_bar: bool = True
    panel_letters: bool = False
    colormap: str = "signed"
    scale: Scale = "kernel"
    samples: int | None = None
    group: Group = "layer"
    sort: Sort = "channel"
    colour: Colour = "class"
    components: tuple[int, int] = (1, 2)
    mark: float | None = None
    seed: int = 0
    dark: bool = False

    def __post_init__(self) -> None:
        _check_range("width", self.width_mm, MIN_WIDTH, MAX_WIDTH, " mm")
        if self.height_mm is not None:
            _check_range("height", self.height_mm, 20, 3 * MAX_WIDTH, " mm")
        _check_range("resolution", self.dpi, MIN_DPI, MAX_DPI, " dpi")
        _check_range("font size", self.font_size, MIN_FONT, MAX_FONT, " pt")
        if self.margin_mm is not None:
            _check_range("margin", self.margin_mm, 0, self.width_mm / 4, " mm")
        if self.samples is not None:
            _check_range("number of samples", self.samples, 1, 1000, "")
        if self.mark is not None:
            _check_range("marked code", self.mark, 0, 1, "")
        _check_choice("scale of weights", self.scale, get_args(Scale))
        _check_choice("group", self.group, get_args(Group))
        _check_choice("order", self.sort, get_args(Sort))
        _check_choice("colour of points", self.colour, get_args(Colour))
        if self.components[0] == self.components[1]:
            raise OptionError("the two principal components are the same")
        _check_range("seed", self.seed, 0, _MOST, "")
        for number in self.components:
            _check_range("number of a principal component", number, 1, MOST_PARTS, "")

    @property
    def content_key(self) -> tuple[object, ...]:
        """What decides which data are drawn; the rest is looks."""
        return self.seed, self.group, self.sort, self.components, self.mark

    def to_json(self) -> dict[str, Any]:
        """What differs from the defaults, JSON-like."""
        defaults = FigureOptions()
        return {
            name: value
            for name, value in asdict(self).items()
            if value != getattr(defaults, name)
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FigureOptions:
        """Options from `to_json`; names of other versions are left out.

        Raises
        ------
        FigureError
            A value is of the wrong type or out of range.
        """
        given = {
            field.name: values[field.name]
            for field in fields(cls)
            if field.name in values
        }
        if not all(_fits(value, name) for name, value in given.items()):
            msg = "the options of this figure have values of the wrong type"
            raise FigureError(msg)
        if "components" in given:
            given["components"] = tuple(given["components"])
        try:
            return cls(**given)
        except OptionError as error:  # the file's, not the user's
            raise FigureError(error.problem, error.hint) from None


def _fits(value: object, name: str) -> bool:
    """Whether a value read from a file is of the option's type."""
    if name == "samples":
        return value is None or _is_whole(value)
    default = getattr(FigureOptions(), name)
    if default is None or isinstance(default, float):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and isinstance(value, int):
            number = abs(value) <= _MOST  # more may be no float at all
        return number or (value is None and default is None)
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple) or len(value) != len(default):
            return False
        return all(map(_is_whole, value))
    if type(default) is int:
        return _is_whole(value)
    return type(value) is type(default)


def _is_whole(value: object) -> bool:
    return type(value) is int and abs(value) <= _MOST


_DEFAULT = FigureOptions()
PRESETS: Mapping[str, FigureOptions] = MappingProxyType(
    {
        "Nature": replace(_DEFAULT, width_mm=183.0, font_size=7.0, panel_letters=True),
        "Nature single": replace(
            _DEFAULT, width_mm=89.0, font_size=6.0, panel_letters=True
        ),
        "IEEE": replace(_DEFAULT, width_mm=88.9, font_size=8.0, font_family="serif"),
        "IEEE double": replace(
            _DEFAULT, width_mm=181.9, font_size=8.0, font_family="serif"
        ),
        "slide": replace(
            _DEFAULT,
            width_mm=WIDTHS["slide"],
            height_mm=190.5,
            margin_mm=10.0,
            dpi=144,
            font_size=14.0,
        ),
    }
)
"""Starting points by name."""
