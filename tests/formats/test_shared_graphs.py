"""Real ONNX, TFLite, Keras and NumPy files against what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels, size_key
from tests.formats.reading import cosines, depthwise
from tests.shared import CHECKPOINTS, needs_checkpoints, reference_counts

if TYPE_CHECKING:
    from kernelviewer.formats import Tensor

pytestmark = needs_checkpoints

SUFFIXES = {".onnx", ".tflite", ".h5", ".hdf5", ".keras", ".npz"}
FILES = sorted(
    path.name
    for path in (CHECKPOINTS.iterdir() if CHECKPOINTS.is_dir() else ())
    if path.suffix in SUFFIXES
)


def layers(name: str) -> list[Tensor]:
    """The depthwise tensors of a shared file, as the kernels room sees them."""
    checkpoint = open_checkpoint(CHECKPOINTS / name)
    included = [item.raw_name for item in extract_kernels(checkpoint).layers]
    tensors = {tensor.raw_name: tensor for tensor in checkpoint.tensors}
    return [tensors[raw_name] for raw_name in included]


@pytest.mark.parametrize("name", FILES)
def test_sizes_sums_and_lengths_of_every_layer(name: str) -> None:
    known = reference_counts()[name]
    bank = extract_kernels(open_checkpoint(CHECKPOINTS / name))
    counts = {size_key(size): len(kernels) for size, kernels in bank.sizes.items()}
    assert counts == known["kernels_per_size"]
    # Raw names of one TFLite file are shortened in the list, so: by what they hold.
    found = [(t.shape[0], [*t.shape[2:]], t.load().astype(np.float64))
             for t in layers(name)]  # fmt: skip
    assert len(found) == len(known["layers"])
    for layer in known["layers"]:
        assert any(
            kernels == layer["kernels"]
            and size == layer["size"]
            and np.isclose(values.sum(), layer["sum"], rtol=1e-5, atol=1e-4)
            and np.isclose(np.linalg.norm(values), layer["l2"], rtol=1e-5)
            for kernels, size, values in found
        ), layer


@pytest.mark.parametrize("name", [n for n in FILES if not n.endswith(".npz")])
def test_the_files_own_facts_decide(name: str) -> None:
    facts = [
        tensor.raw_name for tensor in depthwise(open_checkpoint(CHECKPOINTS / name))
    ]
    assert facts == [tensor.raw_name for tensor in layers(name)]


def test_cfsr_is_the_same_in_pytorch_and_onnx() -> None:
    onnx = layers("cfsr-x2-df2k-aitical.onnx")
    pytorch = {t.name: t for t in layers("cfsr-x2-df2k-aitical.pth")}
    assert len(onnx) == len(pytorch) == 24
    for tensor in onnx:
        np.testing.assert_array_equal(tensor.load(), pytorch[tensor.name].load())


def test_proxylessnas_is_the_same_in_int8_and_in_flax_layout() -> None:
    flax = layers("proxylessnas-w0.3-imagenet-flaxlayout.npz")
    int8 = layers("proxylessnas-w0.3-imagenet-int8-mit.pkl")
    assert len(flax) == len(int8) == 20
    for a, b in zip(flax, int8, strict=True):
        np.testing.assert_allclose(cosines(a, b), 1, atol=1e-6)


def test_visual_wake_words_in_keras_and_tflite_differ_by_folded_factors() -> None:
    keras = layers("mobilenetv1-vww96-mlcommons.h5")
    tflite = layers("mobilenetv1-vww96-float-mlcommons.tflite")
    assert len(keras) == len(tflite) == 13
    pairs = zip(keras, tflite, strict=True)  # both in network order
    found = np.concatenate([cosines(a, b) for a, b in pairs])
    np.testing.assert_allclose(np.abs(found), 1, atol=1e-4)
    assert (found < 0).sum() == 9


def test_keras_layers_come_in_network_order() -> None:
    names = [t.name for t in layers("mobilenetv1-vww96-mlcommons.h5")]
    numbers = [0, *range(1, 13)]
    assert names == [
        f"depthwise_conv2d{f'_{i}' if i else ''}.depthwise.weight" for i in numbers
    ]


def test_deimv2_quantised_keeps_names_and_patterns() -> None:
    onnx = layers("deimv2-atto-coco-dynint8.onnx")
    full = {t.name: t for t in layers("deimv2-atto-coco-intellindust.safetensors")}
    assert {tensor.name for tensor in onnx} == full.keys()
    for tensor in onnx:
        assert np.abs(cosines(tensor, full[tensor.name])).mean() > 0.996


def test_eegnet_has_two_kernels_per_channel() -> None:
    first, _ = layers("eegnet-8-2-erp-arl.h5")
    assert first.operator is not None
    assert (first.shape, first.operator.groups) == ((16, 1, 60, 1), 8)


def test_epochs_of_one_run_drift_from_the_first() -> None:
    names = [f"minixception-fer2013-epoch{i}-oarriaga.hdf5"
             for i in ("000", "003", "010", "029", "110")]  # fmt: skip
    first, *later = (layers(name) for name in names)
    found = [
        np.concatenate([cosines(a, b) for a, b in zip(first, x, strict=True)]).mean()
        for x in later
    ]
    np.testing.assert_allclose(found, [0.97, 0.91, 0.85, 0.79], atol=0.006)
