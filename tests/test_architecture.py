"""The house rules that a look at the imports can check."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kernelviewer
from kernelviewer.cli import module_of
from kernelviewer.commands import COMMANDS
from kernelviewer.device import needs_torch

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(kernelviewer.__file__).parent
ROOMS = (
    "ground", "formats", "kernels", "latent", "figures", "state", "corpus", "jobs",
    "gui", "front"
)  # fmt: skip
GROUND = {
    "files", "text", "strangers", "importing", "device", "watch", "notebook"
}  # fmt: skip
FRONT = {"cli", "__main__", "commands", "__init__", "api"}
OPENS_THE_WINDOW = {"commands.window", "api"}
HEAVY = {
    *("torch", "timm", "matplotlib", "onnx", "h5py", "safetensors", "scipy"),
    *("dask", "distributed", "duckdb", "pandas", "psutil", "pyarrow"),
}
BEFORE_THE_WINDOW = {"torch", "timm", "matplotlib"}
NOT_TO_OPEN = {*BEFORE_THE_WINDOW, "scipy", "h5py"}
OPENING = """
import sys, threading, time
import kernelviewer.gui.application
print(*sys.modules)
from PySide6.QtWidgets import QApplication
from kernelviewer.gui import create_window
app = QApplication([])
window = create_window()
window.show()
app.processEvents()
print(*sys.modules)
from kernelviewer.files import resource
def settle():
    calm, end = 0, time.monotonic() + 100
    while calm < 20 and time.monotonic() < end:
        app.processEvents()
        time.sleep(0.001)
        calm = calm + 1 if window.jobs.is_idle() else 0
class Watcher:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            if name.startswith("kernelviewer."):
                late.append(name)
late = []
settle()
sys.meta_path.insert(0, Watcher())
window.opener.open([resource("sample", "sample.safetensors")])
settle()
print(*late)
print(*sys.modules)
analyses = window.document.analyses
assert analyses[1, (7, 7)].code is not None, analyses
assert window.document.families.keys() == analyses.keys()
print(window.device_label.text())
window.close()
"""
"""Prints modules imported with the window, when it is painted, on its thread while it
opens a file, and after that; and the device."""
MAY_COME_BEFORE = {
    "formats": {"checkpoint", "errors"},
    "kernels": {"bank", "classes", "equality", "statistics"},
    "latent": {"axis", "labels", "noise", "stretches"},
    "figures": None,
    "jobs": {"analysing", "runner", "runs", "tasks"},
    "state.session": {"files"},
    "gui.dialogs": None,
}
"""Room → its modules that may be imported before the window is painted; None: not even
the room. What they import counts; the rest comes when it is used."""
GUI = (
    "text", "theme", "desktop", "instance", "accessible", "painting", "glossary",
    "controls", "jobs", "acts", "palette", "view", "views", "registry", "frame",
    "dialogs", "controllers",
    "window_context", "view_menus", "commands", "search", "main_window", "application",
)  # fmt: skip
"""The rooms of the window, from the ground up; a room imports only those before it."""
HANDED_ON = "window_context"
"""For types alone every room of the window may name it: views and dialogs get it."""
NOT_BEFORE = {"msgspec", "importlib.metadata", "email", "subprocess", "urllib.request"}
"""Libraries that the window does not need to be painted."""
QT = {"PySide6", "shiboken6", "pyqtgraph", "superqt"}
MOST_FUNCTION_LINES = 80


@dataclass(frozen=True)
class Import:
    """One import statement of a module: what, where, and whether just for types."""

    module: str
    line: int
    at_top: bool
    for_types: bool

    @property
    def library(self) -> str:
        return self.module.partition(".")[0]


@cache
def modules() -> dict[str, ast.Module]:
    """Dotted name below the package → syntax tree."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(
            path.read_text()
        )
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def imports(tree: ast.Module) -> tuple[Import, ...]:
    return tuple(_imports(tree.body, at_top=True, for_types=False))


def _imports(
    body: list[ast.stmt], *, at_top: bool, for_types: bool
) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_top, for_types)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            for alias in node.names:
                found = f"{node.module}.{alias.name}"
                name = found if _is_module(found) else node.module
                yield Import(name, node.lineno, at_top, for_types)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            for field in ("body", "orelse", "handlers", "finalbody", "cases"):
                yield from _imports(
                    getattr(node, field, []),
                    at_top=at_top and not inside,
                    for_types=for_types or (types and field == "body"),
                )


