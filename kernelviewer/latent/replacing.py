"""Other kernels in place of a network's own, for a checkpoint to test a claim with.

What stands for a kernel y is a·f + b: b its mean and a = ⟨y, f⟩, f the nearest key,
member of the pattern family or point of the curve. White noise of the kernel's own
scale and offset is the control. Kernels without a pattern (flat ones) stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.formats.errors import HintedError
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.family.members import supported
from kernelviewer.kernels.keys import KeysError, approximate_kernels
from kernelviewer.kernels.statistics import patterns
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.keys import find_keys, key_set
from kernelviewer.latent.noise import white_noise
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.formats import Checkpoint, Tensor
    from kernelviewer.kernels import KernelBank, KernelSet, Size
    from kernelviewer.latent.keys import Among
    from kernelviewer.watch import Watch

By = Literal["keys", "family", "reconstruction", "noise"]


class ReplacingError(HintedError):
    """Kernels that cannot be replaced, and what would help."""


@dataclass(frozen=True, slots=True, eq=False)
class Replaced:
    """The new kernels of one layer.

    Attributes
    ----------
    layer, raw_name
        Its name, and that of its tensor in the file.
    kernels
        float32 [N, *size].
    r2
        Mean share of the variance of its kernels that the new ones keep, of those that
        have a pattern; NaN for kernels of another network.
    """

    layer: str
    raw_name: str
    kernels: NDArray[np.float32]
    r2: float


def replace_kernels(
    bank: KernelBank,
    by: By,
    sizes: Sequence[Size],
    *,
    keys: str | int = "published",
    among: Among | None = None,
    seed: int = 0,
    watch: Watch = NEVER,
) -> list[Replaced]:
    """New kernels for every layer of some sizes, in the order of the bank.

    Raises
    ------
    ReplacingError
        There are no keys, members or curve of a size, or no kernels.
    """
    found: dict[int, Replaced] = {}
    for size in sizes:
        kernels = bank.sizes[size]
        try:
            made = _made(bank, kernels, by, keys, among, seed, watch)
        except KeysError as error:
            raise ReplacingError(str(error)) from None
        made[kernels.flat] = kernels.weights[kernels.flat]
        r2 = _r2(kernels, made)
        for index in np.unique(kernels.layer):
            own = np.flatnonzero(kernels.layer == index)
            own = own[np.argsort(kernels.channel[own], kind="stable")]
            info, there = bank.layers[index], r2[own][np.isfinite(r2[own])]
            mean = float(there.mean(dtype=float)) if len(there) else float("nan")
            found[int(index)] = Replaced(info.name, info.raw_name, made[own], mean)
    return [found[index] for index in sorted(found)]


def _made(
    bank: KernelBank,
    kernels: KernelSet,
    by: By,
    keys: str | int,
    among: Among | None,
    seed: int,
    watch: Watch,
) -> NDArray[np.float32]:
    """What stands for all kernels of a size, float32 [N, *size]."""
    size = kernels.size
    if by == "keys":
        given = key_set(keys)
        if given is None:
            given = find_keys([bank], size, int(keys), among, watch=watch)
        return approximate_kernels(kernels.weights, given, kernels.flat, watch).kernels(
            given
        )
    if by == "noise":
        noise = np.concatenate(list(white_noise(size, len(kernels), seed)))
        rows = noise.reshape(len(noise), -1)
        rows -= rows.mean(axis=1, keepdims=True)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        gain = kernels.scale
    else:
        finder = _members if by == "family" else _points
        rows = finder(kernels, watch).reshape(len(kernels), -1)
        unit = patterns(kernels.weights, kernels.scale, kernels.offset)
        cosine = np.einsum("ij,ij->i", unit.reshape(rows.shape), rows)
        gain = cosine * kernels.scale
    made = gain[:, None] * rows + kernels.offset[:, None]
    return np.asarray(made.reshape(len(rows), *size), np.float32)


def _members(kernels: KernelSet, watch: Watch) -> NDArray[np.float32]:
    """The nearest member of the family of each kernel; zeros for flat ones."""
    from kernelviewer.kernels.family import family_fit_set, render

    if not supported(kernels.size):
        label = size_label(kernels.size)
        raise ReplacingError(f"the pattern family has no {label} kernels")
    found = np.zeros(kernels.weights.shape, np.float32)
    rows = np.flatnonzero(~kernels.flat)
    fit = family_fit_set(kernels, rows, device=choose_device("cpu"), watch=watch)
    there = np.isfinite(fit.sigma_x)
    rendered = render(fit, kernels.size)
    found[rows[there]] = rendered[there]
    return found


def _points(kernels: KernelSet, watch: Watch) -> NDArray[np.float32]:
    """The nearest point of the shipped curve of each kernel; zeros for flat ones."""
    curve = shipped(kernels.size)
    if curve is None:
        label = size_label(kernels.size)
        problem = f"no curve comes with the program for {label} kernels"
        raise ReplacingError(problem, "Name a size it has one for with --size.")
    code = curve.encode_set(kernels, watch=watch).code
    found = np.zeros(kernels.weights.shape, np.float32)
    there = np.isfinite(code)
    found[there] = curve.decode(code[there])
    return found


def _r2(kernels: KernelSet, made: NDArray[np.float32]) -> NDArray[np.float32]:
    """cos² of each kernel with what stands for it; NaN for flat ones."""
    old = patterns(kernels.weights, kernels.scale, kernels.offset)
    rows = made.reshape(len(made), -1).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.maximum(np.linalg.norm(rows, axis=1), 1e-30)
    cosine = np.einsum("ij,ij->i", old.reshape(rows.shape), rows) / length
    return np.where(kernels.flat, np.nan, cosine**2).astype(np.float32)


def transplant(
    bank: KernelBank, other: KernelBank, sizes: Sequence[Size]
) -> list[Replaced]:
    """Another network's kernels for each layer that has one of its shape there.

    Layers correspond by name; where no layer does, by their order among those of the
    same size and number of kernels (Babaiee et al., *The Master Key Filters
    Hypothesis*, AAAI 2025, arXiv:2412.16751, copied layers that way).

    Raises
    ------
    ReplacingError
        No layers correspond.
    """
    mine, theirs = _layers(bank, sizes), _layers(other, sizes)
    pairs = [
        (name, name)
        for name, weights in mine.items()
        if name in theirs and theirs[name].shape == weights.shape
    ]
    if not pairs:
        waiting: dict[tuple[int, ...], list[str]] = {}
        for name, weights in theirs.items():
            waiting.setdefault(weights.shape, []).append(name)
        pairs = [
            (name, waiting[weights.shape].pop(0))
            for name, weights in mine.items()
            if waiting.get(weights.shape)
        ]
    if not pairs:
        problem = f"no layer of {other.name} has the shape of one of {bank.name}"
        raise ReplacingError(problem, "kernelviewer info lists the layers of both.")
    raw = {layer.name: layer.raw_name for layer in bank.layers}
    return [
        Replaced(name, raw[name], theirs[theirs_name], float("nan"))
        for name, theirs_name in pairs
    ]


def _layers(bank: KernelBank, sizes: Sequence[Size]) -> dict[str, NDArray[np.float32]]:
    """Kernels of each layer by its name, in the order of the network."""
    found: dict[int, NDArray[np.float32]] = {}
    for size, kernels in bank.sizes.items():
        if size in sizes:
            for index in np.unique(kernels.layer):
                own = np.flatnonzero(kernels.layer == index)
                own = own[np.argsort(kernels.channel[own], kind="stable")]
                found[int(index)] = kernels.weights[own]
    return {bank.layers[index].name: found[index] for index in sorted(found)}


def tensors_of(
    checkpoint: Checkpoint, replaced: Sequence[Replaced]
) -> list[tuple[Tensor, NDArray[np.float32]]]:
    """Each layer's tensor with its new values, in the tensor's shape.

    Raises
    ------
    ReplacingError
        A layer's tensor cannot be told.
    """
    found = []
    for item in replaced:
        there = [
            tensor
            for tensor in checkpoint.tensors
            if tensor.raw_name == item.raw_name
            and tensor.shape[2:] == item.kernels.shape[1:]
        ]
        if len(there) != 1 or not item.raw_name:
            raise ReplacingError(
                f"{item.layer}: which tensor of the file it is is open"
            )
        found.append((there[0], item.kernels.reshape(there[0].shape)))
    return found


def parameter_name(checkpoint: Checkpoint, raw_name: str) -> str:
    """A tensor's name in its state dict, without where that lies in a PyTorch file."""
    nested = checkpoint.format.startswith("PyTorch")
    return raw_name.rpartition("/")[2] if nested else raw_name
