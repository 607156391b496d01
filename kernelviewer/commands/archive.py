"""Kernels of several networks as one ``.npz`` file, written array by array."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.files import atomic_write
from kernelviewer.kernels import size_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer.kernels import KernelBank, KernelSet, Size

    Sources = Sequence[tuple[str, KernelBank]]


def write_archive(path: Path, sources: Sources) -> dict[Size, int]:
    """Write the kernels of the banks, flat ones included, in file order.

    Per kernel size, named as in ``7x7``: ``kernels_7x7`` float32 [N, 7, 7], and int32
    [N] ``layer_7x7``, ``channel_7x7``, ``source_7x7``; beside them the names
    ``layers`` (one for each source and layer) and ``sources`` that these index.

    Parameters
    ----------
    path
        The file to write; it appears only when it is complete.
    sources
        Names of the files and their banks.

    Returns
    -------
    dict
        Kernel size → number of kernels written, the most frequent size first.

    Raises
    ------
    OSError
        The folder is read-only or the disk is full.
    """
    counts: Counter[Size] = Counter()
    for _, bank in sources:
        counts.update({size: len(kernels) for size, kernels in bank.sizes.items()})
    numbering = _Numbering.of(sources)
    with atomic_write(path) as file, zipfile.ZipFile(file, "w") as archive:
        _write(archive, "sources", [_text([name for name, _ in sources])])
        _write(archive, "layers", [_text(numbering.names)])
        for size, _ in counts.most_common():
            parts = list(_parts(sources, size))
            key = size_key(size)
            _write(archive, f"kernels_{key}", [item.weights for _, item in parts])
            layers = [numbering.indices[i][item.layer] for i, item in parts]
            _write(archive, f"layer_{key}", layers)
            _write(archive, f"channel_{key}", [item.channel for _, item in parts])
            origin = [np.full(len(item), i, np.int32) for i, item in parts]
            _write(archive, f"source_{key}", origin)
    return dict(counts.most_common())


@dataclass(frozen=True, slots=True)
class _Numbering:
    """Names of all layers written, and each bank's layer index → index into them."""

    names: list[str]
    indices: list[NDArray[np.int32]]

    @classmethod
    def of(cls, sources: Sources) -> _Numbering:
        names: list[str] = []
        indices = []
        for _, bank in sources:
            index = np.full(len(bank.layers), -1, np.int32)
            for i, layer in enumerate(bank.layers):
                if layer.included:
                    index[i] = len(names)
                    names.append(layer.name)
            indices.append(index)
        return cls(names, indices)


def _parts(sources: Sources, size: Size) -> Iterator[tuple[int, KernelSet]]:
    for index, (_, bank) in enumerate(sources):
        if size in bank.sizes:
            yield index, bank.sizes[size]


def _text(values: list[str]) -> NDArray[np.str_]:
    return np.array(values, dtype=np.str_)


def _write(
    archive: zipfile.ZipFile, name: str, parts: Sequence[NDArray[np.generic]]
) -> None:
    """Write arrays as one, one after the other: no joined copy in memory."""
    shape = (sum(map(len, parts)), *parts[0].shape[1:])
    header = {
        "descr": np.lib.format.dtype_to_descr(parts[0].dtype),
        "fortran_order": False,
        "shape": shape,
    }
    # a fixed date makes equal kernels an equal file
    entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    with archive.open(entry, "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
