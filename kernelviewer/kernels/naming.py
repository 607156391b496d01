"""By what kernels are named: the code of an autoencoder, or the pattern family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernelviewer.kernels.classes import FINE, PAPER

if TYPE_CHECKING:
    from kernelviewer.kernels.classes import Scheme

By = Literal["code", "family"]
Words = Literal["fine", "paper"]

WAYS: dict[By, str] = {"code": "code", "family": "family"}
"""What names kernels → what people call it."""
WORDS: tuple[Words, ...] = ("fine", "paper")


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
        Whose classes the family names them by: ``fine``, those that people see, or
        ``paper``, the eleven of Babaiee et al. Stretches have the paper's in any case.
    """

    by: By = "family"
    words: Words = "fine"

    def scheme(self, by: By | None) -> Scheme:
        """The classes of kernels that are named by the code or by the family."""
        return FINE if by == "family" and self.words == "fine" else PAPER
