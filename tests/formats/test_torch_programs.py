"""TorchScript and torch.export: weights and what the graph says, without running it."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from kernelviewer.formats import CheckpointError, Operator, open_checkpoint
from tests.formats.reading import named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.formats import Checkpoint

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


class Network(nn.Module):
    """Depthwise, regular, 'same' padding, transposed and 1-channel convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, stride=2, padding=1)
        self.dw = nn.Conv2d(6, 12, (3, 5), groups=6, dilation=2)
        self.norm = nn.BatchNorm2d(12)
        self.seq = nn.Sequential(
            nn.Conv2d(12, 12, 5, groups=12, padding="same"),
            nn.ConvTranspose2d(12, 12, 2, stride=2, groups=12),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.seq(self.norm(self.dw(torch.relu(self.stem(x)))))


INPUT = torch.zeros(1, 1, 32, 32)
GROUPS = {"stem": 1, "dw": 6, "seq.0": 12, "seq.1": 12}


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return Network().eval()


def script(network: Network, path: Path) -> None:
    torch.jit.save(torch.jit.script(network), path)


def trace(network: Network, path: Path) -> None:
    torch.jit.save(torch.jit.trace(network, INPUT), path)


def export(network: Network, path: Path) -> None:
    torch.export.save(torch.export.export(network, (INPUT,)), path.with_suffix(".pt2"))
    path.with_suffix(".pt2").rename(path)


def older_export(network: Network, path: Path) -> None:
    """The layout of PyTorch 2.1 to 2.7: a PyTorch file inside the zip."""
    newer = path.with_suffix(".pt2")
    torch.export.save(torch.export.export(network, (INPUT,)), newer)
    state = io.BytesIO()
    torch.save(network.state_dict(), state)
    with zipfile.ZipFile(newer) as old, zipfile.ZipFile(path, "w") as new:
        graph = next(n for n in old.namelist() if n.endswith("models/model.json"))
        new.writestr("serialized_exported_program.json", old.read(graph))
        new.writestr("serialized_state_dict.pt", state.getvalue())
        new.writestr("version", "6.1")


SAVE: dict[str, Callable[[Network, Path], None]] = {
    "TorchScript, scripted": script,
    "TorchScript, traced": trace,
    "torch.export": export,
    "torch.export, older": older_export,
}


@pytest.mark.parametrize("kind", SAVE)
def test_weights_and_operators(kind: str, network: Network, tmp_path: Path) -> None:
    path = tmp_path / "network"
    SAVE[kind](network, path)
    checkpoint = open_checkpoint(path)
    assert checkpoint.format == kind.split(",")[0]
    expected = {
        name: value
        for name, value in network.state_dict().items()
        if "running" not in name and "tracked" not in name
    }
    found = named(checkpoint)
    assert set(found) == set(expected)
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor.load(), expected[name].numpy())
        layer, _, kind = name.rpartition(".")
        operator = tensor.operator
        assert (operator.groups if operator else None) == (
            GROUPS[layer] if layer in GROUPS and kind == "weight" else None
        )
    stem, dilated = found["stem.weight"].operator, found["dw.weight"].operator
    assert stem is not None
    assert (stem.stride, stem.padding, stem.transposed) == ((2, 2), (1, 1), False)
    assert dilated is not None
    assert dilated.dilation == (2, 2)
    same = found["seq.0.weight"].operator
    assert same is not None
    assert same.padding == "same"
    transposed = found["seq.1.weight"].operator
    assert transposed is not None
    assert (transposed.transposed, transposed.stride) == (True, (2, 2))


PARTS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "weight norm": parametrizations.weight_norm,
    "weight norm, older": nn.utils.weight_norm,
    "spectral norm": parametrizations.spectral_norm,
}


@pytest.mark.parametrize("kind", ["TorchScript, traced", "torch.export"])
@pytest.mark.parametrize("parts", PARTS)
def test_weights_in_parts_keep_what_the_graph_says(
    parts: str, kind: str, tmp_path: Path
) -> None:
    network = Network().eval()
    PARTS[parts](network.dw)
    SAVE[kind](network, tmp_path / "network")
    tensor = named(open_checkpoint(tmp_path / "network"))["dw.weight"]
    np.testing.assert_allclose(
        tensor.load(), network.dw.weight.detach().numpy(), atol=1e-6
    )
    assert tensor.operator is not None
    assert (tensor.operator.groups, tensor.operator.dilation) == (6, (2, 2))


