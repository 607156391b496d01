"""A corpus in the window: its table, the line that finds kernels, what is similar."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from kernelviewer.corpus.query import Questions, parse
from kernelviewer.corpus.store import Corpus, Store
from kernelviewer.gui.view_menus import GridMenu
from kernelviewer.gui.views.corpus import MOST
from kernelviewer.gui.views.network_table import KERNELS, NAME
from kernelviewer.jobs import corpus as jobs
from tests.corpus.made import make_corpus
from tests.gui.conftest import wait_idle
from tests.gui.harness import CONTROL, LEFT, NO_KEY
from tests.gui.test_focus_rings import unseen
from tests.gui.test_random import write_patterns
from tests.gui.test_reachable import assert_tab_reaches_all, bad_names
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow

NAMES = ("oak", "elm", "ash")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three networks with patterns, and one of noise with 7×7 and 3×3 kernels."""
    folder = tmp_path_factory.mktemp("built")
    files = [
        write_patterns(folder / f"{name}.safetensors", seed)
        for seed, name in enumerate(NAMES)
    ]
    files.append(write_network(folder / "noise.safetensors", 30))
    make_corpus(folder / "zoo", files)
    return folder


@pytest.fixture
def corpus(built: Path, tmp_path: Path) -> Corpus:
    """The same, a copy for each test."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return Corpus.open(tmp_path / "zoo")


@pytest.fixture
def window(open_anew: MakeWindow, qtbot: Any, corpus: Corpus) -> MainWindow:
    """The corpus is open, and nothing else."""
    window = open_anew(size=(1600, 1000))
    page = window.parts.corpus
    page.most.setValue(MOST)
    page.sample.setChecked(False)
    page.networks.search.clear()
    window.opener.open([corpus.folder])
    wait_idle(qtbot, window)
    return window


def write(window: MainWindow, qtbot: Any, text: str) -> str:
    """Type a line; what is said of it."""
    line = window.parts.corpus.line
    line.selectAll()
    QTest.keyClicks(line, text)
    wait_idle(qtbot, window)
    return str(window.parts.corpus.found.text())


def press(window: MainWindow, qtbot: Any, name: str) -> None:
    """Click a button of the page."""
    button = window.findChild(object, name)
    assert button is not None
    QTest.mouseClick(button, LEFT)
    wait_idle(qtbot, window)


def click_row(window: MainWindow, name: str, key: Any = NO_KEY) -> None:
    """Click the row of a network."""
    networks = window.parts.corpus.networks
    proxy = networks.proxy
    names = [proxy.index(row, NAME).data() for row in range(proxy.rowCount())]
    row = next(i for i, text in enumerate(names) if text.endswith(name))
    place = networks.table.visualRect(proxy.index(row, NAME)).center()
    QTest.mouseClick(networks.table.viewport(), LEFT, key, place)


def test_a_corpus_opens_by_its_folder_and_no_kernel_is_loaded(
    window: MainWindow, corpus: Corpus
) -> None:
    page = window.parts.corpus
    assert page.isVisible()
    assert not window.document.models
    assert page.facts.text().startswith("zoo: ")
    proxy = page.networks.proxy
    shown = [proxy.index(row, KERNELS).data() for row in range(proxy.rowCount())]
    assert shown == [str(network.kernels) for network in corpus.networks]
    assert str(corpus.folder) in window.settings.recent
    assert page.line.text() == "size=7x7"
    total = corpus.sizes()["7x7"]
    assert page.found.text() == f"{total} kernels"
    assert page.kernels.text() == f"Open {total} Kernels"


def test_a_line_finds_kernels_and_opens_them_as_a_network(
    window: MainWindow, corpus: Corpus, qtbot: Any
) -> None:
    text = "class=on-centre fit>0.9 size=7x7"
    wanted = Questions(corpus).count(parse(text))
    assert wanted
    assert write(window, qtbot, text) == f"{wanted} kernel{'s' * (wanted != 1)}"
    press(window, qtbot, "openKernels")
    (model,) = window.document.models
    assert model.name == "zoo: On-centre, fit > 0.9"
    assert len(model.bank) == wanted
    assert window.parts.grid.isVisible()
    ids = {network.id for network in corpus.networks}
    assert {layer.name.partition("/")[0] for layer in model.bank.layers} <= ids
    assert len({layer.name for layer in model.bank.layers}) == len(model.bank.layers)
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    assert window.parts.corpus.isVisible()
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    assert window.parts.grid.isVisible()


def test_a_line_that_cannot_be_opened_says_why(window: MainWindow, qtbot: Any) -> None:
    page = window.parts.corpus
    for text, said in {
        "colour=red": "no term of a query",
        "class=cat": "there is no class cat",
        "like>=much": "no number for like",
        "like>=0.9": "no kernel is looked at",
        "size=7x7 fit>2": "0 kernels",
    }.items():
        assert said in write(window, qtbot, text)
        assert not page.kernels.isEnabled(), text
    page.line.clear()
    wait_idle(qtbot, window)
    assert "name one size" in page.found.text()
    assert not page.kernels.isEnabled()


def test_the_next_key_ends_a_count(
    window: MainWindow, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ended = [], []
    ask = Questions.count

    def count(self: Questions, query: Any, watch: Any) -> int:
        asked.append(query)
        return ask(self, query, watch)

    monkeypatch.setattr(Questions, "count", count)
    monkeypatch.setattr(Questions, "interrupt", lambda self: ended.append(1))
    line = window.parts.corpus.line
    line.selectAll()
    QTest.keyClicks(line, "size=7x7 fit>0.5")
    keys = len("size=7x7 fit>0.5")
    assert len(ended) >= keys
    wait_idle(qtbot, window)
    assert asked[-1] == parse("size=7x7 fit>0.5")
    assert not window.parts.jobs_panel.failed()


def test_more_than_the_number_are_cut_or_sampled_only_when_asked(
    window: MainWindow, qtbot: Any, corpus: Corpus
) -> None:
    page = window.parts.corpus
    total = corpus.sizes()["7x7"]
    page.most.setValue(25)
    wait_idle(qtbot, window)
    assert page.kernels.text() == "Open the First 25"
    press(window, qtbot, "openKernels")
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    assert not page.sample.isChecked()
    QTest.keyClick(page.sample, Qt.Key.Key_Space)
    wait_idle(qtbot, window)
    assert page.kernels.text() == "Open a Sample of 25"
    press(window, qtbot, "openKernels")
    first, sample = window.document.models
    assert len(first.bank) == len(sample.bank) == 25
    assert first.bank.warnings == (f"The first 25 of {total} kernels that are found",)
    assert sample.bank.warnings == (
        f"A sample of 25 of {total} kernels that are found",
    )
    assert sample.name == "zoo: all 7×7, a sample of 25"
    assert first.bank.layers != sample.bank.layers


def test_picked_networks_open_as_they_were_taken_in(
    window: MainWindow, qtbot: Any, corpus: Corpus
) -> None:
    page = window.parts.corpus
    click_row(window, "elm")
    click_row(window, "noise", CONTROL)
    assert page.networks.kernels.text() == "Open 2 Networks"
    press(window, qtbot, "openNetworks")
    names = [model.name for model in window.document.models]
    assert names == ["elm", "noise"]
    record = {network.name: network for network in corpus.networks}
    for model in window.document.models:
        assert len(model.bank) == record[model.name].kernels
        known = corpus.record(record[model.name].id).layers
        assert [layer.name for layer in model.bank.layers] == [n.name for n in known]
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    page.most.setValue(10)
    assert not page.networks.kernels.isEnabled()
    assert "are more than 10" in page.networks.kernels.text()
    QTest.keyClick(page.sample, Qt.Key.Key_Space)
    press(window, qtbot, "openNetworks")
    assert window.document.models[-1].name == "zoo: 2 networks, a sample of 10"
    assert len(window.document.models[-1].bank) == 10


def test_networks_are_searched_and_one_opens_by_a_key(
    window: MainWindow, qtbot: Any
) -> None:
    networks = window.parts.corpus.networks
    QTest.keyClicks(networks.search, "ash")
    assert networks.proxy.rowCount() == 1
    click_row(window, "ash")
    QTest.keyClick(networks.table, Qt.Key.Key_Return)
    wait_idle(qtbot, window)
    assert [model.name for model in window.document.models] == ["ash"]


def test_similar_kernels_are_the_nearest_of_the_corpus(
    window: MainWindow, qtbot: Any, corpus: Corpus
) -> None:
    click_row(window, "elm")
    press(window, qtbot, "openNetworks")
    window.document.show_size((7, 7))
    window.acts.focus(3)
    kernel = window.state.pool.weights_of(3)
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    window.parts.corpus.nearest.setValue(12)
    press(window, qtbot, "openSimilar")
    model = window.document.models[-1]
    assert model.name.startswith("zoo: 12 like ")
    nearest = Questions(corpus).nearest(kernel, most=12)
    lowest = nearest.columns["similarity"].min()
    (weights,) = [kernels.weights for kernels in model.bank.sizes.values()]
    patterns = weights.reshape(12, -1)
    patterns = patterns - patterns.mean(axis=1, keepdims=True)
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    own = kernel.ravel() - kernel.mean()
    cosines = patterns @ (own / np.linalg.norm(own))
    assert cosines.max() == pytest.approx(1, abs=1e-3)
    assert cosines.min() == pytest.approx(lowest, abs=1e-3)
    assert model.bank.warnings == (f"The 12 nearest, of cosine {lowest:.3f} and more",)
    # they stand before what was open, nearest first, and say how near
    grid, controls = window.parts.grid, window.parts.controls
    order = grid.content.order[:12] - window.state.pool.starts[-2]
    assert sorted(order) == list(range(12))
    assert np.all(np.diff(cosines[order]) <= 1e-6)
    assert controls.sort_by.text().startswith("nearest to what")
    assert grid.content.groups[0].title == model.name
    assert f"cosine 1.000 to {lowest:.3f}" in grid.content.groups[0].note
    assert grid.kernel_rect(grid.content.order[0]).top() >= 0
    window.acts.focus(int(grid.content.order[11]))
    wait_idle(qtbot, window)
    said = window.findChild(object, "value_like")
    assert said.text() == f"{lowest:.3f}"
    assert f"cosine {lowest:.3f} with" in window.acts.tooltip(grid.content.order[11])
    window.acts.focus(3)
    wait_idle(qtbot, window)
    assert said.isHidden()
    # the same by the line, and from the menu of a kernel
    found = write(window, qtbot, f"size=7x7 like>={lowest - 1e-4:.4f}")
    assert found in ("12 kernels", "13 kernels")
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    count, similar = len(window.document.models), window.commands["similar_corpus"]
    menu = window.findChild(GridMenu).menu_for(3)
    (action,) = [one for one in menu.actions() if one is similar]
    action.trigger()
    wait_idle(qtbot, window)
    assert len(window.document.models) == count + 1
    press(window, qtbot, "closeCorpus")
    assert similar not in window.findChild(GridMenu).menu_for(3).actions()


def test_a_search_that_is_cancelled_opens_nothing(
    window: MainWindow, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    click_row(window, "elm")
    press(window, qtbot, "openNetworks")
    window.acts.focus(3)
    search = Questions.nearest

    def cancelled(self: Questions, kernel: Any, **how: Any) -> Any:
        window.jobs._runner.tickets()[-1].cancel()
        return search(self, kernel, **how)

    monkeypatch.setattr(Questions, "nearest", cancelled)
    window.commands["similar_corpus"].trigger()
    wait_idle(qtbot, window)
    assert [model.name for model in window.document.models] == ["elm"]
    assert not window.parts.jobs_panel.failed()


def test_a_session_says_that_the_corpus_has_changed(
    window: MainWindow, qtbot: Any, corpus: Corpus, tmp_path: Path
) -> None:
    press(window, qtbot, "openKernels")
    path = tmp_path / "work.kvsession"
    window.sessions.save_to(path)
    wait_idle(qtbot, window)
    before = len(window.document.banks[0])
    store = Store(corpus.folder)
    store.remove(next(item.id for item in corpus.networks if item.name == "elm"))
    store.finish()
    window.sessions.open(path)
    wait_idle(qtbot, window)
    assert len(window.document.banks[0]) < before
    said = window.statusBar().currentMessage()
    assert "the corpus zoo has changed since the session was saved" in said


def test_a_session_reopens_what_was_drawn_and_misses_a_corpus_that_is_gone(
    window: MainWindow,
    make_window: MakeWindow,
    open_anew: MakeWindow,
    qtbot: Any,
    corpus: Corpus,
    tmp_path: Path,
) -> None:
    write(window, qtbot, "class=on-centre fit>0.5 size=7x7")
    press(window, qtbot, "openKernels")
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    click_row(window, "noise")
    press(window, qtbot, "openNetworks")
    window.acts.focus(0)
    window.parts.corpus.nearest.setValue(5)
    window.commands["similar_corpus"].trigger()
    wait_idle(qtbot, window)
    before = window.document.models
    assert len(before) == 3
    path = tmp_path / "work.kvsession"
    window.sessions.save_to(path)
    wait_idle(qtbot, window)
    other = make_window(path, size=(1600, 1000))
    wait_idle(qtbot, other)
    after = other.document.models
    assert [m.drawn for m in after] == [m.drawn for m in before]
    assert [m.name for m in after] == [m.name for m in before]
    for old, new in zip(before, after, strict=True):
        for size, kernels in old.bank.sizes.items():
            assert np.array_equal(kernels.weights, new.bank.sizes[size].weights)
    assert other.corpus is not None  # for what is similar
    assert other.page == "kernels"
    assert not other.sessions.is_modified
    corpus.folder.rename(tmp_path / "elsewhere")
    third = open_anew(path, size=(1600, 1000))
    wait_idle(qtbot, third)
    dialog = third.findChild(object, "locateDialog")
    assert dialog is not None
    assert dialog.list.topLevelItemCount() == 1
    assert dialog.list.topLevelItem(0).text(0) == "zoo"
    dialog._on_located(dialog._lacking.missing[0].key, str(tmp_path / "elsewhere"))
    wait_idle(qtbot, third)
    QTest.mouseClick(dialog.go_on, LEFT)
    wait_idle(qtbot, third)
    assert [m.drawn for m in third.document.models] == [m.drawn for m in before]


def test_closing_leaves_what_was_opened(window: MainWindow, qtbot: Any) -> None:
    press(window, qtbot, "openKernels")
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    press(window, qtbot, "closeCorpus")
    assert window.corpus is None
    assert len(window.document.models) == 1
    assert window.parts.grid.isVisible()
    window.document.close_all()
    assert window.page == "welcome"
    QTest.keyClick(window, Qt.Key.Key_5, CONTROL)
    assert window.page == "welcome"
    assert "No corpus is open" in window.statusBar().currentMessage()


def test_a_corpus_in_a_folder_is_no_checkpoint(
    open_anew: MakeWindow, qtbot: Any, corpus: Corpus, built: Path
) -> None:
    window = open_anew(built, size=(1600, 1000))
    wait_idle(qtbot, window)
    names = sorted(model.name for model in window.document.models)
    assert names == sorted((*NAMES, "noise"))
    window.opener.open([corpus.folder / "corpus.json"])
    wait_idle(qtbot, window)
    assert window.page == "corpus"
    window.document.close_all()
    assert window.page == "corpus"


def test_without_the_extra_it_says_what_to_install(
    open_anew: MakeWindow,
    qtbot: Any,
    corpus: Corpus,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("kernelviewer.corpus.store.import_module", missing)
    window = open_anew(corpus.folder)
    wait_idle(qtbot, window)
    window.findChild(QWidget, "unopenedDialog").close()
    (unusable,) = window.opener.unusable.values()
    assert "duckdb, which is not installed" in unusable.message
    assert "pip install 'kernelviewer[corpus]'" in unusable.hint
    assert window.page == "welcome"


def test_the_page_is_worked_by_the_keyboard(window: MainWindow, qtbot: Any) -> None:
    write(window, qtbot, "class=on-centre size=7x7")
    window.parts.corpus.line.setFocus()
    assert_tab_reaches_all(window)
    assert bad_names(window) == []
    assert unseen(window) == []


def test_titles_say_what_a_line_asks_for() -> None:
    assert jobs.title_of("class=on-centre fit>0.9") == "On-centre, fit > 0.9"
    assert jobs.title_of("size=7x7") == "all 7×7"
    assert jobs.title_of("size=7x7 network=mc* like>=0.9") == "mc*, like ≥ 0.9"
    assert jobs.title_of("class!=flat flat=no") == "not Flat, not flat"
