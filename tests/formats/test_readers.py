"""The table of readers, and readers of other packages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer.formats import CheckpointError, is_checkpoint
from kernelviewer.formats.registry import READERS, readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

READER = """
import numpy as np
from kernelviewer.formats.checkpoint import Checkpoint, Operator, Tensor
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.source import Reader


def match(source):
    return source.head.startswith(b"KERNELS!")


def read(source, options):
    if source.size < 8 + 4 * 98:
        raise DamagedError("it is too short")
    weights = np.frombuffer(source.path.read_bytes()[8:], np.float32)
    tensor = Tensor(
        "dw.weight", (2, 1, 7, 7), "float32", lambda: weights.reshape(2, 1, 7, 7),
        operator=Operator(groups=2, in_channels=2),
    )
    return Checkpoint(source.path, "Kernels", source.size, (tensor,))


READER = Reader("Kernels", "a file of kernels", match, read)
"""


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Install a package that adds a reader by its entry point, as pip would."""

    def installed(code: str) -> None:
        site = tmp_path / "site"
        facts = site / "own_reader-1.0.dist-info"
        facts.mkdir(parents=True)
        (site / "own_reader.py").write_text(code)
        (facts / "METADATA").write_text("Name: own-reader\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(
            "[kernelviewer.readers]\nown = own_reader:READER\n"
        )
        monkeypatch.syspath_prepend(str(site))
        readers.cache_clear()

    yield installed
    readers.cache_clear()
    sys.modules.pop("own_reader", None)


def test_another_package_adds_a_reader(
    install: Callable[[str], None], tmp_path: Path
) -> None:
    path = tmp_path / "net.kernels"
    weights = np.random.default_rng(0).normal(size=(2, 1, 7, 7)).astype(np.float32)
    path.write_bytes(b"KERNELS!" + weights.tobytes())
    assert not is_checkpoint(path)
    install(READER)
    assert is_checkpoint(path)
    bank = kv.extract_kernels(kv.open_checkpoint(path))
    assert np.array_equal(bank.sizes[7, 7].weights, weights[:, 0])
    path.write_bytes(b"KERNELS!")
    with pytest.raises(CheckpointError, match="a file of kernels, but it is too short"):
        kv.open_checkpoint(path)


@pytest.mark.parametrize("code", ["raise ImportError('no such thing')", "READER = 1"])
def test_a_reader_that_cannot_be_used_is_passed_over(
    install: Callable[[str], None], code: str
) -> None:
    install(code)
    with pytest.warns(UserWarning, match="the reader own"):
        assert readers() == READERS


def test_readers_have_names_of_their_own() -> None:
    names = [reader.name for reader in READERS]
    assert len(set(names)) == len(names)
    assert all(reader.what.startswith(("a ", "an ", "the ")) for reader in READERS)
