"""What is counted over all networks of a corpus, and accuracies from elsewhere.

Coverage, white noise beside it and shares of classes come from the records, so that a
table of ten thousand networks reads no kernel. Accuracies are a table of the user's, a
network and a number a row, that is joined by the network's name, id or file.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import math
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.corpus.store import CorpusError
from kernelviewer.figures.content import Table
from kernelviewer.figures.counts import Counts, counted_networks
from kernelviewer.figures.scene import FAMILY, Counted, Scene, Yardstick
from kernelviewer.kernels.bank import size_key
from kernelviewer.kernels.classes import CLASSES, INDEX, PAPER_OF, SCHEMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kernelviewer.corpus.store import Corpus, Network, SizeCounts
    from kernelviewer.kernels.bank import Size
    from kernelviewer.text import AnyPath

_NAMES = ("network", "name", "model", "id", "source", "file")
_VALUES = ("accuracy", "top1", "top-1", "top_1", "acc", "acc1", "score")
_LARGEST = 1 << 26


@dataclass(frozen=True)
class Accuracies:
    """Accuracies by what the user calls the networks.

    ``what`` is the heading of their column.
    """

    what: str
    values: Mapping[str, float]

    @classmethod
    def read(cls, path: AnyPath) -> Accuracies:
        """Read a CSV file with a column for the network and one for its accuracy.

        The columns are those named ``network``, ``name``, ``model`` … and ``accuracy``,
        ``top1`` …, else the first two.

        Raises
        ------
        CorpusError
            It cannot be read, or a value is no number.
        """
        path = Path(path)
        try:
            if path.stat().st_size > _LARGEST:
                raise CorpusError(f"{path} is too large for a table of accuracies")
            text = path.read_text("utf-8-sig")
            rows = [row for row in csv.reader(io.StringIO(text)) if any(row)]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise CorpusError(f"{path} cannot be read as CSV ({error})") from None
        if len(rows) < 2 or len(rows[0]) < 2:
            hint = "Give a line of headings, then a network and its accuracy a line."
            raise CorpusError(f"{path} has no rows with two columns", hint)
        heads = [head.strip().lower() for head in rows[0]]
        name = next((heads.index(n) for n in _NAMES if n in heads), 0)
        value = next((heads.index(n) for n in _VALUES if n in heads), 1)
        found = {}
        for number, row in enumerate(rows[1:], 2):
            try:
                measured = float(row[value])
            except (IndexError, ValueError):
                measured = math.nan
            if not math.isfinite(measured) or name >= len(row):
                raise CorpusError(f"{path}, line {number}: there is no accuracy in it")
            found[row[name].strip()] = measured
        return cls(rows[0][value].strip(), found)

    def of(self, network: Network) -> float | None:
        """The accuracy of a network, if it is there under any of its names."""
        return self.find(_names(network))

    def find(self, names: Sequence[str]) -> float | None:
        """The accuracy under the first of the names that it has."""
        return next((self.values[n] for n in names if n in self.values), None)

    def unused(self, networks: Sequence[Network]) -> list[str]:
        """Names in the table that none of the networks has."""
        there = {name for item in networks for name in _names(item)}
        return [name for name in self.values if name not in there]

    def join(self, scene: Scene) -> Scene:
        """A scene of opened networks with their accuracies, for figures of counts."""
        yardstick = scene.yardstick
        if yardstick is None:
            return scene
        banks = {subject.name: subject.bank for subject in scene.subjects}
        counted = tuple(
            replace(item, accuracy=self.find((item.name, banks[item.name].path.name)))
            for item in counted_networks(scene, yardstick)
        )
        return replace(scene, counted=counted, measured=self.what)


def _names(network: Network) -> tuple[str, ...]:
    """All that a network is called."""
    file = PurePath(network.source)
    return (network.id, network.name, network.source, file.name, file.stem)


def main_size(corpus: Corpus) -> str:
    """The size with most kernels.

    Raises
    ------
    CorpusError
        There are none.
    """
    size = next(iter(corpus.sizes()), "")
    if not size:
        raise CorpusError("the corpus has no kernels")
    return size


def chosen(
    corpus: Corpus, size: str, patterns: Sequence[str] = (), *, repeats: bool = False
) -> list[tuple[Network, SizeCounts]]:
    """The networks with kernels of a size, and those kernels counted.

    Parameters
    ----------
    patterns
        Of names or ids; none: all.
    repeats
        Whether networks with the kernels of an earlier one are among them.

    Raises
    ------
    CorpusError
        There are none.
    """
    found = [
        (network, counts)
        for network in corpus.networks
        if (counts := network.counts(size)) is not None
        and (repeats or not network.equal_to)
        and (not patterns or _is_named(network, patterns))
    ]
    if not found:
        sizes = ", ".join(corpus.sizes())
        problem = f"there are no networks with {size} kernels"
        raise CorpusError(problem, f"The corpus has {sizes or 'none'}.")
    return found


def _is_named(network: Network, patterns: Sequence[str]) -> bool:
    names = (network.id, network.name)
    return any(fnmatch.fnmatchcase(n, text) for text in patterns for n in names)


def class_counts(counts: SizeCounts, *, paper: bool = False) -> Counts:
    """Kernels of each class; ``paper``: of the class of the paper each belongs to."""
    by_class = np.zeros(len(CLASSES), np.int64)
    for name, kernels in counts.classes.items():
        if name in INDEX:
            index = PAPER_OF[INDEX[name]] if paper else INDEX[name]
            by_class[index] += kernels
    return Counts(by_class)


def table_of(
    networks: Sequence[tuple[Network, SizeCounts]],
    accuracies: Accuracies | None = None,
    *,
    paper: bool = False,
) -> Table:
    """The paper's table: a row for each network, and one for all together.

    Kernels, mean fit, coverage beside that of white noise, and the share of each class
    among all kernels.

    Parameters
    ----------
    networks
        As `chosen` gives them.
    accuracies
        A further column.
    paper
        Whether fine classes are joined to the paper's.
    """
    each = [class_counts(item, paper=paper) for _, item in networks]
    whole = Counts(np.sum([item.by_class for item in each], axis=0))
    kinds = [kind for kind in range(len(CLASSES)) if whole.by_class[kind]]
    present = np.array([item.kernels - item.flat for _, item in networks])
    columns: dict[str, list[Any]] = {
        "network": [*(network.name for network, _ in networks), "all"],
        "kernels": [*(item.kernels for _, item in networks), whole.kernels],
        "flat": [*(item.flat for _, item in networks), whole.flat],
    }
    for name in ("mean_fit", "threshold", "coverage", "null_coverage"):
        values = [getattr(item, name) for _, item in networks]
        numbers = np.array([np.nan if v is None else v for v in values], float)
        known = ~np.isnan(numbers) & (present > 0)
        mean = np.average(numbers[known], weights=present[known]) if known.any() else 0
        columns[name] = [*numbers.tolist(), float(mean) if known.any() else np.nan]
    if accuracies is not None:
        found = [accuracies.of(network) for network, _ in networks]
        columns[accuracies.what] = [
            *(np.nan if value is None else value for value in found),
            np.nan,
        ]
    for kind in kinds:
        columns[CLASSES[kind].id] = [
            int(item.by_class[kind]) / max(item.kernels, 1) for item in (*each, whole)
        ]
    return Table(columns)


def scene_of(
    corpus: Corpus,
    size: str,
    networks: Sequence[tuple[Network, SizeCounts]],
    accuracies: Accuracies | None = None,
) -> Scene:
    """A scene of counted networks, for the figures that need no kernel.

    Raises
    ------
    CorpusError
        Nothing names kernels of the size.
    """
    first = networks[0][1]
    if not first.by or first.threshold is None:
        raise CorpusError(f"nothing names {size} kernels")
    counted = tuple(
        Counted(
            network.name,
            class_counts(item).by_class,
            None if accuracies is None else accuracies.of(network),
            network.architecture,
        )
        for network, item in networks
    )
    return Scene(
        (),
        _size(size),
        Yardstick(
            FAMILY if first.by == "family" else f"the autoencoder for {size}",
            first.threshold,
            noise=first.null_coverage,
            sha256="" if first.by == "family" else corpus.recipe.autoencoders[size],
            scheme=SCHEMES[first.words],
        ),
        counted=counted,
        measured=accuracies.what if accuracies else "",
    )


def _size(key: str) -> Size:
    size = tuple(map(int, key.split("x")))
    assert size_key(size) == key
    return size
