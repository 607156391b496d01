"""One module of a network as its weight shows it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from kernelviewer.kernels import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.formats.checkpoint import Tensor

Role = Literal["candidate", "convolution", "linear", "embedding", "norm"]

_CONVOLUTION_RANKS = (3, 4, 5)


@dataclass(frozen=True, eq=False)
class Layer:
    """A module that has a weight.

    Attributes
    ----------
    index
        Position in the network.
    path
        Module path, the weight's name without its last part.
    tensor, bias
        The weight, and the length of the bias beside it if there is one.
    role
        What the weight is by name and shape; ``candidate``: a kernel stack
        ``[K, 1, *size]``, depthwise unless its surroundings speak against it.
    """

    index: int
    path: str
    tensor: Tensor
    bias: int | None
    role: Role

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
