"""Taps that never saw data: found per layer, and kernels are named without them."""

from __future__ import annotations

import numpy as np
import pytest

from kernelviewer.device import CPU
from kernelviewer.figures.naming import FigureNaming, name_scene
from kernelviewer.figures.scene import make_scene
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.classes import FINE, INDEX, Naming
from kernelviewer.kernels.family import family_fit, family_fit_set
from kernelviewer.kernels.family.members import member
from kernelviewer.kernels.support import find_support
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.compare import compare
from kernelviewer.latent.family_null import family_null, like_noise
from kernelviewer.latent.labels import Labelling, label_kernels
from tests.kernels.checkpoints import of_arrays


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def in_window(inner: np.ndarray, size: tuple[int, ...], *first: int) -> np.ndarray:
    """Kernels [N, *support] that stand in a window of taps of 1e-20."""
    window = 1e-20 * noise(len(inner), *size, seed=9)
    places = zip(first, inner.shape[1:], strict=True)
    window[(slice(None), *(slice(i, i + n) for i, n in places))] = inner
    return window


@pytest.mark.parametrize(
    ("size", "inner", "first"),
    [
        ((9, 9), (5, 5), (2, 2)),
        ((9, 9), (5, 3), (2, 4)),  # stride over a small map: more on one side
        ((4, 4), (2, 3), (1, 0)),
        ((1, 11), (1, 7), (0, 2)),
        ((31,), (13,), (9,)),
        ((3, 5, 5), (3, 3, 3), (0, 1, 1)),
    ],
)
def test_the_box_of_taps_that_saw_data_is_found(
    size: tuple[int, ...], inner: tuple[int, ...], first: tuple[int, ...]
) -> None:
    weights = in_window(noise(6, *inner), size, *first)
    expected = tuple((i, i + n) for i, n in zip(first, inner, strict=True))
    assert find_support(weights) == expected
    weights[np.abs(weights) < 1e-10] = 0
    assert find_support(weights) == expected
    assert find_support(1e-12 * weights) == expected


def test_one_kernel_that_uses_the_outer_taps_is_enough() -> None:
    weights = in_window(noise(6, 5, 5), (9, 9), 2, 2)
    weights[3, 0, 8] = 0.01
    weights[3, 8, 0] = 0.01
    assert find_support(weights) is None
    assert find_support(noise(6, 9, 9)) is None
    assert find_support(np.zeros((6, 9, 9), np.float32)) is None
    weights[3] = np.nan  # no number, no evidence
    assert find_support(weights) == ((2, 7), (2, 7))


def network(inner: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "blocks.0.dwconv.weight": noise(6, 1, 9, 9, seed=3),
        "blocks.0.pwconv.weight": noise(24, 6),
        "blocks.1.dwconv.weight": in_window(inner, (9, 9), 3, 1)[:, None],
        "blocks.1.pwconv.weight": noise(24, len(inner)),
    }


def test_kernels_are_named_on_their_support() -> None:
    wanted = ["on-centre", "off-centre", "edge-x", "edge-y", "on-bar-v", "off-bar-h"]
    inner = np.stack([member(name, (5, 5)) for name in wanted]) + 3
    bank = extract_kernels(of_arrays(network(inner)))
    assert [layer.support_label for layer in bank.layers] == ["", "5×5"]
    kernels = bank.sizes[9, 9]
    assert len(kernels) == 12
    assert kernels.supports == {1: ((3, 8), (1, 6))}

    fit = family_fit_set(kernels)
    assert [FINE.patterns[i].id for i in fit.class_index[6:]] == wanted
    assert (fit.cosine[6:] > 0.995).all()
    # the middle of the support is one tap below and one left of the window's
    np.testing.assert_allclose(fit.offset_y[6:8], 1, atol=0.1)
    np.testing.assert_allclose(fit.offset_x[6:8], -1, atol=0.1)
    plain = family_fit(kernels.weights[:6])
    np.testing.assert_array_equal(fit.cosine[:6], plain.cosine)
    whole = family_fit(kernels.weights[6:])
    assert (whole.cosine < fit.cosine[6:]).all(), "an offset of 3 is a plateau outside"

    backwards = family_fit_set(kernels, np.arange(12)[::-1])
    np.testing.assert_array_equal(backwards.class_index, fit.class_index[::-1])


def test_codes_are_those_of_the_spectrum_seen_on_the_support() -> None:
    autoencoder = shipped((9, 9))
    assert autoencoder is not None
    points = autoencoder.spectrum(2048)[[100, 700, 1300, 1900]]
    inner = points[:, 3:8, 1:6] + 0.5
    kernels = extract_kernels(of_arrays(network(inner))).sizes[9, 9]
    codes = autoencoder.encode_set(kernels)
    np.testing.assert_allclose(codes.fit[6:], 1, atol=1e-5)
    whole = autoencoder.encode(kernels.weights)
    np.testing.assert_array_equal(codes.code[:6], whole.code[:6])
    assert (whole.fit[6:] < 0.9).all()


def test_a_kernel_that_is_constant_where_it_saw_data_is_flat() -> None:
    inner = noise(4, 5, 5)
    inner[2] = 0.7
    bank = extract_kernels(of_arrays(network(inner)))
    assert bank.sizes[9, 9].flat.tolist() == [False] * 8 + [True, False]
    assert bank.layers[1].flat == 1
    assert len(family_fit_set(bank.sizes[9, 9])) == 9
    # maps of one pixel: each kernel is a number, none has a pattern
    pixel = extract_kernels(of_arrays(network(noise(4, 1, 1))))
    assert pixel.layers[1].support_label == "1×1"
    assert pixel.sizes[9, 9].flat[6:].all()


def test_a_support_without_patterns_counts_as_the_window() -> None:
    bank = extract_kernels(of_arrays(network(noise(4, 1, 2))))
    assert bank.layers[1].support_label == "1×2"
    fit = family_fit_set(bank.sizes[9, 9])
    whole = family_fit(bank.sizes[9, 9].weights)
    np.testing.assert_array_equal(fit.class_index, whole.class_index)
    assert INDEX["flat"] not in fit.class_index


def test_on_a_support_the_threshold_is_that_of_its_size() -> None:
    """Of 9×9 kernels on 3×3 taps: noise there fits well and has no class."""
    inner = np.concatenate([noise(40, 3, 3), member("edge-x", (3, 3))[None]])
    bank = extract_kernels(of_arrays(network(inner)))
    kernels = bank.sizes[9, 9]
    rows = np.flatnonzero(~kernels.flat)
    family = family_fit_set(kernels)
    level = family_null((3, 3)).default_threshold
    assert level > 0.95
    same = like_noise(kernels, rows, family.cosine)
    on_support = kernels.layer[rows] == 1
    assert not same[~on_support].any(), "the window's threshold is another matter"
    np.testing.assert_array_equal(same[on_support], family.cosine[on_support] < level)
    assert (family.cosine[on_support] > 0.7).mean() > 0.8, "noise would be named"

    labelled = label_kernels("file", bank, (9, 9), Labelling(None), CPU)
    scene = name_scene(make_scene([bank]), FigureNaming(naming=Naming("family")))
    named = scene.subjects[0].coding
    pairs = compare(bank, bank, device=CPU).sizes[9, 9]
    assert labelled.by_family is not None
    assert named is not None
    enough = on_support & ~same
    for found in (labelled.by_family.class_index, named.label(0.7), pairs.class_a):
        identified = found < len(FINE.patterns)
        np.testing.assert_array_equal(identified[on_support], enough[on_support])
        assert identified[-1], "a true edge is named on nine taps"
