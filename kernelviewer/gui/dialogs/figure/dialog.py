"""The figure dialog, and the figures of views without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QScrollArea, QWidget

from kernelviewer.figures import EXHIBITS, FigureError, FigureOptions
from kernelviewer.gui.controls import (
    Dialog,
    dialog_button,
    in_column,
    in_row,
    label_of,
    named,
)
from kernelviewer.gui.desktop import confirm
from kernelviewer.gui.dialogs.figure.looks import (
    LooksForm,
    PresetBar,
    SubjectForm,
    read_look,
    read_presets,
    to_text,
    write_presets,
)
from kernelviewer.gui.dialogs.figure.output import (
    DRAWING,
    FigureOutput,
    FigurePreview,
    mime_of,
)
from kernelviewer.gui.dialogs.figure.requests import FigureRequests
from kernelviewer.gui.jobs import Reaction
from kernelviewer.gui.text import spaced
from kernelviewer.gui.view import match_option
from kernelviewer.jobs.drawing import (
    FigureCache,
    Refusal,
    copy_figure,
    draw_preview,
    font_families,
)

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from kernelviewer.gui.view import ViewFigure
    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.jobs.drawing import Copies, FigureRequest, Preview

DELAY_MS = 60
"""How long options may keep changing before the figure is drawn."""
WAITING = "Waiting for the kernels' codes…"
DISCARD = (
    "Discard the caption?",
    "The caption you wrote is in no saved or copied figure.",
    "Discard",
)
_OPTIONS = 300


class FigureDialog(Dialog):
    """Shows the figure that the options describe, and hands it on.

    Parameters
    ----------
    window
        The main window; what it shows is what can be drawn.
    kind, scope
        Exhibit and kernels to begin with.
    options
        Options to begin with; default: the look used last, in the window's colours.
    """

    def __init__(
        self,
        window: WindowContext,
        kind: str = "spectrum",
        scope: str = "shown",
        options: FigureOptions | None = None,
    ) -> None:
        super().__init__(window, "figureDialog", "Export a figure")
        self._window = window
        self._job = f"figure {id(self)}"  # another dialog may draw as well
        self._requests = FigureRequests(window)
        self._cache = FigureCache()
        self._drawn: tuple[FigureRequest, tuple[int, int]] | None = None
        self._proposal = self._facts = ""
        self.setSizeGripEnabled(True)
        self.resize(1120, 720)
        self._later = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._later.timeout.connect(self._draw)
        self.subject = SubjectForm(self)
        self.looks = LooksForm(self)
        self.presets = PresetBar(read_presets(window.settings.figure_presets), self)
        self.preview = FigurePreview(self)
        self.facts = label_of(self, name="figureFacts", role="caption")
        self.caption = self._make_caption()
        self.output = FigureOutput(window, self._cache, self.wish, self)
        self._lay_out()
        look = options or usual_options(window)
        self._begin(kind, scope, look.with_values(match_option(window.document)))
        self._listen()

    # --- what it is made of ---

    def _make_caption(self) -> QPlainTextEdit:
        caption = QPlainTextEdit(self)
        caption.setObjectName("figureCaption")
        caption.setAccessibleName("Caption, copied and saved with the figure")
        caption.setToolTip("The proposed caption; write your own in its place")
        caption.setTabChangesFocus(True)
        caption.setFixedHeight(5 * caption.fontMetrics().lineSpacing() + 12)
        return caption

    def _lay_out(self) -> None:
        self.looks.add("Preset", "figurePresets", self.presets, "Presets", row=1)
        options = QWidget(self)
        in_column(
            options, self.subject, self.looks, 1, margins=(0, 0, 10, 0), spacing=18
        )
        left = named(QScrollArea(self), "figureOptions", "Options of the figure")
        left.setFrameShape(QFrame.Shape.NoFrame)
        left.setWidgetResizable(True)
        left.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        bar = left.verticalScrollBar().sizeHint().width()
        least = max(_OPTIONS, options.minimumSizeHint().width())
        left.setFixedWidth(least + bar + 10)
        left.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        left.setWidget(options)
        line = QHBoxLayout()
        line.addWidget(self.facts, 1)
        self.again = dialog_button(
            self, "Proposed Caption", "proposedCaption", self._on_again
        )
        self.again.setAccessibleName("Take the proposed caption again")
        self.again.setProperty("link", True)
        self.again.hide()
        line.addWidget(self.again)
        right = in_column(
            None, (self.preview, 1), line, self.caption, self.output, spacing=8
        )
        in_row(self, left, (right, 1), margins=(16, 16, 16, 12), spacing=16)

    def _begin(self, kind: str, scope: str, options: FigureOptions) -> None:
        self._offer()
        self.subject.set_subject(kind, scope, options)
        self.looks.set_options(options)
        self.presets.set_options(options)

    def _listen(self) -> None:
        self.subject.changed.connect(self._on_changed)
        self.looks.changed.connect(self._on_changed)
        self.presets.chosen.connect(self._on_preset_chosen)
        self.presets.kept.connect(self._on_presets_kept)
        self.preview.resized.connect(self._later.start)
        self.preview.grasped.connect(self.output.prepare_drag)
        self.preview.dragged.connect(self.output.drag)
        self.caption.textChanged.connect(self._on_caption_changed)
        self._window.document.changed.connect(self._on_document_changed)
        self._window.models_changed.connect(self._on_models_changed)
        reaction = Reaction(done=self.looks.set_fonts, quiet=True).while_alive(self)
        self._window.jobs.submit(
            "views", "fonts", "List the fonts", reaction, font_families
        )

    # --- what it says ---

    def options(self) -> FigureOptions:
        """The options as they are set."""
        return self.subject.with_options(self.looks.options())

    def wish(self) -> FigureRequest:
        """The figure as it is asked for now.

        Raises
        ------
        FigureError
            It cannot be drawn.
        """
        own = self.caption.toPlainText().strip()
        return self._requests.wish(
            self.subject.kind.key,
            self.subject.scope.key,
            self.options(),
            rivals=self.subject.rivals,
            caption="" if own == self._proposal else own,
        )

    # --- what happens ---

    def _on_changed(self) -> None:
        try:
            self.presets.set_options(self.looks.options())
        except FigureError as error:
            self._refuse(Refusal(error.problem, error.hint))
            return
        self._set_stale(DRAWING)
        self._later.start()

    def _on_preset_chosen(self, look: FigureOptions) -> None:
        self.looks.set_options(FigureOptions().with_look(look))
        self._on_changed()

    def _on_presets_kept(self, presets: object) -> None:
        texts = write_presets(presets)  # type: ignore[arg-type]
        settings = replace(self._window.settings, figure_presets=texts)
        self._window.settings = settings
        self._window.keep_settings()

    def _on_document_changed(self) -> None:
        """The window shows something else: so does the figure, if it matters."""
        self._offer()
        self._later.start()

    def _on_models_changed(self, _models: object) -> None:
        """What was drawn of closed networks is forgotten."""
        self._cache = self.output.cache = FigureCache()
        self._requests.forget()
        self._drawn = None

    def _offer(self) -> None:
        requests = self._requests
        self.subject.set_choices(
            requests.choices(), requests.networks(), requests.compared
        )
        document = self._window.document
        self.subject.set_position(document.position)
        how = document.comparing
        self.subject.set_layers(None if how is None else how.layers)

    def _draw(self) -> None:
        try:
            wish = self.wish()
        except FigureError as error:
            self._refuse(Refusal(error.problem, error.hint))
            return
        room = self.preview.room()
        if self._drawn is not None and _same(self._drawn, (wish, room)):
            if not self._window.jobs.is_current(self._job):
                self._set_stale("")
            return
        self._drawn = (wish, room)
        lane = "compute" if self._requests.is_waiting() else "views"
        if lane == "compute":
            self.preview.set_text(WAITING)
        self._set_stale(WAITING if lane == "compute" else DRAWING)
        reaction = Reaction(
            done=self._on_drawn,
            failed=lambda why, hint: self._refuse(Refusal(why, hint)),
            progress=self._on_progress,
            quiet=True,
        ).while_alive(self)
        self._window.jobs.submit(
            lane,  # type: ignore[arg-type]
            self._job,
            "Draw the figure",
            reaction,
            draw_preview,
            self._cache,
            wish,
            room,
        )

    def _on_progress(self, done: int, total: int, text: str) -> None:
        """Say how far the figure is."""
        count = f"{done} of {total}" if total else ""
        self._set_stale(" ".join(filter(None, [DRAWING, text, count])))

    def _set_stale(self, text: str) -> None:
        """Say that figure, size and caption are of before; empty: they are of now."""
        self.preview.set_stale(text)
        self.facts.setText(text or self._facts)
        own = self.caption.toPlainText().strip()
        pale = bool(text) and own == self._proposal
        if self.caption.property("stale") != pale:
            self.caption.setProperty("stale", pale)
            self.caption.style().polish(self.caption)

    def _on_drawn(self, preview: Preview | Refusal) -> None:
        if isinstance(preview, Refusal):
            self._refuse(preview)
            return
        self.preview.set_pixels(preview.pixels)
        self.output.set_ready(True)
        own = self.caption.toPlainText().strip() not in ("", self._proposal)
        self._proposal = preview.drawn.proposal
        if not own:
            self._set_caption(self._proposal)
        self._on_caption_changed()
        self._facts = _facts(preview)
        self._set_stale("")
        self.facts.setToolTip(" ".join(preview.drawn.notes))

    def _refuse(self, refusal: Refusal) -> None:
        self._window.jobs.cancel(self._job)
        self._drawn = None
        self.preview.set_text(str(refusal))
        self._facts = ""
        self._set_stale("")
        self.output.set_ready(False)

    def _set_caption(self, text: str) -> None:
        if self.caption.toPlainText() != text:
            before = self.caption.blockSignals(True)
            self.caption.setPlainText(text)
            self.caption.blockSignals(before)

    def _on_caption_changed(self) -> None:
        own = self.caption.toPlainText().strip()
        self.again.setVisible(bool(self._proposal) and own != self._proposal)
        self.output.forget()

    def _on_again(self) -> None:
        self._set_caption(self._proposal)
        self._on_caption_changed()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: draw once it is known how large the preview is."""
        super().showEvent(event)
        self._later.start()

    def may_close(self) -> bool:
        """A caption of the user's own is not lost without a word."""
        own = self.caption.toPlainText().strip()
        lost = own not in ("", self._proposal, self.output.handed_on)
        return not lost or confirm(self, *DISCARD)

    def done(self, result: int) -> None:
        """Qt: keep the look; what is being drawn is not needed any more."""
        self._later.stop()
        self._window.document.changed.disconnect(self._on_document_changed)
        self._window.jobs.cancel(self._job)
        self.output.close_down()
        settings = self._window.settings
        try:
            look = to_text(self.looks.options())
        except FigureError:
            look = settings.figure_look
        self._window.settings = replace(settings, figure_look=look)
        super().done(result)


