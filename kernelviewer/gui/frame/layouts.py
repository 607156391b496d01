"""Where the panels lie: arrangements, and what a user made of them, kept as text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QChildEvent, QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QApplication, QTabBar, QWidget

from kernelviewer.gui.frame.panel import DockPanel, MoreTabs, Panel, TitleLine
from kernelviewer.gui.registry import FLEETING, VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PySide6.QtWidgets import QDockWidget, QMainWindow

    from kernelviewer.gui.view import Side
    from kernelviewer.state.arrangement import GroupBy, SortBy
    from kernelviewer.state.view_state import ViewState

Cell = tuple[str, ...]
"""Panels that lie behind each other as tabs, the first in front."""
WIDEST_LIST = 420
"""Of the side with the networks: in a large window kernels have the room, pixels."""
SMALL = (1440, 900)
"""A window that is narrower or lower than this has less beside each other."""
AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
ALONG = {
    "left": Qt.Orientation.Vertical,
    "top": Qt.Orientation.Horizontal,
    "right": Qt.Orientation.Vertical,
    "bottom": Qt.Orientation.Horizontal,
}
_BEHIND = 100
_ENOUGH = 0.75
"""Room that a panel needs to be of use, a share of what it wishes."""
LAYOUT_VERSION = 1
DEFAULT_SIZE = QSize(1440, 900)
SMALLEST = QSize(1024, 700)
"""The window can be made this small; what it shows never makes it larger."""


@dataclass(frozen=True, slots=True)
class Place:
    """One side of the window."""

    side: Side
    """Which one."""
    extent: float
    """How far it reaches into the window, a share of its width or height."""
    cells: tuple[Cell, ...]
    """What lies along it, in equal parts."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """An arrangement for a task."""

    id: str
    title: str
    """What settings carry; what people read."""
    extents: Mapping[Side, tuple[float, float]]
    """How far each side reaches into a large and into a small window."""
    group_by: GroupBy
    sort_by: SortBy = "code"
    """How the grid is ordered for it."""
    beside: Mapping[Side, Side] = field(default_factory=dict)
    """Sides that it does not have → the side where what lies there follows."""

    def narrow(self) -> Arrangement:
        """The same with one column beside the kernels, not two."""
        extents: dict[Side, tuple[float, float]] = dict(self.extents)
        extents.pop("right", None)
        return replace(self, extents=extents, beside={**self.beside, "right": "left"})

    def places(self, *, small: bool) -> tuple[Place, ...]:
        """Where the panels go in a large or in a small window."""
        return tuple(
            Place(side, extents[small], self._cells(side, small))
            for side, extents in self.extents.items()
        )

    def _cells(self, side: Side, small: bool) -> tuple[Cell, ...]:
        """What lies along a side, from the homes of the views.

        Panels of a side that the arrangement does not have follow beside another, or
        lie behind its last ones. In a small window those of runs lie behind what is
        before them.
        """
        cells: dict[tuple[bool, int], list[tuple[int, str]]] = {}
        for spec in VIEWS:
            home = spec.home_in(self.id)
            if home is not None and side in (home.side, self.beside.get(home.side)):
                follows = home.side != side
                behind = spec.of_runs and home.cell > 0 and (small or follows)
                rank = home.rank + _BEHIND * behind
                place = follows, home.cell - behind
                if small and place == (True, 0):
                    place, rank = (False, 0), rank + _BEHIND
                cells.setdefault(place, []).append((rank, spec.id))
        found = [
            tuple(name for _, name in sorted(cell, key=lambda item: item[0]))
            for _, cell in sorted(cells.items())
        ]
        if side == [*self.extents][-1]:
            *most, last = found or [()]
            found = [*most, (*last, *self._homeless())]
        return tuple(filter(None, found))

    def _homeless(self) -> Iterator[str]:
        """Panels whose side the arrangement does not have."""
        for spec in VIEWS:
            home = spec.home_in(self.id)
            sides = ("below", *self.extents, *self.beside)
            if home is not None and home.side not in sides:
                yield spec.id


ARRANGEMENTS: tuple[Arrangement, ...] = (
    Arrangement(
        "explore",
        "Explore",
        {"top": (0.2, 0.25), "left": (0.19, 0.24)},
        group_by="class",
        beside={"right": "left"},  # one column beside the kernels, not two
    ),
    Arrangement(
        "compare",
        "Compare",
        {
            "left": (0.19, 0.22),
            "top": (0.23, 0.26),
            "right": (0.3, 0.26),
            "bottom": (0.34, 0.3),
        },
        group_by="model",
    ),
    Arrangement(
        "label",
        "Label",
        {"left": (0.22, 0.22), "top": (0.4, 0.42), "right": (0.2, 0.2)},
        group_by="class",
    ),
)
BY_ID: dict[str, Arrangement] = {item.id: item for item in ARRANGEMENTS}


def is_small(size: QSize) -> bool:
    """True if a window of that size has room for the small arrangement only."""
    return size.width() < SMALL[0] or size.height() < SMALL[1]


def is_too_narrow(window: QMainWindow) -> bool:
    """True if its panels ask for more than it is wide, and would cover each other."""
    return window.minimumSizeHint().width() > window.width()


def arrange_panels(
    window: QMainWindow, docks: Mapping[str, DockPanel], arrangement: Arrangement
) -> dict[DockPanel, QSize]:
    """Put every panel where the arrangement has it, floating and closed ones too.

    The jobs panel goes below all, in a small window behind the charts. Panels that come
    and go are shown or hidden as they were; the window keeps its size. Where its text
    is too large for two columns beside the kernels they have one.

    Returns
    -------
    dict
        How large each panel is to be.
    """
    small = is_small(window.size())
    places = arrangement.places(small=small)
    jobs = docks["jobs"]
    hidden = [n for n in FLEETING if not docks[n].toggleViewAction().isChecked()]
    for dock in docks.values():
        dock.set_folded(False)
        if dock.isFloating():
            dock.setFloating(False)
        window.removeDockWidget(dock)
    for place in places:
        for first, *behind in place.cells:
            window.addDockWidget(AREAS[place.side], docks[first], ALONG[place.side])
            for name in behind:
                window.tabifyDockWidget(docks[first], docks[name])
    window.addDockWidget(AREAS["bottom"], jobs, Qt.Orientation.Vertical)
    if small:
        cells = [cell for place in places for cell in place.cells]
        charts = next(cell for cell in cells if "classes" in cell)
        window.tabifyDockWidget(docks[charts[-1]], jobs)
    for name, dock in docks.items():
        dock.setVisible(name not in hidden)
    for place in places:
        for first, *_ in place.cells:
            docks[first].raise_()
    if "right" in arrangement.extents and is_too_narrow(window):
        return arrange_panels(window, docks, arrangement.narrow())
    return {
        docks[name]: size
        for place in places
        for name, size in _resize(window, docks, place).items()
    }


def _resize(
    window: QMainWindow, docks: Mapping[str, QDockWidget], place: Place
) -> dict[str, QSize]:
    """Give a side its extent, and its cells their shares of its length."""
    heads = [docks[cell[0]] for cell in place.cells]
    along = ALONG[place.side]
    across = (
        Qt.Orientation.Horizontal
        if along == Qt.Orientation.Vertical
        else Qt.Orientation.Vertical
    )
    room = window.width() if across == Qt.Orientation.Horizontal else window.height()
    reach = round(room * place.extent)
    if place.cells[0][0] == "models":
        reach = min(reach, WIDEST_LIST)
    window.resizeDocks(heads, [reach] * len(heads), across)
    length = window.height() if along == Qt.Orientation.Vertical else window.width()
    share = round(length / len(heads))
    window.resizeDocks(heads, [share] * len(heads), along)
    size = QSize(reach, share)
    if along == Qt.Orientation.Horizontal:
        size.transpose()
    return {name: size for cell in place.cells for name in cell}


class DockLayout(QObject):
    """Saves and restores the docks of a window.

    Qt's own bytes differ with the size of the window and with panels that come and go
    by themselves, so the text that was restored is kept as long as the user has not
    changed the arrangement.

    Parameters
    ----------
    fleeting
        Names of docks that come and go by themselves.

    Attributes
    ----------
    restored
        Whether an arrangement was restored.
    """

    def __init__(
        self,
        window: QMainWindow,
        docks: Mapping[str, QDockWidget],
        fleeting: tuple[str, ...],
    ) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._fleeting = fleeting
        self._text = ""
        self._known: object = None
        self.restored = False
        window.installEventFilter(self)

    def text(self) -> str:
        """The arrangement, base64."""
        now = self._arrangement()
        if not self._text or now != self._known:
            self._text = to_text(self._window.saveState(LAYOUT_VERSION))
            self._known = now
        return self._text

    def restore(self, text: str) -> bool:
        """Arrange the docks as they were; False if the text is no arrangement."""
        fleeting = [self._docks[name] for name in self._fleeting]
        hidden = [dock.isHidden() for dock in fleeting]
        done = _restore(self._window, text)
        for dock, was_hidden in zip(fleeting, hidden, strict=True):
            dock.setHidden(was_hidden)
        if done:
            self._text, self._known = text, self._arrangement()
            self.restored = True
        return done

    def note_change(self) -> None:
        """The user has changed something: what was restored holds no longer."""
        self._known = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: a press on the window itself is one on the lines between docks."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.note_change()
        if event.type() == QEvent.Type.ChildPolished:
            assert isinstance(event, QChildEvent)
            child = event.child()
            if isinstance(child, QTabBar):
                child.tabBarClicked.connect(self.note_change)
        return False

    def _arrangement(self) -> object:
        """What only the user changes."""
        window = self._window
        fleeting = [self._docks[name] for name in self._fleeting]
        return [
            (
                name,
                dock.isHidden(),
                dock.isFloating(),
                window.dockWidgetArea(dock),
                [
                    other.objectName()
                    for other in window.tabifiedDockWidgets(dock)
                    if other not in fleeting
                ],
            )
            for name, dock in self._docks.items()
            if name not in self._fleeting
        ]


def _restore(window: QMainWindow, text: str) -> bool:
    """Arrange the docks of a window as a text says; False if it is no arrangement.

    Qt makes other rows of tabs for it, and forgets those there were where they stand.
    """
    own = Qt.FindChildOption.FindDirectChildrenOnly
    rows = [bar for bar in window.findChildren(QTabBar, options=own) if bar.count()]
    done = window.restoreState(from_text(text), LAYOUT_VERSION)
    for bar in rows if done else ():
        bar.blockSignals(True)
        while bar.count():
            bar.removeTab(0)
        bar.blockSignals(False)
        bar.hide()
    return done


def to_text(data: QByteArray) -> str:
    """Bytes as base64."""
    return bytes(data.toBase64().data()).decode("ascii")


def from_text(text: str) -> QByteArray:
    """What `to_text` wrote; something else gives some bytes or none."""
    return QByteArray.fromBase64(text.encode("ascii", "ignore"))


class Extents(QObject):
    """How large the panels were made; in a window that was small they are so again.

    Qt takes from the panels what a small window lacks, and gives it to the kernels once
    it is large.
    """

    def __init__(self, window: QMainWindow, docks: Mapping[str, DockPanel]) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._sizes: dict[DockPanel, QSize] = {}
        self._room = QSize()
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self.restore)
        window.installEventFilter(self)

    def wish(self, sizes: Mapping[DockPanel, QSize]) -> None:
        """Panels are to be as large in a window as large as it is now."""
        self._sizes, self._room = dict(sizes), self._window.size()

    def note(self) -> None:
        """The panels are as large as they are wished to be."""
        self._room = self._window.size()
        for dock in self._heads():
            if not dock.folded:
                behind = self._window.tabifiedDockWidgets(dock)
                size = dock.size() + QSize(0, self._tabs_below(dock) if behind else 0)
                self._sizes |= {
                    one: size
                    for one in self._docks.values()
                    if one is dock or one in behind
                }

    def forget(self) -> None:
        """What the panels are now is what they are wished to be."""
        self._sizes = {}

    def _tabs_below(self, dock: DockPanel) -> int:
        """Height of the tabs below a panel, which Qt counts as a part of it."""
        box = dock.geometry()
        return next(
            (
                bar.height()
                for bar in self._window.findChildren(QTabBar, "panelTabs")
                if bar.isVisible()
                and bar.geometry().left() in range(box.left() - 4, box.right())
                and bar.geometry().top() in range(box.bottom(), box.bottom() + 8)
            ),
            0,
        )

    def restore(self) -> None:
        """Make the panels as large as wished, or by as much smaller as it is."""
        _settle(self._window)
        heads = [d for d in self._heads() if d in self._sizes and not d.folded]
        if not heads or self._room.isEmpty():
            return
        now, then = self._window.size(), self._room
        wide = min(1.0, now.width() / then.width())
        high = min(1.0, now.height() / then.height())
        widths = [round(self._sizes[dock].width() * wide) for dock in heads]
        heights = [round(self._sizes[dock].height() * high) for dock in heads]
        self._window.resizeDocks(heads, widths, Qt.Orientation.Horizontal)
        self._window.resizeDocks(heads, heights, Qt.Orientation.Vertical)

    def _heads(self) -> list[DockPanel]:
        """The panels that can be seen and lie in the window."""
        return [
            dock
            for dock in self._docks.values()
            if dock.in_front and not dock.isFloating()
        ]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: lines between panels were let go, or the window has another size."""
        if event.type() == QEvent.Type.MouseButtonRelease:
            self.note()
        elif event.type() == QEvent.Type.Resize:
            if not self._sizes and self._window.isVisible():
                self.note()  # as a session or the settings have it
            self._later.start(0)
        return False


