"""The window on the family's own spectrum: sizes that have no autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from kernelviewer.kernels.classes import CLASSES, Naming
from kernelviewer.kernels.family import family_fit, random_members
from kernelviewer.kernels.family.spectrum import family_spectrum
from kernelviewer.latent.stretches import stretch_at, stretch_of
from kernelviewer.state.selection import CodeRange
from kernelviewer.state.similarity import row_at
from tests.gui.conftest import Shared, wait_idle
from tests.gui.harness import LEFT, NO_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow
    from tests.conftest import Cli
    from tests.gui.harness import MakeWindow

SIZES = ((7, 7), (13, 13), (1, 11))


def network(folder: Path) -> Path:
    """Members of the family with noise, of sizes with and without an autoencoder."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(1)
    arrays = {}
    for number, size in enumerate(SIZES):
        kernels = random_members(size, 6, seed=number)
        kernels += 0.3 / np.sqrt(np.prod(size)) * rng.normal(size=kernels.shape)
        kernels[0] = 0.5
        name = f"blocks.{number}"
        arrays[f"{name}.dw.weight"] = np.ascontiguousarray(kernels[:, None])
        arrays[f"{name}.pw.weight"] = rng.normal(size=(4, len(kernels), 1, 1)).astype(
            np.float32
        )
    save_file(arrays, folder / "wide.safetensors")
    return folder / "wide.safetensors"


@pytest.fixture(scope="module")
def shared(make_shared: MakeWindow, tmp_path_factory: Any) -> Shared:
    return Shared(make_shared(network(tmp_path_factory.mktemp("wide"))))


@pytest.fixture
def window(shared: Shared) -> MainWindow:
    """The window with kernels of three sizes, named by the family."""
    return shared.as_made()


def title(window: MainWindow) -> str:
    return window.docks["spectrum"].title_line.label.text()


def test_every_size_can_be_scrubbed_and_brushed(window: MainWindow, qtbot: Any) -> None:
    window.layouts.show_panel("reconstruction")
    for size in SIZES:
        document, spectrum = window.document, family_spectrum(size)
        document.clear_selection()
        document.show_size(size)
        wait_idle(qtbot, window)
        view, state = window.parts.spectrum, window.state
        assert title(window) == "Spectrum of the family"
        assert view.content.table is spectrum.table
        assert int(np.isnan(state.labels.code).sum()) == 1, "the flat one"

        strip = view.slider
        middle = strip.height() // 2
        start, end = (QPoint(round(strip.axis.logical(z)), middle) for z in (0.3, 0.71))
        QTest.mousePress(strip, LEFT, NO_KEY, start)
        QTest.mouseMove(strip, end)
        QTest.mouseRelease(strip, LEFT, NO_KEY, end)
        wait_idle(qtbot, window)
        state = window.state
        assert state.position == pytest.approx(0.71, abs=0.01)
        shown = window.parts.reconstruction.content
        assert np.array_equal(shown.taps, spectrum.table[row_at(state.position)])
        place = stretch_at(state.stretches, state.position)
        assert CLASSES[shown.class_index].id == spectrum.stretches[place][2]
        assert len(state.near), "kernels near to it"

        histogram = view.histogram
        low, high = (
            QPoint(round(histogram.axis.logical(z)), histogram.height() - 6)
            for z in (0.05, 0.6)
        )
        QTest.mousePress(histogram, LEFT, NO_KEY, low)
        QTest.mouseMove(histogram, high)
        QTest.mouseRelease(histogram, LEFT, NO_KEY, high)
        query = document.selection.steps[-1].query
        assert isinstance(query, CodeRange)
        assert query.by == "family"
        code = window.state.labels.code
        with np.errstate(invalid="ignore"):
            inside = (code >= query.low) & (code <= query.high)
        assert np.array_equal(window.state.selected, inside)
        assert 0 < inside.sum() < len(code)


def test_a_kernels_code_lies_where_its_class_is(window: MainWindow, qtbot: Any) -> None:
    for size in SIZES:
        window.document.show_size(size)
        wait_idle(qtbot, window)
        state = window.state
        there = ~state.pool.flat
        fit = family_fit(window.document.banks[0].sizes[size].weights[there])
        np.testing.assert_array_equal(
            state.labels.code[there], family_spectrum(size).codes(fit)
        )
        places = stretch_of(state.stretches, state.labels.code[there])
        own = np.array([item.class_index for item in state.stretches])[places]
        # the paper has no class of diagonals: by their angle they are ∂x or ∂y
        assert (own == state.labels.best[there]).mean() > 0.8


