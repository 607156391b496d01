"""The files of a corpus: what they hold, and how a network gets into them whole.

A corpus is a folder that anything that reads Parquet can read:

* ``kernels/size=7x7/network=ID/index.parquet``: a row for each kernel, some 25 bytes;
* ``kernels/size=7x7/network=ID/weights.parquet``: its weights, in the same order;
* ``records/ID.json``: a network, its layers and counts. It is written last: a network
  without its record is not in the corpus;
* ``networks.parquet``: a row for each record, without the layers;
* ``failures.jsonl``: what could not be taken in, and why;
* ``corpus.json``: versions, how kernels were named, autoencoders by hash, which lie in
  ``autoencoders/``.

A partition is made in ``.work`` and moved to its place, so that whatever ends a build
leaves nothing half written in sight. The columns are told in ``docs/pages/corpus.md``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np

from kernelviewer import __version__
from kernelviewer.files import FileLock, file_hash, write_text
from kernelviewer.formats.containers.folders import DESCRIPTION, KIND
from kernelviewer.formats.errors import HintedError
from kernelviewer.kernels.bank import LayerInfo, size_key
from kernelviewer.kernels.classes import CLASSES, FLAT
from kernelviewer.kernels.statistics import patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.labels import Labelled
    from kernelviewer.text import AnyPath

SCHEMA = 1
"""Version of the files; one that reads others says so."""
NETWORKS, FAILURES = "networks.parquet", "failures.jsonl"
KERNELS, RECORDS, AUTOENCODERS, WORK = "kernels", "records", "autoencoders", ".work"
INDEX, WEIGHTS = "index.parquet", "weights.parquet"
Precision = Literal["float16", "float32"]

_MOST_TAPS = 1 << 20
_INDEX_ROWS = 1 << 17
_WEIGHT_BYTES = 1 << 20
"""Size of a row group, in rows and in bytes: a part that is read alone."""
_NAMES = ("layer", "code_class", "family_class", "class")
_SMALL = ("layer_number", "channel", "depth")
_FLOATS = ("code", "fit", "cosine", "margin", "scale", "offset")


class CorpusError(HintedError):
    """A request about a corpus that cannot be met."""


def library(name: str) -> ModuleType:
    """A module of those that the extra ``corpus`` brings.

    Raises
    ------
    CorpusError
        It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise CorpusError(
            f"a corpus needs {name.partition('.')[0]}, which is not installed",
            "Install what it needs: pip install 'kernelviewer[corpus]'",
        ) from error


SizeKey = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]*(x[1-9][0-9]*){0,2}\Z")]


class Recipe(msgspec.Struct, frozen=True):
    """What decides how the kernels of a network are kept and named."""

    weights: Precision = "float16"
    """Type of the weights."""
    by: Literal["code", "family"] = "family"
    words: Literal["fine", "paper"] = "fine"
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """As in `kernelviewer.kernels.classes.Naming`; None: the usual threshold."""
    autoencoders: dict[SizeKey, str] = {}
    """Kernel size → SHA-256 of the autoencoder's file."""
    family: str = ""
    """Hash of what belongs to the pattern family and of how it names."""
    copy: str = ""
    include: tuple[str, ...] = ()
    """What is taken from a file, as the commands' options of these names say."""

    @property
    def key(self) -> str:
        """A short name of all of it: equal recipes make equal rows."""
        data = msgspec.json.encode((SCHEMA, self), order="sorted")
        return hashlib.sha256(data).hexdigest()[:16]


class SizeCounts(msgspec.Struct, frozen=True):
    """The kernels of one size of a network, counted."""

    size: str
    kernels: int
    flat: int
    """Kernel size as in ``7x7``, its kernels, those of them without a pattern."""
    by: str
    words: str
    threshold: float | None
    """What names them (empty: nothing does), by which classes, from which fit on."""
    coverage: float | None
    null_coverage: float | None
    """Share identified of those with a pattern, and of white noise; None: not known."""
    mean_fit: float | None
    """Of those with a pattern."""
    classes: dict[str, int]
    """Class id → kernels; classes without are left out."""
    index_bytes: int = 0
    weights_bytes: int = 0
    """Size of its files."""

    def bytes_of(self, name: str) -> int:
        """Size of one of its files, `INDEX` or `WEIGHTS`."""
        return {INDEX: self.index_bytes, WEIGHTS: self.weights_bytes}[name]


