"""What is drawn is what is named: kernels without their mean where classes are seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from safetensors.numpy import load_file, save_file

from kernelviewer.gui.views.grid import mosaic
from kernelviewer.kernels.statistics import without_mean
from kernelviewer.state.session.form import from_text
from tests.gui.conftest import wait_idle
from tests.gui.harness import CONTROL, LEFT, SHIFT

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QAction

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


@pytest.fixture
def shifted(
    open_anew: MakeWindow, qtbot: Any, small_file: Path, tmp_path: Path
) -> MainWindow:
    """Kernels with means larger than their patterns: with them all is of one sign."""
    tensors = load_file(small_file)
    moved = {
        name: (value - 3 * np.abs(value).max()).astype(np.float32)
        for name, value in tensors.items()
    }
    path = tmp_path / "shifted.safetensors"
    save_file(moved, path)
    window = open_anew(path)
    wait_idle(qtbot, window)
    return window


def centred(window: MainWindow, qtbot: Any) -> bool:
    """Whether the grid draws weights of both signs: it has no mean in its tiles."""
    wait_idle(qtbot, window)
    content = window.parts.grid.content
    tiles = content.mosaic.tiles[content.order]
    seen = tiles[tiles <= mosaic.TOP].astype(int) - mosaic.ZERO
    return bool(seen.min() < -20 and seen.max() > 20)


def item(window: MainWindow, text: str) -> QAction:
    """An item of the scale's menu, opened by a click."""
    button = window.parts.controls.scale_mode
    QTest.mouseClick(button, LEFT)
    menu = button.findChild(QMenu)
    menu.hide()
    return next(action for action in menu.actions() if action.text() == text)


def test_a_group_of_a_class_is_drawn_as_it_is_named(
    shifted: MainWindow, qtbot: Any
) -> None:
    window = shifted
    assert not centred(window, qtbot)
    assert "mean" not in window.parts.controls.scale_mode.text()
    window.document.show_as(replace(window.document.display, group_by="class"))
    assert centred(window, qtbot)
    assert "mean" in window.parts.controls.scale_mode.text()
    assert "without mean" in window.parts.controls.scale_mode.toolTip()
    window.document.show_as(replace(window.document.display, group_by="layer"))
    assert not centred(window, qtbot)
    window.set_framed(True)  # the frames are of classes
    assert centred(window, qtbot)


def test_the_menu_of_the_scale_decides_and_undo_takes_it_back(
    shifted: MainWindow, qtbot: Any
) -> None:
    window = shifted
    window.document.show_as(replace(window.document.display, group_by="class"))
    wait_idle(qtbot, window)
    item(window, "with mean").trigger()
    assert window.document.marks.mean == "with"
    assert not centred(window, qtbot)
    window.commands["undo"].trigger()
    assert window.document.marks.mean == "auto"
    assert centred(window, qtbot)
    window.document.show_as(replace(window.document.display, group_by="layer"))
    item(window, "without mean").trigger()
    assert centred(window, qtbot)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window.parts.grid, Qt.Key.Key_R, CONTROL | SHIFT)
    assert window.document.marks.mean == "with"
    assert not window.commands["mean"].isChecked()


def test_a_session_keeps_the_choice(
    shifted: MainWindow, qtbot: Any, tmp_path: Path, open_anew: MakeWindow
) -> None:
    path = tmp_path / "work.kvsession"
    shifted.document.draw_mean("without")
    wait_idle(qtbot, shifted)
    shifted.sessions.save_to(path)
    wait_idle(qtbot, shifted)
    assert from_text(path.read_text()).mean == "without"
    again = open_anew(path)
    wait_idle(qtbot, again)
    assert again.document.marks.mean == "without"


def test_the_panels_say_and_show_it(shifted: MainWindow, qtbot: Any) -> None:
    window = shifted
    window.acts.focus(3)
    window.layouts.show_panel("inspector")
    wait_idle(qtbot, window)
    inspector = window.parts.inspector
    assert "mean" in inspector.unit.text()
    assert abs(float(inspector.picture._taps.mean())) < 1e-5
    assert inspector.comparison.content.centred
    assert abs(float(inspector.comparison.content.kernel.mean())) < 1e-5
    window.layouts.show_panel("reconstruction")
    wait_idle(qtbot, window)
    near = window.parts.reconstruction.nearest
    assert "without mean" in window.parts.reconstruction.nearest_title.text()
    assert all(abs(float(kernel.taps.mean())) < 1e-5 for kernel in near._kernels)
    window.layouts.show_panel("inspector")
    window.document.draw_mean("with")
    wait_idle(qtbot, window)
    assert "mean" not in inspector.unit.text()
    assert float(inspector.picture._taps.mean()) < -0.1
    assert not inspector.comparison.content.centred
    window.layouts.show_panel("reconstruction")
    wait_idle(qtbot, window)
    assert window.parts.reconstruction.nearest_title.text() == "Nearest kernels"


def test_the_mean_leaves_what_is_not_finite() -> None:
    kernels = np.arange(18, dtype=np.float32).reshape(2, 3, 3)
    kernels[1, 0, 0] = np.inf
    free = without_mean(kernels)
    assert free[0].sum() == pytest.approx(0)
    assert np.isinf(free[1, 0, 0])
    assert free[1].ravel()[1:].sum() == pytest.approx(0, abs=1e-4)
