"""Results that depend only on their inputs, kept under the hash of these."""

from __future__ import annotations

import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer import __version__
from kernelviewer.files import atomic_write, cache_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_FOLDER = "latent"


def content_hash(*parts: NDArray[Any] | str | float | tuple[int, ...]) -> str:
    """SHA-256 of arrays (type, shape and values) and plain values."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(json.dumps(part).encode())
    return digest.hexdigest()


def cached(
    kind: str, key: str, compute: Callable[[], Mapping[str, NDArray[Any]]]
) -> Mapping[str, NDArray[Any]]:
    """What ``compute`` gives for this key, from the cache if it is there.

    A cache that cannot be read or written costs time, never a result.

    Parameters
    ----------
    kind
        Name of what is computed.
    key
        `content_hash` of all that it depends on.
    compute
        Makes the arrays.
    """
    name = content_hash(kind, key, __version__)
    try:
        path = cache_dir() / _FOLDER / f"{kind}-{name[:32]}.npz"
        with np.load(path, allow_pickle=False) as kept:
            return dict(kept)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        pass
    found = compute()
    try:
        path = cache_dir() / _FOLDER / f"{kind}-{name[:32]}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            np.savez(file, **found)  # type: ignore[arg-type]
    except OSError:
        pass
    return found
