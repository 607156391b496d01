"""Calling a class, a stretch or a tag otherwise, in a colour of one's own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QColorDialog,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
)

from kernelviewer.gui import theme
from kernelviewer.gui.controls import (
    Dialog,
    dialog_button,
    line_of,
    make_default,
    named,
    note_of,
)
from kernelviewer.kernels.classes import CLASSES, INDEX, NAMELESS, OwnName
from kernelviewer.latent import stretches as editing
from kernelviewer.state.own_names import LONGEST, TAG_COLOURS, Tag, tag_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from kernelviewer.gui.window_context import WindowContext

SIDE = 20
WIDTH = 400
NOTE = (
    "Empty: as usual. The name stands in this session alone, and figures say that it "
    "was given by hand."
)


class RenameDialog(Dialog):
    """A name and a colour; what is left empty is as usual.

    Parameters
    ----------
    usual
        Name and colour that it has without.
    """

    def __init__(
        self,
        parent: QWidget,
        title: str,
        usual: OwnName,
        own: OwnName,
        use: Callable[[OwnName], object],
    ) -> None:
        super().__init__(parent, "renameDialog", title)
        self._usual, self._use = usual, use
        self.setFixedWidth(WIDTH)
        self.name = named(QLineEdit(own.name, self), "renameName", "Name")
        self.name.setPlaceholderText(usual.name)
        self.name.setMaxLength(LONGEST)
        self.name.setClearButtonEnabled(True)
        self.name.selectAll()
        self.colours = QButtonGroup(self)
        self._line = QHBoxLayout()
        self._line.setSpacing(2)
        for colour in ("", *TAG_COLOURS):
            self._offer(colour)
        if own.colour and own.colour not in self._offered():
            self._offer(own.colour)
        self.other = named(QToolButton(self), "renameOtherColour", "Another colour")
        self.other.setText("…")
        self.other.setToolTip("Another colour")
        self.other.clicked.connect(self._ask_colour)
        self._line.addWidget(self.other)
        self._line.addStretch(1)
        self._check(own.colour)
        note = note_of(self, NOTE)
        usual_again = dialog_button(self, "As Usual", "renameReset", self._reset)
        cancel = dialog_button(self, "Cancel", "renameCancel", self.reject)
        done = dialog_button(self, "Rename", "renameAccept", self._on_accepted)
        make_default(done)
        self.lay_out(
            self.name, self._line, note, line_of(usual_again, cancel, done), spacing=10
        )
        self.name.setFocus()

    @property
    def own(self) -> OwnName:
        """Name and colour as they stand in the dialog."""
        button = self.colours.checkedButton()
        colour = "" if button is None else button.property("colour")
        return OwnName(self.name.text().strip(), colour)

    def _offered(self) -> list[str]:
        return [button.property("colour") for button in self.colours.buttons()]

    def _offer(self, colour: str) -> None:
        """Add a colour (empty: the usual one)."""
        button = QToolButton(self)
        button.setCheckable(True)
        button.setProperty("colour", colour)
        button.setObjectName(f"renameColour{colour.lstrip('#') or 'Usual'}")
        what = f"Colour {colour}" if colour else "The usual colour"
        button.setAccessibleName(what)
        button.setToolTip(what)
        button.setIconSize(QSize(SIDE, SIDE))
        ratio = self.devicePixelRatioF()
        button.setIcon(_square(colour or self._usual.colour, ratio))
        self.colours.addButton(button)
        self._line.insertWidget(len(self.colours.buttons()) - 1, button)

    def _check(self, colour: str) -> None:
        for button in self.colours.buttons():
            button.setChecked(button.property("colour") == colour)

    def _ask_colour(self) -> None:
        now = self.own.colour or self._usual.colour
        found = QColorDialog.getColor(QColor(now), self, "Another colour")
        if found.isValid():
            colour = found.name().upper()
            if colour not in self._offered():
                self._offer(colour)
            self._check(colour)

    def _reset(self) -> None:
        """Name and colour as usual, and done."""
        self._use(OwnName())
        self.close()

    def _on_accepted(self) -> None:
        self._use(self.own)
        self.close()


def _square(colour: str, ratio: float) -> QIcon:
    """A rounded square of a colour; a ring goes round the one that is chosen."""
    icon = QIcon()
    for state in (QIcon.State.Off, QIcon.State.On):
        picture = QPixmap(round(SIDE * ratio), round(SIDE * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state == QIcon.State.On:
            painter.setPen(QPen(QColor(theme.tokens().text), 2))
            painter.drawRoundedRect(QRectF(1, 1, SIDE - 2, SIDE - 2), 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(QRectF(4, 4, SIDE - 8, SIDE - 8), 2, 2)
        painter.end()
        icon.addPixmap(picture, QIcon.Mode.Normal, state)
    return icon


def _usual_class(index: int) -> OwnName:
    item, dark = CLASSES[index], theme.tokens().dark
    return OwnName(item.name, item.dark if dark else item.light)


def rename_class(window: WindowContext, class_id: str) -> None:
    """Ask what a class is to be called."""
    index = INDEX[class_id]
    if index in NAMELESS:
        name = CLASSES[index].name.lower()
        window.statusBar().showMessage(f"What is {name} belongs to no class to rename.")
        return
    usual = _usual_class(index)
    own = window.document.marks.names.classes.get(class_id, OwnName())
    use = partial(window.document.rename_class, class_id)
    RenameDialog(window, f"Rename the class {usual.name}", usual, own, use).show()


def rename_stretch(window: WindowContext, index: int) -> None:
    """Ask what a stretch of the spectrum is to be called.

    The family's spectrum has one for each class: it is the class that is renamed.
    """
    state, size = window.state, window.state.size
    if state.stretches is None or size is None or index >= len(state.stretches):
        return
    item = state.stretches[index]
    class_id = CLASSES[item.class_index].id
    if state.named_by != "code":
        rename_class(window, class_id)
        return

    def use(own: OwnName) -> None:
        now = window.document.stretches_of(size)
        if now is not None and index < len(now):
            renamed = editing.rename(now, index, None, own.name, own.colour)
            window.document.set_stretches(size, renamed, act="Rename")

    usual = _usual_class(item.class_index)
    if (mine := state.own_classes.get(class_id)) is not None:
        usual = OwnName(mine.name or usual.name, mine.colour or usual.colour)
    title = f"Rename the stretch {item.low:.3f}–{item.high:.3f}"
    RenameDialog(window, title, usual, OwnName(item.name, item.colour), use).show()


def rename_tag(window: WindowContext, number: int) -> None:
    """Ask what a tag is to be called."""
    tag = window.document.marks.tags.get(number, Tag())
    usual = OwnName(tag_name({}, number), TAG_COLOURS[number - 1])
    use = partial(window.document.rename_tag, number)
    RenameDialog(window, f"Rename tag {number}", usual, tag.own, use).show()
