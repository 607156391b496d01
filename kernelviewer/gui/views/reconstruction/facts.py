"""Class and numbers beside a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from kernelviewer.gui.painting.classes import ClassSwatch
from kernelviewer.gui.text import signed
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.reconstruction.content import (
        FamilyFit,
        ReconstructionContent,
    )

_WIDEST_TEXT = "−0.00, −0.00 px"


class ClassLine(QWidget):
    """Swatch and name of a class."""

    def __init__(self, name: str, role: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.swatch = ClassSwatch(self)
        self.label = QLabel(self)
        self.label.setObjectName(name)
        self.label.setAccessibleName("Class")
        self.label.setProperty("role", role)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.swatch)
        line.addWidget(self.label)
        line.addStretch(1)

    def set_class(self, class_index: int | None, text: str = "") -> None:
        """Show a class, by its short name unless a text is given."""
        self.swatch.set_class(class_index)
        if class_index is not None:
            found = CLASSES[class_index]
            self.label.setToolTip(found.name)
            text = text or found.short
        self.label.setText(text)


class Facts(QWidget):
    """Class of a decoded kernel, and the family member nearest to it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.class_line = ClassLine("reconstructionClass", "heading", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.class_line)
        column.addSpacing(4)
        self._values: dict[str, QLabel] = {}
        for key, title in (
            ("family", "family"),
            ("sigma", "σx, σy"),
            ("angle", "angle"),
            ("offset", "offset x, y"),
        ):
            name, value = QLabel(title, self), QLabel(self)
            name.setProperty("role", "caption")
            value.setObjectName(f"reconstruction_{key}")
            value.setAccessibleName(title)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            column.addWidget(name)
            column.addWidget(value)
            column.addSpacing(4)
            self._values[key] = value
        column.addStretch(1)
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Minimum, policy.Preferred)
        column.addStrut(self.fontMetrics().horizontalAdvance(_WIDEST_TEXT))

    def set_theme(self, tokens: Tokens) -> None:
        """Show other colours."""
        self.class_line.swatch.set_theme(tokens)

    def set_content(self, content: ReconstructionContent) -> None:
        """Say what a decoded kernel is."""
        unnamed = "" if content.class_index is not None else "not named"
        self.class_line.set_class(content.class_index, unnamed)
        for key, text in describe(content.class_index, content.family).items():
            self._values[key].setText(text)


def describe(class_index: int | None, family: FamilyFit | None) -> dict[str, str]:
    """The values of a family member as text; its class where it is another one."""
    if family is None:
        return dict.fromkeys(("family", "sigma", "angle", "offset"), "–")
    cosine = f"cos {_number(family.cosine, 2)}"
    if family.class_index != class_index:
        cosine = f"{CLASSES[family.class_index].short}, {cosine}"
    (sx, sy), (ox, oy) = family.sigma, family.offset
    return {
        "family": cosine,
        "sigma": f"{_number(sx, 2)}, {_number(sy, 2)} px",
        "angle": f"{_number(family.angle, 0)}°",
        "offset": f"{_number(ox, 2)}, {_number(oy, 2)} px",
    }


def _number(value: float, decimals: int) -> str:
    """With a true minus sign, but none before zero; a dash for what there is not."""
    if math.isnan(value):
        return "–"
    return signed(f"{round(value, decimals) + 0.0:.{decimals}f}")
