"""Tasks that write what is open: figures, copies, data, kernels, tables of labels."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.figures import FigureError, make_figure, name_scene
from kernelviewer.figures.exhibits import exhibit
from kernelviewer.figures.export import to_tsv, write_kernels
from kernelviewer.figures.naming import find_yardstick, with_codings
from kernelviewer.figures.provenance import with_hashes
from kernelviewer.figures.scene import Scene, Subject
from kernelviewer.figures.writing import render, render_pixels
from kernelviewer.jobs.runs import read_step
from kernelviewer.kernels.classes import showing_classes
from kernelviewer.latent.curve import Codes
from kernelviewer.latent.labels import Labelling, label_kernels, write_rows
from kernelviewer.state.analysis import PoolLabels
from kernelviewer.state.own_names import tag_bits, tag_texts
from kernelviewer.state.pool import make_pool
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer.figures import Drawn, FigureNaming, FigureOptions
    from kernelviewer.figures.content import Content
    from kernelviewer.figures.scene import Coding, Yardstick
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.classes import By
    from kernelviewer.latent.labels import Labelled
    from kernelviewer.state.analysis import Analysis
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import OpenModel, Run
    from kernelviewer.state.work import Work
    from kernelviewer.text import AnyPath

P = ParamSpec("P")
R = TypeVar("R")

_FINER = 1.6
"""A preview has so many pixels more than the screen each way: kernels stay crisp."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One network of a figure."""

    bank: KernelBank
    """Its kernels."""
    shown: NDArray[np.bool_] | None = None
    """Bool [N]: which of them; None: all."""
    coding: Coding | None = None
    """Their codes and classes, if they are known already."""
    run: Run | None = None
    step: int = 0
    """The step of a run that is meant in place of ``bank``, which is another one."""
    called: str = ""
    tags: NDArray[np.str_] | None = None
    """As in `kernelviewer.figures.scene.Subject`."""

    def read(self, ticket: Ticket) -> KernelBank:
        """Its kernels."""
        if self.run is None:
            return self.bank
        return read_step(ticket, self.run, self.step, self.bank)


