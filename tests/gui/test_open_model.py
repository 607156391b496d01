"""The dialog for pretrained networks: typed in, chosen, fetched, cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from kernelviewer.gui.dialogs.open_model import OpenModelDialog
from tests.formats.fake_hub import serving
from tests.gui.conftest import wait_idle
from tests.networks import write_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.formats.fake_hub import FakeHub
    from tests.gui.harness import MakeWindow

NAME = "convnext_atto.d2_in1k"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub on this machine, and an empty cache."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with serving(monkeypatch) as hub:
        yield hub


def dialog_of(window: MainWindow) -> OpenModelDialog:
    """The dialog, opened with its shortcut."""
    QTest.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    dialog = window.findChild(OpenModelDialog, "openModelDialog")
    assert dialog is not None
    assert dialog.isVisible()
    return dialog


def shown(dialog: OpenModelDialog) -> list[str]:
    model = dialog.list.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def opens(dialog: OpenModelDialog) -> QPushButton:
    return dialog.buttons.button(dialog.buttons.StandardButton.Open)


def test_typing_narrows_the_list_and_arrows_move_in_it(open_anew: MakeWindow) -> None:
    dialog = dialog_of(open_anew())
    assert len(shown(dialog)) > 500
    QTest.keyClicks(dialog.search, "mobilenetv4 SMALL conv")
    names = shown(dialog)
    assert names
    assert all("mobilenetv4" in name and "small" in name for name in names)
    assert dialog.chosen() == names[0]
    selected = dialog.list.selectionModel().selectedRows(0)
    assert [index.data() for index in selected] == [names[0]]
    assert dialog.list.indexAt(dialog.list.viewport().rect().topLeft()).row() == 0
    QTest.keyClick(dialog.search, Qt.Key.Key_Down)
    assert dialog.chosen() == names[1]
    QTest.keyClick(dialog.search, Qt.Key.Key_Up)
    assert dialog.chosen() == names[0]
    dialog.close()


def test_others_than_depthwise_are_listed_when_asked_for(
    open_anew: MakeWindow,
) -> None:
    dialog = dialog_of(open_anew())
    QTest.keyClicks(dialog.search, "resnet50.a1_in1k")
    assert "resnet50.a1_in1k" not in shown(dialog)
    dialog.only_depthwise.click()
    assert "resnet50.a1_in1k" in shown(dialog)
    row = dialog.list.model().index(shown(dialog).index("resnet50.a1_in1k"), 1)
    assert row.data() == ""
    dialog.close()


def test_words_that_no_name_has_cannot_be_opened(open_anew: MakeWindow) -> None:
    dialog = dialog_of(open_anew())
    QTest.keyClicks(dialog.search, "no such net")
    assert not opens(dialog).isEnabled()
    assert dialog.nothing.isVisible()
    assert "No pretrained network of timm" in dialog.nothing.text()
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.isVisible()
    QTest.keyClick(dialog.search, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_enter_fetches_and_opens_a_network_of_the_list(
    open_anew: MakeWindow, hub: FakeHub, tmp_path: Path, qtbot: Any
) -> None:
    data = write_network(tmp_path / "net.safetensors").read_bytes()
    hub.files[f"timm/{NAME}"] = {"model.safetensors": data}
    window = open_anew()
    dialog = dialog_of(window)
    QTest.keyClicks(dialog.search, NAME)
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    wait_idle(qtbot, window)
    (bank,) = window.document.banks
    assert (bank.name, len(bank)) == (NAME, 72)


def test_a_page_of_the_hub_opens_by_its_address(
    open_anew: MakeWindow, hub: FakeHub, tmp_path: Path, qtbot: Any
) -> None:
    data = write_network(tmp_path / "net.safetensors").read_bytes()
    hub.files["me/net"] = {"model.safetensors": data}
    window = open_anew()
    dialog = dialog_of(window)
    QTest.keyClicks(dialog.search, "https://huggingface.co/me/net")
    assert dialog.nothing.text() == "Opens me/net from the hub."
    QTest.mouseClick(opens(dialog), Qt.MouseButton.LeftButton)
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["me/net"]


def test_a_download_is_cancelled_from_the_jobs_panel(
    open_anew: MakeWindow, hub: FakeHub, tmp_path: Path, qtbot: Any
) -> None:
    from safetensors.numpy import save

    hub.files["me/net"] = {
        "model.safetensors": save({"w": np.zeros(1 << 20, np.float32)})
    }
    hub.first = 1 << 20
    window = open_anew()
    window.opener.open_named("me/net")
    qtbot.waitUntil(lambda: any(line.startswith("GET") for line in hub.asked))
    (button,) = window.findChildren(QPushButton, "cancelJob")
    button.click()
    wait_idle(qtbot, window)
    assert not hub.go_on.is_set()
    assert not window.document.banks


def test_what_the_hub_does_not_have_is_told(
    open_anew: MakeWindow, hub: FakeHub, qtbot: Any
) -> None:
    window = open_anew()
    told: list[str] = []
    window.opener.told.connect(told.append)
    window.opener.open_named("me/nothing")
    wait_idle(qtbot, window)
    assert told[-1].startswith("nothing: the hub has no such public repository")
