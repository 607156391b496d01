"""What counts as one network, and what stays together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kernelviewer.kernels import KernelBank, KernelSet, LayerInfo
from kernelviewer.kernels.statistics import measure
from kernelviewer.latent.networks import collect, families, likeness, network_weights
from kernelviewer.latent.networks import split as split_networks
from tests.latent.made import patterns

LAYERS = 3


def bank(
    name: str, seed: int, *, like: float = 1.0, order: tuple[int, ...] = ()
) -> KernelBank:
    """A network of three layers of 40 kernels, as ``like`` to that of its seed."""
    rng = np.random.default_rng(1000 + seed)
    base = rng.standard_normal((LAYERS * 40, 7, 7))
    other = np.random.default_rng(sum(name.encode())).standard_normal(base.shape)
    weights = like * base + np.sqrt(1 - like**2) * other
    weights[5] = 0
    parts = weights.reshape(LAYERS, 40, 7, 7)[list(order or range(LAYERS))]
    values = parts.reshape(-1, 7, 7).astype(np.float32)
    found = measure(values)
    kernels = KernelSet(
        (7, 7),
        values,
        np.repeat(np.arange(LAYERS, dtype=np.int32), 40),
        np.tile(np.arange(40, dtype=np.int32), LAYERS),
        found.scale,
        found.offset,
        found.flat,
    )
    layers = tuple(
        LayerInfo(f"layer{i}", "depthwise", 40, (7, 7), "float32")
        for i in range(LAYERS)
    )
    return KernelBank(Path(name), name, "made", 0, layers, {(7, 7): kernels})


def test_likeness_is_the_mean_cosine_of_corresponding_kernels() -> None:
    first = bank("a", 0)
    assert likeness(first, bank("b", 0)) == pytest.approx(1)
    assert likeness(first, bank("c", 0, like=0.85)) == pytest.approx(0.85, abs=0.03)
    assert likeness(first, bank("d", 1)) < 0.3


def test_containers_may_order_layers_otherwise_and_turn_signs() -> None:
    first, second = bank("a", 0), bank("b", 0, order=(2, 0, 1))
    assert likeness(first, second) == pytest.approx(1)
    turned = bank("c", 0)
    np.negative(turned.sizes[7, 7].weights, out=turned.sizes[7, 7].weights)
    assert likeness(first, turned) > 0.99


def test_networks_of_other_shapes_are_not_alike() -> None:
    empty = KernelBank(Path("e"), "e", "made", 0, (), {})
    assert likeness(bank("a", 0), empty) == 0
    assert likeness(empty, empty) == 0


def test_copies_and_epochs_count_once_and_siblings_share_a_family() -> None:
    banks = [
        bank("one.pth", 0),
        bank("one.onnx", 0),
        bank("other.pth", 1),
        bank("tuned.pth", 0, like=0.85),
    ]
    found = collect(banks, (7, 7))
    assert [item.name for item in found] == ["one.onnx", "other.pth", "tuned.pth"]
    assert found[0].same == ("one.pth",)
    assert found[0].family == found[2].family != found[1].family
    assert len(found[0]) == LAYERS * 40 - 1  # its flat kernel is left out


def test_epochs_are_linked_through_those_between_them() -> None:
    base = bank("epoch0", 0)
    shares = [1.0, 0.95, 0.85]
    banks = [base]
    for number, share in enumerate(shares[1:], 1):
        step = bank(f"epoch{number}", 0)
        weights = step.sizes[7, 7].weights
        other = np.random.default_rng(5).standard_normal(weights.shape)
        mixed = share * weights + np.sqrt(1 - share**2) * other
        weights[:] = mixed
        banks.append(step)
    assert likeness(banks[0], banks[2]) < 0.9
    (group,) = families(banks)
    assert group.members == (2,)


def test_families_weigh_equally() -> None:
    banks = [bank("a", 0), bank("b", 1), bank("c", 1, like=0.85)]
    found = collect(banks, (7, 7))
    weights = network_weights(found)
    assert weights.sum() == pytest.approx(1)
    assert weights[: len(found[0])].sum() == pytest.approx(0.5, abs=1e-4)
    assert len(weights) == sum(map(len, found))


def test_no_family_is_on_both_sides_of_a_split() -> None:
    seen = [bank("a", 0), bank("b", 1), bank("b-tuned", 1, like=0.85)]
    parts = split_networks(seen, [bank("b-other", 1, like=0.86)], (7, 7))
    assert [item.name for item in parts.networks] == ["a"]
    assert [item.name for item in parts.held_out] == ["b-other"]
    assert parts.left_out == ("b", "b-tuned")


def test_a_held_out_copy_of_a_training_network_is_held_out() -> None:
    seen, unseen = [bank("a.pth", 0), bank("b", 1)], [bank("a.onnx", 0)]
    parts = split_networks(seen, unseen, (7, 7))
    assert [item.name for item in parts.networks] == ["b"]
    assert [item.name for item in parts.held_out] == ["a.onnx"]


def test_sizes_that_a_network_lacks_are_left_out() -> None:
    assert collect([bank("a", 0)], (5, 5)) == ()
    assert patterns(1)[0].shape == (1, 7, 7)


def frozen(name: str, of: KernelBank) -> KernelBank:
    """Another training of a network that left its first layer as it was."""
    kernels = of.sizes[7, 7]
    other = bank(name, sum(name.encode())).sizes[7, 7].weights
    kept = (kernels.layer == 0)[:, None, None]
    weights = np.where(kept, kernels.weights, other)
    found = measure(weights)
    sets = {(7, 7): replace(kernels, weights=weights, flat=found.flat)}
    return replace(of, name=name, path=Path(name), sizes=sets)


def test_frozen_layers_are_trained_on_once() -> None:
    first = bank("a", 0)
    tuned = frozen("b", first)
    assert 0.2 < likeness(first, tuned) < 0.8
    whole = [len(network) for network in collect([first, tuned], (7, 7))]
    assert whole == [119, 119]
    joined = collect([first, tuned], (7, 7), joined=True)
    assert [len(network) for network in joined] == [119, 80]
    parts = split_networks([first, tuned], [bank("c", 5)], (7, 7))
    assert [len(network) for network in parts.networks] == [119, 80]
    assert [len(network) for network in parts.held_out] == [119]
    held = split_networks([bank("c", 5)], [first, tuned], (7, 7)).held_out
    assert [len(network) for network in held] == [119, 119]
