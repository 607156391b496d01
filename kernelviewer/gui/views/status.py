"""The line at the bottom: what is selected, what happened, device and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QLabel,
    QMenu,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

from kernelviewer.gui.accessible import announce
from kernelviewer.gui.controls import EscapableSlider, in_row, label_of, named
from kernelviewer.gui.text import as_tip, counted_once, spaced
from kernelviewer.gui.theme import as_field
from kernelviewer.gui.view import Controller, ViewSpec, view_keys
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.describe import describe_scope, describe_step
from kernelviewer.state.selection import Classes, Similar
from kernelviewer.state.tally import count_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import (
        QHideEvent,
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
        QResizeEvent,
    )

    from kernelviewer.state.view_state import ViewState


STEPS = 100
HEIGHT = 24
WIDEST = 230
"""Longer texts lose their middle, logical pixels."""
GAP = 6


class CosinePopover(QFrame):
    """A slider and its value; what it changes while it is open is one act."""

    cosine_requested = Signal(int, float, bool)
    """Number of the act, the wished cosine, and whether it is still being changed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("cosinePopover")
        self._number: int | None = None
        self._changed = False
        self.slider = EscapableSlider(self)
        named(self.slider, "cosineSlider", "Least cosine of similar kernels")
        self.slider.setRange(0, STEPS)
        self.slider.setFixedWidth(140)
        self.value = QDoubleSpinBox(self)
        as_field(self.value)
        named(self.value, "cosineValue", "Least cosine of similar kernels, 0 to 1")
        self.value.setRange(0, 1)
        self.value.setSingleStep(0.01)
        self.value.setKeyboardTracking(False)
        title = label_of(self, "cosine at least", role="secondary")
        in_row(self, title, self.slider, self.value, margins=(12, 8, 12, 8), spacing=8)
        self.slider.valueChanged.connect(lambda value: self._ask(value / STEPS))
        self.value.valueChanged.connect(self._ask)

    def open(self, number: int, cosine: float, corner: QPoint) -> None:
        """Change the act of this number, in a popover above a corner of its chip."""
        self._number, self._changed = number, False
        self._show(cosine)
        self.adjustSize()
        self.move(corner.x(), corner.y() - self.height() - 4)
        self.show()
        self.slider.setFocus()

    def follow(self, cosines: Sequence[float | None]) -> None:
        """Show what became of the acts; close if the one here is gone."""
        if self._number is None:
            return
        known = cosines[self._number] if self._number < len(cosines) else None
        if known is None:
            self._changed = False
            self.hide()
        else:
            self._show(known)

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt: what was changed is done."""
        number, self._number = self._number, None
        if number is not None and self._changed:
            self.cosine_requested.emit(number, self.value.value(), False)
        super().hideEvent(event)

    def _show(self, cosine: float) -> None:
        with QSignalBlocker(self.slider), QSignalBlocker(self.value):
            self.slider.setValue(round(cosine * STEPS))
            self.value.setValue(cosine)

    def _ask(self, cosine: float) -> None:
        if self._number is not None:
            self._changed = True
            self.cosine_requested.emit(self._number, cosine, True)


@dataclass(frozen=True, slots=True)
class Chip:
    """One act of selecting."""

    sign: str
    """How it joins what stands before it: ``∪``, ``∩``, ``−``; empty for the first."""
    text: str
    """What it marks."""
    cosine: float | None = None
    """From which cosine on kernels are similar, which can be changed; else None."""


@dataclass(frozen=True, slots=True)
class ScopeChip:
    """What is shown at all; ``removable`` where that is less than everything."""

    text: str
    removable: bool


class Pill(QWidget):
    """A sign and a rounded chip with a text and, unless it is fixed, a cross."""

    removed = Signal()
    adjusted = Signal()
    named = Signal()
    """It was double clicked, or F2 was pressed in it."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.sign = QLabel(self)
        self.sign.setProperty("chipSign", True)
        frame = QFrame(self)
        frame.setProperty("chip", True)
        frame.setFixedHeight(HEIGHT)
        self.label = QLabel(frame, textFormat=Qt.TextFormat.PlainText)
        self.adjust = named(QToolButton(frame), f"{name}Adjust")
        self.adjust.clicked.connect(self.adjusted)
        self.cross = named(QToolButton(frame), f"{name}Remove")
        self.cross.setText("×")
        self.cross.setProperty("quiet", True)
        self.cross.clicked.connect(self.removed)
        for button in (self.adjust, self.cross):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        parts, margins = (self.label, self.adjust, self.cross), (10, 0, 10, 0)
        self._inner = in_row(frame, *parts, margins=margins, spacing=2)
        self._frame = frame
        for widget in (self.sign, self.label, self.adjust, self.cross):
            widget.ensurePolished()
        self._outer = in_row(self, self.sign, frame, spacing=GAP)

    def show_chip(
        self, sign: str, text: str, *, removable: bool, adjustable: bool = False
    ) -> None:
        """Show another act."""
        self.sign.setText(sign)
        self.sign.setVisible(bool(sign))
        metrics = self.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, WIDEST)
        self.label.setText(shown)
        self.label.setVisible(not adjustable)
        self.adjust.setText(f"{shown} ▾")
        self.adjust.setVisible(adjustable)
        self.adjust.setAccessibleName(f"Change {text}")
        self.cross.setVisible(removable)
        self.cross.setAccessibleName(f"Remove {text}")
        self.cross.setToolTip(as_tip(f"Remove “{text}” (Delete)"))
        self._inner.setContentsMargins(10, 0, 2 if removable else 10, 0)
        self.setToolTip(as_tip(text) if shown != text else "")
        self.setAccessibleName(f"{sign} {text}".strip())
        self._inner.invalidate()
        self._frame.updateGeometry()
        self._outer.invalidate()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the keys that remove things remove the chip."""
        removing = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
        if event.key() in removing and not self.cross.isHidden():
            self.removed.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.named.emit()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt: what it says may get another name."""
        self.named.emit()


