"""Small networks made by hand, with classes that are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures import EXHIBITS
from kernelviewer.figures.scene import Coding, Scene, Subject, Yardstick
from kernelviewer.kernels.bank import KernelBank, KernelSet, LayerInfo
from kernelviewer.kernels.classes import FLAT, INDEX, PAPER
from kernelviewer.kernels.statistics import measure
from kernelviewer.latent.noise import Null
from kernelviewer.latent.stretches import Stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.formats import Tensor
    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.classes import Scheme

THRESHOLD = 0.7
LAYERS = (("stages.0.conv_dw", 24), ("stages.1.conv_dw", 40), ("stages.2.conv_dw", 7))


def make_bank(
    layers: Sequence[tuple[str, int]] = LAYERS,
    size: Size = (7, 7),
    name: str = "net",
    seed: int = 0,
    convolutions: tuple[Tensor, ...] = (),
    path: Path | None = None,
) -> KernelBank:
    """A network with these layers; every tenth kernel is flat."""
    counts = [number for _, number in layers]
    total = sum(counts)
    weights = np.random.default_rng(seed).normal(size=(total, *size))
    weights = weights.astype(np.float32)
    weights[9::10] = 0.25
    measures = measure(weights)
    kernels = KernelSet(
        size=size,
        weights=weights,
        layer=np.repeat(np.arange(len(layers)), counts).astype(np.int32),
        channel=np.concatenate([np.arange(n) for n in [0, *counts]]).astype(np.int32),
        scale=measures.scale,
        offset=measures.offset,
        flat=measures.flat,
    )
    infos = tuple(
        LayerInfo(n, "depthwise", k, size, "float32", flat=k // 10) for n, k in layers
    )
    return KernelBank(
        path=path or Path(f"{name}.safetensors"),
        name=name,
        format="safetensors",
        size_bytes=4 * weights.size,
        layers=infos,
        sizes={size: kernels} if total else {},
        convolutions=convolutions,
    )


def make_coding(
    kernels: KernelSet, classes: Sequence[int], scheme: Scheme = PAPER
) -> Coding:
    """Classes of a scheme in turn; a third of the kernels fits badly."""
    n = len(kernels)
    number = np.resize(np.asarray(classes, np.int64), n)
    best = np.array(scheme.rows)[number]
    code = ((number + 0.5) / len(scheme.patterns)).astype(np.float32)
    fit = np.where(np.arange(n) % 3, 0.9, 0.4).astype(np.float32)
    code[kernels.flat], fit[kernels.flat] = np.nan, np.nan
    best[kernels.flat] = INDEX[FLAT.id]
    return Coding(code, fit, best)


def make_yardstick(size: Size = (7, 7), scheme: Scheme = PAPER) -> Yardstick:
    """Equal stretches, one for each pattern of the scheme; a narrow null."""
    rng = np.random.default_rng(3)
    borders = np.linspace(0, 1, len(scheme.patterns) + 1)
    fits = np.clip(rng.normal(0.4, 0.08, 5000), 0, 1)
    return Yardstick(
        method="curve autoencoder",
        threshold=THRESHOLD,
        null=Null.of(fits),
        spectrum=rng.normal(size=(64, *size)).astype(np.float32),
        stretches=tuple(
            Stretch(float(low), float(high), item.id)
            for low, high, item in zip(
                borders[:-1], borders[1:], scheme.patterns, strict=True
            )
        ),
        sha256="0" * 64,
    )


def named(
    *banks: KernelBank, classes: Sequence[int] = (), scheme: Scheme = PAPER
) -> Scene:
    """The networks with classes; all of the scheme's by default."""
    size = next(iter(banks[0].sizes))
    classes = classes or range(len(scheme.patterns))
    subjects = tuple(
        Subject(bank, size, coding=make_coding(bank.sizes[size], classes, scheme))
        for bank in banks
    )
    return Scene(subjects, size, make_yardstick(size, scheme))


def scene_of(kind: str, *banks: KernelBank, scheme: Scheme = PAPER) -> Scene:
    """The networks with classes, as many as the exhibit needs: the last again."""
    if not EXHIBITS[kind].needs_file:
        return Scene((), (7, 7))
    if EXHIBITS[kind].pairs and len(banks) == 1:
        banks = (*banks, replace(banks[0], name="after"))
    return named(*banks, scheme=scheme)
