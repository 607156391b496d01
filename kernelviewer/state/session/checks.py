"""Checked reading of JSON values: the wrong type is an error that names its place."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from kernelviewer.kernels.bank import size_key
from kernelviewer.state.session.model import SessionError

T = TypeVar("T")
_MOST_DIMENSIONS = 3
_LARGEST_SIDE = 4096


def fail(where: str, wanted: str) -> SessionError:
    """The error of a value that is something else than ``wanted``."""
    return SessionError(f"the session is damaged: {where} is not {wanted}")


def table(value: Any, where: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise fail(where, "a table")
    return value


def listing(value: Any, where: str) -> list[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        raise fail(where, "a list")
    return value


def text(value: Any, where: str) -> str:
    """A string."""
    if not isinstance(value, str) or "\0" in value:
        raise fail(where, "a text")
    return value


def number(value: Any, where: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fail(where, "a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise fail(where, "a finite number")
    return found


def whole(value: Any, where: str) -> int:
    """An integer from 0 to 2⁵³."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise fail(where, "a whole number")
    if not 0 <= value <= 2**53:
        raise fail(where, "a count")
    return value


def truth(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise fail(where, "true or false")
    return value


def choice(value: Any, choices: tuple[T, ...], where: str) -> T:
    """One of some values."""
    for item in choices:
        if type(item) is type(value) and item == value:
            return item
    raise fail(where, f"one of {', '.join(map(str, choices))}")


def kernel_size(value: Any, where: str) -> tuple[int, ...]:
    """A kernel size, written as `size_key` does."""
    parts = text(value, where).split("x")
    if len(parts) <= _MOST_DIMENSIONS and all(
        part.isascii() and part.isdigit() and len(part) < 5 for part in parts
    ):
        size = tuple(map(int, parts))
        if all(1 <= side <= _LARGEST_SIDE for side in size) and size_key(size) == value:
            return size
    raise fail(where, "a kernel size such as 7x7")


def record(kind: type[T], value: Any, where: str) -> T:
    """A dataclass of plain fields; what is missing has its default."""
    given = table(value, where)
    hints = get_type_hints(kind)
    values = {
        item.name: _plain(given[item.name], hints[item.name], f"{where}.{item.name}")
        for item in fields(kind)  # type: ignore[arg-type]
        if item.name in given
    }
    return kind(**values)


def _plain(value: Any, hint: Any, where: str) -> Any:
    if get_origin(hint) is Literal:
        return choice(value, get_args(hint), where)
    reader = {str: text, bool: truth, int: whole, float: number}[hint]
    return reader(value, where)
