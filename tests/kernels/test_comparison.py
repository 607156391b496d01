"""What is told of two networks whose kernels are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer.kernels.classes import CLASSES, INDEX
from kernelviewer.kernels.comparison import (
    QUANTILES,
    KernelNames,
    compare_pairs,
    compare_size,
)
from kernelviewer.kernels.pairing import LayerPair, pair, pair_layers
from tests.kernels.banks import bank_of, noise
from tests.recorder import EndedError, Recorder
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.kernels.comparison import Comparison

SIZE = (3, 3)


def named(bank: KernelBank, size: Size = SIZE, seed: int = 0) -> KernelNames:
    """Any classes; flat ones as they are."""
    kernels = bank.sizes[size]
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, INDEX["flat"], len(kernels)).astype(np.int8)
    kind[kernels.flat] = INDEX["flat"]
    code = rng.random(len(kernels), np.float32)
    return KernelNames(np.where(kernels.flat, np.nan, code), code + 0, kind)


def compared(
    first: KernelBank, second: KernelBank, match: str = "names", **names: int
) -> Comparison:
    known = {
        size: (named(first, size), named(second, size, names.get("seed", 0)))
        for size in set(first.sizes) & set(second.sizes)
    }
    return compare_pairs(pair(first, second, match=match), known)  # type: ignore[arg-type]


def shuffled(bank: KernelBank, seed: int = 0) -> KernelBank:
    """The network with the kernels of each layer in another order."""
    rng = np.random.default_rng(seed)
    sets = {}
    for size, kernels in bank.sizes.items():
        order = np.lexsort((rng.random(len(kernels)), kernels.layer))
        sets[size] = replace(
            kernels,
            weights=kernels.weights[order],
            scale=kernels.scale[order],
            offset=kernels.offset[order],
            flat=kernels.flat[order],
        )
    return replace(bank, sizes=sets)


def test_a_network_is_itself() -> None:
    bank = bank_of(noise(20, 0), noise(9, 1), noise(30, 2, (5, 5)))
    found = compared(bank, bank)
    assert list(found.sizes) == [(5, 5), (3, 3)]
    for item in found.sizes.values():
        assert item.summary.mean_cosine == pytest.approx(1, abs=1e-6)
        assert item.summary.changed == 0
        assert np.abs(item.code_change).max() == 0
        assert np.abs(item.offset_change).max() == 0
        assert np.abs(item.scale_ratio).max() == 0
        assert abs(item.null.mean_cosine) < 0.2
        assert item.null.changed > 0.8
        assert item.shift is not None
        assert item.shift.value == 0 < item.shift.null
        matrix = item.transitions
        assert matrix is not None
        assert matrix.sum() == np.trace(matrix) == len(item)
    assert [item.layer_a for item in found.layers] == [0, 1, 2]
    assert [item.summary.pairs for item in found.layers] == [20, 9, 30]


def test_shuffled_channels_give_the_null_that_was_told() -> None:
    rng = np.random.default_rng(5)
    common = rng.normal(size=(1, 5, 5)).astype(np.float32)
    bank = bank_of(*(noise(300, i, (5, 5)) + common for i in range(4)))
    other = shuffled(bank)
    told = compared(bank, bank).sizes[5, 5].null.mean_cosine
    by_name = compared(bank, other).sizes[5, 5]
    assert told > 0.3, "the kernels have something in common"
    assert by_name.summary.mean_cosine == pytest.approx(told, abs=0.03)
    best = compared(bank, other, "best").sizes[5, 5]
    assert best.summary.mean_cosine == pytest.approx(1, abs=1e-6)
    assert 0.3 < best.noise < 0.95
    assert len(best.unpaired_a) == len(best.unpaired_b) == 0
    assert best.shift is not None
    assert best.shift.value == 0


def test_every_number_is_that_of_its_pair() -> None:
    first, second = (
        bank_of(noise(12, 0), noise(5, 1)),
        bank_of(noise(12, 2), noise(5, 3)),
    )
    item = compared(first, second, seed=1).sizes[SIZE]
    before, after = item.side_a.names, item.side_b.names
    assert before is not None
    assert after is not None
    for row in range(len(item)):
        a, b = item.pairs.index_a[row], item.pairs.index_b[row]
        x, y = item.side_a.kernels.weights[a], item.side_b.kernels.weights[b]
        assert item.cosine[row] == pytest.approx(
            np.corrcoef(x.ravel(), y.ravel())[0, 1], abs=1e-5
        )
        assert item.scale_ratio[row] == pytest.approx(
            np.log((y - y.mean()).std() / (x - x.mean()).std()), abs=1e-4
        )
        assert item.offset_change[row] == pytest.approx(y.mean() - x.mean(), abs=1e-6)
        assert item.code_change[row] == after.code[b] - before.code[a]
    changed = before.class_index != after.class_index
    assert item.summary.changed == pytest.approx(changed.mean())
    matrix = item.transitions
    assert matrix is not None
    for i in range(len(CLASSES)):
        for k in range(len(CLASSES)):
            both = (before.class_index == i) & (after.class_index == k)
            assert matrix[i, k] == both.sum()
    layer = item.layers[1]
    assert layer.summary.cosine == pytest.approx(
        np.quantile(item.cosine[12:], QUANTILES).tolist(), abs=1e-6
    )
    assert layer.summary.median_cosine == layer.summary.cosine[2]


def test_the_null_never_sets_a_kernel_beside_its_partner_or_another_layer() -> None:
    bank = bank_of(noise(12, 0), noise(2, 1), noise(1, 2))
    item = compared(bank, bank).sizes[SIZE]
    layer = item.pairs.layer_a
    for row in item.shuffled:
        there = np.flatnonzero(row >= 0)
        assert (row[there] != there).all()
        assert (layer[row[there]] == layer[there]).all()
    assert (item.shuffled >= 0).sum(axis=0).tolist() == [3] * 12 + [1, 1, 0]
    matrix = item.shuffled_transitions
    assert matrix is not None
    assert matrix.sum() == pytest.approx(14), "one kernel alone has no null"


def test_flat_kernels_are_counted_and_have_no_cosine() -> None:
    layer = noise(6, 0)
    other = layer.copy()
    layer[0] = 0.25
    other[1] = 0
    layer[2] = other[2] = 0
    first, second = bank_of(layer), bank_of(other)
    item = compared(first, second).sizes[SIZE]
    assert np.isnan(item.cosine).tolist() == [True, True, True, False, False, False]
    assert np.isnan(item.scale_ratio[:3]).all()
    assert item.offset_change[0] != 0
    assert item.summary.patterned == 3
    matrix, flat = item.transitions, INDEX["flat"]
    assert matrix is not None
    assert matrix[flat, flat] == 1
    assert matrix[flat].sum() == matrix[:, flat].sum() == 2
    assert matrix.sum() == 6


def test_weights_that_are_no_numbers_hurt_nothing_else() -> None:
    layer = noise(6, 0)
    layer[2, 0, 0], layer[4, 1, 1] = np.nan, np.inf
    bank = bank_of(layer)
    for match in ("names", "best"):
        item = compared(bank, bank, match).sizes[SIZE]
        assert np.isnan(item.cosine).sum() == 2
        assert item.summary.mean_cosine == pytest.approx(1, abs=1e-6)
        assert item.shift is not None
        assert item.shift.value == 0


@pytest.mark.parametrize("match", ["names", "order", "best"])
def test_one_kernel_is_compared_and_has_no_null(match: str) -> None:
    item = compared(bank_of(noise(1, 0)), bank_of(noise(1, 1)), match).sizes[SIZE]
    assert item.summary.pairs == item.summary.patterned == 1
    assert np.isnan(item.null.mean_cosine)
    assert np.isnan(item.noise)
    assert item.layers[0].summary.cosine == pytest.approx([item.cosine[0]] * 5)


def test_flat_kernels_alone_have_nothing_to_compare() -> None:
    bank = bank_of(np.zeros((4, 3, 3), np.float32))
    for match in ("names", "best"):
        item = compared(bank, bank, match).sizes[SIZE]
        assert item.summary.pairs == 4
        assert np.isnan(item.summary.mean_cosine)
        assert item.shift is None


def test_sizes_and_layers_that_only_one_has_are_told() -> None:
    first = bank_of(noise(4, 0), noise(6, 1, (7, 7)), noise(5, 2))
    second = bank_of(noise(4, 0), noise(3, 1, (5, 5)))
    found = compared(first, second)
    told = {
        size: (len(item), len(item.unpaired_a), len(item.unpaired_b))
        for size, item in found.sizes.items()
    }
    assert told == {(7, 7): (0, 6, 0), (5, 5): (0, 0, 3), (3, 3): (4, 5, 0)}
    assert found.pairing.left_a == (1, 2)
    assert found.pairing.left_b == (1,)
    empty = found.sizes[7, 7]
    assert empty.layers == ()
    assert empty.shift is None
    assert np.isnan(empty.summary.mean_cosine)


def test_kernels_that_are_not_shown_do_not_count() -> None:
    bank = bank_of(noise(6, 0), noise(4, 1))
    pairing = pair(bank, bank)
    shown = bank.sizes[SIZE].layer == 0
    also = shown & (bank.sizes[SIZE].channel != 2)
    item = compare_size(pairing, SIZE, shown=(shown, also))
    assert item.pairs.channel_a.tolist() == [0, 1, 3, 4, 5]
    assert item.unpaired_a.tolist() == item.unpaired_b.tolist() == []
    assert item.transitions is None
    assert len(item.layers) == 1


def test_a_best_match_keeps_signs_apart() -> None:
    layer = noise(6, 0)
    found = pair(bank_of(layer), bank_of(-layer[::-1].copy()), match="best")
    item = compare_pairs(found, {}).sizes[SIZE]
    assert item.cosine.min() > -1 + 1e-6, "a kernel is not its negative"
    every = bank_of(np.concatenate([layer, -layer]))
    item = compare_pairs(pair(every, shuffled(every), match="best"), {}).sizes[SIZE]
    assert item.cosine == pytest.approx(np.ones(12), abs=1e-6)


def test_a_best_match_leaves_out_what_fits_worst() -> None:
    layer = noise(8, 0, (7, 7))
    pruned = layer[[5, 0, 3]]
    for first, second in ((layer, pruned), (pruned, layer)):
        found = pair(bank_of(first), bank_of(second), match="best")
        item = compare_pairs(found, {}).sizes[7, 7]
        assert len(item) == 3
        assert item.summary.mean_cosine == pytest.approx(1, abs=1e-6)
        left = item.unpaired_a if len(first) == 8 else item.unpaired_b
        assert left.tolist() == [1, 2, 4, 6, 7]
        assert item.noise == item.noise


def test_layers_can_be_paired_by_hand() -> None:
    first, second = bank_of(noise(4, 0), noise(6, 1)), bank_of(noise(6, 1), noise(4, 0))
    found = pair_layers(
        first, second, [LayerPair(0, 1, "order"), LayerPair(1, 0, "order")]
    )
    item = compare_pairs(found, {}).sizes[SIZE]
    assert item.summary.mean_cosine == pytest.approx(1, abs=1e-6)
    found = pair_layers(first, second, [LayerPair(0, 0, "order")])
    assert found.sizes[SIZE].channel_b.tolist() == [0, 1, 2, 3]
    assert (found.left_a, found.left_b) == ((1,), (1,))


@pytest.mark.parametrize("match", ["names", "best"])
def test_it_can_be_ended(match: str) -> None:
    bank = bank_of(*(noise(40, i) for i in range(6)))
    with pytest.raises(EndedError):
        compare_pairs(
            pair(bank, bank, match=match),  # type: ignore[arg-type]
            {},
            watch=Recorder(end=3),
        )
    with pytest.raises(EndedError):
        pair(bank, bank, match="best", watch=Recorder(end=2))


def test_a_shift_is_found_where_there_is_one() -> None:
    layer = noise(2000, 0)
    tilted = layer + np.linspace(-1, 1, 3, dtype=np.float32)
    same = compared(bank_of(layer), bank_of(noise(2000, 1))).sizes[SIZE].shift
    moved = compared(bank_of(layer), bank_of(tilted)).sizes[SIZE].shift
    assert same is not None
    assert moved is not None
    assert same.value < 2 * same.null
    assert moved.value > 5 * moved.null
    assert moved.variance.sum() == pytest.approx(1)
    assert moved.counts_a.sum(axis=1).tolist() == [2000] * len(moved.variance)
    assert moved.counts_a.shape == moved.counts_b.shape == (9, 70)
    assert np.linalg.norm(moved.components, axis=(1, 2)) == pytest.approx(np.ones(9))


def test_the_shift_is_that_of_its_formula() -> None:
    first, second = noise(300, 0), noise(200, 1) + 0.3
    found = compared(bank_of(first), bank_of(second)).sizes[SIZE].shift
    assert found is not None
    rows = [w.reshape(len(w), -1) for w in (first, second)]
    x, y = (w / np.abs(w).max(axis=1, keepdims=True) for w in rows)
    every = np.vstack([x, y]).astype(float)
    _, values, axes = np.linalg.svd(every - every.mean(axis=0), full_matrices=False)
    share = values**2 / (values**2).sum()
    wanted = 0.0
    for weight, axis in zip(share, axes, strict=True):
        ends = (every @ axis).min(), (every @ axis).max()
        p, q = (np.histogram(part @ axis, 70, ends)[0] / len(part) for part in (x, y))
        p, q = (np.where(h, h, np.finfo(float).eps) for h in (p, q))
        wanted += weight * (p * np.log(p / q) + q * np.log(q / p)).sum()
    assert found.value == pytest.approx(wanted, rel=0.02)


def open_shared(name: str) -> KernelBank:
    return kv.extract_kernels(kv.open_checkpoint(CHECKPOINTS / name))


@needs_checkpoints
@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (
            "mcunet-in3-cifar10-sanchoo1.safetensors",
            "mcunet-in3-cifar100-best-sanchoo1.pth",
            {(7, 7): 0.943, (5, 5): 0.961, (3, 3): 0.858},
        ),
        (
            "mcunet-in3-cifar100-best-sanchoo1.pth",
            "mcunet-in3-tinyimagenet-best-sanchoo1.pth",
            {(7, 7): 0.863, (5, 5): 0.912, (3, 3): 0.755},
        ),
        (
            "cfsr-x2-df2k-aitical.pth",
            "cfsr-x2-df2k-aitical.onnx",
            {(9, 9): 1.0, (3, 3): 1.0},
        ),
    ],
)
def test_measured_likeness(
    first: str, second: str, wanted: dict[tuple[int, int], float]
) -> None:
    pairing = pair(open_shared(first), open_shared(second))
    assert pairing.left_a == pairing.left_b == ()
    found = compare_pairs(pairing, {})
    for size, mean in wanted.items():
        assert found.sizes[size].summary.mean_cosine == pytest.approx(mean, abs=6e-4)
