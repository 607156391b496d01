"""Which two networks are compared, and which layer stands against which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QStyledItemDelegate,
    QTreeWidget,
    QTreeWidgetItem,
)

from kernelviewer.gui.controls import (
    Dialog,
    dialog_button,
    label_of,
    line_of,
    make_default,
    named,
)
from kernelviewer.gui.text import as_tip
from kernelviewer.gui.views.comparing.bar import MATCHES
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.pairing import find_layers, kernel_sizes, layers_by_name
from kernelviewer.state.comparing import Comparing
from kernelviewer.state.layer_tree import tree_names

if TYPE_CHECKING:
    from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex
    from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

    from kernelviewer.gui.window_context import WindowContext
    from kernelviewer.kernels.bank import KernelBank
    from kernelviewer.kernels.pairing import Match

NOBODY = "–"
ALONE = -1
"""In place of the index of a layer: none."""
LAYER = Qt.ItemDataRole.UserRole
_BEFORE, _AFTER, _KERNELS = 0, 1, 2


class _Partners(QStyledItemDelegate):
    """Offers the layers that can stand against the one of a row."""

    def __init__(self, dialog: ComparingDialog) -> None:
        super().__init__(dialog)
        self._dialog = dialog

    def createEditor(
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        """Qt: a list of layers."""
        box = QComboBox(parent)
        named(box, "partnerLayers", "The layer that stands against it")
        for text, layer in self._dialog.partners(index.row()):
            box.addItem(text, layer)
        box.activated.connect(lambda _: self.commitData.emit(box))
        box.activated.connect(lambda _: self.closeEditor.emit(box))
        return box

    def setEditorData(
        self, editor: QWidget, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Qt: the choice made, with the others at hand."""
        assert isinstance(editor, QComboBox)
        editor.setCurrentIndex(editor.findData(index.data(LAYER)))

    def setModelData(
        self,
        editor: QWidget,
        model: QAbstractItemModel,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Qt: take the choice."""
        assert isinstance(editor, QComboBox)
        self._dialog.set_partner(index.row(), editor.currentData())


class ComparingDialog(Dialog):
    """Two networks, how their kernels are paired, and their layers side by side."""

    def __init__(self, window: WindowContext) -> None:
        super().__init__(window, "comparingDialog", "Compare two networks")
        self._window = window
        self.before = self._choice("compareBefore", "Network before")
        self.after = self._choice("compareAfter", "Network after")
        self.match = QComboBox(self)
        named(self.match, "compareMatchBox", "Which kernels correspond")
        for key, text in MATCHES.items():
            self.match.addItem(text, key)
        self.layers = QTreeWidget(self)
        self.layers.setObjectName("pairedLayers")
        self.layers.setAccessibleName(
            "Layers before, and those that stand against them"
        )
        self.layers.setHeaderLabels(["Layer before", "Layer after", "Kernels"])
        self.layers.setRootIsDecorated(False)
        self.layers.setUniformRowHeights(True)
        self.layers.setItemDelegateForColumn(_AFTER, _Partners(self))
        triggers = QAbstractItemView.EditTrigger
        self.layers.setEditTriggers(
            triggers.EditKeyPressed | triggers.DoubleClicked | triggers.SelectedClicked
        )
        self.layers.itemClicked.connect(self._on_clicked)
        header = self.layers.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        kernels = QHeaderView.ResizeMode.ResizeToContents
        header.setSectionResizeMode(_KERNELS, kernels)
        self.note = label_of(self, name="pairedNote", role="secondary", wraps=True)
        self._lay_out()
        self._begin()
        for box in (self.before, self.after, self.match):
            box.currentIndexChanged.connect(self.find_pairs)
        window.models_changed.connect(self.close)

    def _choice(self, name: str, title: str) -> QComboBox:
        box = named(QComboBox(self), name, title)
        for model in self._window.document.models:
            box.addItem(f"{model.name}  ({model.bank.path.name})", model.id)
        return box

    def _lay_out(self) -> None:
        self.resize(720, 560)
        form = QGridLayout()
        form.setColumnStretch(1, 1)
        rows = (("Before", self.before), ("After", self.after), ("Kernels", self.match))
        for row, (text, box) in enumerate(rows):
            label = QLabel(text, self)
            label.setBuddy(box)
            form.addWidget(label, row, 0)
            form.addWidget(box, row, 1)
        again = dialog_button(self, "As Found", "pairingAsFound", self.find_pairs)
        again.setToolTip("Pair the layers as the program finds them")
        cancel = dialog_button(self, "Cancel", "compareCancel", self.reject)
        self.start = dialog_button(self, "Compare", "compareStart", self._on_start)
        make_default(self.start)
        buttons = line_of(again, cancel, self.start)
        self.lay_out(form, (self.layers, 1), self.note, buttons, spacing=10)

    def _begin(self) -> None:
        """Show what is compared now, else the first two networks."""
        how = self._window.document.comparing
        if how is None:
            self.after.setCurrentIndex(1)
            self.find_pairs()
            return
        self.before.setCurrentIndex(self.before.findData(how.a))
        self.after.setCurrentIndex(self.after.findData(how.b))
        self.match.setCurrentIndex(self.match.findData(how.match))
        self.find_pairs()
        if how.layers is not None:
            self._show(layers_by_name(*self._banks(), how.layers))

    # --- what it says ---

    @property
    def found(self) -> dict[int, int]:
        """Layers that correspond as the program finds them."""
        pairs = find_layers(*self._banks(), match=self._match())
        return {item.a: item.b for item in pairs}

    def partners(self, row: int) -> list[tuple[str, int]]:
        """Names and indices of the layers that can stand against the one of a row."""
        mine, theirs = map(kernel_sizes, self._banks())
        size = mine[self._layer(row, _BEFORE)][0]
        names = tree_names(self._banks()[1])
        there = [(names[i], i) for i, (own, _) in theirs.items() if own == size]
        return [(NOBODY, ALONE), *there]

    def set_partner(self, row: int, layer: int) -> None:
        """Let a layer stand against the one of a row, and against no other."""
        for number in range(self.layers.topLevelItemCount()):
            if number != row and self._layer(number, _AFTER) == layer:
                self._put(self._item(number), _AFTER, ALONE)
        self._put(self._item(row), _AFTER, layer)
        self._tell()

    def find_pairs(self, *_: object) -> None:
        """Pair the layers as the program finds them."""
        same = self.before.currentData() == self.after.currentData()
        self.start.setEnabled(not same)
        if same:
            self.layers.clear()
            self.note.setText("Choose two networks.")
        else:
            self._show(self.found)

    def _show(self, pairs: dict[int, int]) -> None:
        self.layers.clear()
        for index, (size, count) in kernel_sizes(self._banks()[0]).items():
            item = QTreeWidgetItem(["", "", f"{count} of {size_label(size)}"])
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            self._put(item, _BEFORE, index)
            self._put(item, _AFTER, pairs.get(index, ALONE))
            self.layers.addTopLevelItem(item)
        self._tell()

    def _put(self, item: QTreeWidgetItem, column: int, layer: int) -> None:
        """Let a cell say a layer, without what all names end with."""
        bank = self._banks()[column]
        item.setData(column, LAYER, layer)
        item.setText(column, NOBODY if layer == ALONE else tree_names(bank)[layer])
        tip = "" if layer == ALONE else bank.layers[layer].name
        if column == _AFTER:
            tip += "\nClick to let another layer stand against it"
        item.setToolTip(column, as_tip(tip.strip()))

    def _tell(self) -> None:
        """Say which layers have no partner."""
        pairs = self._pairs()
        bank = self._banks()[1]
        names, taken = tree_names(bank), {after for _, after in pairs}
        left = [names[i] for i in kernel_sizes(bank) if i not in taken]
        alone = self.layers.topLevelItemCount() - len(pairs)
        text = f"{len(pairs)} layers correspond"
        if alone or left:
            text += f"; without a partner {alone} before, {len(left)} after"
        if left:
            text += f": {', '.join(left[:6])}{', …' if len(left) > 6 else ''}"
        self.note.setText(f"{text}.")

    def _pairs(self) -> list[tuple[int, int]]:
        """Indices of the layers that stand against each other."""
        rows = range(self.layers.topLevelItemCount())
        pairs = ((self._layer(n, _BEFORE), self._layer(n, _AFTER)) for n in rows)
        return [pair for pair in pairs if pair[1] != ALONE]

    def _layer(self, row: int, column: int) -> int:
        layer: int = self._item(row).data(column, LAYER)
        return layer

    def _item(self, row: int) -> QTreeWidgetItem:
        item = self.layers.topLevelItem(row)
        assert item is not None
        return item

    def _banks(self) -> tuple[KernelBank, KernelBank]:
        model = self._window.document.model
        before, after = self.before.currentData(), self.after.currentData()
        return model(before).bank, model(after).bank

    def _match(self) -> Match:
        match: Match = self.match.currentData()
        return match

    # --- what happens ---

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        if column == _AFTER:
            self.layers.editItem(item, column)

    def _on_start(self) -> None:
        first, second = self._banks()
        pairs = self._pairs()
        by_hand = tuple((first.layers[a].name, second.layers[b].name) for a, b in pairs)
        layers = None if dict(pairs) == self.found else by_hand
        before, after = self.before.currentData(), self.after.currentData()
        self._window.compare(Comparing(before, after, self._match(), layers))
        self.accept()
