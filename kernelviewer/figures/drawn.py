"""A figure of any kind, made: the drawing, its data, caption and record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kernelviewer.figures.content import FigureError
from kernelviewer.figures.counts import count, printable
from kernelviewer.figures.exhibits import exhibit
from kernelviewer.figures.export import write_data
from kernelviewer.figures.fonts import figure_style
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.provenance import FileRecord, Record, to_ranges
from kernelviewer.figures.writing import write_figure
from kernelviewer.kernels.bank import size_key
from kernelviewer.kernels.classes import showing_classes
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    from kernelviewer.figures.content import Content, Exhibit, Table
    from kernelviewer.figures.page import Page
    from kernelviewer.figures.scene import Scene
    from kernelviewer.kernels.classes import OwnName
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


WITHOUT_MEAN = "Kernels are drawn without their mean, which no class depends on."


@dataclass(frozen=True, eq=False)
class Drawn:
    """A finished figure with all that goes with it."""

    exhibit: Exhibit
    content: Content
    """Its kind and the data in it."""
    page: Page
    """Its layout; ``page.figure`` is matplotlib's."""
    record: Record
    """How to make it again."""
    remark: str = ""
    """What its networks have alike and how that is counted, and what is called
    otherwise than files and program do; mostly empty."""
    own: Mapping[str, OwnName] = field(default_factory=dict)
    """The user's names and colours of classes in it."""

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
        with showing_classes(self.own):
            sentences = self.content.caption()
        if self.record.selection:
            sentences += f" Shown: {self.record.selection}."
        if self.exhibit.has("mean") and self.page.options.mean == "without":
            sentences += f" {WITHOUT_MEAN}"
        return " ".join([sentences, *self.page.left_out, self.remark]).rstrip()

    def with_caption(self, text: str) -> Drawn:
        """The figure with the user's own caption, or the proposed one if empty."""
        own = "" if text.strip() == self.proposal else text.strip()
        return replace(self, record=replace(self.record, caption=own))

    def table(self) -> Table:
        """The drawn data, as rows."""
        with showing_classes(self.own):
            return self.content.table()

    def write_data(self, path: AnyPath, watch: Watch = NEVER) -> Path:
        """Write the drawn data; see `kernelviewer.figures.export.write_data`."""
        with showing_classes(self.own):
            return write_data(self.content, path, watch)

    def metadata(self) -> dict[str, Any]:
        """The metadata of the file."""
        title = self.record.options.get("title") or self.exhibit.title
        return {
            "title": printable(title),
            "description": printable(self.caption),
            "record": self.record.to_text(),
        }

    def write(self, path: AnyPath, watch: Watch = NEVER) -> Path:
        """Write the figure; see `kernelviewer.figures.writing.write_figure`."""
        return write_figure(self.figure, path, self.metadata(), watch)


def make_figure(
    kind: str,
    scene: Scene,
    options: FigureOptions | None = None,
    *,
    content: Content | None = None,
    watch: Watch = NEVER,
) -> Drawn:
    """Make a figure.

    Parameters
    ----------
    kind
        One of `kernelviewer.figures.EXHIBITS`.
    content
        What an earlier call prepared, if only the look changed since.

    Raises
    ------
    FigureError
        It cannot be made of this scene, or not at this size.
    """
    options = options or FigureOptions()
    item = exhibit(kind)
    if (
        item.needs_file
        and not scene.subjects
        and not (item.of_counts and scene.counted)
    ):
        raise FigureError("there is no network to show", "Open a checkpoint first.")
    own = scene.yardstick.own if scene.yardstick else {}
    with showing_classes(own):
        content = content or item.prepare(scene, options, watch)
        watch.check()
        with figure_style():
            page = content.draw(_with_mean_settled(item, scene, options), watch)
    record = make_record(kind, scene, options)
    return Drawn(item, content, page, record, _remark(item, scene), own)


def _with_mean_settled(
    item: Exhibit, scene: Scene, options: FigureOptions
) -> FigureOptions:
    """The options with ``mean`` as this exhibit of this scene draws it."""
    if not item.has("mean"):
        return replace(options, mean="with")
    if options.mean != "auto":
        return options
    seen = scene.yardstick is not None and item.with_classes(options)
    return replace(options, mean="without" if seen else "with")


def _remark(item: Exhibit, scene: Scene) -> str:
    """Sentences on what the networks have alike, and on names given by hand."""
    if not item.needs_file:
        return ""
    names = scene.name_sentences(drawn=not item.is_run)
    return f"{names} {_equal(item, scene)}".strip()


def _equal(item: Exhibit, scene: Scene) -> str:
    """What the networks have alike, and how it is counted."""
    if len(scene.subjects) < 2:
        return ""
    told = scene.equal_sentences()
    if told and item.pools and (repeated := scene.repeated):
        kernels = count(repeated, "equal kernel")
        return f"{told} {kernels} {'is' if repeated == 1 else 'are'} counted once."
    return told


def make_record(kind: str, scene: Scene, options: FigureOptions) -> Record:
    """The record of the figure's origin."""
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
            called=subject.called,
        )
        for subject in scene.subjects
    )
    once = exhibit(kind).pools and scene.pooled is not scene
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
