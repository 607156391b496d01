"""``kernelviewer evaluate``: how well kernels of unseen networks are represented."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kernelviewer.commands.networks import (
    LINE,
    Autoencoders,
    add_autoencoder_argument,
    add_network_arguments,
    add_threshold_argument,
    device_of,
    read_banks,
    sizes_of,
)
from kernelviewer.commands.output import aligned, complain, counted, number, say
from kernelviewer.commands.reading import add_json_argument, parse_seed, parse_size
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.classes import SCHEMES
from kernelviewer.latent import LatentError
from kernelviewer.latent.evaluation import (
    Baselines,
    judge,
    leave_one_family_out,
    mean_rows,
    prepare,
)
from kernelviewer.latent.networks import Parts, collect, split
from kernelviewer.latent.stretches import TOLERANCE
from kernelviewer.latent.training import TrainingOptions
from kernelviewer.text import percent

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.evaluation import Evaluation, Row

_HEADINGS = ("", "mean fit", "coverage", "at", "null", "arc length")
_NUMERIC = frozenset({1, 2, 3, 4, 5})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add_network_arguments(parser, "networks to judge on, or folders of them")
    add("--size", type=parse_size, help="only this kernel size")
    among = parser.add_mutually_exclusive_group()
    among.add_argument(
        "--train",
        nargs="+",
        default=[],
        metavar="FILE",
        help="train curve, plain autoencoder and K-means on these networks; without "
        "it those that come with the program are judged",
    )
    among.add_argument(
        "--leave-one-out",
        action="store_true",
        help="judge each family of the files by what is trained on the others",
    )
    add_autoencoder_argument(parser)
    add_threshold_argument(parser)
    add("--seed", type=parse_seed, default=0, help="of training (default: 0)")
    add_json_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Judge and print."""
    if options.autoencoder and (options.train or options.leave_one_out):
        complain("--autoencoder cannot be used where autoencoders are to be trained")
        return 2
    device, autoencoders = device_of(options), Autoencoders(options.autoencoder)
    judged, seen = read_banks(options, options.files, options.train)
    if not judged.named or not seen.whole:
        return 1
    whole = autoencoders.fit(judged.banks) and judged.whole
    found: dict[Size, list[Evaluation]] = {}
    for size in sizes_of(judged.banks, options.size):
        try:
            found[size] = list(
                _judged(size, judged.banks, seen.banks, autoencoders, options, device)
            )
        except LatentError as error:
            complain(str(error))
            found[size] = []
    if not any(found.values()):
        return 1
    _print(found, options)
    return 0 if whole else 1


def _judged(
    size: Size,
    banks: list[KernelBank],
    seen: list[KernelBank],
    autoencoders: Autoencoders,
    options: argparse.Namespace,
    device: Device,
) -> Iterator[Evaluation]:
    """The judgements of one size.

    Raises
    ------
    LatentError
        There is nothing to judge, or nothing to judge with.
    """
    if options.leave_one_out:
        yield from leave_one_family_out(
            size,
            collect(banks, size),
            options=TrainingOptions(seed=options.seed),
            threshold=options.threshold,
            device=device,
            watch=LINE,
        )
        return
    parts = split(seen, banks, size) if seen else Parts((), collect(banks, size), ())
    if not parts.held_out:
        raise LatentError(f"all {size_label(size)} kernels of the files are flat")
    for name in parts.left_out:
        complain(f"{name} is a sibling of a network to judge on, so it is left out")
    contest = (
        prepare(
            size,
            parts.networks,
            options=TrainingOptions(seed=options.seed),
            device=device,
            watch=LINE,
        )
        if seen
        else _known_contest(size, autoencoders)
    )
    known = {entry["sha256"] for entry in contest.curve.card.get("training", [])}
    for network in parts.held_out:
        trained = network.sha256 in known and not seen
        yield judge(
            contest,
            f"{network.name} (it was trained on this)" if trained else network.name,
            network.patterns,
            threshold=options.threshold,
            device=device,
        )


def _known_contest(size: Size, autoencoders: Autoencoders) -> Baselines:
    curve = autoencoders.need(size)
    return Baselines(curve, autoencoders.get(size, "paper"), curve.centroids)


def summarise(found: dict[Size, list[Evaluation]]) -> dict[str, Any]:
    """What ``evaluate --json`` prints."""
    return {
        "sizes": {
            size_key(size): {
                "networks": [item.to_json() for item in judgements],
                "mean_fit": {
                    method: round(fit, 5)
                    for method, fit in mean_rows(judgements).items()
                },
            }
            for size, judgements in found.items()
        }
    }


def _print(found: dict[Size, list[Evaluation]], options: argparse.Namespace) -> None:
    if options.json:
        say(json.dumps(summarise(found), indent=1))
        return
    for size, judgements in found.items():
        for item in judgements:
            say(*_table(size, item))
            say("")
        if len(judgements) > 1:
            means = mean_rows(judgements).items()
            line = ", ".join(f"{method} {fit:.3f}" for method, fit in means)
            say(f"{size_label(size)}, mean fit over {len(judgements)}: {line}\n")


def _table(size: Size, item: Evaluation) -> Iterable[str]:
    yield f"{item.name}, {size_label(size)}: {number(item.kernels)} kernels"
    rows = [_cells(row, item.threshold) for row in item.rows]
    yield from aligned([_HEADINGS, *rows], _NUMERIC)
    for scheme, found in item.names.items():
        if found.kernels:
            stretches = counted(item.stretches, "stretch", "stretches")
            yield (
                f"names by code ({stretches}) agree with the family's, "
                f"{SCHEMES[scheme].name.lower()}: exactly for "
                f"{percent(found.exact)}, within {TOLERANCE} for "
                f"{percent(found.within)}"
            )


def _cells(row: Row, threshold: float) -> tuple[str, ...]:
    null = "" if row.null_coverage is None else percent(row.null_coverage, 2)
    length = "" if row.arc_length is None else f"{row.arc_length:.1f} π"
    cover = percent(row.coverage)
    level = threshold if row.threshold is None else row.threshold
    return row.method, f"{row.mean_fit:.3f}", cover, f"{level:.3f}", null, length
