"""The checkpoints of one training run in order, opened one by one when looked at."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from kernelviewer.formats import open_checkpoint
from kernelviewer.formats.network.names import natural_key
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.extract import extract_kernels
from kernelviewer.kernels.pairing import cleaned_names
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.watch import Watch

COUNTERS = ("step", "global_step", "epoch")
"""Names by which files tell how far a run is, the finest first."""
_WORDS = ("step", "iter(?:ation)?s?", "epochs?")
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One checkpoint of a run.

    Attributes
    ----------
    path
        Its file.
    name
        What tells it from the others: its path without the folder that all are in.
    stored
        Counters that the file holds, by name (`COUNTERS`).
    """

    path: Path
    name: str
    stored: Mapping[str, int]


class Series:
    """Checkpoints of one run in order.

    Parameters
    ----------
    paths
        Its files in any order.
    watch
        Checked between files, told layers of one that is read; what it raises cancels.

    Attributes
    ----------
    steps
        In order.
    ordered_by
        ``step``, ``global_step`` or ``epoch`` that the files hold, or ``names``.

    Raises
    ------
    CheckpointError
        A file cannot be read.
    """

    def __init__(self, paths: Sequence[Path], watch: Watch = NEVER) -> None:
        steps = []
        for path, name in zip(paths, _own_names(paths), strict=True):
            watch.check()
            stored = stored_counters(open_checkpoint(path, watch=watch))
            steps.append(Step(path, name, stored))
        self._watch = watch
        self.ordered_by = _counter_of(steps)
        places = _places([step.name for step in steps])
        self.steps: tuple[Step, ...] = tuple(
            sorted(
                steps,
                key=lambda step: (
                    step.stored.get(self.ordered_by, 0),
                    places[step.name],
                ),
            )
        )
        self._banks: WeakValueDictionary[int, KernelBank] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self.steps)

    def bank(self, number: int) -> KernelBank:
        """Kernels of a step, read when asked for; forgotten when nobody holds them.

        Raises
        ------
        CheckpointError
            The file cannot be read any more.
        """
        bank = self._banks.get(number)
        if bank is None:
            path = self.steps[number].path
            checkpoint = open_checkpoint(path, watch=self._watch)
            bank = extract_kernels(checkpoint, watch=self._watch)
            self._banks[number] = bank
        return bank

    def differences(self, number: int) -> tuple[str, ...]:
        """Layers of a step that are not as in the first step; mostly empty."""
        first, here = _layers(self.bank(0)), _layers(self.bank(number))
        told = [
            *(_listing("lacks", first.keys() - here.keys(), first),),
            *(_listing("has besides", here.keys() - first.keys(), here),),
            *(
                f"{name} has {_text(here[name])}, where the first step has "
                f"{_text(first[name])}"
                for name in first
                if name in here and here[name] != first[name]
            ),
        ]
        return tuple(f"{self.steps[number].name}: {text}" for text in told if text)


def stored_counters(checkpoint: Checkpoint) -> dict[str, int]:
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


def _whole(value: object) -> int | None:
    """A counter from a file: a number, or digits (safetensors notes only texts)."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _counter_of(steps: Sequence[Step]) -> str:
    """The finest counter that every file holds and that tells all of them apart."""
    for name in COUNTERS:
        values = {step.stored.get(name) for step in steps}
        if None not in values and len(values) == len(steps) > 0:
            return name
    return "names"


def _own_names(paths: Sequence[Path]) -> list[str]:
    """Paths without the folder that all are in."""
    if len(paths) < 2:
        return [path.name for path in paths]
    shared = os.path.commonpath([path.absolute().parent for path in paths])
    return [path.absolute().relative_to(shared).as_posix() for path in paths]


def _places(names: Sequence[str]) -> dict[str, int]:
    """Names → keys: the number after ``step`` or ``epoch``, else the natural order.

    ``loss0.31-epoch2`` comes before ``loss0.27-epoch10``.
    """
    for word in _WORDS:
        pattern = re.compile(rf"(?<![a-z]){word}[-_=. ]?(\d+)", re.I)
        numbers = {
            name: int(found[1]) for name in names if (found := pattern.search(name))
        }
        if len(set(numbers.values())) == len(names):
            return numbers
    places = sorted(names, key=natural_key)
    return {name: place for place, name in enumerate(places)}


def _layers(bank: KernelBank) -> dict[str, tuple[Size, int]]:
    """Cleaned name → size and number of kernels of each layer that has some."""
    there = [layer for layer in bank.layers if layer.included]
    names = cleaned_names(layer.name for layer in there)
    return {
        name: (layer.size, layer.kernels)
        for name, layer in zip(names, there, strict=True)
    }


def _text(shape: tuple[Size, int]) -> str:
    return f"{shape[1]} kernels of {size_label(shape[0])}"


def _listing(verb: str, names: set[str], order: Mapping[str, object]) -> str:
    listed = [name for name in order if name in names]
    if not listed:
        return ""
    if len(listed) > _MOST_TOLD:
        return f"{verb} {len(listed)} layers, {listed[0]} first"
    return f"{verb} {', '.join(listed)}"
