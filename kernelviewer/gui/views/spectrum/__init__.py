"""The spectrum: decoded kernels along the code, its stretches, density and slider.

It is the learned one or the family's own, by what names the kernels. Its controller
makes `SpectrumContent` and `Density` of the view state, and edits the learned stretches
of the document as `SpectrumView` asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.gui.view import Controller, Home, ViewFigure, ViewSpec, view_keys
from kernelviewer.gui.views.spectrum.content import (
    NO_KERNELS,
    NOTHING_OPEN,
    STAGES,
    SpectrumContent,
    StretchSpan,
    no_autoencoder,
    not_encoded,
    not_named,
)
from kernelviewer.gui.views.spectrum.histogram import bin_codes, count_codes
from kernelviewer.gui.views.spectrum.view import SpectrumView
from kernelviewer.kernels.classes import CLASSES, FINE, PAPER
from kernelviewer.latent import stretches as editing
from kernelviewer.state.memo import Memo
from kernelviewer.state.selection import CodeRange

if TYPE_CHECKING:
    from kernelviewer.gui.views.spectrum.content import Absence
    from kernelviewer.kernels.classes import By
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.state.analysis import Stage, Status
    from kernelviewer.state.selection import Mode
    from kernelviewer.state.view_state import ViewState


TITLES: dict[By | None, str] = {
    None: "Spectrum",
    "code": "Spectrum of the code",
    "family": "Spectrum of the family",
}
"""What names the kernels → what the title line says."""


class SpectrumController(Controller):
    """Decoded curve, stretches, density of codes and slider."""

    def listen(self) -> None:
        """Place, ranges and edits of stretches."""
        view: SpectrumView = self.parts.spectrum
        self.view = view
        document, window = self.document, self.window
        self._bins = Memo(bin_codes)
        view.position_requested.connect(document.set_position)
        view.range_moved.connect(lambda a, b, mode: self._select(a, b, mode, True))
        view.range_requested.connect(lambda a, b, mode: self._select(a, b, mode, False))
        view.range_dropped.connect(document.give_up_drag)
        view.clear_requested.connect(document.clear_selection)
        view.border_moved.connect(lambda i, z: self._move_border(i, z, True))
        view.border_set.connect(lambda i, z: self._move_border(i, z, False))
        view.border_dropped.connect(lambda border: document.give_up_drag())
        view.rename_requested.connect(self._on_rename_requested)
        view.name_requested.connect(window.rename_stretch)
        view.split_requested.connect(self._on_split_requested)
        view.merge_requested.connect(self._on_merge_requested)
        view.reset_requested.connect(document.reset_stretches)
        view.encode_requested.connect(window.encode_again)
        view.train_requested.connect(lambda: window.commands["train"].trigger())
        window.analyst.stage_changed.connect(self.again)
        window.families.changed.connect(self.again)

    def show(self, state: ViewState) -> None:
        """Draw the decoded curve, or say why there is none."""
        axis = (state.spectrum, state.stretches)
        if self.is_news("title", state.named_by):
            line = self.window.docks["spectrum"].title_line
            line.label.setText(TITLES[state.named_by])
            self.view.setAccessibleName(TITLES[state.named_by])
        if self.is_news("spectrum", *axis, state.autoencoder, state.named_by):
            self.view.set_spectrum(_content(state))
        stage = self.window.analyst.stage
        named = self.window.families.status(state.size)
        known = (state.models, state.pool, state.known, state.named_by)
        if self.is_news("absence", *known, state.once, stage, named):
            self.view.set_absence(_absence(state, stage, named))
        self._show_density(state, stage)
        if self.is_news("position", *axis, state.position):
            self.view.set_position(state.position)
        if self.is_news("ranges", state.selection, state.named_by):
            self.view.set_ranges(
                tuple(
                    (step.query.low, step.query.high)
                    for step in state.selection.steps
                    if isinstance(step.query, CodeRange)
                    and step.query.by == state.named_by
                )
            )
        if self.is_news("mark", *axis, state.focus, state.named):
            self.view.set_mark(_mark(state))
        if self.is_news("path", *axis, state.focus, state.run, state.track):
            step = 0 if state.run is None else state.run.step
            self.view.histogram.set_path(_path(state), step)

    def _show_density(self, state: ViewState, stage: Stage) -> None:
        code = None if state.named is None else state.named.code
        because = _why_no_density(state, stage) if code is None else ""
        sets = (state.counted, state.counted_selected)
        if not self.is_news("density", code, because, *sets):
            return
        if code is None:
            self.view.set_density(None, because)
        else:
            some = state.counted_selected if state.selected.any() else None
            self.view.set_density(count_codes(self._bins(code), state.counted, some))

    def _select(self, low: float, high: float, mode: Mode, dragging: bool) -> None:
        by = self.window.state.named_by or "code"
        self.document.select(mode, CodeRange(low, high, by), dragging=dragging)

    def _move_border(self, border: int, code: float, dragging: bool) -> None:
        if (now := self._stretches()) is not None:
            moved = editing.move_border(now, border, code)
            self._edit(moved, dragging=dragging)

    def _on_rename_requested(self, stretch: int, class_index: int) -> None:
        if (now := self._stretches()) is not None:
            scheme = FINE if CLASSES[class_index].paper else PAPER
            id_ = CLASSES[class_index].id
            renamed = editing.rename(now, stretch, id_, "", "", scheme)
            self._edit(renamed, "Rename")

    def _on_split_requested(self, stretch: int, code: float) -> None:
        if (now := self._stretches()) is not None:
            self._edit(editing.split(now, code), "Split")

    def _on_merge_requested(self, stretch: int, neighbour: int) -> None:
        if (now := self._stretches()) is not None:
            lower = min(stretch, neighbour)
            merged = editing.merge(now, lower, like=neighbour)
            self._edit(merged, "Merge")

    def _stretches(self) -> Stretches | None:
        size = self.document.size
        return self.document.stretches_of(size) if size else None

    def _edit(
        self, stretches: Stretches, act: str = "Border Move", *, dragging: bool = False
    ) -> None:
        if (size := self.document.size) is not None:
            self.document.set_stretches(size, stretches, act=act, dragging=dragging)


def _content(state: ViewState) -> SpectrumContent | None:
    """The decoded patterns and their stretches; only learned ones can be edited."""
    own, stretches = state.autoencoder, state.stretches
    if stretches is None or state.spectrum is None:
        return None
    editable = state.named_by == "code"
    edited = bool(editable and own and not editing.same_names(stretches, own.stretches))
    parts = tuple(
        StretchSpan(
            s.low, s.high, s.class_index, s.family_cosine, s.name, colour=s.colour
        )
        for s in stretches
    )
    return SpectrumContent(state.spectrum, parts, edited, editable)


def _why_no_density(state: ViewState, stage: Stage) -> str:
    """What stands in the place of the density."""
    by_family = state.all_analysed and state.named_by == "family"
    return "naming by the family…" if by_family else STAGES[stage]


def _absence(state: ViewState, stage: Stage, named: Status) -> Absence:
    """Why there is no spectrum."""
    pool = state.pool
    if state.size is None or pool is None:
        return NO_KERNELS if state.models else NOTHING_OPEN
    if not state.all_analysed:
        return not_encoded(state.size, stage)
    if state.named_by == "family":
        return not_named(state.size, named)
    return no_autoencoder(state.size, int(np.count_nonzero(state.counting(~pool.flat))))


def _mark(state: ViewState) -> float | None:
    """The code of the focused kernel."""
    if state.focus is None or state.named is None or state.spectrum is None:
        return None
    code = float(state.named.code[state.focus])
    return None if np.isnan(code) else code


def _path(state: ViewState) -> tuple[float, ...]:
    """The code of the focused kernel at each step of its run."""
    model, track, pool = state.run, state.track, state.pool
    if model is None or track is None or pool is None or state.focus is None:
        return ()
    kernel = pool.locate(state.focus)
    if kernel.model != model.id or track.by != state.named_by:
        return ()
    if not track.fits(model.bank, model.bank.sizes[kernel.size]):
        return ()
    return tuple(track.path(kernel.index).tolist())


SPECTRUM = ViewSpec(
    id="spectrum",
    title=TITLES[None],
    make={"spectrum": SpectrumView},
    controller=SpectrumController,
    reads=(
        *("models", "size", "pool", "known", "autoencoder", "spectrum", "stretches"),
        *("named_by", "named", "counted", "counted_selected", "once"),
        *("selection", "selected", "position", "focus", "run", "track"),
    ),
    keys=(
        view_keys(
            "Code slider",
            "views.spectrum.slider",
            ("Move", "drag, wheel, arrow keys; Shift: fine"),
            ("To the next stretch, to an end", "Page Up, Page Down; Home, End"),
            ("Play along the spectrum", "Space"),
            ("Give up a drag", "Escape"),
        ),
        view_keys(
            "Decoded kernels",
            "views.spectrum.strip",
            ("Move the code slider", "click, drag"),
            ("Give up a drag", "Escape"),
        ),
        view_keys(
            "Density of codes",
            "views.spectrum.histogram",
            ("Select a range of codes", "drag; Left, Right"),
            ("Move its upper or lower end", "Shift+arrows, Ctrl+arrows"),
            ("Give up a drag, clear the selection", "Escape"),
        ),
        view_keys(
            "Stretches",
            "views.spectrum.stretches",
            ("Next stretch", "Left, Right"),
            ("Move its upper or lower border", "drag; Shift+arrows, Ctrl+arrows"),
            ("Give it a name and a colour", "double click, F2"),
            ("Rename, split, merge", "right click, Enter"),
            ("Give up a drag", "Escape"),
        ),
    ),
    figures={
        "spectrumView": ViewFigure("spectrum"),
        "codeHistogram": ViewFigure("histogram"),
    },
    home=Home("top"),
)
