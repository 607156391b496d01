"""How kernels are shown: their order and groups in the grid, what the charts count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.kernels.classes import CLASSES, class_shown
from kernelviewer.latent.labels import FIT_BANDS, band_title, fit_bands
from kernelviewer.latent.stretches import stretch_of
from kernelviewer.state.analysis import FLAT, UNIDENTIFIED
from kernelviewer.state.layer_tree import tree_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.keys import PoolKeys
    from kernelviewer.state.pool import KernelPool


GroupBy = Literal["layer", "model", "class", "code", "fit", "key", "none", "transition"]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Which group each kernel falls into, and what the groups are called."""

    keys: NDArray[np.int64]
    """int64 [N]; groups stand in the order of their keys."""
    heading: Callable[[int], tuple[str, str, int | None]]
    """Key → title, note, and class index for a swatch."""


def cut_into_groups(
    pool: KernelPool,
    group_by: GroupBy,
    labels: PoolLabels | None,
    stretches: Stretches | None,
    pairs: PoolPairs | None = None,
    by_keys: PoolKeys | None = None,
    likeness: NDArray[np.float32] | None = None,
) -> Cut:
    """Groups of a pool's kernels; by layer where what is asked for is not known."""
    if labels is not None and pairs is not None and group_by == "transition":
        return _by_transition(pairs, labels)
    if labels is not None and group_by == "class":
        keys = labels.label.astype(np.int64)
        return Cut(keys, lambda key: (class_shown(key).name, "", key))
    if by_keys is not None and group_by == "key":
        return _by_key(by_keys)
    if labels is not None and group_by == "fit":
        return _by_fit(labels)
    if labels is not None and stretches is not None and group_by == "code":
        return _by_code(labels, stretches)
    if group_by == "model":
        return _by_network(pool, likeness)
    if group_by == "none":
        return Cut(np.zeros(len(pool), np.int64), lambda key: ("All kernels", "", None))
    return Cut(pool.layer.astype(np.int64), lambda key: (*_layer(pool, key), None))


def _by_network(pool: KernelPool, likeness: NDArray[np.float32] | None) -> Cut:
    """One group a network; what was found by a kernel before the others, last first."""
    count = len(pool.models)
    parts = [] if likeness is None else np.split(likeness, pool.starts[1:-1])
    found = [key for key, part in enumerate(parts) if not np.isnan(part).all()]
    order = [*found[::-1], *(key for key in range(count) if key not in found)]
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)

    def heading(key: int) -> tuple[str, str, int | None]:
        own = order[key]
        note = ""
        if own in found:
            note = f"cosine {np.nanmax(parts[own]):.3f} to {np.nanmin(parts[own]):.3f}"
        return pool.models[own].name, note, None

    return Cut(np.repeat(place, np.diff(pool.starts)), heading)


def _layer(pool: KernelPool, key: int) -> tuple[str, str]:
    """Name of a layer as in the tree, and that of its network if there are several."""
    ref = pool.layer_refs[key]
    model = next(model for model in pool.models if model.id == ref.model)
    note = model.name if len(pool.models) > 1 else ""
    return tree_names(model.bank)[ref.layer], note


def _by_code(labels: PoolLabels, stretches: Stretches) -> Cut:
    """One group a stretch, in the order of the axis, then what has no code."""
    coded = ~np.isnan(labels.code)
    keys = np.full(len(labels.code), len(stretches), np.int64)
    keys[coded] = np.minimum(
        stretch_of(stretches, labels.code[coded]), len(stretches) - 1
    )

    def heading(key: int) -> tuple[str, str, int | None]:
        if key == len(stretches):
            return "Flat", "no code", FLAT
        stretch = stretches[key]
        name = stretch.name or class_shown(stretch.class_index).name
        return name, f"code {stretch.low:.3f}–{stretch.high:.3f}", stretch.class_index

    return Cut(keys, heading)


def _by_key(by_keys: PoolKeys) -> Cut:
    """One group a key, in their order, then what has none."""
    last, null = len(by_keys.keys), by_keys.found.null.mean
    keys = np.where(by_keys.key < 0, last, by_keys.key).astype(np.int64)

    def heading(key: int) -> tuple[str, str, int | None]:
        if key == last:
            return "Flat", "no key", FLAT
        r2 = float(by_keys.r2[keys == key].mean(dtype=float))
        return f"Key {key + 1}", f"R² {r2:.2f}, white noise {null:.2f}", None

    return Cut(keys, heading)


