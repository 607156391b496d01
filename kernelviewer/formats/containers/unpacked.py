"""While a file is read: cancelling in the middle of a record, and unpacking it once.

A zip's records may be packed, and many tensors may look on one of them. What was
unpacked is kept, within bounds, until the opening or the extraction is over.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING

from kernelviewer.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    import numpy as np
    from numpy.typing import NDArray


MOST = 1 << 27
"""Bytes that are kept at most."""


_NOBODY = Watch()
_watch: ContextVar[Watch] = ContextVar("watch", default=_NOBODY)
_kept: dict[Hashable, NDArray[np.uint8]] = {}
_lock = Lock()


@contextmanager
def unpacking(watch: Watch) -> Iterator[None]:
    """Let ``watch`` cancel what is unpacked in the block; forget it at the end."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)
        if _watch.get() is _NOBODY:
            forget()


def check() -> None:
    """Raise if the work that goes on in this thread was cancelled."""
    _watch.get().check()


def forget() -> None:
    """Let go of what was unpacked."""
    with _lock:
        _kept.clear()


def is_kept(key: Hashable) -> bool:
    """True if what was unpacked under a key is at hand."""
    return key in _kept


def kept(
    key: Hashable, size: int, unpack: Callable[[], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """The file unpacked under a key, unpacked now if it is not at hand.

    Parameters
    ----------
    size
        How many bytes it has; no more than `MOST`.
    """
    with _lock:
        found = _kept.get(key)
    if found is None:
        found = unpack()
        with _lock:
            while _kept and size + sum(map(len, _kept.values())) > MOST:
                _kept.pop(next(iter(_kept)))
            _kept[key] = found
    return found
