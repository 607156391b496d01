"""Checkpoints of other libraries, whose classes are not installed: never imported."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from kernelviewer.formats import Operator, open_checkpoint
from tests.formats.reading import named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kernelviewer.formats import Checkpoint

LIBRARY = "somebodys_library"


class Thing:
    """Any object with attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


@pytest.fixture
def library() -> Iterator[types.ModuleType]:
    """A library that is gone again when the file is opened."""
    module = types.ModuleType(LIBRARY)
    for name in ("Detector", "Block"):
        kind = type(name, (nn.Sequential,), {"__module__": LIBRARY})
        setattr(module, name, kind)
    for name in ("Learner", "ModelEMA", "AdamOptimizer", "OneCycleScheduler", "Config"):
        setattr(module, name, type(name, (Thing,), {"__module__": LIBRARY}))
    sys.modules[LIBRARY] = module
    yield module
    sys.modules.pop(LIBRARY, None)


def network(library: types.ModuleType, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    block = library.Block(nn.Conv2d(6, 6, 3, groups=6, padding="same"), nn.ReLU())
    net = nn.Module()
    net.model = library.Detector(nn.Conv2d(3, 6, 3), block, nn.BatchNorm2d(6))
    return net


def opened(path: Path, value: Any) -> Checkpoint:
    torch.save(value, path)
    del sys.modules[LIBRARY]
    checkpoint = open_checkpoint(path)
    assert LIBRARY not in sys.modules
    return checkpoint


def dw(checkpoint: Checkpoint) -> np.ndarray:
    return named(checkpoint)["1.0.weight"].load()


def test_a_detector_with_its_averaged_twin(
    library: types.ModuleType, tmp_path: Path
) -> None:
    model, average = network(library, 0), network(library, 1)
    expected = average.model[1][0].weight.detach().numpy()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9).state_dict()
    value = {
        "epoch": 9,
        "model": model,
        "ema": average.half().float(),
        "updates": 100,
        "optimizer": optimizer,
        "train_args": {"lr": 0.1},
        "date": "2026",
    }
    checkpoint = opened(tmp_path / "best.pt", value)
    assert (checkpoint.copies, checkpoint.copy) == (("model", "ema"), "ema")
    assert list(named(checkpoint)) == [
        *("0.weight", "0.bias", "1.0.weight", "1.0.bias", "2.weight", "2.bias"),
    ]
    np.testing.assert_allclose(dw(checkpoint), expected, atol=1e-3)
    operator = named(checkpoint)["1.0.weight"].operator
    assert operator == Operator(6, False, (1, 1), (1, 1), "same", 6)


def test_a_learner_with_everything_in_it(
    library: types.ModuleType, tmp_path: Path
) -> None:
    model = network(library, 0)
    expected = model.model[1][0].weight.detach().numpy()
    learner = library.Learner(
        model=model,
        opt=library.AdamOptimizer(state={0: {"exp_avg": torch.ones(6, 1, 3, 3)}}),
        scheduler=library.OneCycleScheduler(last=torch.ones(6, 1, 3, 3)),
        cfg=library.Config(example=torch.ones(6, 1, 3, 3)),
        lr=3e-3,
    )
    checkpoint = opened(tmp_path / "export.pkl", learner)
    assert len(checkpoint.tensors) == 6
    np.testing.assert_array_equal(dw(checkpoint), expected)
    assert {item.name for item in checkpoint.skipped} >= {"opt", "scheduler", "cfg"}
    assert f"{LIBRARY}.Learner" in checkpoint.metadata["classes"]


def test_an_average_kept_by_an_object(
    library: types.ModuleType, tmp_path: Path
) -> None:
    model, average = network(library, 0), network(library, 1)
    expected = average.model[1][0].weight.detach().numpy()
    value = {"model": model, "ema": library.ModelEMA(ema=average, updates=3)}
    checkpoint = opened(tmp_path / "x.pt", value)
    assert checkpoint.copy == "ema"
    np.testing.assert_array_equal(dw(checkpoint), expected)


def test_a_lightning_checkpoint(library: types.ModuleType, tmp_path: Path) -> None:
    model = network(library, 0)
    state = {f"model.{name}": value for name, value in model.state_dict().items()}
    value = {
        "epoch": 3,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": {**state, "criterion.weight": torch.ones(5)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(6, 1, 3, 3)}}}],
        "lr_schedulers": [{"last_epoch": 3}],
        "callbacks": {"EMA": {"state": {"w": torch.ones(6, 1, 3, 3)}}},
        "loops": {"fit_loop": {"state_dict": {}}},
        "hyper_parameters": {"net": network(library, 5), "lr": 0.1},
    }
    checkpoint = opened(tmp_path / "last.ckpt", value)
    names = list(named(checkpoint))
    assert "model.model.1.0.weight" in names
    assert "criterion.weight" in names
    assert len(names) == 7
    branches = [item for item in checkpoint.skipped if "/" not in item.name]
    assert {item.name: item.reason for item in branches} == {
        "optimizer_states": "optimizer state",
        "lr_schedulers": "scheduler state",
        "callbacks": "training loop state",
        "loops": "training loop state",
        "hyper_parameters": "settings",
    }


def test_a_script_of_averaging_and_data_parallel(
    library: types.ModuleType, tmp_path: Path
) -> None:
    averaged = torch.optim.swa_utils.AveragedModel(network(library, 0))
    checkpoint = opened(tmp_path / "x.pt", averaged.state_dict())
    assert next(iter(named(checkpoint))) == "0.weight"
    assert len(checkpoint.tensors) == 6
