"""The kinds of figures, and one function that makes any of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kernelviewer.figures.classes import prepare_classes
from kernelviewer.figures.compare import prepare_compare
from kernelviewer.figures.composition import prepare_composition
from kernelviewer.figures.content import Exhibit
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.family import prepare_family
from kernelviewer.figures.histogram import prepare_histogram
from kernelviewer.figures.names import count, printable
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.page import never
from kernelviewer.figures.pca import prepare_pca
from kernelviewer.figures.provenance import FileRecord, Record
from kernelviewer.figures.ranges import to_ranges
from kernelviewer.figures.samples import prepare_samples
from kernelviewer.figures.sheet import prepare_sheet
from kernelviewer.figures.single import prepare_kernel
from kernelviewer.figures.spectrum import prepare_spectrum
from kernelviewer.figures.table import prepare_table
from kernelviewer.figures.writing import write_figure
from kernelviewer.kernels.bank import size_key

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from kernelviewer.figures.content import Content
    from kernelviewer.figures.page import Check, Page
    from kernelviewer.figures.scene import Scene

EXHIBITS: dict[str, Exhibit] = {
    item.kind: item
    for item in (
        Exhibit(
            "family",
            "Pattern family",
            "the classes' patterns as surfaces and kernels",
            prepare_family,
            needs_file=False,
        ),
        Exhibit(
            "samples",
            "Samples",
            "random depthwise kernels beside regular ones, layer by layer",
            prepare_samples,
        ),
        Exhibit(
            "spectrum",
            "Spectrum",
            "the decoded code with its named stretches",
            prepare_spectrum,
            needs_classes=True,
            pools=True,
        ),
        Exhibit(
            "pca",
            "Principal components",
            "kernels in the plane of their first two principal components",
            prepare_pca,
            shows_classes=True,
            pools=True,
        ),
        Exhibit(
            "classes",
            "Classes",
            "random kernels of every class, with counts and shares",
            prepare_classes,
            needs_classes=True,
            pools=True,
        ),
        Exhibit(
            "composition",
            "Composition",
            "share of each class in every layer",
            prepare_composition,
            needs_classes=True,
        ),
        Exhibit(
            "histogram",
            "Codes and fits",
            "distributions of codes and fits, with white noise",
            prepare_histogram,
            needs_classes=True,
        ),
        Exhibit(
            "sheet",
            "Sheet",
            "every kernel, by layer, class or network",
            prepare_sheet,
        ),
        Exhibit(
            "kernel",
            "Kernel",
            "a kernel with its reconstruction, or what a code stands for",
            prepare_kernel,
            shows_classes=True,
            pools=True,
        ),
        Exhibit(
            "compare",
            "Comparison",
            "two networks, or one and white noise",
            prepare_compare,
            shows_classes=True,
        ),
        Exhibit(
            "table",
            "Table",
            "kernels, coverage and class shares of many networks",
            prepare_table,
            needs_classes=True,
        ),
    )
}
"""Kind → exhibit, in the order of menus."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A finished figure with all that goes with it.

    Attributes
    ----------
    exhibit, content
        Its kind and the data in it.
    page
        Its layout; ``page.figure`` is matplotlib's.
    record
        How to make it again.
    remark
        What its networks have alike, and how that is counted; mostly empty.
    """

    exhibit: Exhibit
    content: Content
    page: Page
    record: Record
    remark: str = ""

    @property
    def figure(self) -> Figure:
        """The matplotlib figure."""
        return self.page.figure

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences the user should see."""
        return self.page.notes

    @cached_property
    def caption(self) -> str:
        """Sentences for below the figure: the user's own, else those proposed."""
        return self.record.caption or self.proposal

    @cached_property
    def proposal(self) -> str:
        """What the figure shows, and which kernels if it is not all of them."""
        sentences = self.content.caption()
        if self.record.selection:
            sentences += f" Shown: {self.record.selection}."
        return f"{sentences} {self.remark}".rstrip()

    def with_caption(self, text: str) -> Drawn:
        """The figure with the user's own caption, or the proposed one if empty."""
        own = "" if text.strip() == self.proposal else text.strip()
        return replace(self, record=replace(self.record, caption=own))

    def metadata(self) -> dict[str, Any]:
        """What goes into the file beside the drawing."""
        title = self.record.options.get("title") or self.exhibit.title
        return {
            "title": printable(title),
            "description": printable(self.caption),
            "record": self.record.to_text(),
        }

    def write(self, path: Path, check: Check = never) -> Path:
        """Write the figure; see `kernelviewer.figures.writing.write_figure`."""
        return write_figure(self.figure, path, self.metadata(), check)


def exhibit(kind: str) -> Exhibit:
    """The exhibit of a kind.

    Raises
    ------
    FigureError
        There is none.
    """
    if kind not in EXHIBITS:
        kinds = ", ".join(EXHIBITS)
        raise FigureError(f"there is no figure {kind!r}", f"Choose one of {kinds}.")
    return EXHIBITS[kind]


def make_figure(
    kind: str,
    scene: Scene,
    options: FigureOptions | None = None,
    *,
    content: Content | None = None,
    check: Check = never,
) -> Drawn:
    """Make a figure.

    Parameters
    ----------
    kind
        One of `EXHIBITS`.
    scene
        What it shows.
    options
        How it looks.
    content
        What an earlier call prepared, if only the look changed since.
    check
        Called between pieces of work; what it raises cancels the drawing.

    Raises
    ------
    FigureError
        It cannot be made of this scene, or not at this size.
    """
    options = options or FigureOptions()
    item = exhibit(kind)
    if item.needs_file and not scene.subjects:
        raise FigureError("there is no network to show", "Open a checkpoint first.")
    content = content or item.prepare(scene, options, check)
    check()
    page = content.draw(options, check)
    record = make_record(kind, scene, options)
    return Drawn(item, content, page, record, _remark(item, scene))


def _remark(item: Exhibit, scene: Scene) -> str:
    """What the networks have alike, and how it is counted."""
    if not item.needs_file or len(scene.subjects) < 2:
        return ""
    told = scene.equal_sentences()
    if told and item.pools and (repeated := scene.repeated):
        kernels = count(repeated, "equal kernel")
        return f"{told} {kernels} {'is' if repeated == 1 else 'are'} counted once."
    return told


def make_record(kind: str, scene: Scene, options: FigureOptions) -> Record:
    """What the figure is made from."""
    files = tuple(
        FileRecord(
            name=subject.bank.path.name,
            sha256=subject.sha256,
            copy=subject.bank.copy,
            include=tuple(
                layer.name
                for layer in subject.bank.layers
                if layer.included and layer.kind in ("ambiguous", "fixed")
            ),
            shown=to_ranges(subject.shown),
        )
        for subject in scene.subjects
    )
    once = EXHIBITS[kind].pools and scene.pooled is not scene
    naming = {} if scene.yardstick is None else scene.yardstick.to_json()
    return Record(
        kind=kind,
        size=size_key(scene.size),
        files=files,
        naming=naming,
        options=options.to_json(),
        selection=scene.selection,
        once=once,
    )
