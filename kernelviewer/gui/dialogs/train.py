"""Train an autoencoder on what is open, and watch the spectrum form."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSpinBox

from kernelviewer.formats.errors import with_hint
from kernelviewer.gui import theme
from kernelviewer.gui.controls import (
    MARGIN,
    PlotPanel,
    WorkDialog,
    curve_pen,
    dialog_button,
    label_of,
    line_of,
    make_default,
    named,
)
from kernelviewer.gui.desktop import ask_where, confirm
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import spaced
from kernelviewer.gui.theme import as_field
from kernelviewer.jobs.tasks import Wish, train_on
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.text import percent, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QResizeEvent

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.training import Sweep

STRIP = 16
"""Kernels in the strip that shows the spectrum."""
HINT = (
    "The kernels of all open networks are used; networks of one family count once. "
    "For a result that can be trusted, hold networks out: "
    "“kernelviewer train --holdout”."
)
EMPTY = "The loss of each sweep is drawn here, and below it the spectrum as it forms."
FINISHING = "Naming the stretches and measuring white noise…"
NO_SIZE = "There are no kernels to train on; open a network."
METHODS = {"curve": "curve", "paper": "the paper's autoencoder"}
KINDS = {".safetensors": "Autoencoders"}
_LOST = "It is neither in use nor saved."
GIVE_UP = (
    "Give the training up?",
    "What it has learned so far will be lost.",
    "Give Up",
)
DISCARD = ("Discard the trained autoencoder?", _LOST, "Discard")
NEW_START = ("Train anew and discard the trained autoencoder?", _LOST, "Train Anew")


class TrainDialog(WorkDialog):
    """Choose size and method, start, watch, use or save."""

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window, "trainDialog", "Train an autoencoder on what is open")
        self._window = window
        self._enough = threading.Event()
        self._losses: list[float] = []
        self._table: NDArray[np.float32] | None = None
        self._result: Autoencoder | None = None
        self._saved_as: Path | None = None
        self._running = self._used = False
        self.setMinimumSize(540, 460)
        self.size_box = self._make_sizes()
        self.method = QComboBox(self)
        for key, text in METHODS.items():
            self.method.addItem(text, key)
        self.seed = QSpinBox(self)
        as_field(self.seed)
        self.seed.setMaximum(2**31 - 1)
        for widget, name, title in (
            (self.size_box, "trainSize", "Kernel size to train for"),
            (self.method, "trainMethod", "Method"),
            (self.seed, "trainSeed", "Seed"),
        ):
            named(widget, name, title)
        axes = ("sweep", "loss, 1 − mean cosine")
        self.panel = PlotPanel("lossPlot", axes, self)
        self.panel.say(EMPTY if self.size_box.count() else NO_SIZE)
        self.curve = self.panel.plot.plot([], [], pen=curve_pen(theme.tokens().accent))
        self.strip = QLabel(self)
        named(self.strip, "formingSpectrum", "The spectrum as it is now")
        self.strip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.status = label_of(
            self, HINT, name="trainStatus", role="secondary", wraps=True
        )
        self.start = dialog_button(self, "Train", "startTraining", self._on_start)
        self.stop = dialog_button(self, "Stop and Keep", "stopTraining", self._on_stop)
        self.use = dialog_button(self, "Use It", "useAutoencoder", self._on_use)
        self.save = dialog_button(self, "Save…", "saveAutoencoder", self._on_save)
        self.shut = dialog_button(self, "Close", "closeTraining", self.close)
        self._lay_out()
        self.resize(QSize(680, 600).expandedTo(self.sizeHint()))
        self._show_state()
        window.looks_changed.connect(self._on_looks_changed)

    def _make_sizes(self) -> QComboBox:
        box = QComboBox(self)
        for size, count in self._window.state.sizes.items():
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
            label = label_of(self, title, role="secondary")
            choices.addWidget(label)
            choices.addWidget(widget)
        choices.addStretch(1)
        buttons = line_of(self.start, self.stop, self.use, self.save, self.shut)
        rows = (choices, (self.panel, 1), self.strip, self.status)
        self.lay_out(*rows, buttons, spacing=12)

    def _on_start(self) -> None:
        if self._is_unkept() and not confirm(self, *NEW_START):
            return
        self._enough.clear()
        self._losses, self._result, self._running = [], None, True
        self._table, self._saved_as, self._used = None, None, False
        self.curve.setData([], [])
        self.panel.say("Preparing the kernels…")
        self.strip.hide()
        size = tuple(map(int, str(self.size_box.currentData()).split("x")))
        wish = Wish(size, self.method.currentData(), None, self.seed.value())
        self.ticket = self._window.jobs.submit(
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
        self.status.setText(HINT)
        self._show_state()

    def _on_sweep(self, sweep: Sweep) -> None:
        self._losses.append(sweep.loss)
        self.curve.setData(np.arange(1, len(self._losses) + 1), self._losses)
        self.panel.show_plot()
        self._show_strip(sweep.spectrum(STRIP))
        if self._enough.is_set() or sweep.number == sweep.total:
            self.status.setText(FINISHING)
            return
        self.status.setText(
            f"Sweep {sweep.number} of {sweep.total}, loss {sweep.loss:.3f}, "
            f"about {sweep.seconds_left:.0f} s left"
        )

    def _on_stop(self) -> None:
        self._enough.set()
        self.stop.setEnabled(False)
        self.status.setText(FINISHING)

    def _on_done(self, autoencoder: Autoencoder) -> str:
        self._running, self._result = False, autoencoder
        results = autoencoder.card["results"]
        text = (
            f"Mean fit {results['mean_fit']:.3f} on what it was trained on; "
            f"{len(autoencoder.stretches)} stretches; threshold "
            f"{autoencoder.threshold:.3f}, which "
            f"{percent(autoencoder.null.coverage(autoencoder.threshold))} of white "
            "noise reaches."
        )
        self.status.setText(text)
        self._show_strip(autoencoder.spectrum(STRIP))
        self._show_state()
        return text

    def _on_failed(self, message: str, hint: str) -> None:
        self._end(with_hint(message, hint))

    def _on_cancelled(self) -> None:
        self._end("Cancelled; nothing was kept.")

    def _end(self, why: str) -> None:
        self._running = False
        self.status.setText(why)
        if not self._losses:
            self.panel.say(EMPTY)
        self._show_state()

    def _on_use(self) -> None:
        if self._result is not None:
            self._window.document.choose_autoencoder(self._result, self._saved_as)
            self._used = True
            self.status.setText("In use: the open kernels are encoded with it.")

    def _on_save(self) -> None:
        if self._result is None:
            return
        name = f"curve-{size_key(self._result.size)}.safetensors"
        start = Path(self._window.settings.last_folder, name)
        target = ask_where(self, "Save the autoencoder", start, KINDS)
        if target is None:
            return
        try:
            self._result.save(target)
        except OSError as error:
            self.status.setText(f"{shown(target)}: {error.strerror or error}")
        else:
            self._saved_as = target.absolute()
            self._window.document.note_file(self._result, self._saved_as)
            self.status.setText(f"Saved as {shown(target)}")

    def _show_strip(self, table: NDArray[np.float32]) -> None:
        """The decoded kernels side by side, nearest neighbour."""
        self._table = table
        table = table.reshape(len(table), -1, table.shape[-1])
        tall = table / np.maximum(np.abs(table).max((1, 2), keepdims=True), 1e-9)
        colours = self._window.looks.weights
        index = np.round((tall + 1) / 2 * (len(colours) - 1)).astype(int)
        count, height, width = index.shape
        line = np.zeros((height, count * (width + 1) - 1, 4), np.uint8)
        for number, kernel in enumerate(colours[index].astype(np.uint8)):
            place = slice(number * (width + 1), number * (width + 1) + width)
            line[:, place, :3], line[:, place, 3] = kernel, 255
        form = QImage.Format.Format_RGBA8888
        image = QImage(line.data, line.shape[1], height, 4 * line.shape[1], form).copy()
        ratio = self.devicePixelRatioF()
        room = round((self.width() - 2 * MARGIN) * ratio)
        scale = max(1, room // image.width())
        pixels = QPixmap.fromImage(image.scaled(image.size() * scale))
        pixels.setDevicePixelRatio(ratio)
        self.strip.setPixmap(pixels)
        self.strip.show()

    def _show_state(self) -> None:
        done = self._result is not None
        self.start.setEnabled(not self._running and self.size_box.count() > 0)
        self.stop.setEnabled(self._running)
        self.use.setEnabled(done and not self._used)
        self.save.setEnabled(done)
        for field in (self.size_box, self.method, self.seed):
            field.setEnabled(self.start.isEnabled())
        self.strip.setVisible(self._table is not None)
        ways = (self.stop, self.use, self.save if done else self.start, self.shut)
        make_default(next(way for way in ways if way.isEnabled()))

    def _on_looks_changed(self) -> None:
        self.curve.setPen(curve_pen(theme.tokens().accent))
        if self._table is not None:
            self._show_strip(self._table)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: the strip is as wide as whole pixels allow."""
        super().resizeEvent(event)
        if self._table is not None:
            self._show_strip(self._table)

    def _is_unkept(self) -> bool:
        """True if there is an autoencoder that is neither in use nor in a file."""
        return self._result is not None and not self._used and self._saved_as is None

    def may_close(self) -> bool:
        """Closing gives a training up, and what came of it if it is not kept."""
        if self._running and not confirm(self, *GIVE_UP):
            return False
        return not self._is_unkept() or confirm(self, *DISCARD)
