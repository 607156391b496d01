"""Kernels as files: of several networks in one ``.npz``, and snapshots of training.

A snapshot is a safetensors file of some hundred kilobytes, where a checkpoint with the
optimizer's state may have gigabytes. A folder of them opens as a run.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kernelviewer.files import atomic_write
from kernelviewer.formats.live import is_network, unwrapped
from kernelviewer.formats.safetensors import DEPTHWISE, KERNELS
from kernelviewer.kernels.bank import size_key
from kernelviewer.text import printable, shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import nn

    from kernelviewer.kernels.bank import KernelBank, KernelSet, Size
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

    Sources = Sequence[tuple[str, KernelBank]]

_PIECE = 1 << 20
"""Bytes written between two looks whether to stop."""


def write_archive(path: AnyPath, sources: Sources) -> dict[Size, int]:
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
    path = Path(path)
    counts: Counter[Size] = Counter()
    for _, bank in sources:
        counts.update({size: len(kernels) for size, kernels in bank.sizes.items()})
    numbering = _Numbering.of(sources)
    arrays: dict[str, Sequence[NDArray[np.generic]]] = {
        "sources": [_text([shown(name) for name, _ in sources])],
        "layers": [_text(numbering.names)],
    }
    for size, _ in counts.most_common():
        parts = list(_parts(sources, size))
        key = size_key(size)
        arrays[f"kernels_{key}"] = [item.weights for _, item in parts]
        layers = [numbering.indices[i][item.layer] for i, item in parts]
        arrays[f"layer_{key}"] = layers
        arrays[f"channel_{key}"] = [item.channel for _, item in parts]
        origin = [np.full(len(item), i, np.int32) for i, item in parts]
        arrays[f"source_{key}"] = origin
    write_npz(path, arrays)
    return dict(counts.most_common())


def write_npz(
    path: AnyPath,
    arrays: Mapping[str, Sequence[NDArray[np.generic]]],
    watch: Watch = NEVER,
) -> None:
    """Write arrays, each given in parts that follow each other, as an ``.npz`` file.

    A single number is an array without axes, in one part. Equal arrays make an equal
    file; text is stored as such, nothing is pickled.

    Parameters
    ----------
    path
        The file to write; it appears only when it is complete.
    watch
        Checked between pieces of work; what it raises cancels the writing.

    Raises
    ------
    OSError
        The folder is read-only or the disk is full.
    """
    path = Path(path)
    with atomic_write(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, parts in arrays.items():
            _write(archive, name, parts, watch)


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
                    names.append(printable(layer.name))
            indices.append(index)
        return cls(names, indices)


def _parts(sources: Sources, size: Size) -> Iterator[tuple[int, KernelSet]]:
    for index, (_, bank) in enumerate(sources):
        if size in bank.sizes:
            yield index, bank.sizes[size]


def _text(values: list[str]) -> NDArray[np.str_]:
    return np.array(values, dtype=np.str_)


def _write(
    archive: zipfile.ZipFile,
    name: str,
    parts: Sequence[NDArray[np.generic]],
    watch: Watch,
) -> None:
    """Write arrays as one, one after the other: no joined copy in memory."""
    single = parts[0].ndim == 0
    shape = () if single else (sum(map(len, parts)), *parts[0].shape[1:])
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
            data = np.ascontiguousarray(part).reshape(-1).view(np.uint8).data
            for start in range(0, len(data), _PIECE):
                watch.check()
                file.write(data[start : start + _PIECE])


_LOSS = 0.01
"""How much of a kernel's scale float16 may change: cosines change by 5·10⁻⁵."""


def snapshot(
    model: nn.Module | Mapping[str, ArrayLike],
    step: int,
    folder: AnyPath,
    *,
    dtype: Literal["float16", "float32"] = "float16",
    architecture: str = "",
) -> Path:
    """Write the depthwise kernels of a network as ``folder/step-000900.safetensors``.

    The file appears whole or not at all, so that a folder can be watched meanwhile.

    Parameters
    ----------
    model
        A network of PyTorch; on whatever device, wrapped for several, compiled or not.
        Or name of a layer → its kernels [C, 1, *size], for other frameworks.
    step
        How far the training is; an earlier snapshot of the same step is replaced.
    folder
        Made if missing.
    dtype
        How weights are stored. Layers that float16 would change by more than a
        hundredth of some kernel's scale are stored as float32 all the same.
    architecture
        Name of the network; by default that of the model's class.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        The network has no depthwise convolutions, an array is no stack of kernels, or
        the step is negative.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import kernelviewer as kv
    >>> kernels = {"conv_dw": np.random.default_rng(0).normal(size=(16, 1, 5, 5))}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kv.extract_kernels(kv.snapshot(kernels, 900, folder))
    <KernelBank step-000900: 16 kernels of 5×5 in 1 layer>
    """
    from safetensors.numpy import save

    given: object = step
    if isinstance(given, str) or step < 0:
        raise ValueError(f"a step is a number counted from 0, not {step!r}")
    if not isinstance(model, Mapping) and not is_network(model):
        msg = f"give a torch.nn.Module, or arrays by name, not {type(model).__name__}"
        raise TypeError(msg)
    if isinstance(model, Mapping):
        kernels = {name: np.asarray(weights) for name, weights in model.items()}
    else:
        kernels = _depthwise_kernels(model)
        architecture = architecture or type(unwrapped(model)).__name__
    if not kernels:
        raise ValueError("the network has no depthwise convolutions to write")
    tensors = {
        f"{name}.weight": _stored(name, weights, dtype)
        for name, weights in kernels.items()
    }
    facts = {"step": str(step), "architecture": architecture, KERNELS: DEPTHWISE}
    path = Path(folder) / f"step-{step:06d}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(save(tensors, facts))
    return path


def _depthwise_kernels(model: nn.Module) -> dict[str, NDArray[Any]]:
    """Kernels [K, 1, *size] of each depthwise convolution, in the network's order."""
    from torch import float32
    from torch.nn.modules.conv import _ConvNd

    found: dict[str, NDArray[Any]] = {}
    for name, module in unwrapped(model).named_modules():
        if not isinstance(module, _ConvNd) or module.in_channels < 2:
            continue
        if module.groups == module.in_channels:
            weights = module.weight.detach().to("cpu", float32)
            found[name] = weights.reshape(-1, 1, *weights.shape[2:]).numpy()
    return found


def _stored(name: str, weights: NDArray[Any], dtype: str) -> NDArray[Any]:
    """A layer's kernels as they are written."""
    if weights.ndim not in (3, 4, 5) or weights.shape[1] != 1 or not weights.size:
        shape = "×".join(map(str, weights.shape))
        msg = f"{name}: kernels are [channels, 1, …], not {shape or 'a number'}"
        raise ValueError(msg)
    exact = np.ascontiguousarray(weights, np.float32)
    if dtype == "float32":
        return exact
    with np.errstate(over="ignore"):
        half = exact.astype(np.float16)
    rows = exact.reshape(len(exact), -1).astype(np.float64)
    lost = np.linalg.norm(half.reshape(rows.shape) - rows, axis=1)
    scale = np.linalg.norm(rows - rows.mean(axis=1, keepdims=True), axis=1)
    return half if (lost <= _LOSS * scale).all() else exact
