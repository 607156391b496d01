"""Whoever uses the keyboard sees where it is, in the window and in its dialogs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QTreeView, QWidget

from tests.gui.conftest import wait_idle
from tests.gui.test_reachable import DIALOGS, arrange, bad_names, controls

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

pytestmark = pytest.mark.networks(channels=24)

CLEAR = 40
"""Difference of a channel, of 255, that is seen."""
LEAST = 20
"""Pixels of a ring that differ so much."""


def picture(widget: QWidget, part: QRect) -> np.ndarray:
    """RGB [h, w, 3] of a part of a window."""
    image = widget.grab(part).toImage().convertToFormat(QImage.Format.Format_RGB32)
    wide = image.bytesPerLine() // 4
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(-1, wide, 4)
    return pixels[:, : image.width(), :3].astype(int)


def unseen(top: QWidget) -> list[str]:
    """Names of what takes the keyboard by Tab and looks as if it had not."""
    found = []
    for widget in top.findChildren(QWidget):
        tabbed = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if not (tabbed and widget.isVisible() and widget.isEnabled()):
            continue
        if widget.focusProxy() or widget.window() is not top:
            continue
        if widget.visibleRegion().isEmpty():
            continue
        part = QRect(widget.mapTo(top, QPoint(0, 0)), widget.size())
        if now := QApplication.focusWidget():
            now.clearFocus()
        before = picture(top, part)
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        change = np.abs(picture(top, part) - before).max(2)
        if widget.hasFocus() and np.count_nonzero(change > CLEAR) < LEAST:
            found.append(f"{type(widget).__name__} {widget.objectName()}")
    return found


def test_each_control_of_the_window_shows_the_keyboard(
    window: MainWindow, qtbot: Any
) -> None:
    window.acts.focus(3)
    for theme in ("light", "dark"):
        window.set_theme(theme)
        for place in ("jobs", "keys", "overview"):
            arrange(window, qtbot, place)
            assert unseen(window) == [], (theme, place)


@pytest.mark.parametrize("presets", [("explore", "compare", "label"), ()])
def test_each_stop_of_f6_is_seen(
    make_window: MakeWindow, qtbot: Any, small_file: Path, presets: tuple[str, ...]
) -> None:
    window = make_window(*[small_file] * bool(presets))
    for preset in presets or [""]:
        if preset:
            window.use_preset(preset)
        window.resize(1300, 860)
        wait_idle(qtbot, window)
        stops: list[QWidget] = []
        for _ in range(20):
            window.commands["next_panel"].trigger()
            QApplication.processEvents()
            stop = QApplication.focusWidget()
            if stop is None or stop in stops:
                break
            stops.append(stop)
            assert not stop.visibleRegion().isEmpty(), stop.objectName()
            part = QRect(stop.mapTo(window, QPoint(0, 0)), stop.size())
            with_ring = picture(window, part)
            stop.clearFocus()
            change = np.abs(picture(window, part) - with_ring).max(2)
            assert np.count_nonzero(change > CLEAR) >= LEAST, stop.objectName()
            stop.setFocus(Qt.FocusReason.ShortcutFocusReason)
        assert len(stops) >= (6 if preset else 2), preset


def test_each_control_of_a_dialog_has_a_name_of_its_own_and_shows_the_keyboard(
    window: MainWindow, qtbot: Any
) -> None:
    for command in DIALOGS:
        window.commands[command].trigger()
        wait_idle(qtbot, window)
        (dialog,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
        assert controls(dialog), command
        assert bad_names(dialog) == [], command
        dialog.activateWindow()
        qtbot.waitUntil(dialog.isActiveWindow)
        assert unseen(dialog) == [], command
        dialog.close()


def test_who_clicks_sees_no_ring(window: MainWindow) -> None:
    tree = window.findChild(QTreeView, "modelTree")
    edge = QRect(0, 0, 3, tree.height())
    place = QRect(tree.mapTo(window, edge.topLeft()), edge.size())
    before = picture(window, place)
    below = tree.viewport().rect().bottomLeft() + QPoint(20, -4)
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=below)
    assert tree.hasFocus()
    assert np.array_equal(picture(window, place), before)
    tree.clearFocus()
    tree.setFocus(Qt.FocusReason.TabFocusReason)
    assert not np.array_equal(picture(window, place), before)
