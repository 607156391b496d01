"""What a screen reader finds: lists of what is painted, and what is announced."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from kernelviewer.gui import accessible
from kernelviewer.gui.accessible import Listed
from kernelviewer.kernels.classes import CLASSES
from tests.gui.conftest import LARGE, wait_idle
from tests.gui.harness import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtCore import QPointF

    from kernelviewer.gui.main_window import MainWindow

TEXT = QAccessible.Text
MANY = 100_000


@pytest.fixture(autouse=True)
def reader(qapp: QApplication) -> Iterator[None]:
    """A screen reader is there."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


def listed(widget: QWidget) -> Any:
    """A widget as a screen reader has it."""
    return QAccessible.queryAccessibleInterface(widget)


def items(widget: QWidget) -> list[Any]:
    """Its items, without its child widgets."""
    found = listed(widget)
    children = [found.child(number) for number in range(found.childCount())]
    return [child for child in children if child.role() == QAccessible.Role.ListItem]


def names(widget: QWidget) -> list[str]:
    """What the items are called."""
    return [item.text(TEXT.Name) for item in items(widget)]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is told without being asked: kind, and what it says or is about."""
    told: list[tuple[str, str]] = []

    def keep(event: Any) -> None:
        if hasattr(event, "message"):
            told.append(("announcement", event.message()))
        else:
            about = event.accessibleInterface()
            told.append((event.type().name, about.text(TEXT.Name)))

    monkeypatch.setattr(accessible, "notify", keep)
    return told


@pytest.mark.networks(channels=24, identified=0.7)
def test_the_grid_is_a_list_of_kernels(window: MainWindow) -> None:
    grid, state = window.parts.grid, window.state
    found = items(grid)
    assert len(found) == len(grid.content.order)
    number = 5
    kernel = int(grid.content.order[number])
    _, layer = state.pool.layer_of(kernel)
    label, fit = state.labels.label[kernel], state.labels.fit[kernel]
    text = found[number].text(TEXT.Name)
    assert text.startswith(f"kernel {state.pool.channel[kernel]} of {layer.name}, ")
    assert CLASSES[state.labels.best[kernel]].name in text
    assert text.endswith(f"fit {fit:.2f}")
    assert ("unidentified" in text) == (CLASSES[label].id == "unidentified")
    assert "scale" in found[number].text(TEXT.Description)
    box = grid.kernel_rect(kernel).toAlignedRect()
    place = grid.viewport().mapToGlobal(box.topLeft())
    assert found[number].rect().topLeft() == place
    assert found[number].rect().size() == box.size()
    middle = found[number].rect().center()
    hit = listed(grid).childAt(middle.x(), middle.y())
    assert hit is found[number]
    assert listed(grid).indexOfChild(hit) == listed(grid).childCount() - len(found) + 5


@pytest.mark.networks(channels=24, identified=0.7)
def test_keys_in_the_grid_tell_the_kernel_they_come_to(
    window: MainWindow, heard: list[tuple[str, str]]
) -> None:
    grid = window.parts.grid
    grid.setFocus(Qt.FocusReason.TabFocusReason)
    heard.clear()
    QTest.keyClick(grid, Qt.Key.Key_Right)
    kernel = grid.focus
    told = [text for kind, text in heard if kind == "Focus"]
    assert told == [window.acts.name_of(kernel)]
    (focused,) = [item for item in items(grid) if item.state().focused]
    assert focused.text(TEXT.Name) == told[0]
    assert listed(grid).focusChild() is focused
    assert not focused.state().selected
    QTest.keyClick(grid, Qt.Key.Key_Space)
    assert focused.state().selected


@pytest.mark.networks(channels=24, count=2, size=LARGE, by="code")
def test_every_painted_view_is_a_list(window: MainWindow, qtbot: Any) -> None:
    window.commands["compare"].trigger()
    window.acts.focus(3)
    window.layouts.show_panel("reconstruction")
    for dock in (
        *("classes", "composition", "scatter", "transitions", "drift"),
        *("inspector", "reconstruction", "keys"),
    ):
        if dock in window.docks:
            window.docks[dock].show()
            window.docks[dock].raise_()
            wait_idle(qtbot, window)
    views = [w for w in window.findChildren(QWidget) if isinstance(w, Listed)]
    of_runs = {"sharesChart", "formationChart"}
    found = {w.objectName(): names(w) for w in views if w.objectName() not in of_runs}
    assert len(found) >= 10
    for name, said in found.items():
        assert said, name
        assert all(said), name
        assert len(said) - len(set(said)) <= len(said) // 20, name


@pytest.mark.networks(channels=24, size=LARGE)
@pytest.mark.parametrize(
    ("part", "keys"),
    [
        ("histogram", (Qt.Key.Key_Down, Qt.Key.Key_Down)),
        ("composition", (Qt.Key.Key_Right, Qt.Key.Key_Up)),
        ("scatter", (Qt.Key.Key_Right,)),
    ],
)
def test_keys_in_a_chart_tell_what_they_come_to(
    window: MainWindow, heard: list[tuple[str, str]], part: str, keys: tuple[Any, ...]
) -> None:
    view = getattr(window.parts, part)
    window.docks[{"histogram": "classes"}.get(part, part)].raise_()
    QApplication.processEvents()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    for key in keys:
        QTest.keyClick(view, key)
    now = view.item_now()
    told = [text for kind, text in heard if kind == "Focus"]
    assert told[-1] == view.item_name(now)
    (focused,) = [item for item in items(view) if item.state().focused]
    assert focused.text(TEXT.Name) == told[-1]
    box = focused.rect()
    assert view.rect().contains(view.mapFromGlobal(box.center()))


@pytest.mark.networks(channels=24, identified=0.7)
def test_what_was_selected_and_what_a_job_did_is_announced(
    window: MainWindow, qtbot: Any, heard: list[tuple[str, str]]
) -> None:
    QTest.keyClick(window.parts.grid, Qt.Key.Key_A, CONTROL)
    count = window.state.selected.sum()
    told = [text for kind, text in heard if kind == "announcement"]
    assert any(text.startswith(f"{count} of {count} selected") for text in told)
    heard.clear()
    window.statusBar().showMessage("Something happened.")
    window.parts.jobs_panel.add(7, "Read a file")
    window.parts.jobs_panel.end(7, "two networks")
    window.parts.jobs_panel.fail(8, "Read another", "It is damaged", "")
    assert [text for _, text in heard] == [
        "Something happened.",
        "Read a file: two networks",
        "Read another: It is damaged",
    ]


class Painted(Listed, QWidget):
    """A view of many items."""

    def __init__(self) -> None:
        super().__init__()
        self.count = MANY

    def item_count(self) -> int:
        return self.count

    def item_name(self, item: int) -> str:
        return f"item {item}"

    def item_box(self, item: int) -> QRectF:
        return QRectF(10 * item, 0, 10, 10)

    def item_now(self) -> int | None:
        return None

    def item_at(self, place: QPointF) -> int | None:
        return int(place.x() // 10)


def test_of_many_items_those_asked_for_are_made(qapp: QApplication) -> None:
    accessible.install()
    widget = Painted()
    widget.show()
    found = listed(widget)
    assert found.childCount() == MANY
    assert found.made() == 0
    for number in (0, 5, MANY - 1):
        assert found.child(number).text(TEXT.Name) == f"item {number}"
    assert found.made() == 3
    last = found.child(MANY - 1)
    assert found.child(MANY - 1) is last
    assert last.state().offscreen
    assert not found.child(0).state().offscreen
    widget.count = 4
    assert not last.isValid()
    assert found.child(MANY - 1) is None
    widget.count = MANY
    for number in range(2 * accessible.KEPT):
        assert found.child(number).parent() is found
    assert found.made() == accessible.KEPT
    del last
    widget.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert not any(found in lists for lists in accessible._LISTS.values())
