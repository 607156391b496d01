"""Every public function takes a path as a text, a Path or anything like one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer import files
from kernelviewer.device import CPU
from kernelviewer.figures import make_figure
from kernelviewer.figures.export import write_data, write_kernels
from kernelviewer.figures.naming import FigureNaming
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.provenance import find_files, read_record
from kernelviewer.figures.report import Report
from kernelviewer.figures.scene import make_scene
from kernelviewer.figures.writing import with_suffix, write_figure
from kernelviewer.formats import is_checkpoint
from kernelviewer.formats.registry import (
    files_of,
    find_checkpoints,
    hash_at,
    holds_checkpoint,
)
from kernelviewer.formats.source import OpenedFile
from kernelviewer.gui import create_window
from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.sessions import Reopened, Wanted, open_session, write_session
from kernelviewer.jobs.tasks import load, open_files, read_code
from kernelviewer.kernels.archive import write_archive
from kernelviewer.kernels.keys import Keys, write_keys
from kernelviewer.latent.autoencoder import Autoencoder, shipped
from kernelviewer.latent.labels import Labelling, label_kernels, write_rows
from kernelviewer.state.document import Document
from kernelviewer.state.session.files import is_session, read_session
from kernelviewer.state.session.form import Look
from kernelviewer.state.settings import Settings
from tests.networks import write_network

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


class Like:
    """A path of somebody else's class."""

    def __init__(self, path: object) -> None:
        self._path = str(path)

    def __fspath__(self) -> str:
        return self._path


KINDS = (str, Path, Like)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return write_network(tmp_path / "net.safetensors", 8)


def test_checkpoints(kind: Any, net: Path, tmp_path: Path) -> None:
    bank = kv.extract_kernels(kv.open_checkpoint(kind(net)))
    assert bank.path == net
    assert is_checkpoint(kind(net))
    assert not holds_checkpoint(kind(net))
    assert [item.path for item in files_of(kind(net))] == [net]
    assert OpenedFile.of(kind(net)).path == net
    assert hash_at(kind(net)) == files.file_hash(kind(net))
    assert kv.CheckpointError(kind(net), "x").path == net
    with pytest.raises(kv.CheckpointError, match=r"no\.pth: there is no such file"):
        kv.open_checkpoint(kind(tmp_path / "no.pth"))
    write_archive(kind(tmp_path / "a.npz"), [("net", bank)])
    files.write_text(kind(tmp_path / "a.txt"), "a")
    assert (tmp_path / "a.npz").exists()


def test_the_api(kind: Any, net: Path, tmp_path: Path) -> None:
    bank = kv.extract_kernels(kind(net))
    assert bank.path == net
    table = kv.label(kind(net), size=(3, 3))
    assert table.to_csv(kind(tmp_path / "t.csv")) == len(table)
    assert kv.spectrum(kind(net)).size == (7, 7)
    kv.figure("sheet", kind(net)).savefig(kind(tmp_path / "f.svg"))
    assert (tmp_path / "f.svg").exists()
    folder = tmp_path / "run"
    step = kv.snapshot({"a": bank.sizes[3, 3].weights[:, None]}, 3, kind(folder))
    assert len(kv.extract_kernels(step)) == len(bank.sizes[3, 3])
    keys = tmp_path / "keys.csv"
    write_keys(kind(keys), Keys.of("own", np.eye(9).reshape(9, 3, 3)))
    assert len(kv.approximate(bank, kind(keys)).keys.patterns) == 9
    assert len(kv.approximate(kind(net), 2).keys.patterns) == 2
    assert len(kv.compare(kind(net), kind(net)).sizes) == 2


def test_a_window(tmp_path: Path, qtbot: QtBot) -> None:
    nets = [write_network(tmp_path / f"{kind.__name__}.safetensors") for kind in KINDS]
    paths = [kind(net) for kind, net in zip(KINDS, nets, strict=True)]
    window = create_window(paths=paths)
    qtbot.waitUntil(lambda: len(window.document.models) == 3 and window.jobs.is_idle())
    assert [model.bank.path for model in window.document.models] == nets
    window.close()
    window.deleteLater()


def test_tasks(kind: Any, net: Path) -> None:
    assert run_now(load, kind(net)).path == net
    assert list(find_checkpoints(kind(net.parent))) == [net]
    assert run_now(open_files, [kind(net)]).opened == 1
    assert run_now(open_files, kind(net)).opened == 1
    assert Settings().opened(kind(net)).recent == (str(net),)


def test_autoencoders_and_labels(kind: Any, net: Path, tmp_path: Path) -> None:
    autoencoder = shipped((7, 7))
    assert autoencoder is not None
    out = tmp_path / "code.safetensors"
    autoencoder.save(kind(out))
    assert Autoencoder.load(kind(out)).size == (7, 7)
    assert run_now(read_code, kind(out)).size == (7, 7)
    with pytest.raises(kv.CheckpointError, match="there is no such file"):
        Autoencoder.load(kind(tmp_path / "none"))
    bank = run_now(load, net)
    found = label_kernels("net", bank, (3, 3), Labelling(None), CPU)
    assert write_rows(kind(tmp_path / "rows.csv"), [(found, None)]) == 8


def test_figures(kind: Any, net: Path, tmp_path: Path) -> None:
    bank = run_now(load, net)
    scene = make_scene([bank], (7, 7))
    drawn = make_figure("sheet", scene)
    written = drawn.write(kind(tmp_path / "figure"))
    assert written == tmp_path / "figure.svg"
    assert read_record(kind(written)).kind == "sheet"
    assert with_suffix(kind(tmp_path / "x")) == tmp_path / "x.svg"
    assert write_figure(drawn.figure, kind(tmp_path / "b.png")).exists()
    assert write_data(drawn.content, kind(tmp_path / "d")) == tmp_path / "d.csv"
    assert write_kernels(scene, kind(tmp_path / "k")) == tmp_path / "k.npz"
    record = replace(drawn.record, files=drawn.record.files)
    item = replace(record.files[0], sha256=files.file_hash(net))
    record = replace(record, files=(item,))
    assert find_files(record, [kind(net)], []) == [net]
    assert find_files(record, [], [kind(tmp_path)]) == [net]


def test_a_report(kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kernelviewer.figures import report

    monkeypatch.setattr(report, "plan_report", lambda banks: [])
    made = Report(kind(tmp_path / "r"), FigureOptions(), lambda size: FigureNaming())
    with pytest.raises(Exception, match="no depthwise kernels"):
        made.write([])
    monkeypatch.undo()
    bank = run_now(load, write_network(tmp_path / "net.safetensors"))
    plan = next(iter(report.plan_report([bank])))
    monkeypatch.setattr(report, "plan_report", lambda banks: [plan])
    page = made.write([bank])
    assert page == tmp_path / "r" / "index.html"


def test_sessions(kind: Any, net: Path, tmp_path: Path) -> None:
    document = Document()
    document.open(run_now(load, net))
    path = tmp_path / "s.kvsession"
    wanted = Wanted(document.work, Look(), "2030-01-01T00:00:00Z")
    run_now(write_session, kind(path), wanted)
    assert is_session(kind(path))
    assert read_session(kind(path)).networks[0].path == net.name
    found = run_now(open_session, kind(path), {}, Document().new_model)
    assert isinstance(found, Reopened)
