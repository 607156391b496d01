"""Kernel bank → codes and labels: a number in [0, 1] for each kernel, and its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.formats.errors import HintedError
from kernelviewer.importing import imported_when_used

if TYPE_CHECKING:
    from kernelviewer.latent.autoencoder import METHODS, Autoencoder, Method, shipped
    from kernelviewer.latent.curve import Codes
    from kernelviewer.latent.labels import Agreement, Labels, agreement, label
    from kernelviewer.latent.noise import PRESETS, Null
    from kernelviewer.latent.stretches import Stretch, Stretches
else:
    __getattr__, __dir__ = imported_when_used(
        __name__,
        {
            "METHODS": "kernelviewer.latent.autoencoder",
            "PRESETS": "kernelviewer.latent.noise",
            "Agreement": "kernelviewer.latent.labels",
            "Autoencoder": "kernelviewer.latent.autoencoder",
            "Codes": "kernelviewer.latent.curve",
            "Labels": "kernelviewer.latent.labels",
            "Method": "kernelviewer.latent.autoencoder",
            "Null": "kernelviewer.latent.noise",
            "Stretch": "kernelviewer.latent.stretches",
            "Stretches": "kernelviewer.latent.stretches",
            "agreement": "kernelviewer.latent.labels",
            "label": "kernelviewer.latent.labels",
            "shipped": "kernelviewer.latent.autoencoder",
        },
    )

# fmt: off
__all__ = [
    "METHODS", "PRESETS", "Agreement", "Autoencoder", "Codes", "Labels", "LatentError",
    "Method", "Null", "Stretch", "Stretches", "agreement", "label", "shipped",
]
# fmt: on


class LatentError(HintedError):
    """A request about codes and autoencoders that cannot be met."""
