"""Training: both methods, any shape, the same for a seed, stopped at any time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kernelviewer.kernels.classes import CLASSES
from kernelviewer.kernels.family import family_fit, random_members
from kernelviewer.latent import LatentError
from kernelviewer.latent.autoencoder import METHODS, Autoencoder
from kernelviewer.latent.curve_training import CurveOptions
from kernelviewer.latent.finishing import agreements
from kernelviewer.latent.labels import label
from kernelviewer.latent.nearest import nearest_in_batches, spherical_kmeans, unit
from kernelviewer.latent.networks import Network
from kernelviewer.latent.training import Training, TrainingOptions, describe, train
from tests.latent.conftest import NOISE_KERNELS
from tests.latent.made import CPU, IDS, SIZE, networks, patterns, small
from tests.recorder import EndedError, Recorder


def network(kernels: np.ndarray, family: int = 0) -> Network:
    rows, _ = unit(kernels.reshape(len(kernels), -1))
    numbers = np.zeros(len(kernels), np.int32)
    shaped = rows.reshape(kernels.shape)
    return Network(f"network-{family}", "", shaped, numbers, family)


def noise_of(size: tuple[int, ...], count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, *size), np.float32)


def test_the_curve_fits_unseen_kernels_better_than_k_means_and_the_paper() -> None:
    kernels, _ = patterns(400, noise=0.3, seed=77)
    seen = np.concatenate([item.patterns for item in networks(2, 400)])
    centroids = spherical_kmeans(torch.from_numpy(seen).flatten(1), 10)
    rows = kernels.reshape(len(kernels), -1)
    k_means = float(nearest_in_batches(rows, centroids.numpy())[0].mean())
    curve = small().encode(kernels, device=CPU).mean_fit
    paper = small("paper").encode(kernels, device=CPU).mean_fit
    assert curve > 0.8
    assert paper > 0.2
    assert curve > k_means
    assert curve > paper


def test_known_classes_are_recovered_through_the_curve() -> None:
    kernels, classes = patterns(500, noise=0.2, seed=78)
    known = small()
    found = label(known.encode(kernels, device=CPU), known.stretches, known.threshold)
    assert found.coverage > 0.95
    right = found.class_index == classes
    assert right[found.identified].mean() > 0.85


def test_each_common_class_has_a_stretch() -> None:
    named = {CLASSES[item.class_index].id for item in small().stretches}
    assert named == set(IDS)
    assert len(small().stretches) <= 24
    widths = [item.high - item.low for item in small().stretches]
    assert min(widths) >= 0.01


def test_stretches_are_as_long_as_kernels_live_there() -> None:
    kernels = np.concatenate([item.patterns for item in networks(2, 400)])
    codes = small().encode(kernels, device=CPU).code
    borders = [item.low for item in small().stretches] + [1.0]
    share = np.histogram(codes, borders)[0] / len(codes)
    assert np.corrcoef(share, np.diff(borders))[0, 1] > 0.7


@pytest.mark.parametrize("method", METHODS)
def test_training_is_the_same_for_a_seed(method: str) -> None:
    options = TrainingOptions(method=method, sweeps=1)
    models = []
    for seed in (1, 1, 2):
        training = Training(
            SIZE, networks(1, 60), options=replace(options, seed=seed), device=CPU
        )
        *_, last = training
        models.append(last.spectrum(32))
    np.testing.assert_array_equal(models[0], models[1])
    assert not np.array_equal(models[0], models[2])


@pytest.mark.parametrize("size", [(5, 7), (11, 1), (4, 4), (9,)])
def test_any_shape_can_be_trained(size: tuple[int, ...]) -> None:
    options = TrainingOptions(sweeps=1)
    known = train(size, [network(noise_of(size, 40))], options=options, device=CPU)
    assert known.spectrum(5).shape == (5, *size)
    assert known.null.kernels == NOISE_KERNELS
    assert known.null.coverage(known.threshold) <= 0.01
    assert known.stretches[-1].high == 1


def test_3d_kernels_are_trained_without_names() -> None:
    options = TrainingOptions(sweeps=2)
    size = (3, 3, 3)
    known = train(size, [network(noise_of(size, 60))], options=options, device=CPU)
    assert [item.class_id for item in known.stretches] == ["unidentified"]
    assert not known.point_cosine.size
    found = label(known.encode(noise_of(size, 5), device=CPU), known.stretches, 0.0)
    assert found.coverage == 0


@pytest.mark.parametrize(
    ("method", "count"), [("curve", 1), ("curve", 3), ("paper", 1)]
)
def test_few_kernels_are_enough(method: str, count: int) -> None:
    kernels, _ = patterns(count)
    options = TrainingOptions(method=method, sweeps=1)
    known = train(SIZE, [network(kernels)], options=options, device=CPU)
    assert np.isfinite(known.spectrum(9)).all()
    assert np.isfinite(known.encode(kernels, device=CPU).fit).all()


def test_the_held_out_fit_is_told_and_grows() -> None:
    training = Training(
        SIZE,
        networks(2, 150),
        held_out=networks(1, 100, seed=50, family=50),
        options=TrainingOptions(sweeps=6),
        device=CPU,
    )
    sweeps = list(training)
    fits = [sweep.held_out_fit for sweep in sweeps]
    assert all(fit is not None for fit in fits)
    assert fits[-1] > fits[0]
    assert sweeps[-1].loss < sweeps[0].loss
    assert [sweep.number for sweep in sweeps] == list(range(1, 7))
    assert sweeps[-1].seconds_left == 0
    assert sweeps[3].spectrum(10).shape == (10, *SIZE)
    assert describe(sweeps[0]).startswith("loss 0.")
    assert " · held-out fit 0." in describe(sweeps[0])
    known = training.result()
    assert known.card["held_out_fit"] == max(fits)
    assert [entry["name"] for entry in known.card["held_out"]] == ["network-50.pth"]


def test_a_stopped_training_keeps_the_best_so_far() -> None:
    training = Training(SIZE, networks(1, 100), device=CPU)
    for sweep in training:
        if sweep.number == 4:
            training.stop()
    known = training.result()
    assert known.card["sweeps"] == "4 of 40"
    assert known.encode(patterns(20)[0], device=CPU).mean_fit > 0.5


def test_a_cancelled_training_keeps_the_best_so_far() -> None:
    watch = Recorder()
    training = Training(SIZE, networks(1, 100), device=CPU, watch=watch)
    sweeps = iter(training)
    next(sweeps)
    watch.end = watch.checks + 5
    with pytest.raises(EndedError):
        list(sweeps)
    known = training.result()
    assert int(known.card["sweeps"].split()[0]) >= 1
    assert len(known.stretches) > 1


def test_a_training_stopped_at_once_has_nothing_to_keep() -> None:
    training = Training(SIZE, networks(1, 100), device=CPU)
    training.stop()
    assert list(training) == []
    with pytest.raises(LatentError, match="before there was anything to keep"):
        training.result()


def test_sweeps_and_the_end_of_the_work_are_told_and_nothing_else() -> None:
    watch = Recorder()
    train(
        SIZE,
        networks(1, 40),
        options=TrainingOptions(sweeps=3),
        device=CPU,
        watch=watch,
    )
    assert [state[:2] for state in watch.told[:3]] == [(1, 3), (2, 3), (3, 3)]
    assert [text for *_, text in watch.told[3:]] == [
        "measuring what noise reaches", "naming the spectrum", "done"
    ]  # fmt: skip


def test_a_narrower_neighbourhood_makes_a_longer_curve() -> None:
    lengths = []
    for width in (0.03, 0.006):
        options = TrainingOptions(sweeps=10, curve=CurveOptions(width=width))
        training = Training(SIZE, networks(1, 200), options=options, device=CPU)
        *_, last = training
        lengths.append(Autoencoder.of("curve", last.model).arc_length)
    assert lengths[1] > 1.5 * lengths[0]


def test_classes_that_pull_make_names_hold() -> None:
    # of all shapes, so that there is more than the curve can hold
    seen, unseen = random_members(SIZE, 30, 1), random_members(SIZE, 30, 2)
    own = family_fit(unseen, device=CPU)
    exact = []
    for pull in (0.0, 0.2):
        options = TrainingOptions(sweeps=8, curve=CurveOptions(class_pull=pull))
        known = train(SIZE, [network(seen)], options=options, device=CPU)
        codes = known.encode(unseen, device=CPU)
        exact.append(agreements(known, codes, 0.0, own)["fine"].exact)
    assert exact[1] > exact[0] + 0.02


def test_on_centres_come_before_off_centres() -> None:
    middles = {
        CLASSES[item.class_index].id: (item.low + item.high) / 2
        for item in small().stretches
    }
    assert middles["on-centre"] < middles["off-centre"]


def broken(value: float) -> Network:
    kernels = patterns(10)[0].copy()
    kernels[3, 0, 0] = value
    return Network("broken.pth", "", kernels, np.zeros(10, np.int32))


def test_what_cannot_be_trained_is_named() -> None:
    some = networks(1, 50)
    cases = [
        ({"networks": []}, "there are no 7×7 kernels to train on"),
        ({"networks": [replace(some[0], patterns=some[0].patterns[:0])]}, "no 7×7"),
        ({"size": (5, 5)}, "the kernels of network-0.pth are not 5×5"),
        ({"networks": [broken(np.nan)]}, "broken.pth has weights that are not finite"),
        ({"networks": [broken(np.inf)]}, "broken.pth has weights that are not finite"),
        ({"held_out": some}, "network-0.pth is a sibling of a network that is trained"),
        ({"options": TrainingOptions(sweeps=0)}, "0 sweeps are too few"),
    ]
    for changes, words in cases:
        arguments = {"size": SIZE, "networks": some, "device": CPU} | changes
        with pytest.raises(LatentError, match=words):
            Training(arguments.pop("size"), arguments.pop("networks"), **arguments)
    with pytest.raises(LatentError, match="there is no method 'magic'"):
        Training(SIZE, some, options=TrainingOptions(method="magic"), device=CPU)
