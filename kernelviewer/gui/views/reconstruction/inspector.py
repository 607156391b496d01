"""The focused kernel: its picture, its facts, and beside its reconstruction."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QWidget,
)

from kernelviewer.gui.controls import in_column, label_of, named
from kernelviewer.gui.painting.pixels import AreaRing
from kernelviewer.gui.text import (
    as_tip,
    channel_text,
    like_text,
    second_class,
    signed,
    tags_text,
)
from kernelviewer.gui.view import (
    Computed,
    Controller,
    Home,
    ViewFigure,
    ViewSpec,
    match_option,
)
from kernelviewer.gui.views.reconstruction.comparison import (
    ComparisonView,
    PairView,
    pair_content,
)
from kernelviewer.gui.views.reconstruction.content import (
    UNIDENTIFIED,
    ComparisonContent,
    cosine,
    without_code,
)
from kernelviewer.jobs.analysing import fit_one
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import FINE, class_shown
from kernelviewer.kernels.statistics import without_mean
from kernelviewer.latent.labels import reaches
from kernelviewer.state.arrangement import leaves_out_mean
from kernelviewer.state.similarity import row_at

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QPaintEvent

    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.classes import Scheme
    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.kernels.family.scale_space import ScaleSpaceFit
    from kernelviewer.state.pool import KernelPool
    from kernelviewer.state.view_state import ViewState

_ON_SUPPORT = "On its effective support, {}: the taps around it never saw data."
_STANDARD = (
    "The code gives class and σ: the reconstruction has neither the kernel's angle nor "
    "its offset."
)
MAX_CELL = 34
MAX_VALUE_WIDTH = 0.86
PLACE = (
    ("network", "Network"),
    ("layer", "Layer"),
    ("channel", "Channel"),
    ("like", "Found by cosine"),
)
FIELDS = (
    ("size", "Size"),
    ("scale", "Scale ‖w − mean‖"),
    ("offset", "Offset, mean"),
    ("range", "Smallest, largest"),
    ("norm", "Norm ‖w‖"),
    ("state", "Pattern"),
    ("tags", "Tags"),
    ("class", "Class by code"),
    ("family", "Class by family"),
    ("margin", "Margin to the next"),
    ("family_width", "Its σx, σy"),
    ("family_angle", "Its angle"),
    ("family_offset", "Its offset x, y"),
    ("discrete", "Discrete Gaussian"),
    ("discrete_width", "Its σx, σy"),
)
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
EMPTY = "Click a kernel, or move with the arrow keys, to see it here."
LEAST_WIDTH = 277
"""Without a focused kernel the panel is as wide as with one, so that the first click
into the grid moves nothing."""


class KernelPicture(QWidget):
    """Paints a 1-D, 2-D or 3-D kernel with whole device pixels per tap."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, name, "Picture of the focused kernel")
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._taps: NDArray[np.float32] | None = None
        self._colours: NDArray[np.float64] = np.full((1, 3), 128.0)

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Use these colours [K, 3] of 0 … 255, zero in the middle."""
        self._colours = colours
        self.update()

    def set_taps(self, taps: NDArray[np.float32] | None) -> None:
        """Show a kernel (None: nothing)."""
        self._taps = None if taps is None else unfold(taps)
        self.updateGeometry()
        self.update()

    def heightForWidth(self, width: int) -> int:
        """Qt: the height that keeps taps square."""
        if self._taps is None:
            return 0
        rows, columns = self._taps.shape
        return max(12, int(min(width / columns, MAX_CELL) * rows))

    def sizeHint(self) -> QSize:
        """Qt: wished size."""
        return QSize(200, self.heightForWidth(200))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the taps."""
        if self._taps is None:
            return
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        rows, columns = self._taps.shape
        room = min(self.width() / columns, self.height() / rows, MAX_CELL) * ratio
        cell = max(1, int(room)) / ratio
        left = (self.width() - cell * columns) / 2
        finite = self._taps[np.isfinite(self._taps)]
        top = float(np.abs(finite).max(initial=0.0))
        font = painter.font()
        font.setPixelSize(max(6, int(cell * 0.32)))
        painter.setFont(font)
        widest = QFontMetricsF(font).horizontalAdvance("−0.0")
        show_values = cell >= 22 and widest <= cell * MAX_VALUE_WIDTH
        unit = 10.0 ** decimal_exponent(self._taps)
        for row in range(rows):
            for column in range(columns):
                value = float(self._taps[row, column])
                box = QRectF(left + column * cell, row * cell, cell, cell)
                colour = self._colour(value, top)
                painter.fillRect(box, colour)
                if show_values and np.isfinite(value):
                    painter.setPen(readable_on(colour))
                    text = signed(f"{round(value / unit, 1) + 0.0:.1f}")
                    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _colour(self, value: float, top: float) -> QColor:
        if not np.isfinite(value):
            return self.palette().color(self.palette().ColorRole.Mid)
        middle = (len(self._colours) - 1) / 2
        level = round(middle * (1 + (value / top if top else 0.0)))
        return QColor(*(round(part) for part in self._colours[level]))


