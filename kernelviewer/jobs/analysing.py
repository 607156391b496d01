"""Tasks that compute codes, family classes, principal components and comparisons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.jobs.tasks import give_back
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import INDEX
from kernelviewer.kernels.statistics import patterns
from kernelviewer.latent.stretches import near_classes
from kernelviewer.state.analysis import Analysis, FamilyNames
from kernelviewer.state.memo import MemoOf
from kernelviewer.state.tally import order_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import KernelBank, KernelSet, Size
    from kernelviewer.kernels.comparison import Comparison
    from kernelviewer.kernels.equality import Equal
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.kernels.family.scale_space import ScaleSpaceFit
    from kernelviewer.kernels.health import LayerHealth
    from kernelviewer.kernels.keys import Keys
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.comparing import Comparing
    from kernelviewer.state.keys import KeyChoice, Keyed, ShownByKeys
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.watch import Watch

T = TypeVar("T")
COMPONENTS = 6
BATCH = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """The result of encoding; ``analysis`` has no codes where there is no autoencoder.

    ``note`` says what the user should know of how it was computed.
    """

    autoencoder: Autoencoder | None
    analysis: Analysis
    note: str = ""


def analyse(
    ticket: Ticket, kernels: KernelSet, known: Autoencoder | None, device: str
) -> Analysed:
    """Codes by ``known`` or by the shipped autoencoder.

    Where the device runs out of memory, the CPU takes over, and the note says so.
    """
    from kernelviewer.latent.autoencoder import shipped

    autoencoder = known or shipped(kernels.size)
    if autoencoder is None:
        nothing = np.full(len(kernels), np.nan, np.float32)
        return Analysed(None, Analysis(None, nothing))
    encoding = partial(encode, ticket, kernels, autoencoder)
    return Analysed(autoencoder, *_or_on_cpu(encoding, device))


def _or_on_cpu(compute: Callable[[str], T], device: str) -> tuple[T, str]:
    """What a device computes, or the CPU where it has too little memory; a note."""
    try:
        return compute(device), ""
    except RuntimeError as error:
        if device == "cpu" or "out of memory" not in str(error).lower():
            raise
    return compute("cpu"), "computed on the CPU: the device ran out of memory"


def encode(
    ticket: Ticket, kernels: KernelSet, autoencoder: Autoencoder, device: str
) -> Analysis:
    """Codes and fits of one model's kernels of one size."""
    codes = autoencoder.encode_set(kernels, device=choose_device(device), watch=ticket)
    return Analysis(codes.code, codes.fit, order=order_of(codes.fit))


def fit_points(ticket: Ticket, table: NDArray[np.float32]) -> FamilyFit | None:
    """Nearest family member of each point of a spectrum; None where there is none."""
    from kernelviewer.kernels.family import family_fit, supported

    if not supported(table.shape[1:]):
        return None
    return family_fit(table, device=choose_device("cpu"), watch=ticket.quiet())


