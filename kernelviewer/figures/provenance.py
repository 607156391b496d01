"""What a figure was made from, kept inside its file so that it can be made again."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer import __version__
from kernelviewer.figures.content import FigureError
from kernelviewer.formats.registry import hash_at, network_hash
from kernelviewer.strangers import is_plain, reach
from kernelviewer.text import printable, shortened, shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.figures.scene import Scene
    from kernelviewer.kernels.bank import Size
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

_LARGEST = 1 << 28
_LONGEST = 1 << 25
"""Bytes of a figure, signs of a record."""
_MOST_FILES, _MOST_INCLUDED = 10_000, 10_000
_NEEDED = object()
_SIZE = re.compile(r"[1-9][0-9]{0,3}(x[1-9][0-9]{0,3}){0,2}")
_DAMAGED = "the record of how the figure was made is damaged"
_ANEW = "Make the figure anew from its networks."
_PROGRAM = "kernelviewer"
_KEYWORDS = b"/Keywords ("
_IN_SVG = re.compile(rb"<dc:source>([^<]*)</dc:source>")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A network's file: its name without folders, its hash, what was taken of it."""

    name: str
    sha256: str
    """File name; hash of its content, hexadecimal."""
    copy: str = ""
    include: tuple[str, ...] = ()
    """As in `kernelviewer.open_checkpoint` and `kernelviewer.extract_kernels`."""
    shown: str = ""
    """Ranges of kernels shown, as ``0-119,240``; empty: all."""
    called: str = ""
    """What the figure calls the network; empty: as its file."""


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that decides a figure; no folder, no time."""

    kind: str
    size: str
    """Exhibit, and kernel size as ``7x7``."""
    files: tuple[FileRecord, ...] = ()
    """The networks."""
    naming: Mapping[str, Any] = field(default_factory=dict)
    """How kernels were named: ``method``, ``autoencoder`` (name, sha256),
    ``threshold``, ``stretches`` …; JSON-like, empty where nothing is named."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """`kernelviewer.figures.options.FigureOptions.to_json`."""
    selection: str = ""
    """What is shown, in words; empty: all."""
    caption: str = ""
    """The caption, where the user wrote another than the proposed one."""
    version: str = __version__
    """Of the program."""
    once: bool = False
    """Whether kernels that several networks have alike were counted once."""

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
        DamagedRecordError
            It is one, with a value of the wrong type; a ValueError too.
        """
        facts = json.loads(text)
        if not isinstance(facts, dict) or _PROGRAM not in facts:
            raise ValueError("no record")
        naming = _table(facts, "naming")
        _check_naming(naming)
        return cls(
            kind=_text(facts, "figure", _NEEDED),
            size=_text(facts, "size", _NEEDED),
            files=tuple(
                _file(item, f"files[{number}]")
                for number, item in enumerate(_list(facts, "files", _MOST_FILES))
            ),
            naming=naming,
            options=_table(facts, "options"),
            selection=_text(facts, "selection"),
            caption=_text(facts, "caption"),
            version=_text(facts, _PROGRAM),
            once=facts.get("equal") == "once",
        )

    @property
    def kernel_size(self) -> Size:
        """The size of the kernels.

        Raises
        ------
        FigureError
            The record has none.
        """
        if not _SIZE.fullmatch(self.size):
            raise FigureError(
                f"{_DAMAGED}: its size is no kernel size such as 7x7", _ANEW
            )
        return tuple(map(int, self.size.split("x")))


class DamagedRecordError(ValueError):
    """A record one of whose values is something else than it has to be."""


def _value(facts: Mapping[str, Any], key: str, default: Any, where: str) -> Any:
    if key not in facts and default is _NEEDED:
        raise DamagedRecordError(f"{where}{key} is missing")
    return facts.get(key, default)


def _text(
    facts: Mapping[str, Any], key: str, default: Any = "", where: str = ""
) -> str:
    value = _value(facts, key, default, where)
    if not isinstance(value, str):
        raise DamagedRecordError(f"{where}{key} is no text")
    return value


