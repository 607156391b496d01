"""What the figure shows: exhibit, kernels, and what belongs to the exhibit alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from kernelviewer.figures import EXHIBITS
from kernelviewer.figures.options import MOST_PARTS
from kernelviewer.gui.dialogs.figure.fields import Choices, Form, check_box, count_box
from kernelviewer.gui.export.figure_matter import NOISE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.figures import FigureOptions
    from kernelviewer.gui.export.figure_matter import Choice

GROUPS = {
    "layer": "layer",
    "network": "network",
    "class": "class",
    "code": "stretch of the spectrum",
    "fit": "fit",
    "none": "nothing",
}
SORTS = {
    "channel": "layer and channel",
    "scale": "scale, largest first",
    "flat": "flat ones first",
    "class": "class",
    "code": "code",
    "fit": "fit, best first",
}
POINTS = {"class": "class", "layer": "layer", "network": "network", "fit": "fit"}
_USES = {
    "samples": ("samples", "spectrum", "pca", "classes", "compare", "kernel"),
    "seed": ("samples", "pca", "classes", "compare"),
    "group": ("sheet",),
    "sort": ("sheet",),
    "components": ("pca",),
    "points": ("pca",),
    "rivals": ("compare",),
    "mark": ("spectrum", "kernel"),
    "scope": tuple(kind for kind, item in EXHIBITS.items() if item.needs_file),
}
"""Option → the exhibits it matters to."""
_MARKS = {"kernel": "Decode the slider's code", "spectrum": "Mark the slider's code"}


class SubjectForm(Form):
    """Fields of what is shown; those that do not matter are hidden.

    Setters never emit.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Figure", parent)
        self.kind = Choices({k: item.title for k, item in EXHIBITS.items()}, self)
        for number, item in enumerate(EXHIBITS.values()):
            tip = Qt.ItemDataRole.ToolTipRole
            self.kind.setItemData(number, item.summary, tip)
        self.scope = Choices({}, self)
        self.title = QLineEdit(self)
        self.title.setPlaceholderText("none")
        self.left, self.right = Choices({}, self), Choices({}, self)
        self.group, self.sort = Choices(GROUPS, self), Choices(SORTS, self)
        self.points = Choices(POINTS, self)
        self.across = count_box(1, MOST_PARTS, "", self)
        self.up = count_box(1, MOST_PARTS, "", self)
        self.components = self._beside(self.across, self.up)
        self.samples = count_box(0, 1000, " in a row", self, unset="as look well")
        self.seed = count_box(0, 2**31 - 1, "", self)
        self.mark = check_box("Mark the slider's code", "figureMark", self)
        self._position = 0.5
        self._lay_out()
        self._listen()
        self._show_fields()

    def _beside(self, *fields: QWidget) -> QWidget:
        holder = QWidget(self)
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        for field in fields:
            line.addWidget(field, 1)
        return holder

    def _lay_out(self) -> None:
        for label, name, field, title in (
            ("Exhibit", "figureKind", self.kind, "Exhibit"),
            ("Shows", "figureScope", self.scope, "Which kernels the figure shows"),
            ("Title", "figureTitle", self.title, "Title above the figure"),
            ("Compare", "figureLeft", self.left, "Network to compare"),
            ("with", "figureRight", self.right, "What it is compared with"),
            ("Grouped by", "figureGroup", self.group, "How kernels are grouped"),
            ("Sorted by", "figureSort", self.sort, "Order within a group"),
            ("Components", "figureComponents", self.components, "Components"),
            ("Points by", "figurePoints", self.points, "What the points' colours tell"),
            ("Samples", "figureSamples", self.samples, "Kernels in a row"),
            ("Seed", "figureSeed", self.seed, "Seed of what is drawn at random"),
        ):
            self.add(label, name, field, title)
        self.across.setObjectName("figureAcross")
        self.across.setAccessibleName("Principal component across")
        self.up.setObjectName("figureUp")
        self.up.setAccessibleName("Principal component upwards")
        self.add_wide(self.mark)

    def _listen(self) -> None:
        self.kind.currentIndexChanged.connect(self._on_kind_chosen)
        for box in (*self._boxes(), self.scope):
            box.currentIndexChanged.connect(self.changed)
        for number in (self.samples, self.seed, self.across, self.up):
            number.valueChanged.connect(self.changed)
        self.mark.toggled.connect(self.changed)
        self.title.textChanged.connect(self.changed)

    def _boxes(self) -> tuple[Choices, ...]:
        return (self.left, self.right, self.group, self.sort, self.points)

    def with_options(self, looks: FigureOptions) -> FigureOptions:
        """The looks, with what is set here.

        Raises
        ------
        FigureError
            Both components are the same.
        """
        kind = self.kind.key
        marked = self.mark.isChecked() and kind in _USES["mark"]
        several = kind == "pca"
        return replace(
            looks,
            title=self.title.text().strip(),
            samples=(self.samples.value() or None)
            if kind in _USES["samples"]
            else None,
            seed=self.seed.value(),
            group=self.group.key if kind == "sheet" else "layer",  # type: ignore[arg-type]
            sort=self.sort.key if kind == "sheet" else "channel",  # type: ignore[arg-type]
            colour=self.points.key if several else "class",  # type: ignore[arg-type]
            components=(self.across.value(), self.up.value()) if several else (1, 2),
            mark=self._position if marked else None,
        )

    @property
    def rivals(self) -> tuple[int, int] | None:
        """Ids of the two networks that are compared; None for other exhibits."""
        if self.kind.key != "compare" or not self.left.key:
            return None
        return int(self.left.key), int(self.right.key or NOISE)

    def set_subject(self, kind: str, scope: str, options: FigureOptions) -> None:
        """Show this exhibit and its options."""
        self._silently(True)
        self.kind.set_key(kind)
        self.scope.set_key(scope)
        self.title.setText(options.title)
        self.group.set_key(options.group)
        self.sort.set_key(options.sort)
        self.points.set_key(options.colour)
        self.across.setValue(options.components[0])
        self.up.setValue(options.components[1])
        self.samples.setValue(options.samples or 0)
        self.seed.setValue(options.seed)
        self.mark.setChecked(options.mark is not None)
        self._silently(False)
        self._show_fields()

    def set_choices(
        self, choices: Sequence[Choice], networks: Sequence[tuple[int, str]]
    ) -> None:
        """Offer these kernels and these networks."""
        self.scope.set_choices({item.key: item.text for item in choices})
        names = {str(number): name for number, name in networks}
        self.left.set_choices(names)
        before = self.right.count()
        noise = {str(NOISE): "white noise"}
        self.right.set_choices({**names, **noise})
        if not before:
            self._silently(True)
            others = [number for number, _ in networks[1:2]]
            self.right.set_key(str(others[0] if others else NOISE))
            self._silently(False)

    def set_position(self, position: float) -> None:
        """The code of the slider."""
        self._position = round(position, 4)

    def _on_kind_chosen(self) -> None:
        self._show_fields()
        self.changed.emit()

    def _show_fields(self) -> None:
        kind = self.kind.key
        for option, fields in {
            "scope": (self.scope,),
            "rivals": (self.left, self.right),
            "group": (self.group,),
            "sort": (self.sort,),
            "components": (self.components,),
            "points": (self.points,),
            "samples": (self.samples,),
            "seed": (self.seed,),
            "mark": (self.mark,),
        }.items():
            for field in fields:
                self.show_row(field, kind in _USES[option])
        self.mark.setText(_MARKS.get(kind, ""))
        self.mark.setAccessibleName(self.mark.text())

    def _silently(self, silent: bool) -> None:
        for box in (
            self.kind,
            self.scope,
            self.left,
            self.right,
            self.group,
            self.sort,
        ):
            box.blockSignals(silent)
        for number in (self.samples, self.seed, self.across, self.up):
            number.blockSignals(silent)
        self.mark.blockSignals(silent)
        self.title.blockSignals(silent)
