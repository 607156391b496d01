"""Sets of keys, and networks approximated by them beside white noise.

`approximate` answers how much of a network's kernels a few patterns keep
(`kernelviewer.kernels.keys`). The keys are those published, those found for the
networks themselves, or any others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.files import resource
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.kernels.extract import extract_kernels
from kernelviewer.kernels.family.members import as_plane, supported
from kernelviewer.kernels.keys import (
    Keys,
    KeysError,
    approximate_kernels,
    read_keys,
    search_keys,
)
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.curve import POINTS
from kernelviewer.latent.networks import collect, network_weights
from kernelviewer.latent.noise import white_noise
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.formats import Checkpoint
    from kernelviewer.formats.live import Network
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.kernels.keys import Approximation
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

    Source = KernelBank | Checkpoint | AnyPath | Network

Among = Literal["curve", "family", "kernels", "centroids"]
AMONG: tuple[Among, ...] = ("curve", "family", "kernels", "centroids")
"""Where keys are sought: points of the shipped curve, members of the pattern family,
the kernels themselves (some thousand of them), their spherical K-means."""
PUBLISHED = "published"
PUBLISHED_SIZE = (7, 7)
NULL_KERNELS = 20_000
_TAIL = 0.99
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, slots=True)
class Null:
    """R² of white noise of the size: mean, 99th percentile, and `QUANTILES`."""

    mean: float
    q99: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """One network: its kernels of a size by the keys, and mean R² by layer."""

    bank: KernelBank
    approximation: Approximation
    """The network, and what its kernels of the size become."""
    layers: tuple[tuple[str, int, float], ...]
    """(name, kernels with a pattern, mean R²) of each layer that has such kernels."""

    @property
    def mean(self) -> float:
        """Mean R² of its kernels; NaN where none has a pattern."""
        return _mean(self.approximation.r2)


@dataclass(frozen=True, eq=False)
class Approximated:
    """Networks approximated by keys."""

    keys: Keys
    """The keys."""
    null: Null
    """What white noise reaches with them."""
    parts: tuple[Part, ...]
    """The networks that have kernels of the keys' size."""
    mean: float
    """Mean R² of the distinct networks, each family of networks weighing alike."""
    curve: tuple[tuple[float, float], ...]
    """Mean R² with the first 1, 2, … keys of ``order``, and the same of white noise."""
    order: tuple[int, ...]
    """The keys by what each adds to those before it."""
    use: NDArray[np.float64]
    """float64 [K, 2]: share of the kernels that each key carries, and their mean R²
    (NaN: none), weighed as ``mean`` is."""

    def to_json(self) -> dict[str, Any]:
        """What ``kernelviewer keys --json`` prints."""
        several = len(self.parts) > 1
        return {
            "size": size_key(self.keys.size),
            "keys": [
                {
                    "key": number,
                    "share": round(float(share), 6),
                    "r2": None if math.isnan(mean) else round(float(mean), 6),
                    "weights": pattern.round(6).tolist(),
                }
                for number, ((share, mean), pattern) in enumerate(
                    zip(self.use, self.keys.patterns, strict=True), start=1
                )
            ],
            "r2": {
                "mean": round(self.mean, 6),
                "null_mean": round(self.null.mean, 6),
                "null_q99": round(self.null.q99, 6),
                "networks": [
                    {"network": part.bank.name, "mean": round(part.mean, 6)}
                    for part in self.parts
                ],
                "layers": [
                    ({"network": part.bank.name} if several else {})
                    | {"layer": name, "kernels": kernels, "mean": round(mean, 6)}
                    for part in self.parts
                    for name, kernels, mean in part.layers
                ],
            },
            "curve": [
                {
                    "keys": n,
                    "added": key + 1,
                    "mean": round(mean, 6),
                    "null_mean": round(null, 6),
                }
                for n, (key, (mean, null)) in enumerate(
                    zip(self.order, self.curve, strict=True), start=1
                )
            ],
        }


def published() -> Keys:
    """The eight master key filters, 7×7, rows down (`resources/keys`)."""
    found = read_keys(resource("keys", f"published-{size_key(PUBLISHED_SIZE)}.csv"))
    return Keys(PUBLISHED, found.patterns)


