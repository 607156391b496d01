"""A checkpoint's tensors seen as layers in network order, with their neighbours."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from kernelviewer.formats.network.names import is_listed_by_name
from kernelviewer.kernels import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kernelviewer.formats.checkpoint import Tensor

Role = Literal["candidate", "convolution", "linear", "embedding", "norm"]

_CONVOLUTION_RANKS = (3, 4, 5)
MOST_INPUTS = 64
"""Convolutions that take the inputs of one network side by side."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A module that has a weight."""

    index: int
    """Position in the network."""
    path: str
    """Module path, the weight's name without its last part."""
    tensor: Tensor
    bias: int | None
    """The weight, and the length of the bias beside it if there is one."""
    role: Role
    """What the weight is by name and shape; ``candidate``: a kernel stack ``[K, 1,
    *size]``, depthwise unless its surroundings speak against it."""

    @property
    def channels(self) -> int:
        """How many channels the layer gives (K of a candidate)."""
        shape = self.tensor.shape
        if self.role == "embedding":
            return shape[-1]
        if self.bias is not None and self.bias in shape[:2]:
            return self.bias  # tells a transposed convolution's output from its input
        return shape[0]

    @property
    def size(self) -> tuple[int, ...]:
        """Kernel size of a convolution; empty for the rest."""
        return self.tensor.shape[2:]

    @property
    def parent(self) -> str:
        """Path of the module around it."""
        return self.path.rpartition(".")[0]

    @cached_property
    def pattern(self) -> str:
        """The path with every number replaced by ``#``: equal in repeated blocks."""
        return re.sub(r"\d+", "#", self.path)

    @property
    def is_pointwise(self) -> bool:
        """True if it has channels to mix and nothing else."""
        return self.role == "linear" or (
            self.role == "convolution" and math.prod(self.size) == 1
        )

    @property
    def is_spatial(self) -> bool:
        """True if it is an ordinary convolution larger than a pixel."""
        return self.role == "convolution" and math.prod(self.size) > 1

    @property
    def mixes(self) -> bool:
        """True if it makes its channels of several others."""
        roles = ("convolution", "linear", "embedding")
        return self.role in roles and self.tensor.shape[1] > 1

    def takes(self, channels: int) -> bool:
        """True if it mixes ``channels`` channels; a transposed one may."""
        shape = self.tensor.shape
        if self.role == "linear":
            return shape[1] == channels
        return self.role == "convolution" and shape[1] > 1 and channels in shape[:2]


def is_kernel_stack(shape: tuple[int, ...]) -> bool:
    """True if a weight's shape is that of K > 1 kernels of one channel each."""
    return (
        len(shape) in _CONVOLUTION_RANKS
        and shape[0] > 1
        and shape[1] == 1
        and math.prod(shape[2:]) > 1
    )


def find_layers(tensors: Sequence[Tensor]) -> tuple[Layer, ...]:
    """The modules that have a weight, in the order of ``tensors``."""
    biases = {
        names.module_path(tensor.name): tensor.shape[0]
        for tensor in tensors
        if len(tensor.shape) == 1 and names.is_bias(tensor.name)
    }
    layers: list[Layer] = []
    for tensor in tensors:
        path = names.module_path(tensor.name)
        role = _role(tensor, path)
        if role is not None:
            layers.append(Layer(len(layers), path, tensor, biases.get(path), role))
    return tuple(layers)


def _role(tensor: Tensor, path: str) -> Role | None:
    shape = tensor.shape
    if len(shape) == 1:
        is_norm = shape[0] > 1 and names.is_norm_weight(tensor.name)
        return "norm" if is_norm else None
    if not names.is_weight(tensor.name) or 0 in shape:
        return None
    if len(shape) == 2:
        return "embedding" if names.is_embedding(path) else "linear"
    if len(shape) not in _CONVOLUTION_RANKS or names.is_norm(path):
        return None
    return "candidate" if is_kernel_stack(shape) else "convolution"


