"""By what kernels are named: the code of an autoencoder, or the pattern family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

By = Literal["code", "family"]
Words = Literal["paper"]

WAYS: dict[By, str] = {"code": "code", "family": "family"}
"""What names kernels → what people call it."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How kernels get their names.

    Attributes
    ----------
    by
        ``code``: by the stretch of the spectrum that a kernel's code falls in, as in
        the paper; ``family``: by the kernel's own nearest member of the pattern family.
        Kernels of a size without an autoencoder have no code; the family names them.
    words
        Whose classes: ``paper``, the eleven of Babaiee et al.
    """

    by: By = "family"
    words: Words = "paper"
