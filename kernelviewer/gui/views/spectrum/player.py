"""Moves along the spectrum by itself."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

SECONDS = 6.0
"""From one end to the other."""
_TICK = 16
"""Between two steps, milliseconds."""


class Player(QObject):
    """Asks for one place after another, at an even speed whatever drawing takes."""

    position_requested = Signal(float)
    running_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._z = 0.0
        self._asked = 0.0
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, interval=_TICK)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_timer_timeout)

    @property
    def running(self) -> bool:
        """Whether it moves."""
        return self._timer.isActive()

    def set_position(self, z: float) -> None:
        """Go on from here, if it is not what was asked for."""
        if z != self._asked:
            self._z = self._asked = z

    def toggle(self) -> None:
        """Begin, from the start if at the end; or stop."""
        if self.running:
            self.stop()
            return
        if self._z >= 1:
            self._z = 0.0
        self._clock.start()
        self._timer.start()
        self.running_changed.emit(True)

    def stop(self) -> None:
        """Stay here."""
        if self.running:
            self._timer.stop()
            self.running_changed.emit(False)

    def _on_timer_timeout(self) -> None:
        self._z = self._asked = min(self._z + self._clock.restart() / 1e3 / SECONDS, 1)
        if self._z >= 1:
            self.stop()
        self.position_requested.emit(self._z)
