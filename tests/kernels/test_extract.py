from __future__ import annotations

import dataclasses
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelviewer.formats import CheckpointError, Operator
from kernelviewer.kernels import extract_kernels
from tests.kernels.checkpoints import of_arrays
from tests.recorder import EndedError, Recorder


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def network() -> dict[str, np.ndarray]:
    """Colour stem, two sizes of depthwise kernels, and what is easily mistaken."""
    blur = np.ones((16, 1, 3, 3), np.float32) / 9
    return {
        "stem.weight": noise(16, 3, 4, 4),
        "blocks.0.dwconv.weight": noise(16, 1, 7, 7, seed=2),
        "blocks.0.dwconv.bias": noise(16),
        "blocks.0.pwconv.weight": noise(64, 16),
        "blocks.1.dwconv.weight": noise(16, 1, 5, 5, seed=3),
        "blocks.1.blur.weight": blur,
        "blocks.2.dwconv.weight": noise(32, 1, 7, 7, seed=4),
        "extra.conv_x": noise(8, 1, 7, 7, seed=5),
        "head.weight": noise(10, 64),
    }


def test_kernels_come_per_size_in_network_order_with_layer_and_channel() -> None:
    arrays = network()
    bank = extract_kernels(of_arrays(arrays))
    assert list(bank.sizes) == [(7, 7), (5, 5)]
    kernels = bank.sizes[7, 7]
    assert kernels.weights.dtype == np.float32
    expected = np.concatenate(
        [arrays["blocks.0.dwconv.weight"][:, 0], arrays["blocks.2.dwconv.weight"][:, 0]]
    )
    np.testing.assert_array_equal(kernels.weights, expected)
    names = [bank.layers[index].name for index in kernels.layer]
    assert names == ["blocks.0.dwconv"] * 16 + ["blocks.2.dwconv"] * 32
    assert kernels.channel.tolist() == [*range(16), *range(32)]
    assert len(bank) == 64


def test_layers_tell_kind_size_type_and_origin() -> None:
    bank = extract_kernels(of_arrays(network()))
    layers = {layer.name: layer for layer in bank.layers}
    assert [(name, layers[name].kind) for name in layers] == [
        ("blocks.0.dwconv", "depthwise"),
        ("blocks.1.dwconv", "depthwise"),
        ("blocks.1.blur", "fixed"),
        ("blocks.2.dwconv", "depthwise"),
        ("extra.conv_x", "ambiguous"),
    ]
    first = layers["blocks.0.dwconv"]
    assert (first.kernels, first.size, first.dtype) == (16, (7, 7), "float32")
    assert first.raw_name == "module.blocks.0.dwconv.weight"
    assert layers["blocks.2.dwconv"].multiplier == 2
    for name in ("blocks.1.blur", "extra.conv_x"):
        assert not layers[name].included
        assert layers[name].reason.endswith(".")
    assert [tensor.name for tensor in bank.convolutions] == ["stem.weight"]


def test_ambiguous_and_fixed_layers_can_be_included_by_hand() -> None:
    arrays = network()
    bank = extract_kernels(of_arrays(arrays), include=("extra.conv_x", "blocks.1.blur"))
    assert bank.sizes[7, 7].weights.shape == (56, 7, 7)
    np.testing.assert_array_equal(
        bank.sizes[7, 7].weights[-8:], arrays["extra.conv_x"][:, 0]
    )
    assert bank.sizes[3, 3].flat.all()
    included = {layer.name: layer for layer in bank.layers}["extra.conv_x"]
    assert included.included
    assert included.kind == "ambiguous"


def test_a_one_channel_stem_can_be_included_by_its_raw_name_too() -> None:
    arrays = {"conv1.weight": noise(8, 1, 5, 5), "conv2.weight": noise(16, 8, 3, 3)}
    checkpoint = of_arrays(arrays)
    assert not extract_kernels(checkpoint).layers
    for name in ("conv1", "conv1.weight", "module.conv1.weight"):
        bank = extract_kernels(checkpoint, include=(name,))
        assert len(bank.sizes[5, 5]) == 8
        assert bank.layers[0].reason


@pytest.mark.parametrize("name", ["nowhere", "stem", "head"])
def test_including_what_cannot_be_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        extract_kernels(of_arrays(network()), include=(name,))


def test_a_transposed_depthwise_layer_of_a_graph_gives_all_its_kernels() -> None:
    weights = noise(6, 2, 4, 4)
    operator = Operator(groups=6, transposed=True, stride=(2, 2))
    bank = extract_kernels(of_arrays({"up": weights}, {"up": operator}))
    np.testing.assert_array_equal(bank.sizes[4, 4].weights, weights.reshape(12, 4, 4))
    layer = bank.layers[0]
    assert (layer.kind, layer.kernels, layer.multiplier) == ("transposed", 12, 2)
    assert layer.stride == (2, 2)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint8"])
