"""What the F1 sheet tells of views is what their code asks for."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kernelviewer.gui
from kernelviewer.gui.dialogs.help import shortcuts_html
from kernelviewer.gui.registry import VIEWS

if TYPE_CHECKING:
    from kernelviewer.gui.view import ViewKeys

VIEW_KEYS = [keys for spec in VIEWS for keys in spec.keys]
GUI = Path(kernelviewer.gui.__file__).parent
WORDS = {
    "Left": ("Left", "arrow"),
    "Right": ("Right", "arrow"),
    "Up": ("Up,", "arrow"),
    "Down": ("Down,", "arrow"),
    "PageUp": ("Page Up",),
    "PageDown": ("Page Down",),
    "Return": ("Enter",),
    "Plus": ("+",),
    "Equal": ("=",),
    "Minus": ("−",),
}
"""How the sheet may name a key of Qt; others by their own name."""


def asked_for(module: str) -> set[str]:
    """Keys that a module compares events with or has in tables."""
    path = GUI.joinpath(*module.split(".")).with_suffix(".py")
    return {
        node.attr.removeprefix("Key_")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr.startswith("Key_")
    }


@pytest.mark.parametrize("view", VIEW_KEYS, ids=lambda view: view.view)
def test_every_key_of_a_view_is_told(view: ViewKeys) -> None:
    told = " ".join(keys for _, keys in view.rows)
    missing = {
        key
        for key in asked_for(view.module)
        if not any(word in told for word in WORDS.get(key, (key,)))
    }
    assert asked_for(view.module)
    assert not missing


def test_no_view_has_keys_that_are_not_told() -> None:
    known = {view.module for view in VIEW_KEYS}
    silent = set()
    for path in (GUI / "views").rglob("*.py"):
        module = ".".join(path.relative_to(GUI).with_suffix("").parts)
        if module not in known and asked_for(module):
            silent.add(module)
    assert not silent


def test_the_sheet_has_them_all() -> None:
    sheet = shortcuts_html(())
    for view in VIEW_KEYS:
        assert view.view in sheet