def shipped_keys(size: Size, count: int = 8) -> Keys | None:
    """The best keys of a size that come with the program; None: there are none."""
    try:
        path = resource("keys", f"best-{count}-{size_key(size)}.csv")
    except FileNotFoundError:
        return None
    return Keys(f"{count} shipped", read_keys(path).patterns)


def approximate(
    banks: Source | Sequence[Source],
    keys: Keys | NDArray[np.floating] | AnyPath | int = PUBLISHED,
    size: Size | None = None,
    *,
    among: Among | None = None,
    watch: Watch = NEVER,
) -> Approximated:
    """Approximate the kernels of networks by keys, beside white noise.

    Parameters
    ----------
    banks
        One network or a list of several, as `kernelviewer.extract_kernels` takes them.
    keys
        ``published``; a number: so many are sought for these networks; a CSV file as
        `kernelviewer.kernels.keys.write_keys` writes it; or kernels [K, *size].
    size
        Kernel size; by default that of the keys, or the one with most kernels.
    among
        Where a number of keys is sought; None: `usual_among`.
    watch
        Told how far it is; what it raises cancels.

    Raises
    ------
    KeysError
        The networks have no kernels of the size, or there are no such keys.

    Examples
    --------
    >>> import kernelviewer as kv
    >>> from kernelviewer.files import resource
    >>> found = kv.approximate(resource("sample", "sample.safetensors"), "published")
    >>> found.mean > found.null.mean
    True
    """
    one = not isinstance(banks, list | tuple)
    sources = [cast("Source", banks)] if one else cast("Sequence[Source]", banks)
    several = [extract_kernels(source, watch=watch) for source in sources]
    given = key_set(keys)
    size = size or (given.size if given else _main_size(several))
    if given is not None and given.size != size:
        msg = f"the keys of {given.name} are for {size_label(given.size)} kernels"
        raise KeysError(msg)
    having = [bank for bank in several if size in bank.sizes]
    if not having:
        raise KeysError(f"the networks have no {size_label(size)} kernels")
    if given is None:
        given = find_keys(having, size, int(str(keys)), among, watch=watch)
    return _approximated(having, given, watch)


def key_set(keys: Keys | NDArray[np.floating] | AnyPath | int) -> Keys | None:
    """What stands for keys as such; None for a number, of keys to seek.

    Raises
    ------
    KeysError
        A file is no table of keys.
    """
    if isinstance(keys, Keys):
        return keys
    if isinstance(keys, np.ndarray):
        return Keys.of("given", keys)
    if isinstance(keys, int) or str(keys).isdecimal():
        return None
    return published() if keys == PUBLISHED else read_keys(keys)


