"""Tasks for training runs: recognise one, open it, read a step, wait for new ones."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from itertools import takewhile
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.jobs.runner import GivingWay
from kernelviewer.jobs.tasks import Tally, give_back, load, open_files
from kernelviewer.state.model import Run
from kernelviewer.text import shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.classes import By
    from kernelviewer.kernels.series import LeftOut
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.film import Film
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

    Look = tuple[int, int]

_COUNTING = re.compile(r"([-_=. ]|step|epoch|iter|ckpt|checkpoint|model)$", re.I)
"""Ends of names that say what is counted, not of what."""
_ENOUGH = 6
"""If most of so many files are no alike, the others are not looked at."""


_PASSES: tuple[tuple[By, Callable[[EncodedRun], Film]], ...] = (
    ("code", lambda run: run.codes),
    ("family", lambda run: run.names),
)


@dataclass(frozen=True, slots=True)
class RunFound:
    """Files to open that are the steps of one run, as far as one can see."""

    paths: tuple[Path, ...]
    """Files and folders that were to be opened."""
    files: int
    steps: int
    """How many checkpoints there are, and how many of them are alike and tell their
    order."""
    name: str
    """What the run is called."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenedRun:
    """A run, the kernels of its last step, and what is no step of it."""

    run: Run
    bank: KernelBank
    left_out: tuple[LeftOut, ...] = ()


def open_or_ask(ticket: Ticket, paths: Sequence[Path]) -> Tally:
    """`open_files`, unless they are steps of one run: then only that is told.

    It comes as a partial value, a `RunFound`, and nothing has been opened.
    """
    from kernelviewer.formats.registry import find_checkpoints
    from kernelviewer.jobs.corpus import corpus_at
    from kernelviewer.state.session.files import is_session

    if not any(is_session(path) or corpus_at(path) for path in paths):
        files = [file for path in paths for file in find_checkpoints(path, ticket)]
        if found := look_for_run(ticket, files):
            ticket.send(replace(found, paths=tuple(paths)))
            return Tally(0, 0)
    return open_files(ticket, paths)


def look_for_run(ticket: Ticket, paths: Sequence[Path]) -> RunFound | None:
    """True if files are steps of one run: most are alike and say so.

    Only what files say of themselves is read. None: they are something else.
    """
    from kernelviewer.formats import CheckpointError, open_checkpoint
    from kernelviewer.kernels.series import are_steps, own_names, stored_counters

    if len(paths) < 2:
        return None
    names = dict(zip(paths, own_names(paths), strict=True))
    forms: dict[Path, frozenset[tuple[str, tuple[int, ...]]]] = {}
    counters: dict[Path, dict[str, int]] = {}
    for number, path in enumerate(paths):
        ticket.progress(number, len(paths), f"looking at {shown(path.name)}")
        try:
            checkpoint = open_checkpoint(path, watch=ticket.quiet())
        except (CheckpointError, OSError):
            continue
        forms[path], counters[path] = _form(checkpoint), stored_counters(checkpoint)
        usual, count = Counter(forms.values()).most_common(1)[0]
        if len(forms) >= _ENOUGH and 2 * count <= len(forms):
            return None
    if not forms or not usual or count < 2 or 2 * count <= len(forms):
        return None
    alike = [path for path, form in forms.items() if form == usual]
    if not are_steps([names[p] for p in alike], [counters[p] for p in alike]):
        return None
    return RunFound(tuple(paths), len(paths), count, name_of(alike))


def _form(checkpoint: Checkpoint) -> frozenset[tuple[str, tuple[int, ...]]]:
    """Names and shapes of a network's stacks of kernels."""
    return frozenset((t.name, t.shape) for t in checkpoint.tensors if len(t.shape) > 2)


def name_of(paths: Sequence[Path]) -> str:
    """What a run is called: the start that its files' names share, else its folder."""
    first, last = min(p.name for p in paths), max(p.name for p in paths)
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    start = "".join(sign for sign, _ in alike).rstrip("0123456789")
    while (less := _COUNTING.sub("", start)) != start:
        start = less
    return shown(start or paths[0].absolute().parent.name)


def open_run(
    ticket: Ticket,
    paths: Sequence[Path],
    *,
    copy: str = "",
    include: Sequence[str] = (),
    name: str = "",
) -> OpenedRun:
    """Put files, and what lies in folders, in order and read the last step.

    Parameters
    ----------
    copy, include
        As in `Run`.
    name
        What the run is called; empty: what its files' names or its folder say.

    Raises
    ------
    HintedError
        None of the files is a step of a run.
    """
    from kernelviewer.formats.errors import HintedError
    from kernelviewer.formats.registry import find_checkpoints
    from kernelviewer.kernels.series import Series, unit_of

    files = dict.fromkeys(p for path in paths for p in find_checkpoints(path, ticket))
    series = Series([*files], copy=copy, include=include, watch=ticket)
    series.keep_alike()
    if not len(series):
        told = [f"{item.name}: {item.problem}" for item in series.left_out[:1]]
        raise HintedError("none of the files is a step of a run", *told)
    steps = [step.path for step in series.steps]
    unit = unit_of(series.ordered_by, [step.name for step in series.steps])
    run = Run(
        name or name_of(steps), series.steps, series.numbers, unit, copy, tuple(include)
    )
    last = load(ticket, steps[-1], copy=copy, include=include)
    bank = titled(last, run, len(run) - 1)
    return OpenedRun(run, bank, series.left_out)


def read_step(ticket: Ticket, run: Run, step: int, like: KernelBank) -> KernelBank:
    """Read the kernels of a step, in the places that they have in another step."""
    from kernelviewer.kernels.series import arranged_as

    path = run.steps[step].path
    bank = load(ticket, path, copy=run.copy, include=run.include)
    return titled(arranged_as(bank, like), run, step)


