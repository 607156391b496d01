"""Which arrays of a file are the network: copies, wrappers, parts, scales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.nn.utils import spectral_norm as old_spectral_norm
from torch.nn.utils import weight_norm as old_weight_norm

from kernelviewer.formats import CheckpointError, open_checkpoint
from tests.formats.reading import named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.formats import Checkpoint

State = dict[str, torch.Tensor]


def state(seed: int = 0, prefix: str = "") -> State:
    """A small network's weights."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"stem.weight": (6, 3, 3, 3), "dw.weight": (6, 1, 3, 3), "dw.bias": (6,)}
    return {
        prefix + name: torch.randn(shape, generator=generator)
        for name, shape in shapes.items()
    }


def opened(path: Path, value: Any, copy: str = "") -> Checkpoint:
    torch.save(value, path)
    return open_checkpoint(path, copy=copy)


def first_value(checkpoint: Checkpoint) -> float:
    return float(checkpoint.tensors[0].load().flat[0])


def shown(checkpoint: Checkpoint, *states: State) -> int:
    """Which of the states is open."""
    value = first_value(checkpoint)
    return [float(next(iter(s.values())).flatten()[0]) for s in states].index(value)


NAMES = ["stem.weight", "dw.weight", "dw.bias"]
ONE, TWO = state(1), state(2)


@pytest.mark.parametrize(
    ("value", "copies", "default"),
    [
        ({"params": ONE, "params_ema": TWO}, ("params", "params_ema"), 1),
        ({"params_ema": TWO, "params": ONE}, ("params_ema", "params"), 1),
        ({"model": ONE, "ema": TWO}, ("model", "ema"), 1),
        ({"model": ONE, "model_ema": TWO, "epoch": 1}, ("model", "model_ema"), 1),
        (
            {"state_dict": ONE, "state_dict_ema": TWO},
            ("state_dict", "state_dict_ema"),
            1,
        ),
        ({"model": ONE, "ema": {"module": TWO, "decay": 0.9}}, ("model", "ema"), 1),
        ({"student": ONE, "teacher": TWO}, ("student", "teacher"), 1),
        ({"best": ONE, "last": TWO}, ("best", "last"), 0),
        ({"checkpoint": {"net": ONE, "netEMA": TWO}}, ("net", "netEMA"), 1),
        ([ONE, TWO], ("0", "1"), 0),
        (
            {"a": {f"module.{k}": v for k, v in ONE.items()}, "a_ema": TWO},
            ("a", "a_ema"),
            1,
        ),
    ],
)
def test_copies_under_sibling_keys(
    value: Any, copies: tuple[str, ...], default: int, tmp_path: Path
) -> None:
    checkpoint = opened(tmp_path / "x", value)
    assert checkpoint.copies == copies
    assert shown(checkpoint, ONE, TWO) == default
    assert list(named(checkpoint)) == NAMES
    for copy in copies:
        other = open_checkpoint(tmp_path / "x", copy=copy)
        assert other.copy == copy
        assert list(named(other)) == NAMES
    assert len([s for s in checkpoint.skipped if "another copy" in s.reason]) == 1


@pytest.mark.parametrize(
    ("lead", "base"),
    [
        ("encoder_k.", "encoder_q."),
        *(("model_ema.", "model."), ("ema_model.", "online_model.")),
        *(("teacher.", "student."), ("generator_ema.", "generator.")),
    ],
)
def test_copies_under_prefixes(lead: str, base: str, tmp_path: Path) -> None:
    value = state(1, base) | state(2, lead) | {"other.weight": torch.ones(3, 3)}
    checkpoint = opened(tmp_path / "x", value)
    assert checkpoint.copies == (base[:-1], lead[:-1])
    assert checkpoint.copy == (base if "_k" in lead else lead)[:-1]
    checkpoint = open_checkpoint(tmp_path / "x", copy=lead[:-1])
    found = named(checkpoint)
    assert set(found) == {"other.weight", *(base + name for name in NAMES)}
    np.testing.assert_array_equal(
        found[f"{base}dw.weight"].load(), TWO["dw.weight"].numpy()
    )


def blocks(seed: int, old: str = "", new: str = "") -> State:
    """A small network of blocks, with a part of its names replaced."""
    generator = torch.Generator().manual_seed(seed)
    shapes: dict[str, tuple[int, ...]] = {"stem.conv.weight": (6, 3, 3, 3)}
    for block in range(3):
        shapes[f"body.{block}.dw.weight"] = (6, 1, 5, 5)
        shapes[f"body.{block}.pw.weight"] = (6, 6, 1, 1)
    shapes |= {"up.conv.weight": (12, 6, 3, 3), "up.conv.bias": (12,)}
    return {
        name.replace(old, new): torch.randn(shape, generator=generator)
        for name, shape in shapes.items()
    }


