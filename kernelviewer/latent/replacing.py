"""Other kernels for a network: in place of its own, or to start its training from.

In place of its own, for a checkpoint to test a claim with: what stands for a kernel y
is a·f + b: b its mean and a = ⟨y, f⟩, f the nearest key, member of the pattern family
or point of the curve. White noise of the kernel's own scale and offset is the control.
Kernels without a pattern (flat ones) stay as they are.

To start from:

* ``dog``: difference of Gaussians, on- and off-centre (Babaiee et al., *Neural Echos:
  Depthwise Convolutional Filters Replicate Biological Receptive Fields*, WACV 2024; the
  formula of *On-Off Center-Surround Receptive Fields*, arXiv:2106.07091).
* ``covariance``: drawn from a normal distribution with the covariance of each layer's
  kernels in a trained network of the architecture (Trockman, Willmott, Kolter,
  *Understanding the Covariance Structure of Convolutional Filters*, ICLR 2023,
  arXiv:2210.03651).
* ``keys``: keys f + b (Babaiee et al., NeurIPS 2025, arXiv:2509.11711), in turn.
* ``family``: members of the pattern family, as often as they are nearest in the layer.
* ``random``: even between ±1/√taps, as PyTorch starts a depthwise convolution.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer import __version__
from kernelviewer.device import choose_device
from kernelviewer.files import file_hash, write_text
from kernelviewer.formats.errors import HintedError
from kernelviewer.formats.rewriting import rewrite
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.kernels.family.members import supported
from kernelviewer.kernels.keys import KeysError, approximate_kernels
from kernelviewer.kernels.statistics import patterns
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.keys import (
    PUBLISHED,
    PUBLISHED_SIZE,
    find_keys,
    key_set,
    published,
    shipped_keys,
)
from kernelviewer.latent.noise import white_noise
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.formats import Checkpoint, Tensor
    from kernelviewer.kernels import KernelBank, KernelSet, Size
    from kernelviewer.kernels.keys import Keys
    from kernelviewer.latent.keys import Among
    from kernelviewer.watch import Watch

By = Literal["keys", "family", "reconstruction", "noise"]
SHIPPED = "shipped"
NOISE = 500


class ReplacingError(HintedError):
    """Kernels that cannot be replaced, and what would help."""


@dataclass(frozen=True, slots=True, eq=False)
class Replaced:
    """The new kernels of one layer."""

    layer: str
    raw_name: str
    """Its name, and that of its tensor in the file."""
    kernels: NDArray[np.float32]
    """float32 [N, *size]."""
    r2: float
    """Mean share of the variance of its kernels that the new ones keep, of those that
    have a pattern; NaN for kernels of another network."""
    kept: int = 0
    """How many of the kernels are those that were there, for want of a pattern."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to stand for the kernels of a network."""

    by: By | Literal["other"]
    """Keys, members of the family, points of the curve, noise, or the kernels of
    another network."""
    sizes: tuple[Size, ...] = ()
    """Which kernels; none: all, or those of the keys' size."""
    keys: str = PUBLISHED
    """``published``, ``shipped`` or ``shipped-16`` (those of each size that come with
    the program), a number of keys to seek, or a CSV file."""
    among: Among | None = None
    """Where a number of keys is sought."""
    seed: int = 0
    """Of noise."""


def replaced_by(
    bank: KernelBank,
    wish: Wish,
    other: KernelBank | None = None,
    *,
    sets: Mapping[Size, Keys] | None = None,
    watch: Watch = NEVER,
) -> tuple[list[Replaced], str]:
    """What stands for the kernels of a network, and by what they are, in words.

    ``sets`` are the keys of the wish, where `key_sets` was asked for them before.

    Raises
    ------
    ReplacingError
        There are no such kernels, or nothing that could stand for them.
    """
    if wish.by == "keys":
        sets = key_sets(bank, wish, watch) if sets is None else sets
        names = dict.fromkeys(keys.name for keys in sets.values())
        found = replace_kernels(bank, "keys", tuple(sets), keys=sets, watch=watch)
        return found, f"by keys ({', '.join(names)})"
    sizes = _wished_sizes(bank, wish.sizes)
    if wish.by == "other":
        assert other is not None
        return transplant(bank, other, sizes), f"by those of {other.name}"
    how = {
        "family": "by the nearest members of the pattern family",
        "reconstruction": "by the nearest points of the curve",
        "noise": "by white noise of their scale and offset",
    }[wish.by]
    return replace_kernels(bank, wish.by, sizes, seed=wish.seed, watch=watch), how


