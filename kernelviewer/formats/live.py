"""A network in memory, or its state dict, as an opened file would be.

What the modules say of groups, strides and dilations is taken from them, and weights
that are re-parametrised (weight norm) are those that the network computes with.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.checkpoint import (
    NESTED,
    OWN_CLASS,
    SPARSE,
    WITHOUT_VALUES,
    operator_of,
)
from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.network.assemble import Contents, assemble
from kernelviewer.formats.source import Options, Source
from kernelviewer.formats.stored import ITEMSIZE, Leaf, no_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray
    from torch import nn

    from kernelviewer.formats.checkpoint import Checkpoint, Operator
    from kernelviewer.formats.stored import Load

    Network = nn.Module | Mapping[str, ArrayLike]

_WEIGHT = re.compile(
    r"(?:(?P<owner>.*)\.)?(?:weight(?:_g|_v|_orig|_u|_mask)?|parametrizations\.weight\..+)"
)
"""Keys of a module's weight, and of the parts that re-parametrisation keeps of it."""
_DEEPEST = 8


def checkpoint_of(network: Network, *, copy: str = "") -> Checkpoint:
    """The weights of a network in memory; values are read when they are asked for.

    Parameters
    ----------
    network
        A module of PyTorch, on whatever device, wrapped for several or compiled, or
        not; or name → array as in PyTorch's state dicts, nested or not.
    copy
        Which copy of the network, where a state dict holds several.

    Returns
    -------
    Checkpoint
        Its ``path`` is only a name, that of the module's class.

    Raises
    ------
    CheckpointError
        It has no weights.
    TypeError
        It is neither.
    """
    if isinstance(network, Mapping):
        contents = Contents("state dict in memory", list(_leaves_of(network, ())))
        path = Path("state dict")
    elif is_network(network):
        module = unwrapped(network)
        leaves, name = list(_leaves_of_module(module)), type(module).__name__
        contents = Contents("network in memory", leaves, architecture=name)
        path = Path(name)
    else:
        msg = (
            "give an opened checkpoint, a path, a torch.nn.Module or a state dict, "
            f"not {type(network).__name__}"
        )
        if hasattr(network, "shape"):
            msg += '; an array has to have a name: {"conv_dw.weight": array}'
        raise TypeError(msg)
    sizes = [prod(leaf.shape) * ITEMSIZE.get(leaf.dtype, 4) for leaf in contents.leaves]
    source = Source(path, sum(sizes), b"")
    try:
        return assemble(source, Options(copy=copy), contents)
    except DamagedError as error:
        raise CheckpointError(path, str(error), error.hint) from None


def is_network(value: object) -> bool:
    """True for a module of PyTorch; torch is not imported to tell."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def unwrapped(model: Any) -> Any:
    """The network in what `torch.compile` and data parallel training put around it."""
    for name in ("_orig_mod", "module"):
        inner = getattr(model, name, None)
        if inner is not None and hasattr(inner, "named_modules"):
            return unwrapped(inner)
    return model


def _leaves_of_module(module: nn.Module) -> Iterator[Leaf]:
    """Every array of the state dict; a convolution's weight once, as it is used."""
    from torch.nn.modules.conv import _ConvNd

    convolutions = {
        name: item
        for name, item in module.named_modules()
        if isinstance(item, _ConvNd) and getattr(item, "weight", None) is not None
    }
    done = set()
    for key, value in module.state_dict().items():
        found = _WEIGHT.fullmatch(key)
        owner = (found["owner"] or "") if found else ""
        if found is None or owner not in convolutions:
            yield _leaf((key,), value)
        elif owner not in done:
            done.add(owner)
            item = convolutions[owner]
            name = f"{owner}.weight" if owner else "weight"
            yield _leaf((name,), item.weight, _operator(item))


def _operator(module: Any) -> Operator:
    names = ("groups", "stride", "dilation", "padding", "transposed", "in_channels")
    return operator_of({name: getattr(module, name) for name in names})


def _leaves_of(values: Mapping[Any, Any], path: tuple[str, ...]) -> Iterator[Leaf]:
    """Arrays under their names, in dictionaries within too; what is else is passed."""
    for key, value in values.items():
        here = (*path, str(key))
        if isinstance(value, Mapping):
            if len(here) < _DEEPEST:
                yield from _leaves_of(value, here)
        elif hasattr(value, "shape") and hasattr(value, "dtype"):
            yield _leaf(here, value)


def _leaf(path: tuple[str, ...], value: Any, operator: Operator | None = None) -> Leaf:
    """An array of any framework that numpy takes."""
    name, shape = "/".join(path), tuple(int(side) for side in value.shape)
    dtype = str(value.dtype).removeprefix("torch.")
    problem = ""
    load: Load = partial(_values, value)
    if hasattr(value, "layout"):  # of torch
        problem = _problem(value)
        load = no_values if problem else partial(_tensor_values, value)
        if value.is_quantized:
            dtype = "float32"
    identity = None
    if hasattr(value, "data_ptr") and not problem and value.numel():
        identity = (value.device, value.data_ptr(), shape, value.stride())
    return Leaf(
        *(path, name, shape, dtype, load, operator), identity=identity, unusable=problem
    )


def _problem(tensor: Any) -> str:
    """Why a tensor of torch cannot be read; empty if it can."""
    if tensor.is_nested:
        return NESTED
    if tensor.is_meta:
        return WITHOUT_VALUES
    if str(tensor.layout) != "torch.strided":
        return SPARSE
    return OWN_CLASS if hasattr(tensor, "full_tensor") else ""


def _tensor_values(tensor: Any) -> NDArray[Any]:
    """Values on the host; those that numpy has no type for as float32."""
    here = tensor.detach()
    here = here.dequantize() if here.is_quantized else here
    here = here.cpu()
    try:
        return np.array(here.numpy())
    except TypeError:  # bfloat16, float8
        return np.array(here.float().numpy())


def _values(value: Any) -> NDArray[Any]:
    return np.array(value)
