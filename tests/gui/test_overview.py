"""A row for each network: what it tells, picking rows, and when it is offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.gui.text import AS_NOISE, NOISE_SENTENCE
from kernelviewer.gui.views.network_table import (
    COLUMNS,
    COUNTS_ROLE,
    IDENTIFIED,
    KERNELS,
    NAME,
    NULL,
    SIZES,
)
from kernelviewer.state.tally import SummedCounts, poisson_tail
from tests.gui.conftest import Shared, wait_idle
from tests.gui.harness import CONTROL, LEFT, NO_KEY
from tests.gui.test_random import write_patterns
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


@pytest.fixture(scope="module")
def shared(make_shared: MakeWindow, tmp_path_factory: Any) -> Shared:
    """Four networks with patterns and one of noise."""
    folder = tmp_path_factory.mktemp("overview")
    names = ("oak", "elm", "ash", "fir")
    files = [
        write_patterns(folder / f"{name}.safetensors", seed)
        for seed, name in enumerate(names)
    ]
    noise = write_network(folder / "noise.safetensors", 60)
    return Shared(make_shared(*files, noise, size=(1600, 1000)))


@pytest.fixture
def window(shared: Shared, qtbot: Any) -> MainWindow:
    """They are in the overview, as they were opened."""
    window = shared.as_made()
    overview = window.parts.overview
    overview.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    overview.search.clear()
    QTest.keyClick(window, Qt.Key.Key_4, CONTROL)
    wait_idle(qtbot, window)
    return window


def cells(window: MainWindow, column: int) -> list[str]:
    """What a column says, from the top."""
    proxy = window.parts.overview.proxy
    return [proxy.index(row, column).data() for row in range(proxy.rowCount())]


def click_title(window: MainWindow, column: int) -> None:
    """Sort by a column."""
    header = window.parts.overview.table.horizontalHeader()
    x = header.sectionViewportPosition(column) + 20
    QTest.mouseClick(header.viewport(), LEFT, NO_KEY, QPoint(x, 8))


def click_row(window: MainWindow, name: str, key: Any = NO_KEY) -> None:
    """Click the row of a network."""
    table, row = window.parts.overview.table, cells(window, NAME).index(name)
    place = table.visualRect(table.model().index(row, NAME)).center()
    QTest.mouseClick(table.viewport(), LEFT, key, place)


def test_a_row_tells_kernels_sizes_coverage_and_classes(window: MainWindow) -> None:
    overview, document = window.parts.overview, window.document
    assert overview.isVisible()
    assert not window.parts.grid.isVisible()
    assert cells(window, NAME) == ["oak", "elm", "ash", "fir", f"{AS_NOISE}noise"]
    assert cells(window, KERNELS) == [str(len(bank)) for bank in document.banks]
    assert cells(window, SIZES)[-1] == "7×7, 3×3"
    identified = [float(text.split("\u202f")[0]) for text in cells(window, IDENTIFIED)]
    assert min(identified[:4]) > 40 > 10 > identified[4]
    assert all(text.endswith("%") for text in cells(window, NULL))
    labels, pool = window.state.labels, window.state.pool
    number = overview.source.sizes.index(document.size)
    found = overview.source.index(0, len(COLUMNS) + number).data(COUNTS_ROLE)
    oak = pool.starts[0], pool.starts[1]
    counted = np.bincount(labels.label[slice(*oak)], minlength=len(found.counts))
    assert found.counts == tuple(counted.tolist())


def test_what_is_as_noise_is_marked_and_told(window: MainWindow) -> None:
    overview, tree = window.parts.overview, window.parts.tree
    assert overview.note.isVisible()
    assert "noise" in overview.note.text()
    assert "oak" not in overview.note.text()
    roots = {item.model.bank.name: item for item in tree.source.roots}
    tips = {name: tree.source._tip(item) for name, item in roots.items()}
    assert [name for name, tip in tips.items() if NOISE_SENTENCE in tip] == ["noise"]
    bars = window.parts.composition.bars
    assert {bar.network for bar in bars if bar.as_noise} <= {"noise"}
    window.document.show_size((7, 7))
    bars = window.parts.composition.bars
    assert {bar.network for bar in bars if bar.as_noise} == {"noise"}


def test_a_title_sorts_and_unknown_values_come_last(window: MainWindow) -> None:
    click_title(window, IDENTIFIED)
    assert cells(window, NAME)[0] == f"{AS_NOISE}noise"
    rising = cells(window, IDENTIFIED)
    assert rising == sorted(rising, key=lambda text: float(text[:-2]))
    click_title(window, IDENTIFIED)
    assert cells(window, IDENTIFIED) == rising[::-1]
    sizes, lacking = window.parts.overview.source.sizes, window.document.banks[-1]
    size = next(n for n, size in enumerate(sizes) if size not in lacking.sizes)
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        window.parts.overview.table.sortByColumn(len(COLUMNS) + size, order)
        assert cells(window, NAME)[-1] == f"{AS_NOISE}noise", "it has none of them"


def test_picked_rows_are_the_scope_of_all_views(window: MainWindow, qtbot: Any) -> None:
    ids = {model.bank.name: model.id for model in window.document.models}
    click_row(window, "elm")
    click_row(window, "fir", CONTROL)
    shown = {ref.model for ref in window.document.scope.layers}
    assert shown == {ids["elm"], ids["fir"]}
    assert window.parts.tree._picked() == window.document.scope.layers
    assert {bar.network for bar in window.parts.composition.bars} == {"elm", "fir"}
    window.document.show_layers(None)
    assert window.parts.overview.picked() == frozenset()
    QTest.keyClicks(window.parts.overview.search, "ELM")
    assert cells(window, NAME) == ["elm"]
    QTest.keyClick(window.parts.overview.search, Qt.Key.Key_Escape)


def test_enter_shows_the_kernels_of_a_network(window: MainWindow, qtbot: Any) -> None:
    click_row(window, "ash")
    QTest.keyClick(window.parts.overview.table, Qt.Key.Key_Return)
    wait_idle(qtbot, window)
    assert window.parts.grid.isVisible()
    assert not window.parts.overview.isVisible()
    pool = window.state.pool
    owners = {pool.locate(n).model for n in np.flatnonzero(window.state.shown).tolist()}
    assert owners == {window.document.models[2].id}
    assert not window.commands["overview"].isChecked()


def test_delete_closes_what_is_picked_and_the_last_one_welcomes(
    window: MainWindow,
) -> None:
    click_row(window, "oak")
    click_row(window, "elm", CONTROL)
    QTest.keyClick(window.parts.overview.table, Qt.Key.Key_Delete)
    assert cells(window, NAME) == ["ash", "fir", f"{AS_NOISE}noise"]
    window.commands["close_all"].trigger()
    assert window.parts.centre.currentIndex() == 0


def test_slivers_are_not_drawn_but_the_overview_offered(
    window: MainWindow,
) -> None:
    window.show_overview(False)
    window.layouts.show_panel("composition")
    composition = window.parts.composition
    assert not composition.offer.isVisible(), "so few bars can be read"
    bars = composition.bars
    many = tuple(bar for bar in bars for _ in range(40))
    composition.set_bars(many)
    QApplication.processEvents()
    assert composition.offer.isVisible()
    QTest.mouseClick(composition.offer.bars, LEFT)
    assert not composition.offer.isVisible()
    composition.set_bars(bars)
    composition.set_bars(many)
    QTest.mouseClick(composition.offer.overview, LEFT)
    assert window.parts.overview.isVisible()


def test_as_noise_is_said_where_chance_would_do() -> None:
    def counts(named: int, rest: int) -> SummedCounts:
        table = [0] * 40
        table[0] = named
        from kernelviewer.state.analysis import UNIDENTIFIED

        table[UNIDENTIFIED] = rest
        return SummedCounts(tuple(table), 0.01)

    assert counts(36, 4868).is_as_noise  # 49 are expected
    assert counts(57, 4847).is_as_noise
    assert not counts(75, 4829).is_as_noise
    assert not counts(0, 20).is_as_noise, "too few to say"
    assert poisson_tail(0, 3.0) == 1.0
    assert poisson_tail(1, 3.0) == pytest.approx(1 - np.exp(-3.0))
    assert poisson_tail(501, 500.5) == pytest.approx(poisson_tail(501, 499.5), abs=0.03)
    assert poisson_tail(5000, 1000.0) == 0.0
    assert poisson_tail(1000, 1000.0) == pytest.approx(0.508, abs=3e-3)


def test_another_network_leaves_what_is_known_by_keys(
    window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    window.document.show_size((7, 7))
    window.layouts.show_panel("keys")
    wait_idle(qtbot, window)
    before = window.document.keyed_of((7, 7))
    assert before is not None
    window.opener.open([write_network(tmp_path / "yew.safetensors", 4)])
    wait_idle(qtbot, window)
    after = window.document.keyed_of((7, 7))
    assert after is not None
    kept = zip(before.parts, after.parts, strict=False)
    assert all(new is old for old, new in kept), "none is approximated again"
    assert len(after.parts) == len(before.parts) + 1
