"""Tasks that write sessions and open what they name, wherever its files are now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.corpus.store import content_hash
from kernelviewer.files import file_hash, resource, write_text
from kernelviewer.formats import CheckpointError
from kernelviewer.formats.errors import describe_failure
from kernelviewer.formats.hub import PREFIX, cached, fetch
from kernelviewer.formats.registry import hash_at, network_hash
from kernelviewer.jobs.runner import GivingWay
from kernelviewer.jobs.runs import titled
from kernelviewer.jobs.tasks import load
from kernelviewer.kernels import size_key, size_label
from kernelviewer.state.keys import KeyChoice
from kernelviewer.state.model import Run
from kernelviewer.state.session.capture import (
    Coders,
    Surroundings,
    describe,
    entry_of,
    rebuild,
)
from kernelviewer.state.session.files import is_kept, read_session
from kernelviewer.state.session.form import CoderEntry, NetworkEntry, RunStep, to_text
from kernelviewer.state.session.paths import (
    beside_if_safe,
    exists,
    find,
    find_moved,
    known_files,
    look_for,
    note_files,
    path_from,
)
from kernelviewer.state.session.places import size_of
from kernelviewer.strangers import is_remote, place_of
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.model import Drawn, OpenModel
    from kernelviewer.state.session.files import RecoveryFile
    from kernelviewer.state.session.form import KeysEntry, Look, Session
    from kernelviewer.state.work import Work
    from kernelviewer.text import AnyPath


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """The work to write, and how."""

    work: Work
    look: Look
    saved: str
    origin: str = ""
    """As in `Session`."""
    hashes: Mapping[KernelBank, str] = field(default_factory=dict)
    """Hashes of the networks' files, as far as they are known."""
    steps: Mapping[Path, str] = field(default_factory=dict)
    """The same of the steps of runs."""
    files: dict[Autoencoder, Path] = field(default_factory=dict)
    """Files of autoencoders that were trained here, as far as they have one; those that
    are saved on the way are added at once, so that a task that is cancelled afterwards
    leaves nothing that the next one would write again."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """What came of writing: hashes and files of autoencoders that are known now."""

    hashes: Mapping[KernelBank, str]
    files: dict[Autoencoder, Path]


def write_session(ticket: Ticket, path: AnyPath, wanted: Wanted) -> Written:
    """Write a session; autoencoders that have no file yet get one beside it.

    Raises
    ------
    OSError
        The folder is read-only, or the disk is full; the old file is untouched.
    """
    path = Path(path)
    hashes = dict(wanted.hashes)
    models = wanted.work.models
    for number, model in enumerate(models):
        ticket.progress(number, len(models), shown(model.bank.path.name))
        if not hashes.get(model.bank):
            hashes[model.bank] = hash_network(ticket, model.bank)
    steps: dict[Path, str] = {}
    for model in models:
        for number, step in enumerate(model.run.steps if model.run else ()):
            ticket.progress(number, len(model.run or ()), step.name)
            steps[step.path] = hash_at(step.path, ticket)
    wanted = replace(wanted, hashes=hashes, steps=steps)
    text, files, named = _text_of(ticket, path, path.parent, wanted)
    write_text(path, text)
    note_files(named)
    return Written(hashes, files)


def keep(ticket: Ticket, target: RecoveryFile, wanted: Wanted) -> Written:
    """Keep work in a recovery file; hashes that are not known are left empty.

    Raises
    ------
    OSError
        As for `write_session`.
    """
    text, files, _ = _text_of(ticket, target.make(), None, wanted)
    target.write(text)
    return Written(wanted.hashes, files)


def hash_network(ticket: Ticket, bank: KernelBank) -> str:
    """Hash of the files of a network as they were read; empty if that is not known.

    Gives way to what is urgent between pieces of a file. Of kernels of a corpus it is
    that of the kernels themselves.
    """
    if bank.format == "corpus" or not bank.files:
        return content_hash(bank)
    return network_hash(bank.files, GivingWay(ticket))


def shipped_entry(autoencoder: Autoencoder) -> CoderEntry:
    """The entry of an autoencoder that comes with the program."""
    name = f"{autoencoder.method}-{size_key(autoencoder.size)}"
    return CoderEntry(file_hash(resource("autoencoders", f"{name}.safetensors")), name)


def _text_of(
    ticket: Ticket, path: Path, folder: Path | None, wanted: Wanted
) -> tuple[str, dict[Autoencoder, Path], list[Path]]:
    """The text, files of autoencoders, and all files that the text names."""
    work = wanted.work
    files = wanted.files
    coders: dict[Size, CoderEntry] = {}
    for size in sorted({s for m in work.models for s in m.bank.sizes} | {*work.chosen}):
        ticket.check()
        entry = _coder(path, folder, work, size, files)
        if entry is not None:
            coders[size] = entry
    chosen = work.marks.keys
    keys = Path(chosen.path) if chosen.by == "file" else None
    around = Surroundings(
        tuple(_network(folder, model, wanted) for model in work.models),
        coders,
        wanted.look,
        wanted.saved,
        wanted.origin,
        (path_from(folder, keys), hash_at(keys, ticket)) if keys else ("", ""),
    )
    named = [
        *((keys,) if keys else ()),
        *(model.bank.path for model in work.models if not model.hub),
        *(step.path for model in work.models if model.run for step in model.run.steps),
        *(place_of(path.parent, coder.path) for coder in coders.values() if coder.path),
    ]
    return to_text(describe(work, around)), files, named


def _network(folder: Path | None, model: OpenModel, wanted: Wanted) -> NetworkEntry:
    bank = model.bank
    path = path_from(folder, bank.path)
    hashed, run = wanted.hashes.get(bank, ""), model.run
    steps = (
        tuple(
            RunStep(
                number,
                path_from(folder, step.path),
                wanted.steps.get(step.path, ""),
                step.stamp[0],
            )
            for step, number in zip(run.steps, run.numbers, strict=True)
        )
        if run
        else ()
    )
    return entry_of(model, path, hashed, bank.size_bytes, steps)


def _coder(
    path: Path,
    folder: Path | None,
    work: Work,
    size: Size,
    files: dict[Autoencoder, Path],
) -> CoderEntry | None:
    """Where the autoencoder of a size is from; one without a file is written."""
    from kernelviewer.latent.autoencoder import shipped

    autoencoder = work.autoencoders.get(size)
    if size not in work.chosen:
        try:
            autoencoder = autoencoder or shipped(size)
            return shipped_entry(autoencoder) if autoencoder is not None else None
        except (CheckpointError, OSError):
            return None
    assert autoencoder is not None
    source = work.chosen[size] or files.get(autoencoder)
    if source is None or not source.exists():
        source = _free(path.with_name(f"{path.stem}-{size_key(size)}.safetensors"))
        autoencoder.save(source)
        files[autoencoder] = source
    return CoderEntry(file_hash(source), path=path_from(folder, source))


def _free(path: Path) -> Path:
    """The path, or with a number behind its name where that is taken."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


