"""How a figure looks: everything its reader sees that is not data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from kernelviewer.figures.errors import FigureError

if TYPE_CHECKING:
    from collections.abc import Mapping

Scale = Literal["kernel", "layer", "figure"]

WIDTHS: Mapping[str, float] = MappingProxyType(
    {"single": 89.0, "double": 183.0, "slide": 338.7}
)
"""Names of column widths in mm: a journal's columns, and a 16:9 slide."""

MIN_WIDTH, MAX_WIDTH = 60.0, 1000.0
MIN_DPI, MAX_DPI = 72, 1200
MIN_FONT, MAX_FONT = 4.0, 40.0


def _check_range(what: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise unless ``low <= value <= high``; NaN fails too."""
    if not low <= value <= high:
        msg = f"the {what} is between {low:g} and {high:g}{unit}, not {value:g}"
        raise FigureError(msg)


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
    samples
        Kernels in a row of random samples; None: as many as look well.
    seed
        Seed of what is drawn at random.
    dark
        Light ink on dark ground.
    """

    width_mm: float = WIDTHS["double"]
    height_mm: float | None = None
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
    seed: int = 0
    dark: bool = False

    def __post_init__(self) -> None:
        _check_range("width", self.width_mm, MIN_WIDTH, MAX_WIDTH, " mm")
        if self.height_mm is not None:
            _check_range("height", self.height_mm, 20, 3 * MAX_WIDTH, " mm")
        _check_range("resolution", self.dpi, MIN_DPI, MAX_DPI, " dpi")
        _check_range("font size", self.font_size, MIN_FONT, MAX_FONT, " pt")
        if self.samples is not None:
            _check_range("number of samples", self.samples, 1, 1000, "")
        if self.scale not in get_args(Scale):
            msg = f"the scale of weights is kernel, layer or figure, not {self.scale!r}"
            raise FigureError(msg)

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
        return cls(**given)


def _fits(value: object, name: str) -> bool:
    """Whether a value read from a file is of the option's type."""
    if value is None:
        return name in ("height_mm", "samples")
    default = getattr(FigureOptions(), name)
    kinds: dict[type, tuple[type, ...]] = {float: (int, float)}
    wanted = (
        (int, float) if default is None else kinds.get(type(default), (type(default),))
    )
    return isinstance(value, wanted) and isinstance(value, bool) == isinstance(
        default, bool
    )


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
            _DEFAULT, width_mm=WIDTHS["slide"], height_mm=190.5, dpi=144, font_size=14.0
        ),
    }
)
"""Starting points by name."""
