"""What the code of a TorchScript file says of its convolutions; read, never run."""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from kernelviewer.formats.operators import operator_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelviewer.formats.checkpoint import Operator

_CALL = re.compile(r"torch\.(_convolution_mode|_convolution|conv(_transpose)?[123]d)\(")
_CLASS = re.compile(r"^class (\w+)\(", re.MULTILINE)
_ATTRIBUTE = re.compile(r"(\w+) = self\.(\w+)$", re.MULTILINE)
_NUMBER = re.compile(r"-?\d{1,9}")
_MAX_CALL = 4000
_MAX_CALLS = 5000
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
    for call in islice(_CALL.finditer(code), _MAX_CALLS):
        arguments = _arguments(code, call.end())
        if len(arguments) < 2:
            continue
        weight = arguments[1].removeprefix("self.")
        kind = call[1].rstrip("123d") if call[1].startswith("conv") else call[1]
        values = map(_literal, arguments[3:])
        facts = dict(zip(_ORDER[kind], values, strict=False))
        if kind == "conv_transpose":
            facts["transposed"] = True
        yield attributes.get(weight, weight), operator_of(facts, groups=1)


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
    """Value of a number, string, truth value or list of numbers; else None."""
    if text.startswith("["):
        return [int(number) for number in _NUMBER.findall(text)]
    if _NUMBER.fullmatch(text):
        return int(text)
    return {"True": True, "False": False}.get(text, text.strip('"') or None)