Answers = dict[str, "Path | None"]
"""How the session names a file → where it is; None: open without it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that is not where the session says."""

    key: str
    """How the session names it."""
    name: str
    where: str
    """For people: its name, and where it was or why it cannot be had."""
    sha256: str
    """Hash it had; empty if that is not known."""
    outside: Path | None = None
    """Where it lies outside the session's folder, as it says: nothing has looked there,
    which the user has to allow. None if it is just missing."""
    hub: str = ""
    """Name of a pretrained network that would have to be downloaded, which the user has
    to allow too."""
    is_folder: bool = False
    """Whether it is a corpus."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """A session some of whose files are missing: the user has to be asked."""

    path: Path
    missing: tuple[Missing, ...]
    answers: Answers


@dataclass(frozen=True, slots=True, eq=False)
class Reopened:
    """A session that was read."""

    session: Session
    """What its file says."""
    work: Work
    """The same with its networks, for `Document.restore`."""
    hashes: Mapping[KernelBank, str]
    """Of the networks' files."""
    notes: tuple[str, ...]
    lost: tuple[str, ...]
    """Sentences about what is not as it was, and about what had to be left out."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A missing file that was found; ``same``: its content is what it was."""

    path: Path
    same: bool


def open_session(
    ticket: Ticket, path: AnyPath, answers: Answers, new_model: Callable[..., OpenModel]
) -> Reopened | Lacking:
    """Read a session and all that it names, or say what is missing.

    What it names outside its folder is touched only if the user has opened it before,
    or says so now, and shares and devices never unasked (`kernelviewer.strangers`);
    nothing is downloaded unasked, as an address tells a server who reads;
    recovery files are the program's own and are trusted.

    Parameters
    ----------
    answers
        Where files are that were missing or had to be allowed: the user's word.
    new_model
        `Document.new_model`.

    Raises
    ------
    CheckpointError
        The session itself cannot be read.
    """
    path = Path(path)
    session = read_session(path)
    places, missing = _locate(ticket, session, path, answers)
    if missing:
        return Lacking(path, tuple(missing), answers)
    reading = _Reading(ticket, places)
    models: list[OpenModel | None] = []
    for number, entry in enumerate(session.networks):
        ticket.progress(number, len(session.networks), entry.name)
        run = reading.run(entry)
        bank = reading.network(entry)
        if bank is None and run is not None:  # the step that was shown is not there
            bank = reading.network(reading.last_step(entry))
        if bank is None:
            models.append(None)
        elif run is None:
            drawn = entry.corpus.read() if entry.corpus else None
            models.append(new_model(bank, entry.hub, drawn=drawn))
        else:
            step = run.place(bank.path)
            models.append(new_model(titled(bank, run, step), "", run, step))
    coders = {size_of(key): item for key, item in session.autoencoders.items()}
    for size, coder in sorted(coders.items()):
        reading.coder(size, coder)
    note_files(place for place in answers.values() if place is not None)
    coded = Coders(reading.known, reading.chosen)
    work, lost = rebuild(session, models, coded, reading.keys(session.keys))
    return Reopened(session, work, reading.hashes, tuple(reading.notes), tuple(lost))


