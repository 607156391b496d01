"""Tasks that write sessions and open what they name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.files import file_hash, write_text
from kernelviewer.formats import CheckpointError
from kernelviewer.formats.hashing import hash_at, network_hash
from kernelviewer.kernels import size_key
from kernelviewer.resources import resource
from kernelviewer.state.session.capture import Surroundings, describe, entry_of
from kernelviewer.state.session.form import CoderEntry, RunStep, to_text
from kernelviewer.state.session.paths import note_files, path_from
from kernelviewer.strangers import place_of
from kernelviewer.text import shown
from kernelviewer.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.session.files import RecoveryFile
    from kernelviewer.state.session.form import Look, NetworkEntry
    from kernelviewer.state.work import Work
    from kernelviewer.text import AnyPath


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What to write.

    Attributes
    ----------
    work, look, saved, origin
        As in `Session`.
    hashes
        Hashes of the networks' files, as far as they are known.
    steps
        The same of the steps of runs.
    files
        Files of autoencoders that were trained here, as far as they have one; those
        that are saved on the way are added at once, so that a task that is cancelled
        afterwards leaves nothing that the next one would write again.
    """

    work: Work
    look: Look
    saved: str
    origin: str = ""
    hashes: Mapping[KernelBank, str] = field(default_factory=dict)
    steps: Mapping[Path, str] = field(default_factory=dict)
    files: dict[Autoencoder, Path] = field(default_factory=dict)


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

    Gives way to what is urgent between pieces of a file.
    """
    return network_hash(bank.files, _GivingWay(ticket))


class _GivingWay(Watch):
    """Lets more urgent tasks run wherever it is checked."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket

    def check(self) -> None:
        self._ticket.give_way()


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
    around = Surroundings(
        tuple(_network(folder, model, wanted) for model in work.models),
        coders,
        wanted.look,
        wanted.saved,
        wanted.origin,
    )
    named = [
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
