"""Building a corpus: sources become networks, networks tasks of a Dask cluster.

The cluster is one in this process (threads that each watch a process of their own,
`kernelviewer.corpus.child`) or one that is there, on as many machines as it has; the
tasks are the same. Results are files, so there is nothing to hand on but what came of a
network: a build that was ended, in whatever way, goes on where its files end.
"""

from __future__ import annotations

import hashlib
import logging
import math
import queue
import signal
import threading
import time
import uuid
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kernelviewer import __version__
from kernelviewer.corpus.child import (
    STOPPED,
    Job,
    Outcome,
    called,
    end_children,
    outcome_from,
    run_job,
    stop_build,
    written,
)
from kernelviewer.corpus.store import (
    AUTOENCODERS,
    KERNELS,
    RECORDS,
    WORK,
    Corpus,
    CorpusError,
    Failure,
    Recipe,
    Store,
    library,
    read_recipe,
)
from kernelviewer.files import atomic_write, file_hash
from kernelviewer.formats.containers.folders import DESCRIPTION, is_corpus
from kernelviewer.text import shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kernelviewer.corpus.store import Precision
    from kernelviewer.kernels.classes import Naming
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

AHEAD = 4
"""Networks that wait at each thread of a worker."""
_WAIT_S = 60.0
_STOP_S = 15.0
_POLL_S = 0.5
_CALM = {
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.admin.system-monitor.interval": "10s",
}
"""What Dask does all the time for people who watch it, of which there are none here."""
_ITSELF = "127.0.0.1:0"
"""Where Dask tells what it does: to this machine alone."""
_LIST = ".txt"
_LONGEST_LIST = 1 << 26


@dataclass(frozen=True, slots=True)
class Engine:
    """Where and within which limits networks are taken in."""

    workers: int = 1
    """Networks at a time on this machine."""
    scheduler: str = ""
    scheduler_file: str = ""
    """Address of a Dask cluster, or the file that its scheduler wrote; empty: the
    networks are taken in on this machine."""
    timeout: float = 3600.0
    memory: int = 0
    device: str = "cpu"
    """As in `Job`."""

    @property
    def is_remote(self) -> bool:
        """Whether there is a cluster already."""
        return bool(self.scheduler or self.scheduler_file)


@dataclass(slots=True)
class Tally:
    """How a build went: networks taken in, there before, failed; their kernels.

    ``began``: by the steady clock; ``seconds``: since then; ``waited``: since something
    came of a network.
    """

    total: int = 0
    added: int = 0
    there: int = 0
    kernels: int = 0
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    waited: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def done(self) -> int:
        """All that something came of."""
        return self.added + self.there + len(self.failures)

    def line(self) -> str:
        """How far it is, with rate and time left, for people."""
        worked = self.added + len(self.failures)
        parts = [f"{self.done} of {self.total} networks"]
        if worked and self.seconds:
            each = self.seconds / worked
            left = max((self.total - self.done) * each, self.waited)
            least = "at least " * (self.waited > 2 * each)
            parts += [f"{1 / each:.2g} a second", f"{least}{_time(left)} left"]
        if self.failures:
            parts.append(f"{len(self.failures)} failed")
        return " · ".join(parts)


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def expand(sources: Sequence[str]) -> list[str]:
    """What the sources name, each once: files, timm names and hub ids.

    A folder stands for the checkpoints in it, a text file (``.txt``) for its lines;
    paths in it are relative to its folder, lines that begin with ``#`` are left out.

    Raises
    ------
    CorpusError
        A folder holds no checkpoint, or a list cannot be read.
    """
    found: dict[str, None] = {}
    for source in sources:
        found |= dict.fromkeys(_expanded(source, lists=True))
    return list(found)


