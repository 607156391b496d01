"""A few keys for all kernels: which, how much each carries, and where they fail.

`KeysScheduler` finds the keys and the key of every kernel; what they carry of the
kernels in scope is computed here, in the background, as `kernelviewer keys` does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QFileDialog,
    QFrame,
    QInputDialog,
    QPushButton,
    QScrollArea,
    QWidget,
)

from kernelviewer.gui.acts import mode_of
from kernelviewer.gui.controls import chart_choice, label_of, named
from kernelviewer.gui.painting.pixels import AreaRing
from kernelviewer.gui.text import percent, spaced
from kernelviewer.gui.view import (
    Computed,
    Controller,
    Home,
    ViewFigure,
    ViewSpec,
    view_keys,
)
from kernelviewer.gui.views.keys.chart import KeyCurve, R2Chart
from kernelviewer.gui.views.keys.tiles import FocusedKey, KeyOfKernel, KeyTile, KeyTiles
from kernelviewer.jobs.analysing import approximate_shown
from kernelviewer.kernels.bank import size_label
from kernelviewer.state.keys import MOST, KeyChoice, KeysBy
from kernelviewer.state.layer_tree import short_names
from kernelviewer.state.selection import Kernels, Layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from PySide6.QtGui import QResizeEvent

    from kernelviewer.gui.controls import ChoiceButton
    from kernelviewer.state.document import Document
    from kernelviewer.state.keys import PoolKeys, ShownByKeys
    from kernelviewer.state.model import LayerRef
    from kernelviewer.state.view_state import ViewState

NOTHING_OPEN = "Open a checkpoint: its kernels are approximated by a few keys here."
SEEKS = "Keys are being sought…"
OFFERED: tuple[tuple[KeysBy, int], ...] = (
    *(("published", 8), ("shipped", 8), ("shipped", 16)),
    *(("found", 1), ("found", 4), ("found", 8), ("found", 16), ("found", 24)),
    *(("centroids", 8), ("centroids", 16)),
)
OTHER, FILE = "other", "file"
BRIEF = {
    f"{by} {count}": text.format(count)
    for by, text in (
        ("published", "published"),
        ("shipped", "best {}"),
        ("found", "{} found"),
        ("centroids", "{} centroids"),
    )
    for count in range(1, MOST + 1)
}
"""Sets of keys where room is scarce."""
PUBLISHED_SIZE = (7, 7)
_WIDE = 640
"""From so many pixels on the parts stand side by side."""


def choices(now: KeyChoice) -> dict[str, str]:
    """Sets of keys by name; that in use is among them."""
    offered = list(OFFERED)
    if now.by != "file" and (now.by, now.count) not in offered:
        offered.append((now.by, now.count))
    texts = {
        "published": "published 8",
        "shipped": "best {} of eight networks",
        "found": "{} found for the open ones",
        "centroids": "{} centroids",
    }
    found = {f"{by} {count}": texts[by].format(count) for by, count in offered}
    found[OTHER] = "another number…"
    if now.by == "file":
        found[f"file {now.count}"] = Path(now.path).name
    return {**found, FILE: "from a file…"}


class KeysView(QScrollArea):
    """What is said of the keys, the keys, the focused kernel, R² by layer and number.

    Setters never emit.
    """

    again_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "keysView", "Keys, and the focused kernel by its key")
        self.setFrameShape(QFrame.Shape.NoFrame)
        AreaRing(self)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget(self)
        self.facts = label_of(body, name="keysFacts", role="secondary", wraps=True)
        self.again = QPushButton("Seek Again", body)
        named(self.again, "seekKeysAgain", "Seek keys again")
        self.again.clicked.connect(self.again_requested)
        self.again.hide()
        self.tiles = KeyTiles(body)
        self.focused = KeyOfKernel(body)
        self.layers = R2Chart(body)
        self.curve = KeyCurve(body)
        left = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        left.setSpacing(2)
        for widget in (self.facts, self.again, self.tiles, self.focused):
            left.addWidget(widget)
        left.addStretch(1)
        self._left = left
        right = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        right.addWidget(self.layers, 3)
        right.addWidget(self.curve, 2)
        self._flow = QBoxLayout(QBoxLayout.Direction.TopToBottom, body)
        self._flow.setContentsMargins(4, 4, 4, 4)
        self._flow.setSpacing(4)
        self._flow.addLayout(left, 1)
        self._flow.addLayout(right, 1)
        self.facts.setContentsMargins(6, 0, 6, 2)
        self.setWidget(body)
        self.show_nothing("")

    def show_nothing(self, text: str, *, again: bool = False) -> None:
        """Say why there are no keys, or what would give some."""
        self.say(text)
        self.again.setVisible(again)
        self.tiles.set_tiles(())
        self.tiles.set_marked(None)
        self.focused.set_content(None)
        self.layers.set_layers(())
        self.layers.set_selected(frozenset())
        self.curve.set_curve(())
        self.show_charts(False)

    def say(self, text: str) -> None:
        """Say something of the keys."""
        self.facts.setText(text)

    def show_charts(self, shown: bool) -> None:
        """Show both charts, or none."""
        self.layers.setVisible(shown)
        self.curve.setVisible(shown)

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Colour weights by [K, 3] of 0 … 255, zero in the middle."""
        self.tiles.set_colours(colours)
        self.focused.set_colours(colours)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: side by side where there is room."""
        wide = self.width() >= _WIDE
        ways = QBoxLayout.Direction
        self._flow.setDirection(ways.LeftToRight if wide else ways.TopToBottom)
        super().resizeEvent(event)


class KeysController(Controller):
    """Shows what the keys carry of the kernels in scope; lets others be chosen."""

    def listen(self) -> None:
        """Keys, layers, another set."""
        self.view: KeysView = self.parts.keys
        self.choice: ChoiceButton = self.parts.keys_choice
        title = "What keys carry of the kernels"
        self._shown = Computed(
            *(self.jobs, "compute", "keys shown", title, approximate_shown, self.again)
        )
        self._last: ShownByKeys | None = None
        self.choice.chosen.connect(self._on_chosen)
        self.view.tiles.key_requested.connect(self._on_key_requested)
        self.view.layers.layer_requested.connect(self._on_layer_requested)
        self.view.again_requested.connect(self.window.key_finder.again)
        self.window.key_finder.changed.connect(self.again)

    def show(self, state: ViewState) -> None:
        """Show tiles at once, what they carry as soon as it is known."""
        if self.is_news("choice", choice := self.document.keys):
            self.choice.set_choices(choices(choice))
            self.choice.set_choice(f"{choice.by} {choice.count}")
        self.window.key_finder.request()
        pool, keys = state.pool, state.by_keys
        if pool is None or keys is None:
            self._shown.forget()
            self._last = None
            self.forget("tiles", "charts", "focus", "facts", "selected")
            problem = self.window.key_finder.problem
            text = problem or (NOTHING_OPEN if pool is None else SEEKS)
            self.view.show_nothing(text, again=bool(problem))
            return
        self.view.again.hide()
        carried = self._shown.of(pool, state.shown, keys.keys)
        if carried is not None:
            self._last = carried
        last = self._last
        if last is not None and (
            last.pool is not pool or last.found.keys is not keys.keys
        ):
            last = self._last = None
        marks = (state.counted, state.counted_selected)
        if self.is_news("tiles", keys, *marks, last):
            self.view.tiles.set_tiles(_tiles(keys, *marks, last))
        if self.is_news("facts", keys, *marks, last):
            self.view.say(_facts(keys, *marks, last))
        if self.is_news("charts", last):
            self._show_charts(state, last)
        if self.is_news("selected", last, state.selected):
            self.view.layers.set_selected(_selected_layers(state, last))
        if self.is_news("focus", keys, state.focus):
            self._show_focus(state, keys)

    def _show_charts(self, state: ViewState, last: ShownByKeys | None) -> None:
        self.view.show_charts(last is not None)
        if last is None:
            self.view.layers.set_layers(())
            self.view.curve.set_curve(())
            return
        names = {model.id: short_names(model.bank) for model in last.pool.models}
        labels = [names[layer.ref.model][layer.ref.layer] for layer in last.layers]
        null = last.found.null
        self.view.layers.set_layers(last.layers, labels, null.quantiles, null.mean)
        self.view.curve.set_curve(last.found.curve)

    def _show_focus(self, state: ViewState, keys: PoolKeys) -> None:
        focus, pool = state.focus, state.pool
        made = None if focus is None else keys.of(focus)
        if focus is None or pool is None or made is None:
            self.view.tiles.set_marked(None)
            self.view.focused.set_content(None)
            return
        key, gain = int(keys.key[focus]), float(keys.gain[focus])
        pattern = keys.keys.patterns[key] * np.float32(np.sign(gain) or 1)
        self.view.tiles.set_marked(key)
        kernel = np.asarray(pool.weights_of(focus), np.float32)
        offset, r2 = float(keys.offset[focus]), float(keys.r2[focus])
        null = keys.found.null.mean
        content = FocusedKey(kernel, pattern, made, key, gain, offset, r2, null)
        self.view.focused.set_content(content)

    # What is asked for

    def _on_chosen(self, name: str) -> None:
        now = self.document.keys
        if name == FILE:
            path, _ = QFileDialog.getOpenFileName(
                *(self.window, "Keys of a file", self.window.settings.last_folder),
                "Tables of keys (*.csv)",
            )
            choice = replace(now, by="file", path=path) if path else now
        elif name == OTHER:
            text = "Keys to find for the open networks"
            count, agreed = QInputDialog.getInt(
                self.window, "Keys", text, now.count, 1, MOST
            )
            choice = KeyChoice("found", count) if agreed else now
        else:
            word, count_text = name.split()
            by = next(by for by in get_args(KeysBy) if by == word)
            path = now.path if by == "file" else ""
            choice = KeyChoice(by, int(count_text), path)
        self.document.choose_keys(choice)
        self.forget("choice")  # what was given up is shown as it was
        self.again()

    def _on_key_requested(self, number: int, keys: Qt.KeyboardModifier) -> None:
        """Select the kernels in scope that a key stands for."""
        state = self.window.state
        if state.pool is not None and state.by_keys is not None:
            own = (state.by_keys.key == number) & state.shown
            query = replace(Kernels.of(state.pool, own), name=f"key {number + 1}")
            self.document.select(mode_of(keys), query)

    def _on_layer_requested(self, ref: LayerRef, keys: Qt.KeyboardModifier) -> None:
        self.document.select(mode_of(keys), Layers(frozenset({ref})))


def _tiles(
    keys: PoolKeys,
    counted: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    carried: ShownByKeys | None,
) -> tuple[KeyTile, ...]:
    """The keys by what each adds; in their own order while that is computed."""
    counts, selected = keys.counts(counted).tolist(), keys.counts(chosen).tolist()
    patterns = keys.keys.patterns
    if carried is None:
        return tuple(
            KeyTile(n, patterns[n], counts[n], selected[n]) for n in range(len(counts))
        )
    found = carried.found
    return tuple(
        KeyTile(
            *(n, patterns[n], counts[n], selected[n]),
            *(float(found.use[n, 0]), float(found.use[n, 1]), mean),
        )
        for n, (mean, _) in zip(found.order, found.curve, strict=True)
    )


def _facts(
    keys: PoolKeys,
    counted: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    carried: ShownByKeys | None,
) -> str:
    """What the keys are, and what they keep beside white noise."""
    count, null = len(keys.keys), keys.found.null
    number = f"{count} key" if count == 1 else f"{count} keys"
    which = "; ".join(filter(None, (keys.keys.name, keys.found.note)))
    parts = [f"{number} of {size_label(keys.keys.size)} ({which})"]
    kernels = int(np.count_nonzero(counted & (keys.key >= 0)))
    if carried is not None:
        mean, words = carried.found.mean, f"of {spaced(kernels)} kernels"
        text = f"mean R² {mean:.3f} {words}, white noise {null.mean:.3f}"
        parts.append(f"{text} (99 % of it below {null.q99:.2f})")
    elif not kernels:
        parts.append("no kernel in scope has a pattern")
    own = keys.r2[chosen]
    own = own[np.isfinite(own)]
    if len(own):
        share = percent(len(own) / max(1, kernels))
        parts.append(f"selected {share}: R² {own.mean(dtype=float):.3f}")
    return "; ".join(parts)


def _selected_layers(state: ViewState, last: ShownByKeys | None) -> frozenset[int]:
    """Numbers of the charts' layers with selected kernels."""
    if last is None or state.pool is None or not state.selected.any():
        return frozenset()
    refs = state.pool.layer_refs
    there = {refs[i] for i in np.unique(state.pool.layer[state.selected]).tolist()}
    return frozenset(n for n, layer in enumerate(last.layers) if layer.ref in there)