def unfold(taps: NDArray[np.float32]) -> NDArray[np.float32]:
    """A kernel of any dimension as rows × columns; 3-D slices stand side by side."""
    if taps.ndim == 1:
        return taps[None]
    if taps.ndim == 2:
        return taps
    return np.concatenate(list(taps.reshape(-1, *taps.shape[-2:])), axis=1)


def decimal_exponent(taps: NDArray[np.float32]) -> int:
    """Power of ten that the largest finite |tap| is written with."""
    finite = np.abs(taps[np.isfinite(taps)])
    top = float(finite.max(initial=0.0))
    return math.floor(math.log10(top)) if top > 0 else 0


def readable_on(ground: QColor) -> QColor:
    """Black or white, whichever reads better on ``ground``."""
    light = 0.299 * ground.redF() + 0.587 * ground.greenF() + 0.114 * ground.blueF()
    return QColor("#1F1F1C") if light > 0.55 else QColor("#FFFFFF")


class Inspector(QScrollArea):
    """One kernel: where it is, beside what, its taps, its facts.

    Says what to do while there is none. ``pair`` and ``comparison`` are within, as all
    of the panel scrolls as one.
    """

    copy_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "inspector", "Focused kernel")
        AreaRing(self)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget(self)
        self._layout = in_column(body, margins=(12, 4, 8, 12), spacing=8)
        self.empty = label_of(body, EMPTY, role="secondary", wraps=True)
        self.place = _Values(PLACE, body)
        self.pair = PairView(body)
        self.comparison = ComparisonView(body)
        self.picture = KernelPicture("kernelPicture", body)
        self.unit = label_of(body, role="caption")
        self.values = _Values(FIELDS, body)
        self.copy = QPushButton("Copy as Array", body)
        named(self.copy, "copyKernel", "Copy the focused kernel as a NumPy array")
        self.copy.clicked.connect(lambda: self.copy_requested.emit())
        self._parts = (self.place, self.picture, self.unit, self.values, self.copy)
        for widget in (
            *(self.empty, self.place, self.pair, self.comparison),
            *self._parts[1:],
        ):
            self._layout.addWidget(widget)
        self._layout.addStretch(1)
        self.setWidget(body)
        self.set_kernel(None, None)

    def sizeHint(self) -> QSize:
        """Qt: room for a 7×7 kernel with its values."""
        return QSize(284, 400)

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Use these colours [K, 3] of 0 … 255 for taps, zero in the middle."""
        for part in (self.picture, self.pair.row, self.comparison.row):
            part.set_colours(colours)

    def set_kernel(
        self, pool: KernelPool | None, number: int | None, centred: bool = False
    ) -> None:
        """Show kernel ``number`` of the pool, or the empty state.

        ``centred``: its taps are drawn and written without their mean.
        """
        there = pool is not None and number is not None
        self.empty.setVisible(not there)
        for widget in self._parts:
            widget.setVisible(there)
        if pool is None or number is None:
            self.picture.set_taps(None)
            return
        taps = pool.weights_of(number)
        drawn = without_mean(taps[None])[0] if centred else taps
        self.picture.set_taps(drawn)
        power = str(decimal_exponent(drawn)).translate(SUPERSCRIPTS)
        what = "taps − mean" if centred else "taps"
        factor = "" if power == "⁰" else f" × 10{power}"
        self.unit.setText(f"({what}){factor}" if centred and factor else what + factor)
        facts = describe(pool, number)
        self.place.set_values({key: facts.pop(key) for key, _ in PLACE})
        self.values.set_values(facts)

    def set_tags(self, text: str) -> None:
        """Show the kernel's tags; empty: it has none."""
        self.values.set_values({"tags": text or "none (keys 1–9)"})

    def set_class(self, name: str) -> None:
        """Show the class by the kernel's code; empty: it has none."""
        self.values.set_values({"class": name or "none"})

    def set_fits(
        self, found: tuple[FamilyFit, ScaleSpaceFit] | None, scheme: Scheme = FINE
    ) -> None:
        """Show family member and discrete model nearest to the kernel; None: none."""
        member, discrete = found or (None, None)
        self.values.set_values(describe_family(member, scheme))
        self.values.set_values(describe_discrete(discrete))


