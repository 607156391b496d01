"""How a figure's kernels are grouped, sorted and picked, and that it is remade so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.cli import main
from kernelviewer.figures import FigureError, FigureOptions, make_figure
from kernelviewer.figures.provenance import Record, read_record, show_again
from kernelviewer.figures.tiling import quantise
from kernelviewer.kernels.classes import CLASSES
from tests.figures.reading import Svg, faults
from tests.figures.scenes import THRESHOLD, make_bank, named

if TYPE_CHECKING:
    from pathlib import Path

SORTS = ("channel", "code", "fit", "scale", "flat", "class")


def test_a_sheet_by_class_has_the_classes_kernels_under_their_colours() -> None:
    scene = named(make_bank(), make_bank(name="other", seed=1))
    drawn = make_figure("sheet", scene, FigureOptions(group="class", sort="code"))
    content = drawn.content.arrays()
    names = content["groups"].tolist()
    label = np.concatenate(
        [item.coding.label(THRESHOLD) for item in scene.subjects if item.coding]
    )
    counts = np.bincount(label, minlength=len(CLASSES))
    assert names == [CLASSES[i].name for i in np.flatnonzero(counts)]
    assert np.bincount(content["group"]).tolist() == counts[counts > 0].tolist()
    svg = Svg(drawn.figure)
    for item in CLASSES:
        if item.name in names and item.id != "flat":  # flat: a hatch
            assert item.light.lower() in svg.colours_of(f"class-{item.id}")
    assert "by class, in the order of their codes" in drawn.caption
    assert faults(drawn.figure) == []


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("group", ["layer", "class", "network", "code", "fit", "none"])
def test_every_kernel_is_on_the_sheet_once(group: str, sort: str) -> None:
    scene = named(make_bank(), make_bank(name="other", seed=1))
    options = FigureOptions(group=group, sort=sort)  # type: ignore[arg-type]
    drawn = make_figure("sheet", scene, options)
    found = drawn.content.arrays()
    places = set(
        zip(*(found[k].tolist() for k in ("source", "layer", "channel")), strict=True)
    )
    assert len(places) == len(found["kernels"]) == scene.count
    table = drawn.content.table().columns
    assert table["source"][0] in ("net", "other")
    assert faults(drawn.figure) == []


def test_kernels_sorted_by_fit_begin_with_the_best() -> None:
    scene = named(make_bank())
    options = FigureOptions(group="none", sort="fit")
    found = make_figure("sheet", scene, options).content.arrays()
    subject = scene.subjects[0]
    assert subject.coding is not None
    best = subject.kernels.weights[int(np.nanargmax(subject.coding.fit))]
    assert (found["kernels"][0] == best).all()
    assert found["flat"][-1]


def test_an_order_that_needs_codes_says_so() -> None:
    scene = named(make_bank())
    bare = replace(scene, yardstick=None)
    with pytest.raises(FigureError, match="no classes yet"):
        make_figure("sheet", bare, FigureOptions(group="class"))


def test_other_components_are_drawn_and_named() -> None:
    scene = named(make_bank())
    drawn = make_figure("pca", scene, FigureOptions(components=(2, 3)))
    assert any(text.startswith("PC 2 (") for text in Svg(drawn.figure).texts)
    assert any(text.startswith("PC 3 (") for text in Svg(drawn.figure).texts)
    assert "pc2" in drawn.content.table().columns
    usual = make_figure("pca", scene, FigureOptions(components=(1, 2)))
    second = np.asarray(usual.content.arrays()["points"])[:, 1]
    assert np.allclose(drawn.content.arrays()["points"][:, 0], second)
    with pytest.raises(FigureError, match="the same"):
        FigureOptions(components=(2, 2))


def test_a_marked_code_is_decoded_and_the_nearest_kernels_stand_below() -> None:
    scene = named(make_bank())
    drawn = make_figure("kernel", scene, FigureOptions(mark=0.5))
    texts = Svg(drawn.figure).texts
    assert "Nearest kernels" in texts
    assert "Code 0.500" in texts
    arrays = drawn.content.arrays()
    assert (np.diff(arrays["cosine"]) <= 0).all()
    assert faults(drawn.figure) == []
    spectrum = make_figure("spectrum", scene, FigureOptions(mark=0.5))
    assert "0.500" in Svg(spectrum.figure).texts


def test_a_kernel_is_its_reconstruction_and_what_is_left() -> None:
    scene = named(make_bank())
    one = np.zeros(len(scene.subjects[0].kernels), bool)
    one[3] = True
    subject = replace(scene.subjects[0], shown=one)
    drawn = make_figure("kernel", replace(scene, subjects=(subject,)))
    arrays = drawn.content.arrays()
    joined = arrays["reconstruction_0"] + arrays["residual_0"]
    assert np.allclose(joined, subject.kernels.weights[3], atol=1e-5)
    assert "channel 3" in drawn.caption


def test_a_record_keeps_the_words_of_the_selection_and_the_own_caption() -> None:
    scene = replace(named(make_bank()), selection="code 0.2–0.3")
    drawn = make_figure("sheet", scene)
    assert drawn.caption.endswith("Shown: code 0.2–0.3.")
    assert drawn.with_caption(f" {drawn.proposal} ").record.caption == ""
    own = drawn.with_caption("Mine.")
    assert own.caption == "Mine."
    record = Record.from_text(own.record.to_text())
    assert (record.caption, record.selection) == ("Mine.", "code 0.2–0.3")
    assert show_again(named(make_bank()), record).selection == "code 0.2–0.3"


def test_options_survive_a_record() -> None:
    options = FigureOptions(
        components=(3, 1), group="class", sort="fit", mark=0.25, margin_mm=5, samples=7
    )
    text = Record("pca", "7x7", options=options.to_json()).to_text()
    assert FigureOptions.from_json(Record.from_text(text).options) == options
    for damaged in (
        {"components": [1, "2"]},
        {"components": [1, 2, 3]},
        {"mark": "x"},
        {"samples": 2.5},
        {"dark": 1},
        {"group": 3},
        {"width_mm": True},
    ):
        with pytest.raises(FigureError, match="wrong type"):
            FigureOptions.from_json(damaged)


def test_the_command_line_picks_channels_and_keeps_captions(tmp_path: Path) -> None:
    from tests.networks import write_network

    network = write_network(tmp_path / "net.safetensors", channels=8)
    first, again = tmp_path / "a.svg", tmp_path / "b.svg"
    command = ["figure", "kernel", str(network), "-o", str(first), "--size", "7x7"]
    command += ["--channel", "2", "--caption", "Channel two."]
    assert main(command) == 0
    record = read_record(first)
    assert record.selection == "channel 2"
    assert record.caption == "Channel two."
    assert main(["figure", "--from", str(first), "-o", str(again)]) == 0
    assert first.read_bytes() == again.read_bytes()
    assert main([*command[:-4], "--channel", "99", "--force"]) == 1


@pytest.mark.parametrize("colour", ["class", "layer", "network", "fit"])
def test_points_are_coloured_by_what_is_asked_for(colour: str) -> None:
    scene = named(make_bank(), make_bank(name="other", seed=1))
    options = FigureOptions(colour=colour)  # type: ignore[arg-type]
    drawn = make_figure("pca", scene, options)
    texts = Svg(drawn.figure).texts
    expected = {
        "class": "On-centre",
        "layer": "last layer",
        "network": "other",
        "fit": "fit 1",
    }
    assert expected[colour] in texts
    assert faults(drawn.figure) == []


def test_stretches_of_the_code_are_groups_in_their_order() -> None:
    scene = named(make_bank())
    groups = make_figure("sheet", scene, FigureOptions(group="code")).content.arrays()
    names = groups["groups"].tolist()
    assert names[0].startswith("On-centre, code 0.000–0.09")
    assert names[-1] == "Flat"


@pytest.mark.filterwarnings("error")
def test_the_scale_of_a_kernel_does_not_change_its_picture() -> None:
    """Weights of a network that was never scaled are as small as floats can be."""
    kernels = np.random.default_rng(0).normal(size=(4, 5, 5)).astype(np.float32)
    flat = np.zeros(4, bool)
    wanted = quantise(kernels, flat).astype(int)
    assert wanted.min() == 0
    for scale in (1e-38, 3e-40, 1e36):
        found = quantise(np.float32(scale) * kernels, flat).astype(int)
        assert np.abs(found - wanted).max() <= 1
    beyond = quantise(kernels, flat, np.full(4, 1e-40, np.float32))
    assert set(np.unique(beyond)) <= {0, wanted.max()}
