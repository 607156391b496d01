"""Figures of networks that have kernels alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.figures import EXHIBITS, FigureOptions, make_figure
from kernelviewer.figures.provenance import Record, show_again
from tests.figures.scenes import make_bank, named

if TYPE_CHECKING:
    from kernelviewer.figures.scene import Scene

POOLS = ("pca", "classes", "spectrum")


def scene_of(*names: str) -> Scene:
    """The same network under several names."""
    bank = make_bank()
    return named(*(replace(bank, name=name) for name in names))


def rows(kind: str, scene: Scene) -> list[object]:
    table = make_figure(kind, scene, FigureOptions()).content.table()
    wanted = {"pca": "pc1", "classes": "kernels", "spectrum": "low"}
    return list(table.columns[wanted[kind]])


@pytest.mark.parametrize("kind", POOLS)
def test_networks_that_are_joined_count_once(kind: str) -> None:
    one, both = scene_of("best"), scene_of("best", "final")
    assert rows(kind, both) == pytest.approx(rows(kind, one))
    if kind != "spectrum":
        twice = rows(kind, replace(both, count_equal=True))
        assert sum(twice) != pytest.approx(sum(rows(kind, one))) or (
            len(twice) == 2 * len(rows(kind, one))
        )


@pytest.mark.parametrize("kind", POOLS)
def test_the_caption_says_what_was_counted_once(kind: str) -> None:
    drawn = make_figure(kind, scene_of("best", "final"), FigureOptions())
    assert "final: all 3 layers are equal to those of “best”." in drawn.caption
    assert "71 equal kernels are counted once." in drawn.caption
    assert "equal" not in make_figure(kind, scene_of("best"), FigureOptions()).caption


@pytest.mark.parametrize("kind", ["table", "composition", "histogram"])
def test_a_network_of_its_own_has_all_of_its_kernels(kind: str) -> None:
    drawn = make_figure(kind, scene_of("best", "final"), FigureOptions())
    assert "final: all 3 layers are equal to those of “best”." in drawn.caption
    assert "counted once" not in drawn.caption
    if kind == "table":
        assert drawn.content.table().columns["kernels"] == [71, 71]


def test_what_is_shown_decides_which_of_the_equal_kernels_counts() -> None:
    scene = scene_of("best", "final")
    first, second = scene.subjects
    few = np.arange(71) < 24
    some = replace(scene, subjects=(replace(first, shown=few), second))
    shown = [subject.mask.tolist() for subject in some.pooled.subjects]
    assert shown == [few.tolist(), (~few).tolist()]
    assert some.repeated == 24


@pytest.mark.parametrize("count_equal", [False, True])
def test_a_figure_is_made_again_as_it_was_counted(count_equal: bool) -> None:
    scene = replace(scene_of("best", "final"), count_equal=count_equal)
    drawn = make_figure("classes", scene, FigureOptions())
    record = Record.from_text(drawn.record.to_text())
    assert record.once == (not count_equal)
    again = show_again(scene_of("best", "final"), record)
    table = make_figure("classes", again, FigureOptions()).content.table()
    assert table.columns == drawn.content.table().columns


def test_figures_of_before_are_made_again_as_they_were() -> None:
    drawn = make_figure("classes", scene_of("best", "final"), FigureOptions())
    old = replace(drawn.record, once=False)
    assert '"equal"' not in old.to_text()
    again = show_again(scene_of("best", "final"), Record.from_text(old.to_text()))
    assert again.count_equal


def test_every_exhibit_can_be_made_of_equal_networks() -> None:
    scene = scene_of("best", "final")
    for kind in EXHIBITS:
        marked = FigureOptions(mark=0.5) if kind == "kernel" else FigureOptions()
        make_figure(kind, scene, marked)
