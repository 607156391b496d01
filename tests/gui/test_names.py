"""Whether names hold is shown, live, and is what the library's own count gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from kernelviewer.gui.controllers import schedulers
from kernelviewer.gui.text import percent
from kernelviewer.kernels.classes import CLASSES, Naming
from kernelviewer.kernels.family import family_fit
from kernelviewer.latent.labels import agreement, label
from kernelviewer.latent.stretches import TOLERANCE
from tests.gui.conftest import wait_idle
from tests.gui.harness import LEFT
from tests.networks import write_network

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from kernelviewer.gui.main_window import MainWindow
    from tests.gui.harness import MakeWindow


def paths(tmp_path: Path) -> list[Path]:
    return [
        write_network(tmp_path / f"{name}.safetensors", channels=40, seed=seed)
        for seed, name in enumerate(("first", "second"))
    ]


def line(window: MainWindow) -> str:
    """What stands under the classes."""
    return window.findChild(QLabel, "namesHold").text()


def expected(window: MainWindow, threshold: float) -> str:
    """The same from the library."""
    autoencoder = window.document.autoencoders[(7, 7)]
    weights = np.concatenate([b.sizes[(7, 7)].weights for b in window.document.banks])
    labels = label(autoencoder.encode(weights), autoencoder.stretches, threshold)
    found = agreement(labels, family_fit(weights))
    return (
        f"Code and family name {percent(found.exact)} alike, "
        f"{percent(found.within)} within {TOLERANCE} of the best cosine"
    )


def test_names_are_compared_and_follow_the_threshold(
    open_anew: MakeWindow, tmp_path: Path
) -> None:
    window = open_anew(*paths(tmp_path), by="code")
    for threshold in (0.3, 0.5):
        window.document.set_threshold((7, 7), threshold)
        assert line(window) == expected(window, threshold)
    window.document.set_threshold((7, 7), 1.0)
    assert "No identified kernels" in line(window)


def test_many_kernels_are_compared_only_when_asked_for(
    open_anew: MakeWindow,
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedulers, "LIMIT", 100)
    window = open_anew(*paths(tmp_path), by="code")
    assert not any(size == (7, 7) for _, size in window.document.families)
    assert "Not named" in line(window)
    assert "160" in line(window)
    window.document.set_threshold((7, 7), 0.3)
    QTest.mouseClick(window.findChild(QPushButton, "compareNames"), LEFT)
    assert "Naming by" in line(window)
    wait_idle(qtbot, window)
    assert line(window) == expected(window, 0.3)
    window.document.close_all()
    window.document.name(Naming("code"))
    window.opener.open(paths(tmp_path))
    wait_idle(qtbot, window)
    assert "Not named" in line(window), "others were asked for"


def test_a_comparison_given_up_is_offered_again(
    open_anew: MakeWindow,
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedulers, "LIMIT", 100)
    window = open_anew(*paths(tmp_path), by="code")
    analyst = window.families
    QTest.mouseClick(window.findChild(QPushButton, "compareNames"), LEFT)
    for model in window.document.models:
        window.jobs.cancel(f"family {model.id} 7×7")
    wait_idle(qtbot, window)
    assert analyst.status((7, 7)) == "ask"
    assert window.findChild(QPushButton, "compareNames").isVisible()


def test_the_focused_kernel_shows_its_own_family_member(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    window = open_anew(paths(tmp_path)[0], by="code")
    window.document.set_threshold((7, 7), 1.0)
    window.acts.focus(3)
    wait_idle(qtbot, window)
    kernel = window.document.banks[0].sizes[(7, 7)].weights[3:4]
    found = family_fit(kernel)
    shown = window.findChild(QLabel, "value_family").text()
    assert CLASSES[int(found.class_index[0])].name in shown
    assert f"{found.cosine[0]:.3f}" in shown
    assert "unidentified" in window.findChild(QLabel, "value_class").text()
    window.acts.focus(4)
    window.acts.focus(5)
    wait_idle(qtbot, window)
    kernel = window.document.banks[0].sizes[(7, 7)].weights[5:6]
    assert (
        f"{family_fit(kernel).cosine[0]:.3f}"
        in window.findChild(QLabel, "value_family").text()
    )


def test_a_network_that_is_closed_is_compared_no_more(
    open_anew: MakeWindow, qtbot: Any, tmp_path: Path
) -> None:
    window = open_anew(*paths(tmp_path), by="code")
    window.document.set_threshold((7, 7), 0.3)
    before = line(window)
    window.document.close(window.document.models[0].id)
    wait_idle(qtbot, window)
    assert line(window) == expected(window, 0.3)
    assert line(window) != before