def _by_transition(pairs: PoolPairs, labels: PoolLabels) -> Cut:
    """Changes of class, the most frequent first, then what kept its class."""
    side = len(CLASSES)
    kinds = pairs.kinds(labels)
    counts = np.bincount(kinds, minlength=side * side)
    kept = np.arange(side * side) % (side + 1) == 0
    order = np.lexsort((-counts, kept))
    rank = np.empty(side * side, np.int64)
    rank[order] = np.arange(side * side)
    keys = np.full(len(pairs.row), side * side, np.int64)
    keys[pairs.first] = keys[pairs.second] = rank[kinds]

    def heading(key: int) -> tuple[str, str, int | None]:
        if key == side * side:
            return "Without a partner", "", None
        before, after = divmod(int(order[key]), side)
        if before == after:
            return f"{class_shown(after).name}, as before", "", after
        return f"{class_shown(before).name} → {class_shown(after).name}", "", after

    return Cut(keys, heading)


def _by_fit(labels: PoolLabels) -> Cut:
    """Bands of the fit, the best first; in each those below the threshold apart."""
    last = 2 * len(FIT_BANDS) + 2
    band = 2 * fit_bands(labels.fit) + (labels.label == UNIDENTIFIED)
    keys = np.where(np.isnan(labels.fit), last, band)

    def heading(key: int) -> tuple[str, str, int | None]:
        if key == last:
            return "Flat", "no fit", FLAT
        place, below = divmod(key, 2)
        title = band_title(place)
        return title, "unidentified" if below else "", UNIDENTIFIED if below else None

    return Cut(keys, heading)


SortBy = Literal["channel", "scale", "flat", "class", "code", "fit", "change", "like"]
ScaleMode = Literal["kernel", "layer", "global"]
Picture = Literal[
    "kernel", "reconstruction", "residual", "beside", "pair", "strip", "key",
    "key_residual",
]  # fmt: skip
Mean = Literal["auto", "with", "without"]
"""How kernels are drawn; ``auto``: without their mean where their classes are seen."""


def leaves_out_mean(mean: Mean, classes_seen: bool) -> bool:
    """True if kernels are drawn without their mean, as their classes are given."""
    return mean == "without" or (mean == "auto" and classes_seen)


