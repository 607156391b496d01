"""PyTorch Lightning: keep the depthwise kernels every so many steps.

    trainer = Trainer(callbacks=[Snapshots("run", every=100)])

Then ``kernelviewer series run``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback

import kernelviewer as kv


class Snapshots(Callback):
    """Writes a snapshot before the first step, every ``every`` steps and at the end."""

    def __init__(self, folder: str | Path, every: int = 100) -> None:
        self.folder, self.every = Path(folder), every
        self._last = -1

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Before the first step."""
        self._write(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """After a batch; with accumulated gradients not each is a step."""
        if trainer.global_step % self.every == 0:
            self._write(trainer, pl_module)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """After the last step."""
        self._write(trainer, pl_module)

    def _write(self, trainer: Any, pl_module: Any) -> None:
        if trainer.is_global_zero and trainer.global_step != self._last:
            self._last = trainer.global_step
            kv.snapshot(pl_module, trainer.global_step, self.folder)
