"""Classes per layer over all sizes, counted anew only where something changed."""

from __future__ import annotations

import numpy as np

from kernelviewer.kernels.classes import CLASSES, INDEX
from kernelviewer.state.document import Document
from kernelviewer.state.model import LayerRef
from kernelviewer.state.tally import AllSizes
from kernelviewer.state.view_state import resolve
from tests.state.banks import family_names, make_bank

FAMILY = INDEX["d1-x"]


def analysed(document: Document, size: tuple[int, ...]) -> None:
    """Give the first network's kernels of a size a class of the family."""
    kernels = document.models[0].bank.sizes[size]
    fit = np.full(len(kernels), 0.9, np.float32)
    family = np.full(len(kernels), FAMILY, np.uint8)
    family[kernels.flat] = INDEX["flat"]
    document.set_family(document.banks[0], size, family_names(family, fit, size))


def test_layers_of_every_size_are_counted_as_they_come() -> None:
    document = Document()
    model = document.open(make_bank())
    counts = AllSizes(document)
    assert counts.count(resolve(document, None)) == {}
    analysed(document, (3, 3))
    state = resolve(document, None)
    assert state.size == (7, 7)
    found = counts.count(state)
    assert set(found) == {LayerRef(model.id, 2)}
    row = found[LayerRef(model.id, 2)].counts
    assert len(row) == len(CLASSES)
    assert (row[FAMILY], row[INDEX["flat"]]) == (3, 2)
    analysed(document, (7, 7))
    found = counts.count(resolve(document, None))
    assert {ref.layer for ref in found} == {0, 1, 2}
    assert sum(sum(layer.counts) for layer in found.values()) == 15


def test_what_did_not_change_is_not_counted_again() -> None:
    document = Document()
    document.open(make_bank())
    for size in ((3, 3), (7, 7)):
        analysed(document, size)
    counts = AllSizes(document)
    first = counts.count(resolve(document, None))
    again = counts.count(resolve(document, None))
    assert all(first[ref] is again[ref] for ref in first)
    document.show_size((3, 3))
    other = counts.count(resolve(document, None))
    assert all(first[ref] is other[ref] for ref in first)
    document.set_threshold((3, 3), 0.95)
    after = counts.count(resolve(document, None))
    assert after[LayerRef(1, 2)].counts[INDEX["unidentified"]] == 3
    assert after[LayerRef(1, 0)] is first[LayerRef(1, 0)]
