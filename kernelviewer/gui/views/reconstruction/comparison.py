"""The focused kernel, its reconstruction and what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kernelviewer.gui import theme
from kernelviewer.gui.painting.kernels import WeightColours
from kernelviewer.gui.views.reconstruction.content import NO_FOCUS
from kernelviewer.gui.views.reconstruction.picture import TapsPicture
from kernelviewer.gui.views.reconstruction.view import ClassLine

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QResizeEvent

    from kernelviewer.gui.views.reconstruction.content import ComparisonContent

_SIDE, _GAP = 84, 8
_VALUES_WIDE = 360
WITHOUT_MEAN = "drawn without their mean"
_NAMES = {"code": "Code", "fit": "Fit, cosine", "class": "Class"}


class PictureRow(QWidget):
    """Pictures side by side, each with its name centred under it.

    Parameters
    ----------
    name
        What the pictures' object names begin with.
    parts
        Names of the pictures.
    """

    def __init__(
        self, name: str, parts: tuple[str, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._parts = parts
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._colours: NDArray[np.float64] = np.full((3, 3), 128.0)
        self.pictures: dict[str, TapsPicture] = {}
        self._captions: dict[str, QLabel] = {}
        for part in parts:
            title = part.capitalize()
            picture = TapsPicture(f"{name}_{part}", title, _SIDE, self)
            self.pictures[part] = picture
            self._captions[part] = caption = QLabel(part, self)
            caption.setProperty("role", "caption")
        self._remark = QLabel(self)
        self._remark.setObjectName(f"{name}_mean")
        self._remark.setProperty("role", "caption")
        self._remark.setToolTip("Classes are of the pattern, whatever the mean is")
        self._remark.hide()

    def show_parts(
        self, *parts: NDArray[np.float32] | None, top: float, centred: bool = False
    ) -> None:
        """Show a kernel for each part, the colours reaching to ±top.

        ``centred``: they are without their mean, which is said.
        """
        before = self.sizeHint()
        self._remark.setText(WITHOUT_MEAN if centred else "")
        self._remark.setVisible(centred)
        for picture, taps in zip(self.pictures.values(), parts, strict=True):
            picture.set_taps(taps, top)
        if self.sizeHint() != before:
            self.updateGeometry()
        self._arrange()

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Colour weights by [K, 3] of 0 … 255, zero in the middle."""
        self._colours = colours
        self._show_colours()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: other colours."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self._show_colours()

    def _show_colours(self) -> None:
        tokens = theme.tokens()
        paints = WeightColours.of(self._colours, tokens.panel, tokens.neutral)
        for picture in self.pictures.values():
            picture.set_paints(paints)

    def heightForWidth(self, width: int) -> int:
        """Qt: the pictures' height, and a line of text."""
        first = self._parts[0]
        picture = self.pictures[first].heightForWidth(self._wide(width))
        line = self._captions[first].sizeHint().height()
        return picture + 2 + line * (1 if self._remark.isHidden() else 2)

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        wide = 3 * _SIDE + 2 * _GAP
        return QSize(wide, self.heightForWidth(wide))

    def minimumSizeHint(self) -> QSize:
        """Qt: least size; names may reach into the gaps, but not into each other."""
        widest = max(label.sizeHint().width() for label in self._captions.values())
        return QSize(3 * (widest - _GAP) + 2 * _GAP, 12)

    def _wide(self, width: int) -> int:
        return min(_SIDE, (width - 2 * _GAP) // len(self._parts))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Divide the width."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        wide = self._wide(self.width())
        for i, part in enumerate(self._parts):
            picture, x = self.pictures[part], i * (wide + _GAP)
            tall = picture.heightForWidth(wide)
            picture.setGeometry(x, 0, wide, tall)
            hint = self._captions[part].sizeHint()
            left = x + round(picture.picture_rect().width() - hint.width()) // 2
            at = QPoint(max(0, left), tall + 2)
            self._captions[part].setGeometry(QRect(at, hint))
            below = at.y() + hint.height()
        self._remark.setGeometry(0, below, self.width(), hint.height())


class ComparisonView(QWidget):
    """Kernel, reconstruction and residual on one scale. Setters never emit."""

    code_requested = Signal(float)
    """Go to this code."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparisonView")
        self.setAccessibleName("Focused kernel and its reconstruction")
        self.content: ComparisonContent | None = None
        self.message = QLabel(NO_FOCUS, self)
        self.message.setProperty("role", "secondary")
        self.message.setWordWrap(True)
        self._body = QWidget(self)
        self.note = QLabel(self._body)
        self.note.setProperty("role", "secondary")
        self.note.setWordWrap(True)
        self._rows: dict[str, tuple[QWidget, QWidget]] = {}
        self._values = self._make_values()
        self.go = QPushButton("Go to Code", self._body)
        self.go.setObjectName("goToCode")
        self.go.setAccessibleName("Move the slider to the code of the focused kernel")
        self.go.clicked.connect(self._on_go_clicked)
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(8)
        parts = ("kernel", "reconstruction", "residual")
        self.row = PictureRow("comparison", parts, self._body)
        self.pictures = self.row.pictures
        body.addWidget(self.row)
        body.addWidget(self.note)
        body.addWidget(self._values)
        body.addWidget(self.go, 0, Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.message)
        column.addWidget(self._body)
        column.addStretch(1)
        self.set_content(None)

    def _make_values(self) -> QWidget:
        holder = QWidget(self._body)
        holder.setMaximumWidth(_VALUES_WIDE)
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self.code, self.fit = QLabel(holder), QLabel(holder)
        self.class_line = ClassLine("comparisonClass", "", holder)
        values = {"code": self.code, "fit": self.fit, "class": self.class_line}
        for row, (key, title) in enumerate(_NAMES.items()):
            name = QLabel(title, holder)
            name.setProperty("role", "secondary")
            grid.addWidget(name, row, 0)
            line = QHBoxLayout()
            line.addStretch(1)
            line.addWidget(values[key])
            grid.addLayout(line, row, 1)
            self._rows[key] = (name, values[key])
        for label, title in ((self.code, "Code"), (self.fit, "Fit")):
            label.setAccessibleName(title)
        self.code.setObjectName("comparisonCode")
        self.fit.setObjectName("comparisonFit")
        return holder

    # Setters

    def set_content(self, content: ComparisonContent | None) -> None:
        """Compare another kernel; None: the message."""
        self.content = content
        self.message.setVisible(content is None)
        self._body.setVisible(content is not None)
        if content is None:
            return
        self._show_pictures(content)
        self.note.setText(content.note)
        self.note.setVisible(bool(content.note))
        self.go.setVisible(content.code is not None)
        self._show_row("code", content.code is not None)
        self._show_row("fit", content.fit is not None)
        self._show_row("class", content.class_index is not None)
        there = content.code is not None or content.class_index is not None
        self._values.setVisible(there)
        if content.code is not None:
            self.code.setText(f"{content.code:.3f}")
        if content.fit is not None:
            self.fit.setText(f"{content.fit:.3f}")
        unsure = "" if content.identified else "unidentified, "
        self.class_line.set_class(content.class_index)
        self.class_line.label.setText(unsure + self.class_line.label.text())

    def _show_row(self, key: str, shown: bool) -> None:
        for widget in self._rows[key]:
            widget.setVisible(shown)

    def set_message(self, text: str) -> None:
        """What is said while no kernel has the focus."""
        self.message.setText(text)

    def _show_pictures(self, content: ComparisonContent) -> None:
        """All on the scale of the kernel, so that the residual shows its size."""
        finite = np.abs(content.kernel[np.isfinite(content.kernel)])
        top = float(finite.max(initial=0.0)) or 1.0
        reconstruction = content.reconstruction
        residual = None if reconstruction is None else content.kernel - reconstruction
        three = (content.kernel, reconstruction, residual)
        self.row.show_parts(*three, top=top, centred=content.centred)

    def _on_go_clicked(self) -> None:
        if self.content is not None and self.content.code is not None:
            self.code_requested.emit(self.content.code)
