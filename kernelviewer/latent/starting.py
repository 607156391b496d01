"""Depthwise kernels for a network to start training from.

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

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.files import resource
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.kernels.family.members import supported
from kernelviewer.kernels.keys import read_keys
from kernelviewer.latent.keys import PUBLISHED_SIZE, key_set, published
from kernelviewer.latent.replacing import Replaced, ReplacingError
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels import KernelBank, KernelSet, Size
    from kernelviewer.watch import Watch

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
    try:
        path = resource("keys", f"best-8-{size_key(size)}.csv")
    except FileNotFoundError:
        problem = f"no keys come with the program for {size_label(size)} kernels"
        raise ReplacingError(problem, "Name a file with --keys.") from None
    return read_keys(path).rows.astype(np.float64)


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
    found[rows[there]] = render(fit, kernels.size).reshape(len(rows), -1)[there]
    return found


def _some(
    members: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Members of a layer, drawn as often as they occur."""
    there = members[members.any(axis=1)]
    if not len(there):
        raise ReplacingError("all kernels of a layer are flat: none has a member")
    return there[random.integers(len(there), size=count)]
