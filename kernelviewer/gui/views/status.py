"""The line at the bottom: what is selected, what happened, device and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStatusBar,
    QWidget,
)

from kernelviewer.gui.accessible import announce
from kernelviewer.gui.text import as_tip, counted_once, spaced
from kernelviewer.gui.view import Controller, ViewKeys, ViewSpec
from kernelviewer.gui.views.selection_chips import Chip, ScopeChip, SelectionChips
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.describe import describe_scope, describe_step
from kernelviewer.state.selection import Classes, Similar
from kernelviewer.state.tally import count_kernels

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import (
        QToolButton,
    )

    from kernelviewer.state.view_state import ViewState


class Message(QLabel):
    """A sentence that takes what room there is; a long one loses its end."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("statusMessage")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """Qt: it can vanish."""
        return QSize(0, super().minimumSizeHint().height())

    def show_text(self, text: str) -> None:
        """Show another sentence."""
        self.setText(text)
        self.setToolTip(as_tip(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint as much of it as fits."""
        painter = QPainter(self)
        box = self.contentsRect().adjusted(6, 0, -6, 0)
        end = Qt.TextElideMode.ElideRight
        text = self.fontMetrics().elidedText(self.text(), end, box.width())
        painter.setPen(self.palette().windowText().color())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)


class StatusLine(QStatusBar):
    """Chips and counts stay beside the message, which Qt would draw over them."""

    def __init__(
        self,
        chips: SelectionChips,
        selected: QLabel,
        device: QLabel,
        unopened: QToolButton,
        jobs: QToolButton,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        holder = QWidget(self)
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 2)
        line.setSpacing(4)
        self.message = Message(holder)
        self.messageChanged.connect(self.message.show_text)
        self.messageChanged.connect(lambda text: announce(self, text))
        line.addWidget(chips)
        line.addWidget(selected)
        line.addWidget(self.message, 1)
        line.addWidget(unopened)
        line.addWidget(device)
        line.addWidget(jobs)
        self.addPermanentWidget(holder, 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the message has its own place."""


class StatusController(Controller):
    """A chip for the scope and for each act of the selection, and the count."""

    def listen(self) -> None:
        """Acts can be taken out, the scope widened, a similarity changed."""
        chips: SelectionChips = self.parts.chips
        self.chips = chips
        chips.remove_requested.connect(self.document.remove_step)
        chips.scope_removed.connect(lambda: self.document.show_layers(None))
        chips.name_requested.connect(self._on_name_requested)
        chips.cosine_requested.connect(self._on_cosine_requested)

    def show(self, state: ViewState) -> None:
        """Say what is in scope and what is selected."""
        scope = (state.models, state.size, state.layers, state.pairs)
        if self.is_news("described", state.selection, *scope):
            said = tuple(_chips(state)), _scope_chip(state)
            if self.is_news("chips", said):
                self.chips.set_chips(*said)
        sets = (state.counted, state.counted_selected, state.selection, state.sizes)
        if self.is_news("count", state.models, state.shown, *sets):
            before, text = self.parts.selected.text(), _count(state)
            self.parts.selected.setText(text)
            if text != before:
                announce(self.parts.selected, text)

    def _on_name_requested(self, number: int) -> None:
        """Rename what a chip says: a class, where it is of one."""
        steps = self.document.selection.steps
        query = steps[number].query if number < len(steps) else None
        if isinstance(query, Classes) and len(query.ids) == 1:
            self.window.rename_class(next(iter(query.ids)))

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
    return ScopeChip(f"{text} · {describe_scope(state)}", True)


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
        *("selection", "selected", "counted_selected", "only_selected", "pairs"),
    ),
    keys=(
        ViewKeys(
            "Selection in words",
            "views.selection_chips",
            (
                ("Take a part away", "click its ×; Delete, Backspace"),
                ("Give its class a name and a colour", "double click; F2"),
            ),
        ),
    ),
)
