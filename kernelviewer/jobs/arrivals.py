"""Checkpoints that come into a folder while a network is trained."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.jobs.tasks import find_checkpoints
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

    Look = tuple[int, int]

SETTLED = 1.0
"""Seconds without a change after which a file can be whole."""


@dataclass(slots=True)
class _Seen:
    """A file as it was when it last changed, and whether that state was judged."""

    look: Look
    since: float
    judged: bool = False


class Arrivals:
    """New whole checkpoints of a folder, each told once, and again when it changes.

    Nothing runs by itself: somebody calls `poll` now and then. A file is told when size
    and time of change have stayed the same for a while and it opens. One that does not
    open is waited for: it may be half written, and is looked at again when it changes.
    Names that begin with a dot are those of writers that rename a file at the end.

    Parameters
    ----------
    folder
        Where to look; it may not be there yet.
    settled
        Seconds for which a file has to stay as it is.
    clock
        Seconds that have passed, from wherever they are counted.

    Attributes
    ----------
    waiting
        File → why it does not open, of those that have stayed as they are.
    """

    def __init__(
        self,
        folder: AnyPath,
        *,
        settled: float = SETTLED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = Path(folder)
        self.waiting: dict[Path, str] = {}
        self._settled, self._clock = settled, clock
        self._seen: dict[Path, _Seen] = {}

    def poll(self, watch: Watch = NEVER) -> list[Path]:
        """Checkpoints that have become whole since the last call, in natural order.

        Parameters
        ----------
        watch
            Checked between files; what it raises ends the look, and nothing is lost.
        """
        now, whole = self._clock(), []
        there = self.folder.is_dir()
        found = find_checkpoints(self.folder, watch) if there else ()
        files = [path for path in found if not path.name.startswith(".")]
        for path in self._seen.keys() - set(files):
            self._forget(path)
        for path in files:
            watch.check()
            look = _look(path)
            seen = self._seen.get(path)
            if look is None:
                self._forget(path)
            elif seen is None or seen.look != look:
                self._seen[path] = _Seen(look, now)
                self.waiting.pop(path, None)
            elif not seen.judged and now - seen.since >= self._settled:
                problem = _problem(path, watch)
                if _look(path) != look:  # it went on while it was read
                    continue
                if problem:
                    seen.judged = True
                    self.waiting[path] = problem
                else:
                    whole.append(path)
        for path in whole:  # last, as a look that is ended tells of none
            self._seen[path].judged = True
        return whole

    def _forget(self, path: Path) -> None:
        self._seen.pop(path, None)
        self.waiting.pop(path, None)


def _look(path: Path) -> Look | None:
    """Size and time of change; of a folder those of what lies in it. None: it is gone.

    A model folder is as whole as its youngest file.
    """
    try:
        files = [path, *path.rglob("*")] if path.is_dir() else [path]
        facts = [file.stat() for file in files]
    except OSError:
        return None
    return sum(item.st_size for item in facts), max(item.st_mtime_ns for item in facts)


def _problem(path: Path, watch: Watch) -> str:
    """Why a file does not open; empty if it does."""
    try:
        open_checkpoint(path, watch=watch.quiet())
    except CheckpointError as error:
        return error.problem
    return ""