@dataclass(frozen=True, slots=True)
class Display:
    """How the grid shows kernels."""

    group_by: GroupBy = "layer"
    """One group a layer, a model, a class, a stretch of the spectrum, a band of fits, a
    key, a change of class between two networks, or one for all."""
    sort_by: SortBy = "channel"
    """Within a group: network order, falling scale, flat kernels first, class, rising
    code, falling fit, what changed the most between two networks first, or what is most
    like the kernel by which a corpus found it."""
    scale_mode: ScaleMode = "kernel"
    """What the ends of the colour map stand for: the largest |tap| of the kernel
    itself, of its layer, or of all that is shown."""
    picture: Picture = "kernel"
    """What is drawn of a kernel: itself, its reconstruction, what that leaves over, the
    three side by side, itself before and after and the difference, itself at every step
    of a run, what its key makes of it, or what that leaves over."""

    @property
    def by_label(self) -> bool:
        """True if the order depends on codes or classes."""
        by = {self.group_by, self.sort_by}
        return not by.isdisjoint(("class", "code", "fit", "transition"))

    @property
    def by_class(self) -> bool:
        """True if kernels stand under the names of classes, or in their order."""
        groups = ("class", "code", "transition")
        return self.group_by in groups or self.sort_by == "class"

    @property
    def by_key(self) -> bool:
        """True if it shows what keys make of kernels."""
        return self.group_by == "key" or self.picture in ("key", "key_residual")

    @property
    def by_pair(self) -> bool:
        """True if it shows which kernels of two networks correspond."""
        pairs = ("transition", "change", "pair")
        return not {self.group_by, self.sort_by, self.picture}.isdisjoint(pairs)

    def where(self, *, paired: bool, found: bool, running: bool) -> Display:
        """The same where networks are compared or not, ``found`` by a kernel, a run."""
        none = {"change": not paired, "like": not found}
        lacking = {"pair": not paired, "strip": not running}
        return Display(
            "layer" if self.group_by == "transition" and not paired else self.group_by,
            "channel" if none.get(self.sort_by) else self.sort_by,
            self.scale_mode,
            "kernel" if lacking.get(self.picture) else self.picture,
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A run of the drawing order under one heading.

    ``start`` is its first position, ``count`` its length.
    """

    start: int
    count: int
    title: str
    note: str = ""
    class_index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """Pool numbers in drawing order, int64 [shown], and their groups."""

    order: NDArray[np.int64]
    groups: tuple[Group, ...]


def arrange(
    pool: KernelPool,
    shown: NDArray[np.bool_],
    display: Display,
    labels: PoolLabels | None = None,
    stretches: Stretches | None = None,
    pairs: PoolPairs | None = None,
    by_keys: PoolKeys | None = None,
    likeness: NDArray[np.float32] | None = None,
) -> Arrangement:
    """Order the shown kernels and cut them into groups.

    Parameters
    ----------
    shown
        Bool [N], the kernels in scope.
    labels
        Codes and classes; without them, what asks for them falls back to layers in
        network order.
    stretches
        The spectrum's stretches; without them there are no groups by code.
    pairs
        Which kernels of two networks correspond; without them none changed.
    by_keys
        The kernels by keys; without them there are no groups by key.
    likeness
        As `kernelviewer.state.similarity.likeness`; without it nothing is sorted by it.
    """
    order = np.flatnonzero(shown)
    likeness = likeness if display.sort_by == "like" else None
    cut = cut_into_groups(
        pool, display.group_by, labels, stretches, pairs, by_keys, likeness
    )
    ranks = _ranks(pool, display.sort_by, labels, pairs, likeness)
    keys = cut.keys
    if ranks is not None:
        order = order[np.lexsort((ranks[order], keys[order]))]
    elif np.any(np.diff(keys[order]) < 0):
        order = order[np.argsort(keys[order], kind="stable")]
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(starts, append=len(order))
    groups = tuple(
        Group(int(start), int(count), *cut.heading(int(keys[start])))
        for start, count in zip(starts, counts, strict=True)
    )
    return Arrangement(order, groups)


def _ranks(
    pool: KernelPool,
    sort_by: SortBy,
    labels: PoolLabels | None,
    pairs: PoolPairs | None,
    likeness: NDArray[np.float32] | None,
) -> NDArray[np.generic] | None:
    """The values to sort by within a group, ascending; None: network order."""
    if sort_by == "change":
        if pairs is None:
            return None
        cosine = np.full(len(pool), np.nan, np.float32)
        cosine[pairs.first] = cosine[pairs.second] = pairs.found.cosine
        return cosine
    if sort_by == "like":
        return None if likeness is None else -likeness
    if sort_by == "scale":
        return -pool.scale
    if sort_by == "flat":
        return np.where(pool.flat, np.float32(-1), pool.scale)
    if labels is None:
        return None
    if sort_by == "class":
        return labels.label
    if sort_by == "code":
        return labels.code
    if sort_by == "fit":
        return -labels.fit
    return None


ColourBy = Literal["class", "layer", "model", "fit"]
CountOf = Literal["shown", "selected", "models"]
Switch = Literal["on", "off"]
EqualKernels = Literal["once", "all"]
Matrix = Literal["numbers", "shares", "shuffled"]
Plane = Literal["pca", "codes", "change"]
Measure = Literal["flat", "sparsity", "entropy", "orthogonality", "support", "scale"]
"""Of the health of a layer (`kernelviewer.kernels.health`)."""


@dataclass(frozen=True, slots=True)
class Charts:
    """Choices of the scatter plot, the class histogram and the layer composition."""

    across: int = 0
    up: int = 1
    """Principal components of the axes, from 0."""
    colour_by: ColourBy = "class"
    """What the colour of a point tells."""
    thumbnails: Switch = "on"
    """Whether kernels are drawn at the dense places."""
    count_of: CountOf = "shown"
    """Whose kernels the histogram counts: all in scope, the selected ones, or each
    network apart."""
    pale: Switch = "off"
    """Whether unidentified kernels stand in the paler colour of their best class."""
    equal: EqualKernels = "once"
    """How often kernels count that several open networks have alike, wherever networks
    are counted together (`kernelviewer.kernels.equality`)."""
    matrix: Matrix = "numbers"
    """What the matrix of classes before and after says: pairs, shares of its rows, or
    pairs with channels shuffled."""
    plane: Plane = "pca"
    """What the scatter plot's axes are: components, or of the pairs that are compared
    their codes before and after, or cosine and ln of the scale ratio."""
    health: tuple[Measure, ...] = ()
    """What the list of networks tells of the health of layers."""

    def __post_init__(self) -> None:
        """Raise ValueError for a component that none can be, as a session may name."""
        if not 0 <= min(self.across, self.up) <= max(self.across, self.up) <= 2**31:
            raise ValueError("names a component that there cannot be")
