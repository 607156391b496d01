"""Bad ONNX, TFLite, Keras, NumPy and Flax files give the message that helps.

Memory is capped while they are read; nothing may be written beside them.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from tests.files import (
    make_keras_corpus,
    make_numpy_corpus,
    make_onnx_corpus,
    make_tflite_corpus,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

CORPORA = [make_onnx_corpus, make_tflite_corpus, make_keras_corpus, make_numpy_corpus]
MEMORY = 400 << 20


@contextmanager
def memory_capped() -> Iterator[None]:
    """Let the process take so much more memory at most, where the system can."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with open("/proc/self/statm") as file:  # noqa: PTH123
        used = int(file.read().split()[5]) * os.sysconf("SC_PAGESIZE")
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def read(path: Path) -> None:
    """Open a file and read all its values."""
    for tensor in open_checkpoint(path).tensors:
        tensor.load()


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda module: module.__name__)
def test_messages(corpus: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    rows = corpus.bad_files(folder)
    there = sorted(path.name for path in tmp_path.rglob("*"))
    found = {}
    with memory_capped():
        for row in rows:
            with pytest.raises(CheckpointError) as error:
                read(row.path)
            found[row.path.name] = str(error.value)
    assert found == {row.path.name: f"{row.path.name}: {row.message}" for row in rows}
    assert sorted(path.name for path in tmp_path.rglob("*")) == there
