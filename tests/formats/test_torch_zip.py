"""PyTorch files as people save them: types, views, nesting, modules, numpy inside."""

from __future__ import annotations

import argparse
import zipfile
from collections import OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from kernelviewer.formats import CheckpointError, Operator, open_checkpoint
from tests.formats.reading import bytes_read, named
from tests.recorder import EndedError, Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.formats import Checkpoint

FLOAT8 = ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
DTYPES = ("float64", "float32", "float16", "bfloat16", "int8", "uint8", *FLOAT8)


def save(path: Path, value: object, *, legacy: bool = False, **options: Any) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=not legacy, **options)
    return path


def opened(path: Path, value: object, *, legacy: bool = False) -> Checkpoint:
    return open_checkpoint(save(path, value, legacy=legacy))


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def network() -> nn.Sequential:
    """A depthwise layer, a norm and a regular convolution, never run."""
    return nn.Sequential(
        nn.Conv2d(6, 6, 3, groups=6, stride=2, padding=1),
        nn.BatchNorm2d(6),
        nn.Conv2d(6, 4, 1),
    )


def same(checkpoint: Checkpoint, state: dict[str, torch.Tensor]) -> None:
    """Every floating weight of a state dict is there, with its values, in order."""
    expected = {
        k: v for k, v in state.items() if "running" not in k and v.is_floating_point()
    }
    assert list(named(checkpoint)) == list(expected)
    for name, tensor in named(checkpoint).items():
        np.testing.assert_array_equal(
            tensor.load().astype(np.float32), expected[name].float().numpy()
        )


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_gives_the_values_torch_gives(
    dtype: str, legacy: bool, tmp_path: Path
) -> None:
    values = torch.linspace(-3, 3, 48).to(getattr(torch, dtype)).reshape(4, 12)
    checkpoint = opened(tmp_path / "x", {"a.w": values}, legacy=legacy)
    (tensor,) = checkpoint.tensors
    assert (tensor.dtype, tensor.shape) == (dtype, (4, 12))
    expected = values.to(torch.float32).numpy()
    np.testing.assert_array_equal(tensor.load().astype(np.float32), expected)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_pickle_protocol(protocol: int, legacy: bool, tmp_path: Path) -> None:
    state = network().state_dict()
    save(tmp_path / "x", state, legacy=legacy, pickle_protocol=protocol)
    same(open_checkpoint(tmp_path / "x"), state)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_views_of_shared_storages(legacy: bool, tmp_path: Path) -> None:
    base = random(8, 1, 6, 6)
    views = {
        "a.whole": base,
        "a.part": base[2:5],
        "a.cut_out": base[:, :, 1:4, 2:5],
        "a.transposed": base.transpose(2, 3),
        "a.last": base.to(memory_format=torch.channels_last),
        "a.stepped": base[::3, :, ::2],
        "a.repeated": base[:1, :, :1, :1].expand(8, 1, 6, 6),
        "a.one": base[0, 0, 0, 0],
    }
    found = named(opened(tmp_path / "x", views, legacy=legacy))
    for name, view in views.items():
        np.testing.assert_array_equal(found[name].load(), view.numpy())
        assert found[name].load().flags.c_contiguous


