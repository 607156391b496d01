"""Export a figure: choose the exhibit, see the file, write it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from kernelviewer.figures import (
    EXHIBITS,
    PRESETS,
    FigureError,
    FigureOptions,
    Naming,
)
from kernelviewer.gui.jobs import Reaction
from kernelviewer.jobs.drawing import FigureWish, draw_figure

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PySide6.QtGui import QCloseEvent, QResizeEvent

    from kernelviewer.gui.main_window import MainWindow
    from kernelviewer.jobs.drawing import Picture
    from kernelviewer.kernels.bank import KernelBank

DELAY_MS = 150
SCOPES = {"all": "all open", "shown": "what is shown", "selected": "the selection"}


class ExportDialog(QDialog):
    """Options on the left, the file as it will be on the right, its caption below."""

    def __init__(self, window: MainWindow, kind: str = "spectrum") -> None:
        super().__init__(window)
        self._window = window
        self._picture: Picture | None = None
        self._pixmap = QPixmap()
        self._hashes: dict[KernelBank, str] = {}
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("exportDialog")
        self.setWindowTitle("Export a figure")
        self.resize(1060, 680)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(DELAY_MS)
        self._later.timeout.connect(self._draw)
        self._make_options(kind)
        self.preview = QLabel("drawing…", self)
        self.preview.setObjectName("figurePreview")
        self.preview.setAccessibleName("The figure as it will be written")
        self.preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.preview.setMinimumSize(320, 240)
        self.caption = QPlainTextEdit(self)
        self.caption.setObjectName("figureCaption")
        self.caption.setAccessibleName("Proposed caption")
        self.caption.setReadOnly(True)
        self.caption.setFixedHeight(84)
        self._lay_out()
        self._draw()

    def _make_options(self, kind: str) -> None:
        self.kind = QComboBox(self)
        for item in EXHIBITS.values():
            self.kind.addItem(item.title, item.kind)
            tip = Qt.ItemDataRole.ToolTipRole
            self.kind.setItemData(self.kind.count() - 1, item.summary, tip)
        self.kind.setCurrentIndex(self.kind.findData(kind))
        self.scope = QComboBox(self)
        for key, text in SCOPES.items():
            self.scope.addItem(text, key)
        self.preset = QComboBox(self)
        self.preset.addItem("own", "")
        for name in PRESETS:
            self.preset.addItem(name, name)
        self.width_mm = QDoubleSpinBox(self)
        self.width_mm.setRange(40, 400)
        self.width_mm.setSuffix(" mm")
        self.font_size = QDoubleSpinBox(self)
        self.font_size.setRange(4, 24)
        self.font_size.setSuffix(" pt")
        self.dpi = QSpinBox(self)
        self.dpi.setRange(72, 1200)
        self.dpi.setSuffix(" dpi")
        self.seed = QSpinBox(self)
        self.title = QLineEdit(self)
        self.labels = QCheckBox("labels", self)
        self.legend = QCheckBox("legend", self)
        self.scale_bar = QCheckBox("scale of weights", self)
        self.panel_letters = QCheckBox("panel letters", self)
        self.dark = QCheckBox("dark ground", self)
        self._show_options(FigureOptions())
        self.preset.currentIndexChanged.connect(self._on_preset_chosen)
        for box in (self.kind, self.scope):
            box.currentIndexChanged.connect(self._later.start)
        for spin in (self.width_mm, self.font_size, self.dpi, self.seed):
            spin.valueChanged.connect(self._later.start)
        self.title.textChanged.connect(self._later.start)
        for check in self._checks():
            check.toggled.connect(self._later.start)

    def _checks(self) -> tuple[QCheckBox, ...]:
        return (
            *(self.labels, self.legend, self.scale_bar),
            *(self.panel_letters, self.dark),
        )

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setSpacing(8)
        for label, name, widget in (
            ("Figure", "figureKind", self.kind),
            ("Shows", "figureScope", self.scope),
            ("Preset", "figurePreset", self.preset),
            ("Width", "figureWidth", self.width_mm),
            ("Font size", "figureFontSize", self.font_size),
            ("Resolution", "figureDpi", self.dpi),
            ("Seed", "figureSeed", self.seed),
            ("Title", "figureTitle", self.title),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(f"{label} of the figure")
            form.addRow(label, widget)
        for check in self._checks():
            check.setObjectName(f"figure {check.text()}")
            check.setAccessibleName(check.text())
            form.addRow("", check)
        left = QWidget(self)
        left.setFixedWidth(300)
        left.setLayout(form)
        self.save = self._button("Save…", "saveFigure", self._on_save)
        self.save.setProperty("primary", True)
        copy_image = self._button("Copy Image", "copyFigure", self._on_copy)
        copy_caption = self._button(
            "Copy Caption", "copyCaption", self._on_copy_caption
        )
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (copy_caption, copy_image, self.save):
            buttons.addWidget(button)
        right = QVBoxLayout()
        right.addWidget(self.preview, 1)
        right.addWidget(self.caption)
        right.addLayout(buttons)
        layout = QHBoxLayout(self)
        layout.setSpacing(16)
        layout.addWidget(left)
        layout.addLayout(right, 1)

    def _button(self, text: str, name: str, use: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setAutoDefault(False)
        button.clicked.connect(use)
        return button

    def options(self) -> FigureOptions:
        """The options as they are set."""
        base = PRESETS.get(str(self.preset.currentData()), FigureOptions())
        return replace(
            base,
            width_mm=self.width_mm.value(),
            font_size=self.font_size.value(),
            dpi=self.dpi.value(),
            seed=self.seed.value(),
            title=self.title.text(),
            labels=self.labels.isChecked(),
            legend=self.legend.isChecked(),
            scale_bar=self.scale_bar.isChecked(),
            panel_letters=self.panel_letters.isChecked(),
            dark=self.dark.isChecked(),
            colormap="signed",
        )

    def _show_options(self, options: FigureOptions) -> None:
        self.width_mm.setValue(options.width_mm)
        self.font_size.setValue(options.font_size)
        self.dpi.setValue(options.dpi)
        self.labels.setChecked(options.labels)
        self.legend.setChecked(options.legend)
        self.scale_bar.setChecked(options.scale_bar)
        self.panel_letters.setChecked(options.panel_letters)
        self.dark.setChecked(options.dark)

    def _on_preset_chosen(self) -> None:
        self._show_options(PRESETS.get(str(self.preset.currentData()), FigureOptions()))
        self._later.start()

    def _draw(self) -> None:
        try:
            wish = self._wish()
        except FigureError as error:
            self._on_failed(error.problem, error.hint)
            return
        self.save.setEnabled(False)
        self._window.jobs.submit(
            "views",
            "figure",
            "Draw the figure",
            Reaction(
                done=self._on_drawn, failed=self._on_failed, quiet=True
            ).while_alive(self),
            draw_figure,
            wish,
        )

    def _wish(self) -> FigureWish:
        document, state = self._window.document, self._window.linking.presenter.state
        pool, size = state.pool, document.size
        if pool is None or size is None:
            raise FigureError("there are no kernels to show", "Open a network first.")
        shown: tuple[NDArray[np.bool_], ...] = ()
        scope = self.scope.currentData()
        if scope != "all":
            mask = state.selected if scope == "selected" else state.shown
            if not mask.any():
                raise FigureError(
                    "nothing is selected", "Select kernels, or show all that is open."
                )
            shown = tuple(np.split(mask, pool.starts[1:-1]))
        return FigureWish(
            kind=str(self.kind.currentData()),
            banks=document.banks,
            size=size,
            shown=shown,
            selection=self.scope.currentText() if shown else "",
            naming=Naming(
                document.autoencoders.get(size),
                document.threshold_of(size),
                document.segments_of(size) or (),
            ),
            device=self._window.settings.device,
            options=self.options(),
            hashes=self._hashes,
        )

    def _on_drawn(self, picture: Picture) -> None:
        self._picture = picture
        self._pixmap.loadFromData(picture.png)
        self.caption.setPlainText(
            "\n".join([picture.drawn.caption, *picture.drawn.notes])
        )
        self.save.setEnabled(True)
        self._fit_preview()

    def _on_failed(self, message: str, hint: str) -> None:
        self._picture = None
        self._pixmap = QPixmap()
        text = message.removeprefix("Draw the figure: ")
        self.preview.setText(f"{text}. {hint}" if hint else text)
        self.caption.clear()
        self.save.setEnabled(False)

    def _fit_preview(self) -> None:
        if self._pixmap.isNull():
            return
        ratio = self.devicePixelRatioF()
        fitted = self._pixmap.scaled(
            self.preview.size() * ratio,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        fitted.setDevicePixelRatio(ratio)
        self.preview.setPixmap(fitted)

    def _on_save(self) -> None:
        if self._picture is None:
            return
        start = Path(
            self._window.settings.last_folder, f"{self.kind.currentData()}.svg"
        )
        name, _ = QFileDialog.getSaveFileName(
            self, "Save the figure", str(start), "Figures (*.svg *.pdf *.png)"
        )
        if not name:
            return
        try:
            written = self._picture.drawn.write(Path(name))
        except FigureError as error:
            self._window.statusBar().showMessage(str(error))
            self.caption.setPlainText(str(error))
        else:
            self._window.statusBar().showMessage(f"Figure saved as {written}")
            self.setWindowTitle(f"Saved as {written.name}")

    def _on_copy(self) -> None:
        if not self._pixmap.isNull():
            QGuiApplication.clipboard().setPixmap(self._pixmap)

    def _on_copy_caption(self) -> None:
        QGuiApplication.clipboard().setText(self.caption.toPlainText())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: the preview fills its place."""
        super().resizeEvent(event)
        self._fit_preview()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: what is being drawn is not needed any more."""
        self._window.jobs.cancel("figure")
        super().closeEvent(event)


def open_export(window: MainWindow, kind: str = "spectrum") -> QWidget:
    """Show the dialog beside the window, without blocking it."""
    dialog = ExportDialog(window, kind)
    dialog.show()
    return dialog
