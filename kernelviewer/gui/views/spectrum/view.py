"""The spectrum as a widget: its strips, the line under them, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from kernelviewer.gui import theme
from kernelviewer.gui.controls import NumberField, in_column, in_row, label_of, named
from kernelviewer.gui.painting.classes import ClassSwatch
from kernelviewer.gui.text import spaced
from kernelviewer.gui.views.spectrum.content import NOTHING_OPEN
from kernelviewer.gui.views.spectrum.histogram import CodeHistogram
from kernelviewer.gui.views.spectrum.kernels import KernelStrip
from kernelviewer.gui.views.spectrum.slider import STEP, LatentSlider, Player
from kernelviewer.gui.views.spectrum.stretches import StretchEditor
from kernelviewer.gui.views.spectrum.strip import MARGIN
from kernelviewer.kernels.classes import PAPER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QHideEvent, QPaintEvent, QWheelEvent

    from kernelviewer.gui.views.spectrum.content import (
        Absence,
        SpectrumContent,
        StretchSpan,
    )
    from kernelviewer.gui.views.spectrum.histogram import Density

_WIDEST = 560
_ICON = 12


class AbsentSpectrum(QWidget):
    """Says why, and offers what would give one."""

    train_requested = Signal()
    encode_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.text = QLabel(self), QLabel(self)
        self.title.setProperty("role", "heading")
        self.text.setProperty("role", "secondary")
        for label in (self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
        self.title.setObjectName("spectrumAbsent")
        self.train = QPushButton("Train Autoencoder…", self)
        self.train.setObjectName("trainAutoencoder")
        self.train.setAccessibleName("Train an autoencoder for this kernel size")
        self.train.setProperty("primary", True)
        self.train.clicked.connect(lambda: self.train_requested.emit())
        self.encode = QPushButton("Compute Missing Codes", self)
        named(self.encode, "encodeAgain", "Encode what has no codes")
        self.encode.setProperty("primary", True)
        self.encode.clicked.connect(lambda: self.encode_requested.emit())
        column = QWidget(self, maximumWidth=_WIDEST)
        inner = in_column(
            column, self.title, self.text, margins=(12, 0, 12, 8), spacing=8
        )
        buttons = in_row(None, 1, self.train, self.encode, 1)
        inner.addLayout(buttons)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        line = in_row(None, 1, (column, 8), 1)
        outer.addLayout(line)
        outer.addStretch(1)

    def set_absence(self, absence: Absence) -> None:
        """Say this."""
        self.title.setText(absence.title)
        self.text.setText(absence.text)
        self.text.setVisible(bool(absence.text))
        self.train.setVisible(absence.train)
        self.encode.setVisible(absence.encode)


class FittingLabel(QWidget):
    """The longest of some texts that fits; none is cut."""

    def __init__(
        self, name: str, side: Qt.AlignmentFlag, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._side = side
        self._texts: tuple[str, ...] = ()

    def set_texts(self, *texts: str) -> None:
        """Show one of these, the longest first."""
        if texts != self._texts:
            self._texts = texts
            self.setAccessibleName(texts[0] if texts else "")
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Qt: room for the longest."""
        metrics = self.fontMetrics()
        wide = max(map(metrics.horizontalAdvance, self._texts), default=0)
        return QSize(wide, metrics.height())

    def minimumSizeHint(self) -> QSize:
        """Qt: it may go."""
        return QSize(0, self.fontMetrics().height())

    @property
    def text(self) -> str:
        """What is shown."""
        width = self.fontMetrics().horizontalAdvance
        return next((text for text in self._texts if width(text) <= self.width()), "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the text."""
        painter = QPainter(self)
        painter.setPen(QColor(theme.tokens().secondary))
        flags = self._side | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), flags, self.text)


