"""A file whose name is no UTF-8, with odd layers, in the window."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QLabel, QWidget

from kernelviewer.gui import create_window
from kernelviewer.gui.main_window import dropped_paths
from kernelviewer.gui.text import as_tip
from kernelviewer.text import as_paths
from tests.gui.conftest import wait_idle
from tests.gui.harness import errors, tree_rows
from tests.networks import write_network
from tests.odd_files import is_harmless, write_odd_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


def texts(window: MainWindow) -> Iterator[str]:
    """What can be read of the window."""
    yield window.windowTitle()
    yield from tree_rows(window)
    for widget in window.findChildren(QWidget):
        yield widget.toolTip()
        yield widget.accessibleName()
    for label in window.findChildren(QLabel):
        yield label.text()


def test_an_odd_file_opens_is_saved_and_comes_back(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    odd = write_odd_network(tmp_path)
    window = open_anew(odd)
    (bank,) = window.document.banks
    assert bank.path == odd
    assert not errors(window)
    assert all(map(is_harmless, texts(window)))
    session = tmp_path / os.fsdecode(b"work-\xff.kvsession")
    window.sessions.save_to(session)
    wait_idle(qtbot, window)
    assert "work-\\xff" in window.windowTitle()
    assert all(map(is_harmless, texts(window)))
    again = open_anew(session)
    assert [bank.path for bank in again.document.banks] == [odd]
    assert not errors(again)


def test_a_recent_odd_file_opens_again(
    make_window: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    odd = write_odd_network(tmp_path)
    window = make_window(odd)
    window.close()
    fresh = make_window()
    assert all(map(is_harmless, texts(fresh)))
    fresh.parts.welcome.path_requested.emit(str(odd))
    wait_idle(qtbot, fresh)
    assert [bank.path for bank in fresh.document.banks] == [odd]


@pytest.mark.parametrize(
    "name", [b"net-\xff %41.pth", b"net-\xc3\xa4.pth", b"a#b?.pth"]
)
def test_what_is_dropped_keeps_its_very_path(name: bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    data = QMimeData()
    data.setUrls([QUrl.fromEncoded(path.as_uri().encode())])
    assert dropped_paths(data) == [path]


def test_a_window_takes_any_kind_of_path(qtbot: Any, tmp_path: Path) -> None:
    file = write_network(tmp_path / "net.safetensors")

    class Other:
        def __fspath__(self) -> str:
            return str(file)

    for paths in ([str(file)], [file], [Other()], str(file), file):
        assert as_paths(paths) == [file]
    window = create_window(Other())
    try:
        wait_idle(qtbot, window)
        assert [bank.path for bank in window.document.banks] == [file]
    finally:
        window.close()
        window.deleteLater()


def test_a_name_that_looks_like_html_is_text(
    open_anew: MakeWindow, tmp_path: Path
) -> None:
    name = "<img src='x.png'>.dw"
    assert as_tip("plain, <1 %") == "plain, <1 %"
    assert "<img" not in as_tip(f"line\n{name}")
    odd = write_odd_network(tmp_path, "<b>net<i>.safetensors")
    window = open_anew(odd)
    message = window.findChild(QLabel, "statusMessage")
    window.opener.told.emit("<img src='//server/share/x.png'>")
    assert message.textFormat() == Qt.TextFormat.PlainText
    assert "<img" not in message.toolTip()
    rows = tree_rows(window)
    for index in rows.values():
        assert "<b>" not in str(index.data(Qt.ItemDataRole.ToolTipRole))
