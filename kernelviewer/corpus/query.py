"""Asking a corpus: which kernels, how many, of which classes; rows, weights, nearest.

Counts and filters are DuckDB's, over the index alone; weights are read by row group,
only where rows of it are wanted. Nothing is loaded whole: nearest kernels come from one
pass over the weights, which as patterns need no more than a product each. A query is
written as a line of text, `parse`, the same in commands and in the window.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.corpus.store import (
    INDEX,
    REPAIR,
    WEIGHTS,
    CorpusError,
    Weights,
    library,
    partition,
)
from kernelviewer.device import threads
from kernelviewer.kernels.bank import KernelBank, KernelSet
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer.corpus.store import Corpus, Network
    from kernelviewer.kernels.bank import LayerInfo, Size
    from kernelviewer.watch import Watch

MOST_NEAREST = 1000
_TEXTS = ("class", "code_class", "family_class", "layer")
_NUMBERS = (
    *("code", "fit", "cosine", "margin", "scale", "offset", "depth", "channel"),
)
GROUPS = ("network", "class", "code_class", "family_class", "depth", "layer")
"""Columns that kernels can be counted by."""
COLUMNS = (
    *("layer", "layer_number", "channel", "depth", "code", "fit", "code_class"),
    *("family_class", "class", "cosine", "margin", "scale", "offset", "flat"),
)
"""Columns of the index, without those that paths have."""
_TERM = re.compile(r"(\w+)\s*(>=|<=|!=|=|>|<)\s*(\"[^\"]*\"|\S+)")
_RANGE = re.compile(r"(-?[\d.eE+]+)\.\.(-?[\d.eE+]+)")
_BLOCK, _AT_ONCE, _FILES = 4096, 1 << 22, 512
"""Kernels that are compared, that are looked at, and their files, at a time."""
_KNOWN = 1 << 13
"""Files whose footers may be kept, at some 20 kB each."""
HELP = (
    "terms: size=7x7, class=on-centre,off-centre, network=mcunet*, layer=stages.2.*, "
    "flat=no, repeats=no (without networks equal to an earlier one); fit, cosine, "
    "margin, code, depth, channel, scale, offset with =, <, <=, >, >= or a range such "
    "as fit=0.8..0.9; != for what is not so"
)


@dataclass(frozen=True, slots=True)
class Term:
    """A condition: a column, how it is compared, and with what.

    Texts are patterns, of which one has to match (``!=``: none); numbers are compared.
    """

    column: str
    sign: str
    texts: tuple[str, ...] = ()
    number: float = 0.0


@dataclass(frozen=True, slots=True)
class Query:
    """Which kernels of a corpus: those that meet all terms."""

    size: str = ""
    """Kernel size as in ``7x7``; empty: all."""
    networks: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Patterns of ids or names of networks: those, and those not."""
    once: bool = False
    """Whether networks with the kernels of an earlier one are left out."""
    terms: tuple[Term, ...] = ()
    """The rest."""


def parse(text: str) -> Query:
    """A query of its text, such as ``size=7x7 class=on-centre fit>=0.9``.

    Raises
    ------
    CorpusError
        It is none; the hint tells what can be written.
    """
    found: dict[str, Any] = {"terms": []}
    rest = text
    while rest := rest.strip():
        match = _TERM.match(rest)
        if match is None:
            raise CorpusError(f"{rest.split()[0]!r} is no term of a query", _hint())
        rest = rest[match.end() :]
        _take(match[1].lower(), match[2], match[3].strip('"'), found)
    terms = tuple(found.pop("terms"))
    return Query(**found, terms=terms)


def _hint() -> str:
    return f"Give {HELP}."