class Network(msgspec.Struct, frozen=True):
    """A network of a corpus."""

    schema: int
    id: str
    """Its name in paths, of its file's name and hash."""
    name: str
    source: str
    """Its name for people; the path, timm name or hub id it came from."""
    sha256: str
    content: str
    """Hash of its files, and of the kernels in them: networks that have the same
    kernels in other files share the latter."""
    format: str
    architecture: str
    size_bytes: int
    parameters: int
    """Numbers in its tensors."""
    recipe: str
    """`Recipe.key` of what it was made by."""
    layers: tuple[LayerInfo, ...]
    sizes: tuple[SizeCounts, ...]
    warnings: tuple[str, ...] = ()
    copy: str = ""
    equal_to: str = ""
    """Id of the first network with the same kernels, if another is."""

    @property
    def kernels(self) -> int:
        """All of them, of every size."""
        return sum(item.kernels for item in self.sizes)

    def counts(self, size: str) -> SizeCounts | None:
        """Its kernels of a size (``7x7``), if it has some."""
        return next((item for item in self.sizes if item.size == size), None)


class Failure(msgspec.Struct, frozen=True):
    """A source that could not be taken in.

    ``kind`` is one of ``refused`` (the file cannot be used), ``fault`` (an error of the
    program, with ``details`` for a report), ``crash``, ``timeout``, ``memory``.
    """

    source: str
    kind: str
    message: str
    hint: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The kernels of one size of one network, as a corpus keeps them. N kernels."""

    size: Size
    layers: tuple[str, ...]
    """Kernel size; names of the network's layers."""
    layer: NDArray[np.int32]
    channel: NDArray[np.int32]
    depth: NDArray[np.int8]
    """Index of the layer, channel, and decile of the depth, 1 … 10."""
    code: NDArray[np.float32]
    fit: NDArray[np.float32]
    """float32 [N], NaN: none."""
    code_class: NDArray[np.int8]
    family_class: NDArray[np.int8]
    class_index: NDArray[np.int8]
    """int8 [N], indices into `CLASSES`, −1: none: the best by either, and that which
    counts, *unidentified* where the fit does not reach the threshold."""
    cosine: NDArray[np.float32]
    margin: NDArray[np.float32]
    """float32 [N], with the nearest member of the family, and its lead; NaN: none."""
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    flat: NDArray[np.bool_]
    """As in `KernelSet`."""
    weights: NDArray[np.float32]
    """float32 [N, *size]."""

    def __len__(self) -> int:
        return len(self.flat)


def rows_of(item: Labelled, depths: Sequence[int]) -> Rows:
    """What is kept of the kernels of one size; ``depths`` has the layers' deciles."""
    kernels, count = item.kernels, len(item.kernels)
    nothing = np.full(count, np.nan, np.float32)
    none = np.full(count, -1, np.int8)
    cosine, margin = nothing.copy(), nothing.copy()
    family_class, code_class, named = none.copy(), none, none
    if item.family is not None:
        there = ~kernels.flat
        cosine[there], margin[there] = item.family.cosine, item.family.margin
        family_class[there] = item.family.index_in(item.scheme)
    if item.by == "code" and item.family is not None:
        family_class[~kernels.flat] = item.family.class_index
    if item.by_code is not None:
        code_class = np.where(kernels.flat, -1, item.by_code.best_class)
    if item.labels is not None:
        named = item.labels.class_index
    codes = item.codes
    return Rows(
        kernels.size,
        tuple(layer.name for layer in item.bank.layers),
        kernels.layer,
        kernels.channel,
        np.asarray(depths, np.int8)[kernels.layer],
        nothing if codes is None else codes.code,
        nothing if codes is None else codes.fit,
        code_class.astype(np.int8),
        family_class,
        named.astype(np.int8),
        *(cosine, margin, kernels.scale, kernels.offset, kernels.flat),
        kernels.weights,
    )


