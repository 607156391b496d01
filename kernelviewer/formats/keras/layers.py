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
from itertools import islice
from math import prod
from typing import TYPE_CHECKING, Literal

from kernelviewer.formats.checkpoint import Operator
from kernelviewer.formats.network.axes import doubt_of_last

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kernelviewer.formats.keras.places import Place
    from kernelviewer.formats.stored import Leaf

    Shape = tuple[int, ...]
    Owner = tuple[str, ...]
    from kernelviewer.formats.keras.config import Layer

    Role = Literal[
        "depthwise", "pointwise", "kernel", "transposed", "dense", "statistics", "other"
    ]


_SPELLED = re.compile(r"depth_?wise", re.IGNORECASE)
_ABBREVIATED = re.compile(
    r"(^|[^a-z])dw[sc]?\d*($|[^a-z])|dw_?conv|conv_?dw|depth_?conv|conv_?depth",
    re.IGNORECASE,
)
_CALLED = re.compile(r"depth_?wise(_?conv\w*)?(_?\d+)?", re.IGNORECASE)
_NORM = re.compile(r"(.*[^a-z])?(bn|ln|gn)\d*([^a-z].*)?|.*norm.*", re.IGNORECASE)
_DEPTHWISE = ("depthwise", "separable")
_LARGEST_MULTIPLIER = 4
"""Beyond it, kernels are thought of as depthwise only where something tells so."""
_LARGEST_SIDE = 64
_LARGEST_BLOCK = 200
"""More layers than that are no block whose parts belong together."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a layer."""

    name: str
    """``depthwise``, ``separable``, ``convolution`` …; empty if nothing tells."""
    doubts: Mapping[str, str] = field(default_factory=dict)
    """The variables that may be depthwise kernels or an ordinary convolution's: what
    their axes may be, a sentence each."""
    depthwise: frozenset[str] = frozenset()
    """The variables that are depthwise kernels, where a layer has several."""


@dataclass(slots=True, eq=False)
class _Weights:
    """The variables of one layer."""

    place: Place
    vectors: list[int] = field(default_factory=list)
    kernels: dict[str, Shape] = field(default_factory=dict)
    kind: str = ""
    index: int = 0

    @property
    def block(self) -> Owner:
        """Where the layers beside it are."""
        own = self.place.owner
        return own[:-2] if own[-1:] == ("vars",) else own[:-1]

    @property
    def is_norm(self) -> bool:
        """True if all it has are a normalisation's vectors."""
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

    @property
    def is_pointwise(self) -> bool:
        """True if it mixes channels pixel by pixel."""
        shape = next(iter(self.kernels.values()))
        return self.kind not in _DEPTHWISE and prod(shape[:-2]) == 1


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """The surroundings of open kernels."""

    norms: list[int]
    """Widths of the normalisations."""
    given: list[int]
    """Channels that the other layers give, which may have a normalisation too."""
    taken: list[int]
    mixed: list[int]
    """Channels that the others take, and that those take which run pixel by pixel."""
    rivals: int = 1
    """How many layers are as open as this one and of its shape, itself counted."""

    def follows(self, width: int) -> bool:
        """True if a norm of this width is left for each open layer."""
        return self._spare(width) >= self.rivals

    def fit_depthwise(self, width: int) -> bool:
        """True if the layers beside it go with so many channels given."""
        return self.follows(width) and width in self.mixed

    def fit_convolution(self, width: int, depthwise: int) -> bool:
        """True if they go with ``width`` channels, and not with the other number."""
        fits = self.follows(width) or (width > 1 and width in self.taken)
        return fits and self._spare(depthwise) <= 0

    def _spare(self, width: int) -> int:
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
    model = _Model(_grouped(leaves, places))
    names = [leaf.raw_name for leaf in leaves]
    names_tell = any(  # as those of Keras 2 do: other kernels are no depthwise ones
        "depthwise_kernel" in name or name.endswith(":0") for name in names
    )
    found: dict[Owner, Kind] = {}
    for layer in sorted(model.layers, key=lambda layer: -len(layer.block)):
        hint = _hint(layer)  # the innermost first: they tell of what is around them
        if layer.kind or hint == "dense" or (names_tell and hint not in _DEPTHWISE):
            found[layer.place.owner] = Kind(layer.kind or hint)
        elif len(layer.kernels) > 1:
            found[layer.place.owner] = _of_several(layer)
        else:
            kind = found[layer.place.owner] = _of_one(layer, hint, model)
            layer.kind = kind.name if kind.name == "depthwise" else ""
    return found