@cache
def _is_module(name: str) -> bool:
    parts = name.split(".")
    if parts[0] != "kernelviewer":
        return False
    path = PACKAGE.joinpath(*parts[1:])
    return path.is_dir() or path.with_suffix(".py").is_file()


def room_of(module: str) -> str | None:
    """Room of a dotted name below the package; None for the package itself."""
    first = module.partition(".")[0]
    if not first:
        return None
    if first in GROUND:
        return "ground"
    return "front" if first in FRONT else first


def ours(name: str) -> str | None:
    """Name below the package of an imported module of ours."""
    head, _, rest = name.partition(".")
    return rest if head == "kernelviewer" else None


def everywhere() -> Iterator[tuple[str, str, Import]]:
    """(module, its room, import) of every import of the package."""
    for module, tree in modules().items():
        room = room_of(module)
        assert room in ROOMS, f"{module} is in no room"
        for item in imports(tree):
            yield module, room, item


def test_rooms_only_import_rooms_above_them() -> None:
    wrong = []
    for module, own, item in everywhere():
        room = room_of(ours(item.module) or "")
        if room is not None and ROOMS.index(room) > ROOMS.index(own):
            wrong.append((module, item.line, item.module))
    assert wrong == []


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    wrong = []
    for module, room, item in everywhere():
        heavy = BEFORE_THE_WINDOW if room == "gui" else HEAVY
        if item.at_top and not item.for_types and item.library in heavy:
            wrong.append((module, item.line, item.module))
    assert wrong == []


def test_only_the_window_knows_qt() -> None:
    wrong = []
    for module, room, item in everywhere():
        if room == "gui":
            continue
        window = (ours(item.module) or "").partition(".")[0] == "gui"
        opens = module in OPENS_THE_WINDOW and (not item.at_top or item.for_types)
        if item.library in QT or (window and not opens):
            wrong.append((module, item.line, item.module))
    assert wrong == []


def test_no_imports_go_in_a_circle() -> None:
    """Not even those in functions; names for types alone may."""
    uses: dict[str, set[str]] = {}
    for module, _, item in everywhere():
        own, used = module.removesuffix(".__init__"), ours(item.module)
        if used is not None and used != own and not item.for_types:
            uses.setdefault(own, set()).add(used)
    TopologicalSorter(uses).prepare()  # raises CycleError


def test_rooms_of_the_window_only_import_rooms_before_them() -> None:
    wrong = []
    for module, room, item in everywhere():
        _, _, used = (ours(item.module) or "").partition("gui.")
        own = module.removeprefix("gui.").partition(".")[0]
        if room != "gui" or own == "__init__" or not used:
            continue
        room = used.partition(".")[0]
        named = item.for_types and room == HANDED_ON
        if GUI.index(room) > GUI.index(own) and not named:
            wrong.append((module, item.line, item.module))
    assert wrong == []


def test_no_view_imports_another() -> None:
    """What the window uses is a view; a view may use parts that only views use."""

    def unit(name: str) -> str:
        below = name.removeprefix("gui.views").strip(".")
        return below.partition(".")[0] if name.startswith("gui.views") else ""

    views, uses = set(), []
    for module, _, item in everywhere():
        used = unit(ours(item.module) or "")
        if used and not unit(module):
            views.add(used)
        elif used and used != unit(module):
            uses.append((module, used, item.line))
    assert views
    assert [use for use in uses if use[1] in views] == []


def test_a_module_gives_each_name_once() -> None:
    """A constant that is set twice has the last value in the whole module."""
    twice = []
    for module, tree in modules().items():
        found: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names = [node.name]
            elif isinstance(node, ast.Assign):
                places = [ast.walk(target) for target in node.targets]
                names = [n.id for way in places for n in way if isinstance(n, ast.Name)]
            else:
                continue
            twice += [f"{module}.{name}" for name in names if name in found]
            found.update(names)
    assert twice == []


def functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a body, wherever they stand in it."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        for field in ("body", "orelse", "handlers", "finalbody", "cases"):
            yield from functions(getattr(node, field, []))


