"""Training an autoencoder: an iterator over sweeps that may be stopped at any time."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kernelviewer import __version__
from kernelviewer.device import choose_device
from kernelviewer.kernels import size_label
from kernelviewer.latent import LatentError
from kernelviewer.latent.autoencoder import METHODS, Autoencoder
from kernelviewer.latent.curve import PlainFit, codes_of_table
from kernelviewer.latent.curve_training import CurveFit, CurveOptions
from kernelviewer.latent.finishing import NAMED, finish, with_members
from kernelviewer.latent.networks import network_weights
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from kernelviewer.device import Device
    from kernelviewer.kernels import Size
    from kernelviewer.latent.autoencoder import Method
    from kernelviewer.latent.curve import Curve, PlainAutoencoder
    from kernelviewer.latent.networks import Network
    from kernelviewer.watch import Watch

SWEEPS: dict[str, int] = {"curve": 40, "paper": 60}
"""Sweeps by method, if nothing else is wished."""


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Settings of a training."""

    method: Method = "curve"
    """``curve`` or ``paper``."""
    sweeps: int | None = None
    """How often the kernels are shown; None: what the method needs."""
    seed: int = 0
    """The same seed gives the same autoencoder on the same device."""
    curve: CurveOptions = field(default_factory=CurveOptions)
    """Further options of the method ``curve``."""


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """How training stands after a sweep."""

    number: int
    total: int
    """Sweeps done and wanted."""
    loss: float
    """1 − mean cosine of the training kernels."""
    held_out_fit: float | None
    """Mean fit of the held-out kernels; None without any."""
    seconds_left: float
    """An estimate."""
    model: Curve | PlainAutoencoder
    """The model as it is now; `spectrum` decodes it."""

    def spectrum(self, count: int = 96) -> NDArray[np.float32]:
        """Patterns [count, *size] from one end of the axis to the other."""
        rows = self.model.decode(codes_of_table(count))
        return rows.reshape(count, *self.model.size)


