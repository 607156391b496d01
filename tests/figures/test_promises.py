"""What every exhibit and option promises, held against what comes out."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from math import inf, nan
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.figures import (
    EXHIBITS,
    PRESETS,
    FigureError,
    FigureOptions,
    make_figure,
    make_scene,
)
from kernelviewer.figures.options import OPTIONS, Choice, Number, OptionError
from kernelviewer.figures.provenance import show_again
from kernelviewer.figures.writing import render
from kernelviewer.kernels.classes import FINE, PAPER
from tests.figures.reading import Svg, faults, texts_in
from tests.figures.scenes import make_bank, named, scene_of

if TYPE_CHECKING:
    from matplotlib.backends.backend_pdf import PdfFile
    from matplotlib.figure import Figure

    from kernelviewer.figures import Drawn, Scene
    from kernelviewer.kernels.bank import Size

HIGHER = {"health": 200.0, "compare": 180.0}
"""Of two networks: ten charts; names of the layers below a chart. In mm."""
JOURNAL_FACES = ("Arial", "Helvetica", "Liberation Sans")
POINT_MM = 25.4 / 72
PIXEL_MM = 25.4 / 100
WIDE = FigureOptions(width_mm=1000.0)
"""Its border may be as wide as any."""
NUMBERS = [name for name, option in OPTIONS.items() if isinstance(option, Number)]
CHOICES = [
    name
    for name, option in OPTIONS.items()
    if isinstance(option, Choice) and not option.open
]
NEED_CLASSES = {
    *("classes", "composition", "histogram", "table"),
    *("shares-over-time", "formation", "transitions", "zoo", "coverage-accuracy"),
}
OF_PATTERNS = {
    *("pca", "histogram", "keys", "r2", "scatter", "shift", "coverage-accuracy"),
}


def drawn(kind: str, scene: Scene | None = None, **options: Any) -> Drawn:
    looks = FigureOptions().with_values(options)
    return make_figure(kind, scene or scene_of(kind, make_bank()), looks)


def flat_scene(scene: Scene) -> Scene:
    """The scene with nothing but its flat kernels."""
    subjects = (replace(item, shown=item.kernels.flat) for item in scene.subjects)
    return replace(scene, subjects=tuple(subjects))


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_taken_up_to_its_limits_and_no_further(name: str) -> None:
    option = OPTIONS[name]
    assert isinstance(option, Number)
    kind = int if option.whole else float
    for value in (option.low, option.high):
        taken = WIDE.with_values({name: kind(value)})
        assert taken.value(name) == value
        assert FigureOptions.from_json(taken.to_json()) == taken
    step = 1 if option.whole else 1e-6 * max(1.0, option.high)
    for value in (option.low - step, option.high + step, nan, -inf, inf):
        with pytest.raises(OptionError, match=option.noun):
            FigureOptions().with_values({name: value})


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_is_one_of_its_words(name: str) -> None:
    option = OPTIONS[name]
    assert isinstance(option, Choice)
    for word in option.choices:
        taken = FigureOptions().with_values({name: word})
        assert FigureOptions.from_json(taken.to_json()).value(name) == word
    with pytest.raises(OptionError, match=r"or .*not 'else'"):
        FigureOptions().with_values({name: "else"})


@pytest.mark.parametrize(("networks", "width"), [(1, 120.0), (2, 89.0)])
@pytest.mark.parametrize("kind", [kind for kind in EXHIBITS if kind != "sheet"])
def test_a_figure_leaves_room_for_its_caption_on_a_page(
    kind: str, width: float, networks: int
) -> None:
    """With the fine classes, all of them there; texts keep clear of each other."""
    layers = [(f"stages.{i}.blocks.{i}.conv_dw", 12 * i + 12) for i in range(8)]
    banks = [make_bank(layers, name=f"network-{i}", seed=i) for i in range(networks)]
    if kind in ("kernel", "keys", "r2", "shares-over-time"):
        banks = banks[:1]
    scene = scene_of(kind, *banks, scheme=FINE)
    made = drawn(kind, scene, width_mm=width, panel_letters=True)
    assert faults(made.figure) == []
    height = made.figure.get_size_inches()[1] * 25.4
    assert height <= (HIGHER.get(kind, 171.0) if networks > 1 else 171.0)
    assert made.notes == ()


def test_a_figure_higher_than_a_page_says_so() -> None:
    bank = make_bank([(f"layer{number}", 2) for number in range(120)])
    scene = scene_of("formation", bank)
    (note,) = drawn("formation", scene, width_mm=89.0).notes
    assert "a journal's page has 247 mm" in note
    assert drawn("formation", scene, width_mm=89.0, height_mm=300.0).notes == ()


@pytest.mark.parametrize("preset", ["Nature", "Nature single"])
@pytest.mark.parametrize("kind", EXHIBITS)
def test_the_preset_of_a_journal_is_what_its_guide_asks(kind: str, preset: str) -> None:
    """Texts of 5 to 7 pt but letters of 8, lines of 0.25 to 1 pt, 300 dpi and more."""
    look = PRESETS[preset]
    assert look.width_mm == {"Nature": 183.0, "Nature single": 89.0}[preset]
    assert look.dpi >= 300
    figure = make_figure(kind, scene_of(kind, make_bank()), look).figure
    texts = [text for text in texts_in(figure) if text.get_text().strip()]
    letters = [text for text in texts if text.get_fontsize() > 7.001]
    assert all(abs(text.get_fontsize() - 8) < 1e-9 for text in letters)
    assert all(len(text.get_text()) == 1 for text in letters)
    assert all(text.get_fontsize() >= 5 for text in texts)
    assert all(text.get_text() in ascii_lowercase for text in letters)
    assert faults(figure) == []
    width, _ = figure.get_size_inches() * 25.4
    assert width == pytest.approx(look.width_mm, abs=0.2)
    lines = [line.get_linewidth() for line in figure.axes[0].get_lines()]
    assert all(0.25 <= width <= 1.0 for width in lines)
    assert texts[0].get_fontfamily()[0] in JOURNAL_FACES


@pytest.mark.parametrize("size", [(9,), (2, 6), (3, 5, 5)])
@pytest.mark.parametrize("kind", [k for k, item in EXHIBITS.items() if item.needs_file])
def test_a_handful_of_kernels_of_any_shape_is_drawn(kind: str, size: Size) -> None:
    if kind == "offsets" and len(size) == 3:
        with pytest.raises(FigureError, match="has no 3×5×5 kernels"):
            drawn(kind, scene_of(kind, make_bank([("one", 6)], size)))
        return
    made = drawn(kind, scene_of(kind, make_bank([("one", 6)], size)), width_mm=89.0)
    assert faults(made.figure) == []
    assert "×".join(map(str, size)) in made.caption


@pytest.mark.parametrize("kind", [k for k, item in EXHIBITS.items() if item.needs_file])
def test_flat_kernels_alone_are_drawn_or_named_as_the_reason(kind: str) -> None:
    scene = flat_scene(scene_of(kind, make_bank()))
    if kind in OF_PATTERNS:
        with pytest.raises(FigureError, match="all are flat"):
            drawn(kind, scene)
        return
    made = drawn(kind, scene)
    assert faults(made.figure) == []
    assert "nan" not in " ".join([made.caption, *Svg(made.figure).texts])


@pytest.mark.parametrize("kind", EXHIBITS)
def test_without_an_autoencoder_it_is_drawn_or_says_what_would_help(kind: str) -> None:
    banks = [make_bank(), make_bank(name="after")]
    scene = make_scene(banks if EXHIBITS[kind].pairs else banks[:1])
    if kind in NEED_CLASSES or kind == "spectrum":
        with pytest.raises(FigureError) as said:
            drawn(kind, scene)
        assert said.value.hint
        return
    made = drawn(kind, scene)
    assert faults(made.figure) == []
    assert "Identified" not in made.caption


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("sheet", "40 depthwise kernels (7×7) of net in 1 layer"),
        ("sheet", "Hatched: 4 flat."),
        ("classes", "their share of all 40"),
        ("pca", "Patterns of 36 kernels"),
        ("pca", "4 flat ones are left out"),
        ("spectrum", "codes of 36 kernels"),
        ("kernel", "out of the 40 (7×7)"),
    ],
)
def test_captions_count_what_is_shown_and_no_more(kind: str, words: str) -> None:
    scene = named(make_bank())
    (subject,) = scene.subjects
    layer = subject.kernels.layer == 1
    part = replace(scene, subjects=(replace(subject, shown=layer),))
    assert words in drawn(kind, part).caption
    assert words not in drawn(kind, scene).caption


@pytest.mark.parametrize("kind", ["composition", "histogram", "pca"])
def test_a_legend_explains_the_classes_drawn_in_their_colours(kind: str) -> None:
    made = drawn(kind, named(make_bank(), classes=[0, 4]))
    texts = Svg(made.figure).texts
    data = Svg(made.figure).data.decode().lower()
    present = {PAPER.patterns[0], PAPER.patterns[4]}
    for item in PAPER.patterns:
        assert (item.name in texts) == (item in present), item.name
        if item in present:
            assert item.light.lower() in data
    bare = Svg(drawn(kind, named(make_bank(), classes=[0, 4]), legend=False).figure)
    assert not {item.name for item in present} & {*bare.texts}


@pytest.mark.parametrize("kind", EXHIBITS)
def test_a_record_makes_the_same_picture_again(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the size that was asked for, in every format, and without a fault."""
    from matplotlib.backends.backend_pdf import PdfFile

    # fonts take most of the time that a PDF does, and are there elsewhere
    monkeypatch.setattr(PdfFile, "writeFonts", without_fonts)
    scene = scene_of(kind, make_bank())
    subjects = (
        replace(item, shown=np.isin(item.kernels.layer, [0, 1]))
        for item in scene.subjects
    )
    scene = replace(scene, subjects=tuple(subjects))
    looks = {"width_mm": 120.0, "height_mm": 180.0, "dpi": 100, "seed": 5}
    first = drawn(kind, scene, dark=True, title="Night", **looks)
    assert faults(first.figure) == []
    svg = Svg(first.figure)
    assert "Night" in svg.texts
    assert b"#191a1c" in svg.data
    assert sizes_of(first.figure, svg) == {
        suffix: pytest.approx((120.0, 180.0), abs=PIXEL_MM / 2)
        for suffix in (".svg", ".pdf", ".png")
    }
    options = FigureOptions.from_json(first.record.options)
    fresh = scene_of(kind, make_bank())
    shown = show_again(fresh, first.record) if first.record.files else fresh
    again = make_figure(kind, shown, options)
    assert again.record == first.record
    assert Svg(again.figure).data == svg.data


def without_fonts(file: PdfFile) -> None:
    """End a PDF with an empty list of fonts."""
    file.writeObject(file.fontObject, {})


def sizes_of(figure: Figure, svg: Svg) -> dict[str, tuple[float, ...]]:
    """Width and height of each format as it is written, in mm."""
    from PIL import Image

    sides = (svg.root.attrib[side].removesuffix("pt") for side in ("width", "height"))
    page = re.search(
        rb"/MediaBox \[ *0 0 ([\d.]+) ([\d.]+)", render(figure, ".pdf", {})
    )
    assert page is not None
    picture = Image.open(io.BytesIO(render(figure, ".png", {})))
    return {
        ".svg": tuple(float(points) * POINT_MM for points in sides),
        ".pdf": tuple(float(points) * POINT_MM for points in page.groups()),
        ".png": tuple(pixels * PIXEL_MM for pixels in picture.size),
    }
