"""The documentation: pages that follow from the program, and links between pages."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kernelviewer.commands import COMMANDS

if TYPE_CHECKING:
    from types import ModuleType

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", DOCS / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_and_option_is_told(make: ModuleType) -> None:
    page = make.commands()
    for name in COMMANDS:
        assert f"## `kernelviewer {name}`" in page
    sections = page.split("\n## ")
    label = next(text for text in sections if text.startswith("`kernelviewer label`"))
    for option in ("--threshold", "--json", "--output", "--autoencoder"):
        assert option in label
    for name in ("build", "table", "query"):
        assert f"### `kernelviewer corpus {name}`" in page
    assert "`--scheduler-file F`" in page
    assert "%(" not in page


def test_every_panel_and_menu_is_told(make: ModuleType, qapp: object) -> None:
    from kernelviewer.gui.commands import COMMANDS as ENTRIES
    from kernelviewer.gui.registry import VIEWS

    panels, menus = make.views(), make.menus()
    for view in VIEWS:
        for keys in view.keys:
            assert f"## {keys.view}\n" in panels
    for entry in ENTRIES:
        assert entry.text.replace("&", "") in menus


def test_every_word_is_told_with_where_it_is_seen(
    make: ModuleType, qapp: object
) -> None:
    from kernelviewer.gui.glossary import TERMS

    page = make.glossary(pictures=False)
    for term in TERMS:
        assert f"## {term.word} {{ #{term.id} }}\n\n{term.says}\n" in page
    assert "*Seen in: Spectrum.*" in page


def test_the_sidebar_names_every_page_and_no_other() -> None:
    written = {
        str(path.relative_to(DOCS / "pages"))
        for path in (DOCS / "pages").rglob("*.md")
        if "generated" not in path.parts
    }
    sidebar = set(re.findall(r": (\S+\.md)$", (DOCS / "mkdocs.yml").read_text(), re.M))
    assert {name for name in sidebar if not name.startswith("generated/")} == written


def test_links_between_pages_lead_somewhere() -> None:
    pages = DOCS / "pages"
    for page in pages.rglob("*.md"):
        for target in re.findall(
            r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")
        ):
            if not target.startswith(("generated/", "pictures/")):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
