"""Columns of the list of networks that tell of the health of layers, on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kernelviewer.gui.views.models.tree_model import CLASSES_COLUMN, COLUMNS
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.health import layer_health
from kernelviewer.state.arrangement import Charts
from tests.gui.conftest import wait_idle

if TYPE_CHECKING:
    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.gui.views.models.model_tree import ModelTree

ALL = ("flat", "sparsity", "entropy", "orthogonality", "support", "scale")


def click(tree: ModelTree, text: str) -> None:
    """Choose an entry of the menu of the titles."""
    menu = tree.column_menu()
    (action,) = (item for item in menu.actions() if item.text() == text)
    action.trigger()
    menu.deleteLater()


def shown(tree: ModelTree) -> list[str]:
    columns = range(CLASSES_COLUMN + 1, len(COLUMNS))
    return [COLUMNS[i] for i in columns if not tree.tree.isColumnHidden(i)]


@pytest.mark.networks(count=2)
def test_columns_come_on_demand_with_the_layers_health(
    window: MainWindow, qtbot: Any
) -> None:
    tree = window.parts.tree
    assert shown(tree) == []
    click(tree, "All")
    wait_idle(qtbot, window)
    assert window.document.charts.health == ALL
    assert len(shown(tree)) == len(ALL)
    for model in window.document.models:
        known = {item.layer: item for item in layer_health(model.bank)}
        rows = {
            ref.layer: row
            for root in tree.source.roots
            if root.model is model
            for ref, row in root.leaves()
        }
        assert known.keys() == rows.keys()
        for layer, item in known.items():
            texts = [
                str(tree.source.index_of(rows[layer], column).data())
                for column in range(CLASSES_COLUMN + 1, len(COLUMNS))
            ]
            assert texts[2] == f"{item.entropy:.2f} / {item.noise_entropy:.2f}"
            assert texts[3] == f"{item.orthogonality:.2f}"
            assert texts[4] == size_label(item.support)
            assert texts[5] == f"{item.scale:.3g}"
            tip = tree.source._tip(rows[layer])
            assert f"decile {item.decile} " in tip
    root = tree.source.roots[0]
    assert tree.source.health_text(root, CLASSES_COLUMN + 3) == ""  # of layers alone
    click(tree, "Sparsity")
    assert window.document.charts.health == tuple(m for m in ALL if m != "sparsity")
    assert "Sparse" not in shown(tree)
    click(tree, "None")
    assert shown(tree) == []
    assert window.document.charts == Charts()


def test_the_titles_offer_them(window: MainWindow, qtbot: Any) -> None:
    tree = window.parts.tree
    header = tree.tree.header()
    header.customContextMenuRequested.emit(header.rect().center())
    (menu,) = (m for m in tree.findChildren(object) if m.objectName() == "columnMenu")
    assert [action.text() for action in menu.actions() if action.isCheckable()][1] == (
        "Sparsity"
    )
    menu.close()
