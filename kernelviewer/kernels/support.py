"""The support of a layer's kernels: the taps that ever saw data.

Where a map is smaller than the kernel that goes over it, the outer taps only ever meet
padding. They get no gradient, weight decay takes them down to 1e-20 or so, and what the
network has learned is a smaller kernel: a 9×9 kernel over a map of 3×3 is one of 5×5.
Strides, even sizes and one-sided padding leave other numbers of taps on either side.

Kernels are named on their support, by the pattern family and by a spectrum alike:
patterns are compared there and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size, Support

UNSEEN = 1e-4
"""Taps of which no kernel of the layer has more, in units of the layer's largest. In
none of 37 trained networks of all kinds is a tap below 1e-3 that did see data."""


def find_support(weights: NDArray[np.float32]) -> Support | None:
    """The smallest box of taps beyond which the kernels of **one layer** are nothing.

    Parameters
    ----------
    weights
        float32 [N, *size]; kernels with NaN or infinite weights do not count.

    Returns
    -------
    Support or None
        None where the kernels fill their window, and for a layer of zeros.
    """
    flat = weights.reshape(len(weights), -1)
    flat = flat[np.isfinite(flat).all(axis=1)]
    if not flat.any():
        return None
    largest = np.maximum(flat.max(axis=0), -flat.min(axis=0))
    seen = (largest > UNSEEN * largest.max()).reshape(weights.shape[1:])
    if seen.all():
        return None
    places = [np.flatnonzero(_along(seen, axis)) for axis in range(seen.ndim)]
    support = tuple((int(place[0]), int(place[-1]) + 1) for place in places)
    return support if support_size(support) != seen.shape else None


def _along(seen: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    others = tuple(other for other in range(seen.ndim) if other != axis)
    return np.asarray(seen.any(axis=others))


def support_size(support: Support) -> Size:
    """How many taps a support has along each axis."""
    return tuple(end - start for start, end in support)


def on_support(
    weights: NDArray[np.float32], support: Support | None
) -> NDArray[np.float32]:
    """Kernels [N, *size] on their support alone, a view [N, *support]; None: all."""
    if support is None:
        return weights
    return weights[(slice(None), *(slice(*ends) for ends in support))]


def middle_shift(size: Size, support: Support) -> tuple[float, ...]:
    """From the middle of the window to the middle of the support, per axis, in px."""
    return tuple(
        (start + end - taps) / 2
        for (start, end), taps in zip(support, size, strict=True)
    )


def parts(
    layer: NDArray[np.int32], supports: Mapping[int, Support]
) -> Iterator[tuple[NDArray[np.intp], Support | None]]:
    """Which of n kernels are compared on the same taps: their places, and the taps.

    A support that is too small to have patterns (1×2) counts as the whole window.

    Parameters
    ----------
    layer
        int32 [n], the layer of each kernel.
    supports
        As in `KernelSet`.
    """
    from kernelviewer.kernels.family.members import supported

    rest = np.ones(len(layer), np.bool_)
    for support in set(supports.values()):
        if supported(support_size(support)):
            own = [index for index, other in supports.items() if other == support]
            here = np.isin(layer, own)
            rest &= ~here
            if here.any():
                yield np.flatnonzero(here), support
    if rest.any() or not len(layer):
        yield np.flatnonzero(rest), None
