"""TorchScript files (``torch.jit.save``): weights and what the code says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.formats.damage import damage_named
from kernelviewer.formats.network import assemble
from kernelviewer.formats.pickle_values import StoredTensor
from kernelviewer.formats.script_code import class_bodies, convolutions
from kernelviewer.formats.torch_file import torch_contents
from kernelviewer.formats.torch_zip import PICKLE, TorchArchive, pickle_name
from kernelviewer.formats.zip_directory import ZIP_MAGIC, zip_records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernelviewer.formats.checkpoint import Checkpoint, Operator
    from kernelviewer.formats.leaves import Leaf
    from kernelviewer.formats.source import Options, Source

WHAT = "a TorchScript file"
_CONSTANTS = "constants.pkl"
_MAX_CODE = 1 << 20
_MAX_FILES = 500


def match(source: Source) -> bool:
    """Whether the file is a zip with TorchScript's constants beside the pickle."""
    if not source.head.startswith(ZIP_MAGIC):
        return False
    pickle = pickle_name(source)
    constants = pickle.removesuffix(PICKLE) + _CONSTANTS
    return bool(pickle) and constants in zip_records(source)


def open_torch_script(source: Source, options: Options) -> Checkpoint:
    """Read the pickles and look at the code; nothing of it is run.

    Raises
    ------
    CheckpointError
        The file is damaged or holds no weights.
    """
    with damage_named(source.path, WHAT):
        file = source.file()
        archive = TorchArchive(file, zip_records(source), pickle_name(source))
        code = _Code(archive)
        tree = archive.unpickle(PICKLE, options.check)
        leaves = archive.leaves()
        contents = torch_contents(
            "TorchScript", tree, leaves, options.check, code.operators_of
        )
        constants = archive.unpickle(_CONSTANTS, options.check)
        contents.leaves += _constants(constants, archive, code)
        return assemble(source, options, contents)


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
