"""The focused kernel: its picture, its values, where it stands, its statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kernelviewer.gui.painting.focus import AreaRing
from kernelviewer.gui.text import signed
from kernelviewer.gui.tips import as_tip
from kernelviewer.gui.views.kernel_picture import KernelPicture, decimal_exponent
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.kernels.family import FamilyFit
    from kernelviewer.kernels.family.scale_space import ScaleSpaceFit
    from kernelviewer.state.pool import KernelPool

FIELDS = (
    ("network", "Network"),
    ("layer", "Layer"),
    ("channel", "Channel"),
    ("size", "Size"),
    ("scale", "Scale ‖w − mean‖"),
    ("offset", "Offset, mean"),
    ("range", "Smallest, largest"),
    ("norm", "Norm ‖w‖"),
    ("state", "Pattern"),
    ("class", "Class of its code"),
    ("family", "Nearest of the family"),
    ("family_width", "Its σx, σy"),
    ("family_angle", "Its angle"),
    ("family_offset", "Its offset x, y"),
    ("discrete", "Discrete Gaussian"),
    ("discrete_width", "Its σx, σy"),
)
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
EMPTY = "Click a kernel, or move with the arrow keys, to see it here."


class Inspector(QScrollArea):
    """Shows one kernel; says what to do while there is none."""

    copy_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setAccessibleName("Focused kernel")
        AreaRing(self)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget(self)
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(12, 4, 12, 12)
        self._layout.setSpacing(8)
        self.empty = QLabel(EMPTY, body)
        self.empty.setProperty("role", "secondary")
        self.empty.setWordWrap(True)
        self.picture = KernelPicture("kernelPicture", body)
        self.unit = QLabel(body)
        self.unit.setProperty("role", "caption")
        self.values = _Values(body)
        self.copy = QPushButton("Copy as Array", body)
        self.copy.setObjectName("copyKernel")
        self.copy.setAccessibleName("Copy the focused kernel as a NumPy array")
        self.copy.clicked.connect(lambda: self.copy_requested.emit())
        for widget in (self.empty, self.picture, self.unit, self.values, self.copy):
            self._layout.addWidget(widget)
        self._layout.addStretch(1)
        self.setWidget(body)
        self.set_kernel(None, None)

    def sizeHint(self) -> QSize:
        """Qt: room for a 7×7 kernel with its values."""
        return QSize(284, 400)

    def set_colours(self, colours: NDArray[np.float64]) -> None:
        """Use these colours [K, 3] of 0 … 255 for taps, zero in the middle."""
        self.picture.set_colours(colours)

    def set_kernel(self, pool: KernelPool | None, number: int | None) -> None:
        """Show kernel ``number`` of the pool, or the empty state."""
        there = pool is not None and number is not None
        self.empty.setVisible(not there)
        for widget in (self.picture, self.unit, self.values, self.copy):
            widget.setVisible(there)
        if pool is None or number is None:
            self.picture.set_taps(None)
            return
        taps = pool.weights_of(number)
        self.picture.set_taps(taps)
        power = str(decimal_exponent(taps)).translate(SUPERSCRIPTS)
        self.unit.setText("taps" if power == "⁰" else f"taps × 10{power}")
        self.values.set_values(describe(pool, number))

    def set_class(self, name: str) -> None:
        """Show the class of the kernel's code; empty: it has none."""
        self.values.set_values({"class": name or "none"})

    def set_fits(self, found: tuple[FamilyFit, ScaleSpaceFit] | None) -> None:
        """Show family member and discrete model nearest to the kernel; None: none."""
        member, discrete = found or (None, None)
        self.values.set_values(describe_family(member))
        self.values.set_values(describe_discrete(discrete))


class _Values(QWidget):
    """Two columns: what it is, and its value, selectable as text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 4, 0, 4)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self._labels: dict[str, QLabel] = {}
        for row, (key, title) in enumerate(FIELDS):
            name = QLabel(title, self)
            name.setProperty("role", "secondary")
            value = QLabel(self)
            value.setObjectName(f"value_{key}")
            value.setAccessibleName(title)
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
        """Show these values; dots and slashes of long names may break the line."""
        for key, text in values.items():
            label = self._labels[key]
            if key in ("layer", "network"):
                label.setToolTip(as_tip(text))
                text = breakable(text)
            label.setText(text)


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
        "network": model.bank.name,
        "layer": layer.name,
        "channel": f"{pool.channel[number]} of {layer.kernels}",
        "size": size_label(pool.size)
        + (f", effective support {layer.support_label}" if layer.support else ""),
        "scale": _number(float(pool.scale[number])),
        "offset": _number(float(pool.offset[number])),
        "range": f"{_number(float(taps.min()))}, {_number(float(taps.max()))}",
        "norm": _number(float(np.linalg.norm(taps.astype(np.float64)))),
        "state": state,
    }


def describe_family(found: FamilyFit | None) -> dict[str, str]:
    """The inspector's values for a kernel's own family member, as text."""
    keys = ("family", "family_width", "family_angle", "family_offset")
    if found is None:
        return dict.fromkeys(keys, "–")
    name = CLASSES[int(found.class_index[0])].name
    x, y = float(found.sigma_x[0]), float(found.sigma_y[0])
    offset = [round(float(v[0]), 2) + 0.0 for v in (found.offset_x, found.offset_y)]
    texts = (
        f"{name}, cosine {float(found.cosine[0]):.3f}",
        f"{x:.2f}, {y:.2f} px",
        f"{float(found.angle[0]):.0f}°",
        f"{offset[0]:.2f}, {offset[1]:.2f} px",
    )
    return {key: signed(text) for key, text in zip(keys, texts, strict=True)}


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
