"""The plain autoencoder of the paper: encoder → one number in [0, 1] → decoder.

Babaiee et al., *Unveiling the Unseen* (ICLR 2024, arXiv:2401.14469), with the sigmoid
code of their *Universal Master Key Filters* (arXiv:2509.11711) and a cosine loss. Kept
so that results can be compared like with like; `kernelviewer.latent.curve` does better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import namespace_of
from kernelviewer.latent.curve import unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from kernelviewer.device import Array, Device
    from kernelviewer.kernels import Size

WIDTH = 256
LAYERS = 3
_GELU = math.sqrt(2 / math.pi)
PARTS = tuple(
    f"{part}.{layer}.{kind}"
    for part in ("encoder", "decoder")
    for layer in range(LAYERS)
    for kind in ("weight", "bias")
)
"""Names of the parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class PlainAutoencoder:
    """An encoder and a decoder of three layers each.

    Attributes
    ----------
    size
        Kernel size.
    parameters
        The arrays named in `PARTS`, float32, weights as [out, in].
    """

    size: Size
    parameters: Mapping[str, NDArray[np.float32]]

    def decode(self, code: NDArray[np.floating]) -> NDArray[np.float32]:
        """Patterns [n, taps] of codes [n]; beyond [0, 1] those of the ends."""
        rows = np.clip(np.asarray(code, np.float64), 0, 1)[:, None]
        return unit_rows(_run(self.parameters, "decoder", rows))

    def on(self, device: Device) -> dict[str, Array]:
        """The parameters on a device."""
        return {name: device.put(value) for name, value in self.parameters.items()}


def shapes(taps: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the parameters for kernels of so many taps."""
    wide = {"encoder": (taps, WIDTH, WIDTH, 1), "decoder": (1, WIDTH, WIDTH, taps)}
    found: dict[str, tuple[int, ...]] = {}
    for name in PARTS:
        part, layer, kind = name.split(".")
        before, after = wide[part][int(layer) : int(layer) + 2]
        found[name] = (after, before) if kind == "weight" else (after,)
    return found


def first_parameters(taps: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Random parameters: uniform in ± 1/√inputs."""
    import torch

    found = {}
    for name, shape in shapes(taps).items():
        inputs = shapes(taps)[name.replace("bias", "weight")][1]
        bound = inputs**-0.5
        found[name] = (2 * torch.rand(shape, generator=generator) - 1) * bound
    return found


def encode(parameters: Mapping[str, Array], patterns: Array) -> Array:
    """Codes [n] of patterns [n, taps], of numpy or torch."""
    xp = namespace_of(patterns)
    # the logistic function, which overflows nowhere
    return (xp.tanh(_run(parameters, "encoder", patterns)[:, 0] / 2) + 1) / 2


def decode(parameters: Mapping[str, Tensor], code: Tensor) -> Tensor:
    """Unit patterns [n, taps] of codes [n], with their gradients."""
    rows = _run(parameters, "decoder", code[:, None])
    rows = rows - rows.mean(1, keepdim=True)
    shown: Tensor = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return shown


def _run(parameters: Mapping[str, Array], part: str, rows: Array) -> Array:
    for layer in range(LAYERS):
        name = f"{part}.{layer}"
        rows = rows @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]
        rows = _gelu(rows) if layer < LAYERS - 1 else rows
    return rows


def _gelu(x: Array) -> Array:
    if not isinstance(x, np.ndarray):
        from torch.nn.functional import gelu

        return gelu(x, approximate="tanh")  # one pass, forwards and backwards
    return 0.5 * x * (1 + np.tanh(_GELU * (x + 0.044715 * (x * x * x))))


class PlainFit:
    """A plain autoencoder being fitted; the parameters as for `CurveFit`."""

    BATCH = 512
    STEPS = 50
    """Gradient steps in a sweep."""

    def __init__(
        self,
        size: Size,
        patterns: Tensor,
        weights: Tensor,
        *,
        sweeps: int,
        seed: int,
        device: Device,
    ) -> None:
        import torch

        self._size, self._device = size, device.torch_device
        self._random = torch.Generator().manual_seed(seed)
        self._patterns = patterns.to(self._device)
        self._weights = weights / weights.sum()
        first = first_parameters(patterns.shape[1], self._random)
        self._parameters = {
            name: value.to(self._device).requires_grad_()
            for name, value in first.items()
        }
        self._optimizer = torch.optim.AdamW(self._parameters.values(), lr=2e-3)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, 2e-3, total_steps=max(2, sweeps * self.STEPS)
        )

    def show(self, patterns: Tensor, weights: Tensor) -> None:
        """Show other kernels from now on, as where there are too many for one sweep."""
        self._patterns = patterns.to(self._device)
        self._weights = weights / weights.sum()

    def sweep(self) -> float:
        """Take some steps down the gradient; their mean loss, 1 − cosine."""
        losses = [self._step() for _ in range(self.STEPS)]
        return sum(losses) / len(losses)

    def model(self) -> PlainAutoencoder:
        """The autoencoder as it is now."""
        return PlainAutoencoder(
            self._size,
            {
                name: value.detach().cpu().numpy().copy()
                for name, value in self._parameters.items()
            },
        )

    def _step(self) -> float:
        import torch

        drawn = torch.multinomial(
            self._weights, self.BATCH, replacement=True, generator=self._random
        )
        batch = self._patterns[drawn.to(self._device)]
        shown = decode(self._parameters, encode(self._parameters, batch))
        loss = 1 - (batch * shown).sum(1).mean()
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        self._optimizer.step()
        self._schedule.step()
        return float(loss.detach())