class Network:
    """The layers in network order, and questions about a layer's surroundings.

    Parameters
    ----------
    tensors
        The network's tensors. An alphabetical list (safetensors files are sorted),
        numbers counted or not, is first brought near to network order by what the
        names say.

    Attributes
    ----------
    layers
        Every module that has a weight.
    is_sorted
        Whether the list was alphabetical, so that the order says little.
    """

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.is_sorted = _is_alphabetical(tensors)
        if self.is_sorted:
            tensors = sorted(tensors, key=lambda item: names.order_key(item.name))
        self.layers = find_layers(tensors)
        self._by_tensor = {id(layer.tensor): layer for layer in self.layers}
        self._next_weight = _next_of(self.layers, lambda item: item.role != "norm")
        self._consumer = _next_of(self.layers, lambda item: item.mixes)

    def find(self, tensor: Tensor) -> Layer | None:
        """The layer that ``tensor`` is the weight of."""
        return self._by_tensor.get(id(tensor))

    def previous(self, layer: Layer) -> Layer | None:
        """The layer registered just before."""
        return self.layers[layer.index - 1] if layer.index else None

    def previous_weight(self, layer: Layer) -> Layer | None:
        """The layer before it that is no normalisation."""
        before = self.previous(layer)
        while before is not None and before.role == "norm":
            before = self.previous(before)
        return before

    def next_weight(self, layer: Layer) -> Layer | None:
        """The next layer that is no normalisation."""
        return self._next_weight[layer.index]

    def consumer(self, layer: Layer) -> Layer | None:
        """The next layer that mixes channels."""
        return self._consumer[layer.index]

    def has_source_before(self, layer: Layer) -> bool:
        """True if a layer before it takes an input, be it the network's or not."""
        return layer.index > self._first_source

    def gives(self, channels: int, layer: Layer) -> bool:
        """True if any layer before ``layer`` gives so many channels."""
        return self._first_giving.get(channels, layer.index) < layer.index

    def is_first_in(self, layer: Layer, scope: str) -> bool:
        """True if nothing in the module ``scope`` sees an image before the layer."""
        return not any(
            item.role == "candidate" or item.is_spatial or self._takes_colours(item)
            for item in self.layers[: layer.index]
            if item.path == scope or item.path.startswith(f"{scope}.")
        )

    def run_from(self, layer: Layer) -> list[Layer]:
        """The candidates in a row that start with ``layer``, side by side by name.

        They are the inputs of one network, so a few: no more than `MOST_INPUTS` are.
        """
        run: list[Layer] = []
        for at in range(layer.index, len(self.layers)):
            item = self.layers[at]
            if item.role == "norm":
                continue
            siblings = item.parent == layer.parent or item.pattern == layer.pattern
            if item.role != "candidate" or not siblings or len(run) == MOST_INPUTS:
                break
            run.append(item)
        return run

    def is_repeated(self, layer: Layer) -> bool:
        """True if the same module stands elsewhere, always as a candidate."""
        return layer.pattern in self._repeated

    def is_in_repeated_block(self, layer: Layer) -> bool:
        """True if it and what mixes its channels make a block that is repeated.

        Such a block takes as many channels as it works on, wherever the list puts it:
        only some layer must give them.
        """
        consumer = self.consumer(layer)
        if consumer is None or not consumer.is_pointwise:
            return False
        return (
            consumer.parent == layer.parent
            and re.search(r"\d", layer.parent) is not None
            and consumer.takes(layer.channels)
            and layer.channels in self._first_giving
            and self.is_repeated(layer)
        )

    def signature(self, layer: Layer) -> tuple[str, str]:
        """Own and next weight's pattern: equal where a block is repeated."""
        following = self.next_weight(layer)
        return layer.pattern, following.pattern if following else ""

    @cached_property
    def colour_inputs(self) -> list[Layer]:
        """The convolutions that take an image of 2 to 4 channels."""
        return [layer for layer in self.layers if self._takes_colours(layer)]

    @property
    def has_colour_input(self) -> bool:
        """True if a convolution takes an image of 2 to 4 channels."""
        return bool(self.colour_inputs)

    @cached_property
    def embedding_widths(self) -> set[int]:
        """Lengths of the vectors that words and the like are turned into."""
        return {layer.channels for layer in self.layers if layer.role == "embedding"}

    @cached_property
    def has_spatial(self) -> bool:
        """True if there is an ordinary convolution larger than a pixel."""
        return any(layer.is_spatial for layer in self.layers)

    @cached_property
    def ranks(self) -> set[int]:
        """Numbers of dimensions of the ordinary convolutions' weights."""
        return {
            len(layer.tensor.shape)
            for layer in self.layers
            if layer.role == "convolution"
        }

    def _takes_colours(self, layer: Layer) -> bool:
        shape = layer.tensor.shape
        if layer.role != "convolution" or not 2 <= shape[1] <= 4 or shape[0] < 8:
            return False
        if layer.is_pointwise and names.input_scope(layer.path) is None:
            return False
        before = self.previous(layer)
        if before is None:
            return True
        groups, rest = divmod(before.channels, shape[1])
        grouped = rest == 0 and groups > 0 and shape[0] % groups == 0
        return not grouped

    @cached_property
    def _repeated(self) -> set[str]:
        counts = Counter(
            layer.pattern for layer in self.layers if layer.role == "candidate"
        )
        dense = {layer.pattern for layer in self.layers if layer.is_spatial}
        return {pattern for pattern, count in counts.items() if count > 1} - dense

    @cached_property
    def _first_source(self) -> int:
        weights = [layer for layer in self.layers if layer.role != "norm"]
        if weights and weights[0].role != "candidate":
            return weights[0].index  # even a stem of one channel and one pixel
        mixing = (layer.index for layer in weights if layer.mixes)
        return next(mixing, len(self.layers))

    @cached_property
    def _first_giving(self) -> dict[int, int]:
        first: dict[int, int] = {}
        for layer in self.layers:
            if layer.mixes:
                first.setdefault(layer.channels, layer.index)
        return first


def _next_of(
    layers: Sequence[Layer], wanted: Callable[[Layer], bool]
) -> list[Layer | None]:
    """For each layer the next one that is wanted."""
    found: list[Layer | None] = []
    following: Layer | None = None
    for layer in reversed(layers):
        found.append(following)
        if wanted(layer):
            following = layer
    return found[::-1]


def _is_alphabetical(tensors: Sequence[Tensor]) -> bool:
    """True if the list follows the names, be it those shown or those in the file."""
    shown = [tensor.name for tensor in tensors]
    stored = [tensor.raw_name or tensor.name for tensor in tensors]
    return is_listed_by_name(shown) or (stored != shown and is_listed_by_name(stored))
