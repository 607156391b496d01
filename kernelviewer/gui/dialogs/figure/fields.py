"""The fields of the figure dialog, one for each kind of option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from kernelviewer.figures.options import Choice, Code, LayerPairs, Number, Pair, Switch
from kernelviewer.gui.controls import label_of, named
from kernelviewer.gui.theme import CONTROL, as_field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QPaintEvent

    from kernelviewer.figures.options import Option

_RETURNS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_SHOWN = 14
"""Choices that are listed without scrolling."""
FIELD = 176
"""Width of a field, pixels; labels take the rest."""


class Choices(QComboBox):
    """A box of texts with keys that does not grow with its longest text."""

    def __init__(self, choices: Mapping[str, str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        self.setMaxVisibleItems(_SHOWN)
        shrink = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(shrink)
        self.set_choices(choices)

    def set_choices(self, choices: Mapping[str, str]) -> None:
        """Offer these, and keep the chosen one if it is among them; never emits."""
        if choices == {self.itemData(i): self.itemText(i) for i in range(self.count())}:
            return
        now = self.key
        self.blockSignals(True)
        self.clear()
        for number, (key, text) in enumerate(choices.items()):
            self.addItem(text, key)
            self.setItemData(number, text, Qt.ItemDataRole.ToolTipRole)
        self.set_key(now)
        self.blockSignals(False)

    @property
    def key(self) -> str:
        """Key of the chosen one; empty if there is none."""
        return str(self.currentData() or "")

    def set_key(self, key: str) -> None:
        """Choose; the first one if there is no such key."""
        self.setCurrentIndex(max(self.findData(key), 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: a text that has no room loses its middle, not its end."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        box = QStyle.ComplexControl.CC_ComboBox
        room = self.style().subControlRect(box, option, part, self).width() - 4
        middle = Qt.TextElideMode.ElideMiddle
        text = self.fontMetrics().elidedText(self.currentText(), middle, room)
        self.setToolTip("" if text == self.currentText() else self.currentText())
        option.currentText = text
        painter.drawComplexControl(box, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def sizeHint(self) -> QSize:
        """Qt: as wide as the other fields."""
        return QSize(FIELD, super().sizeHint().height())


def number_box(
    low: float, high: float, unit: str, parent: QWidget, *, unset: str = ""
) -> QDoubleSpinBox:
    """A number with a decimal; ``unset`` is shown at the lowest value."""
    box = QDoubleSpinBox(parent, decimals=1)
    box.setRange(low, high)
    box.setSuffix(unit)
    box.setSpecialValueText(unset)
    box.setKeyboardTracking(False)
    as_field(box)
    return box


def count_box(
    low: int, high: int, unit: str, parent: QWidget, *, unset: str = ""
) -> QSpinBox:
    """A whole number; ``unset`` is shown at the lowest value."""
    box = QSpinBox(parent)
    box.setRange(low, high)
    box.setSuffix(unit)
    box.setSpecialValueText(unset)
    box.setKeyboardTracking(False)
    as_field(box)
    return box


def check_box(text: str, name: str, parent: QWidget) -> QCheckBox:
    """A choice between yes and no, by its name."""
    return named(QCheckBox(text, parent), name, text)


class Form(QWidget):
    """Rows of a label and a field under a heading."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setSpacing(8)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self.form.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow
        )
        heading = label_of(self, title, role="title")
        self.form.addRow(heading)

    def add(
        self,
        label: str,
        name: str,
        field: QWidget,
        title: str = "",
        row: int | None = None,
    ) -> None:
        """Add a row.

        Parameters
        ----------
        title
            What screen readers say, if it is not the label.
        row
            Where it goes; None: at the end.
        """
        named(field, name, title or label)
        field.setMinimumHeight(CONTROL)
        field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        inside: list[QWidget] = [
            *field.findChildren(QComboBox),
            *field.findChildren(QAbstractSpinBox),
        ]
        if inside:
            field.setFocusProxy(inside[0])
        for part in inside or [field]:
            part.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            part.installEventFilter(self)
        text = QLabel(label, self)
        text.setBuddy(field)
        text.setMinimumSize(84, CONTROL)
        self.form.insertRow(self.form.rowCount() if row is None else row, text, field)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: what fields leave alone.

        The wheel scrolls the form, not a field that was not chosen; Return takes a
        number that was typed, and is the default button's only where none was.
        """
        if isinstance(event, QKeyEvent) and isinstance(watched, QAbstractSpinBox):
            return event.key() in _RETURNS and _takes_number(event, watched)
        if event.type() != QEvent.Type.Wheel or not isinstance(watched, QWidget):
            return False
        if watched.hasFocus():
            return False
        event.ignore()
        return True

    def add_wide(self, field: QWidget) -> None:
        """Add a row without a label."""
        self.form.addRow(field)

    def show_row(self, field: QWidget, shown: bool) -> None:
        """Show or hide a field with its label."""
        self.form.setRowVisible(field, shown)


def _takes_number(event: QKeyEvent, box: QAbstractSpinBox) -> bool:
    """Take the number that is typed; whether it is another one than before."""
    if event.type() != QEvent.Type.KeyPress:
        return False
    line = box.lineEdit()
    typed = line.isModified()
    box.interpretText()
    line.setModified(False)
    return typed


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
        """True if it is ticked."""
        return self.widget.isChecked()

    def _show(self, value: bool) -> None:
        self.widget.setChecked(value)


class TextField(OptionField):
    """Any text; spaces around it do not count."""

    widget: QLineEdit

    def __init__(self, name: str, option: Option, parent: QWidget) -> None:
        super().__init__(name, option, parent)
        self.widget = QLineEdit(parent, placeholderText="none")
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
            named(box, f"{self.object_name}{number}", title)
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


class LayersField(OptionField):
    """A box that takes the layers as they are paired in the window, if by hand."""

    widget: QCheckBox

    def __init__(self, name: str, option: LayerPairs, parent: QWidget) -> None:
        super().__init__(name, option, parent)
        self.layers: tuple[tuple[str, str], ...] | None = None
        self.widget = check_box(option.label, self.object_name, parent)
        self.widget.toggled.connect(self.changed)

    def value(self) -> tuple[tuple[str, str], ...] | None:
        """The pairs of the window if the box is ticked."""
        return self.layers if self.widget.isChecked() else None

    def _show(self, value: tuple[tuple[str, str], ...] | None) -> None:
        self.widget.setChecked(value is not None)


def make_field(name: str, option: Option, parent: QWidget) -> OptionField:
    """The field that suits an option."""
    if isinstance(option, Code):
        return CodeField(name, option, parent)
    if isinstance(option, LayerPairs):
        return LayersField(name, option, parent)
    if isinstance(option, Number):
        return NumberField(name, option, parent)
    if isinstance(option, Choice):
        return ChoiceField(name, option, parent)
    if isinstance(option, Switch):
        return SwitchField(name, option, parent)
    if isinstance(option, Pair):
        return PairField(name, option, parent)
    return TextField(name, option, parent)
