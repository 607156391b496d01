"""Work of every kind, as a session and back, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.kernels.classes import OwnName
from kernelviewer.latent.stretches import Stretch
from kernelviewer.state.arrangement import Charts, Display
from kernelviewer.state.document import Document
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.selection import (
    All,
    Classes,
    CodeRange,
    Every,
    Kernels,
    Layers,
    Similar,
)
from kernelviewer.state.session.capture import (
    Coders,
    Surroundings,
    describe,
    entry_of,
    rebuild,
)
from kernelviewer.state.session.form import CoderEntry, Look
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from kernelviewer.state.session.form import Session

SEVEN = (7, 7)
HASH = "a" * 64
STRETCHES = (
    Stretch(0.0, 0.25, "on-centre", 1, 0.9, "hats", "#1A2B3C"),
    Stretch(0.25, 1.0, "d1-x"),
)


def worked_on() -> Document:
    """Two networks with every kind of mark on them."""
    document = Document(Display("class", "fit", "layer"))
    first = document.open(make_bank("first"))
    second = document.open(make_bank("other"))
    document.show_layers(frozenset({LayerRef(first.id, 0), LayerRef(second.id, 1)}))
    document.set_threshold(SEVEN, 0.1 + 0.2)
    document.set_stretches(SEVEN, STRETCHES)
    own = {first.id: np.array([0, 1, 2, 7]), second.id: np.array([9])}
    for mode, query in (
        ("replace", Layers(frozenset({LayerRef(second.id, 1)}))),
        ("add", CodeRange(1 / 3, 2 / 3)),
        ("intersect", Classes(frozenset({"on-centre", "d1-x"}))),
        ("add", Similar((3, 3), tuple((np.arange(9) - 4) / 7.7), 0.9, "first 3")),
        ("subtract", Every((All(), CodeRange(0.0, 0.1)))),
        ("toggle", Kernels(SEVEN, own)),
    ):
        document.select(mode, query)  # type: ignore[arg-type]
    document.rename_network(second.id, "after")
    document.rename_class("edge-x", OwnName("Kante", "#D55E00"))
    document.rename_tag(3, OwnName("broken", "#009E73"))
    document.toggle_tag(3, Kernels(SEVEN, {**own, second.id: np.array([2])}))
    document.toggle_tag(9, Kernels((3, 3), {first.id: np.array([0])}))
    document.set_focus(KernelRef(second.id, SEVEN, 3))
    document.set_position(0.123456789)
    document.show_charts(Charts(across=2, up=0, colour_by="layer"))
    document.show_only_selected(True)
    return document


def session_of(document: Document) -> Session:
    """The session of a document whose files are beside it."""
    networks = tuple(
        entry_of(model, f"nets/{model.bank.name}.safetensors", HASH, 1000)
        for model in document.models
    )
    coders = {SEVEN: CoderEntry(HASH, shipped="curve-7x7")}
    look = Look("grey", True, "AAAA")
    around = Surroundings(networks, coders, look, "2026-01-02T03:04:05Z")
    return describe(document.work, around)


def reopened(session: Session, *names: str | None) -> tuple[Document, list[str]]:
    """A document that took the session up, with these networks."""
    document = Document()
    models = [
        None if name is None else document.new_model(make_bank(name)) for name in names
    ]
    work, lost = rebuild(session, models, Coders())
    document.restore(work)
    return document, lost


def step(**query: Any) -> list[Any]:
    return [{"mode": "replace", "query": query}]
