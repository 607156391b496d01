"""matplotlib's settings while a figure is drawn or written, and only then."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

from kernelviewer.figures.fonts import FALLBACKS
from kernelviewer.importing import large_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_LOCK = threading.RLock()


@cache
def load_matplotlib(*, documented: bool = True) -> ModuleType:
    """matplotlib, with what every figure needs of it.

    Parameters
    ----------
    documented
        Whether it writes the tables of properties into its docstrings, as anyone who
        works with it in Python wants. It does so while it is imported, in a fifth of
        that time, and nobody reads them in a process of a command.
    """
    with large_import(), nullcontext() if documented else _no_tables():
        import matplotlib.figure
    return matplotlib


@contextmanager
def _no_tables() -> Iterator[None]:
    """Have the public `matplotlib.artist.kwdoc` give no text meanwhile.

    Only docstrings are made of it. In a version without it nothing changes.
    """
    from matplotlib import artist

    usual = vars(artist).get("kwdoc")
    if usual is None:
        yield
        return
    vars(artist)["kwdoc"] = lambda _artist: ""
    try:
        yield
    finally:
        vars(artist)["kwdoc"] = usual


@contextmanager
def figure_style() -> Iterator[None]:
    """Defaults of matplotlib with text as text and files that repeat byte for byte.

    The settings are global to the process: one thread at a time, and what the user's
    own settings were comes back at the end.
    """
    mpl = load_matplotlib()
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
