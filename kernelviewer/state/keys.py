"""Which keys stand for the open kernels, and what the kernels are by them.

`kernelviewer.latent.keys` finds keys and approximates; here is what was chosen, what is
known of the open networks, and of one pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.keys import Approximation, Keys
    from kernelviewer.latent.keys import Approximated, Null
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.pool import KernelPool

KeysBy = Literal["published", "shipped", "found", "centroids", "file"]
MOST = 64
"""Keys that are sought at most."""


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """Which keys are in use."""

    by: KeysBy = "published"
    """Those that were published (7×7 alone; other sizes have the best 8 that come with
    the program), the best that come with the program, those found for the open
    networks, centroids of their kernels, or a file's."""
    count: int = 8
    """How many are shipped (8 or 16), found, or centroids."""
    path: str = ""
    """The file."""

    def __post_init__(self) -> None:
        """Raise ValueError for keys that there cannot be, as a session may name."""
        if not 1 <= self.count <= MOST:
            raise ValueError(f"names a number of keys that is not 1 to {MOST}")


@dataclass(frozen=True, slots=True, eq=False)
class Keyed:
    """Open networks by some keys."""

    keys: Keys
    null: Null
    """The keys, and what white noise reaches with them."""
    banks: tuple[KernelBank, ...]
    parts: tuple[Approximation, ...]
    """The networks with kernels of the keys' size, and what these become."""
    note: str = ""
    """What should be known of the choice, such as that others stand in."""


class KeyedNetworks:
    """What is known by every choice of keys, as long as the networks stay open."""

    def __init__(self) -> None:
        self._known: dict[tuple[KeyChoice, Size], Keyed] = {}

    def put(self, choice: KeyChoice, size: Size, found: Keyed) -> None:
        """Keep what came of a choice."""
        self._known[choice, size] = found

    def get(
        self, choice: KeyChoice, size: Size, banks: Iterable[KernelBank]
    ) -> Keyed | None:
        """What the choice gives of these networks; None: not known."""
        found = self._known.get((choice, size))
        having = tuple(bank for bank in banks if size in bank.sizes)
        return found if found is not None and found.banks == having else None

    def parts(self, choice: KeyChoice, size: Size) -> Keyed | None:
        """What is known by a choice, maybe of other networks besides."""
        return self._known.get((choice, size))

    def look(self, banks: Iterable[KernelBank]) -> None:
        """Let go what was found with networks that are closed."""
        there = set(banks)
        self._known = {
            key: found for key, found in self._known.items() if there >= {*found.banks}
        }


@dataclass(frozen=True, slots=True)
class LayerR2:
    """How much of a layer's kernels the keys keep."""

    ref: LayerRef
    name: str
    """The layer."""
    kernels: int
    """How many of its kernels in scope have a pattern."""
    mean: float
    quantiles: tuple[float, ...]
    """Of R²; the quantiles as `kernelviewer.latent.keys.QUANTILES`."""


@dataclass(frozen=True, slots=True, eq=False)
class ShownByKeys:
    """The kernels in scope by keys: all together, and layer by layer."""

    pool: KernelPool
    found: Approximated
    layers: tuple[LayerR2, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PoolKeys:
    """The kernels of a pool by keys. Arrays as in `Approximation`, of length N.

    ``place`` is float32, each key's place among all, 0 … 1; NaN without a pattern.
    """

    found: Keyed
    key: NDArray[np.int16]
    gain: NDArray[np.float32]
    offset: NDArray[np.float32]
    r2: NDArray[np.float32]
    place: NDArray[np.float32]

    @property
    def keys(self) -> Keys:
        """The keys."""
        return self.found.keys

    def of(self, number: int) -> NDArray[np.float32] | None:
        """What stands for a kernel, float32 [*size]; None: it has no pattern."""
        key = int(self.key[number])
        if key < 0:
            return None
        made = self.gain[number] * self.keys.patterns[key] + self.offset[number]
        return np.asarray(made, np.float32)

    def counts(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many kernels of a mask each key stands for, int64 [K]."""
        own = self.key[mask]
        return np.bincount(own[own >= 0], minlength=len(self.keys)).astype(np.int64)


def keys_of(pool: KernelPool, found: Keyed) -> PoolKeys | None:
    """A pool's kernels by keys; None where they were found for other networks."""
    if found.keys.size != pool.size or found.banks != tuple(
        m.bank for m in pool.models
    ):
        return None
    parts = found.parts
    key = np.concatenate([part.key for part in parts])
    last = max(1, len(found.keys) - 1)
    return PoolKeys(
        found,
        key,
        np.concatenate([part.gain for part in parts]),
        np.concatenate([part.offset for part in parts]),
        np.concatenate([part.r2 for part in parts]),
        np.where(key < 0, np.float32(np.nan), key.astype(np.float32) / last),
    )
