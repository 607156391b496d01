"""Tests if the structure is in the kernels, or if the method puts it there.

The whole method is run on the kernels, on white noise, on the same kernels with their
taps shuffled, and on untrained networks of the same shapes: first with the given
autoencoder, then with one trained on each of these alone and measured on what it has
not seen of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.bank import size_label
from kernelviewer.latent import LatentError
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.evaluation import by_layer
from kernelviewer.latent.labels import reaches
from kernelviewer.latent.networks import Network
from kernelviewer.latent.noise import white_noise
from kernelviewer.latent.training import Training, TrainingOptions
from kernelviewer.text import shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.watch import Watch


THESE, WHITE, SHUFFLED, UNTRAINED = (
    "these kernels",
    "white noise",
    "shuffled taps",
    "untrained",
)


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One kind of kernels in the null test."""

    name: str
    origin: str
    """``these kernels``, ``white noise``, ``shuffled taps`` or ``untrained``; a few
    words on where they come from."""
    fit: NDArray[np.float32]
    """float32 [N], fits with the given autoencoder."""
    coverage: float
    """Share of them at the threshold."""
    own_fit: NDArray[np.float32]
    """float32 [M], fits of one half with a curve trained on the other half; empty where
    that was not asked for."""
    own_coverage: float
    """Share of those at the threshold; NaN where it was not asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class NullTest:
    """Fits under all conditions, those of the networks themselves first."""

    size: Size
    threshold: float
    null_coverage: float
    conditions: tuple[Condition, ...]


def null_test(
    banks: Sequence[KernelBank],
    networks: Sequence[Network],
    autoencoder: Autoencoder,
    *,
    threshold: float | None = None,
    retrain: bool = True,
    seed: int = 0,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> NullTest:
    """Run the method on trained kernels and three kinds of kernels without structure.

    Parameters
    ----------
    banks
        The networks, for the shapes of untrained ones.
    networks
        Their kernels of the autoencoder's size, as
        `kernelviewer.latent.networks.collect` gives them.
    threshold
        By default the autoencoder's.
    retrain
        Whether to train a curve on each kind as well.
    seed
        Of noise, shuffling and training.

    Raises
    ------
    LatentError
        There are no kernels of the size but flat ones.
    """
    size = autoencoder.size
    if not sum(map(len, networks)):
        msg = f"there are no {size_label(size)} kernels to test"
        raise LatentError(msg, "Flat kernels do not count; open other networks.")
    level = autoencoder.threshold if threshold is None else threshold
    kinds = _kinds(banks, networks, size, seed)
    found = []
    quiet = watch.quiet()
    for number, (name, origin, network) in enumerate(kinds):
        watch.progress(number, len(kinds), f"null test: {name}")
        fit = _fits(autoencoder, network.patterns, device, quiet)
        own = np.empty(0, np.float32)
        if retrain:
            options = TrainingOptions(seed=seed)
            own = _unseen_fits(network, size, options, device, quiet)
        found.append(
            Condition(name, origin, fit, _share(fit, level), own, _share(own, level))
        )
    watch.progress(len(kinds), len(kinds), "null test: done")
    null = autoencoder.null.coverage(level)
    return NullTest(size, level, null, tuple(found))


def shuffled(kernels: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Kernels [N, *size] with the taps of each in an order of its own."""
    rows = kernels.reshape(len(kernels), -1)
    mixed = np.random.default_rng(seed).permuted(rows, axis=1)
    return mixed.reshape(kernels.shape)


def _kinds(
    banks: Sequence[KernelBank], networks: Sequence[Network], size: Size, seed: int
) -> list[tuple[str, str, Network]]:
    """(name, origin, kernels) of the conditions, all with as many kernels."""
    whole = _joined(networks)
    count = len(whole)
    noise = np.concatenate([*white_noise(size, count, seed + 1)])
    by_name = {shown(bank.path.name): bank for bank in banks if size in bank.sizes}
    fresh = [
        untrained_kernels(by_name[item.name], size, seed=seed) for item in networks
    ]
    origins = " and ".join(dict.fromkeys(origin for _, origin in fresh))
    files = ", ".join(item.name for item in networks)
    random = np.concatenate([kernels for kernels, _ in fresh])
    mixed = replace(whole, patterns=shuffled(whole.patterns, seed))
    return [
        (THESE, files, whole),
        (WHITE, "independent normal weights", _alone(noise)),
        (SHUFFLED, f"the taps of {files} in random order", mixed),
        (UNTRAINED, origins, _alone(random)),
    ]


