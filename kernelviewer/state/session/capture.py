"""From a document's work to a session and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernelviewer import __version__
from kernelviewer.kernels.bank import size_key
from kernelviewer.kernels.classes import INDEX, NAMELESS, Naming, OwnName
from kernelviewer.state.keys import KeyChoice
from kernelviewer.state.own_names import OwnNames, Tag, tidied, with_tag
from kernelviewer.state.selection import Kernels, Selection, Step
from kernelviewer.state.session.form import (
    CorpusEntry,
    KeysEntry,
    NamesEntry,
    NamingEntry,
    NetworkEntry,
    OwnNameEntry,
    RunEntry,
    ScopeEntry,
    Session,
    StepEntry,
    TagEntry,
    stretch_entries,
    stretches_of,
)
from kernelviewer.state.session.places import Places, size_of, write_query
from kernelviewer.state.work import Marks, Scope, Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.own_names import Tags
    from kernelviewer.state.session.form import CoderEntry, Look, RunStep


_TRANSLATED = {"models", "scope", "focus", "marks", "autoencoders", "chosen"}
PLAIN = {*Work.__slots__} - _TRANSLATED
"""Parts of the work that the file has by the same name, as they are."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts of a session beside the work itself."""

    networks: tuple[NetworkEntry, ...]
    """The file of each open network, in order."""
    autoencoders: Mapping[Size, CoderEntry]
    """Where those in use are from."""
    look: Look
    saved: str
    origin: str = ""
    """As in `Session`."""
    keys: tuple[str, str] = ("", "")
    """Path and hash of the file of keys, where one is in use."""


def entry_of(
    model: OpenModel, path: str, sha256: str, size: int, steps: tuple[RunStep, ...] = ()
) -> NetworkEntry:
    """The entry of an open network whose file has this path, hash and size."""
    run = model.run
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
        run=None if run is None else RunEntry(run.name, run.unit, steps),
        corpus=None if model.drawn is None else CorpusEntry.write(model.drawn),
    )


def describe(work: Work, around: Surroundings) -> Session:
    """The session of some work."""
    places, marks, scope = Places(work.models), work.marks, work.scope
    layers = None if scope.layers is None else places.layer_names(scope.layers)
    size = size_key(scope.size) if scope.size else None
    plain = {name: getattr(work, name) for name in PLAIN}
    return Session(
        networks=around.networks,
        autoencoders={size_key(s): entry for s, entry in around.autoencoders.items()},
        thresholds={size_key(s): float(fit) for s, fit in marks.thresholds.items()},
        stretches={
            size_key(s): stretch_entries(own) for s, own in marks.stretches.items()
        },
        naming=NamingEntry(marks.naming.by, marks.naming.words),
        family_thresholds={
            size_key(s): float(fit) for s, fit in marks.family_thresholds.items()
        },
        mean=marks.mean,
        selection=tuple(
            StepEntry(step.mode, write_query(step.query, places))
            for step in marks.selection.steps
        ),
        names=NamesEntry(
            places.network_names(marks.names.networks),
            {
                class_id: OwnNameEntry(own.name, own.colour)
                for class_id, own in marks.names.classes.items()
            },
        ),
        tags={
            str(number): TagEntry(
                tag.own.name,
                tag.own.colour,
                {
                    size_key(s): places.kernel_ranges(own.indices)
                    for s, own in tag.kernels.items()
                },
            )
            for number, tag in marks.tags.items()
        },
        scope=ScopeEntry(layers, size, scope.only_selected),
        focus=places.kernel(work.focus) if work.focus else None,
        comparing=places.comparing(marks.comparing) if marks.comparing else None,
        keys=KeysEntry(marks.keys.by, marks.keys.count, *around.keys),
        look=around.look,
        program=__version__,
        saved=around.saved,
        origin=around.origin,
        **plain,
    )


@dataclass(frozen=True, slots=True)
class Coders:
    """Autoencoders that were read for a session; see `Work`."""

    known: Mapping[Size, Autoencoder] = field(default_factory=dict)
    chosen: Mapping[Size, Path | None] = field(default_factory=dict)


def rebuild(
    session: Session,
    models: Sequence[OpenModel | None],
    coders: Coders,
    keys: KeyChoice | None = None,
) -> tuple[Work, list[str]]:
    """The work of a session.

    Parameters
    ----------
    models
        Its networks in order; None where one is not there.
    keys
        Its keys; None: as it names them.

    Returns
    -------
    work, lost
        What does not fit the networks any more is left out; ``lost`` says so.
    """
    places, scope = Places(models), session.scope
    layers = None if scope.layers is None else places.layers(scope.layers) or None
    size = size_of(scope.size) if scope.size else None
    steps = tuple(Step(s.mode, s.query.read(places)) for s in session.selection)
    plain = {name: getattr(session, name) for name in PLAIN}
    work = Work(
        models=tuple(model for model in models if model is not None),
        scope=Scope(layers, size, scope.only_selected),
        focus=places.kernel_at(session.focus) if session.focus else None,
        marks=Marks(
            Selection(steps),
            {size_of(key): fit for key, fit in session.thresholds.items()},
            {size_of(key): stretches_of(own) for key, own in session.stretches.items()},
            Naming(session.naming.by, session.naming.words),
            {size_of(key): fit for key, fit in session.family_thresholds.items()},
            comparing=(
                places.compared(session.comparing) if session.comparing else None
            ),
            keys=keys
            or KeyChoice(session.keys.by, session.keys.count, session.keys.path),
            mean=session.mean,
            names=_names(session.names, places),
            tags=_tags(session.tags, places),
        ),
        autoencoders=dict(coders.known),
        chosen=dict(coders.chosen),
        **plain,
    )
    return work, list(_lost(session, models, places))


def _names(entry: NamesEntry, places: Places) -> OwnNames:
    """Names as the window would take them, whoever wrote the session."""
    names = OwnNames()
    for identity, name in places.named_networks(entry.networks).items():
        names = names.with_network(identity, name)
    for class_id, own in entry.classes.items():
        if INDEX[class_id] not in NAMELESS:
            names = names.with_class(class_id, OwnName(own.name, own.colour))
    return names


def _tags(entries: Mapping[str, TagEntry], places: Places) -> Tags:
    """Tags, as far as their kernels are there; none that says nothing."""
    tags: Tags = {}
    for number, entry in entries.items():
        sizes = {size_of(key): of for key, of in entry.kernels.items()}
        found = {
            size: Kernels(size, places.kernels(of, size)) for size, of in sizes.items()
        }
        kernels = {size: own for size, own in found.items() if len(own)}
        own = OwnName(tidied(entry.name), entry.colour)
        tags = with_tag(tags, int(number), Tag(own, kernels))
    return tags


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
