"""Selections in words."""

from __future__ import annotations

import numpy as np
import pytest

from kernelviewer.state.describe import describe_layers, describe_selection
from kernelviewer.state.document import Document
from kernelviewer.state.model import LayerRef
from kernelviewer.state.presenter import Presenter
from kernelviewer.state.selection import (
    All,
    Classes,
    CodeRange,
    Every,
    Kernels,
    Layers,
    Similar,
)
from tests.state.banks import make_bank

LAYERS = (
    ("stages.0.conv_dw", (7, 7), 4),
    *((f"stages.2.blocks.{i}.conv_dw", (7, 7), 4) for i in range(4)),
    ("head.conv_dw", (3, 3), 3),
)


@pytest.fixture
def document() -> Document:
    document = Document()
    document.open(make_bank("net", LAYERS))
    return document


def layers(*indices: int, model: int = 1) -> Layers:
    return Layers(frozenset(LayerRef(model, index) for index in indices))


def test_an_expression_reads_from_the_left(document: Document) -> None:
    assert describe_selection(document) == ""
    document.select("replace", layers(1, 2, 3, 4))
    document.select("intersect", CodeRange(0.31, 0.4))
    document.select("intersect", Classes(frozenset({"on-centre"})))
    assert describe_selection(document) == (
        "stages.2.blocks, 4 layers ∩ code 0.31–0.40 ∩ On-centre"
    )
    document.select("add", layers(0))
    assert describe_selection(document).endswith("∩ On-centre) ∪ stages.0.conv_dw")
    document.select("toggle", All())
    document.select("subtract", Classes(frozenset({"flat", "d1-x", "unidentified"})))
    text = describe_selection(document)
    assert text.startswith("all but ((")
    assert text.endswith("conv_dw) − ∂x, Unidentified, Flat")


def test_a_view_state_says_the_same_as_its_document(document: Document) -> None:
    presenter = Presenter(document)
    document.select("replace", CodeRange(0.311, 0.314))
    assert describe_selection(presenter.state) == "code 0.311–0.314"
    assert describe_selection(presenter.state) == describe_selection(document)


@pytest.mark.parametrize(
    ("indices", "text"),
    [
        ((2,), "stages.2.blocks.1"),
        ((1, 2, 3, 4), "stages.2.blocks, 4 layers"),
        ((1, 4), "stages.2.blocks, 2 of 4 layers"),
        ((0, 2), "stages, 2 of 5 layers"),
        ((0, 5), "stages.0.conv_dw, head.conv_dw"),
        ((0, 1, 2, 5), "4 layers"),
        ((0, 1, 2, 3, 4, 5), "all of net"),
    ],
)
def test_layers_are_told_by_what_their_names_begin_with(
    document: Document, indices: tuple[int, ...], text: str
) -> None:
    assert describe_layers(layers(*indices).layers, document.models) == text


def test_networks_are_named_where_there_are_several(document: Document) -> None:
    other = document.open(make_bank("other"))
    refs = layers(2).layers | layers(0, 1, model=other.id).layers
    text = describe_layers(refs, document.models)
    assert text == "net: stages.2.blocks.1, other: stages, 2 of 3 layers"
    document.close(other.id)
    assert describe_layers(refs, document.models) == "stages.2.blocks.1"
    document.select("replace", layers(0, model=other.id))
    assert describe_selection(document) == "layers of a closed network"


def test_picked_kernels_are_counted(document: Document) -> None:
    kernels = Kernels((7, 7), {1: np.arange(12), 9: np.arange(5)})
    document.select("replace", kernels)
    assert describe_selection(document) == "12 kernels picked"
    document.show_size((3, 3))
    assert describe_selection(document) == "12 kernels of 7×7 picked"


def test_similar_and_parts(document: Document) -> None:
    document.select("replace", Similar((7, 7), (0.0,) * 49, 0.9, "stages.0 channel 3"))
    part = Every((layers(0), Classes(frozenset({"on-cross"}))))
    document.select("subtract", part)
    assert describe_selection(document) == (
        "like stages.0 channel 3, cosine ≥ 0.90 − (stages.0.conv_dw ∩ On-cross)"
    )
