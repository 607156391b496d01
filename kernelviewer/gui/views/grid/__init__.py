"""The kernel grid: every kernel in scope as a small picture.

`image.build_grid` (in a worker) → `GridImage` → `GridContent` → `KernelGrid`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui import theme
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import spaced
from kernelviewer.gui.view import (
    FIGURE_WORDS,
    Controller,
    ViewFigure,
    ViewSpec,
    match_option,
    view_keys,
)
from kernelviewer.gui.views.grid.controls import GridControls
from kernelviewer.gui.views.grid.grid import KernelGrid
from kernelviewer.gui.views.grid.image import (
    Strips,
    build_grid,
    content_of,
    decodable,
    made_of,
)
from kernelviewer.state.arrangement import leaves_out_mean
from kernelviewer.state.own_names import tag_colour
from kernelviewer.state.similarity import likeness
from kernelviewer.state.tally import count_kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.gui.theme import Looks
    from kernelviewer.gui.views.grid.image import GridImage
    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import KernelRef
    from kernelviewer.state.selection import Mode
    from kernelviewer.state.view_state import ViewState

LEAST_HEIGHT = 48
"""In a window that is too low for all panels."""
NOTHING_IN_SCOPE = "Nothing to show: the picked layers have no kernels of this size."
NOTHING_SELECTED = (
    "Nothing is selected. Brush the code histogram, click a class or a layer, or show "
    "all kernels again with Ctrl+H."
)


class GridController(Controller):
    """Lays the kernels in scope out in the background and marks them.

    Until that is done the grid shows the pool before: its numbers mean other kernels,
    so nothing is marked in it and what is asked of it is not passed on.
    """

    def listen(self) -> None:
        """Focus and selection from the grid, its looks from the line above it."""
        self.grid: KernelGrid = self.parts.grid
        controls: GridControls = self.parts.controls
        self.controls = controls
        document, acts = self.document, self.window.acts
        self._image: GridImage | None = None
        self._strips = Strips()
        self._wanted: KernelRef | None = None
        self.grid.setMinimumHeight(LEAST_HEIGHT)
        self.grid.set_tooltip(acts.tooltip, acts.name_of)
        self.grid.focus_requested.connect(self._on_focus_requested)
        self.grid.selection_requested.connect(self._on_selection_requested)
        self.grid.activated.connect(lambda: self.window.docks["inspector"].show())
        self.grid.zoom_changed.connect(self._show_zoom)
        acts.revealed.connect(self._on_revealed)
        self.window.key_finder.changed.connect(self.again)
        controls.zoom_requested.connect(self.grid.set_zoom)
        controls.display_requested.connect(document.show_as)
        controls.show_all_requested.connect(lambda: document.show_only_selected(False))
        controls.mean_requested.connect(document.draw_mean)
        controls.colormap_requested.connect(self.window.set_colormap)

    def show(self, state: ViewState) -> None:
        """Show how the grid is ordered, lay it out, mark what is marked."""
        found = state.pool is not None and likeness(state.pool) is not None
        offers = state.pairs is not None, state.run is not None, found
        if self.is_news("display", state.display, *offers):
            self.controls.set_offers(*offers)
            self.controls.set_display(state.display)
        centred = draws_without_mean(state, framed=self.window.looks.framed)
        if self.is_news("mean", state.mean, centred):
            self.controls.set_mean(state.mean, centred)
        if self.is_news("decodable", *decodable(state)):
            self.controls.set_decodable(*decodable(state))
        sets = (state.shown, state.selected, state.only_selected)
        if self.is_news("counts", *sets, state.pairs, state.display.picture):
            pairs = state.pairs if state.display.picture == "pair" else None
            self.controls.set_counts(
                count_kernels(state), None if pairs is None else _pairs(state, pairs)
            )
        self._lay_out(state)
        self._show_content(state)
        if self._is_current():
            self._mark(state)

    def set_looks(self, looks: Looks) -> None:
        """Use other colours, also for frames and headings."""
        super().set_looks(looks)
        self.again()

    def _lay_out(self, state: ViewState) -> None:
        """Lay the kernels in scope out in the background, if that is not done."""
        if state.pool is None:
            if self.is_news("pool", None, state.models):
                self.jobs.cancel("grid")
                self._image = None
                self._strips = Strips()
                self.forget("content", "message", "selected", "focus", "near", "tags")
                self.grid.set_content(None)
                self.grid.set_focus(None)
                self.grid.set_tags(None, {})
                self.grid.set_message(_nothing(self.document))
            return
        picture = state.display.picture
        if state.display.by_key:
            self.window.key_finder.request()
        if picture != "strip":
            self._strips = Strips()
        wanted = (
            *(state.pool, state.listed, state.display),
            state.labels if state.display.by_label else None,
            *(made_of(state) or (None, None)),
            state.by_keys if state.display.by_key else None,
            state.pairs if state.display.by_pair else None,
            state.run if picture == "strip" else None,
            centred := draws_without_mean(state, framed=self.window.looks.framed),
        )
        if self.is_news("pool", *wanted):
            reaction, known = Reaction(done=self._on_built, quiet=True), self._image
            self.jobs.submit(
                "views",
                "grid",
                "Draw kernels",
                reaction,
                build_grid,
                state,
                known,
                self._strips,
                centred,
            )

    def _on_built(self, image: GridImage) -> None:
        self._image = image
        self.again()
        self._scroll_to_wanted()
        self.window.laid_out.emit()

    def _show_content(self, state: ViewState) -> None:
        image, looks = self._image, self.window.looks
        if image is None:
            return
        labels = state.labels if looks.framed else None
        dark = theme.tokens().dark
        if self.is_news("content", image, labels, looks.framed, dark):
            self.grid.set_content(
                content_of(image, labels, framed=looks.framed, dark=dark)
            )
        if self.is_news("message", image):
            empty = NOTHING_SELECTED if state.shown.any() else NOTHING_IN_SCOPE
            self.grid.set_message("" if len(image.arrangement.order) else empty)
            self._show_zoom()

    def _mark(self, state: ViewState) -> None:
        pairs = self._image.pairs if self._image is not None else None
        if self.is_news("selected", self._image, state.selected):
            chosen = state.selected
            self.grid.set_selection(
                chosen if pairs is None else pairs.as_before(chosen)
            )
        if self.is_news("focus", self._image, state.focus):
            focus = state.focus
            if focus is not None and pairs is not None:
                focus = pairs.before(focus)
            self.grid.set_focus(focus)
        if self.is_news("tags", self._image, state.tags, state.tag_bits):
            colours = {n: tag_colour(state.tags, n) for n in state.tags}
            bits = state.tag_bits
            if bits is not None and pairs is not None:
                bits = pairs.bits_before(bits)
            self.grid.set_tags(bits, colours)
        if self.is_news("near", self._image, state.near, state.listed):
            near = state.near if pairs is None else pairs.befores(state.near)
            self.grid.set_marked(tuple(near.tolist()))
            listed = state.listed[state.near] if len(state.near) else state.near
            self.controls.set_marked(bool(listed.any()))

    def _show_zoom(self) -> None:
        """Show the grid's zoom in the line above it."""
        self.parts.controls.set_zoom(self.grid.zoom, self.grid.zoom_range)

    def _is_current(self) -> bool:
        """True if the grid's numbers mean the kernels of the pool."""
        return self._image is not None and self._image.pool is self.window.state.pool

    def _on_focus_requested(self, number: int) -> None:
        if self._is_current():
            self.window.acts.focus(number)

    def _on_selection_requested(self, numbers: NDArray[np.int64], mode: Mode) -> None:
        if self._is_current():
            assert self._image is not None
            if (pairs := self._image.pairs) is not None:
                numbers = pairs.both(np.asarray(numbers, np.int64))
            self.window.acts.select_kernels(numbers, mode)

    def _on_revealed(self, kernel: KernelRef) -> None:
        self._wanted = kernel
        if not self.jobs.is_current("grid"):
            self._scroll_to_wanted()

    def _scroll_to_wanted(self) -> None:
        wanted, self._wanted = self._wanted, None
        pool = self.window.state.pool
        number = pool.number(wanted) if pool is not None else None
        if number is not None and self._image is not None and self._image.pairs:
            number = self._image.pairs.before(number) if self._is_current() else None
        if number is not None:
            self.parts.grid.scroll_to(number)