def key_sets(bank: KernelBank, wish: Wish, watch: Watch = NEVER) -> dict[Size, Keys]:
    """The keys of a wish, for each size that they are to stand for kernels of.

    Raises
    ------
    ReplacingError
        There are none of a size.
    """
    try:
        if wish.keys.startswith(SHIPPED):
            count = int(wish.keys.removeprefix(SHIPPED)[1:] or 8)
            return {
                size: _shipped(size, count) for size in _wished_sizes(bank, wish.sizes)
            }
        given = key_set(wish.keys)
        if given is not None:
            (size,) = _wished_sizes(bank, wish.sizes or (given.size,))
            if size != given.size:
                label, own = size_label(size), size_label(given.size)
                msg = f"the keys of {given.name} are {own}: the kernels are {label}"
                raise ReplacingError(msg)
            return {size: given}
        return {
            size: find_keys([bank], size, int(wish.keys), wish.among, watch=watch)
            for size in _wished_sizes(bank, wish.sizes)
        }
    except KeysError as error:
        raise ReplacingError(str(error)) from None


def _wished_sizes(bank: KernelBank, wished: Sequence[Size]) -> tuple[Size, ...]:
    if lacking := [size_label(size) for size in wished if size not in bank.sizes]:
        raise ReplacingError(f"{bank.name} has no {' and '.join(lacking)} kernels")
    if not bank.sizes:
        raise ReplacingError(f"{bank.name} has no depthwise kernels")
    return tuple(wished) or tuple(bank.sizes)


def _shipped(size: Size, count: int) -> Keys:
    """The keys of a size that come with the program."""
    found = shipped_keys(size, count)
    if found is None:
        msg = f"no {count} keys come with the program for {size_label(size)} kernels"
        raise ReplacingError(msg, "Have some found, or name a file.")
    return found


def noise_r2(
    kernels: KernelSet, wish: Wish, sets: Mapping[Size, Keys], watch: Watch = NEVER
) -> float:
    """Mean R² of white noise of a size by what a wish puts in the place of kernels."""
    noise = next(white_noise(kernels.size, NOISE, wish.seed + 1))  # not what replaces
    rows = noise.reshape(len(noise), -1)
    offset, flat = rows.mean(axis=1), np.zeros(len(rows), np.bool_)
    scale = np.linalg.norm(rows - offset[:, None], axis=1)
    layer = np.zeros(len(rows), np.int32)
    made = replace(
        kernels, weights=noise, layer=layer, channel=layer, scale=scale, offset=offset,
        flat=flat, supports={},
    )  # fmt: skip
    by = _by_of(wish)
    return float(np.nanmean(_r2(made, _made(made, by, sets, wish.seed, watch))))


def _by_of(wish: Wish) -> By:
    if wish.by == "other":
        raise ReplacingError("noise has no layers that another network's could be for")
    return wish.by


def write_replaced(
    checkpoint: Checkpoint,
    output: Path,
    replaced: Sequence[Replaced],
    how: str,
    *,
    freeze: bool = False,
    watch: Watch = NEVER,
) -> list[Path]:
    """Write a checkpoint with other kernels, and how it was made beside it.

    ``OUT.json`` tells it; with ``freeze`` ``OUT.freeze.txt`` lists the names of the
    weights that came from elsewhere. Returns the files.

    Raises
    ------
    CheckpointError, ReplacingError, OSError
        As `kernelviewer.formats.rewriting.rewrite` and `tensors_of`.
    """
    tensors = tensors_of(checkpoint, replaced)
    note = {
        "program": f"kernelviewer {__version__}",
        "source": checkpoint.path.name,
        "sha256": file_hash(checkpoint.path, watch),
        "copy": checkpoint.copy,
        "replaced": how,
        "layers": [
            {
                "layer": item.layer,
                "name": item.raw_name,
                "kernels": len(item.kernels),
                "size": size_key(item.kernels.shape[1:]),
            }
            | ({} if math.isnan(item.r2) else {"r2": round(item.r2, 6)})
            for item in replaced
        ],
    }
    written = rewrite(checkpoint, output, tensors, note, watch)
    beside = [(f"{output}.json", json.dumps(note, indent=1))]
    if freeze:
        names = [parameter_name(checkpoint, item.raw_name) for item in replaced]
        beside.append((f"{output}.freeze.txt", "\n".join(names)))
    for path, text in beside:
        write_text(path, f"{text}\n")
        written.append(Path(path))
    return written


