"""Networks of layers that are given as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kernelviewer.kernels.bank import KernelBank, KernelSet, LayerInfo
from kernelviewer.kernels.statistics import measure


def noise(count: int, seed: int, size: tuple[int, ...] = (3, 3)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, *size)).astype(np.float32)


def bank_of(*layers: np.ndarray, name: str = "net") -> KernelBank:
    """A network of layers [K, kh, kw], each flat where the rules say."""
    sets = {}
    for size in {layer.shape[1:] for layer in layers}:
        mine = [i for i, layer in enumerate(layers) if layer.shape[1:] == size]
        parts = [measure(layers[i]) for i in mine]
        sets[size] = KernelSet(
            size,
            np.concatenate([layers[i] for i in mine]),
            np.repeat(mine, [len(layers[i]) for i in mine]).astype(np.int32),
            np.concatenate([np.arange(len(layers[i])) for i in mine]).astype(np.int32),
            np.concatenate([part.scale for part in parts]),
            np.concatenate([part.offset for part in parts]),
            np.concatenate([part.flat for part in parts]),
        )
    infos = tuple(
        LayerInfo(f"blocks.{i}", "depthwise", len(layer), layer.shape[1:], "float32")
        for i, layer in enumerate(layers)
    )
    return KernelBank(Path(f"{name}.pth"), name, "PyTorch", 0, infos, sets)
