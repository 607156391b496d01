"""What is computed belongs to what is open when it is done, not when it was asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QObject

from kernelviewer.gui.work.analyst import Analyst
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.state.document import Document
from tests.gui.mirror import JobsOnDemand
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = (7, 7)


@pytest.fixture
def desk() -> Iterator[tuple[Document, JobsOnDemand]]:
    document, jobs, parent = Document(), JobsOnDemand(), QObject()
    analyst = Analyst(document, jobs, parent)  # type: ignore[arg-type]
    document.open(make_bank("first", (("dw", SIZE, 12),)))
    analyst.set_device("cpu")
    yield document, jobs
    parent.deleteLater()


def test_a_network_read_again_meanwhile_is_encoded_as_it_is_now(desk: tuple) -> None:
    document, jobs = desk
    less = make_bank("first", (("dw", SIZE, 5),))
    document.replace(1, less)
    jobs.work()
    analysis = document.analyses[1, SIZE]
    assert len(analysis.code) == 5
    expected = shipped(SIZE).encode_set(less.sizes[SIZE])
    assert np.array_equal(analysis.code, expected.code, equal_nan=True)


def test_an_autoencoder_chosen_meanwhile_stays_and_is_used(desk: tuple) -> None:
    document, jobs = desk
    own = shipped(SIZE)
    other = replace(own, segments=own.segments[:1] + own.segments[1:])
    document.set_autoencoder(other)
    jobs.work()
    assert document.autoencoders[SIZE] is other
    assert (1, SIZE) in document.analyses