def counts_of(item: Labelled) -> SizeCounts:
    """The kernels of one size, counted."""
    kernels, labels = item.kernels, item.labels
    found = SizeCounts(
        size_key(kernels.size),
        len(kernels),
        int(kernels.flat.sum()),
        *("", "", None, None, None, None),
        {FLAT.id: int(kernels.flat.sum())} if kernels.flat.any() else {},
    )
    if labels is None or item.null is None:
        return found
    by_class = np.bincount(labels.class_index, minlength=len(CLASSES)).tolist()
    present = item.fit[~np.isnan(item.fit)]
    return msgspec.structs.replace(
        found,
        by=item.by or "",
        words=item.scheme.id,
        threshold=float(labels.threshold),
        coverage=_rounded(labels.coverage),
        null_coverage=_rounded(item.null.coverage(labels.threshold)),
        mean_fit=_rounded(present.mean(dtype=np.float64)) if len(present) else None,
        classes={CLASSES[i].id: count for i, count in enumerate(by_class) if count},
    )


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def depths_of(layers: Sequence[LayerInfo]) -> list[int]:
    """Decile of the depth of each layer, 1 … 10, among those with kernels; 0: none."""
    there = [i for i, layer in enumerate(layers) if layer.included]
    found = [0] * len(layers)
    for place, index in enumerate(there):
        found[index] = 1 + 10 * place // len(there)
    return found


def content_hash(bank: KernelBank) -> str:
    """Hash of a network's kernels, whatever the order of its layers."""
    layers = [
        hashlib.sha256(
            size_key(size).encode() + kernels.weights[kernels.layer == index].tobytes()
        ).digest()
        for size, kernels in bank.sizes.items()
        for index in np.unique(kernels.layer)
    ]
    return hashlib.sha256(b"".join(sorted(layers))).hexdigest() if layers else ""


def network_id(name: str, sha256: str) -> str:
    """Name of a network in paths."""
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", name)[:60].strip("-.")
    return f"{plain or 'network'}-{sha256[:12]}"


def partition(folder: Path, size: str, network: str) -> Path:
    """Where the kernels of a size of a network lie."""
    return folder / KERNELS / f"size={size}" / f"network={network}"


