"""The tasks themselves: opening, searching, cancelling."""

from __future__ import annotations

import gzip
import queue
import threading
import time
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from kernelviewer.formats.registry import find_checkpoints
from kernelviewer.jobs.runner import (
    Cancelled,
    Partial,
    Progress,
    Result,
    Runner,
    Stopped,
    Ticket,
    run_now,
)
from kernelviewer.jobs.tasks import (
    Tally,
    Unusable,
    load,
    open_files,
    prepare_device,
)
from kernelviewer.kernels.bank import KernelBank
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.jobs.runner import Message

WAIT = 20.0


def test_loading_gives_the_bank_with_progress(tmp_path: Path) -> None:
    seen: list[Message] = []
    ticket = Ticket("load", deliver=seen.append)
    bank = load(ticket, write_network(tmp_path / "net.safetensors"))
    assert len(bank) == 72
    assert any(isinstance(message, Progress) for message in seen)


def test_good_files_open_between_bad_ones(tmp_path: Path) -> None:
    first = write_network(tmp_path / "first.safetensors")
    empty = tmp_path / "empty.pth"
    empty.touch()
    last = write_network(tmp_path / "last.safetensors")
    seen: list[Message] = []
    ticket = Ticket("open", deliver=seen.append)
    tally = open_files(ticket, [first, empty, tmp_path / "missing.pth", last])
    pieces = [message.value for message in seen if isinstance(message, Partial)]
    assert [type(piece) for piece in pieces] == [
        KernelBank,
        Unusable,
        Unusable,
        KernelBank,
    ]
    assert "empty.pth" in pieces[1].message
    assert "missing.pth" in pieces[2].message
    assert tally == Tally(opened=2, failed=2)


def test_an_empty_folder_among_others_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    network = write_network(tmp_path / "net.safetensors")
    assert run_now(open_files, [tmp_path / "nothing", network]) == Tally(1, 1)


def test_folders_are_searched_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a", "a/c"):
        (tmp_path / name).mkdir(exist_ok=True)
        write_network(tmp_path / name / "net.safetensors")
    (tmp_path / "a" / "notes.txt").write_text("x")
    found = list(find_checkpoints(tmp_path))
    names = [path.relative_to(tmp_path).as_posix() for path in found]
    assert names == ["a/net.safetensors", "a/c/net.safetensors", "b/net.safetensors"]


def test_what_only_bears_the_name_in_a_folder_is_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    (folder / ".git").mkdir(parents=True)
    write_network(folder / ".git" / "object")
    for number in range(27):
        write_network(folder / f"epoch{number}.safetensors")
    (folder / "empty.pth").touch()
    (folder / "page.ckpt").write_text("<!DOCTYPE html><html>")
    (folder / "half.safetensors").write_bytes(
        (folder / "epoch0.safetensors").read_bytes()[:5000]
    )
    (folder / "notes.txt").write_text("x")
    seen: list[Message] = []
    ticket = Ticket("open", deliver=seen.append)
    assert open_files(ticket, [folder]) == Tally(opened=27, failed=3)
    pieces = [message.value for message in seen if isinstance(message, Partial)]
    opened = [piece.name for piece in pieces if isinstance(piece, KernelBank)]
    assert opened == [f"epoch{number}" for number in range(27)]
    failed = [piece for piece in pieces if isinstance(piece, Unusable)]
    assert [piece.message for piece in failed] == [
        "empty.pth: the file is empty",
        "half.safetensors: a safetensors file, but it ends before the values of "
        "“stages.0.conv_dw.weight”: it is half a download",
        "page.ckpt: this is an HTML page: the download gave a web page instead of the "
        "file",
    ]


def test_a_folder_without_checkpoints_says_what_it_holds(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"x")
    seen: list[Message] = []
    open_files(Ticket("open", deliver=seen.append), [folder])
    (piece,) = [message.value for message in seen if isinstance(message, Partial)]
    assert piece.message == (
        "saved: this is a TensorFlow SavedModel, which is not read"
    )


def test_packed_checkpoints_in_a_folder_open_too(tmp_path: Path) -> None:
    data = write_network(tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "b.safetensors.gz").write_bytes(gzip.compress(data))
    (tmp_path / "optimizer.pt").write_bytes(data)
    (tmp_path / "photographs.tar.gz").write_bytes(gzip.compress(bytes(1000)))
    found = list(find_checkpoints(tmp_path))
    assert [path.name for path in found] == ["a.safetensors", "b.safetensors.gz"]
    assert run_now(open_files, [tmp_path]) == Tally(opened=2, failed=0)


def test_zips_with_checkpoints_in_a_folder_open_too(tmp_path: Path) -> None:
    write_network(tmp_path / "a.safetensors")
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
        archive.write(tmp_path / "a.safetensors", "run/best.safetensors")
    with zipfile.ZipFile(tmp_path / "photographs.zip", "w") as archive:
        archive.writestr("1.png", b"x")
    (tmp_path / "half.zip").write_bytes((tmp_path / "run.zip").read_bytes()[:200])
    found = list(find_checkpoints(tmp_path))
    assert [path.name for path in found] == ["a.safetensors", "run.zip"]
    assert run_now(open_files, [tmp_path]) == Tally(opened=2, failed=0)


def test_a_long_extraction_is_cancelled_within_half_a_second(tmp_path: Path) -> None:
    layers = {
        f"stages.{number}.conv_dw.weight": np.ones((256, 1, 7, 7), np.float32)
        for number in range(2000)
    }
    path = tmp_path / "deep.safetensors"
    save_file(layers, path)
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    runner = Runner(inbox.put)
    reading = threading.Event()
    seen: list[Message] = []

    def note(message: Message) -> None:
        seen.append(message)
        if isinstance(message, Progress):
            reading.set()

    runner.submit("load", load, path)
    while not reading.is_set():
        runner.dispatch(inbox.get(timeout=WAIT), note)
    asked = time.monotonic()
    runner.cancel("load")
    while not runner.is_idle():
        runner.dispatch(inbox.get(timeout=WAIT), note)
    assert time.monotonic() - asked < 0.5
    assert isinstance(seen[-1], Stopped)
    assert not [message for message in seen if isinstance(message, Result)]
    assert runner.close(WAIT)


def test_a_cancelled_ticket_stops_a_batch_of_files(tmp_path: Path) -> None:
    ticket = Ticket("open")
    ticket.cancel()
    with pytest.raises(Cancelled):
        open_files(ticket, [write_network(tmp_path / "net.safetensors")])


def test_the_device_is_described() -> None:
    assert run_now(prepare_device, "cpu") == "cpu"
    with pytest.raises(ValueError, match="unknown device"):
        run_now(prepare_device, "abacus")
