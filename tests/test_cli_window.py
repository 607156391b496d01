"""What the command line does before it hands over to the window."""

from __future__ import annotations

import builtins
import ctypes
import sys
from pathlib import Path
from typing import Any

import pytest

from kernelviewer import __version__
from kernelviewer.cli import main
from kernelviewer.commands import window

linux_only = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="displays are found differently there"
)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The calls that would have opened the window."""
    calls: list[dict[str, Any]] = []

    def run(paths: list[Path], **options: Any) -> int:
        calls.append({"paths": paths, **options})
        return 0

    monkeypatch.setattr("kernelviewer.gui.application.run", run)
    return calls


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_files_open_in_the_window(opened: list[dict[str, Any]]) -> None:
    assert main(["a.pth", "b.safetensors"]) == 0
    assert opened[0]["paths"] == [Path("a.pth"), Path("b.safetensors")]
    assert main([]) == 0
    assert opened[1]["paths"] == []


def test_options_reach_the_window(opened: list[dict[str, Any]]) -> None:
    words = "a.pth --screenshot p.png --reset --device cpu --theme dark --size 800x600"
    assert main(words.split()) == 0
    assert opened == [
        {
            "paths": [Path("a.pth")],
            "screenshot": Path("p.png"),
            "reset": True,
            "device": "cpu",
            "theme": "dark",
            "size": (800, 600),
            "watch": None,
        }
    ]


def test_a_file_named_like_a_command_opens_with_its_folder(
    opened: list[dict[str, Any]],
) -> None:
    assert main(["./info"]) == 0
    assert opened[0]["paths"] == [Path("info")]


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("extrat", "is the command extract meant?"),
        ("nulltest", "is the command null-test meant?"),
        ("Train", "is the command train meant?"),
        ("frobnicate", "kernelviewer --help lists the commands"),
    ],
)
def test_a_word_that_is_neither_command_nor_file_is_wrong_usage(
    word: str,
    advice: str,
    opened: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([word, "a.pth"]) == 2
    line = f"kernelviewer: {word!r} is neither a command nor a file; {advice}"
    assert complaint(capsys) == line
    assert not opened


def test_the_window_tells_of_files_that_are_not_there(
    opened: list[dict[str, Any]], tmp_path: Path
) -> None:
    missing = ["gone.pth", str(tmp_path / "gone"), "./gone", "hf-hub:owner/gone"]
    for word in missing:
        assert main([word]) == 0
    assert [item["paths"] for item in opened] == [[Path(word)] for word in missing]


def test_a_file_whose_name_has_no_ending_opens(
    opened: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "network").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["network"]) == 0
    assert opened[0]["paths"] == [Path("network")]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["--version"])
    assert ending.value.code == 0
    assert capsys.readouterr().out == f"kernelviewer {__version__}\n"


@linux_only
def test_no_display_is_said_in_one_line(
    opened: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    assert main(["a.pth"]) == 1
    assert "there is no display" in complaint(capsys)
    assert not opened


@linux_only
def test_a_screenshot_needs_no_display(
    opened: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "")
    assert main(["a.pth", "--screenshot", "out.png"]) == 0
    assert len(opened) == 1


@linux_only
def test_a_missing_library_of_qt_is_named_with_its_packages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    genuine = builtins.__import__

    def without_egl(name: str, *rest: Any, **more: Any) -> Any:
        if name == "kernelviewer.gui.application":
            msg = "libEGL.so.1: cannot open shared object file: No such file"
            raise ImportError(msg)
        return genuine(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_egl)
    monkeypatch.setattr(window, "_absent", set)
    assert main(["a.pth"]) == 1
    line = complaint(capsys)
    assert "libEGL.so.1" in line
    assert "apt install libegl1 " in line
    assert "dnf install libglvnd-egl " in line


@linux_only
def test_a_missing_library_of_the_x11_plugin_is_named_before_qt_aborts(
    opened: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load(name: str) -> None:
        if name.endswith("libqxcb.so") or name == "libxcb-cursor.so.0":
            msg = "libxcb-cursor.so.0: cannot open shared object file"
            raise OSError(msg)

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    assert main([]) == 1
    line = complaint(capsys)
    assert "libxcb-cursor.so.0" in line
    assert "libxcb-cursor0" in line
    assert "xcb-util-cursor" in line
    assert not opened


def test_a_missing_python_package_of_the_window_is_named() -> None:
    error = ModuleNotFoundError("No module named 'PySide6'", name="PySide6.QtCore")
    assert "PySide6" in window.missing_library(error)


def test_other_import_errors_are_not_hidden() -> None:
    error = ModuleNotFoundError(
        "No module named 'kernelviewer.x'", name="kernelviewer.x"
    )
    assert window.missing_library(error) == ""
    assert window.missing_library(ImportError("cannot import name 'x'")) == ""


def test_an_unknown_library_is_named_without_a_package() -> None:
    error = ImportError("libnew.so.3: cannot open shared object file")
    assert "libnew.so.3" in window.missing_library(error)