def fit_one(
    ticket: Ticket, kernels: KernelSet, row: int
) -> tuple[FamilyFit, ScaleSpaceFit] | None:
    """Nearest family member and nearest discrete scale-space model of one kernel.

    None where the size has none.
    """
    from kernelviewer.kernels.family import family_fit_set, supported
    from kernelviewer.kernels.family.scale_space import scale_space_fit

    if not supported(kernels.size):
        return None
    rows, device = np.array([row]), choose_device("cpu")
    member = family_fit_set(kernels, rows, device=device, watch=ticket.quiet())
    return member, scale_space_fit(kernels, rows, watch=ticket.quiet())


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Principal components of a pool's patterns. P kernels that are not flat."""

    numbers: NDArray[np.int64]
    """int64 [P], their pool numbers."""
    points: NDArray[np.float32]
    """float32 [P, K], their places on the first K components."""
    share: tuple[float, ...]
    """[K], share of the variance that each component explains."""
    axes: NDArray[np.float32]
    centre: NDArray[np.float32]
    """float32 [taps, K], the components; [K], where the mean pattern lies on them."""

    def places(self, patterns: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where other patterns [n, taps] lie, [n, K]; NaN where they have NaN."""
        return np.asarray(patterns @ self.axes - self.centre, np.float32)


def project(
    ticket: Ticket, pool: KernelPool, once: Equal | None = None
) -> tuple[KernelPool, Projection]:
    """Principal components of the pool's patterns, by their covariance.

    Patterns are made batch by batch and not kept. Kernels that are equal weigh ``once``
    where they are given; all have their points.
    """
    numbers = np.flatnonzero(~pool.flat)
    weighing = numbers
    if once is not None:
        weighing = np.flatnonzero(once.once(~pool.flat))
    taps = int(np.prod(pool.size))
    total = np.zeros(taps)
    square = np.zeros((taps, taps))
    for batch in _batches(ticket, pool, weighing):
        total += batch.sum(0, dtype=np.float64)
        square += (batch.T @ batch).astype(np.float64)
    count = max(1, len(weighing))
    mean = total / count
    values, vectors = np.linalg.eigh(square / count - np.outer(mean, mean))
    order = np.argsort(values)[::-1][: min(COMPONENTS, max(2, taps))]
    axes = _with_fixed_signs(vectors[:, order]).astype(np.float32)
    parts = [batch @ axes for batch in _batches(ticket, pool, numbers)]
    points = (
        np.concatenate(parts) if parts else np.zeros((0, axes.shape[1]), np.float32)
    )
    centre = (mean @ axes).astype(np.float32)
    points -= centre
    variance = max(float(values.clip(0).sum()), 1e-12)
    share = tuple(float(max(values[i], 0)) / variance for i in order)
    give_back()
    return pool, Projection(numbers, points, share, axes, centre)


def _batches(
    ticket: Ticket, pool: KernelPool, numbers: NDArray[np.int64]
) -> Iterator[NDArray[np.float32]]:
    """Unit patterns [n, taps] of the wanted kernels, piece by piece."""
    for start in range(0, len(numbers), BATCH):
        ticket.check()
        part = numbers[start : start + BATCH]
        weights = np.concatenate(
            [
                kernels.weights[part[(part >= low) & (part < high)] - low]
                for kernels, low, high in zip(
                    pool.sets, pool.starts[:-1], pool.starts[1:], strict=True
                )
            ]
        )
        found = patterns(weights, pool.scale[part], pool.offset[part])
        yield found.reshape(len(part), -1)


def _with_fixed_signs(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Axes whose largest entry is positive: the same picture each time."""
    largest = np.abs(axes).argmax(axis=0)
    return axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1, 1)


NAMED_AT_ONCE = 4096


def name_by_family(
    ticket: Ticket, kernels: KernelSet, device: str
) -> tuple[FamilyNames, str]:
    """The family's classes, and a note as in `Analysed`."""
    return _or_on_cpu(partial(_name_by_family, ticket, kernels), device)


def _name_by_family(ticket: Ticket, kernels: KernelSet, device: str) -> FamilyNames:
    """The same, batch by batch; other tasks go first in between."""
    from kernelviewer.kernels.family import family_fit_set
    from kernelviewer.kernels.family.spectrum import family_spectrum
    from kernelviewer.latent.family_null import family_null, like_noise

    spectrum = family_spectrum(kernels.size)
    _ = spectrum.table  # drawn here: the window asks for it at once
    place, total = choose_device(device), len(kernels)
    null = family_null(kernels.size, device=place, watch=ticket)
    best = np.full(total, INDEX["flat"], np.uint8)
    second, paper = best.copy(), best.copy()
    near = np.zeros(total, np.uint64)
    fit, margin, code = (np.full(total, np.nan, np.float32) for _ in range(3))
    there = np.flatnonzero(~kernels.flat)
    for first in range(0, len(there), NAMED_AT_ONCE):
        ticket.give_way()
        ticket.progress(first, len(there), "kernels compared with the family")
        rows = there[first : first + NAMED_AT_ONCE]
        found = family_fit_set(kernels, rows, device=place, watch=ticket.quiet())
        noise = like_noise(kernels, rows, found.cosine, device=place, watch=ticket)
        fit[rows] = found.cosine
        for target, named in ((best, found.class_index), (paper, found.paper_index)):
            target[rows] = np.where(noise, INDEX["unidentified"], named)
        second[rows], margin[rows] = found.second_index, found.margin
        near[rows], code[rows] = near_classes(found), spectrum.codes(found)
    give_back()
    return FamilyNames(
        best=best,
        paper=paper,
        near=near,
        fit=fit,
        second=second,
        margin=margin,
        code=code,
        spectrum=spectrum,
        order=order_of(fit),
        null=null,
    )


def compare_networks(
    ticket: Ticket, first: KernelBank, second: KernelBank, how: Comparing
) -> Comparison:
    """What changed from the first network to the second; classes are left to views.

    Pairs of layers by hand that cannot correspond are left out.
    """
    from kernelviewer.kernels.comparison import compare_pairs
    from kernelviewer.kernels.pairing import pair

    pairing = pair(first, second, match=how.match, layers=how.layers, watch=ticket)
    return compare_pairs(pairing, {}, watch=ticket)


