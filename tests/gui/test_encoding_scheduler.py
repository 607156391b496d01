"""What is computed belongs to what is open when it is done, not when it was asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QObject

from kernelviewer.files import file_hash
from kernelviewer.formats import open_checkpoint
from kernelviewer.gui.controllers.opening import Opener
from kernelviewer.gui.controllers.schedulers import (
    EncodingScheduler,
    FamilyScheduler,
    FileHashes,
)
from kernelviewer.gui.jobs import Reaction, Requests
from kernelviewer.gui.views.jobs import JobsPanel
from kernelviewer.kernels import extract_kernels
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.state.document import Document
from tests.gui.mirror import JobsOnDemand
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = (7, 7)


@pytest.fixture
def harness() -> Iterator[tuple[Document, JobsOnDemand]]:
    document, jobs, parent = Document(), JobsOnDemand(), QObject()
    analyst = EncodingScheduler(document, jobs, parent)  # type: ignore[arg-type]
    document.open(make_bank("first", (("dw", SIZE, 12),)))
    analyst.set_device("cpu")
    yield document, jobs
    parent.deleteLater()


def test_a_network_read_again_meanwhile_is_encoded_as_it_is_now(harness: tuple) -> None:
    document, jobs = harness
    less = make_bank("first", (("dw", SIZE, 5),))
    document.replace(1, less)
    jobs.work()
    analysis = document.analyses[1, SIZE]
    assert len(analysis.code) == 5
    expected = shipped(SIZE).encode_set(less.sizes[SIZE])
    assert np.array_equal(analysis.code, expected.code, equal_nan=True)


def test_an_autoencoder_chosen_meanwhile_stays_and_is_used(harness: tuple) -> None:
    document, jobs = harness
    own = shipped(SIZE)
    other = replace(own, stretches=own.stretches[:1] + own.stretches[1:])
    document.set_autoencoder(other)
    jobs.work()
    assert document.autoencoders[SIZE] is other
    assert (1, SIZE) in document.analyses


def test_the_late_end_of_a_replaced_network_does_not_end_the_new_ones(
    harness: tuple,
) -> None:
    document, jobs = harness
    jobs.work()
    comparing, parent = JobsOnDemand(), QObject()
    names = FamilyScheduler(document, comparing, parent)  # type: ignore[arg-type]
    names.set_device("cpu")
    document.replace(1, make_bank("first", (("dw", SIZE, 5),)))
    jobs.work()  # encoded: asks for the new network's names, while the old ones stop
    told: list[str] = []
    names.changed.connect(lambda: told.append(names.status(SIZE)))
    comparing.work()
    assert told == ["done"]
    assert len(document.families[1, SIZE].best) == 5
    parent.deleteLater()


def test_a_cancelled_job_that_says_so_late_leaves_the_next_one_alone() -> None:
    jobs = JobsOnDemand()
    asked: Requests[str] = Requests(jobs)  # type: ignore[arg-type]
    told: list[object] = []

    def ask(subject: str) -> None:
        reaction = Reaction(
            done=lambda value: told.append((value, "here" in asked)),
            stopped=lambda: told.append(f"{subject} stopped"),
        )
        asked.submit(
            "here", subject, "files", "one", "One", reaction, lambda ticket: subject
        )

    ask("old")
    asked.keep({"here": "new"})
    assert "here" not in asked
    ask("new")
    jobs.work()
    assert told == [("new", True)]
    assert "here" not in asked
    ask("last")
    jobs.cancel("one")  # by the user
    jobs.work()
    assert told[1:] == ["last stopped"]
    assert "here" not in asked


def test_a_file_whose_hash_was_given_up_is_hashed_when_it_is_opened_again(
    small_file: Path,
) -> None:
    document, jobs, parent = Document(), JobsOnDemand(), QObject()
    hashes = FileHashes(jobs, parent)  # type: ignore[arg-type]
    bank = extract_kernels(open_checkpoint(small_file))
    document.open(bank)
    hashes.look(document.models)
    document.close_all()
    hashes.look(document.models)
    document.open(bank)
    hashes.look(document.models)
    jobs.work()
    assert hashes.known == {bank: file_hash(small_file)}
    parent.deleteLater()


def test_a_network_closed_while_it_is_read_again_stays_closed(
    small_file: Path, qtbot: Any
) -> None:
    document, jobs, panel = Document(), JobsOnDemand(), JobsPanel()
    opener = Opener(document, jobs, panel, panel)  # type: ignore[arg-type]
    document.open(extract_kernels(open_checkpoint(small_file)))
    opener.reopen(1, include=())
    document.close(1)
    jobs.work()
    assert document.models == ()
    panel.deleteLater()
