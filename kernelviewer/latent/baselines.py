"""What the curve is compared with: spherical K-means, the paper's autoencoder, noise.

They depend on nothing but the kernels and a seed, so they are kept in the cache under
the hash of these.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer import __version__
from kernelviewer.device import CPU, choose_device
from kernelviewer.files import atomic_write, cache_dir
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.nearest import nearest_in_batches, spherical_kmeans, unit
from kernelviewer.latent.networks import network_weights
from kernelviewer.latent.noise import KERNELS, SEED, Null, white_noise
from kernelviewer.latent.paper import PARTS, PlainAutoencoder
from kernelviewer.latent.training import Training, describe
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels import Size
    from kernelviewer.latent.networks import Network
    from kernelviewer.latent.training import TrainingOptions
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
    """The result of ``compute`` for this key, from the cache if it is there.

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


COUNTS = (10, 50, 100, 200)
"""Centroids that the curve is compared with."""


def centroids_of(
    networks: Sequence[Network],
    count: int,
    *,
    seed: int = 0,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> NDArray[np.float32]:
    """Spherical K-means of all kernels of the networks, float32 [k, taps]."""
    import torch

    rows = np.concatenate([item.patterns.reshape(len(item), -1) for item in networks])

    def compute() -> dict[str, NDArray[np.float32]]:
        found = spherical_kmeans(
            torch.from_numpy(rows), count, seed=seed, device=device, watch=watch
        )
        return {"centroids": found.numpy()}

    return cached("kmeans", content_hash(rows, count, seed), compute)["centroids"]


def centroid_fits(
    kernels: NDArray[np.float32],
    centroids: NDArray[np.float32],
    *,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> NDArray[np.float32]:
    """Cosine of each kernel [N, *size] with the nearest centroid."""
    rows = unit(np.asarray(kernels, np.float32).reshape(len(kernels), -1))[0]
    return nearest_in_batches(rows, centroids, device or CPU, watch)[0]


def centroid_null(
    size: Size,
    centroids: NDArray[np.float32],
    *,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Null:
    """The null of centroids: what white noise reaches with them."""

    def compute() -> dict[str, NDArray[np.int64]]:
        fits = [
            centroid_fits(batch, centroids, device=device, watch=watch)
            for batch in white_noise(size, KERNELS, SEED)
        ]
        return {"counts": Null.of(np.concatenate(fits)).counts}

    key = content_hash(centroids, size, KERNELS, SEED)
    return Null(cached("kmeans-null", key, compute)["counts"])


def plain_of(
    size: Size,
    networks: Sequence[Network],
    *,
    options: TrainingOptions,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Autoencoder:
    """The paper's plain autoencoder of the networks, with its null, without names."""
    where = choose_device() if device is None else device
    plainly = replace(options, method="paper")
    training = Training(size, networks, options=plainly, device=where, watch=watch)

    def compute() -> dict[str, NDArray[np.float32] | NDArray[np.int64]]:
        for sweep in training:
            watch.progress(sweep.number, sweep.total, describe(sweep))
        coder = training.result(watch=watch.quiet(), names=False)
        assert isinstance(coder.model, PlainAutoencoder)
        return {**coder.model.parameters, "null": coder.null.counts}

    rows = np.concatenate([item.patterns.reshape(len(item), -1) for item in networks])
    key = content_hash(
        rows, network_weights(networks), size, options.seed, training.total, where.type
    )
    found = dict(cached("paper", key, compute))
    null = Null(found.pop("null"))
    model = PlainAutoencoder(size, {name: found[name] for name in PARTS})
    return replace(Autoencoder.of("paper", model), null=null)
