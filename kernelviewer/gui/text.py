"""Numbers, times and other things as people read them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernelviewer.state.session.files import Offer


def spaced(number: int) -> str:
    """An integer with thin groups of three: ``131 072``."""
    return f"{number:,}".replace(",", "\u202f")


def counted_once(repeated: int) -> str:
    """What is said beside a total of which equal kernels are left out."""
    return f"{spaced(repeated)} equal {'one' if repeated == 1 else 'ones'} counted once"


def percent(share: float) -> str:
    """A share as ``90.8 %``."""
    return f"{100 * share:.1f}\u202f%"


def short_percent(share: float) -> str:
    """A round share without needless decimals: ``0.1 %``, ``5 %``."""
    return f"{100 * share:g}\u202f%"


def rough_percent(share: float) -> str:
    """A share without decimals; ``<1 %`` where it is small but not zero."""
    whole = f"{100 * share:.0f}"
    return f"{'<1' if share and whole == '0' else whole}\u202f%"


def signed(text: str) -> str:
    """Number text with a true minus sign."""
    return text.replace("-", "−")


def when(moment: str) -> str:
    """A time of a session (ISO 8601) as people here say it; itself if it is none."""
    try:
        time = datetime.fromisoformat(moment).astimezone()
    except (ValueError, OverflowError, OSError):
        return moment
    now = datetime.now().astimezone()
    if time.date() == now.date():
        return f"today {time:%H:%M}"
    if time.year == now.year:
        return f"{time.day} {time:%B, %H:%M}"
    return f"{time.day} {time:%B %Y}"


def offer_text(offer: Offer, number: int = 0) -> str:
    """Work that was kept, in a line; ``number`` counts from the latest."""
    which = "earlier work" if number else "the last work"
    names = [entry.name for entry in offer.session.networks]
    count = "1 network" if len(names) == 1 else f"{len(names)} networks"
    listed = shortened(names[0]) if names else ""
    more = ", …" if len(names) > 1 else ""
    return f"Reopen {which}: {count}, {listed}{more} ({when(offer.session.saved)})"


def shortened(name: str, most: int = 28) -> str:
    """A name without its middle if it is long."""
    half = (most - 1) // 2
    return name if len(name) <= most else f"{name[:half]}…{name[-half:]}"


def breakable(name: str) -> str:
    """A path or dotted name that may go on in the next line after each part."""
    return re.sub(r"([./\\_])(?=\w)", "\\1\u200b", name)
