"""One number for a kernel and back: the curve, and the paper's plain autoencoder.

The curve is a spectrum of patterns as a cosine series of the code,

    D(z) = unit(Σ_j a_j cos(π j u(z))),   j = 0 … L,

with vectors ``a_j`` of one number per tap and a monotone ``u`` that stretches the axis
where many kernels live. A kernel's code is that of the nearest point of the curve.

The plain autoencoder is encoder → one number in [0, 1] → decoder:
Babaiee et al., *Unveiling the Unseen* (ICLR 2024, arXiv:2401.14469), with the sigmoid
code of their *Universal Master Key Filters* (arXiv:2509.11711) and a cosine loss. Kept
so that results can be compared like with like; the curve does better.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import namespace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from kernelviewer.device import Array, Device
    from kernelviewer.kernels import Size

POINTS = 2048
"""Points of the table that codes are read from."""


def codes_of_table(points: int = POINTS) -> NDArray[np.float64]:
    """Codes of the points of a table: 0 and 1 are its ends."""
    return np.linspace(0.0, 1.0, points)


def cosines(position: NDArray[np.float64], harmonics: int) -> NDArray[np.float64]:
    """cos(π j u) for j = 0 … ``harmonics``, [n, harmonics + 1]."""
    return np.cos(np.pi * position[:, None] * np.arange(harmonics + 1))


def unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows with mean 0 and length 1; zeros where a row is constant."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    length[length == 0] = 1
    return np.asarray(rows / length, np.float32)


def arc_length(table: NDArray[np.float32]) -> float:
    """Length of a path through unit patterns [n, taps] on their sphere, in π."""
    chords = np.linalg.norm(np.diff(table.astype(np.float64), axis=0), axis=1)
    return float(2 * np.arcsin(np.clip(chords / 2, 0, 1)).sum() / np.pi)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A decoder from codes to patterns."""

    size: Size
    """Kernel size."""
    series: NDArray[np.float32]
    """float32 [L + 1, taps], the vectors ``a_j``."""
    stretch: NDArray[np.float32]
    """float32 [n ≥ 2], values of ``u`` at n codes evenly apart, from 0 to 1."""

    def decode(self, code: NDArray[np.floating]) -> NDArray[np.float32]:
        """Patterns [n, taps] of codes [n]; beyond [0, 1] those of the ends."""
        knots = codes_of_table(len(self.stretch))
        position = np.interp(np.asarray(code, np.float64), knots, self.stretch)
        waves = cosines(position, len(self.series) - 1)
        return unit_rows(waves @ self.series.astype(np.float64))

    def arc_length(self) -> float:
        """Length of the curve on the sphere of patterns, in units of π."""
        return arc_length(self.decode(codes_of_table()))


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Where kernels lie on the spectrum. N kernels."""

    code: NDArray[np.float32]
    """float32 [N] in [0, 1]; NaN for flat kernels."""
    fit: NDArray[np.float32]
    """float32 [N], cosine of each kernel with its reconstruction; NaN likewise."""

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, rows: slice) -> Codes:
        return Codes(self.code[rows], self.fit[rows])

    @property
    def mean_fit(self) -> float:
        """Mean over the kernels that are not flat; NaN without any."""
        there = self.fit[~np.isnan(self.fit)]
        return float(there.mean(dtype=np.float64)) if len(there) else float("nan")


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
    """An encoder and a decoder of three layers each."""

    size: Size
    """Kernel size."""
    parameters: Mapping[str, NDArray[np.float32]]
    """The arrays named in `PARTS`, float32, weights as [out, in]."""

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