class SpectrumControls(QWidget):
    """Shows and sets the code. Setters never emit."""

    position_requested = Signal(float)
    play_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._playing = False
        self.play = named(QToolButton(self), "playSpectrum")
        self.play.setIconSize(QSize(_ICON, _ICON))
        self.play.clicked.connect(lambda: self.play_requested.emit())
        self.value = NumberField("latentValue", "Code as a number", STEP, self)
        self.value.valueChanged.connect(self.position_requested)
        self.swatch = ClassSwatch(self)
        self.name = label_of(self, name="spectrumClass", title="Class of the stretch")
        names = [found.name for found in PAPER.patterns]
        widest = max(self.name.fontMetrics().horizontalAdvance(name) for name in names)
        # what stands beside it shall not jump while the cursor moves
        self.name.setMinimumWidth(widest)
        sides = Qt.AlignmentFlag
        self.detail = FittingLabel("spectrumDetail", sides.AlignLeft, self)
        self.count = FittingLabel("spectrumCount", sides.AlignRight, self)
        parts = (self.play, self.value, self.swatch, self.name, (self.detail, 1))
        margins = (MARGIN - 6, 0, MARGIN, 0)
        in_row(self, *parts, self.count, margins=margins, spacing=8)
        self.set_playing(False)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: other colours."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            self.play.setIcon(self._icon())

    def set_position(self, z: float) -> None:
        """Show a code."""
        self.value.blockSignals(True)
        self.value.setValue(z)
        self.value.blockSignals(False)

    def set_stretch(self, stretch: StretchSpan | None) -> None:
        """Say which stretch the code is in; None: nothing is named."""
        self.swatch.set_class(
            None if stretch is None else stretch.class_index,
            "" if stretch is None else stretch.colour,
        )
        if stretch is None:
            self.name.setText("")
            self.detail.set_texts()
            return
        self.name.setText(stretch.title)
        both = ", ".join(filter(None, (stretch.span, stretch.quality)))
        self.detail.set_texts(both, stretch.span)

    def set_counts(self, shown: int, selected: int) -> None:
        """Say how many kernels have a code, and how many of them are selected."""
        total = spaced(shown)
        if selected:
            some = f"{spaced(selected)} of {total}"
            self.count.set_texts(f"{some} kernels selected", some)
        else:
            self.count.set_texts(f"{total} kernels" if shown else "")

    def set_playing(self, playing: bool) -> None:
        """Show whether the cursor moves by itself."""
        self._playing = playing
        what = "Pause" if playing else "Play along the spectrum"
        self.play.setAccessibleName(what)
        self.play.setToolTip(f"{what} (Space on the slider)")
        self.play.setIcon(self._icon())

    def _icon(self) -> QIcon:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(round(_ICON * ratio), round(_ICON * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(QColor(0, 0, 0, 0))
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.tokens().text))
        if self._playing:
            painter.drawRect(QRectF(2, 1, 3, _ICON - 2))
            painter.drawRect(QRectF(_ICON - 5, 1, 3, _ICON - 2))
        else:
            corners = [QPointF(2, 1), QPointF(2, _ICON - 1), QPointF(_ICON - 1, 6)]
            painter.drawPolygon(QPolygonF(corners))
        painter.end()
        return QIcon(picture)


