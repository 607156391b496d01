"""How a figure looks: everything its reader sees that is not data.

Each option is declared once: as a field of `FigureOptions`, or, where it matters to one
exhibit alone, as an `Own` option beside the table of exhibits. Its checks, its argument
on the command line, its field in the dialog and its place in presets and records are
made from that declaration.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from kernelviewer.figures.colours import COLORMAPS
from kernelviewer.figures.content import FigureError, OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernelviewer.kernels.pairing import Match

T = TypeVar("T")
Scale = Literal["kernel", "layer", "figure"]
Group = Literal["layer", "network", "class", "code", "fit", "none"]
Sort = Literal["channel", "scale", "flat", "class", "code", "fit"]
Colour = Literal["class", "layer", "network", "fit"]
Mean = Literal["auto", "with", "without"]
ClassMarks = Literal["colours", "letters"]
Time = Literal["auto", "even", "step", "log"]

WIDTHS: Mapping[str, float] = MappingProxyType(
    {"single": 89.0, "double": 183.0, "slide": 338.7}
)
"""Names of column widths in mm: a journal's columns, and a 16:9 slide."""
_TOO_LARGE = 2**53
"""No option is a whole number so large; some are too large for a float."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Option:
    """A setting of a figure."""

    label: str
    title: str = ""
    """In a form, and what a screen reader says in its place."""
    help: str = ""
    """On the command line, if not as the title."""
    noun: str = ""
    """In messages: "the *font size* is between 4 and 40 pt"."""
    flag: str = ""
    """On the command line, without dashes; empty: the field's name."""
    metavar: str | None = None
    """What stands for its value there."""
    is_look: bool = True
    """A look is kept in presets; the others say what is shown, and are offered for the
    exhibits that name them."""
    drawn_only: bool = False
    """Whether it changes none of the data, so that what was gathered for another value
    can be drawn again. Looks never do."""

    def check(self, value: Any) -> None:
        """Raise `OptionError` if the value is out of range."""

    def fits(self, value: object) -> bool:
        """True if a value read from a file is of the right type."""
        return isinstance(value, str)

    def frozen(self, value: Any) -> Any:
        """A value as it was read from a file or the command line, made hashable."""
        return value


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Number(Option):
    """A number from ``low`` to ``high``."""

    low: float
    high: float
    unit: str = ""
    """As in a form, with the space before it."""
    least: float | None = None
    most: float | None = None
    """What a form offers, where it is less."""
    step: float = 1.0
    """Of the form's arrows."""
    unset: str = ""
    """What a form says in place of None; empty: it is never None."""
    whole: bool = False
    """Whether it is a whole number."""
    names: Mapping[str, float] = field(default_factory=dict)
    """Names of values on the command line."""

    def check(self, value: float | None) -> None:
        """Raise unless it is in range; NaN is in none."""
        if value is not None and not self.low <= value <= self.high:
            raise OptionError(
                f"the {self.noun} is between {self.low:g} and {self.high:.10g}"
                f"{self.unit}, not {value:g}"
            )

    def fits(self, value: object) -> bool:
        """True if it is a number, or nothing where that is allowed."""
        if value is None:
            return bool(self.unset)
        if type(value) is int:
            return abs(value) < _TOO_LARGE
        return type(value) is float and not self.whole


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Choice(Option):
    """One of some words; ``choices``: word → text in a form.

    ``open``: others are known elsewhere, such as the names of installed fonts.
    """

    choices: Mapping[str, str]
    open: bool = False

    def check(self, value: str) -> None:
        """Raise unless it is one of them."""
        if not self.open and value not in self.choices:
            *most, last = self.choices
            msg = f"the {self.noun} is {', '.join(most)} or {last}, not {value!r}"
            raise OptionError(msg)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Switch(Option):
    """Yes or no."""

    def fits(self, value: object) -> bool:
        """True if it is yes or no."""
        return isinstance(value, bool)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Text(Option):
    """Any text."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pair(Option):
    """Two different whole numbers from ``low`` to ``high``; ``titles``: of each."""

    low: int
    high: int
    titles: tuple[str, str]

    def check(self, value: tuple[int, int]) -> None:
        """Raise unless both are in range, and different."""
        if value[0] == value[1]:
            raise OptionError(f"the two {self.noun}s are the same")
        one = Number(
            label="", noun=f"number of a {self.noun}", low=self.low, high=self.high
        )
        for number in value:
            one.check(number)

    def fits(self, value: object) -> bool:
        """True if it is two whole numbers."""
        return (
            isinstance(value, list | tuple)
            and len(value) == 2
            and all(type(item) is int and abs(item) < _TOO_LARGE for item in value)
        )

    def frozen(self, value: Any) -> Any:
        """The two as a tuple."""
        return tuple(value)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LayerPairs(Option):
    """Names of layers that correspond in two networks, or none; each is told once."""

    def fits(self, value: object) -> bool:
        """True if it is pairs of texts."""
        return value is None or (
            isinstance(value, list | tuple)
            and all(
                isinstance(item, list | tuple)
                and len(item) == 2
                and all(isinstance(name, str) for name in item)
                for item in value
            )
        )

    def frozen(self, value: Any) -> Any:
        """The pairs as tuples."""
        return None if value is None else tuple((a, b) for a, b in value)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Code(Number):
    """A code from 0 to 1, or none; a form takes the slider's.

    ``labels``: what the form's box says, by kind of figure.
    """

    low: float = 0.0
    high: float = 1.0
    unset: str = "none"
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Own(Generic[T]):
    """An option of one exhibit, named in `Exhibit.own`."""

    name: str
    """In records; no option of another exhibit has it."""
    default: T
    """Its usual value, text or a number."""
    option: Option
    """What can be set."""

    def of(self, options: FigureOptions) -> T:
        """Its value in a figure's options."""
        value: T = options.value(self.name)
        return value


