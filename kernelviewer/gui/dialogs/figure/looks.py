"""How the figure looks: page, font, what is drawn beside the kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from kernelviewer.figures import FigureOptions
from kernelviewer.figures.colours import COLORMAPS
from kernelviewer.figures.options import WIDTHS
from kernelviewer.gui.dialogs.figure.fields import (
    Choices,
    Form,
    check_box,
    count_box,
    number_box,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = "own"
GENERIC = {"sans-serif": "Sans serif", "serif": "Serif", "monospace": "Monospace"}
SCALES = {"kernel": "each kernel", "layer": "each layer", "figure": "all together"}
WIDEST, LARGEST = 400.0, 24.0
"""Millimetres across and points that are offered."""
_LEAST_HEIGHT = 19.0
_CHECKS = {
    "labels": "Labels",
    "legend": "Legend",
    "scale_bar": "Scale of weights",
    "panel_letters": "Panel letters",
    "dark": "Dark ground",
}


class LooksForm(Form):
    """Fields of everything a reader sees that is not data. Setters never emit."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Looks", parent)
        widths = {name: f"{name} ({mm:g} mm)" for name, mm in WIDTHS.items()}
        self.column = Choices({**widths, OWN: "own width"}, self)
        self.width_mm = number_box(40, WIDEST, " mm", self)
        self.height_mm = number_box(_LEAST_HEIGHT, 600, " mm", self, unset="as needed")
        self.margin_mm = number_box(-0.1, 30, " mm", self, unset="hardly any")
        self.dpi = count_box(72, 1200, " dpi", self)
        self.family = Choices(GENERIC, self)
        self.font_size = number_box(4, LARGEST, " pt", self)
        self.font_size.setSingleStep(0.5)
        self.colormap = Choices(COLORMAPS, self)
        self.scale = Choices(SCALES, self)
        self.checks = {
            field: check_box(text, f"figure_{field}", self)
            for field, text in _CHECKS.items()
        }
        self._lay_out()
        self._base = FigureOptions()
        self.set_options(self._base)
        self._listen()

    def _lay_out(self) -> None:
        for label, name, field, title in (
            ("Column", "figureColumn", self.column, "Column width by name"),
            ("Width", "figureWidth", self.width_mm, "Width of the figure"),
            ("Height", "figureHeight", self.height_mm, "Height of the figure"),
            ("Border", "figureMargin", self.margin_mm, "Empty border"),
            ("Resolution", "figureDpi", self.dpi, "Resolution of PNG files"),
            ("Font", "figureFont", self.family, "Font family"),
            ("Font size", "figureFontSize", self.font_size, "Font size"),
            ("Colours", "figureColormap", self.colormap, "Colours of the weights"),
            ("Scaled to", "figureScale", self.scale, "What shares a scale of colours"),
        ):
            self.add(label, name, field, title)
        holder = QWidget(self)
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 4, 0, 0)
        grid.setSpacing(6)
        for number, box in enumerate(self.checks.values()):
            grid.addWidget(box, *divmod(number, 2))
        grid.setColumnStretch(1, 1)
        self.add_wide(holder)

    def _listen(self) -> None:
        self.column.currentIndexChanged.connect(self._on_column_chosen)
        self.width_mm.valueChanged.connect(self._on_width_changed)
        for box in (self.family, self.colormap, self.scale):
            box.currentIndexChanged.connect(self.changed)
        for number in (self.height_mm, self.margin_mm, self.font_size, self.dpi):
            number.valueChanged.connect(self.changed)
        for check in self.checks.values():
            check.toggled.connect(self.changed)

    def options(self) -> FigureOptions:
        """The options as they are set; what is not set here as it was given.

        Raises
        ------
        FigureError
            The border leaves no room.
        """
        height, margin = self.height_mm.value(), self.margin_mm.value()
        checks = {field: box.isChecked() for field, box in self.checks.items()}
        return replace(
            self._base,
            width_mm=self.width_mm.value(),
            height_mm=None if height <= _LEAST_HEIGHT else height,
            margin_mm=None if margin < 0 else margin,
            dpi=self.dpi.value(),
            font_family=self.family.key,
            font_size=self.font_size.value(),
            colormap=self.colormap.key,
            scale=self.scale.key,  # type: ignore[arg-type]
            **checks,  # type: ignore[arg-type]
        )

    def set_options(self, options: FigureOptions) -> None:
        """Show these options."""
        self._base = options
        self._silently(True)
        self.width_mm.setValue(options.width_mm)
        self.height_mm.setValue(options.height_mm or _LEAST_HEIGHT)
        margin = options.margin_mm
        self.margin_mm.setValue(-0.1 if margin is None else margin)
        self.dpi.setValue(options.dpi)
        self.set_fonts(self._families(), options.font_family)
        self.font_size.setValue(options.font_size)
        if self.colormap.findData(options.colormap) < 0:
            self.colormap.addItem(options.colormap, options.colormap)
        self.colormap.set_key(options.colormap)
        self.scale.set_key(options.scale)
        for field, box in self.checks.items():
            box.setChecked(getattr(options, field))
        self._show_column()
        self._silently(False)

    def set_fonts(self, families: Sequence[str], chosen: str = "") -> None:
        """Offer these families after the generic ones."""
        chosen = chosen or self.family.key
        names = {name: name for name in families}
        if chosen not in GENERIC and chosen not in names:
            names[chosen] = chosen
        self.family.set_choices({**GENERIC, **names})
        before = self.family.blockSignals(True)
        self.family.set_key(chosen)
        self.family.blockSignals(before)

    def _families(self) -> list[str]:
        known = (str(self.family.itemData(i)) for i in range(self.family.count()))
        return [name for name in known if name not in GENERIC]

    def _silently(self, silent: bool) -> None:
        for field in (self.column, self.family, self.colormap, self.scale):
            field.blockSignals(silent)
        for number in (self.width_mm, self.height_mm, self.margin_mm, self.font_size):
            number.blockSignals(silent)
        self.dpi.blockSignals(silent)
        for check in self.checks.values():
            check.blockSignals(silent)

    def _show_column(self) -> None:
        width = self.width_mm.value()
        near = [name for name, mm in WIDTHS.items() if abs(mm - width) < 0.05]
        before = self.column.blockSignals(True)
        self.column.set_key(near[0] if near else OWN)
        self.column.blockSignals(before)

    def _on_column_chosen(self) -> None:
        if self.column.key == OWN:
            self.width_mm.setFocus()
            self.width_mm.selectAll()
        else:
            self.width_mm.setValue(WIDTHS[self.column.key])

    def _on_width_changed(self) -> None:
        self._show_column()
        self.changed.emit()
