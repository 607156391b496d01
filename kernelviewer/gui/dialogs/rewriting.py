"""Write a network with other kernels, which are seen before that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from kernelviewer.formats.errors import with_hint
from kernelviewer.gui import theme
from kernelviewer.gui.controls import (
    WorkDialog,
    dialog_button,
    in_row,
    label_of,
    line_of,
    make_default,
    named,
    note_of,
    progress_bar,
)
from kernelviewer.gui.desktop import ask_where
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.painting.kernels import amplitudes, as_pictures
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.text import spaced
from kernelviewer.gui.theme import as_field
from kernelviewer.gui.views.keys.tiles import KernelPainter
from kernelviewer.jobs.drawing import Refusal
from kernelviewer.jobs.rewriting import (
    EXAMPLES,
    approximate_network,
    write_approximated,
)
from kernelviewer.kernels.bank import size_label
from kernelviewer.latent.replacing import Wish
from kernelviewer.state.keys import MOST
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.rewriting import Approximated, SizeReplaced
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.latent.replacing import By

TEXT = (
    "The same file with other depthwise kernels: a·f + b in place of each, and nothing "
    "else changed. Measure its accuracy to know what the kernels' details are worth."
)
COMPUTES = "Computing what stands for the kernels…"
WAYS = {
    "published": "the 8 published keys (7×7)",
    "shipped": "the best 8 keys of eight networks",
    "shipped-16": "the best 16 keys of eight networks",
    "found": "keys found for this network",
    "file": "keys of a file",
    "family": "the nearest members of the pattern family",
    "reconstruction": "the nearest points of the shipped curve",
    "noise": "white noise of their scale: the control",
    "other": "the kernels of another network",
}
_SIDE, _GAP = 40, 6


class BeforeAfter(KernelPainter):
    """Some kernels of a size, and below them what takes their place, on one scale."""

    def __init__(self, item: SizeReplaced, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("beforeAfter")
        self.item = item
        self.setAccessibleName(f"{size_label(item.size)} kernels before and after")
        self.setAccessibleDescription(self.text())

    def text(self) -> str:
        """How many there are, and what is kept of them."""
        item = self.item
        kernels = "kernel" if item.kernels == 1 else "kernels"
        text = f"{size_label(item.size)}: {spaced(item.kernels)} {kernels}"
        if item.r2 == item.r2:
            text += f", R² {item.r2:.3f}"
        if item.null == item.null:
            text += f" (white noise replaced alike {item.null:.3f})"
        return text

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        line = QFontMetricsF(self.font()).height()
        high = line + 4 + 2 * _SIDE + 3 + _GAP
        return QSize(EXAMPLES * (_SIDE + _GAP) + self._left(), round(high))

    def minimumSizeHint(self) -> QSize:
        """Qt: smallest size."""
        return self.sizeHint()

    def _left(self) -> int:
        """Where the kernels begin, beside their names."""
        width = QFontMetricsF(caption_font(self.font())).horizontalAdvance
        return round(width("before")) + 10

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the pairs."""
        painter, item, tokens = QPainter(self), self.item, theme.tokens()
        line = QFontMetricsF(painter.font()).height()
        painter.setPen(QColor(tokens.text))
        flag = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 0, self.width(), line), flag, self.text())
        painter.setFont(caption_font(self.font()))
        painter.setPen(QColor(tokens.secondary))
        tops = amplitudes(as_pictures(item.before))
        for row, (name, kernels) in enumerate(
            (("before", item.before), ("after", item.after))
        ):
            y = line + 4 + row * (_SIDE + 3)
            painter.drawText(QRectF(0, y, self._left(), _SIDE), flag, name)
            for number, (taps, top) in enumerate(zip(kernels, tops, strict=True)):
                box = QRectF(self._left() + number * (_SIDE + _GAP), y, _SIDE, _SIDE)
                self.paint_kernel(painter, box, np.asarray(taps, np.float32), top)


