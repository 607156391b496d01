"""Train an autoencoder on what is open, and watch the spectrum form."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
)

from kernelviewer.gui.dialogs.parts import dialog_button
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.plots import make_plot, pen
from kernelviewer.gui.text import spaced
from kernelviewer.gui.theme import as_field
from kernelviewer.jobs.learning import Wish, train_on
from kernelviewer.kernels.bank import size_key, size_label

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QCloseEvent
    from PySide6.QtWidgets import (
        QWidget,
    )

    from kernelviewer.gui.workplace import Workplace
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.training import Sweep

STRIP = 16
"""Kernels in the strip that shows the spectrum."""
HINT = (
    "The kernels of all open networks are used; networks of one family count once. "
    "For a result that can be trusted, hold networks out: "
    "“kernelviewer train --holdout”."
)


class TrainDialog(QDialog):
    """Choose size and method, start, watch, use or save."""

    def __init__(self, window: Workplace) -> None:
        super().__init__(window)
        self._window = window
        self._enough = threading.Event()
        self._losses: list[float] = []
        self._result: Autoencoder | None = None
        self._saved_as: Path | None = None
        self._running = False
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("trainDialog")
        self.setWindowTitle("Train an autoencoder on what is open")
        self.resize(640, 560)
        self.size_box = self._make_sizes()
        self.method = QComboBox(self)
        self.method.addItem("curve", "curve")
        self.method.addItem("the paper's autoencoder", "paper")
        self.seed = QSpinBox(self)
        as_field(self.seed)
        self.seed.setMaximum(2**31 - 1)
        for widget, name, title in (
            (self.size_box, "trainSize", "Kernel size to train for"),
            (self.method, "trainMethod", "Method"),
            (self.seed, "trainSeed", "Seed"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(title)
        axes = ("sweep", "loss, 1 − mean cosine")
        self.plot = make_plot(self, "lossPlot", axes, window.tokens)
        self.curve = self.plot.plot([], [], pen=pen(window.tokens.accent))
        self.strip = QLabel(self)
        self.strip.setObjectName("formingSpectrum")
        self.strip.setAccessibleName("The spectrum as it is now")
        self.strip.setMinimumHeight(40)
        self.status = QLabel(HINT, self)
        self.status.setProperty("role", "secondary")
        self.status.setWordWrap(True)
        self.start = dialog_button(self, "Train", "startTraining", self._on_start)
        self.start.setProperty("primary", True)
        self.stop = dialog_button(
            self, "Stop and Keep", "stopTraining", self._enough.set
        )
        self.use = dialog_button(self, "Use It", "useAutoencoder", self._on_use)
        self.save = dialog_button(self, "Save…", "saveAutoencoder", self._on_save)
        self._lay_out()
        self._show_state()

    def _make_sizes(self) -> QComboBox:
        box = QComboBox(self)
        for size, count in self._window.document.sizes.items():
            text = f"{size_label(size)}, {spaced(count)} kernels"
            box.addItem(text, size_key(size))
        now = self._window.document.size
        if now is not None:
            box.setCurrentIndex(box.findData(size_key(now)))
        return box

    def _lay_out(self) -> None:
        choices = QHBoxLayout()
        for title, widget in (
            ("Size", self.size_box),
            ("Method", self.method),
            ("Seed", self.seed),
        ):
            label = QLabel(title, self)
            label.setProperty("role", "secondary")
            choices.addWidget(label)
            choices.addWidget(widget)
        choices.addStretch(1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.start, self.stop, self.use, self.save):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(choices)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self.strip)
        layout.addWidget(self.status)
        layout.addLayout(buttons)

    def _on_start(self) -> None:
        self._enough.clear()
        self._losses, self._result, self._running = [], None, True
        self._saved_as = None
        self.curve.setData([], [])
        size = tuple(map(int, str(self.size_box.currentData()).split("x")))
        wish = Wish(size, self.method.currentData(), None, self.seed.value())
        self._window.jobs.submit(
            "compute",
            "train",
            f"Train for {size_label(size)}",
            Reaction(
                done=self._on_done,
                partial=self._on_sweep,
                failed=self._on_failed,
                stopped=self._on_cancelled,
            ).while_alive(self),
            train_on,
            self._window.document.banks,
            wish,
            self._window.settings.device,
            self._enough,
        )
        self.status.setText("preparing")
        self._show_state()

    def _on_sweep(self, sweep: Sweep) -> None:
        self._losses.append(sweep.loss)
        self._show_strip(sweep.spectrum(STRIP))
        self.curve.setData(np.arange(1, len(self._losses) + 1), self._losses)
        if sweep.number == sweep.total:
            self.status.setText("Naming the stretches and measuring white noise…")
            return
        self.status.setText(
            f"Sweep {sweep.number} of {sweep.total}, loss {sweep.loss:.3f}, "
            f"about {sweep.seconds_left:.0f} s left"
        )

    def _on_done(self, autoencoder: Autoencoder) -> str:
        self._running, self._result = False, autoencoder
        results = autoencoder.card["results"]
        text = (
            f"Mean fit {results['mean_fit']:.3f} on what it was trained on; "
            f"{len(autoencoder.segments)} stretches; threshold "
            f"{autoencoder.threshold:.3f}, which "
            f"{100 * autoencoder.null.coverage(autoencoder.threshold):.1f} % of white "
            "noise reaches."
        )
        self.status.setText(text)
        self._show_strip(autoencoder.spectrum(STRIP))
        self._show_state()
        return text

    def _on_failed(self, message: str, hint: str) -> None:
        self._running = False
        self.status.setText(f"{message}. {hint}" if hint else message)
        self._show_state()

    def _on_cancelled(self) -> None:
        self._running = False
        self.status.setText("Cancelled; nothing was kept.")
        self._show_state()

    def _on_use(self) -> None:
        if self._result is not None:
            self._window.document.choose_autoencoder(self._result, self._saved_as)
            self.status.setText("In use: the open kernels are encoded with it.")

    def _on_save(self) -> None:
        if self._result is None:
            return
        name = f"curve-{size_key(self._result.size)}.safetensors"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the autoencoder", name, "Autoencoders (*.safetensors)"
        )
        if not path:
            return
        target = Path(path)
        if not target.suffix:
            target = target.with_suffix(".safetensors")
        try:
            self._result.save(target)
        except OSError as error:
            self.status.setText(f"{target}: {error.strerror or error}")
        else:
            self._saved_as = target.absolute()
            self._window.document.note_file(self._result, self._saved_as)
            self.status.setText(f"Saved as {target}")

    def _show_strip(self, table: NDArray[np.float32]) -> None:
        """The decoded kernels side by side, nearest neighbour."""
        table = table.reshape(len(table), -1, table.shape[-1])
        tall = table / np.maximum(np.abs(table).max((1, 2), keepdims=True), 1e-9)
        padded = np.pad(tall, ((0, 0), (0, 0), (0, 1)))
        line = np.concatenate(list(padded), axis=1)
        colours = self._window.weight_table()
        index = np.round((line + 1) / 2 * (len(colours) - 1)).astype(int)
        pixels = np.ascontiguousarray(colours[index].astype(np.uint8))
        height, width = line.shape
        form = QImage.Format.Format_RGB888
        image = QImage(pixels.data, width, height, 3 * width, form).copy()
        scale = max(1, (self.width() - 40) // width)
        self.strip.setPixmap(
            QPixmap.fromImage(image.scaled(width * scale, height * scale))
        )

    def _show_state(self) -> None:
        self.start.setEnabled(not self._running and self.size_box.count() > 0)
        self.stop.setEnabled(self._running)
        self.use.setEnabled(self._result is not None)
        self.save.setEnabled(self._result is not None)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: closing gives the training up."""
        self._window.jobs.cancel("train")
        super().closeEvent(event)


def open_training(window: Workplace) -> QWidget:
    """Show the dialog beside the window, without blocking it."""
    dialog = TrainDialog(window)
    dialog.show()
    return dialog
