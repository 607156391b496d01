from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolTip

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.grid.colours import GridTheme, weight_colours
from kernelviewer.gui.views.reconstruction import (
    ComparisonContent,
    ComparisonView,
    FamilyFit,
    NearKernel,
    ReconstructionContent,
    ReconstructionView,
)
from kernelviewer.gui.views.reconstruction.projection import (
    RISE,
    Camera,
    extent,
    heights_of,
    make_mesh,
    project,
)
from kernelviewer.kernels.classes import INDEX
from tests.gui.spectrum_desk import make_spectrum, pattern

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget
    from pytestqt.qtbot import QtBot

NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key
FIT = FamilyFit(INDEX["d1-y"], 0.934, (0.71, 1.18), -0.3, (0.02, -0.114))
SIZES = [(3, 3), (7, 7), (9,), (60, 1), (1, 60), (3, 7, 7), (51, 51), (1, 1)]


def make_content(
    name: str = "d1-y", size: tuple[int, ...] = (7, 7)
) -> ReconstructionContent:
    return ReconstructionContent(0.846, pattern(name, size), INDEX[name], FIT)


def make_near(count: int = 8, size: tuple[int, ...] = (7, 7)) -> tuple[NearKernel, ...]:
    rng = np.random.default_rng(2)
    return tuple(
        NearKernel(
            100 + i,
            rng.standard_normal(size).astype(np.float32),
            0.99 - i / 100,
            f"blocks.{i}, channel 3",
        )
        for i in range(count)
    )


@pytest.fixture
def view(qtbot: QtBot) -> ReconstructionView:
    view = ReconstructionView()
    qtbot.addWidget(view)
    view.set_colours(weight_colours("signed", GridTheme()))
    view.set_content(make_content())
    view.set_nearest(make_near())
    view.resize(300, 560)
    view.show()
    return view


@pytest.fixture
def comparison(qtbot: QtBot) -> ComparisonView:
    comparison = ComparisonView()
    qtbot.addWidget(comparison)
    comparison.set_colours(weight_colours("signed", GridTheme()))
    comparison.resize(300, 300)
    comparison.show()
    return comparison


def tip(widget: QWidget, place: QPoint) -> str:
    event = QHelpEvent(QEvent.Type.ToolTip, place, widget.mapToGlobal(place))
    QApplication.sendEvent(widget, event)
    text = QToolTip.text()
    QToolTip.hideText()
    return text


def texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


# The picture and the facts


def test_the_picture_shows_the_taps_in_whole_pixels(view: ReconstructionView) -> None:
    picture = view.picture.grab().toImage()
    place = view.picture.picture_rect()
    side = place.width() / 7
    assert side == int(side)
    colours = np.round(weight_colours("signed", GridTheme())).astype(int)
    taps = pattern("d1-y", (7, 7))
    for (row, column), value in np.ndenumerate(taps):
        share = value / np.abs(taps).max()
        level = round((len(colours) - 1) / 2 * (1 + share))
        x, y = int((column + 0.5) * side), int((row + 0.5) * side)
        colour = picture.pixelColor(x, y)
        rgb = np.array([colour.red(), colour.green(), colour.blue()])
        assert np.abs(rgb - colours[level]).max() <= 3


def test_class_and_family_are_said(view: ReconstructionView) -> None:
    said = texts(view)
    for text in ("∂y", "cos 0.93", "0.71, 1.18 px", "0°", "0.02, −0.11 px", "family"):
        assert text in said
    view.set_content(replace(make_content(), class_index=INDEX["d2-y"]))
    assert "∂²y" in texts(view)
    assert "family: ∂y" in texts(view)
    view.set_content(replace(make_content(), class_index=None, family=None))
    assert "not named" in texts(view)
    assert texts(view).count("–") == 4
    nan = float("nan")
    view.set_content(replace(make_content(), family=replace(FIT, angle=nan)))
    assert "–°" not in texts(view)
    assert "–" in texts(view)


