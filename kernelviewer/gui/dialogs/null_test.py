"""What the method finds where there is no structure: distributions over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout

from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.plots import make_plot, pen
from kernelviewer.gui.text import percent, spaced
from kernelviewer.jobs.learning import run_null_test
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.workplace import Workplace
    from kernelviewer.latent.null_test import NullTest

BINS = 100
TEXT = (
    "Fit of the open kernels with the autoencoder, beside that of white noise, the "
    "same kernels with their taps shuffled, and untrained networks of the same shapes. "
    "Where the curves part, the kernels have structure that the autoencoder did not "
    "put there."
)
RUNNING = (
    "Encoding each kind of kernels, and training a curve on each… "
    "Closing this window gives it up."
)
COLOURS = (6, 0, 3, 9)
"""Classes whose colours the conditions borrow: they tell apart in both themes."""


class NullTestDialog(QDialog):
    """Runs the test for the shown size, and plots what came of it."""

    def __init__(self, window: Workplace) -> None:
        super().__init__(window)
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("nullTestDialog")
        self.setWindowTitle("Null test")
        self.resize(680, 600)
        axes = ("fit, cosine", "share of the kernels per bin")
        self.plot = make_plot(self, "nullPlot", axes, window.tokens)
        self.plot.setXRange(-0.2, 1)
        self.plot.addLegend(labelTextColor=window.tokens.text)
        self.table = QLabel(RUNNING, self)
        self.table.setObjectName("nullTable")
        self.table.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        note = QLabel(TEXT, self)
        note.setProperty("role", "secondary")
        note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(note)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.table)
        self._begin()

    def _begin(self) -> None:
        document = self._window.document
        size = document.size
        autoencoder = document.autoencoders.get(size) if size else None
        if size is None or autoencoder is None:
            self.table.setText(
                "There is no autoencoder for the kernels that are shown; open a "
                "network, or train one."
            )
            return
        self.setWindowTitle(f"Null test of {size_label(size)} kernels")
        self._window.jobs.submit(
            "compute",
            "null test",
            f"Null test of {size_label(size)}",
            Reaction(done=self._on_done, failed=self._on_failed).while_alive(self),
            run_null_test,
            document.banks,
            autoencoder,
            document.threshold_of(size),
            self._window.settings.device,
        )

    def _on_done(self, test: NullTest) -> str:
        tokens = self._window.tokens
        edges = np.linspace(-0.2, 1, BINS + 1)
        rows = []
        for item, index in zip(test.conditions, COLOURS, strict=False):
            shown = CLASSES[index].dark if tokens.dark else CLASSES[index].light
            counts, _ = np.histogram(item.fit, edges)
            share = counts / max(1, len(item.fit))
            width = 2 if index == COLOURS[0] else 1
            self.plot.plot(
                edges, share, stepMode="center", pen=pen(shown, width), name=item.name
            )
            own = "" if np.isnan(item.own_coverage) else percent(item.own_coverage)
            rows.append(
                f"<tr><td>{item.name}</td><td>{spaced(len(item.fit))}</td>"
                f"<td>{percent(item.coverage)}</td><td>{own or '–'}</td></tr>"
            )
        self.plot.addLine(x=test.threshold, pen=pen(tokens.secondary, 1))
        head = (
            "<tr><th align='left'>kernels</th><th>number</th><th>identified</th>"
            "<th>by a curve of their own</th></tr>"
        )
        self.table.setText(
            f"<table cellpadding='4'>{head}{''.join(rows)}</table>"
            f"at the threshold {test.threshold:.3f}"
        )
        trained, noise = test.conditions[0], test.conditions[1]
        return f"{percent(trained.coverage)} against {percent(noise.coverage)} of noise"

    def _on_failed(self, message: str, hint: str) -> None:
        self.table.setText(f"{message}. {hint}" if hint else message)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: closing gives the test up."""
        self._window.jobs.cancel("null test")
        super().closeEvent(event)


def open_null_test(window: Workplace) -> QWidget:
    """Show the dialog beside the window, without blocking it."""
    dialog = NullTestDialog(window)
    dialog.show()
    return dialog
