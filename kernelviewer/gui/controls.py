"""Widgets that views and dialogs share: a choice, a number, a dialog, a line plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QEvent, QLocale, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QDialog,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QSlider,
    QStackedWidget,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from kernelviewer.gui import theme
from kernelviewer.gui.text import signed
from kernelviewer.gui.theme import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import (
        QAction,
        QIcon,
        QKeyEvent,
        QMouseEvent,
        QPaintEvent,
        QValidator,
    )

    from kernelviewer.jobs.runner import Ticket


W = TypeVar("W", bound=QWidget)
B = TypeVar("B", bound=QBoxLayout)
Part = QWidget | QLayout | tuple[QWidget | QLayout, int] | int
"""Something in a row or column, with how much of the room that is left it takes; a
number alone: so much of it stays free."""
PADDING = 7
_FRAME = 22
"""Of a number's field and what is free beside the number, pixels."""
MARGIN = 16
"""Between a dialog's frame and what is in it, pixels."""


def named(widget: W, name: str, title: str = "", *, tip: str = "") -> W:
    """A widget with its object name, what screen readers call it, and its tooltip."""
    widget.setObjectName(name)
    if title:
        widget.setAccessibleName(title)
    if tip:
        widget.setToolTip(tip)
    return widget


def label_of(
    parent: QWidget,
    text: str = "",
    *,
    name: str = "",
    title: str = "",
    role: str = "",
    wraps: bool = False,
    plain: bool = False,
) -> QLabel:
    """A text in the look of a role of the style sheet.

    ``wraps``: in several lines if need be; ``plain``: nothing in it is HTML.
    """
    label = named(QLabel(text, parent), name, title)
    if role:
        label.setProperty("role", role)
    if plain:
        label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wraps)
    return label


