"""From a document's work to a session and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernelviewer import __version__
from kernelviewer.state.selection import Selection, Step
from kernelviewer.state.session.model import NetworkEntry, Session
from kernelviewer.state.session.places import Places
from kernelviewer.state.session.queries import read_query, write_step
from kernelviewer.state.work import Marks, Scope, Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.session.model import CoderEntry, Look


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a session says beside the work itself.

    Attributes
    ----------
    networks
        The file of each open network, in order.
    autoencoders
        Where those in use are from.
    look, saved, origin
        As in `Session`.
    """

    networks: tuple[NetworkEntry, ...]
    autoencoders: Mapping[Size, CoderEntry]
    look: Look
    saved: str
    origin: str = ""


def entry_of(model: OpenModel, path: str, sha256: str, size: int) -> NetworkEntry:
    """The entry of an open network whose file has this path, hash and size."""
    return NetworkEntry(
        path="" if model.hub else path,
        sha256=sha256,
        bytes=size,
        copy=model.bank.copy,
        include=tuple(
            layer.name
            for layer in model.bank.layers
            if layer.kind in ("ambiguous", "fixed") and layer.included
        ),
        hub=model.hub,
    )


def describe(work: Work, around: Surroundings) -> Session:
    """The session of some work."""
    places = Places(work.models)
    layers = work.scope.layers
    return Session(
        networks=around.networks,
        autoencoders=around.autoencoders,
        thresholds={s: float(t) for s, t in work.marks.thresholds.items()},
        stretches=work.marks.segments,
        steps=tuple(write_step(s, places) for s in work.marks.selection.steps),
        layers=None if layers is None else places.layer_names(layers),
        size=work.scope.size,
        only_selected=work.scope.only_selected,
        focus=places.kernel(work.focus) if work.focus else None,
        position=float(work.position),
        display=work.display,
        charts=work.charts,
        look=around.look,
        program=__version__,
        saved=around.saved,
        origin=around.origin,
    )


@dataclass(frozen=True, slots=True)
class Coders:
    """Autoencoders that were read for a session; see `Work`."""

    known: Mapping[Size, Autoencoder] = field(default_factory=dict)
    chosen: Mapping[Size, Path | None] = field(default_factory=dict)


def rebuild(
    session: Session, models: Sequence[OpenModel | None], coders: Coders
) -> tuple[Work, list[str]]:
    """The work of a session.

    Parameters
    ----------
    models
        Its networks in order; None where one is not there.
    coders
        Its autoencoders.

    Returns
    -------
    work, lost
        What does not fit the networks any more is left out; ``lost`` says so.
    """
    places = Places(models)
    steps = [Step(mode, read_query(query, places)) for mode, query in session.steps]
    layers = None
    if session.layers is not None:
        layers = places.layers(session.layers, "scope") or None
    focus = session.focus and places.kernel_at(session.focus, "focus")
    work = Work(
        models=tuple(model for model in models if model is not None),
        scope=Scope(layers, session.size, session.only_selected),
        focus=focus or None,
        display=session.display,
        charts=session.charts,
        position=session.position,
        marks=Marks(
            Selection(tuple(steps)), dict(session.thresholds), dict(session.stretches)
        ),
        autoencoders=dict(coders.known),
        chosen=dict(coders.chosen),
    )
    return work, list(_lost(session, models, places))


def _lost(
    session: Session, models: Sequence[OpenModel | None], places: Places
) -> Iterator[str]:
    """Sentences about what was left out."""
    gone = {number for number, model in enumerate(models) if model is None}
    marked = {number for number, _ in places.missing} & gone
    for number in sorted(gone):
        text = f"{session.networks[number].name} was left out"
        yield f"{text}, with what was selected in it" if number in marked else text
    for (number, what), count in sorted(places.missing.items()):
        if number not in gone:
            name = session.networks[number].name
            are = f"{what} is" if count == 1 else f"{what}s are"
            yield f"{count} marked {are} not in {name} any more"
