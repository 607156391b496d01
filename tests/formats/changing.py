"""Opens networks again and again while their files are damaged; a process of its own.

``python -m tests.formats.changing FIRST SECOND MAIN …``: two folders with files of the
same names, and the name of the file to open; then the next network. Prints what came
out of each as a line of JSON. A file is damaged at a chosen call of a function, so that
the same thing happens in every run: at a few of those that read, others for each kind
of damage; at many of all where KERNELVIEWER_FUZZ is set.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats import source as file_view

if TYPE_CHECKING:
    from collections.abc import Callable

    Values = dict[str, bytes]
    Damage = Callable[[Path, Path], None]

LONG = bool(os.environ.get("KERNELVIEWER_FUZZ"))
PLACES, ROUNDS = (10, 30) if LONG else (2, 4)
READING = "formats/source.py"
"""Where the functions are that read."""
LONG_AGO = 10**18


def empty(file: Path, other: Path) -> None:
    file.open("wb").close()


def cut(file: Path, other: Path) -> None:
    os.truncate(file, file.stat().st_size // 3)


def rewrite(file: Path, other: Path) -> None:
    file.write_bytes(other.read_bytes())


def replace(file: Path, other: Path) -> None:
    fresh = file.with_name("fresh")
    fresh.write_bytes(other.read_bytes())
    fresh.replace(file)


def remove(file: Path, other: Path) -> None:
    file.unlink()


DAMAGES: tuple[Damage, ...] = (empty, cut, rewrite, replace, remove)


def values(path: Path) -> Values:
    return {
        tensor.name: np.asarray(tensor.load()).tobytes()
        for tensor in open_checkpoint(path).tensors
    }


def restore(source: Path, folder: Path) -> None:
    """The files as they were, written long ago."""
    for file in source.iterdir():
        target = folder / file.name
        if target.exists():
            target.unlink()
        shutil.copyfile(file, target)
        os.utime(target, ns=(LONG_AGO, LONG_AGO))


class Trap:
    """Does something at a call of the reader's functions."""

    def __init__(self, at: int, action: Callable[[], None]) -> None:
        self.at, self.action, self.calls = at, action, 0

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if event == "call" and counts(frame.f_code.co_filename):
            self.calls += 1
            if self.calls == self.at:
                sys.setprofile(None)
                self.action()
                sys.setprofile(self)


def counts(file: str) -> bool:
    """Whether calls of a file's functions are places where something happens."""
    return "kernelviewer" in file and (LONG or Path(file).match(READING))


def read(path: Path) -> Values | None:
    """What is read, None where there is an error."""
    try:
        return values(path)
    except CheckpointError:
        return None


def with_trap(path: Path, trap: Trap) -> Values | None:
    """The same with something that happens meanwhile."""
    sys.setprofile(trap)
    try:
        return read(path)
    finally:
        sys.setprofile(None)


def at_every_place(first: Path, second: Path, name: str, folder: Path) -> list[str]:
    """Mixtures and errors that must not be, when files change at a call."""
    wrong = []
    path = folder / name
    known = [values(source / name) for source in (first, second)]
    restore(first, folder)
    count = Trap(0, lambda: None)
    with_trap(path, count)
    assert count.calls, "nothing is read where reading is looked for"
    files = sorted(first.iterdir())
    kinds = [(file, damage) for file in files for damage in DAMAGES]
    for number, (file, damage) in enumerate(kinds):
        there, other = folder / file.name, second / file.name
        restore(first, folder)
        damage(there, other)
        before = [read(path)]  # parts may be another network's from the start
        for place in places(count.calls, number / len(kinds)):
            restore(first, folder)
            trap = Trap(place, lambda: damage(there, other))  # noqa: B023
            case = f"{damage.__name__} {file.name} at {place} of {count.calls}"
            try:
                found = with_trap(path, trap)
            except Exception as error:
                wrong.append(f"{case}: {error!r}")
                continue
            if found is not None and found not in known + before:
                wrong.append(f"{case}: a mixture")
    return wrong


def places(calls: int, shift: float) -> list[int]:
    """Numbers of calls, evenly apart; the shift moves them by a part of the way."""
    step = calls / PLACES
    return [min(calls, 1 + int((place + shift) * step)) for place in range(PLACES)]


def beside_a_writer(first: Path, name: str, folder: Path) -> list[str]:
    """The same while a thread cuts the files off and writes them again."""
    wrong = []
    path = folder / name
    right = values(first / name)
    restore(first, folder)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for file in first.iterdir():
                os.truncate(folder / file.name, 100)
                shutil.copyfile(file, folder / file.name)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(ROUNDS):
            try:
                if values(path) != right:
                    wrong.append("a mixture beside a writer")
            except CheckpointError:
                continue
            except Exception as error:
                wrong.append(f"beside a writer: {error!r}")
    finally:
        stop.set()
        writer.join()
    return wrong


def faults(first: Path, second: Path, name: str) -> list[str]:
    """All that is wrong with a network's reader, of small files and of large ones."""
    wrong = []
    for whole, block in [(file_view.WHOLE, file_view.BLOCK), (0, 1 << 10)]:
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_view, "WHOLE", whole)
            patch.setattr(file_view, "BLOCK", block)
            wrong += at_every_place(first, second, name, Path(folder))
            wrong += beside_a_writer(first, name, Path(folder))
    return wrong


def main() -> None:
    sys.setswitchinterval(1e-5)
    arguments = iter(sys.argv[1:])
    for first, second, name in zip(arguments, arguments, arguments, strict=True):
        print(json.dumps(faults(Path(first), Path(second), name)), flush=True)


if __name__ == "__main__":
    main()
