"""What the charts show: small choices in the title lines of their panels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from kernelviewer.gui.controls.choice_button import ChoiceButton
from kernelviewer.state.charts import Charts

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

COUNTS = {"shown": "of all", "selected": "of selected", "models": "per network"}
PALES = {"off": "identified only", "on": "best class, paler"}
COLOURS = {
    "class": "by class",
    "layer": "by layer",
    "model": "by network",
    "fit": "by fit",
}
THUMBNAILS = {"on": "with kernels", "off": "points only"}
BRIEF_PALES = {"off": "identified", "on": "best class"}
BRIEF_COUNTS = {"selected": "selected", "models": "each net"}
BRIEF_THUMBNAILS = {"on": "kernels", "off": "points"}


class ChartControls(QObject):
    """Choices of histogram, composition and scatter plot; setters never emit."""

    charts_requested = Signal(object)
    """The wished `Charts`."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._charts = Charts()
        self.count_of = ChoiceButton(
            "countOf", "Count kernels", COUNTS, parent, BRIEF_COUNTS
        )
        self.pale = ChoiceButton(
            "paleUnidentified", "Unidentified kernels", PALES, parent, BRIEF_PALES
        )
        self.colour_by = ChoiceButton("colourBy", "Colour points", COLOURS, parent)
        self.thumbnails = ChoiceButton(
            "thumbnails", "Draw", THUMBNAILS, parent, BRIEF_THUMBNAILS
        )
        self._buttons = {
            "count_of": self.count_of,
            "pale": self.pale,
            "colour_by": self.colour_by,
            "thumbnails": self.thumbnails,
        }
        for name, button in self._buttons.items():
            button.setProperty("quiet", True)
            button.set_brief(True)
            button.chosen.connect(lambda key, name=name: self._ask(**{name: key}))
        self.set_charts(self._charts)

    def set_charts(self, charts: Charts) -> None:
        """Show these choices as made."""
        self._charts = charts
        for name, button in self._buttons.items():
            button.set_choice(getattr(charts, name))

    def _ask(self, **changes: Any) -> None:
        self.charts_requested.emit(replace(self._charts, **changes))
