"""TorchScript files (``torch.jit.save``): weights and what the code says of them."""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import operator_of
from kernelviewer.formats.containers.zip_directory import ZIP_MAGIC, zip_records
from kernelviewer.formats.source import Reader
from kernelviewer.formats.torch.pickle_values import StoredTensor
from kernelviewer.formats.torch.tree import torch_contents
from kernelviewer.formats.torch.zip_file import PICKLE, TorchArchive, pickle_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kernelviewer.formats.checkpoint import Operator
    from kernelviewer.formats.network.assemble import Contents
    from kernelviewer.formats.source import Options, Source
    from kernelviewer.formats.stored import Leaf


WHAT = "a TorchScript file"
_CONSTANTS = "constants.pkl"
_MAX_CODE = 1 << 20
_MAX_FILES = 500


def match(source: Source) -> bool:
    """True if the file is a zip with TorchScript's constants beside the pickle."""
    if not source.head.startswith(ZIP_MAGIC):
        return False
    pickle = pickle_name(source)
    constants = pickle.removesuffix(PICKLE) + _CONSTANTS
    return bool(pickle) and constants in zip_records(source)


def read(source: Source, options: Options) -> Contents:
    """Read the pickles and look at the code; nothing of it is run.

    Raises
    ------
    DamagedError
        The file makes no sense.
    """
    file = source.file()
    archive = TorchArchive(file, zip_records(source), pickle_name(source))
    code = _Code(archive)
    tree = archive.unpickle(PICKLE, options.watch)
    leaves = archive.leaves()
    contents = torch_contents(
        "TorchScript", tree, leaves, options.watch, code.operators_of
    )
    constants = archive.unpickle(_CONSTANTS, options.watch)
    contents.leaves += _constants(constants, archive, code)
    return contents


class _Code:
    """The code in a TorchScript file."""

    def __init__(self, archive: TorchArchive) -> None:
        self._archive = archive
        self._bodies: dict[str, dict[str, str]] = {}
        self._operators: dict[str, dict[str, Operator]] = {}

    def operators_of(self, class_name: str) -> Mapping[str, Operator]:
        """Attributes of a class that its own methods convolve with."""
        if class_name not in self._operators:
            module, _, name = class_name.rpartition(".")
            path = f"code/{module.replace('.', '/')}.py"
            if path not in self._bodies:
                self._bodies[path] = class_bodies(self._text(path))
            body = self._bodies[path].get(name, "")
            self._operators[class_name] = dict(convolutions(body))
        return self._operators[class_name]

    def operators_of_constants(self) -> dict[str, Operator]:
        """Constants that any code convolves with, in the order of the code."""
        root = self._archive.root
        code = [
            name.removeprefix(root)
            for name in self._archive.records
            if name.startswith(f"{root}code/") and name.endswith(".py")
        ]
        found: dict[str, Operator] = {}
        for path in code[:_MAX_FILES]:
            found.update(convolutions(self._text(path)))
        return {name: item for name, item in found.items() if "CONSTANTS" in name}

    def _text(self, path: str) -> str:
        record = self._archive.records.get(self._archive.root + path)
        if record is None or record.size > _MAX_CODE:
            return ""
        return self._archive.bytes_of(record).decode("utf-8", "replace")


def _constants(values: object, archive: TorchArchive, code: _Code) -> list[Leaf]:
    """Weights that freezing turned into constants, named by their place in the code."""
    if not isinstance(values, tuple | list) or not values:
        return []
    make_leaf = archive.leaves("constants")
    operators = code.operators_of_constants()
    places = {name: place for place, name in enumerate(operators, start=1)}
    leaves = []
    for index, value in enumerate(values):
        if not isinstance(value, StoredTensor):
            continue
        key = f"CONSTANTS.c{index}"
        leaf = make_leaf(value)
        leaf.raw_name = key
        leaf.operator = operators.get(key)
        place = places.get(key)
        leaf.path = (f"conv_{place}.weight" if place else f"constants.c{index}",)
        leaves.append(leaf)
    return leaves


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


READER = Reader("TorchScript", WHAT, match, read)
