"""TensorFlow.js: graphs, Keras models, bare lists of weights, shards, quantisation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, is_checkpoint, open_checkpoint
from kernelviewer.formats.registry import hash_at, network_hash
from kernelviewer.kernels import extract_kernels
from tests.formats.reading import bytes_read, depthwise, named, weights
from tests.formats.tfjs_models import manifest, node, save_graph, save_layers

if TYPE_CHECKING:
    from pathlib import Path

K = weights(0, (5, 3, 4, 2))
"""Kernels as TensorFlow stores them: [kh, kw, channels, multiplier]."""
STEM = weights(1, (3, 3, 3, 4))
ARRAYS = {"net/stem/Conv2D_weights": STEM, "net/dw/depthwise_weights": K}
NODES = [
    node("net/stem/Relu", "_FusedConv2D", ("x", "net/stem/Conv2D_weights")),
    node(
        "net/dw/depthwise",
        "FusedDepthwiseConv2dNative",
        ("net/stem/Relu", "net/dw/depthwise_weights:0"),
        strides=(1, 2, 1, 1),
        dilations=(1, 1, 3, 1),
        padding="SAME",
    ),
]


def pytorch(kernels: Any) -> Any:
    """Depthwise kernels in PyTorch's layout."""
    return kernels.transpose(2, 3, 0, 1).reshape(-1, 1, *kernels.shape[:2])


def test_a_graph_is_read_by_its_operators(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(save_graph(tmp_path / "net", NODES, ARRAYS))
    assert checkpoint.format == "TensorFlow.js"
    assert checkpoint.size_bytes > STEM.nbytes + K.nbytes
    tensors = named(checkpoint)
    assert list(tensors) == ["net.stem.weight", "net.dw.weight"]
    stem, found = tensors.values()
    np.testing.assert_array_equal(stem.load(), STEM.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(found.load(), pytorch(K))
    facts = found.operator
    assert facts is not None
    assert facts.groups == facts.in_channels == 4
    assert (facts.stride, facts.dilation, facts.padding) == ((2, 1), (1, 3), "same")
    bank = extract_kernels(checkpoint)
    assert {size: len(kernels) for size, kernels in bank.sizes.items()} == {(5, 3): 8}


@pytest.mark.parametrize("shard", [7, 64, 1 << 20])
def test_weights_cut_into_files_anywhere(tmp_path: Path, shard: int) -> None:
    checkpoint = open_checkpoint(save_graph(tmp_path / "n", NODES, ARRAYS, shard=shard))
    np.testing.assert_array_equal(depthwise(checkpoint)[0].load(), pytorch(K))


@pytest.mark.parametrize(
    ("dtype", "error"), [("float16", 2e-3), ("uint8", 2e-2), ("uint16", 1e-4)]
)
def test_quantised_weights_are_real_numbers_again(
    tmp_path: Path, dtype: str, error: float
) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS, quantised=dtype)
    (tensor,) = depthwise(open_checkpoint(path))
    assert tensor.dtype == dtype
    values = tensor.load()
    assert values.dtype == np.float32
    assert np.abs(values - pytorch(K)).max() < error


def test_only_what_is_asked_for_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS)
    with bytes_read(monkeypatch) as counts:
        checkpoint = open_checkpoint(path)
        assert counts == []
        depthwise(checkpoint)[0].load()
        assert sum(counts) == K.nbytes


def test_weights_that_are_handed_on_or_shared_or_computed(tmp_path: Path) -> None:
    nodes = [
        node("read", "Identity", ("kept",)),
        node("a/depthwise", "DepthwiseConv2dNative", ("x", "read")),
        node("b/depthwise", "DepthwiseConv2dNative", ("y", "kept")),
        node("mean", "Mul", ("kept", "x")),
        node("c/depthwise", "DepthwiseConv2dNative", ("y", "mean")),
    ]
    checkpoint = open_checkpoint(save_graph(tmp_path / "net", nodes, {"kept": K}))
    assert [tensor.name for tensor in checkpoint.tensors] == ["a.weight"]
    assert [item.name for item in checkpoint.skipped] == ["c/depthwise"]
    assert checkpoint.warnings == (
        "1 depthwise layer cannot be read, see what was skipped.",
    )


