"""Going through the steps of open runs: reading, playing, encoding, watching."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING
from weakref import WeakSet

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from kernelviewer.formats.errors import with_hint
from kernelviewer.gui.jobs import Reaction, Requests
from kernelviewer.gui.text import spaced
from kernelviewer.jobs.runs import Arrivals, encode_run, open_run, read_step
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kernelviewer.gui.jobs import Jobs
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.jobs.runs import EncodedRun, OpenedRun
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import OpenModel, Run

KEPT_STEPS, KEPT_BYTES = 3, 128 << 20
"""So many steps stay in memory, or as many as take so many bytes."""
PLAYED_MS = 6000
SHORTEST_MS, LONGEST_MS = 50, 600
"""How long a run takes to play, and how long a step is seen at least and at most."""
SOON_MS = 5
"""Until it is asked again whether the kernels of a step are drawn."""
WATCHED_MS = 1000
"""Between two looks at a folder that is watched."""


class ReadSteps:
    """The kernels of the steps that were looked at last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, KernelBank] = OrderedDict()

    def get(self, run: Run, step: int) -> KernelBank | None:
        """The kernels of a step, if they are here."""
        key = _key(run, step)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, run: Run, step: int, bank: KernelBank) -> None:
        """Keep the kernels of a step, and let those go that were not used for long."""
        self._kept[_key(run, step)] = bank
        self._kept.move_to_end(_key(run, step))
        total = sum(map(_bytes, self._kept.values()))
        while len(self._kept) > KEPT_STEPS and total > KEPT_BYTES:
            _, gone = self._kept.popitem(last=False)
            total -= _bytes(gone)

    def keep(self, runs: list[Run]) -> None:
        """Let the steps of other runs go."""
        wanted = {_key(run, step) for run in runs for step in range(len(run))}
        for key in [key for key in self._kept if key not in wanted]:
            del self._kept[key]


def _key(run: Run, step: int) -> object:
    at = run.steps[step]
    return run.copy, run.include, at.path, at.stamp, run.title(step)


def _bytes(bank: KernelBank) -> int:
    return sum(kernels.weights.nbytes for kernels in bank.sizes.values())


