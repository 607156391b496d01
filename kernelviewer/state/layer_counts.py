"""Kernels per class of every layer of every size, for the model tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.state.analysis import best_classes, identified
from kernelviewer.state.pool import make_pool
from kernelviewer.state.tally import tally

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.view_state import ViewState


@dataclass(frozen=True, slots=True)
class LayerCounts:
    """A layer's kernels.

    Attributes
    ----------
    counts
        Kernels per class, in the order of `CLASSES`.
    null
        Share of white noise that would be identified; None: not known.
    """

    counts: tuple[int, ...]
    null: float | None = None


class AllSizes:
    """Counts the classes of all open kernels, of each size only when it changed."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[Size, tuple[tuple[object, ...], dict[LayerRef, LayerCounts]]]
        self._known = {}

    def count(self, state: ViewState) -> dict[LayerRef, LayerCounts]:
        """Layer → its kernels; layers whose kernels have no classes are left out."""
        counted: dict[LayerRef, LayerCounts] = {}
        self._known = {s: known for s, known in self._known.items() if s in state.sizes}
        for size in state.sizes:
            counted |= self._of(size, state)
        return counted

    def _of(self, size: Size, state: ViewState) -> dict[LayerRef, LayerCounts]:
        document = self._document
        threshold = document.threshold_of(size)
        segments = document.segments_of(size)
        having = tuple(m for m in document.models if size in m.bank.sizes)
        analyses = tuple(document.analyses.get((m.id, size)) for m in having)
        depends = (threshold, segments, having, analyses)
        known = self._known.get(size)
        if known is not None and known[0] == depends:
            return known[1]
        if size == state.size:
            pool, counted = state.pool, state.tally
        else:
            pool = make_pool(document.models, size)
            labels, counted = best_classes(pool, document.analyses, segments), None
            if labels is not None and threshold is not None:
                labels = identified(labels, threshold)
            if labels is not None:
                counted = tally(pool, labels)
        found: dict[LayerRef, LayerCounts] = {}
        if pool is not None and counted is not None:
            noise, null = document.null_of(size), None
            if noise is not None and threshold is not None:
                null = noise.coverage(threshold)
            rows = counted.label.tolist()
            for ref, row in zip(pool.layer_refs, rows, strict=True):
                found[ref] = LayerCounts(tuple(row), null)
        self._known[size] = (depends, found)
        return found
