"""Recognising timm's architectures by the names and shapes of their tensors."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import kernelviewer as kv
from kernelviewer.files import resource
from kernelviewer.kernels.names import fingerprint

if TYPE_CHECKING:
    from pathlib import Path


def save(path: Path, state: dict[str, Any]) -> Path:
    """Write a state dict as safetensors, in alphabetical order as many files are."""
    from safetensors.torch import save_file

    save_file({name: value.contiguous() for name, value in state.items()}, path)
    return path


def timm_state(name: str, **options: Any) -> dict[str, Any]:
    """State dict of an architecture with random weights."""
    return dict(made_state(name, **options))


@cache
def made_state(name: str, **options: Any) -> dict[str, Any]:
    """The same, made once."""
    timm = pytest.importorskip("timm")
    return timm.create_model(name, **options).state_dict()


def test_a_network_of_timm_is_named_with_strides_and_dilations(tmp_path: Path) -> None:
    path = save(tmp_path / "net.safetensors", timm_state("mobilenetv2_050"))
    bank = kv.extract_kernels(kv.open_checkpoint(path))
    assert "mobilenetv2_050" in bank.architecture
    strides = {layer.name: layer.stride for layer in bank.layers}
    assert strides["blocks.0.0.conv_dw"] == (1, 1)
    assert strides["blocks.1.0.conv_dw"] == (2, 2)


@pytest.mark.parametrize(
    "name", ["mobileone_s0", "fastvit_t8", "repvit_m1_0", "repghostnet_050"]
)
def test_networks_fused_for_inference_are_named(tmp_path: Path, name: str) -> None:
    timm = pytest.importorskip("timm")
    from timm.utils.model import reparameterize_model

    network = reparameterize_model(timm.create_model(name).eval())
    path = save(tmp_path / "net.safetensors", network.state_dict())
    bank = kv.extract_kernels(kv.open_checkpoint(path))
    assert bank.architecture == name
    assert all(layer.kind == "depthwise" for layer in bank.layers)
    strides = {layer.stride for layer in bank.layers}
    assert {(1, 1), (2, 2)} <= strides
    assert None not in strides


def test_another_head_changes_nothing(tmp_path: Path) -> None:
    state = timm_state("convnext_atto", num_classes=7)
    path = save(tmp_path / "net.safetensors", state)
    bank = kv.extract_kernels(kv.open_checkpoint(path))
    assert "convnext_atto" in bank.architecture


@pytest.mark.parametrize("name", ["convnext_atto", "convnextv2_atto"])
def test_networks_with_the_same_convolutions_are_told_apart(
    tmp_path: Path, name: str
) -> None:
    path = save(tmp_path / "net.safetensors", timm_state(name))
    assert kv.extract_kernels(kv.open_checkpoint(path)).architecture == name


def test_a_network_inside_another_module_is_known(tmp_path: Path) -> None:
    state = timm_state("mobilenetv2_050")
    inner = {f"system.net.{name}": value for name, value in state.items()}
    path = save(tmp_path / "net.safetensors", inner)
    bank = kv.extract_kernels(kv.open_checkpoint(path))
    assert "mobilenetv2_050" in bank.architecture
    strides = {layer.name: layer.stride for layer in bank.layers}
    assert (2, 2) in strides.values()


@pytest.mark.parametrize("shared", [True, False])
def test_layers_that_share_their_weights(tmp_path: Path, shared: bool) -> None:
    import torch

    state = timm_state("coat_lite_tiny")
    if not shared:
        state = {name: value.clone() for name, value in state.items()}
    torch.save(state, tmp_path / "net.pth")
    bank = kv.extract_kernels(kv.open_checkpoint(tmp_path / "net.pth"))
    assert bank.architecture == "coat_lite_tiny"
    assert all(layer.stride == (1, 1) for layer in bank.layers)


def test_unknown_vectors_leave_all_names_open(tmp_path: Path) -> None:
    state = timm_state("convnext_atto")
    state["stages.0.extra"] = state["head.fc.bias"].clone()
    path = save(tmp_path / "net.safetensors", state)
    bank = kv.extract_kernels(kv.open_checkpoint(path))
    assert bank.architecture == "convnext_atto or alike"


def test_another_shape_is_not_taken_for_it(tmp_path: Path) -> None:
    state = timm_state("convnext_atto", dims=(40, 80, 160, 328))
    path = save(tmp_path / "net.safetensors", state)
    bank = kv.extract_kernels(kv.open_checkpoint(path))
    assert bank.architecture == ""
    assert len(bank) > 0


def test_the_index_knows_the_families_that_matter() -> None:
    index = json.loads(resource("architectures", "index.json").read_bytes())
    groups = [group for found in index["architectures"].values() for group in found]
    names = {name for _, names, _ in groups for name in names}
    assert {"convnext_tiny", "convnextv2_large", "mobilenetv3_large_100"} <= names
    assert {"efficientnet_b0", "mixnet_s", "replknet_31b"} & names
    assert "resnet50" not in names


def test_only_convolutions_count_for_the_fingerprint() -> None:
    shapes = {"a.weight": (8, 1, 3, 3), "head.weight": (10, 8), "norm": (8,)}
    assert fingerprint(shapes) == fingerprint({"a.weight": (8, 1, 3, 3)})
    assert fingerprint(shapes) != fingerprint({"a.weight": (8, 1, 5, 5)})
