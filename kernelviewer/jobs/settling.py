"""What is done quietly once the window stands, before anybody asks for anything."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernelviewer.jobs.runner import Ticket

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
    from kernelviewer.formats.containers.temporary import remove_left_behind

    for name in SOON_NEEDED:
        ticket.check()
        import_module(name)
    remove_left_behind()
