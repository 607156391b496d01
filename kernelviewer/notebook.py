"""How objects show themselves in a notebook: small HTML, pictures within, no script."""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_BLUE, _WHITE, _RED = (33, 102, 172), (247, 247, 247), (178, 24, 43)
_TAP = 4
_HEAD = "text-align:left"
_NUMBER = "text-align:right;font-variant-numeric:tabular-nums"


def card(title: str, *parts: str) -> str:
    """A heading line and what stands below it."""
    return f"<div><p><b>{_safe(title)}</b></p>{''.join(parts)}</div>"


def line(text: str) -> str:
    """A line of text."""
    return f"<p>{_safe(text)}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; numbers to the right, floats with three digits, names as they are."""
    cells = "".join(f"<th style='{_HEAD}'>{_safe(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def picture(kernels: NDArray[np.floating], across: int = 20, about: str = "") -> str:
    """Kernels [N, h, w] side by side: red above zero, blue below, each by its largest.

    Parameters
    ----------
    across
        Kernels in a row.
    about
        What it shows, for those who do not see it.
    """
    data = base64.b64encode(mosaic(kernels, across)).decode()
    return f"<img alt='{_safe(about)}' src='data:image/png;base64,{data}'>"


def mosaic(kernels: NDArray[np.floating], across: int) -> bytes:
    """The picture as a PNG file."""
    count, height, width = kernels.shape
    rows = -(-count // across)
    canvas = np.full((rows, height + 1, across, width + 1, 3), 255, np.uint8)
    most = np.abs(kernels).max(axis=(1, 2), keepdims=True, initial=0)
    share = np.nan_to_num(kernels / np.where(most > 0, most, 1))[..., None]
    ends = np.where(share > 0, _RED, _BLUE)
    colours = np.array(_WHITE) + np.abs(share) * (ends - np.array(_WHITE))
    for i in range(count):
        row, column = divmod(i, across)
        canvas[row, :height, column, :width] = colours[i].round()
    pixels = canvas.reshape(rows * (height + 1), across * (width + 1), 3)[:-1, :-1]
    return png(pixels.repeat(_TAP, axis=0).repeat(_TAP, axis=1))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """RGB [h, w, 3] as a PNG file."""
    height, width, _ = pixels.shape
    lines = np.zeros((height, 1 + 3 * width), np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        text = "–" if value != value else f"{value:.3f}"
        return f"<td style='{_NUMBER}'>{text}</td>"
    if isinstance(value, int):
        return f"<td style='{_NUMBER}'>{value:,}</td>".replace(",", "\u202f")
    return f"<td style='{_HEAD}'>{_safe(str(value))}</td>"


def _safe(text: str) -> str:
    return escape(printable(text))
