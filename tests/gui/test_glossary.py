"""The words on the screen are explained: by "?", in the help, with pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QPushButton,
    QTextBrowser,
    QToolButton,
)

from kernelviewer.files import resource
from kernelviewer.gui.controls import ExplainButton
from kernelviewer.gui.glossary import TERMS, found, picture, terms_of
from kernelviewer.gui.palette import find
from kernelviewer.gui.registry import VIEWS
from kernelviewer.gui.search import collect
from tests.gui.conftest import wait_idle
from tests.gui.harness import LEFT

if TYPE_CHECKING:
    from kernelviewer.gui.main_window import MainWindow

ON_SCREEN = (
    *("code", "fit", "stretch", "family cosine", "white noise", "own scale"),
    *("unidentified", "encode again", "threshold", "flat", "residual", "sigma"),
    *("names agree", "pca", "drift", "offset", "channel", "r²", "null test"),
)


def text_of(window: MainWindow) -> QTextBrowser:
    """What the glossary says; there is one at a time."""
    found = window.findChildren(QTextBrowser, "glossaryText")
    (text,) = [text for text in found if text.isVisible()]
    return text


@pytest.mark.parametrize("word", ON_SCREEN)
def test_a_word_is_found_and_explained(word: str) -> None:
    assert found(word)


def test_a_word_comes_before_those_that_only_tell_of_it() -> None:
    assert found("fit")[0].id == "fit"
    assert len(found("fit")) > 1
    assert found("no such word here") == []


def test_every_word_has_its_own_place_plain_sentences_and_a_picture() -> None:
    assert len({term.id for term in TERMS}) == len(TERMS)
    for term in TERMS:
        assert term.says.endswith(".")
        kernels, _ = picture(term.picture)
        assert kernels.shape[1:] == (7, 7)
        assert np.isfinite(kernels).all()
        assert set(term.views) <= {spec.id for spec in VIEWS}


def test_the_picture_of_fit_has_the_fits_that_are_told() -> None:
    first, *others = (kernel - kernel.mean() for kernel in picture("fit")[0])
    cosines = [
        float((first * other).sum() / np.linalg.norm(first) / np.linalg.norm(other))
        for other in others
    ]
    assert cosines == pytest.approx([0.9, 0.6], abs=1e-3)


@pytest.mark.networks(count=0)
def test_a_question_mark_tells_the_words_of_its_panel(window: MainWindow) -> None:
    QTest.mouseClick(window.findChild(QToolButton, "spectrumExplain"), LEFT)
    dialog = window.findChild(QDialog, "glossaryDialog")
    assert dialog.windowTitle() == "Words in Spectrum"
    text = text_of(window).toPlainText()
    assert all(term.word in text for term in terms_of("spectrum"))
    assert "ln scale ratio" not in text
    QTest.mouseClick(window.findChild(QPushButton, "glossaryAll"), LEFT)
    assert all(term.word in text_of(window).toPlainText() for term in TERMS)


@pytest.mark.networks(count=0)
def test_every_panel_with_words_has_a_question_mark(window: MainWindow) -> None:
    names = {button.objectName() for button in window.findChildren(ExplainButton)}
    told = {view for term in TERMS for view in term.views}
    assert {"comparing", "steps", "corpus"} <= told
    assert names >= {f"{view}Explain" for view in told}


@pytest.mark.networks(count=2, channels=12)
def test_bars_above_and_below_the_kernels_explain_their_words(
    window: MainWindow, qtbot: Any
) -> None:
    window.commands["compare"].trigger()
    steps = sorted(resource("sample-run").glob("*.safetensors.gz"))[:3]
    window.opener.open_run(steps, "run")
    wait_idle(qtbot, window)
    for view, word in {"comparing": "Paired by", "steps": "Training step"}.items():
        button = window.findChild(QToolButton, f"{view}Explain")
        assert button.isVisible()
        QTest.mouseClick(button, LEFT)
        assert word in text_of(window).toPlainText()


@pytest.mark.networks(count=0)
def test_the_glossary_is_searched_by_typing(window: MainWindow) -> None:
    window.commands["glossary"].trigger()
    QTest.keyClicks(window.findChild(QLineEdit, "glossarySearch"), "encode ag")
    text = text_of(window)
    assert text.toPlainText().startswith("Compute missing codes")
    assert "ln scale ratio" not in text.toPlainText()
    kind = QTextDocument.ResourceType.ImageResource
    shown = text.document().resource(kind, QUrl("kernels:spectrum"))
    assert isinstance(shown, QImage)
    assert shown.width() > 100


@pytest.mark.networks(count=0)
def test_the_search_line_leads_from_a_word_to_the_glossary(window: MainWindow) -> None:
    listed = find("family cosine", collect(window), [])
    assert "Glossary" in [entry.title for entry in listed]
