"""The decoded kernel of a code as picture, surface and facts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QToolButton, QWidget

from kernelviewer.gui import theme
from kernelviewer.gui.controls import in_column, in_row, label_of, named
from kernelviewer.gui.painting.classes import SWATCH, ClassSwatch
from kernelviewer.gui.painting.kernels import WeightColours, as_pictures
from kernelviewer.gui.text import signed
from kernelviewer.gui.views.reconstruction.content import NO_SPECTRUM
from kernelviewer.gui.views.reconstruction.picture import TapsPicture
from kernelviewer.gui.views.reconstruction.surface import KernelSurface
from kernelviewer.gui.views.reconstruction.thumbnails import Thumbnails
from kernelviewer.kernels.classes import PATTERNS, class_shown

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QResizeEvent

    from kernelviewer.gui.views.reconstruction.content import (
        FamilyFit,
        NearKernel,
        ReconstructionContent,
    )

_SPACE = 6
_WIDEST_TEXT = "−0.00, −0.00 px"
_SIDE, _LARGE_SIDE = 154, 238
"""Of the picture beside the facts, and alone in its line: logical pixels."""
_SURFACE, _LEAST_SURFACE = 190, 120
_SURFACE_WIDE, _NEAREST_WIDE = 340, 260
"""Where both fit, the nearest kernels stand beside the surface."""
_WIDE = 460
"""From this width on the surface stands beside the picture."""
_LEAST = 200
_MARGIN, _TOP, _GAP = 12, 4, 12
_INSET = 10
"""From the left of a flat button to its text."""
_LONG = 1.6
"""Pictures that are longer than this get a line of their own."""
NEAREST = "Nearest kernels"
_SHOW_VALUES, _HIDE_VALUES = "Show Values", "Hide Values"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class ClassLine(QWidget):
    """Swatch and name of a class."""

    def __init__(self, name: str, role: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.swatch = ClassSwatch(self)
        self.label = label_of(self, name=name, title="Class", role=role)
        in_row(self, self.swatch, self.label, 1, spacing=_SPACE)

    def width_of(self, text: str) -> int:
        """Width of the line with a text."""
        return SWATCH + _SPACE + self.label.fontMetrics().horizontalAdvance(text) + 2

    def set_class(self, class_index: int | None, text: str = "") -> None:
        """Show a class, by its short name unless a text is given."""
        self.swatch.set_class(class_index)
        if class_index is not None:
            found = class_shown(class_index)
            self.label.setToolTip(found.name)
            text = text or found.short
        self.label.setText(text)


class Facts(QWidget):
    """Class of a decoded kernel, and the family member nearest to it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.class_line = ClassLine("reconstructionClass", "heading", self)
        column = in_column(self, self.class_line, spacing=0)
        column.addSpacing(4)
        self._names: dict[str, QLabel] = {}
        self._values: dict[str, QLabel] = {}
        for key, title in (
            ("family", "family"),
            ("sigma", "σx, σy"),
            ("angle", "angle"),
            ("offset", "offset x, y"),
        ):
            name, value = QLabel(title, self), QLabel(self)
            name.setProperty("role", "caption")
            named(value, f"reconstruction_{key}", title)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            column.addWidget(name)
            column.addWidget(value)
            column.addSpacing(4)
            self._names[key], self._values[key] = name, value
        column.addStretch(1)

    def widest(self) -> int:
        """Width at which no class and no number is cut."""
        heading, caption = self.class_line.label, self._names["family"]
        self.ensurePolished()
        for label in (heading, caption):
            label.ensurePolished()
        names = [found.short for found in PATTERNS]
        return max(
            self.fontMetrics().horizontalAdvance(_WIDEST_TEXT),
            *(self.class_line.width_of(name) for name in names),
            *(caption.fontMetrics().horizontalAdvance(_family(name)) for name in names),
        )

    def set_content(self, content: ReconstructionContent) -> None:
        """Say what a decoded kernel is."""
        unnamed = "" if content.class_index is not None else "not named"
        self.class_line.set_class(content.class_index, unnamed)
        family = content.family
        other = family is not None and family.class_index != content.class_index
        name = class_shown(family.class_index).short if family and other else ""
        self._names["family"].setText(_family(name))
        for key, text in describe(family).items():
            self._values[key].setText(text)


def _family(name: str) -> str:
    """What the family's cosine is called; the class where it is not the stretch's."""
    return f"family: {name}" if name else "family"


def describe(family: FamilyFit | None) -> dict[str, str]:
    """The values of a family member as text."""
    if family is None:
        return dict.fromkeys(("family", "sigma", "angle", "offset"), "–")
    (sx, sy), (ox, oy) = family.sigma, family.offset
    return {
        "family": f"cos {_number(family.cosine, 2)}",
        "sigma": f"{_number(sx, 2)}, {_number(sy, 2)} px",
        "angle": _number(family.angle, 0, "°"),
        "offset": f"{_number(ox, 2)}, {_number(oy, 2)} px",
    }


