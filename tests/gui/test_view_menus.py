"""Copy and Export Figure… in every view."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from kernelviewer.figures import EXHIBITS, FigureOptions
from kernelviewer.formats import open_checkpoint
from kernelviewer.gui.dialogs.figure.dialog import FigureDialog
from kernelviewer.gui.dialogs.figure.looks import to_text
from kernelviewer.gui.dialogs.figure.output import PNG, SVG
from kernelviewer.gui.view_menus import FIGURES
from kernelviewer.kernels import extract_kernels
from kernelviewer.state.arrangement import Display
from kernelviewer.state.comparing import Comparing
from tests.gui.conftest import wait_idle
from tests.gui.figure_harness import answer_with, settle

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow


pytestmark = pytest.mark.networks(channels=12)


@pytest.fixture
def window(window: MainWindow, qtbot: Any) -> MainWindow:
    """A network, one of whose kernels is looked at; figures of few pixels."""
    look = to_text(FigureOptions(dpi=72))
    window.settings = replace(window.settings, figure_look=look)
    window.acts.focus(3)
    wait_idle(qtbot, window)
    return window


def menu_of(view: QWidget, reason: Any) -> QMenu:
    """The menu that opens on a view."""
    inner = view.viewport() if hasattr(view, "viewport") else view
    place = QPoint(inner.width() // 2, inner.height() // 2)
    QApplication.sendEvent(
        inner, QContextMenuEvent(reason, place, inner.mapToGlobal(place))
    )
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu), view.objectName()
    return menu


@pytest.mark.timeout(300)
@pytest.mark.parametrize("pairs", [False, True])
def test_every_view_copies_its_figure_and_opens_the_dialog_on_it(
    window: MainWindow, qtbot: Any, pairs: bool
) -> None:
    if pairs:
        first = window.document.models[0]
        other = extract_kernels(open_checkpoint(first.bank.path))
        window.compare(Comparing(first.id, window.document.open(other).id))
        wait_idle(qtbot, window)
    kinds = {name: figure.kind for name, figure in FIGURES.items()}
    for name in (name for name, kind in kinds.items() if EXHIBITS[kind].pairs == pairs):
        view = window.findChild(QWidget, name)
        QGuiApplication.clipboard().clear()
        menu = menu_of(view, QContextMenuEvent.Reason.Mouse)
        actions = {action.objectName(): action for action in menu.actions()}
        assert actions["copyView"].text() == "Copy", name
        actions["copyView"].trigger()
        menu.close()
        wait_idle(qtbot, window)
        data = QGuiApplication.clipboard().mimeData()
        assert data.hasImage(), (name, window.statusBar().currentMessage())
        assert b"<svg" in data.data(SVG).data(), name
        assert data.data(PNG).data().startswith(b"\x89PNG"), name
        assert data.text(), name
        menu = menu_of(view, QContextMenuEvent.Reason.Keyboard)
        actions = {action.objectName(): action for action in menu.actions()}
        assert actions["exportView"].text() == "Export Figure…", name
        actions["exportView"].trigger()
        menu.close()
        dialog = window.findChild(FigureDialog, "figureDialog")
        assert dialog.subject.kind.key == kinds[name]
        dialog.close()
        QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete


def test_the_grids_figure_is_grouped_and_sorted_as_the_grid(
    window: MainWindow, qtbot: Any
) -> None:
    window.document.show_as(Display("class", "fit", "layer"))
    wait_idle(qtbot, window)
    dialog = window.view_menus.export("kernelGrid")
    settle(dialog, qtbot)
    options = dialog.options()
    assert (options.group, options.sort, options.scale) == ("class", "fit", "layer")
    assert not dialog.preview.image.isNull()
    dialog.close()


def test_the_trees_copy_is_a_table_for_spreadsheets(
    window: MainWindow, qtbot: Any
) -> None:
    window.view_menus.copy("modelTree")
    wait_idle(qtbot, window)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:2] == ["network", "kernels"]
    assert lines[1].split("\t")[0] == "net"


def test_the_reconstructions_figure_is_of_the_sliders_code(
    window: MainWindow, qtbot: Any
) -> None:
    window.document.set_position(0.25)
    wait_idle(qtbot, window)
    window.view_menus.copy("reconstructionView")
    wait_idle(qtbot, window)
    assert "code 0.250" in QGuiApplication.clipboard().text()


def test_a_figure_is_copied_on_light_ground_in_the_dark(
    window: MainWindow, qtbot: Any
) -> None:
    window.set_theme("dark")
    window.view_menus.copy("kernelGrid")
    wait_idle(qtbot, window)
    image = QGuiApplication.clipboard().image()
    assert image.pixelColor(2, image.height() - 2).lightness() > 250
    window.set_theme("light")


def test_a_closed_network_is_not_kept_for_figures(
    window: MainWindow, qtbot: Any
) -> None:
    window.view_menus.copy("classHistogram")
    dialog = window.view_menus.export("scatterView")
    settle(dialog, qtbot)
    bank = weakref.ref(window.document.banks[0])
    window.document.close(window.document.models[0].id)
    settle(dialog, qtbot)
    dialog.close()
    QGuiApplication.processEvents()
    gc.collect()
    holders = [h for h in gc.get_referrers(bank()) if h is not None] if bank() else []
    figures = [h for h in holders if "figure" in type(h).__module__]
    assert not figures
    assert window.view_menus._figures is None


def test_kernels_are_exported_from_the_menu(
    window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in ("npz", "safetensors", "png", "zip"):
        path = tmp_path / f"k.{suffix}"
        answer_with(monkeypatch, path)
        window.commands["export_kernels"].trigger()
        wait_idle(qtbot, window)
        assert path.stat().st_size > 100
        told = window.statusBar().currentMessage()
        assert "24 kernels of 7×7" in told
        assert path.name in told
