"""What the window keeps, and settings that are broken or of another version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from kernelviewer.state.settings import load_settings, settings_path
from tests.gui.conftest import wait_idle
from tests.gui.harness import errors

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.gui.harness import MakeWindow


def test_recent_files_are_offered_and_remembered(
    make_window: MakeWindow, small_file: Path
) -> None:
    make_window(small_file).close()
    window = make_window()
    assert load_settings()[0].recent == (str(small_file),)
    links = list(window.parts.welcome.findChildren(QPushButton))
    assert any(str(small_file) in link.toolTip() for link in links)


def test_layout_theme_and_choices_are_kept(make_window: MakeWindow) -> None:
    window = make_window()
    window.set_theme("dark")
    window.set_colormap("grey")
    window.docks["inspector"].close()
    window.close()
    again = make_window()
    assert again.settings.theme == "dark"
    assert again.settings.colormap == "grey"
    assert not again.docks["inspector"].isVisible()


def test_jobs_that_came_up_by_themselves_do_not_come_up_at_the_next_start(
    make_window: MakeWindow,
) -> None:
    window = make_window()
    window.keep_settings()
    window.parts.jobs_panel.attention_requested.emit()
    assert window.docks["jobs"].isVisible()
    window.keep_settings()
    again = make_window()
    assert not again.docks["jobs"].isVisible()
    window.jobs.counted.emit(0)
    assert not window.docks["jobs"].isVisible()
    QTest.mouseClick(window.jobs_button, Qt.MouseButton.LeftButton)
    window.keep_settings()
    asked = make_window()
    assert asked.docks["jobs"].isVisible()
    panel = asked.parts.jobs_panel
    assert panel.empty.minimumSizeHint().width() <= panel.viewport().width()


def test_panels_are_kept_as_they_lie_while_jobs_are_up_by_themselves(
    make_window: MakeWindow,
    small_file: Path,
) -> None:
    window = make_window(small_file)
    window.parts.jobs_panel.attention_requested.emit()
    QApplication.processEvents()
    window.docks["scatter"].close()
    QApplication.processEvents()
    before = {name: dock.geometry() for name, dock in window.docks.items()}
    window.keep_settings()
    QApplication.processEvents()
    assert window.docks["jobs"].in_front
    assert before == {name: dock.geometry() for name, dock in window.docks.items()}
    again = make_window()
    assert not again.docks["jobs"].isVisible()
    assert not again.docks["scatter"].toggleViewAction().isChecked()


def test_a_window_writes_what_it_changed_and_leaves_what_another_did(
    make_window: MakeWindow, small_file: Path
) -> None:
    one, other = make_window(), make_window()
    one.set_theme("dark")
    one.note_opened(small_file)
    one.keep_settings()
    other.set_colormap("grey")
    other.note_opened(small_file.with_name("else.pth"))
    other.close()
    kept = load_settings()[0]
    assert (kept.theme, kept.colormap) == ("dark", "grey")
    assert [name.rpartition("/")[2] for name in kept.recent] == [
        "else.pth",
        small_file.name,
    ]


def test_a_window_can_be_closed_twice(make_window: MakeWindow) -> None:
    window = make_window()
    assert window.close()
    assert window.close()
    assert window.stopped


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
