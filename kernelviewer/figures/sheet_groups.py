"""How a sheet's kernels are grouped, and in which order they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.counts import coding_of, labels_of, named
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.figures.scene import Scene


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


def _order(scene: Scene, sort: str) -> NDArray[np.float32]:
    """What the kernels shown are sorted by, ascending; what is not known comes last."""
    if sort == "scale":  # the strongest first
        parts = [-subject.kernels.scale[subject.index] for subject in scene.subjects]
        return np.concatenate(parts)
    named(scene)
    codings = [coding_of(subject) for subject in scene.subjects]
    columns = [item.code if sort == "code" else -item.fit for item in codings]
    parts = [
        column[subject.index]
        for column, subject in zip(columns, scene.subjects, strict=True)
    ]
    return np.concatenate(parts)


def _groups(
    scene: Scene,
    options: FigureOptions,
    owner: NDArray[np.intp],
    index: NDArray[np.intp],
) -> list[tuple[str, int | None, NDArray[np.intp]]]:
    """Heading, class and positions of each group."""
    everything = np.arange(len(index))
    if options.group == "none":
        return [("", None, everything)]
    if options.group == "network":
        return [
            (subject.name, None, np.flatnonzero(owner == number))
            for number, subject in enumerate(scene.subjects)
        ]
    if options.group == "class":
        yardstick = named(scene)
        label = np.zeros(len(index), np.int64)
        for number, subject in enumerate(scene.subjects):
            mine = owner == number
            label[mine] = labels_of(subject, yardstick)[index[mine]]
        return [
            (item.name, number, np.flatnonzero(label == number))
            for number, item in enumerate(CLASSES)
        ]
    return _by_layer(scene, owner, index)


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