def test_one_input_channel_is_not_taken_for_depthwise(tmp_path: Path) -> None:
    grey, pointwise = weights(2, (3, 3, 1, 16)), weights(3, (1, 1, 16, 8))
    nodes = [
        node("stem/Conv2D", "Conv2D", ("x", "a")),
        node("mix/Conv2D", "Conv2D", ("stem/Conv2D", "b")),
    ]
    path = save_graph(tmp_path / "net", nodes, {"a": grey, "b": pointwise})
    assert not extract_kernels(open_checkpoint(path)).sizes


def test_transposed_and_spatial_convolutions(tmp_path: Path) -> None:
    up, deep = weights(4, (2, 2, 6, 5)), weights(5, (3, 1, 2, 4, 6))
    nodes = [
        node("up", "Conv2DBackpropInput", ("size", "u", "x")),
        node("deep", "Conv3D", ("x", "d"), strides=(1, 2, 1, 1, 1)),
    ]
    path = save_graph(tmp_path / "net", nodes, {"u": up, "d": deep})
    first, second = open_checkpoint(path).tensors
    assert first.operator is not None
    assert first.operator.transposed
    np.testing.assert_array_equal(first.load(), up.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(second.load(), deep.transpose(4, 3, 0, 1, 2))
    assert second.operator is not None
    assert second.operator.stride == (2, 1, 1)


def test_keras_models_are_read_by_their_configuration(tmp_path: Path) -> None:
    layers = [
        {"class_name": "SeparableConv2D", "config": {"name": "b", "strides": [2, 2]}},
        {"class_name": "Conv2D", "config": {"name": "a"}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
    arrays = {
        "a/kernel": weights(6, (3, 3, 8, 4)),
        "a/bias": weights(7, (4,)),
        "b/depthwise_kernel": K,
        "b/pointwise_kernel": weights(8, (1, 1, 8, 8)),
    }
    tensors = open_checkpoint(save_layers(tmp_path / "net", config, arrays)).tensors
    assert [tensor.name for tensor in tensors] == [
        *("b.depthwise.weight", "b.pointwise.weight", "a.weight", "a.bias")
    ]
    np.testing.assert_array_equal(tensors[0].load(), pytorch(K))
    assert tensors[0].operator is not None
    assert tensors[0].operator.stride == (2, 2)


def test_a_list_of_weights_without_a_graph(tmp_path: Path) -> None:
    arrays = {
        "dense0/conv0/filters": STEM,
        "dense0/conv0/bias": weights(9, (4,)),
        "dense0/conv1/depthwise_filter": K,
        "dense0/conv1/pointwise_filter": weights(10, (1, 1, 8, 8)),
    }
    path = tmp_path / "net-weights_manifest.json"
    path.write_text(json.dumps(manifest(tmp_path, arrays)))
    bank = extract_kernels(open_checkpoint(path))
    assert "only a network's list of weights" in bank.warnings[-1]
    (kernels,) = bank.sizes.values()
    np.testing.assert_array_equal(kernels.weights, pytorch(K)[:, 0])
    assert [layer.name for layer in bank.layers] == ["dense0.conv1.depthwise"]


def test_parts_opened_alone_name_their_network(tmp_path: Path) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS)
    network = path.rename(path.with_name("detector.json"))
    listed = tmp_path / "net" / "weights_manifest.json"
    listed.write_text(json.dumps(json.loads(network.read_text())["weightsManifest"]))
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(listed)
    assert str(caught.value) == (
        "weights_manifest.json: this is only the list of weights of a network, "
        "detector.json. Open detector.json."
    )
    listed.unlink()
    shard = tmp_path / "net" / "group1-shard1of1.bin"
    renamed = shard.with_name("values.bin")
    for name in (shard, renamed):
        if name is renamed:
            shard.rename(renamed)
            text = network.read_text().replace(shard.name, renamed.name)
            network.write_text(text)
        with pytest.raises(CheckpointError) as caught:
            open_checkpoint(name)
        assert str(caught.value) == (
            f"{name.name}: this is a part of a TensorFlow.js network. It lies beside "
            "its list of weights: open its detector.json."
        )


def test_texts_between_weights(tmp_path: Path) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS)
    content = json.loads(path.read_text())
    (group,) = content["weightsManifest"]
    group["weights"].insert(0, {"name": "words", "shape": [2], "dtype": "string"})
    path.write_text(json.dumps(content))
    shard = tmp_path / "net" / "group1-shard1of1.bin"
    words = b"\3\0\0\0one\1\0\0\0n"
    shard.write_bytes(words + shard.read_bytes())
    np.testing.assert_array_equal(
        depthwise(open_checkpoint(path))[0].load(), pytorch(K)
    )


def test_the_hash_is_of_the_weights_too(tmp_path: Path) -> None:
    paths = [
        save_graph(tmp_path / name, NODES, {**ARRAYS, "net/dw/depthwise_weights": k})
        for name, k in (("a", K), ("b", K), ("c", K + 1))
    ]
    first, same, other = (network_hash(open_checkpoint(path).files) for path in paths)
    assert first == same == hash_at(paths[0]) != other


def test_a_folder_is_its_network(tmp_path: Path) -> None:
    save_graph(tmp_path / "net", NODES, ARRAYS)
    assert [t.name for t in open_checkpoint(tmp_path / "net").tensors][1:] == [
        "net.dw.weight"
    ]


@pytest.mark.parametrize("name", ["../elsewhere.bin", "/etc/passwd", "..\\x.bin", ""])
def test_files_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS)
    (tmp_path / "elsewhere.bin").write_bytes(bytes(STEM.nbytes + K.nbytes))
    content = json.loads(path.read_text())
    content["weightsManifest"][0]["paths"] = [name]
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="outside its own folder"):
        open_checkpoint(path)


