"""Random members of the family beside trained kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kernelviewer.kernels.classes import FINE
from kernelviewer.kernels.family import family_fit, random_members
from kernelviewer.kernels.family.regions import kinds
from kernelviewer.latent import finishing
from kernelviewer.latent.autoencoder import Autoencoder
from kernelviewer.latent.curve_training import CurveOptions
from kernelviewer.latent.finishing import PER_KIND, with_members
from kernelviewer.latent.training import Training, TrainingOptions
from tests.latent.made import CPU, SIZE, networks, patterns


@pytest.mark.parametrize("size", [(7, 7), (3, 3), (5, 9), (7,), (31, 31)])
def test_random_members_are_members(size: tuple[int, ...]) -> None:
    drawn = random_members(size, 12, seed=1)
    plane = (1, *size) if len(size) == 1 else size
    bases = {kind.split("-")[0] for kind in kinds(plane)} - {"plate", "line"}
    assert drawn.shape[1:] == size
    assert 12 * len(bases) - 6 <= len(drawn) <= 12 * len(bases) + 24
    assert drawn.dtype == np.float32
    rows = drawn.reshape(len(drawn), -1)
    np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-4)
    found = family_fit(drawn, device=CPU).cosine
    assert found.mean() > 0.98
    np.testing.assert_array_equal(drawn, random_members(size, 12, seed=1))
    assert (drawn != random_members(size, 12, seed=2)).any()


def test_random_members_are_of_all_classes() -> None:
    own = family_fit(random_members((7, 7), 60), device=CPU)
    assert set(own.class_index) == set(range(len(FINE.patterns)))


def test_members_have_the_share_of_the_weight_that_was_asked_for() -> None:
    kernels, _ = patterns(50)
    weight = np.linspace(1, 2, 50).astype(np.float32)
    shown = with_members(SIZE, kernels, weight, 0.2)
    assert shown.real == 50
    members = len(random_members(SIZE, PER_KIND))
    assert len(shown.patterns) == len(shown.weight) == 50 + members
    assert shown.real_weight.sum() == pytest.approx(0.8)
    np.testing.assert_allclose(
        shown.real_weight / 0.8, weight / weight.sum(), rtol=1e-5
    )
    assert shown.weight.sum() == pytest.approx(1)
    np.testing.assert_array_equal(shown.patterns[:50], kernels)


def test_without_a_share_or_a_family_there_are_none() -> None:
    kernels = np.ones((5, 2, 2, 2), np.float32)
    weight = np.ones(5, np.float32)
    assert len(with_members((2, 2, 2), kernels, weight, 0.5).patterns) == 5
    kernels, _ = patterns(5)
    assert len(with_members(SIZE, kernels, weight, 0.0).patterns) == 5


def test_members_bring_classes_that_the_networks_lack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finishing, "PER_KIND", 100)
    seen = networks(2, 150)
    own = family_fit(seen[0].patterns, device=CPU)
    lacking = [
        replace(item, patterns=item.patterns[own_class], layer=item.layer[own_class])
        for item in seen
        for own_class in [
            family_fit(item.patterns, device=CPU).class_index == own.class_index[0]
        ]
    ]
    unseen = networks(1, 150, seed=5, family=9)[0].patterns
    fits = []
    for share in (0.0, 0.3):
        options = TrainingOptions(sweeps=5, curve=CurveOptions(members=share))
        training = Training(SIZE, lacking, options=options, device=CPU)
        *_, last = training
        coder = Autoencoder.of("curve", last.model)
        fits.append(coder.encode(unseen, device=CPU).mean_fit)
    assert fits[1] > fits[0] + 0.1
    known = training.result()
    # results speak of the networks alone
    codes = known.encode(np.concatenate([item.patterns for item in lacking]))
    assert known.card["results"]["mean_fit"] == pytest.approx(codes.mean_fit, abs=1e-3)
    assert len({item.class_id for item in known.stretches}) >= 9
