"""The kinds of figures, a module each: its `EXHIBIT` says what it is.

A new one is a module here and its place in `EXHIBITS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.exhibits import (
    classes,
    compare,
    composition,
    drift,
    family,
    formation,
    health,
    histogram,
    kernel,
    keys,
    offsets,
    pairs,
    pca,
    r2,
    samples,
    scatter,
    shares,
    sheet,
    shift,
    spectrum,
    strips,
    table,
    transitions,
)
from kernelviewer.figures.options import declare_own

if TYPE_CHECKING:
    from kernelviewer.figures.content import Exhibit

EXHIBITS: dict[str, Exhibit] = {
    module.EXHIBIT.kind: module.EXHIBIT
    for module in (
        family,
        samples,
        spectrum,
        pca,
        classes,
        composition,
        histogram,
        offsets,
        keys,
        r2,
        health,
        sheet,
        kernel,
        compare,
        transitions,
        drift,
        scatter,
        pairs,
        shift,
        shares,
        formation,
        strips,
        table,
    )
}
"""Kind → exhibit, in the order of menus."""

for _item in EXHIBITS.values():
    for _own in _item.own:
        declare_own(_own)


def exhibit(kind: str) -> Exhibit:
    """The exhibit of a kind.

    Raises
    ------
    FigureError
        There is none.
    """
    if kind not in EXHIBITS:
        kinds = ", ".join(EXHIBITS)
        raise FigureError(f"there is no figure {kind!r}", f"Choose one of {kinds}.")
    return EXHIBITS[kind]
