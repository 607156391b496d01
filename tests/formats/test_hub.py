"""Pretrained networks by name, with a cache made by hand and without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kernelviewer.formats import CheckpointError
from kernelviewer.formats.hub import fetch, known_models, repository_of
from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.tasks import open_named
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

NAME = "convnext_atto.d2_in1k"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no network."""
    from huggingface_hub import constants

    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


def put(cache: Path, repository: str, name: str) -> Path:
    """Lay a small network into the cache as the hub's library does."""
    commit = "0" * 40
    root = cache / f"models--{repository.replace('/', '--')}"
    snapshot = root / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(commit)
    return write_network(snapshot / name)


def test_the_list_has_names_repositories_and_marks() -> None:
    models = {model.name: model for model in known_models()}
    assert len(models) > 1000
    assert models[NAME].repository == f"timm/{NAME}"


def test_a_name_without_its_tag_means_the_first_of_that_name() -> None:
    repository, revision = repository_of("convnext_atto")
    assert repository.startswith("timm/convnext_atto.")
    assert revision == ""


@pytest.mark.parametrize(
    ("written", "repository", "revision"),
    [
        ("hf-hub:some/net", "some/net", ""),
        (" some/net.v2 ", "some/net.v2", ""),
        ("some/net@v1.0", "some/net", "v1.0"),
        ("https://huggingface.co/some/net", "some/net", ""),
        ("https://huggingface.co/some/net/tree/main", "some/net", "main"),
        ("https://huggingface.co/some/net/blob/dev/model.bin", "some/net", "dev"),
        (f"timm/{NAME}", f"timm/{NAME}", ""),
    ],
)
def test_a_repository_as_people_write_it(
    written: str, repository: str, revision: str
) -> None:
    assert repository_of(written) == (repository, revision)


@pytest.mark.parametrize(
    "name", ["no_such_net", "", "a/b/c", "hf-hub:", "/x", "a/b c", "../x", "a--b/c"]
)
def test_an_unknown_name_is_said_to_be_unknown(name: str) -> None:
    with pytest.raises(CheckpointError, match="no pretrained network of this name"):
        repository_of(name)


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_a_cached_network_opens_without_a_network(cache: Path, file: str) -> None:
    path = put(cache, f"timm/{NAME}", file)
    assert fetch(NAME).samefile(path)
    bank = run_now(open_named, NAME)
    assert bank.name == NAME
    assert len(bank) == 72


def test_without_cache_and_network_the_message_says_so(cache: Path) -> None:
    with pytest.raises(CheckpointError, match="HF_HUB_OFFLINE forbids to fetch them"):
        fetch(NAME)
