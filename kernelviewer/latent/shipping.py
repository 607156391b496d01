"""Making the autoencoders that come with the program, and judging them."""

from __future__ import annotations

import json
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.files import write_text
from kernelviewer.kernels import size_key
from kernelviewer.latent.autoencoder import METHODS, Autoencoder
from kernelviewer.latent.baselines import COUNTS, centroids_of
from kernelviewer.latent.curve_training import CurveOptions
from kernelviewer.latent.errors import LatentError
from kernelviewer.latent.evaluation import (
    Contest,
    by_layer,
    judge,
    leave_one_family_out,
)
from kernelviewer.latent.model_card import model_card
from kernelviewer.latent.networks import collect, split
from kernelviewer.latent.training import Training, TrainingOptions, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import torch

    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.autoencoder import Method
    from kernelviewer.latent.networks import Network

    Progress = Callable[[int, int, str], object]

SIZES: tuple[Size, ...] = ((3, 3), (5, 5), (7, 7), (9, 9))
KNEE_SIZE: Size = (7, 7)
MEMBERS = 0.2
"""Share of the weight that random members of the family have beside the networks."""
WIDTHS = (0.0056, 0.004, 0.003, 0.0022)
SHARES = (0.0, 0.1, 0.2, 0.3)
"""Widths of the last neighbourhood, and shares of members, between which was chosen."""
WORKERS = 2
"""Sizes in work at a time: most of the work keeps one core busy."""
RESULTS = "evaluation.json"
CARD = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True)
class Material:
    """What to ship autoencoders of.

    Attributes
    ----------
    banks
        Trained networks; repeats of one count once.
    controls
        Networks that must come out near their null; they never train.
    held_out
        Networks that no autoencoder is trained on, to measure them all on; siblings of
        these among ``banks`` are left out.
    """

    banks: Sequence[KernelBank]
    controls: Sequence[KernelBank] = ()
    held_out: Sequence[KernelBank] = ()


def ship(
    material: Material,
    folder: Path,
    *,
    command: str,
    seed: int = 0,
    device: torch.device | None = None,
    progress: Progress = lambda done, total, text: None,
) -> None:
    """Train, judge and write autoencoders, their results and their card.

    Parameters
    ----------
    material
        The networks.
    folder
        Where to write.
    command
        What the user typed, for the card.
    seed, device
        As for `kernelviewer.latent.training`.
    progress
        Called with what is done, what there is to do, and a text.

    Raises
    ------
    OSError
        The folder cannot be written to.
    LatentError
        No network has kernels of a size that is shipped.
    """
    options = TrainingOptions(seed=seed, curve=CurveOptions(members=MEMBERS))
    stopped = Event()

    def report(done: int, total: int, text: str) -> None:
        if stopped.is_set():
            raise CancelledError
        progress(done, total, text)

    work = _Work(options, device, report)
    facts: dict[str, Any] = {"command": command, "sizes": {}}
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for size, found in zip(
                SIZES,
                pool.map(lambda size: _ship_size(size, material, folder, work), SIZES),
                strict=True,
            ):
                if found is None:
                    continue
                facts["versions"] = found.pop("versions")
                facts["sizes"][size_key(size)] = found
                write_text(folder / RESULTS, json.dumps(facts, indent=1) + "\n")
                write_text(folder / CARD, model_card(facts))
        except BaseException:
            stopped.set()
            raise
    if not facts["sizes"]:
        msg = "the files have no kernels of a size that comes with the program"
        raise LatentError(msg)