def _figure_options(document: Document) -> Mapping[str, Any]:
    """The keys of a figure: those in use."""
    now = document.keys
    if now.by == "found":
        return {"key_set": "", "keys": now.count}
    if now.by == "published" and document.size != PUBLISHED_SIZE:
        return {"key_set": "shipped", "keys": now.count}
    numbered = now.by in ("shipped", "centroids")
    return {"key_set": now.path or now.by, "keys": now.count if numbered else None}


KEYS = ViewSpec(
    id="keys",
    title="Keys",
    make={"keys": KeysView},
    controls={
        "keys_choice": chart_choice("keysChoice", "Keys", choices(KeyChoice()), BRIEF)
    },
    controller=KeysController,
    reads=(
        *("models", "pool", "size", "shown", "counted", "counted_selected"),
        *("selected", "focus", "by_keys"),
    ),
    keys=(
        view_keys(
            "Keys",
            "views.keys.tiles",
            (
                "Select the kernels that a key stands for",
                "click; arrow keys, Home, End, then Space or Enter",
            ),
        ),
    ),
    figures={
        "keyTiles": ViewFigure("keys", options=_figure_options),
        "r2Chart": ViewFigure("r2", options=_figure_options),
        "keyCurve": ViewFigure("r2", options=_figure_options),
    },
    home=Home("right", 1, 5),
    homes={"compare": Home("bottom", 0, 5)},
)