def _grouped(leaves: Sequence[Leaf], places: Mapping[str, Place]) -> list[_Weights]:
    layers: dict[Owner, _Weights] = {}
    for leaf in leaves:
        place = places[leaf.raw_name]
        layer = layers.setdefault(place.owner, _Weights(place))
        if len(leaf.shape) == 1:
            layer.vectors.append(leaf.shape[0])
        elif leaf.shape and 0 not in leaf.shape:
            layer.kernels[place.variable] = leaf.shape
    return [*layers.values()]


def _known_kind(layer: _Weights) -> str:
    """By its class, else by what only a separable layer or a norm looks like."""
    place = layer.place
    kind = class_kind(place.class_name)
    if kind:
        return kind
    if layer.is_norm:
        return "norm"
    return "separable" if _is_separable(layer) else ""


def _is_separable(layer: _Weights) -> bool:
    """True if depthwise kernels and a pointwise convolution are all that it has."""
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
    """True if kernels are larger than a pixel, for several channels."""
    taps = shape[:-2]
    return (
        3 <= len(shape) <= 5
        and shape[-2] > 1 < prod(taps)
        and max(taps) <= _LARGEST_SIDE
    )


def _is_likely(shape: Shape) -> bool:
    """True if few kernels belong to each of many channels."""
    return shape[-1] <= min(_LARGEST_MULTIPLIER, shape[-2] - 1)


def _hint(layer: _Weights) -> str:
    """The kind that names speak of."""
    texts = [layer.place.class_name, *layer.place.names]
    kinds = [kind for text in texts if (kind := kind_of(text))]
    if any(len(shape) > 3 for shape in layer.kernels.values()):
        kinds = [kind for kind in kinds if kind not in ("dense", "norm")]
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


def _of_one(layer: _Weights, hint: str, model: _Model) -> Kind:
    """A layer of a custom class, or one that a custom layer holds."""
    if not layer.kernels:
        return Kind(hint)
    ((variable, shape),) = layer.kernels.items()
    if not _may_be_depthwise(shape) or hint in ("norm", "transposed"):
        return Kind("" if hint in _DEPTHWISE else hint)
    one, other = prod(shape[-2:]), shape[-1]  # channels it gives: depthwise or not
    if layer.vectors in ([one], [other]):
        return Kind("depthwise" if layer.vectors == [one] else "convolution")
    around, likely = model.surroundings(layer, shape), _is_likely(shape)
    open_to_both = around.follows(other) and hint not in _DEPTHWISE
    if around.fit_depthwise(one) and not open_to_both:
        return Kind("depthwise")
    if hint in _DEPTHWISE:
        likely = likely and not around.follows(other)
        return Kind("depthwise" if likely or _is_called(layer) else "convolution")
    if hint == "convolution" or not likely or around.fit_convolution(other, one):
        return Kind("convolution")
    return Kind("", {variable: doubt_of_last(shape)})


def _is_called(layer: _Weights) -> bool:
    """True if a layer is called depthwise and nothing else, whatever its shape."""
    return any(map(_CALLED.fullmatch, layer.place.names))


