"""What every reader returns: named tensors that are read when asked for.

Arrays that cannot be shown are told with the reason, and with how to save them so that
they can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.source import OpenedFile


@dataclass(frozen=True, slots=True)
class Operator:
    """What the file's own graph or configuration says of a convolution.

    ``None`` means that the file does not say.
    """

    groups: int | None = None
    transposed: bool = False
    stride: tuple[int, ...] | None = None
    dilation: tuple[int, ...] | None = None
    padding: tuple[int, ...] | str | None = None
    in_channels: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor of the network that stays in the file until it is loaded.

    Convolution weights come in PyTorch's layout whatever the file's:
    ``[out, in / groups, *kernel]`` (transposed: ``[in, out / groups, *kernel]``).

    Attributes
    ----------
    name
        Dotted name as people read it: wrapper prefixes such as ``module.`` removed,
        weight norm's parts joined, the last part (``weight``) kept.
    shape, dtype
        Shape, and the stored type (``float32``, ``bfloat16``, ``int8`` …).
    load
        Reads the values now, as stored or float32 (bfloat16 and float8 become float32,
        quantised values are dequantised). Raises `CheckpointError`.
    raw_name
        Name in the file.
    operator
        What the file says of the convolution that uses the tensor, if it says
        anything. Where it is given, shapes need not be guessed from.
    doubt
        What else the axes of a stack of kernels may be, a sentence; empty where the
        file or the name tells.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], NDArray[np.generic]] = field(repr=False)
    raw_name: str = ""
    operator: Operator | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry of the file that is no weight of the network, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Checkpoint:
    """An opened file: the tensors of one network, in network (else file) order.

    Attributes
    ----------
    path, format, size_bytes
        The file (or folder), the container's name for people, its size.
    tensors
        The network's weights. Only headers have been read.
    skipped
        What was left out (optimizer, running statistics, other copies …) and why.
    warnings
        Sentences a user should see.
    copies, copy
        Names of the copies of the network in the file (``params``, ``params_ema``)
        and the one that is open; empty and ``""`` where there is just one.
    architecture
        Name of the architecture where the file or its folder tells it.
    metadata
        Further facts of the file, JSON-like, for display only.
    files
        What holds the network, as it was when it was opened: the file, and the parts
        that it names.
    """

    path: Path
    format: str
    size_bytes: int
    tensors: tuple[Tensor, ...]
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    copy: str = ""
    architecture: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    files: tuple[OpenedFile, ...] = ()

    def __repr__(self) -> str:
        count = len(self.tensors)
        tensors = f"{count} tensor{'' if count == 1 else 's'}"
        return f"<Checkpoint {shown(self.path.name)}: {self.format}, {tensors}>"

    def _repr_html_(self) -> str:
        """For notebooks: the largest facts, and the first tensors."""
        from kernelviewer import notebook

        rows = [
            (item.name, "×".join(map(str, item.shape)), item.dtype)
            for item in self.tensors[:_LISTED]
        ]
        more = len(self.tensors) - len(rows)
        return notebook.card(
            repr(self)[1:-1],
            notebook.table(("tensor", "shape", "type"), rows),
            notebook.line(f"… and {more} more") if more else "",
            *map(notebook.line, self.warnings),
        )


_LISTED = 12


def operator_of(facts: Mapping[Any, Any], groups: int | None = None) -> Operator:
    """Operator of a convolution's arguments or attributes, under PyTorch's names.

    Parameters
    ----------
    facts
        ``groups``, ``stride``, ``dilation``, ``padding``, ``transposed``,
        ``in_channels``; others are not looked at, senseless ones are left open.
    groups
        What holds where ``facts`` do not say.
    """
    found, padding = facts.get("groups", groups), facts.get("padding")
    channels = facts.get("in_channels")
    return Operator(
        groups=found if type(found) is int and found > 0 else None,
        transposed=facts.get("transposed") is True,
        stride=_integers(facts.get("stride")),
        dilation=_integers(facts.get("dilation")),
        padding=padding if isinstance(padding, str) else _integers(padding),
        in_channels=channels if type(channels) is int else None,
    )


def _integers(value: object) -> tuple[int, ...] | None:
    """Integers of a number or a list of them."""
    if type(value) is int:
        return (value,)
    if isinstance(value, tuple | list) and value:
        return tuple(value) if all(type(item) is int for item in value) else None
    return None


SPARSE = "it is a sparse tensor"
NESTED = "it is a nested tensor"
WITHOUT_VALUES = "it was saved without values"
OWN_CLASS = "it is of a class of its own"
COMPLEX = "complex numbers, no weights of a convolution"
EMPTY = "it is empty"
WHOLE_NUMBERS = "whole numbers (indices, counters or a mask), no weights"

_ADVICE = {
    SPARSE: "Save sparse tensors dense: tensor.to_dense().",
    NESTED: "Save nested tensors part by part: tensor.unbind().",
    WITHOUT_VALUES: (
        "Save the network after its values were loaded, not from the meta device."
    ),
    OWN_CLASS: (
        "Turn tensors of a class of their own (quantised, distributed) into plain ones "
        "before saving: tensor.dequantize(), tensor.full_tensor()."
    ),
    COMPLEX: (
        "Kernels are real numbers: save the parts of complex ones as arrays of their "
        "own, value.real and value.imag."
    ),
}


def advice(reasons: Iterable[str]) -> str:
    """How to save what was left out for these reasons; empty if nothing helps."""
    return " ".join(dict.fromkeys(_ADVICE[item] for item in reasons if item in _ADVICE))


def warnings_of(skipped: Iterable[Skipped]) -> list[str]:
    """A sentence for each kind of array that could be shown if it were saved anew."""
    counts: dict[str, int] = {}
    first: dict[str, str] = {}
    for item in skipped:
        if item.reason in _ADVICE:
            counts[item.reason] = counts.get(item.reason, 0) + 1
            first.setdefault(item.reason, item.name)
    return [
        f"{_which(first[reason], count)} left out: {reason}. {_ADVICE[reason]}"
        for reason, count in counts.items()
    ]


def unread_layers(count: int) -> list[str]:
    """A sentence where depthwise layers are among what was left out."""
    layers = "1 depthwise layer" if count == 1 else f"{count} depthwise layers"
    return [f"{layers} cannot be read, see what was skipped."] if count else []


def _which(name: str, count: int) -> str:
    return f"{name} is" if count == 1 else f"{count} arrays ({name} …) are"
