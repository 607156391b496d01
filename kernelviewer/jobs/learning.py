"""Tasks that train autoencoders and test them against what has no structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.device import choose_device, start_torch

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from kernelviewer.jobs.ticket import Ticket
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder, Method
    from kernelviewer.latent.null_test import NullTest


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
    from kernelviewer.latent.null_test import null_test

    start_torch(ticket)
    return null_test(
        banks,
        collect(banks, autoencoder.size, joined=True),
        autoencoder,
        threshold=threshold,
        device=choose_device(device),
        watch=ticket,
    )
