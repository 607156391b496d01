"""The compute device: cuda, mps or cpu."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

CHOICES = ("auto", "cuda", "mps", "cpu")


class DeviceError(ValueError):
    """A device that does not exist, or that this machine does not have."""


def choose_device(wish: str = "auto") -> torch.device:
    """Device that computations run on.

    Parameters
    ----------
    wish
        One of ``auto`` (cuda, then mps, then cpu), ``cuda``, ``mps``, ``cpu``.

    Raises
    ------
    DeviceError
        The wish is not a choice, or this machine does not have it.
    """
    import torch

    if wish not in CHOICES:
        msg = f"unknown device {wish!r}; choose one of {', '.join(CHOICES)}"
        raise DeviceError(msg)
    usable = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wish == "auto":
        wish = next(name for name, there in usable.items() if there)
    if not usable[wish]:
        there = ", ".join(name for name, has in usable.items() if has)
        msg = f"this machine has no {wish} device that torch can use; it has {there}"
        raise DeviceError(msg)
    return torch.device(wish)


def describe_device(device: torch.device) -> str:
    """Readable name, such as ``cpu · 2 threads`` or ``cuda · NVIDIA H100``."""
    import torch

    if device.type == "cuda":
        return f"cuda · {torch.cuda.get_device_name(device)}"
    if device.type == "mps":
        return "mps"
    threads = torch.get_num_threads()
    return f"cpu · {threads} thread{'s' if threads != 1 else ''}"


def use_interactive_threads() -> None:
    """Leave one core to the window: torch starves on a machine it fills."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
