"""The scatter plot's picture: points, thumbnails, marks, legend. No gestures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from kernelviewer.gui import theme
from kernelviewer.gui.painting.classes import fill_class, paint_mark
from kernelviewer.gui.painting.pixels import Ringed, caption_font, logical
from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.scatter.cloud import DENSITY_FROM, Cloud
from kernelviewer.gui.views.scatter.colours import Legend, LegendStrip, note_box
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QImage, QPaintEvent, QResizeEvent
    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.views.scatter.cloud import Box, ScatterContent

MARGIN = 12
CAPTION = 26
"""Height of the line under the points."""
_NOTE = 15
_SMALL, _LARGE = 22, 34
"""Side of a thumbnail in a small and in a large view, logical pixels."""
_WIDE = 420
_LETTERED, _TRIED = 2000, 60
"""Points of a class among which the one that bears its letters is sought, and how many
of them are tried."""


class ScatterPlot(Ringed):
    """Draws points; knows where each stands. Setters never emit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.content: ScatterContent | None = None
        self._classes: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._colours: tuple[str, ...] = ("#808080",)
        self.legend = Legend()
        self._strip: LegendStrip | None = None
        self._selected: NDArray[np.bool_] | None = None
        self._focus: int | None = None
        self.marked: NDArray[np.int64] = np.zeros(0, np.int64)
        self.trail: NDArray[np.float32] | None = None
        self._message = ""
        self._thumbnail: Callable[[int, int], QImage] | None = None
        self._thumbnails: list[tuple[QRectF, QImage]] | None = None
        self._letters: list[tuple[QRectF, int]] | None = None
        self._box: Box = (-1.0, 1.0, -1.0, 1.0)
        self._whole = self._box
        self._image: QImage | None = None
        self._places: NDArray[np.int32] = np.zeros((0, 2), np.int32)
        self._cloud = Cloud()
        self._path: list[QPointF] = []

    # Setters

    def set_content(self, content: ScatterContent | None, message: str = "") -> None:
        """Show other points, or say what would fill the view."""
        self.content, self._message = content, message
        self._selected = None
        if content is not None:
            self._classes = np.zeros(len(content.points), np.uint8)
        self.reset_zoom()

    def set_classes(
        self,
        classes: NDArray[np.uint8],
        colours: tuple[str, ...],
        legend: Legend | None = None,
    ) -> None:
        """Colour the points: uint8 [P] into at most 127 colours, ``#RRGGBB``."""
        self._classes, self._colours = classes, colours
        self.legend = legend or Legend()
        self._strip = None
        self.redraw()

    def set_selection(self, selected: NDArray[np.bool_] | None) -> None:
        """Mark points, bool [P]; None or all False: none."""
        some = selected is not None and bool(selected.any())
        if not some and self._selected is None:
            return
        self._selected = selected if some else None
        self.redraw()

    def set_focus(self, number: int | None) -> None:
        """Ring one kernel."""
        self._focus = number
        self.update()

    def set_marked(self, numbers: NDArray[np.int64]) -> None:
        """Ring kernels thinly, such as those nearest to the slider."""
        if self._image is None:
            self.marked = numbers
            self.update()
            return
        before, self.marked = self.marked, numbers
        for number in {*before.tolist(), *numbers.tolist()}:
            if (place := self.place_of(number)) is not None:
                at = place.toPoint()
                self.update(QRect(at.x() - 8, at.y() - 8, 17, 17))

    def set_trail(self, trail: NDArray[np.float32] | None) -> None:
        """Draw a kernel's way along a run: its places [S, 2]; NaN where it has none."""
        if trail is not None or self.trail is not None:
            self.trail = trail
            self.update()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: other colours."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self.redraw()

    def set_thumbnail(self, thumbnail: Callable[[int, int], QImage] | None) -> None:
        """How to draw a kernel in a side of device pixels; None: not at all."""
        self._thumbnail, self._thumbnails = thumbnail, None
        self.redraw()

    def reset_zoom(self) -> None:
        """Show all points."""
        if self.content is not None and len(self.content.points):
            low, high = self.content.points.min(0), self.content.points.max(0)
            room = np.maximum(0.06 * (high - low), 1e-3)
            low, high = low - room, high + room
            self._box = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
        self._whole = self._box
        self.redraw()

    @property
    def zoomed(self) -> bool:
        """True if another part than all points is seen."""
        return self._box != self._whole

    # Places

    def place_of(self, number: int) -> QPointF | None:
        """Where a kernel's point lies in the widget; None if it has none."""
        if self.content is None:
            return None
        row = int(np.searchsorted(self.content.numbers, number))
        if row >= len(self.content.numbers) or self.content.numbers[row] != number:
            return None
        self._ensure_image()
        column, line = self._places[row] / self.devicePixelRatioF()
        return QPointF(float(column), float(line))

    @property
    def thumbnails(self) -> list[QRectF]:
        """Where kernels are drawn over the points."""
        self._ensure_image()
        return [box for box, _ in self._ensure_thumbnails()]

    def field(self) -> QRectF:
        """Where points can lie."""
        top = self._ensure_strip().height + (_NOTE if self._note() else 0)
        return QRectF(0, top, self.width(), max(1, self.height() - CAPTION - top))

    # Drawing

    def redraw(self) -> None:
        """Draw the points anew."""
        self._image = self._letters = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint points, what is marked, and what it means."""
        painter = QPainter(self)
        if self.content is None or not len(self.content.points):
            self.paint_message(painter, self._message)
            return
        self._ensure_image()
        painter.setClipRect(self.field())
        if self._image is not None:
            painter.drawImage(QPointF(0, 0), self._image)
        for place, picture in self._ensure_thumbnails():
            painter.drawImage(place, picture)
            painter.setPen(QPen(QColor(theme.tokens().secondary), 1))
            painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.setFont(caption_font(self.font()))
        for place, index in self.letters:
            fill_class(painter, place, index, dark=theme.tokens().dark)
            paint_mark(painter, place, index, theme.tokens())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_marks(painter)
        painter.setClipping(False)
        self._paint_words(painter)
        if self._path:
            painter.setPen(QPen(QColor(theme.tokens().accent), 1))
            fill = QColor(theme.tokens().accent)
            fill.setAlphaF(0.12)
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF(self._path))
        self.paint_outer_ring(painter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: draw anew."""
        self._strip = None
        self.redraw()

    def _ensure_image(self) -> None:
        """Draw the cloud if it is not up to date; hidden views never come here."""
        if self._image is not None or self.content is None:
            return
        ratio = self.devicePixelRatioF()
        size = round(self.width() * ratio), round(self.height() * ratio)
        inset = round(self.field().top() * ratio), round(CAPTION * ratio)
        places = self._cloud.place(
            self.content, self._box, size, ratio, inset, self._thumbnail_side()
        )
        if places is not self._places:
            self._thumbnails = None
        self._places = places
        self._image = self._cloud.draw(
            self._classes, self._colours, self._selected, theme.tokens().panel
        )

    def _thumbnail_side(self) -> int:
        """Device pixels; 0: kernels are not drawn."""
        if self._thumbnail is None:
            return 0
        wide = min(self.width(), self.height()) >= _WIDE
        return round((_LARGE if wide else _SMALL) * self.devicePixelRatioF())

    def _ensure_thumbnails(self) -> list[tuple[QRectF, QImage]]:
        if self._thumbnails is None:
            self._thumbnails = []
            ratio, side = self.devicePixelRatioF(), self._thumbnail_side()
            if self.content is None or self._thumbnail is None:
                return []
            for row in self._cloud.shown_small:
                picture = self._thumbnail(int(self.content.numbers[row]), side)
                box = picture.rect()
                column, line = self._places[row].tolist()
                box.moveTo(column - box.width() // 2, line - box.height() // 2)
                self._thumbnails.append((logical(box, ratio), picture))
        return self._thumbnails

    @property
    def letters(self) -> list[tuple[QRectF, int]]:
        """Boxes of the classes' letters, each on a point amid its class, where free."""
        if self._letters is None:
            self._letters = []
            metrics = QFontMetricsF(caption_font(self.font()))
            field, ratio = self.field(), self.devicePixelRatioF()
            taken = self.thumbnails
            counts = np.bincount(self._classes, minlength=len(CLASSES))
            for index in sorted(self.legend.classes, key=lambda i: -counts[i]):
                rows = np.flatnonzero(self._classes == index)
                rows = rows[:: len(rows) // _LETTERED + 1]
                places = self._places[rows] / ratio
                low, high = field.topLeft().toTuple(), field.bottomRight().toTuple()
                places = places[((places > low) & (places < high)).all(axis=1)]
                if not len(places):
                    continue
                far = np.abs(places - np.median(places, axis=0)).sum(axis=1)
                wide = metrics.horizontalAdvance(CLASSES[index].mark) + 4
                box = QRectF(0, 0, wide, metrics.height())
                for place in places[far.argsort()[:_TRIED]].tolist():
                    box.moveCenter(QPointF(*place))
                    free = not any(map(box.intersects, taken))
                    if free and field.contains(box):
                        self._letters.append((QRectF(box), index))
                        taken.append(QRectF(box))
                        break
        return self._letters

    def _at(self, x: float, y: float) -> QPointF:
        """Where a point of the plane lies in the widget."""
        (left, right, bottom, top), field = self._box, self.field()
        return QPointF(
            (x - left) / (right - left) * field.width(),
            field.top() + (top - y) / (top - bottom) * field.height(),
        )

    def _paint_trail(self, painter: QPainter, trail: NDArray[np.float32]) -> None:
        """A line with a dot for each step, larger ones later."""
        text = QColor(theme.tokens().text)
        places = {
            step: self._at(x, y)
            for step, (x, y) in enumerate(trail.tolist())
            if x == x and y == y
        }
        painter.setPen(QPen(text, 1.2))
        painter.drawPolyline(QPolygonF([*places.values()]))
        painter.setPen(QPen(QColor(theme.tokens().panel), 1))
        painter.setBrush(text)
        for step, place in places.items():
            radius = 2 + 1.5 * step / max(1, len(trail) - 1)
            painter.drawEllipse(place, radius, radius)

    def _paint_marks(self, painter: QPainter) -> None:
        if self.content is not None and (slope := self.content.slope) is not None:
            painter.setPen(QPen(QColor(theme.tokens().secondary), 1))
            left, right = self._box[:2]
            painter.drawLine(
                self._at(left, slope * left), self._at(right, slope * right)
            )
        if self.trail is not None:
            self._paint_trail(painter, self.trail)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.tokens().accent), 1.5))
        for number in self.marked:
            if (place := self.place_of(int(number))) is not None:
                painter.drawEllipse(place, 5, 5)
        if self._focus is not None and (place := self.place_of(self._focus)):
            painter.setPen(QPen(QColor(theme.tokens().text), 2))
            painter.drawEllipse(place, 6, 6)

    # Legend and note

    def _ensure_strip(self) -> LegendStrip:
        if self._strip is None:
            font = caption_font(self.font())
            size = float(self.width()), float(self.height())
            self._strip = LegendStrip(self.legend, font, *size, MARGIN)
        return self._strip

    def _note(self) -> str:
        """What is to be known of the points shown."""
        if self.content is None:
            return ""
        count = len(self.content.points)
        many = f"density of {spaced(count)} kernels" if count > DENSITY_FROM else ""
        return ", ".join(filter(None, (many, self.content.note)))

    def _paint_words(self, painter: QPainter) -> None:
        strip, note = self._ensure_strip(), self._note()
        strip.paint(painter, theme.tokens())
        if note:
            painter.setFont(caption_font(self.font()))
            painter.setPen(QColor(theme.tokens().secondary))
            box, flags = note_box(self.width(), strip.height, MARGIN)
            end = Qt.TextElideMode.ElideRight
            text = painter.fontMetrics().elidedText(note, end, int(box.width()))
            painter.drawText(box, flags, text)
