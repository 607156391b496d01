"""Labels of whole networks as a table: columns for Python, pandas and CSV files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.kernels import size_label
from kernelviewer.kernels.bank import BySize
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.latent.labels import COLUMNS, rows_of, write_rows
from kernelviewer.text import percent
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas
    from numpy.typing import NDArray

    from kernelviewer.kernels import Size
    from kernelviewer.latent.labels import Labelled
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

_TEXT = frozenset(
    ("source", "layer", "size", "class", "best_class", "family_class", "by")
) | {"code_class", "discrete_model"}
"""Columns of words; the others are numbers, NaN where there is none."""


@dataclass(frozen=True, eq=False, repr=False)
class LabelTable:
    """A row for each kernel: what it is called, and how well that fits.

    ``table["class"]`` is an array, ``table.columns`` names them all; they are those
    that ``kernelviewer label -o`` writes, numbers with six digits: ``fit`` is that of
    the code, ``family_cosine`` that of the family.

    Attributes
    ----------
    labelled
        The kernels of each network and size, with all that was found about them.
    """

    labelled: tuple[Labelled, ...]

    def __len__(self) -> int:
        return sum(len(item.kernels) for item in self.labelled)

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{size_label(size)} {percent(shares[0])} (noise {percent(shares[1])})"
            for size, shares in self.coverage.items()
        )
        return f"<LabelTable: {len(self)} kernels; identified: {sizes or 'none'}>"

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names."""
        return COLUMNS

    def keys(self) -> tuple[str, ...]:
        """The same, so that ``dict(table)`` is possible."""
        return COLUMNS

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in COLUMNS:
            msg = f"there is no column {name!r}; there are {', '.join(COLUMNS)}"
            raise KeyError(msg)
        return self._arrays[name]

    @cached_property
    def _arrays(self) -> dict[str, NDArray[Any]]:
        rows = [
            row
            for item in self.labelled
            for row in rows_of(item, np.arange(len(item.kernels)), cell=str)
        ]
        columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
        return {
            name: _array(name, values)
            for name, values in zip(COLUMNS, columns, strict=True)
        }

    @cached_property
    def coverage(self) -> dict[Size, tuple[float, float]]:
        """Kernel size → share identified, and the share of white noise that would be.

        NaN where nothing names kernels of the size.
        """
        found = self._by_size().items()
        return BySize({size: _coverage(items) for size, items in found})

    def counts(self, size: Size | None = None) -> dict[str, int]:
        """Class → number of kernels, of one size or all, the most frequent first."""
        chosen = [
            item.labels.class_index
            for item in self.labelled
            if item.labels is not None and size in (None, item.kernels.size)
        ]
        if not chosen:
            return {}
        found = np.bincount(np.concatenate(chosen)).tolist()
        order = sorted(enumerate(found), key=lambda pair: (-pair[1], pair[0]))
        return {CLASSES[number].id: count for number, count in order if count}

    def to_pandas(self) -> pandas.DataFrame:
        """A data frame with these columns; pandas has to be installed.

        Raises
        ------
        ModuleNotFoundError
            It is not.
        """
        try:
            import pandas
        except ModuleNotFoundError:
            msg = "to_pandas needs pandas (pip install pandas); to_csv does not"
            raise ModuleNotFoundError(msg, name="pandas") from None
        return pandas.DataFrame(self._arrays)

    def to_csv(self, path: AnyPath, watch: Watch = NEVER) -> int:
        """Write the file that ``kernelviewer label -o`` does, and count its rows.

        Raises
        ------
        OSError
            The folder is read-only or the disk is full.
        """
        return write_rows(path, [(item, None) for item in self.labelled], watch)

    def _repr_html_(self) -> str:
        from kernelviewer import notebook

        parts = []
        for size in self._by_size():
            share, noise = self.coverage[size]
            found = self.counts(size)
            total = sum(found.values()) or 1
            rows = [(name, n, 100 * n / total) for name, n in found.items()]
            text = f"{size_label(size)}: {percent(share)} identified, "
            text += f"noise {percent(noise)}"
            parts += [
                notebook.line(text),
                notebook.table(("class", "kernels", "%"), rows),
            ]
        return notebook.card(f"{len(self)} kernels", *parts)

    def _by_size(self) -> dict[Size, list[Labelled]]:
        sizes: dict[Size, list[Labelled]] = {}
        for item in self.labelled:
            sizes.setdefault(item.kernels.size, []).append(item)
        return sizes


def _coverage(items: Sequence[Labelled]) -> tuple[float, float]:
    labels = [item.labels for item in items if item.labels is not None]
    present = sum(len(part) - int(part.flat.sum()) for part in labels)
    null = items[0].null
    if null is None or not present:
        return float("nan"), float("nan")
    identified = sum(int(part.identified.sum()) for part in labels)
    return identified / present, null.coverage(labels[0].threshold)


def _array(name: str, values: Sequence[Any]) -> NDArray[Any]:
    if name == "channel":
        return np.array(values, np.int32)
    if name in _TEXT:
        return np.array(values, np.str_)
    return np.array([value or "nan" for value in values], np.float64)
