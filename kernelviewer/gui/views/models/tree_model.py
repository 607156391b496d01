"""The rows of the tree: networks, parts of them, layers, and their counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from weakref import ref as weak

from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt, Signal

from kernelviewer.gui.text import (
    as_tip,
    identified_lines,
    identified_text,
    percent,
    spaced,
)
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.equality import best_match
from kernelviewer.state.layer_tree import layer_tree, summarize
from kernelviewer.state.model import LayerRef
from kernelviewer.state.tally import add_up
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from PySide6.QtCore import QObject, QPersistentModelIndex

    from kernelviewer.kernels.equality import Match
    from kernelviewer.kernels.health import LayerHealth
    from kernelviewer.state.arrangement import Measure
    from kernelviewer.state.layer_tree import Node, Summary
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.tally import LayerCounts, SummedCounts

    Index = QModelIndex | QPersistentModelIndex

HEALTH_COLUMNS: Mapping[Measure, tuple[str, str]] = {
    "flat": ("Flat", "Share of dead or constant kernels, which have no pattern"),
    "sparsity": (
        "Sparse",
        "Sparsity: share of kernels of which no weight reaches a hundredth of the "
        "layer's largest",
    ),
    "entropy": (
        "Entropy / noise",
        "Variance entropy: how many patterns the kernels are mixed of (log₁₀), beside "
        "that of white noise of as many kernels and taps",
    ),
    "orthogonality": (
        "Orthog.",
        "Orthogonality: 1 − the mean |cosine| of two kernels of the layer",
    ),
    "support": ("Support", "Effective support: the taps that ever saw data"),
    "scale": ("Scale", "Mean scale ‖w − mean(w)‖ of the kernels that are not flat"),
}
"""Measure of a layer's health → its column's title, and what it is."""
COLUMNS = (
    *("Layer", "Size", "Count", "Flat", "Ident.", "Classes"),
    *(title for title, _ in HEALTH_COLUMNS.values()),
)
SIZE_COLUMN, KERNELS_COLUMN, FLAT_COLUMN, NAMED_COLUMN, CLASSES_COLUMN = range(1, 6)
HEADER_TIPS = {
    KERNELS_COLUMN: "Kernels",
    FLAT_COLUMN: "Share of dead or constant kernels, which have no pattern",
    NAMED_COLUMN: "Share of the kernels with a pattern that are identified",
    CLASSES_COLUMN: "Kernels per class; grey: unidentified, hatched: flat",
    **{
        column: tip
        for column, (_, tip) in enumerate(HEALTH_COLUMNS.values(), CLASSES_COLUMN + 1)
    },
}
EQUAL, PARTLY_EQUAL = "= ", "(=) "
"""Before the names of what an earlier network has too, and has in part.

