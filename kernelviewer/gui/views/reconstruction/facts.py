"""Class and numbers beside a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from kernelviewer.gui.painting.classes import SWATCH, ClassSwatch
from kernelviewer.gui.text import signed
from kernelviewer.kernels.classes import CLASSES, PATTERNS

if TYPE_CHECKING:
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.reconstruction.content import (
        FamilyFit,
        ReconstructionContent,
    )

_SPACE = 6
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
        line.setSpacing(_SPACE)
        line.addWidget(self.swatch)
        line.addWidget(self.label)
        line.addStretch(1)

    def width_of(self, text: str) -> int:
        """Width of the line with a text."""
        return SWATCH + _SPACE + self.label.fontMetrics().horizontalAdvance(text) + 2

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
        self._names: dict[str, QLabel] = {}
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
            self._names[key], self._values[key] = name, value
        column.addStretch(1)

    def widest(self) -> int:
        """Width at which no class and no number is cut."""
        heading, caption = self.class_line.label, self._names["family"]
        self.ensurePolished()
        for label in (heading, caption):
            label.ensurePolished()
        names = [found.short for found in PATTERNS]
        return max(
            self.fontMetrics().horizontalAdvance(_WIDEST_TEXT),
            *(self.class_line.width_of(name) for name in names),
            *(caption.fontMetrics().horizontalAdvance(_family(name)) for name in names),
        )

    def set_theme(self, tokens: Tokens) -> None:
        """Show other colours."""
        self.class_line.swatch.set_theme(tokens)

    def set_content(self, content: ReconstructionContent) -> None:
        """Say what a decoded kernel is."""
        unnamed = "" if content.class_index is not None else "not named"
        self.class_line.set_class(content.class_index, unnamed)
        family = content.family
        other = family is not None and family.class_index != content.class_index
        name = CLASSES[family.class_index].short if family and other else ""
        self._names["family"].setText(_family(name))
        for key, text in describe(family).items():
            self._values[key].setText(text)


def _family(name: str) -> str:
    """What the family's cosine is called; the class where it is not the stretch's."""
    return f"family: {name}" if name else "family"


def describe(family: FamilyFit | None) -> dict[str, str]:
    """The values of a family member as text."""
    if family is None:
        return dict.fromkeys(("family", "sigma", "angle", "offset"), "–")
    (sx, sy), (ox, oy) = family.sigma, family.offset
    return {
        "family": f"cos {_number(family.cosine, 2)}",
        "sigma": f"{_number(sx, 2)}, {_number(sy, 2)} px",
        "angle": _number(family.angle, 0, "°"),
        "offset": f"{_number(ox, 2)}, {_number(oy, 2)} px",
    }


def _number(value: float, decimals: int, unit: str = "") -> str:
    """With a true minus sign, but none before zero; a dash for what there is not."""
    if math.isnan(value):
        return "–"
    return signed(f"{round(value, decimals) + 0.0:.{decimals}f}{unit}")
