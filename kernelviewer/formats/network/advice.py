"""Arrays that cannot be shown: what they are, and how to save them so that they can."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernelviewer.formats.checkpoint import Skipped


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