Below a network that is equal as a whole, layers go without."""
Role = Qt.ItemDataRole
SEARCH_ROLE = Role.UserRole + 1
"""What a search looks through: the full name and the sizes."""


class TreeItem:
    """A row of the tree, with what it shows computed once.

    Attributes
    ----------
    refs
        The included layers at or below this row.
    elide
        Where its name is cut if it has no room.
    """

    def __init__(
        self, model: OpenModel, node: Node | None, parent: TreeItem | None, row: int
    ) -> None:
        self.model, self.node, self.row = model, node, row
        self._parent = None if parent is None else weak(parent)
        self.depth: int = 0 if parent is None else parent.depth + 1
        bank = model.bank
        roots = layer_tree(bank) if node is None else node.children
        self.children = [
            TreeItem(model, child, self, number) for number, child in enumerate(roots)
        ]
        indices = range(len(bank.layers)) if node is None else node.layers()
        self.elide = Qt.TextElideMode.ElideMiddle
        for child, cut in zip(self.children, _cuts(roots), strict=True):
            child.elide = cut
        self.indices = list(indices)
        self.summary: Summary = summarize(bank, self.indices)
        self.layer = (
            bank.layers[node.layer] if node and node.layer is not None else None
        )
        self.refs = frozenset(
            LayerRef(model.id, index)
            for index in self.indices
            if bank.layers[index].included
        )

    def step_to(self, model: OpenModel) -> Iterator[TreeItem]:
        """Tell of another step of the same run; the rows that show something else."""
        before, self.model = self.summary, model
        self.summary = summarize(model.bank, self.indices)
        if self.node is not None and self.node.layer is not None:
            self.layer = model.bank.layers[self.node.layer]
        if self.node is None or self.summary != before:
            yield self
        for child in self.children:
            yield from child.step_to(model)

    @property
    def parent(self) -> TreeItem | None:
        """The row above; held weakly, so that a closed network is let go at once."""
        return None if self._parent is None else self._parent()

    def leaves(self) -> Iterator[tuple[LayerRef, TreeItem]]:
        """The layers at or below this row, with their rows."""
        if self.node is not None and self.node.layer is not None:
            yield LayerRef(self.model.id, self.node.layer), self
        for child in self.children:
            yield from child.leaves()

    @property
    def excluded(self) -> bool:
        """Whether this is a layer whose kernels are left out."""
        return self.layer is not None and not self.layer.included

    def text(self, column: int) -> str:
        """What the row shows in a column."""
        if column > CLASSES_COLUMN:
            return ""
        if column == 0:
            return self.node.text if self.node else self.model.name
        if self.excluded and self.layer and column == 2:
            return self.layer.kind
        if column == 1:
            return self._size()
        if not self.summary.kernels:
            return "" if self.node else ("0" if column == 2 else "")
        if column in (NAMED_COLUMN, CLASSES_COLUMN):
            return ""
        if column == 2:
            return spaced(self.summary.kernels)
        share = self.summary.flat / self.summary.kernels
        return percent(share, 0) if self.summary.flat else "–"

    def _size(self) -> str:
        """Size of the layer's kernels, and of the taps of them that saw data."""
        if self.layer is None:
            return ""
        return "→".join(
            filter(None, [size_label(self.layer.size), self.layer.support_label])
        )

    def search_text(self) -> str:
        """Full name and size."""
        if self.layer is None:
            return self.text(0)
        return f"{self.layer.name} {size_label(self.layer.size)}"

    def tip(self) -> str:
        """Longer text for the tooltip."""
        bank = self.model.bank
        if self.node is None:
            lines = [shown(bank.path), f"{bank.format}, {bank.size_bytes / 1e6:.1f} MB"]
            if self.model.name != bank.name:
                lines.insert(0, f"{self.model.name}: {bank.name}")
            if bank.architecture:
                lines.append(bank.architecture)
            if bank.copies:
                lines.append(f"copy {bank.copy} of {', '.join(bank.copies)}")
            lines.append(
                f"{self.summary.kernels} depthwise kernels, "
                f"{len(bank.convolutions)} other convolutions"
            )
            return "\n".join([*lines, *bank.warnings])
        if self.layer is None:
            return f"{self.text(0)}: {self.summary.kernels} kernels"
        lines = [
            self.layer.name,
            f"{self.layer.kernels} kernels of {size_label(self.layer.size)}, "
            f"{self.layer.kind}, {self.layer.dtype}, {self.layer.flat} flat",
        ]
        if self.layer.multiplier > 1:
            lines.append(f"{self.layer.multiplier} kernels per input channel")
        if support := self.layer.support_label:
            lines.append(
                f"effective support {support}: the taps around it never saw data, "
                "kernels are named on it"
            )
        for name in ("stride", "dilation", "padding"):
            if value := getattr(self.layer, name):
                text = value if isinstance(value, str) else size_label(tuple(value))
                lines.append(f"{name} {text}")
        return "\n".join([*lines, *filter(None, [self.layer.reason])])


def _cuts(nodes: list[Node]) -> list[Qt.TextElideMode]:
    """Where the names of rows beside each other say least."""
    parts = [node.text.split(".") for node in nodes]
    firsts = Counter(part[0] for part in parts)
    lasts = Counter(part[-1] for part in parts)
    modes = Qt.TextElideMode
    return [
        modes.ElideRight
        if lasts[part[-1]] > 1
        else modes.ElideLeft
        if firsts[part[0]] > 1
        else modes.ElideMiddle
        for part in parts
    ]


def is_step_of(one: OpenModel, other: OpenModel) -> bool:
    """Whether two are steps of one run, with the same layers."""
    if one.id != other.id or one.run is None or one.run is not other.run:
        return False
    layers = zip(one.bank.layers, other.bank.layers, strict=False)
    return len(one.bank.layers) == len(other.bank.layers) and all(
        (a.name, a.included) == (b.name, b.included) for a, b in layers
    )


def measured(health: LayerHealth, measure: Measure) -> str:
    """A measure of a layer's health as the tree says it; a dash: it has no meaning."""
    if measure == "support":
        return size_label(health.support)
    value = getattr(health, measure)
    if value != value:
        return "–"
    if measure in ("flat", "sparsity"):
        return percent(value, 0) if value else "–"
    if measure == "entropy":
        return f"{value:.2f} / {health.noise_entropy:.2f}"
    return f"{value:.2f}" if measure == "orthogonality" else f"{value:.3g}"


