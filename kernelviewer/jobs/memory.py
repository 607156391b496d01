"""Memory that a task has freed and that the C library still holds."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.jobs.runner import Ticket


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
