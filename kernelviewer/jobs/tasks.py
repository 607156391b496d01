"""What runs in the background: plain functions whose first parameter is a ticket."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING

from kernelviewer.device import choose_device, describe_device, needs_torch, start_torch
from kernelviewer.formats.errors import describe_failure, with_hint
from kernelviewer.text import as_paths, shown

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from kernelviewer.jobs.corpus import OpenCorpus
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder, Method
    from kernelviewer.latent.noise_control import NullTest
    from kernelviewer.text import AnyPath


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that could not be opened: message, hint and details for people.

    ``empty``: it could, but there are no depthwise kernels in it.
    """

    path: Path
    message: str
    hint: str
    details: str
    empty: bool = False

    @property
    def sentence(self) -> str:
        """What it is and what to do."""
        return with_hint(self.message, self.hint)


@dataclass(frozen=True, slots=True)
class Tally:
    """How a batch of files went."""

    opened: int
    failed: int
    session: str = ""


@dataclass(frozen=True, slots=True)
class SessionFound:
    """A session among files to open; the others have to wait for it."""

    path: Path
    others: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class CorpusFound:
    """A corpus among files to open, opened, and the path by which it was named."""

    path: Path
    opened: OpenCorpus


def open_corpora(ticket: Ticket, paths: Sequence[Path]) -> tuple[list[Path], Tally]:
    """Open the corpora among paths, each a partial value, `CorpusFound` or `Unusable`.

    Returns
    -------
    others, tally
        The paths that are none, and how it went.
    """
    from kernelviewer.jobs.corpus import corpus_at, open_corpus

    others, opened, failed = [], 0, 0
    for path in paths:
        if corpus_at(path) is None:
            others.append(path)
            continue
        ticket.progress(0, 0, shown(path.name))
        went = _send(ticket, path, lambda at: CorpusFound(at, open_corpus(ticket, at)))
        opened, failed = opened + went, failed + (not went)
    return others, Tally(opened, failed)


def _send(ticket: Ticket, path: Path, read: Callable[[Path], object]) -> bool:
    """Hand over what is read from a path, or why it cannot be; true if it can."""
    try:
        found = read(path)
    except Exception as error:
        message, details, hint = describe_failure(error, path.name)
        ticket.send(Unusable(path, message, hint, details))
        return False
    ticket.send(found)
    return True


def open_files(ticket: Ticket, paths: AnyPath | Iterable[AnyPath]) -> Tally:
    """Open files and whatever checkpoints lie in folders, one after the other.

    Each comes as a partial value, a `KernelBank` or an `Unusable`; a file that cannot
    be used does not stop the others. A session among the paths comes first: it is
    handed back with the others, and nothing else is opened. A corpus is opened as what
    it is, never as a folder of checkpoints.
    """
    from kernelviewer.formats.registry import find_checkpoints
    from kernelviewer.state.session.files import is_session

    paths = as_paths(paths)
    if sessions := [path for path in paths if is_session(path)]:
        return _hand_back(ticket, sessions, paths)
    paths, tally = open_corpora(ticket, paths)
    opened, failed = tally.opened, tally.failed
    files: list[Path] = []
    for path in paths:
        files += list(find_checkpoints(path, ticket)) or [path]
    for number, path in enumerate(files):
        ticket.progress(number, len(files), shown(path.name))
        went = _send(ticket, path, partial(load, ticket))
        opened, failed = opened + went, failed + (not went)
    return Tally(opened, failed)


def _hand_back(
    ticket: Ticket, sessions: Sequence[Path], paths: Sequence[Path]
) -> Tally:
    for path in sessions[1:]:
        message = f"{shown(path.name)}: only one session can be open"
        hint = "Open it in a window of its own."
        ticket.send(Unusable(path, message, hint, shown(path)))
    others = tuple(path for path in paths if path not in sessions)
    ticket.send(SessionFound(sessions[0], others))
    return Tally(0, len(sessions) - 1, shown(sessions[0].name))


