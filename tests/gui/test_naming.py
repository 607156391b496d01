"""The switch of the naming: every view follows it, undo takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel

from kernelviewer.figures import FigureOptions
from kernelviewer.gui.dialogs.figure.requests import FigureRequests
from kernelviewer.gui.text import kernel_tip, percent
from kernelviewer.gui.views.reconstruction.content import cosine
from kernelviewer.kernels.classes import CLASSES, FINE, PAPER, Naming
from kernelviewer.kernels.family import family_fit
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.labels import label
from kernelviewer.state.similarity import row_at
from tests.gui.conftest import wait_idle

if TYPE_CHECKING:
    from kernelviewer.gui.main_window import MainWindow

SEVEN = (7, 7)


def text_of(window: MainWindow, name: str) -> str:
    return window.findChild(QLabel, name).text()


def names(window: MainWindow) -> list[str]:
    """Best classes that the view state has."""
    return [CLASSES[index].id for index in window.state.labels.best.tolist()]


def test_every_view_follows_the_switch_and_undo(window: MainWindow, qtbot: Any) -> None:
    kernels = window.document.banks[0].sizes[SEVEN].weights
    coder = shipped(SEVEN)
    by_code = label(coder.encode(kernels), coder.stretches, coder.threshold)
    family = family_fit(kernels)
    expected = {
        "family": [CLASSES[index].id for index in family.class_index.tolist()],
        "code": [CLASSES[index].id for index in by_code.best_class.tolist()],
    }
    assert expected["family"] != expected["code"]
    covered = {
        "family": (family.cosine >= np.float32(0.7)).mean(),
        "code": by_code.coverage,
    }
    switch, switched = window.parts.naming, window.commands["naming"]
    assert switch.choice == "family"
    for by, act in (
        ("family", lambda: None),
        ("code", switched.trigger),
        ("family", switched.trigger),
        ("code", window.document.undo),
        ("family", lambda: switch.chosen.emit("family")),
    ):
        act()
        wait_idle(qtbot, window)
        assert switch.choice == by == window.document.naming.by
        assert names(window) == expected[by]
        assert text_of(window, "coverage") == f"{percent(covered[by])} identified"
        counts = window.parts.histogram.contents[0].counts
        assert counts.sum() == len(kernels)
        assert counts.tolist() == window.state.tally.label.sum(0).tolist()
    assert window.document.undo_name == "Naming"


def test_fine_words_or_the_papers(window: MainWindow, qtbot: Any) -> None:
    family = family_fit(window.document.banks[0].sizes[SEVEN].weights)
    shares = text_of(window, "coverage"), text_of(window, "namesHold")
    assert set(window.parts.histogram.rows) <= {*FINE.rows}
    window.commands["words"].trigger()
    wait_idle(qtbot, window)
    assert window.parts.naming.choice == "paper"
    assert window.parts.histogram.rows == PAPER.rows
    assert window.state.labels.best.tolist() == family.paper_index.tolist()
    assert "the paper's eleven classes" in window.parts.naming.toolTip()
    # whose words they are changes no fit, and not what agrees
    assert (text_of(window, "coverage"), text_of(window, "namesHold")) == shares
    window.parts.naming.chosen.emit("code")
    assert window.document.naming == Naming("code", "paper")
    window.commands["naming"].trigger()
    assert window.document.naming == Naming("family", "paper")
    window.commands["words"].trigger()
    wait_idle(qtbot, window)
    assert window.document.naming == Naming()
    assert window.state.labels.best.tolist() == family.class_index.tolist()


def test_the_focused_kernel_shows_both_and_the_margin(
    window: MainWindow, qtbot: Any
) -> None:
    weights = window.document.banks[0].sizes[SEVEN].weights
    family = family_fit(weights)
    nearest = int(np.argmin(family.margin))
    for by in ("family", "code"):
        window.document.name(Naming(by))
        window.acts.focus(nearest)
        wait_idle(qtbot, window)
        coded = CLASSES[window.state.by_code.best[nearest]].name
        assert coded in text_of(window, "value_class")
        own, second = family.class_index[nearest], family.second_index[nearest]
        assert CLASSES[own].name in text_of(window, "value_family")
        margin = text_of(window, "value_margin")
        assert margin == f"{family.margin[nearest]:.3f}, {CLASSES[second].name}"
        state = window.state
        decoded = state.spectrum[row_at(float(state.labels.code[nearest]))]
        shown = float(text_of(window, "comparisonFit"))
        assert shown == pytest.approx(cosine(weights[nearest], decoded), abs=1e-3)
        if by == "code":
            assert shown == pytest.approx(state.by_code.fit[nearest], abs=5e-3)
    assert "near " not in kernel_tip(window.state, nearest)
    window.document.name(Naming("family"))
    tip = kernel_tip(window.state, nearest)
    assert f"near {CLASSES[second].name}" in tip


def test_progress_is_told_until_the_family_has_named(
    window: MainWindow, qtbot: Any
) -> None:
    window.document.name(Naming("code"))
    names = dict(window.document.families)
    window.document._families._kept.clear()
    window.document.name(Naming("family"))
    window.document.set_threshold(SEVEN, 0.3)
    assert names
    assert window.state.labels is None
    assert window.state.by_code is not None
    assert "once the family has named" in window.parts.histogram.accessibleDescription()
    assert text_of(window, "namesHold") == "Naming by the family…"
    wait_idle(qtbot, window)
    assert window.state.labels is not None
    assert text_of(window, "namesHold").startswith("Code and family name ")


def test_figures_are_named_as_the_window_is(window: MainWindow, qtbot: Any) -> None:
    from kernelviewer.jobs.drawing import FigureCache
    from tests.recorder import Recorder

    requests = FigureRequests(window)
    for by, words in (("family", "pattern family"), ("code", "the code, curve")):
        window.document.name(Naming(by))
        wish = requests.wish("classes", "all", FigureOptions())
        drawn = FigureCache().draw(Recorder(), wish, hashed=False)
        assert f"named by {words}" in drawn.caption.replace("the pattern", "pattern")
        best = window.state.named.best
        assert (drawn.content.counts.by_class.sum()) == len(best)