def _joined(networks: Sequence[Network]) -> Network:
    """All kernels as one network of two layers: the even and the odd ones of each.

    These are the halves to train and test on, so siblings have the same layers in both.
    """
    layers = [
        (np.unique(item.layer, return_inverse=True)[1] % 2).astype(np.int32)
        for item in networks
    ]
    return Network(
        "all",
        "",
        np.concatenate([item.patterns for item in networks]),
        np.concatenate(layers),
    )


def _alone(kernels: NDArray[np.float32]) -> Network:
    """Kernels that have no layers: every other one is of the other half."""
    numbers = np.arange(len(kernels), dtype=np.int32) % 2
    rows = kernels.reshape(len(kernels), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return Network("noise", "", rows.reshape(kernels.shape), numbers)


def _unseen_fits(
    network: Network,
    size: Size,
    options: TrainingOptions,
    device: Device | None,
    watch: Watch,
) -> NDArray[np.float32]:
    """Fits of one half's kernels with a curve trained on the other half."""
    seen, unseen = by_layer(network)
    if not len(seen) or not len(unseen):
        return np.empty(0, np.float32)
    training = Training(size, [seen], options=options, device=device, watch=watch)
    *_, last = training
    curve = Autoencoder.of(options.method, last.model)
    return _fits(curve, unseen.patterns, device, watch)


def _fits(
    autoencoder: Autoencoder,
    kernels: NDArray[np.float32],
    device: Device | None,
    watch: Watch,
) -> NDArray[np.float32]:
    fit = autoencoder.encode(kernels, device=device, watch=watch).fit
    return fit[~np.isnan(fit)]


def _share(fit: NDArray[np.float32], threshold: float) -> float:
    return float(reaches(fit, threshold).mean()) if len(fit) else float("nan")


def untrained_kernels(
    bank: KernelBank, size: Size, *, seed: int = 0
) -> tuple[NDArray[np.float32], str]:
    """As many kernels of a size as a network has, at random.

    Returns
    -------
    kernels, origin
        float32 [N, *size], and where they come from, a few words: timm's own
        initialisation of the network's architecture where that is known and timm has
        the same layers, else PyTorch's default for convolutions.
    """
    wanted = [item for item in bank.layers if item.included and item.size == size]
    if bank.architecture:
        found = list(_from_timm(bank.architecture, wanted, size, seed))
        if found and sum(map(len, found)) == sum(item.kernels for item in wanted):
            return np.concatenate(found), f"timm's {bank.architecture} untrained"
    count = sum(item.kernels for item in wanted)
    # kaiming_uniform with a = √5: uniform in ± 1/√inputs, one input channel each
    bound = 1 / math.sqrt(math.prod(size))
    random = np.random.default_rng(seed)
    kernels = random.uniform(-bound, bound, (count, *size)).astype(np.float32)
    return kernels, "PyTorch's default initialisation"


def _from_timm(
    architecture: str, wanted: Sequence[object], size: Size, seed: int
) -> Iterator[NDArray[np.float32]]:
    """Depthwise weights of that size of a new network; none if timm cannot make it."""
    try:
        import timm
        import torch

        if not timm.is_model(architecture):
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = timm.create_model(architecture, pretrained=False)
    except (ImportError, RuntimeError, ValueError, TypeError):
        return
    for module in model.modules():
        groups = getattr(module, "groups", 1)
        weight = getattr(module, "weight", None)
        if groups > 1 and weight is not None and tuple(weight.shape[1:]) == (1, *size):
            yield weight.detach().numpy().astype(np.float32)[:, 0]