def _expanded(source: str, *, lists: bool) -> Iterator[str]:
    from kernelviewer.formats.registry import find_checkpoints

    path = Path(source)
    if path.is_dir():
        there = [str(item.absolute()) for item in find_checkpoints(path)]
        if not there:
            raise CorpusError(f"{source}: there is no checkpoint in this folder")
        yield from there
    elif lists and path.suffix.lower() == _LIST and path.is_file():
        for line in _lines(path):
            beside = path.parent / line
            inner = str(beside) if beside.exists() else line
            yield from _expanded(inner, lists=False)
    elif path.exists():
        yield str(path.absolute())
    else:
        yield source


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _LONGEST_LIST:
            raise CorpusError(f"{path} is too long for a list of sources")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise CorpusError(f"{path} cannot be read as a list of sources") from None
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to build: the recipe, the autoencoders' files by kernel size, the engine.

    ``rebuild``: networks that an earlier recipe made are made again; else a corpus that
    was built in another way is refused.
    """

    recipe: Recipe
    autoencoders: Mapping[str, Path]
    engine: Engine = Engine()
    rebuild: bool = False


def recipe_of(
    naming: Naming,
    autoencoders: Mapping[str, Path] | None = None,
    *,
    threshold: float | None = None,
    weights: Precision = "float16",
    copy: str = "",
    include: Sequence[str] = (),
) -> tuple[Recipe, dict[str, Path]]:
    """A recipe, and the files of its autoencoders by kernel size (``7x7``).

    Parameters
    ----------
    autoencoders
        Files in place of those that come with the program.
    """
    files = shipped_files() | dict(autoencoders or {})
    hashes = {key: file_hash(files[key]) for key in sorted(files)}
    recipe = Recipe(
        weights,
        naming.by,
        naming.words,
        threshold,
        hashes,
        family_hash(),
        copy,
        tuple(sorted(include)),
    )
    return recipe, files


def shipped_files() -> dict[str, Path]:
    """Kernel size → the autoencoder that comes with the program."""
    from kernelviewer.files import resource

    return {
        path.stem.removeprefix("curve-"): path
        for path in resource("autoencoders").glob("curve-*.safetensors")
    }


def family_hash() -> str:
    """Hash of what belongs to the pattern family, and of how a class is chosen."""
    from kernelviewer.kernels.classes import FINE
    from kernelviewer.latent.family_null import fingerprint

    text = repr((fingerprint(), [c.id for c in FINE.patterns]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def build(
    sources: Sequence[str], folder: AnyPath, plan: Plan, watch: Watch = NEVER
) -> Tally:
    """Take networks into a corpus, which is made if it is not there.

    Parameters
    ----------
    sources
        As `expand` gives them.
    watch
        Told networks done and in all, and `Tally.line`, at least once a second. What it
        raises ends the build, and so does an interrupt: what was done stays.

    Returns
    -------
    Tally
        With ``stopped`` where it was interrupted.

    Raises
    ------
    CorpusError
        The folder holds something else or was built in another way, another build
        writes into it, the cluster cannot be reached, or the disk is full.
    """
    folder = Path(folder)
    store, tally = Store(folder), Tally(len(sources))
    library("pyarrow")
    with _clear_of_the_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not is_corpus(folder) and any(map(_is_strange, folder.iterdir())):
            hint = "Name a new or an empty folder, or a corpus."
            raise CorpusError(f"{folder} holds other files", hint)
        lock = store.lock()
    try:
        with _clear_of_the_disk(folder):
            prepare(store, plan)
        before = Corpus.open(folder)
        known: dict[str, set[str]] = {}
        for item in before.networks:
            known.setdefault(item.source, set()).add(item.id)
        try:
            for outcome in _outcomes(sources, folder, plan, tally, watch):
                _count(outcome, store, known, tally)
                watch.progress(tally.done, tally.total, tally.line())
        finally:
            named = {shown(source) for source in sources}
            others = [f for f in before.failures() if f.source not in named]
            with _clear_of_the_disk(folder):
                store.sweep()
                store.write_failures([*others, *tally.failures])
                store.finish()
        tally.seconds = time.monotonic() - tally.began
        return tally
    finally:
        lock.release()


def _is_strange(path: Path) -> bool:
    """Whether a file in a folder is none that a build begins with."""
    return path.name not in (".lock", AUTOENCODERS, RECORDS, KERNELS)


@contextmanager
def _clear_of_the_disk(folder: Path) -> Iterator[None]:
    """Say what it means that a file cannot be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise CorpusError(f"{folder} cannot be written ({reason})", _ROOM) from error


_ROOM = "Make room there and build again: the networks that are done are kept."


def prepare(store: Store, plan: Plan) -> None:
    """See that the corpus is, or becomes, one of the plan's recipe.

    Raises
    ------
    CorpusError
        It was built in another way.
    OSError
        It cannot be written.
    """
    folder, recipe = store.folder, plan.recipe
    if (folder / DESCRIPTION).exists():
        old = read_recipe(folder)
        if old.key != recipe.key and not plan.rebuild:
            raise CorpusError(
                f"{folder} was built in another way ({_difference(old, recipe)})",
                "Give the same options, build into another folder, or make its "
                "networks again with --rebuild.",
            )
    (folder / AUTOENCODERS).mkdir(exist_ok=True)
    usual = shipped_files()
    for key, sha256 in recipe.autoencoders.items():
        own = folder / AUTOENCODERS / f"{key}.safetensors"
        there = (own, plan.autoencoders.get(key), usual.get(key))
        right = (
            path
            for path in there
            if path and path.is_file() and file_hash(path) == sha256
        )
        if (source := next(right, None)) is None:
            raise CorpusError(
                f"{own} is missing or another than the codes of the corpus are of",
                "Put it back, or build the corpus again into another folder.",
            )
        if source != own:
            with atomic_write(own) as file:
                file.write(source.read_bytes())
    store.describe(recipe)
    store.sweep()


def _difference(old: Recipe, new: Recipe) -> str:
    """Which fields of two recipes differ."""
    names = [
        name
        for name in Recipe.__struct_fields__
        if getattr(old, name) != getattr(new, name)
    ]
    return "other " + " and ".join(name.replace("_", " ") for name in names)


