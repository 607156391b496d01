"""The family's own spectrum: any size, each class once, σ growing."""

from __future__ import annotations

import numpy as np
import pytest

from kernelviewer.kernels.classes import FINE, INDEX, PAPER
from kernelviewer.kernels.family import family_fit, member, random_members
from kernelviewer.kernels.family.spectrum import (
    FamilySpectrum,
    family_spectrum,
    stops_of,
)
from kernelviewer.latent.stretches import family_stretches

SIZES = [(3, 3), (7, 7), (6, 6), (13, 13), (31, 31), (1, 11), (11, 1), (11,), (5, 9)]


@pytest.mark.parametrize("size", SIZES)
def test_it_runs_through_every_class_once(size: tuple[int, ...]) -> None:
    spectrum = FamilySpectrum.of(size)
    stretches = spectrum.stretches
    names = [name for _, _, name in stretches]
    assert len(set(names)) == len(names)
    assert {"on-point", "off-point"} <= set(names)
    if min((1, *size)[-2:]) > 4:
        assert set(names) == {item.id for item in FINE.patterns}
    shown = family_stretches(spectrum, PAPER)
    papers = [item.class_id for item in shown if not item.name]
    assert len(set(papers)) == len(papers)
    # diagonals are of either axis in the paper's words, and say so
    ends = {item.class_id: item.label for item in shown if item.name}
    assert all(label.endswith("by its angle") for label in ends.values())
    assert set(ends) == ({"d1-x", "d2-x"} if min((1, *size)[-2:]) > 2 else set())
    fine = [item.class_id for item in family_stretches(spectrum, FINE)]
    assert fine == names
    assert (papers[0], papers[-1]) == ("on-centre", "off-centre")
    lows, highs = [item[0] for item in stretches], [item[1] for item in stretches]
    assert (lows[0], highs[-1]) == (0, 1)
    assert lows[1:] == highs[:-1]
    patterns = spectrum.spectrum(64).reshape(64, -1)
    np.testing.assert_allclose(patterns.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(patterns, axis=1), 1, atol=1e-5)
    assert spectrum.spectrum(3).shape == (3, *size)


@pytest.mark.parametrize("size", [(7, 7), (13, 13), (1, 11)])
def test_decoded_codes_are_members_of_their_stretch_and_come_back(
    size: tuple[int, ...],
) -> None:
    spectrum = FamilySpectrum.of(size)
    middles = (spectrum.borders[:-1] + spectrum.borders[1:]) / 2
    patterns = spectrum.decode(middles)
    fit = family_fit(patterns)
    assert (fit.cosine > 0.99).all()
    expected = [stop.class_id for stop in spectrum.stops]
    assert [FINE.patterns[i].id for i in fit.class_index] == expected
    back = spectrum.codes(fit)
    assert (back > spectrum.borders[:-1]).all()
    assert (back < spectrum.borders[1:]).all()
    again = spectrum.decode(back)
    cosine = (again * patterns).reshape(len(back), -1).sum(axis=1)
    assert (cosine > 0.97).all()


def test_sigma_grows_within_a_stretch() -> None:
    spectrum = FamilySpectrum.of((13, 13))
    low, high, _ = next(item for item in spectrum.stretches if item[2] == "on-disc")
    found = family_fit(spectrum.decode(np.linspace(low + 0.003, high - 0.003, 8)))
    assert (np.diff(np.sqrt(found.sigma_x * found.sigma_y)) > 0).all()
    codes = spectrum.codes(found)
    assert (np.diff(codes) > 0).all()
    # off the ends, the ends: the class stays
    huge = family_fit(member("on-disc", (13, 13), sigma=7.5)[None])
    assert low <= spectrum.codes(huge)[0] < high


@pytest.mark.parametrize("size", [(3, 3), (7, 7), (1, 11)])
def test_a_code_lies_in_the_stretch_of_the_kernels_class(size: tuple[int, ...]) -> None:
    # σ beyond the limits too: a rounded border may not put a code on its other side
    fit = family_fit(random_members(size, 40, seed=3))
    spectrum = FamilySpectrum.of(size)
    borders = [low for low, *_ in spectrum.stretches][1:]
    found = np.searchsorted(borders, spectrum.codes(fit), side="right")
    names = [spectrum.stretches[i][2] for i in found]
    assert names == [FINE.patterns[i].id for i in fit.class_index]
    # and the row of the table that is shown for it is of the same class and sign
    step = 1 / (len(spectrum.table) - 1)
    shown = np.round(spectrum.codes(fit) / step) * step
    stops = [spectrum.stops[i - 1] for i in np.searchsorted(spectrum.borders, shown)]
    assert [INDEX[stop.class_id] for stop in stops] == fit.class_index.tolist()
    assert [stop.sign for stop in stops] == fit.sign.tolist()


def test_the_spectrum_of_a_size_is_one_object() -> None:
    spectrum = family_spectrum((7, 7))
    assert family_spectrum((7, 7)) is spectrum
    assert spectrum.table is spectrum.table
    assert spectrum.table.shape == (2048, 7, 7)


def test_sizes_without_a_family_are_refused() -> None:
    with pytest.raises(ValueError, match="3×3×3"):
        FamilySpectrum.of((3, 3, 3))
    assert {stop.class_id for stop in stops_of((1, 11))} == {
        *("on-point", "on-centre", "on-disc", "edge-x"),
        *("off-point", "off-centre", "off-disc"),
    }
