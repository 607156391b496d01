"""Names for what is open: a model, one of its layers, one of its kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank, Size


@dataclass(frozen=True, slots=True)
class OpenModel:
    """An open network.

    ``id`` is never given twice while the program runs; ``hub`` is the name by which
    it was fetched, empty for files.
    """

    id: int
    bank: KernelBank
    hub: str = ""


@dataclass(frozen=True, slots=True, order=True)
class LayerRef:
    """A layer: model id and index into the bank's ``layers``."""

    model: int
    layer: int


@dataclass(frozen=True, slots=True)
class KernelRef:
    """A kernel: model id, kernel size and index into that size's `KernelSet`."""

    model: int
    size: Size
    index: int
