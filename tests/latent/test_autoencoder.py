"""Encoding and decoding, for any input a user may have."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from kernelviewer.device import Device
from kernelviewer.files import resource
from kernelviewer.kernels import KernelSet
from kernelviewer.kernels.family import random_members
from kernelviewer.kernels.statistics import measure
from kernelviewer.latent import LatentError
from kernelviewer.latent.autoencoder import METHODS, Autoencoder, shipped
from tests.latent.made import CPU, SIZE, patterns, small
from tests.recorder import EndedError, Recorder


def kernel_set(weights: np.ndarray) -> KernelSet:
    found = measure(weights)
    numbers = np.zeros(len(weights), np.int32)
    return KernelSet(
        weights.shape[1:],
        weights,
        numbers,
        np.arange(len(weights), dtype=np.int32),
        found.scale,
        found.offset,
        found.flat,
    )


@pytest.mark.parametrize("method", METHODS)
def test_decoded_patterns_are_mean_free_and_of_length_one(method: str) -> None:
    shown = small(method).spectrum(64)
    assert shown.shape == (64, *SIZE)
    assert shown.dtype == np.float32
    np.testing.assert_allclose(shown.mean(axis=(1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(shown, axis=(1, 2)), 1, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_fit_is_the_cosine_with_the_reconstruction(method: str) -> None:
    kernels, _ = patterns(50, noise=0.3, seed=3)
    codes = small(method).encode(kernels, device=CPU)
    assert ((codes.code >= 0) & (codes.code <= 1)).all()
    shown = small(method).decode(codes.code)
    cosine = np.einsum("nij,nij->n", kernels, shown)
    np.testing.assert_allclose(codes.fit, cosine, atol=2e-3)


def test_a_code_is_that_of_the_nearest_point_of_the_curve() -> None:
    kernels, _ = patterns(50, noise=0.3, seed=4)
    table = small().spectrum(2048).reshape(2048, -1)
    products = kernels.reshape(50, -1) @ table.T
    codes = small().encode(kernels, device=CPU)
    # float32 may tell two neighbours that fit alike the other way round
    np.testing.assert_allclose(codes.code, products.argmax(1) / 2047, atol=1.01 / 2047)
    np.testing.assert_allclose(codes.fit, products.max(1), atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_offset_and_scale_do_not_matter(method: str) -> None:
    kernels, _ = patterns(40, noise=0.3)
    plain = small(method).encode(kernels, device=CPU)
    moved = small(method).encode(1e-3 * kernels + 0.25, device=CPU)
    np.testing.assert_allclose(moved.code, plain.code, atol=2e-3)
    np.testing.assert_allclose(moved.fit, plain.fit, atol=1e-4)


def test_kernels_in_batches_are_encoded_as_one_by_one() -> None:
    kernels, _ = patterns(700, noise=0.5)
    together = small().encode(kernels, device=CPU)
    for i in (0, 255, 256, 511, 512, 699):
        alone = small().encode(kernels[i : i + 1], device=CPU)
        assert alone.code[0] == together.code[i]


def test_kernels_without_a_pattern_have_no_code() -> None:
    kernels = patterns(6)[0].copy()
    kernels[1] = 0
    kernels[2] = 3.7
    kernels[3, 0, 0] = np.nan
    kernels[4, 2, 2] = np.inf
    codes = small().encode(kernels, device=CPU)
    nothing = [False, True, True, True, True, False]
    assert np.isnan(codes.code).tolist() == nothing
    assert np.isnan(codes.fit).tolist() == nothing


def test_huge_and_tiny_weights_are_encoded() -> None:
    kernels, _ = patterns(5)
    plain = small().encode(kernels, device=CPU)
    for scale in (1e-20, 1e20):
        scaled = small().encode(kernels * np.float32(scale), device=CPU)
        np.testing.assert_array_equal(scaled.code, plain.code)


@pytest.mark.parametrize("method", METHODS)
def test_one_kernel_and_none(method: str) -> None:
    kernels, _ = patterns(1)
    assert len(small(method).encode(kernels, device=CPU)) == 1
    nothing = small(method).encode(kernels[:0], device=CPU)
    assert len(nothing) == 0
    assert np.isnan(nothing.mean_fit)


def test_flat_kernels_of_a_network_are_left_out() -> None:
    kernels = patterns(5)[0].copy()
    kernels[2] *= 1e-5
    codes = small().encode_set(kernel_set(kernels), device=CPU)
    assert np.isnan(codes.code).tolist() == [False, False, True, False, False]


def test_kernels_of_another_size_are_named() -> None:
    with pytest.raises(LatentError) as caught:
        small().encode(np.zeros((4, 5, 5), np.float32), device=CPU)
    assert str(caught.value).startswith(
        "this autoencoder is for 7×7 kernels, not for 5×5. Choose one for the size"
    )


def test_read_only_and_strided_arrays_and_tensors_are_taken() -> None:
    kernels, _ = patterns(20)
    wanted = small().encode(kernels, device=CPU).code
    fixed = kernels.copy()
    fixed.flags.writeable = False
    doubled = np.repeat(kernels, 2, axis=0)[::2]
    for form in (fixed, doubled, torch.from_numpy(kernels), kernels.astype(">f4")):
        np.testing.assert_array_equal(small().encode(form, device=CPU).code, wanted)


@pytest.mark.parametrize("size", [(3, 3), (7, 7), (9, 9)])
def test_numpy_and_torch_give_the_same_codes_and_labels(size: tuple[int, int]) -> None:
    clean = random_members(size, 400, seed=3)
    noise = np.random.default_rng(1).standard_normal(clean.shape, np.float32)
    kernels = np.concatenate([clean + 0.5 / size[0] * noise, noise])
    known = shipped(size)
    one = known.encode(kernels, device=CPU)
    other = known.encode(kernels, device=Device("cpu", "torch"))
    np.testing.assert_allclose(other.code, one.code, atol=1e-6)
    np.testing.assert_allclose(other.fit, one.fit, atol=1e-6)
    plainly = shipped(size, "paper")
    one = plainly.encode(kernels, device=CPU)
    other = plainly.encode(kernels, device=Device("cpu", "torch"))
    np.testing.assert_allclose(other.code, one.code, atol=1e-5)


def test_encoding_can_be_followed_and_cancelled() -> None:
    kernels, _ = patterns(600)
    watch = Recorder()
    small().encode(kernels, device=CPU, watch=watch)
    assert watch.told[-1] == (600, 600, "encoding 7×7 kernels")
    with pytest.raises(EndedError):
        small().encode(kernels, device=CPU, watch=Recorder(end=1))


def test_codes_beyond_the_axis_show_its_ends() -> None:
    ends = small().decode(np.array([-1.0, 0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(ends[0], ends[1])
    np.testing.assert_array_equal(ends[2], ends[3])
    assert small().decode(np.float32(0.5)).shape == (1, *SIZE)


def test_decoding_needs_no_torch() -> None:
    script = """