RENAMED = [
    ("up.conv", "up.0"),
    ("up.conv", "tail.upsampler"),
    ("stem", "head"),
    ("body", "blocks"),
]


@pytest.mark.parametrize(("old", "new"), RENAMED)
@pytest.mark.parametrize(
    ("base", "average"),
    [
        *(("params", "params_ema"), ("model", "ema"), ("student", "teacher")),
        *(("state_dict", "state_dict_ema"), ("model", "model_swa")),
        ("backbone", "momentum_backbone"),
    ],
)
def test_a_copy_with_other_names_in_one_place_is_a_copy(
    base: str, average: str, old: str, new: str, tmp_path: Path
) -> None:
    plain, renamed = blocks(1), blocks(2, old, new)
    for value in ({base: plain, average: renamed}, {base: renamed, average: plain}):
        opened(tmp_path / "x", value)
        for copy in (base, average):
            checkpoint = open_checkpoint(tmp_path / "x", copy=copy)
            assert set(checkpoint.copies) == {base, average}
            assert list(named(checkpoint)) == list(value[copy])
            for name, tensor in named(checkpoint).items():
                np.testing.assert_array_equal(tensor.load(), value[copy][name].numpy())


def test_a_copy_under_a_prefix_of_its_own_is_a_copy(tmp_path: Path) -> None:
    inner = {f"ema_model.module.{name}": v for name, v in blocks(2).items()}
    checkpoint = opened(tmp_path / "x", {"model": blocks(1), "ema": inner})
    assert checkpoint.copies == ("model", "ema")
    names = [
        tensor.name.removeprefix("ema_model.module.") for tensor in checkpoint.tensors
    ]
    assert names == list(blocks(1))


@pytest.mark.parametrize(("old", "new"), RENAMED[:3])
@pytest.mark.parametrize(
    ("base", "average"),
    [("model.", "model_ema."), ("student.", "teacher."), ("", "ema.")],
)
def test_a_prefixed_copy_keeps_its_own_names(
    base: str, average: str, old: str, new: str, tmp_path: Path
) -> None:
    plain, renamed = blocks(1), blocks(2, old, new)
    value = {base + name: v for name, v in plain.items()}
    value |= {average + name: v for name, v in renamed.items()}
    value["other.weight"] = torch.ones(3, 3)
    checkpoint = opened(tmp_path / "x", value)
    assert checkpoint.copy == average[:-1]
    values = {base + name: v for name, v in renamed.items()}
    assert set(named(checkpoint)) == {*values, "other.weight"}
    for name, expected in values.items():
        np.testing.assert_array_equal(named(checkpoint)[name].load(), expected.numpy())
    other = open_checkpoint(tmp_path / "x", copy=checkpoint.copies[0])
    assert set(named(other)) == {*(base + name for name in plain), "other.weight"}


def test_every_part_that_has_an_average_counts_once(tmp_path: Path) -> None:
    value = {}
    for seed, lead in enumerate(("backbone.", "backbone_ema.", "neck.", "neck_ema.")):
        value |= {lead + name: v for name, v in blocks(seed).items()}
    checkpoint = opened(tmp_path / "x", value)
    assert checkpoint.copies == ("backbone", "backbone_ema")
    assert set(named(checkpoint)) == {
        part + name for part in ("backbone.", "neck.") for name in blocks(0)
    }
    stem = named(checkpoint)["neck.stem.conv.weight"].load()
    np.testing.assert_array_equal(stem, value["neck_ema.stem.conv.weight"].numpy())
    assert {item.name for item in checkpoint.skipped} == {"backbone", "neck"}


def test_a_third_copy_is_left_out(tmp_path: Path) -> None:
    value = {}
    for seed, lead in enumerate(("model.", "model_ema.", "model_swa.")):
        value |= {lead + name: v for name, v in blocks(seed).items()}
    checkpoint = opened(tmp_path / "x", value)
    assert list(named(checkpoint)) == list(blocks(0))
    assert {item.name for item in checkpoint.skipped} == {"model", "model_swa"}


