"""See the patterns in a trained network's depthwise convolution kernels.

Any checkpoint opens without running code from it; its depthwise kernels come as one
array per kernel size:

>>> import kernelviewer as kv
>>> from kernelviewer.files import resource
>>> checkpoint = kv.open_checkpoint(resource("sample", "sample.safetensors"))
>>> bank = kv.extract_kernels(checkpoint)
>>> kernels = bank.sizes[7, 7]
>>> kernels.weights.shape == (len(kernels), 7, 7)
True
>>> bank.layers[kernels.layer[0]].kind
'depthwise'

Of two networks, `compare` tells what changed, kernel by kernel:

>>> kv.compare(bank, bank).sizes[7, 7].summary.changed
0.0

Neither torch nor Qt is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.importing import imported_when_used

if TYPE_CHECKING:
    from kernelviewer.formats import Checkpoint, CheckpointError, open_checkpoint
    from kernelviewer.kernels import KernelBank, extract_kernels
    from kernelviewer.kernels.archive import snapshot
    from kernelviewer.latent.compare import compare
    from kernelviewer.latent.keys import approximate
else:
    __getattr__, __dir__ = imported_when_used(
        __name__,
        {
            "Checkpoint": "kernelviewer.formats",
            "CheckpointError": "kernelviewer.formats",
            "KernelBank": "kernelviewer.kernels",
            "approximate": "kernelviewer.latent.keys",
            "compare": "kernelviewer.latent.compare",
            "extract_kernels": "kernelviewer.kernels",
            "open_checkpoint": "kernelviewer.formats",
            "snapshot": "kernelviewer.kernels.archive",
        },
    )

__version__ = "0.1.0"

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "KernelBank",
    "__version__",
    "approximate",
    "compare",
    "extract_kernels",
    "open_checkpoint",
    "snapshot",
]