def replace_kernels(
    bank: KernelBank,
    by: By,
    sizes: Sequence[Size],
    *,
    keys: Mapping[Size, Keys] | None = None,
    seed: int = 0,
    watch: Watch = NEVER,
) -> list[Replaced]:
    """New kernels for every layer of some sizes, in the order of the bank.

    ``keys`` are those of each size, where kernels are replaced by keys.

    Raises
    ------
    ReplacingError
        There are no members or curve of a size, or no kernels.
    """
    found: dict[int, Replaced] = {}
    for size in sizes:
        kernels = bank.sizes[size]
        made = _made(kernels, by, keys or {}, seed, watch)
        made[kernels.flat] = kernels.weights[kernels.flat]
        r2 = _r2(kernels, made)
        for index in np.unique(kernels.layer):
            own = np.flatnonzero(kernels.layer == index)
            own = own[np.argsort(kernels.channel[own], kind="stable")]
            info, there = bank.layers[index], r2[own][np.isfinite(r2[own])]
            mean = float(there.mean(dtype=float)) if len(there) else float("nan")
            kept = int(kernels.flat[own].sum())
            found[int(index)] = Replaced(
                info.name, info.raw_name, made[own], mean, kept
            )
    return [found[index] for index in sorted(found)]


def _made(
    kernels: KernelSet, by: By, sets: Mapping[Size, Keys], seed: int, watch: Watch
) -> NDArray[np.float32]:
    """What stands for all kernels of a size, float32 [N, *size]."""
    size = kernels.size
    if by == "keys":
        keys = sets[size]
        found = approximate_kernels(kernels.weights, keys, kernels.flat, watch)
        return found.kernels(keys)
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
    there = ~kernels.flat  # the others may not even be finite
    old = patterns(kernels.weights, kernels.scale, kernels.offset)[there]
    rows = made[there].reshape(len(old), -1).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.maximum(np.linalg.norm(rows, axis=1), 1e-30)
    found = np.full(len(made), np.nan, np.float32)
    found[there] = (np.einsum("ij,ij->i", old.reshape(rows.shape), rows) / length) ** 2
    return found


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


Kind = Literal["dog", "covariance", "keys", "family", "random"]
KINDS: tuple[Kind, ...] = ("dog", "covariance", "keys", "family", "random")
GAMMA = 0.5


def difference_of_gaussians(taps: int, gamma: float = GAMMA) -> NDArray[np.float64]:
    """An on-centre kernel [taps, taps] whose positive taps sum to 1, negative to −1.

    With ratio γ of the radii of centre and surround and r = γ(k + 1)/2 the radius of
    the centre, σ = r/(2γ) · √((1 − γ²)/(−ln γ)), E = γ⁻² exp(−d²/(2γ²σ²)), I =
    exp(−d²/(2σ²)) and w = A_c·E + A_s·I, A_c and A_s such that the sums hold
    (arXiv:2106.07091).

    Parameters
    ----------
    taps
        k ≥ 3.
    gamma
        In (0, 1).

    Raises
    ------
    ValueError
        A parameter is out of range.
    """
    if taps < 3 or not 0 < gamma < 1:
        msg = "a difference of Gaussians has 3 taps or more, and γ between 0 and 1"
        raise ValueError(msg)
    radius = gamma * (taps + 1) / 2
    sigma = radius / (2 * gamma) * math.sqrt((1 - gamma**2) / -math.log(gamma))
    axis = np.arange(taps) - (taps - 1) / 2
    square = axis[:, None] ** 2 + axis**2
    excite = np.exp(-square / (2 * gamma**2 * sigma**2)) / gamma**2
    inhibit = np.exp(-square / (2 * sigma**2))
    return _balanced(excite, inhibit)