@pytest.mark.parametrize(
    "marked",
    [
        lambda name: f"{name}_ema",
        lambda name: f"{name}.ema",
        lambda name: name.replace(".weight", "_ema.weight").replace(
            ".bias", "_ema.bias"
        ),
        lambda name: name.replace("dw.", "dw.shadow.").replace("stem.", "stem.shadow."),
    ],
)
def test_a_copy_with_a_mark_in_every_name_counts_once(
    marked: Any, tmp_path: Path
) -> None:
    value: State = {}
    for name in NAMES:
        value |= {f"net.{name}": ONE[name], f"net.{marked(name)}": TWO[name]}
    value["steps_left.weight"] = torch.ones(3, 3)
    checkpoint = opened(tmp_path / "x", value)
    assert checkpoint.copies == ("weights", checkpoint.copy)
    names = [*(f"net.{name}" for name in NAMES), "steps_left.weight"]
    assert list(named(checkpoint)) == names
    assert shown(checkpoint, ONE, TWO) == 1
    other = open_checkpoint(tmp_path / "x", copy="weights")
    assert list(named(other)) == names
    assert shown(other, ONE, TWO) == 0
    assert [item.name for item in other.skipped] == [checkpoint.copy]


def test_averaged_buffers_of_a_layer_are_no_copy(tmp_path: Path) -> None:
    value = ONE | {"book.weight": torch.ones(4, 4), "book.weight_ema": torch.ones(4, 4)}
    assert opened(tmp_path / "x", value).copies == ()
    value["dw.weight_ema"] = TWO["dw.weight"]  # one convolution of two
    checkpoint = opened(tmp_path / "x", value)
    assert checkpoint.copies == ()
    assert "dw.weight_ema" in named(checkpoint)


@pytest.mark.parametrize("key", ["critic", "teacher"])
def test_networks_of_other_shapes_are_no_copies(key: str, tmp_path: Path) -> None:
    larger = {f"layers.{i}.weight": torch.ones(7, 1, 3, 3) for i in range(4)}
    checkpoint = opened(tmp_path / "x", {"student": blocks(1), key: larger})
    assert checkpoint.copies == ()
    assert len(checkpoint.tensors) == len(blocks(1)) + 4


def test_averages_that_are_named_without_dots(tmp_path: Path) -> None:
    inner = {"ema_" + k.replace(".", "_"): v for k, v in TWO.items()}
    latent = {"model_ema." + k.replace(".", ""): v for k, v in TWO.items()}
    for value in (ONE | inner, state(1, "model.") | latent | {"vae.w": torch.ones(2)}):
        checkpoint = opened(tmp_path / "x", value)
        assert len(checkpoint.copies) == 2
        names = [name for name in named(checkpoint) if "dw.weight" in name]
        assert len(names) == 1
        np.testing.assert_array_equal(
            named(checkpoint)[names[0]].load(), TWO["dw.weight"].numpy()
        )


@pytest.mark.parametrize(
    "value",
    [
        {"generator": ONE, "discriminator": {"d.weight": torch.ones(4, 4)}},
        {"model": {**state(1, "layers.0."), **state(2, "layers.1.")}},
        {
            "blocks": [
                {"weight": torch.ones(6, 1, 3, 3)},
                {"weight": torch.zeros(6, 1, 3, 3)},
            ]
        },
        {**state(1, "branch_rgb."), **state(2, "branch_depth.")},
        {**state(1, "search."), **state(2, "target.")},
        {"q.weight": torch.ones(3, 3), "k.weight": torch.zeros(3, 3)},
        {
            "a": {"conv": {"weight": torch.ones(2, 2)}},
            "b": {"conv": {"weight": torch.ones(2, 2) * 2}},
        },
    ],
)
def test_parts_of_a_network_are_no_copies(value: Any, tmp_path: Path) -> None:
    checkpoint = opened(tmp_path / "x", value)
    assert checkpoint.copies == ()
    assert not checkpoint.skipped


def test_a_discriminator_beside_two_generators(tmp_path: Path) -> None:
    value = {"g": ONE, "d": {"conv.weight": torch.ones(4, 3, 1, 1)}, "g_ema": TWO}
    checkpoint = opened(tmp_path / "x", value)
    assert (checkpoint.copies, checkpoint.copy) == (("g", "g_ema"), "g_ema")
    assert set(named(checkpoint)) == {"d.conv.weight", *(f"g_ema.{n}" for n in NAMES)}


