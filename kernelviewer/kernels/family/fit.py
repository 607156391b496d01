"""The family member nearest to each kernel, and what it says of layers.

`layer_offsets` tells where a layer's kernels have their centres. A layer of even size,
or of stride 2 that pads on one side, sees its map shifted by half a pixel; kernels can
make up for that by standing off the middle of their window, and then look like squares:
padding skew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.device import choose_device, host, namespace_of, side_by_side
from kernelviewer.kernels.classes import FINE, INDEX, PAPER, PAPER_OF
from kernelviewer.kernels.family.formulas import (
    KINDS,
    A,
    planes,
    planes_and_slopes,
)
from kernelviewer.kernels.family.members import (
    CLASS_KINDS,
    Members,
    as_plane,
    bank,
    named,
)
from kernelviewer.kernels.support import middle_shift, on_support, parts
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.device import Array, Device
    from kernelviewer.kernels.bank import KernelSet, Size
    from kernelviewer.kernels.classes import Scheme
    from kernelviewer.kernels.family.members import Bank
    from kernelviewer.watch import Watch


MARGIN = 0.1
NO_CLASS = -1.0
TIE = 1e-5
"""By how much y has to be better than x, and a diagonal than y: a tie goes to x."""
DELTA = 0.02
"""Below which margin a kernel is as near to the next class as to its own."""
SPREAD = 0.02
"""Cosine over which the members of a class speak together: one that is that much
further from a kernel than another counts 1/e of it."""
_ROWS = {"numpy": 256, "torch": 8192}
"""Kernels multiplied with the bank at a time: on the CPU the products stay in its
cache, a device is kept busy."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FamilyFit(Members):
    """Each kernel's nearest family member. N kernels.

    Attributes
    ----------
    size
        Kernel size.
    cosine
        float32 [N], between the kernel's pattern and its member.
    class_cosine
        float32 [N, 23]: the best member of each class of
        `kernelviewer.kernels.classes.FINE`; −1 for classes that the size has too few
        taps for.
    class_score
        float32 [N, 23], what the class is chosen by: the evidence for each.
    margin
        float32 [N]: by how much the class is ahead of the next in that.
    second_index
        int8 [N], that next class.
    """

    size: Size
    cosine: NDArray[np.float32]
    class_cosine: NDArray[np.float32]
    class_score: NDArray[np.float32]
    margin: NDArray[np.float32]
    second_index: NDArray[np.int8]

    @property
    def near(self) -> NDArray[np.bool_]:
        """Bool [N]: as near to the next class as to its own, within `DELTA`."""
        return self.margin < DELTA

    @property
    def paper_index(self) -> NDArray[np.int8]:
        """int8 [N], the class of the paper that the kernel's class belongs to.

        A diagonal belongs to the nearest axis, a tie to x; the paper has no checker. A
        point beside the middle tap is no centre to the paper: where it has a paler
        neighbour of the other sign, it is a first derivative with a small offset.
        """
        found = np.array(PAPER_OF, np.int8)[self.class_index]
        upright = np.abs(self.angle) > 45.01
        for diagonal, along_y in _DIAGONALS.items():
            found[(self.class_index == INDEX[diagonal]) & upright] = INDEX[along_y]
        edges = self.class_cosine[:, [INDEX["edge-x"], INDEX["edge-y"]]]
        beside = np.maximum(np.abs(self.offset_x), np.abs(self.offset_y)) > 0.5
        point = np.isin(self.class_index, [INDEX["on-point"], INDEX["off-point"]])
        derived = point & beside & (edges.max(axis=1) >= TWO_LOBES)
        along = np.array([INDEX["d1-x"], INDEX["d1-y"]], np.int8)[edges.argmax(axis=1)]
        return np.where(derived, along, found)

    def index_in(self, scheme: Scheme) -> NDArray[np.int8]:
        """int8 [N], each kernel's class by a scheme; index into `CLASSES`."""
        return self.paper_index if scheme is PAPER else self.class_index

    @property
    def paper_cosine(self) -> NDArray[np.float32]:
        """float32 [N, 11]: the best member of each of `PAPER.patterns`; −1 for none.

        A diagonal counts for both axes.
        """
        found = np.full((len(self), len(PAPER.patterns)), NO_CLASS, np.float32)
        for index, cosine in enumerate(self.class_cosine.T):
            for place in _PAPER_CLASSES[index]:
                found[:, place] = np.maximum(found[:, place], cosine)
        return found


