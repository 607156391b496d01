"""Calling things otherwise, and tags: with mouse, keys, menus, files and figures."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
)

from kernelviewer.cli import main
from kernelviewer.figures import FigureOptions
from kernelviewer.gui.dialogs.figure.requests import FigureRequests
from kernelviewer.gui.search import collect
from kernelviewer.gui.text import kernel_tip
from kernelviewer.jobs.drawing import FigureCache, save_kernels, wish_of, write_labels
from kernelviewer.jobs.runner import Ticket, run_now
from kernelviewer.kernels.classes import CLASSES, INDEX, Naming, OwnName, class_shown
from kernelviewer.state.describe import describe_selection
from kernelviewer.state.selection import Classes
from tests.gui.conftest import Shared, wait_idle
from tests.gui.harness import LEFT, NO_KEY, click_row, tree_rows
from tests.gui.session_harness import save_as
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

Key = Qt.Key
HAT = "Mexican hat"
ORANGE = "#D55E00"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("two")
    names = ("resnet_cifar100_best", "resnet_cifar100_final")
    return [
        write_network(folder / f"{name}.safetensors", channels=20, seed=seed)
        for seed, name in enumerate(names)
    ]


@pytest.fixture(scope="module")
def shared(make_shared: MakeWindow, files: list[Path]) -> Shared:
    return Shared(make_shared(*files))


@pytest.fixture
def two(shared: Shared) -> MainWindow:
    window = shared.as_made()
    window.document.set_threshold((7, 7), 0.2)
    return window


def names(window: MainWindow) -> list[str]:
    return [model.name for model in window.document.models]


def dialog_of(window: MainWindow) -> QDialog:
    (dialog,) = window.findChildren(QDialog, "renameDialog")
    return dialog


def type_name(window: MainWindow, name: str, colour: str = "") -> None:
    """Fill in the dialog that asks for a name, and press Return."""
    dialog = dialog_of(window)
    field = dialog.findChild(QLineEdit, "renameName")
    field.selectAll()
    if name:
        QTest.keyClicks(field, name)
    else:
        QTest.keyClick(field, Key.Key_Delete)
    if colour:
        button = dialog.findChild(QToolButton, f"renameColour{colour.lstrip('#')}")
        QTest.mouseClick(button, LEFT)
    QTest.keyClick(field, Key.Key_Return)
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete


def type_in_tree(window: MainWindow, name: str) -> None:
    """Type into the row that is edited, and press Return."""
    tree = window.parts.tree.tree
    (editor,) = tree.viewport().findChildren(QLineEdit)
    editor.selectAll()
    if name:
        QTest.keyClicks(editor, name)
    else:
        QTest.keyClick(editor, Key.Key_Delete)
    QTest.keyClick(editor, Key.Key_Return)
    for _ in range(3):  # Qt commits later, and the row asks later still
        QApplication.processEvents()
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete


def f2_in_tree(window: MainWindow, row: str, name: str) -> None:
    click_row(window, row)
    window.parts.tree.tree.setFocus()
    QTest.keyClick(window.parts.tree.tree, Key.Key_F2)
    type_in_tree(window, name)


# Networks


def test_what_all_names_share_is_left_out_and_stands_in_the_tooltip(
    two: MainWindow,
) -> None:
    rows = tree_rows(two)
    assert {"best", "final"} <= {*rows}
    assert "resnet_cifar100_best" in rows["best"].data(Qt.ItemDataRole.ToolTipRole)
    two.document.close(two.document.models[1].id)
    assert "resnet_cifar100_best" in tree_rows(two)


def test_a_network_is_renamed_in_the_tree_and_gets_its_name_back(
    two: MainWindow,
) -> None:
    f2_in_tree(two, "best", "before")
    f2_in_tree(two, "final", "after")
    assert names(two) == ["before", "after"]
    assert {"before", "after"} <= {*tree_rows(two)}
    two.commands["undo"].trigger()
    assert names(two) == ["before", "final"]
    two.commands["redo"].trigger()
    assert names(two) == ["before", "after"]
    f2_in_tree(two, "before", "")
    assert names(two) == ["best", "after"]


def test_the_rows_of_a_renamed_network_stay_folded_as_they_were(
    two: MainWindow,
) -> None:
    view = two.parts.tree.tree
    view.collapse(tree_rows(two)["best"])
    f2_in_tree(two, "best", "before")
    rows = tree_rows(two)
    assert not view.isExpanded(rows["before"])
    assert view.isExpanded(rows["final"])


def test_leaving_the_row_as_it_was_names_nothing(two: MainWindow) -> None:
    f2_in_tree(two, "best", "best")
    assert not two.document.marks.names
    assert two.state.undo == "Threshold"


def test_two_networks_never_have_the_same_name(two: MainWindow) -> None:
    f2_in_tree(two, "best", "mine")
    f2_in_tree(two, "final", "mine")
    assert names(two) == ["mine", "mine (2)"]


def test_the_menu_and_the_command_rename_the_network_too(two: MainWindow) -> None:
    tree = two.parts.tree
    menu = tree.menu_for(tree.source.roots[1])
    (rename,) = [a for a in menu.actions() if a.text() == "Rename…"]
    rename.trigger()
    type_in_tree(two, "after")
    click_row(two, "best")
    two.commands["rename_network"].trigger()
    type_in_tree(two, "before")
    assert names(two) == ["before", "after"]


def test_comparison_bar_and_legends_use_the_names(two: MainWindow, qtbot: Any) -> None:
    first, _ = two.document.models
    two.document.rename_network(first.id, "before")
    two.commands["compare"].trigger()
    wait_idle(qtbot, two)
    texts = " ".join(label.text() for label in two.parts.comparing.findChildren(QLabel))
    assert "before" in texts
    assert "final" in texts
    two.layouts.show_panel("scatter")
    two.set_chart("colour_by", "model")
    wait_idle(qtbot, two)
    entries = [text for _, text in two.parts.scatter.legend.entries]
    assert entries == ["before", "final"]


# Classes and stretches


def box(view: Any, index: int) -> QPoint:
    return view.row_box(index).center().toPoint()


def test_a_double_click_names_a_class_everywhere(two: MainWindow, qtbot: Any) -> None:
    histogram = two.parts.histogram
    two.layouts.show_panel("classes")
    index = histogram.rows[0]
    usual = CLASSES[index]
    QTest.mouseDClick(histogram, LEFT, NO_KEY, box(histogram, index))
    type_name(two, HAT, ORANGE)
    assert two.document.marks.names.classes == {usual.id: OwnName(HAT, ORANGE)}
    wait_idle(qtbot, two)
    assert class_shown(index).name == HAT
    assert histogram.tip(index).splitlines()[0] == HAT
    counted = histogram.accessibleDescription()
    assert HAT in counted
    assert usual.name not in counted
    two.document.select("replace", Classes(frozenset({usual.id})))
    assert describe_selection(two.state) == HAT
    assert [chip.text for chip in two.parts.chips.chips] == [HAT]
    found = [entry.title for entry in collect(two)]
    assert {HAT, f"Rename “{HAT}”…"} <= {*found}
    two.commands["undo"].trigger()
    two.commands["undo"].trigger()
    assert class_shown(index) is usual


def test_the_own_colour_is_painted_at_once_and_goes_with_undo(two: MainWindow) -> None:
    histogram = two.parts.histogram
    two.layouts.show_panel("classes")
    counts = histogram.contents[0].counts
    index = int(np.argmax(counts[: INDEX["unidentified"]]))
    place = histogram.bar_box(index).topLeft().toPoint() + QPoint(1, 2)
    before = histogram.grab().toImage().pixelColor(place).name().upper()
    two.document.rename_class(CLASSES[index].id, OwnName("", ORANGE))
    assert histogram.grab().toImage().pixelColor(place).name().upper() == ORANGE
    two.commands["undo"].trigger()
    assert histogram.grab().toImage().pixelColor(place).name().upper() == before


def test_a_double_click_in_the_legend_or_on_a_chip_names_the_class(
    two: MainWindow, qtbot: Any
) -> None:
    two.layouts.show_panel("scatter")
    two.docks["scatter"].setFloating(True)
    two.docks["scatter"].resize(900, 900)
    wait_idle(qtbot, two)
    view = two.parts.scatter
    index = view.legend.classes[0]
    at = view._ensure_strip().places[0].center().toPoint()
    QTest.mouseDClick(view, LEFT, NO_KEY, at)
    type_name(two, HAT)
    assert class_shown(index).name == HAT
    assert view.legend.entries[0][1] == HAT
    two.document.select("replace", Classes(frozenset({CLASSES[index].id})))
    (pill,) = [pill for pill in two.parts.chips._pills if pill.isVisible()]
    assert pill.label.text() == HAT
    QTest.mouseDClick(pill, LEFT)
    type_name(two, "other")
    assert class_shown(index).name == "other"
    assert pill.label.text() == "other"
    pill.cross.setFocus()
    QTest.keyClick(pill.cross, Key.Key_F2)
    type_name(two, "")
    assert class_shown(index) is CLASSES[index]
    two.docks["scatter"].setFloating(False)


def test_f2_names_the_class_the_keys_are_at(two: MainWindow) -> None:
    two.layouts.show_panel("classes")
    histogram = two.parts.histogram
    histogram.setFocus()
    QTest.keyClick(histogram, Key.Key_Home)
    QTest.keyClick(histogram, Key.Key_F2)
    type_name(two, HAT)
    class_id = CLASSES[histogram.rows[0]].id
    assert two.document.marks.names.classes[class_id].name == HAT
    two.layouts.show_panel("composition")
    view = two.parts.composition
    view.setFocus()
    QTest.keyClick(view, Key.Key_Home)
    at = view.class_at(None)
    assert at is not None
    assert at < INDEX["unidentified"]
    QTest.keyClick(view, Key.Key_F2)
    type_name(two, "other")
    assert two.document.marks.names.classes[CLASSES[at].id].name == "other"


def test_what_has_no_pattern_keeps_its_name(two: MainWindow) -> None:
    two.rename_class("unidentified")
    assert not two.findChildren(QDialog, "renameDialog")
    assert "no class" in two.statusBar().currentMessage()


def test_the_context_menu_of_the_classes_renames(two: MainWindow) -> None:
    two.layouts.show_panel("classes")
    view = two.parts.histogram
    index = view.rows[0]
    at = box(view, index)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at))
    QApplication.sendEvent(view, event)
    (menu,) = [m for m in two.findChildren(QMenu, "viewMenu") if m.isVisible()]
    (rename,) = [a for a in menu.actions() if a.objectName() == "renameClass"]
    menu.close()
    rename.trigger()
    type_name(two, HAT)
    assert class_shown(index).name == HAT


def test_a_stretch_gets_any_name_and_a_colour_of_its_own(two: MainWindow) -> None:
    two.document.name(Naming("code"))
    editor = two.parts.spectrum.stretches
    assert editor.content is not None
    at = max(
        range(len(editor.content.stretches)),
        key=lambda i: (
            editor.content.stretches[i].stop - editor.content.stretches[i].start
        ),
    )
    span = editor.content.stretches[at]
    place = QPoint(round(editor.axis.logical(span.middle)), 4)
    QTest.mouseDClick(editor, LEFT, NO_KEY, place)
    type_name(two, "elan vital", ORANGE)
    size = two.state.size
    renamed = two.document.stretches_of(size)[at]
    assert (renamed.name, renamed.colour) == ("elan vital", ORANGE)
    shown = two.parts.spectrum.stretches
    assert shown.content.stretches[at].label == "elan vital"
    dots = shown.grab().toImage()
    band = QPoint(place.x(), shown.height() // 2)
    assert dots.pixelColor(band).name().upper() == ORANGE
    assert two.parts.edited.isVisible()
    two.commands["undo"].trigger()
    assert not two.document.marks.stretches
    two.parts.spectrum.position_requested.emit(span.middle)
    editor.setFocus()
    QTest.keyClick(editor, Key.Key_F2)
    type_name(two, "again")
    assert two.document.stretches_of(size)[at].name == "again"


def test_a_stretch_of_the_family_is_its_class(two: MainWindow) -> None:
    editor = two.parts.spectrum.stretches
    editor.setFocus()
    QTest.keyClick(editor, Key.Key_F2)
    type_name(two, HAT)
    (own,) = two.document.marks.names.classes.values()
    assert own.name == HAT
    assert HAT in [span.label for span in editor.content.stretches]


# The chip, and the way back


def test_the_chip_tells_what_was_edited_and_resets_it(two: MainWindow) -> None:
    chip = two.parts.edited
    assert chip.isHidden()
    two.document.rename_network(two.document.models[0].id, "before")
    two.document.rename_class("on-centre", OwnName(HAT))
    assert chip.isVisible()
    assert "“before” is the network resnet_cifar100_best" in chip.toolTip()
    QTest.mouseClick(chip, LEFT)
    (menu,) = [m for m in two.findChildren(QMenu, "editedMenu") if m.isVisible()]
    texts = [action.text() for action in menu.actions()]
    assert f"“{HAT}” is the class On-centre" in texts
    menu.close()
    two.commands["reset_names"].trigger()
    assert chip.isHidden()
    assert names(two) == ["best", "final"]
    two.commands["undo"].trigger()
    assert chip.isVisible()
    assert names(two) == ["before", "final"]


def test_nothing_leaks_into_what_is_opened_after_close_all(
    two: MainWindow, files: list[Path], qtbot: Any
) -> None:
    two.document.rename_network(two.document.models[0].id, "before")
    two.document.rename_class("on-centre", OwnName(HAT, ORANGE))
    two.acts.focus(3)
    QTest.keyClick(two.parts.grid, Key.Key_4)
    two.commands["close_all"].trigger()
    two.opener.open(files)
    wait_idle(qtbot, two)
    assert names(two) == ["best", "final"]
    assert class_shown(INDEX["on-centre"]) is CLASSES[INDEX["on-centre"]]
    assert not two.state.tags
    assert two.parts.edited.isHidden()
    assert not two.state.undo


# Tags


def tagged(window: MainWindow, number: int) -> list[int]:
    bits = window.state.tag_bits
    return [] if bits is None else np.flatnonzero(bits >> number & 1).tolist()


def test_keys_tag_the_focused_kernel_or_what_is_selected(two: MainWindow) -> None:
    grid = two.parts.grid
    two.acts.focus(5)
    QTest.keyClick(grid, Key.Key_3)
    assert tagged(two, 3) == [5]
    assert "“tag 3”" in two.statusBar().currentMessage()
    two.acts.select_kernels(np.array([5, 6, 9]), "replace")
    QTest.keyClick(grid, Key.Key_3)
    assert tagged(two, 3) == [5, 6, 9]
    QTest.keyClick(grid, Key.Key_1)
    QTest.keyClick(grid, Key.Key_3)
    assert (tagged(two, 1), tagged(two, 3)) == ([5, 6, 9], [])
    two.commands["undo"].trigger()
    assert tagged(two, 3) == [5, 6, 9]
    assert two.parts.grid._painter.tags is two.state.tag_bits


def test_a_digit_that_is_typed_tags_nothing(two: MainWindow) -> None:
    two.acts.focus(5)
    two.parts.tree.search.setFocus()
    QTest.keyClicks(two.parts.tree.search, "3")
    assert two.parts.tree.search.text() == "3"
    assert not two.state.tags


def test_a_tag_stands_on_the_tile_in_the_tooltip_and_beside_the_kernel(
    two: MainWindow, qtbot: Any
) -> None:
    two.acts.go_to(5)
    wait_idle(qtbot, two)
    place = two.parts.grid.kernel_rect(5)
    before = two.parts.grid.viewport().grab().toImage()
    QTest.keyClick(two.parts.grid, Key.Key_2)
    two.rename_tag(2)
    type_name(two, "broken", ORANGE)
    after = two.parts.grid.viewport().grab().toImage()
    at = QPoint(round(place.left()) + 2, round(place.bottom()) - 2)
    assert after.pixelColor(at).name().upper() == ORANGE
    assert before.pixelColor(at) != after.pixelColor(at)
    assert "tagged “broken”" in kernel_tip(two.state, 5)
    assert "tagged" not in kernel_tip(two.state, 6)
    label = two.parts.inspector.values._labels["tags"]
    assert label.text() == "“broken”"
    two.acts.focus(6)
    assert label.text().startswith("none")
    assert two.commands["tag2"].text() == "Tag &2 “broken”"


def test_what_is_tagged_can_be_selected_and_is_told(two: MainWindow) -> None:
    two.acts.select_kernels(np.array([5, 6, 9]), "replace")
    QTest.keyClick(two.parts.grid, Key.Key_2)
    two.document.rename_tag(2, OwnName("broken"))
    two.document.clear_selection()
    menu = two.commands["tagged"].menu()
    menu.aboutToShow.emit()
    (choice,) = [a for a in menu.actions() if a.isEnabled()]
    assert choice.text() == "&2  broken  (3)"
    choice.trigger()
    assert np.flatnonzero(two.state.selected).tolist() == [5, 6, 9]
    assert describe_selection(two.state) == "tagged “broken”: 3 kernels"


# Files


def test_tables_and_arrays_have_the_names_and_tags(
    two: MainWindow, tmp_path: Path
) -> None:
    two.document.rename_network(two.document.models[0].id, "before")
    two.acts.select_kernels(np.array([1, 4]), "replace")
    QTest.keyClick(two.parts.grid, Key.Key_2)
    QTest.keyClick(two.parts.grid, Key.Key_5)
    two.document.rename_tag(2, OwnName("broken"))
    wish = wish_of(two.document, "cpu", only_selected=False)
    write_labels(Ticket("labels", "labels"), tmp_path / "all.csv", wish)
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["size"] == "7x7"]
    assert {row["network"] for row in rows} == {"before", "final"}
    told = [number for number, row in enumerate(rows) if row["tags"]]
    assert told == [1, 4]
    assert rows[1]["tags"] == "broken; tag 5"
    requests = FigureRequests(two)
    wish = requests.wish("sheet", "all", FigureOptions())
    path = run_now(save_kernels, wish, tmp_path / "kernels.npz")
    arrays = np.load(path)
    assert arrays["sources"].tolist() == ["before", "final"]
    assert np.flatnonzero(arrays["tags_7x7"] != "").tolist() == [1, 4]


def test_a_table_without_edits_is_that_of_the_command_line(
    two: MainWindow, tmp_path: Path
) -> None:
    wish = wish_of(two.document, "cpu", only_selected=False)
    write_labels(Ticket("labels", "labels"), tmp_path / "all.csv", wish)
    head = (tmp_path / "all.csv").read_text().splitlines()[0].split(",")
    assert not {"network", "tags"} & {*head}


def test_figures_use_the_names_and_say_that_they_were_given(
    two: MainWindow,
) -> None:
    two.document.rename_network(two.document.models[0].id, "before")
    two.document.rename_class("on-centre", OwnName(HAT, ORANGE))
    wish = FigureRequests(two).wish("composition", "all", FigureOptions())
    cache = FigureCache()
    drawn = cache.draw(Ticket("figure", "figure"), wish, hashed=False)
    assert "“before” is resnet_cifar100_best" in drawn.caption
    assert f"Names edited by hand: “{HAT}” for On-centre." in drawn.caption
    texts = [text.get_text() for text in drawn.figure.findobj(_is_text)]
    assert any("before" in text for text in texts)
    assert "resnet_cifar100_best" not in texts
    legend = [text for text in texts if HAT in text]
    has_some = two.state.labels is not None and bool(
        (two.state.labels.label == INDEX["on-centre"]).any()
    )
    assert bool(legend) == has_some
    two.commands["reset_names"].trigger()
    wish = FigureRequests(two).wish("composition", "all", FigureOptions())
    drawn = cache.draw(Ticket("figure", "figure"), wish, hashed=False)
    assert "edited by hand" not in drawn.caption
    assert "“best” is resnet_cifar100_best" in drawn.caption


def test_a_figure_is_made_again_from_its_file_with_the_names(
    two: MainWindow, files: list[Path], tmp_path: Path
) -> None:
    two.document.rename_network(two.document.models[0].id, "before")
    two.document.rename_class("edge-x", OwnName(HAT, ORANGE))
    wish = FigureRequests(two).wish("composition", "all", FigureOptions())
    cache = FigureCache()
    drawn = cache.draw(Ticket("figure", "figure"), wish, hashed=True)
    first, again = tmp_path / "first.svg", tmp_path / "again.svg"
    drawn.write(first)
    words = ["figure", "--from", str(first), *map(str, files), "-o", str(again)]
    assert main(words) == 0
    assert again.read_bytes() == first.read_bytes()
    assert HAT in again.read_text()


def _is_text(artist: Any) -> bool:
    return hasattr(artist, "get_text")


def test_a_session_keeps_names_colours_and_tags(
    two: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    document = two.document
    document.rename_network(document.models[1].id, "after")
    document.rename_class("edge-x", OwnName(HAT, ORANGE))
    two.acts.select_kernels(np.array([1, 25]), "replace")
    QTest.keyClick(two.parts.grid, Key.Key_7)
    document.rename_tag(7, OwnName("seven", "#123456"))
    path = tmp_path / "work.kvsession"
    save_as(qtbot, two, path)
    document.close_all()
    two.sessions.open(path)
    wait_idle(qtbot, two)
    assert names(two) == ["best", "after"]
    assert document.marks.names.classes == {"edge-x": OwnName(HAT, ORANGE)}
    assert tagged(two, 7) == [1, 25]
    assert two.state.tags[7].own == OwnName("seven", "#123456")
    assert two.parts.edited.isVisible()