def look_along(
    ticket: Ticket, folder: Path, missing: Sequence[Missing], found: Mapping[str, Path]
) -> dict[str, Sighting]:
    """Check files that the user found, and find those that moved the same way."""
    also = find_moved(folder, [item.key for item in missing], found)
    places = {**also, **found}
    sightings = {}
    for number, item in enumerate(missing):
        if item.key in places:
            ticket.progress(number, len(missing), item.name)
            place = places[item.key]
            if not exists(place):
                continue
            same = item.sha256 in ("", hash_at(place, ticket))
            sightings[item.key] = Sighting(place, same)
    return sightings


def download_missing(ticket: Ticket, missing: Sequence[Missing]) -> dict[str, Sighting]:
    """Download the pretrained networks among what is missing."""
    sightings = {}
    for item in missing:
        if item.hub:
            place = fetch(item.hub, watch=ticket)
            same = item.sha256 in ("", hash_at(place, ticket))
            sightings[item.key] = Sighting(place, same)
    return sightings


def _locate(
    ticket: Ticket, session: Session, path: Path, answers: Answers
) -> tuple[Answers, list[Missing]]:
    """Where the session's files are, and those that are nowhere or not allowed."""
    known = None if is_kept(path) else known_files()
    places: Answers = {}
    missing: dict[str, Missing] = {}
    entries: list[NetworkEntry | RunStep | CoderEntry | KeysEntry] = [
        *session.networks,
        *(step for net in session.networks if net.run for step in net.run.steps),
        *session.autoencoders.values(),
        session.keys,
    ]
    for entry in entries:
        key = entry.key
        if not key or key in places:
            continue
        if key in answers:
            places[key] = answers[key]
            continue
        place = _place(ticket, path.parent, entry, known)
        if isinstance(place, Missing):
            missing[key] = place
        else:
            places[key] = place
    return places, list(missing.values())


