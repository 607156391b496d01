"""`kernelviewer keys` and `kv.approximate`."""

from __future__ import annotations

import json

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer.cli import main
from kernelviewer.files import resource
from kernelviewer.kernels.keys import KeysError, read_keys
from kernelviewer.latent.keys import find_keys, null_of, published
from tests.shared import CHECKPOINTS, needs_checkpoints

SAMPLE = str(resource("sample", "sample.safetensors"))


@pytest.fixture(scope="module")
def bank() -> kv.KernelBank:
    return kv.extract_kernels(kv.open_checkpoint(SAMPLE))


def test_json_has_keys_r2_and_curve(bank, capsys) -> None:
    assert main(["keys", SAMPLE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"size", "keys", "r2", "curve"}
    assert found["size"] == "7x7"
    assert [item["key"] for item in found["keys"]] == list(range(1, 9))
    kernels = bank.sizes[7, 7]
    rows = kernels.weights.reshape(len(kernels), -1).astype(float)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    r2 = ((rows @ published().rows.T) ** 2).max(axis=1)
    assert found["r2"]["mean"] == pytest.approx(r2.mean(), abs=1e-4)
    for item in found["r2"]["layers"]:
        index = [layer.name for layer in bank.layers].index(item["layer"])
        assert item["mean"] == pytest.approx(
            r2[kernels.layer == index].mean(), abs=1e-4
        )
    assert found["curve"][-1]["mean"] == found["r2"]["mean"]
    means = [item["mean"] for item in found["curve"]]
    assert means == sorted(means)
    assert sum(item["share"] for item in found["keys"]) == pytest.approx(1, abs=1e-4)


def test_keys_are_sought_saved_and_used_again(tmp_path, capsys) -> None:
    file = tmp_path / "keys.csv"
    words = ["keys", SAMPLE, "--json"]
    assert main([*words, "--keys", "3", "--save", str(file)]) == 0
    sought = json.loads(capsys.readouterr().out)
    assert len(read_keys(file)) == 3
    assert main([*words, "--keys", str(file)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["r2"]["mean"] == pytest.approx(sought["r2"]["mean"], abs=1e-5)
    assert again["r2"]["mean"] > 0.5


@pytest.mark.parametrize("among", ["family", "kernels", "centroids"])
def test_other_candidates(bank, among) -> None:
    found = kv.approximate(bank, find_keys([bank], (7, 7), 4, among))
    assert len(found.keys) == 4
    assert found.mean > 0.5
    assert found.null.mean < 0.1


def test_noise_by_the_published_keys_is_as_measured() -> None:
    null = null_of(published())
    assert 0.060 < null.mean < 0.065
    assert null.q99 == pytest.approx(0.20, abs=0.01)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--size", "5x5"], "no 5×5"),
        (["--keys", "no.csv"], "cannot be read"),
        (["--keys", "0"], "1 or more"),
    ],
)
def test_what_cannot_be_done_is_said(words, problem, capsys) -> None:
    assert main(["keys", SAMPLE, *words]) == 1
    assert problem in capsys.readouterr().err


def test_keys_of_another_size(bank) -> None:
    with pytest.raises(KeysError, match="7×7"):
        kv.approximate(bank, "published", (5, 5))


@pytest.mark.parametrize("path", sorted(resource("keys").glob("best-*.csv")))
def test_shipped_keys_are_far_above_noise(path) -> None:
    keys = read_keys(path)
    assert len(keys) == int(path.stem.split("-")[1])
    assert "x".join(map(str, keys.size)) == path.stem.split("-")[2]


EIGHT = (
    "hfenet-x4-ntire2026-team10.bin",
    "lkdnet-s-its-swu.pth",
    "mcunet-in3-cifar100-final-sanchoo1.pth",
    "mcunet-in4-pruned-cifar10-statedict-sanchoo1.pth",
    "mcunet-vww-int8-tinyengine.tflite",
    "ppocrv6-det-small-rapidocr.onnx",
    "proxylessnas-w0.3-imagenet-int8-mit.pkl",
    "rfdnext-x4-ntire2022-team38.pth",
)


@needs_checkpoints
def test_eight_networks_as_measured() -> None:
    banks = [kv.extract_kernels(kv.open_checkpoint(CHECKPOINTS / n)) for n in EIGHT]
    found = kv.approximate(banks, published())
    assert found.mean == pytest.approx(0.443, abs=0.001)
    keys = find_keys(banks, (7, 7), 8)
    assert kv.approximate(banks, keys).mean > 0.5341  # forward search alone