class SpectrumView(QWidget):
    """Density, stretches, decoded kernels and the slider, over one axis of the code.

    Shows what it is told; setters never emit. A range of codes joins the selection by
    a `kernelviewer.state.selection.Mode`; stretches and borders are numbered from the
    left, border ``i`` lying after stretch ``i``.
    """

    position_requested = Signal(float)
    range_moved = Signal(float, float, str)
    """Lower and upper code and mode, while a brush is drawn."""
    range_requested = Signal(float, float, str)
    range_dropped = Signal()
    """The brush was given up: what `range_moved` said does not hold."""
    clear_requested = Signal()
    """Select nothing by code."""
    border_moved = Signal(int, float)
    """Border and code, while it is dragged."""
    border_set = Signal(int, float)
    border_dropped = Signal(int)
    """The drag was given up: what `border_moved` said does not hold."""
    name_requested = Signal(int)
    rename_requested = Signal(int, int)
    """Stretch and class index."""
    split_requested = Signal(int, float)
    """Stretch and code."""
    merge_requested = Signal(int, int)
    """StretchSpan, and the neighbour whose class it takes."""
    reset_requested = Signal()
    menu_opening = Signal(object)
    """The menu of a stretch, before it is shown: others may add to it."""
    train_requested = Signal()
    encode_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "spectrumView", "Spectrum")
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding, policy.Preferred)
        self.content: SpectrumContent | None = None
        self.position = 0.0
        self.player = Player(self)
        self.absent = AbsentSpectrum(self)
        self._body = QWidget(self)
        self.histogram = CodeHistogram(self._body)
        self.stretches = StretchEditor(self._body)
        self.kernels = KernelStrip(self._body)
        self.slider = LatentSlider(self._body)
        self.controls = SpectrumControls(self._body)
        self._strips = (self.histogram, self.stretches, self.kernels)
        self._lay_out()
        self._connect()
        self.set_absence(NOTHING_OPEN)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 2, 0, 8)
        column.setSpacing(0)
        column.addWidget(self.histogram, 1)
        for widget in (self.stretches, self.kernels, self.slider):
            column.addWidget(widget)
        column.addSpacing(4)
        column.addWidget(self.controls)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.absent)
        self._pages.addWidget(self._body)
        QWidget.setTabOrder(self.histogram, self.stretches)
        QWidget.setTabOrder(self.stretches, self.slider)

    def _connect(self) -> None:
        movers = (*self._strips, self.slider, self.controls, self.player)
        for mover in movers:
            mover.position_requested.connect(self.position_requested)
        for widget in (*self._strips, self.slider):
            widget.touched.connect(self.player.stop)
        self.controls.position_requested.connect(self.player.stop)
        for name in ("range_moved", "range_requested", "range_dropped"):
            getattr(self.histogram, name).connect(getattr(self, name))
        self.histogram.clear_requested.connect(self.clear_requested)
        editor = self.stretches
        editor.border_moved.connect(self.border_moved)
        editor.border_set.connect(self.border_set)
        editor.border_dropped.connect(self.border_dropped)
        editor.name_requested.connect(self.name_requested)
        editor.rename_requested.connect(self.rename_requested)
        editor.split_requested.connect(self.split_requested)
        editor.merge_requested.connect(self.merge_requested)
        editor.reset_requested.connect(self.reset_requested)
        editor.range_requested.connect(self.range_requested)
        editor.menu_opening.connect(self.menu_opening)
        editor.step_requested.connect(self._on_step_requested)
        for strip in (self.histogram, self.kernels):
            editor.guide_moved.connect(strip.set_guide)
        self.slider.step_requested.connect(self._on_step_requested)
        self.slider.play_requested.connect(self.player.toggle)
        self.controls.play_requested.connect(self.player.toggle)
        self.player.running_changed.connect(self.controls.set_playing)
        self.absent.train_requested.connect(self.train_requested)
        self.absent.encode_requested.connect(self.encode_requested)

    # Setters

    def set_spectrum(self, content: SpectrumContent | None) -> None:
        """Show another spectrum, or other stretches; None: say why there is none."""
        self.content = content
        if content is None:
            self.player.stop()
        for strip in self._strips:
            strip.set_content(content)
        self.controls.set_stretch(self._stretch())
        self._pages.setCurrentWidget(self.absent if content is None else self._body)
        self._describe()

    def set_absence(self, absence: Absence) -> None:
        """What is said while there is no spectrum."""
        self.absent.set_absence(absence)

    def set_density(self, density: Density | None, message: str = "") -> None:
        """Show how many kernels bear which code; None: the message instead."""
        self.histogram.set_message(message)
        self.histogram.set_density(density)
        shown = 0 if density is None else int(density.shown.sum())
        selected = 0 if density is None else int(density.selected.sum())
        self.controls.set_counts(shown, selected)

    def set_ranges(self, ranges: tuple[tuple[float, float], ...]) -> None:
        """Mark ranges of codes, lower and upper, that are part of the selection."""
        self.histogram.set_ranges(ranges)

    def set_position(self, z: float) -> None:
        """Move the cursor to a code, held within 0 … 1."""
        self.position = z = min(max(z, 0.0), 1.0)
        for part in (*self._strips, self.slider, self.controls, self.player):
            part.set_position(z)
        self.controls.set_stretch(self._stretch())
        self._describe()

    def set_mark(self, z: float | None) -> None:
        """Mark the code of the focused kernel; None: it has none."""
        self.slider.set_mark(z)

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Colour weights by [K, 3] of 0 … 255, zero in the middle."""
        self.kernels.set_colours(colours)

    # Qt

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Over any strip the wheel moves the cursor."""
        if self.content is not None:
            self.slider.wheelEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing moves that is not seen."""
        self.player.stop()
        super().hideEvent(event)

    def _stretch(self) -> StretchSpan | None:
        index = None if self.content is None else self.content.stretch_at(self.position)
        return (
            None
            if self.content is None or index is None
            else (self.content.stretches[index])
        )

    def _describe(self) -> None:
        """What a screen reader says of the slider."""
        stretch = self._stretch()
        text = f"code {self.position:.3f}"
        self.slider.setAccessibleDescription(
            text if stretch is None else f"{text}, {stretch.title}"
        )

    def _on_step_requested(self, direction: int) -> None:
        """To the middle of the next stretch, or of this one if it is ahead."""
        if self.content is None:
            return
        self.player.stop()
        middles = [stretch.middle for stretch in self.content.stretches]
        ahead = [z for z in middles if (z - self.position) * direction > 1e-6]
        if ahead:
            self.position_requested.emit(min(ahead) if direction > 0 else max(ahead))