@pytest.mark.parametrize("name", ["on-centre", "off-square", "d2-xy"])
@pytest.mark.parametrize("width", [240, 300, 520, 700, 1100])
def test_no_text_is_cut_and_no_parts_overlap(
    view: ReconstructionView, qapp: QApplication, name: str, width: int
) -> None:
    view.resize(width, 560)
    view.set_content(replace(make_content(), class_index=INDEX[name]))
    qapp.processEvents()
    for label in view.findChildren(QLabel):
        if label.isVisible() and label is not view.unit and label.text():
            assert label.width() >= label.sizeHint().width(), label.text()
    parts = (view.picture, view.facts, view.values, view.surface, view.nearest)
    rects = [part.geometry() for part in parts]
    for index, rect in enumerate(rects):
        assert rect.left() >= 0
        assert rect.right() <= width
        others = rects[index + 1 :]
        assert not any(rect.intersects(other) for other in others)


def test_values_are_written_when_wished(view: ReconstructionView) -> None:
    QTest.mouseClick(view.values, LEFT)
    assert view.values.text() == "Hide Values"
    assert view.picture.has_room_for_values()
    assert view.unit.text() == "taps × 10⁻¹"
    written = view.picture.grab().toImage()
    view.picture.set_values(False)
    assert view.picture.grab().toImage() != written
    view.set_content(make_content(size=(51, 51)))
    assert "hover" in view.unit.text()
    QTest.mouseClick(view.values, LEFT)
    assert view.unit.text() == ""


def test_hovering_says_the_value_of_a_tap(view: ReconstructionView) -> None:
    taps = pattern("d1-y", (7, 7))
    side = view.picture.picture_rect().width() / 7
    place = QPoint(int(3.5 * side), int(1.5 * side))
    text = f"row 1, column 3: {taps[1, 3]:.4g}".replace("-", "−")
    assert tip(view.picture, place) == text
    beside = view.picture.picture_rect().right() + 1
    assert view.picture.tip_at(QPointF(beside, 2)) == ""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("width", [280, 800])
def test_any_kernel_size_is_shown(
    view: ReconstructionView, size: tuple[int, ...], width: int
) -> None:
    taps = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    view.set_content(ReconstructionContent(0.3, taps, 4))
    view.set_nearest(make_near(12, size))
    view.resize(width, 500)
    for values in (True, False):
        view.set_values(values)
        ground = view.grab().toImage().pixelColor(2, 2)
        place = view.picture.picture_rect()
        assert view.picture.rect().toRectF().contains(place)
        image = view.picture.grab().toImage()
        columns = range(int(place.width()))
        middle = int(place.height() / 2)
        assert any(image.pixelColor(x, middle) != ground for x in columns)
    last = view.nearest.kernel_rect(11)
    assert view.nearest.rect().contains(last)


def test_the_strongest_slice_of_a_3d_kernel_is_the_surface(
    view: ReconstructionView,
) -> None:
    taps = np.full((3, 5, 5), 0.01, np.float32)
    taps[2] = pattern("d1-x", (5, 5))
    view.set_content(ReconstructionContent(0.5, taps))
    assert view.slice.text() == "slice 3 of 3"
    view.set_content(make_content())
    assert view.slice.text() == ""


def test_without_a_code_the_view_says_what_to_do(
    view: ReconstructionView,
) -> None:
    view.set_content(None)
    assert texts(view) == [
        "Drag the slider of the spectrum: the kernel of its code appears here."
    ]
    view.set_message("No autoencoder for 9×9 kernels.")
    assert texts(view) == ["No autoencoder for 9×9 kernels."]
    view.set_content(make_content())
    assert view.picture.isVisible()


def test_both_themes_have_their_own_colours(view: ReconstructionView) -> None:
    def swatch() -> str:
        return view.facts.class_line.swatch.grab().toImage().pixelColor(5, 5).name()

    assert swatch() == "#999933"
    light = view.surface.grab().toImage()
    view.set_theme(DARK)
    view.set_colours(weight_colours("signed", GridTheme(panel=DARK.panel)))
    assert swatch() == "#c2c25a"
    assert view.surface.grab().toImage() != light


