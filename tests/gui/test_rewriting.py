"""File → Write Approximated…: what stands for kernels is seen, then written."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog
from safetensors.numpy import load_file, save_file

from kernelviewer.cli import main
from kernelviewer.gui.dialogs import rewriting
from tests.gui.conftest import wait_idle
from tests.gui.harness import LEFT
from tests.networks import write_network
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.dialogs.rewriting import RewriteDialog
    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Answer where to write."""

    def answer(path: Path) -> None:
        found = (str(path), "")
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: found)

    return answer


@pytest.fixture
def opened(open_anew: MakeWindow, qtbot: Any) -> Callable[..., Any]:
    """Open files and the dialog; both, and how to wait."""

    def opened(*paths: Path) -> tuple[MainWindow, RewriteDialog, Callable[[], None]]:
        window = open_anew(*paths)
        window.commands["write_approximated"].trigger()
        dialog = window.findChild(QDialog, "rewriteDialog")
        wait_idle(qtbot, window)
        return window, dialog, lambda: wait_idle(qtbot, window)

    return opened


def choose(dialog: RewriteDialog, way: str) -> None:
    dialog.way.setCurrentIndex(dialog.way.findData(way))


WORDS = {
    "published": ["--keys", "published"],
    "found": ["--keys", "3", "--size", "7x7"],
    "family": ["--family", "--size", "7x7"],
    "noise": ["--noise", "--size", "7x7"],
}


@pytest.mark.parametrize("way", WORDS)
def test_it_writes_what_the_command_writes(
    way: str, opened: Any, ask: Any, tmp_path: Path
) -> None:
    source = write_network(tmp_path / "net.safetensors", 20)
    before = source.read_bytes()
    window, dialog, wait = opened(source)
    choose(dialog, way)
    dialog.count.setValue(3)
    for size, box in dialog.checks.items():
        box.setChecked(size == (7, 7))
    wait()
    (item,) = dialog._made.sizes
    assert item.size == (7, 7)
    kernels = window.document.banks[0].sizes[7, 7]
    assert item.kernels == np.count_nonzero(~kernels.flat)
    r2 = [layer.r2 for layer in dialog._made.replaced]
    assert item.r2 == pytest.approx(np.mean(r2), abs=0.05)
    assert 0.01 < item.null < 0.3
    row = dialog.preview.widget().findChild(rewriting.BeforeAfter)
    assert f"R² {item.r2:.3f}" in row.text()
    assert not row.grab().isNull()
    ask(tmp_path / "window.safetensors")
    QTest.mouseClick(dialog.write, LEFT)
    wait()
    assert "window.safetensors" in window.statusBar().currentMessage()
    words = ["rewrite", str(source), "-o", str(tmp_path / "command.safetensors")]
    assert main([*words, *WORDS[way]]) == 0
    one, two = (load_file(tmp_path / f"{n}.safetensors") for n in ("window", "command"))
    old = load_file(source)
    for name, values in one.items():
        assert (values == two[name]).all()
        assert (values.tobytes() != old[name].tobytes()) == (values.shape[2:] == (7, 7))
    json = [
        (tmp_path / f"{n}.safetensors.json").read_text() for n in ("window", "command")
    ]
    assert json[0] == json[1]
    assert source.read_bytes() == before
    shown = np.concatenate([v[:, 0] for v in one.values() if v.shape[2:] == (7, 7)])
    assert all((shown == kernel).all(axis=(1, 2)).any() for kernel in item.after)
    dialog.close()


def test_the_input_is_not_written_over(
    opened: Any, ask: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernelviewer.gui.desktop.confirm", lambda *a: True)
    source = write_network(tmp_path / "net.safetensors", 12)
    before = source.read_bytes()
    _, dialog, wait = opened(source)
    ask(source)
    QTest.mouseClick(dialog.write, LEFT)
    wait()
    assert "Choose another name" in dialog.status.text()
    assert dialog.write.isEnabled()
    assert source.read_bytes() == before
    dialog.close()


def test_kernels_of_another_network(opened: Any, ask: Any, tmp_path: Path) -> None:
    paths = [write_network(tmp_path / f"{n}.safetensors", 12, n) for n in range(2)]
    _, dialog, wait = opened(*paths)
    dialog.network.setCurrentIndex(0)
    choose(dialog, "other")
    wait()
    assert dialog.other.currentText() == "1"
    ask(tmp_path / "out.safetensors")
    QTest.mouseClick(dialog.write, LEFT)
    wait()
    old, other, new = (load_file(p) for p in (*paths, tmp_path / "out.safetensors"))
    listed = (tmp_path / "out.safetensors.freeze.txt").read_text().split()
    assert listed
    for name, values in new.items():
        assert (values == (other if name in listed else old)[name]).all()
    dialog.close()


def test_what_cannot_be_done_is_said(opened: Any, tmp_path: Path, qtbot: Any) -> None:
    path = tmp_path / "odd.safetensors"
    random = np.random.default_rng(0)
    weights = random.normal(size=(24, 1, 11, 11)).astype(np.float32)
    point = random.normal(size=(24, 24, 1, 1)).astype(np.float32)
    save_file({"dw.weight": weights, "pw.weight": point}, path)
    window, dialog, wait = opened(path)
    choose(dialog, "shipped")
    wait()
    assert "no 8 keys come with the program for 11×11" in dialog.status.text()
    assert not dialog.write.isEnabled()
    choose(dialog, "file")
    assert "kernelviewer keys --save" in dialog.status.text()
    for box in dialog.checks.values():
        box.setChecked(False)
    choose(dialog, "noise")
    assert "Choose a size" in dialog.status.text()
    for box in dialog.checks.values():
        box.setChecked(True)
    wait()
    assert dialog.write.isEnabled()
    dialog.close()
    wait_idle(qtbot, window)


@needs_checkpoints
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("mcunet-vww-int8-tinyengine.tflite", "safetensors"),
        ("deimv2-atto-coco-dynint8.onnx", "keeps no other values"),
    ],
)
def test_what_is_not_rewritten(
    name: str, problem: str, opened: Any, tmp_path: Path
) -> None:
    shutil.copy(CHECKPOINTS / name, tmp_path / name)
    _, dialog, wait = opened(tmp_path / name)
    choose(dialog, "noise")
    wait()
    assert problem in dialog.status.text()
    assert not dialog.write.isEnabled()
    dialog.close()


def test_closing_gives_the_work_up(opened: Any, tmp_path: Path) -> None:
    source = write_network(tmp_path / "net.safetensors", 12)
    window, dialog, wait = opened(source)
    choose(dialog, "family")
    dialog.close()
    wait()
    assert not window.parts.jobs_panel.failed()
