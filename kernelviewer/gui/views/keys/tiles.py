"""The keys as tiles, and the focused kernel beside what its key makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from kernelviewer.gui import theme
from kernelviewer.gui.accessible import Listed, one_line
from kernelviewer.gui.controls import named
from kernelviewer.gui.painting.kernels import (
    WeightColours,
    amplitudes,
    as_pictures,
    enlarge,
    fit_taps,
    to_image,
)
from kernelviewer.gui.painting.pixels import Ringed, caption_font, device_pixels
from kernelviewer.gui.text import percent, spaced

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent
    from PySide6.QtWidgets import QWidget

_SIDE = 44
_WIDE = 62
"""Pixels across for a tile: its picture, and two lines of text below."""
_EDGE = 8
_BAR = 3
_PARTS = ("kernel", "key", "by the key", "left over")


@dataclass(frozen=True, slots=True, eq=False)
class KeyTile:
    """A key and what it carries of the kernels in scope."""

    number: int
    """The key, from 0."""
    pattern: NDArray[np.float32]
    """float32 [*size]."""
    kernels: int
    selected: int
    """How many it stands for, and how many of those are selected."""
    share: float = float("nan")
    r2: float = float("nan")
    """Share of the kernels, networks weighing alike, and the mean R² of those; NaN
    while that is computed or where it stands for none."""
    so_far: float = float("nan")
    """Mean R² of all kernels with it and the keys before it; NaN: not known yet."""

    @property
    def texts(self) -> tuple[str, str]:
        """What stands below it."""
        r2 = f"R² {self.r2:.2f}" if self.r2 == self.r2 else "–"
        return f"{self.number + 1}: {spaced(self.kernels)}", r2


@dataclass(frozen=True, slots=True, eq=False)
class FocusedKey:
    """The focused kernel by its key."""

    kernel: NDArray[np.float32]
    pattern: NDArray[np.float32]
    made: NDArray[np.float32]
    """Its taps, the key's with the sign that it is used with, and a·f + b; [*size]."""
    key: int
    gain: float
    offset: float
    r2: float
    null: float
    """Number of the key from 0, a, b, R², and the mean R² of white noise."""


class KernelPainter(Ringed):
    """Paints kernels by the pixel in the colours of weights."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colours: NDArray[np.float64] = np.full((3, 3), 128.0)

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Colour weights by [K, 3] of 0 … 255, zero in the middle."""
        self._colours = colours
        self.update()

    def paint_kernel(
        self, painter: QPainter, box: QRectF, taps: NDArray[np.float32], top: float
    ) -> QRectF:
        """Paint a kernel in the middle of a box; where it stands."""
        tokens, ratio = theme.tokens(), self.devicePixelRatioF()
        paints = WeightColours.of(self._colours, tokens.panel, tokens.neutral)
        pixels = paints.pixels(taps[None], np.array([top], np.float32))[0]
        wide, high = int(box.width() * ratio), int(box.height() * ratio)
        rows, columns = pixels.shape
        image = to_image(enlarge(pixels, *fit_taps(rows, columns, wide, high)))
        x = round(box.x() * ratio) + (wide - image.width()) // 2
        y = round(box.y() * ratio) + (high - image.height()) // 2
        with device_pixels(painter, ratio):
            painter.drawImage(x, y, image)
        wide, high = image.width(), image.height()
        return QRectF(x / ratio, y / ratio, wide / ratio, high / ratio)


