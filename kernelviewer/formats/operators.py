"""What graphs and modules say of a convolution, as an `Operator`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Operator

if TYPE_CHECKING:
    from collections.abc import Mapping


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