def find_keys(
    banks: Sequence[KernelBank],
    size: Size,
    count: int,
    among: Among | None = None,
    *,
    seed: int = 0,
    watch: Watch = NEVER,
) -> Keys:
    """The best ``count`` keys for the distinct networks, families weighing alike.

    Raises
    ------
    KeysError
        No kernel has a pattern, or there is nothing to seek among.
    """
    if count < 1:
        raise KeysError("the number of keys is 1 or more")
    among = among or usual_among(size)
    kernels, weights = pooled(banks, size)
    name = f"{count} of the {among}"
    if among == "centroids":
        import torch

        from kernelviewer.latent.nearest import spherical_kmeans

        found = spherical_kmeans(
            *(torch.from_numpy(kernels), count),
            weights=torch.from_numpy(weights), seed=seed, watch=watch,
        )  # fmt: skip
        return Keys.of(f"{count} centroids", found.numpy().reshape(-1, *size))
    rows = kernels[:: max(1, len(kernels) // POINTS)]
    if among != "kernels":
        rows = candidates(size, among)
    chosen = list(search_keys(kernels, rows, count, weights, watch=watch).chosen)
    return Keys.of(name, rows[chosen].reshape(-1, *size))


def usual_among(size: Size) -> Among:
    """The curve where one comes with the program, else the family, else the kernels."""
    if shipped(size) is not None:
        return "curve"
    return "family" if supported(size) else "kernels"


def candidates(size: Size, among: Literal["curve", "family"]) -> NDArray[np.float32]:
    """Patterns [M, taps] that keys are sought among; raises `KeysError`."""
    if among == "curve":
        curve = shipped(size)
        if curve is not None:
            return curve.spectrum(POINTS).reshape(POINTS, -1)
        msg = f"no curve comes with the program for {size_label(size)} kernels"
        raise KeysError(f"{msg}; seek keys among the family or the kernels")
    if not supported(size):
        raise KeysError(f"the pattern family has no {size_label(size)} kernels")
    from kernelviewer.kernels.family.members import bank

    patterns = np.asarray(bank(as_plane(size), choose_device("cpu")).patterns.T)
    return np.ascontiguousarray(patterns[np.isfinite(patterns).all(axis=1)], np.float32)


def pooled(
    banks: Sequence[KernelBank], size: Size
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Patterns [N, taps] of the distinct networks and their weights, of sum 1.

    Raises
    ------
    KeysError
        No kernel of the size has a pattern.
    """
    networks = collect(banks, size, joined=True)
    if not networks:
        raise KeysError(f"no {size_label(size)} kernel has a pattern: all are flat")
    rows = [network.patterns.reshape(len(network), -1) for network in networks]
    return np.concatenate(rows), network_weights(networks)


def null_of(keys: Keys) -> Null:
    """What white noise of the keys' size reaches with them."""
    return _noise_by(keys.patterns.tobytes(), keys.size)[0]


@lru_cache(maxsize=32)
def _noise_by(raw: bytes, size: Size) -> tuple[Null, tuple[float, ...]]:
    """Null of all keys, and the noise's mean R² by the first 1, 2, … of them."""
    rows = np.frombuffer(raw, np.float32).reshape(-1, math.prod(size))
    total, r2 = np.zeros(len(rows)), []
    for batch in white_noise(size, NULL_KERNELS):
        noise = batch.reshape(len(batch), -1)
        noise = noise - noise.mean(axis=1, keepdims=True)
        noise /= np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), 1e-30)
        best = np.maximum.accumulate((noise @ rows.T) ** 2, axis=1)
        total += best.sum(axis=0, dtype=np.float64)
        r2.append(best[:, -1])
    reached = np.concatenate(r2)
    *quantiles, tail = np.quantile(reached, (*QUANTILES, _TAIL)).tolist()
    null = Null(float(reached.mean()), tail, tuple(quantiles))
    return null, tuple((total / len(reached)).tolist())


def _approximated(
    banks: Sequence[KernelBank], keys: Keys, watch: Watch
) -> Approximated:
    parts = []
    for done, bank in enumerate(banks):
        watch.progress(done, len(banks), bank.name)
        kernels = bank.sizes[keys.size]
        found = approximate_kernels(kernels.weights, keys, kernels.flat, watch)
        layers = []
        for index in np.unique(kernels.layer):
            r2 = found.r2[kernels.layer == index]
            if there := int(np.isfinite(r2).sum()):
                layers.append((bank.layers[index].name, there, _mean(r2)))
        parts.append(Part(bank, found, tuple(layers)))
    rows, weights = pooled(banks, keys.size)
    steps = search_keys(
        rows, keys.rows, len(keys), weights, exchange=False, watch=watch.quiet()
    )
    ordered = keys.rows[list(steps.chosen)]
    _, noise = _noise_by(ordered.tobytes(), keys.size)
    return Approximated(
        keys,
        null_of(keys),
        tuple(parts),
        steps.mean,
        tuple(zip(steps.curve, noise, strict=True)),
        steps.chosen,
        _use(rows, weights, keys),
    )


def _use(
    rows: NDArray[np.float32], weights: NDArray[np.float32], keys: Keys
) -> NDArray[np.float64]:
    found = approximate_kernels(rows.reshape(-1, *keys.size), keys)
    there = found.key >= 0
    key, share = found.key[there], weights[there].astype(np.float64)
    shares = np.bincount(key, share, len(keys))
    sums = np.bincount(key, share * found.r2[there], len(keys))
    with np.errstate(invalid="ignore"):
        return np.stack([shares, sums / shares], axis=1)


def _mean(r2: NDArray[np.float32]) -> float:
    there = r2[np.isfinite(r2)]
    return float(there.mean(dtype=np.float64)) if len(there) else math.nan


def _main_size(banks: Sequence[KernelBank]) -> Size:
    counts: dict[Size, int] = {}
    for bank in banks:
        for size, kernels in bank.sizes.items():
            counts[size] = counts.get(size, 0) + len(kernels)
    if not counts:
        raise KeysError("the networks have no depthwise kernels")
    return max(counts, key=lambda size: (counts[size], size))
