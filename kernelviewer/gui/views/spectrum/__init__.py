"""The spectrum: decoded kernels along the code, its stretches, density and slider.

`bin_codes` once, `count_codes` per selection → `SpectrumView.set_density`; decoded
table and stretches → `SpectrumContent` → `SpectrumView.set_spectrum`.
"""

from __future__ import annotations

from kernelviewer.gui.views.spectrum.content import (
    NOTHING_OPEN,
    Absence,
    SpectrumContent,
    StretchSpan,
    no_autoencoder,
    not_encoded,
)
from kernelviewer.gui.views.spectrum.density import (
    BINS,
    Density,
    bin_codes,
    count_codes,
)
from kernelviewer.gui.views.spectrum.view import SpectrumView

__all__ = [
    "BINS",
    "NOTHING_OPEN",
    "Absence",
    "Density",
    "SpectrumContent",
    "SpectrumView",
    "StretchSpan",
    "bin_codes",
    "count_codes",
    "no_autoencoder",
    "not_encoded",
]
