"""Grouping and sorting by what codes and classes say, against loops by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.kernels.classes import INDEX
from kernelviewer.latent.stretches import Stretch
from kernelviewer.state.analysis import Analysis, best_by_code, identified
from kernelviewer.state.arrangement import Display, arrange
from kernelviewer.state.document import Document
from kernelviewer.state.pool import make_pool
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from kernelviewer.state.analysis import PoolLabels
    from kernelviewer.state.pool import KernelPool

STRETCHES = (
    Stretch(0.0, 0.4, "on-centre"),
    Stretch(0.4, 0.7, "d1-x", name="edges"),
    Stretch(0.7, 1.0, "on-centre"),
)


@pytest.fixture
def pool() -> KernelPool:
    document = Document()
    document.open(make_bank("net", (("a", (7, 7), 40), ("b", (7, 7), 60))))
    return make_pool(document.models, (7, 7))


@pytest.fixture
def labels(pool: KernelPool) -> PoolLabels:
    rng = np.random.default_rng(4)
    code = rng.random(len(pool)).astype(np.float32)
    fit = rng.uniform(0.4, 1.0, len(pool)).astype(np.float32)
    code[pool.flat] = fit[pool.flat] = np.nan
    analyses = {(pool.models[0].id, (7, 7)): Analysis(code, fit)}
    named = best_by_code(pool, analyses, STRETCHES)
    assert named is not None
    return identified(named, 0.7)


def test_groups_by_code_are_the_stretches_along_the_axis(
    pool: KernelPool, labels: PoolLabels
) -> None:
    shown = np.ones(len(pool), bool)
    display = Display(group_by="code", sort_by="code")
    found = arrange(pool, shown, display, labels, STRETCHES)
    assert [group.title for group in found.groups] == [
        "On-centre",
        "edges",
        "On-centre",
        "Flat",
    ]
    assert [group.class_index for group in found.groups] == [
        INDEX[key] for key in ("on-centre", "d1-x", "on-centre", "flat")
    ]
    assert found.groups[1].note == "code 0.400–0.700"
    codes = labels.code[found.order]
    stretches = np.split(codes, [group.start for group in found.groups][1:])
    for part, stretch in zip(stretches, STRETCHES, strict=False):
        assert ((part >= stretch.low) & (part < stretch.high)).all()
        assert (np.diff(part) >= 0).all()
    assert np.isnan(stretches[3]).all()
    assert sum(group.count for group in found.groups) == len(pool)


def test_groups_by_fit_are_bands_with_the_unidentified_apart(
    pool: KernelPool, labels: PoolLabels
) -> None:
    display = Display(group_by="fit", sort_by="fit")
    found = arrange(pool, np.ones(len(pool), bool), display, labels, STRETCHES)
    titles = [group.title for group in found.groups]
    assert titles[0] == "Fit ≥ 0.95"
    assert titles[-1] == "Flat"
    for group in found.groups[:-1]:
        fits = labels.fit[found.order[group.start : group.start + group.count]]
        below = group.note == "unidentified"
        assert ((fits < np.float32(0.7)) == below).all()
        if "–" in group.title:
            low, high = map(float, group.title.split()[1].split("–"))
            assert (fits >= np.float32(low)).all()
            assert (fits < np.float32(high)).all()
    fits = labels.fit[found.order]
    fits = fits[~np.isnan(fits)]
    assert (np.diff(fits) <= 0).all()


def test_sorting_by_class_follows_the_legend(
    pool: KernelPool, labels: PoolLabels
) -> None:
    display = Display(group_by="layer", sort_by="class")
    found = arrange(pool, np.ones(len(pool), bool), display, labels, STRETCHES)
    for group in found.groups:
        part = labels.label[found.order[group.start : group.start + group.count]]
        assert (np.diff(part.astype(int)) >= 0).all()


@pytest.mark.parametrize("group_by", ["code", "fit", "class"])
def test_without_labels_layers_in_network_order_stand_in(
    pool: KernelPool, group_by: str
) -> None:
    display = Display(group_by=group_by, sort_by="code")  # type: ignore[arg-type]
    found = arrange(pool, np.ones(len(pool), bool), display)
    assert [group.title for group in found.groups] == ["a", "b"]
    assert found.order.tolist() == list(range(len(pool)))