class _Values(QWidget):
    """Two columns: what it is, and its value, selectable as text.

    ``fields``: key and title of each value.
    """

    def __init__(self, fields: tuple[tuple[str, str], ...], parent: QWidget) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 4, 0, 4)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self._names: dict[str, QLabel] = {}
        self._labels: dict[str, QLabel] = {}
        for row, (key, title) in enumerate(fields):
            self._names[key] = name = QLabel(title, self)
            name.setProperty("role", "secondary")
            value = label_of(self, name=f"value_{key}", title=title)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            value.setWordWrap(True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setSizePolicy(
                QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
            )
            value.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            value.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
            self._labels[key] = value

    def set_values(self, values: dict[str, str]) -> None:
        """Show these values, without those that are empty.

        Dots and slashes of long names may break the line.
        """
        for key, text in values.items():
            label = self._labels[key]
            if key in ("layer", "network"):
                label.setToolTip(as_tip(text))
                text = breakable(text)
            label.setText(text)
            label.setVisible(bool(text))
            self._names[key].setVisible(bool(text))


def breakable(name: str) -> str:
    """A dotted name that can be wrapped after its dots and underscores."""
    for mark in "._/-":
        name = name.replace(mark, f"{mark}\u200b")
    return name


def describe(pool: KernelPool, number: int) -> dict[str, str]:
    """The inspector's values for one kernel, as text."""
    taps = pool.weights_of(number)
    model, layer = pool.layer_of(number)
    finite = bool(np.isfinite(taps).all())
    if not finite:
        state = "flat: has taps that are not numbers"
    elif pool.flat[number]:
        state = "flat: dead or constant"
    else:
        state = "has a pattern"
    return {
        "network": model.name,
        "layer": layer.name,
        "channel": channel_text(pool, number),
        "like": like_text(pool, number),
        "size": size_label(pool.size)
        + (f", effective support {layer.support_label}" if layer.support else ""),
        "scale": _number(float(pool.scale[number])),
        "offset": _number(float(pool.offset[number])),
        "range": f"{_number(float(taps.min()))}, {_number(float(taps.max()))}",
        "norm": _number(float(np.linalg.norm(taps.astype(np.float64)))),
        "state": state,
    }


def describe_family(found: FamilyFit | None, scheme: Scheme) -> dict[str, str]:
    """The inspector's values for a kernel's own family member, as text.

    Its class and the next one are named in a scheme's words.
    """
    keys = ("family", "margin", "family_width", "family_angle", "family_offset")
    if found is None:
        return dict.fromkeys(keys, "–")
    name = class_shown(int(found.index_in(scheme)[0])).name
    both = int(found.class_index[0]), int(found.second_index[0])
    second = second_class(scheme, *both)
    after = "" if second is None else f", {class_shown(second).name}"
    x, y = float(found.sigma_x[0]), float(found.sigma_y[0])
    offset = [round(float(v[0]), 2) + 0.0 for v in (found.offset_x, found.offset_y)]
    texts = (
        f"cosine {float(found.cosine[0]):.3f}",
        f"{float(found.margin[0]):.3f}",
        f"{x:.2f}, {y:.2f} px",
        f"{float(found.angle[0]):.0f}°",
        f"{offset[0]:.2f}, {offset[1]:.2f} px",
    )
    values = {key: signed(text) for key, text in zip(keys, texts, strict=True)}
    return values | {  # hyphens stay hyphens
        "family": f"{name}, {values['family']}",
        "margin": f"{values['margin']}{after}",
    }


def describe_discrete(found: ScaleSpaceFit | None) -> dict[str, str]:
    """The inspector's values for the nearest difference of the discrete Gaussian."""
    if found is None:
        return {"discrete": "–", "discrete_width": "–"}
    from kernelviewer.kernels.family.scale_space import NAMES

    name = NAMES[int(found.model[0])]
    minus = "−" if found.sign[0] < 0 else ""
    inner = f"{minus}({name})" if minus and "[" in name else f"{minus}{name}"
    texts = (
        f"{inner}, cosine {float(found.cosine[0]):.3f}",
        f"{float(found.sigma_x[0]):.2f}, {float(found.sigma_y[0]):.2f} px",
    )
    return dict(zip(("discrete", "discrete_width"), map(signed, texts), strict=True))


def array_text(taps: NDArray[np.float32]) -> str:
    """Source text of the kernel as a NumPy array, exact in float32."""
    with np.printoptions(threshold=taps.size, floatmode="unique", linewidth=100):
        text = np.array2string(taps, separator=", ")
    return f"np.array({text}, dtype=np.float32)"


def _number(value: float) -> str:
    return signed(f"{value:.4g}")


class InspectorController(Controller):
    """The focused kernel beside its reconstruction, and its own family member."""

    def listen(self) -> None:
        """Its code can be gone to, its values can be copied."""
        self.inspector: Inspector = self.parts.inspector
        self.comparison, self.pair = self.inspector.comparison, self.inspector.pair
        self.comparison.code_requested.connect(self.document.set_position)
        self.inspector.copy_requested.connect(
            lambda: self.window.commands["copy_kernel"].trigger()
        )
        title = "Fit the family to the focused kernel"
        self._family = Computed(
            *(self.jobs, "views", "focus", title, _fit_kernel, self.again)
        )
        self.window.device_ready.connect(self.again)

    def show(self, state: ViewState) -> None:
        """Look at one kernel of the pool."""
        pool, focus = state.pool, state.focus
        centred = leaves_out_mean(state.mean, state.labels is not None)
        if self.is_news("kernel", pool, focus, centred):
            self.inspector.set_kernel(pool, focus, centred)
        if self.is_news("content", pool, focus, state.labels, state.spectrum, centred):
            self.comparison.set_content(_content(state, centred))
        if self.is_news("pair", state.pairs, focus, state.labels, centred):
            self.pair.set_content(pair_content(state))
            paired = self.pair.content is not None
            self.comparison.setVisible(focus is not None and not paired)
        if pool is None or focus is None:
            self._family.forget()
            self.forget("class", "tags")
            return
        if self.is_news("tags", pool, focus, state.tags, state.tag_bits):
            self.inspector.set_tags(tags_text(state, focus).removeprefix("tagged "))
        if self.is_news("class", pool, focus, state.by_code, state.code_threshold):
            self.inspector.set_class(_class_name(state, focus))
        if not self.window.device or pool.flat[focus]:
            self._family.forget()
            self.inspector.set_fits(None)
        else:
            found = self._family.of(pool, focus)
            self.inspector.set_fits(found, state.naming.scheme("family"))


def _fit_kernel(
    ticket: Ticket, pool: KernelPool, number: int
) -> tuple[FamilyFit, ScaleSpaceFit] | None:
    return fit_one(ticket, *pool.set_of(number))


def _class_name(state: ViewState, focus: int) -> str:
    """Class of the kernel's code, and its fit."""
    labels, threshold = state.by_code, state.code_threshold
    if labels is None or threshold is None or np.isnan(labels.code[focus]):
        return ""
    name, fit = class_shown(int(labels.best[focus])).name, float(labels.fit[focus])
    known = bool(reaches(labels.fit[focus : focus + 1], threshold)[0])
    return f"{name}{'' if known else ', but unidentified'}, fit {fit:.3f}"


def _content(state: ViewState, centred: bool) -> ComparisonContent | None:
    """The kernel beside what its code is decoded to; centred: without its mean."""
    pool, focus, labels = state.pool, state.focus, state.labels
    if pool is None or focus is None:
        return None
    from kernelviewer.kernels.support import on_support

    layer = pool.layer_of(focus)[1]
    taps = on_support(pool.weights_of(focus)[None], layer.support)
    kernel = (without_mean(taps) if centred else taps)[0]
    code = float("nan") if labels is None else float(labels.code[focus])
    if labels is None or state.spectrum is None or np.isnan(code):
        return replace(without_code(state, focus, kernel), centred=centred)
    decoded = on_support(state.spectrum[row_at(code)][None], layer.support)[0]
    notes = [_ON_SUPPORT.format(layer.support_label)] if layer.support else []
    notes += [_STANDARD] if labels.by == "family" else []
    return ComparisonContent(
        kernel,
        decoded,
        code,
        cosine(kernel, decoded),
        int(labels.best[focus]),
        int(labels.label[focus]) != UNIDENTIFIED,
        " ".join(notes),
        centred,
    )


INSPECTOR = ViewSpec(
    id="inspector",
    title="Focused kernel",
    make={"inspector": Inspector},
    width=LEAST_WIDTH,
    controller=InspectorController,
    reads=(
        *("pool", "focus", "labels", "by_code", "code_threshold", "spectrum"),
        *("pairs", "naming", "mean", "tags", "tag_bits"),
    ),
    figures={
        "comparisonView": ViewFigure("kernel", "focus"),
        "inspector": ViewFigure("kernel", "focus"),
        "pairView": ViewFigure("pairs", options=match_option),
    },
    home=Home("right", 0, 1),
    says=lambda state: state.focus is not None,
    homes={"compare": Home("right", 1, 2)},
)
