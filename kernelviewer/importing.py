"""Imports of large libraries: what they bring stays, and is never looked through."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def large_import() -> Iterator[None]:
    """Import something large without the garbage collector, now and later.

    It would look again and again through modules, classes and functions that are there
    to stay: a quarter of the time of a command that draws a figure, and up to 0.1 s at
    once in the window.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