def load(
    ticket: Ticket, path: AnyPath, *, copy: str = "", include: Sequence[str] = ()
) -> KernelBank:
    """Open one file and extract its kernels."""
    from kernelviewer.formats import open_checkpoint
    from kernelviewer.kernels import extract_kernels
    from kernelviewer.kernels.equality import prepare

    checkpoint = open_checkpoint(path, copy=copy, watch=ticket)
    bank = extract_kernels(checkpoint, include=include, watch=ticket)
    prepare(bank)  # here, so that the window need not wait when it compares networks
    return bank


def open_named(ticket: Ticket, name: str) -> KernelBank:
    """Open a pretrained network by its name, downloading it if the cache lacks it."""
    from kernelviewer.formats.hub import fetch, short_name

    path = fetch(name, watch=ticket)
    bank = load(ticket, path)
    return replace(bank, name=short_name(name))


def read_code(ticket: Ticket, path: AnyPath) -> Autoencoder:
    """Read an autoencoder."""
    from kernelviewer.latent.autoencoder import Autoencoder

    return Autoencoder.load(path)


def prepare_device(ticket: Ticket, wish: str) -> str:
    """Choose the device and describe it, which may take an import of torch."""
    if needs_torch(wish):
        start_torch(ticket)
        ticket.check()
    return describe_device(choose_device(wish))


def tidy(ticket: Ticket) -> None:
    """Task: return freed memory once much was computed."""
    give_back()


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc).

    After a million kernels were encoded that is some 50 bytes a kernel.
    """
    if (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


@dataclass(frozen=True, slots=True)
class Wish:
    """What to train: kernel size, method, sweeps (None: as many as it needs), seed."""

    size: Size
    method: Method = "curve"
    sweeps: int | None = None
    seed: int = 0


def train_on(
    ticket: Ticket,
    banks: Sequence[KernelBank],
    wish: Wish,
    device: str,
    enough: threading.Event,
) -> Autoencoder:
    """Train on open networks; each sweep comes as a partial value.

    Parameters
    ----------
    enough
        Set from another thread to end after the sweep and keep the best so far.
        Cancelling the ticket keeps nothing.
    """
    from kernelviewer.latent.networks import collect
    from kernelviewer.latent.training import Training, TrainingOptions, describe

    start_torch(ticket)
    training = Training(
        wish.size,
        collect(banks, wish.size, joined=True),
        options=TrainingOptions(wish.method, wish.sweeps, wish.seed),
        device=choose_device(device),
        watch=ticket,
    )
    for sweep in training:
        ticket.progress(sweep.number, sweep.total, describe(sweep))
        ticket.send(sweep)
        if enough.is_set():
            training.stop()
    return training.result(watch=ticket)


def run_null_test(
    ticket: Ticket,
    banks: Sequence[KernelBank],
    autoencoder: Autoencoder,
    threshold: float | None,
    device: str,
) -> NullTest:
    """Fits of the open kernels beside noise, shuffled taps and untrained networks."""
    from kernelviewer.latent.networks import collect
    from kernelviewer.latent.noise_control import null_test

    start_torch(ticket)
    return null_test(
        banks,
        collect(banks, autoencoder.size, joined=True),
        autoencoder,
        threshold=threshold,
        device=choose_device(device),
        watch=ticket,
    )


SOON_NEEDED = (
    "kernelviewer.formats.registry",
    "kernelviewer.kernels.extract",
    "kernelviewer.jobs.sessions",
    "kernelviewer.kernels.family",
    "kernelviewer.latent.autoencoder",
    "safetensors.numpy",
    "numpy.ma",
    "numpy.random",
)
"""Modules that the first opened file takes, in about this order. Some are asked for on
the GUI thread, which would stand still meanwhile."""


def settle_in(ticket: Ticket) -> None:
    """Task: import what the first file needs, and remove what was left behind.

    Unpacked archives are left behind by a program that crashed or was killed.
    """
    from kernelviewer.formats.containers.unpacked import remove_left_behind

    for name in SOON_NEEDED:
        ticket.check()
        import_module(name)
    remove_left_behind()
