"""The window; the only part of the program that knows Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.importing import imported_when_used

if TYPE_CHECKING:
    from kernelviewer.gui.application import create_window
else:
    __getattr__, __dir__ = imported_when_used(
        __name__, {"create_window": "kernelviewer.gui.application"}
    )

__all__ = ["create_window"]
