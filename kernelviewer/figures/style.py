"""matplotlib's settings while a figure is drawn or written, and only then."""

from __future__ import annotations

import sys
import threading
import warnings
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

from kernelviewer.figures.fonts import FALLBACKS
from kernelviewer.importing import large_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_LOCK = threading.RLock()
_SPACE = "mpl_toolkits.mplot3d"


@cache
def load_matplotlib(*, documented: bool = True) -> ModuleType:
    """matplotlib, with what every figure needs of it.

    Parameters
    ----------
    documented
        Whether it writes the tables of properties into its docstrings, and brings the
        3-d axes, as anyone who works with it in Python wants. It does so while it is
        imported, in a quarter of that time, and nobody needs them in a process of a
        command.
    """
    with large_import(), nullcontext() if documented else _bare():
        import matplotlib.figure
    return matplotlib


@contextmanager
def _bare() -> Iterator[None]:
    """Have the public `matplotlib.artist.kwdoc` give no text meanwhile.

    Only docstrings are made of it. In a version without it nothing changes. The 3-d
    axes cannot be imported meanwhile, which matplotlib takes for their absence.
    """
    from matplotlib import artist

    usual = {"kwdoc": vars(artist)["kwdoc"]} if "kwdoc" in vars(artist) else {}
    vars(artist).update(dict.fromkeys(usual, lambda _artist: ""))
    absent = sys.modules.setdefault(_SPACE, None) is None  # type: ignore[arg-type]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Unable to import Axes3D")
            yield
    finally:
        vars(artist).update(usual)
        if absent:
            del sys.modules[_SPACE]


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