class SelectionChips(QWidget):
    """Chips in a row; those that do not fit are in the menu of a last one, “+3”."""

    remove_requested = Signal(int)
    """Number of the act."""
    scope_removed = Signal()
    """Show everything again."""
    cosine_requested = Signal(int, float, bool)
    """Number of the act, the wished cosine, and whether it is still being changed."""
    name_requested = Signal(int)
    """Number of the act; what it marks is to be called otherwise."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "selectionChips", "What is selected")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.chips: tuple[Chip, ...] = ()
        self.scope: ScopeChip | None = None
        self._scope_pill = Pill("scopeChip", self)
        self._scope_pill.removed.connect(self.scope_removed)
        self._pills: list[Pill] = []
        self.more = named(QToolButton(self), "moreChips")
        self.more.setProperty("chip", True)
        self.more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more.clicked.connect(self._open_menu)
        self._fitting = 0
        self._popover = CosinePopover(self)
        self._popover.cosine_requested.connect(self.cosine_requested)
        self.set_chips((), None)

    def set_chips(self, chips: tuple[Chip, ...], scope: ScopeChip | None) -> None:
        """Show what is selected, and within what."""
        self.chips, self.scope = chips, scope
        self._scope_pill.setVisible(scope is not None)
        if scope is not None:
            self._scope_pill.show_chip("", scope.text, removable=scope.removable)
        while len(self._pills) < len(chips):
            self._pills.append(self._pill(len(self._pills)))
        for pill, chip in zip(self._pills, chips, strict=False):
            adjustable = chip.cosine is not None
            pill.show_chip(chip.sign, chip.text, removable=True, adjustable=adjustable)
        self._popover.follow([chip.cosine for chip in chips])
        self.updateGeometry()
        holder = self.parentWidget()
        line = holder.layout() if holder is not None else None
        if line is not None:
            line.activate()
        self._place()

    def menu(self) -> QMenu:
        """The acts that do not fit; choosing one removes it."""
        menu = QMenu(self)
        for number in range(self._fitting, len(self.chips)):
            chip = self.chips[number]
            text = f"Remove {chip.sign} {chip.text}".replace("&", "&&")
            menu.addAction(
                " ".join(text.split()), partial(self.remove_requested.emit, number)
            )
        return menu

    def sizeHint(self) -> QSize:
        """Qt: room for all."""
        widths = [pill.sizeHint().width() + GAP for pill in self._shown()]
        return QSize(max(0, sum(widths) - GAP), HEIGHT + 4)

    def minimumSizeHint(self) -> QSize:
        """Qt: the window is never made wider for the chips."""
        return QSize(0, HEIGHT + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: other chips fit."""
        super().resizeEvent(event)
        self._place()

    def _pill(self, number: int) -> Pill:
        pill = Pill(f"chip{number}", self)
        pill.removed.connect(lambda: self._on_removed(number))
        pill.named.connect(lambda: self.name_requested.emit(number))
        pill.adjusted.connect(lambda: self._on_adjusted(number))
        return pill

    def _shown(self) -> list[Pill]:
        scope = [self._scope_pill] if self.scope is not None else []
        return [*scope, *self._pills[: len(self.chips)]]

    def _place(self) -> None:
        """Put the chips that fit beside each other, the others into the menu."""
        pills = self._shown()
        widths = [pill.sizeHint().width() for pill in pills]
        fixed = len(pills) - len(self.chips)
        count = len(pills)
        if sum(widths) + GAP * max(0, count - 1) > self.width():
            self.more.setText(f"+{len(self.chips)}")
            room = self.width() - self.more.sizeHint().width()
            count, used = 0, 0
            while count < len(pills) and used + widths[count] + GAP <= room:
                used += widths[count] + GAP
                count += 1
        x = 0
        for number, pill in enumerate(pills):
            fits = number < count
            pill.setVisible(fits)
            if fits:
                pill.setGeometry(x, 2, widths[number], HEIGHT)
                x += widths[number] + GAP
        for pill in self._pills[len(self.chips) :]:
            pill.hide()
        self._fitting = max(0, count - fixed)
        hidden = len(self.chips) - self._fitting
        self.more.setVisible(hidden > 0)
        if hidden:
            self.more.setText(f"+{hidden}")
            self.more.setAccessibleName(f"{hidden} more acts of selecting")
            size = self.more.sizeHint()
            self.more.setGeometry(x, 2, size.width(), HEIGHT)

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.more.mapToGlobal(QPoint(0, 0)))

    def _on_removed(self, number: int) -> None:
        """Ask; whoever removes chips with the keyboard stays among them."""
        focused = self._pills[number].cross.hasFocus()
        self.remove_requested.emit(number)
        if focused and self._fitting:
            self._pills[min(number, self._fitting - 1)].cross.setFocus()

    def _on_adjusted(self, number: int) -> None:
        cosine = self.chips[number].cosine
        if cosine is not None:
            corner = self._pills[number].adjust.mapToGlobal(QPoint(0, 0))
            self._popover.open(number, cosine, corner)


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
        line = in_row(holder, margins=(0, 0, 0, 2), spacing=4)
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
        self.chips: SelectionChips = self.parts.chips
        self.chips.remove_requested.connect(self.document.remove_step)
        self.chips.scope_removed.connect(lambda: self.document.show_layers(None))
        self.chips.name_requested.connect(self._on_name_requested)
        self.chips.cosine_requested.connect(self._on_cosine_requested)

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
    return label_of(parent, name="selectionCount")


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
        view_keys(
            "Selection in words",
            "views.status",
            ("Take a part away", "click its ×; Delete, Backspace"),
            ("Give its class a name and a colour", "double click; F2"),
        ),
    ),
)
