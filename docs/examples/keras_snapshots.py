"""Keras: keep the depthwise kernels every so many batches.

    model.fit(…, callbacks=[Snapshots("run", every=100)])

Then ``kernelviewer series run``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

import kernelviewer as kv


class Snapshots(keras.callbacks.Callback):
    """Writes a snapshot before the first step, every ``every`` steps and at the end."""

    def __init__(self, folder: str | Path, every: int = 100) -> None:
        super().__init__()
        self.folder, self.every = Path(folder), every
        self.step, self._last = 0, -1

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first step; a second ``fit`` goes on counting."""
        self._write()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After each step."""
        self.step += 1
        if self.step % self.every == 0:
            self._write()

    def on_train_end(self, logs: Any = None) -> None:
        """After the last step."""
        self._write()

    def _write(self) -> None:
        if self.step != self._last:
            self._last = self.step
            kernels = depthwise_kernels(self.model)
            kv.snapshot(kernels, self.step, self.folder, architecture=self.model.name)


def depthwise_kernels(model: Any) -> dict[str, np.ndarray]:
    """Layer → kernels [C·m, 1, *size], from Keras's [*size, C, m]."""
    found: dict[str, np.ndarray] = {}
    for layer in model._flatten_layers():  # those of inner models as well
        weight = getattr(layer, "depthwise_kernel", None)  # of separable ones
        kinds = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
        if weight is None and isinstance(layer, kinds):
            weight = layer.kernel
        if weight is not None:
            values = np.asarray(keras.ops.convert_to_numpy(weight))
            rows = values.reshape(*values.shape[:-2], -1)
            found[f"{layer.name}.depthwise"] = np.moveaxis(rows, -1, 0)[:, None]
    return found
