"""What a tensor was found to be, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal[
    "depthwise", "transposed", "ambiguous", "fixed", "convolution", "none"
]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a tensor is, and why.

    Attributes
    ----------
    verdict
        ``depthwise``, ``transposed`` (depthwise), ``ambiguous``, ``fixed``,
        ``convolution`` (any other) or ``none`` (no convolution).
    reason
        Why it is ambiguous or fixed, a sentence; why kernels of one channel are an
        ordinary convolution's, a clause; else empty.
    multiplier
        Kernels per input channel of a depthwise layer, as far as can be told.
    """

    verdict: Verdict
    reason: str = ""
    multiplier: int = 1


CONVOLUTION = Decision("convolution")
NO_CONVOLUTION = Decision("none")
DEPTHWISE = Decision("depthwise")


def ordinary(reason: str) -> Decision:
    """The decision that a stack of kernels is an ordinary convolution, and why."""
    return Decision("convolution", f"an ordinary convolution: {reason}")


def ambiguous(reason: str) -> Decision:
    """The decision that the user has to decide, and why."""
    return Decision("ambiguous", reason)