TWO_LOBES = 0.8
"""Cosine with an edge from which on a point has a neighbour of the other sign: a lone
tap reaches 0.71."""
_DIAGONALS = {"edge-d": "d1-y", "on-bar-d": "d2-y", "off-bar-d": "d2-y"}
"""The class of the paper that a diagonal nearer to y belongs to."""
_COLUMNS = {INDEX[item.id]: column for column, item in enumerate(PAPER.patterns)}
_PAPER_CLASSES = [
    [
        _COLUMNS[place]
        for place in {PAPER_OF[INDEX[item.id]], INDEX.get(_DIAGONALS.get(item.id, ""))}
        if place in _COLUMNS
    ]
    for item in FINE.patterns
]
"""For each fine class the columns of `paper_cosine` that it counts for."""


def _ties() -> NDArray[np.float32]:
    """What is taken off the evidence for each class, [23], so that a tie goes to x."""
    ways = [item.id.rpartition("-")[2] for item in FINE.patterns]
    return np.array([TIE * {"y": 1, "h": 1, "d": 2}.get(way, 0) for way in ways], "f4")


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Nearest member of each class to b kernels: [b, 23], parameters [5, b, 23].

    And the evidence for each class, [b, 23].
    """

    cosine: Array
    evidence: Array
    sign: Array
    start: Array
    parameters: Array


def family_fit(
    patterns: Array,
    *,
    device: Device | None = None,
    refine: bool = True,
    margin: float = MARGIN,
    watch: Watch = NEVER,
) -> FamilyFit:
    """The member of the pattern family nearest to each kernel.

    Each kernel is multiplied with a bank of members. Its class is the one with the most
    evidence; a tie goes to x. The evidence for a class is T·ln Σ w exp(cosine/T) over
    the bank's members of the class, of either sign where it has both, T = `SPREAD` and
    w how common a member is (`kernelviewer.kernels.family.members.COMMON`). Read as
    chances: the likelihood of a member is exp(cosine/T). So not its best member alone
    speaks for a class but all that come near, and the name survives noise.

    The best member of that class, and of each other that comes near, is then refined by
    Levenberg and Marquardt's method, within the class's limits
    (`kernelviewer.kernels.family.regions`). The same kernels give the same fit on the
    same device.

    Parameters
    ----------
    patterns
        [N, *size], an array of numpy or torch; means and lengths do not matter.
    device
        Where to compute; by default the best there is.
    refine
        Whether to refine what the bank finds.
    margin
        Classes whose cosine in the bank is within ``margin`` of the kernel's best are
        refined; 2 refines all. The cosines of the others are the bank's, a few
        hundredths lower than they could be.
    watch
        Told kernels done and N after each batch, without a text; checked often in it,
        maybe on another thread. What it raises ends the fit.

    Returns
    -------
    FamilyFit

    Raises
    ------
    ValueError
        The family has no members of this size, or a kernel is not finite or constant.
    """
    size = tuple(patterns.shape[1:])
    plane = as_plane(size)
    device = choose_device() if device is None else device
    members = bank(plane, device)
    total = len(patterns)
    results = _Results(total, members)
    rows = _ROWS[device.library]
    batches = device.batches(total, math.prod(plane), rows)

    def work(first: int) -> None:
        watch.check()
        here = slice(first, min(first + batches.step, total))
        kernels = _unit(patterns[here], device, first)
        found = _search(kernels, members, rows, watch)
        if refine:
            _refine(kernels, members, found, plane, margin, watch)
        results.put(here, found)

    for number, _ in enumerate(side_by_side(work, batches, device), 1):
        watch.progress(min(number * batches.step, total), total)
    return results.fit(size)


def family_fit_set(
    kernels: KernelSet,
    rows: NDArray[np.int64] | None = None,
    *,
    device: Device | None = None,
    margin: float = MARGIN,
    watch: Watch = NEVER,
) -> FamilyFit:
    """As `family_fit`, of kernels of a network, each on its layer's support.

    Offsets count from the middle of the window all the same.

    Parameters
    ----------
    kernels
        Kernels of one size.
    rows
        int64 [n], the kernels to fit, none of them flat; None: all that are not flat.
    device, margin, watch
        As for `family_fit`.

    Returns
    -------
    FamilyFit
        Of the n kernels, in their order.

    Raises
    ------
    ValueError
        As for `family_fit`.
    """
    if rows is None:
        rows = np.flatnonzero(~kernels.flat)
    joined: dict[str, NDArray[Any]] = {}
    for place, support in parts(kernels.layer[rows], kernels.supports):
        weights = on_support(kernels.weights, support)[rows[place]]
        fit = family_fit(weights, device=device, margin=margin, watch=watch)
        if support is not None:
            down, right = (0.0, *middle_shift(kernels.size, support))[-2:]
            fit.offset_x[:] += right
            fit.offset_y[:] += down
        for item in fields(fit):
            if item.name != "size":
                values = getattr(fit, item.name)
                room = np.empty((len(rows), *values.shape[1:]), values.dtype)
                joined.setdefault(item.name, room)[place] = values
    return FamilyFit(size=kernels.size, **joined)


class _Results:
    """The results of the batches, on the host."""

    def __init__(self, total: int, members: Bank) -> None:
        self.class_cosine = np.empty((total, len(FINE.patterns)), dtype=np.float32)
        self.class_score = np.empty_like(self.class_cosine)
        self.class_index = np.empty(total, dtype=np.int8)
        self.second_index = np.empty(total, dtype=np.int8)
        self.margin = np.empty(total, dtype=np.float32)
        self.kind = np.empty(total, dtype=np.int8)
        self.sign = np.empty(total, dtype=np.int8)
        self.cosine = np.empty(total, dtype=np.float32)
        self.parameters = np.empty((5, total), dtype=np.float32)
        self._ends = np.array([high for _, _, high in members.kinds])
        self._kinds = np.array([KINDS.index(kind) for kind, *_ in members.kinds])

    def put(self, here: slice, found: _Found) -> None:
        """Keep the class of a batch with the most evidence."""
        cosine, sign = host(found.cosine), host(found.sign)
        score = host(found.evidence)
        self.class_score[here] = score
        rows = np.arange(len(score))
        best = score.argmax(axis=1)
        first = score[rows, best]
        score[rows, best] = -np.inf
        second = score.argmax(axis=1)
        start = host(found.start)[rows, best]
        self.class_cosine[here] = cosine
        self.class_index[here], self.second_index[here] = best, second
        self.margin[here] = first - score[rows, second]
        self.kind[here] = self._kinds[np.searchsorted(self._ends, start, "right")]
        self.sign[here] = sign[rows, best]
        self.cosine[here] = cosine[rows, best]
        self.parameters[:, here] = host(found.parameters)[:, rows, best]

    def fit(self, size: Size) -> FamilyFit:
        """The fit, with the parameters as people name them."""
        return FamilyFit(
            **named(self.kind, self.parameters, as_plane(size)),
            class_index=self.class_index,
            kind=self.kind,
            sign=self.sign,
            size=size,
            cosine=self.cosine.clip(-1, 1),
            class_cosine=self.class_cosine.clip(-1, 1),
            class_score=self.class_score,
            margin=self.margin,
            second_index=self.second_index,
        )


def _unit(kernels: Array, device: Device, first: int) -> Array:
    """Kernels [b, taps] on the device, mean 0, length 1."""
    xp = device.xp
    kernels = device.put(kernels)
    flat = kernels.reshape(len(kernels), math.prod(kernels.shape[1:]))
    with np.errstate(all="ignore"):  # what is no number is found below
        largest = xp.max(xp.abs(flat), axis=1)
        # by the largest value first, lest squares overflow or vanish
        flat = flat / largest[:, None]
        free = flat - xp.mean(flat, axis=1)[:, None]
        length = xp.sqrt(xp.sum(free * free, axis=1))
        unit = free / length[:, None]
    for bad, what in (
        (~xp.isfinite(largest), "has values that are not finite: leave it out"),
        (~(length > 1e-6), "is constant, it has no pattern: leave flat kernels out"),
    ):
        if xp.any(bad):
            msg = f"kernel {first + int(xp.nonzero(bad)[0][0])} {what}"
            raise ValueError(msg)
    return unit


def _search(kernels: Array, members: Bank, rows: int, watch: Watch) -> _Found:
    """The bank's nearest member of each class, and the evidence for it."""
    xp, device = namespace_of(kernels), kernels.device
    total, shape = len(kernels), (len(kernels), len(FINE.patterns))
    kind: dict[str, Any] = {"dtype": xp.float32, "device": device}
    start = xp.zeros(shape, dtype=xp.int64, device=device)
    cosine, sign = xp.full(shape, NO_CLASS, **kind), xp.ones(shape, **kind)
    likelihood = xp.zeros(shape, **kind)
    best = xp.empty((len(members.kinds), 2, total), **kind)
    best_at = xp.empty(best.shape, dtype=xp.int64, device=device)
    products = xp.empty((rows, members.patterns.shape[1]), **kind)
    for first in range(0, total, rows):
        watch.check()
        here = slice(first, min(first + rows, total))
        every = xp.matmul(
            kernels[here], members.patterns, out=products[: here.stop - first]
        )
        place = xp.arange(len(every), device=device)
        for number, (_, low, high) in enumerate(members.kinds):
            of_kind = every[:, low:high]
            for way, extreme in enumerate((xp.argmax, xp.argmin)):
                at = extreme(of_kind, axis=1)
                best[number, way, here] = of_kind[place, at]
                best_at[number, way, here] = at + low
        every /= SPREAD
        _add_likelihood(likelihood[here], members, xp.exp(every, out=every))
    for (name, *_), extremes, at in zip(members.kinds, best, best_at, strict=True):
        _keep_best((cosine, sign, start), name, extremes, at)
    evidence = SPREAD * xp.log(xp.maximum(likelihood, _LEAST))
    evidence -= xp.asarray(_ties(), device=device)
    return _Found(cosine, evidence, sign, start, members.parameters[:, start])


