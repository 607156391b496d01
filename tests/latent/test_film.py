"""Runs whose formation is known, and real ones."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

import kernelviewer as kv
from kernelviewer.device import CPU
from kernelviewer.kernels.classes import FLAT, INDEX, PATTERNS, UNIDENTIFIED, Naming
from kernelviewer.kernels.series import Series
from kernelviewer.latent.autoencoder import Autoencoder, shipped
from kernelviewer.latent.film import film_of, formation_steps
from kernelviewer.latent.labels import Labelling, label_kernels
from tests.latent.runs import LAYERS, STEPS, made_run
from tests.recorder import EndedError, Recorder
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.latent.curve import Codes
    from kernelviewer.latent.film import Film

OTHER, FLAT_CLASS = INDEX[UNIDENTIFIED.id], INDEX[FLAT.id]


def film(folder: Path, **how: object) -> Film:
    paths = sorted(folder.iterdir(), key=lambda path: path.name[::-1])
    return film_of(Series(paths), shipped, device=CPU, **how)  # type: ignore[arg-type]


def test_a_kernel_forms_when_its_class_stays_to_the_end() -> None:
    rows = {
        "at once": ([3, 3, 3, 3], 0),
        "in the middle": ([OTHER, 1, 3, 3], 2),
        "lost in between": ([3, 3, OTHER, 3], 3),
        "never": ([3, 3, 3, OTHER], -1),
        "flat": ([FLAT_CLASS] * 4, -1),
        "flat at first": ([FLAT_CLASS, 3, 3, 3], 1),
    }
    label = np.array([row for row, _ in rows.values()], np.int8).T
    expected = [first for _, first in rows.values()]
    assert formation_steps(label).tolist() == expected
    assert formation_steps(label[:0]).tolist() == [-1] * len(rows)


def test_made_kernels_form_at_their_steps(tmp_path: Path) -> None:
    expected = made_run(tmp_path)
    found = film(tmp_path, by="family")
    assert found.numbers == STEPS
    assert found.ordered_by == "step"
    assert found.left_out == ()
    track = found.tracks[7, 7]
    formation = track.formation()
    assert formation.first.tolist() == [i for first in expected.values() for i in first]
    for (name, kernels, formed, median), first in zip(
        formation.of_layers(), expected.values(), strict=True
    ):
        assert (kernels, formed) == (LAYERS[name], (first >= 0).sum())
        assert median == np.median([STEPS[i] for i in first if i >= 0])
    assert formation.formed + formation.never == sum(LAYERS.values())


def test_a_higher_threshold_forms_fewer_kernels(tmp_path: Path) -> None:
    made_run(tmp_path)
    track = film(tmp_path).tracks[7, 7]
    formed = [track.formation(level).formed for level in (1.0, 0.99, None, 0.0)]
    assert formed[0] == 0
    assert formed == sorted(formed)
    assert formed[-1] > formed[-2]


@pytest.mark.parametrize("by", ["code", "family"])
def test_a_step_is_labelled_as_its_file_alone(tmp_path: Path, by: str) -> None:
    made_run(tmp_path)
    found = film(tmp_path, by=by)
    track, autoencoder = found.tracks[7, 7], shipped((7, 7))
    assert autoencoder is not None
    for number, step in enumerate(found.steps):
        bank = kv.extract_kernels(kv.open_checkpoint(step.path))
        alone = label_kernels("", bank, (7, 7), Labelling(autoencoder, Naming(by)), CPU)
        totals = track.totals(number)
        there = ~alone.kernels.flat
        assert (totals.kernels, totals.flat) == (32, 2)
        assert totals.scale == pytest.approx(alone.kernels.scale[there].mean())
        if by == "code":
            assert alone.codes is not None
            assert alone.labels is not None
            codes = track.codes(number)
            np.testing.assert_allclose(codes.code, alone.codes.code, atol=1e-5)
            np.testing.assert_allclose(codes.fit, alone.codes.fit, atol=1e-5)
            kinds = alone.labels.class_index
            assert track.labels(number).class_index.tolist() == kinds.tolist()
            assert totals.classes == alone.labels.counts()
            assert totals.coverage == alone.labels.coverage
            assert totals.mean_fit == pytest.approx(alone.codes.mean_fit, abs=1e-5)
        else:
            assert alone.family is not None
            np.testing.assert_array_equal(
                track.best[number, there], alone.family.class_index
            )
            assert totals.mean_fit == pytest.approx(
                alone.family.cosine.mean(), abs=1e-5
            )


def test_cosines_are_with_the_last_state(tmp_path: Path) -> None:
    expected = made_run(tmp_path)
    track = film(tmp_path).tracks[7, 7]
    first = np.concatenate(list(expected.values()))
    cosine = track.cosine.astype(np.float32)
    flat = np.zeros(len(track), bool)
    flat[[0, LAYERS["a.dw"]]] = True
    assert np.isnan(cosine[:, flat]).all()
    np.testing.assert_allclose(cosine[-1, ~flat], 1, atol=1e-3)
    formed = (first >= 0) & (np.arange(len(STEPS))[:, None] >= first)
    np.testing.assert_allclose(cosine[formed & ~flat], 1, atol=2e-3)
    assert track.totals(0).cosine < 0.6


def test_codes_take_four_bytes_a_kernel_and_step(tmp_path: Path) -> None:
    made_run(tmp_path)
    track = film(tmp_path, by="code").tracks[7, 7]
    assert track.code.nbytes + track.fit.nbytes == 4 * len(track) * len(STEPS)
    assert not track.fit.flags.writeable


def test_steps_that_are_known_are_not_encoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is watched: steps come, one is written anew."""
    made_run(tmp_path)
    late = [tmp_path / f"step-{n:06d}.safetensors" for n in (30, 100)]
    kept = [path.read_bytes() for path in late]
    for path in late:
        path.unlink()
    known = film(tmp_path, by="code")
    for path, data in zip(late, kept, strict=True):
        path.write_bytes(data)
    first = tmp_path / "step-000000.safetensors"
    os.utime(first, ns=(1, 1))
    encoded: list[int] = []
    encode = Autoencoder.encode_set

    def note(self: Autoencoder, *args: object, **how: object) -> Codes:
        encoded.append(1)
        return encode(self, *args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Autoencoder, "encode_set", note)
    again = film(tmp_path, by="code", known=known)
    assert len(encoded) == 3  # the two that came and the one that changed
    whole = film(tmp_path, by="code")
    assert len(encoded) == 3 + len(STEPS)
    for name in ("code", "fit", "best", "cosine", "scale"):
        one, two = (getattr(item.tracks[7, 7], name) for item in (again, whole))
        np.testing.assert_array_equal(one, two)
    film(tmp_path, by="family", known=known)  # named by something else: not used


