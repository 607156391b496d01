"""The Python API as somebody guesses it, from networks in memory to the window."""

from __future__ import annotations

import csv
import doctest
import os
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer import api, notebook
from kernelviewer.figures import report
from kernelviewer.figures.provenance import read_record
from kernelviewer.figures.report import plan_report
from kernelviewer.files import resource
from tests.latent.runs import STEPS, made_run
from tests.networks import write_every_kind, write_network

if TYPE_CHECKING:
    from pathlib import Path

PLACES = (
    "kernelviewer.api",
    "kernelviewer.formats.registry",
    "kernelviewer.kernels.archive",
    "kernelviewer.kernels.extract",
    "kernelviewer.latent.compare",
    "kernelviewer.latent.keys",
)


@pytest.mark.parametrize("place", PLACES)
def test_examples_run_as_they_are_shown(place: str) -> None:
    module = import_module(place)
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert results.attempted
    assert not results.failed


def test_every_public_function_has_an_example_that_some_test_runs() -> None:
    for name in kv.__all__:
        value = getattr(kv, name)
        if callable(value) and not isinstance(value, type):
            assert ">>> " in (value.__doc__ or ""), name
            assert value.__module__ in PLACES, name


def network() -> Any:
    from torch import bfloat16, nn
    from torch.nn.utils.parametrizations import weight_norm

    return nn.Sequential(
        nn.Conv2d(3, 16, 1),
        weight_norm(nn.Conv2d(16, 16, 5, groups=16, padding=2)),
        nn.BatchNorm2d(16),
        nn.Conv2d(16, 16, 3, groups=16, stride=2, dtype=bfloat16),
    )


def test_kernels_of_a_network_in_memory_are_those_that_it_computes_with() -> None:
    from torch import nn

    model = network()
    bank = kv.extract_kernels(nn.DataParallel(model))
    assert (bank.name, bank.architecture) == ("Sequential", "Sequential")
    found = {layer.name: layer for layer in bank.layers}
    assert list(found) == ["1", "3"]
    assert (found["1"].stride, found["1"].padding) == ((1, 1), (2, 2))
    assert (found["3"].stride, found["3"].dtype) == ((2, 2), "bfloat16")
    effective = model[1].weight.detach().numpy()[:, 0]
    assert np.allclose(bank.sizes[5, 5].weights, effective)
    half = model[3].weight.detach().float().numpy()[:, 0]
    assert (bank.sizes[3, 3].weights == half).all()


def test_kernels_stay_when_the_network_is_trained_on() -> None:
    from torch import nn

    model = nn.Conv2d(8, 8, 3, groups=8)
    bank = kv.extract_kernels(model)
    before = bank.sizes[3, 3].weights.copy()
    model.weight.data += 1
    assert (bank.sizes[3, 3].weights == before).all()


def test_a_state_dict_is_read_with_or_without_what_lies_around_it() -> None:
    state = network().state_dict()
    for value in (state, {"state_dict": state, "epoch": 3}):
        assert [layer.name for layer in kv.extract_kernels(value).layers] == ["1", "3"]
    arrays = {"a.dwconv.weight": np.ones((4, 1, 3, 3)) * np.arange(3)}
    assert kv.extract_kernels(arrays).layers[0].name == "a.dwconv"
    with pytest.raises(kv.CheckpointError, match="state dict: it holds no arrays"):
        kv.extract_kernels({})


def test_tensors_without_values_are_told_not_read() -> None:
    from torch import nn

    model = nn.Sequential(
        nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 8, 5, groups=8, device="meta")
    )
    bank = kv.extract_kernels(model)
    assert list(bank.sizes) == [(3, 3)]
    assert any("without values" in item.reason for item in bank.skipped)


def test_what_is_no_network_is_refused_with_what_would_do() -> None:
    with pytest.raises(TypeError, match=r"a path, a torch\.nn\.Module.* not int"):
        kv.extract_kernels(3)  # type: ignore[arg-type]


