"""What a session file says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.errors import HintedError
from kernelviewer.state.arrangement import Display
from kernelviewer.state.charts import Charts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.segments import Segments
    from kernelviewer.state.selection import Mode

FORMAT = "kernelviewer session"
VERSION = 1
SUFFIX = ".kvsession"
Plain = dict[str, Any]
"""A JSON object."""


class SessionError(HintedError):
    """What is wrong with a session's text, and what can be done about it."""


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """An open network.

    Attributes
    ----------
    path
        Its file: relative to the session's folder, with ``/``; absolute where there is
        no way from there, and in recovery files. Empty for networks of the hub.
    sha256, bytes
        Hash (empty: not known) and size of the file, with the parts that it names.
    copy, include
        Which copy of the network, and which undecided or fixed layers were taken in.
    hub
        The name by which it was fetched.
    """

    path: str
    sha256: str
    bytes: int
    copy: str = ""
    include: tuple[str, ...] = ()
    hub: str = ""

    @property
    def key(self) -> str:
        """How the session names the file."""
        return f"hub {self.hub}" if self.hub else self.path

    @property
    def name(self) -> str:
        """What people call it."""
        return self.hub or self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class CoderEntry:
    """An autoencoder: its name if it comes with the program, else its file's path."""

    sha256: str
    shipped: str = ""
    path: str = ""

    @property
    def key(self) -> str:
        """How the session names the file; empty for what comes with the program."""
        return self.path

    @property
    def name(self) -> str:
        """What people call it."""
        return self.shipped or self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Look:
    """How the window shows the work. ``layout`` is base64 of Qt's own bytes."""

    colormap: str = "signed"
    framed: bool = False
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A session file's content.

    ``steps``, ``layers`` and ``focus`` are JSON objects in which networks are numbered
    in opening order; `kernelviewer.state.session.places` gives them meaning.

    Attributes
    ----------
    program, saved
        Version of the program that wrote it, and when (ISO 8601, UTC).
    origin
        In recovery files: the session that the work belongs to; else empty.
    """

    networks: tuple[NetworkEntry, ...] = ()
    autoencoders: Mapping[Size, CoderEntry] = field(default_factory=dict)
    thresholds: Mapping[Size, float] = field(default_factory=dict)
    stretches: Mapping[Size, Segments] = field(default_factory=dict)
    steps: tuple[tuple[Mode, Plain], ...] = ()
    layers: Plain | None = None
    size: Size | None = None
    only_selected: bool = False
    focus: Plain | None = None
    position: float = 0.5
    display: Display = field(default_factory=Display)
    charts: Charts = field(default_factory=Charts)
    look: Look = field(default_factory=Look)
    program: str = ""
    saved: str = ""
    origin: str = ""
