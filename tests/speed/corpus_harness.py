"""A large corpus of made kernels: ``python -m tests.speed.corpus_harness DIR [N]``.

Networks of 10 000 kernels of 7×7 each, of noise, with codes, fits and classes as real
ones have them: no two floats alike, so that nothing compresses better than it would.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from kernelviewer.corpus.build import Plan, prepare, recipe_of
from kernelviewer.corpus.store import (
    SCHEMA,
    Corpus,
    Network,
    Rows,
    SizeCounts,
    Store,
)
from kernelviewer.kernels.bank import LayerInfo
from kernelviewer.kernels.classes import CLASSES, FINE, Naming

EACH, LAYERS = 10_000, 20
SIZE = (7, 7)


def make(folder: Path, kernels: int) -> Corpus:
    """A corpus of so many kernels; what is there of it already is kept."""
    recipe, files = recipe_of(Naming())
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder)
    prepare(store, Plan(recipe, files))
    for number in range(kernels // EACH):
        name = f"made-{number:06d}"
        identity = f"{name}-{number:012x}"
        if store.has(identity, recipe.key):
            continue
        rows = rows_of(number)
        layers = tuple(
            LayerInfo(layer, "depthwise", EACH // LAYERS, SIZE, "float32")
            for layer in rows.layers
        )
        found = np.bincount(rows.class_index, minlength=len(CLASSES)).tolist()
        classes = {CLASSES[i].id: count for i, count in enumerate(found) if count}
        flat = int(rows.flat.sum())
        counts = SizeCounts(
            *("7x7", EACH, flat, "family", "fine", 0.7, 0.7, 0.001, 0.8, classes)
        )
        network = Network(
            *(SCHEMA, identity, name, f"/made/{name}.pth", f"{number:064x}"),
            *(f"{number:064x}", "made", "", 0, 0, recipe.key, layers, (counts,)),
        )
        store.add(network, [rows], recipe.weights)
    store.finish()
    return Corpus.open(folder)


def rows_of(number: int) -> Rows:
    """The kernels of a network."""
    random = np.random.default_rng(number)
    names = tuple(f"stages.{i // 5}.blocks.{i % 5}.conv_dw" for i in range(LAYERS))
    layer = np.repeat(np.arange(LAYERS, dtype=np.int32), EACH // LAYERS)
    weights = random.standard_normal((EACH, *SIZE), dtype=np.float32)
    weights *= random.lognormal(-3, 1, EACH).astype(np.float32)[:, None, None]
    offset = weights.mean(axis=(1, 2), dtype=np.float64)
    free = weights - offset[:, None, None]
    scale = np.sqrt((free**2).sum(axis=(1, 2)))
    flat = random.random(EACH) < 0.02
    kinds = random.integers(0, len(FINE.patterns), EACH).astype(np.int8)
    cosine = random.beta(8, 3, EACH).astype(np.float32)
    fit = random.beta(9, 3, EACH).astype(np.float32)
    code = random.random(EACH, dtype=np.float32)
    margin = random.exponential(0.05, EACH).astype(np.float32)
    named = np.where(cosine >= 0.7, kinds, len(CLASSES) - 2).astype(np.int8)
    named[flat], kinds[flat] = len(CLASSES) - 1, -1
    for values in (code, fit, cosine, margin):
        values[flat] = np.nan
    return Rows(
        *(SIZE, names, layer),
        np.tile(np.arange(EACH // LAYERS, dtype=np.int32), LAYERS),
        (1 + 10 * layer // LAYERS).astype(np.int8),
        *(code, fit, kinds, kinds, named, cosine, margin),
        *(scale.astype(np.float32), offset.astype(np.float32), flat, weights),
    )


if __name__ == "__main__":
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    print(f"{make(Path(sys.argv[1]), wanted).kernels} kernels in {sys.argv[1]}")
