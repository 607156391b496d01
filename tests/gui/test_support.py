"""A layer whose outer taps never saw data says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QLabel
from safetensors.numpy import save_file

from kernelviewer.gui.text import kernel_tip
from kernelviewer.kernels.classes import FINE
from kernelviewer.kernels.family.members import member
from kernelviewer.latent.family_null import family_null
from tests.gui.conftest import wait_idle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernelviewer.gui.main_window import MainWindow

    MakeWindow = Callable[..., MainWindow]


def test_tree_tips_and_inspector_tell_the_support(
    open_anew: MakeWindow, tmp_path: Path, qtbot: Any
) -> None:
    random = np.random.default_rng(0)
    whole = random.standard_normal((6, 1, 9, 9)).astype(np.float32)
    outer = 1e-20 * whole
    outer[:, 0, 2:7, 2:7] = member("edge-y", (5, 5))
    outer *= random.uniform(1, 2, (6, 1, 1, 1)).astype(np.float32)
    path = tmp_path / "maps.safetensors"
    save_file({"blocks.0.dwconv.weight": whole, "blocks.1.dwconv.weight": outer}, path)
    window = open_anew(path)
    window.acts.focus(8)
    wait_idle(qtbot, window)

    size = window.findChild(QLabel, "value_size").text()
    assert size == "9×9, effective support 5×5"
    found = window.findChild(QLabel, "value_family").text()
    assert found.startswith("Edge ∂y (top–bottom), cosine ")
    assert float(found.split()[-1]) > 0.99
    discrete = window.findChild(QLabel, "value_discrete").text()
    assert discrete.startswith("T[r+1]−T[r−1], cosine 0.9")
    compared = window.parts.inspector.comparison
    assert compared.note.text().startswith("On its effective support, 5×5")
    tree = window.parts.tree.source
    first, second = tree.roots[0].children
    assert (first.text(1), second.text(1)) == ("9×9", "9×9→5×5")
    assert not window.parts.tree.tree.isColumnHidden(1), "it is narrow here"
    assert "effective support 5×5" in second.tip()
    assert "support" not in first.tip()
    assert "named on its effective support 5×5" in kernel_tip(window.state, 8)
    assert "support" not in kernel_tip(window.state, 0)


def test_noise_on_few_taps_has_no_class_in_the_window_and_a_true_edge_has(
    open_anew: MakeWindow, tmp_path: Path, qtbot: Any
) -> None:
    random = np.random.default_rng(3)
    weights = 1e-20 * random.standard_normal((31, 1, 9, 9)).astype(np.float32)
    weights[:, 0, 3:6, 3:6] = random.standard_normal((31, 3, 3))
    weights[30, 0, 3:6, 3:6] = member("edge-y", (3, 3))
    path = tmp_path / "few.safetensors"
    save_file({"blocks.0.dwconv.weight": weights}, path)
    window = open_anew(path)
    wait_idle(qtbot, window)
    labels, names = window.state.labels, window.state.families
    assert labels is not None
    assert names is not None
    assert (names.fit > 0.7).sum() > 20, "the window's threshold would name them"
    level = family_null((3, 3)).default_threshold
    identified = labels.label < len(FINE.patterns)
    np.testing.assert_array_equal(identified, names.fit >= level)
    assert identified[30]
    assert identified.sum() < 15
