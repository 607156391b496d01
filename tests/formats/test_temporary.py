"""Temporary folders go in the end, and those of killed processes at the next start."""

from __future__ import annotations

import gc
import gzip
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kernelviewer.files import FileLock
from kernelviewer.formats import open_checkpoint
from kernelviewer.formats.containers.unpacked import (
    TemporaryFolder,
    remove_left_behind,
)
from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.tasks import settle_in
from tests.files.opcodes import table, tensor, torch_zip

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from kernelviewer.formats import open_checkpoint
checkpoint = open_checkpoint(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of temporary files, empty."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def archive(tmp_path: Path) -> Path:
    path = tmp_path / "x.pth.gz"
    network = torch_zip(table({"dw.weight": tensor((6, 1, 3, 3))}))
    path.write_bytes(gzip.compress(network))
    return path


def holder(path: Path, temporary: Path) -> subprocess.Popen[str]:
    """A process that has opened an archive and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(
    tmp_path: Path, temporary: Path
) -> None:
    path = archive(tmp_path)
    with holder(path, temporary) as killed, holder(path, temporary) as living:
        try:
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            left = {item.name for item in temporary.iterdir()}
            assert len(left) == 4
            assert remove_left_behind() == 1
            stays = {item.name for item in temporary.iterdir()}
            assert len(stays) == 2
            assert stays < left
            assert any((temporary / name).is_dir() for name in stays)
        finally:
            living.communicate("")
    assert not list(temporary.iterdir())


@pytest.mark.usefixtures("temporary")
def test_own_folders_stay() -> None:
    folder = TemporaryFolder()
    (folder.path / "x").write_text("kept")
    assert remove_left_behind() == 0
    assert (folder.path / "x").read_text() == "kept"


def leave_behind(temporary: Path, name: str = "kernelviewer-0123456789ab") -> Path:
    folder = temporary / name
    folder.mkdir()
    (folder / "net.pth").write_bytes(b"x")
    (temporary / f"{name}.lock").touch()
    return folder


def test_the_next_archive_or_the_next_window_cleans(
    tmp_path: Path, temporary: Path
) -> None:
    left = leave_behind(temporary)
    checkpoint = open_checkpoint(archive(tmp_path))
    assert not left.exists()
    del checkpoint
    gc.collect()
    left = leave_behind(temporary)
    run_now(settle_in)
    assert not list(temporary.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="has other links")
def test_what_is_not_ours_stays(tmp_path: Path, temporary: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "x").touch()
    (temporary / "kernelviewer-link").symlink_to(precious)
    (temporary / "kernelviewer-link.lock").touch()
    (temporary / "kernelviewer-other").mkdir()
    (temporary / "other.lock").touch()
    (temporary / "kernelviewer-to.lock").symlink_to(precious / "x")
    remove_left_behind()
    assert (precious / "x").exists()
    assert (temporary / "kernelviewer-other").exists()
    assert (temporary / "other.lock").exists()
    assert (temporary / "kernelviewer-to.lock").exists()


def test_a_lock_that_was_removed_before_it_was_taken_is_not_used(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = FileLock.take
    taken: list[Path] = []

    def swept(path: Path) -> FileLock | None:
        lock = take(path)
        if not taken:
            path.unlink()  # as another start does that got hold of it first
        taken.append(path)
        return lock

    monkeypatch.setattr(FileLock, "take", swept)
    folder = TemporaryFolder()
    assert len(taken) == 2
    assert folder.path == taken[1].with_suffix("")
    assert Path(f"{folder.path}.lock").exists()
    assert folder.path.parent == temporary
