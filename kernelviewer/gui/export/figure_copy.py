"""Figures on the clipboard and on their way into other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QUrl
from PySide6.QtGui import QImage, QStandardItem, QStandardItemModel

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtCore import QMimeData

    from kernelviewer.jobs.drawing import Copies

SVG, PNG = "image/svg+xml", "image/png"


def image_of(copies: Copies) -> QImage:
    """The figure as pixels that know how large they are on paper."""
    image = QImage.fromData(QByteArray(copies.png))
    dots = round(copies.dpi / 0.0254)
    image.setDotsPerMeterX(dots)
    image.setDotsPerMeterY(dots)
    return image


def mime_of(copies: Copies, file: Path | None = None) -> QMimeData:
    """Everything that another program may take: image, SVG, text, and the file.

    Parameters
    ----------
    file
        Where the figure lies, if it is handed over as a file.
    """
    data = _outliving()
    data.setImageData(image_of(copies))
    data.setData(SVG, QByteArray(copies.svg))
    data.setData(PNG, QByteArray(copies.png))
    data.setText(copies.table or copies.caption)
    if file is not None:
        data.setUrls([QUrl.fromLocalFile(str(file))])
    return data


def _outliving() -> QMimeData:
    """Empty data that may stay on the clipboard while the program ends.

    What Python makes is destroyed with the clipboard after the interpreter has gone,
    which crashes; what Qt makes itself is not.
    """
    model = QStandardItemModel()
    model.appendRow(QStandardItem())
    data = model.mimeData([model.index(0, 0)])
    data.clear()
    return data
