"""Every exhibit of real networks: no text overlaps, and the counts are the files'."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from kernelviewer.figures import (
    EXHIBITS,
    FigureNaming,
    FigureOptions,
    make_figure,
    make_scene,
    name_scene,
)
from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels
from kernelviewer.latent.autoencoder import shipped
from tests.figures.reading import Svg, faults
from tests.shared import CHECKPOINTS, needs_checkpoints, reference_counts

if TYPE_CHECKING:
    from kernelviewer.figures import (
        Scene,
    )
    from kernelviewer.kernels import Size

pytestmark = needs_checkpoints

SCENES: dict[str, tuple[tuple[str, ...], Size, int]] = {
    "3×3": (("mdan-x4-ntire2022-team23.pt",), (3, 3), 5472),
    "5×5": (("vapsr-x4-zhoumumu.pth",), (5, 5), 2688),
    "7×7, mixed": (("hfenet-x4-ntire2026-team10.bin",), (7, 7), 126),
    "9×9": (("cfsr-x2-df2k-aitical.pth",), (9, 9), 576),
    "untrained": (("UNTRAINED-mcunetv2-large-int8-tinyengine.tflite",), (7, 7), 0),
    "two": (
        (
            "mcunet-in3-cifar100-best-sanchoo1.pth",
            "mcunet-in3-tinyimagenet-best-sanchoo1.pth",
        ),
        (7, 7),
        2 * 1544,
    ),
}


GROWING = {"sheet", "offsets", "formation", "strips"}
"""A row for each layer, or for some kernels: higher than a page if they are many."""


@cache
def scene_of(name: str) -> Scene:
    files, size, _ = SCENES[name]
    banks = [extract_kernels(open_checkpoint(CHECKPOINTS / file)) for file in files]
    scene = make_scene(banks, size)
    return name_scene(scene, FigureNaming(shipped(size)), device="cpu")


@pytest.mark.parametrize("kind", [k for k, item in EXHIBITS.items() if item.needs_file])
@pytest.mark.parametrize("name", SCENES)
def test_every_exhibit_of_real_networks(name: str, kind: str) -> None:
    scene = scene_of(name)
    if EXHIBITS[kind].pairs:
        scene = replace(scene, subjects=scene.subjects[:1] * 2)
    drawn = make_figure(kind, scene, FigureOptions(dpi=150))
    assert faults(drawn.figure) == []
    assert Svg(drawn.figure).texts
    assert drawn.caption
    assert all("mm high" in note for note in drawn.notes)
    assert not drawn.notes or kind in GROWING


@pytest.mark.parametrize("name", [n for n, item in SCENES.items() if item[2]])
def test_the_table_counts_what_the_files_hold(name: str) -> None:
    _, _, expected = SCENES[name]
    table = make_figure("table", scene_of(name)).content.table().columns
    assert sum(table["kernels"]) == expected


def test_the_untrained_control_is_named_no_more_than_noise() -> None:
    table = make_figure("table", scene_of("untrained")).content.table().columns
    assert abs(table["coverage"][0] - table["null_coverage"][0]) < 0.02


def test_reference_counts_agree_with_what_is_drawn() -> None:
    expected = reference_counts()[SCENES["9×9"][0][0]]["kernels_per_size"]["9x9"]
    assert scene_of("9×9").count == expected
