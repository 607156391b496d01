"""No text overlaps another or the border, at any size offered."""

from __future__ import annotations

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
from tests.figures.reading import faults
from tests.figures.scenes import make_bank, named, scene_of

PAIRED = [kind for kind, item in EXHIBITS.items() if item.compares]
LOOKS = {
    "single": FigureOptions(width_mm=89.0, panel_letters=True),
    "double": FigureOptions(
        title="A title that is so long that it does not fit into one "
        "line of a page, whatever the column and the font may be"
    ),
    "slide": PRESETS["slide"],
    "narrow": FigureOptions(width_mm=60.0, font_size=9.0, dpi=150),
}


def scene_for(kind: str, *networks: str) -> Scene:
    return scene_of(kind, *(make_bank(name=name) for name in networks))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", EXHIBITS)
def test_texts_keep_clear_of_each_other_and_the_border(kind: str, look: str) -> None:
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


@pytest.mark.parametrize("kind", ["sheet", "samples", "composition", *PAIRED])
@pytest.mark.parametrize("width", [89.0, 183.0])
def test_two_hundred_layers_of_long_names(kind: str, width: float) -> None:
    layers = [(f"encoder.stages.{i}.{'block.' * 20}conv_dw", 6) for i in range(200)]
    scene = named(make_bank(layers), make_bank(layers, name="other", seed=1))
    if kind not in PAIRED:
        scene = replace(scene, subjects=scene.subjects[:1])
    drawn = make_figure(kind, scene, FigureOptions(width_mm=width, dpi=150))
    assert faults(drawn.figure) == []


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


@pytest.mark.parametrize("kind", EXHIBITS)
def test_a_height_that_is_given_is_kept(kind: str) -> None:
    options = FigureOptions(height_mm=230.0)
    figure = make_figure(kind, scene_for(kind, "network"), options).figure
    assert figure.get_size_inches()[1] * 25.4 == pytest.approx(230, abs=0.2)
    assert faults(figure) == []


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
    for width, size in [(40, 4), (40, 10), (40, 24), (60, 14), (89, 24), (400, 24)]:
        options = FigureOptions(width_mm=width, font_size=size, dpi=100)
        try:
            figure = make_figure(kind, scene, options).figure
        except FigureError as error:
            refused.append((width / size, error.problem))
        else:
            assert faults(figure) == [], (width, size)
    assert all(room < 5 and "fit" in problem for room, problem in refused)