def draws_without_mean(state: ViewState, *, framed: bool) -> bool:
    """True if the grid draws kernels without their mean, as they are named.

    ``framed``: their classes are seen by their frames.
    """
    seen = (framed or state.display.by_class) and state.labels is not None
    return leaves_out_mean(state.mean, seen)


def _pairs(state: ViewState, pairs: PoolPairs) -> str:
    """How many pairs the grid shows."""
    shown = int(np.count_nonzero(pairs.inside(state.listed)))
    return f"{spaced(shown)} of {spaced(len(pairs))} pairs"


def _nothing(document: Document) -> str:
    """Why the grid is empty although networks are open."""
    names = [model.name for model in document.models]
    others = sum(len(bank.convolutions) for bank in document.banks)
    if not names:
        return ""
    who = names[0] if len(names) == 1 else f"The {len(names)} open networks"
    has = "has" if len(names) == 1 else "have"
    left_out = sum(not layer.included for b in document.banks for layer in b.layers)
    text = f"{who} {has} no depthwise kernels, but {others} other convolutions."
    if left_out:
        text += f" {left_out} undecided or fixed layers in the tree can be included."
    return text


def _figure_options(document: Document) -> dict[str, str]:
    """How a sheet is grouped and sorted to be like the grid."""
    display = document.display.where(paired=False, found=False, running=True)
    group = FIGURE_WORDS.get(display.group_by, display.group_by)
    group = "layer" if group == "key" else group  # no figure has such groups
    return {"group": group, "sort": display.sort_by}