class RewriteDialog(WorkDialog):
    """Choose what stands for the kernels, look at it, write it."""

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window, "rewriteDialog", "Write an approximated network")
        self._window = window
        self._made: Approximated | None = None
        self._keys_file = self._other_file = ""
        self._writes = False
        self.resize(690, 560)
        self.network = self._box("rewriteNetwork", "Network to write")
        for model in window.document.models:
            self.network.addItem(model.bank.name, model.id)
        self.way = self._box("rewriteBy", "What stands for the kernels")
        for key, text in WAYS.items():
            self.way.addItem(text, key)
        self.count = QSpinBox(self)
        as_field(self.count)
        named(self.count, "rewriteCount", "Number of keys")
        self.count.setRange(1, MOST)
        self.count.setValue(8)
        self.count.setKeyboardTracking(False)
        self.other = self._box("rewriteOther", "The other network")
        self.file = named(QPushButton(self), "rewriteFile")
        self.file.clicked.connect(self._on_file_asked)
        self.sizes = QHBoxLayout()
        self.sizes.setSpacing(16)
        self.checks: dict[Size, QCheckBox] = {}
        self.preview = named(QScrollArea(self, widgetResizable=True), "rewritePreview")
        self.preview.setAccessibleName("Kernels before and after")
        self.status = label_of(self, name="rewriteStatus", wraps=True)
        self.bar = progress_bar(self, "rewriteProgress", "How far it is")
        self.write = dialog_button(self, "Write…", "writeRewritten", self._on_write)
        self.stop = dialog_button(self, "Stop", "stopRewriting", self.give_up)
        self.shut = dialog_button(self, "Close", "closeRewriting", self.close)
        self._lay_out()
        focus = window.document.focus
        if focus is not None:
            self.network.setCurrentIndex(self.network.findData(focus.model))
        self._choose_way(window)
        self._on_network_changed()
        self.network.currentIndexChanged.connect(self._on_network_changed)
        self.way.currentIndexChanged.connect(self._on_way_changed)
        self.count.valueChanged.connect(self._compute)
        self.other.activated.connect(self._on_other_chosen)

    def _box(self, name: str, title: str) -> QComboBox:
        box = named(QComboBox(self), name, title)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.setMaximumWidth(340)
        return box

    def _choose_way(self, window: WindowContext) -> None:
        """Begin with the keys that the window shows."""
        now = window.document.keys
        way = {"found": "found", "file": "file"}.get(now.by, "")
        if now.by == "shipped":
            way = "shipped" if now.count == 8 else "shipped-16"
        if not way:
            sizes = self._bank.sizes
            way = "published" if (7, 7) in sizes else "shipped"
        self._keys_file = now.path
        self.count.setValue(now.count)
        self.way.setCurrentIndex(self.way.findData(way))

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setColumnStretch(1, 1)
        grid.setVerticalSpacing(8)
        what = in_row(None, self.way, self.count, self.file, self.other, 1)
        network = in_row(None, self.network, 1)
        for row, (title, line) in enumerate(
            (("Network", network), ("By", what), ("Sizes", self.sizes))
        ):
            label = label_of(self, title, role="secondary")
            grid.addWidget(label, row, 0)
            grid.addLayout(line, row, 1)
        buttons = line_of(self.write, self.stop, self.shut)
        rows = (note_of(self, TEXT), grid, (self.preview, 1), self.bar, self.status)
        self.lay_out(*rows, buttons, spacing=10)

    # What was chosen

    @property
    def _bank(self) -> KernelBank:
        """The network to write; that which was closed meanwhile is the first one."""
        identity = self.network.currentData()
        banks = {model.id: model.bank for model in self._window.document.models}
        return banks.get(identity) or next(iter(banks.values()))

    def _wish(self) -> Wish:
        way = str(self.way.currentData())
        sizes = tuple(size for size, box in self.checks.items() if box.isChecked())
        if way in ("family", "reconstruction", "noise", "other"):
            ways: dict[str, By] = {
                "family": "family",
                "reconstruction": "reconstruction",
                "noise": "noise",
            }
            return Wish(ways.get(way, "other"), sizes)
        named = {"found": str(self.count.value()), "file": self._keys_file}
        return Wish("keys", sizes, named.get(way, way))

    def _on_network_changed(self) -> None:
        for box in self.checks.values():
            self.sizes.removeWidget(box)
            box.deleteLater()
        while self.sizes.count():
            self.sizes.takeAt(0)
        self.checks = {}
        for size, kernels in self._bank.sizes.items():
            box = QCheckBox(f"{size_label(size)} ({spaced(len(kernels))})", self)
            box.setObjectName(f"rewrite{size_label(size)}")
            box.setAccessibleName(f"Replace kernels of {size_label(size)}")
            box.setChecked(True)
            box.toggled.connect(self._compute)
            self.checks[size] = box
            self.sizes.addWidget(box)
        self.sizes.addStretch(1)
        self._fill_others()
        self._on_way_changed()

    def _fill_others(self) -> None:
        self.other.clear()
        mine = self._bank
        for model in self._window.document.models:
            if model.bank is not mine:
                self.other.addItem(model.bank.name, model.id)
        if self._other_file:
            self.other.addItem(shown(Path(self._other_file).name), self._other_file)
        self.other.addItem("a file…", "")

    def _on_way_changed(self) -> None:
        way = self.way.currentData()
        self.count.setVisible(way == "found")
        self.file.setVisible(way == "file")
        self.other.setVisible(way == "other")
        name = shown(Path(self._keys_file).name) if self._keys_file else ""
        self.file.setText(name or "Choose…")
        self.file.setAccessibleName(f"Keys of a file: {name or 'none'}")
        if way == "published":
            for size, box in self.checks.items():
                box.blockSignals(True)
                box.setChecked(size == (7, 7))
                box.blockSignals(False)
        self._compute()

    def _on_file_asked(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            *(self, "Keys of a file", self._window.settings.last_folder),
            "Tables of keys (*.csv)",
        )
        if path:
            self._keys_file = path
            self._on_way_changed()

    def _on_other_chosen(self) -> None:
        if self.other.currentData() == "":
            path, _ = QFileDialog.getOpenFileName(
                self, "Kernels of another network", self._window.settings.last_folder
            )
            self._other_file = path or self._other_file
            self._fill_others()
            if path:
                self.other.setCurrentIndex(self.other.findData(path))
        self._compute()

    def _giver(self) -> KernelBank | Path | None:
        found = self.other.currentData()
        if isinstance(found, str):
            return Path(found) if found else None
        return self._window.document.model(found).bank

    # What stands for the kernels

    def _compute(self) -> None:
        """Compute it anew, and show it."""
        self._made = None
        wish, giver = self._wish(), None
        if wish.by == "other" and (giver := self._giver()) is None:
            self._end("Choose a network whose kernels are to be taken.")
            return
        if wish.by == "keys" and not wish.keys:
            self._end("Choose a file of keys, as “kernelviewer keys --save” writes it.")
            return
        if not wish.sizes:
            self._end("Choose a size of kernels.")
            return
        self._begin(COMPUTES)
        self.ticket = self._window.jobs.submit(
            "compute",
            "rewriting",
            f"Approximate {self._bank.name}",
            self._reaction(self._on_made),
            approximate_network,
            self._bank,
            wish,
            giver,
        )

    def _reaction(self, done: object) -> Reaction:
        return Reaction(
            done=done,  # type: ignore[arg-type]
            failed=lambda text, hint: self._end(with_hint(text, hint)),
            stopped=lambda: self._end("Stopped before it was done."),
            progress=self._on_progress,
            quiet=not self._writes,
        ).while_alive(self)

    def _begin(self, text: str) -> None:
        self.status.setText(text)
        self.bar.setRange(0, 0)
        self._show_state(running=True)

    def _end(self, text: str) -> None:
        """Say what came of it, or why nothing did."""
        self._writes = False
        self.status.setText(text)
        if self._made is None:
            self._show_sizes(())
        self._show_state(running=False)

    def _show_state(self, *, running: bool) -> None:
        self.bar.setVisible(running)
        self.stop.setVisible(running)
        self.write.setEnabled(not running and self._made is not None)
        for widget in (self.network, self.way, self.count, self.other, self.file):
            widget.setEnabled(not self._writes)
        for box in self.checks.values():
            box.setEnabled(not self._writes)
        if self._made is not None and not running:
            make_default(self.write)

    def _on_progress(self, done: int, total: int, text: str) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def _on_made(self, made: Approximated | Refusal) -> str:
        if isinstance(made, Refusal):
            self._end(str(made))
            return str(made)
        self._made = made
        self._show_sizes(made.sizes)
        kernels = sum(item.kernels for item in made.sizes)
        layers = len(made.replaced)
        text = f"{spaced(kernels)} kernels of {layers} layers {made.how}"
        self._end(f"To be written: {text}.")
        return text

    def _show_sizes(self, sizes: Sequence[SizeReplaced]) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setSpacing(10)
        for item in sizes:
            row = BeforeAfter(item, body)
            row.set_colours(self._window.looks.weights)
            column.addWidget(row)
        column.addStretch(1)
        self.preview.setWidget(body)

    # Writing

    def _on_write(self) -> None:
        made = self._made
        if made is None:
            return
        source = made.checkpoint.path
        start = source.with_name(f"{source.stem}-approximated{source.suffix}")
        suffix = source.suffix or ".bin"
        kinds = {suffix: made.checkpoint.format.partition(",")[0]}
        path = ask_where(self, "Write the approximated network", start, kinds)
        if path is None:
            return
        self._writes = True
        self._begin(f"Writing {shown(path)}…")
        freeze = self._wish().by == "other"

        def done(found: list[Path] | Refusal) -> str:
            if isinstance(found, Refusal):
                self._end(str(found))
                return str(found)
            names = " and ".join(shown(extra.name) for extra in found[1:])
            text = f"Written: {shown(path)}, with {names} beside it"
            self._end(text)
            self._window.statusBar().showMessage(text)
            return text

        self.ticket = self._window.jobs.submit(
            "compute",
            "rewrite",
            f"Write {shown(path.name)}",
            self._reaction(done),
            write_approximated,
            made,
            path,
            freeze,
        )
