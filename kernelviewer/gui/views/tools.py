"""The line above everything: title, kernel sizes, threshold, search, export."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from kernelviewer.gui.controls import (
    ChoiceButton,
    EscapableSlider,
    ExplainButton,
    NumberField,
    SteadyLabel,
    in_row,
    label_of,
    named,
)
from kernelviewer.gui.glossary import tip_of
from kernelviewer.gui.palette import PaletteLine
from kernelviewer.gui.text import as_tip, percent, short_percent, shortened, spaced
from kernelviewer.gui.view import Controller, ViewSpec, view_keys
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.kernels.classes import Naming
from kernelviewer.latent.noise import PRESETS
from kernelviewer.state.analysis import coverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QResizeEvent
    from PySide6.QtWidgets import QMainWindow

    from kernelviewer.gui.view import Parts
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.noise import Null
    from kernelviewer.state.view_state import ViewState

SPACING = 6
STEPS = 1000
HEIGHT = 38
GAP = 20
EXPORT = "Export Figure…"


class SizeBar(QWidget):
    """One button per kernel size of the open networks; a menu of them where narrow."""

    size_requested = Signal(object)
    widened = Signal()
    """The row's width has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sizeBar")
        self.menu = named(QToolButton(self), "sizeMenu")
        self.menu.setProperty("button", True)
        self.menu.clicked.connect(self._open_menu)
        self._line = in_row(self, self.menu, spacing=SPACING)
        self._group = QButtonGroup(self)
        self._sizes: dict[Size, int] = {}
        self._size: Size | None = None
        self._compact = False
        self._group.idClicked.connect(
            lambda number: self.size_requested.emit(list(self._sizes)[number])
        )
        self._show_mode()

    def set_sizes(self, sizes: dict[Size, int], size: Size | None) -> None:
        """Offer these sizes with their counts, one of them in use."""
        rebuilt = list(sizes) != list(self._sizes)
        self._sizes, self._size = dict(sizes), size
        if rebuilt:
            self._rebuild()
        for number, (key, count) in enumerate(sizes.items()):
            button = self._group.button(number)
            button.setChecked(key == size)
            button.setToolTip(f"{spaced(count)} kernels of {size_label(key)}")
        shown = size_label(size) if size else ""
        self.menu.setText(f"{shown} ▾")
        self.menu.setAccessibleName(f"Kernel size: {shown}")
        self.menu.setToolTip(f"{len(sizes)} kernel sizes are open")
        if rebuilt:
            self.widened.emit()

    def set_compact(self, compact: bool) -> None:
        """Show one menu in place of the row."""
        if compact != self._compact:
            self._compact = compact
            self._show_mode()

    def row_width(self) -> int:
        """How wide the row of buttons is."""
        widths = [button.sizeHint().width() for button in self._group.buttons()]
        return sum(widths) + SPACING * max(0, len(widths) - 1)

    def step(self, by: int) -> None:
        """Ask for the next or previous size."""
        if self._sizes:
            sizes = list(self._sizes)
            place = sizes.index(self._size) + by if self._size in sizes else 0
            self.size_requested.emit(sizes[place % len(sizes)])

    def make_menu(self) -> QMenu:
        """The sizes with their counts, to choose from."""
        menu = QMenu(self)
        for key, count in self._sizes.items():
            text = f"{size_label(key)}   {spaced(count)} kernels"
            action = menu.addAction(text, partial(self.size_requested.emit, key))
            action.setCheckable(True)
            action.setChecked(key == self._size)
        return menu

    def _open_menu(self) -> None:
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.menu.mapToGlobal(self.menu.rect().bottomLeft()))

    def _rebuild(self) -> None:
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._line.removeWidget(button)
            button.hide()
            button.deleteLater()
        for number, key in enumerate(self._sizes):
            button = QPushButton(size_label(key), self)
            button.setObjectName(f"size_{size_key(key)}")
            button.setAccessibleName(f"Show kernels of size {size_label(key)}")
            button.setCheckable(True)
            self._group.addButton(button, number)
            self._line.addWidget(button)
        self._show_mode()

    def _show_mode(self) -> None:
        for button in self._group.buttons():
            button.setVisible(not self._compact)
        self.menu.setVisible(self._compact and bool(self._sizes))