class Supply(Protocol):
    """Networks that are too many to hold at once, as those of a corpus."""

    def batch(self, number: int, kernels: int) -> Sequence[Network]:
        """Some of the networks with some of their kernels, other ones each time.

        Parameters
        ----------
        number
            Of the sweep that they are for; the same gives the same.
        kernels
            About how many they have together.
        """

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What the card says of all of them."""


class Training:
    """One training. Iterate over it for its sweeps, then ask for `result`.

    Parameters
    ----------
    networks
        What to train on; families weigh equally. Of a `Supply` each sweep shows others.
    held_out
        Networks to measure the fit on; no family may be on both sides.
    options
        Method, sweeps, seed.
    watch
        Checked often; what it raises ends the training, after which `result` still
        gives the best so far.

    Raises
    ------
    LatentError
        There are no kernels to train on, or a family is on both sides.
    """

    def __init__(
        self,
        size: Size,
        networks: Sequence[Network] | Supply,
        *,
        held_out: Sequence[Network] = (),
        options: TrainingOptions | None = None,
        device: Device | None = None,
        watch: Watch = NEVER,
    ) -> None:
        self._supply = None if isinstance(networks, Sequence) else networks
        if not isinstance(networks, Sequence):
            networks = networks.batch(0, NAMED)
        self.size, self.networks, self.held_out = size, networks, held_out
        self.options = options or TrainingOptions()
        self.total = _sweeps(self.options)
        self._device = choose_device() if device is None else device
        self._watch = watch.quiet()
        self._stopped = False
        self._best: Sweep | None = None
        _check_networks(size, networks, held_out)

    def stop(self) -> None:
        """End after the current sweep; may be called from another thread."""
        self._stopped = True

    def __iter__(self) -> Iterator[Sweep]:
        """Train; yields after each sweep."""
        start = time.monotonic()
        fit = self._fit()
        held_out = [network.patterns for network in self.held_out]
        for number in range(1, self.total + 1):
            if self._stopped:
                return
            self._watch.check()
            if self._supply is not None:
                kernels = self.options.curve.kernels
                fit.show(*self._shown(self._supply.batch(number, kernels)))
            loss = fit.sweep()
            model = fit.curve() if isinstance(fit, CurveFit) else fit.model()
            left = (time.monotonic() - start) / number * (self.total - number)
            measured = self._mean_fit(model, held_out) if held_out else None
            sweep = Sweep(number, self.total, loss, measured, left, model)
            if not _is_worse(sweep, self._best):
                self._best = sweep
            yield sweep

    def result(self, *, watch: Watch = NEVER, names: bool = True) -> Autoencoder:
        """The best model so far with its names, its null and its card.

        Parameters
        ----------
        watch
            Told how far naming is; what it raises ends it.
        names
            Whether to name the spectrum, which takes most of the time.

        Raises
        ------
        LatentError
            No sweep was finished.
        """
        if self._best is None:
            raise LatentError("training was stopped before there was anything to keep")
        best = self._best
        card: dict[str, Any] = {
            "seed": self.options.seed,
            "sweeps": f"{best.number} of {self.total}",
            "options": asdict(self.options.curve) if self._is_curve else {},
            "device": self._device.type,
            "training": self._entries(),
            "held_out": [_entry(network) for network in self.held_out],
            "held_out_fit": best.held_out_fit,
            "versions": _versions(),
        }
        return finish(
            self.options.method,
            best.model,
            self.networks,
            card,
            members=self.options.curve.members if self._is_curve else 0.0,
            device=self._device,
            watch=watch,
            names=names,
        )

    @property
    def _is_curve(self) -> bool:
        return self.options.method == "curve"

    def _entries(self) -> list[dict[str, Any]]:
        if self._supply is not None:
            return self._supply.entries
        return [_entry(network) for network in self.networks]

    def _shown(self, networks: Sequence[Network]) -> tuple[Tensor, Tensor]:
        """Patterns [N, taps] and weights [N] of networks and of members beside them."""
        import torch

        kernels = np.concatenate([network.patterns for network in networks])
        share = self.options.curve.members if self._is_curve else 0.0
        shown = with_members(self.size, kernels, network_weights(networks), share)
        return torch.from_numpy(shown.patterns).flatten(1), torch.from_numpy(
            shown.weight
        )

    def _fit(self) -> CurveFit | PlainFit:
        patterns, weights = self._shown(self.networks)
        if not self._is_curve:
            return PlainFit(
                self.size,
                patterns,
                weights,
                sweeps=self.total,
                seed=self.options.seed,
                device=self._device,
            )
        return CurveFit(
            self.size,
            patterns,
            weights,
            sweeps=self.total,
            options=self.options.curve,
            seed=self.options.seed,
            device=self._device,
            watch=self._watch,
        )

    def _mean_fit(
        self, model: Curve | PlainAutoencoder, patterns: list[NDArray[np.float32]]
    ) -> float:
        """Mean over networks: they weigh equally here too."""
        coder = Autoencoder.of(self.options.method, model)
        fits = [
            coder.encode(part, device=self._device, watch=self._watch).mean_fit
            for part in patterns
        ]
        return float(np.mean(fits))


def train(
    size: Size,
    networks: Sequence[Network],
    *,
    held_out: Sequence[Network] = (),
    options: TrainingOptions | None = None,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Autoencoder:
    """Train to the end: `Training` for callers that need not keep a part of it.

    Parameters
    ----------
    watch
        Told sweeps done, their number, loss and held-out fit; what it raises ends the
        training.

    See `Training` for the other parameters and what is raised.
    """
    training = Training(
        size, networks, held_out=held_out, options=options, device=device, watch=watch
    )
    for sweep in training:
        watch.progress(sweep.number, sweep.total, describe(sweep))
    return training.result(watch=watch)


def describe(sweep: Sweep) -> str:
    """A sweep in words: ``loss 0.213 · held-out fit 0.781 · 4 s left``."""
    parts = [f"loss {sweep.loss:.3f}"]
    if sweep.held_out_fit is not None:
        parts.append(f"held-out fit {sweep.held_out_fit:.3f}")
    return " · ".join([*parts, f"{sweep.seconds_left:.0f} s left"])


def _is_worse(sweep: Sweep, best: Sweep | None) -> bool:
    """True if held-out kernels fit worse; without any the last sweep is the best."""
    if best is None or sweep.held_out_fit is None or best.held_out_fit is None:
        return False
    return sweep.held_out_fit < best.held_out_fit


def _sweeps(options: TrainingOptions) -> int:
    if options.method not in METHODS:
        msg = f"there is no method {options.method!r}"
        raise LatentError(msg, f"Use {' or '.join(METHODS)}.")
    total = SWEEPS[options.method] if options.sweeps is None else options.sweeps
    if total < 1:
        raise LatentError(f"{total} sweeps are too few to train")
    return total


def _check_networks(
    size: Size, networks: Sequence[Network], held_out: Sequence[Network]
) -> None:
    if not sum(map(len, networks)):
        msg = f"there are no {size_label(size)} kernels to train on"
        raise LatentError(msg, "Flat kernels do not count; open other networks.")
    for network in (*networks, *held_out):
        if network.patterns.shape[1:] != size:
            msg = f"the kernels of {network.name} are not {size_label(size)}"
            raise LatentError(msg)
        if not np.isfinite(network.patterns).all():
            msg = f"{network.name} has weights that are not finite"
            raise LatentError(msg, "Mark such kernels as flat.")
    both = {item.family for item in networks} & {item.family for item in held_out}
    if both:
        names = [item.name for item in held_out if item.family in both]
        msg = f"{names[0]} is a sibling of a network that is trained on"
        raise LatentError(msg, "Hold out the whole family, or none of it.")


def _entry(network: Network) -> dict[str, Any]:
    return {
        "name": network.name,
        "sha256": network.sha256,
        "kernels": len(network),
        "family": network.family,
        "same": list(network.same),
    }


def _versions() -> dict[str, str]:
    import torch

    return {
        "kernelviewer": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": str(torch.__version__).partition("+")[0],
    }
