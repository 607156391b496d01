"""No text overlaps another or the border, at any size offered."""

from __future__ import annotations

import re
from bisect import bisect
from dataclasses import replace

import numpy as np
import pytest

from kernelviewer.figures import (
    EXHIBITS,
    PRESETS,
    FigureError,
    FigureOptions,
    Scene,
    make_figure,
)
from kernelviewer.figures.exhibits.spectrum import prepare_spectrum
from kernelviewer.figures.fonts import Face
from kernelviewer.figures.page import SHEET
from kernelviewer.kernels.classes import FINE
from tests.figures.reading import Svg, faults, text_boxes, texts_in
from tests.figures.scenes import make_bank, named, scene_of

PAIRED = [kind for kind, item in EXHIBITS.items() if item.compares]
LOOKS = {
    "slide": replace(
        PRESETS["slide"],
        title="A title that is so long that it does not fit into one "
        "line of a page, whatever the column and the font may be",
    ),
    "narrow": FigureOptions(width_mm=60.0, font_size=9.0, dpi=150),
}


def scene_for(kind: str, *networks: str) -> Scene:
    return scene_of(kind, *(make_bank(name=name) for name in networks))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", EXHIBITS)
def test_texts_keep_clear_of_each_other_and_the_border(kind: str, look: str) -> None:
    """As in the columns of a journal: see `tests.figures.test_promises`."""
    drawn = make_figure(kind, scene_for(kind, "network"), LOOKS[look])
    assert faults(drawn.figure) == []
    width, _ = drawn.figure.get_size_inches() * 25.4
    assert width == pytest.approx(LOOKS[look].width_mm, abs=0.2)


@pytest.mark.parametrize(
    "kind",
    [
        "samples",
        "composition",
        "histogram",
        "compare",
        "table",
        "sheet",
        "pca",
        "classes",
        "transitions",
        "drift",
        "pairs",
        "scatter",
        "shift",
    ],
)
def test_two_networks_of_long_names_fit_a_single_column(kind: str) -> None:
    names = ("a" * 90, "сеть с длинным именем " * 4)
    drawn = make_figure(kind, scene_for(kind, *names), FigureOptions(width_mm=89.0))
    assert faults(drawn.figure) == []


@pytest.mark.parametrize(
    ("kind", "width"),
    [
        *((kind, 89.0) for kind in ("sheet", "samples", "composition", *PAIRED)),
        *((kind, 183.0) for kind in ("sheet", "drift")),
    ],
)
def test_two_hundred_layers_of_long_names(kind: str, width: float) -> None:
    layers = [(f"encoder.stages.{i}.{'block.' * 20}conv_dw", 6) for i in range(200)]
    scene = named(make_bank(layers), make_bank(layers, name="other", seed=1))
    if kind not in PAIRED:
        scene = replace(scene, subjects=scene.subjects[:1])
    drawn = make_figure(kind, scene, FigureOptions(width_mm=width, dpi=150))
    assert faults(drawn.figure) == []


@pytest.mark.parametrize("kind", ["composition", "health", "drift"])
def test_names_of_layers_are_level_where_they_fit_side_by_side(kind: str) -> None:
    for count, turned in ((3, 0.0), (24, 90.0)):
        layers = [(f"stages.{i}", 4) for i in range(count)]
        figure = make_figure(
            kind, scene_of(kind, make_bank(layers)), FigureOptions(width_mm=183.0)
        ).figure
        names = [t for t in texts_in(figure) if t.get_gid() == "layer"]
        assert {text.get_rotation() for text in names} == {turned}
        assert faults(figure) == []


@pytest.mark.parametrize("kind", EXHIBITS)
def test_one_kernel_is_enough(kind: str) -> None:
    scene = scene_of(kind, make_bank([("only", 1)]))
    assert faults(make_figure(kind, scene, FigureOptions(width_mm=89.0)).figure) == []


@pytest.mark.parametrize("size", [(3, 3), (1, 11), (60, 1), (4, 6), (5,), (51, 51)])
def test_kernels_of_any_shape(size: tuple[int, ...]) -> None:
    scene = named(make_bank(size=size))
    for kind in ("sheet", "samples", "spectrum", "classes", "pca"):
        options = FigureOptions(width_mm=89.0, dpi=150)
        assert faults(make_figure(kind, scene, options).figure) == [], kind


def test_slices_of_3d_kernels_stand_side_by_side() -> None:
    drawn = make_figure("sheet", named(make_bank(size=(3, 5, 5))), FigureOptions())
    assert faults(drawn.figure) == []
    with pytest.raises(FigureError, match="1-D and 2-D"):
        make_figure("family", Scene((), (3, 3, 3)))


@pytest.mark.parametrize("kind", EXHIBITS)
def test_a_height_that_is_too_small_is_said(kind: str) -> None:
    options = FigureOptions(height_mm=20.0, font_size=12.0)
    with pytest.raises(FigureError, match=r"fit|wide"):
        make_figure(kind, scene_for(kind, "network"), options)


