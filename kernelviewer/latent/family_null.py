"""What white noise reaches with the pattern family, for every size that it has.

For common sizes it comes with the program (``resources/family/make_nulls.py``); for
others it is computed once and kept in the user's cache folder. Whatever depends only on
its inputs is kept there under the hash of these.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer import __version__
from kernelviewer.files import atomic_write, cache_dir, resource
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.kernels.family.fit import SPREAD
from kernelviewer.kernels.family.formulas import KINDS
from kernelviewer.kernels.family.members import (
    BESIDE,
    COMMON,
    DIAGONAL,
    WIDTHS,
    as_plane,
)
from kernelviewer.kernels.family.regions import boxes, kinds
from kernelviewer.kernels.support import parts, support_size
from kernelviewer.latent.noise import BINS, SEED, Null, white_noise
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels.bank import KernelSet, Size
    from kernelviewer.watch import Watch

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


KERNELS = 2000
"""Kernels of white noise that the family is fitted to, of sizes up to 17×17."""
_TAPS = KERNELS * 17**2


@dataclass(frozen=True, slots=True, eq=False)
class ShippedNulls:
    """The nulls that come with the program."""

    family: str
    """`fingerprint` of the family that the noise was fitted with."""
    nulls: dict[Size, Null]
    """By size, rows not more than columns."""
    stability: dict[Size, float] = field(default_factory=dict)
    """By size, the share of names that survive noise of half the kernel's residual."""

    def to_text(self) -> str:
        """As JSON: of each size the first part of [0, 1] with noise, and the counts."""
        sizes: dict[str, Any] = {}
        for size, null in sorted(self.nulls.items()):
            there = np.flatnonzero(null.counts)
            first, last = int(there[0]), int(there[-1])
            counts = null.counts[first : last + 1].tolist()
            sizes[size_key(size)] = {"first": first, "counts": counts}
        rows = [f'  "{key}": {json.dumps(sizes[key])}' for key in sizes]
        body = ",\n".join(rows)
        kept = {size_key(size): self.stability[size] for size in sorted(self.stability)}
        head = f' "family": "{self.family}",\n "stability": {json.dumps(kept)},\n'
        return f'{{\n{head} "sizes": {{\n{body}\n }}\n}}\n'

    @classmethod
    def from_text(cls, text: str) -> ShippedNulls:
        """What `to_text` wrote."""
        values = json.loads(text)
        nulls: dict[Size, Null] = {}
        for key, item in values["sizes"].items():
            counts = np.zeros(BINS, np.int64)
            counts[item["first"] : item["first"] + len(item["counts"])] = item["counts"]
            nulls[_size(key)] = Null(counts)
        kept = {_size(key): share for key, share in values["stability"].items()}
        return cls(values["family"], nulls, kept)


def _size(key: str) -> Size:
    return tuple(map(int, key.split("x")))


def plane_of(size: Size) -> Size:
    """The size that a null is kept under: strips and their transposes share one."""
    rows, columns = sorted(as_plane(size))
    return rows, columns


@cache
def fingerprint() -> str:
    """Hash of what the family is: kinds, their limits, how a class is chosen."""
    sizes = ((1, 11), (2, 2), (3, 3), (4, 4), (7, 7), (13, 13))
    limits = [(k, s, boxes(k, s)) for s in sizes for k in KINDS if k in kinds(s)]
    rule = SPREAD, WIDTHS, BESIDE, DIAGONAL, COMMON
    return hashlib.sha256(repr((limits, rule)).encode()).hexdigest()[:16]


@cache
def shipped_nulls() -> ShippedNulls:
    """Those that come with the program; tests see that they are the family's own."""
    path = resource("family", "nulls.json")
    return ShippedNulls.from_text(path.read_text("utf-8"))


def stability(size: Size) -> float | None:
    """The share of the family's names that survive noise, measured; None: not known."""
    return shipped_nulls().stability.get(plane_of(size))


def family_null(
    size: Size, *, device: Device | None = None, watch: Watch = NEVER
) -> Null:
    """What white noise reaches with the family, which has the size.

    Large kernels are slow to fit, and their noise hardly varies: fewer do.

    Raises
    ------
    ValueError
        The family has no members of this size.
    """
    plane = plane_of(size)
    if (known := shipped_nulls().nulls.get(plane)) is not None:
        return known
    count = min(KERNELS, max(KERNELS // 10, _TAPS // prod(plane)))

    def compute() -> dict[str, NDArray[np.int64]]:
        watch.progress(0, 0, f"fitting white noise of {size_label(size)}")
        return {"counts": measure(plane, count, device=device, watch=watch).counts}

    key = content_hash(plane, count, SEED, fingerprint())
    return Null(cached("family-null", key, compute)["counts"])


def like_noise(
    kernels: KernelSet,
    rows: NDArray[np.intp],
    fit: NDArray[np.float32],
    *,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> NDArray[np.bool_]:
    """Which of n kernels stand on a support and fit no better there than noise does.

    On few taps noise fits well: a threshold is for kernels that fill their window. A
    kernel on a support has to reach the usual threshold of the support's size as well.

    Parameters
    ----------
    rows
        Which of them were fitted, [n].
    fit
        float32 [n], their cosines by `kernelviewer.kernels.family.family_fit_set`.
    """
    found = np.zeros(len(rows), np.bool_)
    for place, support in parts(kernels.layer[rows], kernels.supports):
        if support is not None:
            null = family_null(support_size(support), device=device, watch=watch)
            level = null.default_threshold
            found[place] = (fit[place] < np.float32(level)) | (level >= 1)
    return found


def measure(
    size: Size, count: int, *, device: Device | None = None, watch: Watch = NEVER
) -> Null:
    """The null of ``count`` kernels of white noise."""
    from kernelviewer.kernels.family import family_fit

    quiet = watch.quiet()
    fits = [
        family_fit(batch, device=device, watch=quiet).cosine
        for batch in white_noise(size, count, SEED)
    ]
    return Null.of(np.concatenate(fits))