_OWN: dict[str, Own[Any]] = {}


def declare_own(own: Own[Any]) -> None:
    """Make an exhibit's own option one that can be set.

    Raises
    ------
    ValueError
        There is one of that name.
    """
    if own.name in _OPTIONS:
        raise ValueError(f"two options of figures are called {own.name!r}")
    _OWN[own.name] = own
    _OPTIONS[own.name] = replace(own.option, is_look=False)


def declared(default: Any, option: Option) -> Any:
    """A field of `FigureOptions` with its declaration."""
    return field(default=default, metadata={"option": option})


@dataclass(frozen=True, slots=True)
class FigureOptions:
    """A setting of a figure. Frozen; two equal ones give equal files.

    Attributes
    ----------
    labels, legend, scale_bar, panel_letters
        Whether to draw names of layers, axes and classes; class colours; colours of the
        weights; **a**, **b** …

    Raises
    ------
    OptionError
        A value is out of range.
    """

    # fmt: off
    width_mm: float = declared(WIDTHS["double"], Number(
        label="Width", title="Width of the figure",
        help="column width in mm, or "
        + ", ".join(f"{name} ({mm:g} mm)" for name, mm in WIDTHS.items()),
        noun="width", flag="width", metavar="MM", low=40.0, high=1000.0, unit=" mm",
        most=400.0, names=WIDTHS))
    height_mm: float | None = declared(None, Number(
        label="Height", title="Height of the figure",
        help="height in mm; default: as needed", noun="height", flag="height",
        metavar="MM", low=20.0, high=3000.0, unit=" mm", most=600.0, unset="as needed"))
    margin_mm: float | None = declared(None, Number(
        label="Border", title="Empty border",
        help="empty border; default: 0.4 of the font size", noun="margin",
        flag="margin", metavar="MM", low=0.0, high=250.0, unit=" mm", most=30.0,
        step=0.1, unset="narrow"))
    """Width of the column; height, None lets the content decide; empty border, None:
    0.4 of the font size, as journals set figures."""
    dpi: int = declared(300, Number(
        label="Resolution", title="Resolution of PNG files",
        help="pixels per inch of PNG files", noun="resolution", low=72, high=1200,
        unit=" dpi", whole=True))
    """Pixels per inch of PNG files. Kernels are laid out on this raster in every
    format, so that each tap is a whole number of pixels."""
    font_family: str = declared("sans-serif", Choice(
        label="Font", title="Font family",
        help="sans-serif, serif, or an installed family", flag="font", metavar="FAMILY",
        choices={
            "sans-serif": "Sans serif", "serif": "Serif", "monospace": "Monospace"},
        open=True))
    font_size: float = declared(7.0, Number(
        label="Font size", help="size of the labels in points", noun="font size",
        metavar="PT", low=4.0, high=40.0, unit=" pt", most=24.0, step=0.5))
    """``sans-serif``, ``serif``, ``monospace`` or the name of an installed family; size
    of the labels in points, the rest follows."""
    labels: bool = declared(True, Switch(
        label="Labels", help="names of layers, axes, classes"))
    title: str = declared("", Text(
        label="Title", title="Title above the figure", is_look=False, drawn_only=True))
    """Text above the figure; empty: none."""
    legend: bool = declared(True, Switch(label="Legend", help="the colours of classes"))
    class_marks: ClassMarks = declared("colours", Choice(
        label="Classes", title="What tells the classes apart",
        noun="telling of classes",
        choices={"colours": "by colours", "letters": "by letters too"}))
    """What tells the classes apart in bars, areas, points and along the code, and in
    their legend; with ``letters`` a print in grey can be read."""
    scale_bar: bool = declared(True, Switch(
        label="Scale of weights", help="the colours of weights"))
    panel_letters: bool = declared(False, Switch(
        label="Panel letters", help="a letter for each panel", flag="letters"))
    colormap: str = declared("signed", Choice(
        label="Colours", title="Colours of the weights",
        help=f"such as {', '.join(COLORMAPS)}", metavar="NAME", choices=COLORMAPS,
        open=True))
    """``signed`` (blue – paper – red) or one of `kernelviewer.figures.colours`."""
    scale: Scale = declared("kernel", Choice(
        label="Scaled to", title="What shares a scale of colours",
        noun="scale of weights", choices={
            "kernel": "each kernel", "layer": "each layer", "figure": "all together"}))
    """What shares one scale of colours: each ``kernel``, each ``layer``, all."""
    mean: Mean = declared("auto", Choice(
        label="Mean", title="Whether kernels are drawn with their mean",
        help="draw kernels with or without their mean; default: without it where "
        "they stand with their classes", noun="mean of kernels", is_look=False,
        drawn_only=True, choices={
            "auto": "without, if by class", "with": "with mean",
            "without": "without mean"}))
    """Whether kernels are drawn with their mean; ``auto``: without it where they stand
    with their classes, which are given whatever the mean is."""
    samples: int | None = declared(None, Number(
        label="Samples", title="Kernels in a row", noun="number of samples",
        metavar="N", is_look=False, drawn_only=True, low=1, high=1000, unit=" in a row",
        unset="as many as fit", whole=True))
    """Kernels in a row of random samples; None: as many as have a good size."""
    keys: int | None = declared(None, Number(
        label="Keys", title="Number of keys that are sought for the networks",
        help="keys to seek for the networks (default: the 8 published ones at 7x7, "
        "else 8)", noun="number of keys", metavar="N", is_look=False, low=1, high=64,
        unset="published", whole=True))
    """How many keys are sought for the networks; None: the published ones, or 8 where
    the size has none."""
    key_set: str = declared("", Text(
        label="Set of keys",
        title="Which keys: published, shipped, centroids, or a CSV file",
        help="published, shipped (the best that come with the program), centroids, "
        "or a CSV file (default: the published ones at 7x7, else found ones)",
        noun="set of keys", metavar="SET", is_look=False))
    """``published``, ``shipped``, ``centroids`` or a CSV file, not keys sought; of
    shipped ones and centroids as many as ``keys`` says."""
    group: Group = declared("layer", Choice(
        label="Grouped by", title="How kernels are grouped",
        help="how a sheet's kernels are grouped", noun="group", is_look=False,
        choices={
            "layer": "layer", "network": "network", "class": "class",
            "code": "stretch of the spectrum", "fit": "fit", "none": "nothing"}))
    sort: Sort = declared("channel", Choice(
        label="Sorted by", title="Order within a group", help="their order in a group",
        noun="order", is_look=False, choices={
            "channel": "layer and channel", "scale": "scale, largest first",
            "flat": "flat ones first", "class": "class", "code": "code",
            "fit": "fit, best first"}))
    """How a sheet's kernels are grouped (``code``: by stretch of the spectrum), and in
    which order they stand in a group."""
    components: tuple[int, int] = declared((1, 2), Pair(
        label="Components", help="principal components across and up (default: 1,2)",
        noun="principal component", metavar="A,B", is_look=False, low=1, high=9,
        titles=("Principal component across", "Principal component upwards")))
    """Principal components across and up, counted from 1."""
    colour: Colour = declared("class", Choice(
        label="Points by", title="What the points' colours tell",
        help="what a point's colour tells", noun="colour of points", is_look=False,
        drawn_only=True, choices={
            "class": "class", "layer": "layer", "network": "network", "fit": "fit"}))
    """What the colour of a point of a scatter tells."""
    match: Match = declared("names", Choice(
        label="Pairs by", title="Which kernels of two networks correspond",
        noun="match", is_look=False, choices={
            "names": "layer name and channel", "order": "order and shape of layers",
            "best": "best match within a layer"}))
    """Which kernels of two networks correspond, as `kernelviewer.kernels.pairing.pair`
    takes it."""
    pairing: tuple[tuple[str, str], ...] | None = declared(None, LayerPairs(
        label="Layers as paired by hand",
        help="these layers correspond, and no others do; may be given several "
        "times (default: as --match finds)", noun="pair of layers", flag="pair",
        metavar="BEFORE=AFTER", is_look=False))
    """Names of the layers that correspond, before and after, and no others do; None:
    found by ``match``."""
    time: Time = declared("auto", Choice(
        label="Steps", title="How the steps of a run are spaced",
        noun="spacing of steps", is_look=False, drawn_only=True, choices={
            "auto": "as they lie", "even": "each alike", "step": "by their numbers",
            "log": "logarithmically"}))
    """How the steps of a run are spaced: ``even`` (each alike), ``step`` (by their
    numbers), ``log``; ``auto``: by their numbers, where these are uneven ``log``."""
    seed: int = declared(0, Number(
        label="Seed", title="Seed of what is drawn at random",
        help="of what is drawn at random", noun="seed", is_look=False, low=0,
        high=2**32 - 1, most=2**31 - 1, whole=True))
    """Seed of what is drawn at random."""
    mark: float | None = declared(None, Code(
        label="Mark",
        help="a code from 0 to 1: marked in a spectrum, decoded in a kernel's "
        "figure", noun="marked code", metavar="CODE", is_look=False, labels={
            "kernel": "Decode the slider's code",
            "spectrum": "Mark the slider's code"}))
    """A code, 0 … 1: marked in a spectrum, decoded in a figure of one kernel."""
    dark: bool = declared(False, Switch(label="Dark ground"))
    """Light ink on dark ground."""
    own: tuple[tuple[str, Any], ...] = ()
    """(name, value) of exhibits' own options that are not as usual, by name."""
    # fmt: on

    def __post_init__(self) -> None:
        for name, option in OPTIONS.items():
            option.check(self.value(name))
        if self.margin_mm is not None and self.margin_mm > self.width_mm / 4:
            raise OptionError(
                f"the margin is at most a quarter of the width, "
                f"{self.width_mm / 4:g} mm, not {self.margin_mm:g}"
            )

    def value(self, name: str) -> Any:
        """An option's value, by its name in `OPTIONS`."""
        if name in _OWN:
            return dict(self.own).get(name, _OWN[name].default)
        return getattr(self, name)

    def with_values(self, values: Mapping[str, Any]) -> FigureOptions:
        """These options with other values, by their names in `OPTIONS`."""
        fixed = {name: value for name, value in values.items() if name not in _OWN}
        own = {
            name: values[name] if name in values else self.value(name) for name in _OWN
        }
        told = (item for item in own.items() if item[1] != _OWN[item[0]].default)
        return replace(self, **fixed, own=tuple(sorted(told)))

    @property
    def content_key(self) -> tuple[object, ...]:
        """The options that decide which data are drawn; the rest is looks."""
        return tuple(
            self.value(name)
            for name, option in OPTIONS.items()
            if not (option.is_look or option.drawn_only)
        )

    def look(self) -> FigureOptions:
        """Only how it looks; what is shown is as usual."""
        return self.with_values(_shown(FigureOptions()))

    def with_look(self, look: FigureOptions) -> FigureOptions:
        """These options in the looks of another."""
        return look.with_values(_shown(self))

    def to_json(self) -> dict[str, Any]:
        """The values that differ from the defaults, JSON-like."""
        usual = FigureOptions()
        return {
            name: value
            for name in OPTIONS
            if (value := self.value(name)) != usual.value(name)
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FigureOptions:
        """Options from `to_json`; names of other versions are left out.

        Raises
        ------
        FigureError
            A value is of the wrong type or out of range.
        """
        given = {name: values[name] for name in OPTIONS if name in values}
        if not all(OPTIONS[name].fits(value) for name, value in given.items()):
            msg = "the options of this figure have values of the wrong type"
            raise FigureError(msg)
        given = {name: OPTIONS[name].frozen(value) for name, value in given.items()}
        try:
            return cls().with_values(given)
        except OptionError as error:  # the file's, not the user's
            raise FigureError(error.problem, error.hint) from None


_OPTIONS: dict[str, Option] = {
    item.name: item.metadata["option"]
    for item in fields(FigureOptions)
    if item.metadata
}
OPTIONS: Mapping[str, Option] = MappingProxyType(_OPTIONS)
"""Name → declaration, in the order of forms: the fields, then the exhibits' own."""


def _shown(options: FigureOptions) -> dict[str, Any]:
    """The options that say what is shown."""
    names = (name for name, option in OPTIONS.items() if not option.is_look)
    return {name: options.value(name) for name in names}


_DEFAULT = FigureOptions()
_NATURE = replace(_DEFAULT, font_size=7.0, dpi=450, panel_letters=True)
"""As Nature's guide to figures for final submission asks.

Widths of 89 and 183 mm, texts of 5 to 7 pt in Arial or Helvetica, panel letters of
8 pt, bold and lower case, lines of 0.25 to 1 pt, RGB, 450 pixels per inch for what is
not vectors, text that can be edited. A page is 247 mm high; exhibits keep to 170 mm
where they can, for the caption below.
"""
PRESETS: Mapping[str, FigureOptions] = MappingProxyType(
    {
        "Nature": replace(_NATURE, width_mm=WIDTHS["double"]),
        "Nature single": replace(_NATURE, width_mm=WIDTHS["single"]),
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
