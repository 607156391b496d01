"""What people call from Python: labels, spectra, figures, reports and the window.

Each takes kernels as `kernelviewer.extract_kernels` gives them, or what that takes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelviewer.device import choose_device
from kernelviewer.formats import CheckpointError
from kernelviewer.kernels import extract_kernels, size_label
from kernelviewer.kernels.bank import as_size
from kernelviewer.kernels.classes import WAYS, WORDS, Naming
from kernelviewer.latent.autoencoder import Autoencoder, shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from kernelviewer.figures.drawn import Drawn
    from kernelviewer.figures.naming import FigureNaming
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.formats import Checkpoint
    from kernelviewer.formats.live import Network
    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.kernels.classes import By, Words
    from kernelviewer.kernels.family.spectrum import FamilySpectrum
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.latent.table import LabelTable
    from kernelviewer.text import AnyPath

    Kernels = KernelBank | Checkpoint | AnyPath | Network

_FAMILY_SIZE = (7, 7)
_POINTS = 512


def label(
    *sources: Kernels,
    by: By | None = None,
    words: Words = "fine",
    threshold: float | None = None,
    size: Size | str | None = None,
    autoencoder: Autoencoder | AnyPath | None = None,
    device: str = "auto",
) -> LabelTable:
    """Name every kernel.

    Parameters
    ----------
    sources
        One network or several: banks, or what `kernelviewer.extract_kernels` takes.
    by
        ``family``: a kernel's nearest member of the pattern family, the default;
        ``code``: the stretch of the learned spectrum that its code falls in.
    words
        Whose classes the family names them by: ``fine`` ones, or the ``paper``'s.
    threshold
        Least fit of an identified kernel; by default 0.7, or what 1 % of white noise
        reaches where that is more.
    size
        Only kernels of this size.
    autoencoder
        In place of the one that ships for its size; kernels are then named by its code
        unless ``by`` says otherwise.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Examples
    --------
    >>> import kernelviewer as kv
    >>> from kernelviewer.files import resource
    >>> table = kv.label(resource("sample", "sample.safetensors"))
    >>> table
    <LabelTable: 880 kernels; identified: 7×7 9... % (noise <0.1 %)>
    >>> next(iter(table.counts())) in table["class"]
    True
    >>> float(table["fit"].max()) <= 1
    True
    """
    from kernelviewer.latent.labels import Labelling, label_kernels
    from kernelviewer.latent.table import LabelTable

    naming, own = _naming(by, words, autoencoder), _autoencoder(autoencoder)
    place = choose_device(device)
    wanted = None if size is None else as_size(size)
    level = None if threshold is None else _fit(threshold)
    for source in _flat(sources):
        said = source if isinstance(source, str) else ""
        if said in (*WAYS, *WORDS) and not Path(said).exists():
            how = "by" if said in WAYS else "words"
            msg = f"there is no file {said!r}; to name kernels so write {how}={said!r}"
            raise ValueError(msg)
    banks = _banks(sources)
    table = LabelTable(
        tuple(
            label_kernels(
                bank.name,
                bank,
                one,
                Labelling(_encoder(own, one), naming, level),
                place,
            )
            for bank in banks
            for one in bank.sizes
            if wanted in (None, one)
        )
    )
    if wanted is not None and not table.labelled:
        sizes = {size_label(one) for bank in banks for one in bank.sizes}
        there = ", ".join(sorted(sizes)) or "none"
        msg = f"there are no {size_label(wanted)} kernels; there are {there}"
        raise ValueError(msg)
    return table


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """The patterns in a row, for kernels of one size.

    Attributes
    ----------
    by
        ``family``: the pattern family's own; ``code``: the learned one.
    size
        The kernel size.
    codes, patterns
        float64 [P], evenly from 0 to 1, and what they stand for, float32 [P, *size],
        mean 0 and length 1.
    stretches
        Its named parts: ``low``, ``high`` and ``label`` of each.
    """

    by: By
    size: Size
    codes: NDArray[np.float64]
    patterns: NDArray[np.float32]
    stretches: Stretches
    _decoder: Autoencoder | FamilySpectrum

    def decode(self, codes: ArrayLike) -> NDArray[np.float32]:
        """Patterns [n, *size] of codes [n] from 0 to 1."""
        import numpy as np

        return self._decoder.decode(np.atleast_1d(np.asarray(codes, np.float64)))

    def name(self, code: float) -> str:
        """What the stretch is called that a code lies in."""
        inside = (item for item in self.stretches[:-1] if code < item.high)
        return next(inside, self.stretches[-1]).label

    def __repr__(self) -> str:
        count = len(self.stretches)
        return f"<Spectrum by {self.by}, {size_label(self.size)}: {count} stretches>"

    def _repr_html_(self) -> str:
        import numpy as np

        from kernelviewer import notebook

        middles = np.array([(item.low + item.high) / 2 for item in self.stretches])
        some = self.decode(middles).reshape(len(middles), -1, self.size[-1])
        rows = [(item.label, item.low, item.high) for item in self.stretches]
        return notebook.card(
            repr(self)[1:-1],
            notebook.picture(some, about="the middle of each stretch"),
            notebook.table(("stretch", "from", "to"), rows),
        )


def spectrum(
    source: Kernels | Size | str = _FAMILY_SIZE,
    *,
    by: By = "family",
    words: Words = "fine",
    autoencoder: Autoencoder | AnyPath | None = None,
) -> Spectrum:
    """The spectrum that names kernels.

    Parameters
    ----------
    source
        A kernel size such as ``(7, 7)``, or a network: then it is that of the size
        with most kernels.
    by, words, autoencoder
        As `kernelviewer.label` takes them.

    Raises
    ------
    ValueError
        There is no such spectrum for the size.

    Examples
    --------
    >>> import kernelviewer as kv
    >>> found = kv.spectrum((5, 5))
    >>> found.patterns.shape
    (512, 5, 5)
    >>> found.name(0.5) == found.stretches[len(found.stretches) // 2].label
    True
    >>> kv.spectrum((5, 5), by="code").by
    'code'
    """
    from kernelviewer.kernels.family import supported
    from kernelviewer.kernels.family.spectrum import family_spectrum
    from kernelviewer.latent.curve import codes_of_table
    from kernelviewer.latent.stretches import family_stretches

    size = _size_of(source)
    naming, own = _naming(by, words, autoencoder), _autoencoder(autoencoder)
    codes = codes_of_table(_POINTS)
    if naming.by == "code":
        encoder = _encoder(own, size)
        if encoder is None:
            raise ValueError(
                f"there is no autoencoder for {size_label(size)} kernels; "
                "kernelviewer train makes one, by='family' needs none"
            )
        points = encoder.spectrum(_POINTS)
        return Spectrum("code", size, codes, points, encoder.stretches, encoder)
    if not supported(size):
        raise ValueError(f"the pattern family has no {size_label(size)} kernels")
    found = family_spectrum(size)
    stretches = family_stretches(found, naming.scheme("family"))
    return Spectrum("family", size, codes, found.spectrum(_POINTS), stretches, found)


def figure(
    kind: str,
    *sources: Kernels,
    size: Size | str | None = None,
    by: By | None = None,
    words: Words = "fine",
    threshold: float | None = None,
    autoencoder: Autoencoder | AnyPath | None = None,
    preset: str = "",
    device: str = "auto",
    **looks: Any,
) -> Figure:
    """Draw a figure for print.

    Parameters
    ----------
    kind
        One of those that ``kernelviewer figure --help`` lists: ``spectrum``,
        ``classes``, ``sheet``, …
    sources
        The networks; of a figure of a run its folder, or its steps.
    size
        Kernel size; by default the one with most kernels.
    by, words, threshold, autoencoder, device
        As `kernelviewer.label` takes them.
    preset
        Looks to start from, such as ``Nature single``.
    looks
        Options of ``kernelviewer figure``, with ``_`` for ``-``: ``width=89``,
        ``dark=True``, ``seed=3``.

    Returns
    -------
    matplotlib.figure.Figure
        Its ``savefig`` writes .svg, .pdf and .png with text as text and with what it
        takes to make the figure again; ``caption`` are proposed sentences.

    Raises
    ------
    kernelviewer.figures.FigureError
        The figure cannot be made of these networks.
    ValueError
        There is no such kind, preset or option.

    Examples
    --------
    >>> import kernelviewer as kv
    >>> from kernelviewer.files import resource
    >>> sample = resource("sample", "sample.safetensors")
    >>> drawn = kv.figure("classes", sample, width="single", samples=3)
    >>> drawn
    <RecordedFigure size ...>
    >>> drawn.caption.startswith("Random 7×7 kernels of each class of sample")
    True
    """
    from kernelviewer.figures.drawn import make_figure
    from kernelviewer.figures.exhibits import EXHIBITS
    from kernelviewer.figures.fonts import load_matplotlib
    from kernelviewer.figures.naming import name_scene
    from kernelviewer.figures.provenance import with_hashes
    from kernelviewer.figures.scene import Scene, make_scene

    if not isinstance(kind, str):
        raise TypeError("the kind comes first: kv.figure('composition', network)")
    if kind not in EXHIBITS:
        raise ValueError(f"there is no figure {kind!r}{_meant(kind, EXHIBITS)}")
    item, look = EXHIBITS[kind], _looks(preset, looks)
    load_matplotlib(documented=False)
    if not item.needs_file:
        shown = _FAMILY_SIZE if size is None else as_size(size)
        return _recorded(make_figure(kind, Scene((), shown), look))
    banks = _steps(sources) if item.is_run else _banks(sources)
    scene = with_hashes(make_scene(banks, None if size is None else as_size(size)))
    naming = _figure_naming(scene.size, by, words, threshold, autoencoder)
    wanted = item.needs_classes(look)
    known = by is not None or naming.autoencoder is not None
    if wanted or (item.shows_classes and known):
        scene = name_scene(scene, naming, device=device)
    return _recorded(make_figure(kind, scene, look))


def report(
    sources: Kernels | Iterable[Kernels],
    out: AnyPath,
    *,
    by: By | None = None,
    words: Words = "fine",
    threshold: float | None = None,
    autoencoder: Autoencoder | AnyPath | None = None,
    formats: Sequence[str] = ("svg",),
    preset: str = "",
    device: str = "auto",
    **looks: Any,
) -> Path:
    """Write every figure of networks, its data, and a page to look through.

    Parameters
    ----------
    sources
        A network, or several in a list.
    out
        The folder; made if missing.
    by, words, threshold, autoencoder, preset, device, looks
        As `kernelviewer.figure` takes them.
    formats
        What to write each figure as: ``svg``, ``pdf``, ``png``.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    kernelviewer.figures.FigureError
        There are no kernels, or a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import kernelviewer as kv
    >>> kernels = {"conv_dw.weight": np.random.default_rng(0).normal(size=(8, 1, 5, 5))}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = kv.report(kernels, folder, samples=2)
    ...     page.name, len(list(page.parent.glob("figures/*.svg"))) > 5
    ('index.html', True)
    """
    from kernelviewer.figures.fonts import load_matplotlib
    from kernelviewer.figures.report import Report
    from kernelviewer.figures.writing import SUFFIXES

    if not isinstance(out, str | os.PathLike):
        raise TypeError("the folder comes second: kv.report(networks, 'report')")
    names = (formats,) if isinstance(formats, str) else formats
    suffixes = tuple(f".{name.removeprefix('.')}" for name in names)
    if unknown := [name for name in suffixes if name not in SUFFIXES]:
        msg = f"figures are written as {', '.join(SUFFIXES)}, not {unknown[0]}"
        raise ValueError(msg)
    found = Report(
        folder=out,
        options=_looks(preset, looks),
        naming=lambda size: _figure_naming(size, by, words, threshold, autoencoder),
        formats=suffixes,
        device=device,
    )
    load_matplotlib(documented=False)
    return found.write(_banks([sources]))


def show(*sources: Kernels, block: bool | None = None) -> MainWindow | None:
    """Open the window.

    Parameters
    ----------
    sources
        Networks: banks, networks in memory, or paths, sessions and folders too.
    block
        Whether to stay until the window is closed. By default not where an event loop
        runs already: in a program with its own QApplication, or in IPython, whose Qt
        event loop (``%gui qt``) is switched on.

    Returns
    -------
    MainWindow or None
        The window; None once it was closed.

    Raises
    ------
    RuntimeError
        There is no display, or a system library is missing; it says which.
    CheckpointError
        There is no such file.

    Examples
    --------
    >>> import kernelviewer as kv
    >>> from kernelviewer.files import resource
    >>> bank = kv.extract_kernels(resource("sample", "sample.safetensors"))
    >>> window = kv.show(bank)  # doctest: +SKIP
    """
    from kernelviewer.commands.window import missing_library, window_problem
    from kernelviewer.formats.registry import look_at

    if problem := window_problem():
        raise RuntimeError(problem)
    try:
        from kernelviewer.gui.application import show_window
    except ImportError as error:
        raise RuntimeError(missing_library(error) or str(error)) from error
    opened = [
        look_at(Path(item)).path
        if isinstance(item, str | os.PathLike)
        else extract_kernels(item)
        for item in _flat(sources)
    ]
    return show_window(opened, _ipython_with_qt() if block is None else not block)


def _ipython_with_qt() -> bool:
    """True in IPython, once its loop serves Qt's events; a simple prompt has none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "enable_gui"):
        return False
    try:
        shell.enable_gui("qt")
    except Exception:  # a shell without loops, such as that of a document
        return False
    return bool(getattr(shell, "active_eventloop", None))


def _flat(sources: Iterable[Any]) -> list[Any]:
    """The sources, whether they were given one by one or in lists."""
    found: list[Any] = []
    for source in sources:
        if isinstance(source, list | tuple | set | frozenset):
            found += source
        else:
            found.append(source)
    return found


def _banks(sources: Iterable[Any]) -> list[KernelBank]:
    """The kernels of each.

    Raises
    ------
    ValueError
        There are none.
    """
    banks = list(map(extract_kernels, _flat(sources)))
    if not banks:
        raise ValueError("give one network or several: banks, paths, torch.nn.Modules")
    return banks


def _steps(sources: Iterable[Kernels]) -> list[KernelBank]:
    """Every step of a run: those in folders in the order of their steps."""
    from kernelviewer.formats.registry import find_checkpoints
    from kernelviewer.kernels.series import Series

    found: list[KernelBank] = []
    for source in _flat(sources):
        if isinstance(source, str | os.PathLike):
            series = Series(list(find_checkpoints(source)))
            series.keep_alike()
            for item in series.left_out:
                raise CheckpointError(source, f"{item.name}: {item.problem}")
            found += [series.bank(step) for step in range(len(series))]
        else:
            found.append(extract_kernels(source))
    return found


def _size_of(source: Any) -> Size:
    """The size itself, or the one of which a network has most kernels."""
    named = (
        isinstance(source, str) and source[:1].isdigit() and not Path(source).exists()
    )
    if named or isinstance(source, tuple | list | int):
        return as_size(source)
    bank = extract_kernels(source)
    if not bank.sizes:
        raise ValueError(f"{bank.name} has no depthwise kernels")
    return max(bank.sizes, key=lambda size: (len(bank.sizes[size]), size))


def _meant(word: str, there: Iterable[str]) -> str:
    """What somebody may have meant by a word, else all that there is."""
    known = list(there)
    near = get_close_matches(word.lower().replace(" ", "-"), known, cutoff=0.7)
    return f"; is it {near[0]!r}?" if near else f"; there are {', '.join(known)}"


def _fit(value: Any) -> float:
    """A fit that a user gave, checked."""
    if isinstance(value, str) or not 0 <= value <= 1:
        raise ValueError(f"the threshold is a fit from 0 to 1, not {value!r}")
    return float(value)


def _naming(by: By | None, words: Words, autoencoder: object) -> Naming:
    if by is not None and by not in WAYS:
        raise ValueError(f"kernels are named by {' or '.join(WAYS)}, not {by!r}")
    if words not in WORDS:
        raise ValueError(f"there are the words {' and '.join(WORDS)}, not {words!r}")
    usual: By = "family" if autoencoder is None else "code"
    return Naming(by or usual, words)


def _autoencoder(value: Autoencoder | AnyPath | None) -> Autoencoder | None:
    if value is None or isinstance(value, Autoencoder):
        return value
    return Autoencoder.load(value)


def _encoder(own: Autoencoder | None, size: Size) -> Autoencoder | None:
    """The caller's autoencoder for its size, else the one that ships."""
    return own if own is not None and own.size == size else shipped(size)


def _figure_naming(
    size: Size,
    by: By | None,
    words: Words,
    threshold: float | None,
    autoencoder: Autoencoder | AnyPath | None,
) -> FigureNaming:
    from kernelviewer.figures.naming import FigureNaming

    encoder = _encoder(_autoencoder(autoencoder), size)
    naming = _naming(by, words, autoencoder)
    level = None if threshold is None else _fit(threshold)
    return FigureNaming(encoder, level, naming=naming)


def _looks(preset: str, looks: dict[str, Any]) -> FigureOptions:
    """Options of a figure by the names that the command line has, or their own."""
    from kernelviewer.figures.options import (
        OPTIONS,
        PRESETS,
        FigureOptions,
        Number,
        Switch,
    )

    if preset and preset not in PRESETS:
        raise ValueError(f"there is no preset {preset!r}{_meant(preset, PRESETS)}")
    flags = {
        (option.flag or name).replace("-", "_"): name
        for name, option in OPTIONS.items()
    }
    values = {}
    for key, value in looks.items():
        name = flags.get(key, key)
        if name not in OPTIONS:
            msg = f"figures have no option {key!r}{_meant(key, flags)}"
            if key in ("out", "output", "path", "save"):
                msg = f"figures have no option {key!r}: write them with savefig(path)"
            raise ValueError(msg)
        option = OPTIONS[name]
        if isinstance(option, Number) and isinstance(value, str):
            if value not in option.names:
                names = _meant(value, option.names) if option.names else ""
                msg = f"the {option.noun or name} is a number, not {value!r}{names}"
                raise ValueError(msg)
            value = option.names[value]
        if isinstance(option, Switch) and not isinstance(value, bool):
            raise ValueError(f"{key} is True or False, not {value!r}")
        values[name] = value
    return (PRESETS[preset] if preset else FigureOptions()).with_values(values)


@cache
def _figure_type() -> type[Figure]:
    """Matplotlib's figure, imported with the first one."""
    from matplotlib.figure import Figure

    from kernelviewer.figures.fonts import figure_style
    from kernelviewer.figures.writing import SUFFIXES, render

    class RecordedFigure(Figure):
        """A figure that knows its caption, and how it was made."""

        drawn: Drawn

        @property
        def caption(self) -> str:
            """Sentences for below it."""
            return self.drawn.caption

        def savefig(self, fname: Any, **kwargs: Any) -> None:
            """Write a file as ``kernelviewer figure`` does; others as matplotlib."""
            if isinstance(fname, str | os.PathLike) and not kwargs:
                suffix = Path(fname).suffix.lower()
                if suffix in SUFFIXES or not suffix:
                    self.drawn.write(fname)
                    return
            with figure_style():
                super().savefig(fname, **kwargs)

        def _repr_png_(self) -> bytes:
            return render(self, ".png", {})

    return RecordedFigure


def _recorded(drawn: Drawn) -> Figure:
    """The figure that was drawn, with what it knows of itself."""
    figure = drawn.figure
    figure.__class__ = _figure_type()
    figure.drawn = drawn  # type: ignore[attr-defined]
    return figure
