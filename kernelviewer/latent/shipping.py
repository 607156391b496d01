"""Making the autoencoders that come with the program, and judging them."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from kernelviewer.files import write_text
from kernelviewer.kernels import size_key, size_label
from kernelviewer.latent import LatentError
from kernelviewer.latent.autoencoder import METHODS, Autoencoder
from kernelviewer.latent.curve_training import CurveOptions
from kernelviewer.latent.evaluation import (
    COUNTS,
    Baselines,
    by_layer,
    centroids_of,
    judge,
    judge_without,
)
from kernelviewer.latent.model_card import model_card
from kernelviewer.latent.networks import collect, split
from kernelviewer.latent.training import Training, TrainingOptions, train
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.networks import Network, Parts
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


SIZES: tuple[Size, ...] = ((3, 3), (5, 5), (7, 7), (9, 9))
KNEE_SIZE: Size = (7, 7)
MEMBERS = 0.2
"""Share of the weight that random members of the family have beside the networks."""
WIDTHS = (0.0056, 0.004, 0.003, 0.0022)
SHARES = (0.0, 0.1, 0.2, 0.3)
PULLS = (0.0, 0.2)
"""Widths of the last neighbourhood, shares of members, and how much a point of a
kernel's own class is favoured, between which was chosen."""
RESULTS = "evaluation.json"
CARD = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class Material:
    """The sizes and networks to ship autoencoders of."""

    banks: Sequence[KernelBank]
    """Trained networks; repeats of one count once."""
    controls: Sequence[KernelBank] = ()
    """Networks that must come out near their null; they never train."""
    held_out: Sequence[KernelBank] = ()
    """Networks that no autoencoder is trained on, to measure them all on; siblings of
    these among ``banks`` are left out."""


def ship(
    material: Material,
    folder: AnyPath,
    *,
    command: str,
    seed: int = 0,
    device: Device | None = None,
    workers: int = 1,
    watch: Watch = NEVER,
) -> None:
    """Train, judge and write autoencoders, their results and their card.

    Parameters
    ----------
    command
        What the user typed, for the card.
    seed, device
        As for `kernelviewer.latent.training`.
    workers
        Processes to share the work among; 1: this one. The results are the same.
    watch
        Told parts done and their number.

    Raises
    ------
    OSError
        The folder cannot be written to.
    LatentError
        No network has kernels of a size that is shipped.
    """
    folder = Path(folder)
    options = TrainingOptions(seed=seed, curve=CurveOptions(members=MEMBERS))
    sizes = {size: split(material.banks, material.held_out, size) for size in SIZES}
    sizes = {size: parts for size, parts in sizes.items() if parts.networks}
    if not sizes:
        msg = "the files have no kernels of a size that comes with the program"
        raise LatentError(msg)
    tasks: list[Task] = []
    for size, parts in sizes.items():
        controls = collect(material.controls, size)
        tasks += _tasks(size, parts, controls, folder, options, device)
    facts: dict[str, Any] = {"command": command, "sizes": {}}
    for size in sizes:
        facts["sizes"][size_key(size)] = {"left_out": []}
    results = zip(tasks, shared_out(tasks, workers), strict=True)
    for number, (task, found) in enumerate(results, 1):
        watch.progress(number, len(tasks), task.text)
        entry = facts["sizes"][size_key(task.size)]
        if isinstance(task, Make):
            facts["versions"] = found.pop("versions")
            entry |= found
        else:
            entry.setdefault(task.entry, []).append(found)
    write_text(folder / RESULTS, json.dumps(facts, indent=1) + "\n")
    write_text(folder / CARD, model_card(facts))


def _tasks(
    size: Size,
    parts: Parts,
    controls: Sequence[Network],
    folder: Path,
    options: TrainingOptions,
    device: Device | None,
) -> Iterator[Task]:
    """All there is to do for one size, each independent of the others."""
    networks = parts.networks
    yield Make(size, networks, options, device, parts.held_out, controls, folder)
    halves = _parts(networks)
    if len(families_of(halves)) > 1:
        for family in families_of(halves):
            yield LeaveOut(size, halves, options, device, family)
    if size != KNEE_SIZE:
        return
    tried = [replace(options.curve, width=width) for width in WIDTHS]
    tried += [replace(options.curve, members=share) for share in SHARES]
    tried += [replace(options.curve, class_pull=pull) for pull in PULLS]
    for curve in dict.fromkeys(tried):
        changed = replace(options, curve=curve)
        yield Knee(size, networks, changed, device, parts.held_out)


def shared_out(tasks: Sequence[Task], workers: int) -> Iterator[dict[str, Any]]:
    """The results of the tasks, in their order."""
    if workers == 1:
        yield from map(_do, tasks)
        return
    # a process of its own start: torch's threads do not live through a fork
    pool = ProcessPoolExecutor(workers, get_context("spawn"))
    try:
        yield from pool.map(_do, tasks)
    finally:
        pool.shutdown(cancel_futures=True)


def _do(task: Task) -> dict[str, Any]:
    return task.do()


def _parts(networks: Sequence[Network]) -> Sequence[Network]:
    """The networks, or the halves by layer where there is just one family."""
    if len(families_of(networks)) > 1:
        return networks
    return [part for network in networks for part in by_layer(network)]


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
        """Its name for people."""
        return size_label(self.size)

    def do(self) -> dict[str, Any]:
        """Do it."""
        raise NotImplementedError

    def _judged(
        self, contest: Baselines, networks: Sequence[Network]
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
        split = "family" if len(families_of(self.networks)) > 1 else "layer"
        curve = replace(made["curve"], centroids=centroids)
        if split == "layer":  # nothing is known of how it does on unseen networks
            curve = replace(curve, card={**curve.card, "default_naming": "family"})
        made["curve"] = curve
        for method, autoencoder in made.items():
            name = f"{method}-{size_key(self.size)}.safetensors"
            autoencoder.save(self.folder / name)
        contest = Baselines(curve, made["paper"], centroids)
        return {
            "versions": curve.card["versions"],
            "made": {method: _facts(item) for method, item in made.items()},
            "split": split,
            "held_out": self._judged(contest, self.held_out),
            "controls": self._judged(Baselines(curve, None, {}), self.controls),
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
            "class_pull": self.options.curve.class_pull,
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
    return kept | {"segments": [item.class_id for item in autoencoder.stretches]}


def families_of(networks: Sequence[Network]) -> list[int]:
    """The families of networks, each once, in order."""
    return list(dict.fromkeys(item.family for item in networks))
