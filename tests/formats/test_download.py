"""Fetching from a hub on this machine: progress, cancel, and every way to fail."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from kernelviewer.cli import main
from kernelviewer.formats import CheckpointError
from kernelviewer.formats.hub import PIECE, fetch
from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.tasks import open_named
from kernelviewer.jobs.ticket import Cancelled, Ticket
from tests.formats.fake_hub import serving
from tests.networks import write_network
from tests.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.formats.fake_hub import FakeHub

NAME = "convnext_atto.d2_in1k"
REPOSITORY = f"timm/{NAME}"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    from huggingface_hub import constants

    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub that the library takes for the real one."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between tries
    with serving(monkeypatch) as hub:
        yield hub


@pytest.fixture
def network(tmp_path: Path) -> bytes:
    """A small network's file, grown beyond several pieces."""
    import numpy as np
    from safetensors.numpy import load, save

    state = load(write_network(tmp_path / "net.safetensors").read_bytes())
    state["head.weight"] = np.zeros((4 * PIECE // 400, 400), np.float32)
    return save(state)


def blobs(cache: Path) -> list[Path]:
    """The files in the cache that hold anything, whole or not."""
    return [path for path in cache.rglob("blobs/*") if path.is_file()]


def message(name: str) -> str:
    with pytest.raises(CheckpointError) as caught:
        fetch(name)
    return str(caught.value)


def test_it_is_fetched_once_with_progress_and_opens(
    hub: FakeHub, cache: Path, network: bytes
) -> None:
    hub.files[REPOSITORY] = {
        "model.safetensors": network,
        "config.json": b'{"architecture": "convnext_atto"}',
    }
    watch = Recorder()
    path, seen = fetch(NAME, watch=watch), watch.told
    assert path.read_bytes() == network
    assert len(seen) > 4
    assert seen[-1] == (len(network), len(network), f"downloading {REPOSITORY}")
    assert seen[0] == (0, 0, f"asking the hub for {REPOSITORY}")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    before = len(hub.asked)
    bank = run_now(open_named, NAME)
    assert len(hub.asked) == before
    assert (bank.name, bank.architecture, len(bank)) == (NAME, "convnext_atto", 72)


@pytest.mark.parametrize(
    "written", ["hf-hub:me/net", "me/net", "huggingface.co/me/net"]
)
def test_any_repository_and_its_second_best_file(
    hub: FakeHub, cache: Path, network: bytes, written: str
) -> None:
    hub.files["me/net"] = {"pytorch_model.bin": network}
    bank = run_now(open_named, written)
    assert (bank.name, len(bank)) == ("me/net", 72)


def test_a_revision(hub: FakeHub, cache: Path, network: bytes) -> None:
    hub.files["me/net"] = {"model.safetensors": network}
    bank = run_now(open_named, "hf-hub:me/net@v2")
    assert bank.name == "me/net@v2"
    assert "HEAD /me/net/resolve/v2/model.safetensors" in hub.asked
    hub.errors["me/other"] = (404, {"X-Error-Code": "RevisionNotFound"})
    assert "no such branch, tag or commit. Check what follows the @" in message(
        "hf-hub:me/other@v9"
    )


def test_cancelled_in_the_middle_it_leaves_nothing(
    hub: FakeHub, cache: Path, network: bytes
) -> None:
    hub.files[REPOSITORY] = {"model.safetensors": network}
    hub.first = 2 * PIECE  # then the server is silent: cancelling must not wait for it

    class UntilBytesCome(Ticket):
        def progress(self, done: int, total: int, text: str = "") -> None:
            if done:
                self.cancel()
            super().progress(done, total, text)

    with pytest.raises(Cancelled):
        fetch(NAME, watch=UntilBytesCome("open"))
    assert not hub.go_on.is_set()
    hub.go_on.set()
    for thread in threading.enumerate():
        if thread.name == "download":
            thread.join()
    assert not [path for path in blobs(cache) if path.suffix != ".incomplete"]
    hub.first = None
    assert fetch(NAME).read_bytes() == network


def test_cancelled_before_the_first_answer(
    hub: FakeHub, cache: Path, network: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files[REPOSITORY] = {"model.safetensors": network}
    hub.first = 0
    asked = threading.Event()

    class UntilAsked(Ticket):
        def check(self) -> None:
            if any(line.startswith("GET") for line in hub.asked):
                asked.set()
                self.cancel()
            super().check()

    with pytest.raises(Cancelled):
        fetch(NAME, watch=UntilAsked("open"))
    assert asked.is_set()


def test_a_lost_connection_is_taken_up_again(
    hub: FakeHub, cache: Path, network: bytes
) -> None:
    hub.files[REPOSITORY] = {"model.safetensors": network}
    hub.break_after = [3 * PIECE, PIECE]
    assert fetch(NAME).read_bytes() == network
    assert sum(line.startswith("GET") for line in hub.asked) >= 3


def test_a_connection_lost_for_good_keeps_no_half_file(
    hub: FakeHub, cache: Path, network: bytes
) -> None:
    hub.files[REPOSITORY] = {"model.safetensors": network}
    hub.break_after = [PIECE, *[0] * 50]
    text = message(NAME)
    assert text.startswith(f"{NAME}: the download failed (")
    assert text.endswith("). Try again.")
    assert not [path for path in blobs(cache) if path.suffix != ".incomplete"]


@pytest.mark.parametrize(
    ("status", "code", "problem", "hint"),
    [
        (401, "RepoNotFound", "the hub has no such public repository",
         "Check the name. If it is a private one: sign in with `hf auth login`."),
        (403, "GatedRepo", "the owner gives these weights only to who asked for them",
         "Ask for access on the repository's page. Sign in with `hf auth login` then."),
        (403, "", "the hub refuses the request (403)",
         "Sign in with `hf auth login` anew: the token may have run out or lack the "
         "right to read."),
        (429, "", "the hub was asked too often (429)",
         "Wait some minutes and try again."),
    ],
)  # fmt: skip
def test_what_the_hub_refuses(
    hub: FakeHub, cache: Path, status: int, code: str, problem: str, hint: str
) -> None:
    hub.errors["me/net"] = (status, {"X-Error-Code": code} if code else {})
    assert message("hf-hub:me/net") == f"net: {problem}. {hint}"


def test_a_refused_token(hub: FakeHub, cache: Path) -> None:
    text = "Invalid credentials in Authorization header"
    hub.errors["me/net"] = (401, {"X-Error-Message": text})
    assert "the hub refuses the request (401). Sign in" in message("hf-hub:me/net")


def test_a_hub_that_does_not_work(hub: FakeHub, cache: Path) -> None:
    hub.errors["me/net"] = (503, {})
    assert message("me/net") == (
        "net: the hub does not work at present (503). Try again later, or open a file "
        "you have."
    )


def test_a_repository_without_weights(hub: FakeHub, cache: Path) -> None:
    hub.files["me/net"] = {"README.md": b"x"}
    assert "the repository holds no weights in one file" in message("me/net")


def test_no_network(
    hub: FakeHub, cache: Path, network: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert message(NAME) == (
        f"{NAME}: the weights are not in the local cache and the hub cannot be "
        "reached. Connect to the network and try again, or open a file you have."
    )


def test_what_is_in_the_cache_opens_without_a_network(
    hub: FakeHub, cache: Path, network: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    hub.files[REPOSITORY] = {"model.safetensors": network}
    fetch(NAME)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert len(run_now(open_named, NAME)) == 72
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert len(run_now(open_named, NAME)) == 72
    assert "HF_HUB_OFFLINE forbids to fetch them. Unset" in message("resnet18.a1_in1k")


def test_the_librarys_settings_are_left_as_they_were(
    hub: FakeHub, cache: Path, network: bytes
) -> None:
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE
    hub.files[REPOSITORY] = {"model.safetensors": network}
    fetch(NAME)
    assert before == (constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE)


def test_commands_open_from_the_hub_too(
    hub: FakeHub, cache: Path, network: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.files["me/net"] = {"model.safetensors": network}
    assert main(["info", "hf-hub:me/net"]) == 0
    assert "72 kernels" in capsys.readouterr().out
    assert main(["info", "hf-hub:me/nothing"]) == 1
    assert "the hub has no such public repository" in capsys.readouterr().err
