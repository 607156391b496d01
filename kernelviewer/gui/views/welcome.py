"""The window's centre: the welcome page, or the kernels once something is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from kernelviewer.gui.accessible import announce
from kernelviewer.gui.controls import in_column, in_row, label_of, named
from kernelviewer.gui.text import as_tip, offer_text
from kernelviewer.gui.view import Controller, ViewSpec
from kernelviewer.text import shown

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent, QResizeEvent, QShowEvent
    from PySide6.QtWidgets import QLayout

    from kernelviewer.state.session.files import Offer
    from kernelviewer.state.view_state import ViewState

LEAST_TEXT = 120
"""Least width of a button whose text is shortened, pixels."""
SHOWN = 6
OFFERED = 2
WIDEST = 720
ROOMY, TIGHT = 12, 4
"""Space between lines where there is room for all of them, and where not."""


class DropOverlay(QWidget):
    """Covers the window while files hang over it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropOverlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.text = ""
        self.hide()

    def show_over(self, text: str, accent: str) -> None:
        """Cover the parent and say what dropping does."""
        self.text, self._accent = text, QColor(accent)
        self.setGeometry(self.window().rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: a frame and a sentence; nothing of the window is seen behind them."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self.palette().window().color())
        painter.setPen(QPen(self._accent, 2))
        painter.drawRoundedRect(self.rect().adjusted(8, 8, -8, -8), 8, 8)
        font = painter.font()
        font.setPixelSize(round(1.4 * self.fontInfo().pixelSize()))
        painter.setFont(font)
        box = self.rect().adjusted(32, 32, -32, -32)
        wrapped = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWrapAnywhere
        painter.drawText(box, wrapped, self.text)


class ShortenedButton(QPushButton):
    """A button whose text loses its middle where there is no room for all.

    What follows three spaces loses its own first.
    """

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text.replace("&", "&&"), parent)
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Preferred, policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Qt: much of the text can go."""
        return QSize(LEAST_TEXT, super().minimumSizeHint().height())

    def fitting(self) -> str:
        """As much of the text as fits."""
        missing = self.sizeHint().width() - self.width()
        if missing <= 0:
            return self.text()
        metrics, middle = self.fontMetrics(), Qt.TextElideMode.ElideMiddle
        wide = metrics.horizontalAdvance
        room = wide(self.text()) - missing
        head, gap, rest = self.text().partition("   ")
        left = room - wide(head + gap)
        if gap and left > wide("…"):
            return head + gap + metrics.elidedText(rest, middle, left)
        return metrics.elidedText(head, middle, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the button with as much text as fits."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self.fitting()
        painter = QStylePainter(self)
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)


class Welcome(QWidget):
    """Open, open the sample, or take up a recent file."""

    open_requested = Signal()
    sample_requested = Signal()
    path_requested = Signal(object)
    reopen_requested = Signal(object)
    """Path of kept work to take up."""
    dismiss_requested = Signal(object)
    """Path of kept work to throw away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        title = QLabel("See what a network's depthwise kernels have learned", self)
        title.setObjectName("welcomeTitle")
        self._title = title
        hint = QLabel(
            "Drop checkpoints or folders anywhere on this window. They are read, "
            "never executed.",
            self,
        )
        hint.setProperty("role", "secondary")
        for label in (title, hint):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.open = _button("Open…", "openFile", "Open checkpoint files", primary=True)
        self.sample = _button("Open Sample", "openSample", "Open the bundled network")
        self.open.clicked.connect(lambda: self.open_requested.emit())
        self.sample.clicked.connect(lambda: self.sample_requested.emit())
        buttons = in_row(None, 1, self.open, self.sample, 1)
        self.opening = label_of(self, name="welcomeOpening", wraps=True, plain=True)
        self.opening.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.how_far = QProgressBar(self)
        named(self.how_far, "welcomeProgress", "How far what is being opened is")
        self.how_far.setTextVisible(False)
        self.how_far.setMaximumWidth(240)
        under_way = QVBoxLayout()
        under_way.addWidget(self.opening)
        under_way.addWidget(self.how_far, 0, Qt.AlignmentFlag.AlignHCenter)
        self.recent_title = label_of(self, "Recent", role="title")
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        self._offers = QVBoxLayout()
        self._offers.setSpacing(6)
        column = QFrame(self)
        column.setMaximumWidth(WIDEST)
        self._inner = inner = QVBoxLayout(column)
        self._head = in_column(None, title, hint)
        recent = in_column(None, self.recent_title, self._recent, spacing=TIGHT)
        for part in (self._head, buttons, under_way, self._offers, recent):
            inner.addLayout(part)
        page = QWidget(self)
        middle = in_column(page, 2, margins=(0, 4, 0, 4))
        line = in_row(None, 1, (column, 40), 1)
        middle.addLayout(line)
        middle.addStretch(3)
        scroll = named(QScrollArea(self, widgetResizable=True), "welcomePage")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        in_column(self, scroll)
        self.set_opening("")
        self.set_recent(())

    def set_opening(self, text: str, done: int = 0, total: int = 0) -> None:
        """Say what is being opened, and how far it is; empty: nothing is."""
        said = bool(text) == self.opening.isVisibleTo(self)
        self.opening.setText(f"{text} {done} of {total}" if total else text)
        busy = bool(text) and not total  # of an unknown number: it moves
        self.how_far.setRange(0, 0 if busy else max(1, total))
        self.how_far.setValue(done)
        for widget in (self.opening, self.how_far):
            widget.setVisible(bool(text))
        if not said:
            announce(self.opening, text)
            self._fit()

    def set_recent(self, paths: tuple[str, ...]) -> None:
        """Offer these files, latest first."""
        _empty(self._recent)
        self.recent_title.setVisible(bool(paths))
        for path in paths[:SHOWN]:
            link = self._link(Path(path))
            self._recent.addWidget(link)
            link.show()  # a hidden one does not count in the page's height
        self._fit()

    def set_offers(self, offers: tuple[Offer, ...]) -> None:
        """Offer work that was kept, latest first."""
        _empty(self._offers)
        for number, offer in enumerate(offers[:OFFERED]):
            row = self._offer(number, offer)
            self._offers.addWidget(row)
            row.show()
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Qt: may shrink with the window."""
        return QSize(320, 120)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: lie closer together where all would not fit."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: from now on the style sheet's sizes hold."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        self._set_tight(False)
        self._inner.invalidate()
        self._inner.activate()  # layouts within it forget their sizes, too
        width = min(WIDEST, self.width())
        self._set_tight(self._inner.totalHeightForWidth(width) > self.height())

    def _set_tight(self, tight: bool) -> None:
        self._title.setProperty("role", "heading" if tight else "hero")
        self._title.style().polish(self._title)
        space = TIGHT if tight else ROOMY
        self._head.setSpacing(space)
        self._inner.setSpacing(2 * space)
        self._inner.setContentsMargins(ROOMY, space, ROOMY, space)

    def _offer(self, number: int, offer: Offer) -> QWidget:
        row = QWidget(self)
        text = offer_text(offer, number)
        reopen = ShortenedButton(text, row)
        named(reopen, f"reopenWork{number}", text)
        names = "\n".join(shown(item.name) for item in offer.session.networks)
        reopen.setToolTip(as_tip(names))
        reopen.clicked.connect(lambda: self.reopen_requested.emit(offer.path))
        dismiss = QToolButton(row)
        dismiss.setText("×")
        dismiss.setProperty("quiet", True)
        dismiss.setObjectName(f"dismissWork{number}")
        dismiss.setAccessibleName(f"Throw away: {text}")
        dismiss.setToolTip("Throw this work away")
        dismiss.clicked.connect(lambda: self.dismiss_requested.emit(offer.path))
        in_row(row, 1, reopen, dismiss, 1)
        return row

    def _link(self, path: Path) -> QPushButton:
        link = ShortenedButton(shown(f"{path.name}   {path.parent}"), self)
        link.setProperty("link", True)
        link.setToolTip(as_tip(shown(path)))
        link.setAccessibleName(f"Open {shown(path)}")
        link.setCursor(Qt.CursorShape.PointingHandCursor)
        link.clicked.connect(lambda: self.path_requested.emit(str(path)))
        return link


def _empty(layout: QLayout) -> None:
    """Take every widget out of a layout."""
    while item := layout.takeAt(0):
        if widget := item.widget():
            widget.hide()
            widget.deleteLater()


def _button(
    text: str, name: str, accessible: str, *, primary: bool = False
) -> QPushButton:
    button = named(QPushButton(text), name, accessible)
    button.setProperty("primary", primary)
    return button


class Pages(QStackedWidget):
    """Pages that need as much room as the one that is seen, not, as Qt's, as any."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.currentChanged.connect(self.updateGeometry)

    def minimumSizeHint(self) -> QSize:
        """Qt: what the page that is seen needs."""
        page = self.currentWidget()
        return super().minimumSizeHint() if page is None else page.minimumSizeHint()


class CentreController(Controller):
    """Shows the one or the other, and tells that other networks are open."""

    def listen(self) -> None:
        """Nothing is open yet."""
        self._known: set[int] = set()

    def show(self, state: ViewState) -> None:
        """Show the kernels once there are networks, or more of them."""
        known, self._known = self._known, {model.id for model in state.models}
        page = self.window.page
        if page in ("welcome", "corpus") and self._known - known:
            self.window.show_page("kernels")
        elif page in ("kernels", "overview") and not state.models:
            self.window.show_page("corpus" if self.window.corpus else "welcome")
        if self.is_news("open", tuple((m.id, m.bank) for m in state.models)):
            self.window.models_changed.emit(state.models)


CENTRE = ViewSpec(
    id="centre",
    title="Centre",
    make={"centre": Pages, "welcome": Welcome},
    controller=CentreController,
    reads=("models",),
)
