"""The pattern classes: ids, names, colours; and the colours of networks.

The order of the classes is the legend's order. They are those of Babaiee et al.,
*Unveiling the Unseen* (ICLR 2024), section 4; the light colours are Paul Tol's
"muted" scheme with a brown and a charcoal added.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PatternClass:
    """One class of kernels.

    Attributes
    ----------
    id
        What CSV, JSON and SVG carry.
    name, short
        What people read, and the same for narrow places.
    light, dark
        Its colour on light and on dark ground, ``#RRGGBB``.
    """

    id: str
    name: str
    short: str
    light: str
    dark: str


PATTERNS: tuple[PatternClass, ...] = (
    PatternClass("on-centre", "On-centre", "On-centre", "#CC6677", "#E58A98"),
    PatternClass("off-centre", "Off-centre", "Off-centre", "#332288", "#8C7BE8"),
    PatternClass("on-square", "On-square", "On-square", "#DDCC77", "#E6D98F"),
    PatternClass("off-square", "Off-square", "Off-square", "#88CCEE", "#9AD7F5"),
    PatternClass("on-cross", "On-cross", "On-cross", "#882255", "#C4588C"),
    PatternClass("off-cross", "Off-cross", "Off-cross", "#44AA99", "#5CC6B4"),
    PatternClass("d1-x", "First derivative ∂x", "∂x", "#117733", "#4DB071"),
    PatternClass("d1-y", "First derivative ∂y", "∂y", "#999933", "#C2C25A"),
    PatternClass("d2-x", "Second derivative ∂²x", "∂²x", "#AA4499", "#CF77C3"),
    PatternClass("d2-y", "Second derivative ∂²y", "∂²y", "#8A4B08", "#C98A4B"),
    PatternClass("d2-xy", "Mixed derivative ∂²xy", "∂²xy", "#4D4D4D", "#B8B8B4"),
)
UNIDENTIFIED = PatternClass(
    "unidentified", "Unidentified", "Unident.", "#C9C9C4", "#55575B"
)
FLAT = PatternClass("flat", "Flat", "Flat", "#C9C9C4", "#55575B")

CLASSES: tuple[PatternClass, ...] = (*PATTERNS, UNIDENTIFIED, FLAT)
INDEX: dict[str, int] = {item.id: index for index, item in enumerate(CLASSES)}
"""Class id → index into `CLASSES`; the patterns come first."""

NETWORK_COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800"),
    "#8A8A8A",
)
"""Okabe and Ito's colours for colour-blind readers; from the eighth network on grey."""
