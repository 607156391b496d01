"""A case of the corpus, and writing the containers that cases are in."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "kernelviewer_canary"
"""Name of a file, and of a module, that shows that something was run."""


@dataclass(frozen=True)
class Case:
    """A file: its name, its bytes, and the message without the name; empty if none."""

    name: str
    build: Callable[[], bytes]
    message: str


def case(name: str, data: bytes | Callable[[], bytes], message: str = "") -> Case:
    """A case whose bytes are at hand or are made when asked for."""
    return Case(name, data if callable(data) else lambda: data, message)


def zipped(records: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in records.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def tarred(records: dict[str, bytes], link: str = "") -> bytes:
    """A tar file; ``link`` adds a symbolic link to that place."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in records.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo("link.pth")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return out.getvalue()


def gzipped(data: bytes) -> bytes:
    """A gzip file without a date."""
    return gzip.compress(data, mtime=0)


def cut(data: bytes, part: float) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * part)]