def test_a_broken_and_a_missing_and_an_odd_step_are_left_out(tmp_path: Path) -> None:
    expected = made_run(tmp_path)
    (tmp_path / "step-000005.safetensors").write_bytes(b"half of it")
    kv.snapshot({"a.dw": np.ones((3, 1, 5, 5))}, 30, tmp_path)
    paths = [*tmp_path.iterdir(), tmp_path / "step-000007.safetensors"]
    found = film_of(Series(paths), shipped, by="family", device=CPU)
    assert found.numbers == (0, 2, 10, 100)
    told = {item.name: item.problem for item in found.left_out}
    assert told.keys() == {f"step-00000{n}.safetensors" for n in (5, 7)} | {
        "step-000030.safetensors"
    }
    assert "other layers" in told["step-000030.safetensors"]
    first = np.concatenate(list(expected.values()))
    places = np.array([0, 1, 2, 2, 3, 3, -1])
    lost = found.tracks[7, 7].formation().first
    assert lost.tolist() == places[first].tolist()


def test_a_size_that_nothing_names_is_counted_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for step in (1, 2):
        kv.snapshot({"v.dw": rng.normal(size=(4, 1, 3, 3, 3))}, step, tmp_path)
    track = film(tmp_path).tracks[3, 3, 3]
    assert track.by is None
    totals = track.totals(0)
    assert (totals.kernels, totals.flat, totals.classes) == (4, 0, {})
    assert np.isnan(totals.coverage)
    assert track.formation().formed == 0


def test_nothing_is_left_of_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"nothing")
    found = film(tmp_path)
    assert (len(found), found.tracks) == (0, {})
    assert len(found.left_out) == 1


def test_looking_through_a_run_can_be_ended(tmp_path: Path) -> None:
    made_run(tmp_path)
    series = Series(list(tmp_path.iterdir()))
    watch = Recorder()
    film_of(series, shipped, by="code", device=CPU, watch=watch)
    encoded = [text for _, _, text in watch.told if text.startswith("encoding step")]
    assert len(encoded) == len(STEPS)
    for end in range(1, watch.checks, 7):
        with pytest.raises(EndedError):
            film_of(series, shipped, by="code", device=CPU, watch=Recorder(end))


def test_it_can_be_ended_between_batches_of_kernels(tmp_path: Path) -> None:
    """A network of any size is given up after some thousands of its kernels."""
    rng = np.random.default_rng(0)
    for by, some in (("code", 4096), ("family", 256)):  # fits take longer
        checks = []
        for count in (some // 2, 5 * some // 2):
            folder = tmp_path / f"{by}-{count}"
            for step in range(2):
                weights = rng.standard_normal((count, 1, 7, 7)).astype(np.float32)
                kv.snapshot({"a.dw": weights}, step, folder)
            series, watch = Series(list(folder.iterdir())), Recorder()
            film_of(series, shipped, by=by, device=CPU, watch=watch)  # type: ignore[arg-type]
            checks.append(watch.checks)
        assert checks[1] - checks[0] >= 2 * 2, by


@needs_checkpoints
def test_the_epochs_of_mini_xception() -> None:
    paths = sorted(CHECKPOINTS.glob("minixception-fer2013-epoch*"))[::-1]
    found = film_of(Series(paths), shipped, by="code", device=CPU)
    assert found.numbers == (0, 3, 10, 29, 110)
    track = found.tracks[3, 3]
    totals = [track.totals(step) for step in range(len(found))]
    fits = [
        0.867,
        0.869,
        0.874,
        0.882,
        0.893,
    ]  # method.md §8 has those of 0.1.0's curve
    assert [item.mean_fit for item in totals] == pytest.approx(fits, abs=3e-3)
    cosines = [0.723, 0.771, 0.839, 0.922, 1]
    assert [item.cosine for item in totals] == pytest.approx(cosines, abs=1e-3)
    formation = track.formation()
    label = np.stack([track.classes(step) for step in range(len(found))])
    for kernel, first in enumerate(formation.first):
        kinds = label[:, kernel].tolist()
        if first < 0:
            assert kinds[-1] >= len(PATTERNS)
        else:
            assert set(kinds[first:]) == {kinds[-1]}
            assert first == 0 or kinds[first - 1] != kinds[-1]
    assert formation.formed == 57