def key_networks(
    ticket: Ticket,
    banks: tuple[KernelBank, ...],
    size: Size,
    choice: KeyChoice,
    known: Keyed | None = None,
) -> Keyed | str:
    """Networks that have kernels of a size by the keys that were chosen.

    ``known`` is the same of some of them: they are not approximated again by keys that
    don't depend on what is open. A text says why there are no such keys.
    """
    from kernelviewer.kernels.keys import KeysError, approximate_kernels
    from kernelviewer.latent.keys import null_of
    from kernelviewer.state.keys import Keyed

    having = tuple(bank for bank in banks if size in bank.sizes)
    try:
        keys, note = _chosen_keys(having, size, choice, ticket)
    except KeysError as error:
        return str(error)
    before = {}
    if known is not None and np.array_equal(known.keys.patterns, keys.patterns):
        before = dict(zip(known.banks, known.parts, strict=True))
    parts = []
    for number, bank in enumerate(having):
        ticket.progress(number, len(having), "kernels by keys")
        kernels = bank.sizes[size]
        parts.append(
            before.get(bank)
            or approximate_kernels(kernels.weights, keys, kernels.flat, ticket.quiet())
        )
    return Keyed(keys, null_of(keys), having, tuple(parts), note)


def _chosen_keys(
    banks: Sequence[KernelBank], size: Size, choice: KeyChoice, watch: Watch
) -> tuple[Keys, str]:
    """The keys of a choice, and what should be known of them; raises `KeysError`."""
    from kernelviewer.kernels.keys import KeysError, read_keys
    from kernelviewer.latent import keys as known

    label = size_label(size)
    if choice.by == "published" and size == known.PUBLISHED_SIZE:
        return known.published(), ""
    if choice.by in ("published", "shipped"):
        count = choice.count if choice.by == "shipped" else 8
        if (given := known.shipped_keys(size, count)) is not None:
            note = "published ones are 7×7" if choice.by == "published" else ""
            return given, note
        msg = f"no keys come with the program for {label} kernels: have some found"
        raise KeysError(msg)
    if choice.by == "file":
        given = read_keys(choice.path)
        if given.size != size:
            msg = f"the keys of {given.name} are {size_label(given.size)}, not {label}"
            raise KeysError(msg)
        return given, ""
    among: Literal["centroids"] | None = (
        "centroids" if choice.by == "centroids" else None
    )
    return known.find_keys(banks, size, choice.count, among, watch=watch), ""


def approximate_shown(
    ticket: Ticket, pool: KernelPool, shown: NDArray[np.bool_], keys: Keys
) -> ShownByKeys | None:
    """The shown kernels of a pool by keys; None where none of them has a pattern."""
    from kernelviewer.kernels.bank import PER_KERNEL
    from kernelviewer.kernels.keys import KeysError
    from kernelviewer.latent.keys import QUANTILES, approximate
    from kernelviewer.state.keys import LayerR2, ShownByKeys
    from kernelviewer.state.model import LayerRef

    banks, models = [], []
    spans = zip(pool.models, pool.sets, pool.starts, pool.starts[1:], strict=False)
    for model, kernels, start, end in spans:
        own = shown[start:end]
        if own.any():
            inside = replace(
                kernels, **{name: getattr(kernels, name)[own] for name in PER_KERNEL}
            )
            banks.append(replace(model.bank, sizes={pool.size: inside}))
            models.append(model)
    try:
        found = approximate(banks, keys, pool.size, watch=ticket.quiet())
    except KeysError:
        return None
    layers = []
    for model, part in zip(models, found.parts, strict=True):
        layer, r2 = part.bank.sizes[pool.size].layer, part.approximation.r2
        for index in np.unique(layer).tolist():
            own = r2[(layer == index) & np.isfinite(r2)]
            if len(own):
                ref, name = LayerRef(model.id, index), model.bank.layers[index].name
                mean, spread = own.mean(dtype=float), np.quantile(own, QUANTILES)
                layers.append(
                    LayerR2(ref, name, len(own), float(mean), tuple(spread.tolist()))
                )
    return ShownByKeys(pool, found, tuple(layers))


def health_of(
    ticket: Ticket, banks: tuple[KernelBank, ...]
) -> tuple[list[LayerHealth], ...]:
    """Health of the layers of networks; at once where it was asked for before."""
    found = []
    for number, bank in enumerate(banks):
        ticket.progress(number, len(banks), bank.name)
        found.append(_health()(bank))
    return tuple(found)


@cache
def _health() -> MemoOf[KernelBank, [], list[LayerHealth]]:
    """What was computed of each bank, as long as it is."""
    from kernelviewer.kernels.health import layer_health

    return MemoOf(layer_health)