def _place(
    ticket: Ticket,
    folder: Path,
    entry: NetworkEntry | RunStep | CoderEntry | KeysEntry,
    known: Collection[str] | None,
) -> Path | Missing:
    """Where a file is, else why it is nowhere; ``known`` None: the session is ours."""
    missing = Missing(entry.key, shown(entry.name), "", entry.sha256)
    if isinstance(entry, NetworkEntry) and entry.corpus:
        missing = replace(missing, sha256="", is_folder=True)
    hub = entry.hub if isinstance(entry, NetworkEntry) else ""
    if hub:
        try:
            there = cached(hub)
        except CheckpointError as error:
            return replace(missing, where=error.problem)
        return there or replace(missing, where="the hub", hub=hub)
    written = entry.path
    place = place_of(folder, written)
    missing = replace(missing, where=shown(written if is_remote(written) else place))
    if known is None:
        return find(folder, written) or missing
    looked = look_for(folder, written, known)
    if looked.found is not None:
        return looked.found
    near = beside_if_safe(folder, written)
    if near is not None and (
        not looked.asks or hash_at(near, ticket) == entry.sha256 != ""
    ):
        return near
    return replace(missing, outside=place if looked.asks else None)


@dataclass(slots=True)
class _Reading:
    """Reads what a session names and notes what is not as it was."""

    ticket: Ticket
    places: Answers
    known: dict[Size, Autoencoder] = field(default_factory=dict)
    chosen: dict[Size, Path | None] = field(default_factory=dict)
    hashes: dict[KernelBank, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def network(self, entry: NetworkEntry) -> KernelBank | None:
        """A network, or None with a note."""
        place = self.places[entry.key]
        if place is None:
            return None
        if entry.corpus is not None:
            return self._of_corpus(entry, entry.corpus.read(), place)
        changed = entry.sha256 not in ("", hash_at(place, self.ticket))
        if changed:
            self.notes.append(f"{entry.name} has changed since the session was saved")
        try:
            bank = self._load(place, entry, changed)
        except Exception as error:
            message, _, hint = describe_failure(error, place.name)
            self.notes.append(f"{message}. {hint}".rstrip(". "))
            return None
        if entry.hub:
            bank = replace(bank, name=entry.hub.removeprefix(PREFIX))
        self.hashes[bank] = network_hash(bank.files, self.ticket)
        return bank

    def _of_corpus(
        self, entry: NetworkEntry, drawn: Drawn, place: Path
    ) -> KernelBank | None:
        """Kernels of a corpus, asked for again, or None with a note."""
        from kernelviewer.corpus.query import Questions
        from kernelviewer.corpus.store import Corpus
        from kernelviewer.jobs.corpus import corpus_at, read

        try:
            questions = Questions(Corpus.open(corpus_at(place) or place))
            bank = read(questions, drawn, self.ticket)
            questions.close()
        except Exception as error:
            message, _, hint = describe_failure(error, place.name)
            self.notes.append(f"{drawn.name}: {message}. {hint}".rstrip(". "))
            return None
        self.hashes[bank] = hash_network(self.ticket, bank)
        if entry.sha256 not in ("", self.hashes[bank]):
            changed = f"{drawn.name}: the corpus {entry.name} has changed since"
            self.notes.append(f"{changed} the session was saved")
        return bank

    def run(self, entry: NetworkEntry) -> Run | None:
        """The run that a network is a step of, less the steps that are not there."""
        from kernelviewer.kernels.series import own_names, step_at

        if entry.run is None:
            return None
        there = [(step, self.places[step.key]) for step in entry.run.steps]
        found = [(step, place) for step, place in there if place is not None]
        if len(found) < len(there):
            count = len(there) - len(found)
            listed = f"{count} of the {len(there)} steps of {entry.run.name}"
            self.notes.append(f"{listed} were left out")
        changed = [
            step.name
            for step, place in found
            if step.sha256 not in ("", hash_at(place, self.ticket))
        ]
        if changed:
            listed = f"{len(changed)} steps of {entry.run.name}, {changed[0]} first,"
            self.notes.append(f"{listed} have changed since the session was saved")
        if not found:
            return None
        names = own_names([place for _, place in found])
        return Run(
            entry.run.name,
            tuple(
                step_at(place, name)
                for (_, place), name in zip(found, names, strict=True)
            ),
            tuple(step.number for step, _ in found),
            entry.run.unit,
            entry.copy,
            entry.include,
        )

    def last_step(self, entry: NetworkEntry) -> NetworkEntry:
        """The last step of a run that is there, in place of the one that was shown."""
        from msgspec.structs import replace

        steps = entry.run.steps if entry.run else ()
        last = [step for step in steps if self.places[step.key] is not None][-1]
        return replace(entry, path=last.path, sha256=last.sha256, bytes=last.bytes)

    def coder(self, size: Size, entry: CoderEntry) -> None:
        """An autoencoder; where it cannot be had, the usual one is used."""
        if not entry.shipped and not entry.path:
            label = size_label(size)
            self.notes.append(
                f"The autoencoder for {label} was left out: the session does not name "
                "its file"
            )
            return
        try:
            if entry.shipped:
                self._shipped(size, entry)
            elif place := self.places[entry.key]:
                self._from_file(size, entry, place)
            else:
                self._without(size, entry)
        except CheckpointError as error:
            self.notes.append(f"{error.name}: {error.problem}")
            self._without(size, entry)

    def keys(self, entry: KeysEntry) -> KeyChoice:
        """The choice of keys; the usual one where their file cannot be had."""
        if entry.by == "file" and not entry.path:
            self.notes.append(
                "The keys of a file were left out: the session does not name it"
            )
            return KeyChoice()
        place = self.places[entry.key] if entry.key else None
        if entry.key and place is None:
            self.notes.append(f"The keys of {entry.name} were left out")
            return KeyChoice()
        if place and entry.sha256 not in ("", hash_at(place, self.ticket)):
            self.notes.append(f"{entry.name} has changed: keys may differ")
        return KeyChoice(entry.by, entry.count, str(place) if place else "")

    def _load(self, place: Path, entry: NetworkEntry, changed: bool) -> KernelBank:
        """As saved; a file that changed may lack the copy and the layers."""
        try:
            return load(self.ticket, place, copy=entry.copy, include=entry.include)
        except (CheckpointError, ValueError):
            if not changed or not (entry.copy or entry.include):
                raise
        bank = load(self.ticket, place)
        if entry.include:
            self.notes.append(f"{entry.name}: the layers taken in by hand are left out")
        if entry.copy and entry.copy != bank.copy:
            self.notes.append(f"{entry.name} has no copy “{entry.copy}” any more")
        return bank

    def _shipped(self, size: Size, entry: CoderEntry) -> None:
        from kernelviewer.latent.autoencoder import METHODS, shipped

        for method in METHODS:
            autoencoder = shipped(size, method)
            if entry.shipped == f"{method}-{size_key(size)}" and autoencoder:
                self.known[size] = autoencoder
                if shipped_entry(autoencoder).sha256 != entry.sha256:
                    self.notes.append(
                        f"The autoencoder for {size_label(size)} that comes with the "
                        "program has changed: codes may differ"
                    )
                return
        self._without(size, entry)

    def _from_file(self, size: Size, entry: CoderEntry, place: Path) -> None:
        from kernelviewer.latent.autoencoder import Autoencoder

        autoencoder = Autoencoder.load(place)
        if autoencoder.size != size:
            self.notes.append(f"{place.name} is not for {size_label(size)} kernels")
            self._without(size, entry)
            return
        if entry.sha256 not in ("", hash_at(place, self.ticket)):
            self.notes.append(f"{entry.name} has changed: codes may differ")
        self.known[size] = autoencoder
        self.chosen[size] = None if is_kept(place) else place

    def _without(self, size: Size, entry: CoderEntry) -> None:
        self.notes.append(
            f"{size_label(size)} kernels are encoded without {entry.name}, "
            "which is not there"
        )
