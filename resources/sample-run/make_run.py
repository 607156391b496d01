"""Train the sample network once more and keep its kernels along the way.

``python make_run.py`` does it all again; README.md beside it says what is needed.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch

import kernelviewer as kv

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sample"))

import make_sample  # noqa: E402
import photographs  # noqa: E402

if TYPE_CHECKING:
    from network import Network

STEPS = (0, 40, 60, 80, 100, 120, 140, 180, 220, 260, 320, 450)
RECIPE = make_sample.Recipe(steps=STEPS[-1], batch=40)


def keep(network: Network, step: int, folder: Path) -> None:
    """Write a snapshot, compressed; equal kernels make equal files."""
    with tempfile.TemporaryDirectory() as temporary:
        path = kv.snapshot(network, step, temporary)
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        (folder / f"{path.name}.gz").write_bytes(packed)


def main() -> None:
    """Find the photographs, train, keep."""
    parser = argparse.ArgumentParser(description="Make the sample run.")
    usual = Path(tempfile.gettempdir()) / "kernelviewer-photographs"
    parser.add_argument("--photographs", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--cache", type=Path, default=usual)
    parser.add_argument("--out", type=Path, default=HERE, metavar="FOLDER")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folders = tuple(options.photographs or photographs.FOLDERS)
    pictures = photographs.load(folders, options.cache)
    if not pictures:
        raise SystemExit(f"no photographs in {', '.join(map(str, folders))}")

    def after(step: int, network: Network, averaged: Network) -> None:
        if step in STEPS:
            keep(network, step, options.out)
            print(f"step {step}", flush=True)

    make_sample.train(pictures, RECIPE, 10 * RECIPE.steps, after)


if __name__ == "__main__":
    main()
