"""What white noise reaches with the family: shipped, cached, for every size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.device import CPU
from kernelviewer.kernels.family import family_fit
from kernelviewer.latent import family_null as nulls
from kernelviewer.latent.labels import label_by_family, reaches
from kernelviewer.latent.noise import PRESETS, white_noise

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import Size


def test_what_ships_is_of_the_family_as_it_is() -> None:
    """If not: python resources/family/make_nulls.py."""
    found = nulls.shipped_nulls()
    assert found.family == nulls.fingerprint()
    assert {(3, 3), (5, 5), (7, 7), (9, 9), (11, 11), (13, 13), (31, 31)} <= set(
        found.nulls
    )
    assert nulls.ShippedNulls.from_text(found.to_text()).to_text() == found.to_text()


@pytest.mark.parametrize("size", [(3, 3), (4, 4), (7, 7), (1, 11), (11, 1), (31,)])
def test_the_threshold_lets_a_hundredth_of_fresh_noise_through(size: Size) -> None:
    null = nulls.family_null(size, device=CPU)
    noise = np.concatenate(list(white_noise(size, 4000, seed=77)))
    cosine = family_fit(noise, device=CPU).cosine
    for share in PRESETS:
        level = null.threshold(share)
        assert reaches(cosine, level).mean() < share + 4 * np.sqrt(share / 4000)
    assert null.default_threshold >= 0.7
    assert null.coverage(null.default_threshold) <= 0.01


@pytest.mark.parametrize(
    ("size", "other"), [((3, 1), (1, 3)), ((11,), (1, 11)), ((51, 5), (5, 51))]
)
def test_strips_and_their_transposes_share_one(size: Size, other: Size) -> None:
    assert nulls.family_null(size) is nulls.family_null(other)


def test_other_sizes_are_measured_once_and_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nulls, "KERNELS", 50)
    first = nulls.family_null((3, 4), device=CPU)
    assert first.kernels == 50
    monkeypatch.setattr(nulls, "measure", None)
    assert (nulls.family_null((4, 3), device=CPU).counts == first.counts).all()


def test_where_noise_fits_as_well_as_anything_nothing_is_identified() -> None:
    null = nulls.family_null((1, 3))
    assert null.default_threshold == 1
    assert null.coverage(1) == 0
    found = family_fit(np.array([[[-1.0, 2, -1]], [[1, 0, -1]]], np.float32))
    assert (found.cosine > 0.999).all()
    labels = label_by_family(found, np.zeros(2, bool), null.default_threshold)
    assert not labels.identified.any()
    assert np.array_equal(labels.best_class, found.class_index)


def test_flat_kernels_stay_flat() -> None:
    kernels = np.concatenate(list(white_noise((5, 5), 3)))
    flat = np.array([True, False, False, True, False])
    labels = label_by_family(family_fit(kernels), flat, 0.0)
    assert np.array_equal(labels.flat, flat)
    assert np.array_equal(labels.identified, ~flat)


def test_how_stable_names_are_is_known_for_usual_sizes_only() -> None:
    assert nulls.stability((31, 31)) is None
    shares = [nulls.stability((side, side)) for side in (3, 5, 7, 9)]
    assert all(share is not None and 0.8 < share < 1 for share in shares)
