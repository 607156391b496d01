"""Kernel, reconstruction and residual beside each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from kernelviewer.gui.theme import DARK, LIGHT
from kernelviewer.gui.views.grid.colours import weight_colours
from kernelviewer.gui.views.reconstruction.comparison import ComparisonView
from kernelviewer.gui.views.reconstruction.content import ComparisonContent
from kernelviewer.kernels.classes import INDEX
from tests.gui.conftest import use_colours
from tests.gui.harness import LEFT
from tests.gui.reconstruction_harness import SIZES, texts
from tests.gui.spectrum_harness import make_spectrum

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget
    from pytestqt.qtbot import QtBot

    from kernelviewer.gui.views.reconstruction.view import ReconstructionView


@pytest.fixture
def comparison(qtbot: QtBot) -> ComparisonView:
    comparison = ComparisonView()
    qtbot.addWidget(comparison)
    comparison.row.set_colours(weight_colours("signed", LIGHT))
    comparison.resize(300, 300)
    comparison.show()
    return comparison


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
    for tokens, colour in ((LIGHT, "#18783a"), (DARK, "#38a074")):
        use_colours(tokens)
        assert swatch.grab().toImage().pixelColor(5, 5).name() == colour


@pytest.mark.parametrize("name", ["reconstructionView", "comparisonView"])
def test_views_have_their_names(
    view: ReconstructionView, comparison: ComparisonView, name: str
) -> None:
    found: QWidget = view if name == "reconstructionView" else comparison
    assert found.objectName() == name
    assert found.accessibleName()
