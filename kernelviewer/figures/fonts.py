"""Fonts: what is installed, how wide texts are; matplotlib's settings for a figure."""

from __future__ import annotations

import sys
import threading
import unicodedata
import warnings
from contextlib import contextmanager, nullcontext
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from kernelviewer.files import resource
from kernelviewer.importing import imported_later, there_to_stay
from kernelviewer.kernels.equality import elided

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from matplotlib.ft2font import FT2Font

    from kernelviewer.figures.options import FigureOptions

POINT = 25.4 / 72
"""A typographic point in mm."""
LINE = 1.25
"""Distance of two lines in units of the font size."""

FALLBACKS: dict[str, tuple[str, ...]] = {
    "sans-serif": ("Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"),
    "serif": (
        *("Times New Roman", "Times", "Liberation Serif", "STIXGeneral"),
        "DejaVu Serif",
    ),
    "monospace": ("Courier New", "Liberation Mono", "DejaVu Sans Mono"),
}
"""Families named in SVG files, best first; the last one ships with matplotlib.

Liberation Sans, as wide as Arial and Helvetica, ships with the program.
"""
_UNLIKE = frozenset(("STIXGeneral", *(families[-1] for families in FALLBACKS.values())))
"""Those whose letters are not as wide as the usual families'."""
_LAST_RESORT = "Last Resort"


class Face:
    """A family at a size, with the fallbacks that cover what has to be written.

    Parameters
    ----------
    family
        A key of `FALLBACKS` or the name of an installed family.
    size
        Size in points of ordinary labels.
    margin
        Empty border in mm; None: 0.4 of the size, as journals set figures.
    """

    def __init__(self, family: str, size: float, margin: float | None = None) -> None:
        self.size = size
        self.margin = 0.4 * self.em if margin is None else margin
        self.generic = family if family in FALLBACKS else "sans-serif"
        wanted = () if family in FALLBACKS else (family,)
        known = installed()
        found = [name for name in (*wanted, *FALLBACKS[self.generic]) if name in known]
        self._families = [*found[:1], *found[-1:]] if len(found) > 1 else found
        self.missing = wanted if wanted and wanted[0] not in known else ()
        self.stand_in = found[0] if found and found[0] in _UNLIKE else ""
        self.escaped: set[str] = set()
        self._known: dict[str, str] = {}

    @classmethod
    def of(cls, options: FigureOptions) -> Face:
        """The font that the options ask for."""
        return cls(options.font_family, options.font_size, options.margin_mm)

    @property
    def em(self) -> float:
        """The font size in mm: the measure of every gap."""
        return self.size * POINT

    @property
    def hairline(self) -> float:
        """Width of lines in points."""
        return max(0.5, 0.07 * self.size)

    def families(self) -> list[str]:
        """Families to write with, the generic one at the end."""
        return [*self._families, self.generic]

    def readable(self, text: str) -> str:
        """The text with every sign that no installed font covers escaped.

        Control characters are escaped as well. What was escaped is kept in
        ``escaped``.
        """
        if text.isascii() and text.isprintable():
            return text
        known = self._known
        signs = unicodedata.normalize("NFC", text)
        for sign in set(signs) - known.keys():
            known[sign] = self._sign(sign)
        return "".join([known[sign] for sign in signs])

    def width(
        self, text: str, size: float | None = None, weight: str = "normal"
    ) -> float:
        """Width of a text in mm, at ``size`` points.

        The sum of its signs' advances: as wide as what is drawn, or a little wider
        where signs are moved together.
        """
        readable = self.readable(text)
        families = tuple(self.families())
        advances = sum(_advance(sign, families, weight) for sign in readable)
        return advances * (size or self.size) * POINT

    def line(self, size: float | None = None) -> float:
        """Height of a line in mm."""
        return (size or self.size) * LINE * POINT

    def elide(
        self, text: str, width: float, size: float | None = None, weight: str = "normal"
    ) -> str:
        """The text shortened in its middle to ``width`` mm; empty if nothing fits."""
        if self.width(text, size, weight) <= width:
            return text
        low, high = 0, len(text) - 1
        while low < high:  # the longest that fits
            middle = (low + high + 1) // 2
            if self.width(_elided(text, middle), size, weight) <= width:
                low = middle
            else:
                high = middle - 1
        return _elided(text, low) if low else ""

    def elide_apart(self, names: Sequence[str], width: float) -> list[str]:
        """Names shortened to ``width`` mm.

        Of those that would be alike what they have in common goes first.
        """
        short = [self.elide(name, width) for name in names]
        for text in {text for text in short if short.count(text) > 1}:
            places = [place for place, own in enumerate(short) if own == text]
            for place, name in zip(
                places, elided([names[place] for place in places]), strict=True
            ):
                short[place] = self.elide(name, width)
        return short

    def first_fitting(
        self,
        texts: Sequence[str],
        width: float,
        size: float | None = None,
        weight: str = "normal",
    ) -> str:
        """The first of the texts, longest first, that fits; else the last, elided."""
        for text in texts:
            if self.width(text, size, weight) <= width:
                return text
        return self.elide(texts[-1], width, size, weight)

    def wrap(
        self, text: str, width: float, size: float | None = None, weight: str = "normal"
    ) -> list[str]:
        """The text in lines of at most ``width`` mm, broken between words."""
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(longer, size, weight) <= width:
                lines[-1] = longer
            else:
                lines.append(self.elide(word, width, size, weight))
        return lines

    def _sign(self, sign: str) -> str:
        if sign.isprintable() or unicodedata.category(sign) == "Zs":
            if any(ord(sign) in _cover(name) for name in self._families):
                return sign
            if family := _covering(sign):
                self._families.append(family)
                return sign
        self.escaped.add(sign)
        code = ord(sign)
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def installed() -> frozenset[str]:
    """Names of the installed families."""
    return frozenset(_files())


