"""Figures of a training run, and the run as an animated picture."""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from kernelviewer.cli import main
from kernelviewer.figures import FigureError, FigureOptions, make_figure
from kernelviewer.figures.animation import write_animation
from kernelviewer.figures.comparing import run_of
from kernelviewer.figures.scene import Coding
from kernelviewer.kernels.classes import PAPER, PATTERNS
from kernelviewer.kernels.series import places_of
from kernelviewer.watch import NEVER
from tests.figures.reading import Svg, faults
from tests.figures.scenes import make_bank, named
from tests.latent.runs import LAYERS, STEPS, made_run
from tests.recorder import EndedError, Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.figures import Scene

KINDS = ("shares-over-time", "formation", "strips")
NUMBERS = (1, 2, 10, 40)


def scene(numbers: tuple[int, ...] = NUMBERS) -> Scene:
    """Steps in the order of their names as texts; the classes change from each."""
    banks = [make_bank(name=f"net_{n}", seed=n) for n in sorted(numbers, key=str)]
    found = named(*banks)
    subjects = []
    for number, subject in zip(sorted(numbers, key=str), found.subjects, strict=True):
        coding = subject.coding
        assert coding is not None
        if number < 10:
            rows = np.array(PAPER.rows)
            place = np.searchsorted(rows, coding.best)
            turned = rows[(place + number) % len(PAPER.patterns)]
            best = np.where(coding.best < len(PATTERNS), turned, coding.best)
            coding = Coding(coding.code, coding.fit, best)
        subjects.append(replace(subject, coding=coding))
    return replace(found, subjects=tuple(subjects))


def test_steps_follow_each_other_by_number() -> None:
    run = run_of(scene(), NEVER)
    assert run.numbers == NUMBERS
    assert [subject.name for subject in run.subjects] == [f"net_{n}" for n in NUMBERS]


def test_formation_is_by_the_labels_at_each_step() -> None:
    content = make_figure("formation", scene()).content
    found = content.arrays()
    labels = run_of(scene(), NEVER).labels(scene())
    formed = found["formation"] >= 0
    assert (found["formation"][formed] == 2).all()  # from step 10 on nothing changes
    assert (labels[-1][formed] < len(PATTERNS)).all()
    assert (labels[-1][~formed] >= len(PATTERNS)).all()
    table = content.table().columns
    assert list(table["median_step"]) == [10.0, 10.0, 10.0]
    assert sum(table["formed"]) == formed.sum() > 20


def test_shares_of_each_step_sum_to_all_its_kernels() -> None:
    drawn = make_figure("shares-over-time", scene())
    counts = drawn.content.arrays()["counts"]
    assert counts.shape == (4, len(PAPER.rows))
    assert (counts.sum(axis=1) == 71).all()
    svg = Svg(drawn.figure)
    assert {"1", "2", "10", "40", "step"} <= set(svg.texts)
    assert "4 steps, 1 to 40" in drawn.caption
    assert "white noise" in drawn.caption


@pytest.mark.parametrize("kind", KINDS)
def test_no_caption_tells_how_each_step_is_called(kind: str) -> None:
    where = scene()
    steps = [replace(step, called=f"{i}") for i, step in enumerate(where.subjects)]
    caption = make_figure(kind, replace(where, subjects=tuple(steps))).caption
    assert "” is " not in caption


def test_strips_show_the_same_kernel_at_every_step() -> None:
    where = scene()
    content = make_figure("strips", where, FigureOptions(samples=2)).content
    found = content.arrays()
    by_name = {subject.name: subject.kernels for subject in where.subjects}
    for number, step in enumerate(found["steps"].tolist()):
        kernels = by_name[f"net_{step}"]
        for i in (0, 30, 60):
            at = np.flatnonzero(
                (kernels.layer == found["layer"][i])
                & (kernels.channel == found["channel"][i])
            )
            assert np.array_equal(found["kernels"][i, number], kernels.weights[at[0]])


@pytest.mark.parametrize("kind", KINDS)
def test_networks_with_other_layers_are_named_and_left_out(kind: str) -> None:
    odd = named(make_bank([("other", 9)], name="net_3"))
    where = scene()
    where = replace(where, subjects=(*where.subjects, *odd.subjects))
    caption = make_figure(kind, where).caption
    assert "Left out, with other layers: net_3." in caption
    assert "4 steps, 1 to 40" in caption


