"""Keeps the arrangement of the panels: presets, what is remembered, where keys go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QChildEvent, QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QApplication, QTabBar, QWidget

from kernelviewer.gui.frame.dock_layout import LAYOUT_VERSION, from_text, to_text
from kernelviewer.gui.frame.layouts import BY_ID, arrange_panels
from kernelviewer.gui.frame.panel import Panel, TitleLine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtWidgets import QMainWindow

    from kernelviewer.gui.frame.dock_layout import DockLayout
    from kernelviewer.gui.frame.panel import DockPanel

DEFAULT_SIZE = QSize(1440, 900)
SMALLEST = QSize(1024, 700)
"""The window can be made this small; what it shows never makes it larger."""


class LayoutKeeper(QObject):
    """Arranges a window's docks, and leads the keyboard from panel to panel.

    Parameters
    ----------
    window
        Its docks are arranged.
    docks
        By name, as `kernelviewer.gui.frame.layouts.PRESETS` calls them.
    kept
        What a session restores; it goes before the arrangement of a first start.
    preset
        The arrangement of a first start, and what `reset` goes back to.
    """

    def __init__(
        self,
        window: QMainWindow,
        docks: Mapping[str, DockPanel],
        kept: DockLayout,
        preset: str,
    ) -> None:
        super().__init__(window)
        self._window, self._docks, self._kept = window, docks, kept
        self.preset = preset if preset in BY_ID else "explore"
        self._fresh = False
        self._active: TitleLine | None = None
        window.setMinimumSize(SMALLEST)
        window.installEventFilter(self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus_changed)

    # --- arrangement ---

    def restore(self, geometry: str, layout: str) -> None:
        """Put everything where it was; a first start waits for the window's size."""
        screen = self._window.screen().availableSize()
        self._window.resize(DEFAULT_SIZE.boundedTo(screen))
        self._window.restoreGeometry(from_text(geometry))
        self._fresh = not self._window.restoreState(from_text(layout), LAYOUT_VERSION)

    def saved(self) -> tuple[str, str]:
        """Geometry and layout as text for `restore`."""
        window = self._window
        return to_text(window.saveGeometry()), to_text(window.saveState(LAYOUT_VERSION))

    def use(self, preset: str) -> None:
        """Arrange the panels for a task."""
        self.preset, self._fresh = preset, False
        arrange_panels(self._window, self._docks, BY_ID[preset])
        self._kept.note_change()

    def reset(self) -> None:
        """Put every panel back where the preset has it."""
        self.use(self.preset)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: a first start is arranged for the size that the window is shown at."""
        if event.type() == QEvent.Type.Show and self._fresh and not self._kept.restored:
            self.reset()
        if event.type() == QEvent.Type.ChildPolished:
            assert isinstance(event, QChildEvent)
            child = event.child()
            if isinstance(child, QTabBar):
                _name_tabs(child)
        return super().eventFilter(watched, event)

    def show_panel(self, name: str) -> None:
        """Open a panel, bring it to the front and give it the keyboard."""
        dock = self._docks[name]
        dock.show()
        dock.raise_()
        self._kept.note_change()
        if (target := _first_in(dock)) is not None:
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    # --- keyboard ---

    def cycle(self, by: int) -> None:
        """Give the keyboard to the next or previous panel that can be seen."""
        panels = [panel for panel in self._panels() if panel.isVisible()]
        if not panels:
            return
        now = QApplication.focusWidget()
        place = next(
            (i for i, panel in enumerate(panels) if now and panel.isAncestorOf(now)),
            -1 if by > 0 else 0,
        )
        for step in range(1, len(panels) + 1):
            target = _first_in(panels[(place + by * step) % len(panels)])
            if target is not None:
                target.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def _panels(self) -> list[Panel | DockPanel]:
        """All panels in the order in which one reads the window."""
        panels: list[Panel | DockPanel] = [
            *self._window.findChildren(Panel),
            *self._docks.values(),
        ]

        def place(panel: QWidget) -> tuple[int, int]:
            corner = panel.mapTo(self._window, panel.rect().topLeft())
            return corner.x() // 40, corner.y()

        return sorted(panels, key=place)

    def _on_focus_changed(self, old: QWidget | None, now: QWidget | None) -> None:
        """Mark the title of the panel that has the keyboard."""
        if now is None or not self._window.isAncestorOf(now):
            return
        title = next(
            (p.title_line for p in self._panels() if p.isAncestorOf(now)),
            None,
        )
        for line, active in ((self._active, False), (title, True)):
            if line is not None:
                line.set_active(active)
        self._active = title


def _name_tabs(bar: QTabBar) -> None:
    bar.setObjectName("panelTabs")
    bar.setAccessibleName("Panels that lie behind each other")
    bar.setDrawBase(False)
    bar.setElideMode(Qt.TextElideMode.ElideRight)
    bar.setSelectionBehaviorOnRemove(QTabBar.SelectionBehavior.SelectPreviousTab)


def _first_in(panel: QWidget) -> QWidget | None:
    """The widget that takes the keyboard in a panel: its view, not its buttons."""
    able = [
        widget
        for widget in panel.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.focusProxy() is None
    ]
    outside = [w for w in able if not isinstance(w.parent(), TitleLine)]
    return next(iter(outside or able), None)