def test_the_table_is_the_file_that_label_writes(tmp_path: Path) -> None:
    path = write_every_kind(tmp_path / "net.safetensors")
    table = kv.label(str(path))
    assert table.to_csv(str(tmp_path / "t.csv")) == len(table) > 20
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == table.columns == tuple(table)
    for name in table.columns:
        told = [row[name] for row in rows]
        values = table[name]
        if values.dtype.kind == "U":
            assert values.tolist() == told
        else:
            there = [float(text) for text in told if text]
            assert values[~np.isnan(values)].tolist() == there
            assert np.isnan(values).tolist() == [not text for text in told]
    assert sum(table.counts().values()) <= len(table)
    assert table.counts((3, 3)) == dict(kv.label(path, size=(3, 3)).counts())
    with pytest.raises(KeyError, match="there is no column 'fits'; there are source"):
        table["fits"]


def test_the_table_goes_to_pandas(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = kv.label(write_network(tmp_path / "net.safetensors"))
    frame = table.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert tuple(frame.columns) == table.columns
    assert frame["family_cosine"].max() <= 1


def test_a_table_without_pandas_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = kv.label(write_network(tmp_path / "net.safetensors"))
    with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
        table.to_pandas()


def test_names_by_code_and_by_the_papers_words() -> None:
    sample = resource("sample", "sample.safetensors")
    coded = kv.label(sample, by="code")
    assert set(coded["by"]) == {"code"}
    assert 0.7 < coded.coverage[7, 7][0] < kv.label(sample).coverage[7, 7][0]
    assert "edge-x" not in kv.label(sample, words="paper").counts()
    with pytest.raises(ValueError, match="named by code or family, not 'names'"):
        kv.label(sample, by="names")  # type: ignore[arg-type]
    for word, said in (("code", "by='code'"), ("paper", "words='paper'")):
        with pytest.raises(ValueError, match=f"no file '{word}'.* write {said}"):
            kv.label(sample, word)


def test_a_spectrum_names_the_places_that_it_decodes() -> None:
    for by in ("family", "code"):
        found = kv.spectrum((5, 5), by=by)  # type: ignore[arg-type]
        assert found.patterns.shape == (len(found.codes), 5, 5)
        norms = np.linalg.norm(found.patterns.reshape(-1, 25), axis=1)
        assert np.allclose(norms, 1, atol=1e-4)
        near = found.decode(found.codes[[3, 400]])
        assert np.allclose(near, found.patterns[[3, 400]], atol=1e-3)
        for item in found.stretches:
            assert found.name((item.low + item.high) / 2) == item.label
        assert found.name(1.0) == found.stretches[-1].label
    with pytest.raises(ValueError, match="no autoencoder for 11×11"):
        kv.spectrum((11, 11), by="code")


def test_a_figure_is_saved_with_what_it_takes_to_make_it_again(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    path = write_network(tmp_path / "net.safetensors")
    drawn = kv.figure("sheet", str(path), size=(3, 3), width=89, dark=True)
    assert isinstance(drawn, Figure)
    drawn.savefig(tmp_path / "sheet.svg")
    record = read_record(tmp_path / "sheet.svg")
    assert (record.kind, record.kernel_size) == ("sheet", (3, 3))
    assert record.files[0].sha256
    assert "<text" in (tmp_path / "sheet.svg").read_text()
    drawn.savefig(tmp_path / "sheet.png", dpi=50)
    assert drawn._repr_png_()[:4] == b"\x89PNG"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "looks", "said"),
    [
        ("pie", {}, "there is no figure 'pie'; there are family, samples"),
        ("sheet", {"wdth": 3}, "figures have no option 'wdth'; is it 'width'"),
        ("sheet", {"zzz": 3}, "figures have no option 'zzz'; there are width"),
        ("sheet", {"out": "a.svg"}, "write them with savefig"),
        ("sheet", {"width": "duble"}, "the width is a number, .*; is it 'double'"),
        ("sheet", {"dpi": "high"}, "the resolution is a number, not 'high'"),
        ("sheet", {"dark": "yes"}, "dark is True or False, not 'yes'"),
        ("Sheet", {}, "there is no figure 'Sheet'; is it 'sheet'"),
        ("sheet", {"preset": "Cell"}, "there is no preset 'Cell'; there are Nature"),
    ],
)
def test_unknown_words_list_what_there_is(
    kind: str, looks: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        kv.figure(kind, write_network(tmp_path / "net.safetensors"), **looks)


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        ("kv.open_checkpoint({'a': 1})", "extract_kernels takes networks in memory"),
        ("kv.extract_kernels(np.zeros((8, 1, 7, 7)))", "an array has to have a name"),
        ("kv.extract_kernels(bank, include=['a'])", "extracted already"),
        ("kv.label()", "give one network or several"),
        ("kv.label(bank, size=(9, 9))", "there are no 9×9 kernels; there are 3×3"),
        ("kv.label(bank, size=5)", r"such as \(7, 7\)"),
        ("kv.label(bank, threshold=70)", "a fit from 0 to 1, not 70"),
        ("kv.label(bank, threshold='0.7')", "a fit from 0 to 1"),
        ("bank.sizes[9, 9]", "there are no 9×9 kernels; there are "),
        ("kv.spectrum(7)", r"such as \(7, 7\)"),
        ("kv.figure(bank, 'sheet')", "the kind comes first"),
        ("kv.figure('sheet')", "give one network or several"),
        ("kv.report('folder', bank)", "the folder comes second"),
        ("kv.compare(bank, bank, match='code')", "matched by names, order, best"),
        ("kv.compare(bank, 3)", "give an opened checkpoint"),
        ("kv.snapshot(bank, 'last', 'run')", "a step is a number"),
        ("kv.snapshot('net.pth', 1, 'run')", "give a torch.nn.Module"),
        ("kv.load('net.pth')", "there are .*open_checkpoint"),
    ],
)
def test_a_wrong_guess_is_told_what_is_right(
    guess: str, said: str, tmp_path: Path
) -> None:
    bank = kv.extract_kernels(write_network(tmp_path / "net.safetensors"))
    with pytest.raises(Exception, match=said):
        eval(guess, {"kv": kv, "np": np, "bank": bank})


