"""What becomes of a figure: shown, copied, dragged away, written; data and kernels."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QDrag,
    QGuiApplication,
    QImage,
    QPainter,
    QPixmap,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from kernelviewer.figures import FigureError
from kernelviewer.gui.controls import dialog_button, in_column, in_row, label_of, named
from kernelviewer.gui.desktop import ask_where, show_in_folder
from kernelviewer.gui.dialogs.export_kernels import export_kernels
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import as_tip
from kernelviewer.gui.theme import tokens
from kernelviewer.jobs.drawing import (
    Refusal,
    copy_figure,
    save_animation,
    save_data,
    save_figure,
)
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtCore import QMimeData, QPointF
    from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.drawing import Copies, FigureCache, FigureRequest

ANIMATIONS = {".gif": "Animated GIF", ".png": "Animated PNG, in all colours"}
_BORDER = 12
DRAWING = "Drawing…"
_PALE = 0.3
"""How much is seen of a figure while another one is drawn."""


class FigurePreview(QWidget):
    """Shows pixels as large as they fit, or a sentence. Setters never emit."""

    resized = Signal()
    grasped = Signal()
    """The mouse was pressed on the figure: it may be dragged out."""
    dragged = Signal()
    """The mouse has been moved far enough."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "figurePreview", "The figure as it will be written")
        policy = QSizePolicy.Policy.Expanding
        self.setSizePolicy(policy, policy)
        self.setMinimumSize(280, 160)
        self._image = QImage()
        self._text = DRAWING
        self._stale = ""
        self._pressed: QPointF | None = None

    @property
    def stale(self) -> str:
        """What is said over a figure that another one will replace; else empty."""
        return self._stale

    @property
    def image(self) -> QImage:
        """The pixels shown; null if there are none."""
        return self._image

    @property
    def text(self) -> str:
        """The sentence shown in place of a figure."""
        return self._text

    def room(self) -> tuple[int, int]:
        """Device pixels across and down that there are for the figure."""
        ratio = self.devicePixelRatioF()
        wide, high = self.width() - 2 * _BORDER, self.height() - 2 * _BORDER
        return round(max(wide, 1) * ratio), round(max(high, 1) * ratio)

    def set_pixels(self, pixels: NDArray[np.uint8]) -> None:
        """Show a figure, RGBA [rows, columns, 4]."""
        rows, columns = pixels.shape[:2]
        kind = QImage.Format.Format_RGBA8888
        data = pixels.tobytes()
        self._image = QImage(data, columns, rows, 4 * columns, kind).copy()
        self._text = self._stale = ""
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag the figure into another program")
        self.update()

    def set_text(self, text: str) -> None:
        """Say why there is no figure."""
        text = f"{text[:1].upper()}{text[1:]}"
        self._image, self._text, self._stale = QImage(), text, ""
        self._pressed = None
        self.unsetCursor()
        self.setToolTip("")
        self.setAccessibleDescription(text)
        self.update()

    def set_stale(self, text: str) -> None:
        """Say this of another figure that is on its way; empty: none is."""
        if self._stale != text:
            self._stale = text
            self.setAccessibleDescription(text or self._text)
            self.update()

    def sizeHint(self) -> QSize:
        """Qt: room for a column beside the options."""
        return QSize(640, 480)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the figure on a sheet, or the sentence."""
        painter = QPainter(self)
        if self._image.isNull():
            painter.setPen(self.palette().placeholderText().color())
            room = self.rect().adjusted(24, 24, -24, -24)
            wrap = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, wrap, self._stale or self._text)
            return
        box = self._box()
        painter.setPen(self.palette().mid().color())
        painter.drawRect(box.adjusted(-1, -1, 0, 0))
        smooth = QPainter.RenderHint.SmoothPixmapTransform
        painter.setRenderHint(smooth)
        painter.setOpacity(_PALE if self._stale else 1.0)
        painter.drawImage(box, self._scaled())
        painter.setOpacity(1.0)
        if self._stale:
            text = painter.fontMetrics().boundingRect(self._stale)
            label = text.adjusted(-14, -8, 14, 8)
            label.moveCenter(self.rect().center())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(self.palette().base())
            painter.drawRoundedRect(label, 6, 6)
            painter.setPen(self.palette().text().color())
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, self._stale)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: a drag may begin."""
        on_it = self._box().contains(event.position())
        if event.button() == Qt.MouseButton.LeftButton and on_it and not self._text:
            self._pressed = event.position()
            self.grasped.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: far enough, and it is one."""
        if self._pressed is None:
            return
        moved = (event.position() - self._pressed).manhattanLength()
        if moved >= QApplication.startDragDistance():
            self._pressed = None
            self.dragged.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt: it was none."""
        self._pressed = None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: the figure may need other pixels."""
        super().resizeEvent(event)
        self.resized.emit()

    def _box(self) -> QRectF:
        """Where the figure lies, logical pixels."""
        if self._image.isNull():
            return QRectF()
        wide, high = (side / self.devicePixelRatioF() for side in self.room())
        scale = min(wide / self._image.width(), high / self._image.height())
        width, height = self._image.width() * scale, self._image.height() * scale
        left, top = (self.width() - width) / 2, (self.height() - height) / 2
        return QRectF(round(left), round(top), round(width), round(height))

    def _scaled(self) -> QImage:
        """The pixels averaged to those of the screen, where there are more of them."""
        ratio, box = self.devicePixelRatioF(), self._box()
        size = QSize(round(box.width() * ratio), round(box.height() * ratio))
        if size.width() >= self._image.width():
            return self._image
        smooth = Qt.TransformationMode.SmoothTransformation
        keep = Qt.AspectRatioMode.IgnoreAspectRatio
        return self._image.scaled(size, keep, smooth)


SVG, PNG = "image/svg+xml", "image/png"
FIGURES = {
    ".svg": "SVG, drawing with text as text",
    ".pdf": "PDF, with its fonts inside",
    ".png": "PNG, pixels",
}
DATA = {".csv": "Table as CSV", ".npz": "Arrays for NumPy"}
TABLES = {**DATA, ".md": "Table in Markdown", ".tex": "Table for LaTeX (booktabs)"}
_THUMB = 160


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


class FigureOutput(QWidget):
    """A line that says what became of the figure, and a line of buttons.

    Parameters
    ----------
    cache
        Draws; shared with the preview.
    wish
        What to draw, when it is called; may raise `FigureError`.

    Attributes
    ----------
    handed_on
        The user's own caption that was last saved or copied.
    """

    def __init__(
        self,
        window: WindowContext,
        cache: FigureCache,
        wish: Callable[[], FigureRequest],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._window, self.cache, self._wish = window, cache, wish
        self._save_job = f"save figure {id(self)}"  # another dialog may save as well
        self._copy_job = f"copy figure {id(self)}"
        self.handed_on = ""
        self._copies: Copies | None = None
        self._folder: Path | None = None
        self._dragging = False
        self._written: Path | None = None
        self.said = label_of(self, name="figureSaid", role="secondary", plain=True)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.folder = dialog_button(
            self, "Show in Folder", "showInFolder", self._on_folder
        )
        self.folder.setProperty("link", True)
        self.folder.hide()
        self.data = dialog_button(self, "Export Data…", "exportData", self._on_data)
        self.kernels = dialog_button(
            self, "Export Kernels…", "exportShownKernels", self._on_kernels
        )
        self.copy_caption = dialog_button(
            self, "Copy Caption", "copyCaption", self._on_copy_caption
        )
        self.copy = dialog_button(self, "Copy", "copyFigure", self._on_copy)
        self.copy.setToolTip("Copy as image and SVG, with the caption")
        self.save = dialog_button(self, "Save…", "saveFigure", self._on_save)
        self.save.setDefault(True)
        self._lay_out()
        self.set_ready(False)

    def _lay_out(self) -> None:
        words = in_row(None, (self.said, 1), self.folder)
        last = (self.copy_caption, self.copy, self.save)
        buttons = in_row(None, self.data, self.kernels, 1, *last, spacing=8)
        in_column(self, words, buttons, spacing=6)

    def set_ready(self, ready: bool) -> None:
        """True if there is a figure to hand on."""
        self.forget()
        for button in (
            *(self.data, self.kernels, self.copy_caption, self.copy, self.save),
        ):
            button.setEnabled(ready)

    def forget(self) -> None:
        """The figure has changed: copies of it are stale."""
        self._copies = None

    def close_down(self) -> None:
        """Nothing is handed on any more."""
        for key in (self._copy_job, self._save_job):
            self._window.jobs.cancel(key)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    # --- files ---

    def _on_save(self) -> None:
        wish = self._wished()
        path = self._ask("Save the figure", wish, FIGURES) if wish else None
        if wish is None or path is None:
            return
        self._say(f"saving {shown(path.name)}…")
        self._window.jobs.submit(
            "views",
            self._save_job,
            f"Save {shown(path.name)}",
            self._reaction(partial(self._on_figure_written, wish.caption)),
            save_figure,
            self.cache,
            wish,
            path,
        )

    def _on_data(self) -> None:
        wish = self._wished()
        kinds = TABLES if wish is not None and wish.kind == "table" else DATA
        path = self._ask("Export what is drawn", wish, kinds) if wish else None
        if wish is None or path is None:
            return
        self._say(f"writing {shown(path.name)}…")
        self._window.jobs.submit(
            "views",
            self._save_job,
            f"Export {shown(path.name)}",
            self._reaction(self._on_written),
            save_data,
            self.cache,
            wish,
            path,
        )

    def _on_kernels(self) -> None:
        wish = self._wished()
        if wish is not None:
            export_kernels(self._window, wish, self, self._on_written)

    def _ask(
        self, title: str, wish: FigureRequest, kinds: Mapping[str, str]
    ) -> Path | None:
        folder = self._window.settings.last_folder
        start = Path(folder, f"{wish.kind}{next(iter(kinds))}")
        return ask_where(self, title, start, kinds)

    def _on_figure_written(self, caption: str, path: Path | Refusal) -> None:
        if isinstance(path, Path):
            self.handed_on = caption
        self._on_written(path)

    def _on_written(self, path: Path | Refusal) -> None:
        if isinstance(path, Refusal):
            self._say(str(path), failed=True)
            return
        self._written = path
        self._say(f"Saved as {shown(path.name)}")
        self.folder.show()
        self._window.statusBar().showMessage(f"Saved as {shown(path)}")

    def _on_folder(self) -> None:
        if self._written is not None and not show_in_folder(self._written):
            self._say(f"It lies in {self._written.parent}")

    # --- clipboard and other programs ---

    def _on_copy(self) -> None:
        self._with_copies(self._put_on_clipboard)

    def _on_copy_caption(self) -> None:
        wish = self._wished()
        if wish is not None:
            self._with_copies(self._put_caption_on_clipboard)

    def _put_caption_on_clipboard(self, copies: Copies) -> None:
        QGuiApplication.clipboard().setText(copies.caption)
        self.handed_on = copies.caption
        self._say("Caption copied")

    def _put_on_clipboard(self, copies: Copies) -> None:
        self.handed_on = copies.caption
        QGuiApplication.clipboard().setMimeData(mime_of(copies))
        self._say("Copied as image and SVG, with its caption")

    def prepare_drag(self) -> None:
        """Make what is dragged, before it is known whether it will be."""
        self._dragging = False
        self._with_copies(
            lambda copies: self._start_drag(copies) if self._dragging else None
        )

    def drag(self) -> None:
        """Drag the figure, now or as soon as it is ready."""
        self._dragging = True
        if self._copies is not None:
            self._start_drag(self._copies)

    def _start_drag(self, copies: Copies) -> None:
        self._dragging = False
        if not QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            return  # it was let go meanwhile
        drag = QDrag(self)
        drag.setMimeData(mime_of(copies, self._file_of(copies)))
        thumb = QPixmap.fromImage(image_of(copies)).scaled(
            _THUMB,
            _THUMB,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        drag.setPixmap(thumb)
        drag.exec(Qt.DropAction.CopyAction)

    def _file_of(self, copies: Copies) -> Path | None:
        """The figure as a file in a folder of its own, gone when the dialog is."""
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="kernelviewer-"))
            path = self._folder / f"{copies.kind}.svg"
            path.write_bytes(copies.svg)
        except OSError:
            return None
        return path

    def _with_copies(self, use: Callable[[Copies], object]) -> None:
        """Hand over the figure as other programs take it, drawn if it must be."""
        wish = self._wished()
        if wish is None:
            return
        if self._copies is not None:
            use(self._copies)
            return

        def done(copies: Copies | Refusal) -> None:
            if isinstance(copies, Refusal):
                self._say(str(copies), failed=True)
            else:
                self._copies = copies
                use(copies)

        self._window.jobs.submit(
            "views",
            self._copy_job,
            "Copy the figure",
            self._reaction(done),
            copy_figure,
            self.cache,
            wish,
        )

    def _reaction(self, done: Callable[..., None]) -> Reaction:
        def failed(message: str, hint: str) -> None:
            self._say(f"{message}. {hint}".rstrip(" "), failed=True)

        return Reaction(done=done, failed=failed, quiet=True).while_alive(self)

    def _wished(self) -> FigureRequest | None:
        try:
            return self._wish()
        except FigureError as error:
            self._say(str(error), failed=True)
            return None

    def _say(self, text: str, *, failed: bool = False) -> None:
        self.folder.hide()
        self.said.setText(text)
        self.said.setToolTip(as_tip(text))
        self.said.setProperty("role", "error" if failed else "secondary")
        self.said.style().unpolish(self.said)
        self.said.style().polish(self.said)


def export_animation(window: WindowContext) -> None:
    """Ask where to, and write the run as an animated picture in the background."""
    from kernelviewer.figures.animation import SCREEN
    from kernelviewer.gui.dialogs.figure.requests import FigureRequests

    model = window.state.run
    if model is None or model.run is None:
        return
    options = SCREEN.with_values({"dark": tokens().dark})
    try:
        wish = FigureRequests(window).wish("shares-over-time", "shown", options)
    except FigureError as error:
        window.statusBar().showMessage(str(error))
        return
    name = model.run.name
    start = Path(window.settings.last_folder, f"{name}.gif")
    path = ask_where(window, f"Export {name} as an animation", start, ANIMATIONS)
    if path is None:
        return

    def done(result: Path | Refusal) -> str:
        text = f"{name} in {result}" if isinstance(result, Path) else str(result)
        window.statusBar().showMessage(text)
        return text

    title, reaction = f"Animate {name}", Reaction(done=done)
    window.jobs.submit(
        "compute", "animate", title, reaction, save_animation, wish, path
    )
