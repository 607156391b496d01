"""How common members of the pattern family are, from kernels named by eye.

    python resources/family/fit_common.py CHECKPOINTS… [--labels CSV…]

Prints the table ``COMMON`` of `kernelviewer.kernels.family.members`, and how often the
family's names agree with the eye on networks left out of the fit. ``CHECKPOINTS`` are
folders with the files that the labels name; ``named_by_eye.csv`` stands beside this
script: 490 kernels, each named twice from its picture without its mean. The table that
ships was fitted to 197 more, named three times alike (a CSV with one ``label``). Where
two readings differ, either counts when fitting, and neither when judging.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import kernelviewer as kv
from kernelviewer.device import choose_device
from kernelviewer.kernels.classes import FINE
from kernelviewer.kernels.family.fit import CLASSES_OF, SPREAD
from kernelviewer.kernels.family.members import COMMON, DIAGONAL, bank, place_in_common

START = {"edge": 0.0, "point": -1.0, "disc": -4.0, "plate": -4.0}
START |= dict.fromkeys(("cross", "ring", "checker"), -6.0)
"""Where the ln weights of shapes start; of others at −3."""
OWN, SHAPE, SMOOTH, SIDES = 1.2e-4, 1.7e-3, 3.6e-4, 1.2e-4
"""What a squared step costs: of a group from its shape, of a shape from its start,
between adjacent widths, between near the middle and beside it."""
SAME = {"mcunet-in3-tinyimagenet": "mcunet-in3", "mcunet-in3-cifar": "mcunet-in3"}
"""Networks of one parent, which are left out together."""


def classes_of(word: str) -> list[str]:
    """Patterns of class ids that a word stands for; none: it has no class."""
    sign, _, base = word.partition("-")
    other = {"on": "off", "off": "on"}.get(sign, "")
    if base in ("point", "cross", "centre", "disc"):
        alike = {"point": "square|centre", "centre": "point|square|disc"}
        more = alike.get(base, {"disc": "square|centre"}.get(base, base))
        return [f"{sign}-({base}|{more})"]
    if sign == "bar":
        return [f"{base.split('-')[0]}-bar-.*"]
    if sign == "ring":
        inside = {"on": "off", "off": "on"}[base]
        return [f"{base}-ring", f"{inside}-(centre|disc|square|point)"]
    if word == "edge-d":
        return ["edge-.*"]
    return [word] if not other and word in {item.id for item in FINE.patterns} else []


class Kernels(NamedTuple):
    """Kernels named by eye, and the evidence of each group of members for each class.

    ``network`` [n]; ``meant`` bool [n, 23], the classes that the readings allow;
    ``sure`` bool [n], both readings agree; ``likelihood`` ln [n, groups, 23].
    """

    network: np.ndarray
    meant: torch.Tensor
    sure: np.ndarray
    likelihood: torch.Tensor


def read(labels: list[Path], folders: list[Path]) -> Kernels:
    """The named kernels; those without a word for a class are left out."""
    by_file = defaultdict(list)
    for path in labels:
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                first = row.get("first") or row["label"]
                second = row.get("second") or first
                if classes_of(first) and classes_of(second):
                    by_file[row["source"]].append((row, first, second))
    network, meant, sure, found = [], [], [], []
    for source, rows in by_file.items():
        path = next(f / source for f in folders if (f / source).exists())
        kernels = kv.extract_kernels(path)
        for row, first, second in rows:
            size = tuple(map(int, row["size"].split("x")))
            some = kernels.sizes[size]
            names = [kernels.layers[layer].name for layer in some.layer]
            at = [
                number
                for number, (name, channel) in enumerate(
                    zip(names, some.channel, strict=True)
                )
                if (name, str(channel)) == (row["layer"], row["channel"])
            ]
            found.append(by_group(some.weights[at[0]], size))
            allowed = [*classes_of(first), *classes_of(second)]
            meant.append(
                [
                    any(re.fullmatch(one, item.id) for one in allowed)
                    for item in FINE.patterns
                ]
            )
            sure.append(first == second)
            parent = (SAME[start] for start in SAME if source.startswith(start))
            network.append(next(parent, source))
    return Kernels(
        np.array(network),
        torch.tensor(meant),
        np.array(sure),
        torch.tensor(np.stack(found), dtype=torch.float64),
    )


GROUPS = [
    (shape, width, beside)
    for shape, widths in COMMON.items()
    for width in range(len(widths))
    for beside in (0, 1)
]


def by_group(weights: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Ln of the likelihoods of the members of each group, by class, [groups, 23]."""
    members = bank(size, choose_device("cpu"))
    unit = weights.reshape(-1).astype(np.float64)
    unit = unit - unit.mean()
    cosine = (unit / np.linalg.norm(unit)) @ members.patterns
    found = np.zeros((len(GROUPS), len(FINE.patterns)))
    for kind, low, high in members.kinds:
        shape, width, beside = place_in_common(kind, members.parameters[:, low:high])
        group = np.array(
            [GROUPS.index((shape, *at)) for at in zip(width, beside, strict=True)]
        )
        for index, only in CLASSES_OF[kind]:
            for sign in (only,) if only else (1, -1):
                each = np.exp(sign * cosine[low:high] / SPREAD) / (high - low)
                each *= np.exp(DIAGONAL * kind.endswith("-d"))
                np.add.at(found[:, index], group, each)
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(found), -1e4)