def _elided(text: str, kept: int) -> str:
    """``kept`` characters of the text, more of its end: names differ there."""
    head = kept * 2 // 5
    return f"{text[:head]}…{text[len(text) - (kept - head) :]}"


@cache
def _files() -> dict[str, str]:
    """Installed family → a file of it, upright and regular if there is one."""
    from matplotlib.font_manager import fontManager

    listed = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(resource("fonts").glob("*.ttf")):
        if str(path) not in listed:
            fontManager.addfont(path)
    files: dict[str, tuple[int, str]] = {}
    for entry in fontManager.ttflist:
        if entry.name.startswith(_LAST_RESORT):
            continue
        rank = (entry.style != "normal") + (str(entry.weight) not in ("400", "normal"))
        best = files.get(entry.name)
        if best is None or (rank, entry.fname) < best:
            files[entry.name] = (rank, entry.fname)
    return {name: path for name, (_, path) in sorted(files.items())}


@cache
def _cover(family: str) -> frozenset[int]:
    """Code points a family has glyphs for."""
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(_files()[family]).get_charmap())
    except (OSError, RuntimeError, KeyError):
        return frozenset()  # a colour font, or one removed since


@lru_cache(4096)
def _covering(sign: str) -> str:
    """The first installed family that has the sign; empty if none."""
    return next((name for name in _files() if ord(sign) in _cover(name)), "")


@lru_cache(65536)
def _advance(sign: str, families: tuple[str, ...], weight: str) -> float:
    """How far a sign moves the next one, in units of the font size."""
    return _extent(f"x{sign}x", families, weight) - _extent("xx", families, weight)


@lru_cache(65536)
def _extent(text: str, families: tuple[str, ...], weight: str) -> float:
    """Width of a text's box in units of the font size."""
    from matplotlib.ft2font import LoadFlags

    font = _font(families, weight)
    font.set_size(_MEASURED, 72)  # others use it at other sizes
    font.set_text(text, flags=LoadFlags.NO_HINTING)
    width: int = font.get_width_height()[0]
    return width / 64 / _MEASURED


