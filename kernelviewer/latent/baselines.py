"""What the curve is compared with: spherical K-means, the paper's autoencoder, noise.

They depend on nothing but the kernels and a seed, so they are kept in the cache under
the hash of these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import CPU, choose_device
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.cache import cached, content_hash
from kernelviewer.latent.nearest import nearest_in_batches, spherical_kmeans, unit
from kernelviewer.latent.networks import network_weights
from kernelviewer.latent.noise import KERNELS, SEED, Null, white_noise
from kernelviewer.latent.paper import PARTS, PlainAutoencoder
from kernelviewer.latent.training import Training, describe
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels import Size
    from kernelviewer.latent.networks import Network
    from kernelviewer.latent.training import TrainingOptions
    from kernelviewer.watch import Watch


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