def in_row(
    parent: QWidget | None,
    *parts: Part,
    spacing: int | None = None,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> QHBoxLayout:
    """Lay parts out beside each other; of no parent, for a layout to take in."""
    box = QHBoxLayout() if parent is None else QHBoxLayout(parent)
    return _filled(box, parts, spacing, margins)


def in_column(
    parent: QWidget | None,
    *parts: Part,
    spacing: int | None = None,
    margins: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> QVBoxLayout:
    """Lay parts out below each other, as `in_row`."""
    box = QVBoxLayout() if parent is None else QVBoxLayout(parent)
    return _filled(box, parts, spacing, margins)


def _filled(
    box: B,
    parts: tuple[Part, ...],
    spacing: int | None,
    margins: tuple[int, int, int, int],
) -> B:
    box.setContentsMargins(*margins)
    if spacing is not None:
        box.setSpacing(spacing)
    for part in parts:
        if isinstance(part, int):
            box.addStretch(part)
            continue
        item, stretch = part if isinstance(part, tuple) else (part, 0)
        if isinstance(item, QLayout):
            box.addLayout(item, stretch)
        else:
            box.addWidget(item, stretch)
    return box


class ChoiceButton(QToolButton):
    """Shows the choice made; a click, Space or the down key offers the others.

    Parameters
    ----------
    name, title
        Object name; what is chosen, for tooltip and screen readers.
    choices
        Key → text in the menu and on the button.
    short
        Key → text on the button where room is scarce.
    """

    chosen = Signal(str)

    def __init__(
        self,
        name: str,
        title: str,
        choices: dict[str, str],
        parent: QWidget,
        short: dict[str, str] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._title, self._short = title, short or {}
        self._brief = self._bare = False
        self._notes = ("", "")
        self._key = ""
        self.setToolTip(title)
        self._menu = QMenu(self)
        self._group = QActionGroup(self)
        self._actions: dict[str, QAction] = {}
        self.set_choices(choices)
        self.clicked.connect(self._open_menu)
        self._group.triggered.connect(lambda action: self.chosen.emit(action.data()))

    @property
    def choices(self) -> dict[str, str]:
        """What is offered, by key."""
        return {key: action.text() for key, action in self._actions.items()}

    def set_choices(self, choices: dict[str, str]) -> None:
        """Offer these, by key."""
        if self.choices == choices:
            return
        for action in self._actions.values():
            self._group.removeAction(action)
        self._actions = {}
        self._menu.clear()
        for key, text in choices.items():
            action = self._menu.addAction(text)
            action.setCheckable(True)
            action.setData(key)
            self._group.addAction(action)
            self._actions[key] = action
        if self._key in self._actions:
            self.set_choice(self._key)

    def set_choice(self, key: str) -> None:
        """Show this choice as made."""
        self._key = key
        action = self._actions[key]
        action.setChecked(True)
        self._show_text()
        text = f"{self._title}: {action.text()}{self._notes[0]}"
        self.setAccessibleName(text)
        self.setToolTip(text)

    def join(self, other: ChoiceButton) -> None:
        """Offer another choice in this one's menu; its own button is not seen."""
        other.hide()
        self._menu.addSeparator()
        self._menu.addActions(list(other._actions.values()))

    def set_notes(self, long: str, brief: str) -> None:
        """What stands after the text, and after the short one."""
        self._notes = (long, brief)
        if self._key:
            self.set_choice(self._key)

    def set_icons(self, icons: dict[str, QIcon], size: QSize) -> None:
        """Show pictures beside the menu's texts, and in their place on the button."""
        self._bare = True
        self.setIconSize(size)
        for key, icon in icons.items():
            self._actions[key].setIcon(icon)
        self._show_text()

    def set_brief(self, brief: bool) -> None:
        """Use the short texts, or the long ones."""
        if brief != self._brief:
            self._brief = brief
            self._show_text()

    @property
    def choice(self) -> str:
        """Key of the choice shown."""
        return self._key

    def step(self) -> None:
        """Ask for the next choice, the first after the last; nothing if disabled."""
        if not self.isEnabled():
            return
        keys = list(self._actions)
        self.chosen.emit(keys[(keys.index(self._key) + 1) % len(keys)])

    def minimumSizeHint(self) -> QSize:
        """Qt: it may lose the end of its text; the tooltip has all of it."""
        hint = self.sizeHint()
        if self._bare:
            return hint
        least = self.fontMetrics().horizontalAdvance("abc… ▾") + 2 * PADDING
        return QSize(min(hint.width(), least), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint as much of the text as there is room for."""
        if self._bare or self.width() >= self.sizeHint().width():
            super().paintEvent(event)
            return
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        room, end = self.width() - 2 * PADDING, Qt.TextElideMode.ElideRight
        arrow = f" {option.text[-1:]}"
        room -= self.fontMetrics().horizontalAdvance(arrow)
        text = self.fontMetrics().elidedText(option.text[:-2], end, room)
        option.text = f"{text}{arrow}"
        control = QStyle.ComplexControl.CC_ToolButton
        QStylePainter(self).drawComplexControl(control, option)

    def _show_text(self) -> None:
        if self._key not in self._actions:
            return
        action = self._actions[self._key]
        if self._bare:
            self.setIcon(action.icon())
            return
        text = self._short.get(self._key, action.text()) if self._brief else None
        said = f"{text or action.text()}{self._notes[self._brief]} ▾"
        if said != self.text():
            self.setText(said)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Qt: as wide as its text; a tool button would add two letters."""
        height = super().sizeHint().height()
        if self._bare:
            return QSize(self.iconSize().width() + 2 * PADDING, height)
        text = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(text + 2 * PADDING, height)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: the down key opens the menu, as in combo boxes."""
        if event.key() == Qt.Key.Key_Down:
            self._open_menu()
        else:
            super().keyPressEvent(event)

    def _open_menu(self) -> None:
        """A menu set on the button would make it wider for an arrow of its own."""
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
        if self._key in self._actions:
            self._menu.setActiveAction(self._actions[self._key])


class SteadyLabel(QLabel):
    """A line of text; what is around it is laid out anew only when its width changes.

    Any other label has the whole window laid out at every change of its text.
    """

    def setText(self, text: str) -> None:
        """Qt: another text."""
        super().setText(text)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: letters may have another size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        """Be as large as the text; a label's own hint never falls below its size."""
        self.ensurePolished()
        single = Qt.TextFlag.TextSingleLine
        self.setFixedSize(self.fontMetrics().size(single, self.text()))


class EscapableSlider(QSlider):
    """A horizontal slider; Escape gives a drag up: it is where it was before."""

    given_up = Signal()
    """A drag was; the slider goes back unless whoever hears this sets it back."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._origin: int | None = None
        self._given_up = False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: a drag may begin."""
        self._origin, self._given_up = self.value(), False
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: the handle follows the mouse, until the drag is given up."""
        if not self._given_up:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt: let go."""
        self._origin, self._given_up = None, False
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: steps, ends; Escape."""
        if event.key() == Qt.Key.Key_Escape and self._origin is not None:
            origin, self._origin, self._given_up = self._origin, None, True
            self.blockSignals(True)
            self.setSliderDown(False)
            self.blockSignals(False)
            self.given_up.emit()
            self.setValue(origin)
        else:
            super().keyPressEvent(event)


class ExplainButton(QToolButton):
    """A "?" that asks what the words of a panel mean, told by the panel's id."""

    asked = Signal(str)

    def __init__(self, view: str, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(f"{view}Explain")
        self.setText("?")
        self.setProperty("quiet", True)
        self.setAccessibleName(f"What the words in {title} mean")
        self.setToolTip("What the words here mean")
        self.clicked.connect(lambda: self.asked.emit(view))


def chart_choice(
    name: str, title: str, choices: dict[str, str], short: dict[str, str] | None = None
) -> Callable[[QWidget], ChoiceButton]:
    """How to make a small choice for the title line of a panel; the first is made."""

    def make(parent: QWidget) -> ChoiceButton:
        button = ChoiceButton(name, title, choices, parent, short)
        button.setProperty("quiet", True)
        button.set_brief(True)
        button.set_choice(next(iter(choices)))
        return button

    return make


class NumberField(QDoubleSpinBox):
    """A share with three decimals; a comma is read as a point."""

    def __init__(
        self, name: str, title: str, step: float, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setMinimumHeight(CONTROL)
        named(self, name, title)
        self.setLocale(QLocale.c())
        self.setRange(0.0, 1.0)
        self.setDecimals(3)
        self.setSingleStep(step)
        self.setKeyboardTracking(False)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)

    def fit_width(self) -> None:
        """Be as wide as a number needs in this font."""
        digits = self.fontMetrics().horizontalAdvance("0.000")
        self.setFixedWidth(digits + _FRAME)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: a box as other fields have; the style's own has room for buttons."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = theme.tokens().accent if self.hasFocus() else theme.tokens().separator
        painter.setPen(QColor(line))
        painter.setBrush(QColor(theme.tokens().panel))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5
        )

    def validate(self, text: str, at: int) -> tuple[QValidator.State, str, int]:
        """Qt: whether this can be, or become, a number of the range."""
        state, text, at = super().validate(text.replace(",", "."), at)
        return state, text, at

    def valueFromText(self, text: str) -> float:
        """Qt: what is typed, as a number."""
        return super().valueFromText(text.replace(",", "."))


class Dialog(QDialog):
    """A dialog beside the window, gone when it is closed.

    Return presses its default button, or the button that has the keyboard. Escape and
    the frame's cross do the same: they ask `may_close`, then call ``done``. Escape
    alone would not send a ``closeEvent``: what is to be tidied up belongs in ``done``.
    """

    def __init__(self, parent: QWidget, name: str, title: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName(name)
        self.setWindowTitle(title)

    def lay_out(self, *parts: Part, spacing: int) -> None:
        """Put its parts below each other."""
        margins = (MARGIN, MARGIN, MARGIN, 12)
        in_column(self, *parts, spacing=spacing, margins=margins)

    def may_close(self) -> bool:
        """True if nothing is lost by closing, or the user agrees to lose it."""
        return True

    def reject(self) -> None:
        """Qt: Escape, or the frame's cross."""
        if self.may_close():
            super().reject()


class WorkDialog(Dialog):
    """A dialog with work of its own in the background, which ends with it."""

    ticket: Ticket | None = None
    """Of the work that was begun last; another dialog's goes on."""

    def give_up(self) -> None:
        """Stop the work."""
        if self.ticket is not None:
            self.ticket.cancel()

    def done(self, result: int) -> None:
        """Qt: nothing is computed for nobody."""
        self.give_up()
        super().done(result)


def note_of(parent: QWidget, text: str) -> QLabel:
    """Sentences at the top of a dialog: what it is for."""
    return label_of(parent, text, role="secondary", wraps=True)


def progress_bar(parent: QWidget, name: str, title: str) -> QProgressBar:
    """A bar that shows how much is done, without a number."""
    return named(QProgressBar(parent, textVisible=False), name, title)


def dialog_button(
    parent: QWidget, text: str, name: str, use: Callable[[], object]
) -> QPushButton:
    """A button of a dialog; the default one while it has the keyboard."""
    button = named(QPushButton(text, parent), name, text.rstrip("…"))
    button.clicked.connect(lambda: use())
    return button


def line_of(*buttons: QPushButton) -> QHBoxLayout:
    """Buttons in a line, at the right."""
    return in_row(None, 1, *buttons, spacing=8)


def make_default(button: QPushButton) -> None:
    """Let Return press this button, also where another button has the keyboard."""
    button.setDefault(True)
    if isinstance(button.window().focusWidget(), QPushButton):
        button.setFocus()


def show_text(
    parent: QWidget, name: str, title: str, html: str, size: tuple[int, int]
) -> QTextBrowser:
    """Show text to read beside the window, without blocking it.

    Parameters
    ----------
    name
        The dialog is the object ``{name}Dialog``, its text ``{name}Text``.
    """
    dialog = Dialog(parent, f"{name}Dialog", title)
    dialog.resize(*size)
    text = named(QTextBrowser(dialog), f"{name}Text", title)
    text.document().setDocumentMargin(10)
    text.setHtml(html)
    shut = dialog_button(dialog, "Close", f"{name}Close", dialog.close)
    shut.setDefault(True)
    dialog.lay_out(text, line_of(shut), spacing=12)
    dialog.show()
    return text


_SIDES = ("bottom", "left")
_PLOT_LEAST = 400, 240
"""Pixels across and down that leave the names of the axes whole."""


def make_plot(parent: QWidget, name: str, axes: tuple[str, str]) -> Any:
    """An empty plot with named axes: a ``pyqtgraph.PlotWidget``."""
    import pyqtgraph

    plot = pyqtgraph.PlotWidget(parent)
    plot.setObjectName(name)
    for part in (plot, plot.viewport()):  # no key does anything there
        part.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setAccessibleName(f"{axes[1]} against {axes[0]}")
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.getPlotItem().setContentsMargins(4, 10, 14, 4)
    for side, label in zip(_SIDES, axes, strict=True):
        plot.getAxis(side).setLabel(label)
        plot.getAxis(side).enableAutoSIPrefix(False)
        _sign_truly(plot.getAxis(side))
    colour_plot(plot)
    return plot


def colour_plot(plot: Any) -> None:
    """Give ground and axes of a plot the colours of the theme."""
    tokens = theme.tokens()
    plot.setBackground(tokens.panel)
    for side in _SIDES:
        axis = plot.getAxis(side)
        axis.setLabel(axis.labelText, color=tokens.secondary)
        axis.setPen(tokens.separator)
        axis.setTextPen(tokens.secondary)


def _sign_truly(axis: Any) -> None:
    """Let an axis write negative numbers with a true minus sign."""
    usual = axis.tickStrings
    axis.tickStrings = lambda *given: [signed(text) for text in usual(*given)]


def curve_pen(colour: str, width: float = 2) -> Any:
    """A pen for the curves of a plot."""
    import pyqtgraph

    return pyqtgraph.mkPen(colour, width=width)


class PlotPanel(QStackedWidget):
    """Shows a sentence, or curves over each other.

    Parameters
    ----------
    name
        Of the plot.
    axes
        Names of the horizontal and the vertical axis.
    """

    def __init__(self, name: str, axes: tuple[str, str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("plate", True)
        self.setMinimumSize(*_PLOT_LEAST)
        self.plot = make_plot(self, name, axes)
        self.text = label_of(self, name=f"{name}Text", role="secondary")
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text.setWordWrap(True)
        self.text.setMargin(24)
        self.addWidget(self.text)
        self.addWidget(self.plot)

    def say(self, text: str) -> None:
        """Show a sentence in place of the plot."""
        self.text.setText(text)
        self.setCurrentWidget(self.text)

    def show_plot(self) -> None:
        """Show the plot in place of the sentence."""
        self.setCurrentWidget(self.plot)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: axes and ground in other colours; curves are their owner's."""
        super().changeEvent(event)
        if theme.is_theme_change(event):
            colour_plot(self.plot)