class _Model:
    """The layers in network order, and what stands beside each.

    Parameters
    ----------
    layers
        The variables of each layer.
    """

    def __init__(self, layers: list[_Weights]) -> None:
        self.layers = layers
        self._within: dict[Owner, list[_Weights]] = {}
        for index, layer in enumerate(layers):
            layer.index, layer.kind = index, _known_kind(layer)
            for end in range(len(layer.block) + 1):
                self._within.setdefault(layer.block[:end], []).append(layer)

    def surroundings(self, layer: _Weights, shape: Shape) -> _Surroundings:
        """What tells of an open layer: its block, or in a list its neighbours."""
        for end in range(len(layer.block), layer.place.lists - 1, -1):
            beside = self._within[layer.block[:end]]
            if 1 < len(beside) <= _LARGEST_BLOCK:
                return self._in_block(layer, shape, beside)
        return self._between(layer, shape)

    def _in_block(
        self, layer: _Weights, shape: Shape, beside: list[_Weights]
    ) -> _Surroundings:
        """In a custom layer, where the order is that of the alphabet."""
        others = [item for item in beside if item.kernels and item is not layer]
        known = [item for item in others if not _is_rival(item, shape)]
        takers = known + self._next(max(item.index for item in beside))
        return _Surroundings(
            [item.vectors[0] for item in beside if item.is_norm],
            [item.gives for item in known],
            [item.takes for item in takers],
            [item.takes for item in takers if item.is_pointwise],
            len(others) - len(known) + 1,
        )

    def _between(self, layer: _Weights, shape: Shape) -> _Surroundings:
        """In a list of layers, whose order is the network's."""
        takers = self._next(layer.index)
        end = takers[0].index if takers else len(self.layers)
        following = self.layers[layer.index + 1 : end]
        norms = [item.vectors[0] for item in following if item.is_norm]
        earlier = (self.layers[at] for at in range(layer.index - 1, -1, -1))
        before = next((item for item in earlier if item.kernels), None)
        fed = before is not None and before.gives == shape[-2]
        if fed and shape[-1] > 1 and not norms:  # one channel may be a gate's
            norms = [prod(shape[-2:])]  # none is there: what is taken decides
        return _Surroundings(
            norms,
            [],
            [item.takes for item in takers],
            [item.takes for item in takers if item.is_pointwise],
        )

    def _next(self, index: int) -> list[_Weights]:
        """The first layer after a place that has kernels, if there is one."""
        later = (self.layers[at] for at in range(index + 1, len(self.layers)))
        return [*islice((item for item in later if item.kernels), 1)]


def _is_rival(item: _Weights, shape: Shape) -> bool:
    """True if a layer is as open, and would account for a norm of the same width."""
    own = [*item.kernels.values()][-1]
    return not item.kind and _may_be_depthwise(own) and own[-2:] == shape[-2:]


_KINDS = (  # what a class name, or the name that Keras makes of it, stands for
    ("depthwise", re.compile(r"depthwise_?conv", re.IGNORECASE)),
    ("separable", re.compile(r"separable_?conv", re.IGNORECASE)),
    ("transposed", re.compile(r"conv\w*transpose|deconv", re.IGNORECASE)),
    ("convolution", re.compile(r"conv(olution)?_?[123]_?d", re.IGNORECASE)),
    ("norm", re.compile(r"(batch|layer|group|instance|rms)_?norm", re.IGNORECASE)),
    ("dense", re.compile(r"dense", re.IGNORECASE)),
)
_CLASSES = (  # Keras's own classes, also as it writes them in paths
    ("depthwise", r"depthwise_?conv(olution)?_?[123]_?d"),
    ("separable", r"separable_?conv(olution)?_?[123]_?d"),
    ("transposed", r"conv(olution)?_?[123]_?d_?transpose|deconvolution_?[123]_?d"),
    ("convolution", r"(atrous_?)?conv(olution)?_?[123]_?d"),
    ("norm", r"(batch|layer|group|rms)_?normalization(_?v\d)?"),
    ("dense", r"(einsum_?)?dense"),
)
_OWN = [
    (kind, re.compile(rf"({pattern})(_\d+)?", re.IGNORECASE))
    for kind, pattern in _CLASSES
]
_ORDER = {  # variables of a layer, where the file only numbers them
    "depthwise": ("depthwise_kernel", "bias"),
    "separable": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "transposed": ("kernel", "bias"),
    "convolution": ("kernel", "bias"),
    "dense": ("kernel", "bias"),
}
_LAST = {"kernel": "weight", "gamma": "weight", "beta": "bias", "W": "weight"}


@dataclass(frozen=True, slots=True)
class Turned:
    """A weight's axes in PyTorch's order, its shape then, and what uses it."""

    axes: tuple[int, ...]
    shape: tuple[int, ...]
    operator: Operator | None


def kind_of(name: str) -> str:
    """The kind of layer that a class name or a path's part stands for, or empty."""
    return next((kind for kind, words in _KINDS if words.search(name)), "")


def class_kind(name: str) -> str:
    """The kind of one of Keras's own classes, or of the name that it makes of it.

    Empty for classes of others, though their names may hint at a kind.
    """
    return next((kind for kind, words in _OWN if words.fullmatch(name)), "")