def _count(
    outcome: Outcome, store: Store, known: dict[str, set[str]], tally: Tally
) -> None:
    """Note what came of a network; one that its source no longer is goes out."""
    if outcome.failure is not None:
        tally.failures.append(outcome.failure)
        return
    tally.kernels += outcome.kernels
    tally.warnings += [f"{shown(outcome.source)}: {text}" for text in outcome.warnings]
    if outcome.skipped:
        tally.there += 1
    else:
        tally.added += 1
    for old in known.pop(shown(outcome.source), set()) - {outcome.network}:
        store.remove(old)


def _outcomes(
    sources: Sequence[str], folder: Path, plan: Plan, tally: Tally, watch: Watch
) -> Iterator[Outcome]:
    """What comes of the sources, in the order in which they are done.

    Only some wait at the workers, so that a list may be as long as it likes.
    """
    if not sources:
        return
    engine, name = plan.engine, uuid.uuid4().hex
    job = Job(
        "",
        str(folder.resolve()),
        plan.recipe,
        engine.device,
        engine.timeout,
        engine.memory,
        name,
    )
    with _cluster(engine, folder / WORK) as client, _interrupts() as interrupted:
        waiting, end = iter(sources), math.inf
        last = time.monotonic()
        futures: dict[Any, str] = {}
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        share = 1 if engine.is_remote else engine.workers
        try:
            while time.monotonic() < end:
                most = AHEAD * max(1, sum(client.nthreads().values()))
                free = 0 if tally.stopped else max(0, most - len(futures))
                for source in islice(waiting, free):
                    data = written(msgspec.structs.replace(job, source=source))
                    future = client.submit(run_job, data, share, pure=False, retries=0)
                    futures[future] = source
                    future.add_done_callback(done.put)
                if not futures:
                    return
                if interrupted.is_set() and not tally.stopped:
                    tally.stopped, end = True, time.monotonic() + _STOP_S
                    client.run(stop_build, name)
                future, now = _next_done(done), time.monotonic()
                tally.seconds = now - tally.began
                last = last if future is None else now
                tally.waited = now - last
                if future is None:
                    watch.progress(tally.done, tally.total, tally.line())
                    continue
                outcome = _result(future, futures.pop(future))
                failure = outcome.failure
                if failure is not None and failure.kind == "disk":
                    raise CorpusError(failure.message, _ROOM)
                if failure is None or failure.kind != STOPPED:
                    yield outcome
        finally:
            client.run(stop_build, name)
            client.cancel(list(futures), force=True)
            client.run(end_children, name)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Set once the user interrupts, in place of an error anywhere; a second one raises.

    On other threads than the main one nothing is set.
    """
    asked = threading.Event()

    def note(number: int, frame: Any) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _next_done(done: queue.SimpleQueue[Any]) -> Any:
    """The next future that is done; None if there is none for a while."""
    with suppress(queue.Empty):
        return done.get(timeout=_POLL_S)
    return None


def _result(future: Any, source: str) -> Outcome:
    """What came of a network; its worker may be lost."""
    try:
        return outcome_from(future.result())
    except Exception as error:  # whatever a cluster raises
        why = type(error).__name__
        text = f"{called(source)}: the worker that had it was lost ({why})"
        failure = Failure(shown(source), "crash", text)
        return Outcome(source, failure=failure)


@contextmanager
def _cluster(engine: Engine, room: Path) -> Iterator[Any]:
    """A client of the cluster that is named, or of one in this process.

    Raises
    ------
    CorpusError
        It cannot be reached, or its workers have another version of this program.
    """
    distributed, dask = library("distributed"), library("dask")
    quiet = {"distributed.logging.distributed": "error", **_CALM}
    with dask.config.set(quiet), ExitStack() as stack:
        if not engine.is_remote:
            cluster = distributed.LocalCluster(
                n_workers=1,
                threads_per_worker=engine.workers,
                processes=False,
                dashboard_address=_ITSELF,
                worker_dashboard_address=_ITSELF,
                local_directory=str(room),
                memory_limit=0,
                silence_logs=logging.ERROR,
            )
            stack.enter_context(cluster)
            yield stack.enter_context(distributed.Client(cluster, set_as_default=False))
            return
        where = engine.scheduler or engine.scheduler_file
        at: dict[str, Any] = {"address": engine.scheduler}
        if not engine.scheduler:
            at = {"scheduler_file": engine.scheduler_file}
        try:
            client = distributed.Client(**at, timeout=_WAIT_S, set_as_default=False)
            stack.enter_context(client)
            client.wait_for_workers(1, timeout=_WAIT_S)
            versions = set(client.run(_version).values())
        except (OSError, TimeoutError, ValueError) as error:
            raise CorpusError(
                f"there is no Dask cluster with workers at {where} ({error})"
            ) from error
        except ImportError as error:
            raise CorpusError(
                f"the workers at {where} do not have kernelviewer ({error})",
                "Install the same version there.",
            ) from error
        if versions != {__version__}:
            raise CorpusError(
                f"the workers at {where} have kernelviewer "
                f"{', '.join(sorted(versions))}, here it is {__version__}",
                "Install the same version there.",
            )
        yield client


def _version() -> str:
    return __version__
