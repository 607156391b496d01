"""How the figure looks: page, font, what is drawn beside the kernels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from kernelviewer.figures import FigureOptions
from kernelviewer.figures.options import OPTIONS, WIDTHS
from kernelviewer.gui.dialogs.figure.fields import Choices, Form
from kernelviewer.gui.dialogs.figure.option_fields import (
    ChoiceField,
    NumberField,
    SwitchField,
    make_field,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = "own"


class LooksForm(Form):
    """Fields of everything a reader sees that is not data. Setters never emit."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Looks", parent)
        widths = {name: f"{name} ({mm:g} mm)" for name, mm in WIDTHS.items()}
        self.column = Choices({**widths, OWN: "own width"}, self)
        self.fields = {
            name: make_field(name, option, self)
            for name, option in OPTIONS.items()
            if option.is_look
        }
        self._lay_out()
        self._base = FigureOptions()
        self.set_options(self._base)
        self.column.currentIndexChanged.connect(self._on_column_chosen)
        self.fields["width_mm"].changed.connect(self._show_column)
        for field in self.fields.values():
            field.changed.connect(self.changed)

    def _lay_out(self) -> None:
        self.add("Column", "figureColumn", self.column, "Column width by name")
        holder = QWidget(self)
        switches = QGridLayout(holder)
        switches.setContentsMargins(0, 4, 0, 0)
        switches.setSpacing(6)
        switches.setColumnStretch(1, 1)
        for name, field in self.fields.items():
            if isinstance(field, SwitchField):
                switches.addWidget(field.widget, *divmod(switches.count(), 2))
            else:
                label = OPTIONS[name].label
                self.add(label, field.object_name, field.widget, field.title)
        self.add_wide(holder)

    def options(self) -> FigureOptions:
        """The options as they are set; what is not set here as it was given.

        Raises
        ------
        FigureError
            The border leaves no room.
        """
        looks = {name: field.value() for name, field in self.fields.items()}
        return replace(self._base, **looks)

    def set_options(self, options: FigureOptions) -> None:
        """Show these options."""
        self._base = options
        for name, field in self.fields.items():
            field.set_value(getattr(options, name))
        self._show_column()

    def set_fonts(self, families: Sequence[str]) -> None:
        """Offer these families after the generic ones."""
        field = self.fields["font_family"]
        assert isinstance(field, ChoiceField)
        field.offer(families)

    def _show_column(self) -> None:
        width = self.fields["width_mm"].value()
        near = [name for name, mm in WIDTHS.items() if abs(mm - width) < 0.05]
        with QSignalBlocker(self.column):
            self.column.set_key(near[0] if near else OWN)

    def _on_column_chosen(self) -> None:
        field = self.fields["width_mm"]
        assert isinstance(field, NumberField)
        if self.column.key == OWN:
            field.widget.setFocus()
            field.widget.selectAll()
        else:
            field.widget.setValue(WIDTHS[self.column.key])  # type: ignore[arg-type]
