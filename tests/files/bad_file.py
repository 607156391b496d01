"""A row of the corpus of bad files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

AGAIN = "Download or export it again."


@dataclass(frozen=True)
class BadFile:
    """A file that cannot be used and all that the user should be told."""

    path: Path
    message: str


def cut(path: Path, data: bytes, message: str, places: int = 10) -> list[BadFile]:
    """The file cut off at so many places behind its first bytes."""
    rows = []
    for index in range(1, places + 1):
        end = 64 + (len(data) - 65) * index // (places + 1)
        cut_path = path.with_name(f"{path.stem}-cut-{index}{path.suffix}")
        cut_path.write_bytes(data[:end])
        rows.append(BadFile(cut_path, message))
    return rows
