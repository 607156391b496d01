"""Autoencoders as files: what is written comes back, anything else is named."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kernelviewer.formats import CheckpointError
from kernelviewer.latent.autoencoder import METHODS, Autoencoder
from tests.latent.made import CPU, patterns, small

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def header_of(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    return json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["kernelviewer"])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "one.safetensors"
    small().save(path)
    return path


def changed(
    saved: Path,
    header: Callable[[dict[str, Any]], object] = lambda header: None,
    arrays: Callable[[dict[str, np.ndarray]], object] = lambda arrays: None,
) -> Path:
    """The file with another header or other arrays."""
    facts, values = header_of(saved), load_file(saved)
    header(facts)
    arrays(values)
    save_file(values, saved, {"kernelviewer": json.dumps(facts)})
    return saved


@pytest.mark.parametrize("method", METHODS)
def test_what_is_saved_comes_back(method: str, tmp_path: Path) -> None:
    known = small(method)
    known.save(tmp_path / "one.safetensors")
    again = Autoencoder.load(tmp_path / "one.safetensors")
    kernels, _ = patterns(30)
    np.testing.assert_array_equal(again.spectrum(99), known.spectrum(99))
    np.testing.assert_array_equal(
        again.encode(kernels, device=CPU).code, known.encode(kernels, device=CPU).code
    )
    assert again.stretches == known.stretches
    assert again.card == json.loads(json.dumps(known.card))
    assert again.threshold == known.threshold
    assert again.null.coverage(0.6) == known.null.coverage(0.6)
    np.testing.assert_array_equal(again.point_cosine, known.point_cosine)


def test_equal_autoencoders_are_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        small().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_header_is_plain_json(saved: Path) -> None:
    header = header_of(saved)
    assert header["kind"] == "autoencoder"
    assert header["method"] == "curve"
    assert header["size"] == [7, 7]
    assert {"low", "high", "class_id", "sign", "family_cosine"} <= set(
        header["segments"][0]
    )
    names = [entry["name"] for entry in header["card"]["training"]]
    assert names == ["network-0.pth", "network-1.pth"]
    assert header["card"]["seed"] == 0
    assert header["card"]["versions"]["kernelviewer"]


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "method": (lambda h: h.update(method="magic"), "its method 'magic' is unknown"),
    "size": (lambda h: h.update(size=[7, 9]), "series has the wrong shape or type"),
    "no size": (lambda h: h.pop("size"), "size is missing"),
    "odd size": (lambda h: h.update(size=["7", 7]), "values that make no sense"),
    "vast size": (lambda h: h.update(size=[9999, 9999]), "values that make no sense"),
    "version": (lambda h: h.update(format=9), "another version of kernelviewer"),
    "kind": (lambda h: h.update(kind="network"), "is no autoencoder"),
    "class": (
        lambda h: h["segments"][0].update(class_id="blob"),
        "there is no class 'blob'",
    ),
    "gap": (lambda h: h["segments"].pop(0), "do not cover the spectrum"),
    "no stretches": (lambda h: h.update(segments=[]), "do not cover the spectrum"),
    "text": (lambda h: h["segments"][0].update(low="x"), "a border or cosine is no"),
    "card": (lambda h: h.update(card=3), "values that make no sense"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_header_is_named(saved: Path, case: str) -> None:
    spoil, words = BROKEN[case]
    with pytest.raises(CheckpointError) as caught:
        Autoencoder.load(changed(saved, header=spoil))
    assert words in str(caught.value)
    assert str(caught.value).startswith("one.safetensors: ")
    assert caught.value.hint


def put(name: str, value: np.ndarray) -> Callable[[dict[str, np.ndarray]], object]:
    return lambda arrays: arrays.update({name: value})


ARRAYS: dict[str, tuple[Callable[[dict[str, np.ndarray]], object], str]] = {
    "missing": (lambda a: a.pop("series"), "series is missing"),
    "type": (put("series", np.zeros((9, 49), np.float64)), "series has the wrong"),
    "nan": (put("series", np.full((9, 49), np.nan, np.float32)), "not finite"),
    "falls": (put("stretch", np.array([0, 0.7, 0.5, 1], np.float32)), "no sense"),
    "ends": (put("stretch", np.array([0.1, 1], np.float32)), "no sense"),
    "null": (put("null_counts", np.zeros(5, np.int32)), "no sense"),
    "below": (put("null_counts", np.full(1000, -1, np.int32)), "no sense"),
    "points": (put("point_cosine", np.zeros((4, 11), np.float32)), "point_cosine has"),
    "centroids": (put("kmeans_9", np.zeros((9, 4), np.float32)), "kmeans_9 has the"),
    "name": (put("kmeans_x", np.zeros((9, 49), np.float32)), "no sense"),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_broken_arrays_are_named(saved: Path, case: str) -> None:
    spoil, words = ARRAYS[case]
    with pytest.raises(CheckpointError) as caught:
        Autoencoder.load(changed(saved, arrays=spoil))
    assert words in str(caught.value)


def test_other_files_are_named(tmp_path: Path, saved: Path) -> None:
    network = tmp_path / "network.safetensors"
    save_file({"conv.weight": np.zeros((8, 1, 7, 7), np.float32)}, network)
    text = tmp_path / "notes.txt"
    text.write_text("no autoencoder")
    half = tmp_path / "half.safetensors"
    half.write_bytes(saved.read_bytes()[:900])
    empty = tmp_path / "empty"
    empty.touch()
    for path, words in (
        (network, "network.safetensors: is no autoencoder but a network"),
        (text, "notes.txt: is no autoencoder, or a damaged one"),
        (half, "half.safetensors: is no autoencoder, or a damaged one"),
        (empty, "empty: is no autoencoder, or a damaged one"),
        (tmp_path / "absent", "absent: there is no such file"),
        (tmp_path, f"{tmp_path.name}: is a folder"),
    ):
        with pytest.raises(CheckpointError) as caught:
            Autoencoder.load(path)
        assert str(caught.value).startswith(words)


def test_flipped_bytes_never_crash(saved: Path) -> None:
    whole = saved.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(whole)
        for at in rng.integers(0, 4000, 3):
            broken[at] = rng.integers(256)
        saved.write_bytes(broken)
        with contextlib.suppress(CheckpointError):
            assert Autoencoder.load(saved).stretches


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits are set in a fork")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    path = tmp_path / "one.safetensors"
    known = small()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            known.save(path)
        except OSError:
            os._exit(7)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert list(tmp_path.iterdir()) == []