def test_every_stored_type_becomes_float32(dtype: str) -> None:
    weights = (noise(8, 1, 3, 3) * 20 + 60).astype(dtype)
    bank = extract_kernels(of_arrays({"dwconv.weight": weights}))
    kernels = bank.sizes[3, 3].weights
    assert kernels.dtype == np.float32
    np.testing.assert_array_equal(kernels, weights[:, 0].astype(np.float32))
    assert bank.layers[0].dtype == dtype


def test_broken_weights_are_kept_counted_as_flat_and_told_of() -> None:
    arrays = network()
    arrays["blocks.0.dwconv.weight"][3, 0, 2, 2] = np.nan
    arrays["blocks.0.dwconv.weight"][5, 0, 0, 0] = -np.inf
    bank = extract_kernels(of_arrays(arrays, warnings=("Opened.",)))
    kernels = bank.sizes[7, 7]
    assert np.isnan(kernels.weights[3, 2, 2])
    assert np.flatnonzero(kernels.flat).tolist() == [3, 5]
    assert bank.layers[0].flat == 2
    assert bank.warnings == (
        "Opened.",
        "blocks.0.dwconv: 2 of 16 kernels have weights that are NaN, infinite or "
        "beyond float32; they count as flat.",
    )


def test_broken_weights_of_many_layers_are_told_of_once() -> None:
    arrays = {f"blocks.{i}.dwconv.weight": noise(4, 1, 3, 3, seed=i) for i in range(9)}
    for index in range(1, 9):
        arrays[f"blocks.{index}.dwconv.weight"][: index % 3 + 1, 0, 0, 0] = np.nan
    (warning,) = extract_kernels(of_arrays(arrays)).warnings
    assert warning == (
        "17 of 32 kernels in 8 layers (blocks.1.dwconv, blocks.2.dwconv, "
        "blocks.3.dwconv, blocks.4.dwconv, blocks.5.dwconv, …) have weights that are "
        "NaN, infinite or beyond float32; they count as flat."
    )


BLUR = np.ones((48, 1, 3, 3), np.float32) / 9
SOBEL = np.float32([[1, 0, -1], [2, 0, -2], [1, 0, -1]])


@pytest.mark.parametrize(
    "kernels", [BLUR, np.stack([SOBEL, SOBEL.T] * 24)[:, None]], ids=["blur", "sobel"]
)
def test_a_fixed_filter_that_comes_first_is_listed_as_such(kernels: np.ndarray) -> None:
    arrays = {
        "filter.weight": kernels,
        "conv1.weight": noise(64, 48, 3, 3),
        "conv2.weight": noise(64, 64, 3, 3),
    }
    bank = extract_kernels(of_arrays(arrays))
    (layer,) = bank.layers
    assert (layer.name, layer.kind, layer.included) == ("filter", "fixed", False)
    assert "not trained" in layer.reason
    assert [tensor.name for tensor in bank.convolutions] == list(arrays)[1:]
    trained = extract_kernels(of_arrays(arrays | {"filter.weight": noise(48, 1, 3, 3)}))
    assert not trained.layers
    reasons = {item.name: item.reason for item in trained.skipped}
    assert "input has one channel" in reasons["module.filter.weight"]


NAMES = (
    *("conv", "conv1", "stem", "dw", "dwconv", "depthwise", "pw", "proj", "norm", "bn"),
    *("embed", "up", "deconv", "sobel", "pos", "head", "0", "1", "7", "blocks", "dec"),
)
LAST = ("weight", "bias", "kernel", "depthwise_kernel", "filter", "scale", "x", "mask")
STACKS = st.tuples(
    st.integers(1, 6), st.just(1), st.integers(1, 5), st.integers(1, 5)
).filter(lambda shape: shape[2] * shape[3] > 1)
OTHERS = st.lists(st.sampled_from([1, 2, 3, 4, 6, 12]), min_size=1, max_size=5)
OPERATORS = st.builds(
    Operator,
    groups=st.sampled_from([None, 1, 2, 4, 6]),
    transposed=st.booleans(),
    in_channels=st.sampled_from([None, 1, 2, 4, 6]),
)
DTYPES = ("float32", "float16", "float64", "int8", "int64", "bool", "complex64")
TENSORS = st.dictionaries(
    st.tuples(st.lists(st.sampled_from(NAMES), max_size=4), st.sampled_from(LAST)).map(
        lambda parts: ".".join((*parts[0], parts[1]))
    ),
    st.tuples(
        st.one_of(STACKS, OTHERS.map(tuple)),
        st.one_of(st.none(), st.none(), OPERATORS),
        st.sampled_from(("float32", *DTYPES)),
        st.booleans(),
    ),
    max_size=9,
)


