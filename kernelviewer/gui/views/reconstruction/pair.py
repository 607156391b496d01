"""The focused kernel beside the one that corresponds to it in another network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from kernelviewer.gui.text import as_tip, signed
from kernelviewer.gui.views.reconstruction.comparison import PictureRow
from kernelviewer.kernels.classes import class_shown
from kernelviewer.kernels.statistics import without_mean
from kernelviewer.state.arrangement import leaves_out_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.state.comparing import PoolPairs
    from kernelviewer.state.view_state import ViewState

TITLES = ("Channel", "Class", "Code", "Fit", "Scale", "Offset")


@dataclass(frozen=True, slots=True, eq=False)
class PairContent:
    """Two kernels that correspond.

    Attributes
    ----------
    before, after
        Their taps, [*size].
    facts
        What is said of each: a text for each of `TITLES`.
    change
        What changed, in words; the layers first, where they have different names.
    centred
        Whether the taps are without their mean.
    """

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    facts: tuple[tuple[str, ...], tuple[str, ...]]
    change: str
    centred: bool = False


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
        self.setObjectName("pairView")
        self.setAccessibleName("Focused kernel before and after")
        self.content: PairContent | None = None
        self.row = PictureRow("pair", ("before", "after", "difference"), self)
        self.change = QLabel(self)
        self.change.setObjectName("pairChange")
        self.change.setWordWrap(True)
        self.change.setTextFormat(Qt.TextFormat.PlainText)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for column, text in enumerate(("before", "after"), 1):
            head = QLabel(text, self)
            head.setProperty("role", "caption")
            grid.addWidget(head, 0, column)
        self._values: tuple[list[QLabel], list[QLabel]] = ([], [])
        for row, title in enumerate(TITLES, 1):
            name = QLabel(title, self)
            name.setProperty("role", "secondary")
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            for column, labels in enumerate(self._values, 1):
                value = self._value(f"{title} {'before' if column == 1 else 'after'}")
                grid.addWidget(value, row, column)
                labels.append(value)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(0, 0, 0, 0)
        column_.setSpacing(8)
        column_.addWidget(self.row)
        column_.addWidget(self.change)
        column_.addLayout(grid)
        self.set_content(None)

    def _value(self, title: str) -> QLabel:
        label = QLabel(self)
        label.setAccessibleName(title)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
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
