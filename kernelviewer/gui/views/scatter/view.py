"""The cloud with the choice of its axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtWidgets import QApplication, QToolButton

from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.controls import ChoiceButton, named
from kernelviewer.gui.painting.pixels import caption_font
from kernelviewer.gui.views.scatter.cloud import inside_polygon
from kernelviewer.gui.views.scatter.plot import CAPTION, MARGIN, ScatterPlot
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.scatter.cloud import ScatterContent

REACH = 6
"""How far from a point a click still means it, logical pixels."""
GESTURES = {"band": "drag a box", "lasso": "draw a line around"}
_DIRECTIONS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_PAN = 40
_ZOOM = {Qt.Key.Key_Plus: 0.8, Qt.Key.Key_Equal: 0.8, Qt.Key.Key_Minus: 1.25}


def nearest_towards(
    places: NDArray[np.int32], start: NDArray[np.float64], direction: tuple[int, int]
) -> int | None:
    """Row of the nearest place within 45° of a direction; None if there is none.

    Parameters
    ----------
    places
        int32 [N, 2], across and down.
    start
        Where to begin, [2].
    direction
        One step across or down.
    """
    away = places - start
    along = away @ np.array(direction, np.float64)
    aside = np.abs(away @ np.array(direction[::-1], np.float64))
    ahead = np.flatnonzero((along > 0) & (aside <= along))
    if not len(ahead):
        return None
    distance = along[ahead] + 2 * aside[ahead]
    return int(ahead[distance.argmin()])


class ScatterView(Listed, ScatterPlot):
    """Shows what it is told; asks by signals.

    A click asks for the focus, a band or lasso (Alt) for a selection; the wheel zooms,
    the middle button moves the picture, a double click shows all. Arrow keys ask for
    the nearest kernel in their direction, with Shift they move the picture; Space
    takes the focused kernel into the selection or out of it.
    """

    focus_requested = Signal(int)
    selection_requested = Signal(object, object)
    """Kernel numbers, int64, and the keyboard modifiers held."""
    toggle_requested = Signal(int)
    name_requested = Signal(str)
    """Id of a class that is to be called otherwise."""
    axes_requested = Signal(int, int)
    """Components across and up, from 0."""
    plane_requested = Signal(str)
    """Other axes than components, by their key."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "scatterView", "Principal components of the kernels' patterns")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tooltip: Callable[[int], str] = str
        self._name: Callable[[int], str] | None = None
        self._pan_from: QPointF | None = None
        self._origin = self._box
        self._axes = (0, 1)
        self._names: tuple[str, ...] = ()
        self._planes: Mapping[str, tuple[str, str]] = {}
        self.across = ChoiceButton("scatterAcross", "Component across", {}, self)
        self.up = ChoiceButton("scatterUp", "Component up", {}, self)
        self.gesture = ChoiceButton("scatterGesture", "Select by", GESTURES, self)
        self.gesture.set_choice("band")
        self.gesture.chosen.connect(self.gesture.set_choice)
        self.across.chosen.connect(lambda key: self._on_chosen(key, across=True))
        self.up.chosen.connect(lambda key: self._on_chosen(key, across=False))
        self.all = named(QToolButton(self), "scatterShowAll")
        self.all.setText("show all")
        self.all.setAccessibleName("Show all points")
        self.all.setToolTip("Show all points (double click, or the key 0)")
        self.all.clicked.connect(self.reset_zoom)
        for button in (self.across, self.up, self.gesture, self.all):
            button.setFont(caption_font(self.font()))
            button.setProperty("quiet", True)
            button.hide()

    def set_content(self, content: ScatterContent | None, message: str = "") -> None:
        """Show other points, or say what would fill the view."""
        super().set_content(content, message)
        there = content is not None and len(content.points) > 0
        for button in (self.across, self.up):
            button.setVisible(there)
        self._arrange_buttons()

    def set_components(self, names: tuple[str, ...], axes: tuple[int, int]) -> None:
        """Offer components by their names, two of them chosen."""
        self._axes, self._names = axes, names
        self._offer()
        for button, axis in ((self.across, axes[0]), (self.up, axes[1])):
            button.set_choice(str(axis))
        self._arrange_buttons()

    def set_planes(self, planes: Mapping[str, tuple[str, str]]) -> None:
        """Offer other axes than components: key → what is across and up."""
        if planes != self._planes:
            self._planes = planes
            self._offer()
            self._arrange_buttons()

    def set_plane(self, plane: str) -> None:
        """Show other axes than components as chosen, by their key."""
        self._offer()
        for button in (self.across, self.up):
            button.set_choice(plane)
        self._arrange_buttons()

    def _offer(self) -> None:
        for place, button in enumerate((self.across, self.up)):
            known = self._names or ("PC1", "PC2") * bool(self._planes)
            components = {str(number): name for number, name in enumerate(known)}
            others = {key: names[place] for key, names in self._planes.items()}
            button.set_choices({**components, **others})

    def set_tooltip(
        self, tooltip: Callable[[int], str], name: Callable[[int], str] | None = None
    ) -> None:
        """What to say of a kernel under the cursor, and in a line."""
        self._tooltip, self._name = tooltip, name

    def set_focus(self, number: int | None) -> None:
        """Ring one kernel."""
        super().set_focus(number)
        text = "" if number is None else self._tooltip(number)
        self.setAccessibleDescription(text)
        self.tell_item()

    # Items, as a screen reader has them: points

    def item_count(self) -> int:
        """Points."""
        return 0 if self.content is None else len(self.content.numbers)

    def item_name(self, item: int) -> str:
        """A kernel in a line."""
        number = self._number_of(item)
        return one_line(self._tooltip(number)) if not self._name else self._name(number)

    def item_details(self, item: int) -> str:
        """What its tooltip says."""
        return self._tooltip(self._number_of(item))

    def item_box(self, item: int) -> QRectF | None:
        """What a click on it may miss it by."""
        place = self.place_of(self._number_of(item))
        if place is None:
            return None
        return QRectF(place.x() - REACH, place.y() - REACH, 2 * REACH, 2 * REACH)

    def item_at(self, place: QPointF) -> int | None:
        """The point near a place."""
        return self._item_of(self.number_at(place))

    def item_now(self) -> int | None:
        """The focused kernel, if it has a point."""
        return self._item_of(self._focus)

    def item_selected(self, item: int) -> bool:
        """True if it is selected."""
        return self._selected is not None and bool(self._selected[item])

    def _number_of(self, item: int) -> int:
        assert self.content is not None
        return int(self.content.numbers[item])

    def _item_of(self, number: int | None) -> int | None:
        if self.content is None or number is None:
            return None
        row = int(np.searchsorted(self.content.numbers, number))
        there = row < len(self.content.numbers)
        return row if there and self.content.numbers[row] == number else None

    def number_at(self, place: QPointF) -> int | None:
        """The kernel whose point lies nearest to a place, within reach."""
        if self.content is None or not len(self.content.numbers):
            return None
        self._ensure_image()
        ratio = self.devicePixelRatioF()
        away = self._places - np.array([place.x(), place.y()]) * ratio
        distance = (away**2).sum(1)
        best = int(distance.argmin())
        if distance[best] > (REACH * ratio) ** 2:
            return None
        return int(self.content.numbers[best])

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: move the focus, or with Shift the picture; zoom; select."""
        key, shift = event.key(), Qt.KeyboardModifier.ShiftModifier
        if key in _DIRECTIONS:
            dx, dy = _DIRECTIONS[Qt.Key(key)]
            if event.modifiers() & shift:
                self._pan(QPointF(-_PAN * dx, -_PAN * dy))
            else:
                self._move_focus(dx, dy)
        elif key in _ZOOM:
            self._zoom(self.field().center(), _ZOOM[Qt.Key(key)])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_0):
            self.reset_zoom()
        elif key == Qt.Key.Key_Space and self._focus is not None:
            self.toggle_requested.emit(self._focus)
        elif key == Qt.Key.Key_Escape and self._path:
            self._path = []
            self.update()
        elif key == Qt.Key.Key_Escape and self._pan_from is not None:
            self._pan_from, self._box = None, self._origin
            self.redraw()
        else:
            super().keyPressEvent(event)

    def _move_focus(self, dx: int, dy: int) -> None:
        """Ask for the nearest kernel in a direction; for the middle one at first."""
        if self.content is None or not len(self.content.numbers):
            return
        self._ensure_image()
        start = None if self._focus is None else self.place_of(self._focus)
        ratio = self.devicePixelRatioF()
        if start is None:
            middle = self.field().center() * ratio
            away = self._places - np.array([middle.x(), middle.y()])
            row: int | None = int((away**2).sum(1).argmin())
        else:
            at = np.array([start.x(), start.y()]) * ratio
            row = nearest_towards(self._places, at, (dx, dy))
        if row is not None:
            self.focus_requested.emit(int(self.content.numbers[row]))

    # Mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: zoom at the cursor."""
        self._zoom(event.position(), 0.999 ** event.angleDelta().y())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: begin a band or lasso (left), or move the picture (middle)."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._path = [event.position()]
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from, self._origin = event.position(), self._box

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: go on with what was begun."""
        place = event.position()
        if self._pan_from is not None:
            self._pan(place - self._pan_from)
            self._pan_from = place
        elif self._path:
            start, alt = self._path[0], Qt.KeyboardModifier.AltModifier
            if event.modifiers() & alt or self.gesture.choice == "lasso":
                self._path.append(place)
            else:
                corners = QRectF(start, place)
                self._path = [
                    start,
                    QPointF(corners.right(), corners.top()),
                    place,
                    QPointF(corners.left(), corners.bottom()),
                ]
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt: a click asks for the focus, a band for the selection."""
        if event.button() != Qt.MouseButton.LeftButton:
            self._pan_from = None
            return
        path, self._path = self._path, []
        self.update()
        if self.content is None or not path:
            return
        way = max((p - path[0]).manhattanLength() for p in (*path, event.position()))
        if way < QApplication.startDragDistance():
            number = self.number_at(event.position())
            if number is not None:
                self.focus_requested.emit(number)
            return
        self._ensure_image()
        corners = np.array([[p.x(), p.y()] for p in path]) * self.devicePixelRatioF()
        inside = inside_polygon(self._places, corners)
        numbers = self.content.numbers[inside]
        self.selection_requested.emit(numbers, event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt: show all points again; in the legend ask for a class's name."""
        if (index := self.class_at(event.position().toPoint())) is not None:
            self.name_requested.emit(CLASSES[index].id)
        else:
            self.reset_zoom()

    def class_at(self, place: QPoint | None) -> int | None:
        """Class index of the legend's entry at a place; None: there is none."""
        if place is None or not self.legend.classes:
            return None
        entry = self._ensure_strip().entry_at(QPointF(place))
        return None if entry is None else self.legend.classes[entry]

    # Other events

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: draw anew."""
        super().resizeEvent(event)
        self._arrange_buttons()

    def words_at(self, place: QPointF) -> str:
        """The kernel or the colour there, in words."""
        entry = self._ensure_strip().entry_at(place)
        if entry is not None:
            return self.legend.entries[entry][1]
        number = self.number_at(place)
        return "" if number is None else self._tooltip(number)

    # Moving

    def redraw(self) -> None:
        """Draw the points anew; offer to show all of them if some are out of view."""
        super().redraw()
        if self.zoomed == self.all.isHidden():
            self._arrange_buttons()

    def _zoom(self, place: QPointF, factor: float) -> None:
        left, right, bottom, top = self._box
        field = self.field()
        x = left + (right - left) * place.x() / max(1, field.width())
        y = top - (top - bottom) * (place.y() - field.top()) / field.height()
        self._box = (
            x + (left - x) * factor,
            x + (right - x) * factor,
            y + (bottom - y) * factor,
            y + (top - y) * factor,
        )
        self.redraw()

    def _pan(self, by: QPointF) -> None:
        left, right, bottom, top = self._box
        dx = -by.x() * (right - left) / max(1, self.width())
        dy = by.y() * (top - bottom) / self.field().height()
        self._box = (left + dx, right + dx, bottom + dy, top + dy)
        self.redraw()

    def _on_chosen(self, key: str, *, across: bool) -> None:
        """Ask for what was chosen on one of the axes."""
        if not key.isdigit():
            self.plane_requested.emit(key)
        elif across:
            self._ask_axes(int(key), self._axes[1])
        else:
            self._ask_axes(self._axes[0], int(key))

    def _ask_axes(self, across: int, up: int) -> None:
        """The same component on both axes would be a line: they change places."""
        if across == up:
            up, across = self._axes
        self.axes_requested.emit(across, up)

    def _arrange_buttons(self) -> None:
        """Under the points: the axes at the left, the gesture at the right."""
        x = MARGIN - 6
        for button in (self.across, self.up):
            hint = button.sizeHint()
            top = self.height() - CAPTION + (CAPTION - hint.height()) // 2
            button.setGeometry(x, top, hint.width(), hint.height())
            x += hint.width()
        there, left = self.across.isVisibleTo(self), self.width() - MARGIN + 6
        others: list[tuple[QToolButton, bool]] = [(self.gesture, True)]
        others.append((self.all, self.zoomed))
        for other, wanted in others:
            hint = other.sizeHint()
            left -= hint.width()
            top = self.height() - CAPTION + (CAPTION - hint.height()) // 2
            other.setGeometry(left, top, hint.width(), hint.height())
            other.setVisible(there and wanted and left >= x)
