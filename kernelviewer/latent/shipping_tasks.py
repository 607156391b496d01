"""The parts that remaking the shipped autoencoders falls into.

Each is independent of the others and says how it is done, so any process can do it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from kernelviewer.kernels import size_key, size_label
from kernelviewer.latent.autoencoder import METHODS, Autoencoder
from kernelviewer.latent.baselines import COUNTS, centroids_of
from kernelviewer.latent.evaluation import Contest, judge, judge_without
from kernelviewer.latent.training import Training, train

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kernelviewer.device import Device
    from kernelviewer.kernels import Size
    from kernelviewer.latent.networks import Network
    from kernelviewer.latent.training import TrainingOptions


@dataclass(frozen=True, slots=True)
class Task:
    """A part of the work."""

    size: Size
    networks: Sequence[Network]
    options: TrainingOptions
    device: Device | None

    entry: ClassVar[str] = ""

    @property
    def text(self) -> str:
        """What it is, for people."""
        return size_label(self.size)

    def do(self) -> dict[str, Any]:
        """Do it."""
        raise NotImplementedError

    def _judged(
        self, contest: Contest, networks: Sequence[Network]
    ) -> list[dict[str, Any]]:
        return [
            judge(contest, item.name, item.patterns, device=self.device).to_json()
            for item in networks
        ]


@dataclass(frozen=True, slots=True)
class Make(Task):
    """Write the autoencoders of a size, and judge them on what is held out."""

    held_out: Sequence[Network]
    controls: Sequence[Network]
    folder: Path

    def do(self) -> dict[str, Any]:
        """Autoencoders are on the disk; the rest of what is known comes back."""
        made = {
            method: train(
                self.size,
                self.networks,
                options=replace(self.options, method=method),
                device=self.device,
            )
            for method in METHODS
        }
        centroids = {
            count: centroids_of(self.networks, count, device=self.device)
            for count in COUNTS
        }
        curve = made["curve"] = replace(made["curve"], centroids=centroids)
        for method, autoencoder in made.items():
            name = f"{method}-{size_key(self.size)}.safetensors"
            autoencoder.save(self.folder / name)
        contest = Contest(curve, made["paper"], centroids)
        return {
            "versions": curve.card["versions"],
            "made": {method: _facts(item) for method, item in made.items()},
            "split": "family" if len(families_of(self.networks)) > 1 else "layer",
            "held_out": self._judged(contest, self.held_out),
            "controls": self._judged(Contest(curve, None, {}), self.controls),
        }


@dataclass(frozen=True, slots=True)
class LeaveOut(Task):
    """Judge a family by what is trained without it."""

    family: int

    entry: ClassVar[str] = "left_out"

    def do(self) -> dict[str, Any]:
        """The judgement."""
        judgement = judge_without(
            self.size,
            self.networks,
            self.family,
            options=self.options,
            device=self.device,
        )
        return judgement.to_json()


@dataclass(frozen=True, slots=True)
class Knee(Task):
    """Fit on unseen networks, length and stretches for one width and share."""

    held_out: Sequence[Network]

    entry: ClassVar[str] = "knee"

    def do(self) -> dict[str, Any]:
        """A row of the table."""
        fits = []
        for family in families_of(self.networks):
            rest = [item for item in self.networks if item.family != family]
            out = [item for item in self.networks if item.family == family]
            if rest:
                training = Training(
                    self.size, rest, options=self.options, device=self.device
                )
                *_, last = training
                fits.append(self._fit(Autoencoder.of("curve", last.model), out))
        whole = train(
            self.size, self.networks, options=self.options, device=self.device
        )
        return {
            "width": self.options.curve.width,
            "members": self.options.curve.members,
            "left_out_fit": float(np.mean(fits)) if fits else None,
            "held_out_fit": self._fit(whole, self.held_out) if self.held_out else None,
            **whole.card["results"],
        }

    def _fit(self, coder: Autoencoder, networks: Sequence[Network]) -> float:
        kernels = np.concatenate([item.patterns for item in networks])
        return coder.encode(kernels, device=self.device).mean_fit


def _facts(autoencoder: Autoencoder) -> dict[str, Any]:
    card = autoencoder.card
    kept = {key: card[key] for key in ("seed", "options", "training", "results")}
    return kept | {"segments": [item.class_id for item in autoencoder.segments]}


def families_of(networks: Sequence[Network]) -> list[int]:
    """The families of networks, each once, in order."""
    return list(dict.fromkeys(item.family for item in networks))
