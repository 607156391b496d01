"""The best match is the best there is, and can be ended."""

from __future__ import annotations

from itertools import permutations
from threading import Event

import numpy as np
import pytest
import scipy.optimize

from kernelviewer.kernels.pairing import best_assignment, noise_cosines
from tests.recorder import EndedError, Recorder


@pytest.mark.parametrize("shape", [(5, 5), (4, 6), (6, 4), (1, 3), (3, 1)])
def test_no_other_assignment_has_a_larger_sum(shape: tuple[int, int]) -> None:
    likeness = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    rows, columns = best_assignment(likeness)
    few, many = sorted(shape)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == few
    wide = likeness if shape[0] == few else likeness.T
    best = max(
        wide[np.arange(few), list(places)].sum()
        for places in permutations(range(many), few)
    )
    assert likeness[rows, columns].sum() == pytest.approx(best, abs=1e-5)


def test_nothing_has_an_empty_match() -> None:
    for shape in ((0, 0), (0, 4), (4, 0)):
        rows, columns = best_assignment(np.zeros(shape, np.float32))
        assert len(rows) == len(columns) == 0


def test_it_ends_while_it_is_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    go = Event()
    monkeypatch.setattr(
        scipy.optimize, "linear_sum_assignment", lambda _cost: go.wait(60)
    )
    with pytest.raises(EndedError):
        best_assignment(np.eye(3, dtype=np.float32), Recorder(end=2))
    go.set()


def test_what_goes_wrong_on_its_thread_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_cost: np.ndarray) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(scipy.optimize, "linear_sum_assignment", fail)
    with pytest.raises(MemoryError, match="no room"):
        best_assignment(np.eye(3, dtype=np.float32))


def test_noise_keeps_the_second_moments_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    narrow = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 49))
    wide = rng.normal(size=(400, 49))
    rows = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (narrow, wide)]
    few, many = (x.astype(np.float32) for x in rows)
    assert noise_cosines(few, few).mean() > 0.95, "two directions are easily matched"
    assert noise_cosines(many, many).mean() < 0.6
    assert np.array_equal(noise_cosines(few, many, 3), noise_cosines(few, many, 3))
    assert len(noise_cosines(few[:1], few)) == 0
