"""Panels: a title line above one widget, in the centre or as a movable dock; tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from kernelviewer.gui.controls import in_column, label_of, named
from kernelviewer.gui.theme import RADIUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QResizeEvent
    from PySide6.QtWidgets import QTabBar

_SPACING = 4
_SHRINKS = QSizePolicy.PolicyFlag.ShrinkFlag.value
_UNBOUNDED = (1 << 24) - 1
"""Qt's own bound of a widget's height."""


class _Line(QHBoxLayout):
    """A layout that knows whether anything in it changed since it was last asked."""

    changed = True

    def invalidate(self) -> None:
        """Qt: something in it has another size, or is shown or hidden."""
        self.changed = True
        super().invalidate()


class TitleLine(QFrame):
    """The top of a panel: its title, and whatever controls are added to ``line``.

    A panel may be narrower than its controls: then its title is the short one, and
    those that still do not fit are hidden.
    """

    def __init__(
        self, title: str, parent: QWidget | None = None, short: str = ""
    ) -> None:
        super().__init__(parent)
        self._titles = (title, short) if short else (title,)
        self.setProperty("panel", "top")
        self._controls: list[QWidget] = []
        self._spare: dict[QWidget, int] = {}
        self._least = QSize()
        self.label = label_of(self, title, role="title")
        self.line = _Line(self)
        self.line.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.line.setContentsMargins(12, 6, 6, 4)
        self.line.setSpacing(_SPACING)
        self.line.addWidget(self.label)

    def set_active(self, active: bool) -> None:
        """Mark the panel that has the keyboard."""
        self.label.setProperty("active", active)
        self.label.style().polish(self.label)

    def add_control(self, control: QWidget, spare: int = 0) -> None:
        """Put a control after the title and the controls that are there.

        It is shown where it leaves room for ``spare`` letters to the rest of the line.
        """
        self._controls.append(control)
        self._spare[control] = spare
        self.line.insertWidget(len(self._controls), control)

    def minimumSizeHint(self) -> QSize:
        """Qt, hundreds of times at the start: the title and what is always there."""
        if self.line.changed:
            self.line.changed = False
            least = super().minimumSizeHint()
            there = [control for control in self._controls if not control.isHidden()]
            wide = sum(_least(item) + _SPACING for item in there)
            self._least = QSize(least.width() - wide, least.height())
        return self._least

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: show the controls that there is room for."""
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        """Qt: a control or the title has another size than before."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        title = self.label.text()
        titles = self._titles if title in self._titles else (title,)
        hidden = {text: self._without_room(text) for text in titles}
        title = min(
            titles,
            key=lambda t: (self._room(t) < 0, [c in hidden[t] for c in self._controls]),
        )
        self.label.setText(title)
        for control in self._controls:
            if control.isHidden() != (control in hidden[title]):
                control.setVisible(control not in hidden[title])

    def _room(self, title: str) -> int:
        """Pixels beside a title and what is always there."""
        wide = self.label.fontMetrics().horizontalAdvance
        room = self.width() - self.minimumSizeHint().width()
        return room + wide(self.label.text()) - wide(title)

    def _without_room(self, title: str) -> list[QWidget]:
        """The controls that do not fit beside a title."""
        room = self._room(title)
        letter, hidden = self.fontMetrics().averageCharWidth(), []
        for control in self._controls:
            needed = _least(control) + _SPACING
            if room - needed >= self._spare[control] * letter:
                room -= needed
            else:
                hidden.append(control)
        return hidden


def _least(control: QWidget) -> int:
    """Width that a layout gives a control at least, pixels."""
    shrinks = control.sizePolicy().horizontalPolicy().value & _SHRINKS
    hint = control.minimumSizeHint() if shrinks else control.sizeHint()
    return min(max(hint.width(), control.minimumWidth()), control.maximumWidth())


class PanelBody(QFrame):
    """The rest of a panel: widgets one above the other.

    Attributes
    ----------
    column
        What the widgets that are added have as their parent.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("panel", "bottom")
        self.column = QWidget(self)
        in_column(self, self.column, margins=(1, 0, 1, 1))
        self._lines = in_column(self.column, spacing=0)

    def add(self, widgets: Sequence[QWidget], grow: int | None = -1) -> None:
        """Put widgets below those there are; number ``grow`` takes the room left."""
        for widget in widgets:
            self._lines.addWidget(widget)
        if grow is not None:
            self._lines.setStretchFactor(widgets[grow], 1)

    def set_folded(self, folded: bool) -> None:
        """Be no more than the panel's lower edge, or whole."""
        self.column.setVisible(not folded)
        self.setMinimumHeight(RADIUS if folded else 0)
        self.setMaximumHeight(RADIUS if folded else _UNBOUNDED)