def test_what_can_only_mean_one_thing_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_network(tmp_path / "net.safetensors")
    bank = kv.extract_kernels(path)
    assert kv.extract_kernels(bank) is bank
    assert bank.sizes["3x3"] is bank.sizes[3, 3]  # type: ignore[index]
    assert len(kv.label([bank, path])) == 2 * len(kv.label(bank))
    assert len(kv.label(bank, size="3x3")) == len(bank.sizes[3, 3])
    assert kv.spectrum("3x3").size == kv.spectrum([3, 3]).size == (3, 3)  # type: ignore[arg-type]
    assert kv.figure("sheet", [bank], size="3x3").caption  # type: ignore[attr-defined]
    assert kv.compare(path, bank).sizes[3, 3].summary.changed == 0
    monkeypatch.setattr(report, "plan_report", lambda banks: [*plan_report(banks)][:2])
    small = {"a.conv_dw.weight": np.random.default_rng(0).normal(size=(8, 1, 5, 5))}
    page = kv.report(small, tmp_path / "report", formats="png", samples=2, dpi=100)
    assert next((page.parent / "figures").glob("*.png")).is_file()
    with pytest.raises(OSError, match=r"nowhere.labels\.csv"):
        kv.label(bank).to_csv(tmp_path / "nowhere" / "labels.csv")


def test_a_figure_of_a_run_takes_its_folder(tmp_path: Path) -> None:
    made_run(tmp_path)
    drawn = kv.figure("formation", tmp_path)
    assert len(drawn.drawn.record.files) == len(STEPS)  # type: ignore[attr-defined]


