"""The line under the slider: play, the code as a number, its stretch, the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QToolButton,
    QWidget,
)

from kernelviewer.gui.controls.number_field import NumberField
from kernelviewer.gui.painting.classes import ClassSwatch
from kernelviewer.gui.text import spaced
from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.spectrum.axis import MARGIN
from kernelviewer.gui.views.spectrum.slider import STEP
from kernelviewer.kernels.classes import PATTERNS

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from kernelviewer.gui.theme import Tokens
    from kernelviewer.gui.views.spectrum.content import StretchSpan

_ICON = 12


class FittingLabel(QWidget):
    """The longest of some texts that fits; none is cut."""

    def __init__(
        self, name: str, side: Qt.AlignmentFlag, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._side = side
        self._texts: tuple[str, ...] = ()
        self._tokens = LIGHT

    def set_theme(self, tokens: Tokens) -> None:
        """Show other colours."""
        self._tokens = tokens
        self.update()

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
        painter.setPen(QColor(self._tokens.secondary))
        flags = self._side | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), flags, self.text)


class SpectrumControls(QWidget):
    """Shows and sets the code. Setters never emit."""

    position_requested = Signal(float)
    play_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens = LIGHT
        self._playing = False
        self.play = QToolButton(self)
        self.play.setObjectName("playSpectrum")
        self.play.setIconSize(QSize(_ICON, _ICON))
        self.play.clicked.connect(lambda: self.play_requested.emit())
        self.value = NumberField("latentValue", "Code as a number", STEP, self)
        self.value.valueChanged.connect(self.position_requested)
        self.swatch = ClassSwatch(self)
        self.name = QLabel(self)
        self.name.setObjectName("spectrumClass")
        self.name.setAccessibleName("Class of the stretch")
        names = [found.name for found in PATTERNS]
        widest = max(self.name.fontMetrics().horizontalAdvance(name) for name in names)
        # what stands beside it shall not jump while the cursor moves
        self.name.setMinimumWidth(widest)
        sides = Qt.AlignmentFlag
        self.detail = FittingLabel("spectrumDetail", sides.AlignLeft, self)
        self.count = FittingLabel("spectrumCount", sides.AlignRight, self)
        line = QHBoxLayout(self)
        line.setContentsMargins(MARGIN - 6, 0, MARGIN, 0)
        line.setSpacing(8)
        for widget in (self.play, self.value, self.swatch, self.name):
            line.addWidget(widget)
        line.addWidget(self.detail, 1)
        line.addWidget(self.count)
        self.set_playing(False)

    def set_theme(self, tokens: Tokens) -> None:
        """Show other colours."""
        self._tokens = tokens
        self.swatch.set_theme(tokens)
        self.value.set_theme(tokens)
        self.detail.set_theme(tokens)
        self.count.set_theme(tokens)
        self.set_playing(self._playing)

    def set_position(self, z: float) -> None:
        """Show a code."""
        self.value.blockSignals(True)
        self.value.setValue(z)
        self.value.blockSignals(False)

    def set_stretch(self, stretch: StretchSpan | None) -> None:
        """Say which stretch the code is in; None: nothing is named."""
        self.swatch.set_class(None if stretch is None else stretch.class_index)
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
        painter.setBrush(QColor(self._tokens.text))
        if self._playing:
            painter.drawRect(QRectF(2, 1, 3, _ICON - 2))
            painter.drawRect(QRectF(_ICON - 5, 1, 3, _ICON - 2))
        else:
            corners = [QPointF(2, 1), QPointF(2, _ICON - 1), QPointF(_ICON - 1, 6)]
            painter.drawPolygon(QPolygonF(corners))
        painter.end()
        return QIcon(picture)
