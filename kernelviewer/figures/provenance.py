"""What a figure was made from, kept inside its file so that it can be made again."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer import __version__
from kernelviewer.figures.errors import FigureError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LARGEST = 1 << 28
_PROGRAM = "kernelviewer"
_DC = "{http://purl.org/dc/elements/1.1/}"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A network's file: its name without folders, its hash, what was taken of it.

    Attributes
    ----------
    name, sha256
        File name; hash of its content, hexadecimal.
    copy, include
        As in `kernelviewer.open_checkpoint` and `kernelviewer.extract_kernels`.
    shown
        Ranges of kernels shown, as ``0-119,240``; empty: all.
    """

    name: str
    sha256: str
    copy: str = ""
    include: tuple[str, ...] = ()
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that decides a figure; no folder, no time.

    Attributes
    ----------
    kind, size
        Exhibit, and kernel size as ``7x7``.
    files
        The networks.
    naming
        How kernels were named: ``method``, ``autoencoder`` (name, sha256),
        ``threshold``, ``stretches`` …; JSON-like, empty where nothing is named.
    options
        `kernelviewer.figures.options.FigureOptions.to_json`.
    selection
        What is shown, in words; empty: all.
    caption
        The caption, where the user wrote another than the proposed one.
    version
        Of the program.
    once
        Whether kernels that several networks have alike were counted once.
    """

    kind: str
    size: str
    files: tuple[FileRecord, ...] = ()
    naming: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    selection: str = ""
    caption: str = ""
    version: str = __version__
    once: bool = False

    def to_text(self) -> str:
        """One line of ASCII JSON."""
        files = [
            {
                name: value
                for name in FileRecord.__dataclass_fields__
                if (value := getattr(item, name))
            }
            for item in self.files
        ]
        facts = {
            _PROGRAM: self.version,
            "figure": self.kind,
            "size": self.size,
            "files": files,
            "naming": self.naming,
            "options": self.options,
            "selection": self.selection,
            "caption": self.caption,
            "equal": "once" if self.once else "",
        }
        return json.dumps(
            {name: value for name, value in facts.items() if value}, sort_keys=True
        )

    @classmethod
    def from_text(cls, text: str) -> Record:
        """The record that `to_text` wrote.

        Raises
        ------
        ValueError
            It is no such record.
        """
        facts = json.loads(text)
        if not isinstance(facts, dict) or _PROGRAM not in facts:
            raise ValueError("no record")
        try:
            files = tuple(
                FileRecord(
                    name=str(item["name"]),
                    sha256=str(item.get("sha256", "")),
                    copy=str(item.get("copy", "")),
                    include=tuple(map(str, item.get("include", ()))),
                    shown=str(item.get("shown", "")),
                )
                for item in facts.get("files", ())
            )
            return cls(
                kind=str(facts["figure"]),
                size=str(facts["size"]),
                files=files,
                naming=dict(facts.get("naming", {})),
                options=dict(facts.get("options", {})),
                selection=str(facts.get("selection", "")),
                caption=str(facts.get("caption", "")),
                version=str(facts[_PROGRAM]),
                once=facts.get("equal") == "once",
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("no record") from error


def read_record(path: Path) -> Record:
    """The record inside a figure that this program wrote.

    Raises
    ------
    FigureError
        The file is no such figure.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        data = path.read_bytes()
        return Record.from_text(_embedded(data))
    except FileNotFoundError:
        raise FigureError(f"{path.name}: there is no such file") from None
    except OSError as error:
        reason = error.strerror or "the disk fails"
        raise FigureError(f"{path.name}: the file cannot be read, {reason}") from None
    except (ValueError, ET.ParseError):
        raise FigureError(
            f"{path.name}: this is no figure of kernelviewer",
            "Only its own SVG, PDF and PNG files tell how they were made.",
        ) from None


def _embedded(data: bytes) -> str:
    """The record's text in an SVG, PDF or PNG file."""
    if data.startswith(b"\x89PNG"):
        return _in_png(data)
    if data.startswith(b"%PDF"):
        return _in_pdf(data)
    root = ET.fromstring(data)
    found = root.find(f".//{_DC}source")
    return (found.text or "") if found is not None else ""


def _in_png(data: bytes) -> str:
    """The text chunk named Source."""
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if kind == b"tEXt" and body.startswith(b"Source\0"):
            return body[7:].decode("latin-1")
        at += 12 + size
    return ""


def _in_pdf(data: bytes) -> str:
    """The Keywords of the information dictionary, a string of ASCII characters."""
    found = re.search(rb"/Keywords \(((?:[^\\()]|\\.)*)\)", data, re.S)
    if found is None:
        return ""
    return re.sub(rb"\\(.)", rb"\1", found[1], flags=re.S).decode("ascii")
