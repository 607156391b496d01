"""The documentation: pages that follow from the program, and links between pages."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kernelviewer as kv
from kernelviewer.cli import WINDOW, module_of, parser_of
from kernelviewer.commands import COMMANDS
from kernelviewer.files import resource

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
    parts = re.findall(r"^##+ `([^`]+)`\n(.*?)(?=^##+ |\Z)", page, re.M | re.S)
    sections = dict(parts)
    for name in (WINDOW, *COMMANDS):
        parser = parser_of(name)
        importlib.import_module(module_of(name)).add_arguments(parser)
        head = "kernelviewer" if name == WINDOW else f"kernelviewer {name}"
        inner = make._subcommands(parser)
        for place, one in {"": parser, **inner}.items():
            section = sections[f"{head} {place}".rstrip()]
            for action in one._actions:
                for option in action.option_strings:
                    assert re.search(rf"`{option}[ `]", section), (name, option)
    for name in ("build", "table", "query"):
        assert f"### `kernelviewer corpus {name}`" in page
    assert "`--scheduler-file F`" in page
    assert "%(" not in page


def test_every_public_name_has_its_place(make: ModuleType) -> None:
    page = (DOCS / "pages" / "python.md").read_text("utf-8")
    told = set(re.findall(r"^::: kernelviewer\.(\w+)$", page, re.M))
    assert told == set(kv.__all__) - {"__version__", "CheckpointError"}
    assert "`kv.CheckpointError`" in page


@pytest.fixture
def short_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that comes with the program has its first and its last step alone."""
    steps = sorted(resource("sample-run").glob("step-*"))
    for step in (steps[0], steps[-1]):
        shutil.copy(step, tmp_path)
    monkeypatch.setattr(
        "kernelviewer.files.resource",
        lambda *names: tmp_path if names == ("sample-run",) else resource(*names),
    )


@pytest.mark.usefixtures("short_run")
@pytest.mark.parametrize("path", sorted(DOCS.glob("examples/*.ipynb")), ids=str)
def test_notebooks_run_and_have_their_outputs(path: Path, make: ModuleType) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] or not cell["source"], cell["source"]
            assert all(item["output_type"] != "error" for item in cell["outputs"])
            try:
                exec("".join(cell["source"]), names)
            except ModuleNotFoundError as error:
                if error.name != "polars":  # which no test needs
                    raise
    page = make.notebook(path)
    assert "data:image/png" in page
    assert str(Path.home()) not in page
    assert path.stat().st_size < 300_000


def test_every_panel_and_menu_is_told(make: ModuleType, qapp: object) -> None:
    from kernelviewer.gui.commands import COMMANDS as ENTRIES
    from kernelviewer.gui.registry import VIEWS

    panels, menus = make.views(), make.menus()
    for view in VIEWS:
        for keys in view.keys:
            assert f"## {keys.view}\n" in panels
    for entry in ENTRIES:
        assert entry.text.replace("&", "") in menus


def test_entries_and_keys_that_pages_speak_of_are_there(qapp: object) -> None:
    from kernelviewer.gui.commands import COMMANDS as ENTRIES

    entries = {
        (item.menu.partition("/")[0], item.text.replace("&", "")): item.keys
        for item in ENTRIES
    }
    pages = [*(DOCS / "pages").glob("*.md"), *(DOCS / "pages" / "how-to").glob("*.md")]
    spoken = 0
    for page in [*pages, DOCS.parent / "README.md"]:
        for menu, text, key in re.findall(
            r"\*{1,2}(\w+) → ([^*]+)\*{1,2}(?: \((Ctrl[^),]*))?",
            page.read_text("utf-8"),
        ):
            assert (menu, text) in entries, f"{page.name}: {menu} → {text}"
            assert not key or key in entries[menu, text], f"{page.name}: {text} {key}"
            spoken += 1
    assert spoken > 5


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
            if target.rpartition("generated/")[2] in ("views.md", "menus.md"):
                continue
            if "generated/" in target:
                name = target.rpartition("/")[2].removesuffix(".md")
                made = name in ("commands", "columns")
                assert made or (DOCS / "examples" / f"{name}.ipynb").exists(), target
            elif not target.startswith("pictures/"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
