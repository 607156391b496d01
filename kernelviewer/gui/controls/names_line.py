"""The line under the classes: whether their names hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from kernelviewer.gui.text import percent, spaced
from kernelviewer.latent.naming import TOLERANCE

if TYPE_CHECKING:
    from kernelviewer.gui.work.family_scheduler import Status
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.labels import Agreement

SECONDS_PER_TAP = 1e-6
"""Of one processor for one kernel's tap, measured at 7×7."""


class NamesLine(QWidget):
    """How names by code and by the family agree, and how far the family is."""

    requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("namesLine")
        self.text = QLabel(self)
        self.text.setObjectName("namesHold")
        self.text.setProperty("role", "caption")
        self.text.setWordWrap(True)
        self.text.setSizePolicy(
            QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred
        )
        self.button = QPushButton("Name", self)
        self.button.setObjectName("compareNames")
        self.button.setAccessibleName("Name the kernels by the pattern family as well")
        self.button.setProperty("link", True)
        self.button.clicked.connect(lambda: self.requested.emit())
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 0, 8, 6)
        line.addWidget(self.text, 1)
        line.addWidget(self.button)
        self.set_names("none", None, None, 0)

    def set_names(
        self, status: Status, found: Agreement | None, size: Size | None, kernels: int
    ) -> None:
        """Show what the comparison gave, or how far it is.

        Parameters
        ----------
        found
            The result; None while there is none.
        size, kernels
            Kernel size, and how many kernels of it are open.
        """
        self.setVisible(status != "none")
        self.button.setVisible(status == "ask")
        self.text.setToolTip("")
        if status == "ask" and size is not None:
            wait = max(1, round(SECONDS_PER_TAP * math.prod(size) * kernels))
            self.text.setText(
                f"Not named by the family yet: {spaced(kernels)} kernels, "
                f"about {wait} s"
            )
        elif status == "running":
            self.text.setText("Naming by the family…")
        elif found is None or not found.kernels:
            self.text.setText("No identified kernels whose names could be compared")
        else:
            self.text.setText(
                f"Names agree: exactly {percent(found.exact)}, within {TOLERANCE} "
                f"{percent(found.within)}"
            )
            self.text.setToolTip(
                f"Of {spaced(found.kernels)} identified kernels in scope, "
                f"{percent(found.exact)} have the same name by their code and by the "
                f"pattern family. For {percent(found.within)} the class of their code "
                f"explains them within {TOLERANCE} in cosine as well as the family's: "
                "neighbouring classes overlap."
            )
