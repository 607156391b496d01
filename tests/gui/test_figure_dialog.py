"""The figure dialog: what it shows, saves, copies and hands to other programs."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QDrag, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QToolButton,
)

from kernelviewer.cli import main
from kernelviewer.figures import EXHIBITS
from kernelviewer.figures.provenance import read_record
from kernelviewer.files import file_hash, resource
from kernelviewer.gui.dialogs.figure.dialog import FigureDialog, open_figure
from kernelviewer.gui.dialogs.figure.looks import read_presets
from kernelviewer.gui.dialogs.figure.output import PNG, SVG
from kernelviewer.jobs import drawing
from kernelviewer.kernels.classes import Naming
from kernelviewer.state.selection import Classes
from tests.gui.conftest import answer_next, wait_idle
from tests.gui.figure_harness import (
    answer_with,
    choose,
    click,
    dialog_of,
    open_dialog,
    settle,
)
from tests.gui.harness import LEFT
from tests.networks import write_network

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from kernelviewer.gui.main_window import MainWindow


pytestmark = pytest.mark.networks(channels=12)


@pytest.fixture
def dialog(window: MainWindow, qtbot: Any) -> Any:
    with dialog_of(window, qtbot) as dialog:
        yield dialog


@pytest.fixture
def plain(window: MainWindow, qtbot: Any) -> Any:
    """The dialog with a figure that is drawn at once, where any will do."""
    with dialog_of(window, qtbot, "strips") as dialog:
        yield dialog


def said(dialog: FigureDialog) -> str:
    return dialog.output.said.text()


def test_every_exhibit_has_a_preview_a_size_and_a_caption(
    dialog: FigureDialog, qtbot: Any
) -> None:
    captions = set()
    for kind in (kind for kind, item in EXHIBITS.items() if not item.pairs):
        choose(dialog, "figureKind", kind)
        settle(dialog, qtbot)
        assert not dialog.preview.image.isNull(), (kind, dialog.preview.text)
        assert dialog.facts.text().startswith("183.0 × "), kind
        assert "pixels at 300 dpi" in dialog.facts.text(), kind
        caption = dialog.caption.toPlainText()
        assert len(caption) > 20, kind
        assert caption not in captions, kind
        captions.add(caption)


@pytest.mark.networks(count=2, channels=12)
def test_exhibits_of_two_networks_ask_for_the_second(
    dialog: FigureDialog, qtbot: Any
) -> None:
    for kind in (kind for kind, item in EXHIBITS.items() if item.pairs):
        choose(dialog, "figureKind", kind)
        settle(dialog, qtbot)
        assert not dialog.preview.image.isNull(), dialog.preview.text
        caption = dialog.caption.toPlainText()
        assert "first" in caption
        assert "second" in caption
    choose(dialog, "figureRight", "0")
    settle(dialog, qtbot)
    assert "Choose two to compare" in dialog.preview.text


def test_only_what_matters_to_the_exhibit_is_asked(
    dialog: FigureDialog, qtbot: Any
) -> None:
    subject = dialog.subject
    for kind, shown, hidden in (
        ("pca", subject.fields["components"].widget, subject.fields["group"].widget),
        ("sheet", subject.fields["group"].widget, subject.fields["components"].widget),
        ("compare", subject.right, subject.fields["sort"].widget),
        ("family", subject.fields["title"].widget, subject.scope),
    ):
        choose(dialog, "figureKind", kind)
        assert shown.isVisibleTo(dialog), kind
        assert not hidden.isVisibleTo(dialog), kind
    settle(dialog, qtbot)


def test_options_are_followed_and_stale_figures_dropped(
    dialog: FigureDialog, qtbot: Any
) -> None:
    drawn: list[str] = []
    usual = dialog._on_drawn

    def note(preview: Any) -> None:
        usual(preview)
        drawn.append(dialog.facts.text())

    dialog._on_drawn = note  # type: ignore[method-assign]
    width = dialog.findChild(QDoubleSpinBox, "figureWidth")
    for value in (60, 70, 80, 90, 100):
        width.setValue(value)
    settle(dialog, qtbot)
    assert drawn[-1].startswith("100.0 × ")
    assert len(drawn) == 1
    assert dialog.looks.column.key == "own"
    choose(dialog, "figureColumn", "single")
    dialog.findChild(QSpinBox, "figureDpi").setValue(150)
    dialog.findChild(QDoubleSpinBox, "figureHeight").setValue(90)
    settle(dialog, qtbot)
    assert dialog.facts.text().startswith("89.1 × 89.9 mm")
    assert "526 × 531 pixels at 150 dpi" in dialog.facts.text().replace("\u202f", " ")


def test_what_is_saved_is_made_again_by_the_command_line(
    dialog: FigureDialog, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = dialog.parent()
    size = window.document.size
    window.document.name(Naming("code"))
    wait_idle(qtbot, window)
    window.document.set_threshold(size, 0.31)
    first, *others = window.document.stretches_of(size)
    edited = (replace(first, name="my stretch"), *others)
    window.document.set_stretches(size, edited)
    window.document.select("replace", Classes(frozenset({"on-centre", "d1-x"})))
    wait_idle(qtbot, window)
    choose(dialog, "figureKind", "classes")
    choose(dialog, "figureScope", "selected")
    dialog.findChild(QLineEdit, "figureTitle").setText("Only two of the classes")
    settle(dialog, qtbot)
    assert "Shown: On-centre, ∂x." in dialog.caption.toPlainText()
    beside = window.document.banks[0].path
    for suffix in (".svg", ".png"):
        path, again = beside.with_name(f"out{suffix}"), tmp_path / f"again{suffix}"
        answer_with(monkeypatch, path)
        click(dialog, "saveFigure")
        settle(dialog, qtbot)
        assert said(dialog) == f"Saved as out{suffix}"
        assert main(["figure", "--from", str(path), "-o", str(again)]) == 0
        assert path.read_bytes() == again.read_bytes()
    record = read_record(beside.with_name("out.svg"))
    assert record.naming["threshold"] == 0.31
    assert "my stretch" in str(record.naming["stretches"])
    assert record.selection == "On-centre, ∂x"
    assert record.files[0].shown


def test_a_file_that_was_replaced_since_is_not_taken_for_the_one_drawn(
    own_window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = own_window.document.banks[0].path
    opened = file_hash(net)
    write_network(net, channels=8)
    out = tmp_path / "out.svg"
    answer_with(monkeypatch, out)
    with dialog_of(own_window, qtbot) as dialog:
        click(dialog, "saveFigure")
        settle(dialog, qtbot)
    assert read_record(out).files[0].sha256 == opened != file_hash(net)


def test_the_users_own_caption_is_in_the_file_and_can_be_taken_back(
    plain: FigureDialog, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed = plain.caption.toPlainText()
    plain.caption.setPlainText("My own words.")
    plain.findChild(QDoubleSpinBox, "figureWidth").setValue(89)
    settle(plain, qtbot)
    assert plain.caption.toPlainText() == "My own words."
    answer_with(monkeypatch, tmp_path / "a.svg")
    click(plain, "saveFigure")
    settle(plain, qtbot)
    assert "My own words." in (tmp_path / "a.svg").read_text()
    click(plain, "proposedCaption")
    assert plain.caption.toPlainText() == proposed
    assert not plain.again.isVisible()


def test_a_missing_suffix_is_added_and_an_existing_file_asked_about(
    plain: FigureDialog, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.pdf").write_text("precious")
    answer_with(monkeypatch, tmp_path / "a", "PDF, with its fonts inside (*.pdf)")
    asked = answer_next("Cancel")
    click(plain, "saveFigure")
    settle(plain, qtbot)
    assert (tmp_path / "a.pdf").read_text() == "precious"
    assert "a.pdf exists" in asked[0]
    answer_next("Replace")
    click(plain, "saveFigure")
    settle(plain, qtbot)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert plain.output.folder.isVisible()


def test_where_it_cannot_be_written_is_said_and_nothing_is_left(
    plain: FigureDialog, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, tmp_path / "none" / "a.svg")
    click(plain, "saveFigure")
    settle(plain, qtbot)
    assert "there is no such folder" in said(plain)
    assert not plain.output.folder.isVisible()
    assert not plain.parent().parts.jobs_panel.failed()
    (tmp_path / "full").mkdir()

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kernelviewer.files.os.fsync", full)
    answer_with(monkeypatch, tmp_path / "full" / "a.png")
    click(plain, "saveFigure")
    settle(plain, qtbot)
    assert "the disk is full" in said(plain)
    assert list((tmp_path / "full").iterdir()) == []


def test_the_clipboard_gets_image_svg_and_caption(
    plain: FigureDialog, qtbot: Any
) -> None:
    plain.caption.setPlainText("A caption of mine")
    click(plain, "copyFigure")
    settle(plain, qtbot)
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasImage()
    assert b"A caption of mine" in data.data(SVG).data()
    assert data.data(PNG).data().startswith(b"\x89PNG")
    assert data.text() == "A caption of mine"
    image = QGuiApplication.clipboard().image()
    assert abs(image.dotsPerMeterX() - 11811) <= 1
    click(plain, "copyCaption")
    settle(plain, qtbot)
    assert QGuiApplication.clipboard().text() == "A caption of mine"


def test_the_figure_can_be_dragged_out(
    dialog: FigureDialog, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dragged: list[Any] = []
    monkeypatch.setattr(
        QDrag, "exec", lambda drag, action: dragged.append(drag.mimeData())
    )
    start = dialog.preview._box().center().toPoint()
    QTest.mousePress(dialog.preview, LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(dialog.preview, start + QPoint(40, 12))
    settle(dialog, qtbot)
    QTest.mouseRelease(dialog.preview, LEFT)
    [data] = dragged
    assert data.urls()[0].toLocalFile().endswith("spectrum.svg")
    assert Path(data.urls()[0].toLocalFile()).read_bytes() == data.data(SVG).data()
    assert data.hasImage()


def test_the_choices_count_kernels_and_follow_the_window(
    dialog: FigureDialog, qtbot: Any
) -> None:
    window, box = dialog.parent(), dialog.findChild(QComboBox, "figureScope")
    texts = [box.itemText(i) for i in range(box.count())]
    assert texts == ["all open (24 kernels)"]
    window.commands["select_all"].trigger()
    wait_idle(qtbot, window)
    texts = [box.itemText(i) for i in range(box.count())]
    assert any(text.endswith("(24 kernels)") and "selected" in text for text in texts)
    choose(dialog, "figureKind", "sheet")
    choose(dialog, "figureScope", "selected")
    settle(dialog, qtbot)
    window.document.clear_selection()
    settle(dialog, qtbot)
    assert box.currentData() == "all"
    window.document.close(window.document.models[0].id)
    settle(dialog, qtbot)
    assert "There are no kernels to show" in dialog.preview.text
    assert not dialog.findChild(QPushButton, "saveFigure").isEnabled()


def test_what_cannot_be_drawn_is_said_where_the_figure_would_be(
    dialog: FigureDialog, qtbot: Any
) -> None:
    dialog.findChild(QDoubleSpinBox, "figureHeight").setValue(20)
    dialog.findChild(QDoubleSpinBox, "figureFontSize").setValue(24)
    settle(dialog, qtbot)
    assert "fit" in dialog.preview.text
    assert not dialog.findChild(QPushButton, "copyFigure").isEnabled()
    choose(dialog, "figureKind", "pca")
    dialog.subject.fields["components"].set_value((1, 1))
    dialog.subject.changed.emit()
    settle(dialog, qtbot)
    assert "components are the same" in dialog.preview.text
    assert not dialog.parent().parts.jobs_panel.failed()


def test_presets_are_saved_renamed_and_deleted(plain: FigureDialog, qtbot: Any) -> None:
    window, presets = plain.parent(), plain.presets
    choose(plain, "figurePreset", "IEEE")
    settle(plain, qtbot)
    assert plain.options().width_mm == 88.9
    assert plain.options().font_family == "serif"
    plain.findChild(QDoubleSpinBox, "figureWidth").setValue(120)
    assert presets.box.key == ""
    assert "needs a name" in presets.save("")
    assert "comes with the program" in presets.save("nature")
    assert presets.save("thesis") == ""
    assert presets.box.key == "thesis"
    assert "already" in presets.save("Thesis")
    [kept] = read_presets(window.settings.figure_presets)
    assert (kept.name, kept.options.width_mm) == ("thesis", 120.0)
    assert presets.rename("book") == ""
    choose(plain, "figurePreset", "slide")
    settle(plain, qtbot)
    assert plain.facts.text().startswith("338.7 × 190.5 mm")
    choose(plain, "figurePreset", "book")
    assert plain.options().width_mm == 120.0
    presets.delete()
    assert read_presets(window.settings.figure_presets) == ()
    assert plain.options().width_mm == 120.0
    settle(plain, qtbot)


def test_the_look_is_remembered(window: MainWindow, qtbot: Any) -> None:
    window.set_colormap("viridis")
    dialog = open_dialog(window, qtbot)
    assert dialog.looks.fields["colormap"].value() == "viridis"
    dialog.findChild(QDoubleSpinBox, "figureWidth").setValue(77)
    dialog.close()
    qtbot.waitUntil(lambda: window.findChild(FigureDialog, "figureDialog") is None)
    dialog = open_dialog(window, qtbot)
    assert dialog.options().width_mm == 77.0
    dialog.close()


def test_the_data_are_what_is_drawn(
    dialog: FigureDialog, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(dialog, "figureKind", "sheet")
    settle(dialog, qtbot)
    answer_with(monkeypatch, tmp_path / "a")
    click(dialog, "exportData")
    settle(dialog, qtbot)
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 25
    answer_with(monkeypatch, tmp_path / "k.npz")
    click(dialog, "exportShownKernels")
    settle(dialog, qtbot)
    assert (tmp_path / "k.npz").exists()
    choose(dialog, "figureKind", "table")
    settle(dialog, qtbot)
    answer_with(monkeypatch, tmp_path / "t.tex")
    click(dialog, "exportData")
    settle(dialog, qtbot)
    assert "\\toprule" in (tmp_path / "t.tex").read_text()


def test_a_folder_that_was_dragged_from_is_gone_when_the_dialog_is(
    plain: FigureDialog, qtbot: Any
) -> None:
    click(plain, "copyFigure")
    settle(plain, qtbot)
    path = plain.output._file_of(plain.output._copies)
    assert path is not None
    assert path.exists()
    plain.close()
    assert not path.parent.exists()
    shutil.rmtree(path.parent, ignore_errors=True)


def test_the_menu_of_presets_offers_to_change_only_ones_own(
    plain: FigureDialog,
) -> None:
    actions = {
        a.text(): a for a in plain.findChild(QToolButton, "presetMenu").menu().actions()
    }
    assert actions["Save as Preset…"].isEnabled()
    assert not actions["Delete"].isEnabled()
    choose(plain, "figurePreset", "Nature")
    assert not actions["Rename…"].isEnabled()


def test_two_dialogs_draw_side_by_side(window: MainWindow, qtbot: Any) -> None:
    first, second = open_figure(window), open_figure(window)
    settle(first, qtbot)
    settle(second, qtbot)
    assert not first.preview.image.isNull()
    assert not second.preview.image.isNull()
    choose(second, "figureKind", "classes")
    second._later.stop()
    second._draw()
    first.close()
    settle(second, qtbot)
    assert second.facts.text()
    assert second.preview.text == ""
    second.close()


def test_while_a_figure_is_drawn_the_last_one_is_said_to_be_of_before(
    dialog: FigureDialog, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, size = dialog.preview.grab().toImage(), dialog.facts.text()
    go_on = threading.Event()
    usual = drawing.draw_preview

    def slow(ticket: Any, *given: Any) -> Any:
        ticket.progress(2, 5, "naming the kernels")
        go_on.wait(30)
        return usual(ticket, *given)

    monkeypatch.setattr("kernelviewer.gui.dialogs.figure.dialog.draw_preview", slow)
    choose(dialog, "figureKind", "classes")
    assert dialog.facts.text() == "Drawing…"
    assert dialog.caption.property("stale")
    qtbot.waitUntil(lambda: "2 of 5" in dialog.facts.text())
    assert dialog.facts.text() == "Drawing… naming the kernels 2 of 5"
    pale = dialog.preview.grab().toImage()
    middle = pale.rect().center()
    assert dialog.preview.stale == dialog.facts.text()

    def darkness(image: QImage) -> int:
        return max(
            255 - image.pixelColor(x, y).lightness()
            for x in range(0, image.width(), 2)
            for y in range(0, middle.y() - 60, 2)
        )

    assert darkness(pale) < 0.6 * darkness(before), "it is dimmed"
    go_on.set()
    settle(dialog, qtbot)
    assert dialog.preview.stale == ""
    assert not dialog.caption.property("stale")
    assert " mm " in dialog.facts.text() != size


@pytest.mark.networks(count=2, channels=12)
def test_the_dialog_opens_on_what_one_looks_at(window: MainWindow, qtbot: Any) -> None:

    def opened() -> str:
        QTest.mouseClick(window.findChild(QPushButton, "exportFigure"), LEFT)
        dialog = window.findChildren(FigureDialog, "figureDialog")[-1]
        kind: str = dialog.subject.kind.key
        dialog.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        with qtbot.waitActive(window):
            window.activateWindow()
        return kind

    window.parts.grid.setFocus()
    assert opened() == "spectrum"
    window.layouts.show_panel("composition")
    assert opened() == "composition"
    window.commands["compare"].trigger()
    wait_idle(qtbot, window)
    window.parts.grid.setFocus()
    assert opened() == "compare"
    window.layouts.show_panel("drift")
    assert opened() == "drift"
    window.docks["drift"].hide()
    assert opened() == "compare", "what is gone is not looked at"
    window.commands["end_comparison"].trigger()
    steps = sorted(resource("sample-run").glob("*.safetensors.gz"))[:3]
    window.opener.open_run(steps, "run")
    wait_idle(qtbot, window)
    window.parts.grid.setFocus()
    assert opened() == "shares-over-time"
    window.show_overview(True)
    assert opened() == "table"
