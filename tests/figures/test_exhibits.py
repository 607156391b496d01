"""What a reader sees in the SVG is what the data say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.device import CPU
from kernelviewer.figures import (
    EXHIBITS,
    FigureError,
    FigureNaming,
    FigureOptions,
    Scene,
    make_figure,
    make_scene,
    name_scene,
)
from kernelviewer.figures.exhibits.family import prepare_family
from kernelviewer.figures.exhibits.health import prepare_health
from kernelviewer.figures.exhibits.pca import PcaPlan
from kernelviewer.figures.fonts import Face
from kernelviewer.formats import Tensor
from kernelviewer.kernels.classes import CLASSES, PAPER, Naming
from kernelviewer.kernels.family import family_fit_set
from kernelviewer.kernels.family.spectrum import family_spectrum
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.stretches import from_json, move_border, rename, to_json
from tests.figures.reading import Svg, texts_in
from tests.figures.scenes import THRESHOLD, make_bank, named, scene_of
from tests.latent.made import patterns
from tests.recorder import EndedError, Recorder

if TYPE_CHECKING:
    from kernelviewer.kernels.classes import Words

SINGLE = FigureOptions(width_mm=89.0, dpi=100)


def labels(scene: Scene) -> np.ndarray:
    parts = []
    for subject in scene.subjects:
        assert subject.coding is not None
        parts.append(subject.coding.label(THRESHOLD))
    return np.concatenate(parts)


ROWS = [CLASSES[index] for index in PAPER.rows]


def counts(scene: Scene) -> dict[str, int]:
    found = np.bincount(labels(scene), minlength=len(CLASSES))
    return PAPER.counts(found.tolist())


def test_family_shows_every_class_once() -> None:
    svg = Svg(make_figure("family", Scene((), (7, 7)), SINGLE).figure)
    for item in PAPER.patterns:
        assert svg.texts.count(item.short) == 1
    assert len(svg.images) == len(PAPER.patterns) + 1  # and the colours of the weights
    surfaces = prepare_family(Scene((), (7, 7)), SINGLE).surfaces
    for name in ("on-square", "off-square"):
        heights = np.abs(surfaces[[item.id for item in PAPER.patterns].index(name)])
        assert np.sort(heights.ravel())[-2] < 0.9, "it ends in a point"


def test_sheet_has_a_heading_for_each_layer_and_one_picture() -> None:
    svg = Svg(make_figure("sheet", named(make_bank())).figure)
    assert [text for text in svg.texts if "conv_dw" in text] == [
        "stages.0.conv_dw",
        "stages.1.conv_dw",
        "stages.2.conv_dw",
    ]
    assert "24 kernels, 2 flat" in svg.texts
    assert "7 kernels, 1 flat" in svg.texts
    assert len(svg.images) == 2
    assert svg.texts.count("0") == 3, "each layer's first row begins with channel 0"


def test_sheet_shows_each_weight_in_its_colour() -> None:
    bank = make_bank([("layer", 1)])
    options = FigureOptions(labels=False, scale_bar=False)
    picture = Svg(make_figure("sheet", make_scene([bank]), options).figure).images[0]
    borders = np.flatnonzero(np.diff(picture[0].astype(int), axis=0).any(axis=1)) + 1
    tap = int(np.gcd.reduce(borders))
    found = picture[::tap, ::tap, :3].astype(int)[:7, :7]
    weights = bank.sizes[7, 7].weights[0]
    reddish = found[:, :, 0] - found[:, :, 2]
    assert np.corrcoef(reddish.ravel(), weights.ravel())[0, 1] > 0.99
    strongest = np.unravel_index(np.abs(weights).argmax(), weights.shape)
    ends = {(0xD6, 0x48, 0x34), (0x26, 0x5C, 0xB2)}
    assert tuple(found[strongest]) in ends


@pytest.mark.parametrize("scale", ["kernel", "layer", "figure"])
def test_scale_says_what_shares_one(scale: str) -> None:
    bank = make_bank([("weak", 5), ("strong", 5)])
    bank.sizes[7, 7].weights[:5] *= 0.1
    options = FigureOptions(labels=False, scale_bar=False, scale=scale)  # type: ignore[arg-type]
    picture = Svg(make_figure("sheet", make_scene([bank]), options).figure).images[0]
    rows = (picture[:, :, :3] != 255).any(axis=2)
    blue_red = np.abs(picture[:, :, 0].astype(int) - picture[:, :, 2])
    used = np.flatnonzero(rows.any(axis=1))
    upper = blue_red[used[0] : used[len(used) // 2]].max()
    lower = blue_red[used[len(used) // 2] + 1 : used[-1]].max()
    assert (upper > 0.9 * lower) == (scale != "figure")


@pytest.mark.parametrize("kind", ["sheet", "classes", "kernel", "pca", "pairs"])
def test_kernels_stand_without_their_mean_beside_their_classes(kind: str) -> None:
    def blue(mean: str, group: str = "class") -> float:
        banks = [make_bank() for _ in range(2 if kind == "pairs" else 1)]
        for bank in banks:
            bank.sizes[7, 7].weights[:] -= 9 * np.abs(bank.sizes[7, 7].weights).max()
        options = FigureOptions(
            labels=False,
            legend=False,
            scale_bar=False,
            dpi=100,
            mean=mean,  # type: ignore[arg-type]
            group=group,  # type: ignore[arg-type]
        )
        drawn = make_figure(kind, scene_of(kind, *banks), options)
        assert ("without their mean" in drawn.caption) == (
            said := drawn.page.options.mean == "without"
        )
        assert drawn.record.options.get("mean", "auto") == mean
        images = Svg(drawn.figure).images
        rgb = np.concatenate([i[:, :, :3].reshape(-1, 3) for i in images]).astype(int)
        red, blues = rgb[:, 0] - rgb[:, 2] > 40, rgb[:, 2] - rgb[:, 0] > 40
        assert said == (mean == "without" or (mean == "auto" and group == "class"))
        return float(blues.sum() / max(red.sum() + blues.sum(), 1))

    assert blue("with") > blue("auto") + 0.1
    assert blue("auto") == blue("without")
    if kind == "sheet":
        assert blue("auto", "layer") == blue("with", "layer") > 0.9


def test_samples_put_regular_kernels_beside() -> None:
    regular = Tensor(
        "stem.weight",
        (8, 3, 3, 3),
        "float32",
        lambda: np.random.default_rng(0).normal(size=(8, 3, 3, 3)).astype(np.float32),
    )
    bank = make_bank(convolutions=(regular,))
    texts = Svg(make_figure("samples", make_scene([bank])).figure).texts
    assert "Depthwise 7×7" in texts
    assert "Regular 3×3" in texts
    assert "stem" in texts
    assert "stages.0" in texts
    alone = Svg(make_figure("samples", make_scene([make_bank()])).figure).texts
    assert not [text for text in alone if text.startswith("Regular")]


def test_samples_tell_how_many_layers_they_leave_out() -> None:
    bank = make_bank([(f"layer.{i}.dw", 4) for i in range(120)])
    texts = Svg(make_figure("samples", make_scene([bank])).figure).texts
    heading = next(text for text in texts if text.startswith("Depthwise"))
    shown = sum(text.startswith("layer.") for text in texts)
    assert heading == f"Depthwise 7×7, {shown} of 120 layers"


@pytest.mark.parametrize("kind", ["samples", "classes", "compare", "pca"])
def test_a_seed_draws_the_same_kernels(kind: str) -> None:
    scene = named(make_bank([("layer", 400)]))
    first, again, other = (
        Svg(make_figure(kind, scene, replace(SINGLE, seed=seed)).figure).data
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_classes_have_counts_shares_and_colours() -> None:
    scene = named(make_bank())
    svg = Svg(make_figure("classes", scene).figure)
    total = scene.count
    for item in ROWS:
        number = counts(scene)[item.id]
        assert item.short in svg.texts
        assert f"{number} · {100 * number / total:.1f} %" in svg.texts
        if item.id != "flat":  # hatched, not filled
            assert svg.colours_of(f"class-{item.id}") == [item.light.lower()]


def test_a_class_without_members_says_none() -> None:
    scene = named(make_bank(), classes=[0, 1])
    drawn = make_figure("classes", scene)
    empty = len(ROWS) - np.count_nonzero(list(counts(scene).values()))
    assert Svg(drawn.figure).texts.count("none") == empty
    assert empty >= 9


def test_composition_stacks_to_the_share_of_each_class() -> None:
    scene = named(make_bank())
    drawn = make_figure("composition", scene)
    label = labels(scene)
    layer = scene.subjects[0].kernels.layer
    heights: dict[str, float] = {}
    for patch in drawn.figure.axes[0].patches:
        if patch.get_gid() and patch.get_gid().startswith("layer"):
            heights[patch.get_gid()] = patch.get_height()
    for number in range(3):
        column = sum(
            h for gid, h in heights.items() if gid.startswith(f"layer-{number}-")
        )
        mine = label[layer == number]
        for index in PAPER.rows:
            item = CLASSES[index]
            share = float((mine == index).mean())
            assert heights.get(
                f"layer-{number}-{item.id}", 0.0
            ) / column == pytest.approx(share, abs=1e-6)
    svg = Svg(drawn.figure)
    assert {"stages.0", "stages.1", "stages.2"} <= set(svg.texts)
    assert svg.colours_of("layer-0-on-centre") == [PAPER.patterns[0].light.lower()]


def test_letters_stand_in_bars_and_in_their_legend_where_they_are_wished_for() -> None:
    scene = named(make_bank([("layer", 60)]))
    plain = Svg(make_figure("composition", scene, SINGLE).figure).texts
    options = replace(SINGLE, class_marks="letters", height_mm=150.0)
    texts = Svg(make_figure("composition", scene, options).figure).texts
    there = [item for item in ROWS if counts(scene).get(item.id)]
    assert len(there) > 2
    for item in there:
        assert f"{item.mark} {item.name}" in texts
        assert f"{item.mark} {item.name}" not in plain
    most = max(there, key=lambda item: counts(scene)[item.id])
    assert most.mark in texts
    assert most.mark not in plain


@pytest.mark.parametrize("kind", ["pca", "histogram", "zoo", "scatter", "spectrum"])
def test_a_print_in_grey_tells_the_classes_by_their_letters(kind: str) -> None:
    seeds = (0, 1) if kind == "scatter" else (0,)
    scene = named(*(make_bank([("layer", 400)], seed=seed) for seed in seeds))
    options = FigureOptions(labels=kind != "spectrum", dpi=100)
    plain = Svg(make_figure(kind, scene, options).figure).texts
    options = replace(options, class_marks="letters")
    texts = Svg(make_figure(kind, scene, options).figure).texts
    there = [item for item in PAPER.patterns if counts(scene).get(item.id)]
    assert len(there) > 2
    for item in there:
        assert {f"{item.mark} {item.name}", f"{item.mark} {item.short}"} & set(texts)
        assert texts.count(item.mark) > plain.count(item.mark) - (
            item.mark == item.short
        )


def test_coverage_is_never_without_white_noise() -> None:
    scene = named(make_bank())
    there = labels(scene)
    patterned = there[there != PAPER.rows[-1]]
    coverage = f"{100 * (patterned != PAPER.rows[-2]).mean():.1f} %"
    for kind in ("composition", "histogram"):
        texts = Svg(make_figure(kind, scene).figure).texts
        facts = [text for text in texts if coverage in text]
        assert facts
        assert all("white noise <0.1 %" in text for text in facts)
    for kind in ("classes", "composition", "histogram", "compare"):
        caption = make_figure(kind, scene).caption
        assert coverage in caption
        assert "white noise: <0.1 %" in caption


@pytest.mark.parametrize("count", [1, 2])
def test_health_names_networks_once_and_no_dot_is_above_the_axis(count: int) -> None:
    banks = [make_bank(name=f"net-{number}", seed=number) for number in range(count)]
    scene = named(*banks)
    texts = Svg(make_figure("health", scene).figure).texts
    assert texts.count("Orthogonality") == count
    assert [text for text in texts if text.startswith("net-")] == (
        ["net-0", "net-1"] if count > 1 else []
    )
    layers = prepare_health(scene, SINGLE).networks[0][1]
    top = max(layer.noise_entropy for layer in layers)
    assert max(float(text) for text in texts if text.isdecimal()) >= top


def test_kernels_beside_the_scatter_fill_their_rows() -> None:
    face = Face.of(FigureOptions())
    for width in (89.0, 183.0):
        options = FigureOptions(width_mm=width)
        plan = PcaPlan.of((7, 7), 8, [], options, face)
        left = plan.rows_left + plan.gutter + plan.tiling.width
        assert width - face.margin - left < plan.tiling.cell_height + face.em


def test_histogram_bars_hold_every_code() -> None:
    scene = named(make_bank())
    drawn = make_figure("histogram", scene)
    table = drawn.content.table().columns
    rows = list(zip(table["of"], table["source"], table["kernels"], strict=True))
    there = scene.count - int(scene.subjects[0].kernels.flat.sum())
    assert sum(n for of, source, n in rows if (of, source) == ("code", "net")) == there
    assert sum(n for of, source, n in rows if (of, source) == ("fit", "net")) == there
    assert sum(n for _, source, n in rows if source == "white noise") == 5000
    assert {"code", "fit (cosine)", "white noise", "0.7"} <= set(
        Svg(drawn.figure).texts
    )


def test_spectrum_names_its_stretches_in_their_colours() -> None:
    scene = named(make_bank())
    drawn = make_figure("spectrum", scene)
    svg = Svg(drawn.figure)
    for item in PAPER.patterns:
        assert item.short in svg.texts
        assert svg.colours_of(f"stretch-{item.id}") == [item.light.lower()]
    table = drawn.content.table()
    assert sum(table.columns["kernels"]) == scene.count - int(
        scene.subjects[0].kernels.flat.sum()
    )


def test_a_renamed_stretch_keeps_its_own_name() -> None:
    scene = named(make_bank())
    assert scene.yardstick is not None
    first, *rest = scene.yardstick.stretches
    stretches = (replace(first, name="blob"), *rest)
    scene = replace(scene, yardstick=replace(scene.yardstick, stretches=stretches))
    assert "blob" in Svg(make_figure("spectrum", scene).figure).texts


def test_pca_plots_every_kernel_that_has_a_pattern() -> None:
    scene = named(make_bank())
    drawn = make_figure("pca", scene)
    scatter = drawn.figure.axes[1].collections[0]
    there = scene.count - int(scene.subjects[0].kernels.flat.sum())
    assert len(scatter.get_offsets()) == there
    assert len(drawn.content.table()) == there
    assert any(text.startswith("PC 1 (") for text in Svg(drawn.figure).texts)


def test_pca_needs_no_classes() -> None:
    drawn = make_figure("pca", make_scene([make_bank()]))
    assert {"first layer", "last layer"} <= set(Svg(drawn.figure).texts)
    assert "dense places" in drawn.content.caption()
    assert "largest classes" in make_figure("pca", named(make_bank())).content.caption()


def test_comparing_networks_of_one_kind_pairs_their_kernels() -> None:
    first = make_bank(name="before")
    weights = first.sizes[(7, 7)].weights.copy()
    weights[30] = weights[31]
    kernels = replace(first.sizes[(7, 7)], weights=weights)
    after = replace(make_bank(name="after"), sizes={(7, 7): kernels})
    drawn = make_figure("compare", named(first, after))
    texts = Svg(drawn.figure).texts
    assert "Most changed kernels: before, after, difference" in texts
    assert next(text for text in texts if text.startswith("stages.1 ")) == "stages.1 6"
    assert "Cosine between the kernels at the same place" in texts
    cosines = drawn.content.arrays()["cosine"]
    assert (np.abs(cosines - 1) > 1e-5).sum() == 1
    other = make_bank([("x", 30)], name="other")
    texts = Svg(make_figure("compare", named(first, other)).figure).texts
    assert "Random kernels" in texts


def test_comparing_one_network_sets_it_against_white_noise() -> None:
    texts = Svg(make_figure("compare", named(make_bank())).figure).texts
    assert "white noise" in texts
    with pytest.raises(FigureError, match="3 networks"):
        make_figure("compare", named(*(make_bank(name=n) for n in "abc")))


def test_table_has_a_row_for_each_network() -> None:
    scene = named(make_bank(name="first"), make_bank([("x", 20)], name="second"))
    drawn = make_figure("table", scene)
    table = drawn.content.table().columns
    assert table["network"] == ["first", "second"]
    assert table["kernels"] == [71, 20]
    shares = np.array([table[item.id] for item in ROWS])
    assert np.allclose(shares.sum(axis=0), 1)
    assert {"first", "second", "71", "20"} <= set(Svg(drawn.figure).texts)


@pytest.mark.parametrize("kind", EXHIBITS)
def test_what_is_not_wished_for_is_left_out(kind: str) -> None:
    scene = scene_of(kind, make_bank())
    bare = FigureOptions(labels=False, legend=False, scale_bar=False, dpi=100)
    texts = [
        text.get_text() for text in texts_in(make_figure(kind, scene, bare).figure)
    ]
    assert "+max" not in texts


@pytest.mark.parametrize("kind", [k for k, item in EXHIBITS.items() if item.needs_file])
def test_kernels_that_are_not_shown_are_not_drawn(kind: str) -> None:
    scene = scene_of(kind, make_bank())
    kernels, others = scene.subjects[0].kernels, scene.subjects[1:]
    subject = replace(scene.subjects[0], shown=kernels.layer == 1)
    part = replace(scene, subjects=(subject, *others))
    if kind in ("sheet", "samples", "composition", "drift", "shift"):
        texts = Svg(make_figure(kind, part).figure).texts
        assert sum("stages." in text for text in texts) == 1
    if kind == "table":
        table = make_figure(kind, part).content.table().columns
        assert table["kernels"] == [40]
    nothing = replace(subject, shown=np.zeros(len(kernels), bool))
    if kind != "spectrum":
        with pytest.raises(FigureError, match=r"shown|flat"):
            make_figure(kind, replace(scene, subjects=(nothing, *others)))


@pytest.mark.parametrize("kind", ["classes", "composition", "histogram", "table"])
def test_without_classes_it_says_what_is_missing(kind: str) -> None:
    with pytest.raises(FigureError, match="have no classes yet"):
        make_figure(kind, make_scene([make_bank()]))


def test_sizes_that_are_not_there_are_named() -> None:
    with pytest.raises(FigureError, match=r"no 5×5 kernels.*sizes 7x7"):
        make_scene([make_bank()], (5, 5))
    with pytest.raises(FigureError, match="no depthwise kernels"):
        make_scene([make_bank([])])
    with pytest.raises(FigureError, match="no autoencoder for 7×7"):
        make_figure("spectrum", make_scene([make_bank()]))


def test_only_flat_kernels_have_no_picture_of_their_patterns() -> None:
    bank = make_bank([("dead", 3)])
    kernels = bank.sizes[7, 7]
    flat = replace(kernels, flat=np.ones(3, bool))
    scene = named(replace(bank, sizes={(7, 7): flat}))
    for kind in ("pca", "histogram"):
        with pytest.raises(FigureError, match="all are flat"):
            make_figure(kind, scene)
    for kind in ("sheet", "samples", "classes", "composition", "table"):
        make_figure(kind, scene, SINGLE)


def test_naming_by_the_family_needs_no_autoencoder() -> None:
    scene = make_scene([make_bank([("layer", 6)], size=(3, 3))])
    found = name_scene(scene, FigureNaming(threshold=0.5), device="cpu")
    assert found.yardstick is not None
    assert found.yardstick.method == "pattern family"
    assert 0 < found.yardstick.null_coverage <= 1
    coding = found.subjects[0].coding
    assert coding is not None
    assert np.array_equal(np.isnan(coding.code), scene.subjects[0].kernels.flat)
    assert "code" in Svg(make_figure("histogram", found).figure).texts
    spectrum = make_figure("spectrum", found)
    assert "members of the pattern family" in spectrum.caption
    marked = make_figure("kernel", found, FigureOptions(mark=0.9))
    assert "Code 0.900" in Svg(marked.figure).texts
    with pytest.raises(FigureError, match="has no 2×1"):
        name_scene(make_scene([make_bank(size=(2, 1))]), FigureNaming(), device="cpu")


@pytest.mark.parametrize("words", ["fine", "paper"])
def test_figures_name_as_the_whole_fit_does(words: Words) -> None:
    """They refine no more members than the names need."""
    weights = patterns(300, noise=0.5)[0].astype(np.float32)
    bank = make_bank([("layer", 300)])
    kernels = replace(bank.sizes[7, 7], weights=weights, flat=np.zeros(300, bool))
    scene = make_scene([replace(bank, sizes={(7, 7): kernels})])
    naming = FigureNaming(naming=Naming("family", words))
    found = name_scene(scene, naming, device="cpu").subjects[0].coding
    assert found is not None
    whole = family_fit_set(kernels, device=CPU)
    scheme = naming.naming.scheme("family")
    assert np.array_equal(found.best, whole.index_in(scheme))
    assert np.allclose(found.fit, whole.cosine, rtol=0, atol=1e-6)
    codes = family_spectrum((7, 7)).codes(whole)
    assert np.allclose(found.code, codes, rtol=0, atol=1e-5, equal_nan=True)


def test_cancelling_stops_at_the_next_check() -> None:
    watch = Recorder(end=4)
    bank = make_bank([(f"layer{i}", 4) for i in range(40)])
    with pytest.raises(EndedError):
        make_figure("sheet", named(bank), watch=watch)
    assert watch.checks == 4


def test_captions_say_that_stretches_were_edited_until_they_are_as_they_were() -> None:
    usual = shipped((7, 7))
    assert usual is not None
    own = usual.stretches
    other = next(item.id for item in PAPER.patterns if item.id != own[0].class_id)
    renamed = rename(own, 0, other)
    as_read = from_json(to_json(own))  # as a figure's own file tells them
    back = rename(renamed, 0, own[0].class_id)
    scene = make_scene([make_bank()])
    for stretches, edited in (
        *(((), False), (own, False), (as_read, False), (back, False)),
        *((renamed, True), (move_border(own, 0, own[0].high / 2), True)),
    ):
        found = name_scene(
            scene, FigureNaming(usual, None, stretches, Naming("code")), device="cpu"
        )
        spectrum = make_figure("spectrum", found, SINGLE).caption
        assert ("edited by hand" in spectrum) == edited
        assert ("named by the pattern family" in spectrum) != edited
        for kind in ("classes", "composition", "table"):
            caption = make_figure(kind, found, SINGLE).caption
            assert ("stretches edited by hand" in caption) == edited
