"""``kernelviewer train``: a new autoencoder, or those that come with the program."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.commands.networks import (
    LINE,
    add_network_arguments,
    device_of,
    read_banks,
)
from kernelviewer.commands.output import RefusedError, complain, counted, say
from kernelviewer.commands.reading import (
    add_json_argument,
    add_output_argument,
    check_output,
    count_to,
    number_between,
    parse_seed,
    parse_size,
    writing,
)
from kernelviewer.corpus.query import size_of
from kernelviewer.corpus.store import Corpus, CorpusError, content_hash
from kernelviewer.corpus.stream import KernelStream
from kernelviewer.corpus.tables import main_size
from kernelviewer.formats.containers.folders import is_corpus
from kernelviewer.kernels import size_label
from kernelviewer.latent import LatentError
from kernelviewer.latent.autoencoder import METHODS
from kernelviewer.latent.curve_training import CurveOptions
from kernelviewer.latent.networks import split
from kernelviewer.latent.shipping import CARD, Material, ship
from kernelviewer.latent.training import Training, TrainingOptions, describe
from kernelviewer.text import shown

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from kernelviewer.device import Device
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.networks import Network
    from kernelviewer.latent.training import Supply

INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add_network_arguments(
        parser, "networks to train on, or folders of them; or a corpus, which streams"
    )
    add_output_argument(
        parser,
        "OUT.safetensors",
        "the file to write (with --shipped: the folder)",
        required=True,
    )
    add(
        "--size",
        type=parse_size,
        help="kernel size, such as 7x7 (default: the one with most kernels)",
    )
    add("--method", choices=METHODS, default="curve")
    add(
        "--holdout",
        nargs="+",
        default=[],
        metavar="FILE",
        help="networks to measure the fit on; siblings of them are left out (with "
        "--shipped: networks for the card that no autoencoder is trained on)",
    )
    add("--epochs", type=count_to(100_000), metavar="N", help="sweeps over the kernels")
    add("--seed", type=parse_seed, default=0, help="default: 0")
    add(
        "--width",
        type=number_between(0.0005, 0.1, "width"),
        default=CurveOptions().width,
        help="of the last neighbourhood, as a part of the axis: smaller makes a longer "
        "and more faithful curve (default: %(default)s)",
    )
    add(
        "--members",
        type=number_between(0, 0.9, "share"),
        default=CurveOptions().members,
        metavar="SHARE",
        help="share of the weight for random members of the pattern family, beside the "
        "networks, so that the curve has patterns that these lack; those that come "
        "with the program have 0.2 (default: %(default)g)",
    )
    add_json_argument(parser, "print the card as a JSON object")
    add(
        "--shipped",
        action="store_true",
        help="make the autoencoders that come with the program, with their card, from "
        "all of the files (takes minutes)",
    )
    add(
        "--workers",
        type=count_to(100_000),
        default=1,
        metavar="N",
        help="with --shipped: processes to share the work among (default: 1)",
    )
    add(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out files with such names, as in 'UNTRAINED*' (may be repeated)",
    )


def run(options: argparse.Namespace) -> int:
    """Train and write."""
    if options.shipped:
        return _remake_shipped(options)
    check_output(options.output)
    device = device_of(options)
    if any(map(is_corpus, options.files)):
        return _of_corpus(options, device)
    seen, unseen = read_banks(options, options.files, options.holdout)
    if not seen.named or not unseen.whole:
        return 1
    try:
        autoencoder, stopped = _train(seen.banks, unseen.banks, options, device)
    except LatentError as error:
        complain(str(error))
        return 1
    return _kept(autoencoder, options, stopped, whole=seen.whole)


def _of_corpus(options: argparse.Namespace, device: Device) -> int:
    """Train on the networks of a corpus, a part of them in each sweep."""
    if len(options.files) > 1:
        complain("name one corpus alone, or networks: kernelviewer train CORPUS -o OUT")
        return 2
    (unseen,) = read_banks(options, options.holdout)
    if not unseen.whole:
        return 1
    try:
        corpus = Corpus.open(options.files[0])
        size = options.size or size_of(main_size(corpus))
        held_out = split([], unseen.banks, size).held_out
        contents = {content_hash(bank) for bank in unseen.banks}
        stream = KernelStream(corpus, size, options.seed, contents)
        autoencoder, stopped = _fitted(size, stream, held_out, options, device)
    except (CorpusError, LatentError) as error:
        complain(str(error))
        return 1
    return _kept(autoencoder, options, stopped, whole=True)


def _kept(
    autoencoder: Autoencoder, options: argparse.Namespace, stopped: bool, *, whole: bool
) -> int:
    """Write the autoencoder and tell of it."""
    with writing(options.output):
        autoencoder.save(options.output)
    _print(autoencoder, options)
    if stopped:
        complain("interrupted; the best so far was kept")
        return INTERRUPTED
    return 0 if whole else 1


def _train(
    seen: list[KernelBank],
    unseen: list[KernelBank],
    options: argparse.Namespace,
    device: Device,
) -> tuple[Autoencoder, bool]:
    """The autoencoder, and whether the user ended its training early."""
    size = options.size or _main_size(seen)
    parts = split(seen, unseen, size)
    for name in parts.left_out:
        complain(f"{name} is a sibling of a held-out network, so it is left out")
    if unseen and not parts.held_out:
        raise LatentError(f"the held-out files have no {size_label(size)} kernels")
    return _fitted(size, parts.networks, parts.held_out, options, device)


def _fitted(
    size: Size,
    networks: Sequence[Network] | Supply,
    held_out: Sequence[Network],
    options: argparse.Namespace,
    device: Device,
) -> tuple[Autoencoder, bool]:
    """As `_train`."""
    training = Training(
        size,
        networks,
        held_out=held_out,
        options=TrainingOptions(
            method=options.method,
            sweeps=options.epochs,
            seed=options.seed,
            curve=replace(CurveOptions(), width=options.width, members=options.members),
        ),
        device=device,
    )
    stopped = False
    try:
        for sweep in training:
            LINE.progress(sweep.number, sweep.total, describe(sweep))
    except KeyboardInterrupt:
        stopped = True
    try:
        return training.result(watch=LINE), stopped
    except LatentError as error:
        raise RefusedError(str(error), INTERRUPTED if stopped else 1) from None


def _main_size(banks: list[KernelBank]) -> tuple[int, ...]:
    counts: dict[tuple[int, ...], int] = {}
    for bank in banks:
        for size, kernels in bank.sizes.items():
            counts[size] = counts.get(size, 0) + len(kernels)
    if not counts:
        raise LatentError("the files have no depthwise kernels to train on")
    return max(counts, key=lambda size: (counts[size], size))


def _print(autoencoder: Autoencoder, options: argparse.Namespace) -> None:
    card = autoencoder.card
    if options.json:
        say(json.dumps({"output": shown(options.output), **card}, indent=1))
        return
    kernels = sum(entry["kernels"] for entry in card["training"])
    networks = sum(entry.get("networks", 1) for entry in card["training"])
    results = card["results"]
    say(
        f"{options.output}: {size_label(autoencoder.size)}, {autoencoder.method}, "
        f"{counted(kernels, 'kernel')} of {counted(networks, 'network')}"
    )
    held_out = card["held_out_fit"]
    unseen = "" if held_out is None else f" · held-out fit {held_out:.3f}"
    stretches = counted(results["stretches"], "stretch", "stretches")
    say(
        f"mean fit {results['mean_fit']:.3f}{unseen} · {stretches}"
        f" · arc length {results['arc_length']:.1f} π"
    )
    say(
        f"threshold {results['threshold']:.3f}, which "
        f"{100 * results['null_coverage']:.2f} % of white noise reaches"
    )


def _remake_shipped(options: argparse.Namespace) -> int:
    """Train on all files, judge and write to the folder ``options.output``."""
    folder = options.output
    if not folder.is_dir():
        complain(f"{folder} is no folder; with --shipped the output is one")
        return 2
    device = device_of(options)
    read, held_out = read_banks(options, options.files, options.holdout)
    if not held_out.whole:
        return 1
    banks: list[KernelBank] = []
    controls: list[KernelBank] = []
    for path, bank in read.named:
        name = Path(path).name
        excluded = any(fnmatch(name, pattern) for pattern in options.exclude)
        (controls if excluded else banks).append(bank)
    try:
        with writing(folder):
            ship(
                Material(banks, controls, held_out.banks),
                folder,
                command=_typed(),
                seed=options.seed,
                device=device,
                workers=options.workers,
                watch=LINE,
            )
    except LatentError as error:
        complain(str(error))
        return 1
    say(f"{folder}: autoencoders and {CARD}")
    return 0


def _typed() -> str:
    """The command line, as a person would type it."""
    return shlex.join(["kernelviewer", *sys.argv[1:]])
