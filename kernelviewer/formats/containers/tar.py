"""The members of a tar, one after the other out of a stream; headers are bounded.

Read by hand rather than with `tarfile`, which takes a header of whatever length it
announces into memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from kernelviewer.formats.errors import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator


_BLOCK = 512
_MAX_HEADER = 1 << 20
_FILES = (b"0", b"\0", b"7")
_SPARSE = b"S"
_LONG_NAME, _LONG_LINK, _FACTS, _GLOBAL_FACTS = b"L", b"K", b"x", b"g"
_SPARSE_MAP_GOES_ON, _SPARSE_BLOCK_GOES_ON = 482, 504  # bytes of such headers
_WANTED = (b"path", b"size")
_BROKEN = "it is cut off or damaged: it may be half a download"
_AGAIN = "Download it again."


class Stream(Protocol):
    """Bytes that come in order."""

    def read(self, count: int) -> bytes:
        """Up to so many bytes; fewer only at the end."""

    def skip(self, count: int) -> None:
        """Pass over bytes, which may end before."""


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of a tar: ``other`` are folders, links and devices."""

    name: str
    size: int
    kind: Literal["file", "sparse", "other"]


def is_tar(head: bytes) -> bool:
    """True if the first bytes are those of a tar."""
    return head[257:262] == b"ustar"


class Tar:
    """Goes through a tar; `read` gives the content of the member that came last.

    Iterating and reading raise `DamagedError` where the tar is cut off or makes no
    sense.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left = self._padding = 0

    def __iter__(self) -> Iterator[Member]:
        """The members; what is not read of one is passed over."""
        facts: dict[bytes, bytes] = {}
        while header := self._header():
            kind, size = header[156:157], _number(header[124:136])
            if kind in (_LONG_NAME, _FACTS):
                facts |= self._more(kind, size)
                continue
            if kind in (_LONG_LINK, _GLOBAL_FACTS):
                self._stream.skip(size + -size % _BLOCK)
                continue
            if kind == _SPARSE:
                self._pass_sparse_map(header)
            size = _number(facts.get(b"size", b""), 10) if b"size" in facts else size
            has_content = kind in (*_FILES, _SPARSE)
            self._left = size if has_content else 0
            self._padding = -self._left % _BLOCK
            name = (facts.get(b"path") or _name(header)).decode("utf-8", "replace")
            is_sparse = kind == _SPARSE or b"GNU.sparse" in facts
            what: Literal["file", "sparse"] = "sparse" if is_sparse else "file"
            is_file = has_content and not name.endswith("/")
            yield Member(name, self._left, what if is_file else "other")
            self._stream.skip(self._left + self._padding)
            self._left = self._padding = 0
            facts = {}

    def read(self, count: int) -> bytes:
        """The next bytes of the present member; none at its end."""
        wanted = min(count, self._left)
        data = self._stream.read(wanted)
        if len(data) < wanted:
            raise DamagedError(_BROKEN, _AGAIN)
        self._left -= wanted
        return data

    def _header(self) -> bytes:
        """The next header; empty at the end."""
        header = self._stream.read(_BLOCK)
        if not header.strip(b"\0"):
            return b""
        if len(header) < _BLOCK or _number(header[148:156]) != _checksum(header):
            raise DamagedError(_BROKEN, _AGAIN)
        return header

    def _more(self, kind: bytes, size: int) -> dict[bytes, bytes]:
        """The facts in a header about the member after it."""
        if size > _MAX_HEADER:
            msg = f"a header in it claims {size:,} bytes, more than any has"
            raise DamagedError(msg)
        self._left = size
        content = self.read(size)
        self._stream.skip(-size % _BLOCK)
        if kind == _LONG_NAME:
            return {b"path": content.split(b"\0")[0]}
        return _facts(content)

    def _pass_sparse_map(self, header: bytes) -> None:
        goes_on = header[_SPARSE_MAP_GOES_ON]
        while goes_on:
            self._left = _BLOCK
            goes_on = self.read(_BLOCK)[_SPARSE_BLOCK_GOES_ON]


def _number(text: bytes, base: int = 8) -> int:
    """A number of a header: in octal digits or, where it is large, in binary."""
    if text[:1] == b"\x80":
        return int.from_bytes(text[1:], "big")
    digits = text.split(b"\0")[0].strip()
    try:
        value = int(digits or b"0", base)
    except ValueError:
        value = -1
    if value < 0 or len(digits) > 20:
        raise DamagedError(_BROKEN, _AGAIN)
    return value


def _checksum(header: bytes) -> int:
    """Sum of a header's bytes, with spaces where the sum itself stands."""
    return sum(header) - sum(header[148:156]) + 8 * ord(" ")


def _name(header: bytes) -> bytes:
    """The name in a header itself, which may be in two parts."""
    name, prefix = (header[a:b].split(b"\0")[0] for a, b in ((0, 100), (345, 500)))
    is_posix = header[257:263] == b"ustar\0"
    return prefix + b"/" + name if is_posix and prefix else name


def _facts(content: bytes) -> dict[bytes, bytes]:
    """Facts of an extended header: lines of a length, a name and a value."""
    facts: dict[bytes, bytes] = {}
    at = 0
    while at < len(content) and content[at]:
        space = content.find(b" ", at, at + 20)
        length = _number(content[at:space], 10) if space > at else 0
        key, equals, value = content[space + 1 : at + length].partition(b"=")
        if length <= space - at or at + length > len(content) or not equals:
            raise DamagedError(_BROKEN, _AGAIN)
        if key in _WANTED or key.startswith(b"GNU.sparse"):
            facts[key if key in _WANTED else b"GNU.sparse"] = value.removesuffix(b"\n")
        at += length
    return facts