class Store:
    """Writes into a corpus; any number may, each another network."""

    def __init__(self, folder: AnyPath) -> None:
        self.folder = Path(folder)

    def has(self, network: str, recipe: str) -> bool:
        """Whether a network made by the recipe is there, with files of its size."""
        found = self.record(network)
        return (
            found is not None
            and found.recipe == recipe
            and not list(faults(self.folder, found))
        )

    def record(self, network: str) -> Network | None:
        """What is told of a network; None if it is not there or damaged."""
        path = self.folder / RECORDS / f"{network}.json"
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Network)
        except (OSError, msgspec.DecodeError, RecursionError):
            return None
        return found if found.id == network and _is_sound(found) else None

    def add(self, network: Network, parts: Iterable[Rows], weights: Precision) -> None:
        """Write a network: its partitions, and last its record.

        Raises
        ------
        OSError
            The disk is full, or the folder is read-only.
        """
        (self.folder / WORK).mkdir(exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix=f"{network.id}.", dir=self.folder / WORK))
        try:
            sizes = {item.size: item for item in network.sizes}
            for rows in parts:
                key = size_key(rows.size)
                place = partition(room, key, network.id)
                place.mkdir(parents=True)
                index = _write_index(place / INDEX, rows)
                data = _write_weights(place / WEIGHTS, rows, weights)
                sizes[key] = msgspec.structs.replace(
                    sizes[key], index_bytes=index, weights_bytes=data
                )
            for key in sizes:
                target = partition(self.folder, key, network.id)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.rmtree(target, ignore_errors=True)
                partition(room, key, network.id).rename(target)
            whole = msgspec.structs.replace(network, sizes=tuple(sizes.values()))
            (self.folder / RECORDS).mkdir(exist_ok=True)
            path = self.folder / RECORDS / f"{network.id}.json"
            write_text(path, msgspec.json.encode(whole).decode())
        finally:
            shutil.rmtree(room, ignore_errors=True)

    def remove(self, network: str) -> None:
        """Take a network out: its record first."""
        (self.folder / RECORDS / f"{network}.json").unlink(missing_ok=True)
        for place in (self.folder / KERNELS).glob(f"size=*/network={network}"):
            shutil.rmtree(place, ignore_errors=True)

    def records(self) -> Iterator[Network]:
        """Every network that is there, by id; damaged records are passed over."""
        for path in sorted((self.folder / RECORDS).glob("*.json")):
            found = self.record(path.stem)
            if found is not None:
                yield found

    def sweep(self) -> None:
        """Take away what an interrupted build left: partitions without a record."""
        shutil.rmtree(self.folder / WORK, ignore_errors=True)
        known = {path.stem for path in (self.folder / RECORDS).glob("*.json")}
        for place in (self.folder / KERNELS).glob("size=*/network=*"):
            if place.name.removeprefix("network=") not in known:
                shutil.rmtree(place, ignore_errors=True)

    def finish(self) -> list[Network]:
        """Write ``networks.parquet`` of the networks, and return them."""
        networks = self.networks()
        _write_networks(self.folder / NETWORKS, networks)
        return networks

    def networks(self) -> list[Network]:
        """The records, each with the earlier one that it equals."""
        first: dict[str, str] = {}
        networks = []
        for item in self.records():
            of = first.setdefault(item.content, item.id) if item.content else item.id
            networks.append(
                msgspec.structs.replace(item, equal_to="" if of == item.id else of)
            )
        return networks

    def describe(self, recipe: Recipe) -> None:
        """Write ``corpus.json``."""
        facts = {
            "kind": KIND,
            "schema": SCHEMA,
            "program": __version__,
            "recipe": msgspec.to_builtins(recipe),
            "recipe_key": recipe.key,
        }
        write_text(self.folder / DESCRIPTION, json.dumps(facts, indent=1) + "\n")

    def write_failures(self, failures: Iterable[Failure]) -> None:
        """Write the ledger anew."""
        lines = b"".join(msgspec.json.encode(item) + b"\n" for item in failures)
        write_text(self.folder / FAILURES, lines.decode())

    def lock(self) -> FileLock:
        """Keep other builds out.

        Raises
        ------
        CorpusError
            One is under way.
        """
        lock = FileLock.take(self.folder / ".lock")
        if lock is None:
            raise CorpusError(
                f"another build writes into {self.folder}",
                "Wait until it has ended, or build into another folder.",
            )
        return lock


@dataclass(frozen=True)
class Corpus:
    """A corpus that is read. Nothing of its kernels is loaded."""

    folder: Path
    """Where it lies."""
    recipe: Recipe
    """How its kernels are kept and named."""
    networks: tuple[Network, ...]
    """By id, without their layers (`record` has them)."""

    @classmethod
    def open(cls, folder: AnyPath) -> Corpus:
        """Open a corpus; only its small files are read.

        Raises
        ------
        CorpusError
            The folder is no corpus, or one of another version, or damaged.
        """
        folder = Path(folder)
        recipe = read_recipe(folder)
        known = {path.stem for path in (folder / RECORDS).glob("*.json")}
        networks = _read_networks(folder / NETWORKS)
        if {item.id for item in networks} != known:  # a build has not ended
            networks = Store(folder).networks()
        return cls(folder, recipe, tuple(networks))

    @cached_property
    def by_id(self) -> dict[str, Network]:
        """The networks by id."""
        return {item.id: item for item in self.networks}

    @property
    def kernels(self) -> int:
        """All of them."""
        return sum(item.kernels for item in self.networks)

    def sizes(self) -> dict[str, int]:
        """Kernel size → kernels, the most frequent first."""
        found: dict[str, int] = {}
        for network in self.networks:
            for item in network.sizes:
                found[item.size] = found.get(item.size, 0) + item.kernels
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def record(self, network: str) -> Network:
        """A network with its layers.

        Raises
        ------
        CorpusError
            Its record is missing or damaged.
        """
        found = Store(self.folder).record(network)
        if found is None:
            raise CorpusError(f"the record of {network} is missing or damaged", REPAIR)
        return found

    def failures(self) -> list[Failure]:
        """What could not be taken in."""
        try:
            lines = (self.folder / FAILURES).read_bytes().splitlines()
            return [msgspec.json.decode(line, type=Failure) for line in lines if line]
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError, RecursionError):
            raise CorpusError(f"{FAILURES} is damaged", REPAIR) from None

    def check(self) -> Iterator[str]:
        """What is wrong with it, a line each; every partition's footer is read."""
        store = Store(self.folder)
        for size, sha256 in self.recipe.autoencoders.items():
            name = f"{AUTOENCODERS}/{size}.safetensors"
            path = self.folder / name
            if not path.is_file() or file_hash(path) != sha256:
                yield f"{name} is missing or another than the codes are of"
        known = set()
        for path in sorted((self.folder / RECORDS).glob("*.json")):
            known.add(path.stem)
            record = store.record(path.stem)
            if record is None:
                yield f"{RECORDS}/{path.name} is damaged"
                continue
            yield from faults(self.folder, record, footers=True)
            if record.recipe != self.recipe.key:
                yield f"{record.id} was made by another version or with other options"
        for place in sorted((self.folder / KERNELS).glob("size=*/network=*")):
            if place.name.removeprefix("network=") not in known:
                yield f"{place.relative_to(self.folder)} belongs to no network"
        if {item.id for item in _read_networks(self.folder / NETWORKS)} != known:
            yield f"{NETWORKS} does not list the networks that are there"


