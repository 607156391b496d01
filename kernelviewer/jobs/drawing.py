"""The task that draws a figure of what is open, and its preview."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernelviewer.figures import make_figure, make_scene, name_scene
from kernelviewer.figures.exhibits import exhibit
from kernelviewer.figures.remake import with_hashes
from kernelviewer.figures.writing import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.figures import Drawn, FigureOptions, Naming
    from kernelviewer.jobs.ticket import Ticket
    from kernelviewer.kernels.bank import KernelBank, Size

UNNAMED = ("family", "samples", "sheet", "pca")
"""Kinds that can do without classes; the others wait for the kernels' codes."""


@dataclass(frozen=True, slots=True, eq=False)
class FigureWish:
    """What to draw.

    Attributes
    ----------
    kind
        One of `kernelviewer.figures.EXHIBITS`.
    banks, size
        Open networks and the kernel size.
    shown
        Per bank, bool [N]: which of its kernels; empty: all.
    selection
        What ``shown`` means, in words for the caption.
    naming, device
        How kernels get their names, and where to compute.
    options
        How the figure looks.
    hashes
        Bank → hash of its file, filled on the way and kept between drawings.
    """

    kind: str
    banks: Sequence[KernelBank]
    size: Size
    shown: tuple[NDArray[np.bool_], ...]
    selection: str
    naming: Naming
    device: str
    options: FigureOptions
    hashes: dict[KernelBank, str]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A drawn figure, and the bytes of its PNG file as it would be written."""

    drawn: Drawn
    png: bytes


def draw_figure(ticket: Ticket, wish: FigureWish) -> Picture:
    """Draw a figure and its preview.

    Raises
    ------
    FigureError
        It cannot be made of these kernels, or not at this size.
    """
    having = [bank for bank in wish.banks if wish.size in bank.sizes]
    scene = make_scene(having, wish.size)
    if wish.shown:
        subjects = tuple(
            replace(subject, shown=shown)
            for subject, shown in zip(scene.subjects, wish.shown, strict=True)
        )
        scene = replace(scene, subjects=subjects, selection=wish.selection)
    if wish.kind not in UNNAMED or exhibit(wish.kind).needs_classes:
        scene = name_scene(
            scene,
            wish.naming,
            device=wish.device,
            progress=ticket.progress,
            check=ticket.check,
        )
    scene = with_hashes(scene, ticket.check, wish.hashes)
    drawn = make_figure(wish.kind, scene, wish.options, check=ticket.check)
    ticket.check()
    return Picture(drawn, render(drawn.figure, ".png", drawn.metadata()))