def evidence(kernels: Kernels, weights: torch.Tensor) -> torch.Tensor:
    """In units of T, [n, 23]."""
    return torch.logsumexp(kernels.likelihood + weights[:, None], dim=1)


def fitted(kernels: Kernels, use: np.ndarray) -> torch.Tensor:
    """Ln weights [groups] with which the kernels in use are most likely named right."""
    shapes = torch.tensor([list(COMMON).index(shape) for shape, *_ in GROUPS])
    start = torch.tensor([START.get(shape, -3.0) for shape in COMMON]).double()
    own = torch.zeros(len(GROUPS), dtype=torch.float64, requires_grad=True)
    whole = torch.zeros(len(COMMON), dtype=torch.float64, requires_grad=True)
    some = Kernels(*(part[use] for part in kernels))
    step = torch.optim.LBFGS([own, whole], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        step.zero_grad()
        score = evidence(some, own + (whole + start)[shapes])
        right = score.masked_fill(~some.meant, -1e5)
        wrong = torch.logsumexp(score, 1) - torch.logsumexp(right, 1)
        table = own.reshape(len(COMMON), -1, 2)
        value = (
            wrong.mean()
            + OWN * (own**2).sum()
            + SHAPE * (whole**2).sum()
            + SMOOTH * (table.diff(dim=1) ** 2).sum()
            + SIDES * (table.diff(dim=2) ** 2).sum()
        )
        value.backward()
        return value

    step.step(loss)
    return (own + (whole + start)[shapes]).detach()


def main() -> None:
    """Fit, judge, print."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    here = Path(__file__).with_name("named_by_eye.csv")
    parser.add_argument("--labels", nargs="+", type=Path, default=[here])
    given = parser.parse_args()
    kernels = read(given.labels, given.folders)
    right = np.zeros(len(kernels.sure), bool)
    for network in sorted(set(kernels.network)):
        out = kernels.network == network
        best = evidence(kernels, fitted(kernels, ~out)).argmax(1)
        right[out] = kernels.meant[torch.arange(len(best)), best].numpy()[out]
    sure = kernels.sure
    share = f"{right[sure].sum()} of {sure.sum()} = {right[sure].mean():.3f}"
    print(f"networks left out: {share}")
    weights = (
        fitted(kernels, np.ones(len(sure), bool)).numpy().reshape(len(COMMON), -1, 2)
    )
    for shape, widths in zip(COMMON, weights - weights.max(), strict=True):
        pairs = ", ".join(f"({near:.1f}, {beside:.1f})" for near, beside in widths)
        print(f'    "{shape}": ({pairs}),')


if __name__ == "__main__":
    main()