def usual_options(window: WindowContext) -> FigureOptions:
    """The look used last, on light ground, in the window's colours."""
    settings, display = window.settings, window.document.display
    scale = {"global": "figure"}.get(display.scale_mode, display.scale_mode)
    return replace(
        read_look(settings.figure_look),
        dark=False,
        colormap=settings.colormap,
        scale=scale,  # type: ignore[arg-type]
        mean=window.document.marks.mean,
    )


def open_figure(
    window: WindowContext,
    kind: str = "spectrum",
    scope: str = "shown",
    options: FigureOptions | None = None,
) -> FigureDialog:
    """Show the dialog beside the window, without blocking it."""
    dialog = FigureDialog(window, kind, scope, options)
    dialog.show()
    return dialog


def _facts(preview: Preview) -> str:
    """Size on paper and in pixels, and what else should be known."""
    figure, options = preview.drawn.figure, preview.drawn.page.options
    across, down = figure.get_size_inches()
    width, height = round(across * options.dpi), round(down * options.dpi)
    text = (
        f"{25.4 * across:.1f} × {25.4 * down:.1f} mm   ·   {spaced(width)} × "
        f"{spaced(height)} pixels at {options.dpi} dpi"
    )
    return "   ·   ".join([text, *preview.drawn.notes])