REPAIR = (
    "kernelviewer corpus check tells what is wrong; building again from the same "
    "sources makes anew what is missing."
)


def read_recipe(folder: Path) -> Recipe:
    """How the kernels of a corpus are kept and named.

    Raises
    ------
    CorpusError
        The folder is no corpus, or one of another version.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        hint = "kernelviewer corpus build makes one."
        raise CorpusError(f"{folder} is no corpus", hint)
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise CorpusError(f"{path} is damaged") from None
    if not isinstance(facts, dict) or facts.get("kind") != KIND:
        raise CorpusError(f"{folder} is no corpus of this program")
    if facts.get("schema") != SCHEMA:
        raise CorpusError(
            f"{folder} is a corpus of version {facts.get('schema')} (program "
            f"{facts.get('program')}), this program reads version {SCHEMA}",
            "Open it with that program, or build it again into another folder.",
        )
    try:
        return msgspec.convert(facts["recipe"], Recipe)
    except (KeyError, msgspec.ValidationError):
        raise CorpusError(f"{path} is damaged") from None


def faults(folder: Path, network: Network, *, footers: bool = False) -> Iterator[str]:
    """What is wrong with a network's partitions: missing, cut off, of other rows."""
    for item in network.sizes:
        place = partition(folder, item.size, network.id)
        for name in (INDEX, WEIGHTS):
            path, size = place / name, item.bytes_of(name)
            shown = path.relative_to(folder)
            if not path.is_file():
                yield f"{shown} is missing"
            elif (there := path.stat().st_size) != size:
                yield f"{shown} has {there} bytes in place of {size}"
            elif footers and _rows_in(path) != item.kernels:
                yield f"{shown} is damaged"


def _rows_in(path: Path) -> int:
    parquet, arrow = library("pyarrow.parquet"), library("pyarrow")
    try:
        return int(parquet.read_metadata(path).num_rows)
    except (OSError, arrow.ArrowException):
        return -1


def _write_index(path: Path, rows: Rows) -> int:
    arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    ids = [item.id for item in CLASSES]

    def named(index: NDArray[Any], names: Sequence[str]) -> Any:
        places = arrow.array(index.astype(np.int32), mask=index < 0)
        return arrow.DictionaryArray.from_arrays(
            places, arrow.array(names, arrow.string())
        )

    def measured(values: NDArray[np.float32]) -> Any:
        return arrow.array(values, mask=np.isnan(values))

    table = arrow.table(
        {
            "layer": named(rows.layer, rows.layers),
            "layer_number": arrow.array(rows.layer.astype(np.int16)),
            "channel": arrow.array(rows.channel),
            "depth": arrow.array(rows.depth),
            "code": measured(rows.code),
            "fit": measured(rows.fit),
            "code_class": named(rows.code_class, ids),
            "family_class": named(rows.family_class, ids),
            "class": named(rows.class_index, ids),
            "cosine": measured(rows.cosine),
            "margin": measured(rows.margin),
            "scale": arrow.array(rows.scale),
            "offset": arrow.array(rows.offset),
            "flat": arrow.array(rows.flat),
        }
    )
    parquet.write_table(
        table,
        path,
        row_group_size=_INDEX_ROWS,
        compression="zstd",
        use_dictionary=[*_NAMES, *_SMALL],
        use_byte_stream_split=list(_FLOATS),
    )
    return path.stat().st_size