_LEAST = 1e-37
"""A likelihood that float32 has, less than any."""


def _add_likelihood(found: Array, members: Bank, each: Array) -> None:
    """Add up members' likelihoods [b, n], times how common they are, by class, [b, 23].

    exp(±1/`SPREAD`) and sums of thousands of them are within float32.
    """
    for name, low, high in members.kinds:
        common = members.common[low:high]
        plus, minus = each[:, low:high] @ common, None
        for index, only in CLASSES_OF[name]:
            if only < 1 and minus is None:
                minus = (1 / each[:, low:high]) @ common
            found[:, index] += plus if only > 0 else minus if only else plus + minus


CLASSES_OF = {
    kind: [
        (index, sign)
        for index, (kinds, sign) in enumerate(CLASS_KINDS)
        if kind in kinds
    ]
    for kind in KINDS
}
"""For each kind its classes and their signs, 0 where a class has both."""


def _keep_best(
    found: tuple[Array, Array, Array], kind: str, extremes: Array, places: Array
) -> None:
    """Note in [b, 23] arrays where a kind's members are the best, of either sign.

    ``extremes`` [2, b] are its largest and its least products, at ``places``.
    """
    cosine, sign, start = found
    xp = namespace_of(extremes)
    most, least = extremes[0], -extremes[1]
    for index, only in CLASSES_OF[kind]:
        up = most >= least if only == 0 else xp.full_like(most, only > 0) > 0
        here = xp.where(up, most, least)
        better = here > cosine[:, index]
        at = xp.where(up, places[0], places[1])
        cosine[:, index] = xp.where(better, here, cosine[:, index])
        start[:, index] = xp.where(better, at, start[:, index])
        signs = 2 * xp.astype(up, xp.float32) - 1
        sign[:, index] = xp.where(better, signs, sign[:, index])