def _same(
    one: tuple[FigureRequest, tuple[int, int]],
    other: tuple[FigureRequest, tuple[int, int]],
) -> bool:
    """True if both give the same picture."""
    (wish, room), (new, new_room) = one, other
    looks = (wish.kind, wish.options, room) == (new.kind, new.options, new_room)
    return looks and wish.same_kernels(new)


class ViewFigures:
    """Draws the figures of views; keeps what the last one was drawn from."""

    def __init__(self, window: WindowContext) -> None:
        self._window = window
        self._requests = FigureRequests(window)
        self._cache = FigureCache()

    def export(self, view: ViewFigure) -> FigureDialog:
        """Open the figure dialog on a view's exhibit and state."""
        view = self._now(view)
        return open_figure(self._window, view.kind, view.scope, self._options(view))

    def copy(self, view: ViewFigure) -> None:
        """Copy a view's figure as image and SVG; the table also as text."""
        say = self._window.statusBar().showMessage
        view = self._now(view)
        title = EXHIBITS[view.kind].title
        try:
            wish = self._requests.wish(view.kind, view.scope, self._options(view))
        except FigureError as error:
            say(str(error))
            return

        def done(copies: Copies | Refusal) -> None:
            if isinstance(copies, Refusal):
                say(f"{title} not copied: {copies}")
                return
            QGuiApplication.clipboard().setMimeData(mime_of(copies))
            say(f"{title} copied as image and SVG, with its caption", 6000)

        say(f"Drawing the figure: {title.lower()}…")
        lane = "compute" if self._requests.is_waiting() else "views"
        self._window.jobs.submit(
            lane,  # type: ignore[arg-type]
            "copy_view",
            "Copy a figure",
            Reaction(done=done, quiet=True),
            copy_figure,
            self._cache,
            wish,
        )

    def _now(self, view: ViewFigure) -> ViewFigure:
        """The figure of what a view shows now."""
        return view.instead(self._window.state) or view

    def _options(self, view: ViewFigure) -> FigureOptions:
        """The look used last, and the view's own state."""
        own = view.options(self._window.document)
        return usual_options(self._window).with_values(own)