def test_the_switch_changes_the_axis_and_only_the_learned_one_is_edited(
    window: MainWindow, qtbot: Any
) -> None:
    document = window.document
    document.show_size((7, 7))
    wait_idle(qtbot, window)
    view = window.parts.spectrum
    editor = view.stretches
    before = window.state.stretches

    def drag() -> None:
        x = round(editor.axis.logical(view.content.stretches[2].stop))
        place, other = QPoint(x, 6), QPoint(x + 9, 6)
        QTest.mousePress(editor, LEFT, NO_KEY, place)
        QTest.mouseMove(editor, other)
        QTest.mouseRelease(editor, LEFT, NO_KEY, other)

    drag()
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(editor, Qt.Key.Key_Right, shift)
    assert window.state.stretches is before
    assert not document.marks.stretches
    menus: list[Any] = []
    view.menu_opening.connect(menus.append)
    at = QPoint(editor.width() // 2, 6)
    reason = QContextMenuEvent.Reason.Mouse
    asked = QContextMenuEvent(reason, at, editor.mapToGlobal(at))
    QApplication.sendEvent(editor, asked)
    assert not any("Rename To" in a.text() for a in menus[-1].actions())
    menus[-1].close()

    document.name(Naming("code"))
    wait_idle(qtbot, window)
    assert title(window) == "Spectrum of the code"
    assert view.content.table is document.autoencoders[(7, 7)].table
    drag()
    assert document.marks.stretches
    edited = window.state.stretches
    document.name(Naming("family"))
    wait_idle(qtbot, window)
    assert window.state.stretches is before
    document.name(Naming("code"))
    assert window.state.stretches is edited


def test_the_focused_kernel_is_beside_the_member_at_its_code(
    window: MainWindow, qtbot: Any
) -> None:
    window.document.show_size((13, 13))
    wait_idle(qtbot, window)
    state = window.state
    window.acts.focus(5)
    wait_idle(qtbot, window)
    found = window.parts.inspector.comparison.content
    pattern = family_spectrum((13, 13)).table[row_at(float(state.labels.code[5]))]
    assert np.array_equal(found.decoded, pattern)
    kernel = found.kernel - found.kernel.mean()
    expected = float((kernel * pattern).sum() / np.linalg.norm(kernel))
    assert found.fit == pytest.approx(expected, abs=1e-5)
    assert "angle" in found.note
    assert window.parts.inspector.comparison.go.isVisible()
    window.parts.inspector.comparison.go.click()
    assert window.state.position == pytest.approx(found.code)


@pytest.mark.parametrize("size", ["13x13", "1x11"])
def test_figures_of_codes_need_no_autoencoder(
    tmp_path: Path, cli: Cli, size: str
) -> None:
    path = network(tmp_path)
    for kind, more in (("spectrum", ()), ("kernel", ("--mark", "0.5"))):
        command = ("figure", kind, str(path), "-o", str(tmp_path / f"{kind}.svg"))
        cli(*command, "--size", size, *more, "--device", "cpu")
        assert (tmp_path / f"{kind}.svg").stat().st_size


def test_sessions_keep_place_and_ranges_of_either_spectrum(
    window: MainWindow, qtbot: Any, tmp_path: Path
) -> None:
    document = window.document
    document.show_size((13, 13))
    document.select("replace", CodeRange(0.1, 0.6, "family"))
    document.select("add", CodeRange(0.2, 0.3))
    document.set_position(0.42)
    wait_idle(qtbot, window)
    selected = window.state.selected.copy()
    assert selected.any()
    path = tmp_path / "mine.kvsession"
    window.sessions.save_to(path)
    wait_idle(qtbot, window)
    document.close_all()
    document.set_position(0.9)
    window.sessions.open(path)
    wait_idle(qtbot, window)
    assert [step.query for step in document.selection.steps] == [
        CodeRange(0.1, 0.6, "family"),
        CodeRange(0.2, 0.3, "code"),
    ]
    assert np.array_equal(window.state.selected, selected)
    assert window.state.position == 0.42
