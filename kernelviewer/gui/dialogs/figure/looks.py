"""How a figure looks: its fields, and presets of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QToolButton,
    QWidget,
)

from kernelviewer.figures import PRESETS, FigureOptions
from kernelviewer.figures.options import OPTIONS, WIDTHS
from kernelviewer.gui.dialogs.figure.fields import (
    ChoiceField,
    Choices,
    Form,
    NumberField,
    SwitchField,
    make_field,
)
from kernelviewer.gui.theme import CONTROL
from kernelviewer.state.figure_presets import Preset, problem_of

if TYPE_CHECKING:
    from collections.abc import Sequence


OWN = "own"
_OWN = ""


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


class PresetBar(QWidget):
    """A box of presets and a menu to save, rename and delete one's own."""

    chosen = Signal(object)
    """A `Preset`'s options: show them."""
    kept = Signal(object)
    """The user's presets changed: keep them."""

    def __init__(self, own: Sequence[Preset], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._own = tuple(own)
        self._options: FigureOptions | None = None
        self.box = Choices({}, self)
        self.box.setObjectName("figurePreset")
        self.box.setAccessibleName("Preset of looks")
        self.more = QToolButton(self)
        self.more.setObjectName("presetMenu")
        self.more.setAccessibleName("Save, rename or delete a preset")
        self.more.setToolTip(self.more.accessibleName())
        self.more.setText("⋯")
        self.more.setFixedWidth(CONTROL + 4)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(self._make_menu())
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.box, 1)
        line.addWidget(self.more)
        self._offer(_OWN)
        self.box.currentIndexChanged.connect(self._on_chosen)

    def set_options(self, options: FigureOptions) -> None:
        """Show by which preset a figure looks so, if by any. Never emits."""
        self._options = options.look()
        names = [name for name, look in self._known().items() if look == self._options]
        if self.box.key not in names:
            before = self.box.blockSignals(True)
            self.box.set_key(names[0] if names else _OWN)
            self.box.blockSignals(before)
        self._show_menu()

    def names(self) -> tuple[str, ...]:
        """Of the user's presets."""
        return tuple(item.name for item in self._own)

    def save(self, name: str) -> str:
        """Keep the present look under a name; why that cannot be, or empty."""
        problem = problem_of(name, self.names())
        if problem or self._options is None:
            return problem
        self._keep((*self._own, Preset(name, self._options)), name)
        return ""

    def rename(self, name: str) -> str:
        """Give the chosen preset another name; why that cannot be, or empty."""
        now = self.box.key
        problem = problem_of(name, [other for other in self.names() if other != now])
        if problem:
            return problem
        renamed = [
            Preset(name, item.options) if item.name == now else item
            for item in self._own
        ]
        self._keep(renamed, name)
        return ""

    def delete(self) -> None:
        """Forget the chosen preset; the look stays as it is."""
        self._keep([item for item in self._own if item.name != self.box.key], _OWN)

    def _known(self) -> dict[str, FigureOptions]:
        own = {item.name: item.options for item in self._own}
        return {**{name: look.look() for name, look in PRESETS.items()}, **own}

    def _keep(self, presets: Sequence[Preset], chosen: str) -> None:
        self._own = tuple(presets)
        self._offer(chosen)
        self.kept.emit(self._own)

    def _offer(self, chosen: str) -> None:
        before = self.box.blockSignals(True)
        self.box.set_choices({_OWN: "own", **{name: name for name in self._known()}})
        self.box.set_key(chosen)
        self.box.blockSignals(before)
        self._show_menu()

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Save as Preset…", self._on_save)
        self._on_own = [
            menu.addAction("Rename…", self._on_rename),
            menu.addAction("Delete", self._on_delete),
        ]
        return menu

    def _show_menu(self) -> None:
        for action in self._on_own:
            action.setEnabled(self.box.key in self.names())

    def _on_chosen(self) -> None:
        self._show_menu()
        look = self._known().get(self.box.key)
        if look is not None:
            self.chosen.emit(look)

    def _on_save(self) -> None:
        self._ask("Save as preset", "", self.save)

    def _on_rename(self) -> None:
        self._ask("Rename the preset", self.box.key, self.rename)

    def _on_delete(self) -> None:
        yes = QMessageBox.StandardButton.Yes
        text = f"Delete the preset {self.box.key}?"
        if QMessageBox.question(self, "Delete the preset?", text) == yes:
            self.delete()

    def _ask(self, title: str, name: str, use: object) -> None:
        """Ask for a name until it can be used, or the user gives up."""
        assert callable(use)
        text = "Name of the preset"
        while True:
            usual = QLineEdit.EchoMode.Normal
            name, good = QInputDialog.getText(self, title, text, usual, name)
            if not good:
                return
            problem = use(name.strip())
            if not problem:
                return
            text = f"{problem}\nName of the preset"
