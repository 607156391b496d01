"""One network taken into a corpus, in a process of its own that may fail alone.

The process is told networks on its standard input, a line of JSON each, and answers
with a line of JSON on its output. It is used again as long as it is well; one that
ends by itself, takes too long or too much memory is ended with all that it started, and
the next network gets a new one. Standard input that closes ends it: no process outlives
the one that it works for.
"""

from __future__ import annotations

import atexit
import errno
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from kernelviewer.corpus.store import (
    AUTOENCODERS,
    SCHEMA,
    Failure,
    Network,
    Recipe,
    Store,
    content_hash,
    counts_of,
    depths_of,
    library,
    network_id,
    rows_of,
)
from kernelviewer.text import printable, shown

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder

STOPPED = "stopped"
"""Kind of a failure that is none of the network's."""
_POLL_S, _LOOK_S = 0.1, 2.0
_LOST_LINES = 3
_FULL = {errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Job(msgspec.Struct, frozen=True):
    """A network to take in."""

    source: str
    folder: str
    """A path, timm name or hub id; the corpus."""
    recipe: Recipe
    """How."""
    device: str = "cpu"
    """Where to compute, as commands have it."""
    timeout: float = 3600.0
    """Seconds after which it is given up."""
    memory: int = 0
    """Bytes that its process may take; 0: 80 % of what the worker has."""
    build: str = ""
    """Name of the build, by which it can be stopped."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of a job: a network, which may have been there, or a failure."""

    source: str
    network: str = ""
    kernels: int = 0
    skipped: bool = False
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None


def written(item: Job | Outcome) -> bytes:
    """A job or what came of it as a line of JSON, for another process.

    Of ASCII signs, so that a path stays exact that is no UTF-8.
    """
    return json.dumps(msgspec.to_builtins(item)).encode()


def job_from(line: bytes) -> Job:
    """The job that was `written`."""
    return msgspec.convert(json.loads(line), Job)


def outcome_from(line: bytes) -> Outcome:
    """The outcome that was `written`."""
    return msgspec.convert(json.loads(line), Outcome)


def take_in(job: Job) -> Outcome:
    """Take a network into a corpus, here and now.

    What goes wrong with the network is a failure of the outcome, never raised.
    """
    start = time.monotonic()
    try:
        found = _take_in(job)
        return msgspec.structs.replace(found, seconds=time.monotonic() - start)
    except MemoryError:
        message = f"{called(job.source)} needs more memory than it may take"
        return _lost(job, "memory", message, _MORE)
    except OSError as error:
        if error.errno is not None and error.errno in _FULL:
            reason = os.strerror(error.errno)  # not in the words of a library
            return _lost(job, "disk", f"{job.folder} cannot be written ({reason})")
        return _explained(job, error)
    except Exception as error:  # one bad file must not end the others
        return _explained(job, error)


_MORE = "Give more with --memory."


def _lost(
    job: Job, kind: str, message: str, hint: str = "", details: str = ""
) -> Outcome:
    failure = Failure(shown(job.source), kind, printable(message), hint, details)
    return Outcome(job.source, failure=failure)


def _explained(job: Job, error: Exception) -> Outcome:
    from kernelviewer.formats.errors import (
        CheckpointError,
        HintedError,
        describe_failure,
    )

    message, details, hint = describe_failure(error, called(job.source))
    if _is_of_memory(error):  # readers take it for a header that claims too much
        message += ", or it needs more memory than it may take"
        return _lost(job, "memory", message, _MORE)
    expected = isinstance(error, CheckpointError | HintedError | OSError)
    if expected:
        return _lost(job, "refused", message, hint)
    return _lost(job, "fault", message, hint, details)


def called(source: str) -> str:
    """A source in messages: a file's name, or that of the hub."""
    from kernelviewer.formats.hub import PREFIX

    return source if source.startswith(PREFIX) else Path(source).name


def _is_of_memory(error: BaseException | None) -> bool:
    """Whether an allocation that failed is behind an error."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _take_in(job: Job) -> Outcome:
    from kernelviewer.formats import open_checkpoint
    from kernelviewer.formats.hub import PREFIX, fetch, short_name
    from kernelviewer.formats.registry import hash_at

    named = not Path(job.source).exists()
    on_hub = named and (job.source.startswith(PREFIX) or os.sep not in job.source)
    path = fetch(job.source) if on_hub else Path(job.source)
    name = short_name(job.source) if on_hub else _name_of(path)
    sha256 = hash_at(path)
    store, key = Store(job.folder), job.recipe.key
    identity = network_id(name, sha256)
    if sha256 and store.has(identity, key):
        there = store.record(identity)
        kernels = there.kernels if there else 0
        return Outcome(job.source, identity, kernels, skipped=True)
    checkpoint = open_checkpoint(path, copy=job.recipe.copy)
    parameters = sum(_numbers(tensor.shape) for tensor in checkpoint.tensors)
    bank = _extract(checkpoint, job.recipe)
    return _keep(job, bank, name, sha256, parameters)


def _name_of(path: Path) -> str:
    """File name without suffix, or a folder's, as a bank has it."""
    from kernelviewer.kernels.extract import name_of

    return name_of(path)


def _numbers(shape: tuple[int, ...]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count


def _extract(checkpoint: Any, recipe: Recipe) -> KernelBank:
    from kernelviewer.kernels.extract import extract_kernels, find_stack

    include = [n for n in recipe.include if find_stack(checkpoint, n) is not None]
    return extract_kernels(checkpoint, include=include)


def _keep(
    job: Job, bank: KernelBank, name: str, sha256: str, parameters: int
) -> Outcome:
    """Name the kernels of each size and write them, one size after the other."""
    from kernelviewer.device import choose_device
    from kernelviewer.kernels.classes import Naming
    from kernelviewer.latent.labels import Labelling, label_kernels

    recipe, device = job.recipe, choose_device(job.device)
    naming = Naming(recipe.by, recipe.words)
    depths = depths_of(bank.layers)
    found = [
        label_kernels(
            job.source,
            bank,
            size,
            Labelling(_autoencoder(job, size), naming, recipe.threshold),
            device,
        )
        for size in bank.sizes
    ]
    network = Network(
        schema=SCHEMA,
        id=network_id(name, sha256),
        name=name,
        source=shown(job.source),
        sha256=sha256,
        content=content_hash(bank),
        format=bank.format,
        architecture=bank.architecture,
        size_bytes=bank.size_bytes,
        parameters=parameters,
        recipe=recipe.key,
        layers=bank.layers,
        sizes=tuple(map(counts_of, found)),
        warnings=bank.warnings,
        copy=bank.copy,
    )
    rows = (rows_of(item, depths) for item in found)
    Store(job.folder).add(network, rows, recipe.weights)
    return Outcome(job.source, network.id, len(bank), warnings=bank.warnings)


def _autoencoder(job: Job, size: Size) -> Autoencoder | None:
    from kernelviewer.kernels.bank import size_key

    key = size_key(size)
    sha256 = job.recipe.autoencoders.get(key)
    return _loaded(job.folder, key, sha256) if sha256 else None


@lru_cache(maxsize=64)
def _loaded(folder: str, key: str, _sha256: str) -> Autoencoder:
    from kernelviewer.latent.autoencoder import Autoencoder

    return Autoencoder.load(Path(folder) / AUTOENCODERS / f"{key}.safetensors")


def main() -> None:
    """Work through what standard input tells, in this process."""
    from kernelviewer.device import use_threads

    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print
    use_threads(1)
    _leave_out_pandas()
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    while True:
        job = job_from(jobs.get())
        if job.device == "cpu":  # a GPU's library takes room for all of its memory
            _limit_memory(job.memory)
        outcome = take_in(job)
        answers.write(written(outcome) + b"\n")
        answers.flush()


class _NoPandas:
    """Says of pandas that it is not installed."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def _leave_out_pandas() -> None:
    """Have pyarrow find no pandas when it looks for it, which it does once.

    It asks of every array whether that is one of pandas'; to import it takes as long as
    to take in a small network.
    """
    sys.meta_path.insert(0, _NoPandas)
    library("pyarrow").array([0])
    sys.meta_path.remove(_NoPandas)


def _listen(jobs: queue.SimpleQueue[bytes]) -> None:
    """Hand lines on; end the process when nobody is there any more."""
    for line in sys.stdin.buffer:
        jobs.put(line)
    os._exit(0)


def _limit_memory(most: int) -> None:
    """Have an allocation beyond ``most`` bytes fail, where the system can."""
    if sys.platform == "win32" or not most:
        return
    import resource

    taken = library("psutil").Process().memory_info().vms
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (taken + most, hard))


class Child:
    """A process that takes in networks, one after the other, watched from here."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as this)
        self._process = self._start()
        self._family: list[Any] = []
        self._next_look = 0.0
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        assert self._process.stdout is not None
        threading.Thread(
            target=_pass_on, args=(self._process.stdout, self._answers), daemon=True
        ).start()

    def _start(self) -> subprocess.Popen[bytes]:
        one = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        alone: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            alone = {"creationflags": flags}
        root = str(Path(__file__).resolve().parents[2])
        return subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", _BEGIN, root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | dict.fromkeys(one, "1"),
            **alone,
        )

    @property
    def is_well(self) -> bool:
        """Whether it can take another network."""
        return self._process.poll() is None

    def do(self, job: Job, stopped: threading.Event) -> Outcome:
        """Have a network taken in; a process that goes wrong is ended.

        Parameters
        ----------
        stopped
            Set from another thread: give it up.
        """
        assert self._process.stdin is not None
        end = time.monotonic() + job.timeout
        try:
            self._process.stdin.write(written(job) + b"\n")
            self._process.stdin.flush()
        except OSError:
            return self._crashed(job)
        while True:
            with suppress(queue.Empty):
                if line := self._answers.get(timeout=_POLL_S):
                    return self._answered(line)
                return self._crashed(job)
            if stopped.is_set():
                self.end()
                return _lost(job, STOPPED, "the build was stopped")
            if time.monotonic() > end:
                self.end()
                message = f"{called(job.source)} was not done after {job.timeout:g} s"
                return _lost(job, "timeout", message, "Give more with --timeout.")
            if self._memory() > job.memory:
                self.end()
                most = f"{job.memory / 1e9:.3g} GB"
                message = f"{called(job.source)} took more than {most} of memory"
                return _lost(job, "memory", message, _MORE)

    def end(self) -> None:
        """End the process and all that it has started; again it does nothing."""
        if self._process.returncode is None:  # its number is still its own
            if sys.platform != "win32":
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._log.close()

    def _answered(self, line: bytes) -> Outcome:
        outcome = outcome_from(line)
        if outcome.failure is not None and outcome.failure.kind == "memory":
            self.end()  # what is left of its memory may be in pieces
        return outcome

    def _crashed(self, job: Job) -> Outcome:
        if hasattr(os, "waitid"):  # it stays known until what it started is ended
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        hint = self._last_words()
        self.end()
        code, message = self._process.returncode, f"{called(job.source)}: its process "
        if code < 0:
            name = signal.Signals(-code).name
            message += f"was ended by signal {-code} ({name})"
            if name == "SIGKILL":
                message += ", as systems do that run out of memory"
        else:
            message += f"ended by itself (exit code {code})"
        return _lost(job, "crash", message, hint)

    def _last_words(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - 2000))
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return printable(" / ".join(lines[-_LOST_LINES:]))

    def _memory(self) -> int:
        """Bytes that it and what it has started take."""
        psutil = library("psutil")
        now, total = time.monotonic(), 0
        with suppress(psutil.Error):
            if now >= self._next_look:  # which means to look at all that run
                self._next_look = now + _LOOK_S
                process = psutil.Process(self._process.pid)
                self._family = [process, *process.children(recursive=True)]
            for item in self._family:
                with suppress(psutil.Error):
                    total += item.memory_info().rss
        return total


