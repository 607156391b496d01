"""A corpus in the window: its networks, and a line of text that finds kernels in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QWidget,
)

from kernelviewer.formats.errors import with_hint
from kernelviewer.gui.controls import in_column, in_row, label_of, named
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import as_tip, spaced
from kernelviewer.gui.theme import CONTROL, as_field
from kernelviewer.gui.view import Controller, ViewSpec
from kernelviewer.gui.views.network_table import (
    FIT,
    IDENTIFIED,
    KERNELS,
    LAST,
    NAME,
    NULL,
    TIPS,
    NetworkOverview,
)
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.state.model import Drawn, KernelRef
from kernelviewer.state.pool import make_pool
from kernelviewer.state.similarity import likeness
from kernelviewer.text import shown

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PySide6.QtWidgets import QLabel, QMenu

    from kernelviewer.corpus.query import Questions
    from kernelviewer.jobs.corpus import Count, Line, OpenCorpus
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.view_state import ViewState

MOST, MOST_POSSIBLE = 100_000, 2_000_000
"""Kernels that are opened at once, until that is changed, and at all."""
NEAREST, NEAREST_POSSIBLE = 200, 100_000
SEED = 0
"""Of samples: the same question has the same answer."""


class CorpusNetworks(NetworkOverview):
    """The networks of a corpus, a row each."""

    first = (NAME, KERNELS, IDENTIFIED)
    last = (NULL, *LAST)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.search.setObjectName("corpusSearch")
        self.search.setPlaceholderText("Find networks in the table…")
        self.counts.setObjectName("corpusCounts")
        self.kernels.setObjectName("openNetworks")
        named(self.table, "corpusTable", "Networks of the corpus, a row each")
        size = "Mean fit of the kernels of the size that is most frequent in the corpus"
        self.source.tips = {**TIPS, FIT: size}
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(0, 0, 0, 0)
        layout.removeWidget(self.note)  # rows say it, of thousands it would be long
        self.note.setFixedSize(0, 0)

    def fill_menu(self, menu: QMenu, picked: frozenset[int]) -> None:
        """Offer what can be done with the picked networks."""
        action = menu.addAction(self.kernels.text(), self.kernels_requested.emit)
        action.setEnabled(self.kernels.isEnabled())


class CorpusPage(QWidget):
    """What a corpus is, a line that finds kernels, and a table of networks.

    Signals carry what the user asks for; setters draw and stay silent.
    """

    line_changed = Signal()
    """Another line, limit, or way to keep it is there."""
    kernels_requested = Signal()
    similar_requested = Signal()
    leave_requested = Signal()
    close_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.facts = _label("corpusFacts", self)
        self.leave = QPushButton("Show Kernels", self)
        named(self.leave, "leaveCorpus", "Show the kernels that are open")
        self.leave.clicked.connect(lambda: self.leave_requested.emit())
        close = QToolButton(self)
        close.setObjectName("closeCorpus")
        close.setText("×")
        close.setProperty("quiet", True)
        close.setAccessibleName("Close the corpus")
        close.setToolTip("Close the corpus; what was opened of it stays")
        close.clicked.connect(lambda: self.close_requested.emit())
        self.line = named(QLineEdit(self), "corpusLine", "Which kernels of the corpus")
        self.line.setPlaceholderText("class=on-centre fit>0.9 size=7x7 depth<3")
        self.line.setClearButtonEnabled(True)
        self.found = _label("corpusFound", self)
        self.found.setWordWrap(True)
        self.most = _number("corpusMost", "Most kernels to open at once", self)
        self.most.setRange(1, MOST_POSSIBLE)
        self.most.setValue(MOST)
        self.most.setSingleStep(10_000)
        self.most.setPrefix("at most ")
        self.sample = QCheckBox("a sample of more", self)
        self.sample.setObjectName("corpusSample")
        self.sample.setAccessibleName("Open a sample where there are more kernels")
        self.sample.setToolTip(
            "Where more kernels are found than are opened: a random sample in place of "
            "the first"
        )
        self.kernels = named(QPushButton(self), "openKernels")
        self.kernels.setProperty("primary", True)
        self.nearest = _number("corpusNearest", "Similar kernels to open", self)
        self.nearest.setRange(1, NEAREST_POSSIBLE)
        self.nearest.setValue(NEAREST)
        self.nearest.setSingleStep(100)
        self.similar = QPushButton("Open Similar", self)
        self.similar.setObjectName("openSimilar")
        self.similar.setAccessibleName("Open kernels similar to the focused one")
        self.similar.setToolTip("The kernels of the corpus nearest to the focused one")
        self.networks = CorpusNetworks(self)
        self._lay_out(close)
        self.line.textChanged.connect(lambda: self.line_changed.emit())
        self.line.returnPressed.connect(self.kernels.click)
        self.most.valueChanged.connect(lambda: self.line_changed.emit())
        self.sample.toggled.connect(lambda: self.line_changed.emit())
        self.kernels.clicked.connect(lambda: self.kernels_requested.emit())
        self.similar.clicked.connect(lambda: self.similar_requested.emit())

    def _lay_out(self, close: QWidget) -> None:
        head = in_row(None, (self.facts, 1), self.leave, close, spacing=8)
        ask = in_row(None, (self.found, 1), self.kernels, spacing=8)
        few, like = (self.most, self.sample), (self.nearest, self.similar)
        near = in_row(None, *few, 1, *like, spacing=8)
        rows = (head, self.line, ask, near, (self.networks, 1))
        in_column(self, *rows, margins=(12, 4, 12, 8), spacing=8)

    # Setters

    def set_corpus(self, opened: OpenCorpus) -> None:
        """Show this one."""
        from kernelviewer.jobs.corpus import LINE_HELP

        self.line.setToolTip(as_tip(LINE_HELP[0].upper() + LINE_HELP[1:]))
        corpus = opened.corpus
        networks, sizes = len(corpus.networks), corpus.sizes()
        text = f"{opened.name}: {spaced(corpus.kernels)} kernels of {spaced(networks)} "
        text += f"network{'s' * (networks != 1)}"
        few = ", ".join(size_label(tuple(map(int, k.split("x")))) for k in [*sizes][:4])
        more = f" and {len(sizes) - 4} more sizes" if len(sizes) > 4 else ""
        self.facts.setText(f"{text}; {few}{more}" if sizes else text)
        self.facts.setToolTip(as_tip(shown(corpus.folder)))
        keys = [tuple(map(int, key.split("x"))) for key in sizes]
        self.networks.set_rows((), ())  # numbers of networks are others in another one
        self.networks.set_rows(opened.rows, tuple(keys))
        self.line.setText(f"size={next(iter(sizes))}" if sizes else "")

    def set_found(self, text: str, button: str, *, wrong: bool = False) -> None:
        """Say what the line finds; an empty ``button``: nothing can be opened."""
        self.found.setProperty("role", "error" if wrong else "secondary")
        self.found.style().polish(self.found)
        self.found.setText(text)
        self.kernels.setText(button or "Open Kernels")
        self.kernels.setAccessibleName(self.kernels.text())
        self.kernels.setEnabled(bool(button))

    def set_networks(self, button: str, *, ready: bool) -> None:
        """Say what would be opened of the picked networks."""
        self.networks.kernels.setText(button)
        self.networks.kernels.setAccessibleName(button)
        self.networks.kernels.setEnabled(ready)


def _label(name: str, parent: QWidget) -> QLabel:
    label = label_of(parent, name=name, role="secondary", plain=True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _number(name: str, title: str, parent: QWidget) -> QSpinBox:
    field = QSpinBox(parent)
    as_field(field)
    named(field, name, title, tip=title)
    field.setKeyboardTracking(False)
    field.setMinimumHeight(CONTROL)
    field.setLocale(QLocale(QLocale.Language.French))  # thousands as `spaced` has them
    field.setGroupSeparatorShown(True)
    return field


class CorpusController(Controller):
    """Asks the corpus in the background, and opens of it what is wanted."""

    def listen(self) -> None:
        """Take in a corpus that is opened, and what is asked of it."""
        self.view: CorpusPage = self.parts.corpus
        self._asking: Questions | None = None
        self._line: Line | None = None
        self._count: Count | None = None
        self._taken: set[Path] = set()
        window = self.window
        window.opener.corpus_found.connect(self._take)
        window.opener.drawn.connect(self._scroll_to_nearest)
        self.view.line_changed.connect(self._ask)
        self.view.kernels_requested.connect(self._open_found)
        self.view.similar_requested.connect(self._open_similar)
        self.view.leave_requested.connect(lambda: window.show_corpus(False))
        self.view.close_requested.connect(self._close)
        networks = self.view.networks
        networks.scope_requested.connect(lambda _: self._say_picked())
        networks.kernels_requested.connect(self._open_picked)
        networks.open_requested.connect(lambda row: self._open_rows([row]))
        networks.leave_requested.connect(lambda: window.show_corpus(False))

    def show(self, state: ViewState) -> None:
        """A kernel is looked at, networks are open; theirs is the corpus of a session.

        A corpus that networks were made of is open, too, unless it was closed by hand.
        """
        self.view.leave.setVisible(bool(state.models))
        self.view.similar.setEnabled(state.focus is not None)
        if self._line is not None and self._line.least is not None:
            kernel = self._focused()
            if self.is_news("kernel", None if kernel is None else kernel.tobytes()):
                self._ask()
        for model in state.models if self.window.corpus is None else ():
            folder = model.bank.path
            if model.drawn is not None and folder not in self._taken:
                from kernelviewer.jobs.corpus import open_corpus

                self._taken.add(folder)
                reaction = Reaction(done=self._take_quietly, quiet=True)
                name, title = "corpus", f"Open {shown(folder.name)}"
                task = open_corpus
                self.jobs.submit("files", name, title, reaction, task, folder)
                break

    def _take(self, opened: OpenCorpus) -> None:
        self._take_quietly(opened)
        self.window.show_corpus(True)

    def _take_quietly(self, opened: OpenCorpus) -> None:
        """Have this corpus in the place of another."""
        from kernelviewer.corpus.query import Questions

        self._stop()
        self._asking = Questions(opened.corpus)
        self._taken.add(opened.corpus.folder)
        self.window.corpus = opened
        self.view.set_corpus(opened)
        self._ask()

    def _close(self) -> None:
        self._stop()
        self.window.corpus = self._asking = None
        self.view.networks.set_rows((), ())
        self.window.show_corpus(False)

    def _stop(self) -> None:
        """What is being counted is of no interest any more."""
        self.jobs.cancel("corpus count")
        if self._asking is not None:
            self._asking.interrupt()

    def _ask(self) -> None:
        """Count what the line finds; whatever was being counted ends."""
        from kernelviewer.corpus.store import CorpusError
        from kernelviewer.jobs.corpus import count, read_line

        opened, questions = self.window.corpus, self._asking
        self._stop()
        self._line = self._count = None
        if opened is None or questions is None:
            return
        self._say_picked()
        try:
            line = read_line(self.view.line.text())
        except CorpusError as error:
            self.view.set_found(str(error), "", wrong=True)
            return
        self._line = line
        self.view.set_found("counting…", "")
        kernel = self._focused() if line.least is not None else None
        reaction = Reaction(done=self._say, failed=self._say_problem, quiet=True)
        name, title, most = "corpus count", "Count kernels", self.view.most.value()
        self.jobs.submit(
            "views", name, title, reaction, count, questions, line, kernel, most
        )

    def _say(self, found: Count) -> None:
        from kernelviewer.corpus.store import CorpusError
        from kernelviewer.jobs.corpus import sizes_of

        opened, line, questions = self.window.corpus, self._line, self._asking
        if opened is None or line is None or questions is None:
            return
        self._count = found
        most, sampled = self.view.most.value(), self.view.sample.isChecked()
        number = f"{'more than ' * found.more}{spaced(found.kernels)}"
        text = f"{number} kernel{'s' * (found.kernels != 1)}"
        if not found.kernels:
            self.view.set_found(text, "")
            return
        try:
            questions.of_one_size(line.query)
        except CorpusError:
            sizes = sizes_of(opened.corpus, line.query)
            text += f" of {sizes}. To open them, name one size, as in size=7x7."
            self.view.set_found(text, "")
            return
        button = f"Open {spaced(found.kernels)} Kernels"
        if line.least is not None and found.more:
            text, button = f"{text}; the nearest are opened", f"Open {spaced(most)}"
        elif found.kernels > most and sampled:
            button = f"Open a Sample of {spaced(most)}"
        elif found.kernels > most:
            button = f"Open the First {spaced(most)}"
        self.view.set_found(text, button)

    def _say_problem(self, message: str, hint: str) -> None:
        self.view.set_found(with_hint(message, hint), "", wrong=True)

    def _open_found(self) -> None:
        """Open what the line finds as one network."""
        from kernelviewer.jobs.corpus import drawn_like, title_of

        opened, line, text = self.window.corpus, self._line, self.view.line.text()
        if opened is None or line is None or self._count is None:
            return
        name = f"{opened.name}: {title_of(text)}"
        most, kernel = self.view.most.value(), self._focused()
        if line.least is not None and kernel is not None:
            wanted = drawn_like(kernel, most, name, text)
        else:
            cut, sampled = self._count.kernels > most, self.view.sample.isChecked()
            if cut:
                name += (
                    f", a sample of {spaced(most)}"
                    if sampled
                    else (f", the first {spaced(most)}")
                )
            seed = SEED if cut and sampled else None
            wanted = Drawn(name, query=text, most=most, seed=seed)
        self.window.opener.open_drawn(opened.corpus, [wanted])

    def _open_similar(self) -> None:
        """Open the kernels that are nearest to the focused one."""
        from kernelviewer.jobs.corpus import drawn_like

        opened, kernel, state = self.window.corpus, self._focused(), self.window.state
        tell = self.window.statusBar().showMessage
        if opened is None or state.pool is None or state.focus is None:
            self.window.show_corpus(opened is None)
            return
        assert kernel is not None
        if size_key(kernel.shape) not in opened.corpus.sizes():
            size = size_label(kernel.shape)
            tell(f"{opened.name} has no kernels of {size}.")
            return
        model, layer = state.pool.layer_of(state.focus)
        most, channel = self.view.nearest.value(), state.pool.channel[state.focus]
        like = f"like {layer.name} channel {channel}"
        if model.drawn is None or model.drawn.network:
            like += f" of {model.name}"
        name = f"{opened.name}: {spaced(most)} {like}"
        wanted = drawn_like(kernel, most, name)
        self.window.opener.open_drawn(opened.corpus, [wanted])

    def _scroll_to_nearest(self, models: list[OpenModel]) -> None:
        """Have the grid show the nearest of the kernels that are like one."""
        for model in models:
            for size in model.bank.sizes:
                found = likeness(make_pool([model], size))
                if found is not None:
                    nearest = KernelRef(model.id, size, int(np.nanargmax(found)))
                    self.window.acts.revealed.emit(nearest)

    def _focused(self) -> NDArray[np.float32] | None:
        """The kernel that is looked at."""
        pool, focus = self.window.state.pool, self.window.state.focus
        return None if pool is None or focus is None else pool.weights_of(focus)

    # Picked networks

    def _say_picked(self) -> None:
        opened = self.window.corpus
        if opened is None:
            return
        picked = self.view.networks.picked()
        rows = [opened.rows[row] for row in sorted(picked)]
        kernels, most = sum(row.count for row in rows), self.view.most.value()
        text = f"Open {spaced(len(rows))} Network{'s' * (len(rows) != 1)}"
        if kernels <= most:
            self.view.set_networks(text if rows else "Open Networks", ready=bool(rows))
        elif self.view.sample.isChecked():
            self.view.set_networks(f"Open a Sample of {spaced(most)}", ready=True)
        else:
            text = f"{spaced(kernels)} kernels are more than {spaced(most)}"
            self.view.set_networks(text, ready=False)

    def _open_picked(self) -> None:
        self._open_rows(sorted(self.view.networks.picked()))

    def _open_rows(self, rows: list[int]) -> None:
        """Open networks of the corpus whole, or as a sample of their kernels."""
        opened = self.window.corpus
        if opened is None or not rows:
            return
        networks = [opened.corpus.networks[row] for row in rows]
        kernels, most = sum(n.kernels for n in networks), self.view.most.value()
        if kernels <= most:
            wanted = [Drawn(item.name, network=item.id) for item in networks]
        elif self.view.sample.isChecked():
            sizes = {item.size: 0 for n in networks for item in n.sizes}
            for item in (item for n in networks for item in n.sizes):
                sizes[item.size] += item.kernels
            size = max(sizes, key=lambda key: sizes[key])
            query = f"size={size} network={','.join(n.id for n in networks)}"
            several = len(networks) != 1
            name = f"{len(networks)} networks" if several else networks[0].name
            name = f"{opened.name}: {name}, a sample of {spaced(most)}"
            wanted = [Drawn(name, query=query, most=most, seed=SEED)]
        else:
            self.window.statusBar().showMessage(
                f"{spaced(kernels)} kernels are more than {spaced(most)}: raise the "
                "number, or ask for a sample."
            )
            return
        self.window.opener.open_drawn(opened.corpus, wanted)


CORPUS = ViewSpec(
    id="corpus",
    title="Corpus",
    make={"corpus": CorpusPage},
    page="corpus",
    controller=CorpusController,
    reads=("models", "focus", "pool"),
)
