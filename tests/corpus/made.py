"""Small corpora, and files that harm the process that reads them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet

from kernelviewer.corpus.build import Plan, prepare, recipe_of
from kernelviewer.corpus.child import Job, take_in
from kernelviewer.corpus.store import Corpus, Store
from kernelviewer.kernels.classes import Naming

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from kernelviewer.corpus.child import Outcome

REPOSITORY = Path(__file__).resolve().parents[2]
READER = """
import errno, os, sys, time
from kernelviewer.formats.source import Reader

def match(source):
    return source.head.startswith(b"HARM:")

def read(source, options):
    what = source.head.decode().partition(":")[2].strip()
    if what == "exit":
        print("words before the end", file=sys.stderr)
        os._exit(7)
    if what == "memory":
        taken = bytearray(8 << 30)
        for place in range(0, len(taken), 4096):
            taken[place] = 1
    if what == "disk":
        import pyarrow.parquet
        def full(*_, **__):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        pyarrow.parquet.write_table = full
        raise ValueError("the disk is full from here on")
    while True:
        time.sleep(0.05)

READER = Reader("harm", "a harmful file", match, read)
"""
"""A reader of another package: whatever a reader may do wrong can be asked of it."""


def plan(**options: Any) -> Plan:
    """The usual recipe, but for the options."""
    recipe, files = recipe_of(options.pop("naming", Naming()), **options)
    return Plan(recipe, files)


def make_corpus(folder: Path, sources: Sequence[Path], **options: Any) -> Corpus:
    """A corpus of the sources, made in this process."""
    how, store = plan(**options), Store(folder)
    folder.mkdir(parents=True, exist_ok=True)
    prepare(store, how)
    for source in sources:
        outcome = take_in(Job(str(source), str(folder), how.recipe))
        assert outcome.failure is None, outcome.failure
    store.finish()
    return Corpus.open(folder)


def install_harm(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Have the processes that are started read harmful files."""
    facts = folder / "harm-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: harm\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[kernelviewer.readers]\nharm = harm_reader:READER\n"
    )
    (folder / "harm_reader.py").write_text(READER)
    paths = [str(folder), str(REPOSITORY)]
    patch.setenv("PYTHONPATH", ":".join(paths))
    assert sys.platform != "win32"


class Here:
    """Takes networks in as a `Child` does, where nothing is asked of its process."""

    is_well = True

    def do(self, job: Job, _stopped: object) -> Outcome:
        return take_in(job)

    def end(self) -> None:
        pass


def harm(path: Path, what: str) -> Path:
    """A file that does it to the process that reads it."""
    path.write_text(f"HARM:{what}\n")
    return path


def rows(folder: Path) -> list[tuple[Any, ...]]:
    """Every row of a corpus with its weights, sorted."""
    found: list[tuple[Any, ...]] = []
    for place in (folder / "kernels").glob("size=*/network=*"):
        index = pyarrow.parquet.read_table(place / "index.parquet", partitioning=None)
        weights = pyarrow.parquet.read_table(
            place / "weights.parquet", partitioning=None
        )
        lists = [*index.to_pydict().values(), *weights.to_pydict().values()]
        name = str(place.relative_to(folder))
        found += [(name, *values) for values in zip(*lists, strict=True)]
    return sorted(found, key=repr)