def _number(value: float, decimals: int, unit: str = "") -> str:
    """With a true minus sign, but none before zero; a dash for what there is not."""
    if math.isnan(value):
        return "–"
    return signed(f"{round(value, decimals) + 0.0:.{decimals}f}{unit}")


class ReconstructionView(QScrollArea):
    """Image, class, family parameters, surface, and the real kernels nearest to it.

    Shows what it is told; setters never emit.
    """

    kernel_requested = Signal(int)
    """Kernel id: one of the nearest was chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "reconstructionView", "Reconstruction")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.content: ReconstructionContent | None = None
        self._colours: NDArray[np.float64] = np.full((3, 3), 128.0)
        self._body = QWidget(self)
        self.message = label_of(self._body, NO_SPECTRUM, role="secondary", wraps=True)
        self._make_parts(self._body)
        self.setWidget(self._body)
        self.set_content(None)

    def _make_parts(self, body: QWidget) -> None:
        self.picture = TapsPicture(
            "reconstructionPicture", "Picture of the decoded kernel", _SIDE, body
        )
        self.picture.resized.connect(self._show_unit)
        self.unit = label_of(body, role="caption")
        self.values = named(QToolButton(body), "reconstructionValues")
        self.values.setCheckable(True)
        self.values.setProperty("quiet", True)
        self.values.setAccessibleName("Write the values into the picture")
        self.values.setText(_SHOW_VALUES)
        self.values.toggled.connect(self._on_values_toggled)
        self.facts = Facts(body)
        self.surface = KernelSurface(body)
        self.slice = label_of(body, role="caption")
        self.nearest_title = label_of(body, role="title")
        self.nearest = Thumbnails(body)
        self.nearest.kernel_requested.connect(self.kernel_requested)
        self._parts = (
            *(self.picture, self.unit, self.values, self.facts, self.surface),
            *(self.slice, self.nearest_title, self.nearest),
        )

    # Setters

    def set_content(self, content: ReconstructionContent | None) -> None:
        """Show another decoded kernel; None: the message."""
        before, self.content = self.content, content
        self.message.setVisible(content is None)
        for part in self._parts:
            part.setVisible(content is not None)
        if content is not None:
            self.picture.set_taps(content.taps)
            self.facts.set_content(content)
            self._show_surface(content.taps)
            self._show_unit()
        if _shape(before) != _shape(content):
            self._arrange()

    def set_nearest(
        self, kernels: tuple[NearKernel, ...], centred: bool = False
    ) -> None:
        """Show the real kernels nearest to it, the nearest first.

        ``centred``: they are without their mean, which is said.
        """
        before = self.nearest.count
        self.nearest.set_kernels(kernels)
        text = f"{NEAREST}, without mean" if centred else NEAREST
        self.nearest_title.setText(text if kernels else "")
        if len(kernels) != before:
            self._arrange()

    def set_message(self, text: str) -> None:
        """What is said while there is no decoded kernel."""
        self.message.setText(text)
        self._arrange()

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Colour weights by [K, 3] of 0 … 255, zero in the middle."""
        self._colours = colours
        self._show_colours()

    def set_values(self, shown: bool) -> None:
        """Write the values into the picture, or not."""
        self.values.setChecked(shown)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: other colours."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self._show_colours()

    # Showing

    def _show_colours(self) -> None:
        tokens = theme.tokens()
        paints = WeightColours.of(self._colours, tokens.panel, tokens.neutral)
        for part in (self.picture, self.surface, self.nearest):
            part.set_paints(paints)

    def _show_surface(self, taps: NDArray[np.float32]) -> None:
        """Of a 3-D kernel the slice with most in it."""
        text = ""
        if taps.ndim == 3:
            strength = np.square(np.nan_to_num(taps)).sum(axis=(1, 2))
            strongest = int(strength.argmax())
            text = f"slice {strongest + 1} of {len(taps)}"
            taps = taps[strongest]
        self.surface.set_taps(as_pictures(taps[None])[0])
        self.slice.setText(text)

    def _show_unit(self) -> None:
        power = self.picture.exponent()
        factor = f"× 10{str(power).translate(_SUPERSCRIPTS)}" if power else ""
        fits = self.picture.has_room_for_values()
        text = f"taps {factor}".strip() if fits else "no room: hover over a tap"
        self.unit.setText(text if self.values.isChecked() else "")

    def _on_values_toggled(self, shown: bool) -> None:
        self.values.setText(_HIDE_VALUES if shown else _SHOW_VALUES)
        self.picture.set_values(shown)
        self._arrange()
        self._show_unit()

    def _arrange(self) -> None:
        """Place the parts as suits the width and the picture's shape."""
        # The scroll bar comes to lie in the right margin. If parts moved for it, they
        # might no longer need it.
        room = max(_LEAST, self.width() - 2 * _MARGIN)
        if self.content is None:
            height = self.message.heightForWidth(room)
            self.message.setGeometry(_MARGIN, _TOP, room, height)
        else:
            height = self._place_wide(room) if room >= _WIDE else self._place(room)
        self._body.resize(room + 2 * _MARGIN, _TOP + height + _MARGIN)

    def _place(self, room: int) -> int:
        """One column; the height that it takes."""
        x, facts = _MARGIN, self.facts.widest() + _INSET
        beside = room - facts - _GAP
        if self._needs_a_line():
            y = _TOP + self._place_picture(x, _TOP, room, _LARGE_SIDE) + _GAP
            self._place_surface(x, y, beside, _SURFACE)
            self.facts.setGeometry(x + beside + _GAP, y, facts, _SURFACE)
            y += _SURFACE
        else:
            tall = self._place_picture(x, _TOP, beside, _SIDE)
            tall = max(tall, self.facts.sizeHint().height())
            self.facts.setGeometry(x + beside + _GAP, _TOP, facts, tall)
            y = _TOP + tall + _GAP
            rise = min(_SURFACE, max(_LEAST_SURFACE, self.height() - y - _GAP))
            self._place_surface(x, y, room, rise)
            y += rise
        return y + _GAP + self._place_nearest(x, y + _GAP, room) - _TOP

    def _place_wide(self, room: int) -> int:
        """Picture, facts and surface side by side; the height that they take."""
        x, y, facts = (
            _MARGIN,
            _TOP,
            QSize(self.facts.widest(), self.facts.sizeHint().height()),
        )
        if self._is_long():
            y += self._place_picture(x, y, room, _LARGE_SIDE) + _GAP
            tall = _SURFACE
        else:
            side = _LARGE_SIDE if self.values.isChecked() else _SIDE
            tall = max(_SURFACE, self._place_picture(x, y, side, side))
            x += side + _GAP
        tall = max(tall, facts.height())
        self.facts.setGeometry(x, y, facts.width(), tall)
        x += facts.width() + _GAP
        rest = _MARGIN + room - x
        if rest < _SURFACE_WIDE + _GAP + _NEAREST_WIDE:
            self._place_surface(x, y, rest, tall)
            y += tall + _GAP
            return y + self._place_nearest(_MARGIN, y, room) - _TOP
        self._place_surface(x, y, _SURFACE_WIDE, tall)
        x += _SURFACE_WIDE + _GAP
        tall = max(tall, self._place_nearest(x, y, _MARGIN + room - x))
        return y + tall - _TOP

    def _place_picture(self, x: int, y: int, width: int, side: int) -> int:
        """The picture with what stands under it; the height that they take."""
        self.picture.set_side(side)
        tall = self.picture.heightForWidth(width)
        self.picture.setGeometry(x, y, width, tall)
        button = self.values.sizeHint()
        wide, top = button.width(), y + tall + 4
        self.values.setGeometry(x - _INSET, top, wide, button.height())
        x += wide + _INSET
        self.unit.setGeometry(x, top, _MARGIN + width - x, button.height())
        return tall + 4 + button.height()

    def _place_surface(self, x: int, y: int, width: int, height: int) -> None:
        caption = self.slice.sizeHint().height() if self.slice.text() else 0
        self.surface.setGeometry(x, y, width, height - caption)
        self.slice.setGeometry(x, y + height - caption, width, caption)

    def _place_nearest(self, x: int, y: int, width: int) -> int:
        """The height that they take."""
        if not self.nearest.count:
            return 0
        title = self.nearest_title.sizeHint().height()
        tall = self.nearest.heightForWidth(width)
        self.nearest_title.setGeometry(x, y, width, title)
        self.nearest.setGeometry(x, y + title + 4, width, tall)
        return title + 4 + tall

    def _needs_a_line(self) -> bool:
        return self._is_long() or self.values.isChecked()

    def _is_long(self) -> bool:
        if self.content is None:
            return False
        rows, columns = as_pictures(self.content.taps[None]).shape[1:]
        return bool(columns > _LONG * rows)

    # Qt

    def sizeHint(self) -> QSize:
        """Qt: room for a 7×7 kernel."""
        return QSize(300, 470)

    def minimumSizeHint(self) -> QSize:
        """Qt: picture and facts stand beside each other."""
        button = self.values.sizeHint().width()
        wide = self.facts.widest() + _GAP + max(button, _LEAST - _SIDE)
        return QSize(wide + 2 * _MARGIN, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The parts go where there is room."""
        super().resizeEvent(event)
        self._arrange()


def _shape(content: ReconstructionContent | None) -> tuple[int, ...]:
    return () if content is None else content.taps.shape