def _figure_of_pictures(state: ViewState) -> ViewFigure | None:
    """Another figure while each picture is more than a kernel."""
    if state.display.picture == "pair":
        return ViewFigure("pairs", options=match_option)
    return ViewFigure("strips") if state.display.picture == "strip" else None


GRID = ViewSpec(
    id="grid",
    title="Kernels",
    make={"grid": KernelGrid},
    page="kernels",
    controls={"controls": GridControls},
    controller=GridController,
    reads=(
        *("models", "pool", "shown", "listed", "display", "labels", "analyses"),
        *("autoencoder", "spectrum", "named", "named_by", "stretches"),
        *("sizes", "counted", "counted_selected"),
        *("selected", "only_selected", "focus", "near", "pairs", "run", "mean"),
        *("tags", "tag_bits", "own_classes", "by_keys"),
    ),
    keys=(
        view_keys(
            "Kernels",
            "views.grid.grid",
            ("Look at a kernel", "click; arrow keys, Page Up, Page Down, Home, End"),
            ("Open it in its panel", "double click, Enter"),
            ("Select", "drag; Shift+click a range, Ctrl+click or Space one"),
            ("A drag adds, takes away, intersects", "Shift, Ctrl, Ctrl+Shift"),
            ("Extend the selection", "Shift+arrow keys"),
            ("Give up a drag, clear the selection", "Escape"),
            ("Zoom", "Ctrl+wheel, pinch, Ctrl++, Ctrl+−, Ctrl+0"),
        ),
    ),
    figures={
        "kernelGrid": ViewFigure(
            "sheet", options=_figure_options, instead=_figure_of_pictures
        )
    },
)
