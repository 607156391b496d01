"""Classes from codes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from kernelviewer.kernels.classes import CLASSES, PAPER
from kernelviewer.latent.curve import Codes
from kernelviewer.latent.labels import agreement, label
from kernelviewer.latent.stretches import Stretch

TWO = (Stretch(0.0, 0.5, "on-centre"), Stretch(0.5, 1.0, "d1-x"))
NAN = float("nan")


def codes(*pairs: tuple[float, float]) -> Codes:
    rows = np.array(pairs, np.float32).reshape(-1, 2)
    return Codes(rows[:, 0], rows[:, 1])


def ids(index: np.ndarray) -> list[str]:
    return [CLASSES[i].id for i in index]


def test_a_kernel_has_the_class_of_its_stretch() -> None:
    found = label(codes((0.1, 0.9), (0.8, 0.71), (0.8, 0.69), (NAN, NAN)), TWO, 0.7)
    assert ids(found.class_index) == ["on-centre", "d1-x", "unidentified", "flat"]
    assert ids(found.best_class) == ["on-centre", "d1-x", "d1-x", "flat"]
    assert found.identified.tolist() == [True, True, False, False]
    assert found.flat.tolist() == [False, False, False, True]


def test_coverage_leaves_flat_kernels_out() -> None:
    found = label(codes((0.1, 0.9), (0.8, 0.6), (NAN, NAN)), TWO, 0.7)
    assert found.coverage == 0.5
    assert found.counts() == dict.fromkeys((CLASSES[i].id for i in PAPER.rows), 0) | {
        "on-centre": 1,
        "unidentified": 1,
        "flat": 1,
    }
    assert sum(found.counts().values()) == len(found)


def test_a_fit_of_just_the_threshold_is_enough() -> None:
    assert label(codes((0.1, 0.7)), TWO, 0.7).identified.all()
    assert not label(codes((0.1, 0.6999)), TWO, 0.7).identified.any()


def test_a_stretch_may_be_called_unidentified() -> None:
    found = label(codes((0.1, 0.9)), (Stretch(0.0, 1.0, "unidentified"),), 0.7)
    assert ids(found.class_index) == ["unidentified"]
    assert found.coverage == 0


def test_no_kernels_and_only_flat_ones() -> None:
    for some in (codes(), codes((NAN, NAN))):
        found = label(some, TWO, 0.7)
        assert np.isnan(found.coverage)
        assert sum(found.counts().values()) == len(some)


def test_agreement_is_of_identified_kernels_with_their_own_class() -> None:
    found = label(
        codes((0.1, 0.9), (0.1, 0.9), (NAN, NAN), (0.9, 0.9), (0.9, 0.2)), TWO, 0.7
    )
    cosine = np.full((4, 11), 0.2, np.float32)
    ids = [item.id for item in PAPER.patterns]
    on, dx = ids.index("on-centre"), ids.index("d1-x")
    cosine[0, on] = 0.9  # exactly the stretch's class
    cosine[1, [on, dx]] = 0.86, 0.9  # another, but within 0.05
    cosine[2, [on, dx]] = 0.9, 0.5  # quite another
    cosine[3, on] = 0.9  # not identified
    index = np.array(PAPER.rows)[cosine.argmax(1)]
    own = SimpleNamespace(
        paper_cosine=cosine, index_in=lambda scheme: index, cosine=cosine.max(1)
    )
    agreed = agreement(found, cast("Any", own))
    assert agreed.kernels == 3
    assert agreed.exact == pytest.approx(1 / 3)
    assert agreed.within == pytest.approx(2 / 3)