def _refine(
    kernels: Array,
    members: Bank,
    found: _Found,
    plane: tuple[int, int],
    margin: float,
    watch: Watch,
) -> None:
    """Refine each kernel's class and those that come near to its best."""
    xp = namespace_of(kernels)
    near = xp.max(found.cosine, axis=1)[:, None] - margin
    close = (found.cosine >= near) & (found.cosine > NO_CLASS)
    rows = xp.arange(len(kernels), device=kernels.device)
    close[rows, xp.argmax(found.evidence, axis=1)] = True
    for kind, low, high in members.kinds:
        columns = [index for index, _ in CLASSES_OF[kind]]
        classes = xp.asarray(columns, device=kernels.device)
        start = found.start[:, classes]
        wanted = close[:, classes] & (start >= low) & (start < high)
        rows, column = xp.nonzero(wanted)
        if not len(rows):
            continue
        watch.check()
        index, start = classes[column], start[rows, column]
        signed = kernels[rows] * found.sign[rows, index, None]
        found.cosine[rows, index], found.parameters[:, rows, index] = refined(
            kind,
            _by_taps(signed),
            members.parameters[:, start],
            (members.low[:, start], members.high[:, start]),
            plane,
        )


def _by_taps(kernels: Array) -> Array:
    """[taps, b] in memory, as members are made."""
    xp = namespace_of(kernels)
    found = xp.empty(kernels.shape[::-1], dtype=kernels.dtype, device=kernels.device)
    found[...] = kernels.T
    return found


