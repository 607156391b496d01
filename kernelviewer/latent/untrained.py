"""Kernels of the same shapes that nobody trained."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.kernels import KernelBank, Size


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
