"""Write the pages and pictures of the documentation that follow from the program.

Commands and their options come from their parsers, panels and keys from the window's
tables, notebooks from docs/examples, pictures from the program itself, so that none of
them can grow old.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

PAGES = Path(__file__).parent / "pages"
GENERATED, PICTURES = PAGES / "generated", PAGES / "pictures"
EXAMPLES = Path(__file__).parent / "examples"
FIGURES = ("family", "spectrum", "composition", "classes", "pca")


def main() -> None:
    """Write everything, or without pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-pictures", action="store_true")
    options = parser.parse_args()
    GENERATED.mkdir(exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    write("commands.md", commands())
    write("columns.md", columns())
    write("views.md", views())
    write("menus.md", menus())
    write("glossary.md", glossary(pictures=not options.no_pictures))
    for path in sorted(EXAMPLES.glob("*.ipynb")):
        write(f"{path.stem}.md", notebook(path))
    if not options.no_pictures:
        pictures()


def write(name: str, text: str) -> None:
    """Write a page."""
    (GENERATED / name).write_text(text, "utf-8")


def commands() -> str:
    """Every command with its options."""
    from kernelviewer.cli import WINDOW, module_of, parser_of
    from kernelviewer.commands import COMMANDS

    parts = [
        "# Command line\n\nNo command needs a display but the window itself. "
        "Exit codes: 0 done, 1 a file could not be used, 2 wrong usage.\n"
    ]
    for name in (WINDOW, *COMMANDS):
        parser = parser_of(name)
        import_module(module_of(name)).add_arguments(parser)
        head = "kernelviewer" if name == WINDOW else f"kernelviewer {name}"
        about = "open the window" if name == WINDOW else COMMANDS[name]
        parts.append(f"## `{head}`\n\n{about[0].upper()}{about[1:]}.\n")
        parts += _told(parser)
        for inner, part in _subcommands(parser).items():
            parts.append(f"### `{head} {inner}`\n\n{part.description}\n")
            parts += _told(part)
    return "\n".join(parts)


def _told(parser: argparse.ArgumentParser) -> list[str]:
    """Usage and options of a command."""
    rows = [
        (_words(action), (action.help or "") % _defaults(action))
        for action in parser._actions
        if action.help != argparse.SUPPRESS
        and not isinstance(action, argparse._SubParsersAction)
    ]
    usage = f"```text\n{parser.format_usage().strip()}\n```\n"
    return [usage, _table(("option", "what it does"), rows)]


def _subcommands(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Commands of a command by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def columns() -> str:
    """The columns of the label table."""
    from kernelviewer.latent.labels import COLUMNS

    return ", ".join(f"`{name}`" for name in COLUMNS) + "\n"


def views() -> str:
    """Every panel with its keys and gestures."""
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    from kernelviewer.gui.registry import VIEWS

    parts = ["# Panels\n\nF6 goes from panel to panel; F1 lists every key.\n"]
    for view in VIEWS:
        for keys in view.keys:
            parts.append(f"## {keys.view}\n")
            parts.append(_table(("to", "keys or gesture"), keys.rows))
    del app
    return "\n".join(parts)


def menus() -> str:
    """Every entry of the menus with its key."""
    from kernelviewer.gui.commands import COMMANDS

    parts = ["# Menus and keys\n\nCtrl+K finds each of these by typing.\n"]
    for menu in dict.fromkeys(item.menu for item in COMMANDS if item.menu):
        rows = [
            (item.text.replace("&", ""), ", ".join(item.keys))
            for item in COMMANDS
            if item.menu == menu
        ]
        parts.append(f"## {menu}\n")
        parts.append(_table(("entry", "keys"), rows))
    return "\n".join(parts)


def glossary(pictures: bool = True) -> str:
    """The words of the window with their pictures, from its own table."""
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    from kernelviewer.gui.dialogs.help import place_of
    from kernelviewer.gui.glossary import TERMS, picture_of
    from kernelviewer.gui.painting.kernels import WeightColours
    from kernelviewer.gui.theme import LIGHT
    from kernelviewer.gui.views.grid.colours import weight_colours

    weights = weight_colours("signed", LIGHT)
    colours = WeightColours.of(weights, LIGHT.panel, LIGHT.separator)
    parts = [
        "# Glossary\n\nThe words on the screen. In the window, the “?” of each panel "
        "tells its own, and *Help → Glossary* all of them.\n"
    ]
    for term in TERMS:
        parts.append(f"## {term.word} {{ #{term.id} }}\n")
        if pictures:
            name = f"word-{term.picture}.png"
            picture_of(term.picture, colours, 6).save(str(PICTURES / name))
            parts.append(f"![](../pictures/{name})\n")
        parts.append(f"{term.says}\n")
        if term.formula:
            parts.append(f"`{term.formula}`\n")
        if term.views:
            parts.append(f"*Seen in: {', '.join(map(place_of, term.views))}.*\n")
    del app
    return "\n".join(parts)


def notebook(path: Path) -> str:
    """A notebook with its outputs as a page."""
    parts = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        parts += map(_output, cell["outputs"])
    return "\n\n".join(parts) + "\n"


def pictures() -> None:
    """The window and figures of the sample network."""
    from kernelviewer.files import resource

    sample = str(resource("sample", "sample.safetensors"))
    program = (sys.executable, "-m", "kernelviewer")
    for theme in ("light", "dark"):
        out = str(PICTURES / f"window-{theme}.png")
        window = ("--screenshot", out, "--size", "1440x900", "--theme", theme)
        subprocess.run([*program, sample, *window], check=True)
    for kind in FIGURES:
        out = str(PICTURES / f"figure-{kind}.png")
        words = ("figure", kind, sample, "-o", out, "--force", "--width", "120")
        subprocess.run([*program, *words], check=True, stdout=subprocess.DEVNULL)


def _output(output: dict[str, Any]) -> str:
    """What a cell gave: a picture, else HTML, else text."""
    data = output.get("data", {"text/plain": output.get("text", "")})
    if "image/png" in data:
        picture = "".join(data["image/png"].split())
        return f"<img alt='figure' src='data:image/png;base64,{picture}'>"
    if "text/html" in data:
        return "".join(data["text/html"])
    return f"```text\n{''.join(data['text/plain']).rstrip()}\n```"


def _words(action: argparse.Action) -> str:
    """An option as it is typed."""
    value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    if action.choices is not None:
        value = "|".join(map(str, action.choices))
    value = " ".join(value) if isinstance(value, tuple) else value
    if not action.option_strings:
        return f"`{value or action.dest}`"
    taken = f" {value}" if action.nargs != 0 and value else ""
    return " ".join(f"`{name}{taken}`" for name in action.option_strings)


def _defaults(action: argparse.Action) -> dict[str, object]:
    return {"default": action.default, "prog": "kernelviewer"}


def _table(heads: tuple[str, str], rows: object) -> str:
    """A table in Markdown."""
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    for row in rows:  # type: ignore[attr-defined]
        cells = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
