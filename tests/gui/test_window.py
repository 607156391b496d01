"""The window as a user meets it: files in, kernels on screen."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QPushButton,
    QScrollArea,
    QTreeView,
    QWidget,
)
from safetensors.numpy import save_file

import kernelviewer as kv
from kernelviewer.state.settings import load_settings, settings_path
from tests.gui.conftest import wait_idle
from tests.networks import write_network
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

    MakeWindow = Callable[..., MainWindow]

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


def drop(window: MainWindow, *paths: Path) -> None:
    """Drag files over the middle of the window and let them fall."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = window.rect().center()
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(place, copy, data, LEFT, NO_KEY)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    assert window.findChild(QWidget, "dropOverlay").isVisible()
    fall = QDropEvent(QPointF(place), copy, data, LEFT, NO_KEY)
    QApplication.sendEvent(window, fall)
    assert not window.findChild(QWidget, "dropOverlay").isVisible()


def tree_rows(window: MainWindow) -> dict[str, Any]:
    """Name → index of every row of the tree."""
    view = window.findChild(QTreeView, "modelTree")
    rows: dict[str, Any] = {}

    def walk(parent: Any) -> None:
        for row in range(view.model().rowCount(parent)):
            index = view.model().index(row, 0, parent)
            rows[index.data()] = index
            walk(index)

    walk(view.rootIndex())
    return rows


def click_row(window: MainWindow, name: str, key: Any = NO_KEY) -> None:
    """Click a row of the tree by its name."""
    view = window.findChild(QTreeView, "modelTree")
    index = tree_rows(window)[name]
    view.scrollTo(index)
    place = view.visualRect(index).center()
    QTest.mouseClick(view.viewport(), LEFT, key, place)


def errors(window: MainWindow) -> list[str]:
    """What the jobs panel lists as failed."""
    rows = window.parts.jobs_panel.rows.values()
    parts = [line.text.text() for row in rows for line in row.failures]
    return parts + [row.text.text() for row in rows if row.failed and not row.failures]


def test_dropping_a_file_shows_its_tree_and_every_kernel(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window()
    drop(window, small_file)
    wait_idle(qtbot, window)
    (bank,) = window.document.banks
    assert {size: len(kernels) for size, kernels in bank.sizes.items()} == {
        (7, 7): 48,
        (3, 3): 24,
    }
    assert {"small", "stages.0", "stages.1", "stages.2"} <= set(tree_rows(window))
    assert len(window.parts.grid.content.order) == 48
    assert window.findChild(QLabel, "gridCounts").text() == "48 of 48"


def test_one_bad_file_among_several_leaves_the_others_open(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    good = [write_network(tmp_path / f"net{n}.safetensors", seed=n) for n in range(9)]
    bad = tmp_path / "page.pth"
    bad.write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    window = make_window()
    drop(window, *good[:4], bad, *good[4:])
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == [
        f"net{n}" for n in range(9)
    ]
    (message,) = errors(window)
    assert "page.pth" in message
    assert window.docks["jobs"].isVisible()
    buttons = window.parts.jobs_panel.findChildren(QPushButton, "copyDetails")
    (copy,) = [button for button in buttons if button.isVisible()]
    QTest.mouseClick(copy, LEFT)
    assert "page.pth" in QGuiApplication.clipboard().text()


def test_a_dropped_folder_is_searched(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    inner = tmp_path / "runs" / "a"
    inner.mkdir(parents=True)
    write_network(inner / "one.safetensors")
    write_network(tmp_path / "runs" / "two.bin")
    (inner / "log.txt").write_text("epoch 1")
    window = make_window()
    drop(window, tmp_path / "runs")
    wait_idle(qtbot, window)
    assert {bank.name for bank in window.document.banks} == {"one", "two"}
    assert not errors(window)


def test_an_empty_folder_is_said_to_be_empty(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    window = make_window()
    drop(window, tmp_path / "empty")
    wait_idle(qtbot, window)
    assert window.document.banks == ()
    (message,) = errors(window)
    assert "empty" in message


def test_dragging_away_uncovers_the_window(
    make_window: MakeWindow, small_file: Path
) -> None:
    window = make_window()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(small_file))])
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(50, 50), copy, data, LEFT, NO_KEY)
    QApplication.sendEvent(window, enter)
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not window.findChild(QWidget, "dropOverlay").isVisible()


