"""Make ``nulls.json``: what white noise reaches with the family, for common sizes.

``python resources/family/make_nulls.py`` fits the family to white noise of each size;
it takes some minutes. A test tells when the family has changed since.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from kernelviewer.device import CPU
from kernelviewer.kernels.family import supported
from kernelviewer.latent.family_null import ShippedNulls, fingerprint, measure

SQUARES = (2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 17, 21, 27, 29, 31)
STRIPS = (2, 3, 4, 5, 7, 9, 11, 13, 15, 17, 21, 31)
OTHERS = ((3, 5), (5, 51), (5, 49), (5, 47))
MOST, LEAST = 100_000, 5_000
TAPS = MOST * 9**2


def main() -> None:
    """Measure every size, and write the file beside this script."""
    squares = [(side, side) for side in SQUARES]
    strips = [(1, length) for length in STRIPS]
    nulls = {}
    for size in sorted((*squares, *strips, *OTHERS), key=math.prod):
        if not supported(size):
            continue
        count = min(MOST, max(LEAST, TAPS // math.prod(size)))
        null = nulls[size] = measure(size, count, device=CPU)
        sys.stdout.write(f"{size} {null.kernels} {null.threshold(0.01):.3f}\n")
        sys.stdout.flush()
    text = ShippedNulls(fingerprint(), nulls).to_text()
    Path(__file__).with_name("nulls.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