def _write_weights(path: Path, rows: Rows, precision: Precision) -> int:
    """Weights as strings of numbers of fixed length, which are read as they lie.

    float16 keeps each kernel's pattern, of mean 0 and length 1 over its window, which
    neither overflows nor vanishes; ``offset`` and ``scale`` of the index lead back,
    unless ``mean`` and ``length`` stand here (layers with a support, damaged kernels).
    """
    arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    mean, length = _window_measures(rows)
    with np.errstate(over="ignore"):
        values = (
            rows.weights
            if precision == "float32"
            else _unit(rows, mean, length).astype(np.float16)
        )
    width = prod(rows.size) * values.itemsize
    buffer = arrow.py_buffer(np.ascontiguousarray(values))
    kind = arrow.binary(width)
    other = (mean != rows.offset) | (length != rows.scale)
    same = ~other
    columns = [
        arrow.FixedSizeBinaryArray.from_buffers(kind, len(rows), [None, buffer]),
        arrow.array(rows.flat),
        arrow.array(mean, mask=same),
        arrow.array(length, mask=same),
    ]
    facts = {"size": list(rows.size), "weights": precision}
    schema = arrow.schema(
        [
            arrow.field("weights", kind, nullable=False),
            arrow.field("flat", arrow.bool_(), nullable=False),
            arrow.field("mean", arrow.float32()),
            arrow.field("length", arrow.float32()),
        ],
        metadata={"kernelviewer": json.dumps(facts)},
    )
    parquet.write_table(
        arrow.table(columns, schema=schema),
        path,
        row_group_size=max(64, _WEIGHT_BYTES // width),
        compression={"weights": "none", "flat": "zstd", "mean": "zstd"}
        | {"length": "zstd"},
        use_dictionary=False,
        write_statistics=False,
    )
    return path.stat().st_size


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a partition, read by row group."""

    file: Any
    ends: NDArray[np.int64]
    """int64 [G], number of the kernel after the last of each group."""
    size: Size
    """Kernel size."""
    is_pattern: bool
    """Whether they are kept as patterns (float16), else as they were."""

    @classmethod
    def at(cls, path: Path) -> Weights:
        """Open a partition's file; raises `CorpusError` if it is none of ours."""
        file = library("pyarrow.parquet").ParquetFile(path)
        meta = file.metadata
        rows = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        try:
            facts = json.loads(meta.metadata[b"kernelviewer"])
            size, kind = tuple(map(int, facts["size"])), facts["weights"]
            width = prod(size) * (2 if kind == "float16" else 4)
            if file.schema_arrow.field("weights").type.byte_width != width:
                raise ValueError(width)
            if sum(rows) * width > path.stat().st_size:  # they are not compressed
                raise ValueError(rows)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise CorpusError(f"{path} is damaged", REPAIR) from None
        return cls(file, np.cumsum(rows, dtype=np.int64), size, kind == "float16")

    def values(self, group: int) -> tuple[NDArray[np.floating], Any]:
        """Numbers [n, taps] of a row group as they lie in the file, and its columns."""
        table = self.file.read_row_group(group, use_threads=False)
        (chunk,) = table.column("weights").chunks
        kind = np.dtype("<f2" if self.is_pattern else "<f4")
        taps = prod(self.size)
        data = np.frombuffer(chunk.buffers()[1], kind)
        start = chunk.offset * taps
        return data[start : start + len(chunk) * taps].reshape(len(chunk), taps), table


def _window_measures(rows: Rows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean [N] and length [N] of the kernels over all taps; 1 where it would be 0.

    Those of the index, but where these are of a support or of no number.
    """
    flat = rows.weights.reshape(len(rows), -1)
    mean, length = rows.offset.copy(), rows.scale.copy()
    for start in range(0, len(rows), 4096):
        here = slice(start, start + 4096)
        block = flat[here].astype(np.float64)
        with np.errstate(invalid="ignore"):
            middle = block.mean(axis=1)
            norm = np.sqrt(((block - middle[:, None]) ** 2).sum(axis=1))
            far = ~(np.abs(norm - length[here]) <= 1e-4 * norm)
            far |= ~(np.abs(middle - mean[here]) <= 1e-4 * (norm + np.abs(middle)))
        sound = np.isfinite(norm) & (norm <= np.finfo(np.float32).max)
        mean[here] = np.where(far, np.where(sound, middle, 0), mean[here])
        length[here] = np.where(far, np.where(sound, norm, 1), length[here])
    return mean, length


def _unit(
    rows: Rows, mean: NDArray[np.float32], length: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Patterns [N, *size]; kernels that are no numbers as they are."""
    found = patterns(rows.weights, length, mean)
    broken = ~np.isfinite(rows.weights.reshape(len(rows), -1)).all(axis=1)
    found[broken] = rows.weights[broken]
    return found


_LISTED_AT_ONCE = 256
_LISTED = (
    *("id", "name", "source", "sha256", "content", "format", "architecture"),
    *("size_bytes", "parameters", "copy", "recipe", "equal_to", "schema"),
)


def _write_networks(path: Path, networks: Sequence[Network]) -> None:
    arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    text, whole, share = arrow.string(), arrow.int64(), arrow.float64()
    entry = arrow.struct([("class", text), ("kernels", whole)])
    texts = [(name, text) for name in ("size", "by", "words")]
    wholes = [("kernels", whole), ("flat", whole)]
    shares = [
        (name, share) for name in ("threshold", "coverage", "null_coverage", "mean_fit")
    ]
    places = [("index_bytes", whole), ("weights_bytes", whole)]
    sizes = arrow.struct(
        [*texts, *wholes, *shares, *places, ("classes", arrow.list_(entry))]
    )
    numbers = ("size_bytes", "parameters", "schema")
    schema = arrow.schema(
        [
            *((name, whole if name in numbers else text) for name in _LISTED),
            ("kernels", whole),
            ("warnings", arrow.list_(text)),
            ("sizes", arrow.list_(sizes)),
        ]
    )
    rows = [
        {name: getattr(item, name) for name in (*_LISTED, "kernels")}
        | {
            "warnings": list(item.warnings),
            "sizes": [
                msgspec.structs.asdict(size)
                | {
                    "classes": [
                        {"class": name, "kernels": count}
                        for name, count in size.classes.items()
                    ]
                }
                for size in item.sizes
            ],
        }
        for item in networks
    ]
    temporary = path.with_name(f".{path.name}")
    parquet.write_table(arrow.Table.from_pylist(rows, schema), temporary)
    temporary.replace(path)


def _read_networks(path: Path) -> list[Network]:
    """The networks that ``networks.parquet`` lists; none where it cannot be read."""
    parquet, arrow = library("pyarrow.parquet"), library("pyarrow")
    found: list[Network] = []
    wrong = (OSError, KeyError, TypeError, arrow.ArrowException)
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_LISTED_AT_ONCE, use_threads=False):
                found += map(_listed, batch.to_pylist())
    except (*wrong, msgspec.ValidationError):
        return []
    return found if all(map(_is_sound, found)) else []


def _listed(row: dict[str, Any]) -> Network:
    """A network of its row."""
    del row["kernels"]
    for size in row["sizes"]:
        size["classes"] = {
            sys.intern(item["class"]): item["kernels"] for item in size["classes"]
        }
    return msgspec.convert(row | {"layers": ()}, Network)


def _is_sound(network: Network) -> bool:
    """Whether a network's names can only lead into the corpus, and sizes are some."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", network.id) is not None and all(
        re.fullmatch(r"[1-9]\d{0,4}(x[1-9]\d{0,4}){0,2}", item.size)
        and prod(map(int, item.size.split("x"))) <= _MOST_TAPS
        for item in network.sizes
    )
