"""How a sheet's kernels are grouped, and in which order they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.counts import coding_of, named
from kernelviewer.figures.errors import FigureError
from kernelviewer.kernels.classes import CLASSES, FLAT, INDEX
from kernelviewer.latent.labels import FIT_BANDS, band_title, fit_bands
from kernelviewer.latent.segments import segment_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Coding, Scene, Subject, Yardstick


@dataclass(frozen=True, eq=False)
class Group:
    """Kernels that stand together.

    Attributes
    ----------
    heading
        What is written over them.
    class_index
        The class they are of, where that is what joins them.
    owner, index
        [n]: which subject, and index into its kernels.
    """

    heading: str
    class_index: int | None
    owner: NDArray[np.intp]
    index: NDArray[np.intp]


def group_kernels(scene: Scene, options: FigureOptions) -> list[Group]:
    """The kernels shown, in groups that are not empty.

    Raises
    ------
    FigureError
        Grouping or order need classes, and there are none.
    """
    counts = [len(subject.index) for subject in scene.subjects]
    owner = np.repeat(np.arange(len(counts)), counts)
    index = np.concatenate([subject.index for subject in scene.subjects])
    if options.sort != "channel":
        order = np.argsort(_order(scene, options.sort), kind="stable")
        owner, index = owner[order], index[order]
    return [
        Group(heading, class_index, owner[chosen], index[chosen])
        for heading, class_index, chosen in _groups(scene, options, owner, index)
        if len(chosen)
    ]


def _order(scene: Scene, sort: str) -> NDArray[np.float64]:
    """What the kernels shown are sorted by, ascending; what is not known comes last."""
    parts: list[NDArray[Any]]
    if sort == "scale":  # the strongest first
        parts = [-subject.kernels.scale[subject.index] for subject in scene.subjects]
    elif sort == "flat":  # flat ones first
        parts = [~subject.kernels.flat[subject.index] for subject in scene.subjects]
    else:
        parts = [
            _column(subject, sort, named(scene))[subject.index]
            for subject in scene.subjects
        ]
    return np.concatenate(parts).astype(np.float64)


def _column(subject: Subject, name: str, yardstick: Yardstick) -> NDArray[Any]:
    """A number for each kernel of a subject."""
    coding = coding_of(subject)
    if name == "class":
        return coding.label(yardstick.threshold)
    return coding.code if name == "code" else -coding.fit


def _groups(
    scene: Scene,
    options: FigureOptions,
    owner: NDArray[np.intp],
    index: NDArray[np.intp],
) -> list[tuple[str, int | None, NDArray[np.intp]]]:
    """Heading, class and positions of each group."""
    if options.group == "layer":
        return _by_layer(scene, owner, index)
    if options.group == "none":
        return [("", None, np.arange(len(index)))]
    headings: list[tuple[str, int | None]]
    if options.group == "network":
        headings = [(subject.name, None) for subject in scene.subjects]
        keys = owner
    else:
        headings, keys = _by_label(scene, options.group, owner, index)
    return [
        (heading, class_index, np.flatnonzero(keys == number))
        for number, (heading, class_index) in enumerate(headings)
    ]


def _by_label(
    scene: Scene, group: str, owner: NDArray[np.intp], index: NDArray[np.intp]
) -> tuple[list[tuple[str, int | None]], NDArray[np.intp]]:
    """Headings with their classes, and the number of each kernel's heading."""
    yardstick = named(scene)
    keys = np.zeros(len(index), np.intp)
    for number, subject in enumerate(scene.subjects):
        mine = owner == number
        found = _keys(coding_of(subject), group, yardstick)
        keys[mine] = found[index[mine]]
    if group == "class":
        return [(item.name, number) for number, item in enumerate(CLASSES)], keys
    headings: list[tuple[str, int | None]]
    if group == "fit":
        headings = [(band_title(band), None) for band in range(len(FIT_BANDS) + 1)]
    else:
        headings = [
            (f"{item.label}, code {item.low:.3f}–{item.high:.3f}", item.class_index)
            for item in yardstick.stretches
        ]
    return [*headings, (FLAT.name, INDEX[FLAT.id])], keys


def _keys(coding: Coding, group: str, yardstick: Yardstick) -> NDArray[np.int64]:
    """The number of the heading of each kernel of a subject."""
    if group == "class":
        return coding.label(yardstick.threshold)
    if group == "fit":
        return fit_bands(coding.fit)
    if not yardstick.stretches:
        raise FigureError(
            "these kernels have no codes", "Group them by class, or by layer."
        )
    last = len(yardstick.stretches)
    known = np.isfinite(coding.code)
    keys = np.full(len(known), last, np.int64)
    places = segment_of(yardstick.stretches, coding.code[known])
    keys[known] = np.minimum(places, last - 1)
    return keys


def _by_layer(
    scene: Scene, owner: NDArray[np.intp], index: NDArray[np.intp]
) -> list[tuple[str, int | None, NDArray[np.intp]]]:
    """In network order; with the network's name where there are several."""
    groups: list[tuple[str, int | None, NDArray[np.intp]]] = []
    for number, subject in enumerate(scene.subjects):
        mine = np.flatnonzero(owner == number)
        layer = subject.kernels.layer[index[mine]]
        many = len(scene.subjects) > 1
        for kind in np.unique(layer):
            name = subject.bank.layers[kind].name
            heading = f"{subject.name} · {name}" if many else name
            groups.append((heading, None, mine[layer == kind]))
    return groups
