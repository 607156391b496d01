"""Opens files in the background and tells what came of each."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from PySide6.QtCore import QObject, QTimer, Signal

from kernelviewer.formats.errors import with_hint
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.runs import RunFound, open_or_ask, open_run
from kernelviewer.jobs.tasks import (
    CorpusFound,
    SessionFound,
    Unusable,
    load,
    open_files,
    open_named,
    read_code,
)
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.equality import best_match
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kernelviewer.corpus.store import Corpus
    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.gui.views.jobs import JobsPanel
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.jobs.runs import OpenedRun
    from kernelviewer.jobs.tasks import Tally
    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import Drawn, OpenModel

P = ParamSpec("P")


class Opener(QObject):
    """Brings networks into the document.

    Attributes
    ----------
    asks
        Whether somebody is there to say how a run is to be opened; else as one.
    unusable
        What could not be opened, or has no depthwise kernels, by its path.
    """

    opened = Signal(object)
    """Path of a file that was opened."""
    session_found = Signal(object, object)
    """Path of a session among what is to be opened, and the other paths."""
    corpus_found = Signal(object)
    """`OpenCorpus`: a corpus that was opened."""
    drawn = Signal(object)
    """`OpenModel` each: networks that were made of a corpus."""
    run_found = Signal(object)
    """`RunFound`: files to open that are steps of one run."""
    told = Signal(str)
    """A sentence for the status bar."""
    unusable_changed = Signal()
    """Files could not be opened, or are not told of any more."""
    nothing_opened = Signal()
    """Of what was to be opened nothing could be."""
    under_way = Signal(str, int, int)
    """What is being opened, in a sentence, and how far it is; an empty one: nothing."""
    compare_requested = Signal(int, int)
    """Ids of an open network and of one that was opened to be compared with it."""

    def __init__(
        self, document: Document, jobs: Jobs, panel: JobsPanel, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document, self._jobs, self._panel = document, jobs, panel
        self._batches = count(1)
        self._keys: list[str] = []
        self._arrived: list[KernelBank] = []
        self._opening: dict[str, tuple[str, int, int]] = {}
        self._empty = 0
        self._beside: int | None = None
        self._found: RunFound | None = None
        self.asks = True
        self.unusable: dict[Path, Unusable] = {}

    def try_again(self, paths: Sequence[Path]) -> None:
        """Open files that could not be opened once more."""
        self.open(paths, apart=True)

    def dismiss(self, paths: Sequence[Path]) -> None:
        """Tell of these files no more."""
        self.unusable = {k: v for k, v in self.unusable.items() if k not in paths}
        self.unusable_changed.emit()

    def _note_unusable(self, found: Unusable) -> None:
        self.unusable = {**self.unusable, found.path: found}
        self.unusable_changed.emit()
        self.told.emit(found.sentence)

    def open_beside(self, identity: int, path: Path) -> None:
        """Open a file, and compare an open network with the first that is in it."""
        self._beside = identity
        self.open([path])

    def open(self, paths: Sequence[Path], *, apart: bool = False) -> None:
        """Open files and folders as one job.

        Of what seems to be one run `run_found` is told, and nothing is opened, unless
        ``apart`` says that each is to be a network of its own.
        """
        if not paths:
            return
        name = shown(paths[0].name or paths[0])
        title = f"Open {name}" if len(paths) == 1 else f"Open {len(paths)} files"
        reaction = Reaction(
            done=self._on_done,
            failed=lambda message, hint: self._open_arrived(),
            stopped=self._open_arrived,
            partial=self._on_partial,
            kind="Open files",
        )
        paths = [path.absolute() for path in paths]
        task = open_files if apart else open_or_ask
        self._submit(title, reaction, task, paths)

    def open_run(self, paths: Sequence[Path], name: str = "") -> None:
        """Open files, and what lies in folders, as the steps of one run."""

        def done(found: OpenedRun) -> str:
            for item in found.left_out:
                text = f"{item.name} is left out: {item.problem}"
                self._panel.add_failure(ticket.number, text, shown(item.path))
            self.take_run(found)
            if len(paths) == 1:
                self.opened.emit(paths[0])
            return f"{len(found.run)} {found.run.unit}s"

        reaction = Reaction(done=done, failed=self._on_failed)
        paths = [path.absolute() for path in paths]
        title = f"Open {name or 'a run'}"
        ticket = self._submit(title, reaction, open_run, paths, name=name)

    def take_run(self, found: OpenedRun) -> OpenModel:
        """Open a run that was read."""
        run, path = found.run, found.bank.path
        model = self._document.open(found.bank, run=run, step=run.place(path))
        text = f"{run.name}: {len(run)} {run.unit}s, {run.numbers[0]} to "
        text += str(run.numbers[-1])
        if found.left_out:
            names = ", ".join(item.name for item in found.left_out)
            text += f"; left out: {names}"
        self.told.emit(text)
        return model

    def open_named(self, name: str) -> None:
        """Open a pretrained network of timm's list or of the hub."""

        def done(bank: KernelBank) -> str:
            if is_empty(bank):
                self._note_unusable(unusable_as_empty(bank))
                self.nothing_opened.emit()
                return "no depthwise kernels"
            self._document.open(bank, hub=name)
            return self._tell(bank)

        reaction = Reaction(done=done, failed=self._on_failed)
        self._submit(f"Open {name}", reaction, open_named, name)

    def open_drawn(self, corpus: Corpus, wanted: Sequence[Drawn]) -> None:
        """Open kernels of a corpus as networks; until all are read there is none.

        What is like a kernel is shown with the nearest first.
        """
        from kernelviewer.jobs.corpus import draw

        found: list[tuple[KernelBank, Drawn]] = []

        def done(_: object) -> str:
            with self._document.batch():
                models = [self._document.open(b, drawn=drawn) for b, drawn in found]
                if any(drawn.like for _, drawn in found):
                    how = replace(
                        self._document.display, group_by="model", sort_by="like"
                    )
                    self._document.show_as(how)
            self.drawn.emit(models)
            kernels = sum(len(bank) for bank, _ in found)
            for bank, _ in found:  # after the change, which empties the status line
                self._tell(bank)
            return f"{spaced(kernels)} kernels"

        reaction = Reaction(partial=found.append, done=done, failed=self._on_failed)
        name = wanted[0].name if len(wanted) == 1 else f"{len(wanted)} networks"
        self._submit(f"Open {shown(name)}", reaction, draw, corpus, wanted)

    def load_autoencoder(self, path: Path) -> None:
        """Use an autoencoder from a file for its kernel size."""

        def done(autoencoder: Autoencoder) -> str:
            self._document.choose_autoencoder(autoencoder, path.absolute())
            text = (
                f"{shown(path.name)} is used for {size_label(autoencoder.size)} kernels"
            )
            self.told.emit(text)
            return text

        reaction = Reaction(done=done, failed=self._on_failed)
        title = f"Load {shown(path.name)}"
        self._jobs.submit("files", "autoencoder", title, reaction, read_code, path)

    def _submit(
        self,
        title: str,
        reaction: Reaction,
        task: Callable[Concatenate[Ticket, P], object],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Ticket:
        """Run a job that brings networks; until it ends it is told what it does."""
        key = f"open {next(self._batches)}"
        self._keys.append(key)
        sentence = f"{title.replace('Open', 'Opening', 1)}…"

        def say(done: int = 0, total: int = 0, text: str = "") -> None:
            self._opening[key] = sentence, done, total
            self._tell_opening()

        def ended(call: Callable[..., Any]) -> Callable[..., Any]:
            def end(*given: Any) -> Any:
                self._opening.pop(key, None)
                self._tell_opening()
                return call(*given)

            return end

        told = replace(
            reaction,
            progress=say,
            done=ended(reaction.done),
            failed=ended(reaction.failed),
            stopped=ended(reaction.stopped),
        )
        say()
        return self._jobs.submit("files", key, title, told, task, *args, **kwargs)

    def _tell_opening(self) -> None:
        self.under_way.emit(*next(iter(self._opening.values()), ("", 0, 0)))

    def stop(self) -> None:
        """Bring nothing more of what is being opened, whatever has been read of it."""
        for key in self._keys:
            self._jobs.cancel(key)
        self._keys.clear()
        self._arrived.clear()
        self._found = self._beside = None

    def reopen(self, identity: int, *, copy: str = "", include: Sequence[str]) -> None:
        """Read an open network again: another copy of it, or other layers."""
        model = self._document.model(identity)
        bank, run = model.bank, model.run
        if model.drawn is not None:
            self.told.emit("Kernels of a corpus are as they were taken into it.")
            return
        if run is not None:
            run = replace(run, copy=copy or bank.copy, include=tuple(include))

        def done(new: KernelBank) -> str:
            if not self._document.is_open(identity):
                return "closed meanwhile"
            if model.hub or run:  # its file's name says nothing
                new = replace(new, name=bank.name)
            self._document.replace(identity, new, run)
            return self._tell(new)

        self._jobs.submit(
            "files",
            f"reopen {identity}",
            f"Read {bank.name} again",
            Reaction(done=done),
            load,
            bank.path,
            copy=copy or bank.copy,
            include=include,
        )

    def include(self, identity: int, layer: str, included: bool) -> None:
        """Take the kernels of an undecided layer in, or leave them out again."""
        names = [
            other.name
            for other in self._document.model(identity).bank.layers
            if other.kind in ("ambiguous", "fixed") and other.included
        ]
        names = [name for name in names if name != layer] + [layer] * included
        self.reopen(identity, include=names)

    def _on_partial(
        self, value: KernelBank | Unusable | SessionFound | RunFound | CorpusFound
    ) -> None:
        if isinstance(value, Unusable):
            self._note_unusable(value)
        elif isinstance(value, SessionFound):
            self.session_found.emit(value.path, value.others)
        elif isinstance(value, RunFound):
            self._found = value
        elif isinstance(value, CorpusFound):
            self._beside = None
            if value.path in self.unusable:
                self.dismiss([value.path])
            self.opened.emit(value.path)
            self.corpus_found.emit(value.opened)
        elif is_empty(value):
            self._empty += 1
            self._note_unusable(unusable_as_empty(value))
        else:
            self._arrived.append(value)
            if len(self._arrived) == 1:
                QTimer.singleShot(0, self, self._open_arrived)

    def _open_arrived(self) -> None:
        """Open the networks that were read since the last time, as one change."""
        arrived, self._arrived = self._arrived, []
        with self._document.batch():
            opened = [self._document.open(bank) for bank in arrived]
        if self.unusable.keys() & {bank.path for bank in arrived}:
            self.dismiss([bank.path for bank in arrived])
        beside, self._beside = self._beside, None if opened else self._beside
        if beside is not None and opened and self._document.is_open(beside):
            self.compare_requested.emit(beside, opened[0].id)
        for bank in arrived:  # after the change, which empties the status line
            self.opened.emit(bank.path)
            self._tell(bank)

    def _on_failed(self, message: str, hint: str) -> None:
        self.told.emit(with_hint(message, hint))

    def _on_done(self, tally: Tally) -> str:
        found, self._found = self._found, None
        if found is not None:
            if self.asks:
                self.run_found.emit(found)
            else:
                self.open_run(found.paths, found.name)
            return f"{found.steps} steps of one run"
        self._open_arrived()
        empty, self._empty = self._empty, 0
        opened = tally.opened - empty
        if tally.session:
            return f"{tally.session} is a session"
        text = came_of(opened, tally.failed, empty)
        if opened and opened < tally.opened + tally.failed:
            self.told.emit(text)
        if not opened:
            self.nothing_opened.emit()
        return text

    def _tell(self, bank: KernelBank) -> str:
        text = f"{bank.name}: {spaced(len(bank))} depthwise kernels"
        if not len(bank):
            text = without_kernels(bank)
        # what is equal comes first: the status line cuts the end off
        notes = [*self._equal(bank), text, *(w.rstrip(".") for w in bank.warnings)]
        self.told.emit(". ".join(notes))
        return text

    def _equal(self, bank: KernelBank) -> list[str]:
        """A sentence about kernels that another open network has as well."""
        names = {model.bank: model.name for model in self._document.models}
        names.pop(bank, None)
        found = best_match(bank, names)
        if found is None:
            return []
        other, match = found
        text = match.describe(names[other])
        text = text[0].upper() + text[1:]
        once = self._document.charts.equal == "once"
        return [f"{text}; equal kernels count once" if once else text]


def is_empty(bank: KernelBank) -> bool:
    """True if there are no depthwise kernels, and none that could be included."""
    return not len(bank) and not any(layer.kernels for layer in bank.layers)


def without_kernels(bank: KernelBank) -> str:
    """A sentence about a network without kernels."""
    others = len(bank.convolutions)
    has = f"it has {spaced(others)} other convolution{'s' * (others != 1)}"
    return f"{bank.name} has no depthwise kernels ({has})"


def unusable_as_empty(bank: KernelBank) -> Unusable:
    """Why a network is not among those that are shown."""
    left_out = [f"{entry.name}: {entry.reason}" for entry in bank.skipped]
    hint = "Only convolutions with one input channel per group are shown here."
    details = "\n".join([shown(bank.path), *left_out])
    return Unusable(bank.path, without_kernels(bank), hint, details, empty=True)


def came_of(opened: int, failed: int, empty: int) -> str:
    """How a batch of files went."""
    parts = [f"{opened} opened"]
    if failed:
        parts.append(f"{failed} could not be opened")
    if empty:
        parts.append(f"{empty} without depthwise kernels")
    return ", ".join(parts)
