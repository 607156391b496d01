"""Choose a pretrained network by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import (
    QCoreApplication,
    QItemSelectionModel,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QTreeView,
)

from kernelviewer.formats.hub import PREFIX, is_identity, known_models, short_name
from kernelviewer.gui.controls import Dialog, label_of, named
from kernelviewer.gui.painting.pixels import AreaRing
from kernelviewer.gui.text import spaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QWidget

HINT = (
    "Weights come from the local cache of the hub, or are downloaded to it. Any "
    f"repository of the hub opens as {PREFIX}owner/repository or by its page's address."
)
DEPTHWISE_ROLE = Qt.ItemDataRole.UserRole + 1
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class _Filter(QSortFilterProxyModel):
    """Names that hold every typed word; only depthwise ones if asked for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words: list[str] = []
        self.only_depthwise = True

    def filterAcceptsRow(self, row: int, parent: object) -> bool:
        """Qt: whether a row is shown."""
        index = self.sourceModel().index(row, 0)
        if self.only_depthwise and not index.data(DEPTHWISE_ROLE):
            return False
        name = str(index.data()).lower()
        return all(word in name for word in self.words)


class OpenModelDialog(Dialog):
    """Search as you type; Enter or a double click opens.

    Parameters
    ----------
    use
        Called with the chosen name.
    """

    def __init__(self, parent: QWidget, use: Callable[[str], None]) -> None:
        super().__init__(parent, "openModelDialog", "Open a pretrained network")
        self._use = use
        self.resize(560, 560)
        self.search = QLineEdit(self)
        named(self.search, "modelSearch", "Name of a pretrained network")
        self.search.setPlaceholderText("convnext tiny   or   hf-hub:owner/repository")
        self.search.setClearButtonEnabled(True)
        self.only_depthwise = QCheckBox("Only with depthwise convolutions", self)
        named(self.only_depthwise, "onlyDepthwise", self.only_depthwise.text())
        self.only_depthwise.setChecked(True)
        self.list = self._make_list()
        self.nothing = label_of(self, role="secondary")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setWordWrap(True)
        self.nothing.setMargin(24)
        self._names = QStackedWidget(self)
        self._names.setProperty("plate", True)
        self._names.addWidget(self.list)
        self._names.addWidget(self.nothing)
        self.count = label_of(self, role="caption")
        hint = label_of(self, HINT, role="caption", wraps=True)
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Open | kinds.Cancel, self)
        self.buttons.accepted.connect(self._on_accepted)
        self.buttons.rejected.connect(self.close)
        self.lay_out(
            *(self.search, self.only_depthwise, self._names),
            *(self.count, hint, self.buttons),
            spacing=8,
        )
        self.search.installEventFilter(self)
        self.search.textChanged.connect(self._on_search_changed)
        self.only_depthwise.toggled.connect(self._on_search_changed)
        self.list.doubleClicked.connect(self._on_accepted)
        self._on_search_changed()

    def chosen(self) -> str:
        """The chosen row's name, or a typed id of the hub; empty if neither."""
        typed = self.search.text().strip()
        if is_identity(typed):
            return typed
        index = self.list.currentIndex()
        return str(index.sibling(index.row(), 0).data()) if index.isValid() else ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: arrow keys move in the list while the name is typed."""
        if isinstance(event, QKeyEvent) and event.key() in _MOVES:
            QCoreApplication.sendEvent(self.list, event)
            return True
        return super().eventFilter(watched, event)

    def _make_list(self) -> QTreeView:
        rows = QStandardItemModel(0, 2, self)
        rows.setHorizontalHeaderLabels(["Name", ""])
        quiet = self.palette().placeholderText()
        for model in known_models():
            name = QStandardItem(model.name)
            name.setData(model.depthwise, DEPTHWISE_ROLE)
            name.setToolTip(model.repository)
            mark = QStandardItem("depthwise" if model.depthwise else "")
            mark.setForeground(quiet)
            rows.appendRow([name, mark])
        self._filter = _Filter(self)
        self._filter.setSourceModel(rows)
        view = QTreeView(self)
        AreaRing(view)
        named(view, "modelNames", "Pretrained networks")
        view.setModel(self._filter)
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setHeaderHidden(True)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.header().setStretchLastSection(False)
        view.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        return view

    def _on_search_changed(self) -> None:
        self._filter.words = self.search.text().lower().split()
        self._filter.only_depthwise = self.only_depthwise.isChecked()
        self._filter.invalidate()
        shown, total = self._filter.rowCount(), self._filter.sourceModel().rowCount()
        typed = self.search.text()
        of_all = "" if is_identity(typed) and not shown else spaced(total)
        self.count.setText(f"{spaced(shown)} of {of_all} networks" if of_all else "")
        self.list.setColumnHidden(1, self._filter.only_depthwise)
        words = "No pretrained network of timm has these words in its name"
        other = ", among those with depthwise convolutions"
        self.nothing.setText(f"{words}{other * self._filter.only_depthwise}.")
        if is_identity(typed):
            self.nothing.setText(f"Opens {short_name(typed)} from the hub.")
        self._names.setCurrentWidget(self.list if shown else self.nothing)
        self.list.scrollToTop()
        if shown:
            self.list.setCurrentIndex(self._filter.index(0, 0))
        else:
            self.list.selectionModel().clear()
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.list.selectionModel().setCurrentIndex(
            self.list.currentIndex(), flag | QItemSelectionModel.SelectionFlag.Rows
        )
        opens = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        opens.setEnabled(bool(self.chosen()))

    def _on_accepted(self) -> None:
        if name := self.chosen():
            self.close()
            self._use(name)
