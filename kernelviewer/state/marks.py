"""What of the open work is shown, and how it is marked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernelviewer.state.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.model import LayerRef


@dataclass(frozen=True, slots=True)
class Scope:
    """What is shown: layers (None: all of them) and the wished kernel size.

    ``only_selected``: the grid leaves out what is not selected.
    """

    layers: frozenset[LayerRef] | None = None
    size: Size | None = None
    only_selected: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """What can be undone: the selection, thresholds and stretches that were changed.

    Sizes that are not in ``thresholds`` or ``segments`` have their autoencoder's own.
    """

    selection: Selection = field(default_factory=Selection)
    thresholds: Mapping[Size, float] = field(default_factory=dict)
    segments: Mapping[Size, Segments] = field(default_factory=dict)

    @property
    def are_blank(self) -> bool:
        """Whether nothing was marked yet."""
        return not (self.selection.steps or self.thresholds or self.segments)
