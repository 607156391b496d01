"""All that a document holds, but for its history and what can be computed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.state.arrangement import Display
    from kernelviewer.state.charts import Charts
    from kernelviewer.state.marks import Marks, Scope
    from kernelviewer.state.model import KernelRef, OpenModel


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

    def is_saved_as(self, saved: Work | None) -> bool:
        """Whether nothing would be lost if only ``saved`` were kept.

        Networks, autoencoders, stretches, thresholds and the selection are work; what
        is merely looked at is not. Without ``saved``, opened files are no work either.
        """
        if saved is None:
            return self.marks.are_blank and None not in self.chosen.values()
        return (
            self.models == saved.models
            and self.marks == saved.marks
            and self._chosen() == saved._chosen()
        )

    def _chosen(self) -> dict[Size, int]:
        return {size: id(self.autoencoders[size]) for size in self.chosen}
