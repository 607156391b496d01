"""What a session file says, and its text: declared types, checked where it is read.

Every type here is a part of the file. What is wrong with one is told with its place,
such as ``$.networks[0].path``.
"""

from __future__ import annotations

import json
import math
import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from kernelviewer.formats.errors import HintedError
from kernelviewer.kernels.classes import COLOUR, By, Words
from kernelviewer.latent import LatentError
from kernelviewer.latent import stretches as editing
from kernelviewer.state.arrangement import Charts, Display, Mean
from kernelviewer.state.keys import MOST, KeysBy
from kernelviewer.state.model import Drawn
from kernelviewer.state.selection import Mode
from kernelviewer.state.session.places import (
    PATTERNS,
    ClassId,
    ComparingEntry,
    Entry,
    KernelEntry,
    Number,
    Places,
    QueryEntry,
    SizeKey,
    Text,
    ranges_from_text,
    size_of,
)
from kernelviewer.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT = "kernelviewer session"
VERSION = 1
_AGAIN = "Save it again, or take a copy of it that is whole."
_HASH = r"^([0-9a-f]{64})?\Z"

_COLOUR = rf"^({COLOUR.pattern})?\Z"
_TAG = r"^[1-9]\Z"

Colour = Annotated[str, Meta(pattern=_COLOUR)]
TagNumber = Annotated[str, Meta(pattern=_TAG)]
Hash = Annotated[str, Meta(pattern=_HASH)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Fit = Annotated[float, Meta(ge=-1, le=1)]
Code = Annotated[float, Meta(ge=0, le=1)]
T = TypeVar("T")


class SessionError(HintedError):
    """A fault of a session's text, and what can be done about it."""


class RunStep(Entry, frozen=True):
    """A step of a run: how far it was, and its file as in `NetworkEntry`."""

    number: int
    path: Text
    sha256: Hash
    bytes: Count

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("has no path")

    @property
    def key(self) -> str:
        """How the session names the file."""
        return self.path

    @property
    def name(self) -> str:
        """What people call it."""
        return self.path.rpartition("/")[2]


class RunEntry(Entry, frozen=True):
    """A run; it stands on the step whose file is that of the network."""

    name: Text
    unit: Literal["step", "epoch"]
    steps: tuple[RunStep, ...]


class CorpusEntry(Entry, frozen=True, omit_defaults=True):
    """`Drawn`: the corpus is at the network's path; ``like`` as in `SimilarEntry`."""

    name: Text
    network: Text = ""
    query: Text = ""
    most: Count = 0
    seed: int | None = None
    size: SizeKey | Literal[""] = ""
    like: Text = ""

    def __post_init__(self) -> None:
        try:
            taps = tuple(map(float, self.like.split()))
        except ValueError:
            raise ValueError("has a kernel that is no list of numbers") from None
        if taps and (not self.size or len(taps) != math.prod(size_of(self.size))):
            raise ValueError("has a kernel that is not of its size")
        if not all(map(math.isfinite, taps)):
            raise ValueError("has a kernel that is not finite")

    @classmethod
    def write(cls, drawn: Drawn) -> CorpusEntry:
        """It as the file says it."""
        like = " ".join(map(repr, drawn.like))
        plain = (drawn.network, drawn.query, drawn.most, drawn.seed, drawn.size)
        return cls(drawn.name, *plain, like)

    def read(self) -> Drawn:
        """It, of what the file says."""
        taps = tuple(map(float, self.like.split()))
        plain = (self.network, self.query, self.most, self.seed, self.size)
        return Drawn(self.name, *plain, taps)


class NetworkEntry(Entry, frozen=True, omit_defaults=True):
    """An open network, or a run."""

    sha256: Hash
    bytes: Count
    """Hash (empty: not known) and size of the file, with the parts that it names."""
    path: Text = ""
    """Its file: relative to the session's folder, with ``/``; absolute where there is
    no way from there, and in recovery files. Empty for networks of the hub."""
    copy: Text = ""
    include: tuple[Text, ...] = ()
    """Which copy of the network, and which undecided or fixed layers were taken in."""
    hub: Text = ""
    """The name by which it was fetched."""
    run: RunEntry | None = None
    """What it is a step of; None: of no run."""
    corpus: CorpusEntry | None = None
    """What it is of the corpus at the path, whose hash is that of the kernels; None: it
    is of none."""

    def __post_init__(self) -> None:
        if not self.path and not self.hub:
            raise ValueError("has no path")

    @property
    def key(self) -> str:
        """How the session names the file."""
        return f"hub {self.hub}" if self.hub else self.path

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.hub or self.path.rpartition("/")[2]


class CoderEntry(Entry, frozen=True, omit_defaults=True):
    """An autoencoder: its name if it comes with the program, else its file's path.

    One with neither is damaged: it is left out where the session is opened.
    """

    sha256: Hash
    shipped: Text = ""
    path: Text = ""

    @property
    def key(self) -> str:
        """How the session names the file; empty for what comes with the program."""
        return self.path

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.shipped or self.path.rpartition("/")[2]


class StretchEntry(Entry, frozen=True):
    """A stretch of the spectrum, as in the files of autoencoders."""

    low: float
    high: float
    class_id: str
    sign: Literal[-1, 0, 1]
    name: Text
    family_cosine: float | None
    colour: Colour = ""
    words: Literal["", "fine"] = ""


class OwnNameEntry(Entry, frozen=True, omit_defaults=True):
    """The user's name and colour for something."""

    name: Text = ""
    colour: Colour = ""


class TagEntry(Entry, frozen=True, omit_defaults=True):
    """A tag: name, colour, and who bears it, by size as `KernelsEntry.of`."""

    name: Text = ""
    colour: Colour = ""
    kernels: dict[SizeKey, dict[Number, str]] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        for of in self.kernels.values():
            for written in of.values():
                ranges_from_text(written)


class NamesEntry(Entry, frozen=True, omit_defaults=True):
    """`OwnNames`: networks by number, classes by id."""

    networks: dict[Number, Text] = msgspec.field(default_factory=dict)
    classes: dict[ClassId, OwnNameEntry] = msgspec.field(default_factory=dict)


class StepEntry(Entry, frozen=True):
    """One act of selecting."""

    mode: Mode
    query: QueryEntry


class ScopeEntry(Entry, frozen=True):
    """The scope; ``layers`` by network number, None: all of them."""

    layers: dict[Number, tuple[Text, ...]] | None = None
    size: SizeKey | None = None
    only_selected: bool = False


class NamingEntry(Entry, frozen=True, omit_defaults=True):
    """How kernels get their names; the defaults are what once was the only way."""

    by: By = "code"
    words: Words = "paper"


class KeysEntry(Entry, frozen=True, omit_defaults=True):
    """The keys in use, as in `kernelviewer.state.keys.KeyChoice`.

    Path and hash of their file are written as those of a network; sessions once had no
    hash of it. Without a path they are damaged, and left out where the session is
    opened.
    """

    by: KeysBy = "published"
    count: Annotated[int, Meta(ge=1, le=MOST)] = 8
    path: Text = ""
    sha256: Hash = ""

    @property
    def key(self) -> str:
        """How the session names the file; empty where there is none."""
        return self.path if self.by == "file" else ""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.path.rpartition("/")[2]


class Look(Entry, frozen=True):
    """How the window shows the work. ``layout`` is base64 of Qt's own bytes."""

    colormap: Text = "signed"
    framed: bool = False
    layout: Text = ""


class Session(Entry, frozen=True, kw_only=True):
    """A session file's content; networks are numbered in opening order.

    What was added later has a default, and is written only where it is another.

    Attributes
    ----------
    thresholds, stretches, family_thresholds
        Those that were changed, by size; as in `kernelviewer.state.work.Marks`.
    naming, mean, keys
        By what kernels are named, whether they are drawn with their mean, and which
        keys stand for them.
    """

    networks: tuple[NetworkEntry, ...]
    """The file of each open network."""
    autoencoders: dict[SizeKey, CoderEntry]
    """Where those in use are from, by size."""
    thresholds: dict[SizeKey, Fit]
    stretches: dict[SizeKey, tuple[StretchEntry, ...]]
    selection: tuple[StepEntry, ...]
    scope: ScopeEntry
    focus: KernelEntry | None = None
    comparing: ComparingEntry | None = None
    """What is marked, shown, looked at and compared."""
    position: Code
    display: Display
    charts: Charts = msgspec.field(default_factory=Charts)
    """As in `Work`."""
    look: Look
    """How the window shows it."""
    program: Text
    saved: Text
    """Version of the program that wrote it, and when (ISO 8601, UTC)."""
    origin: Text = ""
    """In recovery files: the session that the work belongs to; else empty."""
    naming: NamingEntry = NamingEntry()
    keys: KeysEntry = KeysEntry()
    family_thresholds: dict[SizeKey, Fit] = msgspec.field(default_factory=dict)
    mean: Mean = "auto"
    names: NamesEntry = NamesEntry()
    tags: dict[TagNumber, TagEntry] = msgspec.field(default_factory=dict)
    """What the user calls things, and tags by number."""


class _Format(Struct):
    format: Any = ""


class _Version(Struct):
    version: Count


def to_text(session: Session) -> str:
    """The file's text; equal sessions give equal texts."""
    values = {"format": FORMAT, "version": VERSION, **msgspec.to_builtins(session)}
    # what came later is written where it is used, so that old files stay as they are
    for name in ("equal", "matrix", "plane", "health"):
        if getattr(session.charts, name) == getattr(Charts(), name):
            del values["charts"][name]
    if session.mean == "auto":
        del values["mean"]
    for name in (
        *("origin", "naming", "family_thresholds", "comparing", "names", "tags"),
        "keys",
    ):
        if not values[name]:
            del values[name]
    for own in values["stretches"].values():
        for stretch in own:
            for name in ("colour", "words"):
                if not stretch[name]:
                    del stretch[name]
    plain = json.dumps(
        values, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False
    )
    if not _is_utf8(plain):  # a file's name that is none
        plain = json.dumps(values, indent=1, sort_keys=True, allow_nan=False)
    return plain + "\n"


def from_text(source: str) -> Session:
    """The session that `to_text` wrote.

    Raises
    ------
    SessionError
        It is damaged, something else, or of a newer version.
    """
    values = _parse(source)
    if _read(values, _Format).format != FORMAT:
        raise SessionError("this is no session of kernelviewer")
    version = _read(values, _Version).version
    if version > VERSION:
        raise SessionError(
            f"the session was made by a newer kernelviewer (its format is {version}, "
            f"this program reads up to {VERSION})",
            "Open it with that version, or update this program.",
        )
    parts = {name: values[name] for name in values.keys() - {"format", "version"}}
    session = _read(parts, Session)
    _check(session)
    return session


def stretch_entries(stretches: editing.Stretches) -> tuple[StretchEntry, ...]:
    """The stretches of a size as the file says them."""
    return tuple(StretchEntry(**item) for item in editing.to_json(stretches))


def stretches_of(entries: tuple[StretchEntry, ...]) -> editing.Stretches:
    """The stretches of a size; raises LatentError if they are none."""
    return editing.from_json(msgspec.to_builtins(entries))


def _check(session: Session) -> None:
    """Read once, without any networks, what a type cannot say."""
    nowhere, scope = Places([None] * len(session.networks)), session.scope
    parts: list[tuple[str, Callable[[], object]]] = [
        *(
            (f"$.stretches.{size}", partial(stretches_of, own))
            for size, own in session.stretches.items()
        ),
        *(
            (f"$.selection[{number}].query", partial(step.query.read, nowhere))
            for number, step in enumerate(session.selection)
        ),
        ("$.scope.layers", partial(nowhere.layers, scope.layers or {})),
    ]
    if session.focus is not None:
        parts.append(("$.focus", partial(nowhere.kernel_at, session.focus)))
    parts.append(
        ("$.names.networks", partial(nowhere.named_networks, session.names.networks))
    )
    parts += [
        (f"$.tags.{number}.kernels.{size}", partial(nowhere.kernels, of, size_of(size)))
        for number, tag in session.tags.items()
        for size, of in tag.kernels.items()
    ]
    if session.comparing is not None:
        parts.append(("$.comparing", partial(nowhere.compared, session.comparing)))
    for where, read in parts:
        try:
            read()
        except ValueError as error:
            raise SessionError(f"the session is damaged: {where} {error}") from None
        except LatentError as error:
            problem = f"the session is damaged: {where}: {error.problem}"
            raise SessionError(problem, error.hint) from None


def _parse(source: str) -> Any:
    def finite(written: str) -> float:
        if abs(number := float(written)) < float("inf"):
            return number
        raise SessionError(f"the session is damaged: {written} is no finite number")

    try:
        return json.loads(source, parse_constant=finite, parse_float=finite)
    except json.JSONDecodeError as error:
        problem = f"the session is damaged: {error.msg} in line {error.lineno}"
        raise SessionError(problem, _AGAIN) from None
    except (RecursionError, ValueError):  # nested too deep, a number too long
        raise SessionError("the session is damaged", _AGAIN) from None


# --- what is wrong, in words ---

_TYPES = {
    "object": "a table",
    "array": "a list",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_WORDS = {
    **PATTERNS,
    _HASH: "a hash",
    _COLOUR: "a colour such as #1A2B3C",
    _TAG: "a number from 1 to 9",
}


def _read(values: Any, kind: type[T]) -> T:
    """Values of JSON as a type of the file; an error names the place."""
    try:
        return msgspec.convert(values, kind)
    except RecursionError:
        raise SessionError("the session is damaged: it is nested too deep") from None
    except msgspec.ValidationError as error:
        raise _told(_nearest(values, kind, str(error))) from None


def _told(error: str) -> SessionError:
    """The library's error in words."""
    what, _, at = error.rpartition(" - at ")
    what, place = (what, at) if what else (at, "$")
    where = place.strip("`").replace("key` in `", "a key of ")
    where = "it" if where == "$" else shortened(where)
    if expected := re.match(r"Expected `([^`]+)`(?: ([<>]=? [^ ]+)|.*)", what, re.S):
        names, limit = expected.groups()
        wanted = " or ".join(_TYPES.get(name, name) for name in names.split(" | "))
        known = (words for pattern, words in _WORDS.items() if repr(pattern) in what)
        if limit:
            wanted += " " + limit.replace("<=", "≤").replace(">=", "≥")
        wanted = next(known, wanted)
        return SessionError(f"the session is damaged: {where} is not {wanted}")
    if unknown := re.fullmatch(r"Object contains unknown field `(.+)`", what, re.S):
        odd = unknown[1].replace("\n", " ")[:40]
        problem = f"{where} has “{odd}”, which is of a newer kernelviewer"
        return SessionError(problem, "Open it with that version.")
    if lacking := re.fullmatch(r"Object missing required field `(.+)`", what):
        return SessionError(f"the session is damaged: {where} has no “{lacking[1]}”")
    if value := re.fullmatch(r"Invalid (?:enum )?value '?(.*?)'?", what, re.S):
        odd = value[1].replace("\n", " ")[:40]
        if where.endswith(".type"):
            problem = f"{where}, “{odd}”, is of a newer kernelviewer"
            return SessionError(problem, "Open it with that version.")
        return SessionError(f"the session is damaged: {where} cannot be “{odd}”")
    what = "is out of range" if what == "Number out of range" else what
    return SessionError(f"the session is damaged: {where} {what}")


def _nearest(values: Any, kind: type, error: str) -> str:
    """The error with the keys at its place in the place of ``[...]``.

    They are found by halves: a table is read with less and less in it.
    """
    while "[...]" in error:
        before = error.rpartition("`$")[2].partition("[...]")[0]
        steps = re.findall(r"\.([^.\[]+)|\[(\d+)\]", before)
        at: Any = values
        for name, index in steps:
            at = at[name] if name else at[int(index)]
        left = dict(at)
        while len(left) > 1:
            half = dict(list(left.items())[: len(left) // 2])
            at.clear()
            at.update(half)
            if error not in _error_of(values, kind):
                half = {key: left[key] for key in left if key not in half}
            left = half
        at.clear()
        at.update(left)
        error = error.replace("[...]", f".{next(iter(left))}", 1)
    return error


def _error_of(values: Any, kind: type) -> str:
    try:
        msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _is_utf8(plain: str) -> bool:
    try:
        plain.encode()
    except UnicodeEncodeError:
        return False
    return True
