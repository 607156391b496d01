"""What puts kernels under one heading of the grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from kernelviewer.kernels.classes import CLASSES
from kernelviewer.latent.labels import FIT_BANDS, band_title, fit_bands
from kernelviewer.latent.segments import segment_of
from kernelviewer.state.analysis import FLAT, UNIDENTIFIED

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.pool import KernelPool


GroupBy = Literal["layer", "model", "class", "code", "fit", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Which group each kernel falls into, and what the groups are called.

    Attributes
    ----------
    keys
        int64 [N]; groups stand in the order of their keys.
    heading
        Key → title, note, and class index for a swatch.
    """

    keys: NDArray[np.int64]
    heading: Callable[[int], tuple[str, str, int | None]]


def cut_into_groups(
    pool: KernelPool,
    group_by: GroupBy,
    labels: PoolLabels | None,
    segments: Segments | None,
) -> Cut:
    """Groups of a pool's kernels; by layer where what is asked for is not known."""
    if labels is not None and group_by == "class":
        keys = labels.label.astype(np.int64)
        return Cut(keys, lambda key: (CLASSES[key].name, "", key))
    if labels is not None and group_by == "fit":
        return _by_fit(labels)
    if labels is not None and segments is not None and group_by == "code":
        return _by_code(labels, segments)
    if group_by == "model":
        rows = np.repeat(np.arange(len(pool.models)), np.diff(pool.starts))
        names = [model.bank.name for model in pool.models]
        return Cut(rows.astype(np.int64), lambda key: (names[key], "", None))
    if group_by == "none":
        return Cut(np.zeros(len(pool), np.int64), lambda key: ("All kernels", "", None))
    return Cut(pool.layer.astype(np.int64), lambda key: (*_layer(pool, key), None))


def _layer(pool: KernelPool, key: int) -> tuple[str, str]:
    """Name of a layer, and that of its network if there are several."""
    ref = pool.layer_refs[key]
    model = next(model for model in pool.models if model.id == ref.model)
    note = model.bank.name if len(pool.models) > 1 else ""
    return model.bank.layers[ref.layer].name, note


def _by_code(labels: PoolLabels, segments: Segments) -> Cut:
    """One group a stretch, in the order of the axis, then what has no code."""
    coded = ~np.isnan(labels.code)
    keys = np.full(len(labels.code), len(segments), np.int64)
    keys[coded] = np.minimum(
        segment_of(segments, labels.code[coded]), len(segments) - 1
    )

    def heading(key: int) -> tuple[str, str, int | None]:
        if key == len(segments):
            return "Flat", "no code", FLAT
        stretch = segments[key]
        name = stretch.name or CLASSES[stretch.class_index].name
        return name, f"code {stretch.low:.3f}–{stretch.high:.3f}", stretch.class_index

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