# The surface


def test_the_surface_is_turned_by_the_mouse_and_reset_by_a_double_click(
    view: ReconstructionView,
) -> None:
    surface, start = view.surface, Camera()
    before = surface.grab().toImage()
    middle = surface.rect().center()
    QTest.mousePress(surface, LEFT, NONE, middle)
    QTest.mouseMove(surface, middle + QPoint(40, 0))
    QTest.mouseMove(surface, middle + QPoint(40, 20))
    QTest.mouseRelease(surface, LEFT, NONE, middle + QPoint(40, 20))
    assert surface.camera.azimuth == pytest.approx(start.azimuth - 20)
    assert surface.camera.elevation == pytest.approx(start.elevation + 10)
    assert surface.grab().toImage() != before
    QTest.mouseMove(surface, middle)
    assert surface.camera.azimuth == pytest.approx(start.azimuth - 20)
    QTest.mouseDClick(surface, LEFT, NONE, middle)
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


# The nearest kernels


def test_a_click_asks_for_a_kernel(view: ReconstructionView, qtbot: QtBot) -> None:
    place = view.nearest.kernel_rect(3).center()
    with qtbot.waitSignal(view.kernel_requested) as asked:
        QTest.mouseClick(view.nearest, LEFT, NONE, place)
    assert asked.args == [103]
    between = QPoint(view.nearest.kernel_rect(0).right() + 3, place.y())
    assert view.nearest.index_at(between) is None


def test_keys_walk_through_the_nearest_and_ask(view: ReconstructionView) -> None:
    asked: list[int] = []
    view.kernel_requested.connect(asked.append)
    nearest = view.nearest
    columns = sum(
        nearest.kernel_rect(i).top() == nearest.kernel_rect(0).top() for i in range(8)
    )
    assert 1 < columns < 8
    for key in (Key.Key_Left, Key.Key_Right, Key.Key_Down, Key.Key_Down):
        QTest.keyClick(nearest, key)
    QTest.keyClick(nearest, Key.Key_Return)
    assert asked == [101 + columns]
    text = f"cosine {0.99 - (1 + columns) / 100:.3f}"
    assert nearest.accessibleDescription().startswith(text)


def test_cosine_and_origin_are_in_the_tooltip(view: ReconstructionView) -> None:
    place = view.nearest.kernel_rect(2).center()
    assert tip(view.nearest, place) == "cosine 0.970\nblocks.2, channel 3"
    QTest.mouseMove(view.nearest, place)
    assert view.nearest.cursor().shape() == Qt.CursorShape.PointingHandCursor


def test_without_near_kernels_nothing_is_asked(view: ReconstructionView) -> None:
    asked: list[int] = []
    view.kernel_requested.connect(asked.append)
    place = view.nearest.kernel_rect(0).center()
    view.set_nearest(())
    QTest.mouseClick(view.nearest, LEFT, NONE, place)
    for key in (Key.Key_Right, Key.Key_Return):
        QTest.keyClick(view.nearest, key)
    assert asked == []
    assert "Nearest kernels" not in texts(view)


def test_setters_never_ask(view: ReconstructionView) -> None:
    asked: list[int] = []
    view.kernel_requested.connect(asked.append)
    for content in (make_content("on-cross"), None, make_content(size=(3, 3))):
        view.set_content(content)
        view.set_nearest(make_near(3, (3, 3)))
        view.set_values(True)
        view.set_theme(DARK)
    assert asked == []


# The comparison


def make_comparison(scale: float = 0.5, noise: float = 0.02) -> ComparisonContent:
    table = make_spectrum().table
    rng = np.random.default_rng(3)
    kernel = scale * table[900] + noise * rng.standard_normal((7, 7)) + 0.01
    return ComparisonContent(
        kernel.astype(np.float32), table[900], 0.44, 0.912, INDEX["d1-x"]
    )


