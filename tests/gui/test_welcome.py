"""The welcome page at every size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QLabel,
    QPushButton,
    QScrollArea,
    QWidget,
)

from kernelviewer.gui.views.welcome import ShortenedButton

if TYPE_CHECKING:
    from kernelviewer.gui.main_window import MainWindow

pytestmark = pytest.mark.networks(channels=24)


@pytest.mark.networks(count=0)
@pytest.mark.parametrize("size", [(1024, 700), (1280, 800), (2560, 1440)])
def test_the_welcome_page_shows_how_to_open_whatever_room_there_is(
    window: MainWindow, qtbot: Any, size: tuple[int, int]
) -> None:
    window.resize(*size)
    window.layouts.reset()
    QTest.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    welcome = window.parts.welcome
    welcome.set_recent(("/home/anna/a.pth", f"/home/anna/{'long' * 60}.pth"))
    page = window.findChild(QScrollArea, "welcomePage").viewport()
    title = window.findChild(QLabel, "welcomeTitle")

    def is_whole(widget: QWidget) -> bool:
        corner = widget.mapTo(page, QPoint(0, 0))
        return page.rect().contains(QRect(corner, widget.size()))

    def all_in_sight() -> bool:
        whole = all(map(is_whole, (title, welcome.open, welcome.sample)))
        links = [b for b in page.findChildren(QPushButton) if b.property("link")]
        whole = whole and all(link.width() <= page.width() for link in links)
        return whole and title.height() >= title.heightForWidth(title.width())

    qtbot.waitUntil(all_in_sight)


def test_a_link_without_room_keeps_the_name_before_the_folder(qtbot: Any) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    link = ShortenedButton("net-seed1.safetensors   /a/folder/far/away", page)
    wide = link.fontMetrics().horizontalAdvance
    whole = link.sizeHint().width()
    for cut in (20, 60):
        link.resize(whole - cut, 30)
        shown = link.fitting()
        assert shown.startswith("net-seed1.safetensors   /a")
        assert shown.endswith("ay")
        assert wide(shown) <= wide(link.text()) - cut
    link.resize(60, 30)
    assert "   " not in link.fitting()


def test_the_welcome_page_comes_back_as_it_fits(window: MainWindow, qtbot: Any) -> None:
    window.resize(1024, 700)
    window.layouts.reset()
    window.parts.welcome.set_recent(tuple(f"/home/anna/{n}.pth" for n in range(6)))
    window.commands["close_all"].trigger()
    window.docks["spectrum"].setMinimumHeight(350)
    title = window.findChild(QLabel, "welcomeTitle")
    qtbot.waitUntil(lambda: title.property("role") == "heading")
    window.parts.welcome.set_recent(())
    assert title.property("role") == "hero"


@pytest.mark.networks(count=0)
def test_what_is_being_opened_is_said_at_once(window: MainWindow, qtbot: Any) -> None:
    welcome = window.parts.welcome
    assert not welcome.opening.isVisible()
    window.commands["open_sample_run"].trigger()
    assert welcome.opening.isVisible()
    assert welcome.opening.text() == "Opening sample-run…"
    assert welcome.how_far.isVisible()
    assert window.statusBar().currentMessage() == "Opening sample-run…"
    qtbot.waitUntil(lambda: "of 12" in welcome.opening.text(), timeout=60_000)
    window.opener.stop()
    qtbot.waitUntil(lambda: not welcome.opening.isVisible(), timeout=60_000)
    assert window.statusBar().currentMessage() == ""