@pytest.mark.parametrize(
    "beside",
    [
        {"shadow_params": [torch.ones(6, 3, 3, 3), torch.ones(6, 1, 3, 3)]},
        {"metrics": {"accuracy": torch.tensor(0.9), "per_class": torch.ones(10)}},
        {"class_weights": torch.ones(10, 10)},
        {"ema": {"decay": 0.9, "shadow_params": [torch.ones(6, 1, 3, 3)]}},
        {"losses": [[torch.tensor(1.0)]]},
    ],
)
def test_arrays_beside_a_network_are_left_out(
    beside: dict[str, Any], tmp_path: Path
) -> None:
    checkpoint = opened(tmp_path / "x", {"net": ONE, **beside})
    assert list(named(checkpoint)) == NAMES
    assert {item.reason for item in checkpoint.skipped} <= {
        "an array beside the network",
        "a single number beside the network",
    }


@pytest.mark.parametrize("key", ["scaler", "amp", "scheduler", "rng"])
def test_a_network_may_have_the_name_of_a_training_state(
    key: str, tmp_path: Path
) -> None:
    checkpoint = opened(tmp_path / "x", {"epoch": 3, key: ONE})
    assert list(named(checkpoint)) == NAMES


def test_a_scaler_of_data_is_no_mixed_precision_state(tmp_path: Path) -> None:
    value = {
        "net": ONE,
        "scaler": {"mean": torch.ones(3), "std": torch.ones(3)},
        "grad_scaler": {"scale": torch.tensor(2.0), "growth_factor": 2.0},
    }
    checkpoint = opened(tmp_path / "x", value)
    assert list(named(checkpoint)) == NAMES
    assert {item.name: item.reason for item in checkpoint.skipped} == {
        "scaler/mean": "an array beside the network",
        "scaler/std": "an array beside the network",
        "grad_scaler": "mixed-precision state",
    }


def test_a_head_saved_beside_the_body_is_a_part(tmp_path: Path) -> None:
    head = {"weight": torch.ones(10, 6), "bias": torch.ones(10)}
    checkpoint = opened(tmp_path / "x", {"body": ONE, "head": head})
    names = [*(f"body.{name}" for name in NAMES), "head.weight", "head.bias"]
    assert list(named(checkpoint)) == names


def test_bookkeeping_of_averages(tmp_path: Path) -> None:
    value = {"net.decay": torch.ones(8, 8), "decay": torch.tensor(0.9)} | ONE
    checkpoint = opened(tmp_path / "x", value)
    assert list(named(checkpoint)) == ["net.decay", *NAMES]
    assert checkpoint.skipped[0].reason == "bookkeeping of a moving average"


def test_a_copy_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path / "x.pth", {"params": ONE, "params_ema": TWO}, copy="best")
    assert str(caught.value) == (
        "x.pth: a PyTorch file, but it holds no copy of the network called “best”. "
        "It holds params and params_ema."
    )
    with pytest.raises(CheckpointError, match="It holds just one copy of its network"):
        opened(tmp_path / "x.pth", ONE, copy="best")


def test_the_very_same_dictionary_twice(tmp_path: Path) -> None:
    checkpoint = opened(tmp_path / "x", {"model": ONE, "state_dict": ONE})
    assert list(named(checkpoint)) == NAMES
    assert checkpoint.skipped[0].reason == "the same object as model"


@pytest.mark.parametrize(
    "prefix",
    [
        *("module.", "_orig_mod.", "model.", "module.model.", "model._orig_mod."),
        "_orig_mod.module.",
    ],
)
def test_wrappers_do_not_show(prefix: str, tmp_path: Path) -> None:
    checkpoint = opened(tmp_path / "x", {"state_dict": state(1, prefix)})
    assert list(named(checkpoint)) == NAMES
    assert checkpoint.tensors[0].raw_name == f"state_dict/{prefix}stem.weight"


def test_wrappers_around_parts_do_not_show(tmp_path: Path) -> None:
    value = {
        "encoder._fsdp_wrapped_module.dw.weight": torch.ones(6, 1, 3, 3),
        "encoder._checkpoint_wrapped_module.pw.weight": torch.ones(6, 6),
        "head._orig_mod.weight": torch.ones(2, 6),
        "model.weight": torch.ones(2, 2),
    }
    found = named(opened(tmp_path / "x", value))
    assert list(found) == [
        *("encoder.dw.weight", "encoder.pw.weight", "head.weight", "model.weight")
    ]


def convolution(groups: int = 6) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(6, 6, 3, groups=groups)


def negative(layer: nn.Module) -> nn.Module:
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.endswith(("_g", "original0")):
                parameter[1::2] *= -2
    return layer


def run(layer: nn.Module) -> nn.Module:
    layer.eval()
    layer(torch.zeros(1, 6, 9, 9))
    return layer


