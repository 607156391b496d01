"""What the user calls networks, classes and stretches, and tags on kernels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES, INDEX, NAMELESS, OwnName
from kernelviewer.kernels.equality import network_names
from kernelviewer.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels.bank import Size
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.selection import Kernels, Mode
    from kernelviewer.state.work import Marks

TAG_COLOURS = (
    *("#009E73", "#B8A800", "#CC79A7", "#882255", "#6E6E6E"),
    *("#56B4E9", "#E69F00", "#0072B2", "#D55E00"),
)
"""Usual colours of the tags 1 to 9; the first are unlike those of weights."""
TAGS = range(1, len(TAG_COLOURS) + 1)
LONGEST = 60
"""Letters of a name."""


def tidied(name: str) -> str:
    """A name in one line, printable and not too long, as it is kept."""
    return printable(" ".join(name.split()))[:LONGEST].strip()


@dataclass(frozen=True, slots=True)
class Tag:
    """A mark that kernels bear."""

    own: OwnName = field(default_factory=OwnName)
    """The user's name and colour for it."""
    kernels: Mapping[Size, Kernels] = field(default_factory=dict)
    """Who bears it, by kernel size."""

    def __len__(self) -> int:
        return sum(map(len, self.kernels.values()))

    def toggled(self, kernels: Kernels) -> Tag:
        """The same with some kernels; without them if all of them bear it already."""
        old = self.kernels.get(kernels.size)
        found = kernels
        if old is not None:
            shared = len(old.joined("intersect", kernels))
            mode: Mode = "subtract" if shared == len(kernels) else "add"
            found = old.joined(mode, kernels)
        others = {size: own for size, own in self.kernels.items() if size != found.size}
        return replace(
            self, kernels={**others, found.size: found} if len(found) else others
        )

    def changed(self, how: Callable[[Kernels], Kernels]) -> Tag:
        """The same with other kernels in the place of those of each size."""
        found = {size: how(own) for size, own in self.kernels.items()}
        if all(found[size] is own for size, own in self.kernels.items()):
            return self
        return replace(self, kernels={s: own for s, own in found.items() if len(own)})


Tags = dict[int, Tag]
"""Number of a tag → it; those that say nothing are left out."""


def changed_tags(tags: Tags, how: Callable[[Kernels], Kernels]) -> Tags:
    """Tags with other kernels in the place of theirs; the same if those are."""
    found = {number: tag.changed(how) for number, tag in tags.items()}
    if all(found[number] is tag for number, tag in tags.items()):
        return tags
    return {number: tag for number, tag in found.items() if tag.own or len(tag)}


def tag_name(tags: Mapping[int, Tag], number: int) -> str:
    """What a tag is called."""
    tag = tags.get(number)
    return (tag.own.name if tag else "") or f"tag {number}"


def tag_colour(tags: Mapping[int, Tag], number: int) -> str:
    """The colour of a tag, ``#RRGGBB``."""
    tag = tags.get(number)
    return (tag.own.colour if tag else "") or TAG_COLOURS[number - 1]


def with_tag(tags: Mapping[int, Tag], number: int, tag: Tag) -> Tags:
    """The tags with another one of that number."""
    others = {key: item for key, item in tags.items() if key != number}
    found = {**others, number: tag} if tag.own or len(tag) else others
    return dict(sorted(found.items()))


def tag_bits(tags: Mapping[int, Tag], pool: KernelPool) -> NDArray[np.uint16] | None:
    """The tags of a pool's kernels, uint16 [N], bit n of tag n; None: no kernel's."""
    bits = np.zeros(len(pool), np.uint16)
    for number, tag in tags.items():
        if (kernels := tag.kernels.get(pool.size)) is not None:
            bits[kernels.mask(pool)] |= np.uint16(1 << number)
    return bits if bits.any() else None


def tags_in(bits: int) -> list[int]:
    """Numbers of the tags of one kernel."""
    return [number for number in TAGS if bits >> number & 1]


def tag_texts(
    tags: Mapping[int, Tag], bits: NDArray[np.uint16] | None, count: int
) -> list[str]:
    """Names of the tags of ``count`` kernels, with a semicolon between."""
    if bits is None:
        return [""] * count
    known: dict[int, str] = {0: ""}
    for value in np.unique(bits).tolist():
        names = [tag_name(tags, number) for number in tags_in(value)]
        known[value] = "; ".join(names)
    return [known[value] for value in bits.tolist()]


@dataclass(frozen=True, slots=True)
class OwnNames:
    """What the user calls things."""

    networks: dict[int, str] = field(default_factory=dict)
    """Model id → name."""
    classes: dict[str, OwnName] = field(default_factory=dict)
    """Id of a class that has a pattern → name and colour."""

    def __bool__(self) -> bool:
        return bool(self.networks or self.classes)

    def with_network(self, identity: int, name: str) -> OwnNames:
        """The same with another name of a network; empty: that of its file."""
        others = {key: own for key, own in self.networks.items() if key != identity}
        name = tidied(name)
        return replace(self, networks={**others, identity: name} if name else others)

    def with_class(self, class_id: str, own: OwnName) -> OwnNames:
        """The same with another name and colour of a class; empty: as usual.

        Raises
        ------
        ValueError
            The class has no pattern, or there is none of that id.
        """
        index = INDEX.get(class_id, NAMELESS[0])
        if index in NAMELESS:
            raise ValueError(f"{class_id!r} is no class that can be named")
        name, item = tidied(own.name), CLASSES[index]
        own = OwnName("" if name == item.name else name, own.colour)
        others = {key: old for key, old in self.classes.items() if key != class_id}
        return replace(self, classes={**others, class_id: own} if own else others)

    def without(self, closed: Collection[int]) -> OwnNames:
        """The same without networks of these ids."""
        left = {key: name for key, name in self.networks.items() if key not in closed}
        return self if len(left) == len(self.networks) else replace(self, networks=left)


def called(
    models: tuple[OpenModel, ...], own: Mapping[int, str]
) -> tuple[OpenModel, ...]:
    """Open networks with the names they are shown by: no two have the same.

    What a query found in a corpus is called by all of the query.
    """
    banks = [model.bank for model in models]
    given = [
        own.get(model.id, "")
        or (model.bank.name if model.drawn and not model.drawn.network else "")
        for model in models
    ]
    names = network_names(banks, given)
    wanted = [
        "" if name == bank.name else name
        for bank, name in zip(banks, names, strict=True)
    ]
    if all(m.called == name for m, name in zip(models, wanted, strict=True)):
        return models
    return tuple(
        model if model.called == name else replace(model, called=name)
        for model, name in zip(models, wanted, strict=True)
    )


def edits(marks: Marks, models: tuple[OpenModel, ...]) -> tuple[str, ...]:
    """What is called otherwise than the program or the files do, a line each."""
    return tuple(_edits(marks, models))


def _edits(marks: Marks, models: tuple[OpenModel, ...]) -> Iterator[str]:
    for model in models:
        if model.id in marks.names.networks:
            yield f"“{model.name}” is the network {model.bank.name}"
    for class_id, own in marks.names.classes.items():
        usual = CLASSES[INDEX[class_id]].name
        what = f"“{own.name}” is the class {usual}" if own.name else usual
        yield f"{what}, in a colour of its own" if own.colour else what
    for size, stretches in marks.stretches.items():
        line = f"Stretches of {size_label(size)} kernels"
        if names := [f"“{item.name}”" for item in stretches if item.name]:
            line += f": {', '.join(names)}"
        yield line
