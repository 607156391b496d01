"""The window asks before it touches what a session names outside its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from tests.gui.conftest import wait_idle
from tests.gui.harness import drop
from tests.gui.session_harness import click, dialog_of, states
from tests.jobs.test_strange_sessions import write_strange
from tests.networks import write_network
from tests.watching import watch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gui.harness import MakeWindow


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    secret = write_network(tmp_path / "mine" / "secret.safetensors")
    return write_strange(
        tmp_path / "sent" / "s.kvsession", str(secret), "\\\\server\\share\\n.pth"
    )


@pytest.mark.parametrize("how", ["argument", "dropped"])
def test_nothing_outside_is_touched_before_the_users_word(
    make_window: MakeWindow,
    qtbot: Any,
    strange: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    with monkeypatch.context() as patch:
        touched = watch(patch)
        window = make_window(*([strange] if how == "argument" else []))
        if how == "dropped":
            drop(window, strange)
            wait_idle(qtbot, window)
    assert str(strange) in touched
    assert not [path for path in touched if "/mine/" in path or "server" in path]
    dialog = dialog_of(window)
    assert states(dialog) == ["not allowed yet", "not allowed yet"]
    assert dialog.findChild(QLabel, "locateOutside").isVisible()
    allow = dialog.findChild(QPushButton, "useOutside")
    assert allow.text() == "Use 2 Files There"
    assert not window.document.banks
    click(dialog, "useOutside")
    wait_idle(qtbot, window)
    assert states(dialog) == ["found", "missing"]
    assert not allow.isVisible()
    click(dialog, "openWithout")
    wait_idle(qtbot, window)
    assert [bank.name for bank in window.document.banks] == ["secret"]


def test_refusing_opens_nothing(
    open_anew: MakeWindow, qtbot: Any, strange: Path
) -> None:
    window = open_anew(strange)
    click(dialog_of(window), "openWithout")
    wait_idle(qtbot, window)
    assert not window.document.banks
