from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.state.layer_tree import layer_tree, short_names, summarize
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from kernelviewer.state.layer_tree import Node


def shape(nodes: list[Node]) -> list:
    return [
        (node.text, shape(node.children)) if node.children else node.text
        for node in nodes
    ]


def tree(*names: str) -> list:
    bank = make_bank("n", tuple((name, (3, 3), 2) for name in names))
    return shape(layer_tree(bank))


def test_modules_with_one_child_are_joined() -> None:
    assert tree("a.0.conv.dw", "a.1.conv.dw", "b.dw") == [
        ("a", ["0", "1"]),
        "b.dw",
    ]


def test_a_root_that_holds_everything_is_dissolved() -> None:
    assert tree("blocks.1.conv", "blocks.4.conv") == ["blocks.1", "blocks.4"]


def test_only_a_tail_that_all_layers_share_is_left_out() -> None:
    assert tree("b.0.dw.conv", "b.1.conv", "b.1.extra") == [
        "b.0.dw.conv",
        ("b.1", ["conv", "extra"]),
    ]
    assert tree("dw1", "dw2") == ["dw1", "dw2"]


def test_network_order_is_kept_where_modules_alternate() -> None:
    assert tree("s.0.dw", "t.0.dw", "s.1.dw") == [("s", ["0", "1"]), "t.0.dw"]


def test_a_lone_layer_stands_under_its_full_name() -> None:
    assert tree("features.0.dw") == ["features.0.dw"]


def test_names_that_begin_other_names_and_doubled_names_stay_apart() -> None:
    assert tree("a", "a.b", "a") != []
    bank = make_bank("n", (("a", (3, 3), 1), ("a.b", (3, 3), 1), ("a", (3, 3), 1)))
    found = [index for node in layer_tree(bank) for index in node.layers()]
    assert sorted(found) == [0, 1, 2]


def test_short_names_drop_what_all_begin_and_end_with() -> None:
    layers = tuple((f"net.blocks.{n}.conv", (3, 3), 2) for n in (1, 4))
    assert short_names(make_bank("n", layers)) == {0: "1", 1: "4"}
    assert short_names(make_bank("n", layers[:1])) == {0: "net.blocks.1.conv"}


def test_counts_sum_over_layers() -> None:
    bank = make_bank()
    summary = summarize(bank, [0, 1, 2])
    assert summary.kernels == 15
    assert summary.sizes == ((3, 3), (7, 7))