class ModelTreeModel(QAbstractItemModel):
    """Rows of the model tree; rebuilt when networks open or close.

    Attributes
    ----------
    health
        What is known of the health of layers.
    """

    rename_requested = Signal(int, str)
    """Model id, and what it is to be called; empty: as its file."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.roots: list[TreeItem] = []
        self._counts: dict[LayerRef, LayerCounts] = {}
        self._sums: dict[TreeItem, SummedCounts | None] = {}
        self._marked: Mapping[LayerRef, int] = {}
        self._selected: Mapping[LayerRef, int] = {}
        self._rows: dict[LayerRef, TreeItem] = {}
        self._equal: dict[int, tuple[str, Match]] = {}
        self.health: Mapping[LayerRef, LayerHealth] = {}

    def set_health(self, health: Mapping[LayerRef, LayerHealth]) -> None:
        """Know the health of layers; views repaint."""
        self.health = health

    def health_of(self, item: TreeItem) -> LayerHealth | None:
        """The health of the layer of a row; None of other rows, and while unknown."""
        if item.layer is None or item.node is None or item.node.layer is None:
            return None
        return self.health.get(LayerRef(item.model.id, item.node.layer))

    def health_text(self, item: TreeItem, column: int) -> str:
        """What a column of health says of a row."""
        found = self.health_of(item)
        measure = [*HEALTH_COLUMNS][column - CLASSES_COLUMN - 1]
        return "" if found is None else measured(found, measure)

    def set_class_counts(self, counts: dict[LayerRef, LayerCounts]) -> None:
        """Show how many kernels of each class the layers have; views repaint."""
        self._counts = counts
        self._sums = {}

    def set_marked(self, marked: Mapping[LayerRef, int]) -> list[TreeItem]:
        """Mark the layers that hold kernels nearest to the slider.

        Returns
        -------
        list
            Rows that were marked and are not any more, or the other way round.
        """
        before = set(self._above(self._marked))
        self._marked = marked
        return list(before.symmetric_difference(self._above(marked)))

    def set_selected(self, selected: Mapping[LayerRef, int]) -> bool:
        """Know how many kernels of the layers are selected; whether that is new."""
        before, self._selected = self._selected, selected
        return before != selected

    def selected_of(self, item: TreeItem) -> int:
        """How many kernels at or below a row are selected."""
        if not self._selected:
            return 0
        return sum(self._selected.get(ref, 0) for ref in item.refs)

    def _above(self, layers: Iterable[LayerRef]) -> Iterator[TreeItem]:
        """The rows of layers, and all rows that they stand under."""
        for ref in layers:
            item = self._rows.get(ref)
            while item is not None:
                yield item
                item = item.parent

    def counts_of(self, item: TreeItem) -> SummedCounts | None:
        """Kernels per class at or below a row; None where there are no labels."""
        if item not in self._sums:
            known = [self._counts[ref] for ref in item.refs if ref in self._counts]
            self._sums[item] = add_up(known) if known else None
        return self._sums[item]

    def marked_of(self, item: TreeItem) -> int:
        """How many of the kernels nearest to the slider are at or below a row."""
        if not self._marked:
            return 0
        return sum(number for ref, number in self._marked.items() if ref in item.refs)

    def _tip(self, item: TreeItem) -> str:
        """What a row says of itself, its classes, and the kernels near the slider."""
        lines = [item.tip(), *self._equal_lines(item)]
        if (row := self.counts_of(item)) is not None:
            lines += identified_lines(row)
        if (health := self.health_of(item)) is not None:
            told = [
                f"{title} {measured(health, measure)}"
                for measure, (title, _) in HEALTH_COLUMNS.items()
            ]
            lines.append(", ".join(told).lower())
            lines.append(f"decile {health.decile} of the network's depth")
        if selected := self.selected_of(item):
            lines.append(f"{spaced(selected)} selected")
        if marked := self.marked_of(item):
            kernels = "kernel" if marked == 1 else "kernels"
            lines.append(f"{marked} {kernels} among those nearest to the slider")
        return "\n".join(lines)

    def _equal_lines(self, item: TreeItem) -> Iterator[str]:
        """What of a row stands in an earlier network too."""
        if item.model.id not in self._equal:
            return
        name, match = self._equal[item.model.id]
        if item.node is None:
            text = match.describe(name)
            yield f"{text[0].upper()}{text[1:]}, bit for bit."
        elif item.node.layer is not None and item.node.layer in match.layers:
            yield f"Equal to a layer of “{name}”, bit for bit."

    def text(self, item: TreeItem, column: int) -> str:
        """What a row shows in a column."""
        if column == NAMED_COLUMN:
            counts = self.counts_of(item)
            return "" if counts is None else identified_text(counts)
        if column > CLASSES_COLUMN:
            return self.health_text(item, column)
        return f"{'' if column else self._mark(item)}{item.text(column)}"

    def is_as_noise(self, item: TreeItem) -> bool:
        """Whether no more of a row's kernels are identified than of white noise."""
        row = self.counts_of(item)
        return row is not None and row.is_as_noise

    def _mark(self, item: TreeItem) -> str:
        """Stands before the name of what an earlier network has as well."""
        if item.model.id not in self._equal:
            return ""
        match = self._equal[item.model.id][1]
        whole = len(match.layers) == match.layer_count
        if item.node is None:
            return EQUAL if whole else PARTLY_EQUAL
        layer = item.node.layer
        return EQUAL if not whole and layer in match.layers else ""

    def step_to(self, models: tuple[OpenModel, ...]) -> list[TreeItem] | None:
        """Show runs at other steps; the layers and modules that say something else.

        The rows stay: a reset would lay out and draw all of them anew. None: more is
        another than the step.
        """
        pairs = [*zip(self.roots, models, strict=False)]
        news = [(root, model) for root, model in pairs if root.model is not model]
        alike = all(is_step_of(model, root.model) for root, model in news)
        if len(models) != len(self.roots) or self._equal or not alike:
            return None
        changed = [item for root, model in news for item in root.step_to(model)]
        for item in changed:
            for column in (0, KERNELS_COLUMN, FLAT_COLUMN):
                cell = self.index_of(item, column)
                self.dataChanged.emit(cell, cell)  # of several all would be painted
        return [item for item in changed if item.node is not None]

    def set_models(self, models: tuple[OpenModel, ...]) -> None:
        """Show these networks; those already shown are not walked again."""
        known = {(item.model.id, item.model.bank): item for item in self.roots}
        self.beginResetModel()
        self.roots = []
        for row, model in enumerate(models):
            item = known.get((model.id, model.bank)) or TreeItem(model, None, None, row)
            item.model, item.row = model, row
            self.roots.append(item)
        self._rows = {ref: item for root in self.roots for ref, item in root.leaves()}
        self._equal = {}
        for row, model in enumerate(models):
            earlier = {other.bank: other.name for other in models[:row]}
            if found := best_match(model.bank, earlier):
                self._equal[model.id] = earlier[found[0]], found[1]
        self.endResetModel()

    def item(self, index: Index) -> TreeItem | None:
        """The row behind an index."""
        pointer: TreeItem | None = index.internalPointer() if index.isValid() else None
        return pointer

    def index_of(self, item: TreeItem, column: int = 0) -> QModelIndex:
        """The index of a row."""
        return self.createIndex(item.row, column, item)

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        """Qt: index of a child."""
        above = self.item(parent) if parent is not None else None
        rows = above.children if above else self.roots
        if 0 <= row < len(rows) and 0 <= column < len(COLUMNS):
            return self.createIndex(row, column, rows[row])
        return QModelIndex()

    def parent(self, index: Index | None = None) -> Any:
        """Qt: index of the row above."""
        if index is None:
            return super().parent()
        item = self.item(index)
        if item is None or item.parent is None:
            return QModelIndex()
        return self.createIndex(item.parent.row, 0, item.parent)

    def rowCount(self, parent: Index | None = None) -> int:
        """Qt: number of children."""
        if parent is not None and parent.column() > 0:
            return 0
        item = self.item(parent) if parent is not None else None
        return len(item.children if item else self.roots)

    def columnCount(self, parent: Index | None = None) -> int:
        """Qt: number of columns."""
        return len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        """Qt: column titles."""
        if role == Role.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section]
        if role == Role.TextAlignmentRole and section:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Role.ToolTipRole:
            return HEADER_TIPS.get(section)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt: the names of networks can be changed."""
        item, flags = self.item(index), super().flags(index)
        named = item is not None and item.node is None and not index.column()
        return flags | Qt.ItemFlag.ItemIsEditable if named else flags

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
        """Qt: ask for another name of a network; the row changes when it has one."""
        item = self.item(index)
        if role != Role.EditRole or item is None or item.node is not None:
            return False
        if value != item.model.name:
            self.rename_requested.emit(item.model.id, value)
        return False

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        """Qt: what a cell shows."""
        item = self.item(index)
        if item is None:
            return None
        if role == Role.DisplayRole:
            return self.text(item, index.column())
        if role == Role.EditRole and item.node is None and not index.column():
            return item.model.name
        if role == Role.ToolTipRole:
            return as_tip(self._tip(item))
        if role == Role.AccessibleDescriptionRole:
            return self._tip(item)
        return item.search_text() if role == SEARCH_ROLE else None
