"""Programs of ``torch.export`` (``.pt2``): their weights and their graph."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import operator_of
from kernelviewer.formats.containers.zip_directory import (
    STORED,
    ZIP_MAGIC,
    ZipRecord,
    read_directory,
    zip_records,
)
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.network.assemble import Contents
from kernelviewer.formats.source import Reader, viewed
from kernelviewer.formats.stored import Leaf, no_values
from kernelviewer.formats.torch.pickle_values import Storage, StoredTensor
from kernelviewer.formats.torch.tree import LeafMaker, Place, torch_contents
from kernelviewer.formats.torch.zip_file import PICKLE, TorchArchive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernelviewer.formats.checkpoint import Operator
    from kernelviewer.formats.containers.zip_directory import Record
    from kernelviewer.formats.source import Options, Source


WHAT = "a program of torch.export"
_CONFIG = "_weights_config.json"
_OLD_WEIGHTS = ("serialized_state_dict.pt", "serialized_state_dict.json")
_OLD_GRAPH = "serialized_exported_program.json"
_MAX_JSON = 1 << 24
_TYPES = {
    **{1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 12: "bool"},
    **{6: "float16", 7: "float32", 8: "float64", 13: "bfloat16"},
    **{10: "complex64", 11: "complex128", 28: "uint16", 34: "uint32", 35: "uint64"},
    **{29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz"},
    **{32: "float8_e5m2fnuz", 33: "float8_e8m0fnu"},
}
"""Number of a type in the schema of torch.export → its name."""


def match(source: Source) -> bool:
    """True if the file is a zip with the records of torch.export."""
    if not source.head.startswith(ZIP_MAGIC):
        return False
    try:
        records = zip_records(source)
    except DamagedError:
        return False
    return any(name in records for name in _OLD_WEIGHTS) or any(
        name.endswith("archive_format") and name.count("/") < 2 for name in records
    )


def read(source: Source, options: Options) -> Contents:
    """Read the lists of weights and the graphs.

    Raises
    ------
    DamagedError
        The file makes no sense, or holds compiled code without weights.
    """
    package = _Package(source)
    old = next((name for name in _OLD_WEIGHTS if name in package.records), "")
    try:
        return package.old_contents(old, options) if old else package.contents()
    except (KeyError, TypeError, AttributeError):
        raise DamagedError("its list of weights makes no sense") from None


class _Package:
    """The records of one file."""

    def __init__(self, source: Source) -> None:
        self.records: Mapping[str, Record] = zip_records(source)
        self._file = source.file()
        orders = [r for name, r in self.records.items() if name.endswith("byteorder")]
        self._big = (
            bool(orders) and orders[0].size < 16 and b"big" in self._bytes(*orders[:1])
        )

    def contents(self) -> Contents:
        """Weights of every model in the package."""
        lists = [name for name in self.records if name.endswith(_CONFIG)]
        if not lists:
            problem = "it holds compiled code, from which no weights can be read"
            raise DamagedError(problem, "Open the .pt2 file that it was made from.")
        whole = Contents("torch.export", [])
        for name in lists:
            folder, _, config = name.rpartition("/")
            model = config.removesuffix(_CONFIG)
            graph = f"{folder.removesuffix('data/weights')}models/{model}.json"
            convolutions = operators(self._json(graph))
            for key, item in self._json(name)["config"].items():
                leaf = self._leaf(folder, item)
                leaf.path = (key,) if len(lists) == 1 else (model, key)
                leaf.raw_name = "/".join(leaf.path)
                leaf.operator = convolutions.get(key)
                whole.leaves.append(leaf)
        return whole

    def old_contents(self, name: str, options: Options) -> Contents:
        """Weights of a file of PyTorch 2.1 to 2.7: a PyTorch file inside the zip."""
        record = self.records[name]
        if record.method != STORED:
            raise DamagedError("its weights are packed", "Unpack it and open them.")
        start = ZipRecord(self._file, record).start()
        with viewed(self._file) as data:
            inner = read_directory(data, start + record.size)
        pickle = next((n for n in inner if n.split("/", 1)[-1] == PICKLE), "")
        if not pickle:
            raise DamagedError("its weights are missing")
        archive = TorchArchive(self._file, inner, pickle)
        tree = archive.unpickle(PICKLE, options.watch)
        contents = torch_contents("torch.export", tree, archive.leaves(), options.watch)
        convolutions = operators(self._json(_OLD_GRAPH))
        for leaf in contents.leaves:
            leaf.operator = convolutions.get(leaf.path[-1])
        return contents

    def _leaf(self, folder: str, item: dict[str, Any]) -> Leaf:
        """Leaf of one entry in a list of weights."""
        meta = item["tensor_meta"]
        shape, strides = (
            tuple([_count(size["as_int"]) for size in meta[key]])
            for key in ("sizes", "strides")
        )
        dtype = _TYPES.get(meta["dtype"], "")
        if item.get("use_pickle") or not dtype:
            reason = "it is saved in a way that is not read"
            return Leaf((), "", shape, dtype, no_values, unusable=reason)
        record = self.records.get(f"{folder}/{item['path_name']}")
        if record is None:
            raise DamagedError(f"its record {item['path_name']} is missing")
        place = Place(ZipRecord(self._file, record), 0, record.size)
        storage = Storage("uint8", record.name, record.size)
        offset = _count(meta["storage_offset"]["as_int"])
        tensor = StoredTensor(storage, offset, shape, strides, dtype)
        return LeafMaker(lambda _: place, big_endian=self._big)(tensor)

    def _json(self, name: str) -> dict[str, Any]:
        """Read a record of JSON; empty if there is none."""
        record = self.records.get(name)
        if record is None:
            return {}
        if record.size > _MAX_JSON:
            raise DamagedError(f"its record {name} is larger than any list of weights")
        try:
            value = json.loads(self._bytes(record))
        except ValueError:
            raise DamagedError(f"its record {name} is damaged") from None
        return value if isinstance(value, dict) else {}

    def _bytes(self, record: Record) -> bytes:
        return ZipRecord(self._file, record).unpacked().tobytes()


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value


_TARGET = re.compile(r"\.aten\.(convolution|conv(_transpose)?[123]d)\.")
_OF_A_RULE = re.compile(r"(^|\.)parametrizations\.\w+\.\d")
"""State of a re-parametrisation itself, such as the vectors of spectral norm."""
_MOST_PARTS = 64


def operators(program: dict[str, Any]) -> dict[str, Operator]:
    """Parameter → the convolution that the graph computes with it.

    Empty where the graph is not as expected: the weights do not depend on it.
    """
    found: dict[str, Operator] = {}
    try:
        module = program["graph_module"]
        names = _parameter_names(module["signature"]["input_specs"])
        nodes = module["graph"]["nodes"]
        sources = _sources(nodes)
        for node in nodes:
            target = _TARGET.search(node["target"])
            if target:
                arguments = _arguments(node["inputs"])
                if target[2]:
                    arguments["transposed"] = True
                operator = operator_of(arguments, groups=1)
                for weight in _made_of(str(arguments["weight"]), sources, names):
                    found[names.get(weight, weight)] = operator
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}
    return found


def _sources(nodes: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Tensor in the graph → the tensors that the operator behind it takes."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        taken = [name for item in node["inputs"] for name in _tensors(item["arg"])]
        for output in node["outputs"]:
            found.update(dict.fromkeys(_tensors(output), taken))
    return found


def _tensors(value: dict[str, Any]) -> list[str]:
    """Names of one argument's tensors."""
    (item,) = value.values()
    entries = item if isinstance(item, list) else [item]
    return [entry["name"] for entry in entries if isinstance(entry, dict)]


