"""Judging a representation on networks it has not seen, with what to compare it to.

The rules of judging: networks are split, never kernels; mean fit, coverage at the
threshold, what noise reaches there, K-means and the plain autoencoder trained on the
same networks, and the length of the curve stand beside each other.

The baselines, spherical K-means, the paper's autoencoder and noise, depend on nothing
but the kernels and a seed, so they are kept in the cache under the hash of these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.device import CPU, choose_device
from kernelviewer.kernels import size_label
from kernelviewer.latent import LatentError
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.curve import PARTS, PlainAutoencoder
from kernelviewer.latent.family_null import cached, content_hash, family_null
from kernelviewer.latent.finishing import agreements
from kernelviewer.latent.labels import reaches
from kernelviewer.latent.nearest import nearest_in_batches, spherical_kmeans, unit
from kernelviewer.latent.networks import network_weights
from kernelviewer.latent.noise import KERNELS, SEED, Null, white_noise
from kernelviewer.latent.training import Training, TrainingOptions, describe, train
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels import Size
    from kernelviewer.latent.labels import Agreement
    from kernelviewer.latent.networks import Network
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


@dataclass(frozen=True, slots=True)
class Row:
    """How one representation does on some kernels."""

    method: str
    """``curve``, ``paper``, ``k-means 100``, ``family``."""
    mean_fit: float
    """Mean cosine of the kernels with their representation."""
    coverage: float
    null_coverage: float | None = None
    """Share of the kernels, and of white noise, that reach the threshold; None where it
    was not measured."""
    arc_length: float | None = None
    """Length of the spectrum in units of π; None for centroids."""
    threshold: float | None = None
    """The family's own; None: that of the `Evaluation`."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All rows for the kernels of one network or family."""

    name: str
    """Of the network or family."""
    kernels: int
    """How many were judged."""
    threshold: float
    """The same for all rows, but for the family's, whose coverage is at its own
    threshold where none was given."""
    rows: tuple[Row, ...]
    stretches: int
    """Of the curve."""
    names: Mapping[str, Agreement]
    """By scheme: how they agree with the family's; empty where there is none."""

    def row(self, method: str) -> Row:
        """The row of a method."""
        return next(row for row in self.rows if row.method == method)

    def to_json(self) -> dict[str, Any]:
        """As plain values, rounded."""
        return {
            "name": self.name,
            "kernels": self.kernels,
            "threshold": self.threshold,
            "stretches": self.stretches,
            "names": {key: found.to_json() for key, found in self.names.items()},
            "methods": {
                row.method: {
                    "mean_fit": _rounded(row.mean_fit),
                    "coverage": _rounded(row.coverage),
                    "null_coverage": _rounded(row.null_coverage),
                    "arc_length": _rounded(row.arc_length),
                    **({} if row.threshold is None else {"threshold": row.threshold}),
                }
                for row in self.rows
            },
        }


@dataclass(frozen=True, slots=True, eq=False)
class Baselines:
    """Methods trained on the same networks, to be compared on others."""

    curve: Autoencoder
    paper: Autoencoder | None
    centroids: Mapping[int, NDArray[np.float32]]


