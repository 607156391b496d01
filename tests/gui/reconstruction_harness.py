"""The reconstruction with something to show, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QLabel

from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.grid.colours import weight_colours
from kernelviewer.gui.views.reconstruction.content import (
    FamilyFit,
    NearKernel,
    ReconstructionContent,
)
from kernelviewer.gui.views.reconstruction.view import ReconstructionView
from kernelviewer.kernels.classes import INDEX
from tests.gui.spectrum_harness import pattern

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

FIT = FamilyFit(INDEX["d1-y"], 0.934, (0.71, 1.18), -0.3, (0.02, -0.114))
SIZES = [(3, 3), (7, 7), (9,), (60, 1), (1, 60), (3, 7, 7), (51, 51), (1, 1)]


def make_content(
    name: str = "d1-y", size: tuple[int, ...] = (7, 7)
) -> ReconstructionContent:
    return ReconstructionContent(0.846, pattern(name, size), INDEX[name], FIT)


def make_near(count: int = 8, size: tuple[int, ...] = (7, 7)) -> tuple[NearKernel, ...]:
    rng = np.random.default_rng(2)
    return tuple(
        NearKernel(
            100 + i,
            rng.standard_normal(size).astype(np.float32),
            0.99 - i / 100,
            f"blocks.{i}, channel 3",
        )
        for i in range(count)
    )


def shown_view(qtbot: QtBot) -> ReconstructionView:
    """The view with a first derivative and kernels near it."""
    view = ReconstructionView()
    qtbot.addWidget(view)
    view.set_colours(weight_colours("signed", LIGHT))
    view.set_content(make_content())
    view.set_nearest(make_near())
    view.resize(300, 560)
    view.show()
    return view


def texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]
