"""What figures of two networks say of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from kernelviewer.figures import FigureError, FigureOptions, make_figure, make_scene
from kernelviewer.kernels.classes import CLASSES, INDEX
from tests.figures.reading import Svg
from tests.figures.scenes import THRESHOLD, make_bank, make_coding, named

KINDS = ("transitions", "drift", "scatter", "pairs", "shift")


def test_a_network_beside_itself_has_not_changed() -> None:
    scene = named(make_bank(name="before"), make_bank(name="after"))
    matrix = make_figure("transitions", scene).content.arrays()["transitions"]
    assert np.trace(matrix) == matrix.sum() == 71
    drawn = make_figure("drift", scene)
    table = drawn.content.table().columns
    assert table["mean_cosine"] == pytest.approx([1, 1, 1])
    assert table["changed"] == [0, 0, 0]
    assert max(table["shuffled_mean_cosine"]) < 0.5
    assert "Mean cosine of all: 1.000 (shuffled channels: " in drawn.caption
    shift = make_figure("shift", scene).content.table().columns
    assert shift["shift"] == [0, 0, 0]
    assert min(shift["dealt_shift"]) > 0


def test_cells_hold_the_numbers_of_their_classes() -> None:
    first, second = make_bank(name="before"), make_bank(name="after", seed=1)
    scene = named(first, second)
    other = make_coding(second.sizes[7, 7], [5, 2])
    one, two = scene.subjects
    scene = replace(scene, subjects=(one, replace(two, coding=other)))
    drawn = make_figure("transitions", scene)
    before, after = (item.coding.label(THRESHOLD) for item in scene.subjects)  # type: ignore[union-attr]
    table = drawn.content.table().columns
    rows = zip(table["class_a"], table["class_b"], table["kernels"], strict=True)
    found = {(a, b): number for a, b, number in rows}
    for i, k in set(zip(before.tolist(), after.tolist(), strict=True)):
        both = int(((before == i) & (after == k)).sum())
        assert found.pop((CLASSES[i].id, CLASSES[k].id)) == both
    assert not found
    texts = Svg(drawn.figure).texts
    changed = f"{100 * (before != after).mean():.1f} %"
    assert any(text.startswith(f"{changed} of the classes changed") for text in texts)
    assert str(int(((before == INDEX["flat"]) & (after == before)).sum())) in texts


def test_the_most_changed_kernels_come_first() -> None:
    first = make_bank([("a", 40)], name="before")
    kernels = first.sizes[7, 7]
    weights = kernels.weights.copy()
    weights[21] *= -1
    weights[3] = kernels.weights[4]
    scale = kernels.scale.copy()
    scale[7] *= 5
    second = replace(
        first,
        name="after",
        sizes={(7, 7): replace(kernels, weights=weights, scale=scale)},
    )
    scene = make_scene([first, second])
    drawn = make_figure("pairs", scene)
    assert drawn.content.table().columns["channel_a"][:2] == [21, 3]
    texts = Svg(drawn.figure).texts
    assert "−1.00" in texts
    assert "a 21" in texts
    by_scale = FigureOptions().with_values({"change": "scale"})
    table = make_figure("pairs", scene, by_scale).content.table().columns
    assert table["channel_a"][0] == 7
    with pytest.raises(FigureError, match="no codes"):
        make_figure("pairs", scene, FigureOptions().with_values({"change": "code"}))


def test_how_kernels_are_matched_is_an_option() -> None:
    first = make_bank([("a", 30)], name="before")
    kernels = first.sizes[7, 7]
    turned = replace(kernels, weights=kernels.weights[::-1], flat=kernels.flat[::-1])
    turned = replace(turned, scale=kernels.scale[::-1], offset=kernels.offset[::-1])
    second = replace(first, name="after", sizes={(7, 7): turned})
    scene = make_scene([first, second])
    best = FigureOptions(match="best")
    assert make_figure("drift", scene).content.table().columns["mean_cosine"][0] < 0.5
    drawn = make_figure("drift", scene, best)
    assert drawn.content.table().columns["mean_cosine"] == pytest.approx([1])
    assert "the best match within each layer." in drawn.caption
    assert "The best match of noise" in drawn.caption
    assert drawn.record.options == {"match": "best"}


def test_points_are_the_pairs_beside_other_channels() -> None:
    first, second = make_bank(name="before"), make_bank(name="after", seed=1)
    scene = named(first, second)
    drawn = make_figure("scatter", scene)
    compared = drawn.content.compared  # type: ignore[attr-defined]
    found, arrays = compared.found, drawn.content.arrays()
    before, after = (item.coding.code for item in scene.subjects)  # type: ignore[union-attr]
    assert arrays["codes"][:, 0] == pytest.approx(before, nan_ok=True)
    assert arrays["codes"][:, 1] == pytest.approx(after, nan_ok=True)
    other = found.shuffled[0]
    assert arrays["shuffled_codes"][:, 1] == pytest.approx(after[other], nan_ok=True)
    assert arrays["change"][:, 0] == pytest.approx(found.cosine, nan_ok=True)
    assert arrays["change"][:, 1] == pytest.approx(found.scale_ratio, nan_ok=True)
    texts = Svg(drawn.figure).texts
    assert {"code before", "code after", "cosine", "ln scale ratio"} <= {*texts}
    flat = int(np.isnan(found.cosine).sum())
    assert flat
    assert f"{flat} pairs with flat kernels: no point." in drawn.caption
    one = FigureOptions().with_values({"plane": "change"})
    texts = Svg(make_figure("scatter", scene, one).figure).texts
    assert "code after" not in texts
    assert "cosine" in texts
    two = FigureOptions().with_values({"plane": "codes"})
    with pytest.raises(FigureError, match="no classes yet"):
        make_figure("scatter", make_scene([first, second]), two)
    alone = make_figure("scatter", make_scene([first, second])).content.arrays()
    assert "codes" not in alone
    assert "change" in alone


def test_layers_paired_by_hand_stay_so_in_a_figure_made_again() -> None:
    first = make_bank([("a", 30), ("b", 30)], name="before")
    second = make_bank([("x", 30), ("y", 30)], name="after")
    scene = make_scene([first, second])
    crossed = FigureOptions(pairing=(("a", "y"), ("b", "x")))
    drawn = make_figure("drift", scene, crossed)
    pairs = drawn.content.compared.found.pairs  # type: ignore[attr-defined]
    assert {*zip(pairs.layer_a.tolist(), pairs.layer_b.tolist(), strict=True)} == {
        (0, 1),
        (1, 0),
    }
    assert "the same channel of layers paired by hand." in drawn.caption
    again = FigureOptions.from_json(json.loads(json.dumps(drawn.record.options)))
    assert again == crossed
    assert again.content_key != FigureOptions().content_key
    alone = FigureOptions(pairing=(("a", "y"),), match="best")
    drawn = make_figure("drift", scene, alone)
    assert drawn.content.table().columns["layer"] == ["a"]
    assert "the best match within layers paired by hand; without" in drawn.caption
    wrong = FigureOptions(pairing=(("a", "z"),))
    with pytest.raises(FigureError, match="no kernels in a layer 'z'"):
        make_figure("drift", scene, wrong)
    for value in ("a=b", [["a"]], [["a", 1]], 3):
        with pytest.raises(FigureError, match="wrong type"):
            FigureOptions.from_json({"pairing": value})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_is_said(kind: str) -> None:
    with pytest.raises(FigureError, match="1 network has kernels of this size"):
        make_figure(kind, named(make_bank()))
    with pytest.raises(FigureError, match="3 networks have"):
        make_figure(kind, named(*(make_bank(name=name) for name in "abc")))
    scene = named(make_bank([("a", 5)]), make_bank([("b", 6)], name="other"))
    with pytest.raises(FigureError, match="correspond"):
        make_figure(kind, scene)
    if kind == "transitions":
        with pytest.raises(FigureError, match="no classes yet"):
            make_figure(kind, make_scene([make_bank(), make_bank(name="other")]))
