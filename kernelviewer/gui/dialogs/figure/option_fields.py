"""The field of each option of a figure, made from the option's declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from kernelviewer.figures.options import (
    Choice,
    Code,
    Number,
    Pair,
    Switch,
)
from kernelviewer.gui.dialogs.figure.fields import (
    Choices,
    check_box,
    count_box,
    number_box,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QSpinBox

    from kernelviewer.figures.options import (
        Option,
    )


class OptionField(QObject):
    """Shows an option's value in a widget and takes it from there.

    Only what the user does emits ``changed``.
    """

    changed = Signal()
    widget: QWidget

    def __init__(self, name: str, option: Option, parent: QWidget) -> None:
        super().__init__(parent)
        self.name = name
        self.title = option.title or option.label
        words = (option.flag or name).replace("-", "_").split("_")
        self.object_name = "figure" + "".join(word.capitalize() for word in words)

    def value(self) -> Any:
        """The value as it is set."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show a value; never emits."""
        with QSignalBlocker(self):
            self._show(value)

    def _show(self, value: Any) -> None:
        raise NotImplementedError


class NumberField(OptionField):
    """A number; one step below the least stands for none where that is allowed."""

    widget: QDoubleSpinBox | QSpinBox

    def __init__(self, name: str, option: Number, parent: QWidget) -> None:
        super().__init__(name, option, parent)
        self._option = option
        low = option.low - (1 if option.unset else 0)
        high = option.high if option.most is None else option.most
        unit, unset = option.unit, option.unset
        if option.whole:
            self.widget = count_box(int(low), int(high), unit, parent, unset=unset)
        else:
            self.widget = number_box(low, high, unit, parent, unset=unset)
            self.widget.setSingleStep(option.step)
        self.widget.valueChanged.connect(self.changed)

    def value(self) -> float | None:
        """The number, or None."""
        number = self.widget.value()
        return None if self._option.unset and number < self._option.low else number

    def _show(self, value: float | None) -> None:
        number = self.widget.minimum() if value is None else value
        self.widget.setValue(number)  # type: ignore[arg-type]


class ChoiceField(OptionField):
    """One of some words."""

    widget: Choices

    def __init__(self, name: str, option: Choice, parent: QWidget) -> None:
        super().__init__(name, option, parent)
        self._usual = option.choices
        self.widget = Choices(option.choices, parent)
        self.widget.currentIndexChanged.connect(self.changed)

    def value(self) -> str:
        """The chosen word."""
        return self.widget.key

    def offer(self, words: Sequence[str]) -> None:
        """Offer more words after the usual ones; what is chosen stays."""
        now = self.value()
        self.widget.set_choices({**self._usual, **{word: word for word in words}})
        self.set_value(now)

    def _show(self, value: str) -> None:
        if self.widget.findData(value) < 0:
            self.widget.addItem(value, value)
        self.widget.set_key(value)


class SwitchField(OptionField):
    """Yes or no."""

    widget: QCheckBox

    def __init__(self, name: str, option: Switch, parent: QWidget) -> None:
        super().__init__(name, option, parent)
        self.widget = check_box(option.label, self.object_name, parent)
        self.widget.toggled.connect(self.changed)

    def value(self) -> bool:
        """Whether it is ticked."""
        return self.widget.isChecked()

    def _show(self, value: bool) -> None:
        self.widget.setChecked(value)


class TextField(OptionField):
    """Any text; spaces around it do not count."""

    widget: QLineEdit

    def __init__(self, name: str, option: Option, parent: QWidget) -> None:
        super().__init__(name, option, parent)
        self.widget = QLineEdit(parent)
        self.widget.setPlaceholderText("none")
        self.widget.textChanged.connect(self.changed)

    def value(self) -> str:
        """The text."""
        return self.widget.text().strip()

    def _show(self, value: str) -> None:
        self.widget.setText(value)


class PairField(OptionField):
    """Two whole numbers beside each other."""

    def __init__(self, name: str, option: Pair, parent: QWidget) -> None:
        super().__init__(name, option, parent)
        self.widget = QWidget(parent)
        line = QHBoxLayout(self.widget)
        line.setContentsMargins(0, 0, 0, 0)
        self.boxes = []
        for number, title in enumerate(option.titles, 1):
            box = count_box(option.low, option.high, "", self.widget)
            box.setObjectName(f"{self.object_name}{number}")
            box.setAccessibleName(title)
            box.valueChanged.connect(self.changed)
            line.addWidget(box, 1)
            self.boxes.append(box)

    def value(self) -> tuple[int, ...]:
        """Both numbers."""
        return tuple(box.value() for box in self.boxes)

    def _show(self, value: tuple[int, int]) -> None:
        for box, number in zip(self.boxes, value, strict=True):
            box.setValue(number)


class CodeField(OptionField):
    """A box that takes the code of the slider."""

    widget: QCheckBox

    def __init__(self, name: str, option: Code, parent: QWidget) -> None:
        super().__init__(name, option, parent)
        self._labels = option.labels
        self.position = 0.5
        self.widget = check_box(option.label, self.object_name, parent)
        self.widget.toggled.connect(self.changed)

    def value(self) -> float | None:
        """The slider's code if the box is ticked."""
        return round(self.position, 4) if self.widget.isChecked() else None

    def set_kind(self, kind: str) -> None:
        """Say what the code is for in figures of a kind."""
        self.widget.setText(self._labels.get(kind, ""))
        self.widget.setAccessibleName(self.widget.text())

    def _show(self, value: float | None) -> None:
        self.widget.setChecked(value is not None)


def make_field(name: str, option: Option, parent: QWidget) -> OptionField:
    """The field that suits an option."""
    if isinstance(option, Code):
        return CodeField(name, option, parent)
    if isinstance(option, Number):
        return NumberField(name, option, parent)
    if isinstance(option, Choice):
        return ChoiceField(name, option, parent)
    if isinstance(option, Switch):
        return SwitchField(name, option, parent)
    if isinstance(option, Pair):
        return PairField(name, option, parent)
    return TextField(name, option, parent)
