"""The pattern classes in one table: ids, names, colours; what kernels are named by.

`CLASSES` is what ships; a user may call a class otherwise, and `class_shown` is what
people are to read then. Ids are never another.

Two schemes choose from the table. `PAPER` has the eleven classes of Babaiee et al.,
*Unveiling the Unseen* (ICLR 2024), section 4; the learned codes are named by them.
`FINE` has what people see: a base (point, centre, disc, cross, ring, bar, edge, saddle,
checker) with sign and direction. Six classes are of both; each other fine class belongs
to one of the paper's. The order is the legend's order, of either.

The colours began as Paul Tol's "muted" scheme with a brown added; they were moved apart
until within a scheme no two (nor *unidentified*) are nearer than 11 in CIEDE2000 to
normal eyes, nor than 8 to deuteranope and protanope ones. None but *unidentified* and
*flat* is a grey.

A `Naming` says what names kernels, the code of an autoencoder or the pattern family,
and by which scheme.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from kernelviewer.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class PatternClass:
    """One class of kernels."""

    id: str
    """What CSV, JSON and SVG carry."""
    name: str
    short: str
    """What people read, and the same for narrow places."""
    light: str
    dark: str
    """Its colour on light and on dark ground, ``#RRGGBB``."""
    paper: str = ""
    """Id of the class of the paper that it belongs to; empty: it is one itself. A
    diagonal edge or bar belongs to that of the nearest axis, a tie to x: this is where
    one goes whose angle isn't known."""

    @property
    def mark(self) -> str:
        """Two letters that tell it without its colour; + is on, − is off."""
        return _MARKS[self.id]


# fmt: off
PATTERNS: tuple[PatternClass, ...] = tuple(PatternClass(*words) for words in (
    ("on-point", "On-point", "On-point", "#60211C", "#BC005F", "on-centre"),
    ("off-point", "Off-point", "Off-point", "#0100C0", "#0A4FFA", "off-centre"),
    ("on-centre", "On-centre", "On-centre", "#C76274", "#EB8B9C"),
    ("off-centre", "Off-centre", "Off-centre", "#5148B8", "#9475FF"),
    ("on-square", "On-square (beside the middle)", "On-square", "#EAD77A", "#F0E692"),
    ("off-square", "Off-square (beside the middle)", "Off-square", "#92D7FD",
        "#A3E4FF"),
    ("on-disc", "On-disc", "On-disc", "#C4A6C1", "#FEE6C7", "on-centre"),
    ("off-disc", "Off-disc", "Off-disc", "#5775E8", "#94C1FF", "off-centre"),
    ("on-cross", "On-cross", "On-cross", "#522A50", "#B95989"),
    ("off-cross", "Off-cross", "Off-cross", "#189F89", "#A5FAEF"),
    ("on-ring", "On-ring", "On-ring", "#FFAE05", "#C05E11", "off-centre"),
    ("off-ring", "Off-ring", "Off-ring", "#2577AB", "#3280B4", "on-centre"),
    ("edge-x", "Edge ∂x (left–right)", "Edge ∂x", "#18783A", "#38A074", "d1-x"),
    ("edge-y", "Edge ∂y (top–bottom)", "Edge ∂y", "#949618", "#BFC317", "d1-y"),
    ("edge-d", "Edge, diagonal", "Edge diag.", "#34B96B", "#86AD5C", "d1-x"),
    ("on-bar-v", "On-bar ∂²x (vertical)", "On-bar vert.", "#AA2F7D", "#AA1D8A", "d2-x"),
    ("off-bar-v", "Off-bar ∂²x (vertical)", "Off-bar vert.", "#BC80B5", "#BF8DB8",
        "d2-x"),
    ("on-bar-h", "On-bar ∂²y (horizontal)", "On-bar hor.", "#664300", "#CA8E14",
        "d2-y"),
    ("off-bar-h", "Off-bar ∂²y (horizontal)", "Off-bar hor.", "#FABEA4", "#EEB498",
        "d2-y"),
    ("on-bar-d", "On-bar, diagonal", "On-bar diag.", "#660076", "#863CC4", "d2-x"),
    ("off-bar-d", "Off-bar, diagonal", "Off-bar diag.", "#BB97FF", "#8F9AEA", "d2-x"),
    ("saddle", "Saddle ∂²xy", "Saddle", "#403239", "#E6BBC5", "d2-xy"),
    ("checker", "Checker", "Checker", "#48634C", "#715F34", "unidentified"),
    ("d1-x", "First derivative ∂x", "∂x", "#18783A", "#38A074"),
    ("d1-y", "First derivative ∂y", "∂y", "#949618", "#BFC317"),
    ("d2-x", "Second derivative ∂²x", "∂²x", "#A74C8F", "#CF7DC6"),
    ("d2-y", "Second derivative ∂²y", "∂²y", "#8B4A00", "#C38342"),
    ("d2-xy", "Mixed derivative ∂²xy", "∂²xy", "#9087F9", "#FFE208"),
))
# fmt: on
"""The fine classes, and then those that only the paper has."""
UNIDENTIFIED = PatternClass(
    "unidentified", "Unidentified", "Unidentified", "#C9C9C4", "#55575B"
)
FLAT = PatternClass("flat", "Flat", "Flat", "#C9C9C4", "#55575B")


