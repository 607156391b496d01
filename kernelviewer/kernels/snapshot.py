"""Writing the depthwise kernels of a network while it is trained.

A snapshot is a safetensors file of some hundred kilobytes, where a checkpoint with the
optimizer's state may have gigabytes. A folder of them opens as a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kernelviewer.files import atomic_write
from kernelviewer.formats.safetensors import DEPTHWISE, KERNELS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from torch import nn

    from kernelviewer.text import AnyPath

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
    """
    from safetensors.numpy import save

    if step < 0:
        msg = f"a step is counted from 0, not {step}"
        raise ValueError(msg)
    if isinstance(model, Mapping):
        kernels = {name: np.asarray(weights) for name, weights in model.items()}
    else:
        kernels = _depthwise_kernels(model)
        architecture = architecture or type(_unwrapped(model)).__name__
    if not kernels:
        msg = "the network has no depthwise convolutions to write"
        raise ValueError(msg)
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


def _unwrapped(model: Any) -> Any:
    """The network in what `torch.compile` and data parallel training put around it."""
    for name in ("_orig_mod", "module"):
        inner = getattr(model, name, None)
        if inner is not None and hasattr(inner, "named_modules"):
            return _unwrapped(inner)
    return model


def _depthwise_kernels(model: nn.Module) -> dict[str, NDArray[Any]]:
    """Kernels [K, 1, *size] of each depthwise convolution, in the network's order."""
    from torch import float32
    from torch.nn.modules.conv import _ConvNd

    found: dict[str, NDArray[Any]] = {}
    for name, module in _unwrapped(model).named_modules():
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