def variable_name(written: str, kind: str, layer: Layer | None, count: int) -> str:
    """The variable's name: as written (``kernel:0``), or by its number (``0``).

    ``count`` is the number of the layer's variables.
    """
    name = written.removesuffix(":0")
    if name.isdecimal():
        norm = kind == "norm"
        order = _norm_order(layer, count) if norm else _ORDER.get(kind, ())
        index = int(name) if len(name) < 4 else len(order)
        return order[index] if index < len(order) else name
    old = re.fullmatch(r".*_(W|b|depthwise_kernel|pointwise_kernel)", name)  # Keras 1
    if old:
        return {"W": "kernel", "b": "bias"}.get(old[1], old[1])
    return name


def _norm_order(layer: Layer | None, count: int) -> tuple[str, ...]:
    """Variables of a normalisation; of three without a configuration two are means."""
    settings = layer.settings if layer else {}
    if not settings and count == 3:
        settings = {"center": False}
    parts = [("gamma", "scale"), ("beta", "center")]
    kept = [name for name, setting in parts if settings.get(setting, True)]
    return (*kept, "moving_mean", "moving_variance")


def role_of(variable: str, kind: str, rank: int) -> Role:
    """The variable's role; kernels of unknown layers count as convolutions'."""
    if variable == "depthwise_kernel" or (variable == "kernel" and kind == "depthwise"):
        return "depthwise"
    if variable == "pointwise_kernel":
        return "pointwise"
    if variable in ("moving_mean", "moving_variance"):
        return "statistics"
    if variable != "kernel" and not (variable == "0" and not kind):
        return "other"
    if rank == 2:
        return "dense" if variable == "kernel" else "other"
    if kind in ("dense", "norm") or not 3 <= rank <= 5:
        return "other"
    return "transposed" if kind == "transposed" else "kernel"


def tensor_name(path: tuple[str, ...], variable: str, role: Role) -> str:
    """Dotted name: the layers' names, then PyTorch's word for the variable."""
    parts = [part for item in path for part in item.split("/") if part]
    if role in ("depthwise", "pointwise"):
        parts.append(role)
        variable = "weight"
    elif role in ("kernel", "transposed", "dense"):
        variable = "weight"
    return ".".join((*parts, _LAST.get(variable, variable)))


def turned(role: Role, shape: tuple[int, ...], layer: Layer | None) -> Turned | None:
    """Where the axes go, or None if the shape cannot be that of a convolution.

    Keras puts the taps first: depthwise [*k, C, m], others [*k, in, out], transposed
    [*k, out, in]. Keras 1 on Theano puts them last.
    """
    rank = len(shape)
    if role == "dense":
        return Turned((1, 0), (shape[1], shape[0]), None)
    if not 3 <= rank <= 5 or 0 in shape:
        return None
    stored = tuple(range(rank))
    if rank == 4 and layer is not None and layer.text("dim_ordering") == "th":
        stored = (2, 3, 1, 0)
    *taps, inner, last = (shape[axis] for axis in stored)
    if role == "depthwise":
        order = (rank - 2, rank - 1, *range(rank - 2))
        facts = _operator(layer, inner, inner, transposed=False)
        turned_shape = (inner * last, 1, *taps)
    else:
        order = (rank - 1, rank - 2, *range(rank - 2))
        turned_shape = (last, inner, *taps)
        facts = None
        if role == "pointwise":
            facts = Operator(groups=1, in_channels=inner)
        elif role == "transposed":
            facts = _operator(layer, 1, last, transposed=True)
        elif layer is not None and kind_of(layer.kind) == "convolution":
            groups = max(1, layer.number("groups", 1))
            facts = _operator(layer, groups, inner * groups, transposed=False)
    return Turned(tuple(stored[axis] for axis in order), turned_shape, facts)


def _operator(
    layer: Layer | None, groups: int, in_channels: int, *, transposed: bool
) -> Operator:
    if layer is None:
        return Operator(groups, transposed, in_channels=in_channels)
    return Operator(
        groups,
        transposed,
        stride=layer.numbers("strides"),
        dilation=layer.numbers("dilation_rate"),
        padding=layer.text("padding"),
        in_channels=in_channels,
    )
