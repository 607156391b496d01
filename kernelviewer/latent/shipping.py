"""Making the autoencoders that come with the program, and judging them."""

from __future__ import annotations

import json
from dataclasses import replace
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
from kernelviewer.latent.networks import collect
from kernelviewer.latent.training import Training, TrainingOptions, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import torch

    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.networks import Network

    Progress = Callable[[int, int, str], object]

SIZES: tuple[Size, ...] = ((3, 3), (5, 5), (7, 7), (9, 9))
KNEE_SIZE: Size = (7, 7)
WIDTHS = (0.016, 0.011, 0.008, 0.0056, 0.004, 0.0028, 0.002)
"""Widths of the last neighbourhood between which the default was chosen."""
RESULTS = "evaluation.json"
CARD = "MODEL_CARD.md"


def ship(
    banks: Sequence[KernelBank],
    controls: Sequence[KernelBank],
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
    banks
        Trained networks; repeats of one count once.
    controls
        Networks that must come out near their null; they never train.
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
    options = TrainingOptions(seed=seed)
    facts: dict[str, Any] = {"command": command, "sizes": {}}
    for size in SIZES:
        networks = collect(banks, size)
        if not networks:
            continue
        made = {
            method: train(
                size,
                networks,
                options=replace(options, method=method),
                device=device,
                progress=progress,
            )
            for method in METHODS
        }
        centroids = {
            count: centroids_of(networks, count, device=device) for count in COUNTS
        }
        made["curve"] = replace(made["curve"], centroids=centroids)
        for method, autoencoder in made.items():
            autoencoder.save(folder / f"{method}-{size_key(size)}.safetensors")
        facts["versions"] = made["curve"].card["versions"]
        facts["sizes"][size_key(size)] = {
            "made": {method: _facts(item) for method, item in made.items()},
            "split": "family" if len(_families(networks)) > 1 else "layer",
            "left_out": _judged(size, _parts(networks), options, device, progress),
            "controls": _controls(made["curve"], controls, device),
        }
        if size == KNEE_SIZE:
            knee = list(_knee(size, _parts(networks), options, device, progress))
            facts["sizes"][size_key(size)]["knee"] = knee
        write_text(folder / RESULTS, json.dumps(facts, indent=1) + "\n")
        write_text(folder / CARD, model_card(facts))
    if not facts["sizes"]:
        msg = "the files have no kernels of a size that comes with the program"
        raise LatentError(msg)


def _facts(autoencoder: Autoencoder) -> dict[str, Any]:
    card = autoencoder.card
    kept = {key: card[key] for key in ("seed", "options", "training", "results")}
    return kept | {"segments": [item.class_id for item in autoencoder.segments]}


def _judged(
    size: Size,
    networks: Sequence[Network],
    options: TrainingOptions,
    device: torch.device | None,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Each family judged by what is trained without it."""
    judgements = leave_one_family_out(
        size, networks, options=options, device=device, progress=progress
    )
    return [item.to_json() for item in judgements]


def _families(networks: Sequence[Network]) -> list[int]:
    return list(dict.fromkeys(item.family for item in networks))


def _parts(networks: Sequence[Network]) -> Sequence[Network]:
    """The networks, or the halves by layer where there is just one family."""
    if len(_families(networks)) > 1:
        return networks
    return [part for network in networks for part in by_layer(network)]


def _controls(
    curve: Autoencoder, controls: Sequence[KernelBank], device: torch.device | None
) -> list[dict[str, Any]]:
    contest = Contest(curve, None, {})
    return [
        judge(contest, item.name, item.patterns, device=device).to_json()
        for item in collect(controls, curve.size)
    ]


def _knee(
    size: Size,
    networks: Sequence[Network],
    options: TrainingOptions,
    device: torch.device | None,
    progress: Progress,
) -> Iterator[dict[str, Any]]:
    """Held-out fit against length and stretches, by the width of the neighbourhood."""
    for width in WIDTHS:
        progress(WIDTHS.index(width), len(WIDTHS), f"width {width}")
        curve = replace(CurveOptions(), width=width)
        chosen = replace(options, curve=curve)
        fits = []
        for family in _families(networks):
            rest = [item for item in networks if item.family != family]
            out = [item.patterns for item in networks if item.family == family]
            *_, last = Training(size, rest, options=chosen, device=device)
            coder = Autoencoder.of("curve", last.model)
            fits.append(coder.encode(np.concatenate(out), device=device).mean_fit)
        results = train(size, networks, options=chosen, device=device).card["results"]
        yield {"width": width, "left_out_fit": float(np.mean(fits)), **results}
