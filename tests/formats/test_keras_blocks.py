"""Keras layers whose class no configuration tells: own names, custom blocks, order."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels
from tests.formats.keras_models import (
    keras3_layers,
    keras3_weights,
    layer,
    model,
    save_keras2,
    save_keras3,
)
from tests.formats.reading import depthwise, weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from kernelviewer.formats import Checkpoint, Tensor

    Layers = dict[str, tuple[str, list[NDArray[Any]]]]

K = weights(0, (5, 5, 16, 1))
EXPAND, PROJECT = weights(1, (1, 1, 8, 16)), weights(2, (1, 1, 16, 8))
STEM = weights(3, (3, 3, 3, 8))
FLAT = "layers/depthwise_conv2d"


def norm(width: int) -> list[NDArray[Any]]:
    """Variables of a batch normalisation."""
    return [weights(seed, (width,)) for seed in range(4)]


def saved(path: Path, layers: Layers) -> Checkpoint:
    """An opened file of weights alone."""
    path = path / "net.weights.h5"
    path.write_bytes(keras3_layers(layers))
    return open_checkpoint(path)


def around(held: dict[str, tuple[str, list[NDArray[Any]]]], kind: str) -> Layers:
    """A stem, a custom layer that holds others, and a head."""
    return {
        "layers/conv2d": ("conv2d", [STEM, weights(4, (8,))]),
        f"layers/{kind}": ("block", []),
        **{f"layers/{kind}/{part}": item for part, item in held.items()},
        "layers/dense": ("dense", [weights(5, (8, 4)), weights(6, (4,))]),
    }


def block(attribute: str, own: str, kernels: NDArray[Any] = K, **more: Any) -> Layers:
    """An inverted bottleneck in a custom layer; its attributes are sorted by name."""
    channels = kernels.shape[-2] * kernels.shape[-1]
    held = {
        "bn1": ("bn1", norm(kernels.shape[-2])),
        "bn2": ("bn2", norm(channels)),
        "conv1": ("expand", [weights(1, (1, 1, 8, kernels.shape[-2]))]),
        attribute: (own, [kernels]),
        "output_conv": ("project", [weights(2, (1, 1, channels, 8))]),
        **more,
    }
    return around(dict(sorted(held.items())), "mb_conv_block")


def turned(kernels: NDArray[Any]) -> NDArray[Any]:
    """[kh, kw, C, m] → [C·m, 1, kh, kw], channel c·m + j."""
    return kernels.transpose(2, 3, 0, 1).reshape(-1, 1, *kernels.shape[:2])


def the_only(checkpoint: Checkpoint) -> Tensor:
    """The depthwise tensor; the kernels room must agree."""
    (tensor,) = depthwise(checkpoint)
    (found,) = extract_kernels(checkpoint).layers
    assert (found.kind, found.raw_name) == ("depthwise", tensor.raw_name)
    return tensor


@pytest.mark.parametrize("name", ["gamma", "conv2d_1", "block1_conv1", "dense", ""])
def test_a_layers_own_name_does_not_hide_its_class(tmp_path: Path, name: str) -> None:
    layers = {
        "layers/conv2d": ("stem", [weights(1, (3, 3, 3, 16))]),
        FLAT: (name, [K, weights(2, (16,))]),
        "layers/conv2d_1": ("depthwise_conv2d", [weights(3, (1, 1, 16, 8))]),
    }
    tensor = the_only(saved(tmp_path, layers))
    assert tensor.name == f"{name or 'depthwise_conv2d'}.depthwise.weight"
    assert tensor.raw_name == f"{FLAT}/vars/0"
    np.testing.assert_array_equal(tensor.load(), turned(K))


def test_a_convolution_called_depthwise_is_none(tmp_path: Path) -> None:
    layers = {"layers/conv2d": ("depthwise", [weights(0, (3, 3, 8, 2))])}
    (tensor,) = saved(tmp_path, layers).tensors
    assert tensor.shape == (2, 8, 3, 3)


def test_separable_layers_with_names_of_their_own(tmp_path: Path) -> None:
    point, kernels = weights(1, (1, 1, 12, 8)), weights(0, (3, 3, 6, 2))
    layers = {
        "layers/separable_conv2d": ("entry", [kernels, point, weights(2, (8,))]),
    }
    checkpoint = saved(tmp_path, layers)
    np.testing.assert_array_equal(the_only(checkpoint).load(), turned(kernels))
    assert [t.name for t in checkpoint.tensors] == [
        "entry.depthwise.weight",
        "entry.pointwise.weight",
        "entry.bias",
    ]


@pytest.mark.parametrize("as_copied", [False, True])
def test_order_without_configuration(tmp_path: Path, as_copied: bool) -> None:
    """As written; a copy of a file may be sorted, then numbers are all that tells."""
    first = [f"layers/depthwise_conv2d_{i}" if i else FLAT for i in range(3)]
    last = [f"layers/depthwise_conv2d_{i}" for i in range(3, 12)]
    paths = [*first, "layers/separable_conv2d", *last]
    written = sorted(paths) if as_copied else paths
    point = weights(1, (1, 1, 16, 8))
    layers: Layers = {}
    for path in written:
        layers[path] = (f"layer{paths.index(path)}", [K, point][: 1 + ("sep" in path)])
    names = [t.name.split(".")[0] for t in depthwise(saved(tmp_path, layers))]
    numbers = [0, 1, 2, *range(4, 13), 3] if as_copied else range(13)
    assert names == [f"layer{number}" for number in numbers]


@pytest.mark.parametrize(
    ("attribute", "own"),
    [
        ("depthwise", "block1a_dwconv2"),
        ("dw", "depthwise_conv2d_17"),
        ("conv2", "depthwise_conv2d_17"),
        ("dwconv", "conv_b"),
        ("conv2", "block1a_dw"),
        ("middle", "middle"),
    ],
)
@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize("container", ["weights", "keras"])
def test_kernels_in_a_custom_block(
    tmp_path: Path, attribute: str, own: str, multiplier: int, container: str
) -> None:
    kernels = weights(0, (5, 5, 16, multiplier))
    layers = block(attribute, own, kernels)
    if container == "weights":
        checkpoint = saved(tmp_path, layers)
    else:
        config = model(
            layer("Conv2D", "conv2d"),
            layer("demo>MBConvBlock", "block"),
            layer("Dense", "dense"),
        )
        path = save_keras3(tmp_path / "m.keras", keras3_layers(layers), config)
        checkpoint = open_checkpoint(path)
    tensor = the_only(checkpoint)
    automatic = own.startswith("depthwise_conv2d")
    assert tensor.name == f"block.{attribute if automatic else own}.depthwise.weight"
    np.testing.assert_array_equal(tensor.load(), turned(kernels))


def test_a_bias_tells_kernels_from_a_convolution_to_one_channel(tmp_path: Path) -> None:
    held = {
        "a": ("a", [K, weights(1, (16,))]),
        "b": ("b", [K + 1, weights(1, (1,))]),
    }
    checkpoint = saved(tmp_path, around(held, "custom"))
    np.testing.assert_array_equal(the_only(checkpoint).load(), turned(K))


def test_kernels_and_a_pointwise_convolution_of_one_layer(tmp_path: Path) -> None:
    point = weights(1, (1, 1, 16, 8))
    held = {"sep": ("sep", [K, point, weights(2, (8,))])}
    checkpoint = saved(tmp_path, around(held, "xception_block"))
    assert the_only(checkpoint).name == "block.sep.depthwise.weight"
    pointwise = next(t for t in checkpoint.tensors if "pointwise" in t.name)
    np.testing.assert_array_equal(pointwise.load(), point.transpose(3, 2, 0, 1))


def test_a_custom_layer_that_has_all_the_weights_itself(tmp_path: Path) -> None:
    layers = {"layers/fused_block": ("fused", [EXPAND, weights(1, (16,)), K, PROJECT])}
    tensor = the_only(saved(tmp_path, layers))
    assert tensor.raw_name == "layers/fused_block/vars/2"
    np.testing.assert_array_equal(tensor.load(), turned(K))


def test_a_custom_class_in_a_list_is_known_by_its_neighbours(tmp_path: Path) -> None:
    layers = {
        "layers/conv2d": ("stem", [weights(1, (3, 3, 3, 16))]),
        "layers/my_filter": ("one", [K]),
        "layers/batch_normalization": ("two", norm(16)),
        "layers/conv2d_1": ("three", [PROJECT]),
    }
    assert the_only(saved(tmp_path, layers)).name == "one.depthwise.weight"


def test_what_the_next_layer_takes_tells_kernels_without_a_norm(tmp_path: Path) -> None:
    layers = {
        "layers/conv2d": ("stem", [weights(1, (3, 3, 3, 16))]),
        "layers/my_filter": ("one", [weights(0, (5, 5, 16, 2))]),
        "layers/conv2d_1": ("three", [weights(2, (1, 1, 32, 8))]),
    }
    assert the_only(saved(tmp_path, layers)).name == "one.depthwise.weight"


def test_what_may_be_a_gate_is_left_open(tmp_path: Path) -> None:
    """A gate makes one channel that all are multiplied with: 16 go in and go on."""
    ends = {
        "first": ("layers/conv2d", ("stem", [weights(1, (3, 3, 3, 16))])),
        "last": ("layers/conv2d_1", ("three", [PROJECT])),
    }
    listed = dict(
        [ends["first"], ("layers/my_filter", ("one", [K])), ends["last"]],
    )
    held = {
        "bn": ("bn", norm(16)),
        "conv1": ("conv1", [EXPAND]),
        "middle": ("middle", [K]),
        "norm2": ("norm2", norm(16)),
        "norm3": ("norm3", norm(1)),
        "output_conv": ("output_conv", [PROJECT]),
    }
    for layers in (listed, around(held, "block")):
        (found,) = extract_kernels(saved(tmp_path, layers)).layers
        assert (found.kind, found.included) == ("ambiguous", False)


def test_lists_of_layers_in_a_subclassed_model(tmp_path: Path) -> None:
    layers = {
        "stem": ("stem", [STEM]),
        "convs/depthwise_conv2d": ("a", [weights(0, (3, 3, 8, 1))]),
        "convs/depthwise_conv2d_1": ("b", [weights(1, (3, 3, 8, 1))]),
    }
    checkpoint = saved(tmp_path, layers)
    assert [layer.name for layer in extract_kernels(checkpoint).layers] == [
        "convs.a.depthwise",
        "convs.b.depthwise",
    ]


def test_grouped_convolutions_as_convnext_has_them(tmp_path: Path) -> None:
    layers: Layers = {"layers/conv2d": ("stem", [weights(9, (4, 4, 3, 16))])}
    for i in range(1, 4):
        name = f"stage_0_block_{i}"
        grouped = weights(i, (7, 7, 1, 16))
        layers[f"layers/conv2d_{i}"] = (
            f"{name}_depthwise_conv",
            [grouped, K[0, 0, :, 0]],
        )
        layers[f"layers/layer_normalization_{i}"] = (f"{name}_norm", norm(16)[:2])
        layers[f"layers/dense_{i}"] = (
            f"{name}_pw",
            [weights(i, (16, 64)), norm(64)[0]],
        )
    found = extract_kernels(saved(tmp_path, layers)).layers
    assert [(item.kind, item.kernels, item.size) for item in found] == [
        ("depthwise", 16, (7, 7))
    ] * 3


def test_what_nothing_tells_is_listed_and_explained(tmp_path: Path) -> None:
    """Spatial attention has the shape of depthwise kernels: 16 channels to one."""
    held = {
        "bn1": ("bn1", norm(16)),
        "conv1": ("conv1", [EXPAND]),
        "middle": ("middle", [K]),
        "output_conv": ("output_conv", [PROJECT]),
    }
    (found,) = extract_kernels(saved(tmp_path, around(held, "block"))).layers
    assert (found.kind, found.included, found.kernels) == ("ambiguous", False, 16)
    assert found.reason == (
        "Its axes may be [height, width, channels, multiplier], of depthwise kernels, "
        "or [height, width, in, out], of an ordinary convolution: the file does not "
        "tell."
    )
    assert found.raw_name == "layers/block/middle/vars/0"


@pytest.mark.parametrize(
    ("attribute", "kernels", "widths"),
    [
        ("dw", weights(0, (3, 3, 16, 32)), []),
        ("dw1", weights(0, (3, 3, 16, 4)), [4]),
        ("gate", K, [1]),
        ("conv2", weights(0, (3, 3, 16, 16)), [16]),
    ],
)
def test_ordinary_convolutions_in_custom_blocks(
    tmp_path: Path, attribute: str, kernels: NDArray[Any], widths: list[int]
) -> None:
    held: dict[str, tuple[str, list[NDArray[Any]]]] = {
        "conv1": ("conv1", [EXPAND]),
        attribute: (attribute, [kernels]),
    }
    held |= {f"norm{width}": (f"norm{width}", norm(width)[:2]) for width in widths}
    bank = extract_kernels(saved(tmp_path, around(held, "block")))
    assert bank.layers == ()
    assert kernels.shape[::-1][:2] in [t.shape[:2] for t in bank.convolutions]


@pytest.mark.parametrize("stem_norm", [norm(8), []])
def test_a_stem_beside_the_blocks_of_a_subclassed_model_is_none(
    tmp_path: Path, stem_norm: list[NDArray[Any]]
) -> None:
    """As many channels as 3 × 8 kernels would give are in the next block by chance."""
    layers: Layers = {}
    for number in range(2):
        inner = f"blocks/inverted_residual{f'_{number}' if number else ''}"
        layers |= {
            inner: ("", []),
            f"{inner}/bn0": ("", norm(24)),
            f"{inner}/bn1": ("", norm(24)),
            f"{inner}/bn2": ("", norm(8)),
            f"{inner}/dw": ("", [weights(number, (3, 3, 24, 1))]),
            f"{inner}/expand": ("", [weights(1, (1, 1, 8, 24))]),
            f"{inner}/project": ("", [weights(2, (1, 1, 24, 8))]),
        }
    layers |= {"stem": ("", [STEM]), "stem_bn": ("", stem_norm)}
    found = extract_kernels(saved(tmp_path, layers)).layers
    assert [(item.kind, item.kernels) for item in found] == [("depthwise", 24)] * 2


def test_projections_of_attention_are_no_kernels(tmp_path: Path) -> None:
    held = {"query_dense": ("query", [weights(0, (64, 4, 2)), weights(1, (4, 2))])}
    checkpoint = saved(tmp_path, around(held, "multi_head_attention"))
    assert extract_kernels(checkpoint).layers == ()


def test_norms_are_known_by_their_shape_and_lose_their_statistics(
    tmp_path: Path,
) -> None:
    checkpoint = saved(tmp_path, block("depthwise", "depthwise"))
    names = {t.name for t in checkpoint.tensors}
    assert {"block.bn1.weight", "block.bn1.bias", "block.bn2.weight"} <= names
    statistics = {item.name for item in checkpoint.skipped}
    path = "layers/mb_conv_block"
    assert statistics == {f"{path}/bn{n}/vars/{i}" for n in (1, 2) for i in (2, 3)}


def test_custom_blocks_in_the_old_container(tmp_path: Path) -> None:
    """Keras 3 calls every kernel ``kernel``; Keras 2 would name depthwise ones."""
    inner = "block/dwconv/kernel"
    layers = {
        "conv2d": {"conv2d/kernel": STEM},
        "block": {inner: K, "block/project/kernel": PROJECT},
    }
    block = layer("demo>Block", "block", strides=[7, 7])
    config = model(layer("Conv2D", "conv2d"), block)
    checkpoint = open_checkpoint(save_keras2(tmp_path / "m.h5", layers, config))
    tensor = the_only(checkpoint)
    assert tensor.name == "block.dwconv.depthwise.weight"
    assert tensor.operator is not None
    assert tensor.operator.stride is None
    layers["block"] = {"block/gate/kernel": K}
    checkpoint = open_checkpoint(save_keras2(tmp_path / "m.h5", layers, config))
    assert [item.kind for item in extract_kernels(checkpoint).layers] == ["ambiguous"]
    layers["block"] = {"block/gate/kernel:0": K}
    checkpoint = open_checkpoint(save_keras2(tmp_path / "m.h5", layers, config))
    assert extract_kernels(checkpoint).layers == ()


def test_an_unpacked_model_is_read_with_its_configuration(tmp_path: Path) -> None:
    config = model(layer("DepthwiseConv2D", "z", strides=[2, 2]))
    path = save_keras3(tmp_path / "m.keras", keras3_layers({FLAT: ("z", [K])}), config)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "m")
    for opened in (tmp_path / "m", tmp_path / "m" / "model.weights.h5"):
        (found,) = extract_kernels(open_checkpoint(opened)).layers
        assert found.stride == (2, 2)
    (tmp_path / "m" / "config.json").write_text('{"model_type": "other"}')
    (found,) = extract_kernels(open_checkpoint(tmp_path / "m")).layers
    assert found.stride is None


@pytest.mark.parametrize(
    "name",
    [np.bytes_(b"\xe9\xff"), np.arange(3), "a\nb", "x" * 60_000, h5py.Empty("S1")],
)
def test_strange_names_do_no_harm(tmp_path: Path, name: object) -> None:
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        file[f"{FLAT}/vars/0"] = K
        group = file[f"{FLAT}/vars"]
        scalar = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5a.create(group.id, b"na\xffme", h5py.h5t.NATIVE_INT32, scalar)
        group.attrs["name"] = name
        odd = h5py.Group(h5py.h5g.create(file["layers"].id, b"depthwise_conv2d_\xff"))
        odd["vars/0"] = K
        file["/".join(["layers"] * 100) + "/depthwise_conv2d_1/vars/0"] = K
    checkpoint = open_checkpoint(path)
    assert len(depthwise(checkpoint)) == 2
    assert all(len(t.name) < 100 and t.name.isprintable() for t in checkpoint.tensors)
    (deep,) = checkpoint.skipped
    assert deep.reason == "a group nested absurdly deep"


def test_paths_written_on_windows(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers\\conv2d/vars/0"] = weights(0, (3, 3, 16, 1))
        file["layers\\depthwise_conv2d/vars/0"] = K
    checkpoint = open_checkpoint(path)
    assert the_only(checkpoint).name == "depthwise_conv2d.depthwise.weight"


def test_files_without_any_names(tmp_path: Path) -> None:
    layers = block("depthwise", "")
    datasets = {
        f"{path}/vars/{index}": values
        for path, (_, variables) in layers.items()
        for index, values in enumerate(variables)
    }
    path = tmp_path / "m.weights.h5"
    path.write_bytes(keras3_weights(datasets))
    checkpoint = open_checkpoint(path)
    assert the_only(checkpoint).name == "mb_conv_block.depthwise.depthwise.weight"
    assert "optimizer" in {item.name for item in checkpoint.skipped}
