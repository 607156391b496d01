"""The selection in words: what the status line shows of it, and what it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLabel

from kernelviewer.gui.controller import Controller
from kernelviewer.gui.controls.selection_chips import Chip, ScopeChip, SelectionChips
from kernelviewer.gui.text import counted_once, spaced
from kernelviewer.gui.view_spec import ViewKeys, ViewSpec
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.describe import describe_layers, describe_step
from kernelviewer.state.selection import Similar
from kernelviewer.state.tally import count_kernels

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kernelviewer.state.view_state import ViewState


class StatusController(Controller):
    """A chip for the scope and for each act of the selection, and the count."""

    def listen(self) -> None:
        """Acts can be taken out, the scope widened, a similarity changed."""
        chips: SelectionChips = self.parts.chips
        self.chips = chips
        chips.remove_requested.connect(self.document.remove_step)
        chips.scope_removed.connect(lambda: self.document.show_layers(None))
        chips.cosine_requested.connect(self._on_cosine_requested)

    def show(self, state: ViewState) -> None:
        """Say what is in scope and what is selected."""
        scope = (state.models, state.size, state.layers)
        if self.is_news("chips", state.selection, *scope):
            self.chips.set_chips(tuple(_chips(state)), _scope_chip(state))
        sets = (state.counted, state.counted_selected, state.selection, state.sizes)
        if self.is_news("count", state.models, state.shown, *sets):
            self.parts.selected.setText(_count(state))

    def _on_cosine_requested(self, number: int, cosine: float, dragging: bool) -> None:
        """Change from which cosine on kernels are similar."""
        steps = self.document.selection.steps
        query = steps[number].query if number < len(steps) else None
        if isinstance(query, Similar):
            changed = Similar(query.size, query.taps, cosine, query.name)
            self.document.change_step(number, changed, dragging=dragging)


def _chips(state: ViewState) -> list[Chip]:
    """The acts of the selection."""
    chips = []
    for step in state.selection.steps:
        said = describe_step(step, state)
        query = step.query
        cosine = query.cosine if isinstance(query, Similar) else None
        chips.append(Chip(said.sign, said.text, cosine))
    return chips


def _scope_chip(state: ViewState) -> ScopeChip | None:
    """What is shown: the size, and the layers if not all are."""
    if state.size is None:
        return None
    text = size_label(state.size)
    if state.layers is None:
        return ScopeChip(text, removable=False)
    return ScopeChip(f"{text} · {describe_layers(state.layers, state.models)}", True)


def _count(state: ViewState) -> str:
    """How many of the kernels in scope are selected, or how many are open."""
    if not state.models:
        return ""
    counts = count_kernels(state)
    if state.selection.steps:
        part, whole = counts.counted_selected, counts.counted
        text = f"{spaced(part)} of {spaced(whole)} selected"
        repeated = counts.shown - whole
    else:
        text = f"{spaced(counts.opened)} kernels open"
        repeated = counts.opened_repeated
    return f"{text}, {counted_once(repeated)}" if repeated else text


def _count_label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setObjectName("selectionCount")
    return label


STATUS = ViewSpec(
    id="status",
    title="Selection",
    make={"chips": SelectionChips, "selected": _count_label},
    controller=StatusController,
    reads=(
        *("models", "sizes", "size", "layers", "pool", "shown", "counted"),
        *("selection", "selected", "counted_selected", "only_selected"),
    ),
    keys=(
        ViewKeys(
            "Selection in words",
            "controls.selection_chips",
            (("Take a part away", "click its ×; Delete, Backspace"),),
        ),
    ),
)