def _settle(window: QMainWindow) -> None:
    """Let panels have the sizes that were asked for."""
    layout = window.layout()
    assert layout is not None
    layout.activate()


class LayoutKeeper(QObject):
    """Arranges a window's docks, and leads the keyboard from panel to panel.

    Parameters
    ----------
    docks
        By name, as `kernelviewer.gui.frame.layouts.ARRANGEMENTS` calls them.
    kept
        What a session restores; it goes before the arrangement of a first start.
    preset
        The arrangement of a first start, and what `reset` goes back to.
    """

    def __init__(
        self,
        window: QMainWindow,
        docks: Mapping[str, DockPanel],
        kept: DockLayout,
        preset: str,
    ) -> None:
        super().__init__(window)
        self._window, self._docks, self._kept = window, docks, kept
        self.preset = preset if preset in BY_ID else "explore"
        self._fresh = False
        self._had_focus = False
        self._active: TitleLine | None = None
        self._quiet: dict[str, bool] = {}
        self._silent: dict[str, bool] = {}
        self._made_way: list[DockPanel] = []
        self._fronts: list[DockPanel] = []
        self._fitted = QSize()
        self._fit = QTimer(self, singleShot=True, interval=0)
        self._fit.timeout.connect(self._fit_panels)
        self._extents = Extents(window, docks)
        for dock in docks.values():
            dock.fold_requested.connect(partial(self._fold, dock))
            dock.visibilityChanged.connect(partial(self._note_front, dock))
        window.setMinimumSize(SMALLEST)
        window.installEventFilter(self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus_changed)

    # --- arrangement ---

    def restore(self, geometry: str, layout: str) -> None:
        """Put everything where it was; a first start waits for the window's size."""
        screen = self._window.screen().availableSize()
        self._window.resize(DEFAULT_SIZE.boundedTo(screen))
        self._window.restoreGeometry(from_text(geometry))
        self._fresh = not _restore(self._window, layout)

    def saved(self, without: str = "") -> tuple[str, str]:
        """Geometry and layout as text for `restore`.

        Parameters
        ----------
        without
            Name of a panel that is there, and is to be gone in what is saved.
        """
        window, dock = self._window, self._docks.get(without)
        geometry = to_text(window.saveGeometry())
        if dock is None or dock.isHidden():
            return geometry, to_text(window.saveState(LAYOUT_VERSION))
        in_front = dock.in_front
        dock.hide()
        layout = to_text(window.saveState(LAYOUT_VERSION))
        dock.show()
        if in_front:
            dock.raise_()
        return geometry, layout

    def use(self, preset: str) -> None:
        """Arrange the panels for a task."""
        self.preset, self._fresh, self._fitted = preset, False, QSize()
        sizes = arrange_panels(self._window, self._docks, BY_ID[preset])
        self._extents.wish(sizes)
        self._silent = {}
        self._fold_silent()
        self._kept.note_change()

    def take_over(self) -> None:
        """The panels were arranged by a session."""
        self._extents.forget()
        self._fitted = QSize()
        self._fit.start()

    def reset(self) -> None:
        """Put every panel back where the preset has it."""
        self.use(self.preset)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: a first start is arranged for the size that the window is shown at."""
        if event.type() == QEvent.Type.Show and self._fresh and not self._kept.restored:
            self.reset()
        elif event.type() == QEvent.Type.Show:
            self._fit.start()
        if event.type() == QEvent.Type.Resize:
            self._fold_silent()
            self._fit.start()
        if event.type() == QEvent.Type.LayoutRequest:
            own = Qt.FindChildOption.FindDirectChildrenOnly
            for bar in self._window.findChildren(QTabBar, options=own):
                self._furnish(bar)
        return super().eventFilter(watched, event)

    def _fit_panels(self) -> None:
        """Arrange panels anew that would cover each other; closed ones stay closed.

        They stay so in a wider window, as whatever the user arranges does.
        """
        size = self._window.size()
        if self._window.isVisible() and self._fitted != size:
            if is_too_narrow(self._window):
                closed = [dock for dock in self._docks.values() if dock.isHidden()]
                self.reset()
                for dock in closed:
                    dock.hide()
            self._fitted = size

    def _furnish(self, bar: QTabBar) -> None:
        """Let the names of a row of tabs be read, and told."""
        titles = [bar.tabText(number) for number in range(bar.count())]
        bar.setAccessibleName(f"Panels behind each other: {', '.join(titles)}")
        more = bar.findChild(MoreTabs)
        if more is None:
            bar.setObjectName("panelTabs")
            bar.setDrawBase(False)
            more = MoreTabs(bar)
            more.chosen.connect(self._kept.note_change)
        more.fit()

    def show(self, state: ViewState) -> None:
        """Bring the panel of the focused kernel to the front, once there is one.

        Later either stays in front as the user has it. Panels with nothing to say are
        folded to their titles where there is little room, and unfold with the first
        that has something.
        """
        self._quiet = {s.id: not s.says(state) for s in VIEWS if s.says is not None}
        self._fold_silent()
        inspector, other = self._docks["inspector"], self._docks["reconstruction"]
        beside = other in self._window.tabifiedDockWidgets(inspector)
        if state.focus is not None and not self._had_focus and beside:
            inspector.raise_()
        self._had_focus = state.focus is not None

    def show_panel(self, name: str) -> None:
        """Open a panel, bring it to the front and give it the keyboard."""
        dock = self._docks[name]
        dock.show()
        self._fold(dock, False)
        dock.raise_()
        self._kept.note_change()
        if (target := _first_in(dock)) is not None:
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _note_front(self, dock: DockPanel, seen: bool) -> None:
        """Where a panel is closed, the one comes up that lay in front before it.

        Qt keeps that by place, which changes as panels come and go.
        """
        if seen:
            QTimer.singleShot(0, self, partial(self._note_looked_at, dock))
        elif dock.isHidden():
            group = self._window.tabifiedDockWidgets(dock)
            before = [d for d in self._fronts if d in group and not d.isHidden()]
            if before:
                before[-1].raise_()

    def _note_looked_at(self, dock: DockPanel) -> None:
        """It was not only seen for a moment, while Qt arranged others."""
        if dock.in_front:
            others = [other for other in self._fronts if other is not dock]
            self._fronts = [*others, dock]

    # --- folding ---

    def make_room(self, room: bool) -> None:
        """Fold the panels above and below the centre, or unfold those folded so."""
        if not room:
            for dock in self._made_way:
                self._fold(dock, False)
            self._made_way = []
            return
        for dock in self._docks.values():
            area = self._window.dockWidgetArea(dock)
            beside = area in (AREAS["top"], AREAS["bottom"])
            if beside and not (dock.folded or dock.isFloating() or dock.isHidden()):
                self._made_way.append(dock)
                self._fold(dock, True)

    def _fold_silent(self) -> None:
        """Fold what has nothing to say any more, unfold what has again, or has room.

        What is folded or unfolded by hand stays so until that changes.
        """
        silent = {
            name: quiet and self._is_crowded(self._docks[name])
            for name, quiet in self._quiet.items()
        }
        news = {name for name, now in silent.items() if self._silent.get(name) != now}
        self._silent = silent
        for name in news:
            group = self._group(self._docks[name])
            fold = all(silent.get(self._name(dock), False) for dock in group)
            if not fold or self._has_room_beside(group):
                self._fold(self._docks[name], fold)

    def _is_crowded(self, dock: DockPanel) -> bool:
        """Whether the panels of its side, as high as each other, have little room."""
        area = self._window.dockWidgetArea
        rows = {
            frozenset(self._group(one))
            for one in self._docks.values()
            if area(one) == area(dock) and one.toggleViewAction().isChecked()
        }
        wished = max(one.wished_height for one in self._group(dock))
        return self._window.height() / max(len(rows), 1) < _ENOUGH * wished

    def _fold(self, dock: DockPanel, folded: bool) -> None:
        """Fold a panel and those that lie behind it, or unfold them."""
        group = self._group(dock)
        if all(one.folded == folded for one in group):
            return
        for one in group:
            one.set_folded(folded)
        self._extents.restore()

    def _group(self, dock: DockPanel) -> list[DockPanel]:
        """A panel and those that share its place as tabs."""
        behind = self._window.tabifiedDockWidgets(dock)
        return [dock, *(one for one in self._docks.values() if one in behind)]

    def _name(self, dock: DockPanel) -> str:
        return next(name for name, one in self._docks.items() if one is dock)

    def _has_room_beside(self, group: list[DockPanel]) -> bool:
        """Whether another panel of the same side takes the room of a folded one."""
        window, first = self._window, group[0]
        area = window.dockWidgetArea(first)
        return not first.isFloating() and any(
            window.dockWidgetArea(one) == area and not (one.folded or one.isFloating())
            for one in self._docks.values()
            if one not in group and one.toggleViewAction().isChecked()
        )

    # --- keyboard ---

    def cycle(self, by: int) -> None:
        """Give the keyboard to the next or previous panel that can be seen."""
        panels = [panel for panel in self._panels() if panel.isVisible()]
        if not panels:
            return
        now = QApplication.focusWidget()
        place = next(
            (i for i, panel in enumerate(panels) if now and panel.isAncestorOf(now)),
            -1 if by > 0 else 0,
        )
        for step in range(1, len(panels) + 1):
            panel = panels[(place + by * step) % len(panels)]
            target = _first_in(panel)
            if target is not None:
                panel.raise_()  # from behind another, where the keyboard is not seen
                target.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def _panels(self) -> list[Panel | DockPanel]:
        """All panels in the order in which one reads the window."""
        panels: list[Panel | DockPanel] = [
            *self._window.findChildren(Panel),
            *self._docks.values(),
        ]

        def place(panel: QWidget) -> tuple[int, int]:
            if isinstance(panel, DockPanel) and not panel.in_front:
                beside = self._window.tabifiedDockWidgets(panel)
                fronts = (dock for dock in self._docks.values() if dock.in_front)
                panel = next((dock for dock in fronts if dock in beside), panel)
            corner = panel.mapTo(self._window, panel.rect().topLeft())
            return corner.x() // 40, corner.y()

        return sorted(panels, key=place)

    def _on_focus_changed(self, old: QWidget | None, now: QWidget | None) -> None:
        """Mark the title of the panel that has the keyboard."""
        if now is None or not self._window.isAncestorOf(now):
            return
        title = next(
            (p.title_line for p in self._panels() if p.isAncestorOf(now)), None
        )
        for line, active in ((self._active, False), (title, True)):
            if line is not None:
                line.set_active(active)
        self._active = title


def _first_in(panel: QWidget) -> QWidget | None:
    """The widget that takes the keyboard in a panel: its view, not its buttons."""
    able = [
        widget
        for widget in panel.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
    ]
    outside = [w for w in able if not isinstance(w.parent(), TitleLine)]
    return next(iter(outside or able), None)