def test_missing_and_cut_files_are_named(tmp_path: Path) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS, shard=500)
    shard = tmp_path / "net" / "group1-shard2of2.bin"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-4])
    with pytest.raises(CheckpointError, match="shorter than its list of weights"):
        open_checkpoint(path)
    shard.unlink()
    with pytest.raises(CheckpointError, match=r"“group1-shard2of2\.bin”, that is not"):
        open_checkpoint(path)
    with pytest.raises(CheckpointError, match=r"open its model\.json"):
        open_checkpoint(tmp_path / "net" / "group1-shard1of2.bin")


@pytest.mark.parametrize(
    "change",
    [
        {"weightsManifest": None},
        {"weightsManifest": [3]},
        {"weightsManifest": [{"paths": "abc", "weights": []}]},
        {"weightsManifest": [{"paths": [], "weights": [{"name": 3}]}]},
        {"modelTopology": {"node": [3]}},
        {"modelTopology": {"node": [], "library": {"function": [None]}}},
    ],
)
def test_senseless_json_is_an_error(tmp_path: Path, change: dict[str, Any]) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=r"model\.json: a TensorFlow\.js network"):
        open_checkpoint(path)


def test_json_that_breaks_off(tmp_path: Path) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS)
    path.write_text(path.read_text()[:-9])
    assert is_checkpoint(path)
    with pytest.raises(CheckpointError, match="its JSON is broken"):
        open_checkpoint(path)
    path.write_text('{"modelTopology":' + "[" * 100_000)
    with pytest.raises(CheckpointError, match=r"TensorFlow\.js"):
        open_checkpoint(path)


def test_negative_and_unknown_weights(tmp_path: Path) -> None:
    path = save_graph(tmp_path / "net", NODES, ARRAYS)
    content = json.loads(path.read_text())
    first = content["weightsManifest"][0]["weights"][0]
    for change in ({"shape": [-1]}, {"dtype": "quaternion"}, {"dtype": None}):
        broken = json.loads(json.dumps(content))
        broken["weightsManifest"][0]["weights"][0] = first | change
        path.write_text(json.dumps(broken))
        with pytest.raises(CheckpointError, match=r"TensorFlow\.js network, but"):
            open_checkpoint(path)