def _balanced(
    excite: NDArray[np.float64], inhibit: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A_c·E + A_s·I with positive taps of sum 1 and negative ones of sum −1.

    Then all taps sum to 0, which gives A_s/A_c, and the positive ones give A_c.
    """
    found = excite - excite.sum() / inhibit.sum() * inhibit
    return np.asarray(found / found[found > 0].sum(), np.float64)


def starting_kernels(
    bank: KernelBank,
    kind: Kind,
    sizes: Sequence[Size],
    *,
    share: float = 1.0,
    on: float = 0.5,
    gamma: float = GAMMA,
    keys: str | None = None,
    seed: int = 0,
    watch: Watch = NEVER,
) -> list[Replaced]:
    """Kernels to start from for every layer of some sizes, in the order of the bank.

    Keys and members of the family, which have no scale of their own, get the median
    scale of ``random`` kernels, and offset 0.

    Parameters
    ----------
    bank
        A network of the architecture; a trained one for ``covariance`` and ``family``.
    kind
        One of `KINDS`.
    share
        Share of each layer's kernels that are of the kind; the others are ``random``.
    on
        Share of on-centre ones among the differences of Gaussians.
    gamma
        Of `difference_of_gaussians`.
    keys
        ``published``, or a CSV file; None: the published ones at 7×7, elsewhere the
        best 8 that come with the program.
    seed
        The same seed gives the same kernels.

    Raises
    ------
    ReplacingError
        The kind has no kernels of a size.
    """
    random = np.random.default_rng(seed)
    found: dict[int, Replaced] = {}
    for size in sizes:
        kernels = bank.sizes[size]
        patterns = _key_rows(size, keys) if kind == "keys" else None
        members = _member_rows(kernels, watch) if kind == "family" else None
        for index in np.unique(kernels.layer):
            watch.check()
            own = np.flatnonzero(kernels.layer == index)
            weights = kernels.weights[own].reshape(len(own), -1).astype(np.float64)
            weights = weights[np.isfinite(weights).all(axis=1)]
            made = _noise(weights, len(own), random)
            wanted = random.permutation(len(own))[: round(share * len(own))]
            n = len(wanted)
            scale = float(np.median(np.linalg.norm(made, axis=1)))
            if kind == "dog":
                rows = _centres(size, n, on, gamma)
            elif kind == "covariance":
                rows = _drawn(weights, n, random)
            elif patterns is not None:
                rows = scale * patterns[np.arange(n) % len(patterns)]
            elif members is not None:
                rows = scale * _some(members[own], n, random)
            else:
                rows = made[wanted]
            made[wanted] = rows
            info = bank.layers[index]
            values = made.reshape(len(own), *size).astype(np.float32)
            found[int(index)] = Replaced(info.name, info.raw_name, values, math.nan)
    return [found[index] for index in sorted(found)]


def _noise(
    weights: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Evenly distributed in ±1/√taps, as PyTorch starts a depthwise convolution."""
    reach = 1 / math.sqrt(weights.shape[1])
    return random.uniform(-reach, reach, (count, weights.shape[1]))


def _centres(size: Size, count: int, on: float, gamma: float) -> NDArray[np.float64]:
    if len(size) != 2 or size[0] != size[1] or size[0] < 3:
        label = size_label(size)
        raise ReplacingError(f"there is no difference of Gaussians of {label} taps")
    kernel = difference_of_gaussians(size[0], gamma).reshape(-1)
    sign = np.where(np.arange(count) < round(on * count), 1.0, -1.0)
    return np.asarray(sign[:, None] * kernel)


def _drawn(
    weights: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Normal vectors with mean 0 and the covariance of the rows."""
    if len(weights) < 2:
        raise ReplacingError("a layer of one kernel has no covariance")
    centred = weights - weights.mean(axis=0)
    if not centred.any():
        raise ReplacingError("the kernels of a layer are all alike: nothing varies")
    mix = random.standard_normal((count, len(centred)))
    return np.asarray(mix @ centred / math.sqrt(len(centred) - 1))


def _key_rows(size: Size, keys: str | None) -> NDArray[np.float64]:
    if keys is not None:
        given = key_set(keys)
        if given is None or given.size != size:
            raise ReplacingError(f"{keys} has no keys of {size_label(size)} taps")
        return given.rows.astype(np.float64)
    if size == PUBLISHED_SIZE:
        return published().rows.astype(np.float64)
    given = shipped_keys(size)
    if given is None:
        problem = f"no keys come with the program for {size_label(size)} kernels"
        raise ReplacingError(problem, "Name a file with --keys.")
    return given.rows.astype(np.float64)


def _member_rows(kernels: KernelSet, watch: Watch) -> NDArray[np.float64]:
    """The nearest member of the family of each kernel, [N, taps]; zeros: none."""
    from kernelviewer.kernels.family import family_fit_set, render

    if not supported(kernels.size):
        label = size_label(kernels.size)
        raise ReplacingError(f"the pattern family has no {label} kernels")
    rows = np.flatnonzero(~kernels.flat)
    fit = family_fit_set(kernels, rows, device=choose_device("cpu"), watch=watch)
    found = np.zeros((len(kernels), math.prod(kernels.size)))
    there = np.isfinite(fit.sigma_x)
    if len(rows):
        members = render(fit, kernels.size).reshape(len(rows), -1)
        found[rows[there]] = members[there]
    return found


def _some(
    members: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Members of a layer, drawn as often as they occur."""
    there = members[members.any(axis=1)]
    if not len(there):
        raise ReplacingError("all kernels of a layer are flat: none has a member")
    return there[random.integers(len(there), size=count)]