CLASSES = (*PATTERNS, UNIDENTIFIED, FLAT)
"""All classes, once each: the fine ones, the rest of the paper's, the nameless."""
INDEX = {item.id: index for index, item in enumerate(CLASSES)}
"""Class id → index into `CLASSES`."""
_MARKS = dict(
    zip(
        INDEX,
        (
            *("P+", "P−", "C+", "C−", "S+", "S−", "D+", "D−", "X+", "X−", "R+", "R−"),
            *("Ex", "Ey", "Ed", "V+", "V−", "H+", "H−", "B+", "B−", "Sa", "Ch"),
            *("∂x", "∂y", "xx", "yy", "xy", "?", "0"),
        ),
        strict=True,
    )
)
"""Class id → its letters; bars are vertical, horizontal, or neither."""


def luminance(colour: str) -> float:
    """Relative luminance of ``#RRGGBB`` as WCAG 2.2 defines it, 0 to 1."""
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ink_on(colour: str) -> str:
    """Black or white, whichever stands out more from ``#RRGGBB``."""
    return "#000000" if luminance(colour) > 0.179 else "#FFFFFF"


NAMELESS = (INDEX[UNIDENTIFIED.id], INDEX[FLAT.id])


COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
"""What a colour looks like in files."""


@dataclass(frozen=True, slots=True)
class OwnName:
    """What a user calls something, and its colour ``#RRGGBB``; empty: as usual."""

    name: str = ""
    colour: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.colour)


def own_to_json(own: Mapping[str, OwnName]) -> dict[str, dict[str, str]]:
    """Own names as plain values, for files."""
    return {
        key: {"name": item.name, "colour": item.colour} for key, item in own.items()
    }


def own_from_json(values: object) -> dict[str, OwnName]:
    """Own names from what `own_to_json` made.

    Raises
    ------
    ValueError
        The values are something else.
    """
    if not isinstance(values, dict) or not all(
        isinstance(own, dict) and {*map(type, own.values())} <= {str}
        for own in values.values()
    ):
        raise ValueError("own names are no table of texts")
    found = {
        key: OwnName(printable(own.get("name", "")), own.get("colour", ""))
        for key, own in values.items()
    }
    for key, own in found.items():
        if INDEX.get(key, NAMELESS[0]) in NAMELESS:
            raise ValueError(f"there is no class {key[:40]!r}")
        if own.colour and not COLOUR.fullmatch(own.colour):
            raise ValueError("a colour is not like #1A2B3C")
    return found


SHORT = 18
"""Letters of an own name in narrow places."""
_SHOWN: ContextVar[tuple[PatternClass, ...]] = ContextVar("classes", default=CLASSES)


def class_shown(index: int) -> PatternClass:
    """A class, by its index into `CLASSES`, with the user's name and colour for it."""
    return _SHOWN.get()[index]


