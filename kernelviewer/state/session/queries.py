"""The queries of a selection as JSON: one table, an entry for each kind of query."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from kernelviewer.kernels.bank import size_key
from kernelviewer.kernels.classes import INDEX
from kernelviewer.state.selection import (
    All,
    Classes,
    CodeRange,
    Every,
    Kernels,
    Layers,
    Mode,
    Similar,
)
from kernelviewer.state.session.checks import (
    choice,
    fail,
    kernel_size,
    listing,
    number,
    table,
    text,
)
from kernelviewer.state.session.model import SessionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.state.selection import Query, Step
    from kernelviewer.state.session.model import Plain
    from kernelviewer.state.session.places import Places

MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one kind of query is written.

    Attributes
    ----------
    name
        What ``type`` says in the file.
    write
        The query's values as a JSON object.
    read
        The same backwards; what is not there any more is left out and counted.
    """

    name: str
    write: Callable[[Any, Places], Plain]
    read: Callable[[Plain, Places], Query]


def _write_kernels(query: Kernels, places: Places) -> Plain:
    return {"size": size_key(query.size), "of": places.kernel_runs(query.indices)}


def _read_kernels(value: Plain, places: Places) -> Kernels:
    size = kernel_size(value.get("size"), "the selection's size")
    return Kernels(size, places.kernels(value.get("of"), size, "the selection"))


def _read_range(value: Plain, places: Places) -> CodeRange:
    return CodeRange(
        number(value.get("low"), "the selection's low"),
        number(value.get("high"), "the selection's high"),
    )


def _read_classes(value: Plain, places: Places) -> Classes:
    names = listing(value.get("ids"), "the selection's classes")
    ids = frozenset(text(name, "a class of the selection") for name in names)
    if not ids <= INDEX.keys():
        raise fail("a class of the selection", f"one of {', '.join(INDEX)}")
    return Classes(ids)


def _write_similar(query: Similar, places: Places) -> Plain:
    return {
        "size": size_key(query.size),
        "taps": " ".join(repr(float(tap)) for tap in query.taps),
        "cosine": float(query.cosine),
        "name": query.name,
    }


def _read_similar(value: Plain, places: Places) -> Similar:
    size = kernel_size(value.get("size"), "the selection's size")
    where = "the selection's pattern"
    try:
        taps = tuple(map(float, text(value.get("taps"), where).split(" ")))
    except ValueError:
        raise fail(where, "a list of numbers") from None
    if len(taps) != math.prod(size) or not all(map(math.isfinite, taps)):
        raise fail(where, "one of its size")
    cosine = number(value.get("cosine"), "the selection's cosine")
    name = text(value.get("name", ""), "the selection's kernel")
    return Similar(size, taps, cosine, name)


def _write_every(query: Every, places: Places) -> Plain:
    return {"queries": [write_query(part, places) for part in query.queries]}


def _read_every(value: Plain, places: Places) -> Every:
    parts = listing(value.get("queries"), "a step of the selection")
    return Every(tuple(read_query(part, places) for part in parts))


ENCODINGS: dict[type, Encoding] = {
    All: Encoding("all", lambda query, places: {}, lambda value, places: All()),
    Layers: Encoding(
        "layers",
        lambda query, places: {"of": places.layer_names(query.layers)},
        lambda value, places: Layers(places.layers(value.get("of"), "the selection")),
    ),
    Kernels: Encoding("kernels", _write_kernels, _read_kernels),
    CodeRange: Encoding(
        "codes",
        lambda query, places: {"low": float(query.low), "high": float(query.high)},
        _read_range,
    ),
    Classes: Encoding(
        "classes", lambda query, places: {"ids": sorted(query.ids)}, _read_classes
    ),
    Similar: Encoding("similar", _write_similar, _read_similar),
    Every: Encoding("every", _write_every, _read_every),
}
"""Kind of query → its encoding; a query that is made of queries uses `write_query`."""
_BY_NAME = {encoding.name: encoding for encoding in ENCODINGS.values()}


def write_query(query: Query, places: Places) -> Plain:
    """A query as a JSON object."""
    encoding = ENCODINGS[type(query)]
    return {"type": encoding.name, **encoding.write(query, places)}


def read_query(value: Any, places: Places) -> Query:
    """What `write_query` wrote.

    Raises
    ------
    SessionError
        It is damaged, or of a kind that this version does not know.
    """
    given = table(value, "a step of the selection")
    name = text(given.get("type"), "the type of a step of the selection")
    if name not in _BY_NAME:
        problem = f"its selection has a step “{name[:40]}” of a newer kernelviewer"
        raise SessionError(problem, "Open it with that version.")
    with places.deeper():
        return _BY_NAME[name].read(given, places)


def write_step(step: Step, places: Places) -> tuple[Mode, Plain]:
    """A step as its mode and a JSON object."""
    return step.mode, write_query(step.query, places)


def read_mode(value: Any) -> Mode:
    """How a step joins what was selected before."""
    return choice(value, MODES, "the mode of a step of the selection")
