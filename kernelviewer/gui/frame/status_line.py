"""The line at the bottom: what is selected, what happened, device and jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStatusBar,
    QWidget,
)

from kernelviewer.gui.tips import as_tip

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import (
        QToolButton,
    )

    from kernelviewer.gui.controls.selection_chips import SelectionChips


class Message(QLabel):
    """A sentence that takes what room there is; a long one loses its end."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("statusMessage")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        """Qt: it can vanish."""
        return QSize(0, super().minimumSizeHint().height())

    def show_text(self, text: str) -> None:
        """Show another sentence."""
        self.setText(text)
        self.setToolTip(as_tip(text))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint as much of it as fits."""
        painter = QPainter(self)
        box = self.contentsRect().adjusted(6, 0, -6, 0)
        end = Qt.TextElideMode.ElideRight
        text = self.fontMetrics().elidedText(self.text(), end, box.width())
        painter.setPen(self.palette().windowText().color())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)


class StatusLine(QStatusBar):
    """Chips and counts stay beside the message, which Qt would draw over them."""

    def __init__(
        self,
        chips: SelectionChips,
        selected: QLabel,
        device: QLabel,
        jobs: QToolButton,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        holder = QWidget(self)
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 2)
        line.setSpacing(4)
        self.message = Message(holder)
        self.messageChanged.connect(self.message.show_text)
        line.addWidget(chips)
        line.addWidget(selected)
        line.addWidget(self.message, 1)
        line.addWidget(device)
        line.addWidget(jobs)
        self.addPermanentWidget(holder, 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the message has its own place."""
