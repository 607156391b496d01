"""Training on a corpus, a part of it at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.corpus.store import Corpus, CorpusError, content_hash
from kernelviewer.corpus.stream import KernelStream
from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels
from kernelviewer.latent import finishing
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.curve import PlainFit
from kernelviewer.latent.curve_training import CurveOptions
from kernelviewer.latent.training import Training, TrainingOptions
from tests.corpus.made import make_corpus
from tests.networks import write_every_kind, write_network

if TYPE_CHECKING:
    from tests.conftest import Cli

SIZE = (7, 7)


@pytest.fixture(autouse=True)
def short_training(monkeypatch: pytest.MonkeyPatch, each_fit_once: None) -> None:
    monkeypatch.setattr(finishing, "STARTS", 1)
    monkeypatch.setattr(finishing, "KERNELS", 1000)
    monkeypatch.setattr(PlainFit, "STEPS", 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of 48, 200 and 8 kernels of 7×7; the second stands there twice."""
    files = tmp_path_factory.mktemp("networks")
    large = write_network(files / "large.safetensors", channels=100, seed=1)
    again = files / "twice.safetensors"
    again.write_bytes(large.read_bytes())
    sources = [
        write_network(files / "small.safetensors"),
        large,
        again,
        write_every_kind(files / "dead.safetensors"),
    ]
    folder = tmp_path_factory.mktemp("corpus")
    make_corpus(folder, sources)
    return folder


@pytest.mark.parametrize("weights", ["float16", "float32"])
def test_a_batch_has_some_kernels_of_each_network(
    folder: Path, tmp_path: Path, weights: str
) -> None:
    corpus = Corpus.open(folder)
    if weights == "float32":
        sources = [Path(item.source) for item in corpus.networks]
        corpus = make_corpus(tmp_path / "plain", sources, weights=weights)
    stream = KernelStream(corpus, SIZE)
    assert (
        stream.kernels == 48 + 200 + 7
    )  # equal networks count once, a dead kernel not
    first, second = stream.batch(1, 90), stream.batch(2, 90)
    for drawn in (first, second):
        counts = {item.name: len(item) for item in drawn}
        assert counts == {"dead": 7, "large": 30, "small": 30}
        assert len({item.family for item in drawn}) == 3
        for item in drawn:
            flat = item.patterns.reshape(len(item), -1)
            assert flat.mean(axis=1) == pytest.approx(0, abs=1e-6)
            assert np.linalg.norm(flat, axis=1) == pytest.approx(1, abs=1e-6)
    again = stream.batch(1, 90)
    for one, other, later in zip(first, again, second, strict=True):
        assert np.array_equal(one.patterns, other.patterns)
        if one.name != "dead":
            assert not np.array_equal(one.patterns, later.patterns)
    own = next(item for item in first if item.name == "small")
    small = next(item for item in corpus.networks if item.name == "small")
    known = _patterns(small.source)
    cosine = own.patterns.reshape(len(own), -1) @ known.T
    assert cosine.max(axis=1) == pytest.approx(1, abs=1e-3)


def _patterns(source: str) -> np.ndarray:
    weights = extract_kernels(open_checkpoint(source)).sizes[SIZE].weights
    rows = weights.reshape(len(weights), -1).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("method", ["curve", "paper"])
def test_each_sweep_is_shown_other_kernels(folder: Path, method: str) -> None:
    stream = KernelStream(Corpus.open(folder), SIZE)
    asked = []
    batch = stream.batch

    def noted(number: int, kernels: int) -> object:
        asked.append(number)
        return batch(number, kernels)

    stream.batch = noted  # type: ignore[method-assign,assignment]
    few = CurveOptions(kernels=90, centroids=20)
    options = TrainingOptions(method, 3, curve=few)  # type: ignore[arg-type]
    training = Training(SIZE, stream, options=options)
    losses = [sweep.loss for sweep in training]
    assert asked == [0, 1, 2, 3]
    assert len(losses) == 3
    assert len(set(losses)) == 3


def test_train_takes_a_corpus(folder: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "new.safetensors"
    other = write_network(tmp_path / "other.safetensors", seed=8)
    printed = cli(
        *("train", folder, "-o", out, "--size", "7x7", "--epochs", 2),
        *("--holdout", other),
    ).out
    assert "7×7, curve, 255 kernels of 3 networks" in printed
    assert "held-out fit 0." in printed
    (entry,) = Autoencoder.load(out).card["training"]
    assert (entry["networks"], entry["kernels"]) == (3, 255)
    words = ("train", folder, other, "-o", out)
    assert "name one corpus alone" in cli(*words, code=2).complaint
    told = cli("train", folder, "-o", out, "--size", "9x9", code=1).complaint
    assert "no 9x9 kernels to train on" in told


def test_a_network_that_is_held_out_is_not_shown(folder: Path) -> None:
    corpus = Corpus.open(folder)
    large = next(item for item in corpus.networks if item.name == "large")
    content = content_hash(extract_kernels(open_checkpoint(large.source)))
    assert content == large.content
    stream = KernelStream(corpus, SIZE, without={content})
    assert {item.name for item in stream.batch(0, 100)} == {"small", "dead"}
    everything = {item.content for item in corpus.networks}
    with pytest.raises(CorpusError, match="no 7x7 kernels"):
        KernelStream(corpus, SIZE, without=everything)


def test_a_damaged_partition_is_told_of(tmp_path: Path) -> None:
    source = write_network(tmp_path / "one.safetensors")
    corpus = make_corpus(tmp_path / "corpus", [source])
    stream = KernelStream(corpus, SIZE)
    (place,) = (tmp_path / "corpus" / "kernels" / "size=7x7").iterdir()
    path = place / "weights.parquet"
    path.write_bytes(path.read_bytes()[:-40] + bytes(40))
    with pytest.raises(CorpusError, match="cannot be read"):
        stream.batch(1, 10)
    path.unlink()
    with pytest.raises(CorpusError, match="cannot be read"):
        stream.batch(1, 10)
