from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kernelviewer.kernels.pairing import cleaned_names, pair, why_apart
from tests.kernels.banks import bank_of, noise

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank


def named(bank: KernelBank, *names: str) -> KernelBank:
    layers = zip(bank.layers, names, strict=True)
    return replace(
        bank, layers=tuple(replace(layer, name=name) for layer, name in layers)
    )


def partners(first: KernelBank, second: KernelBank, **how: str) -> list[tuple]:
    found = pair(first, second, **how)  # type: ignore[arg-type]
    return [(item.a, item.b, item.how) for item in found.layers]


def test_layers_correspond_by_name_whatever_their_order() -> None:
    first = named(bank_of(noise(4, 0), noise(4, 1)), "a.dw", "b.dw")
    second = named(bank_of(noise(4, 1), noise(4, 0)), "b.dw", "a.dw")
    found = pair(first, second)
    assert partners(first, second) == [(0, 1, "name"), (1, 0, "name")]
    pairs = found.sizes[3, 3]
    assert pairs.channel_a.tolist() == pairs.channel_b.tolist() == [0, 1, 2, 3] * 2
    assert pairs.layer_b.tolist() == [1] * 4 + [0] * 4
    assert not pairs.index_a.flags.writeable


@pytest.mark.parametrize(
    "names",
    [
        ("module.a.dw", "module.b.dw"),
        ("params/a.dw", "params/b.dw"),
        ("model.module.a.dw", "model.module.b.dw"),
        ("backbone.stages.a.dw", "backbone.stages.b.dw"),
    ],
)
def test_what_wraps_a_network_is_left_aside(names: tuple[str, str]) -> None:
    first = named(bank_of(noise(4, 0), noise(4, 1)), "a.dw", "b.dw")
    second = named(bank_of(noise(4, 0), noise(4, 1)), *names)
    for one, other in ((first, second), (second, first)):
        assert partners(one, other) == [(0, 0, "name"), (1, 1, "name")]
    assert cleaned_names(["model.x", "other.x"]) == ["model.x", "other.x"]


def test_where_names_differ_order_and_shape_tell() -> None:
    first = named(bank_of(noise(4, 0), noise(5, 1), noise(6, 2)), "a", "x1", "x2")
    second = named(bank_of(noise(4, 0), noise(5, 1), noise(6, 2)), "a", "y1", "y2")
    assert partners(first, second) == [
        (0, 0, "name"),
        (1, 1, "order"),
        (2, 2, "order"),
    ]


def test_layers_without_a_partner_are_listed_on_both_sides() -> None:
    first = named(bank_of(noise(4, 0), noise(5, 1), noise(6, 2)), "a", "b", "c")
    second = named(bank_of(noise(4, 0), noise(7, 1)), "a", "b")
    found = pair(first, second)
    assert [(item.a, item.b) for item in found.layers] == [(0, 0)]
    assert (found.left_a, found.left_b) == ((1, 2), (1,))
    assert len(found) == 4


def test_by_order_alone_names_do_not_matter() -> None:
    first = named(bank_of(noise(4, 0), noise(5, 1), noise(6, 2)), "a", "b", "c")
    second = named(bank_of(noise(5, 1), noise(6, 2)), "a", "x")
    assert partners(first, second, match="order") == [(1, 0, "order"), (2, 1, "order")]


def test_a_name_that_stands_twice_fits_nothing() -> None:
    first = named(bank_of(noise(4, 0), noise(4, 1)), "a", "a")
    second = named(bank_of(noise(4, 0), noise(4, 1)), "a", "b")
    assert {how for *_, how in partners(first, second)} == {"order"}


def test_sizes_are_kept_apart() -> None:
    first = bank_of(noise(4, 0), noise(4, 1, (7, 7)))
    found = pair(first, first)
    assert {size: len(pairs) for size, pairs in found.sizes.items()} == {
        (3, 3): 4,
        (7, 7): 4,
    }


def test_networks_without_common_layers_have_no_pairs() -> None:
    found = pair(bank_of(noise(4, 0)), bank_of(noise(4, 0, (5, 5))))
    assert len(found) == 0
    assert (found.left_a, found.left_b) == ((0,), (0,))


def test_layers_named_are_paired_and_no_others() -> None:
    first = named(bank_of(noise(4, 0), noise(4, 1), noise(4, 2)), "a", "b", "c")
    second = named(bank_of(noise(4, 0), noise(4, 1), noise(3, 2, (5, 5))), *"abd")
    found = pair(first, second, layers=[("b", "a"), ("a", "b")])
    assert [(item.a, item.b, item.how) for item in found.layers] == [
        (0, 1, "hand"),
        (1, 0, "hand"),
    ]
    assert len(found) == 8
    assert found.left_a == found.left_b == (2,)
    assert not len(pair(first, second, layers=[]))


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([("a", "b")], ""),
        ([("x", "b")], "has no kernels in a layer 'x'"),
        ([("a", "c")], "has no kernels in a layer 'c'"),
        ([("a", "b"), ("a", "a")], "'a' is in two pairs"),
        ([("a", "b"), ("b", "b")], "'b' is in two pairs"),
        ([("a", "d")], "'a' and 'd' have 3×3 and 5×5 kernels"),
    ],
)
def test_why_layers_cannot_be_paired(
    names: list[tuple[str, str]], problem: str
) -> None:
    first = named(bank_of(noise(4, 0), noise(4, 1), noise(4, 2)), "a", "b", "c")
    second = named(bank_of(noise(4, 0), noise(4, 1), noise(3, 2, (5, 5))), *"abd")
    told = why_apart(first, second, names)
    assert problem in told
    assert bool(problem) == bool(told)
    possible = {
        a: b for a, b in reversed(names) if not why_apart(first, second, [(a, b)])
    }
    assert len(pair(first, second, layers=names).layers) <= len(possible)