@dataclass(frozen=True, slots=True, eq=False)
class FigureRequest:
    """A figure to draw."""

    kind: str
    """One of `kernelviewer.figures.EXHIBITS`."""
    parts: tuple[Part, ...]
    size: Size
    """Networks that have kernels of the size."""
    selection: str
    """What is shown of them in words, for the caption; empty: all."""
    naming: FigureNaming
    device: str
    """How kernels get their names, and where to compute."""
    options: FigureOptions
    """How the figure looks."""
    caption: str = ""
    """The user's own; empty: the proposed one."""
    count_equal: bool = False
    """As in `kernelviewer.figures.scene.Scene`."""

    def same_kernels(self, other: FigureRequest) -> bool:
        """True if the other shows the same kernels under the same names."""
        return (
            (self.size, self.selection) == (other.size, other.selection)
            and self.naming == other.naming
            and (self.device, self.count_equal) == (other.device, other.count_equal)
            and len(self.parts) == len(other.parts)
            and all(map(_same, self.parts, other.parts))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A drawn figure, and its pixels RGBA [rows, columns, 4] for the screen."""

    drawn: Drawn
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a figure cannot be made, and what can be done; no fault of the program."""

    problem: str
    hint: str

    def __str__(self) -> str:
        """One or two sentences."""
        return f"{self.problem}. {self.hint}" if self.hint else f"{self.problem}."


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """A figure as the files that other programs take, its caption and its table."""

    kind: str
    svg: bytes
    png: bytes
    dpi: int
    caption: str
    table: str


class FigureCache:
    """Draws one wish after another and keeps what does not change between them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wish: FigureRequest | None = None
        self._bare: Scene | None = None
        self._named: Scene | None = None
        self._contents: dict[tuple[object, ...], Content] = {}
        self._yardstick: tuple[Size, FigureNaming, Yardstick] | None = None

    def draw(self, ticket: Ticket, wish: FigureRequest, *, hashed: bool) -> Drawn:
        """Draw the figure; ``hashed``: with the hashes of its files, for a record.

        Raises
        ------
        FigureError
            It cannot be made of these kernels, or not at this size.
        """
        with self._lock:
            return self._draw(ticket, wish, hashed)

    def _draw(self, ticket: Ticket, wish: FigureRequest, hashed: bool) -> Drawn:
        scene = self.scene(ticket, wish)
        if hashed:
            scene = with_hashes(scene, ticket)
        named = scene.yardstick is not None
        key = (wish.kind, named, *wish.options.content_key)
        content = self._contents.get(key)
        drawn = make_figure(
            wish.kind, scene, wish.options, content=content, watch=ticket
        )
        self._contents[key] = drawn.content
        ticket.check()
        return drawn.with_caption(wish.caption) if wish.caption else drawn

    def scene(
        self, ticket: Ticket, wish: FigureRequest, *, named: bool = False
    ) -> Scene:
        """The scene of the wish, with classes where the figure shows them."""
        if self._wish is None or not wish.same_kernels(self._wish):
            self._bare = self._named = None
            self._contents.clear()
        self._wish = wish
        if self._bare is None:
            subjects = (
                Subject(
                    *(p.read(ticket), wish.size, p.shown), called=p.called, tags=p.tags
                )
                for p in wish.parts
            )
            self._bare = Scene(
                tuple(subjects),
                wish.size,
                selection=wish.selection,
                count_equal=wish.count_equal,
            )
        if not (named or _shows_classes(wish)):
            return self._bare
        if self._named is None:
            self._named = self._name(ticket, wish, self._bare)
        return self._named

    def _name(self, ticket: Ticket, wish: FigureRequest, scene: Scene) -> Scene:
        """The scene with the codes that are known, else with new ones."""
        codings = [part.coding for part in wish.parts if part.coding is not None]
        if len(codings) < len(wish.parts):
            return name_scene(scene, wish.naming, device=wish.device, watch=ticket)
        known = self._yardstick
        if known is None or known[:2] != (wish.size, wish.naming):
            found = find_yardstick(
                wish.naming, wish.size, device=wish.device, watch=ticket
            )
            known = self._yardstick = (wish.size, wish.naming, found)
        return with_codings(scene, known[2], codings)


def _refusing(task: Callable[P, R]) -> Callable[P, R | Refusal]:
    """The task, which returns what it would raise as a `FigureError`."""

    @wraps(task)
    def refusing(*args: P.args, **kwargs: P.kwargs) -> R | Refusal:
        try:
            return task(*args, **kwargs)
        except FigureError as error:
            return Refusal(error.problem, error.hint)

    return refusing


@_refusing
def draw_preview(
    ticket: Ticket, cache: FigureCache, wish: FigureRequest, room: tuple[int, int]
) -> Preview:
    """Draw a figure for the screen.

    Parameters
    ----------
    room
        Pixels across and down that there are for it.
    """
    drawn = cache.draw(ticket, wish, hashed=False)
    across, down = drawn.figure.get_size_inches()
    fitting = min(room[0] / across, room[1] / down)
    dpi = max(20.0, min(_FINER * fitting, wish.options.dpi))
    return Preview(drawn, render_pixels(drawn.figure, dpi))


@_refusing
def save_figure(
    ticket: Ticket, cache: FigureCache, wish: FigureRequest, path: AnyPath
) -> Path:
    """Draw a figure and write it; the file appears whole or not at all."""
    drawn = cache.draw(ticket, wish, hashed=True)
    return drawn.write(path, ticket)


@_refusing
def copy_figure(ticket: Ticket, cache: FigureCache, wish: FigureRequest) -> Copies:
    """Draw a figure for the clipboard, or to be dragged into another program."""
    drawn = cache.draw(ticket, wish, hashed=True)
    facts = drawn.metadata()
    svg = render(drawn.figure, ".svg", facts)
    ticket.check()
    png = render(drawn.figure, ".png", facts)
    table = to_tsv(drawn.table()) if wish.kind == "table" else ""
    return Copies(wish.kind, svg, png, wish.options.dpi, drawn.caption, table)


@_refusing
def save_data(
    ticket: Ticket, cache: FigureCache, wish: FigureRequest, path: AnyPath
) -> Path:
    """Write exactly what the figure draws."""
    drawn = cache.draw(ticket, wish, hashed=False)
    return drawn.write_data(path, ticket)


@_refusing
def save_animation(ticket: Ticket, wish: FigureRequest, path: AnyPath) -> Path:
    """Write the steps of a run as an animated picture."""
    from kernelviewer.figures.animation import write_animation

    ticket.progress(0, len(wish.parts), "reading the steps")
    scene = FigureCache().scene(ticket, wish, named=True)
    with showing_classes(wish.naming.own):
        return write_animation(scene, path, wish.options, watch=ticket)


@_refusing
def save_kernels(ticket: Ticket, wish: FigureRequest, path: AnyPath) -> Path:
    """Write the kernels that the wish shows."""
    cache = FigureCache()
    known = all(part.coding is not None for part in wish.parts)
    scene = cache.scene(ticket, wish, named=known)
    return write_kernels(scene, path, ticket)


def font_families(ticket: Ticket) -> tuple[str, ...]:
    """Names of the installed fonts."""
    from kernelviewer.figures.fonts import installed

    return tuple(sorted(installed(), key=str.lower))


def _shows_classes(wish: FigureRequest) -> bool:
    """True if the figure shows classes; those it only may show, where there are any."""
    item = exhibit(wish.kind)
    if not item.needs_file:
        return False
    known = wish.naming.autoencoder is not None or any(p.coding for p in wish.parts)
    return item.needs_classes(wish.options) or (item.shows_classes and known)


def _same(one: Part, other: Part) -> bool:
    if one.bank is not other.bank or one.coding is not other.coding:
        return False
    if (one.run, one.step, one.called) != (other.run, other.step, other.called):
        return False
    return _alike(one.tags, other.tags) and _alike(one.shown, other.shown)


def _alike(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


@dataclass(frozen=True, slots=True, eq=False)
class LabelWish:
    """Kernels to label, frozen when it was asked for."""

    work: Work
    """What is open, and how it is marked."""
    analyses: Mapping[tuple[int, Size], Analysis]
    """Codes that are known already; the rest is computed."""
    only_selected: bool
    """Write only what is selected within the scope."""
    device: str
    """Where to compute."""


def wish_of(document: Document, device: str, *, only_selected: bool) -> LabelWish:
    """Kernels to label in an open document as it is now."""
    return LabelWish(document.work, document.analyses, only_selected, device)


def write_labels(ticket: Ticket, path: AnyPath, wish: LabelWish) -> int:
    """Write the CSV file of `kernelviewer label` for what is open; its rows.

    Where networks were renamed, or kernels bear tags, that is a further column:
    ``network``, ``tags``.

    Raises
    ------
    OSError
        The file cannot be written; it names the file.
    """
    sizes = {size for model in wish.work.models for size in model.bank.sizes}

    def found() -> Iterator[tuple[Labelled, NDArray[np.bool_] | None]]:
        chosen: dict[tuple[int, Size], tuple[Labelled, NDArray[np.bool_]]] = {}
        for size in sizes if wish.only_selected else ():
            chosen |= _selected(ticket, wish, size)
        for model in wish.work.models:
            for size in model.bank.sizes:
                if not wish.only_selected:
                    yield _label(ticket, wish, model, size), None
                elif (model.id, size) in chosen:
                    yield chosen[model.id, size]

    marks = wish.work.marks
    there = {"network": marks.names.networks, "tags": marks.tags}
    more = [name for name, own in there.items() if own]
    try:
        return write_rows(path, found(), ticket, more)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _label(ticket: Ticket, wish: LabelWish, model: OpenModel, size: Size) -> Labelled:
    from kernelviewer.latent.autoencoder import shipped

    ticket.check()
    autoencoder = wish.work.autoencoders.get(size) or shipped(size)
    known, marks = wish.analyses.get((model.id, size)), wish.work.marks
    codes = None
    if known is not None and known.code is not None:
        codes = Codes(known.code, known.fit)
    by_family = autoencoder is not None and marks.naming.by == "family"
    thresholds = marks.family_thresholds if by_family else marks.thresholds
    how = Labelling(
        autoencoder,
        marks.naming,
        thresholds.get(size),
        marks.stretches.get(size),
        codes,
    )
    found = label_kernels(
        shown(model.bank.path),
        model.bank,
        size,
        how,
        choose_device(wish.device),
        watch=ticket,
    )
    count = len(found.kernels)
    bits = tag_bits(marks.tags, make_pool((model,), size))
    more = {"network": [model.name] * count, "tags": tag_texts(marks.tags, bits, count)}
    return replace(found, more=more)


def _selected(
    ticket: Ticket, wish: LabelWish, size: Size
) -> dict[tuple[int, Size], tuple[Labelled, NDArray[np.bool_]]]:
    """The networks with kernels of a size that are selected and in scope."""
    pool = make_pool(wish.work.models, size)
    found = [_label(ticket, wish, model, size) for model in pool.models]
    mask = wish.work.marks.selection.mask(pool, _pooled(found))
    mask &= pool.layers_mask(wish.work.scope.layers)
    masks = np.split(mask, pool.starts[1:-1])
    return {
        (model.id, size): (item, own)
        for model, item, own in zip(pool.models, found, masks, strict=True)
        if own.any()
    }


def _pooled(found: Sequence[Labelled]) -> PoolLabels | None:
    """The labels of a pool's networks; None where nothing names them."""
    labels = [item.labels for item in found if item.labels is not None]
    if len(labels) < len(found):
        return None
    # networks of one size are named alike
    by: By = "family" if found[0].by == "family" else "code"
    learned = _joined(
        [None if item.codes is None else item.codes.code for item in found]
    )
    own = _joined([item.family_code for item in found])
    code, other = (own, learned) if by == "family" else (learned, own)
    assert code is not None
    return PoolLabels(
        by,
        code,
        np.concatenate([item.fit for item in found]),
        np.concatenate([item.best_class for item in labels]).astype(np.uint8),
        np.concatenate([item.class_index for item in labels]).astype(np.uint8),
        other,
    )


def _joined(codes: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    known = [code for code in codes if code is not None]
    return np.concatenate(known) if known and len(known) == len(codes) else None