_MEASURED = 100.0
"""The size in points at which texts are measured."""


@cache
def _font(families: tuple[str, ...], weight: str) -> FT2Font:
    """What draws texts: the first family, and those that stand in for it."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    names = [FontProperties(family=family, weight=weight) for family in families]
    return get_font([findfont(name) for name in names])


_LOCK = threading.RLock()
_SPACE = "mpl_toolkits.mplot3d"
_LATER = ("fontTools.agl", "dateutil.parser", "PIL.ExifTags")
"""Modules of what matplotlib needs for TeX, for dates and to read photographs."""
_KEPT = ("backend", "interactive")
"""Settings of the user's that have no effect on a file."""


@cache
def load_matplotlib(*, documented: bool = True) -> ModuleType:
    """matplotlib, with what every figure needs of it.

    Parameters
    ----------
    documented
        Whether it writes the tables of properties into its docstrings, and brings the
        3-d axes, as anyone who works with it in Python wants. It does so while it is
        imported, in a quarter of that time, and nobody needs them in a process of a
        command.
    """
    with there_to_stay(), nullcontext() if documented else _bare():
        import matplotlib.figure
    return matplotlib


@contextmanager
def _bare() -> Iterator[None]:
    """Have matplotlib list no properties for people meanwhile.

    Neither `matplotlib.artist.kwdoc` nor what gives ``set`` of each artist its
    signature and docstring is used for anything else. In a version without them
    nothing changes. What is in `_LATER` is imported when it is used, and the 3-d axes
    cannot be imported meanwhile, which matplotlib takes for their absence.
    """
    from matplotlib import artist

    def plain(cls: type[artist.Artist]) -> None:
        cls.set.__doc__ = artist.Artist.set.__doc__
        cls.set._autogenerated_signature = True  # type: ignore[attr-defined]

    quiet: tuple[tuple[Any, str, Any], ...] = (
        (artist, "kwdoc", lambda _artist: ""),
        (artist.Artist, "_update_set_signature_and_docstring", classmethod(plain)),
    )
    quiet = tuple(item for item in quiet if item[1] in vars(item[0]))
    usual = [(of, name, vars(of)[name]) for of, name, _ in quiet]
    for of, name, brief in quiet:
        setattr(of, name, brief)
    absent = sys.modules.setdefault(_SPACE, None) is None  # type: ignore[arg-type]
    try:
        with imported_later(*_LATER), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Unable to import Axes3D")
            yield
    finally:
        for of, name, value in usual:
            setattr(of, name, value)
        if absent:
            del sys.modules[_SPACE]


@contextmanager
def figure_style() -> Iterator[None]:
    """Defaults of matplotlib with text as text and files that repeat byte for byte.

    The settings are global to the process: one thread at a time, and what the user's
    own settings were comes back at the end.
    """
    mpl = load_matplotlib()
    ours = {
        "svg.fonttype": "none",
        "svg.hashsalt": "kernelviewer",
        "pdf.fonttype": 42,
        "image.composite_image": False,  # joined images would be resampled
        "path.simplify": False,
        "text.hinting": "none",  # else texts are wider on screens than on paper
        "axes.unicode_minus": True,
        "hatch.color": "#8C8C86",
        "hatch.linewidth": 0.5,
        "agg.path.chunksize": 20_000,
        **{f"font.{name}": list(families) for name, families in FALLBACKS.items()},
    }
    with _LOCK, mpl.rc_context():
        usual = mpl.rcParamsDefault
        # not all: each that is set is checked, and `rcdefaults` reads every style sheet
        changed = [key for key in usual if key not in _KEPT]
        changed = [key for key in changed if mpl.rcParams[key] != usual[key]]
        mpl.rcParams.update({key: usual[key] for key in changed} | ours)
        yield
