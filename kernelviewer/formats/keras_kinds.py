"""What the kernels of a Keras layer are where its class may not be known.

Depthwise kernels ``[*taps, C, m]`` look like those of a convolution from C channels to
m. Keras's own classes tell them apart; a layer inside a custom one is only known by the
attribute that holds it. Then its bias tells, or its name, or what stands beside it: the
normalisation behind it is as wide as what it gives, and the next pixel by pixel
convolution takes that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from kernelviewer.formats.axes import doubt_of_last
from kernelviewer.formats.keras_roles import class_kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kernelviewer.formats.keras_places import Place
    from kernelviewer.formats.leaves import Leaf

    Shape = tuple[int, ...]
    Owner = tuple[str, ...]

_SPELLED = re.compile(r"depth_?wise", re.IGNORECASE)
_ABBREVIATED = re.compile(
    r"(^|[^a-z])dw[sc]?\d*($|[^a-z])|dw_?conv|conv_?dw|depth_?conv|conv_?depth",
    re.IGNORECASE,
)
_NORM = re.compile(r"(.*[^a-z])?(bn|ln|gn)\d*([^a-z].*)?|.*norm.*", re.IGNORECASE)
_DEPTHWISE = ("depthwise", "separable")
_LARGEST_MULTIPLIER = 4
"""Beyond it, kernels are thought of as depthwise only where something tells so."""
_LARGEST_SIDE = 64


@dataclass(frozen=True, slots=True)
class Kind:
    """What a layer is.

    Attributes
    ----------
    name
        ``depthwise``, ``separable``, ``convolution`` …; empty if nothing tells.
    doubts
        The variables that may be depthwise kernels or an ordinary convolution's: what
        their axes may be, a sentence each.
    depthwise
        The variables that are depthwise kernels, where a layer has several.
    """

    name: str
    doubts: Mapping[str, str] = field(default_factory=dict)
    depthwise: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class _Weights:
    """The variables of one layer."""

    place: Place
    order: tuple[object, ...]
    vectors: list[int] = field(default_factory=list)
    kernels: dict[str, Shape] = field(default_factory=dict)
    kind: str = ""

    @property
    def block(self) -> Owner:
        """Where the layers beside it are."""
        own = self.place.owner
        return own[:-2] if own[-1:] == ("vars",) else own[:-1]

    @property
    def is_norm(self) -> bool:
        """Whether all it has are a normalisation's vectors."""
        count = len(self.vectors)
        return (
            not self.kernels
            and len(set(self.vectors)) == 1
            and (self.kind == "norm" or count > 3 or (count > 1 and self._says_norm))
        )

    @property
    def _says_norm(self) -> bool:
        return any(map(_NORM.fullmatch, self.place.names))

    @property
    def gives(self) -> int:
        """Number of channels that it makes."""
        shape = [*self.kernels.values()][-1]
        return prod(shape[-2:]) if self.kind == "depthwise" else shape[-1]

    @property
    def takes(self) -> int:
        """Number of channels that it mixes; 0 if it does not."""
        shape = next(iter(self.kernels.values()))
        return 0 if self.kind in _DEPTHWISE else shape[-2]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What stands beside open kernels: widths of norms, channels given and taken."""

    norms: list[int]
    given: list[int]
    taken: list[int]
    rivals: int = 1

    def spare(self, width: int) -> int:
        """How many norms of a width no other layer accounts for."""
        return self.norms.count(width) - self.given.count(width)


def find_kinds(
    leaves: Sequence[Leaf], places: Mapping[str, Place]
) -> dict[Owner, Kind]:
    """The kind of every layer, by the path of its variables.

    Parameters
    ----------
    leaves
        All variables, in network order.
    places
        Their places, by their names in the file.
    """
    layers = _grouped(leaves, places)
    names_tell = any("depthwise_kernel" in leaf.raw_name for leaf in leaves)
    names_tell = names_tell or any(leaf.raw_name.endswith(":0") for leaf in leaves)
    for layer in layers:
        layer.kind = _known_kind(layer)
    found: dict[Owner, Kind] = {}
    for index, layer in enumerate(layers):
        hint = _hint(layer)
        if layer.kind or (names_tell and hint not in _DEPTHWISE):
            found[layer.place.owner] = Kind(layer.kind or hint)
        elif len(layer.kernels) > 1:
            found[layer.place.owner] = _of_several(layer)
        else:
            found[layer.place.owner] = _of_one(layers, index)
    return found


def _grouped(leaves: Sequence[Leaf], places: Mapping[str, Place]) -> list[_Weights]:
    """The variables of each layer together."""
    layers: dict[Owner, _Weights] = {}
    for leaf in leaves:
        place = places[leaf.raw_name]
        layer = layers.setdefault(place.owner, _Weights(place, place.order))
        if len(leaf.shape) == 1:
            layer.vectors.append(leaf.shape[0])
        elif leaf.shape and 0 not in leaf.shape:
            layer.kernels[place.variable] = leaf.shape
    return [*layers.values()]


def _known_kind(layer: _Weights) -> str:
    """By its class, else by what only a separable layer or a norm looks like."""
    place = layer.place
    kind = class_kind(place.class_name)
    if not kind and not place.class_name:
        kind = next(filter(None, map(class_kind, place.names)), "")
    if kind:
        return kind
    if layer.is_norm:
        return "norm"
    return "separable" if _is_separable(layer) else ""


def _is_separable(layer: _Weights) -> bool:
    """Whether depthwise kernels and a pointwise convolution are all that it has."""
    if [*layer.kernels] != ["0", "1"] or len(layer.vectors) > 1:
        return False
    first, second = layer.kernels.values()
    return (
        _may_be_depthwise(first)
        and len(first) == len(second)
        and prod(second[:-2]) == 1
        and second[-2] == prod(first[-2:])
        and layer.vectors in ([], [second[-1]])
    )


def _may_be_depthwise(shape: Shape) -> bool:
    """Whether kernels are larger than a pixel, for several channels."""
    taps = shape[:-2]
    return (
        3 <= len(shape) <= 5
        and shape[-2] > 1 < prod(taps)
        and max(taps) <= _LARGEST_SIDE
    )


def _is_likely(shape: Shape) -> bool:
    """Whether few kernels belong to each of many channels."""
    return shape[-1] <= min(_LARGEST_MULTIPLIER, shape[-2] - 1)


def _hint(layer: _Weights) -> str:
    """The kind that names speak of."""
    texts = [layer.place.class_name, *layer.place.names]
    kinds = [kind for text in texts if (kind := kind_of(text))]
    if any(_SPELLED.search(text) or _ABBREVIATED.search(text) for text in texts):
        return "separable" if "separable" in kinds else "depthwise"
    return kinds[0] if kinds else ""


def _of_several(layer: _Weights) -> Kind:
    """A custom layer that makes several convolutions itself, in their order."""
    sure, doubts = set(), {}
    items = [*layer.kernels.items()]
    for index, (variable, shape) in enumerate(items):
        if not (_may_be_depthwise(shape) and _is_likely(shape)):
            continue
        before = items[index - 1][1] if index else None
        after = items[index + 1][1] if index + 1 < len(items) else None
        fed = before is None or before[-1] == shape[-2]
        pointwise = after is not None and prod(after[:-2]) == 1
        if fed and after and pointwise and after[-2] == prod(shape[-2:]):
            sure.add(variable)
        else:
            doubts[variable] = doubt_of_last(shape)
    return Kind("", doubts, frozenset(sure))


def _of_one(layers: list[_Weights], index: int) -> Kind:
    """A layer of a custom class, or one that a custom layer holds."""
    layer, hint = layers[index], _hint(layers[index])
    if not layer.kernels:
        return Kind(hint)
    ((variable, shape),) = layer.kernels.items()
    if not _may_be_depthwise(shape) or hint in ("dense", "norm", "transposed"):
        return Kind("" if hint in _DEPTHWISE else hint)
    one, other = prod(shape[-2:]), shape[-1]  # channels it gives: depthwise or not
    if layer.vectors in ([one], [other]):
        return Kind("depthwise" if layer.vectors == [one] else "convolution")
    around = _surroundings(layers, index)
    spelled = any(map(_SPELLED.search, (layer.place.class_name, *layer.place.names)))
    tells = _surroundings_tell(around, one, other)
    if tells:
        return Kind(tells)
    if hint in _DEPTHWISE:
        return Kind("depthwise" if spelled or _is_likely(shape) else "convolution")
    if hint == "convolution" or not _is_likely(shape):
        return Kind(hint)
    return Kind("", {variable: doubt_of_last(shape)})


def _surroundings_tell(around: _Surroundings, one: int, other: int) -> str:
    """Which number of channels given the layers beside it fit: the kind, or empty."""
    if around.spare(one) >= around.rivals and one in around.taken:
        return "depthwise"
    fits = around.spare(other) >= around.rivals or (other > 1 and other in around.taken)
    return "convolution" if fits and not around.spare(one) > 0 else ""


def _surroundings(layers: list[_Weights], index: int) -> _Surroundings:
    """What tells of a layer: its block, or in a list of layers its neighbours."""
    layer = layers[index]
    following = [item for item in layers[index + 1 :] if item.kernels][:1]
    beside = _block(layers, layer)
    if beside is None:
        return _between(layers, index, following)
    others = [item for item in beside if item.kernels and item is not layer]
    ((_, shape),) = layer.kernels.items()
    rivals = [item for item in others if _is_rival(item, shape)]
    known = [item for item in others if item not in rivals]
    return _Surroundings(
        [item.vectors[0] for item in beside if item.is_norm],
        [item.gives for item in known],
        [item.takes for item in (*known, *following)],
        len(rivals) + 1,
    )


def _is_rival(item: _Weights, shape: Shape) -> bool:
    """Whether a layer is as open, and would account for a norm of the same width."""
    own = [*item.kernels.values()][-1]
    return not item.kind and _may_be_depthwise(own) and own[-2:] == shape[-2:]


def _block(layers: list[_Weights], layer: _Weights) -> list[_Weights] | None:
    """All layers of the custom layer around one; None if a list of layers is around.

    The order in a block is that of the alphabet.
    """
    if layer.place.class_name:
        return None
    for block in (layer.block, layer.block[:-1]):
        if not block or block[-1] == "layers":
            break
        beside = [item for item in layers if item.place.owner[: len(block)] == block]
        if len(beside) > 1:
            return beside
    return None


def _between(
    layers: list[_Weights], index: int, following: Iterable[_Weights]
) -> _Surroundings:
    """Neighbours of a layer in a list, whose order is the network's."""
    norms = []
    for item in layers[index + 1 :]:
        if item.kernels:
            break
        if item.is_norm:
            norms.append(item.vectors[0])
    before = [item for item in layers[:index] if item.kernels][-1:]
    ((_, shape),) = layers[index].kernels.items()
    if any(item.gives == shape[-2] for item in before) and not norms:
        norms = [prod(shape[-2:])]  # nothing is between: then what it takes decides
    return _Surroundings(norms, [], [item.takes for item in following])
