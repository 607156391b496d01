"""What the code of a TorchScript file says of its convolutions; read, never run."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Operator

if TYPE_CHECKING:
    from collections.abc import Iterator

_CALL = re.compile(r"torch\.(_convolution_mode|_convolution|conv(_transpose)?[123]d)\(")
_CLASS = re.compile(r"^class (\w+)\(", re.MULTILINE)
_ATTRIBUTE = re.compile(r"(\w+) = self\.(\w+)$", re.MULTILINE)
_MAX_CALL = 4000
_ORDER = {
    "conv": ("stride", "padding", "dilation", "groups"),
    "conv_transpose": ("stride", "padding", "output_padding", "groups", "dilation"),
    "_convolution_mode": ("stride", "padding", "dilation", "groups"),
    "_convolution": (
        *("stride", "padding", "dilation", "transposed", "output_padding", "groups"),
    ),
}


def class_bodies(code: str) -> dict[str, str]:
    """Class name → its code, of one file."""
    starts = list(_CLASS.finditer(code))
    edges = [match.start() for match in starts] + [len(code)]
    return {
        match[1]: code[start:end]
        for match, (start, end) in zip(starts, pairwise(edges), strict=True)
    }


def convolutions(code: str) -> Iterator[tuple[str, Operator]]:
    """Weight, as the code writes it, and operator of each call that convolves.

    A weight is an attribute (``weight``) or a constant (``CONSTANTS.c4``).
    """
    attributes = dict(_ATTRIBUTE.findall(code))
    for call in _CALL.finditer(code):
        arguments = _arguments(code, call.end())
        if len(arguments) < 2:
            continue
        weight = arguments[1].removeprefix("self.")
        kind = call[1].rstrip("123d") if call[1].startswith("conv") else call[1]
        values = map(_literal, arguments[3:])
        facts = dict(zip(_ORDER[kind], values, strict=False))
        transposed = kind == "conv_transpose" or facts.get("transposed") is True
        yield attributes.get(weight, weight), _operator(facts, transposed)


def _operator(facts: dict[str, Any], transposed: bool) -> Operator:
    """Operator of a call's arguments; what is not given has PyTorch's default."""
    groups = facts.get("groups", 1)
    padding = facts.get("padding")
    return Operator(
        groups=groups if type(groups) is int and groups > 0 else None,
        transposed=transposed,
        stride=_integers(facts.get("stride")),
        dilation=_integers(facts.get("dilation")),
        padding=padding if isinstance(padding, str) else _integers(padding),
    )


def _arguments(code: str, start: int) -> list[str]:
    """Arguments of the call whose parenthesis is open at ``start``."""
    depth, at, found = 0, start, []
    for position in range(start, min(len(code), start + _MAX_CALL)):
        letter = code[position]
        if letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        if depth < 0 or (letter == "," and depth == 0):
            found.append(code[at:position].strip())
            at = position + 1
        if depth < 0:
            return found
    return []


def _literal(text: str) -> object:
    """Value of a number, string or list; None for anything else."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _integers(value: object) -> tuple[int, ...] | None:
    if isinstance(value, list) and value and all(type(item) is int for item in value):
        return tuple(value)
    return None