STEPS = 6
LONGEST_STEP = 0.7
"""Per step, in px (in σ, where that is longer), in ln σ, in radians and in γ."""


def refined(
    kind: str,
    kernels: Array,
    start: Array,
    limits: tuple[Array, Array],
    size: tuple[int, int],
) -> tuple[Array, Array]:
    """Change the parameters so that each member comes nearer to its kernel.

    The cosine never falls, and the parameters stay within their limits.

    Parameters
    ----------
    kind
        One of `kernelviewer.kernels.family.formulas.KINDS`.
    kernels
        [taps, B], mean 0, length 1, each with the sign of its member.
    start, limits
        Parameters [5, B], and their lowest and highest values.
    size
        (rows, columns).

    Returns
    -------
    cosine, parameters
        [B] and [5, B].
    """
    xp = namespace_of(kernels)
    low, high = limits
    p = start
    cosine = _cosine(kernels, planes(kind, p, size))
    damping = xp.ones_like(cosine)
    for _ in range(STEPS):
        slope, curvature = _normal_equations(kernels, planes_and_slopes(kind, p, size))
        stuck = ((p <= low) & (slope <= 0)) | ((p >= high) & (slope >= 0))
        step = _solve(curvature, slope, damping, ~stuck)
        reach = LONGEST_STEP * xp.ones_like(step)
        reach[:2] *= xp.maximum(xp.exp(p[A]), 1.0)
        step = xp.minimum(xp.maximum(step, -reach), reach)
        trial = xp.minimum(xp.maximum(p + step, low), high)
        found = _cosine(kernels, planes(kind, trial, size))
        better = found > cosine
        p = xp.where(better, trial, p)
        cosine = xp.where(better, found, cosine)
        damping = xp.where(better, damping * 0.2, damping * 10)
        damping = xp.minimum(xp.maximum(damping, 1e-6), 1e4)
    return cosine, p


def _cosine(kernels: Array, members: Array) -> Array:
    """Cosines of [taps, B] and [taps, B], the members' mean left out."""
    xp = namespace_of(members)
    total = xp.sum(members, axis=0)
    square = xp.sum(members * members, axis=0) - total * total / len(members)
    onto = xp.sum(kernels * members, axis=0)
    return onto / xp.sqrt(xp.maximum(square, 1e-20))