class KeyTiles(Listed, KernelPainter):
    """A tile for each key, that which adds most first: pattern, kernels, R².

    The bar under a pattern is as long as it stands for kernels; of it blue is what is
    selected. A click asks for the kernels of a key; arrow keys go from key to key,
    Space or Enter asks. Setters never emit.
    """

    key_requested = Signal(int, object)
    """Number of a key, and the keys held."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "keyTiles", "Keys that stand for the kernels")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.tiles: tuple[KeyTile, ...] = ()
        self.marked: int | None = None
        self._current = 0
        self._wide = _WIDE

    def set_tiles(self, tiles: tuple[KeyTile, ...]) -> None:
        """Show keys in this order."""
        self.tiles = tiles
        self._current = min(self._current, max(0, len(tiles) - 1))
        self._describe()
        self._fit_texts()
        self.update()

    def set_marked(self, number: int | None) -> None:
        """Frame the key of the focused kernel, by its number."""
        if number != self.marked:
            self.marked = number
            self.update()

    # Places

    def _line(self) -> float:
        return QFontMetricsF(caption_font(self.font())).height()

    def _fit_texts(self) -> None:
        """Room from tile to tile for what stands below them."""
        width = QFontMetricsF(caption_font(self.font())).horizontalAdvance
        texts = [text for tile in self.tiles for text in tile.texts]
        self._wide = max(_WIDE, ceil(max(map(width, texts), default=0)) + 8)
        self.updateGeometry()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: letters of another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_texts()

    def _columns(self, width: int) -> int:
        return max(1, min(len(self.tiles) or 1, (width - _EDGE) // self._wide))

    def _pitch(self) -> int:
        return _SIDE + _BAR + ceil(2 * self._line()) + 12

    def box_of(self, place: int) -> QRect:
        """Where a tile stands, by its place."""
        row, column = divmod(place, self._columns(self.width()))
        wide, high = self._wide, self._pitch()
        return QRect(_EDGE + column * wide, 4 + row * high, wide - 4, high)

    def place_at(self, point: QPointF) -> int | None:
        """Which tile stands there, by its place."""
        at = point.toPoint()
        places = range(len(self.tiles))
        return next(
            (place for place in places if self.box_of(place).contains(at)), None
        )

    def hasHeightForWidth(self) -> bool:
        """Qt: tiles flow into lines."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Qt: height of all lines."""
        if not self.tiles:
            return 0
        return 4 + ceil(len(self.tiles) / self._columns(width)) * self._pitch()

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        wide = 4 * self._wide + _EDGE
        return QSize(wide, self.heightForWidth(max(self.width(), wide)))

    def minimumSizeHint(self) -> QSize:
        """Qt: smallest size."""
        wide = self._wide
        return QSize(2 * wide + _EDGE, self.heightForWidth(max(self.width(), wide)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: flow anew."""
        super().resizeEvent(event)
        self.updateGeometry()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint every tile."""
        painter = QPainter(self)
        painter.setFont(caption_font(self.font()))
        most = max((tile.kernels for tile in self.tiles), default=0)
        for place, tile in enumerate(self.tiles):
            self._paint_tile(painter, self.box_of(place), tile, max(1, most))
        if self._ringed and self.tiles:
            painter.setPen(QPen(QColor(theme.tokens().accent), 1.5))
            box = QRectF(self.box_of(self._current)).adjusted(-1, -1, 1, -5)
            painter.drawRoundedRect(box, 4, 4)

    def _paint_tile(
        self, painter: QPainter, box: QRect, tile: KeyTile, most: int
    ) -> None:
        tokens, line = theme.tokens(), self._line()
        if tile.number == self.marked:
            painter.fillRect(box.adjusted(0, -2, 0, -6), QColor(tokens.selected))
        place = QRectF(box.x() + (box.width() - _SIDE) / 2, box.y(), _SIDE, _SIDE)
        top = float(amplitudes(as_pictures(tile.pattern[None]))[0])
        self.paint_kernel(painter, place, tile.pattern, top)
        bar = QRectF(place.x(), place.bottom() + 3, _SIDE, _BAR)
        painter.fillRect(bar, QColor(tokens.separator))
        for count, colour in (
            (tile.kernels, tokens.secondary),
            (tile.selected, tokens.accent),
        ):
            bar.setWidth(_SIDE * count / most)
            painter.fillRect(bar, QColor(colour))
        colours = (tokens.text, tokens.secondary)
        for row, (colour, text) in enumerate(zip(colours, tile.texts, strict=True)):
            painter.setPen(QColor(colour))
            at = QRectF(
                box.x() - 2, bar.bottom() + 2 + row * line, box.width() + 4, line
            )
            painter.drawText(at, Qt.AlignmentFlag.AlignCenter, text)

    # Mouse and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: show what can be clicked."""
        shapes = Qt.CursorShape
        there = self.place_at(event.position()) is not None
        self.setCursor(shapes.PointingHandCursor if there else shapes.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: ask for a key's kernels."""
        place = self.place_at(event.position())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = place
            self.key_requested.emit(self.tiles[place].number, event.modifiers())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: go from key to key; ask for one."""
        keys, key = Qt.Key, event.key()
        columns, last = self._columns(self.width()), len(self.tiles) - 1
        places = {
            keys.Key_Left: self._current - 1,
            keys.Key_Right: self._current + 1,
            keys.Key_Up: self._current - columns,
            keys.Key_Down: self._current + columns,
            keys.Key_Home: 0,
            keys.Key_End: last,
        }
        if key in places:
            self._ringed = True
            if 0 <= places[Qt.Key(key)] <= last:
                self._current = places[Qt.Key(key)]
            self._describe()
            self.update()
        elif self.tiles and key in (keys.Key_Space, keys.Key_Return, keys.Key_Enter):
            number = self.tiles[self._current].number
            self.key_requested.emit(number, event.modifiers())
        else:
            super().keyPressEvent(event)

    def words_at(self, place: QPointF) -> str:
        """The key there, in words."""
        at = self.place_at(place)
        return "" if at is None else describe(self.tiles[at])

    def _describe(self) -> None:
        text = describe(self.tiles[self._current]) if self.tiles else ""
        self.setAccessibleDescription(one_line(text))
        self.tell_item()

    # Items, as a screen reader has them: keys

    def item_count(self) -> int:
        """Keys."""
        return len(self.tiles)

    def item_name(self, item: int) -> str:
        """A key in words."""
        return one_line(describe(self.tiles[item]))

    def item_box(self, item: int) -> QRectF | None:
        """Its tile."""
        return QRectF(self.box_of(item))

    def item_at(self, place: QPointF) -> int | None:
        """The tile there."""
        return self.place_at(place)

    def item_now(self) -> int | None:
        """What the keys of the keyboard are at."""
        return self._current if self.tiles else None

    def item_selected(self, item: int) -> bool:
        """True if one of its kernels is selected."""
        return self.tiles[item].selected > 0


def describe(tile: KeyTile) -> str:
    """A key in words."""
    lines = [f"key {tile.number + 1}: {spaced(tile.kernels)} kernels"]
    if tile.selected:
        lines[0] += f", {spaced(tile.selected)} selected"
    if tile.share == tile.share:
        lines.append(f"{percent(tile.share)} of the kernels, networks weighing alike")
    if tile.r2 == tile.r2:
        lines.append(f"it keeps R² {tile.r2:.3f} of their variance on average")
    if tile.so_far == tile.so_far:
        lines.append(f"with the keys before it: R² {tile.so_far:.3f} of all kernels")
    return "\n".join(lines)


class KeyOfKernel(KernelPainter):
    """The focused kernel, its key, a·f + b, and what is left over, on one scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "keyOfKernel", "The focused kernel by its key")
        self.content: FocusedKey | None = None
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding, policy.Fixed)

    def set_content(self, content: FocusedKey | None) -> None:
        """Show another kernel; None: nothing."""
        self.content = content
        self.setVisible(content is not None)
        if content is not None:
            self.setAccessibleDescription(self.text())
            self.setToolTip(
                f"a = {content.gain:.4g}, b = {content.offset:.4g}: what stands for "
                "the kernel is a·f + b with the key f"
            )
        self.update()

    def text(self) -> str:
        """What is said of the kernel."""
        content = self.content
        if content is None:
            return ""
        sign = " turned over" if content.gain < 0 else ""
        null = f"noise {content.null:.2f}"
        return f"key {content.key + 1}{sign}, R² {content.r2:.2f} ({null})"

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        line = QFontMetricsF(caption_font(self.font())).height()
        return QSize(4 * _WIDE + _EDGE, _SIDE + ceil(2 * line) + 10)

    def minimumSizeHint(self) -> QSize:
        """Qt: smallest size."""
        return QSize(4 * _SIDE, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the four, and what is said."""
        content = self.content
        if content is None:
            return
        painter, tokens = QPainter(self), theme.tokens()
        painter.setFont(caption_font(self.font()))
        line = QFontMetricsF(painter.font()).height()
        painter.setPen(QColor(tokens.text))
        room = QRectF(_EDGE, 2, self.width() - _EDGE, line)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.text())
        top = float(amplitudes(as_pictures(content.kernel[None]))[0])
        own = float(amplitudes(as_pictures(content.pattern[None]))[0])
        wide = min(_WIDE + 6, (self.width() - _EDGE) / 4)
        parts = (
            (content.kernel, top),
            (content.pattern, own),
            (content.made, top),
            (content.kernel - content.made, top),
        )
        for number, ((taps, reach), name) in enumerate(zip(parts, _PARTS, strict=True)):
            x = _EDGE + number * wide
            side = min(_SIDE, wide - 4)
            box = QRectF(x + (wide - side) / 2, line + 6, side, side)
            self.paint_kernel(painter, box, taps, reach)
            painter.setPen(QColor(tokens.secondary))
            at = QRectF(x, box.bottom() + 1, wide, line)
            painter.drawText(at, Qt.AlignmentFlag.AlignCenter, name)
