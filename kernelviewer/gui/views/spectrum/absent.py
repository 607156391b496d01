"""What stands in the place of the spectrum while there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from kernelviewer.gui.views.spectrum.content import Absence

_WIDEST = 560


class AbsentSpectrum(QWidget):
    """Says why, and offers what would give one."""

    train_requested = Signal()
    encode_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.text = QLabel(self), QLabel(self)
        self.title.setProperty("role", "heading")
        self.text.setProperty("role", "secondary")
        for label in (self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
        self.title.setObjectName("spectrumAbsent")
        self.train = QPushButton("Train Autoencoder…", self)
        self.train.setObjectName("trainAutoencoder")
        self.train.setAccessibleName("Train an autoencoder for this kernel size")
        self.train.setProperty("primary", True)
        self.train.clicked.connect(lambda: self.train_requested.emit())
        self.encode = QPushButton("Encode Again", self)
        self.encode.setObjectName("encodeAgain")
        self.encode.setAccessibleName("Encode what has no codes")
        self.encode.setProperty("primary", True)
        self.encode.clicked.connect(lambda: self.encode_requested.emit())
        column = QWidget(self)
        column.setMaximumWidth(_WIDEST)
        inner = QVBoxLayout(column)
        inner.setContentsMargins(12, 0, 12, 8)
        inner.setSpacing(8)
        inner.addWidget(self.title)
        inner.addWidget(self.text)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.train)
        buttons.addWidget(self.encode)
        buttons.addStretch(1)
        inner.addLayout(buttons)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(column, 8)
        line.addStretch(1)
        outer.addLayout(line)
        outer.addStretch(1)

    def set_absence(self, absence: Absence) -> None:
        """Say this."""
        self.title.setText(absence.title)
        self.text.setText(absence.text)
        self.text.setVisible(bool(absence.text))
        self.train.setVisible(absence.train)
        self.encode.setVisible(absence.encode)