def _take(name: str, sign: str, value: str, found: dict[str, Any]) -> None:
    """Note one term."""
    texts = tuple(part for part in value.split(",") if part)
    if name == "size" and sign == "=":
        found["size"] = value.replace("×", "x")
        size_of(found["size"])
    elif name == "network" and sign in ("=", "!="):
        key = "networks" if sign == "=" else "without"
        found[key] = (*found.get(key, ()), *texts)
    elif name == "repeats" and sign == "=" and value in ("yes", "no"):
        found["once"] = value == "no"
    elif name in _TEXTS and sign in ("=", "!="):
        if name != "layer":
            _check_classes(texts)
        found["terms"].append(Term(name, sign, texts))
    elif name == "flat" and sign == "=" and value in ("yes", "no", "true", "false"):
        found["terms"].append(Term("flat", "=", number=float(value in ("yes", "true"))))
    elif name in _NUMBERS:
        ends = _RANGE.fullmatch(value) if sign == "=" else None
        pairs = ((">=", ends[1]), ("<=", ends[2])) if ends else ((sign, value),)
        for way, part in pairs:
            found["terms"].append(Term(name, way, number=_number(part, name)))
    else:
        raise CorpusError(f"{name}{sign}{value} is no term of a query", _hint())


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CorpusError(f"{text!r} is no number for {name}", _hint()) from None