@dataclass(frozen=True, slots=True)
class ThresholdChoices:
    """Thresholds to choose from."""

    default: float
    """The autoencoder's own."""
    by_null: tuple[tuple[float, float], ...]
    """(share, threshold): the threshold that this share of white noise reaches."""


class ThresholdBar(QWidget):
    """A slider, its value, thresholds to choose from, and what follows from it."""

    threshold_requested = Signal(float, bool)
    """The wished threshold, and whether the slider is still being dragged."""
    drag_given_up = Signal()
    default_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("thresholdBar")
        self._choices: ThresholdChoices | None = None
        self._threshold = 0.0
        self._brevity = 0
        self.said: tuple[float, float | None] = (math.nan, None)
        self.title = label_of(self, "Threshold", role="secondary")
        self.slider = EscapableSlider(self)
        named(self.slider, "thresholdSlider", "Threshold of the fit")
        self.slider.setRange(0, STEPS)
        self.slider.setMinimumWidth(70)
        self.slider.setMaximumWidth(140)
        title_of_value = "Threshold of the fit, a cosine"
        self.value = NumberField("thresholdValue", title_of_value, 0.01, self)
        self.value.fit_width()
        self.presets = self._tool("thresholdPresets", "▾", "Thresholds to choose from")
        self.reset = self._tool("thresholdReset", "↺", "Back to the default threshold")
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        self.coverage = named(SteadyLabel(self), "coverage")
        self.coverage.setProperty("role", "strong")
        self.null = named(SteadyLabel(self), "nullCoverage")
        self.null.setProperty("role", "secondary")
        for label, word in ((self.coverage, "identified"), (self.null, "noise")):
            label.setToolTip(as_tip(tip_of(word)))
        self.title.setToolTip(as_tip(tip_of("threshold")))
        line = in_row(self, self.title, (self.slider, 1), spacing=8)
        tools = in_row(None, self.value, self.presets, self.reset, spacing=0)
        line.addLayout(tools)
        line.addWidget(self.coverage)
        line.addWidget(self.null)
        self.slider.valueChanged.connect(self._on_slider_moved)
        self.slider.sliderReleased.connect(self._on_slider_released)
        self.slider.given_up.connect(self.drag_given_up)
        self.value.valueChanged.connect(self._on_value_typed)
        self.presets.clicked.connect(self._open_menu)
        self.reset.clicked.connect(lambda: self.default_requested.emit())

    def _tool(self, name: str, sign: str, title: str) -> QToolButton:
        button = named(QToolButton(self), name)
        button.setText(sign)
        button.setProperty("quiet", True)
        button.setAccessibleName(title)
        button.setToolTip(title)
        return button

    def set_threshold(self, threshold: float | None) -> None:
        """Show the threshold in use; None hides the bar."""
        self.setVisible(threshold is not None)
        if threshold is None:
            return
        self._threshold = threshold
        with QSignalBlocker(self.slider), QSignalBlocker(self.value):
            self.slider.setValue(round(threshold * STEPS))
            self.value.setValue(threshold)
        self._show_reset()

    def set_choices(self, choices: ThresholdChoices | None) -> None:
        """Offer these thresholds."""
        self._choices = choices
        self.presets.setEnabled(choices is not None)
        self._show_reset()

    def set_coverage(self, coverage: float, null: float | None) -> None:
        """Show the identified share of the kernels, and of white noise."""
        self.said = coverage, null
        self._say()

    def set_brevity(self, brevity: int) -> None:
        """Use fewer words: from 0, all of them, to `BREVITIES`, numbers alone."""
        if brevity != self._brevity:
            self._brevity = brevity
            self.title.setVisible(brevity < 1)
            self.slider.setMinimumWidth(70 if brevity < 2 else 36)
            self._say()

    def _say(self) -> None:
        coverage, null = self.said
        share, noise = (
            "" if value is None or math.isnan(value) else percent(value)
            for value in (coverage, null)
        )
        identified = f"{share} identified" if self._brevity < 3 else share
        words = "white noise" if self._brevity < 2 else "noise"
        self.coverage.setText(identified if share else "")
        self.null.setText(f"{words} {noise}" if noise else "")

    def changeEvent(self, event: QEvent) -> None:
        """Qt: texts of another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.value.fit_width()

    def make_menu(self) -> QMenu:
        """The default, and the thresholds that some of the noise reaches."""
        menu = QMenu(self)
        if self._choices is None:
            return menu

        def offer(text: str, level: float, use: Callable[[], object]) -> None:
            action = menu.addAction(f"{text}   {level:.3f}", use)
            action.setCheckable(True)
            action.setChecked(abs(level - self._threshold) < 0.5 / STEPS)

        default = self._choices.default
        offer("Default", default, self.default_requested.emit)
        menu.addSeparator()
        for share, level in self._choices.by_null:
            use = partial(self.threshold_requested.emit, level, False)
            offer(f"White noise {short_percent(share)}", level, use)
        return menu

    def _open_menu(self) -> None:
        menu = self.make_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.presets.mapToGlobal(self.presets.rect().bottomLeft()))

    def _show_reset(self) -> None:
        choices = self._choices
        changed = choices is not None and choices.default != self._threshold
        self.reset.setVisible(changed)
        if choices is not None:
            self.reset.setToolTip(f"Back to the default, {choices.default:.3f}")

    def _on_slider_moved(self, value: int) -> None:
        self.threshold_requested.emit(value / STEPS, self.slider.isSliderDown())

    def _on_slider_released(self) -> None:
        self.threshold_requested.emit(self.slider.value() / STEPS, False)

    def _on_value_typed(self, value: float) -> None:
        self.threshold_requested.emit(value, False)


BREVITIES = 3
"""How far `ThresholdBar` can shorten what it says."""
LONGEST_EDIT = 90
"""Letters of a line in the menu of what was edited."""


OFFERED = "offered"
"""Property of a part that is shown where there is room."""


class ToolLine(QWidget):
    """Gives way where it is narrow, one thing after the other; nothing is lost.

    The title goes first, words become short, the row of sizes becomes a menu.
    """

    def __init__(self, parent: QWidget, parts: Parts) -> None:
        super().__init__(parent)
        self.setMinimumHeight(HEIGHT)
        self._parts = parts
        self._fitted: object = None
        self.title = label_of(self, "kernelviewer", role="heading")
        self.explain = ExplainButton("tools", "this line", self)
        space = QWidget(self)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._line = line = QHBoxLayout(self)
        line.setContentsMargins(4, 4, 4, 6)
        line.setSpacing(GAP)
        line.addWidget(self.title)
        line.addWidget(parts.sizes)
        line.addWidget(parts.naming)
        line.addWidget(parts.threshold)
        line.addWidget(self.explain)
        line.addWidget(parts.edited)
        line.addWidget(parts.compare)
        line.addWidget(space, 1)
        line.addWidget(parts.palette)
        line.addWidget(parts.export)
        parts.sizes.widened.connect(self._give_way)

    def minimumSizeHint(self) -> QSize:
        """Qt: it has given way by then."""
        return QSize(0, super().minimumSizeHint().height())

    def event(self, event: QEvent) -> bool:
        """Qt: a part may want more room than before."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._give_way()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: there is more or less room."""
        super().resizeEvent(event)
        self._give_way()

    def _give_way(self) -> None:
        """Take the fewest steps that leave room for the rest."""
        parts = self._parts
        now = (
            *(self.width(), parts.sizes.row_width(), parts.sizes.menu.text()),
            *(parts.naming.choice, parts.naming.isHidden(), self.font().key()),
            *(
                parts.threshold.said,
                parts.threshold.isHidden(),
                parts.edited.isHidden(),
                parts.compare.property(OFFERED),
            ),
        )
        if now == self._fitted:  # its own changes ask as well
            return
        self._fitted = now
        steps: tuple[Callable[[bool], object], ...] = (
            lambda on: self.title.setVisible(not on),
            lambda on: self.explain.setVisible(not on),
            parts.naming.set_brief,
            parts.palette.set_brief,
            parts.sizes.set_compact,
            lambda on: parts.export.setText("Export…" if on else EXPORT),
            lambda on: parts.compare.setVisible(
                bool(parts.compare.property(OFFERED)) and not on
            ),
        )
        for taken in range(len(steps) + BREVITIES + 1):
            for number, step in enumerate(steps):
                step(number < taken)
            parts.threshold.set_brevity(max(0, taken - len(steps)))
            if self._needed() <= self.width():
                return

    def _needed(self) -> int:
        """How wide all of it is."""
        parts = self._parts
        told = (self.title, self.explain, parts.sizes, parts.naming, parts.threshold)
        whole = (*told, parts.edited, parts.compare, parts.palette, parts.export)
        widths = [part.sizeHint().width() for part in whole if not part.isHidden()]
        return sum(widths) + GAP * (len(widths) + 1) + 8


