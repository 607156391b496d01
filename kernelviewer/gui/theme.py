"""Colours, fonts and the style sheet, light and dark, from one set of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QGuiApplication,
    QPalette,
)
from PySide6.QtWidgets import QApplication

from kernelviewer.files import resource

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PySide6.QtWidgets import QAbstractSpinBox

GAP = 8
"""Space between panels, pixels."""
RADIUS = 6
CONTROL = 26
"""Height of buttons and fields at the default font, pixels."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme, ``#RRGGBB``.

    ``negative`` and ``positive`` are the ends of the weights' colour map; its middle is
    ``zero``, so near to ``panel`` that weak taps recede, but on dark ground apart from
    it: how far a kernel reaches is seen there too.
    """

    dark: bool
    window: str
    panel: str
    separator: str
    text: str
    secondary: str
    disabled: str
    accent: str
    on_accent: str
    hover: str
    selected: str
    error: str
    negative: str
    positive: str
    zero: str
    neutral: str


LIGHT = Tokens(
    dark=False,
    window="#F6F6F4",
    panel="#FFFFFF",
    separator="#E2E2DE",
    text="#1F1F1C",
    secondary="#66665F",
    disabled="#9D9D96",
    accent="#0A66C2",
    on_accent="#FFFFFF",
    hover="#EEEEEA",
    selected="#D7E8FA",
    error="#B3261E",
    negative="#265CB2",
    positive="#D64834",
    zero="#FFFFFF",
    neutral="#C9C9C4",
)
DARK = Tokens(
    dark=True,
    window="#191A1C",
    panel="#212225",
    separator="#34363A",
    text="#ECECEA",
    secondary="#A9AAA7",
    disabled="#75777B",
    accent="#62AEF9",
    on_accent="#10222F",
    hover="#2B2D31",
    selected="#24405C",
    error="#FF8A80",
    negative="#68AAFF",
    positive="#FF8060",
    zero="#303237",
    neutral="#55575B",
)


def tokens_for(theme: str) -> Tokens:
    """Tokens of ``light``, ``dark`` or ``system`` (what the desktop uses)."""
    if theme == "system":
        scheme = QGuiApplication.styleHints().colorScheme()
        return DARK if scheme == Qt.ColorScheme.Dark else LIGHT
    return DARK if theme == "dark" else LIGHT


def tokens() -> Tokens:
    """Tokens of the palette that the application has now."""
    ground = QGuiApplication.palette().color(QPalette.ColorRole.Light)
    return DARK if ground.lightness() < 128 else LIGHT


def is_theme_change(event: QEvent) -> bool:
    """True if a change event says that `tokens` may have changed.

    What has not been shown yet is told of the style sheet only.
    """
    return event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)


def make_palette(tokens: Tokens) -> QPalette:
    """Qt palette of the tokens."""
    palette = QPalette()
    role = QPalette.ColorRole
    colours = {
        role.Window: tokens.window,
        role.Base: tokens.panel,
        role.AlternateBase: tokens.hover,
        role.Button: tokens.panel,
        role.Text: tokens.text,
        role.WindowText: tokens.text,
        role.ButtonText: tokens.text,
        role.ToolTipBase: tokens.panel,
        role.ToolTipText: tokens.text,
        role.PlaceholderText: tokens.secondary,
        role.Highlight: tokens.selected,
        role.HighlightedText: tokens.text,
        role.Link: tokens.accent,
        role.Light: tokens.hover,
        role.Midlight: tokens.separator,
        role.Mid: tokens.separator,
        role.Dark: tokens.secondary,
        role.Shadow: tokens.separator,
    }
    for key, colour in colours.items():
        palette.setColor(key, QColor(colour))
    disabled = QPalette.ColorGroup.Disabled
    for key in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(disabled, key, QColor(tokens.disabled))
    return palette


def use_theme(theme: str) -> None:
    """Give the application ``light``, ``dark`` or ``system`` colours."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        apply_theme(app, tokens_for(theme))


def apply_theme(app: QApplication, tokens: Tokens) -> None:
    """Give the whole application the palette and style sheet of the tokens.

    Where it has them, as for a second window, nothing is done: all widgets would be
    styled anew.
    """
    sheet = style_sheet(tokens)
    if app.styleSheet() == sheet:
        return
    app.setStyle("Fusion")
    app.setPalette(make_palette(tokens))
    app.setStyleSheet(sheet)


def base_font() -> QFont:
    """The desktop's font at 13 pixels, or larger if the desktop says so."""
    font = QFont(QApplication.font())
    if QFontMetricsF(font).height() < 15:
        font.setPixelSize(13)
    return font


def as_field(box: QAbstractSpinBox) -> None:
    """Let a number's box look as the fields for text and choices do."""
    box.setProperty("field", True)
    box.lineEdit().setStyleSheet("border: none; background: transparent; padding: 0")
    box.lineEdit().setTextMargins(5, 0, 0, 0)


