"""What the figure shows: exhibit, kernels, and what belongs to the exhibit alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal

from kernelviewer.figures import EXHIBITS, FigureOptions
from kernelviewer.figures.options import OPTIONS
from kernelviewer.gui.dialogs.figure.fields import (
    Choices,
    CodeField,
    Form,
    LayersField,
    make_field,
)
from kernelviewer.gui.dialogs.figure.requests import NOISE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from kernelviewer.figures.content import Exhibit
    from kernelviewer.gui.dialogs.figure.requests import Choice

USUAL = FigureOptions()


class SubjectForm(Form):
    """Fields of what is shown; those that do not matter are hidden.

    Setters never emit.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Figure", parent)
        self.kind = Choices({k: item.title for k, item in EXHIBITS.items()}, self)
        for number, item in enumerate(EXHIBITS.values()):
            tip = Qt.ItemDataRole.ToolTipRole
            self.kind.setItemData(number, item.summary, tip)
        self.scope = Choices({}, self)
        self.left, self.right = Choices({}, self), Choices({}, self)
        self.fields = {
            name: make_field(name, option, self)
            for name, option in OPTIONS.items()
            if not option.is_look
        }
        self._lay_out()
        self.kind.currentIndexChanged.connect(self._on_kind_chosen)
        for box in (self.scope, self.left, self.right):
            box.currentIndexChanged.connect(self.changed)
        for field in self.fields.values():
            field.changed.connect(self.changed)
        self._show_fields()

    def _lay_out(self) -> None:
        for label, name, box, title in (
            ("Exhibit", "figureKind", self.kind, "Exhibit"),
            ("Shows", "figureScope", self.scope, "Which kernels the figure shows"),
            ("Compare", "figureLeft", self.left, "Network to compare"),
            ("with", "figureRight", self.right, "What it is compared with"),
        ):
            self.add(label, name, box, title)
        for name, field in self.fields.items():
            if isinstance(field, CodeField | LayersField):
                self.add_wide(field.widget)
            else:
                label = OPTIONS[name].label
                self.add(label, field.object_name, field.widget, field.title)

    @property
    def exhibit(self) -> Exhibit:
        """The chosen one."""
        return EXHIBITS[self.kind.key]

    def with_options(self, looks: FigureOptions) -> FigureOptions:
        """The looks, with what is set here and matters to the exhibit.

        Raises
        ------
        FigureError
            Both components are the same.
        """
        values = {
            name: field.value() if self._matters(name) else USUAL.value(name)
            for name, field in self.fields.items()
        }
        return looks.with_values(values)

    @property
    def rivals(self) -> tuple[int, int] | None:
        """Ids of the two networks that are compared; None for other exhibits."""
        if not self.exhibit.compares or not self.left.key:
            return None
        return int(self.left.key), int(self.right.key or NOISE)

    def set_subject(self, kind: str, scope: str, options: FigureOptions) -> None:
        """Show this exhibit and its options."""
        with QSignalBlocker(self.kind), QSignalBlocker(self.scope):
            self.kind.set_key(kind)
            self.scope.set_key(scope)
        for name, field in self.fields.items():
            field.set_value(options.value(name))
        self._show_fields()

    def set_choices(
        self,
        choices: Sequence[Choice],
        networks: Sequence[tuple[int, str]],
        compared: tuple[int, int] | None = None,
    ) -> None:
        """Offer these kernels and these networks, two of them to begin with."""
        self.scope.set_choices({item.key: item.text for item in choices})
        names = {str(number): name for number, name in networks}
        self.left.set_choices(names)
        before = self.right.count()
        noise = {str(NOISE): "white noise"}
        self.right.set_choices({**names, **noise})
        if before:
            return
        others = [number for number, _ in networks[1:2]]
        first = networks[0][0] if networks else NOISE
        left, right = compared or (first, others[0] if others else NOISE)
        with QSignalBlocker(self.left), QSignalBlocker(self.right):
            self.left.set_key(str(left))
            self.right.set_key(str(right))

    def set_position(self, position: float) -> None:
        """The code of the slider."""
        for field in self.fields.values():
            if isinstance(field, CodeField):
                field.position = position

    def set_layers(self, layers: tuple[tuple[str, str], ...] | None) -> None:
        """The layers that were paired by hand in the window; None: there are none."""
        for field in self.fields.values():
            if isinstance(field, LayersField):
                field.layers = layers
        self._show_fields()

    def _matters(self, name: str) -> bool:
        return name == "title" or self.exhibit.has(name)

    def _on_kind_chosen(self) -> None:
        self._show_fields()
        self.changed.emit()

    def _show_fields(self) -> None:
        item = self.exhibit
        self.show_row(self.scope, item.needs_file)
        self.show_row(self.left, item.compares)
        self.show_row(self.right, item.compares)
        for name, field in self.fields.items():
            there = not isinstance(field, LayersField) or field.layers is not None
            self.show_row(field.widget, there and self._matters(name))
            if isinstance(field, CodeField):
                field.set_kind(item.kind)