import json, sys
from kernelviewer.latent.autoencoder import shipped
known = shipped((7, 7))
known.spectrum(9), known.threshold, known.null.coverage(0.8), known.stretches
print(json.dumps("torch" in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) is False


@pytest.mark.parametrize("size", [(3, 3), (5, 5), (7, 7), (9, 9)])
@pytest.mark.parametrize("method", METHODS)
def test_the_program_comes_with_autoencoders(
    size: tuple[int, int], method: str
) -> None:
    known = shipped(size, method)
    assert known is not None
    assert known.size == size
    assert known.method == method
    assert known.null.kernels == 100_000
    assert known.card["training"]
    assert not any("UNTRAINED" in entry["name"] for entry in known.card["training"])


def test_there_are_sizes_without_an_autoencoder() -> None:
    assert shipped((1, 11)) is None
    assert shipped((7,)) is None


def test_what_is_shipped_is_small() -> None:
    files = list(resource("autoencoders").glob("*.safetensors"))
    assert len(files) == 8
    assert sum(path.stat().st_size for path in files) < 6e6


def test_an_autoencoder_can_have_other_stretches() -> None:
    other = small().with_stretches(small().stretches[:1])
    assert isinstance(other, Autoencoder)
    assert len(other.stretches) == 1
    assert len(small().stretches) > 1
