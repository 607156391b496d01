"""See the patterns in a trained network's depthwise convolution kernels.

Any checkpoint opens without running code from it; its depthwise kernels, or those of
a network in memory, come as one array per kernel size:

>>> import kernelviewer as kv
>>> from kernelviewer.files import resource
>>> bank = kv.extract_kernels(resource("sample", "sample.safetensors"))
>>> kernels = bank.sizes[7, 7]
>>> kernels.weights.shape == (len(kernels), 7, 7)
True
>>> bank.layers[kernels.layer[0]].kind
'depthwise'

`label` names each of them, `spectrum` is what names them, `figure` and `report` draw
them, and `show` opens the window:

>>> table = kv.label(bank)
>>> identified, by_chance = table.coverage[7, 7]
>>> table["class"].shape, identified > 0.9, by_chance < 0.001
((880,), True, True)

Of two networks, `compare` tells what changed, kernel by kernel:

>>> kv.compare(bank, bank).sizes[7, 7].summary.changed
0.0

Neither torch, matplotlib nor Qt is imported before something needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.importing import imported_when_used

if TYPE_CHECKING:
    from kernelviewer.api import Spectrum, figure, label, report, show, spectrum
    from kernelviewer.formats import Checkpoint, CheckpointError, open_checkpoint
    from kernelviewer.kernels import KernelBank, extract_kernels
    from kernelviewer.kernels.archive import snapshot
    from kernelviewer.latent.compare import compare
    from kernelviewer.latent.keys import approximate
    from kernelviewer.latent.table import LabelTable
else:
    __getattr__, __dir__ = imported_when_used(
        __name__,
        {
            "Checkpoint": "kernelviewer.formats",
            "CheckpointError": "kernelviewer.formats",
            "KernelBank": "kernelviewer.kernels",
            "LabelTable": "kernelviewer.latent.table",
            "Spectrum": "kernelviewer.api",
            "approximate": "kernelviewer.latent.keys",
            "compare": "kernelviewer.latent.compare",
            "extract_kernels": "kernelviewer.kernels",
            "figure": "kernelviewer.api",
            "label": "kernelviewer.api",
            "open_checkpoint": "kernelviewer.formats",
            "report": "kernelviewer.api",
            "show": "kernelviewer.api",
            "snapshot": "kernelviewer.kernels.archive",
            "spectrum": "kernelviewer.api",
        },
    )

__version__ = "0.1.0"

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "KernelBank",
    "LabelTable",
    "Spectrum",
    "__version__",
    "approximate",
    "compare",
    "extract_kernels",
    "figure",
    "label",
    "open_checkpoint",
    "report",
    "show",
    "snapshot",
    "spectrum",
]
