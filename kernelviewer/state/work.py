"""All that a document holds, but for its history and what can be computed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.arrangement import Display
    from kernelviewer.state.charts import Charts
    from kernelviewer.state.marks import Marks, Scope
    from kernelviewer.state.model import KernelRef, OpenModel


@dataclass(frozen=True, slots=True)
class Gist:
    """What makes work worth saving; networks that were closed since are let go.

    ``models`` are ids and banks, ``chosen`` identities of autoencoders.
    """

    models: tuple[tuple[int, ref[KernelBank]], ...]
    marks: Marks
    chosen: Mapping[Size, int]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """References to a document's values at one moment; none of them ever changes.

    Attributes
    ----------
    models, scope, focus, display, charts, position, marks, autoencoders
        As in `Document`.
    chosen
        Sizes whose autoencoder was chosen by hand, with the file it is from; None
        where it was trained here and not saved.
    """

    models: tuple[OpenModel, ...]
    scope: Scope
    focus: KernelRef | None
    display: Display
    charts: Charts
    position: float
    marks: Marks
    autoencoders: Mapping[Size, Autoencoder]
    chosen: Mapping[Size, Path | None]

    def differs_from(self, other: Work) -> bool:
        """Whether any value is another; they are compared by identity."""
        return any(
            getattr(self, name) is not getattr(other, name) for name in self.__slots__
        )

    @property
    def gist(self) -> Gist:
        """What of it would be lost."""
        return Gist(
            tuple((model.id, ref(model.bank)) for model in self.models),
            self.marks,
            {size: id(self.autoencoders[size]) for size in self.chosen},
        )

    def is_saved_as(self, saved: Gist | None) -> bool:
        """Whether nothing would be lost if only ``saved`` were kept.

        Networks, autoencoders, stretches, thresholds and the selection are work; what
        is merely looked at is not. Without ``saved``, opened files are no work either.
        """
        if saved is None:
            return self.marks.are_blank and None not in self.chosen.values()
        return self.gist == saved