def _pace(run: Run) -> int:
    """How long a step of a run that is played is seen, milliseconds."""
    return min(max(PLAYED_MS // len(run), SHORTEST_MS), LONGEST_MS)


class Runs(QObject):
    """Lets open runs stand on the steps that are asked for, and has them encoded.

    Attributes
    ----------
    watched
        Folder whose new checkpoints join a run; None: no folder.
    """

    changed = Signal()
    """Playing, encoding or watching has begun, gone on or ended."""
    told = Signal(str)
    """A sentence for the status bar."""

    def __init__(self, document: Document, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._document, self._jobs = document, jobs
        self._device = ""
        self._steps = ReadSteps()
        self._asked: Requests[int] = Requests(jobs)
        self._films: dict[int, tuple[dict[Size, Autoencoder], EncodedRun]] = {}
        self._given_up: WeakSet[Run] = WeakSet()
        self._progress: dict[int, str] = {}
        self._wish: tuple[int, int] | None = None
        self._ahead: tuple[int, int] | None = None
        self._seen: object = None
        self._playing: int | None = None
        self._pace = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._pace.timeout.connect(self._play_on)
        self._clock = QElapsedTimer()
        self._due = 0
        self.watched: Path | None = None
        self._arrivals: Arrivals | None = None
        self._watching: int | None = None
        self._look_again = QTimer(self, singleShot=True, interval=WATCHED_MS)
        self._look_again.timeout.connect(self._poll)
        document.changed.connect(self.look)

    # --- standing on a step ---

    def go_to(self, identity: int, step: int) -> None:
        """Let a run stand on a step, as soon as that is read."""
        model = self._document.model(identity)
        run = model.run
        if run is None:
            return
        step = min(max(step, 0), len(run) - 1)
        self._wish = identity, step
        bank = model.bank if step == model.step else self._steps.get(run, step)
        if bank is not None:
            self._jobs.cancel("step")
            self._stand(identity, step, bank)
        elif self._ahead != self._wish or not self._jobs.is_current("ahead"):
            self._read(model, run, step)

    def _read(self, model: OpenModel, run: Run, step: int, key: str = "step") -> None:
        """Read a step; the run stands on it if that is wished by then."""
        wish = model.id, step

        def done(found: KernelBank) -> None:
            self._steps.put(run, step, found)
            if not self._document.is_open(model.id) or self._wish != wish:
                return
            if self._document.model(model.id).run is run:
                self._stand(model.id, step, found)
            else:  # steps have joined it
                self.go_to(model.id, step)

        def failed(message: str, hint: str) -> None:
            self.stop()
            self.told.emit(with_hint(message, hint))

        title = f"Read {run.name}, {run.title(step)}"
        reaction = Reaction(done, failed=failed, quiet=True, background=key == "ahead")
        self._jobs.submit(
            "views", key, title, reaction, read_step, run, step, model.bank
        )

    def go_by(self, identity: int, by: int) -> None:
        """Let a run stand on a later or an earlier step; say so where there is none."""
        model = self._document.model(identity)
        wished = self._wish is not None and self._wish[0] == identity
        now = self._wish[1] if wished and self._wish else model.step
        if model.run is not None and not 0 <= now + by < len(model.run):
            end = "last" if by > 0 else "first"
            self.told.emit(f"This is the {end} step of {model.run.name}")
        self.go_to(identity, now + by)

    def _stand(self, identity: int, step: int, bank: KernelBank) -> None:
        model = self._document.model(identity)
        if model.run is not None:
            self._steps.put(model.run, model.step, model.bank)
        if step != model.step:
            self._document.stand_at(identity, step, bank)
        if self._playing == identity:
            self._wait()

    # --- playing ---

    def is_playing(self, identity: int) -> bool:
        """True if a run is played."""
        return self._playing == identity

    def toggle(self, identity: int) -> None:
        """Play a run, from the start if it is at its end; or stop."""
        if self._playing == identity:
            self.stop()
            return
        model = self._document.model(identity)
        if model.run is None or len(model.run) < 2:
            return
        self._playing = identity
        self._clock.invalidate()
        self.changed.emit()
        if model.step == len(model.run) - 1:
            self.go_to(identity, 0)
        else:
            self._wait()

    def stop(self) -> None:
        """Stay where it is."""
        if self._playing is not None:
            self._playing = None
            self._pace.stop()
            self._jobs.cancel("ahead")
            self.changed.emit()

    def _wait(self) -> None:
        """Show the next step when it is due, and read it until then."""
        assert self._playing is not None
        model = self._document.model(self._playing)
        assert model.run is not None
        if not self._clock.isValid():
            self._clock.start()
            self._due = _pace(model.run)
        self._pace.start(max(0, self._due - self._clock.elapsed()))
        step = model.step + 1
        if step < len(model.run) and self._steps.get(model.run, step) is None:
            self._ahead = model.id, step
            self._read(model, model.run, step, "ahead")

    def _play_on(self) -> None:
        """Go on to the step that is due; where drawing is slow some are left out."""
        if self._playing is None or not self._document.is_open(self._playing):
            self.stop()
            return
        model = self._document.model(self._playing)
        if model.run is None or model.step >= len(model.run) - 1:
            self.stop()
        elif self._jobs.is_current("grid"):  # what is shown is seen
            self._pace.start(SOON_MS)
        else:
            late = max(0, self._clock.elapsed() - self._due)
            pace = _pace(model.run)
            steps = 1 + (late // pace if pace else 0)
            self._due += steps * pace
            self.go_to(model.id, model.step + steps)

    # --- encoding ---

    def set_device(self, device: str) -> None:
        """Compute there from now on; before that nothing is computed."""
        self._device, self._seen = device, None
        self.look()

    def encode_again(self) -> None:
        """Ask also for what was cancelled or has failed."""
        self._given_up.clear()
        self._seen = None
        self.look()

    def progress(self, identity: int) -> str:
        """How far the encoding of a run is; empty if it is not being encoded."""
        return self._progress.get(identity, "")

    def look(self) -> None:
        """Ask for what is missing, and stop what nobody needs any more."""
        document = self._document
        films = (document.tracks, document.family_tracks)
        seen = (document.models, document.analyses, *films)
        if seen == self._seen:
            return
        self._seen = seen
        runs = {model.id: model.run for model in document.models if model.run}
        self._asked.keep(runs)
        self._steps.keep([*runs.values()])
        for known in (self._films, self._progress):
            for key in known.keys() - runs.keys():
                del known[key]
        if self._playing is not None and self._playing not in runs:
            self.stop()
        if self._watching is not None and self._watching not in runs:
            self.stop_watching()
        for model in document.models if self._device else ():
            if model.run and model.run not in self._given_up:
                self._ask(model, model.run)

    def _ask(self, model: OpenModel, run: Run) -> None:
        """Encode a run once its step is, so that it is known what encodes it."""
        document, sizes = self._document, [*model.bank.sizes]
        known = [(model.id, size) in document.analyses for size in sizes]
        if model.id in self._asked or not all(known) or self._is_encoded(model, sizes):
            return
        by = {s: document.autoencoders[s] for s in sizes if s in document.autoencoders}

        def done(film: EncodedRun) -> str:
            self._progress.pop(model.id, None)
            told = self._take(model.id, run, film, by)
            self.changed.emit()
            return told

        def given_up() -> None:
            self._progress.pop(model.id, None)
            self._given_up.add(run)
            self.changed.emit()

        def progressed(done: int, total: int, text: str) -> None:
            what = text.partition(" ")[0]
            self._progress[model.id] = f"{what} {done} of {total}"
            self.changed.emit()

        reaction = Reaction(
            done=done,
            failed=lambda message, hint: given_up(),
            stopped=given_up,
            progress=progressed,
            background=True,
        )
        maker, known_film = self._films.get(model.id, (None, None))
        self._progress[model.id] = f"encoding {len(run)} steps"
        self._asked.submit(
            model.id,
            run,
            "compute",
            f"film {model.id}",
            f"Encode the {len(run)} steps of {run.name}",
            reaction,
            encode_run,
            run,
            by,
            self._device,
            known_film if maker == by else None,
        )

    def _is_encoded(self, model: OpenModel, sizes: Sequence[Size]) -> bool:
        """True if all is known that can be of the steps of a run."""
        from kernelviewer.kernels.family import supported

        document = self._document
        coded = [s for s in sizes if s in document.autoencoders]
        named = [size for size in sizes if supported(size)]
        return all((model.id, size) in document.tracks for size in coded) and all(
            (model.id, size) in document.family_tracks for size in named
        )

    def _take(
        self, identity: int, run: Run, film: EncodedRun, by: dict[Size, Autoencoder]
    ) -> str:
        """Use what encoding gave; steps that are not there any more are left out."""
        document = self._document
        steps = [step.path for step in film.names.steps]
        lost = len(run) - len(steps)
        with document.batch():
            if lost:
                run = run.only(steps)
                if not len(run):
                    return "none of its steps can be read any more"
                document.change_run(identity, run)
            self._films[identity] = by, film
            codes, names = film.codes.tracks, film.names.tracks
            document.set_tracks(
                run,
                {size: track for size, track in codes.items() if track.by == "code"},
                {size: track for size, track in names.items() if track.by == "family"},
                by,
            )
        if any(document.autoencoders.get(size) is not by.get(size) for size in by):
            return "encoded anew with another autoencoder"
        kernels = spaced(sum(map(len, names.values())))
        left = f", {lost} left out" if lost else ""
        return f"{len(steps)} steps of {kernels} kernels{left}"

    # --- watching a folder ---

    def watch(self, folder: Path, opened: Callable[[OpenedRun], OpenModel]) -> None:
        """Let new whole checkpoints of a folder join a run.

        Parameters
        ----------
        opened
            Opens the run with its first steps, as soon as there are any.
        """
        self.stop_watching()
        self.watched = folder.absolute()
        self._arrivals, self._opened = Arrivals(self.watched), opened
        self.told.emit(f"Watching {shown(folder)} for new checkpoints")
        self.changed.emit()
        self._poll()

    def stop_watching(self) -> None:
        """Let no more checkpoints join."""
        if self.watched is None:
            return
        self._look_again.stop()
        self._jobs.cancel("watch")
        self._arrivals, self._watching, self.watched = None, None, None
        self.changed.emit()

    def _poll(self) -> None:
        arrivals = self._arrivals
        if arrivals is None:
            return

        def done(paths: list[Path]) -> None:
            if self._arrivals is not arrivals:
                return
            self._look_again.start()
            if paths:
                self._join(paths)

        def failed(message: str, hint: str) -> None:
            self.told.emit(with_hint(message, hint))
            self.stop_watching()

        title = f"Watch {shown(arrivals.folder.name)}"
        reaction = Reaction(done=done, failed=failed, quiet=True)
        self._jobs.submit("files", "watch", title, reaction, _new_files, arrivals)

    def _join(self, paths: list[Path]) -> None:
        """Put new checkpoints among the steps of the run that is watched."""
        folder, identity = self.watched, self._watching
        model = self._document.model(identity) if identity is not None else None
        run = model.run if model else None
        known = [step.path for step in run.steps] if run else []
        was_last = model is None or run is None or model.step == len(run) - 1

        def done(found: OpenedRun) -> str:
            if self.watched != folder:
                return "not watched any more"
            new = found.run
            if model is None or run is None:
                self._watching = self._opened(found).id
            elif self._document.is_open(model.id):
                self._document.change_run(model.id, new)
                if was_last and not self.is_playing(model.id):
                    self.go_to(model.id, len(new) - 1)
            text = f"{new.name}: {new.title(len(new) - 1)} has come"
            self.told.emit(text)
            return text

        assert folder is not None
        self._jobs.submit(
            "files",
            "join",
            f"Read what came into {shown(folder.name)}",
            Reaction(done=done, quiet=run is not None),
            open_run,
            [*dict.fromkeys([*known, *paths])],
            copy=run.copy if run else "",
            include=run.include if run else (),
            name=run.name if run else shown(folder.name),
        )


def _new_files(ticket: Ticket, arrivals: Arrivals) -> list[Path]:
    """Task: checkpoints that have become whole."""
    return arrivals.poll(ticket)