def test_a_rule_of_its_own_gives_no_further_kernels(tmp_path: Path) -> None:
    network = Network().eval()
    parametrizations.orthogonal(network.seq[0])
    export(network, tmp_path / "network")
    found = named(open_checkpoint(tmp_path / "network"))
    inner = [name for name in found if name.startswith("seq.0.parametrizations")]
    assert inner
    assert all(found[name].operator is None for name in inner)


def test_a_frozen_network_has_its_weights_in_constants(
    network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "frozen.pt"
    torch.jit.save(torch.jit.freeze(torch.jit.script(network)), path)
    found = [t for t in open_checkpoint(path).tensors if t.operator]
    assert [t.name for t in found] == [f"conv_{n}.weight" for n in range(1, 5)]
    assert [t.operator.groups for t in found if t.operator] == [1, 6, 12, 12]
    last = network.get_parameter("seq.1.weight").detach().numpy()
    np.testing.assert_array_equal(found[3].load(), last)


def test_a_quantised_script(tmp_path: Path) -> None:
    from torch.ao.nn import quantized

    torch.backends.quantized.engine = "qnnpack"
    layer = quantized.Conv2d(6, 6, 3, groups=6)
    weight = torch.quantize_per_tensor(torch.randn(6, 1, 3, 3), 0.1, 0, torch.qint8)
    layer.set_weight_bias(weight, None)
    script, module = tmp_path / "quantised.pt", tmp_path / "whole.pth"
    torch.jit.save(torch.jit.script(layer), script)
    torch.save(torch.nn.Sequential(layer), module)
    values = weight.dequantize().numpy()
    for path in (script, module):
        (tensor,) = [t for t in open_checkpoint(path).tensors if len(t.shape) == 4]
        np.testing.assert_allclose(tensor.load(), values, rtol=1e-6)
        assert tensor.operator is not None
        assert (tensor.operator.groups, tensor.operator.in_channels) == (6, 6)


def rewritten(
    old: Path, new: Path, change: Callable[[str, bytes], bytes | None]
) -> Path:
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w") as target:
        for name in source.namelist():
            data = change(name, source.read(name))
            if data is not None:
                target.writestr(name, data)
    return new


def opened(path: Path) -> Checkpoint:
    return open_checkpoint(path)


def test_a_graph_that_cannot_be_read_costs_only_the_operators(
    network: Network, tmp_path: Path
) -> None:
    export(network, tmp_path / "x")
    path = rewritten(
        tmp_path / "x",
        tmp_path / "y",
        lambda name, data: b"{}" if name.endswith("model.json") else data,
    )
    checkpoint = open_checkpoint(path)
    assert len(checkpoint.tensors) == 10
    assert all(tensor.operator is None for tensor in checkpoint.tensors)


@pytest.mark.parametrize(
    ("part", "replacement", "problem"),
    [
        ("weights_config.json", b"{", "model_weights_config.json is damaged"),
        ("weights_config.json", b'{"config": 3}', "its list of weights makes no sense"),
        ("weights_config.json", None, "it holds compiled code, from which no weights"),
        ("weight_0", None, "its record weight_0 is missing"),
        ("weight_0", b"abc", "a tensor in it reaches beyond the values"),
    ],
)
def test_exported_programs_that_make_no_sense(
    part: str,
    replacement: bytes | None,
    problem: str,
    network: Network,
    tmp_path: Path,
) -> None:
    export(network, tmp_path / "x")
    path = rewritten(
        tmp_path / "x",
        tmp_path / "y.pt2",
        lambda name, data: replacement if name.endswith(part) else data,
    )
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert str(caught.value).startswith("y.pt2: a program of torch.export, but ")
    assert problem in str(caught.value)


def test_what_an_operator_leaves_open() -> None:
    assert Operator(groups=6) == Operator(6, False, None, None, None, None)
