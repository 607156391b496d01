"""Spherical K-means: the plain way to cluster patterns, and the curve's starting point.

Dhillon and Modha, *Concept decompositions for large sparse text data using clustering*
(Machine Learning, 2001), started as k-means++ does, on 1 − cosine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.device import CPU
from kernelviewer.latent.nearest import nearest_in_batches
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from torch import Tensor

    from kernelviewer.device import Device
    from kernelviewer.watch import Watch

ITERATIONS = 30
_LEAST = 1e-6


def spherical_kmeans(
    patterns: Tensor,
    count: int,
    *,
    weights: Tensor | None = None,
    iterations: int = ITERATIONS,
    seed: int = 0,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Tensor:
    """Unit centroids of patterns.

    Parameters
    ----------
    patterns
        float32 [N, taps], mean 0 and length 1, N ≥ 1.
    count
        Centroids wanted; fewer come back if there are fewer patterns.
    weights
        [N], how much each pattern counts.
    iterations, seed
        Sweeps over all patterns at most, and the seed of the first centroids.
    device
        Where to compute.
    watch
        Checked often; what it raises ends the search.

    Returns
    -------
    Tensor
        float32 [min(count, N), taps], on the host.
    """
    import torch

    device = device or CPU
    weights = torch.ones(len(patterns)) if weights is None else weights
    centroids = _spread(patterns, min(count, len(patterns)), weights, seed, watch)
    before = None
    for _ in range(iterations):
        table = centroids.numpy()
        _, found = nearest_in_batches(patterns.numpy(), table, device, watch)
        member = torch.from_numpy(found)
        if before is not None and torch.equal(member, before):
            break
        before = member
        sums = torch.zeros_like(centroids)
        sums.index_add_(0, member, patterns * weights[:, None])
        length = sums.norm(dim=1, keepdim=True)
        # a centroid that has lost its members stays where it was
        alive = length > _LEAST * weights.mean()
        centroids = torch.where(alive, sums / length.clamp(min=1e-30), centroids)
    return centroids


def _spread(
    patterns: Tensor, count: int, weights: Tensor, seed: int, watch: Watch
) -> Tensor:
    """First centroids: patterns drawn with chances by their distance to the others."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    first = torch.multinomial(weights, 1, generator=generator)
    chosen = [int(first)]
    closest = patterns @ patterns[chosen[0]]
    while len(chosen) < count:
        watch.check()
        chances = (1 - closest).clamp(min=_LEAST) * weights
        chosen.append(int(torch.multinomial(chances, 1, generator=generator)))
        closest = torch.maximum(closest, patterns @ patterns[chosen[-1]])
    return patterns[chosen].clone()