def test_only_the_values_asked_for_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = random(10_000, 1, 5, 5)
    path = save(tmp_path / "x", {"a.big": base, "a.part": base[100:140]})
    with bytes_read(monkeypatch) as counts:
        checkpoint = open_checkpoint(path)
        assert sum(counts) < 2000
        counts.clear()
        named(checkpoint)["a.part"].load()
        assert max(counts) == 40 * 25 * 4


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_whole_modules_give_what_their_state_dict_gives(
    legacy: bool, tmp_path: Path
) -> None:
    model = network()
    checkpoint = opened(tmp_path / "x", model, legacy=legacy)
    same(checkpoint, model.state_dict())
    facts = {"groups": 6, "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}
    assert checkpoint.tensors[0].operator == Operator(**facts, in_channels=6)
    assert checkpoint.tensors[2].operator is None
    assert "torch.nn.modules.conv.Conv2d" in checkpoint.metadata["classes"]


def test_buffers_that_a_module_does_not_save_are_left_out(tmp_path: Path) -> None:
    model = network()
    model.register_buffer("kept", random(6, 1, 3, 3))
    model.register_buffer("scratch", random(6, 1, 3, 3), persistent=False)
    checkpoint = opened(tmp_path / "x", model)
    same(checkpoint, model.state_dict())
    assert "scratch" in {item.name for item in checkpoint.skipped}


def test_a_training_checkpoint(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.AdamW(model.parameters())
    model(random(2, 6, 8, 8)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    value = {
        "epoch": 3,
        "arch": "convnext_tiny",
        "best_acc1": torch.tensor(76.1),
        "losses": [torch.tensor(1.0), torch.tensor(0.5)],
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "another": {"state": {0: {"exp_avg": random(6, 1, 3, 3)}}, "param_groups": []},
        "lr_scheduler": scheduler.state_dict(),
        "rng_state": torch.get_rng_state(),
        "args": argparse.Namespace(lr=1e-3, weights=random(6, 1, 3, 3)),
        "grad_scaler": torch.amp.GradScaler("cpu", enabled=True).state_dict(),
        "history": np.arange(5.0),
        "precision": np.float64(0.5),
    }
    checkpoint = opened(tmp_path / "x", value)
    same(checkpoint, model.state_dict())
    assert checkpoint.architecture == "convnext_tiny"
    facts = {"epoch": 3, "arch": "convnext_tiny", "precision": 0.5}
    assert checkpoint.metadata["facts"] == facts
    reasons = {item.name: item.reason for item in checkpoint.skipped}
    assert reasons["optimizer"] == "optimizer state"
    assert reasons["another"] == "optimizer state"
    assert reasons["lr_scheduler"] == "scheduler state"
    assert reasons["args"] == "settings"
    assert reasons["best_acc1"] == "a single number beside the network"
    assert "history" in reasons
    assert "rng_state" in reasons


def test_lists_and_dictionaries_without_end(tmp_path: Path) -> None:
    blocks = [{"dw": {"weight": random(6, 1, 5, 5, seed=i)}} for i in range(3)]
    value = {"blocks": blocks, "more": (random(2, 2), [random(3, 3)])}
    found = named(opened(tmp_path / "x", value))
    assert {t.raw_name for t in found.values()} == {
        *("blocks[0]/dw/weight", "blocks[1]/dw/weight", "blocks[2]/dw/weight"),
        *("more[0]", "more[1][0]"),
    }
    for index, block in enumerate(blocks):
        array = found[f"blocks.{index}.dw.weight"].load()
        np.testing.assert_array_equal(array, block["dw"]["weight"].numpy())


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_numpy_arrays_inside(protocol: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "a.large": rng.normal(size=(64, 1, 7, 7)).astype(np.float32),
        "a.small": rng.normal(size=(2, 1, 3, 3)),
        "a.half": rng.normal(size=(3, 3)).astype(np.float16),
        "a.columns": np.asfortranarray(rng.normal(size=(5, 2, 3))),
        "a.big_endian": rng.normal(size=(4, 4)).astype(">f4"),
        "a.int8": rng.integers(-128, 127, (3, 3), np.int8),
        "a.words": np.array(["a", "b"]),
        "a.objects": np.array([{}, []], dtype=object),
    }
    path = save(tmp_path / "x", arrays, pickle_protocol=protocol)
    checkpoint = open_checkpoint(path)
    found = named(checkpoint)
    for name, array in arrays.items():
        if array.dtype.kind in "OU":
            assert name not in found
        else:
            np.testing.assert_array_equal(found[name].load(), array)
    assert {item.reason for item in checkpoint.skipped} == {
        "it is a numpy array that holds no plain numbers"
    }


def test_parameters_subclasses_and_odd_dictionaries(tmp_path: Path) -> None:
    weight = random(6, 1, 3, 3)
    nets = defaultdict(OrderedDict)
    nets["net"]["a.weight"] = nn.Parameter(weight)
    checkpoint = opened(tmp_path / "x", nets)
    np.testing.assert_array_equal(checkpoint.tensors[0].load(), weight.numpy())


def test_a_lone_tensor(tmp_path: Path) -> None:
    tensor = random(6, 1, 3, 3)
    (found,) = opened(tmp_path / "x", tensor).tensors
    np.testing.assert_array_equal(found.load(), tensor.numpy())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_quantised_tensors(legacy: bool, tmp_path: Path) -> None:
    weight = random(6, 1, 3, 3)
    scales = torch.linspace(0.01, 0.06, 6, dtype=torch.float64)
    zeros = torch.arange(6)
    state = {
        "a.per_tensor": torch.quantize_per_tensor(weight, 0.05, 3, torch.quint8),
        "a.per_channel": torch.quantize_per_channel(
            weight, scales, zeros, 0, torch.qint8
        ),
    }
    found = named(opened(tmp_path / "x", state, legacy=legacy))
    for name, tensor in state.items():
        expected = tensor.dequantize().numpy()
        np.testing.assert_allclose(found[name].load(), expected, rtol=1e-6)


def quantised_network() -> nn.Module:
    """Layers as PyTorch's own quantisation leaves them."""
    from torch.ao import quantization

    engines = torch.backends.quantized.supported_engines
    engine = next((name for name in ("qnnpack", "fbgemm") if name in engines), "")
    if not engine:
        pytest.skip("this PyTorch quantises nothing")
    torch.backends.quantized.engine = engine
    network = nn.Sequential(
        quantization.QuantStub(),
        nn.Conv2d(3, 6, 3),
        nn.Conv2d(6, 6, 3, groups=6),
        nn.Flatten(),
        nn.Linear(6 * 4 * 4, 5),
        quantization.DeQuantStub(),
    ).eval()
    network.qconfig = quantization.get_default_qconfig(engine)
    prepared = quantization.prepare(network)
    prepared(random(2, 3, 8, 8))
    return quantization.convert(prepared)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["state dict", "module", "script"])
def test_quantised_layers_keep_their_weights_and_biases(
    kind: str, tmp_path: Path
) -> None:
    network, path = quantised_network(), tmp_path / "x"
    if kind == "script":
        torch.jit.save(torch.jit.script(network), path)
    else:
        save(path, network if kind == "module" else network.state_dict())
    checkpoint = open_checkpoint(path)
    found = named(checkpoint)
    for place in (1, 2, 4):
        expected = network[place].weight().dequantize().detach().numpy()
        np.testing.assert_allclose(found[f"{place}.weight"].load(), expected, rtol=1e-6)
        bias = network[place].bias().detach().numpy()
        np.testing.assert_array_equal(found[f"{place}.bias"].load(), bias)
    reasons = {item.reason for item in checkpoint.skipped}
    assert reasons == {"zero point of a quantised layer"}


def test_packed_values_that_contain_themselves_are_no_layer(tmp_path: Path) -> None:
    endless: list[Any] = []
    endless += [endless] * 19
    state = {"a.weight": random(6, 1, 3, 3), "b._packed_params": (endless, endless)}
    assert list(named(opened(tmp_path / "x", state))) == ["a.weight"]


def test_whole_numbers_of_quantised_layers_are_called_so(tmp_path: Path) -> None:
    state = {
        "dw.weight": random(6, 1, 3, 3),
        "dw.bias": torch.arange(6, dtype=torch.int32),
        "dw.zero_point": torch.tensor(3),
        "index": torch.arange(6),
    }
    checkpoint = opened(tmp_path / "x", state)
    assert {item.name: item.reason for item in checkpoint.skipped} == {
        "dw.bias": "bias of a quantised layer, in whole numbers",
        "dw.zero_point": "zero point of a quantised layer",
        "index": "whole numbers (indices, counters or a mask), no weights",
    }


@pytest.mark.filterwarnings("ignore")
def test_tensors_that_cannot_be_shown_are_listed(tmp_path: Path) -> None:
    state = {
        "a.weight": random(2, 2),
        "a.sparse": torch.eye(3).to_sparse(),
        "a.rows": torch.eye(3).to_sparse_csr(),
        "a.meta": torch.empty(3, device="meta"),
        "a.empty": torch.empty(0, 3),
    }
    checkpoint = opened(tmp_path / "x", state)
    assert [t.name for t in checkpoint.tensors] == ["a.weight"]
    assert {item.name: item.reason for item in checkpoint.skipped} == {
        "a.sparse": "it is a sparse tensor",
        "a.rows": "it is a sparse tensor",
        "a.meta": "it was saved without values",
        "a.empty": "it is empty",
    }
    assert checkpoint.warnings == (
        "2 arrays (a.sparse …) are left out: it is a sparse tensor. "
        "Save sparse tensors dense: tensor.to_dense().",
        "a.meta is left out: it was saved without values. "
        "Save the network after its values were loaded, not from the meta device.",
    )


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.eye(3).to_sparse(), r"a sparse tensor\)\. Save .*tensor\.to_dense\(\)"),
        (torch.eye(3) * 1j, r"complex numbers.*value\.real and value\.imag"),
        (torch.empty(3, 3, device="meta"), r"without values\)\. Save .*meta device"),
    ],
)
def test_what_cannot_be_shown_says_how_to_save_it(
    tmp_path: Path, tensor: torch.Tensor, message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        opened(tmp_path / "x", {"a.weight": tensor})


def test_a_file_of_a_big_endian_machine(tmp_path: Path) -> None:
    weight = random(6, 1, 3, 3)
    path = save(tmp_path / "x", {"a.weight": weight})
    swapped = tmp_path / "y"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(swapped, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("byteorder"):
                data = b"big"
            elif "/data/" in name:
                data = np.frombuffer(data, "<u4").byteswap().tobytes()
            new.writestr(name, data)
    found = open_checkpoint(swapped).tensors[0].load()
    np.testing.assert_array_equal(found, weight.numpy())


def test_a_file_that_was_zipped_again_with_compression(tmp_path: Path) -> None:
    state = network().state_dict()
    path = save(tmp_path / "x", {"state_dict": state})
    packed = tmp_path / "y.pth"
    with (
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name))
    same(open_checkpoint(packed), state)


def test_storages_that_are_missing_or_too_short(tmp_path: Path) -> None:
    path = save(tmp_path / "x", {"a.weight": random(6, 1, 3, 3)})
    for keep, problem in (
        (0, "its record data/0 is missing"),
        (100, "holds 100 bytes"),
    ):
        broken = tmp_path / f"{keep}.pth"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(broken, "w") as new:
            for name in old.namelist():
                if not name.endswith("data/0"):
                    new.writestr(name, old.read(name))
                elif keep:
                    new.writestr(name, old.read(name)[:keep])
        with pytest.raises(CheckpointError, match=problem):
            open_checkpoint(broken)


def test_tied_weights_count_once(tmp_path: Path) -> None:
    weight = random(6, 1, 3, 3)
    checkpoint = opened(tmp_path / "x", {"a.weight": weight, "b.weight": weight})
    assert [t.name for t in checkpoint.tensors] == ["a.weight"]
    assert checkpoint.skipped[0].reason == "the same values as a.weight"


def test_cancelling(tmp_path: Path) -> None:
    path = save(tmp_path / "x", network().state_dict())
    with pytest.raises(EndedError):
        open_checkpoint(path, watch=Recorder(end=1))