def classes_shown() -> tuple[PatternClass, ...]:
    """All classes in the order of `CLASSES`, as `class_shown`."""
    return _SHOWN.get()


def show_classes(own: Mapping[str, OwnName]) -> None:
    """Let `class_shown` have a user's names, by class id, in this thread from now on.

    An own colour is that on light and on dark ground. What has no pattern keeps its
    name.
    """
    _SHOWN.set(_with_own(own))


@contextmanager
def showing_classes(own: Mapping[str, OwnName]) -> Iterator[None]:
    """The same for as long as the block lasts."""
    before = _SHOWN.set(_with_own(own))
    try:
        yield
    finally:
        _SHOWN.reset(before)


def _short(name: str) -> str:
    """A name for narrow places."""
    return name if len(name) <= SHORT else f"{name[: SHORT - 1].rstrip()}…"


def _with_own(own: Mapping[str, OwnName]) -> tuple[PatternClass, ...]:
    if not own:
        return CLASSES
    return tuple(
        item
        if index in NAMELESS or not (mine := own.get(item.id))
        else replace(
            item,
            name=mine.name or item.name,
            short=_short(mine.name) or item.short,
            light=mine.colour or item.light,
            dark=mine.colour or item.dark,
        )
        for index, item in enumerate(CLASSES)
    )


@dataclass(frozen=True, eq=False)
class Scheme:
    """Classes to name kernels by."""

    id: str
    name: str
    """What files carry, and what people read."""
    patterns: tuple[PatternClass, ...]
    """The pattern classes, in the order of `CLASSES`."""
    whole: bool
    """Whether a list of kernels by class has a row for classes without kernels too."""

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """Indices into `CLASSES`: of the patterns, *unidentified* and *flat*."""
        return (*(INDEX[item.id] for item in self.patterns), *NAMELESS)

    def listed(self, occurring: Iterable[int] = ()) -> tuple[int, ...]:
        """The classes that a list has, rising indices into `CLASSES`.

        ``occurring`` are those that kernels have; of another scheme they are listed
        too. *Unidentified* always is.
        """
        usual = self.rows if self.whole else NAMELESS[:1]
        return tuple(sorted({*usual, *map(int, occurring)}))

    def counts(self, by_class: Sequence[int]) -> dict[str, int]:
        """Kernels of the scheme's classes, and of others that occur, by id.

        ``by_class`` is in the order of `CLASSES`.
        """
        return {
            item.id: int(count)
            for number, (item, count) in enumerate(zip(CLASSES, by_class, strict=True))
            if number in self.rows or count
        }


FINE = Scheme("fine", "Fine classes", PATTERNS[:23], whole=False)
PAPER = Scheme(
    "paper",
    "The paper's classes",
    tuple(item for item in PATTERNS if not item.paper),
    whole=True,
)
SCHEMES = {scheme.id: scheme for scheme in (FINE, PAPER)}
PAPER_OF: tuple[int, ...] = tuple(INDEX[item.paper or item.id] for item in CLASSES)
"""Index into `CLASSES` → index of the class of the paper that it belongs to."""

NETWORK_COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800"),
    "#8A8A8A",
)
"""Okabe and Ito's colours for colour-blind readers; from the eighth network on grey."""


By = Literal["code", "family"]
Words = Literal["fine", "paper"]

WAYS: dict[By, str] = {"code": "code", "family": "family"}
"""What names kernels → what people call it."""
WORDS: tuple[Words, ...] = ("fine", "paper")


@dataclass(frozen=True, slots=True)
class Naming:
    """How kernels get their names."""

    by: By = "family"
    """``code``: by the stretch of the spectrum that a kernel's code falls in, as in the
    paper; ``family``: by the kernel's own nearest member of the pattern family. Kernels
    of a size without an autoencoder have no code; the family names them."""
    words: Words = "fine"
    """Whose classes the family names them by: ``fine``, those that people see, or
    ``paper``, the eleven of Babaiee et al. Stretches have the paper's in any case."""

    def scheme(self, by: By | None) -> Scheme:
        """The classes of kernels that are named by the code or by the family."""
        return FINE if by == "family" and self.words == "fine" else PAPER
