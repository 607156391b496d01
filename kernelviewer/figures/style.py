"""matplotlib's settings while a figure is drawn or written, and only then."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from kernelviewer.figures.fonts import FALLBACKS
from kernelviewer.importing import large_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_LOCK = threading.RLock()


@cache
def _matplotlib() -> ModuleType:
    """The library, with what every figure needs of it."""
    with large_import():
        import matplotlib.figure
    return matplotlib


@contextmanager
def figure_style() -> Iterator[None]:
    """Defaults of matplotlib with text as text and files that repeat byte for byte.

    The settings are global to the process: one thread at a time, and what the user's
    own settings were comes back at the end.
    """
    mpl = _matplotlib()
    ours = {
        "svg.fonttype": "none",
        "svg.hashsalt": "kernelviewer",
        "pdf.fonttype": 42,
        "image.composite_image": False,  # joined images would be resampled
        "path.simplify": False,
        "text.hinting": "none",  # else texts are wider on screens than on paper
        "axes.unicode_minus": True,
        "hatch.color": "#8C8C86",
        "hatch.linewidth": 0.5,
        "agg.path.chunksize": 20_000,
        **{f"font.{name}": list(families) for name, families in FALLBACKS.items()},
    }
    with _LOCK, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(ours)
        yield
