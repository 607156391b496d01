"""A watch that keeps what it is told and ends the work when it is asked to."""

from __future__ import annotations

from kernelviewer.watch import Watch


class EndedError(Exception):
    """What the watch raises; an `Exception`, so that no reader may swallow those."""


class Recorder(Watch):
    """Counts checks and keeps progress; ``end``: the check that raises (0: none)."""

    def __init__(self, end: int = 0) -> None:
        self.end = end
        self.checks = 0
        self.told: list[tuple[int, int, str]] = []

    def check(self) -> None:
        self.checks += 1
        if 0 < self.end <= self.checks:
            raise EndedError

    def progress(self, done: int, total: int, text: str = "") -> None:
        self.told.append((done, total, text))
        super().progress(done, total, text)
