"""``kernelviewer init``: depthwise kernels to start the training of a network from."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer import __version__
from kernelviewer.commands.networks import LINE, sizes_of
from kernelviewer.commands.output import RefusedError, counted, say
from kernelviewer.commands.reading import (
    add_output_argument,
    add_reading_arguments,
    check_output,
    keep_apart,
    number_between,
    parse_seed,
    parse_size,
    writing,
)
from kernelviewer.files import atomic_write
from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.rewriting import NOTE
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.keys import KeysError
from kernelviewer.latent.replacing import (
    GAMMA,
    KINDS,
    ReplacingError,
    parameter_name,
    starting_kernels,
    tensors_of,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

TIMM = "timm:"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--like",
        required=True,
        metavar="FILE|timm:NAME",
        help="a checkpoint of the architecture: its names and shapes count, and for "
        "covariance and family what it has learned; or an architecture of timm, such "
        "as timm:convnext_tiny, of which nothing is downloaded",
    )
    parser.add_argument(
        "--kind",
        required=True,
        choices=KINDS,
        help="difference of Gaussians; the covariance of the file's layers; keys; "
        "members of the pattern family, as often as in its layers; random",
    )
    add_output_argument(
        parser,
        "OUT.safetensors",
        "what load_state_dict(…, strict=False) takes",
        required=True,
    )
    parser.add_argument("--size", type=parse_size, help="only kernels of this size")
    parser.add_argument(
        "--share",
        type=number_between(0, 1, "share"),
        default=1.0,
        help="share of each layer's kernels that are of the kind, the others are "
        "random (default: 1)",
    )
    parser.add_argument(
        "--on",
        type=number_between(0, 1, "share"),
        default=0.5,
        help="share of on-centre ones among the differences of Gaussians "
        "(default: 0.5)",
    )
    parser.add_argument(
        "--gamma",
        type=number_between(0.05, 0.95, "ratio of radii"),
        default=GAMMA,
        help=f"ratio of centre and surround (default: {GAMMA})",
    )
    parser.add_argument(
        "--keys",
        metavar="KEYS",
        help="published, or a CSV file (default: the published ones at 7x7, else the "
        "best 8 that come with the program)",
    )
    parser.add_argument("--seed", type=parse_seed, default=0, help="default: 0")
    add_reading_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Make kernels and write them."""
    check_output(options.output)
    try:
        with _like(options) as path:
            checkpoint = open_checkpoint(path, copy=options.copy)
            keep_apart(options, (part.path for part in checkpoint.files))
            bank = extract_kernels(checkpoint, include=options.include)
            made = starting_kernels(
                bank,
                options.kind,
                sizes_of([bank], options.size),
                share=options.share,
                on=options.on,
                gamma=options.gamma,
                keys=options.keys,
                seed=options.seed,
                watch=LINE,
            )
            tensors = tensors_of(checkpoint, made)
    except (CheckpointError, KeysError, ReplacingError, ValueError) as error:
        raise RefusedError(str(error)) from None
    from safetensors.numpy import save

    arrays = {
        parameter_name(checkpoint, tensor.raw_name): values
        for tensor, values in tensors
    }
    note = {
        "program": f"kernelviewer {__version__}",
        "kind": options.kind,
        "like": options.like if options.like.startswith(TIMM) else checkpoint.path.name,
        **{name: getattr(options, name) for name in ("share", "seed", "on", "gamma")},
    }
    data = save(arrays, metadata={"format": "pt", NOTE: json.dumps(note)})
    with writing(options.output), atomic_write(options.output) as file:
        file.write(data)
    kernels = sum(len(item.kernels) for item in made)
    layers = counted(len(made), "layer")
    say(f"{options.output}: {counted(kernels, 'kernel')} of {layers}, {options.kind}")
    return 0


@contextmanager
def _like(options: argparse.Namespace) -> Iterator[Path]:
    """A checkpoint of the network that is to be like, while it is needed.

    Raises
    ------
    RefusedError
        timm has no such architecture, or the kind needs a trained network.
    """
    if not options.like.startswith(TIMM):
        yield Path(options.like)
        return
    name = options.like.removeprefix(TIMM)
    if options.kind in ("covariance", "family"):
        msg = f"{options.like} has learned nothing that {options.kind} could come from"
        raise RefusedError(f"{msg}: give --like a trained checkpoint of it")
    import timm

    from kernelviewer.kernels.archive import snapshot

    if not timm.is_model(name):
        near = timm.list_models(f"*{name.replace('.', '_').split('_')[0]}*")[:6]
        known = f"; it has {', '.join(near)} …" if near else ""
        raise RefusedError(f"timm has no architecture {name!r}{known}")
    model = timm.create_model(name, pretrained=False)
    with tempfile.TemporaryDirectory() as folder:
        yield snapshot(model, 0, folder, architecture=name)