@pytest.mark.parametrize("kind", KINDS)
def test_forty_steps_of_many_layers_fit(kind: str) -> None:
    layers = [(f"encoder.stages.{i}.{'block.' * 9}conv_dw", 4) for i in range(50)]
    banks = [make_bank(layers, name=f"epoch{n}", seed=n) for n in range(0, 4000, 100)]
    where = named(*banks)
    for width in (60.0, 183.0):
        drawn = make_figure(kind, where, FigureOptions(width_mm=width, dpi=150))
        assert faults(drawn.figure) == [], width
        assert "40 epochs, 0 to 3900" in drawn.caption


@pytest.mark.parametrize("time", ["auto", "even", "step", "log"])
def test_steps_are_spaced_as_wished(time: str) -> None:
    options = FigureOptions(time=time)  # type: ignore[arg-type]
    places = places_of((0, 10, 20, 1000), options.time)
    assert places[0] == 0
    assert places[-1] == 1
    gaps = np.diff(places)
    assert (gaps > 0).all()
    assert np.allclose(gaps, 1 / 3) == (time == "even")
    assert np.isclose(gaps[0], 0.01) == (time == "step")
    assert np.allclose(places_of((0, 10, 20)), [0, 0.5, 1])
    assert faults(make_figure("formation", scene(), options).figure) == []


@pytest.mark.parametrize("suffix", [".gif", ".apng"])
def test_an_animation_has_a_frame_for_each_step(tmp_path: Path, suffix: str) -> None:
    options = FigureOptions(width_mm=120, dpi=72)
    watch = Recorder()
    path = write_animation(scene(), tmp_path / f"run{suffix}", options, watch)
    assert (4, 4, "") in watch.told
    assert [text for *_, text in watch.told if text.startswith("drawing")] == [
        f"drawing step {n}" for n in NUMBERS
    ]
    with Image.open(path) as picture:
        assert picture.n_frames == 4
        assert picture.width == 340
        frames = []
        for number in range(4):
            picture.seek(number)
            frames.append(np.asarray(picture.convert("RGB")))
        assert all((a != b).any() for a, b in itertools.pairwise(frames))


def test_an_animation_can_be_ended_and_leaves_nothing(tmp_path: Path) -> None:
    options = FigureOptions(width_mm=120, dpi=72)
    for end in (1, 4, 9):
        with pytest.raises(EndedError):
            write_animation(scene(), tmp_path / "run.gif", options, Recorder(end))
    assert list(tmp_path.iterdir()) == []


def test_an_animation_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(FigureError, match=r"run\.mp4: animations are written as GIF"):
        write_animation(scene(), tmp_path / "run.mp4")


def test_commands_take_a_folder_as_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = made_run(tmp_path / "run")
    (tmp_path / "run" / "step-000005.safetensors").write_bytes(b"half")
    out, data = tmp_path / "a.svg", tmp_path / "a.csv"
    words = ["figure", "formation", tmp_path / "run", "-o", out, "--data", data]
    family = ["--autoencoder", "family", "--device", "cpu"]
    assert main(list(map(str, [*words, *family]))) == 1
    assert "step-000005.safetensors is left out" in capsys.readouterr().err
    with data.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["layer"] for row in rows] == list(LAYERS)
    formed = [str((first >= 0).sum()) for first in expected.values()]
    assert [row["formed"] for row in rows] == formed
    again = tmp_path / "b.svg"
    assert (
        main(
            [
                "figure",
                "--from",
                str(out),
                *map(str, (tmp_path / "run").iterdir()),
                "-o",
                str(again),
                "--device",
                "cpu",
            ]
        )
        == 0
    )
    assert again.read_bytes() == out.read_bytes()
    gif = tmp_path / "a.gif"
    words = ["series", tmp_path / "run", "--animation", gif, "--device", "cpu"]
    assert main(list(map(str, words))) == 1
    with Image.open(gif) as picture:
        assert picture.n_frames == len(STEPS) - 1