def test_every_tap_of_a_sheet_is_a_whole_number_of_pixels() -> None:
    from kernelviewer.figures.writing import render_pixels

    scene = named(make_bank([("layer", 30)]))
    drawn = make_figure("sheet", scene, FigureOptions(labels=False, scale_bar=False))
    pixels = render_pixels(drawn.figure, 300)[:, :, :3].astype(int)
    changes = np.abs(np.diff(pixels, axis=1)).sum(axis=(0, 2)) > 0
    at = np.flatnonzero(changes)
    steps = np.diff(at)
    assert len(at) > 50
    assert (steps % steps.min() == 0).all()


@pytest.mark.parametrize("kind", EXHIBITS)
def test_no_text_is_clipped_at_any_size_offered(kind: str) -> None:
    """From 40 to 400 mm and 4 to 24 pt: drawn without a fault, or refused in words."""
    scene = (
        scene_for(kind, "network", "other")
        if kind != "compare"
        else named(make_bank(name="a" * 60))
    )
    refused = []
    for width, size in [(40, 4), (40, 10), (89, 24), (400, 24)]:
        options = FigureOptions(width_mm=width, font_size=size, dpi=100)
        try:
            figure = make_figure(kind, scene, options).figure
        except FigureError as error:
            refused.append((width / size, error.problem))
        else:
            assert faults(figure) == [], (width, size)
    assert all(room < 5 and "fit" in problem for room, problem in refused)


def test_the_spectrum_names_fine_classes_at_their_places_not_in_a_legend() -> None:
    scene = scene_of("spectrum", make_bank(), scheme=FINE)
    assert scene.yardstick is not None
    stretches = tuple(
        replace(stretch, name=item.short)
        for stretch, item in zip(scene.yardstick.stretches, FINE.patterns, strict=True)
    )
    scene = replace(scene, yardstick=replace(scene.yardstick, stretches=stretches))
    options = FigureOptions(width_mm=89.0)
    drawn = make_figure("spectrum", scene, options)
    assert faults(drawn.figure) == []
    row = prepare_spectrum(scene, options)._row(options, Face.of(options))
    edges = [item.low for item in stretches]
    shown = {bisect(edges, code) for code, _ in row.places}
    assert shown == {*range(1, 24)}, "each class has a kernel"
    boxes = dict(text_boxes(drawn.figure))
    lefts = []
    for item in FINE.patterns:
        left, bottom, right, top = boxes[item.short]
        assert top - bottom > 1.5 * (right - left), f"{item.short} runs upwards"
        lefts.append(left)
    assert lefts == sorted(lefts), "each is over its stretch"


def higher_than_a_page(kind: str) -> tuple[Scene, FigureOptions]:
    """More layers, kernels or networks than have room on one."""
    options = FigureOptions(width_mm=89.0, dpi=150)
    layers = [(f"stage.{i}.dw", 400) for i in range(25)]
    if kind == "offsets":
        layers = [(f"stage.{i}.dw", 10) for i in range(90)]
    if kind == "table":
        banks = [make_bank(name=f"network-{i}-of-the-same-zoo") for i in range(12)]
        return scene_of(kind, *banks, scheme=FINE), options
    return scene_of(kind, make_bank(layers, size=(3, 3)), scheme=FINE), options


@pytest.mark.parametrize("kind", ["sheet", "offsets", "table"])
def test_no_figure_is_higher_than_a_page_and_the_caption_says_what_had_to_go(
    kind: str,
) -> None:
    scene, options = higher_than_a_page(kind)
    drawn = make_figure(kind, scene, options)
    assert drawn.figure.get_size_inches()[1] * 25.4 <= SHEET + 0.2
    assert faults(drawn.figure) == []
    assert drawn.notes == ()
    (told,) = drawn.page.left_out
    assert told in drawn.caption
    wanted = {
        "sheet": r"Of each layer the first \d+ kernels are shown",
        "offsets": r"The first \d+ layers are shown",
        "table": r"Only the first \d+ of 12 networks are shown",
    }
    assert re.match(wanted[kind], told)
    if kind == "sheet":
        number = re.search(r"\d+", told)
        assert number is not None
        texts = Svg(drawn.figure).texts
        assert any(text.startswith(f"{number[0]} of 400") for text in texts)
    whole = make_figure(kind, scene, replace(options, height_mm=900.0))
    assert whole.page.left_out == []


def test_layers_that_have_no_room_on_a_page_are_told() -> None:
    layers = [(f"stage.{i}.dw", 2) for i in range(300)]
    scene = scene_of("sheet", make_bank(layers, size=(3, 3)))
    drawn = make_figure("sheet", scene, FigureOptions(width_mm=89.0))
    assert drawn.figure.get_size_inches()[1] * 25.4 <= SHEET
    assert re.search(r"Only the first \d+ of 300 layers are shown\.", drawn.caption)


def test_names_of_networks_still_differ_where_they_are_shortened() -> None:
    names = ["mcunet-in3-cifar100-best-sanchoo1", "mcunet-in3-tinyimagenet-sanchoo1"]
    face = Face.of(FigureOptions())
    width = face.width("in3-cifar100-best")
    one, other = face.elide_apart([*names, "vit"], width)[:2]
    assert one != other
    assert max(map(face.width, (one, other))) <= width
    assert "cifar" in one
