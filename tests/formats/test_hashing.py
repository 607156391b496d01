"""Hashes tell whether a network is still the one that was opened, part by part."""

from __future__ import annotations

import hashlib
import os
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from kernelviewer.files import file_hash
from kernelviewer.formats import open_checkpoint
from kernelviewer.formats.registry import hash_at, network_hash
from tests.formats.test_containers import sharded
from tests.formats.test_onnx import W, external
from tests.recorder import EndedError, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write(path: Path, seed: int = 0) -> Path:
    weights = np.random.default_rng(seed).standard_normal((8, 1, 7, 7), np.float32)
    save_file({"dwconv.weight": weights}, path)
    return path


def change(path: Path) -> None:
    """Turn the last byte over; the time of change may be too near to tell."""
    data, state = bytearray(path.read_bytes()), path.stat()
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1_000_000_000))


def split_onnx(folder: Path) -> Path:
    (folder / "m.data").write_bytes(W.tobytes())
    return external(folder / "m.onnx", "m.data")


def test_one_file_has_the_usual_hash_of_its_content(tmp_path: Path) -> None:
    path = write(tmp_path / "net.safetensors")
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert hash_at(path) == file_hash(path) == expected
    assert network_hash(open_checkpoint(path).files) == expected


@pytest.mark.parametrize(
    ("make", "part"),
    [(sharded, "model-00002-of-00003.safetensors"), (split_onnx, "m.data")],
)
def test_a_changed_part_changes_the_hash(
    make: Callable[[Path], Path], part: str, tmp_path: Path
) -> None:
    path = make(tmp_path)
    before = hash_at(path)
    assert before == network_hash(open_checkpoint(path).files)
    assert before != file_hash(path)
    if path.suffix == ".json":
        assert before == hash_at(tmp_path)  # the folder is the same network
    change(tmp_path / part)
    assert hash_at(path) not in ("", before)
    (tmp_path / part).unlink()
    assert hash_at(path) == ""


def test_what_lies_beside_a_network_in_its_folder_does_not_count(
    tmp_path: Path,
) -> None:
    write(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    before = hash_at(tmp_path)
    assert before == file_hash(tmp_path / "model.safetensors")
    (tmp_path / "README.md").write_text("# A network")
    assert hash_at(tmp_path) == before


def test_an_archive_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "net.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(write(tmp_path / "net.safetensors"), "net.safetensors")
    assert [file.path for file in open_checkpoint(path).files] == [path]
    assert hash_at(path) == file_hash(path)


def test_a_file_that_was_replaced_is_not_taken_for_what_was_read(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "net.safetensors")
    files = open_checkpoint(path).files
    change(path)
    assert network_hash(files) == ""
    assert network_hash(open_checkpoint(path).files) == file_hash(path)


def test_a_hash_stays_known_when_the_file_is_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "net.safetensors")
    files = open_checkpoint(path).files
    known = network_hash(files)
    change(path)
    assert network_hash(files) == known != file_hash(path)


def test_where_no_network_is_there_is_no_hash(tmp_path: Path) -> None:
    assert hash_at(tmp_path) == hash_at(tmp_path / "none.pth") == ""
    assert network_hash(()) == ""


def test_hashing_can_be_cancelled(tmp_path: Path) -> None:
    path = write(tmp_path / "net.safetensors")
    with pytest.raises(EndedError):
        hash_at(path, Recorder(end=1))
