"""``kernelviewer null-test``: what the method finds where there is no structure."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

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
from kernelviewer.commands.output import aligned, complain, number, rounded, say
from kernelviewer.commands.reading import (
    add_json_argument,
    add_output_argument,
    check_output,
    parse_seed,
    parse_size,
    writing,
)
from kernelviewer.files import csv_writer
from kernelviewer.kernels import size_key, size_label
from kernelviewer.latent import LatentError
from kernelviewer.latent.networks import collect
from kernelviewer.latent.noise_control import null_test
from kernelviewer.text import csv_text, percent

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank
    from kernelviewer.latent.noise_control import Condition, NullTest

COLUMNS = ("size", "kernels", "fitted_with", "fit")
_HEADINGS = ("", "kernels", "mean fit", "coverage", "own fit", "own coverage")
_NUMERIC = frozenset({1, 2, 3, 4, 5})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add_network_arguments(parser, "networks to test, or folders of them")
    add("--size", type=parse_size, help="only this kernel size")
    add_autoencoder_argument(parser)
    add_threshold_argument(parser)
    add("--seed", type=parse_seed, default=0, help="default: 0")
    add(
        "--no-training",
        action="store_true",
        help="only encode; do not train on each kind of kernels as well",
    )
    add_output_argument(parser, "OUT.csv", "write all fits")
    add_json_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Test, write and print."""
    check_output(options.output)
    device, autoencoders = device_of(options), Autoencoders(options.autoencoder)
    (read,) = read_banks(options, options.files)
    if not read.named:
        return 1
    whole = autoencoders.fit(read.banks) and read.whole
    tests = list(_tests(read.banks, autoencoders, options, device))
    if not tests:
        return 1
    if options.output:
        with writing(options.output):
            write_fits(options.output, tests)
    _print(tests, options)
    return 0 if whole else 1


def _tests(
    banks: Sequence[KernelBank],
    autoencoders: Autoencoders,
    options: argparse.Namespace,
    device: Device,
) -> Iterator[NullTest]:
    """One for each size; those that cannot be tested are complained of."""
    for size in sizes_of(banks, options.size):
        networks = collect(banks, size, joined=True)
        if not networks:
            complain(f"all {size_label(size)} kernels of the files are flat")
            continue
        try:
            autoencoder = autoencoders.need(size)
        except LatentError as error:
            complain(str(error))
            continue
        yield null_test(
            banks,
            networks,
            autoencoder,
            threshold=options.threshold,
            retrain=not options.no_training,
            seed=options.seed,
            device=device,
            watch=LINE,
        )


def write_fits(path: Path, tests: Sequence[NullTest]) -> None:
    """Write one row per fit, whole or not at all.

    Raises
    ------
    OSError
        The folder is read-only or the disk is full.
    """
    with csv_writer(path) as writer:
        writer.writerow(COLUMNS)
        for test in tests:
            key = size_key(test.size)
            for item in test.conditions:
                name = csv_text(item.name)
                for how, fits in (("given", item.fit), ("own", item.own_fit)):
                    rows = ((key, name, how, f"{fit:.6f}") for fit in fits)
                    writer.writerows(rows)


def summarise(tests: Sequence[NullTest]) -> dict[str, Any]:
    """What ``null-test --json`` prints."""
    return {
        "sizes": {
            size_key(test.size): {
                "threshold": test.threshold,
                "null_coverage": test.null_coverage,
                "conditions": {item.name: _summarise(item) for item in test.conditions},
            }
            for test in tests
        }
    }


def _summarise(item: Condition) -> dict[str, Any]:
    own = len(item.own_fit) > 0
    return {
        "kernels": len(item.fit),
        "origin": item.origin,
        "mean_fit": _mean(item.fit),
        "coverage": rounded(item.coverage),
        "own_mean_fit": _mean(item.own_fit) if own else None,
        "own_coverage": rounded(item.own_coverage) if own else None,
    }


def _mean(fits: np.ndarray[Any, np.dtype[np.float32]]) -> float | None:
    return rounded(fits.mean(dtype=np.float64)) if len(fits) else None


def _print(tests: Sequence[NullTest], options: argparse.Namespace) -> None:
    if options.json:
        say(json.dumps(summarise(tests), indent=1))
        return
    for test in tests:
        say(f"{size_label(test.size)}, threshold {test.threshold:.3f}")
        rows = [_HEADINGS, *map(_cells, test.conditions)]
        shown = 4 if options.no_training else len(_HEADINGS)
        say(*aligned([row[:shown] for row in rows], _NUMERIC))
        say("")
    if not options.no_training:
        say("own: trained on half of these kernels alone, measured on the other half")


def _cells(item: Condition) -> tuple[str, ...]:
    fits = [_mean(item.fit), _mean(item.own_fit)]
    shown = ["" if fit is None else f"{fit:.3f}" for fit in fits]
    shares = [
        "" if math.isnan(share) else percent(share)
        for share in (item.coverage, item.own_coverage)
    ]
    return (item.name, number(len(item.fit)), shown[0], shares[0], shown[1], shares[1])
