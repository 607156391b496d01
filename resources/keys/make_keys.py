"""Make the keys in this folder, and their card, from a folder of checkpoints.

    python resources/keys/make_keys.py FOLDER [FILE TO LEAVE OUT …]

One network of each family counts (fine-tuned siblings are one family), each alike. Keys
are sought among the 2 048 points of the shipped curve of the size.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.jobs.tasks import find_checkpoints
from kernelviewer.kernels import extract_kernels, size_key, size_label
from kernelviewer.kernels.keys import Keys, search_keys, write_keys
from kernelviewer.latent.keys import candidates, null_of, published
from kernelviewer.latent.networks import collect

if TYPE_CHECKING:
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.latent.networks import Network

HERE = Path(__file__).parent
SIZES = ((3, 3), (5, 5), (7, 7), (9, 9))
COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
SHIPPED = (8, 16)
LEFT_OUT = 8
SKIPPED = ("CORRUPT", "UNTRAINED")
HEAD = """\
# Keys

A key is a pattern f̂ (mean 0, length 1) that stands for kernels y as ŷ = a·f̂ + b, with
a = ⟨y, f̂⟩ of either sign and b = mean(y); R² = cos²(y − b, f̂) is the share of a
kernel's variance that it keeps (Babaiee, Kiasari, Rus, Grosu, NeurIPS 2025,
arXiv:2509.11711). The files are CSV, `key,row,column,value`, rows down.

* `published-7x7.csv`: the 8 master key filters, CC BY 4.0; its first line is the
  source.
* `best-8-…`, `best-16-…`: sought by `make_keys.py` among the points of the curve that
  comes with the program, so that the mean R² of the networks below is highest, each
  network weighing alike. R² says how much of the kernels is kept, not what accuracy is.

## Is it true of other sizes than 7×7?

Eight keys keep about as much of 5×5 and 9×9 kernels as of 7×7 ones, far more than of
white noise; 9×9 are of a single network. Of 3×3 kernels they keep more, but eight
patterns also keep more than a third of white noise of nine taps: what is beyond the
noise is two fifths less than at 7×7. Sought on other networks, eight keys lose .01 to
.14 against the network's own eight. A network of which they keep little (LKD-Net at 5×5
and 7×7) gains little by keys of its own. The curve whose points are searched was
learned from several of these networks: *left out* means out of the search, not of the
curve.
"""


def read(folder: Path, left_out: set[str]) -> list[KernelBank]:
    """The networks that can be read."""
    banks = []
    for path in find_checkpoints(str(folder)):
        if path.name.startswith(SKIPPED) or path.name in left_out:
            continue
        try:
            banks.append(extract_kernels(open_checkpoint(path)))
        except CheckpointError as error:
            print(error, file=sys.stderr)
    return banks


def one_of_each(banks: list[KernelBank], size: Size) -> list[Network]:
    """The first network of each family that has kernels of a size."""
    found: dict[int, Network] = {}
    for network in collect([bank for bank in banks if size in bank.sizes], size):
        found.setdefault(network.family, network)
    return list(found.values())


class Pool:
    """Kernels of networks, each network weighing alike."""

    def __init__(self, networks: list[Network]) -> None:
        self.networks = networks
        self.rows = np.concatenate([n.patterns.reshape(len(n), -1) for n in networks])
        self.weights = np.concatenate(
            [np.full(len(n), 1 / len(n), np.float32) for n in networks]
        )
        self.weights /= self.weights.sum()

    def mean(self, keys: Keys) -> float:
        """Mean R²."""
        best = ((self.rows @ keys.rows.T) ** 2).max(axis=1)
        return float(self.weights @ best)


def seek(pool: Pool, size: Size, count: int) -> tuple[Keys, float, float]:
    """The keys, their mean R², and that of the forward search alone."""
    rows = candidates(size, "curve")
    found = search_keys(pool.rows, rows, count, pool.weights)
    keys = rows[list(found.chosen)].reshape(-1, *size)
    return Keys.of(f"best {count}", keys), found.mean, found.curve[-1]


def section(banks: list[KernelBank], size: Size) -> list[str]:
    """Lines of the card about one size; its keys are written."""
    pool = Pool(one_of_each(banks, size))
    names = ", ".join(f"{n.name} ({len(n)})" for n in pool.networks)
    lines = [f"## {size_label(size)}", ""]
    several = len(pool.networks) > 1
    count = f"{len(pool.networks)} networks" if several else "one network"
    lines += [f"{len(pool.rows):,} kernels of {count}: {names}."]
    lines += [
        "",
        "| keys | mean R² | forward only | white noise, mean | 99th percentile |",
    ]
    lines += ["|---|---|---|---|---|"]
    sets = [(str(n), *seek(pool, size, n)) for n in COUNTS]
    if size == (7, 7):
        sets.append(("published 8", published(), pool.mean(published()), np.nan))
    for name, keys, mean, forward in sets:
        null = null_of(keys)
        first = "" if np.isnan(forward) else f"{forward:.3f}"
        cells = (name, f"{mean:.3f}", first, f"{null.mean:.3f}", f"{null.q99:.3f}")
        lines.append(f"| {' | '.join(cells)} |")
        if name in map(str, SHIPPED):
            notes = [
                f"{name} keys for {size_label(size)} kernels, sought by kernelviewer "
                f"(resources/keys/make_keys.py) on {len(pool.networks)} networks: mean "
                f"R² {mean:.3f}, white noise {null.mean:.3f}",
            ]
            write_keys(HERE / f"best-{name}-{size_key(size)}.csv", keys, notes)
    if len(pool.networks) > 1:
        lines += ["", f"A network left out, {LEFT_OUT} keys sought on the others:", ""]
        lines += ["| left out | its R² | R² of its own 8 keys |", "|---|---|---|"]
        for number, network in enumerate(pool.networks):
            rest = [n for at, n in enumerate(pool.networks) if at != number]
            keys, _, _ = seek(Pool(rest), size, LEFT_OUT)
            own = Pool([network])
            _, best, _ = seek(own, size, LEFT_OUT)
            lines.append(f"| {network.name} | {own.mean(keys):.3f} | {best:.3f} |")
    return [*lines, ""]


def main() -> None:
    """Write keys and card."""
    folder, *left_out = sys.argv[1:]
    banks = read(Path(folder), set(left_out))
    text = [HEAD]
    for size in SIZES:
        text += section(banks, size)
        print(text[-3:], file=sys.stderr)
    (HERE / "README.md").write_text("\n".join(text))


if __name__ == "__main__":
    main()
