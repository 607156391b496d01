"""The form of a figure: what it shows, how it looks, and presets of looks."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QInputDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QToolButton,
    QWidget,
)

from kernelviewer.figures import EXHIBITS, PRESETS, FigureError, FigureOptions
from kernelviewer.figures.options import OPTIONS, WIDTHS
from kernelviewer.gui.controls import in_row, named
from kernelviewer.gui.dialogs.figure.fields import (
    ChoiceField,
    Choices,
    CodeField,
    Form,
    LayersField,
    NumberField,
    SwitchField,
    make_field,
)
from kernelviewer.gui.dialogs.figure.requests import NOISE
from kernelviewer.gui.theme import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


LONGEST = 40


@dataclass(frozen=True, slots=True)
class Preset:
    """A look with a name."""

    name: str
    options: FigureOptions


def to_text(options: FigureOptions, name: str = "") -> str:
    """A look, and its name if it has one, as a line of JSON."""
    facts = options.look().to_json()
    return json.dumps({"name": name, "options": facts} if name else facts)


def read_look(text: str) -> FigureOptions:
    """The look that `to_text` wrote; the usual one if the text is damaged or empty."""
    try:
        return FigureOptions.from_json(json.loads(text or "{}")).look()
    except (ValueError, TypeError, AttributeError, FigureError):
        return FigureOptions()


def read_presets(texts: Iterable[str]) -> tuple[Preset, ...]:
    """The presets that can be read; damaged ones and doubles are left out."""
    found: dict[str, Preset] = {}
    for text in texts:
        try:
            facts = json.loads(text)
            name, options = facts["name"], FigureOptions.from_json(facts["options"])
        except (ValueError, TypeError, KeyError, AttributeError, FigureError):
            continue
        if isinstance(name, str) and not problem_of(name, [*found]):
            found[name] = Preset(name, options.look())
    return tuple(found.values())


def write_presets(presets: Iterable[Preset]) -> tuple[str, ...]:
    """The presets as texts for the settings."""
    return tuple(to_text(item.options, item.name) for item in presets)


def problem_of(name: str, taken: Sequence[str]) -> str:
    """Why a preset cannot have this name; empty if it can."""
    if not name.strip():
        return "A preset needs a name."
    if name != name.strip() or not name.isprintable():
        return "A name begins and ends with a sign that can be seen."
    if len(name) > LONGEST:
        return f"The name is longer than {LONGEST} signs."
    if name.lower() in (other.lower() for other in PRESETS):
        return f"{name} comes with the program; choose another name."
    if name.lower() in (other.lower() for other in taken):
        return f"There is a preset {name} already."
    return ""


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
        self.box = named(Choices({}, self), "figurePreset", "Preset of looks")
        self.more = QToolButton(self)
        self.more.setObjectName("presetMenu")
        self.more.setAccessibleName("Save, rename or delete a preset")
        self.more.setToolTip(self.more.accessibleName())
        self.more.setText("⋯")
        self.more.setFixedWidth(CONTROL + 4)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setMenu(self._make_menu())
        in_row(self, (self.box, 1), self.more, spacing=6)
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
