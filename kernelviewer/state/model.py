"""Names for what is open: a model, one of its layers, one of its kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.series import Step


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Run:
    """The checkpoints of one training run in order, which are read when looked at."""

    name: str
    """What people call it."""
    steps: tuple[Step, ...]
    numbers: tuple[int, ...]
    """Its files; how far the run was at each, rising."""
    unit: Literal["step", "epoch"]
    """What the numbers count: *step* or *epoch*."""
    copy: str = ""
    include: tuple[str, ...] = ()
    """Copy of the network, and names of undecided layers, to read from each."""

    def __len__(self) -> int:
        return len(self.steps)

    def title(self, step: int) -> str:
        """A step as people read it, such as *step 120*."""
        return f"{self.unit} {self.numbers[step]}"

    def place(self, path: Path) -> int:
        """Which step a file is; the last one if it is none of them."""
        paths = [step.path for step in self.steps]
        return paths.index(path) if path in paths else len(paths) - 1

    def only(self, paths: Collection[Path]) -> Run:
        """The same with those steps alone whose files are named."""
        kept = [i for i, step in enumerate(self.steps) if step.path in paths]
        steps = tuple(self.steps[i] for i in kept)
        numbers = tuple(self.numbers[i] for i in kept)
        return Run(self.name, steps, numbers, self.unit, self.copy, self.include)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Which kernels of a corpus a network was made of."""

    name: str
    """What people call it."""
    network: str = ""
    """Id of the network in the corpus, all of whose kernels they are; empty: what
    ``query`` finds."""
    query: str = ""
    """A line of text, as in `kernelviewer.jobs.corpus`."""
    most: int = 0
    seed: int | None = None
    """At most so many: the first, or a sample by the seed."""
    size: str = ""
    like: tuple[float, ...] = ()
    """Size and taps of a kernel to which they are the nearest; empty: to none."""


@dataclass(frozen=True, slots=True)
class OpenModel:
    """An open network, or a run as one network: the one of the step it stands on.

    ``id`` is never given twice while the program runs; ``hub`` is the name by which
    it was fetched, empty for files. ``step`` is an index into the steps of ``run``;
    its kernels have the same places at each step. ``called`` is what it is called among
    the open networks; empty: what its bank is. ``drawn`` says what it is of the corpus
    at its bank's path; None: it is of none.
    """

    id: int
    bank: KernelBank
    hub: str = ""
    run: Run | None = None
    step: int = 0
    called: str = ""
    drawn: Drawn | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.called or self.bank.name


@dataclass(frozen=True, slots=True, order=True)
class LayerRef:
    """A layer: model id and index into the bank's ``layers``."""

    model: int
    layer: int


@dataclass(frozen=True, slots=True)
class KernelRef:
    """A kernel: model id, kernel size and index into that size's `KernelSet`."""

    model: int
    size: Size
    index: int
