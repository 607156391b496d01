from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kernelviewer.state.settings import (
    Settings,
    load_settings,
    reset_settings,
    save_settings,
    settings_path,
)


def test_fresh_settings_are_the_defaults() -> None:
    assert load_settings() == (Settings(), "")


def test_what_is_saved_is_loaded() -> None:
    settings = replace(Settings(), theme="dark").opened(Path("/a/b.pth"))
    save_settings(settings)
    assert load_settings() == (settings, "")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"theme": 7}',
        '{"theme": "pink"}',
        "\x00",
        "9" * 9999,
    ],
)
def test_broken_settings_are_set_aside_and_never_fatal(text: str) -> None:
    path = settings_path()
    path.write_text(text)
    settings, problem = load_settings()
    assert settings == Settings()
    assert "settings.broken.json" in problem
    assert path.with_name("settings.broken.json").read_text() == text
    assert load_settings() == (Settings(), "")


def test_settings_of_a_newer_version_lose_nothing_that_is_known() -> None:
    settings_path().write_text('{"theme": "light", "unheard_of": [1, 2]}')
    settings, problem = load_settings()
    assert settings.theme == "light"
    assert not problem


def test_recent_files_are_unique_and_latest_first() -> None:
    settings = Settings()
    for name in ("/a", "/b", "/a"):
        settings = settings.opened(Path(name))
    assert settings.recent == ("/a", "/b")


def test_reset_forgets_everything() -> None:
    save_settings(replace(Settings(), theme="dark"))
    reset_settings()
    assert load_settings()[0] == Settings()