def _ship_size(
    size: Size, material: Material, folder: Path, work: _Work
) -> dict[str, Any] | None:
    """Write the autoencoders of one size; what there is to say about them."""
    parts = split(material.banks, material.held_out, size)
    if not parts.networks:
        return None
    made = work.made(size, parts.networks)
    for method, autoencoder in made.items():
        autoencoder.save(folder / f"{method}-{size_key(size)}.safetensors")
    contest = Contest(made["curve"], made["paper"], made["curve"].centroids)
    facts: dict[str, Any] = {
        "versions": made["curve"].card["versions"],
        "made": {method: _facts(item) for method, item in made.items()},
        "split": "family" if len(_families(parts.networks)) > 1 else "layer",
        "left_out": work.left_out(size, _parts(parts.networks)),
        "held_out": work.judged(contest, parts.held_out),
        "controls": work.judged(
            Contest(made["curve"], None, {}), collect(material.controls, size)
        ),
    }
    if size == KNEE_SIZE:
        facts["knee"] = list(work.knee(size, parts.networks, parts.held_out))
    return facts


@dataclass(frozen=True, slots=True)
class _Work:
    """How everything is trained and judged."""

    options: TrainingOptions
    device: torch.device | None
    progress: Progress

    def made(
        self, size: Size, networks: Sequence[Network]
    ) -> dict[Method, Autoencoder]:
        """The autoencoders of all networks."""
        made = {
            method: train(
                size,
                networks,
                options=replace(self.options, method=method),
                device=self.device,
                progress=self.progress,
            )
            for method in METHODS
        }
        centroids = {
            count: centroids_of(networks, count, device=self.device) for count in COUNTS
        }
        made["curve"] = replace(made["curve"], centroids=centroids)
        return made

    def left_out(self, size: Size, networks: Sequence[Network]) -> list[dict[str, Any]]:
        """Each family judged by what is trained without it."""
        judgements = leave_one_family_out(
            size,
            networks,
            options=self.options,
            device=self.device,
            progress=self.progress,
        )
        return [item.to_json() for item in judgements]

    def judged(
        self, contest: Contest, networks: Sequence[Network]
    ) -> list[dict[str, Any]]:
        """Networks that nothing was trained on."""
        return [
            judge(contest, item.name, item.patterns, device=self.device).to_json()
            for item in networks
        ]

    def knee(
        self, size: Size, networks: Sequence[Network], held_out: Sequence[Network]
    ) -> Iterator[dict[str, Any]]:
        """Fit on unseen networks against length and stretches, by width and share."""
        chosen = self.options.curve
        tried = [replace(chosen, width=width) for width in WIDTHS]
        tried += [replace(chosen, members=share) for share in SHARES]
        for number, curve in enumerate(dict.fromkeys(tried)):
            text = f"width {curve.width}, {curve.members:.0%} members"
            self.progress(number, len(tried), text)
            options = replace(self.options, curve=curve)
            fits = []
            for family in _families(networks):
                rest = [item for item in networks if item.family != family]
                out = [item for item in networks if item.family == family]
                if rest:
                    *_, last = Training(size, rest, options=options, device=self.device)
                    fits.append(self._fit(Autoencoder.of("curve", last.model), out))
            whole = train(size, networks, options=options, device=self.device)
            yield {
                "width": curve.width,
                "members": curve.members,
                "left_out_fit": float(np.mean(fits)) if fits else None,
                "held_out_fit": self._fit(whole, held_out) if held_out else None,
                **whole.card["results"],
            }

    def _fit(self, coder: Autoencoder, networks: Sequence[Network]) -> float:
        kernels = np.concatenate([item.patterns for item in networks])
        return coder.encode(kernels, device=self.device).mean_fit


def _facts(autoencoder: Autoencoder) -> dict[str, Any]:
    card = autoencoder.card
    kept = {key: card[key] for key in ("seed", "options", "training", "results")}
    return kept | {"segments": [item.class_id for item in autoencoder.segments]}


def _families(networks: Sequence[Network]) -> list[int]:
    return list(dict.fromkeys(item.family for item in networks))


def _parts(networks: Sequence[Network]) -> Sequence[Network]:
    """The networks, or the halves by layer where there is just one family."""
    if len(_families(networks)) > 1:
        return networks
    return [part for network in networks for part in by_layer(network)]
