"""Fitting the curve: centroids joined by a short path, then annealed soft assignment.

A decoder of one code that starts at random gets stuck: codes that lie beside each other
compete for the same kernels. So the curve begins as a short path through centroids of
spherical K-means, on which like follows like. Then each sweep finds every kernel's
nearest point and lets it pull on all points, with a weight that falls off with their
distance *on the axis*, and the distance that counts shrinks from sweep to sweep. This
is Kohonen's self-organising map in one dimension (*Self-Organizing Maps*, 2001), with
the curve as a cosine series: there the weights are nothing but a factor
``exp(−(π j width)²/2)`` on the j-th coefficient. The last width sets how long and how
faithful the curve becomes.

So that names hold, the map is supervised: each point also knows which classes of the
pattern family pull on it, and a kernel takes a point of its own class for a little
nearer than it is. Arcs of the curve so come to hold one class each. Codes that are
asked for later know nothing of this: they are those of the nearest point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.classes import FINE
from kernelviewer.latent.curve import POINTS, Curve, codes_of_table, cosines, unit_rows
from kernelviewer.latent.finishing import short_path
from kernelviewer.latent.nearest import nearest_in_batches, spherical_kmeans

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from kernelviewer.device import Device
    from kernelviewer.kernels import Size
    from kernelviewer.watch import Watch


_NO_PULL = 1e-9
"""Added to the pull of every class, so that shares are known where none pulls."""


@dataclass(frozen=True, slots=True)
class CurveOptions:
    """How a curve is fitted."""

    width: float = 0.003
    first_width: float = 0.016
    """Last and first width of the neighbourhood, as parts of the axis."""
    centroids: int = 200
    """Points of the path that the curve starts from."""
    mirrored: float = 0.75
    """Share of the kernels that are shown as a mirror image or negative."""
    members: float = 0.0
    """Share of the weight that random members of the pattern family have, beside the
    kernels: with few networks to learn from, the curve then has the patterns that
    others will show. 0 for what the kernels alone tell."""
    memory: float = 0.7
    """What a sweep keeps of the pull of the sweeps before."""
    inertia: float = 0.02
    """Pull of each point on itself, as a part of a kernel's mean pull: it bridges
    places where no kernel lives."""
    class_cost: float = 6.0
    """Extra distance between centroids per cosine, less price, that they would lose by
    sharing a class, so that the path visits a class's patterns together."""
    class_pull: float = 0.2
    """By how much, as a cosine, a point seems nearer to a kernel if all that pull on it
    are of the kernel's class."""
    kernels: int = 32768
    """Kernels in a sweep at most."""


