"""What goes wrong with codes and autoencoders, said for the person who asked."""

from __future__ import annotations

from kernelviewer.formats.errors import HintedError


class LatentError(HintedError):
    """A request about codes and autoencoders that cannot be met."""