def _check_classes(texts: Sequence[str]) -> None:
    ids = [item.id for item in CLASSES]
    for text in texts:
        if not fnmatch.filter(ids, text):
            raise CorpusError(
                f"there is no class {text}", f"Classes: {', '.join(ids)}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Kernels of one size in a corpus, as places. n kernels."""

    size: Size
    """Kernel size."""
    networks: tuple[str, ...]
    """Ids that ``network`` indexes."""
    network: NDArray[np.int32]
    row: NDArray[np.int64]
    """int32 [n] and int64 [n]: index of the network, and number of the kernel in its
    partition."""
    total: int
    """How many the query has; more than n where only a part was asked for."""
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Further columns of the index by name, [n] each."""

    def __len__(self) -> int:
        return len(self.row)

    @property
    def key(self) -> str:
        """The kernel size as in paths, ``7x7``."""
        return "x".join(map(str, self.size))

    def in_order(self) -> Found:
        """The same kernels by network, layer and channel, as views have them."""
        return self.take(np.lexsort((self.row, self.network)))

    def take(self, here: NDArray[np.integer]) -> Found:
        """Those at some places, in that order."""
        columns = {name: values[here] for name, values in self.columns.items()}
        return replace(
            self, network=self.network[here], row=self.row[here], columns=columns
        )


class Questions:
    """Asks a corpus. It may be used by one thread at a time."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self._seen: set[tuple[str, str, str]] = set()

    @cached_property
    def _database(self) -> Any:
        database = library("duckdb").connect()
        files = sum(len(item.sizes) for item in self.corpus.networks)
        for setting in (
            "enable_progress_bar = false",
            f"parquet_metadata_cache = {str(files <= _KNOWN).lower()}",
            "autoinstall_known_extensions = false",
            f"threads = {threads()}",
        ):
            database.execute(f"set {setting}")
        return database

    def close(self) -> None:
        """Let go of the database."""
        if "_database" in self.__dict__:
            self._database.close()
            del self.__dict__["_database"]

    def interrupt(self) -> None:
        """End the question that another thread asks; it raises `CorpusError`."""
        if "_database" in self.__dict__:
            self._database.interrupt()

    def networks(self, query: Query) -> list[Network]:
        """The networks in which the query looks, by id."""
        return [
            item
            for item in self.corpus.networks
            if (not query.networks or _is_named(item, query.networks))
            and not _is_named(item, query.without)
            and not (query.once and item.equal_to)
            and (not query.size or item.counts(query.size) is not None)
        ]

    def count(self, query: Query, watch: Watch = NEVER) -> int:
        """How many kernels there are; ``watch`` as for all questions, see `nearest`."""
        if not query.terms:
            return sum(
                item.kernels
                for network in self.networks(query)
                for item in network.sizes
                if query.size in ("", item.size)
            )
        parts = self._answers("count(*)", query, watch=watch)
        return sum(int(rows[0][0]) for _, rows in parts)

    def counts(
        self, query: Query, by: Sequence[str], watch: Watch = NEVER
    ) -> dict[tuple[Any, ...], int]:
        """How many kernels there are by some columns of `GROUPS`, or ``size``."""
        for name in by:
            if name not in (*GROUPS, "size"):
                hint = f"Choose of {', '.join((*GROUPS, 'size'))}."
                raise CorpusError(f"kernels are not counted by {name}", hint)
        columns = {"network": "file_index", "size": "file_index"}
        names = ", ".join(columns.get(name, f'"{name}"') for name in by)
        places = self._places(query)
        found: Counter[tuple[Any, ...]] = Counter()
        for first, rows in self._answers(
            f"{names}, count(*)", query, f"group by {names}", watch=watch
        ):
            for *values, count in rows:
                key = []
                for name, value in zip(by, values, strict=True):
                    place = places[first + value] if name in columns else ("", "")
                    own = dict(zip(("network", "size"), place, strict=True))
                    key.append(own.get(name, value))
                found[tuple(key)] += int(count)
        return dict(found)

    def histogram(
        self,
        query: Query,
        column: str,
        bins: int,
        low: float,
        high: float,
        watch: Watch = NEVER,
    ) -> NDArray[np.int64]:
        """Kernels in ``bins`` equal parts of [low, high]; those beyond are left out."""
        if column not in _NUMBERS:
            raise CorpusError(f"there is no histogram of {column}", _hint())
        place = f'least(floor(("{column}" - $low) / $wide)::integer, {bins - 1})'
        within = f'"{column}" between $low and $high'
        values = {"low": low, "high": high, "wide": (high - low) / bins}
        counts = np.zeros(bins, np.int64)
        for _, rows in self._answers(
            *(f"{place} as bin, count(*)", query, "group by bin", within, values),
            watch=watch,
        ):
            for bin_, count in rows:
                counts[bin_] += count
        return counts

    def find(
        self,
        query: Query,
        most: int,
        *,
        seed: int | None = None,
        columns: Sequence[str] = (),
        watch: Watch = NEVER,
    ) -> Found:
        """Places of the kernels, at most ``most`` of them.

        Parameters
        ----------
        query
            It has a size, or all that it finds is of one.
        most
            The first that there are, in the order of networks.
        seed
            Where there are more: a sample of all in place of the first.
        columns
            Of `COLUMNS`, read with them.

        Raises
        ------
        CorpusError
            The query is of several sizes.
        """
        query = self.of_one_size(query)
        if seed is None:
            found = self._found(query, 0, columns, most=most + 1, watch=watch)
            total = len(found) if len(found) <= most else self.count(query, watch)
            return replace(found.take(np.arange(min(most, len(found)))), total=total)
        total = self.count(query, watch)
        if total <= most:
            return self._found(query, total, columns, watch=watch)
        share = (most + 6 * math.sqrt(most) + 10) / total
        while True:  # a hash takes some more than wanted, of which chance leaves out
            bound = {"seed": seed, "bound": int(min(share, 1) * 2**64) - 1}
            some = "hash(file_index + $first, file_row_number, $seed) <= $bound"
            found = self._found(
                query, total, columns, also=some, values=bound, watch=watch
            )
            if len(found) >= most:
                random = np.random.default_rng(seed)
                return found.take(np.sort(random.permutation(len(found))[:most]))
            share *= 2

    def _found(
        self,
        query: Query,
        total: int,
        columns: Sequence[str],
        *,
        most: int = -1,
        also: str = "",
        values: dict[str, Any] | None = None,
        among: list[tuple[str, str]] | None = None,
        watch: Watch = NEVER,
    ) -> Found:
        """Places of kernels, and columns with them; of the first ``most`` if given."""
        places = self._places(query) if among is None else among
        wanted = ["file_index", "file_row_number", *columns]
        parts: dict[str, list[NDArray[Any]]] = {name: [] for name in wanted}
        left = most
        for first, found in self._answers(
            ", ".join(f'"{name}"' for name in wanted),
            query,
            "" if most < 0 else f"limit {most}",
            also,
            values,
            places,
            watch,
            as_columns=True,
        ):
            found["file_index"] = found["file_index"].astype(np.int64) + first
            for name, rows in parts.items():
                rows.append(_plain(found[name]))
            left -= len(found["file_index"])
            if most >= 0 >= left:
                break
        joined = {
            name: np.concatenate(rows) if rows else np.empty(0)
            for name, rows in parts.items()
        }
        return Found(
            size_of(query.size),
            tuple(network for network, _ in places),
            joined.pop("file_index").astype(np.int32),
            joined.pop("file_row_number").astype(np.int64),
            total,
            joined,
        )

    def of_one_size(self, query: Query) -> Query:
        """The query with the size that its kernels have.

        Raises
        ------
        CorpusError
            They have several, or there are none.
        """
        if query.size:
            return query
        sizes = {item.size for n in self.networks(query) for item in n.sizes}
        if len(sizes) != 1:
            names = ", ".join(key for key in self.corpus.sizes() if key in sizes)
            problem = "the kernels are of several sizes" if sizes else "there are none"
            raise CorpusError(problem, f"Name one, as in size=7x7; there are {names}.")
        return replace(query, size=sizes.pop())

    def rows(self, found: Found, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns of the index of kernels that were found, [n] each.

        Raises
        ------
        CorpusError
            A partition is missing or damaged.
        """
        values: dict[str, NDArray[Any]] = {}
        with _clear():
            for index, here in _by_network(found.network):
                place = self._file(found.networks[index], found.key, INDEX)
                part = _index_at(place, found.row[here], columns)
                for key, own in part.items():
                    room = np.empty(len(found), own.dtype)
                    values.setdefault(key, room)[here] = own
        return values or {name: np.empty(0) for name in columns}

    def bank(self, found: Found, name: str, watch: Watch = NEVER) -> KernelBank:
        """The kernels as a network, in the order of ``found`` (see `Found.in_order`).

        Its layers are those of their networks, as ``network/layer``. Only the row
        groups in which they lie are read. Weights that are kept as float16 come back
        within a thousandth of a kernel's scale.

        Raises
        ------
        CorpusError
            A partition is missing or damaged.
        """
        size, count = found.size, len(found)
        weights = np.empty((count, *size), np.float32)
        small: dict[str, NDArray[Any]] = {
            "channel": np.empty(count, np.int32),
            "scale": np.empty(count, np.float32),
            "offset": np.empty(count, np.float32),
            "flat": np.empty(count, np.bool_),
        }
        own = np.empty(count, np.int64)

        def read(part: tuple[int, NDArray[np.intp]]) -> None:
            index, here = part
            watch.check()
            rows = found.row[here]
            place = found.networks[index], found.key
            stored = self._file(*place, WEIGHTS)
            weights[here], measured = _weights_at(stored, rows, size)
            listed = self._file(*place, INDEX)
            columns = _index_at(listed, rows, ("layer_number", *small))
            own[here] = columns.pop("layer_number")
            for key, values in columns.items():
                small[key][here] = values
            _restore(weights, here, measured, small["scale"], small["offset"])

        parts = _by_network(found.network)
        self._each(parts, read, watch, len(parts), len(parts))
        layer, layers, supports = self._layers(found, own, small["flat"])
        return _bank(
            self.corpus.folder,
            name,
            layers,
            {size: KernelSet(size, weights, layer, **small, supports=supports)},
        )

    def network(self, identity: str, watch: Watch = NEVER) -> KernelBank:
        """A network with all its kernels, as it was taken in.

        Raises
        ------
        CorpusError
            It is not in the corpus, or a partition is missing or damaged.
        """
        record = self.corpus.record(identity)
        sets = {}
        for item in record.sizes:
            size = size_of(item.size)
            rows = np.arange(item.kernels)
            everything = np.zeros(item.kernels, np.int32)
            found = Found(size, (identity,), everything, rows, len(rows))
            kernels = self.bank(found, record.name, watch).sizes[size]
            place = self._file(identity, item.size, INDEX)
            own = _index_at(place, rows, ("layer_number",))["layer_number"]
            supports = {
                index: layer.support
                for index in map(int, np.unique(own))
                if (layer := record.layers[index]).support is not None
            }
            sets[size] = replace(kernels, layer=own.astype(np.int32), supports=supports)
        bank = _bank(self.corpus.folder, record.name, record.layers, sets)
        return replace(
            bank,
            format=record.format,
            size_bytes=record.size_bytes,
            architecture=record.architecture,
            warnings=record.warnings,
        )

    def nearest(
        self,
        kernel: NDArray[np.floating],
        *,
        most: int = MOST_NEAREST,
        least: float = -1.0,
        query: Query | None = None,
        watch: Watch = NEVER,
    ) -> Found:
        """The kernels nearest to a kernel, the nearest first, with ``similarity``.

        One pass over the weights of the kernel's size; the cosine is between patterns
        over the whole window, and flat kernels have none.

        Parameters
        ----------
        kernel
            [*size], of whatever mean and length.
        most, least
            How many, and from which cosine on.
        query
            Among which kernels; its size is the kernel's.
        watch
            Told networks done and in all; what it raises ends the search.

        Raises
        ------
        CorpusError
            The kernel is constant, or a partition is missing or damaged.
        """
        size = tuple(kernel.shape)
        wanted = kernel.astype(np.float64).ravel() - kernel.mean(dtype=np.float64)
        length = float(np.sqrt((wanted**2).sum()))
        if not np.isfinite(length) or length <= 0:
            raise CorpusError("a constant kernel has no pattern to compare with")
        pattern = (wanted / length).astype(np.float32)
        query = replace(query or Query(), size="x".join(map(str, size)))
        places = self._places(query)
        best = _Best(most, least)

        def search(item: tuple[int, NDArray[np.int64] | None]) -> None:
            index, rows = item
            watch.check()
            place = self._file(*places[index], WEIGHTS)
            for first, similar in _similar(place, pattern, rows):
                best.add(index, first, similar)

        for first, last in self._parts(places) if query.terms else ():
            chosen = self._found(query, 0, (), among=places[first:last])
            parts = _by_network(chosen.network)
            rows = [(first + index, chosen.row[here]) for index, here in parts]
            self._each(rows, search, watch, last, len(places))
        if not query.terms:
            whole = [(index, None) for index in range(len(places))]
            self._each(whole, search, watch, len(places), len(places))
        network, row, similarity = best.sorted()
        return Found(
            size,
            tuple(name for name, _ in places),
            network,
            row,
            len(row),
            {"similarity": similarity},
        )

    def _parts(self, places: list[tuple[str, str]]) -> Iterator[tuple[int, int]]:
        """Stretches of the partitions, of as many kernels as are looked at at once."""
        first, kernels = 0, 0
        for number, (network, size) in enumerate(places):
            counts = self.corpus.by_id[network].counts(size)
            kernels += counts.kernels if counts is not None else 0
            if kernels >= _AT_ONCE or number + 1 - first >= _FILES:
                yield first, number + 1
                first, kernels = number + 1, 0
        if first < len(places):
            yield first, len(places)

    def _each(
        self, parts: Sequence[Any], work: Any, watch: Watch, done: int, total: int
    ) -> None:
        """Work on parts side by side; in the end ``done`` of ``total`` are done."""
        before = done - len(parts)
        with _clear(), ThreadPoolExecutor(max(1, threads())) as pool:
            for number, _ in enumerate(pool.map(work, parts), 1):
                watch.progress(before + number, total, "reading the corpus")

    def _layers(
        self, found: Found, own: NDArray[np.int64], flat: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], tuple[LayerInfo, ...], dict[int, Any]]:
        """Index of each kernel's layer, those layers, and which have a support."""
        pairs = np.stack([found.network, own], axis=1)
        distinct, layer = np.unique(pairs, axis=0, return_inverse=True)
        layer = layer.reshape(-1)
        kernels = np.bincount(layer, minlength=len(distinct))
        flats = np.bincount(layer, flat, minlength=len(distinct)).astype(int)
        layers, supports = [], {}
        own_networks = np.unique(found.network).tolist()
        records = {n: self.corpus.record(found.networks[n]) for n in own_networks}
        for place, (number, index) in enumerate(distinct.tolist()):
            known = records[number].layers
            if not 0 <= index < len(known):
                name = found.networks[number]
                raise CorpusError(f"the record of {name} lacks a layer", REPAIR)
            info = known[index]
            layers.append(
                replace(
                    info,
                    name=f"{found.networks[number]}/{info.name}",
                    kernels=int(kernels[place]),
                    flat=int(flats[place]),
                )
            )
            if info.support is not None:
                supports[place] = info.support
        return layer.astype(np.int32), tuple(layers), supports

    def _file(self, network: str, size: str, name: str) -> Path:
        """A file of a partition, which at the first time is held against its record.

        Raises
        ------
        CorpusError
            It is missing, or another.
        """
        path = partition(self.corpus.folder, size, network) / name
        if (network, size, name) in self._seen:
            return path
        known = self.corpus.by_id.get(network)
        item = None if known is None else known.counts(size)
        wanted = 0 if item is None else item.bytes_of(name)
        try:
            there = path.stat().st_size
        except OSError:
            raise CorpusError(f"{path} is missing", REPAIR) from None
        if there != wanted:
            raise CorpusError(f"{path} has {there} bytes in place of {wanted}", REPAIR)
        self._seen.add((network, size, name))
        return path

    def _places(self, query: Query) -> list[tuple[str, str]]:
        """(network, size) of the partitions in which a query looks."""
        return [
            (network.id, item.size)
            for network in self.networks(query)
            for item in network.sizes
            if query.size in ("", item.size)
        ]

    def _answers(
        self,
        columns: str,
        query: Query,
        group: str = "",
        also: str = "",
        values: dict[str, Any] | None = None,
        places: list[tuple[str, str]] | None = None,
        watch: Watch = NEVER,
        *,
        as_columns: bool = False,
    ) -> Iterator[tuple[int, Any]]:
        """Rows, or columns by name, of one stretch of the partitions after the other.

        With the number of its first partition, which the SQL has as ``$first``. So an
        answer can be watched and ended, and never needs more files at once.
        """
        places = self._places(query) if places is None else places
        terms, bound = _conditions(query.terms)
        if also:
            terms.append(also)
        where = f" where {' and '.join(terms)}" if terms else ""
        sql = f"select {columns} from read_parquet($files, hive_partitioning=false)"
        sql = f"{sql}{where} {group}"
        for first, last in self._parts(places):
            watch.check()
            files = [str(self._file(n, s, INDEX)) for n, s in places[first:last]]
            given = {"files": files, **bound, **(values or {})}
            if "$first" in sql:
                given["first"] = first
            with _clear():
                cursor = self._database.execute(sql, given)
                found = cursor.fetchnumpy() if as_columns else cursor.fetchall()
            yield first, found
            watch.progress(last, len(places), "reading the corpus")


def size_of(key: str) -> Size:
    """Kernel size of its name, ``7x7``.

    Raises
    ------
    CorpusError
        It is none.
    """
    try:
        size = tuple(int(part) for part in key.split("x"))
    except ValueError:
        size = ()
    if not size or min(size) < 1:
        raise CorpusError(f"{key!r} is no kernel size", "Give one such as 7x7.")
    return size


def _is_named(network: Network, wanted: Sequence[str]) -> bool:
    return any(
        fnmatch.fnmatchcase(name, text)
        for text in wanted
        for name in (network.id, network.name)
    )


def _conditions(terms: Sequence[Term]) -> tuple[list[str], dict[str, Any]]:
    """The terms as SQL, and the values in it; nothing of a text gets into the SQL."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    for number, term in enumerate(terms):
        key = f"v{number}"
        if term.column == "flat":
            conditions.append("flat" if term.number else "not flat")
        elif not term.texts:
            conditions.append(f'"{term.column}" {term.sign} ${key}')
            values[key] = term.number
        else:
            parts = []
            for place, text in enumerate(term.texts):
                values[f"{key}_{place}"] = text
                parts.append(f'"{term.column}" glob ${key}_{place}')
            either = f"({' or '.join(parts)})"
            conditions.append(either if term.sign == "=" else f"not {either}")
    return conditions, values


@contextmanager
def _clear() -> Iterator[None]:
    """Say what it means that DuckDB or Arrow cannot read a file."""
    duckdb, arrow = library("duckdb"), library("pyarrow")
    try:
        yield
    except duckdb.InterruptException as error:
        raise CorpusError("the question was interrupted") from error
    except RuntimeError as error:  # DuckDB's word for Ctrl-C
        if "interrupted" not in str(error):
            raise
        raise KeyboardInterrupt from None
    except (duckdb.Error, arrow.ArrowException, OSError) as error:
        line = (str(error).splitlines() or [""])[0][:300]
        raise CorpusError(f"the corpus cannot be read ({line})", REPAIR) from error


def _plain(values: Any) -> NDArray[Any]:
    """Values of a column: no number where there is none, "" where there is no text."""
    if not isinstance(values, np.ma.MaskedArray):
        return np.asarray(values)
    return values.filled("" if values.dtype == object else np.nan)


def _by_network(network: NDArray[np.int32]) -> list[tuple[int, NDArray[np.intp]]]:
    """(index, places) of each network in [n]."""
    order = np.argsort(network, kind="stable")
    starts = np.flatnonzero(np.diff(network[order], prepend=-1))
    parts = np.split(order, starts[1:])
    return [(int(network[part[0]]), part) for part in parts if len(part)]


def _weights_at(
    path: Path, rows: NDArray[np.int64], size: Size
) -> tuple[NDArray[np.float32], Any]:
    """Kernels of a partition by number, and (mean, length) to lead patterns back."""
    stored = Weights.at(path)
    found = np.empty((len(rows), math.prod(size)), np.float32)
    mean = np.full(len(rows), np.nan, np.float32)
    length = np.full(len(rows), np.nan, np.float32)
    if stored.size != size or (len(rows) and rows.max() >= stored.ends[-1]):
        raise CorpusError(f"{path} is damaged", REPAIR)
    groups = np.searchsorted(stored.ends, rows, "right")
    for group in np.unique(groups):
        here = np.flatnonzero(groups == group)
        values, table = stored.values(int(group))
        inner = rows[here] - (stored.ends[group] - len(values))
        found[here] = values[inner]
        mean[here] = _numbers(table.column("mean"))[inner]
        length[here] = _numbers(table.column("length"))[inner]
    return found.reshape(-1, *size), (mean, length) if stored.is_pattern else None


def _restore(
    weights: NDArray[np.float32],
    here: NDArray[np.intp],
    measured: Any,
    scale: NDArray[np.float32],
    offset: NDArray[np.float32],
) -> None:
    """Turn patterns at some places into kernels, in place."""
    if measured is None:
        return
    mean, length = measured
    mean = np.where(np.isnan(mean), offset[here], mean)
    length = np.where(np.isnan(length), scale[here], length)
    shape = (len(here),) + (1,) * (weights.ndim - 1)
    with np.errstate(invalid="ignore", over="ignore"):
        weights[here] = weights[here] * length.reshape(shape) + mean.reshape(shape)


def _numbers(column: Any) -> NDArray[np.float32]:
    """float32 of an Arrow column, NaN for none."""
    return np.asarray(column.to_numpy(), np.float32)


def _index_at(
    path: Path, rows: NDArray[np.int64], columns: Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Columns of a partition's index at some rows."""
    file = library("pyarrow.parquet").ParquetFile(path)
    table = file.read(list(columns), use_threads=False)
    if len(rows) and rows.max() >= len(table):
        raise CorpusError(f"{path} is damaged", REPAIR)
    return {name: table.column(name).to_numpy()[rows] for name in columns}


def _similar(
    path: Path, pattern: NDArray[np.float32], rows: NDArray[np.int64] | None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """First row and cosines of block after block; −2 for those that do not count."""
    stored = Weights.at(path)
    for group, end in enumerate(stored.ends):
        values, table = stored.values(group)
        start = int(end) - len(values)
        out = np.asarray(table.column("flat").to_numpy(), bool)
        if rows is not None:
            out = out.copy()
            out[np.isin(np.arange(start, end), rows, invert=True)] = True
        found = np.empty(len(values), np.float32)
        for first in range(0, len(values), _BLOCK):
            block = values[first : first + _BLOCK].astype(np.float32)
            # not by BLAS, whose threads would wait for each other
            np.einsum("ij,j->i", block, pattern, out=found[first : first + _BLOCK])
        if not stored.is_pattern:
            found /= _lengths(values)
        yield start, np.where(out, np.float32(-2), found)


def _lengths(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Length of each kernel [n, taps] less its mean."""
    free = values - values.mean(axis=1, dtype=np.float64)[:, None]
    length = np.sqrt(np.einsum("ij,ij->i", free, free))
    return np.where(length > 0, length, np.inf).astype(np.float32)


class _Best:
    """The most similar kernels so far; several threads may add."""

    def __init__(self, most: int, least: float) -> None:
        self._most, self._floor = most, np.float32(least)
        self._lock = Lock()
        self._network = np.empty(0, np.int32)
        self._row = np.empty(0, np.int64)
        self._similar = np.empty(0, np.float32)

    def add(self, network: int, first: int, similar: NDArray[np.float32]) -> None:
        """Take in the similarity of the kernels of a network from ``first`` on."""
        place = np.flatnonzero(similar >= self._floor)
        if not len(place):
            return
        with self._lock:
            joined = np.concatenate([self._similar, similar[place]])
            row = np.concatenate([self._row, first + place])
            own = np.full(len(place), network, np.int32)
            owner = np.concatenate([self._network, own])
            if len(joined) > self._most:
                # of equals the first in the corpus, whoever was read first
                keep = np.lexsort((row, owner, -joined))[: self._most]
                joined, row, owner = joined[keep], row[keep], owner[keep]
                self._floor = joined.min()
            self._similar, self._row, self._network = joined, row, owner

    def sorted(
        self,
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
        """Networks, rows and similarities, the most similar first."""
        order = np.lexsort((self._row, self._network, -self._similar))
        similar = self._similar[order].clip(-1, 1)
        return self._network[order], self._row[order], similar


def _bank(
    path: Path, name: str, layers: tuple[LayerInfo, ...], sets: dict[Size, KernelSet]
) -> KernelBank:
    for kernels in sets.values():
        for key in ("weights", "layer", "channel", "scale", "offset", "flat"):
            getattr(kernels, key).flags.writeable = False
    return KernelBank(path, name, "corpus", 0, layers, sets)
