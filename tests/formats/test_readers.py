"""The table of readers, and readers of other packages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer.formats import CheckpointError, is_checkpoint
from kernelviewer.formats.registry import READERS, readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READER = Path(__file__).parents[2] / "docs" / "examples" / "bare_reader.py"


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
    path = tmp_path / "net.bare"
    weights = np.random.default_rng(0).normal(size=(2, 1, 7, 7)).astype(np.float32)
    head = b'BAREKERN{"stem.conv_dw.weight": [2, 1, 7, 7]}\n'
    path.write_bytes(head + weights.tobytes())
    assert not is_checkpoint(path)
    install(READER.read_text("utf-8"))
    assert is_checkpoint(path)
    bank = kv.extract_kernels(path)
    assert np.array_equal(bank.sizes[7, 7].weights, weights[:, 0])
    for damaged, said in (
        (head, "it ends before the values of “stem"),
        (b"BAREKERN{{", "its line of shapes cannot be read"),
        (b'BAREKERN{"a": [-1, 1, 7, 7]}', "a shape that none can have"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=f"a file of bare kernels.*{said}"):
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