@settings(max_examples=40, deadline=None)
@given(TENSORS, st.booleans())
def test_whatever_has_a_depthwise_shape_occurs_just_once(
    tensors: dict[str, tuple[tuple[int, ...], Operator | None, str, bool]],
    in_order: bool,
) -> None:
    names = sorted(tensors) if in_order else list(tensors)
    arrays, operators = {}, {}
    for name in names:
        shape, operator, dtype, equal = tensors[name]
        values = np.ones(shape) if equal else noise(*shape)
        arrays[name] = values.astype(dtype)
        if operator is not None:
            operators[name] = operator
    bank = extract_kernels(of_arrays(arrays, operators))
    found = [layer.raw_name for layer in bank.layers]
    found += [item.name for item in bank.skipped]
    for name, values in arrays.items():
        if values.ndim == 4 and values.shape[1] == 1 and values[0, 0].size > 1:
            assert found.count(f"module.{name}") == 1
    assert all(item.reason for item in bank.skipped)


def test_float64_beyond_float32_is_told_of_and_no_crash() -> None:
    weights = noise(4, 1, 3, 3).astype(np.float64)
    weights[0, 0, 0, 0] = 1e300
    bank = extract_kernels(of_arrays({"dwconv.weight": weights}))
    assert bank.sizes[3, 3].flat.tolist() == [True, False, False, False]
    assert bank.warnings


def test_a_network_without_depthwise_kernels_is_no_error() -> None:
    bank = extract_kernels(of_arrays({"a.weight": noise(8, 3, 3, 3)}))
    assert len(bank) == 0
    assert not bank.sizes
    assert len(bank.convolutions) == 1


def test_arrays_are_read_only_and_what_the_checkpoint_says_is_kept() -> None:
    checkpoint = of_arrays(
        network(), copies=("params", "ema"), copy="ema", architecture="Tiny"
    )
    bank = extract_kernels(checkpoint)
    kernels = bank.sizes[7, 7]
    for field in dataclasses.fields(kernels):
        value = getattr(kernels, field.name)
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable
    assert bank.skipped == checkpoint.skipped
    assert (bank.copies, bank.copy) == (("params", "ema"), "ema")
    assert (bank.architecture, bank.size_bytes) == ("Tiny", 123)
    assert bank.name == "network"


def test_layers_of_one_module_keep_names_of_their_own() -> None:
    arrays = {
        "mix.depthwise_kernel": noise(8, 1, 3, 3),
        "mix.kernel": noise(8, 1, 3, 3, seed=2),
        "mix.conv_filter": noise(8, 1, 3, 3, seed=3),
    }
    bank = extract_kernels(of_arrays(arrays))
    names = [layer.name for layer in bank.layers]
    assert len(set(names)) == len(names) > 1


def test_progress_and_check_are_called_for_each_layer() -> None:
    watch = Recorder()
    extract_kernels(of_arrays(network()), watch=watch)
    steps = watch.told
    assert [step[0] for step in steps] == [0, 1, 2, 3, 4, 5]
    assert {step[1] for step in steps} == {5}
    assert steps[0][2] == "blocks.0.dwconv"
    assert watch.checks == 6


def test_what_check_raises_ends_the_extraction() -> None:
    with pytest.raises(EndedError):
        extract_kernels(of_arrays(network()), watch=Recorder(end=1))


def test_a_file_that_can_no_longer_be_read_says_so() -> None:
    checkpoint = of_arrays(network())

    def gone() -> np.ndarray:
        raise CheckpointError(checkpoint.path, "the file is no longer there")

    broken = dataclasses.replace(checkpoint.tensors[1], load=gone)
    checkpoint = dataclasses.replace(checkpoint, tensors=(broken,))
    with pytest.raises(CheckpointError, match="no longer there"):
        extract_kernels(checkpoint)


def test_memory_stays_near_the_size_of_the_kernels() -> None:
    arrays = {f"blocks.{i}.dwconv.weight": noise(4096, 1, 7, 7) for i in range(16)}
    checkpoint = of_arrays(arrays)
    tracemalloc.start()
    bank = extract_kernels(checkpoint)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * bank.sizes[7, 7].weights.nbytes
