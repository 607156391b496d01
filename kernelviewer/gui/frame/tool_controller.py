"""The line above everything: what it shows, and what it asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QPushButton

from kernelviewer.gui.controller import Controller
from kernelviewer.gui.controls.choice_button import ChoiceButton
from kernelviewer.gui.controls.size_bar import SizeBar
from kernelviewer.gui.controls.threshold_bar import ThresholdBar, ThresholdChoices
from kernelviewer.gui.palette.line import PaletteLine
from kernelviewer.gui.view_spec import ViewKeys, ViewSpec
from kernelviewer.kernels.naming import WAYS
from kernelviewer.latent.noise import PRESETS
from kernelviewer.state.analysis import coverage

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kernelviewer.kernels.naming import By
    from kernelviewer.latent.noise import Null
    from kernelviewer.state.view_state import ViewState


class ToolController(Controller):
    """Kernel sizes, and the threshold with what it identifies."""

    def listen(self) -> None:
        """Another size, another threshold."""
        sizes: SizeBar = self.parts.sizes
        self.sizes = sizes
        threshold: ThresholdBar = self.parts.threshold
        self.threshold = threshold
        export: QPushButton = self.parts.export
        naming: ChoiceButton = self.parts.naming
        self.naming = naming
        naming.chosen.connect(self._name_by)
        sizes.size_requested.connect(self.document.show_size)
        threshold.threshold_requested.connect(self._set_threshold)
        threshold.default_requested.connect(lambda: self._set_threshold(None))
        export.clicked.connect(lambda: self.window.commands["export"].trigger())

    def show(self, state: ViewState) -> None:
        """Offer the sizes, show threshold and coverage."""
        if self.is_news("sizes", state.sizes, state.size):
            self.sizes.set_sizes(state.sizes, state.size)
        if self.is_news("naming", state.naming, state.named_by, state.models):
            self.naming.set_choice(state.naming.by)
            self.naming.setVisible(bool(state.models))
            self.naming.setToolTip(_naming_tip(state))
        if self.is_news("threshold", state.threshold, state.null):
            self.threshold.set_threshold(state.threshold)
            self.threshold.set_choices(_choices(state.null))
        scope = (state.pool, state.pooled, state.layers)
        if self.is_news("coverage", *scope, state.threshold, state.null):
            self.threshold.set_coverage(*_coverage(state))

    def _name_by(self, by: By) -> None:
        self.document.name(replace(self.document.naming, by=by))

    def _set_threshold(self, threshold: float | None, dragging: bool = False) -> None:
        if (size := self.document.size) is not None:
            self.document.set_threshold(size, threshold, dragging=dragging)


def _naming_tip(state: ViewState) -> str:
    """What names the kernels, in a sentence."""
    words = {
        "code": "Kernels are named by the stretch of the spectrum that their code "
        "falls in, as in the paper",
        "family": "Kernels are named by their own nearest member of the pattern family",
        None: "Nothing names the kernels of this size",
    }
    text = words[state.named_by]
    if state.naming.by == "code" and state.named_by == "family":
        text += ": there is no autoencoder for this size"
    return f"{text} (Ctrl+Shift+M: the other)"


def _naming_button(parent: QWidget) -> ChoiceButton:
    choices: dict[str, str] = {by: f"Names by {word}" for by, word in WAYS.items()}
    return ChoiceButton("naming", "Kernels are named", choices, parent)


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


def _export_button(parent: QWidget) -> QPushButton:
    button = QPushButton("Export Figure…", parent)
    button.setObjectName("exportFigure")
    button.setAccessibleName("Export a figure of what is open")
    return button


TOOLS = ViewSpec(
    id="tools",
    title="Tools",
    make={
        "sizes": SizeBar,
        "naming": _naming_button,
        "threshold": ThresholdBar,
        "palette": PaletteLine,
        "export": _export_button,
    },
    controller=ToolController,
    reads=(
        *("sizes", "size", "models", "naming", "named_by", "threshold", "null"),
        *("pool", "layers", "pooled"),
    ),
    keys=(
        ViewKeys(
            "Search line",
            "palette.line",
            (
                ("Mark an entry", "Up, Down, Page Up, Page Down"),
                ("Do it, do the other thing it offers", "Enter; Shift+Enter"),
                ("Close, and go back", "Escape"),
            ),
        ),
    ),
)
