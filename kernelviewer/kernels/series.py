"""The checkpoints of one training run in order, opened one by one when looked at."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from weakref import WeakValueDictionary

import numpy as np

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.errors import with_hint
from kernelviewer.formats.network.names import natural_key
from kernelviewer.kernels.bank import KernelSet, size_label
from kernelviewer.kernels.extract import extract_kernels, find_stack
from kernelviewer.kernels.pairing import cleaned_names, pair
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.watch import Watch

    Layers = Mapping[str, tuple[Size, int]]

COUNTERS = ("step", "global_step", "epoch")
"""Names by which files tell how far a run is, the finest first."""
_WORDS = ("step", "iter(?:ation)?s?", "epochs?")
_SPEAKS_OF_STEPS = re.compile(
    r"(?<![a-z])(step|iter(ation)?|epoch|ep?|ckpt|checkpoint|snapshot)s?[-_=. /]?\d",
    re.I,
)
_MANY = 6
_DIGITS = re.compile(r"\d+")
_MOST_TOLD = 3
_UNEVEN = 4
"""From which ratio of their distances on steps stand on a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Step:
    """One checkpoint of a run."""

    path: Path
    """Its file."""
    name: str
    """What tells it from the others: its path without the folder that all are in."""
    stored: Mapping[str, int]
    """Counters that the file holds, by name (`COUNTERS`)."""
    stamp: tuple[int, int]
    """Size and time of change when it was opened: the same file has the same."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A checkpoint that is no step of the run, and why: sentences for people."""

    path: Path
    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class Order:
    """In which order checkpoints follow each other."""

    by: str
    """``step``, ``global_step`` or ``epoch`` that all of them hold, or ``names``."""
    places: tuple[int, ...]
    """Their indices in order."""
    numbers: tuple[int, ...]
    """How far the run was at each, in order: the counter, the number in the names, or
    1, 2, 3 … where the names do not tell."""