def test_text_cannot_be_dropped(make_window: MakeWindow) -> None:
    window = make_window()
    data = QMimeData()
    data.setText("hello")
    enter = QDragEnterEvent(
        QPoint(50, 50), Qt.DropAction.CopyAction, data, LEFT, NO_KEY
    )
    enter.ignore()
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


def test_clicking_a_layer_shows_only_its_kernels(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window(small_file)
    click_row(window, "stages.1")
    wait_idle(qtbot, window)
    content = window.parts.grid.content
    assert content.order.tolist() == list(range(24, 48))
    assert [group.title for group in content.groups] == ["stages.1.conv_dw"]
    click_row(window, "stages.0", Qt.KeyboardModifier.ControlModifier)
    wait_idle(qtbot, window)
    assert len(window.parts.grid.content.order) == 48
    QTest.keyClick(window.findChild(QTreeView, "modelTree"), Qt.Key.Key_Escape)
    wait_idle(qtbot, window)
    assert window.document.scope.layers is None


def test_clicking_a_layer_of_another_size_switches_to_that_size(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window(small_file)
    click_row(window, "stages.2")
    wait_idle(qtbot, window)
    assert window.document.size == (3, 3)
    assert window.findChild(QPushButton, "size_3x3").isChecked()
    assert len(window.parts.grid.content.order) == 24


def test_the_size_buttons_switch_the_grid(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window(small_file)
    QTest.mouseClick(window.findChild(QPushButton, "size_3x3"), LEFT)
    wait_idle(qtbot, window)
    assert window.parts.grid.content.mosaic.size == (3, 3)


def test_searching_narrows_the_tree(make_window: MakeWindow, small_file: Path) -> None:
    window = make_window(small_file)
    search = window.parts.tree.search
    QTest.keyClicks(search, "3x3")
    assert set(tree_rows(window)) == {"small", "stages.2"}
    QTest.keyClick(search, Qt.Key.Key_Escape)
    assert set(tree_rows(window)) == {"small", "stages.0", "stages.1", "stages.2"}
    QTest.keyClicks(search, "1.conv_dw")
    assert set(tree_rows(window)) == {"small", "stages.1"}


def test_clicking_a_kernel_shows_it_in_the_inspector(
    make_window: MakeWindow, small_file: Path
) -> None:
    window = make_window(small_file)
    window.parts.grid.setFocus()
    QTest.keyClick(window.parts.grid, Qt.Key.Key_Home)
    QTest.keyClick(window.parts.grid, Qt.Key.Key_Right)
    inspector = window.parts.inspector
    assert inspector.findChild(QLabel, "value_channel").text() == "1 of 24"
    assert "conv_dw" in inspector.findChild(QLabel, "value_layer").text().replace(
        "\u200b", ""
    )
    QTest.mouseClick(window.findChild(QPushButton, "copyKernel"), LEFT)
    namespace = {"np": np}
    copied = eval(QGuiApplication.clipboard().text(), namespace)
    assert np.array_equal(copied, window.document.banks[0].sizes[(7, 7)].weights[1])


def test_selecting_can_be_undone_and_is_counted(
    make_window: MakeWindow, small_file: Path
) -> None:
    window = make_window(small_file)
    window.parts.grid.setFocus()
    QTest.keyClick(window, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    count = window.findChild(QLabel, "selectionCount")
    assert count.text().startswith("48 of 48")
    QTest.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert "selected" not in count.text()
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert window.parts.grid.selected.sum() == 48
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "selected" not in count.text()
    assert not window.linking.presenter.state.selected.any()


def test_closing_one_of_two_networks_leaves_the_other_right(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    first = write_network(tmp_path / "first.safetensors", channels=8)
    second = write_network(tmp_path / "second.safetensors", channels=16)
    window = make_window(first, second)
    assert len(window.parts.grid.content.order) == 16 + 32
    click_row(window, "first")
    QTest.keyClick(window.findChild(QTreeView, "modelTree"), Qt.Key.Key_Delete)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["second"]
    assert len(window.parts.grid.content.order) == 32
    assert "first" not in tree_rows(window)
    QTest.keyClick(
        window,
        Qt.Key.Key_W,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    wait_idle(qtbot, window)
    assert window.document.banks == ()
    assert window.parts.welcome.isVisible()


def test_a_closed_network_is_let_go(
    make_window: MakeWindow, small_file: Path, qtbot: Any
) -> None:
    window = make_window(small_file)
    bank = weakref.ref(window.document.banks[0])
    window.document.close(window.document.models[0].id)
    wait_idle(qtbot, window)
    qtbot.waitUntil(lambda: bank() is None)


def test_what_comes_of_a_network_closed_meanwhile_is_let_go(
    make_window: MakeWindow, small_file: Path, qtbot: Any
) -> None:
    window = make_window()
    bank = kv.extract_kernels(kv.open_checkpoint(small_file))
    known = weakref.ref(bank)
    window.document.open(bank)
    window.document.close(window.document.models[0].id)
    del bank
    wait_idle(qtbot, window)
    qtbot.waitUntil(lambda: known() is None)


def test_a_network_without_depthwise_kernels_opens_and_says_so(
    make_window: MakeWindow, tmp_path: Path
) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "plain.safetensors"
    weights = np.ones((4, 3, 3, 3), np.float32)
    save_file({"conv1.weight": weights, "conv2.weight": weights}, path)
    window = make_window(path)
    assert len(window.document.banks) == 1
    assert not errors(window)
    assert "no depthwise kernels" in window.statusBar().currentMessage()
    assert window.parts.centre.currentIndex() == 1


def test_recent_files_are_offered_and_remembered(
    make_window: MakeWindow, small_file: Path
) -> None:
    make_window(small_file).close()
    window = make_window()
    assert load_settings()[0].recent == (str(small_file),)
    links = list(window.parts.welcome.findChildren(QPushButton))
    assert any(str(small_file) in link.toolTip() for link in links)


def test_layout_theme_and_choices_are_kept(
    make_window: MakeWindow, small_file: Path
) -> None:
    window = make_window(small_file)
    window.set_theme("dark")
    window.set_colormap("grey")
    window.docks["inspector"].close()
    window.close()
    again = make_window()
    assert again.settings.theme == "dark"
    assert again.settings.colormap == "grey"
    assert not again.docks["inspector"].isVisible()


def test_broken_settings_do_not_stop_the_window(make_window: MakeWindow) -> None:
    settings_path().write_text("{{{")
    window = make_window()
    assert any("set aside" in text for text in errors(window))


def test_a_colour_map_of_another_version_does_not_stop_the_window(
    make_window: MakeWindow,
) -> None:
    settings_path().write_text('{"theme": "dark", "colormap": "unheard of"}')
    window = make_window()
    assert (window.settings.theme, window.settings.colormap) == ("dark", "signed")


def test_without_a_folder_for_settings_the_window_works_and_says_so(
    make_window: MakeWindow,
    qtbot: Any,
    small_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("KERNELVIEWER_CONFIG", str(tmp_path / "file" / "config"))
    window = make_window(small_file)
    window.sessions.save_to(tmp_path / "work.kvsession")
    wait_idle(qtbot, window)
    (told,) = errors(window)
    assert "cannot be kept" in told
    assert (tmp_path / "work.kvsession").is_file()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_interactive_widget_has_a_name(
    make_window: MakeWindow, small_file: Path, theme: str
) -> None:
    window = make_window(small_file)
    window.set_theme(theme)
    nameless = [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and widget.isVisible()
        and not widget.objectName().startswith("qt_")
        and not (widget.objectName() and widget.accessibleName())
        and widget.parent() is not None
        and widget.focusProxy() is None
    ]
    assert not [(type(w).__name__, w.objectName()) for w in nameless]


def test_closing_during_work_stops_it(make_window: MakeWindow, tmp_path: Path) -> None:
    paths = [write_network(tmp_path / f"{n}.safetensors") for n in range(40)]
    window = make_window(*paths, settle=False)
    window.close()
    assert window.stopped
    assert len(window.document.banks) < 40


def test_five_files_of_mixed_sizes_fill_view_after_view(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    paths = [write_network(tmp_path / f"{n}.safetensors", seed=n) for n in range(5)]
    window = make_window()
    seen: list[tuple[str, bool]] = []

    def note() -> None:
        there = window.linking.presenter.state.labels is not None
        seen.append(("kernels" if window.document.banks else "nothing", there))

    window.linking.laid_out.connect(note)
    drop(window, *paths)
    wait_idle(qtbot, window)
    assert seen[0] == ("kernels", False)  # the grid does not wait for the codes
    assert len(window.document.banks) == 5
    state = window.linking.presenter.state
    assert len(state.labels.code) == 5 * 48
    for size in ((7, 7), (3, 3)):
        window.document.show_size(size)
        wait_idle(qtbot, window)
        assert window.linking.presenter.state.labels is not None
        assert window.parts.spectrum.content is not None
        assert window.parts.scatter.content is not None
    assert (window.width(), window.height()) == (1280, 800)


def test_closing_while_kernels_are_encoded_is_clean(
    make_window: MakeWindow, tmp_path: Path, qtbot: Any
) -> None:
    path = write_network(tmp_path / "large.safetensors", channels=4000)
    window = make_window(path, settle=False)
    qtbot.waitUntil(lambda: bool(window.document.banks), timeout=20_000)
    qtbot.waitUntil(
        lambda: bool(window.analyst._asked or window.document.analyses), timeout=60_000
    )
    window.close()
    assert window.stopped


@needs_checkpoints
def test_a_real_network_fills_tree_grid_and_counts(make_window: MakeWindow) -> None:
    window = make_window(
        CHECKPOINTS / "mcunet-in4-pruned-cifar10-statedict-sanchoo1.pth"
    )
    (bank,) = window.document.banks
    assert {size: len(kernels) for size, kernels in bank.sizes.items()} == {
        (7, 7): 1198,
        (5, 5): 1252,
        (3, 3): 872,
    }
    assert len(window.parts.grid.content.order) == 1252
    assert len(tree_rows(window)) == 18


@pytest.mark.parametrize("size", [(1024, 700), (1280, 800), (2560, 1440)])
def test_the_welcome_page_shows_how_to_open_whatever_room_there_is(
    make_window: MakeWindow, qtbot: Any, size: tuple[int, int]
) -> None:
    window = make_window()
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


def test_the_welcome_page_comes_back_as_it_fits(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window(small_file)
    window.layouts.reset()
    window.parts.welcome.set_recent(tuple(f"/home/anna/{n}.pth" for n in range(6)))
    window.commands["close_all"].trigger()
    title = window.findChild(QLabel, "welcomeTitle")
    qtbot.waitUntil(lambda: title.property("role") == "heading")
    window.parts.welcome.set_recent(())
    assert title.property("role") == "hero"


def test_what_was_said_of_a_network_goes_with_it(
    make_window: MakeWindow, qtbot: Any, small_file: Path
) -> None:
    window = make_window(small_file)
    assert "small" in window.statusBar().currentMessage()
    window.commands["close_all"].trigger()
    assert window.statusBar().currentMessage() == ""


def test_a_narrow_tree_keeps_the_names(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "deep.safetensors"
    rng = np.random.default_rng(0)
    save_file(
        {
            f"backbone.{a}.{b}.branch.depthwise_conv.weight": rng.normal(
                size=(8, 1, 7, 7)
            ).astype(np.float32)
            for a in range(2)
            for b in range(2)
        },
        path,
    )
    window = make_window(path)
    tree = window.findChild(QTreeView, "modelTree")
    window.resize(1024, 700)
    window.layouts.reset()
    QApplication.processEvents()
    assert tree.columnWidth(0) >= 140
    window.resize(2560, 1440)
    window.layouts.reset()
    qtbot.waitUntil(
        lambda: not any(tree.isColumnHidden(column) for column in range(1, 6))
    )
