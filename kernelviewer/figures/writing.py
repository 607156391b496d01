"""Figures → SVG, PDF and PNG files, whole or not at all, equal for equal figures."""

from __future__ import annotations

import errno
import io
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer import __version__
from kernelviewer.figures.content import FigureError
from kernelviewer.figures.fonts import figure_style
from kernelviewer.files import atomic_write
from kernelviewer.text import shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

SUFFIXES = (".svg", ".pdf", ".png")
_PIECE = 1 << 20
"""Bytes written between two looks whether to stop."""
_OTHERS = (
    *(".jpg", ".jpeg", ".eps", ".tif", ".tiff", ".gif", ".webp", ".ps", ".bmp"),
    *(".emf", ".wmf", ".heic", ".avif", ".ico", ".tga", ".html", ".csv", ".npz"),
)
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EACCES: "the folder may not be written to",
    errno.EPERM: "the folder may not be written to",
    errno.EROFS: "the disk is read-only",
    errno.ENOENT: "there is no such folder",
    errno.ENOTDIR: "there is no such folder",
    errno.EISDIR: "this is a folder",
    errno.ENAMETOOLONG: "the name is too long",
}


def with_suffix(path: AnyPath) -> Path:
    """The path, with ``.svg`` added unless it ends in a known suffix.

    Raises
    ------
    FigureError
        It ends in the suffix of a picture format that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return path
    if suffix in _OTHERS:
        msg = f"{shown(path.name)}: figures are written as SVG, PDF or PNG"
        raise FigureError(msg, "Give the name one of these suffixes.")
    return path.with_name(path.name + ".svg")


def render(figure: Figure, suffix: str, metadata: Mapping[str, Any]) -> bytes:
    """The bytes of a file; equal figures and metadata give equal bytes.

    Parameters
    ----------
    suffix
        ``.svg``, ``.pdf`` or ``.png``.
    metadata
        ``title``, ``description`` and ``record`` (JSON) to embed; each may be missing.
    """
    buffer = io.BytesIO()
    with figure_style():
        canvas = _canvas(suffix)(figure)
        canvas.print_figure(
            buffer,
            dpi=figure.dpi,
            format=suffix[1:],
            facecolor=figure.get_facecolor(),
            metadata=_metadata(suffix, metadata),
        )
    return buffer.getvalue()


def _canvas(suffix: str) -> type[FigureCanvasBase]:
    """What draws for a suffix; each is imported alone, as that of PDF takes longest."""
    if suffix == ".svg":
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        return FigureCanvasSVG
    if suffix == ".pdf":
        from matplotlib.backends.backend_pdf import FigureCanvasPdf

        return FigureCanvasPdf
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return FigureCanvasAgg


def render_pixels(figure: Figure, dpi: float) -> NDArray[np.uint8]:
    """The figure as RGBA [rows, columns, 4] at any resolution, for a preview."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with figure_style():
        usual = figure.dpi
        figure.set_dpi(dpi)
        try:
            canvas = FigureCanvasAgg(figure)
            canvas.draw()  # type: ignore[no-untyped-call]
            pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
            return np.array(pixels, np.uint8)
        finally:
            figure.set_dpi(usual)


def write_figure(
    figure: Figure,
    path: AnyPath,
    metadata: Mapping[str, Any] | None = None,
    watch: Watch = NEVER,
) -> Path:
    """Write a figure to a temporary file and rename it.

    Parameters
    ----------
    path
        Its suffix decides the format; without one it gets ``.svg``. An existing file
        is replaced: ask before.

    Returns
    -------
    Path
        The file, with its suffix.

    Raises
    ------
    FigureError
        The format is not known, or the file cannot be written; nothing is left.
    """
    path = with_suffix(path)
    data = render(figure, path.suffix.lower(), metadata or {})
    write_bytes(path, data, watch)
    return path


def write_bytes(path: AnyPath, data: bytes, watch: Watch = NEVER) -> None:
    """Write a whole file or none; ``watch`` may raise to cancel.

    Raises
    ------
    FigureError
        The folder is missing or read-only, or the disk is full.
    """
    path = Path(path)
    with failing_as_figure(path), atomic_write(path) as file:
        for start in range(0, len(data), _PIECE):
            watch.check()
            file.write(data[start : start + _PIECE])
        watch.check()


@contextmanager
def failing_as_figure(path: AnyPath) -> Iterator[None]:
    """What fails while a file is written, as a `FigureError` that says why."""
    path = Path(path)
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or "the disk fails")
        msg = f"{shown(path.name)}: the file cannot be written, {reason}"
        raise FigureError(msg, "Choose another folder.") from None


def _metadata(suffix: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What each format calls the title, the caption and the record."""
    program = f"kernelviewer {__version__}"
    names = {
        ".svg": ("Title", "Description", "Source"),
        ".pdf": ("Title", "Subject", "Keywords"),
        ".png": ("Title", "Description", "Source"),
    }[suffix]
    values = (facts.get("title"), facts.get("description"), facts.get("record"))
    known = {name: text for name, text in zip(names, values, strict=True) if text}
    if suffix == ".svg":
        return {**known, "Creator": program, "Date": None}
    if suffix == ".pdf":
        return {**known, "Creator": program, "CreationDate": None, "Producer": program}
    return {**known, "Software": program}