def test_functions_fit_on_the_screen() -> None:
    long = []
    for module, tree in modules().items():
        for node in functions(tree.body):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            if length > MOST_FUNCTION_LINES:
                long.append((f"{module}.{node.name}", length))
    assert long == []


def test_the_rules_see_imports_wherever_they_stand() -> None:
    """A check of the check: each of these lines must be found."""
    source = """
import torch
from kernelviewer.gui import application
if TYPE_CHECKING:
    from kernelviewer.formats.checkpoint import Tensor
else:
    import onnx
try:
    import h5py
except ImportError:
    import timm
def later():
    with x:
        import matplotlib.pyplot
class C:
    def method(self):
        import PySide6.QtCore
"""
    found = {item.module: item for item in imports(ast.parse(source))}
    assert list(found) == [
        "torch", "kernelviewer.gui.application", "kernelviewer.formats.checkpoint",
        "onnx", "h5py", "timm", "matplotlib.pyplot", "PySide6.QtCore",
    ]  # fmt: skip
    at_top = {name for name, item in found.items() if item.at_top}
    assert at_top == set(found) - {"matplotlib.pyplot", "PySide6.QtCore"}
    for_types = {name for name, item in found.items() if item.for_types}
    assert for_types == {"kernelviewer.formats.checkpoint"}


def printed(code: str, **more: str) -> list[str]:
    """The lines of a fresh process that sees no GPU, with this in its environment."""
    more |= {"QT_QPA_PLATFORM": "offscreen", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | more,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def modules_after(code: str) -> set[str]:
    """Modules that a fresh process has imported after running ``code``."""
    return set(printed(f"{code}\nimport sys\nprint(*sys.modules)")[-1].split())


def libraries(names: set[str]) -> set[str]:
    """The top-level packages of modules."""
    return {name.partition(".")[0] for name in names}


@pytest.fixture(scope="module")
def opening(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Word by word what `OPENING` prints."""
    home = tmp_path_factory.mktemp("opening")
    folders = {"KERNELVIEWER_CONFIG": f"{home}/config", "KERNELVIEWER_CACHE": f"{home}"}
    return [line.split() for line in printed(OPENING, **folders)]


def test_the_api_and_the_command_line_import_neither_torch_nor_qt() -> None:
    use = "import kernelviewer.cli\nfrom kernelviewer import *"
    found = modules_after(use)
    assert {"kernelviewer.formats.registry", "kernelviewer.kernels.extract"} <= found
    assert not libraries(found) & (HEAVY | QT)


def test_no_command_imports_qt_or_waits_for_torch() -> None:
    names = ", ".join(module_of(name) for name in COMMANDS)
    assert not libraries(modules_after(f"import {names}")) & (BEFORE_THE_WINDOW | QT)


def test_the_window_imports_without_torch_timm_and_matplotlib(
    opening: list[list[str]],
) -> None:
    assert not libraries({*opening[0]}) & BEFORE_THE_WINDOW


def test_what_comes_later_is_not_imported_before_the_first_paint(
    opening: list[list[str]],
) -> None:
    all_found = {*opening[1]}
    assert not all_found & NOT_BEFORE
    found = {ours(name) or "" for name in all_found}
    assert "gui.main_window" in found
    early = set()
    for room, allowed in MAY_COME_BEFORE.items():
        early |= found & {room} if allowed is None else set()
        inside = {name for name in found if name.startswith(f"{room}.")}
        early |= inside - {f"{room}.{name}" for name in allowed or ()}
    assert not early


def test_a_file_opens_without_imports_on_the_gui_thread(
    opening: list[list[str]],
) -> None:
    """The window would stand still meanwhile; what is needed came while it was idle."""
    _, _, late, after, _ = opening
    assert "kernelviewer.kernels.family" in after
    assert late == []


@pytest.mark.skipif(
    sys.platform == "darwin" and needs_torch("auto"), reason="this machine has a GPU"
)
def test_the_window_names_what_it_opened_without_torch(
    opening: list[list[str]],
) -> None:
    _, _, _, after, device = opening
    assert device == ["cpu"]
    assert not libraries({*after}) & NOT_TO_OPEN
