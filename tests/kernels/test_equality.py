from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer.kernels.equality import (
    best_match,
    find_equal,
    keys_of,
    match,
    told_apart,
)
from kernelviewer.kernels.statistics import measure
from tests.kernels.banks import bank_of, noise
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank


def counted(*banks: KernelBank) -> list[int]:
    """Numbers of the 3×3 kernels that do not count, over all networks."""
    sets = [bank.sizes[3, 3] for bank in banks]
    once = find_equal(sets).once(np.ones(sum(map(len, sets)), bool))
    return np.flatnonzero(~once).tolist()


def test_equal_networks_count_once_with_their_dead_kernels() -> None:
    layer = noise(6, 0)
    layer[2] = 0
    first, second = bank_of(layer, noise(4, 1)), bank_of(layer, noise(4, 1))
    assert counted(first, second) == list(range(10, 20))
    found = match(second, first)
    assert found.is_whole
    assert found.layers == {0, 1}
    assert found.describe("best") == "all 2 layers are equal to those of “best”"


def test_the_smallest_change_makes_a_kernel_another_one() -> None:
    layer = noise(6, 0)
    other = layer.copy()
    other[1, 0, 0] = np.nextafter(other[1, 0, 0], np.float32(9))
    assert counted(bank_of(layer), bank_of(other)) == [6, 8, 9, 10, 11]
    assert match(bank_of(other), bank_of(layer)).describe("a") == (
        "5 kernels are equal to kernels of “a”"
    )


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_kernels_of_few_bits_are_told_apart(digits: int) -> None:
    """Weights of few digits, as quantised ones are, differ in few high bits."""
    weights = np.round(noise(20_000, 3), digits)
    distinct = len(np.unique(weights.reshape(len(weights), -1), axis=0))
    flat = measure(weights).flat
    kernels = bank_of(weights[~flat]).sizes[3, 3]
    assert len(np.unique(keys_of(kernels).value)) == len(kernels)
    again = np.unique(weights[~flat].reshape(-1, 9), axis=0).reshape(-1, 3, 3)
    assert len(counted(bank_of(again), bank_of(weights[~flat]))) == len(again)
    assert distinct >= len(again)


def test_frozen_layers_count_once_and_the_rest_apart() -> None:
    first = bank_of(noise(6, 0), noise(4, 1), noise(5, 2))
    tuned = bank_of(noise(6, 0), noise(4, 9), noise(5, 2))
    assert counted(first, tuned) == [*range(15, 21), *range(25, 30)]
    found = match(tuned, first)
    assert (found.layers, found.kernels, found.further) == ({0, 2}, 11, 0)
    assert not found.is_whole
    assert found.describe("first") == ("2 of 3 layers are equal to those of “first”")


def test_kernels_within_a_layer_are_found_wherever_they_stand() -> None:
    layer = noise(6, 0)
    pruned = bank_of(layer[[4, 1]], noise(3, 5))
    assert counted(bank_of(layer), pruned) == [6, 7]
    assert match(pruned, bank_of(layer)).layers == frozenset()


def test_repeats_within_one_network_are_no_repeats() -> None:
    one, other = noise(2, 0)
    five = bank_of(np.stack([one] * 5 + [other]))
    three = bank_of(np.stack([one] * 3 + [-other]))
    assert counted(five) == []
    assert counted(five, three) == [6, 7, 8]
    assert counted(three, five) == [4, 5, 6]


def test_dead_kernels_are_no_evidence() -> None:
    first, second = noise(6, 0), noise(6, 1)
    first[3:] = second[3:] = 0
    dead = np.zeros((4, 3, 3), np.float32)
    assert counted(bank_of(first, dead), bank_of(second, dead)) == []
    assert counted(bank_of(dead), bank_of(dead)) == []
    assert counted(bank_of(first, dead), bank_of(first, dead)) == list(range(10, 20))


def test_only_what_is_counted_together_counts_once() -> None:
    """Which of the equal kernels counts depends on what is looked at."""
    banks = [bank_of(noise(4, 0)), bank_of(noise(4, 0)), bank_of(noise(4, 0))]
    equal = find_equal([bank.sizes[3, 3] for bank in banks])
    assert equal.repeats == 8
    last = np.arange(12) >= 8
    assert equal.once(last) is last
    assert np.flatnonzero(equal.once(np.arange(12) >= 4)).tolist() == [4, 5, 6, 7]
    assert np.flatnonzero(equal.spread(np.arange(12) == 9)).tolist() == [1, 5, 9]
    assert equal.like(9).tolist() == [1, 5, 9]


def test_the_network_that_has_most_is_named() -> None:
    first = bank_of(noise(6, 0), noise(4, 1), name="first")
    second = bank_of(noise(6, 0), noise(4, 2), name="second")
    third = bank_of(noise(6, 0), noise(4, 2), name="third")
    other, found = best_match(third, [first, second])  # type: ignore[misc]
    assert other is second
    assert found.is_whole
    assert best_match(first, []) is None
    assert best_match(bank_of(noise(6, 7)), [first, second]) is None


def test_networks_of_one_name_are_told_apart_by_their_files() -> None:
    first, second = bank_of(noise(4, 0)), bank_of(noise(4, 0))
    second = replace(second, path=Path("net.onnx"))
    assert told_apart(second, first) == ("net.onnx", "net.pth")
    away = replace(first, path=Path("old/net.pth"))
    assert told_apart(away, first) == (str(Path("old/net.pth")), "net.pth")
    assert told_apart(replace(first, name="a"), first) == ("a", "net")


def test_other_sizes_and_shapes_are_others() -> None:
    wide, high = noise(4, 0, (1, 9)), noise(4, 0, (9, 1))
    assert match(bank_of(wide), bank_of(high)).kernels == 0
    both = bank_of(noise(4, 0), wide)
    assert match(both, bank_of(wide)).layers == {1}


def test_broken_weights_are_compared_by_their_bits() -> None:
    layer = noise(4, 0)
    layer[1, 0] = np.nan
    assert counted(bank_of(layer), bank_of(layer.copy())) == [4, 5, 6, 7]


@needs_checkpoints
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("mcunet-in3-cifar100-best-sanchoo1.pth", "mcunet-in3-cifar100-final-*"),
        ("cfsr-x2-df2k-aitical.pth", "cfsr-x2-df2k-aitical.onnx"),
        ("mcunet-in4-*-statedict-*", "mcunet-in4-*-wholemodule-*"),
    ],
)
def test_files_that_hold_the_same_network_are_noticed(first: str, second: str) -> None:
    one, other = (
        kv.extract_kernels(kv.open_checkpoint(next(CHECKPOINTS.glob(pattern))))
        for pattern in (first, second)
    )
    found = match(other, one)
    assert found.is_whole
    assert len(found.layers) == found.layer_count


@needs_checkpoints
def test_siblings_are_not_equal() -> None:
    one, other = (
        kv.extract_kernels(kv.open_checkpoint(CHECKPOINTS / f"mcunet-in3-{name}"))
        for name in ("cifar100-best-sanchoo1.pth", "tinyimagenet-best-sanchoo1.pth")
    )
    assert not match(one, replace(other, name="other"))
