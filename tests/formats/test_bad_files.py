"""The corpus of bad files: exact messages, in bounded time and memory, nothing run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.registry import find_checkpoints
from tests.files.make_corpus import CASES, make_corpus
from tests.files.read_corpus import MOST_MEMORY
from tests.files.writing import CANARY
from tests.networks import write_network

ROOT = Path(__file__).parents[2]
SIDE_EFFECT = f"open({CANARY!r}, 'w').close()\nclass Class: pass\nx = Class\n"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process of its own says of every file, and what it left behind."""
    folder = tmp_path_factory.mktemp("corpus")
    make_corpus(folder)
    outside = tmp_path_factory.mktemp("outside")
    modules, temporary, here = (
        outside / name for name in ("path", "temporary", "here")
    )
    for place in (modules, temporary, here):
        place.mkdir()
    (modules / f"{CANARY}.py").write_text(SIDE_EFFECT)
    paths = os.pathsep.join(map(str, (ROOT, modules)))
    done = subprocess.run(
        [sys.executable, "-m", "tests.files.read_corpus", str(folder)],
        cwd=here,
        env={**os.environ, "PYTHONPATH": paths, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    written = {p.name for p in folder.iterdir()} - {item.name for item in CASES}
    left = [*here.rglob("*"), *temporary.rglob("*"), *outside.rglob(CANARY)]
    return {**json.loads(done.stdout), "left": left, "written": written}


def test_the_message_of_every_bad_file(result: dict[str, Any]) -> None:
    assert result["messages"] == {
        item.name: f"{item.name}: {item.message}" if item.message else ""
        for item in CASES
    }


def test_nothing_was_run_and_nothing_written(result: dict[str, Any]) -> None:
    assert not result["left"]
    assert not result["written"]


def test_memory_stays_bounded(result: dict[str, Any]) -> None:
    assert result["grown"] < MOST_MEMORY


def test_running_the_traps_would_show(tmp_path: Path) -> None:
    trap = next(item for item in CASES if item.name == "trap.pkl")
    code = f"import pickle; pickle.loads({trap.build()!r})"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / CANARY).exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
@pytest.mark.timeout(30)
def test_a_pipe_is_not_even_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.pth"
    os.mkfifo(pipe)
    with pytest.raises(CheckpointError, match="this is a pipe or device, not a file"):
        open_checkpoint(pipe)
    pipe.unlink()
    for name in ("config.json", "corpus.json", "x.index.json"):
        os.mkfifo(tmp_path / name)
    network = write_network(tmp_path / "model.safetensors")
    (checkpoint,) = map(open_checkpoint, find_checkpoints(tmp_path))
    assert checkpoint.files == open_checkpoint(network).files


def test_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path / "x.pth", tmp_path / "x\0.pth"):
        with pytest.raises(CheckpointError, match="there is no such file"):
            open_checkpoint(path)


def test_a_file_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(b"x")

    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert str(caught.value) == (
        "x.pth: you may not read this file. Change its permissions, or copy it to a "
        "folder of yours."
    )