class Series:
    """Checkpoints of one run in order.

    Parameters
    ----------
    paths
        Its files in any order. What is no checkpoint is left out.
    copy, include
        Copy of the network, and names of ambiguous layers, to read from each.
    watch
        Checked between files, told layers of one that is read; what it raises cancels.

    Attributes
    ----------
    steps, numbers
        In order; how far the run was at each, rising.
    ordered_by
        As `Order.by`.
    left_out
        What is no step of it.
    included
        Those of ``include`` that some step read so far has.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        copy: str = "",
        include: Sequence[str] = (),
        watch: Watch = NEVER,
    ) -> None:
        self._copy, self._include, self._watch = copy, tuple(include), watch
        self.left_out: tuple[LeftOut, ...] = ()
        self.included: set[str] = set()
        found = []
        for number, (path, name) in enumerate(
            zip(paths, own_names(paths), strict=True)
        ):
            watch.progress(number, len(paths), f"opening {name}")
            stamp = _stamp(path)  # first: what changes later has another
            try:
                checkpoint = open_checkpoint(path, copy=copy, watch=watch.quiet())
            except CheckpointError as error:
                self._leave_out(path, name, _sentences(error))
            else:
                found.append(Step(path, name, stored_counters(checkpoint), stamp))
        order = order_of([(step.name, step.stored) for step in found])
        self.ordered_by = order.by
        self.steps: tuple[Step, ...] = tuple(found[place] for place in order.places)
        self.numbers = order.numbers
        self._banks: WeakValueDictionary[Path, KernelBank] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self.steps)

    def bank(self, number: int) -> KernelBank:
        """Kernels of a step, read when asked for; forgotten when nobody holds them.

        Raises
        ------
        CheckpointError
            The file cannot be read any more.
        """
        path = self.steps[number].path
        bank = self._banks.get(path)
        if bank is None:
            watch = self._watch.quiet()
            checkpoint = open_checkpoint(path, copy=self._copy, watch=watch)
            there = [n for n in self._include if find_stack(checkpoint, n) is not None]
            self.included.update(there)
            bank = extract_kernels(checkpoint, include=there, watch=watch)
            self._banks[path] = bank
        return bank

    def keep_alike(self) -> None:
        """Leave out steps that break off or have other layers than most of them.

        Every step is read once. Where as many have one set of layers as another, the
        later steps stay.
        """
        layers: dict[int, dict[str, tuple[Size, int]]] = {}
        for number, step in enumerate(self.steps):
            self._watch.progress(number, len(self), f"reading {step.name}")
            try:
                layers[number] = layers_of(self.bank(number))
            except CheckpointError as error:
                self._leave_out(step.path, step.name, _sentences(error))
        like, odd = _unlike(list(layers.values()), lambda i: self.bank([*layers][i]))
        usual = list(layers.values())[like] if layers else {}
        for number in [[*layers][i] for i in odd]:
            told = "; ".join(differences(usual, layers.pop(number)))
            step = self.steps[number]
            self._leave_out(step.path, step.name, f"other layers: {told}")
        self._keep(list(layers))

    def drop(self, number: int, problem: str) -> None:
        """Leave out a step that has turned out to be of no use."""
        step = self.steps[number]
        self._leave_out(step.path, step.name, problem)
        self._keep([other for other in range(len(self)) if other != number])

    def _leave_out(self, path: Path, name: str, problem: str) -> None:
        self.left_out = (*self.left_out, LeftOut(path, name, problem))

    def _keep(self, numbers: Sequence[int]) -> None:
        self.steps, self.numbers = (
            tuple(self.steps[number] for number in numbers),
            tuple(self.numbers[number] for number in numbers),
        )


def arranged_as(bank: KernelBank, like: KernelBank) -> KernelBank:
    """A step's kernels, its layers named and in the order as in another step.

    The steps have the same layers, though names may be wrapped otherwise.
    """
    if _form(bank) == _form(like):
        return bank
    found = pair(like, bank)
    partner = {item.a: item.b for item in found.layers}
    layers = tuple(
        replace(bank.layers[partner[i]], name=layer.name) if i in partner else layer
        for i, layer in enumerate(like.layers)
    )
    sizes = {}
    for size, pairs in found.sizes.items():
        kernels, rows = bank.sizes[size], pairs.index_b
        sizes[size] = KernelSet(
            size,
            kernels.weights[rows],
            pairs.layer_a,
            pairs.channel_a,
            kernels.scale[rows],
            kernels.offset[rows],
            kernels.flat[rows],
            {
                a: kernels.supports[b]
                for a, b in partner.items()
                if b in kernels.supports
            },
        )
    return replace(bank, layers=layers, sizes=sizes)


def _form(bank: KernelBank) -> list[tuple[str, Size, int, bool]]:
    """What places of kernels depend on."""
    return [(i.name, i.size, i.kernels, i.included) for i in bank.layers]


def common_layers(banks: Sequence[KernelBank]) -> list[int]:
    """Indices of the networks that have the layers of most of them, in order."""
    _, odd = _unlike([layers_of(bank) for bank in banks], banks.__getitem__)
    return [number for number in range(len(banks)) if number not in odd]


def _unlike(
    layers: Sequence[Layers], bank: Callable[[int], KernelBank]
) -> tuple[int, list[int]]:
    """One of the networks whose layers most have, the later of equals; the odd ones.

    Layers of other names are no others if each has its partner (`pair`).
    """
    kinds = [frozenset(item.items()) for item in layers]
    counts = Counter(kinds)
    like = max(range(len(kinds)), key=lambda i: (counts[kinds[i]], i), default=0)
    odd = []
    for number in [i for i, kind in enumerate(kinds) if kind != kinds[like]]:
        found = pair(bank(like), bank(number))
        if found.left_a or found.left_b:
            odd.append(number)
    return like, odd


def order_of(files: Sequence[tuple[str, Mapping[str, int]]]) -> Order:
    """Order of checkpoints by what they hold, else by the numbers in their names.

    Parameters
    ----------
    files
        Name of each without what all share, and `stored_counters` of it.
    """
    for counter in COUNTERS:
        stored = [counters.get(counter) for _, counters in files]
        values = [value for value in stored if value is not None]
        if len(set(values)) == len(files) > 0:
            places = sorted(range(len(files)), key=values.__getitem__)
            return Order(counter, tuple(places), tuple(values[i] for i in places))
    names = [name for name, _ in files]
    numbers = _numbers_in(names)
    if numbers is None:
        places = sorted(range(len(names)), key=lambda i: natural_key(names[i]))
        return Order("names", tuple(places), tuple(range(1, len(names) + 1)))
    places = sorted(range(len(names)), key=numbers.__getitem__)
    return Order("names", tuple(places), tuple(numbers[i] for i in places))


def unit_of(by: str, names: Sequence[str]) -> Literal["step", "epoch"]:
    """What a run's numbers count, by `Order.by` and the names of its files."""
    if by == "epoch" or (by == "names" and all("epoch" in n.lower() for n in names)):
        return "epoch"
    return "step"