def prepare(
    size: Size,
    networks: Sequence[Network],
    *,
    options: TrainingOptions | None = None,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Baselines:
    """Train curve, plain autoencoder and K-means on the same networks."""
    options = options or TrainingOptions()
    curve = train(size, networks, options=options, device=device, watch=watch)
    paper = plain_of(size, networks, options=options, device=device, watch=watch)
    centroids = {}
    for number, count in enumerate(COUNTS):
        watch.progress(number, len(COUNTS), f"K-means with {count} centroids")
        centroids[count] = centroids_of(networks, count, device=device, watch=watch)
    return Baselines(curve, paper, centroids)


def judge(
    contest: Baselines,
    name: str,
    kernels: NDArray[np.float32],
    *,
    threshold: float | None = None,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Evaluation:
    """Measure all on kernels [N, *size] of networks that they have not seen."""
    curve, quiet = contest.curve, watch.quiet()
    level = curve.threshold if threshold is None else threshold
    rows = []
    for method, coder in (("curve", curve), ("paper", contest.paper)):
        if coder is None:
            continue
        fits = coder.encode(kernels, device=device, watch=quiet).fit
        rows.append(_row(method, fits, level, coder.null, coder.arc_length))
    for count, centroids in contest.centroids.items():
        fits = centroid_fits(kernels, centroids, device=device, watch=quiet)
        null = centroid_null(curve.size, centroids, device=device, watch=quiet)
        rows.append(_row(f"k-means {count}", fits, level, null, None))
    names: Mapping[str, Agreement] = {}
    if curve.point_cosine.size:
        from kernelviewer.kernels.family import family_fit

        own = family_fit(kernels, device=device, watch=quiet)
        null = family_null(curve.size, device=device, watch=quiet)
        usual = null.default_threshold if threshold is None else threshold
        row = _row("family", own.cosine, usual, null, None)
        rows.append(replace(row, threshold=usual))
        codes = curve.encode(kernels, device=device, watch=quiet)
        names = agreements(curve, codes, level, own)
    stretches = len(curve.stretches)
    return Evaluation(name, len(kernels), level, tuple(rows), stretches, names)


def leave_one_family_out(
    size: Size,
    networks: Sequence[Network],
    *,
    options: TrainingOptions | None = None,
    threshold: float | None = None,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Iterator[Evaluation]:
    """Judge each family by what was trained on the others, one after the other.

    Raises
    ------
    LatentError
        There are not two families.
    """
    families = list(dict.fromkeys(item.family for item in networks))
    if len(families) < 2:
        there = " + ".join(item.name for item in networks)
        msg = (
            f"leaving one family out takes two or more with {size_label(size)} "
            f"kernels; there is {f'one ({there})' if there else 'none'}"
        )
        hint = "Name more networks; those fine-tuned from one parent are one family."
        raise LatentError(msg, hint)
    for family in families:
        yield judge_without(
            size,
            networks,
            family,
            options=options,
            threshold=threshold,
            device=device,
            watch=watch,
        )


def judge_without(
    size: Size,
    networks: Sequence[Network],
    family: int,
    *,
    options: TrainingOptions | None = None,
    threshold: float | None = None,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Evaluation:
    """Judge one family by what was trained on the others, of which there are some."""
    out = [item for item in networks if item.family == family]
    contest = prepare(
        size,
        [item for item in networks if item.family != family],
        options=options,
        device=device,
        watch=watch,
    )
    kernels = np.concatenate([item.patterns for item in out])
    names = " + ".join(item.name for item in out)
    return judge(
        contest, names, kernels, threshold=threshold, device=device, watch=watch
    )


def by_layer(network: Network) -> tuple[Network, Network]:
    """One network's even and its odd layers: all that a split within it can do."""
    _, order = np.unique(network.layer, return_inverse=True)
    halves = []
    for number, word in enumerate(("even", "odd")):
        there = order % 2 == number
        halves.append(
            replace(
                network,
                name=f"{network.name} ({word} layers)",
                patterns=network.patterns[there],
                layer=network.layer[there],
                family=number,
            )
        )
    return halves[0], halves[1]


def mean_rows(judgements: Sequence[Evaluation]) -> dict[str, float]:
    """Mean fit of each method over judgements, which weigh equally."""
    methods = [row.method for row in judgements[0].rows] if judgements else []
    return {
        method: float(np.mean([item.row(method).mean_fit for item in judgements]))
        for method in methods
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 5)


def _row(
    method: str,
    fits: NDArray[np.float32],
    threshold: float,
    null: Null | None,
    arc_length: float | None,
) -> Row:
    there = fits[~np.isnan(fits)]
    empty = not len(there)
    return Row(
        method,
        float("nan") if empty else float(there.mean(dtype=np.float64)),
        float("nan") if empty else float(reaches(there, threshold).mean()),
        None if null is None else null.coverage(threshold),
        arc_length,
    )
