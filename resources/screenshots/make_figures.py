"""Makes the figures that the README shows, from the bundled sample network and run.

Run from anywhere: ``python resources/screenshots/make_figures.py [FOLDER]``; the folder
is this one by default. Equal versions make equal files.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kernelviewer.cli import main

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parent / "sample" / "sample.safetensors"
SAMPLE_RUN = HERE.parent / "sample-run"
FIGURES: dict[str, tuple[str, ...]] = {
    "family": (),
    "spectrum": (),
    "classes": (),
    "composition": (),
    "pca": (),
    "compare": (),
    "kernel": ("--samples", "3"),
    "shares-over-time": ("--autoencoder", "family"),
    "formation": ("--autoencoder", "family"),
    "strips": ("--samples", "2"),
    "sheet": ("--group", "class", "--sort", "code", "--height", "150"),
}
"""Exhibit → what it is asked for beside the usual."""
RUN = ("shares-over-time", "formation", "strips")
"""What is made of the sample run."""
LOOKS = ("--dpi", "150", "--width", "183", "--force")


def make(folder: Path) -> int:
    """Write every figure; the number of those that could not be made."""
    failed = 0
    for kind, options in FIGURES.items():
        shown = SAMPLE_RUN if kind in RUN else SAMPLE
        files = [] if kind == "family" else [str(shown)]
        out = folder / f"figure-{kind}.png"
        failed += main(["figure", kind, *files, "-o", str(out), *LOOKS, *options])
    return failed


if __name__ == "__main__":
    sys.exit(make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
