"""The figure of offsets says where a layer's kernels have their centres."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.commands.label import summarise
from kernelviewer.device import choose_device
from kernelviewer.figures import FigureError, FigureOptions, make_figure, make_scene
from kernelviewer.kernels import extract_kernels
from kernelviewer.kernels.family import member
from kernelviewer.latent.labels import Labelling, label_kernels
from tests.figures.reading import Svg, faults
from tests.kernels.checkpoints import of_arrays

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank


def blobs(count: int, size: int, x: float, y: float, seed: int) -> np.ndarray:
    """Kernels [count, 1, size, size] about a place, with differing widths and signs."""
    random = np.random.default_rng(seed)
    found = [
        member(
            random.choice(["on-centre", "off-centre"]),
            (size, size),
            sigma=random.uniform(0.9, 1.3),
            offset_x=x + random.normal(0, 0.06),
            offset_y=y + random.normal(0, 0.06),
            gamma=0.0,
        )
        for _ in range(count)
    ]
    return np.stack(found)[:, None]


def network(size: int = 7, x: float = 0.3, y: float = -0.2) -> KernelBank:
    noise = np.random.default_rng(0).normal(size=(30, 1, size, size))
    arrays = {
        "blocks.0.dwconv.weight": blobs(40, size, x, y, 1),
        "blocks.0.pwconv.weight": np.zeros((80, 40), np.float32),
        "blocks.1.dwconv.weight": noise.astype(np.float32),
        "blocks.1.pwconv.weight": np.zeros((60, 30), np.float32),
    }
    bank = extract_kernels(of_arrays(arrays))
    first, second = bank.layers
    return replace(bank, layers=(replace(first, stride=(2, 2), padding="SAME"), second))


@pytest.mark.parametrize("size", [7, 6])
def test_mean_and_spread_are_those_of_the_kernels(size: int) -> None:
    drawn = make_figure("offsets", make_scene([network(size)]))
    table = drawn.content.table().columns
    assert table["layer"] == ["blocks.0.dwconv", "blocks.1.dwconv"]
    assert (table["stride"], table["padding"]) == (["2", ""], ["SAME", ""])
    assert table["kernels"] == [40, 30]
    assert table["counted"] == [40, 0], "noise has no centre"
    assert table["x"][0] == pytest.approx(0.3, abs=0.09)
    assert table["y"][0] == pytest.approx(-0.2, abs=0.09)
    if size == 7:  # classes end between the taps: at even sizes offsets are cut there
        assert table["spread_x"][0] == pytest.approx(0.06, abs=0.02)
    assert np.isnan(table["x"][1])
    means = [f"{table[axis][0]:+.2f}".replace("-", "−") for axis in "xy"]
    assert f"{means[0]} and {means[1]} px on average" in drawn.caption
    texts = Svg(drawn.figure).texts
    assert {"blocks.0", "blocks.1", "stride", "2", "40", "–"} <= set(texts)


def test_the_least_cosine_and_the_reach_can_be_set() -> None:
    scene = make_scene([network()])
    options = FigureOptions().with_values({"offset_cosine": 0.0, "offset_reach": 3.0})
    drawn = make_figure("offsets", scene, options)
    assert drawn.content.table().columns["counted"] == [40, 30]
    assert {"−3", "3"} <= set(Svg(drawn.figure).texts)
    with pytest.raises(FigureError, match="least cosine"):
        FigureOptions().with_values({"offset_cosine": 1.5})


def test_the_size_of_a_support_is_told() -> None:
    inner = blobs(8, 5, 0, 0, 2)
    window = np.zeros((8, 1, 9, 9), np.float32)
    window[:, :, 2:7, 3:8] = inner
    bank = extract_kernels(
        of_arrays({"dwconv.weight": window, "pw.weight": np.ones((9, 8))})
    )
    drawn = make_figure("offsets", make_scene([bank]), FigureOptions(width_mm=89.0))
    assert "9×9→5×5" in Svg(drawn.figure).texts
    assert faults(drawn.figure) == []
    # one tap to the right of the window's middle
    assert drawn.content.table().columns["x"][0] == pytest.approx(1, abs=0.1)


def test_label_as_json_has_the_same_numbers() -> None:
    bank = network()
    labelled = label_kernels(
        "a.pth", bank, (7, 7), Labelling(None), choose_device("cpu")
    )
    told = summarise([labelled])["sizes"]["7x7"]["offsets"]
    table = make_figure("offsets", make_scene([bank])).content.table().columns
    assert [item["layer"] for item in told] == table["layer"]
    assert [item["stride"] for item in told] == [[2, 2], None]
    assert told[0]["x"] == pytest.approx(table["x"][0], abs=1e-5)
    assert told[0]["spread_y"] == pytest.approx(table["spread_y"][0], abs=1e-5)
    assert told[1]["x"] is None
    assert (told[1]["kernels"], told[1]["counted"]) == (30, 0)


def test_sizes_without_a_family_are_refused() -> None:
    weights = np.random.default_rng(0).normal(size=(8, 1, 3, 3, 3)).astype(np.float32)
    bank = extract_kernels(
        of_arrays({"dw.weight": weights, "pw.weight": np.ones((9, 8))})
    )
    with pytest.raises(FigureError, match="3×3×3"):
        make_figure("offsets", make_scene([bank]))