def make_tool_line(window: QMainWindow, parts: Parts) -> QToolBar:
    """The line as a tool bar that stays where it is."""
    bar = named(QToolBar("Tools", window, movable=False), "toolLine")
    bar.toggleViewAction().setVisible(False)
    bar.addWidget(ToolLine(bar, parts))
    return bar


class ToolController(Controller):
    """Kernel sizes, and the threshold with what it identifies."""

    def listen(self) -> None:
        """Another size, another threshold."""
        self.sizes: SizeBar = self.parts.sizes
        self.threshold: ThresholdBar = self.parts.threshold
        export: QPushButton = self.parts.export
        self.naming: ChoiceButton = self.parts.naming
        self.naming.chosen.connect(self._name_by)
        self.parts.edited.clicked.connect(self._open_edits)
        self.sizes.size_requested.connect(self.document.show_size)
        self.threshold.threshold_requested.connect(self._set_threshold)
        self.threshold.drag_given_up.connect(self.document.give_up_drag)
        self.threshold.default_requested.connect(lambda: self._set_threshold(None))
        for button, name in ((export, "export"), (self.parts.compare, "compare")):
            button.clicked.connect(partial(self._do, name))

    def _do(self, command: str) -> None:
        self.window.commands[command].trigger()

    def show(self, state: ViewState) -> None:
        """Offer the sizes, show threshold and coverage."""
        self.parts.export.setEnabled(bool(state.models))
        if self.is_news("compare", state.models, state.comparing):
            offered = len(state.models) > 1 and state.comparing is None
            self.parts.compare.setProperty(OFFERED, offered)
            self.parts.compare.setVisible(offered)
        if self.is_news("sizes", state.sizes, state.size):
            self.sizes.set_sizes(state.sizes, state.size)
        if self.is_news("naming", state.naming, state.named_by, state.models):
            self.naming.set_choice(_choice(state.naming))
            self.naming.setVisible(bool(state.models))
            self.naming.setToolTip(_naming_tip(state))
        if self.is_news("threshold", state.threshold, state.null):
            self.threshold.set_threshold(state.threshold)
            self.threshold.set_choices(_choices(state.null))
        if self.is_news("edits", state.edits):
            self.parts.edited.setVisible(bool(state.edits))
            said = "\n".join(["Called otherwise by hand:", *state.edits])
            self.parts.edited.setToolTip(as_tip(said))
            self.parts.edited.setAccessibleDescription(said)
        scope = (state.pool, state.pooled, state.layers)
        if self.is_news("coverage", *scope, state.threshold, state.null):
            self.threshold.set_coverage(*_coverage(state))

    def _name_by(self, choice: str) -> None:
        naming = NAMINGS[choice]
        if naming.by == "code":  # the words stay for when the family names again
            naming = replace(naming, words=self.document.naming.words)
        self.document.name(naming)

    def _open_edits(self) -> None:
        """What is called otherwise, and the way back."""
        menu = QMenu(self.window)
        menu.setObjectName("editedMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for line in self.window.state.edits:
            text = shortened(line, LONGEST_EDIT).replace("&", "&&")
            menu.addAction(text).setEnabled(False)
        menu.addSeparator()
        menu.addAction(self.window.commands["reset_names"])
        chip = self.parts.edited
        menu.popup(chip.mapToGlobal(chip.rect().bottomLeft()))

    def _set_threshold(self, threshold: float | None, dragging: bool = False) -> None:
        if (size := self.document.size) is not None:
            self.document.set_threshold(size, threshold, dragging=dragging)


NAMINGS = {
    "family": Naming("family", "fine"),
    "paper": Naming("family", "paper"),
    "code": Naming("code"),
}
"""What the switch of the naming offers."""
_CHOICES = {
    "family": "Family, fine names",
    "paper": "Family, the paper's names",
    "code": "Code, the paper's names",
}
_BRIEF = {"family": "by family", "paper": "by family, paper's", "code": "by code"}


def _choice(naming: Naming) -> str:
    if naming.by == "code":
        return "code"
    return "family" if naming.words == "fine" else "paper"


def _naming_tip(state: ViewState) -> str:
    """What names the kernels, in a sentence."""
    words = {
        "code": "Kernels are named by the stretch of the spectrum that their code "
        "falls in, as in the paper",
        "family": "Kernels are named by their own nearest member of the pattern family",
        None: "Nothing names the kernels of this size",
    }
    text = words[state.named_by]
    if state.named_by == "family":
        text += (
            ", in the paper's eleven classes"
            if state.naming.words == "paper"
            else ", in fine words: point, disc, ring, bar and others that people see"
        )
    if state.naming.by == "code" and state.named_by == "family":
        text += ": there is no autoencoder for this size"
    return f"{text} (Ctrl+Shift+M: the other)"


def _naming_button(parent: QWidget) -> ChoiceButton:
    title = "What names kernels"
    return ChoiceButton("naming", title, dict(_CHOICES), parent, dict(_BRIEF))


def _coverage(state: ViewState) -> tuple[float, float | None]:
    """Share identified of what is in scope, and of white noise; None: not known."""
    pool, tally = state.pool, state.pooled
    if pool is None or tally is None:
        return float("nan"), None
    counts, _ = tally.among(pool.layers_ticked(state.layers))
    if state.null is None or state.threshold is None:
        return coverage(counts), None
    return coverage(counts), state.null.coverage(state.threshold)


def _choices(null: Null | None) -> ThresholdChoices | None:
    """The thresholds that a null offers."""
    if null is None:
        return None
    by_null = tuple((share, null.threshold(share)) for share in PRESETS)
    return ThresholdChoices(null.default_threshold, by_null)


def _edited_chip(parent: QWidget) -> QToolButton:
    """Says that names differ from those of files and program; hidden otherwise."""
    chip = named(QToolButton(parent), "editedNames", "Names that were edited")
    chip.setText("edited")
    chip.setProperty("chip", True)
    chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    chip.hide()
    return chip


def _compare_button(parent: QWidget) -> QToolButton:
    """Offers to compare, where there are networks to do so with; hidden otherwise."""
    button = named(QToolButton(parent), "compareNetworks")
    button.setText("Compare…")
    button.setAccessibleName("Compare two networks")
    button.setToolTip("Set two open networks beside each other, kernel by kernel")
    button.setProperty("button", True)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.hide()
    return button


def _export_button(parent: QWidget) -> QPushButton:
    button = QPushButton(EXPORT, parent)
    named(button, "exportFigure", "Export a figure of what is open")
    return button


TOOLS = ViewSpec(
    id="tools",
    title="Tools",
    make={
        "sizes": SizeBar,
        "naming": _naming_button,
        "threshold": ThresholdBar,
        "edited": _edited_chip,
        "compare": _compare_button,
        "palette": PaletteLine,
        "export": _export_button,
    },
    controller=ToolController,
    reads=(
        *("sizes", "size", "models", "naming", "named_by", "threshold", "null"),
        *("pool", "layers", "pooled", "edits", "comparing"),
    ),
    keys=(
        view_keys(
            "Search line",
            "palette",
            ("Mark an entry", "Up, Down, Page Up, Page Down"),
            ("Do it, do the other thing it offers", "Enter; Shift+Enter"),
            ("Close, and go back", "Escape"),
        ),
    ),
)
