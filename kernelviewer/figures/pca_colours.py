"""What the colour of a point in a scatter of kernels tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.colours import rgb, weight_colours
from kernelviewer.figures.legend import Entry, class_entries
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.colours import Ink

NETWORKS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800"),
    "#8A8A8A",
)
"""Okabe and Ito's colours for colour-blind readers; from the eighth network on grey."""
_STEPS = 256


@dataclass(frozen=True, eq=False)
class Colouring:
    """RGB [N, 3], 0 … 1, of the points, and what the colours stand for."""

    points: NDArray[np.float64]
    entries: list[Entry]


def by_class(label: NDArray[np.int64], ground: Ink) -> Colouring:
    """Colours of the classes, given by their index [N]."""
    table = _table(ground.of_class(item) for item in CLASSES)
    return Colouring(table[label], class_entries(label.tolist(), ground))


def by_network(names: Sequence[str], source: NDArray[np.intp]) -> Colouring:
    """A colour for each network; ``source`` [N] counts in ``names``."""
    last = len(NETWORKS) - 1
    entries = [Entry(*pair) for pair in zip(NETWORKS[:last], names, strict=False)]
    if len(names) > last:
        entries.append(Entry(NETWORKS[last], f"{len(names) - last} more"))
    return Colouring(_table(NETWORKS)[np.minimum(source, last)], entries)


def by_depth(depth: NDArray[np.float64], ground: Ink) -> Colouring:
    """From the first layer, depth 0, to the last, 1; [N]."""
    names = ("first layer", "middle layer", "last layer")
    return _graded(depth, (0.0, 0.5, 1.0), names, ground)


def by_fit(fit: NDArray[np.float32], ground: Ink) -> Colouring:
    """From a low fit [N] to 1; what is lower still has the lowest one's colour."""
    known = fit[np.isfinite(fit)]
    low = float(np.floor(10 * np.quantile(known, 0.02)) / 10) if len(known) else 0.0
    low = min(max(low, 0.0), 0.9)
    share = np.clip(np.nan_to_num((fit - low) / (1 - low)), 0, 1)
    names = (f"fit ≤ {low:.1f}", f"fit {(low + 1) / 2:.2f}", "fit 1")
    return _graded(np.asarray(share, np.float64), (0.0, 0.5, 1.0), names, ground)


def _graded(
    share: NDArray[np.float64],
    marks: Sequence[float],
    names: Sequence[str],
    ground: Ink,
) -> Colouring:
    """Colours from dark to light that are told apart without seeing red or green."""
    colours = weight_colours("viridis", ground)
    at = np.linspace(0.02, 0.88, _STEPS) * (len(colours) - 1)
    ramp = np.asarray(colours[at.astype(int)] / 255, np.float64)
    entries = [
        Entry(_hex(ramp[round(mark * (_STEPS - 1))]), name)
        for mark, name in zip(marks, names, strict=True)
    ]
    return Colouring(ramp[np.rint(share * (_STEPS - 1)).astype(int)], entries)


def _table(colours: Iterable[str]) -> NDArray[np.float64]:
    return np.array([rgb(colour) for colour in colours]) / 255


def _hex(colour: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(255 * part):02X}" for part in colour)
