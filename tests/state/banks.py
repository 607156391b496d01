"""Small banks made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.bank import KernelBank, KernelSet, LayerInfo
from kernelviewer.kernels.classes import CLASSES, PAPER_OF
from kernelviewer.kernels.family.spectrum import family_spectrum
from kernelviewer.state.analysis import FamilyNames
from kernelviewer.state.tally import order_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def family_names(
    best: NDArray[np.uint8],
    fit: NDArray[np.float32],
    size: Size = (7, 7),
    *,
    ordered: bool = False,
) -> FamilyNames:
    """What the family might say of kernels; every class but the best is far off."""
    paper = np.array(PAPER_OF, np.uint8)[best]
    return FamilyNames(
        best=best,
        paper=paper,
        near=np.uint64(1) << paper.astype(np.uint64),
        fit=fit,
        second=np.zeros(len(best), np.uint8),
        margin=np.full(len(best), 0.2, np.float32),
        code=np.where(np.isnan(fit), np.nan, (best + 0.5) / len(CLASSES)).astype(
            np.float32
        ),
        spectrum=family_spectrum(size),
        order=order_of(fit) if ordered else None,
    )
