"""The surface of the decoded kernel: turned, projected, never cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from kernelviewer.gui.views.reconstruction.surface import (
    RISE,
    Camera,
    extent,
    heights_of,
    make_mesh,
    project,
)
from tests.gui.harness import LEFT, NO_KEY

if TYPE_CHECKING:
    from kernelviewer.gui.views.reconstruction.view import ReconstructionView

Key = Qt.Key


def test_the_surface_is_turned_by_the_mouse_and_reset_by_a_double_click(
    view: ReconstructionView,
) -> None:
    surface, start = view.surface, Camera()
    before = surface.grab().toImage()
    middle = surface.rect().center()
    QTest.mousePress(surface, LEFT, NO_KEY, middle)
    QTest.mouseMove(surface, middle + QPoint(40, 0))
    QTest.mouseMove(surface, middle + QPoint(40, 20))
    QTest.mouseRelease(surface, LEFT, NO_KEY, middle + QPoint(40, 20))
    assert surface.camera.azimuth == pytest.approx(start.azimuth - 20)
    assert surface.camera.elevation == pytest.approx(start.elevation + 10)
    assert surface.grab().toImage() != before
    QTest.mouseMove(surface, middle)
    assert surface.camera.azimuth == pytest.approx(start.azimuth - 20)
    QTest.mouseDClick(surface, LEFT, NO_KEY, middle)
    assert surface.camera == start
    assert surface.grab().toImage() == before


def test_the_surface_is_turned_by_keys_but_never_seen_from_below(
    view: ReconstructionView,
) -> None:
    surface = view.surface
    for _ in range(72):
        QTest.keyClick(surface, Key.Key_Right)
    assert surface.camera.azimuth == pytest.approx(Camera().azimuth)
    for key, elevation in ((Key.Key_Up, 90), (Key.Key_Down, 5)):
        for _ in range(40):
            QTest.keyClick(surface, key)
        assert surface.camera.elevation == elevation
        assert surface.grab().toImage().width() == surface.width()
    QTest.keyClick(surface, Key.Key_Home)
    assert surface.camera == Camera()


@pytest.mark.parametrize("size", [(7, 7), (3, 9), (9, 1), (1, 9), (31, 31)])
@pytest.mark.parametrize("azimuth", [0.0, 45.0, 130.0, 250.0])
def test_far_quads_are_painted_first(size: tuple[int, int], azimuth: float) -> None:
    heights = heights_of(np.random.default_rng(0).standard_normal(size))
    camera = Camera(azimuth, 30.0)
    flat = make_mesh(np.zeros_like(heights), camera)
    nearness = flat.outline[..., 1].mean(axis=1)
    assert (np.diff(nearness) >= -1e-12).all()
    mesh = make_mesh(heights, camera, 3)
    rows, columns = heights.shape
    assert mesh.outline.shape == ((rows - 1) * (columns - 1), 4, 2)
    assert mesh.parts.shape == ((rows - 1) * (columns - 1), 9, 4, 2)
    assert mesh.light.min() >= 0
    assert mesh.light.max() <= 1
    inside = mesh.parts.reshape(len(mesh.parts), -1, 2)
    assert (inside.max(axis=1) <= mesh.outline.max(axis=1) + 1e-9).all()
    assert (inside.min(axis=1) >= mesh.outline.min(axis=1) - 1e-9).all()


@pytest.mark.parametrize("azimuth", [0.0, 33.0, 90.0, 200.0])
@pytest.mark.parametrize("elevation", [5.0, 30.0, 90.0])
def test_no_surface_reaches_beyond_its_extent(azimuth: float, elevation: float) -> None:
    heights = heights_of(np.random.default_rng(1).standard_normal((7, 5)))
    camera = Camera(azimuth, elevation)
    side, up, down = extent(heights, camera)
    corners = make_mesh(heights, camera).outline
    assert np.abs(corners[..., 0]).max() <= side + 1e-9
    assert -up - 1e-9 <= corners[..., 1].min()
    assert corners[..., 1].max() <= down + 1e-9


def test_from_above_columns_run_right_and_rows_down() -> None:
    points = np.array([[0.5, 0, 0], [0, 0.5, 0], [0, 0, RISE]])
    places, near = project(points, Camera(0.0, 90.0))
    assert places == pytest.approx(np.array([[0.5, 0], [0, 0.5], [0, 0]]))
    places, near = project(points, Camera(0.0, 30.0))
    assert places[2, 1] < 0
    assert near == pytest.approx([0, 0.5, 0])


def test_heights_are_shares_of_the_largest_tap() -> None:
    taps = np.array([[0.5, -2.0], [np.nan, 1.0]], np.float32)
    assert heights_of(taps).tolist() == [[0.25, -1], [0, 0.5]]
    assert heights_of(taps[:, :1]).shape == (2, 2)
    assert heights_of(np.zeros((2, 2), np.float32)).tolist() == [[0, 0], [0, 0]]