class Panel(QWidget):
    """A panel that stays where it is."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.title_line = TitleLine(title, self)
        self.body = PanelBody(self)
        in_column(self, self.title_line, (self.body, 1), spacing=0)


class DockPanel(QDockWidget):
    """A panel that can be moved and floated by its title line, and closed.

    Parameters
    ----------
    title, short
        What its title line says, and what its tab and menu entry say.

    Attributes
    ----------
    title_line, body
        Where its controls and its widgets lie.
    in_front
        It can be seen: neither closed nor behind another panel.
    folded
        Only its title line is there.
    """

    fold_requested = Signal(bool)
    seen_changed = Signal(bool)
    """Whether its content can be seen."""

    def __init__(self, name: str, title: str, short: str, parent: QWidget) -> None:
        super().__init__(short or title, parent)
        self.setObjectName(name)
        self.title_line = TitleLine(title, self, short)
        self.folded = False
        self._title = title
        self._fold = named(QToolButton(self.title_line), f"{name}Fold")
        self._fold.setProperty("quiet", True)
        self._fold.clicked.connect(lambda: self.fold_requested.emit(not self.folded))
        self.title_line.line.addStretch(1)
        close = QToolButton(self.title_line)
        close.setText("×")
        close.setProperty("quiet", True)
        close.setObjectName(f"{name}Close")
        close.setAccessibleName(f"Close the panel {title}")
        close.setToolTip("Close this panel; View → Panels shows it again")
        close.clicked.connect(self.close)
        self.title_line.line.addWidget(self._fold)
        self.title_line.line.addWidget(close)
        self.setTitleBarWidget(self.title_line)
        self.body = PanelBody(self)
        self.setWidget(self.body)
        self._say_fold()
        self.in_front = False
        self.visibilityChanged.connect(self._note_visible)

    @property
    def wished_height(self) -> int:
        """How high it would like to be, unfolded."""
        content = self.body.column.sizeHint().height()
        return self.title_line.sizeHint().height() + content

    def set_folded(self, folded: bool) -> None:
        """Show the title line alone, or the whole panel."""
        if folded == self.folded:
            return
        self.folded = folded
        self.body.set_folded(folded)
        if (layout := self.layout()) is not None:
            layout.activate()  # or the panel stays as high as its content needs
        high = self.title_line.sizeHint().height() + RADIUS
        self.setMaximumHeight(high if folded else _UNBOUNDED)
        self._say_fold()
        self.seen_changed.emit(self.in_front and not folded)

    def _say_fold(self) -> None:
        what = "Unfold" if self.folded else "Fold"
        self._fold.setText("▸" if self.folded else "▾")
        self._fold.setAccessibleName(f"{what} the panel {self._title}")
        self._fold.setToolTip(f"{what} this panel")

    def _note_visible(self, visible: bool) -> None:
        self.in_front = visible
        self.seen_changed.emit(visible and not self.folded)


class MoreTabs(QToolButton):
    """At the end of a row of tabs: a menu of those for whose names there is no room.

    The others have their whole names, the one in front always.

    Parameters
    ----------
    bar
        The tabs; they are Qt's, which makes and fills them.
    """

    chosen = Signal()
    """Another panel is in front, by the menu."""

    def __init__(self, bar: QTabBar) -> None:
        super().__init__(bar)
        self.setObjectName("moreTabs")
        self.setProperty("quiet", True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolTip("More panels lie here")
        self.hide()
        self._bar = bar
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        bar.setElideMode(Qt.TextElideMode.ElideRight)
        bar.setUsesScrollButtons(False)
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self.fit)
        bar.currentChanged.connect(lambda: self._later.start(0))
        bar.installEventFilter(self)

    def fit(self) -> None:
        """Show as many tabs as have room with their whole names."""
        bar = self._bar
        every = range(bar.count())
        seen = [number for number in every if bar.isTabVisible(number)]
        metrics = bar.fontMetrics()
        texts = [metrics.horizontalAdvance(bar.tabText(number)) for number in every]
        if not seen:
            return
        ends = (bar.sizeHint().width() - sum(texts[n] for n in seen)) / len(seen)
        wides = [text + ends for text in texts]
        room = float(bar.width())
        fits = sum(wides) <= room
        if not fits:
            self._say(len(wides) - 1)
            room -= self.sizeHint().width()
        now = bar.currentIndex()
        room -= wides[now]
        shown = {now}
        for number in every:
            if number != now and (fits or wides[number] <= room):
                shown.add(number)
                room -= wides[number]
        for number in every:
            if bar.isTabVisible(number) != (number in shown):
                bar.setTabVisible(number, number in shown)
        self.setVisible(len(shown) < len(wides))
        if len(shown) < len(wides):
            self._say(len(wides) - len(shown))
            self.resize(self.sizeHint().width(), bar.height())
            self.move(bar.width() - self.width(), 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: the row has another width, other tabs, or letters of another size."""
        kinds = (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.StyleChange)
        if watched is self._bar and event.type() in (*kinds, QEvent.Type.FontChange):
            self._later.start(0)
        return False

    def _say(self, number: int) -> None:
        self.setText(f"{number} more ▾")
        self.setAccessibleName(f"Show one of {number} more panels")

    def _fill(self) -> None:
        self._menu.clear()
        for number in range(self._bar.count()):
            if not self._bar.isTabVisible(number):
                action = self._menu.addAction(self._bar.tabText(number))
                action.triggered.connect(lambda _=False, n=number: self._choose(n))

    def _choose(self, number: int) -> None:
        self._bar.setTabVisible(number, True)
        self._bar.setCurrentIndex(number)
        self.fit()
        self.chosen.emit()
