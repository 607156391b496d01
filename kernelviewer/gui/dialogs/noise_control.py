"""What the method finds where there is no structure: distributions over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt

from kernelviewer.formats.errors import with_hint
from kernelviewer.gui import theme
from kernelviewer.gui.controls import (
    PlotPanel,
    WorkDialog,
    curve_pen,
    dialog_button,
    label_of,
    line_of,
    make_default,
    note_of,
    progress_bar,
)
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import percent, spaced
from kernelviewer.jobs.tasks import run_null_test
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import INDEX, class_shown

if TYPE_CHECKING:
    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.latent.noise_control import NullTest

BINS = 100
TEXT = (
    "Fit of the open kernels with the autoencoder, beside that of white noise, the "
    "same kernels with their taps shuffled, and untrained networks of the same shapes. "
    "Where the curves part, the kernels have structure that the autoencoder did not "
    "put there."
)
RUNNING = "Encoding each kind of kernels, and training a curve on each…"
GIVES_UP = "Closing this window gives the test up."
CANCELLED = "Cancelled before it was done."
NO_AUTOENCODER = (
    "There is no autoencoder for the kernels that are shown; open a network, or "
    "train one."
)
COLOURS = [INDEX[name] for name in ("d1-x", "on-centre", "off-square", "d2-xy")]
"""Classes whose colours the conditions borrow: they tell apart in both themes."""


class NullTestDialog(WorkDialog):
    """Runs the test for the shown size, and plots what came of it."""

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window, "nullTestDialog", "Null test")
        self._window = window
        self._test: NullTest | None = None
        self.setMinimumSize(540, 540)
        self.resize(720, 640)
        axes = ("fit, cosine", "share of the kernels per bin")
        self.panel = PlotPanel("nullPlot", axes, self)
        self.panel.plot.setXRange(-0.2, 1)
        self.table = label_of(self, name="nullTable")
        self.table.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = progress_bar(self, "nullProgress", "How much of the test is done")
        self.again = dialog_button(self, "Run Again", "runNullTest", self._begin)
        self.stop = dialog_button(self, "Stop", "stopNullTest", self.give_up)
        self.shut = dialog_button(self, "Close", "closeNullTest", self.close)
        note, buttons = note_of(self, TEXT), line_of(self.again, self.stop, self.shut)
        self.lay_out(note, (self.panel, 1), self.bar, self.table, buttons, spacing=12)
        window.looks_changed.connect(self._on_looks_changed)
        self._begin()

    def _begin(self) -> None:
        document = self._window.document
        size = document.size
        autoencoder = document.autoencoders.get(size) if size else None
        if size is None or autoencoder is None:
            self._end(NO_AUTOENCODER)
            return
        self.setWindowTitle(f"Null test of {size_label(size)} kernels")
        self.panel.say(RUNNING)
        self.table.setText(GIVES_UP)
        self.table.setProperty("role", "secondary")
        self.table.style().polish(self.table)
        self.bar.setRange(0, 1)
        self._show_state(running=True)
        self.ticket = self._window.jobs.submit(
            "compute",
            "null test",
            f"Null test of {size_label(size)}",
            Reaction(
                done=self._on_done,
                failed=self._on_failed,
                stopped=lambda: self._end(CANCELLED),
                progress=self._on_progress,
            ).while_alive(self),
            run_null_test,
            document.banks,
            autoencoder,
            document.marks.thresholds.get(size),
            self._window.settings.device,
        )

    def _show_state(self, *, running: bool) -> None:
        self.bar.setVisible(running)
        self.stop.setVisible(running)
        self.table.setVisible(running or self._test is not None)
        self.again.setVisible(not running and self._test is None)
        ways = (self.stop, self.again, self.shut)
        make_default(next(way for way in ways if not way.isHidden()))

    def _end(self, text: str) -> None:
        """Nothing came of it, and why."""
        self.panel.say(text)
        self._show_state(running=False)

    def _on_progress(self, done: int, total: int, text: str) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.panel.say(f"{RUNNING}\n\n{text.removeprefix('null test: ')}")

    def _on_failed(self, message: str, hint: str) -> None:
        self._end(with_hint(message, hint))

    def _on_done(self, test: NullTest) -> str:
        self._test = test
        self._show_state(running=False)
        self._show_test(test)
        trained, noise = test.conditions[0], test.conditions[1]
        return f"{percent(trained.coverage)} against {percent(noise.coverage)} of noise"

    def _on_looks_changed(self) -> None:
        if self._test is not None:
            self._show_test(self._test)

    def _show_test(self, test: NullTest) -> None:
        import pyqtgraph

        tokens = theme.tokens()
        plot = self.panel.plot
        plot.clear()
        edges = np.linspace(-0.2, 1, BINS + 1)
        for number, item in enumerate(test.conditions):
            counts, _ = np.histogram(item.fit, edges)
            share = counts / max(1, len(item.fit))
            line = curve_pen(_colour(number, tokens), 1 if number else 2)
            plot.plot(edges, share, stepMode="center", pen=line)
        look = {"color": tokens.secondary, "position": 0.96, "anchors": [(1, 0)] * 2}
        line = pyqtgraph.InfiniteLine(
            test.threshold,
            pen=curve_pen(tokens.secondary, 1),
            label=f"threshold {test.threshold:.3f}",
            labelOpts=look,
        )
        plot.addItem(line)
        self.panel.show_plot()
        self.table.setProperty("role", "")
        self.table.style().polish(self.table)
        self.table.setText(table_html(test, tokens))


def table_html(test: NullTest, tokens: Tokens) -> str:
    """The conditions with the colours of their curves, numbers at the right."""
    rows = [_row("", "kernels", "identified", "by a curve of their own")]
    for number, item in enumerate(test.conditions):
        sign = f"<span style='color: {_colour(number, tokens)}'>■</span>"
        own = "–" if np.isnan(item.own_coverage) else percent(item.own_coverage)
        cells = (f"{sign} {item.name}", spaced(len(item.fit)))
        rows.append(_row(*cells, percent(item.coverage), own))
    return f"<table cellspacing='0'>{''.join(rows)}</table>"


def _row(*cells: str) -> str:
    first, *numbers = cells
    left = f"<td style='padding: 2px 0'>{first}</td>"
    place = "align='right' style='padding: 2px 0 2px 28px'"
    return f"<tr>{left}{''.join(f'<td {place}>{cell}</td>' for cell in numbers)}</tr>"


def _colour(number: int, tokens: Tokens) -> str:
    """Colour of a condition's curve."""
    item = class_shown(COLOURS[number])
    return item.dark if tokens.dark else item.light
