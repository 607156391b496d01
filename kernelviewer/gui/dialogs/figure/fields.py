"""Fields of the figure dialog: made, named and labelled alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from kernelviewer.gui.theme import CONTROL, as_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QPaintEvent

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
    box = QDoubleSpinBox(parent)
    box.setDecimals(1)
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
    box = QCheckBox(text, parent)
    box.setObjectName(name)
    box.setAccessibleName(text)
    return box


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
        heading = QLabel(title, self)
        heading.setProperty("role", "title")
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
        field.setObjectName(name)
        field.setAccessibleName(title or label)
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