def kernel_along(
    ticket: Ticket, run: Run, size: Size, layer: str, channel: int
) -> NDArray[np.float32]:
    """Patterns [S, taps] of one kernel at the steps of a run.

    NaN where it is flat, or the step cannot be read any more.
    """
    from kernelviewer.formats import CheckpointError
    from kernelviewer.kernels.statistics import patterns

    found = np.full((len(run), prod(size)), np.nan, np.float32)
    for number, step in enumerate(run.steps):
        ticket.progress(number, len(run), f"reading {run.title(number)}")
        try:
            bank = load(ticket, step.path, copy=run.copy, include=run.include)
        except (CheckpointError, OSError):
            continue
        kernels = bank.sizes.get(size)
        if kernels is None:
            continue
        named = [i for i, item in enumerate(bank.layers) if item.name == layer]
        here = np.isin(kernels.layer, named) & (kernels.channel == channel)
        rows = np.flatnonzero(here & ~kernels.flat)[:1]
        own = kernels.weights[rows], kernels.scale[rows], kernels.offset[rows]
        found[number, :] = (
            patterns(*own).reshape(len(rows), -1) if len(rows) else np.nan
        )
    return found


def titled(bank: KernelBank, run: Run, step: int) -> KernelBank:
    """A step is called after its run, and how far that was."""
    return replace(bank, name=f"{run.name}, {run.title(step)}")


@dataclass(frozen=True, slots=True, eq=False)
class EncodedRun:
    """The kernels of a run at every step: their codes, and their family classes."""

    codes: Film
    names: Film


def encode_run(
    ticket: Ticket,
    run: Run,
    autoencoders: Mapping[Size, Autoencoder],
    device: str,
    known: EncodedRun | None,
) -> EncodedRun:
    """Encode and name the kernels of every step; what is known is taken over.

    Other tasks go first in between.
    """
    from kernelviewer.kernels.series import Series
    from kernelviewer.latent.film import film_of

    paths = [step.path for step in run.steps]
    watch, place = GivingWay(ticket), choose_device(device)
    series = Series(paths, copy=run.copy, include=run.include, watch=watch.quiet())
    codes, names = (
        film_of(
            series,
            autoencoders.get,
            by=by,
            known=None if known is None else earlier(known),
            device=place,
            watch=watch,
        )
        for by, earlier in _PASSES
    )
    give_back()
    return EncodedRun(codes, names)


SETTLED = 1.0
"""Seconds without a change after which a file can be whole."""


@dataclass(slots=True)
class _Seen:
    """A file as it was when it last changed, and whether that state was judged."""

    look: Look
    since: float
    judged: bool = False


class Arrivals:
    """New whole checkpoints of a folder, each told once, and again when it changes.

    Nothing runs by itself: somebody calls `poll` now and then. A file is told when size
    and time of change have stayed the same for a while and it opens. One that does not
    open is waited for: it may be half written, and is looked at again when it changes.
    Names that begin with a dot are those of writers that rename a file at the end.

    Parameters
    ----------
    folder
        Where to look; it may not be there yet.
    settled
        Seconds for which a file has to stay as it is.
    clock
        Seconds that have passed, from wherever they are counted.

    Attributes
    ----------
    waiting
        File → why it does not open, of those that have stayed as they are.
    """

    def __init__(
        self,
        folder: AnyPath,
        *,
        settled: float = SETTLED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = Path(folder)
        self.waiting: dict[Path, str] = {}
        self._settled, self._clock = settled, clock
        self._seen: dict[Path, _Seen] = {}

    def poll(self, watch: Watch = NEVER) -> list[Path]:
        """Checkpoints that have become whole since the last call, in natural order.

        Parameters
        ----------
        watch
            Checked between files; what it raises ends the look, and nothing is lost.
        """
        from kernelviewer.formats.registry import find_checkpoints

        now, whole = self._clock(), []
        there = self.folder.is_dir()
        found = find_checkpoints(self.folder, watch) if there else ()
        files = [path for path in found if not path.name.startswith(".")]
        for path in self._seen.keys() - set(files):
            self._forget(path)
        for path in files:
            watch.check()
            look = _look(path)
            seen = self._seen.get(path)
            if look is None:
                self._forget(path)
            elif seen is None or seen.look != look:
                self._seen[path] = _Seen(look, now)
                self.waiting.pop(path, None)
            elif not seen.judged and now - seen.since >= self._settled:
                problem = _problem(path, watch)
                if _look(path) != look:  # it went on while it was read
                    continue
                if problem:
                    seen.judged = True
                    self.waiting[path] = problem
                else:
                    whole.append(path)
        for path in whole:  # last, as a look that is ended tells of none
            self._seen[path].judged = True
        return whole

    def _forget(self, path: Path) -> None:
        self._seen.pop(path, None)
        self.waiting.pop(path, None)


def _look(path: Path) -> Look | None:
    """Size and time of change; of a folder those of what lies in it. None: it is gone.

    A model folder is as whole as its youngest file.
    """
    try:
        files = [path, *path.rglob("*")] if path.is_dir() else [path]
        facts = [file.stat() for file in files]
    except OSError:
        return None
    return sum(item.st_size for item in facts), max(item.st_mtime_ns for item in facts)


def _problem(path: Path, watch: Watch) -> str:
    """Why a file does not open; empty if it does."""
    from kernelviewer.formats import CheckpointError, open_checkpoint

    try:
        open_checkpoint(path, watch=watch.quiet())
    except CheckpointError as error:
        return error.problem
    return ""