_BEGIN = """
import sys
root = sys.argv.pop()
if root not in sys.path:
    sys.path.insert(0, root)
from kernelviewer.corpus.child import main
main()
"""
"""The same program as here, wherever it lies; nothing of the working folder is run."""


def _pass_on(stream: IO[bytes], answers: queue.SimpleQueue[bytes]) -> None:
    """Hand answers on; an empty one says that no more will come."""
    with stream, suppress(ValueError, OSError):
        for line in stream:
            answers.put(line)
    answers.put(b"")


_here = threading.local()
_children: dict[Child, str] = {}
"""Those of this worker, and the build that each last worked for."""
_stops: dict[str, threading.Event] = {}
_guard = threading.Lock()


def run_job(data: bytes, share: int = 1) -> bytes:
    """Do a `Job` in the process of this thread: what a worker of the cluster runs.

    Parameters
    ----------
    data
        The job, as JSON.
    share
        Among how many the memory of this machine is shared.

    Returns
    -------
    bytes
        The `Outcome`, as JSON.
    """
    job = job_from(data)
    if not job.memory:
        limit = library("distributed.system").MEMORY_LIMIT
        job = msgspec.structs.replace(job, memory=int(0.8 * limit / share))
    with _guard:  # who stops a build ends its processes after that
        stop = _stops.setdefault(job.build, threading.Event())
        if stop.is_set():
            return written(_lost(job, STOPPED, "the build was stopped"))
        child: Child | None = getattr(_here, "child", None)
        if child is not None and not child.is_well:
            child.end()
            _children.pop(child, None)
            child = None
        if child is None:
            child = _here.child = Child()
        _children[child] = job.build
    return written(child.do(job, stop))


def stop_build(build: str) -> None:
    """Give up what this worker does for a build, and start nothing more for it."""
    with _guard:
        _stops.setdefault(build, threading.Event()).set()


def end_children(build: str | None = None) -> None:
    """End the processes of this worker that a build has last used; None: all."""
    with _guard:
        children = [c for c, of in _children.items() if build in (None, of)]
        for child in children:
            del _children[child]
    for child in children:
        child.end()


atexit.register(end_children)