def _made_of(
    weight: str, sources: dict[str, list[str]], names: dict[str, str]
) -> list[str]:
    """The parameters that a weight is made of: itself, or the parts of weight norm.

    None where more goes into it: a weight that depends on the network's input.
    """
    waiting, seen = [weight], {weight: None}
    while waiting:
        name = waiting.pop()
        if name in names:
            continue
        if name not in sources or len(seen) > _MOST_PARTS:
            return [weight]
        new = [item for item in sources[name] if item not in seen]
        seen.update(dict.fromkeys(new))
        waiting += new
    parts = [name for name in seen if name in names]
    return [name for name in parts if not _OF_A_RULE.search(names[name])] or [weight]


def _parameter_names(specs: list[dict[str, Any]]) -> dict[str, str]:
    """Name in the graph → name in the network, of parameters and buffers."""
    return {
        spec[kind]["arg"]["name"]: spec[kind][f"{kind}_name"]
        for spec in specs
        for kind in ("parameter", "buffer")
        if kind in spec
    }


def _arguments(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Argument's name → its value; tensors by their name."""
    values = {}
    for item in inputs:
        (value,) = item["arg"].values()
        values[item["name"]] = value["name"] if isinstance(value, dict) else value
    return values


READER = Reader("torch.export", WHAT, match, read)
