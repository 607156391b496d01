"""Small banks made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.bank import KernelBank, KernelSet, LayerInfo

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import Size


def make_bank(
    name: str = "net", layers: tuple[tuple[str, Size, int], ...] = ()
) -> KernelBank:
    """A bank with the given layers (name, size, kernels), values by a fixed seed."""
    layers = layers or (
        ("stages.0.conv_dw", (7, 7), 4),
        ("stages.1.conv_dw", (7, 7), 6),
        ("stages.1.small", (3, 3), 5),
    )
    rng = np.random.default_rng(len(name))
    infos = tuple(
        LayerInfo(name=n, kind="depthwise", kernels=c, size=s, dtype="float32")
        for n, s, c in layers
    )
    sets = {}
    for size in sorted({s for _, s, _ in layers}, reverse=True):
        mine = [i for i, (_, s, _) in enumerate(layers) if s == size]
        counts = [layers[i][2] for i in mine]
        total = sum(counts)
        weights = rng.normal(size=(total, *size)).astype(np.float32)
        flat = np.zeros(total, bool)
        flat[::4] = True
        offset = weights.reshape(total, -1).mean(1)
        sets[size] = KernelSet(
            size=size,
            weights=weights,
            layer=np.repeat(mine, counts).astype(np.int32),
            channel=np.concatenate([np.arange(c) for c in counts]).astype(np.int32),
            scale=np.linalg.norm(weights.reshape(total, -1) - offset[:, None], axis=1),
            offset=offset,
            flat=flat,
        )
    return KernelBank(
        path=Path(f"{name}.safetensors"),
        name=name,
        format="safetensors",
        size_bytes=1000,
        layers=infos,
        sizes=sets,
    )
