"""The callbacks in docs/examples, called as the frameworks call them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

import kernelviewer as kv
from kernelviewer.kernels.series import Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def load(
    monkeypatch: pytest.MonkeyPatch, name: str, frameworks: Mapping[str, ModuleType]
) -> Any:
    """An example, with a framework that is not installed."""
    for key, module in frameworks.items():
        monkeypatch.setitem(sys.modules, key, module)
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fake(name: str, **parts: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(parts)
    return module


def numbers(folder: Path) -> tuple[int, ...]:
    series = Series(list(folder.iterdir()))
    assert series.left_out == ()
    return series.numbers


def test_lightning_writes_at_the_start_along_the_way_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callbacks = fake("lightning.pytorch.callbacks", Callback=type("Callback", (), {}))
    names = ("lightning", "lightning.pytorch")
    found = load(
        monkeypatch,
        "lightning_snapshots",
        {**{name: fake(name) for name in names}, callbacks.__name__: callbacks},
    )
    network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 7, groups=8))
    trainer = SimpleNamespace(global_step=0, is_global_zero=True)
    callback = found.Snapshots(tmp_path, every=4)
    callback.on_train_start(trainer, network)
    for batch in range(20):
        trainer.global_step = (batch + 1) // 2  # gradients of two batches a step
        callback.on_train_batch_end(trainer, network, None, None, batch)
    callback.on_train_end(trainer, network)
    assert numbers(tmp_path) == (0, 4, 8, 10)
    others = found.Snapshots(tmp_path / "others")
    trainer.is_global_zero = False
    others.on_train_start(trainer, network)
    assert not (tmp_path / "others").exists()


class Layer:
    def __init__(self, name: str, **weights: np.ndarray) -> None:
        self.name = name
        vars(self).update(weights)


class DepthwiseLayer(Layer):
    pass


def test_keras_kernels_come_as_they_are_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Callback:
        model: Any = None

    keras = fake(
        "keras",
        callbacks=SimpleNamespace(Callback=Callback),
        layers=SimpleNamespace(
            DepthwiseConv1D=DepthwiseLayer, DepthwiseConv2D=DepthwiseLayer
        ),
        ops=SimpleNamespace(convert_to_numpy=np.asarray),
    )
    found = load(monkeypatch, "keras_snapshots", {"keras": keras})
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(7, 7, 4, 2)).astype(np.float32)
    separable = rng.normal(size=(3, 3, 6, 1)).astype(np.float32)
    layers = [
        Layer("conv", kernel=rng.normal(size=(3, 3, 3, 4))),
        DepthwiseLayer("dw", kernel=kernel),
        Layer(
            "sep",
            depthwise_kernel=separable,
            pointwise_kernel=rng.normal(size=(1, 1, 6, 9)),
        ),
    ]
    callback = found.Snapshots(tmp_path, every=2)
    callback.model = SimpleNamespace(name="mini", _flatten_layers=lambda: layers)
    callback.on_train_begin()
    for batch in range(5):
        callback.on_train_batch_end(batch)
    callback.on_train_end()
    callback.on_train_begin()
    assert numbers(tmp_path) == (0, 2, 4, 5)
    bank = kv.extract_kernels(kv.open_checkpoint(tmp_path / "step-000005.safetensors"))
    assert [layer.name for layer in bank.layers] == ["dw.depthwise", "sep.depthwise"]
    assert bank.metadata["architecture"] == "mini"
    weights = bank.sizes[7, 7].weights
    for channel in range(4):
        for number in range(2):  # the order in which Keras numbers its outputs
            expected = kernel[:, :, channel, number]
            np.testing.assert_allclose(
                weights[2 * channel + number], expected, atol=2e-3
            )
