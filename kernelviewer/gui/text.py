"""Numbers as people read them."""

from __future__ import annotations


def spaced(number: int) -> str:
    """An integer with thin groups of three: ``131 072``."""
    return f"{number:,}".replace(",", "\u202f")


def percent(share: float) -> str:
    """A share as ``90.8 %``."""
    return f"{100 * share:.1f}\u202f%"


def rough_percent(share: float) -> str:
    """A share without decimals; ``<1 %`` where it is small but not zero."""
    whole = f"{100 * share:.0f}"
    return f"{'<1' if share and whole == '0' else whole}\u202f%"


def signed(text: str) -> str:
    """Number text with a true minus sign."""
    return text.replace("-", "−")
