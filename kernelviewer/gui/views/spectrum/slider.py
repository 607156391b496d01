"""The slider along the code, and what moves it by itself."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QElapsedTimer,
    QObject,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy

from kernelviewer.gui import theme
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.pixels import caption_font, device_length, device_pixels
from kernelviewer.gui.views.spectrum.strip import CURSOR, Axis

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent
    from PySide6.QtWidgets import QWidget


STEPS = 1000
"""Steps of the value that assistive technology reads and sets."""
STEP, FINE_STEP = 0.01, 0.001
_HANDLE = 14
_GROOVE = 3
_TICK_SPACE = 90
"""Least distance of two ticks, logical pixels."""
_NOTCH = 120
"""Angle of one notch of the wheel, eighths of a degree."""
_MORE = (Qt.Key.Key_Right, Qt.Key.Key_Up)
_LESS = (Qt.Key.Key_Left, Qt.Key.Key_Down)
_ENDS = {Qt.Key.Key_Home: 0.0, Qt.Key.Key_End: 1.0}
_PAGES = {Qt.Key.Key_PageUp: 1, Qt.Key.Key_PageDown: -1}
SECONDS = 6.0
"""From one end to the other."""
_TICK = 16
"""Between two steps, milliseconds."""


class LatentSlider(QAbstractSlider):
    """A handle on the code's axis, from 0 to 1. Setters never emit.

    Drag, click, wheel and arrow keys ask for a place (finer with Shift), Home and End
    for the ends, the page keys for the next stretch, Space for playing. To assistive
    technology it is a slider from 0 to `STEPS`.
    """

    position_requested = Signal(float)
    step_requested = Signal(int)
    """To the next (1) or last (−1) stretch."""
    play_requested = Signal()
    touched = Signal()
    """The user took the slider, or turned the wheel, or pressed a key that moves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "latentSlider", "Code")
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setRange(0, STEPS)
        self.setSingleStep(round(STEP * STEPS))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        fixed = QSizePolicy.Policy.Fixed
        self.setSizePolicy(QSizePolicy.Policy.Expanding, fixed)
        self.position = 0.0
        self._mark: float | None = None
        self._grip: float | None = None
        self._origin = 0.0
        self._turned = 0.0
        self.valueChanged.connect(self._on_value_changed)

    # Setters

    def set_position(self, z: float) -> None:
        """Move the handle."""
        before, self.position = self.position, z
        self.blockSignals(True)
        self.setValue(round(z * STEPS))
        self.blockSignals(False)
        if z != before:
            self.update(self._between(before, z))

    def set_mark(self, z: float | None) -> None:
        """Mark the code of the focused kernel; None: no mark."""
        if z != self._mark:
            self._mark = z
            self.update()

    @property
    def axis(self) -> Axis:
        """Where codes lie."""
        return Axis.across(self.width(), self.devicePixelRatioF())

    # Drawing

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        caption = QFontMetricsF(caption_font(self.font())).height()
        return QSize(600, _HANDLE + 6 + ceil(caption))

    def minimumSizeHint(self) -> QSize:
        """Qt: least size."""
        return QSize(120, self.sizeHint().height())

    def handle_rect(self) -> QRectF:
        """Where the handle is, logical pixels."""
        left = self.axis.logical(self.position) - _HANDLE / 2
        return QRectF(left, 2, _HANDLE, _HANDLE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Groove, ticks with their codes, mark, cursor, handle."""
        painter = QPainter(self)
        painter.fillRect(
            self.rect().adjusted(-1, -1, 1, 1), QColor(theme.tokens().panel)
        )
        self._paint_ticks(painter)
        with device_pixels(painter, self.devicePixelRatioF()):
            self._paint_groove(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.tokens().accent))
        handle = self.handle_rect()
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.tokens().text), 2))
            handle.adjust(1, 1, -1, -1)
        painter.drawEllipse(handle)

    def _paint_groove(self, painter: QPainter) -> None:
        """In device pixels."""
        ratio, axis, tokens = self.devicePixelRatioF(), self.axis, theme.tokens()
        thick = device_length(_GROOVE, ratio)
        middle = round((2 + _HANDLE / 2) * ratio)
        top, x = middle - thick // 2, axis.pixel(self.position)
        groove, accent = QColor(tokens.separator), QColor(tokens.accent)
        painter.fillRect(axis.left, top, axis.length + 1, thick, groove)
        painter.fillRect(axis.left, top, x - axis.left, thick, accent)
        if self._mark is not None:
            wide, tall = device_length(2, ratio), device_length(_HANDLE - 4, ratio)
            at = axis.pixel(self._mark) - wide // 2
            ink = QColor(tokens.text)
            painter.fillRect(at, middle - tall // 2, wide, tall, ink)
        line = device_length(CURSOR, ratio)
        painter.fillRect(x - line // 2, -2, line, middle + 2, accent)

    def _paint_ticks(self, painter: QPainter) -> None:
        font = caption_font(self.font())
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(QColor(theme.tokens().secondary))
        y, axis = 2 + _HANDLE + 2 + metrics.ascent(), self.axis
        for z, text in axis.ticks(_TICK_SPACE):
            wide = metrics.horizontalAdvance(text)
            painter.drawText(QPointF(round(axis.logical(z) - wide / 2), y), text)

    def _between(self, *codes: float) -> QRect:
        """What the handle covers on its way."""
        axis = self.axis
        at = [axis.logical(z) for z in codes]
        left = floor(min(at) - _HANDLE / 2) - 2
        return QRect(left, 0, ceil(max(at) + _HANDLE / 2) + 2 - left, self.height())

    # Mouse and wheel

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the handle where it is pressed; elsewhere it comes to the mouse."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.touched.emit()
        at = event.position()
        on_handle = self.handle_rect().adjusted(0, -2, 0, 2).contains(at)
        self._grip = self.axis.logical(self.position) - at.x() if on_handle else 0.0
        self._origin = self.position
        if not on_handle:
            self.position_requested.emit(self.axis.code(at.x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The handle follows the mouse."""
        if self._grip is not None:
            x = event.position().x() + self._grip
            self.position_requested.emit(self.axis.code(x))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Up and to the right is more; finer with Shift."""
        event.accept()
        self.touched.emit()
        pixels, angle = event.pixelDelta(), event.angleDelta()
        if not pixels.isNull():
            self._ask(self.position + self.axis.span(pixels.x() + pixels.y()))
            return
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._turned += (angle.x() + angle.y()) / _NOTCH
        notches = int(self._turned)
        self._turned -= notches
        if notches:
            self._ask(self.position + notches * (FINE_STEP if fine else STEP))

    # Keyboard and assistive technology

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move by steps, to the ends, to the next stretch; play; give a drag up."""
        key = event.key()
        fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = FINE_STEP if fine else STEP
        if key == Qt.Key.Key_Space:
            self.play_requested.emit()
            return
        if key == Qt.Key.Key_Escape and self._grip is not None:
            self._grip = None
            self._ask(self._origin)
            return
        if key not in (*_MORE, *_LESS, *_ENDS, *_PAGES):
            event.ignore()
            return
        self.touched.emit()
        if key in _ENDS:
            self._ask(_ENDS[Qt.Key(key)])
        elif key in _PAGES:
            self.step_requested.emit(_PAGES[Qt.Key(key)])
        else:
            self._ask(self.position + (step if key in _MORE else -step))

    def _ask(self, z: float) -> None:
        self.position_requested.emit(min(max(round(z, 6), 0.0), 1.0))

    def _on_value_changed(self, value: int) -> None:
        """Only others than `set_position` get here: assistive technology."""
        self.touched.emit()
        self.position_requested.emit(value / STEPS)


class Player(QObject):
    """Asks for one place after another, at an even speed whatever drawing takes."""

    position_requested = Signal(float)
    running_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.position = 0.0
        self._asked = 0.0
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=_TICK, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timer_timeout)

    @property
    def running(self) -> bool:
        """True if it moves."""
        return self._timer.isActive()

    def set_position(self, z: float) -> None:
        """Go on from here, if it is not what was asked for."""
        if z != self._asked:
            self.position = self._asked = z

    def toggle(self) -> None:
        """Begin, from the start if at the end; or stop."""
        if self.running:
            self.stop()
            return
        if self.position >= 1:
            self.position = 0.0
        self._clock.start()
        self._timer.start()
        self.running_changed.emit(True)

    def stop(self) -> None:
        """Stay here."""
        if self.running:
            self._timer.stop()
            self.running_changed.emit(False)

    def _on_timer_timeout(self) -> None:
        self.position = self._asked = min(
            self.position + self._clock.restart() / 1e3 / SECONDS, 1
        )
        if self.position >= 1:
            self.stop()
        self.position_requested.emit(self.position)
