"""The steps of a run in a row: a slider over them, with the coverage as a curve."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import (
    QAbstractSlider,
    QSizePolicy,
    QToolButton,
    QToolTip,
    QWidget,
)

from kernelviewer.gui import theme
from kernelviewer.gui.controls import ExplainButton, in_row, label_of, named
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.text import as_tip, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent

_EDGE = 14.0
"""Free at both ends of the row, logical pixels."""
_CURVE, _HANDLE, _NOTCH = 20.0, 12.0, 120
_MORE = (Qt.Key.Key_Right, Qt.Key.Key_Up)
_LESS = (Qt.Key.Key_Left, Qt.Key.Key_Down)


@dataclass(frozen=True, slots=True)
class StepsContent:
    """The steps of a run."""

    run: str
    """What the run is called."""
    unit: str
    numbers: tuple[int, ...]
    """What is counted; how far the run was at each step."""
    step: int
    """Index of the one that is shown."""
    coverage: tuple[float, ...] = ()
    """Share of kernels identified at each step; empty while that is not known."""

    def title(self, step: int) -> str:
        """A step as people read it."""
        return f"{self.unit} {self.numbers[step]}"


class StepsSlider(QAbstractSlider):
    """The row of steps. Setters never emit.

    A click, a drag, the wheel and arrow keys ask for a step, Home and End for the
    first and the last, Space for playing.
    """

    step_requested = Signal(int)
    play_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stepsSlider")
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        fixed = QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Expanding, fixed)
        self.content: StepsContent | None = None
        self._turned = 0.0
        self._is_held = False
        self._origin = 0
        self.valueChanged.connect(lambda value: self.step_requested.emit(value))

    def set_content(self, content: StepsContent | None) -> None:
        """Show these steps."""
        self.content = content
        if content is not None:
            self.blockSignals(True)
            self.setRange(0, len(content.numbers) - 1)
            self.setValue(content.step)
            self.blockSignals(False)
            self.setAccessibleName(f"Training step: {content.title(content.step)}")
        self.update()

    def place_of(self, step: int) -> float:
        """Where a step lies, logical pixels."""
        assert self.content is not None
        last = max(1, len(self.content.numbers) - 1)
        return _EDGE + (self.width() - 2 * _EDGE) * step / last

    def step_at(self, x: float) -> int:
        """The step nearest to a place."""
        assert self.content is not None
        last = len(self.content.numbers) - 1
        share = (x - _EDGE) / max(1.0, self.width() - 2 * _EDGE)
        return min(max(round(share * last), 0), last)

    # Drawing

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        caption = QFontMetricsF(caption_font(self.font())).height()
        return QSize(400, round(_CURVE + _HANDLE + caption + 6))

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(80, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the curve of coverage, the row with its steps, their numbers."""
        content = self.content
        if content is None:
            return
        tokens, painter = theme.tokens(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        accent, line = QColor(tokens.accent), 4 + _CURVE + _HANDLE / 2
        self._paint_curve(painter, content)
        ends = self.place_of(0), self.place_of(len(content.numbers) - 1)
        painter.setPen(QPen(QColor(tokens.separator), 3, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(ends[0], line), QPointF(ends[1], line))
        here = self.place_of(content.step)
        painter.setPen(QPen(accent, 3, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(ends[0], line), QPointF(here, line))
        painter.setPen(Qt.PenStyle.NoPen)
        if (ends[1] - ends[0]) / max(1, len(content.numbers) - 1) > 5:
            for step in range(len(content.numbers)):
                reached = step <= content.step
                painter.setBrush(accent if reached else QColor(tokens.secondary))
                painter.drawEllipse(QPointF(self.place_of(step), line), 2.5, 2.5)
        painter.setBrush(accent)
        if self.hasFocus():
            painter.setPen(QPen(QColor(tokens.text), 2))
        painter.drawEllipse(QPointF(here, line), _HANDLE / 2 - 1, _HANDLE / 2 - 1)
        font = caption_font(self.font())
        painter.setFont(font)
        base = line + _HANDLE / 2 + 2 + QFontMetricsF(font).ascent()
        for step, left, text in self._captions(content):
            shown = step == content.step
            painter.setPen(QColor(tokens.text if shown else tokens.secondary))
            painter.drawText(QPointF(left, base), text)

    def _paint_curve(self, painter: QPainter, content: StepsContent) -> None:
        """Coverage from nothing on the row to all at the top."""
        tokens = theme.tokens()
        places = [
            QPointF(self.place_of(step), 4 + (1 - share) * _CURVE)
            for step, share in enumerate(content.coverage)
            if not isnan(share)
        ]
        if not places:
            return
        accent, foot = QColor(tokens.accent), 4 + _CURVE
        below = [QPointF(places[-1].x(), foot), QPointF(places[0].x(), foot)]
        fill = QColor(accent)
        fill.setAlphaF(0.12)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF([*places, *below]))
        painter.setPen(QPen(accent, 1.4))
        painter.drawPolyline(QPolygonF(places))
        if content.step < len(content.coverage):
            share = content.coverage[content.step]
            at = QPointF(self.place_of(content.step), 4 + (1 - share) * _CURVE)
            if not isnan(share):
                painter.setBrush(QColor(tokens.panel))
                painter.drawEllipse(at, 2.5, 2.5)

    def _captions(self, content: StepsContent) -> Iterator[tuple[int, float, str]]:
        """Step, left edge and text of the numbers that there is room for."""
        metrics = QFontMetricsF(caption_font(self.font()))
        last = len(content.numbers) - 1
        taken: list[tuple[float, float]] = []
        for step in dict.fromkeys([content.step, 0, last, *range(last)]):
            text = str(content.numbers[step])
            wide = metrics.horizontalAdvance(text)
            left = self.place_of(step) - wide / 2
            left = min(max(left, 1.0), self.width() - wide - 1)
            if all(left > b + 6 or left + wide < a - 6 for a, b in taken):
                taken.append((left, left + wide))
                yield step, left, text

    # Mouse, wheel, keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: the step under the mouse."""
        if event.button() == Qt.MouseButton.LeftButton and self.content is not None:
            self._is_held, self._origin = True, self.content.step
            self._ask(self.step_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: the handle follows the mouse."""
        if self._is_held and self.content is not None:
            self._ask(self.step_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt: let go."""
        self._is_held = False

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: a step for each notch."""
        event.accept()
        angle = event.angleDelta()
        self._turned += (angle.x() + angle.y()) / _NOTCH
        notches = int(self._turned)
        self._turned -= notches
        if notches and self.content is not None:
            self._ask(self.content.step + notches)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the next step, the ends; play."""
        key, content = event.key(), self.content
        if content is None:
            event.ignore()
        elif key == Qt.Key.Key_Space:
            self.play_requested.emit()
        elif key == Qt.Key.Key_Escape and self._is_held:
            self._is_held = False
            self._ask(self._origin)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            at_end = key == Qt.Key.Key_End
            self._ask(len(content.numbers) - 1 if at_end else 0)
        elif key in (*_MORE, *_LESS):
            self._ask(content.step + (1 if key in _MORE else -1))
        else:
            event.ignore()

    def _ask(self, step: int) -> None:
        assert self.content is not None
        self.step_requested.emit(min(max(step, 0), len(self.content.numbers) - 1))

    def event(self, event: QEvent) -> bool:
        """Qt: what a step is, beside the mouse; other colours."""
        if isinstance(event, QHelpEvent) and self.content is not None:
            content = self.content
            step = self.step_at(event.pos().x())
            text = f"{content.run}, {content.title(step)}"
            if step < len(content.coverage) and not isnan(content.coverage[step]):
                text += f"\n{percent(content.coverage[step])} of its kernels identified"
            QToolTip.showText(event.globalPos(), as_tip(text), self)
            return True
        if theme.is_theme_change(event):
            self.update()
        return super().event(event)


class StepsBar(QWidget):
    """Play, the row of steps, and which one is shown; hidden without a run."""

    stop_watching_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("stepsBar")
        self.slider = StepsSlider(self)
        self.play = named(QToolButton(self), "playSteps")
        self.play.setProperty("button", True)
        self.play.clicked.connect(lambda: self.slider.play_requested.emit())
        self.step = label_of(self, name="stepShown", plain=True)
        self.note = label_of(self, name="stepsNote", role="caption", plain=True)
        self.stop = named(QToolButton(self), "stopWatching")
        self.stop.setText("×")
        self.stop.setProperty("quiet", True)
        self.stop.setAccessibleName("Stop watching the folder")
        self.stop.setToolTip("Stop watching the folder")
        self.stop.clicked.connect(lambda: self.stop_watching_requested.emit())
        explain = ExplainButton("steps", "Training steps", self)
        parts = (self.play, self.step, (self.slider, 1), self.note, explain, self.stop)
        in_row(self, *parts, margins=(12, 2, 8, 2), spacing=8)
        self._measured: tuple[str, tuple[int, ...]] = ("", ())
        self.set_playing(False)
        self.set_note("", stoppable=False)
        self.set_content(None)

    @property
    def content(self) -> StepsContent | None:
        """What is shown."""
        return self.slider.content

    def set_content(self, content: StepsContent | None) -> None:
        """Show these steps; None: no run is open."""
        self.slider.set_content(content)
        self.setVisible(content is not None)
        if content is None:
            return
        if (content.unit, content.numbers) != self._measured:
            self._measured = content.unit, content.numbers
            self._fit_step()
        self.step.setText(content.title(content.step))
        self.step.setToolTip(
            as_tip(f"{content.run}: {content.step + 1} of {len(content.numbers)}")
        )

    def _fit_step(self) -> None:
        """Give the text room for the longest, so that nothing moves beside it."""
        if (content := self.content) is not None:
            metrics = self.step.fontMetrics()
            titles = map(content.title, range(len(content.numbers)))
            wide = max(map(metrics.horizontalAdvance, titles)) + 4
            self.step.setFixedSize(wide, metrics.height())

    def changeEvent(self, event: QEvent) -> None:
        """Qt: letters may have another size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit_step()

    def set_playing(self, playing: bool) -> None:
        """Show whether the run is played."""
        self.play.setText("❚❚" if playing else "▶")
        what = "Stop" if playing else "Play the steps of the run"
        self.play.setToolTip(what)
        self.play.setAccessibleName(what)

    def set_note(self, text: str, *, stoppable: bool) -> None:
        """Say what goes on; ``stoppable``: it is a folder being watched."""
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self.stop.setVisible(stoppable)