def text_size(name: str) -> int:
    """Pixels of ``small``, ``large`` or ``largest`` text beside the desktop's."""
    scale = max(1.0, QFontInfo(QApplication.font()).pixelSize() / _TEXT)
    return round(_SIZES[name] * scale)


def style_sheet(tokens: Tokens) -> str:
    """Style sheet of the tokens."""
    values = {name: getattr(tokens, name) for name in tokens.__slots__}
    check = "check-dark" if tokens.dark else "check-light"
    signs = {"up": "up", "down": "down", "check": check}
    files = {
        sign: resource("icons", f"{name}.svg").as_posix()
        for sign, name in signs.items()
    }
    sizes = {name: f"{text_size(name)}px" for name in _SIZES}
    lengths = {"gap": GAP, "radius": RADIUS, "control": CONTROL - 2}
    return _STYLE.substitute(values, **files, **sizes, **lengths, inner=CONTROL - 4)


_TEXT = 13
_SIZES = {"small": 12, "large": 15, "largest": 20}
"""Size of usual text, and what stands beside it, pixels."""
_STYLE = Template("""
QMainWindow, QDialog { background: $window; }
QMainWindow::separator { background: $window; width: ${gap}px; height: ${gap}px; }
QMainWindow::separator:hover { background: $separator; }
QWidget#sizeBar QPushButton { padding: 0 9px; }
QToolBar { background: $window; border: none; padding: 0; spacing: 0; }
QMenuBar { background: $window; padding: 2px 4px; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $hover; }
QMenu { background: $panel; border: 1px solid $separator; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 24px; border-radius: 4px; }
QMenu::item:selected { background: $selected; color: $text; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $separator; margin: 4px 8px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 6px; }
QToolTip { background: $panel; color: $text; border: 1px solid $separator;
  padding: 4px 6px; }
QFrame[panel="top"] { background: $panel; border: 1px solid $separator;
  border-bottom: none; border-top-left-radius: ${radius}px;
  border-top-right-radius: ${radius}px; }
QFrame[panel="bottom"] { background: $panel; border: 1px solid $separator;
  border-top: none; border-bottom-left-radius: ${radius}px;
  border-bottom-right-radius: ${radius}px; }
QFrame[plate="true"], QDialog QTreeView { background: $panel;
  border: 1px solid $separator; border-radius: 5px; }
QFrame[popup="true"] { background: $panel; border: 1px solid $separator;
  border-radius: ${radius}px; }
QLabel { background: transparent; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QMessageBox QLabel#qt_msgbox_label { min-width: 320px; font-weight: 600; }
QLabel[role="title"] { color: $secondary; font-weight: 600; }
QLabel[role="title"][active="true"] { color: $text; }
QLabel[role="secondary"] { color: $secondary; }
QLabel[role="caption"] { color: $secondary; font-size: $small; }
QLabel[role="error"] { color: $error; }
QLabel[role="heading"] { font-size: $large; font-weight: 600; }
QLabel[role="hero"] { font-size: $largest; font-weight: 600; }
QPushButton, QToolButton[button="true"] { background: $panel; color: $text;
  border: 1px solid $separator; border-radius: 5px; padding: 0 12px;
  min-height: ${control}px; }
QPushButton:hover, QToolButton[button="true"]:hover { background: $hover; }
QPushButton:pressed, QToolButton[button="true"]:pressed { background: $separator; }
QPushButton:focus, QToolButton:focus { border: 1px solid $accent; }
QPushButton:disabled, QToolButton:disabled { color: $disabled; }
QPushButton:default, QPushButton[primary="true"] { background: $accent;
  color: $on_accent; border-color: $accent; }
QPushButton[primary="true"]:hover, QPushButton:default:hover { background: $accent;
  border-color: $text; }
QPushButton:default:disabled, QPushButton[primary="true"]:disabled {
  background: $separator; color: $secondary; border-color: $separator; }
QPushButton:checked { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:checked:hover { border-color: $text; }
QPushButton:checked:focus, QPushButton[primary="true"]:focus,
QPushButton:default:focus { border: 2px solid $text; padding: 0 11px;
  min-height: ${inner}px; }
QWidget#sizeBar QPushButton:checked:focus { padding: 0 8px; }
QPushButton[link="true"] { background: transparent; border: 1px solid transparent;
  color: $accent; text-align: left; padding: 0 6px; }
QPushButton[link="true"]:hover { background: $hover; }
QPushButton[link="true"]:focus { border-color: $accent; }
QToolButton { border: 1px solid transparent; border-radius: 4px; padding: 2px 6px;
  background: transparent; }
QToolButton:hover { background: $hover; }
QToolButton[quiet="true"] { color: $secondary; }
QToolButton[quiet="true"]:hover { color: $text; }
QToolButton[warning="true"] { color: $error; }
QToolButton::menu-indicator { image: none; width: 0; }
QLineEdit { background: $panel; border: 1px solid $separator; border-radius: 5px;
  padding: 0 8px; min-height: ${control}px; selection-background-color: $selected;
  selection-color: $text; }
QLineEdit:hover, QAbstractSpinBox[field="true"]:hover { border-color: $disabled; }
QLineEdit:focus { border: 1px solid $accent; }
QComboBox, QAbstractSpinBox[field="true"] { background: $panel; color: $text;
  border: 1px solid $separator; border-radius: 5px; padding: 0 6px;
  min-height: ${control}px; selection-background-color: $selected;
  selection-color: $text; }
QComboBox { combobox-popup: 0; }
QComboBox:hover { background: $hover; }
QComboBox:focus, QComboBox:on,
QAbstractSpinBox[field="true"]:focus { border-color: $accent; }
QComboBox:disabled, QAbstractSpinBox[field="true"]:disabled { color: $disabled; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: url($down); width: 10px; height: 10px; }
QComboBox QAbstractItemView { background: $panel; border: 1px solid $separator;
  selection-background-color: $selected; selection-color: $text; outline: 0; }
QComboBox QAbstractItemView::item { min-height: 22px; padding: 0 4px; }
QAbstractSpinBox[field="true"] { max-height: ${control}px; }
QAbstractSpinBox[field="true"]::up-button, QAbstractSpinBox[field="true"]::down-button {
  border: none; background: transparent; width: 18px; }
QAbstractSpinBox[field="true"]::up-arrow { image: url($up); width: 9px; height: 9px; }
QAbstractSpinBox[field="true"]::down-arrow { image: url($down); width: 9px;
  height: 9px; }
QCheckBox::indicator, QRadioButton::indicator { width: 12px; height: 12px;
  border: 1px solid $disabled; border-radius: 3px; background: $panel; }
QRadioButton::indicator { border-radius: 7px; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent;
  image: url($check); }
QRadioButton::indicator:checked { background: $on_accent; width: 6px; height: 6px;
  border: 4px solid $accent; }
QCheckBox::indicator:focus, QCheckBox::indicator:hover,
QRadioButton::indicator:focus, QRadioButton::indicator:hover { border-color: $accent; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {
  background: $separator; border-color: $separator; }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QCheckBox:disabled, QRadioButton:disabled { color: $disabled; }
QPlainTextEdit, QTextBrowser { background: $panel; border: 1px solid $separator;
  border-radius: 5px; selection-background-color: $selected; selection-color: $text; }
QPlainTextEdit[stale="true"] { color: $disabled; }
QPlainTextEdit:focus, QTextBrowser:focus { border-color: $accent; }
QTreeView, QListView, QTableView { background: transparent; border: none;
  outline: 0; }
QTreeView::item { min-height: 24px; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: transparent; color: $secondary; border: none;
  padding: 2px 4px; font-size: $small; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QScrollArea:focus { border: 1px solid $accent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $neutral; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $secondary; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: $separator; border: none; border-radius: 2px;
  max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QStatusBar { background: $window; color: $secondary; }
QFrame[chip="true"] { background: $panel; border: 1px solid $separator;
  border-radius: 11px; }
QFrame[chip="true"] QLabel { color: $text; padding: 0; }
QLabel[chipSign="true"] { color: $secondary; padding: 0; }
QFrame[chip="true"] QToolButton { padding: 0 4px; border-radius: 8px; }
QToolButton[chip="true"] { background: $panel; color: $text; padding: 0 8px;
  border: 1px solid $separator; border-radius: 11px; min-height: 20px; }
QToolButton[chip="true"]:hover { background: $hover; }
QFrame#cosinePopover { background: $panel; border: 1px solid $separator; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: $secondary; padding: 0 6px; }
QSlider::groove:horizontal { height: 3px; background: $separator; border-radius: 1px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 1px; }
QSlider::handle:horizontal { background: $accent; width: 14px; height: 14px;
  margin: -6px 0; border-radius: 7px; }
QSlider::handle:horizontal:hover { width: 16px; height: 16px; margin: -7px 0;
  border-radius: 8px; }
QSlider::handle:horizontal:focus { border: 2px solid $text; width: 10px; height: 10px;
  margin: -6px 0; border-radius: 7px; }
QDockWidget { color: $secondary; }
QMainWindow > QTabBar::tab { background: transparent; color: $secondary; border: none;
  border-top: 2px solid transparent; padding: 3px 7px 4px 7px; }
QMainWindow > QTabBar::tab:selected { color: $text; border-top-color: $accent; }
QMainWindow > QTabBar::tab:hover { color: $text; }
QMainWindow > QTabBar::tab:selected:focus { border: 1px solid $accent;
  border-top-width: 2px; border-radius: 4px; padding: 3px 6px; }
""")


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """How kernels look; the colours of all else are `tokens`."""

    colormap: str
    """Name of the colour map of weights."""
    weights: NDArray[np.float64]
    """Its colours [K, 3] of 0 … 255, zero in the middle."""
    framed: bool
    """Whether kernels are framed in the colour of their class."""
