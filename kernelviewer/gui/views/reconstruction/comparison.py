"""The focused kernel beside its reconstruction, and beside its pair elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QWidget

from kernelviewer.gui import theme
from kernelviewer.gui.controls import in_column, in_row, label_of, named
from kernelviewer.gui.painting.kernels import WeightColours
from kernelviewer.gui.text import as_tip, signed
from kernelviewer.gui.views.reconstruction.content import NO_FOCUS
from kernelviewer.gui.views.reconstruction.picture import TapsPicture
from kernelviewer.gui.views.reconstruction.view import ClassLine
from kernelviewer.kernels.classes import class_shown
from kernelviewer.kernels.statistics import without_mean
from kernelviewer.state.arrangement import leaves_out_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QResizeEvent

    from kernelviewer.gui.views.reconstruction.content import ComparisonContent
    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.view_state import ViewState


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
        self._remark = label_of(self, name=f"{name}_mean", role="caption")
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
        named(self, "comparisonView", "Focused kernel and its reconstruction")
        self.content: ComparisonContent | None = None
        self.message = label_of(self, NO_FOCUS, role="secondary", wraps=True)
        self._body = QWidget(self)
        self.note = label_of(self._body, role="secondary", wraps=True)
        self._rows: dict[str, tuple[QWidget, QWidget]] = {}
        self._values = self._make_values()
        self.go = QPushButton("Go to Code", self._body)
        named(self.go, "goToCode", "Move the slider to the code of the focused kernel")
        self.go.clicked.connect(self._on_go_clicked)
        body = in_column(self._body, spacing=8)
        parts = ("kernel", "reconstruction", "residual")
        self.row = PictureRow("comparison", parts, self._body)
        self.pictures = self.row.pictures
        body.addWidget(self.row)
        body.addWidget(self.note)
        body.addWidget(self._values)
        body.addWidget(self.go, 0, Qt.AlignmentFlag.AlignLeft)
        in_column(self, self.message, self._body, 1)
        self.set_content(None)

    def _make_values(self) -> QWidget:
        holder = QWidget(self._body, maximumWidth=_VALUES_WIDE)
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self.code, self.fit = QLabel(holder), QLabel(holder)
        self.class_line = ClassLine("comparisonClass", "", holder)
        values = {"code": self.code, "fit": self.fit, "class": self.class_line}
        for row, (key, title) in enumerate(_NAMES.items()):
            name = label_of(holder, title, role="secondary")
            grid.addWidget(name, row, 0)
            line = in_row(None, 1, values[key])
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


TITLES = ("Channel", "Class", "Code", "Fit", "Scale", "Offset")


@dataclass(frozen=True, slots=True, eq=False)
class PairContent:
    """Two kernels that correspond."""

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    """Their taps, [*size]."""
    facts: tuple[tuple[str, ...], tuple[str, ...]]
    """What is said of each: a text for each of `TITLES`."""
    change: str
    """What changed, in words; the layers first, where they have different names."""
    centred: bool = False
    """Whether the taps are without their mean."""


def pair_content(state: ViewState) -> PairContent | None:
    """The focused kernel and its partner; None where it has none."""
    pairs, focus = state.pairs, state.focus
    if pairs is None or focus is None or pairs.row[focus] < 0:
        return None
    row = int(pairs.row[focus])
    centred = leaves_out_mean(state.mean, state.labels is not None)
    first, second = int(pairs.first[row]), int(pairs.second[row])
    both = np.stack([pairs.pool.weights_of(number) for number in (first, second)])
    before, after = without_mean(both) if centred else both
    return PairContent(
        before,
        after,
        (_facts(state, pairs, first), _facts(state, pairs, second)),
        _change(pairs, row),
        centred,
    )


def _facts(state: ViewState, pairs: PoolPairs, number: int) -> tuple[str, ...]:
    pool, labels = pairs.pool, state.labels
    code = float("nan") if labels is None else float(labels.code[number])
    fit = float("nan") if labels is None else float(labels.fit[number])
    return (
        str(pool.channel[number]),
        _class(state, number),
        "–" if code != code else f"{code:.3f}",
        "–" if fit != fit else signed(f"{fit:.3f}"),
        signed(f"{pool.scale[number]:.4g}"),
        signed(f"{pool.offset[number]:.4g}"),
    )


def _class(state: ViewState, number: int) -> str:
    """The class in a few letters; with the best one where it is not identified."""
    labels = state.labels
    if labels is None:
        return "–"
    kind, best = int(labels.label[number]), int(labels.best[number])
    name = class_shown(kind).short
    return name if kind == best else f"{name} ({class_shown(best).short})"


def _change(pairs: PoolPairs, row: int) -> str:
    found, pool = pairs.found, pairs.pool
    before, after = (
        pool.layer_of(int(side[row]))[1].name for side in (pairs.first, pairs.second)
    )
    layers = "" if before == after else f"{before} → {after}\n"
    cosine, ratio = float(found.cosine[row]), float(found.scale_ratio[row])
    offset = signed(f"offset {found.offset_change[row]:+.3g}")
    if cosine != cosine:
        return f"{layers}A flat kernel: no cosine, {offset}"
    numbers = signed(f"Cosine {cosine:.3f}, ln scale ratio {ratio:+.3f}")
    return f"{layers}{numbers}, {offset}"


class PairView(QWidget):
    """Before, after and difference on one scale, and what is said of both.

    Setters never emit.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "pairView", "Focused kernel before and after")
        self.content: PairContent | None = None
        self.row = PictureRow("pair", ("before", "after", "difference"), self)
        self.change = label_of(self, name="pairChange", wraps=True, plain=True)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for column, text in enumerate(("before", "after"), 1):
            head = label_of(self, text, role="caption")
            grid.addWidget(head, 0, column)
        self._values: tuple[list[QLabel], list[QLabel]] = ([], [])
        for row, title in enumerate(TITLES, 1):
            name = label_of(self, title, role="secondary")
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            for column, labels in enumerate(self._values, 1):
                value = self._value(f"{title} {'before' if column == 1 else 'after'}")
                grid.addWidget(value, row, column)
                labels.append(value)
        in_column(self, self.row, self.change, grid, spacing=8)
        self.set_content(None)

    def _value(self, title: str) -> QLabel:
        label = label_of(self, title=title, wraps=True, plain=True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        label.setSizePolicy(policy)
        return label

    def texts(self) -> list[str]:
        """All that is said, for people who read it aloud."""
        labels = [label.text() for side in self._values for label in side]
        return [self.change.text(), *labels]

    def set_content(self, content: PairContent | None) -> None:
        """Show another pair; None hides the view."""
        self.content = content
        self.setVisible(content is not None)
        if content is None:
            return
        difference = content.after - content.before
        three = (content.before, content.after, difference)
        finite = [np.abs(taps[np.isfinite(taps)]) for taps in three]
        top = max(float(taps.max(initial=0.0)) for taps in finite) or 1.0
        self.row.show_parts(*three, top=top, centred=content.centred)
        self.change.setText(content.change)
        for side, facts in zip(self._values, content.facts, strict=True):
            for label, text in zip(side, facts, strict=True):
                label.setToolTip(as_tip(text))
                label.setText(text)