class CurveFit:
    """A curve being fitted to patterns.

    Parameters
    ----------
    patterns, weights
        float32 [N, taps], mean 0 and length 1, and [N] how much each counts.
    sweeps
        How many sweeps `sweep` will be called for.
    options, seed, device, watch
        See `kernelviewer.latent.training`.
    """

    def __init__(
        self,
        size: Size,
        patterns: Tensor,
        weights: Tensor,
        *,
        sweeps: int,
        options: CurveOptions,
        seed: int,
        device: Device,
        watch: Watch,
    ) -> None:
        import torch

        self._size = size
        self._patterns, self._weights = patterns, weights / weights.sum()
        self._sweeps, self._options = sweeps, options
        self._device, self._watch = device, watch
        self._random = torch.Generator().manual_seed(seed)
        self._images = torch.from_numpy(mirrors(size))
        self._class_images = torch.from_numpy(class_images(size))
        self._classes = self._own_classes()
        self._done = 0
        # the factor on the last coefficient is exp(−4.5) at the smallest width
        harmonics = math.ceil(3.0 / (math.pi * options.width))
        self._waves = cosines(codes_of_table(), min(harmonics, POINTS // 4))
        self._table = self._first_table(seed)
        self._shares = np.zeros((POINTS, self._classes.shape[1]), np.float32)
        self._pull = np.zeros((POINTS, self._table.shape[1] + self._shares.shape[1]))
        self._let_pull()

    def show(self, patterns: Tensor, weights: Tensor) -> None:
        """Show other kernels from now on, as where there are too many for one sweep."""
        self._patterns, self._weights = patterns, weights / weights.sum()
        self._classes = self._own_classes()

    def sweep(self) -> float:
        """Let every kernel pull once; the loss 1 − mean fit of before that."""
        self._done += 1
        return self._let_pull()

    def curve(self) -> Curve:
        """The curve as it is now."""
        even = np.array([0.0, 1.0], np.float32)
        return Curve(self._size, self._series.astype(np.float32), even)

    def _let_pull(self) -> float:
        import torch

        patterns, classes, weights = self._batch()
        seen = torch.cat([patterns, classes], 1)
        favoured = self._options.class_pull * self._shares
        _, row = nearest_in_batches(
            seen.numpy(), np.hstack([self._table, favoured]), self._device, self._watch
        )
        cosine = np.einsum("ij,ij->i", patterns.numpy(), self._table[row])
        pull = torch.zeros(self._pull.shape, dtype=torch.float64)
        pull.index_add_(0, torch.from_numpy(row), (seen * weights[:, None]).double())
        self._pull = self._options.memory * self._pull + pull.numpy()
        damped = self._damped()
        taps = self._table.shape[1]
        self._series = damped[:, :taps]
        self._table = unit_rows(self._waves @ self._series)
        near = np.maximum(self._waves @ damped[:, taps:], 0) + _NO_PULL
        self._shares = (near / near.sum(axis=1, keepdims=True)).astype(np.float32)
        weight = weights.numpy()
        return 1 - float((cosine * weight).sum() / weight.sum())

    def _damped(self) -> NDArray[np.float64]:
        """Coefficients of the pull on the curve and of that of each class, damped."""
        options = self._options
        # three quarters of the sweeps narrow the neighbourhood, the rest settle
        part = min(1.0, self._done / max(1.0, 0.75 * self._sweeps))
        start = max(options.first_width, options.width)
        width = start * (options.width / start) ** part
        order = np.arange(self._waves.shape[1])
        factor = np.exp(-0.5 * (np.pi * order * width) ** 2)
        factor[1:] *= 2
        kept = (1 - options.memory) ** -1 * options.inertia / len(self._table)
        pull = self._pull.copy()
        pull[:, : self._table.shape[1]] += kept * self._table
        damped: NDArray[np.float64] = factor[:, None] * (self._waves.T @ pull)
        return damped

    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """The kernels of a sweep, some of them mirrored, their classes and weights."""
        import torch

        patterns, classes, weights = self._patterns, self._classes, self._weights
        if len(patterns) > self._options.kernels:
            drawn = torch.randperm(len(patterns), generator=self._random)
            drawn = drawn[: self._options.kernels]
            patterns, weights = patterns[drawn], weights[drawn]
            classes = classes[drawn]
        share = self._options.mirrored
        varied, image = vary(patterns, self._images, share, self._random)
        if classes.shape[1]:
            classes = classes.gather(1, self._class_images[image])
        return varied, classes, weights

    def _own_classes(self) -> Tensor:
        """Classes of the kernels, float32 [N, 23], one 1 in each row; or [N, 0]."""
        import torch

        from kernelviewer.kernels.family import family_fit, supported

        if not self._options.class_pull or not supported(self._size):
            return torch.zeros((len(self._patterns), 0))
        fit = family_fit(
            self._patterns.numpy().reshape(-1, *self._size),
            device=self._device,
            watch=self._watch,
        )
        found = torch.zeros((len(fit), len(FINE.patterns)))
        found[torch.arange(len(fit)), torch.from_numpy(fit.class_index).long()] = 1
        return found

    def _first_table(self, seed: int) -> NDArray[np.float32]:
        """A short path through centroids."""
        patterns, _, weights = self._batch()
        centroids = spherical_kmeans(
            patterns,
            self._options.centroids,
            weights=weights,
            iterations=10,
            seed=seed,
            device=self._device,
            watch=self._watch,
        ).numpy()
        angle = np.arccos(np.clip(centroids @ centroids.T, -1, 1)).astype(np.float64)
        apart = angle + self._options.class_cost * self._class_loss(centroids)
        centroids = centroids[short_path(apart, seed=seed, watch=self._watch)]
        steps = np.linalg.norm(np.diff(centroids, axis=0), axis=1)
        knots = np.concatenate([[0.0], steps.cumsum()])
        knots = knots / knots[-1] if knots[-1] > 0 else knots
        table = np.stack(
            [np.interp(codes_of_table(), knots, tap) for tap in centroids.T], axis=1
        )
        return unit_rows(table)

    def _class_loss(self, centroids: NDArray[np.float32]) -> NDArray[np.float64]:
        """[K, K] what two centroids lose in evidence if named by the same class."""
        from kernelviewer.kernels.family import family_fit, supported

        if not self._options.class_cost or not supported(self._size):
            return np.zeros((len(centroids), len(centroids)))
        fit = family_fit(
            centroids.reshape(-1, *self._size), device=self._device, watch=self._watch
        )
        score = fit.class_score.astype(np.float64)
        loss = score.max(axis=1, keepdims=True) - score
        shared: NDArray[np.float64] = (loss[:, None] + loss[None]).min(axis=2)
        return shared


def mirrors(size: Size) -> NDArray[np.int64]:
    """The ways to mirror and, where the kernel is square, transpose it.

    Returns
    -------
    int64 [G, taps]
        Row g holds, for each tap of the image, the tap of the kernel that it comes
        from. The first row is the identity.
    """
    taps = np.arange(np.prod(size)).reshape(size)
    turned = [taps]
    if len(size) == 2 and size[0] == size[1]:
        turned.append(taps.T)
    axes = [axis for axis, length in enumerate(size) if length > 1]
    flips = [
        tuple(axis for axis, flip in zip(axes, chosen, strict=True) if flip)
        for chosen in product((False, True), repeat=len(axes))
    ]
    rows = [np.flip(plane, flip) for plane in turned for flip in flips]
    return np.stack([row.reshape(-1) for row in rows])


def class_images(size: Size) -> NDArray[np.int64]:
    """What becomes of the fine classes under each mirror image and its negative.

    Returns
    -------
    int64 [2 G, 23]
        In row i, for each class of the image, the class that the kernel had. The first
        G rows are those of `mirrors`, the others their negatives.
    """
    ids = [item.id for item in FINE.patterns]
    images = len(mirrors(size))
    transposing = len(size) == 2 and size[0] == size[1]
    rows = []
    for image in range(2 * images):
        turned = transposing and image % images >= images // 2
        negative = image >= images
        rows.append([ids.index(_image_of(id_, turned, negative)) for id_ in ids])
    return np.array(rows, np.int64)


_TRANSPOSED = {"x": "y", "y": "x", "v": "h", "h": "v"}
_NEGATIVE = {"on": "off", "off": "on"}


def _image_of(class_id: str, turned: bool, negative: bool) -> str:
    """Id of the fine class that a transposed or negative kernel has."""
    first, *rest = class_id.split("-")
    if negative:
        first = _NEGATIVE.get(first, first)
    if turned and rest:
        rest[-1] = _TRANSPOSED.get(rest[-1], rest[-1])
    return "-".join([first, *rest])


def vary(
    patterns: Tensor, images: Tensor, share: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Replace a random share of the patterns [n, taps] by an image or its negative.

    Each of the ``images`` that `mirrors` gives is as likely, and so is either sign.

    Returns
    -------
    patterns, image
        [n, taps], and int64 [n], a row of `class_images`: which image each now is.
    """
    import torch

    count = len(patterns)
    chosen = torch.randint(0, 2 * len(images), (count,), generator=generator)
    chosen[torch.rand(count, generator=generator) >= share] = 0
    sign = 1.0 - 2.0 * (chosen >= len(images)).float()
    return patterns.gather(1, images[chosen % len(images)]) * sign[:, None], chosen
