"""How long keeping the work takes with a million kernels open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.sessions import Wanted, keep
from kernelviewer.state.document import Document
from kernelviewer.state.selection import CodeRange, Kernels
from kernelviewer.state.session.capture import Coders, rebuild
from kernelviewer.state.session.files import RecoveryFile, read_session
from kernelviewer.state.session.form import Look
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 1_000_000
BANDS = 20
SIZE = (3, 1)


@pytest.fixture(scope="module")
def document() -> Document:
    """A million kernels and a selection of many scattered rubber bands."""
    document = Document()
    model = document.open(make_bank("large", (("dw", SIZE, COUNT),)))
    rng = np.random.default_rng(0)
    for number in range(BANDS):
        half = {model.id: np.flatnonzero(rng.random(COUNT) < 0.5)}
        document.select("add", Kernels(SIZE, half))
        document.select("subtract", CodeRange(0, (number + 1) / 100))
    return document


def wanted(document: Document) -> Wanted:
    return Wanted(document.work, Look(), "2030-01-01T00:00:00Z")


def test_taking_the_work_on_the_windows_thread(
    benchmark: Any, document: Document
) -> None:
    """All that the window itself does of keeping."""
    benchmark(wanted, document)


def test_keeping_it_on_disk(benchmark: Any, document: Document, tmp_path: Path) -> None:
    file = RecoveryFile(tmp_path / "kept.kvsession")
    benchmark(lambda: run_now(keep, file, wanted(document)))
    size = (tmp_path / "kept.kvsession").stat().st_size
    print(f"{len(document.selection.steps)} steps, {size / 1e6:.2f} MB")
    file.release()


def test_taking_it_up_again(benchmark: Any, document: Document, tmp_path: Path) -> None:
    """Giving what was read its meaning, in the background."""
    file = RecoveryFile(tmp_path / "kept.kvsession")
    run_now(keep, file, wanted(document))
    file.release()
    session = read_session(tmp_path / "kept.kvsession")
    benchmark(rebuild, session, list(document.models), Coders())