def _table(facts: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = facts.get(key, {})
    if not isinstance(value, dict):
        raise DamagedRecordError(f"{key} is no table")
    return value


def _list(facts: Mapping[str, Any], key: str, most: int, where: str = "") -> list[Any]:
    value = facts.get(key, [])
    if not isinstance(value, list) or len(value) > most:
        raise DamagedRecordError(f"{where}{key} is no list of at most {most}")
    return value


def _file(item: Any, where: str) -> FileRecord:
    if not isinstance(item, dict):
        raise DamagedRecordError(f"{where} is no table")
    where += "."
    include = _list(item, "include", _MOST_INCLUDED, where)
    if not all(isinstance(name, str) for name in include):
        raise DamagedRecordError(f"{where}include is no list of texts")
    return FileRecord(
        name=_text(item, "name", _NEEDED, where),
        sha256=_text(item, "sha256", "", where),
        copy=_text(item, "copy", "", where),
        include=tuple(include),
        shown=_text(item, "shown", "", where),
        called=printable(_text(item, "called", "", where)),
    )


def _check_naming(naming: Mapping[str, Any]) -> None:
    """See that what is known of the naming has the right types."""
    for key in ("method", "sha256"):
        _text(naming, key, "", "naming.")
    threshold = naming.get("threshold")
    number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    if threshold is not None and not (number and -1 <= threshold <= 1):
        raise DamagedRecordError("naming.threshold is no fit from −1 to 1")


def read_record(path: AnyPath) -> Record:
    """The record inside a figure that this program wrote.

    Raises
    ------
    FigureError
        The file is no such figure, or its record is damaged.
    """
    path = Path(path)
    name = shown(path.name)
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        text = _embedded(path.read_bytes())
        if len(text) > _LONGEST:
            raise DamagedRecordError("it is too long")
        return Record.from_text(text)
    except FileNotFoundError:
        raise FigureError(f"{name}: there is no such file") from None
    except OSError as error:
        reason = error.strerror or "the disk fails"
        raise FigureError(f"{name}: the file cannot be read, {reason}") from None
    except DamagedRecordError as error:
        raise FigureError(f"{name}: {_DAMAGED}: {error}", _ANEW) from None
    except RecursionError:
        raise FigureError(f"{name}: {_DAMAGED}: it is nested too deep", _ANEW) from None
    except ValueError:
        raise FigureError(
            f"{name}: this is no figure of kernelviewer",
            "Only its own SVG, PDF and PNG files tell how they were made.",
        ) from None


def _embedded(data: bytes) -> str:
    """The record's text in an SVG, PDF or PNG file."""
    if data.startswith(b"\x89PNG"):
        return _in_png(data)
    if data.startswith(b"%PDF"):
        return _in_pdf(data)
    found = _IN_SVG.search(data)
    return html.unescape(found[1].decode()) if found is not None else ""


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
    start = data.find(_KEYWORDS)
    if start < 0:
        return ""
    start += len(_KEYWORDS)
    found = re.match(
        rb"[^\\()]*(?:\\.[^\\()]*)*\)", data[start : start + _LONGEST], re.S
    )
    if found is None:
        return ""
    return re.sub(rb"\\(.)", rb"\1", found[0][:-1], flags=re.S).decode("ascii")


def to_ranges(shown: NDArray[np.bool_] | None) -> str:
    """Indices of what is shown; empty if all is."""
    if shown is None or shown.all():
        return ""
    edges = np.flatnonzero(np.diff(shown.astype(np.int8), prepend=0, append=0))
    pairs = edges.reshape(-1, 2)
    return ",".join(
        str(first) if last == first + 1 else f"{first}-{last - 1}"
        for first, last in pairs
    )


def from_ranges(text: str, count: int) -> NDArray[np.bool_] | None:
    """What `to_ranges` wrote, bool [count]; None if all is shown.

    Raises
    ------
    ValueError
        The text is no list of ranges within ``count``.
    """
    if not text:
        return None
    shown = np.zeros(count, bool)
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = int(first), int(last or first)
        if not 0 <= start <= end < count:
            raise ValueError(f"no kernels {part!r} among {count}")
        shown[start : end + 1] = True
    return shown


def find_files(
    record: Record,
    given: Sequence[AnyPath],
    folders: Iterable[AnyPath],
    watch: Watch = NEVER,
) -> list[Path]:
    """The files of a record, in its order.

    Parameters
    ----------
    given
        Files named by the user, under whatever names.
    folders
        Where else to look, by name; a recorded name that is more than a name, as a
        stranger may have written it, is not looked for.

    Raises
    ------
    FigureError
        A file is not there, or has another content than it had.
    """
    places = [Path(folder) for folder in folders]
    hashes = {Path(path): hash_at(path, watch) for path in given}
    return [_find(item, hashes, places, watch) for item in record.files]


def show_again(scene: Scene, record: Record) -> Scene:
    """The scene with just the kernels that the figure showed.

    Raises
    ------
    FigureError
        The record does not fit the networks.
    """
    if len(record.files) != len(scene.subjects):
        raise FigureError("the figure was made from other networks")
    subjects = []
    for subject, item in zip(scene.subjects, record.files, strict=True):
        try:
            mask = from_ranges(item.shown, len(subject.kernels))
        except ValueError:
            name = shortened(shown(item.name))
            msg = f"{name}: the figure showed kernels that are not there"
            raise FigureError(msg) from None
        subjects.append(
            replace(subject, shown=mask, sha256=item.sha256, called=item.called)
        )
    return replace(
        scene,
        subjects=tuple(subjects),
        selection=record.selection,
        count_equal=not record.once,
    )


def with_hashes(scene: Scene, watch: Watch = NEVER) -> Scene:
    """The scene with the hash of each network's files, as they were read."""
    subjects = (
        replace(item, sha256=network_hash(item.bank.files, watch))
        for item in scene.subjects
    )
    return replace(scene, subjects=tuple(subjects))


def _find(
    item: FileRecord, hashes: dict[Path, str], folders: list[Path], watch: Watch
) -> Path:
    for path, found in hashes.items():
        if found == item.sha256:
            return path
    named = [folder / item.name for folder in folders if is_plain(item.name)]
    there = [path for path in named if _may_be_read(path)]
    for path in there:
        if hash_at(path, watch) == item.sha256:
            return path
    name = shortened(shown(item.name))
    if there or any(path.name == item.name for path in hashes):
        raise FigureError(
            f"{name}: this is not the file that the figure was made from",
            "Its content differs.",
        )
    raise FigureError(
        f"{name}: the file that the figure was made from is not here",
        "Name it after the figure.",
    )


def _may_be_read(path: Path) -> bool:
    """True if a network may be there; a link to a share or a device is not followed."""
    try:
        if reach(path.parent, path.name) == "never":
            return False
        return path.is_file() or path.is_dir()
    except (OSError, ValueError):  # such as a name that is too long
        return False
