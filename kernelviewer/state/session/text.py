"""A session as text and back: strict, so that a damaged file says what is wrong."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kernelviewer.kernels.bank import size_key
from kernelviewer.latent import segments as stretches
from kernelviewer.latent.errors import LatentError
from kernelviewer.state.arrangement import Display
from kernelviewer.state.charts import Charts
from kernelviewer.state.session import checks
from kernelviewer.state.session.checks import fail, listing, number, table, text, whole
from kernelviewer.state.session.model import (
    FORMAT,
    VERSION,
    CoderEntry,
    Look,
    NetworkEntry,
    Session,
    SessionError,
)
from kernelviewer.state.session.places import Places
from kernelviewer.state.session.queries import read_mode, read_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.selection import Mode
    from kernelviewer.state.session.model import Plain

_MARK = re.compile(rb'"format"\s*:\s*"kernelviewer session"')
_HASH = re.compile(r"(?:[0-9a-f]{64})?")
_AGAIN = "Save it again, or take a copy of it that is whole."


def looks_like_session(head: bytes) -> bool:
    """Whether a file's first bytes are those of a session."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"{") and _MARK.search(head) is not None


def to_text(session: Session) -> str:
    """The file's text; equal sessions give equal texts."""
    values: Plain = {
        "format": FORMAT,
        "version": VERSION,
        "program": session.program,
        "saved": session.saved,
        "networks": [_network(item) for item in session.networks],
        "autoencoders": {
            size_key(size): {k: v for k, v in asdict(item).items() if v}
            for size, item in session.autoencoders.items()
        },
        "thresholds": {size_key(s): v for s, v in session.thresholds.items()},
        "stretches": {
            size_key(size): stretches.to_json(own)
            for size, own in session.stretches.items()
        },
        "selection": [{"mode": mode, "query": query} for mode, query in session.steps],
        "scope": {
            "layers": session.layers,
            "only_selected": session.only_selected,
            "size": size_key(session.size) if session.size else None,
        },
        "focus": session.focus,
        "position": session.position,
        "display": asdict(session.display),
        "charts": _charts(session.charts),
        "look": asdict(session.look),
    }
    if session.origin:
        values["origin"] = session.origin
    plain = json.dumps(
        values, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False
    )
    if not _is_utf8(plain):  # a file's name that is none
        plain = json.dumps(values, indent=1, sort_keys=True, allow_nan=False)
    return plain + "\n"


def from_text(source: str) -> Session:
    """What `to_text` wrote.

    Raises
    ------
    SessionError
        It is damaged, something else, or of a newer version.
    """
    values = table(_parse(source), "it")
    if values.get("format") != FORMAT:
        raise SessionError("this is no session of kernelviewer")
    version = whole(values.get("version"), "its version")
    if version > VERSION:
        raise SessionError(
            f"the session was made by a newer kernelviewer (its format is {version}, "
            f"this program reads up to {VERSION})",
            "Open it with that version, or update this program.",
        )
    networks = tuple(
        _read_network(item, f"network {index}")
        for index, item in enumerate(listing(values.get("networks"), "networks"))
    )
    scope = table(values.get("scope"), "scope")
    session = Session(
        networks=networks,
        autoencoders=_by_size(values, "autoencoders", _read_coder),
        thresholds=_by_size(values, "thresholds", _read_threshold),
        stretches=_by_size(values, "stretches", _read_stretches),
        steps=tuple(map(_read_step, listing(values.get("selection"), "selection"))),
        layers=scope.get("layers"),
        size=None
        if scope.get("size") is None
        else checks.kernel_size(scope["size"], "scope.size"),
        only_selected=checks.truth(
            scope.get("only_selected", False), "scope.only_selected"
        ),
        focus=values.get("focus"),
        position=_read_position(values.get("position")),
        display=checks.record(Display, values.get("display"), "display"),
        charts=checks.record(Charts, values.get("charts", {}), "charts"),
        look=checks.record(Look, values.get("look"), "look"),
        program=text(values.get("program"), "program"),
        saved=text(values.get("saved"), "saved"),
        origin=text(values.get("origin", ""), "origin"),
    )
    _check_places(session)
    return session