class Balanced(HTMLParser):
    """Checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_objects_show_themselves_in_notebooks(tmp_path: Path) -> None:
    path = write_every_kind(tmp_path / "<b>net.safetensors")
    bank = kv.extract_kernels(path)
    shown = {
        "tensor": kv.open_checkpoint(path),
        "flat": bank,
        "shuffled": kv.compare(bank, bank),
        "identified": kv.label(bank),
        "stretch": kv.spectrum(bank),
    }
    for word, value in shown.items():
        assert len(repr(value)) < 300
        page = Balanced()
        page.feed(value._repr_html_())
        assert not page.open
        assert word in page.text
        assert "script" not in page.text
    assert "&lt;b&gt;net" in bank._repr_html_()


def test_a_picture_of_kernels_is_red_above_zero_and_blue_below() -> None:
    from io import BytesIO

    from PIL import Image

    kernels = np.array([[[1.0, -1.0]], [[0.0, np.nan]], [[0.0, 0.0]]])
    with Image.open(BytesIO(notebook.mosaic(kernels, 2))) as image:
        pixels = np.array(image)[::4, ::4].astype(int)
    assert pixels.shape == (3, 5, 3)
    assert pixels[0, 0, 0] > 150 > pixels[0, 0, 2]
    assert pixels[0, 1, 2] > 150 > pixels[0, 1, 0]
    assert (pixels[0, 3] > 240).all()


SHOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import kernelviewer as kv
{before}
bank = kv.extract_kernels({{"a.conv_dw.weight": __import__("numpy").eye(5)[None, None]
    .repeat(8, 0)}}) if {memory} else sys.argv[1]
{arrange}
window = kv.show(bank{block})
{after}
"""
CLOSE = """
def close():
    shown = QApplication.topLevelWidgets()
    [window] = [one for one in shown if one.objectName() == "mainWindow"]
    calm = window.jobs.is_idle() and window.document.models
    if calm:
        print(window.document.models[0].bank.name)
        window.close()
    else:
        QTimer.singleShot(50, close)
{}
"""


def script(code: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_window_of_a_script_stays_until_it_is_closed(tmp_path: Path) -> None:
    code = SHOW.format(
        before="from kernelviewer.gui.main_window import MainWindow",
        memory=True,
        arrange=CLOSE.format(
            "shown = MainWindow.showEvent\n"
            "def show(self, event):\n"
            "    shown(self, event); QTimer.singleShot(50, close)\n"
            "MainWindow.showEvent = show"
        ),
        block="",
        after="print(window)",
    )
    path = write_network(tmp_path / "net.safetensors")
    assert script(code, path).split("\n")[:2] == ["state dict", "None"]


def test_a_program_with_an_application_gets_the_window_at_once(tmp_path: Path) -> None:
    code = SHOW.format(
        before="app = QApplication([])",
        memory=False,
        arrange="",
        block="",
        after="print(window.isVisible())\n" + CLOSE.format("close()\napp.exec()"),
    )
    path = write_network(tmp_path / "net.safetensors")
    assert script(code, path).split() == ["True", "net"]


def test_in_ipython_the_loop_serves_the_window(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    code = """
import sys
from IPython.terminal.interactiveshell import TerminalInteractiveShell
shell = TerminalInteractiveShell.instance(simple_prompt=False)
shell.run_cell(f"import kernelviewer as kv; w = kv.show({sys.argv[1]!r})")
print(shell.active_eventloop, shell.user_ns["w"].isVisible())
shell.user_ns["w"].close()
"""
    out = script(code, write_network(tmp_path / "net.safetensors"))
    loop, visible = out.split()[-2:]
    assert loop.startswith("qt")
    assert visible == "True"


def test_a_window_of_a_file_that_is_not_there_is_no_window(tmp_path: Path) -> None:
    with pytest.raises(kv.CheckpointError, match="there is no such file"):
        kv.show(tmp_path / "missing.pth")


def test_without_a_display_the_window_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(RuntimeError, match="there is no display for the window"):
        kv.show()


def test_kinds_that_need_no_file() -> None:
    assert api.figure("family").caption  # type: ignore[attr-defined]