def _normal_equations(kernels: Array, rows: Array) -> tuple[Array, Array]:
    """Slope [5, B] of the cosine, and Gauss and Newton's curvature [5, 5, B].

    ``rows`` holds member and slopes, [6, taps, B]. Their means and the slopes' shares
    along the member, which change no cosine, are taken off in the products.
    """
    xp = namespace_of(rows)
    n, taps, _ = rows.shape
    sums = xp.sum(rows, axis=1)
    gram = xp.empty((n, *sums.shape), dtype=rows.dtype, device=rows.device)
    for i in range(n):
        products = xp.sum(rows[i:] * rows[i], axis=1) - sums[i:] * sums[i] / taps
        gram[i, i:] = gram[i:, i] = products
    onto = xp.sum(rows * kernels, axis=1)
    square = xp.maximum(gram[0, 0], 1e-20)
    length = xp.sqrt(square)
    along = gram[1:, 0] / square
    slope = (onto[1:] - along * onto[0]) / length
    curvature = (gram[1:, 1:] - along[:, None] * gram[0, 1:]) / square
    return slope, curvature * xp.maximum(onto[0] / length, 0.1)


def _solve(curvature: Array, slope: Array, damping: Array, free: Array) -> Array:
    """Damped steps [5, B], zero where a parameter is not free.

    Gauss's elimination, all members at once: the damped matrices need no pivots.
    """
    xp = namespace_of(slope)
    n = len(slope)
    mask = xp.astype(free, slope.dtype)
    rows = []
    for i in range(n):
        row = curvature[i] * mask[i] * mask
        row[i] += damping * (row[i] + 1e-3) + (1 - mask[i])
        rows.append(xp.concat([row, (slope[i] * mask[i])[None]]))
    for i in range(n):
        for j in range(i + 1, n):
            rows[j] = rows[j] - rows[j][i] / rows[i][i] * rows[i]
    step = xp.zeros_like(slope)
    for i in reversed(range(n)):
        known = xp.sum(rows[i][i + 1 : n] * step[i + 1 :], axis=0)
        step[i] = (rows[i][n] - known) / rows[i][i]
    return step


@dataclass(frozen=True, slots=True)
class LayerOffsets:
    """Offsets of one layer's kernels from the middle of their window, in px.

    Attributes
    ----------
    layer
        Index into `KernelBank.layers`.
    kernels, counted
        All kernels of the layer that are given, and those whose offsets count.
    x, y
        Mean of the offsets, to the right and down; NaN where none counts.
    spread_x, spread_y
        Their standard deviation.
    """

    layer: int
    kernels: int
    counted: int
    x: float
    y: float
    spread_x: float
    spread_y: float


def layer_offsets(
    kernels: KernelSet,
    fit: FamilyFit,
    least: float,
    shown: NDArray[np.bool_] | None = None,
) -> list[LayerOffsets]:
    """Offsets of every layer of a set, in network order.

    Parameters
    ----------
    kernels
        N kernels of a size.
    fit
        `family_fit_set` of those that are not flat.
    least
        Kernels whose cosine with the family is lower do not count: they have no centre.
    shown
        bool [N], the kernels to look at; None: all.
    """
    there = np.flatnonzero(~kernels.flat)
    counts = fit.cosine >= np.float32(least)
    if shown is not None:
        counts &= shown[there]
    layers = kernels.layer if shown is None else kernels.layer[shown]
    found = []
    for layer, total in zip(*np.unique(layers, return_counts=True), strict=True):
        here = counts & (kernels.layer[there] == layer)
        values = [np.nan] * 4
        if here.any():
            offsets = np.stack([fit.offset_x[here], fit.offset_y[here]]).astype(float)
            values = [*offsets.mean(axis=1), *offsets.std(axis=1)]
        found.append(
            LayerOffsets(int(layer), int(total), int(here.sum()), *map(float, values))
        )
    return found
