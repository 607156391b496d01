from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer.gui.theme import LIGHT
from kernelviewer.gui.views.grid.colours import (
    COLORMAPS,
    dimmed_colours,
    index_colours,
    qrgb_table,
    rgb,
    weight_colours,
)
from kernelviewer.gui.views.grid.mosaic import BLANK, FRAMES, TOP, ZERO

if TYPE_CHECKING:
    from kernelviewer.gui.theme import Tokens

DARK = replace(
    LIGHT, panel="#212225", zero="#212225", negative="#68AAFF", positive="#FF8060"
)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_zero_recedes_into_the_panel(theme: Tokens) -> None:
    colours = weight_colours("signed", theme)
    assert colours[ZERO].tolist() == rgb(theme.zero).tolist()
    assert colours[0].tolist() == rgb(theme.negative).tolist()
    assert colours[TOP].tolist() == rgb(theme.positive).tolist()


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_map_gives_a_whole_table(name: str) -> None:
    colours = index_colours(name, DARK, ("#112233",))
    table = qrgb_table(colours)
    assert len(table) == 256
    assert all(value >> 24 == 255 for value in table)
    assert table[BLANK] == 0xFF212225
    assert table[FRAMES] == 0xFF112233
    assert len({tuple(colour) for colour in colours[: TOP + 1]}) > 200


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("rdbu", "RdBu_r"),
        ("coolwarm", "coolwarm"),
        ("bwr", "bwr"),
        ("grey", "grey"),
        ("viridis", "viridis"),
        ("magma", "magma"),
    ],
)
def test_known_maps_look_as_everywhere(name: str, original: str) -> None:
    import matplotlib as mpl

    wanted = mpl.colormaps[original](np.linspace(0, 1, TOP + 1))[:, :3] * 255
    assert np.abs(weight_colours(name, LIGHT) - wanted).max() < 8


def test_dimmed_colours_are_nearer_to_the_panel_and_selected_ones_stay() -> None:
    colours = index_colours("signed", DARK)
    halved = dimmed_colours(colours, DARK)
    panel = rgb(DARK.panel)
    far = np.abs(colours[::2] - panel).sum(axis=1)
    near = np.abs(halved[:128] - panel).sum(axis=1)
    assert (near <= far / 3).all()
    assert halved[BLANK // 2].tolist() == panel.tolist()
    assert halved[128 + BLANK // 2].tolist() == panel.tolist()
    tint = np.abs(halved[128 + ZERO // 2] - panel).sum()
    assert 20 < tint < 100