FOLDED: dict[str, Callable[[], nn.Module]] = {
    "weight norm, old": lambda: run(negative(old_weight_norm(convolution()))),
    "weight norm": lambda: run(negative(parametrizations.weight_norm(convolution()))),
    "weight norm of the whole": lambda: run(
        parametrizations.weight_norm(convolution(), dim=None)
    ),
    "weight norm over another axis": lambda: run(
        parametrizations.weight_norm(convolution(1), dim=1)
    ),
    "spectral norm, old": lambda: run(old_spectral_norm(convolution())),
    "spectral norm": lambda: run(parametrizations.spectral_norm(convolution())),
    "spectral norm, transposed": lambda: run(
        parametrizations.spectral_norm(nn.ConvTranspose2d(6, 4, 3))
    ),
    "pruned": lambda: run(prune.random_unstructured(convolution(), "weight", 0.4)),
}


PICKLED = ("weight norm, old", "spectral norm, old", "pruned")
"""Modules with the newer kind of parametrisation refuse to be pickled whole."""


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    ("case", "whole"), [*((c, False) for c in FOLDED), *((c, True) for c in PICKLED)]
)
def test_weights_in_parts_are_joined(case: str, whole: bool, tmp_path: Path) -> None:
    layer = FOLDED[case]()
    net = nn.Sequential(layer, nn.Conv2d(6, 2, 1))
    value = net if whole else {"state_dict": net.state_dict()}
    checkpoint = opened(tmp_path / "x", value)
    found = named(checkpoint)
    assert set(found) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    expected = layer.weight.detach().numpy()
    np.testing.assert_allclose(found["0.weight"].load(), expected, rtol=2e-5, atol=1e-7)
    assert found["0.weight"].shape == expected.shape
    assert found["0.weight"].raw_name.endswith("0.weight")
    assert not checkpoint.warnings


def test_a_parametrisation_whose_rule_is_not_in_the_file(tmp_path: Path) -> None:
    value = {"dw.parametrizations.weight.original": torch.ones(6, 1, 3, 3)}
    checkpoint = opened(tmp_path / "x", value)
    assert list(named(checkpoint)) == ["dw.weight"]
    assert checkpoint.warnings[0].startswith("dw.weight: re-parametrised in a way")


@pytest.mark.parametrize(
    ("beside", "scale", "zero"),
    [
        ({"dw.weight_scale": torch.full((6,), 0.5)}, 0.5, 0),
        ({"dw.weight_scale": torch.full((6, 1, 1, 1), 0.5)}, 0.5, 0),
        ({"dw.weight_scale": torch.tensor(0.25)}, 0.25, 0),
        ({"dw.w_scales": np.full(6, 0.5)}, 0.5, 0),
        ({"dw.w_scales": 0.125, "dw.w_zero_point": 3}, 0.125, 3),
        (
            {
                "dw.weight_scale": torch.full((6,), 0.5),
                "dw.weight_zero_point": torch.full((6,), 2, dtype=torch.int32),
            },
            0.5,
            2,
        ),
        ({"dw.weight_scale": torch.full((5,), 0.5)}, 1, 0),
    ],
)
def test_scales_beside_quantised_weights(
    beside: dict[str, Any], scale: float, zero: int, tmp_path: Path
) -> None:
    weight = torch.arange(-27, 27, dtype=torch.int8).reshape(6, 1, 3, 3)
    checkpoint = opened(tmp_path / "x", {"dw.weight": weight, **beside})
    found = named(checkpoint)["dw.weight"]
    assert found.dtype == "int8"
    expected = (weight.numpy().astype(np.float32) - zero) * scale
    np.testing.assert_allclose(found.load(), expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 1}]},
            "it holds the state of an optimizer and no network. Open the file with the "
            "network's weights, saved beside it.",
        ),
        (
            {"optimizer": {"state": {}, "param_groups": [{}]}, "epoch": 3},
            "it holds the state of an optimizer and no network. Open the file with the "
            "network's weights, saved beside it.",
        ),
        (
            {"epoch": 3, "name": "x"},
            "it holds no arrays. Open the file that holds the network's state dict.",
        ),
        (
            {"bn.running_mean": torch.ones(3)},
            "it holds no weights of a network (running statistics of a normalisation "
            "layer). Open the file that holds the network's state dict.",
        ),
    ],
)
def test_files_without_a_network(value: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        opened(tmp_path / "x.pth", value)
    assert str(caught.value) == f"x.pth: a PyTorch file, but {message}"