def test_the_reconstruction_is_the_best_multiple_and_offset() -> None:
    content = make_comparison()
    found = content.reconstruction
    assert found is not None
    rest = content.kernel - found
    assert content.decoded is not None
    assert abs(rest.mean()) < 1e-6
    assert abs(np.vdot(rest, content.decoded)) < 1e-5
    exact = make_comparison(0.5, 0.0)
    assert exact.reconstruction == pytest.approx(exact.kernel, abs=1e-6)
    assert ComparisonContent(content.kernel).reconstruction is None


def test_kernel_reconstruction_and_residual_share_a_scale(
    comparison: ComparisonView, qapp: QApplication
) -> None:
    comparison.set_content(make_comparison(0.5, 0.0))
    qapp.processEvents()
    images = {
        name: picture.grab().toImage() for name, picture in comparison.pictures.items()
    }
    assert images["kernel"] == images["reconstruction"]
    place = comparison.pictures["residual"].picture_rect()
    seen = {
        images["residual"].pixelColor(x, y).name()
        for x in range(int(place.width()))
        for y in range(int(place.height()))
    }
    assert seen == {"#ffffff"}


def test_code_fit_and_class_are_said_and_can_be_gone_to(
    comparison: ComparisonView, qtbot: QtBot
) -> None:
    comparison.set_content(make_comparison())
    for text in ("0.440", "0.912", "∂x", "kernel", "reconstruction", "residual"):
        assert text in texts(comparison)
    with qtbot.waitSignal(comparison.code_requested) as asked:
        QTest.mouseClick(comparison.go, LEFT)
    assert asked.args == [0.44]
    comparison.set_content(replace(make_comparison(), identified=False))
    assert "unidentified, ∂x" in texts(comparison)


def test_a_kernel_without_a_code_is_shown_alone(comparison: ComparisonView) -> None:
    kernel = np.full((7, 7), 0.3, np.float32)
    comparison.set_content(ComparisonContent(kernel, note="flat kernels have no code"))
    assert "flat kernels have no code" in texts(comparison)
    assert not comparison.go.isVisible()
    kernel[0, 0] = np.nan
    comparison.set_content(ComparisonContent(kernel))
    assert comparison.pictures["kernel"].isVisible()


def test_without_a_focus_the_comparison_says_what_to_do(
    comparison: ComparisonView,
) -> None:
    assert texts(comparison) == [
        "Click a kernel, or move with the arrow keys, to compare it here."
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("width", [240, 300, 800])
def test_captions_stand_under_their_pictures(
    comparison: ComparisonView,
    qapp: QApplication,
    size: tuple[int, ...],
    width: int,
) -> None:
    taps = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    comparison.set_content(ComparisonContent(taps, taps, 0.2, 0.9, 3))
    comparison.resize(width, 300)
    qapp.processEvents()
    row = comparison.row
    captions = [w for w in row.findChildren(QLabel) if w.isVisible()]
    assert [caption.text() for caption in captions] == list(comparison.pictures)
    for caption, picture in zip(captions, comparison.pictures.values(), strict=True):
        assert row.rect().contains(caption.geometry())
        assert caption.y() > picture.geometry().bottom()
        assert caption.geometry().right() >= picture.x()
    lefts = [caption.geometry().left() for caption in captions]
    rights = [caption.geometry().right() for caption in captions]
    assert all(a < b for a, b in zip(rights, lefts[1:], strict=False))


def test_each_theme_colours_the_comparison(comparison: ComparisonView) -> None:
    comparison.set_content(make_comparison())
    swatch = comparison.class_line.swatch
    for tokens, colour in ((LIGHT, "#117733"), (DARK, "#4db071")):
        comparison.set_theme(tokens)
        assert swatch.grab().toImage().pixelColor(5, 5).name() == colour


@pytest.mark.parametrize("name", ["reconstructionView", "comparisonView"])
def test_views_have_their_names(
    view: ReconstructionView, comparison: ComparisonView, name: str
) -> None:
    found: QWidget = view if name == "reconstructionView" else comparison
    assert found.objectName() == name
    assert found.accessibleName()