def _parse(source: str) -> Any:
    def refuse(value: str) -> None:
        raise SessionError(f"the session is damaged: {value} is no number in it")

    try:
        return json.loads(source, parse_constant=refuse)
    except json.JSONDecodeError as error:
        problem = f"the session is damaged: {error.msg} in line {error.lineno}"
        raise SessionError(problem, _AGAIN) from None
    except (RecursionError, ValueError):  # nested too deep, a number too long
        raise SessionError("the session is damaged", _AGAIN) from None


def _check_places(session: Session) -> None:
    """Read what depends on networks once without any: only its types are looked at."""
    nowhere = Places([None] * len(session.networks))
    for _, query in session.steps:
        read_query(query, nowhere)
    if session.layers is not None:
        nowhere.layers(session.layers, "scope.layers")
    if session.focus is not None:
        nowhere.kernel_at(session.focus, "focus")


def _charts(charts: Charts) -> Plain:
    """The choices; a later one is written where it was made, so old files stay."""
    values = asdict(charts)
    if charts.equal == Charts().equal:
        del values["equal"]
    return values


def _network(entry: NetworkEntry) -> Plain:
    values = asdict(entry)
    values["include"] = list(entry.include)
    return {
        key: value
        for key, value in values.items()
        if value or key in ("sha256", "bytes")
    }


def _read_network(value: Any, where: str) -> NetworkEntry:
    given = table(value, where)
    entry = NetworkEntry(
        path=text(given.get("path", ""), f"{where}.path"),
        sha256=_read_hash(given, where),
        bytes=whole(given.get("bytes"), f"{where}.bytes"),
        copy=text(given.get("copy", ""), f"{where}.copy"),
        include=tuple(
            text(name, f"{where}.include")
            for name in listing(given.get("include", []), f"{where}.include")
        ),
        hub=text(given.get("hub", ""), f"{where}.hub"),
    )
    if not entry.path and not entry.hub:
        raise fail(f"{where}.path", "a path")
    return entry


def _read_coder(value: Any, where: str) -> CoderEntry:
    given = table(value, where)
    entry = CoderEntry(
        sha256=_read_hash(given, where),
        shipped=text(given.get("shipped", ""), f"{where}.shipped"),
        path=text(given.get("path", ""), f"{where}.path"),
    )
    if not entry.path and not entry.shipped:
        raise fail(f"{where}.path", "a path")
    return entry


def _read_hash(given: Plain, where: str) -> str:
    found = text(given.get("sha256"), f"{where}.sha256")
    if not _HASH.fullmatch(found):
        raise fail(f"{where}.sha256", "a hash")
    return found


def _read_threshold(value: Any, where: str) -> float:
    found = number(value, where)
    if not -1 <= found <= 1:
        raise fail(where, "a fit from −1 to 1")
    return found


def _read_position(value: Any) -> float:
    found = number(value, "position")
    if not 0 <= found <= 1:
        raise fail("position", "a code from 0 to 1")
    return found


def _read_stretches(value: Any, where: str) -> Segments:
    for item in listing(value, where):
        given = table(item, where)
        for key in ("low", "high"):
            number(given.get(key), f"{where}.{key}")
        for key in ("class_id", "name"):
            text(given.get(key), f"{where}.{key}")
        if given.get("family_cosine") is not None:
            number(given["family_cosine"], f"{where}.family_cosine")
        checks.choice(given.get("sign"), (-1, 0, 1), f"{where}.sign")
    try:
        return stretches.from_json(value)
    except LatentError as error:
        raise SessionError(f"the session is damaged: {error.problem}") from None
    except KeyError as error:
        raise fail(f"{where}.{error.args[0]}", "there") from None


def _read_step(value: Any) -> tuple[Mode, Plain]:
    given = table(value, "a step of the selection")
    query = table(given.get("query"), "a step of the selection")
    return read_mode(given.get("mode")), query


def _by_size(
    values: Plain, key: str, read: Callable[[Any, str], Any]
) -> dict[Size, Any]:
    return {
        checks.kernel_size(size, f"a size in {key}"): read(value, f"{key}.{size}")
        for size, value in table(values.get(key), key).items()
    }


def _is_utf8(plain: str) -> bool:
    try:
        plain.encode()
    except UnicodeEncodeError:
        return False
    return True