def are_steps(names: Sequence[str], counters: Sequence[Mapping[str, int]]) -> bool:
    """True if checkpoints say that they are steps of a run, and in which order.

    By counters that they hold, by names that speak of steps, or by the numbers of many:
    three that are called ``net0`` to ``net2`` are as well three networks.
    """
    if order_of(list(zip(names, counters, strict=True))).by != "names":
        return True
    told = all(map(_SPEAKS_OF_STEPS.search, names)) or len(names) >= _MANY
    return told and _numbers_in(names) is not None


def places_of(
    numbers: Sequence[int], spacing: Literal["auto", "even", "step", "log"] = "auto"
) -> list[float]:
    """Where steps stand between 0 and 1: evenly, by their numbers or logarithms."""
    if len(numbers) == 1:
        return [0.5]
    at = np.asarray(numbers, np.float64) - numbers[0]
    gaps = np.diff(at)
    if spacing == "even" or not (gaps > 0).all():
        at = np.arange(len(numbers), dtype=np.float64)
    elif spacing == "log" or (spacing == "auto" and gaps.max() > _UNEVEN * gaps.min()):
        at = np.log1p(at / gaps[0])
    places: list[float] = (at / at[-1]).tolist()
    return places


def stored_counters(checkpoint: Checkpoint | KernelBank) -> dict[str, int]:
    """How far a run was when a file was written, as far as the file holds it."""
    facts = checkpoint.metadata.get("facts")
    places = [facts if isinstance(facts, dict) else {}, checkpoint.metadata]
    found: dict[str, int] = {}
    for name in COUNTERS:
        values = (_whole(place.get(name)) for place in places)
        value = next((value for value in values if value is not None), None)
        if value is not None:
            found[name] = value
    return found


def step_at(path: Path, name: str) -> Step:
    """The step of a file that is known to be one, without opening it."""
    return Step(path, name, {}, _stamp(path))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except OSError:  # opening it tells more
        return 0, 0
    return facts.st_size, facts.st_mtime_ns


def _whole(value: object) -> int | None:
    """A counter from a file: a number, or digits (safetensors notes only texts)."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def own_names(paths: Sequence[Path]) -> list[str]:
    """Paths without the folder that all are in: what tells them apart."""
    if len(paths) < 2:
        return [path.name for path in paths]
    shared = os.path.commonpath([path.absolute().parent for path in paths])
    return [path.absolute().relative_to(shared).as_posix() for path in paths]


def _numbers_in(names: Sequence[str]) -> list[int] | None:
    """What names count by; None if they do not.

    That is the number after ``step`` or ``epoch``, so that ``loss0.31-epoch2`` comes
    before ``loss0.27-epoch10``, or the only number in which they differ.
    """
    for word in _WORDS:
        pattern = re.compile(rf"(?<![a-z]){word}[-_=. ]?(\d+)", re.I)
        found = [match for name in names if (match := pattern.search(name))]
        numbers = [int(match[1]) for match in found]
        if len(set(numbers)) == len(names):
            return numbers
    rows = [[int(digits) for digits in _DIGITS.findall(name)] for name in names]
    if len({len(row) for row in rows}) != 1:
        return None
    columns = [column for column in zip(*rows, strict=True) if len(set(column)) > 1]
    if len(columns) != 1 or len(set(columns[0])) < len(names):
        return None
    return list(columns[0])


def layers_of(bank: KernelBank) -> dict[str, tuple[Size, int]]:
    """Cleaned name → size and number of kernels of each layer that has some."""
    there = [layer for layer in bank.layers if layer.included]
    names = cleaned_names(layer.name for layer in there)
    return {
        name: (layer.size, layer.kernels)
        for name, layer in zip(names, there, strict=True)
    }


def differences(usual: Layers, here: Layers) -> tuple[str, ...]:
    """What of a step's layers is not as in the other steps: clauses; mostly none."""
    told = [
        _listing("it lacks", usual.keys() - here.keys(), usual),
        _listing("it has besides", here.keys() - usual.keys(), here),
        *(
            f"{name} has {_text(here[name])}, where other steps have "
            f"{_text(usual[name])}"
            for name in usual
            if name in here and here[name] != usual[name]
        ),
    ]
    return tuple(filter(None, told))


def _sentences(error: CheckpointError) -> str:
    """What is wrong with a file, and what would help."""
    return with_hint(error.problem, error.hint)


def _text(shape: tuple[Size, int]) -> str:
    return f"{shape[1]} kernels of {size_label(shape[0])}"


def _listing(verb: str, names: set[str], order: Mapping[str, Any]) -> str:
    listed = [name for name in order if name in names]
    if not listed:
        return ""
    if len(listed) > _MOST_TOLD:
        return f"{verb} {len(listed)} layers, {listed[0]} first"
    return f"{verb} {', '.join(listed)}"
