"""A report: every exhibit of the given networks, its data, and a page of them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer import __version__
from kernelviewer.figures.content import FigureError
from kernelviewer.figures.drawn import make_figure
from kernelviewer.figures.exhibits import EXHIBITS
from kernelviewer.figures.naming import name_scene
from kernelviewer.figures.provenance import with_hashes
from kernelviewer.figures.scene import Scene, make_scene
from kernelviewer.figures.writing import render, write_bytes
from kernelviewer.formats.registry import network_hash
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.text import shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kernelviewer.figures.drawn import Drawn
    from kernelviewer.figures.naming import FigureNaming
    from kernelviewer.figures.options import FigureOptions
    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


PAGE = "index.html"
_ONE = (
    "samples", "pca", "classes", "composition", "histogram", "offsets", "keys", "r2",
    "health", "sheet",
)  # fmt: skip
_LONGEST = 60
_DATA = {"table": (".csv", ".md", ".tex"), "sheet": (".npz",)}
"""Suffixes of an exhibit's data: all weights of a network are no text to read."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One figure of a report."""

    kind: str
    size: Size
    banks: tuple[KernelBank, ...]
    section: str
    stem: str


@dataclass(slots=True)
class Report:
    """The parts of a report."""

    folder: AnyPath
    """Where it goes."""
    options: FigureOptions
    """How its figures look."""
    naming: Callable[[Size], FigureNaming]
    """How to name the kernels of a size."""
    formats: tuple[str, ...] = (".svg",)
    """Suffixes to write each figure in; the page has its own copies."""
    device: str = "auto"
    """Where to compute."""
    count_equal: bool = False
    """As in `kernelviewer.figures.scene.Scene`."""
    _scenes: dict[tuple[Size, tuple[int, ...]], Scene] = field(default_factory=dict)

    @property
    def _root(self) -> Path:
        return Path(self.folder)

    def write(self, banks: Sequence[KernelBank], watch: Watch = NEVER) -> Path:
        """Write figures, data and the page; the page comes last.

        Parameters
        ----------
        watch
            Told figures done, their number and what comes next; what it raises cancels
            the report.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        FigureError
            There are no kernels at all, or a file cannot be written.
        """
        plans = list(plan_report(banks))
        if not plans:
            names = ", ".join(bank.name for bank in banks)
            raise FigureError(f"{names}: there are no depthwise kernels to show")
        for name in ("figures", "data"):
            self._make(self._root / name)
        sections: dict[str, Section] = {}
        for number, plan in enumerate(plans):
            watch.progress(number, len(plans), f"{plan.section}: {plan.kind}")
            section = sections.setdefault(plan.section, Section(plan.section))
            section.entries.append(self._entry(plan, watch.quiet()))
        hashes = {shown(bank.path.name): network_hash(bank.files) for bank in banks}
        page = page_of(list(sections.values()), hashes)
        write_bytes(self._root / PAGE, page.encode("utf-8", "backslashreplace"))
        watch.progress(len(plans), len(plans), PAGE)
        return self._root / PAGE

    def _entry(self, plan: Plan, watch: Watch) -> Entry:
        """Make and write one figure; one that cannot be made leaves a sentence."""
        title = EXHIBITS[plan.kind].title
        try:
            scene = self._scene(plan, watch)
            drawn = make_figure(plan.kind, scene, self._look(plan), watch=watch)
        except FigureError as error:
            return Entry(title, note=str(error))
        watch.check()
        picture = self._write_figure(drawn, plan.stem)
        files = [f"figures/{plan.stem}{suffix}" for suffix in self.formats]
        for suffix in _DATA.get(plan.kind, (".csv",)):
            drawn.write_data(self._root / "data" / f"{plan.stem}{suffix}")
            files.append(f"data/{plan.stem}{suffix}")
        caption = " ".join((drawn.caption, *drawn.notes))
        return Entry(title, picture, caption, tuple(files))

    def _write_figure(self, drawn: Drawn, stem: str) -> bytes:
        """Write the figure in every format; its SVG is for the page."""
        facts = drawn.metadata()
        picture = render(drawn.figure, ".svg", facts)
        for suffix in self.formats:
            data = picture
            if suffix != ".svg":
                data = render(drawn.figure, suffix, facts)
            write_bytes(self._root / "figures" / f"{stem}{suffix}", data)
        return picture

    def _scene(self, plan: Plan, watch: Watch) -> Scene:
        """The networks of a figure with their names; each is named only once."""
        if not plan.banks:
            return Scene((), plan.size)
        key = (plan.size, tuple(map(id, plan.banks)))
        if key not in self._scenes:
            scene = make_scene(plan.banks, plan.size)
            scene = replace(scene, count_equal=self.count_equal)
            scene = with_hashes(scene, watch)
            parts = [
                self._named(scene, number, watch) for number in range(len(plan.banks))
            ]
            yardstick = parts[0].yardstick
            subjects = tuple(part.subjects[0] for part in parts)
            self._scenes[key] = replace(scene, subjects=subjects, yardstick=yardstick)
        return self._scenes[key]

    def _named(self, scene: Scene, number: int, watch: Watch) -> Scene:
        """One network of the scene with its names, as far as anything names it."""
        alone = replace(scene, subjects=(scene.subjects[number],))
        key = (scene.size, (id(scene.subjects[number].bank),))
        if key not in self._scenes:
            try:
                naming = self.naming(scene.size)
                alone = name_scene(alone, naming, device=self.device, watch=watch)
            except FigureError:
                pass  # figures without classes can still be made; the rest say so
            self._scenes[key] = alone
        return self._scenes[key]

    def _look(self, plan: Plan) -> FigureOptions:
        """A slide's height is no page's: sheets and samples grow as they need."""
        if plan.kind in ("sheet", "table") or EXHIBITS[plan.kind].compares:
            return replace(self.options, height_mm=None)
        return self.options

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or "the disk fails"
            problem = f"{folder}: the folder cannot be made ({reason})"
            raise FigureError(problem, "Choose another folder.") from None


def plan_report(banks: Sequence[KernelBank]) -> Iterator[Plan]:
    """The figures of a report, in order: each network, then what joins them."""
    sizes: dict[Size, list[KernelBank]] = {}
    stems = _stems(banks)
    for bank, stem in zip(banks, stems, strict=True):
        by_count = sorted(bank.sizes, key=lambda size: -len(bank.sizes[size]))
        for size in by_count:
            sizes.setdefault(size, []).append(bank)
            section = f"{bank.name}, {size_label(size)}"
            for kind in _ONE:
                name = f"{stem}-{size_key(size)}-{kind}"
                yield Plan(kind, size, (bank,), section, name)
    for size, owners in sizes.items():
        section = f"All {size_label(size)} kernels"
        kinds = ["table", "spectrum"]
        if len(owners) < 3:
            kinds.append("compare")
        if len(owners) == 2:
            kinds += [kind for kind, item in EXHIBITS.items() if item.pairs]
        for kind in kinds:
            yield Plan(kind, size, tuple(owners), section, f"{kind}-{size_key(size)}")
        if len(size) < 3:
            yield Plan("family", size, (), section, f"family-{size_key(size)}")


def _stems(banks: Sequence[KernelBank]) -> list[str]:
    """A different, harmless file name for each network."""
    stems: list[str] = []
    for bank in banks:
        stem = re.sub(r"[^\w.-]+", "-", bank.name).strip("-.")[:_LONGEST] or "network"
        number = 2
        unique = stem
        while unique in stems:
            unique = f"{stem}-{number}"
            number += 1
        stems.append(unique)
    return stems


_STYLE = """
:root { color: #1f1f1c; background: #f6f6f4; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; overflow-wrap: anywhere; }
nav { columns: 18rem auto; margin: 1rem 0; }
nav a { display: block; overflow-wrap: anywhere; }
a { color: #0b6bcb; text-decoration: none; }
a:hover { text-decoration: underline; }
figure { background: #fff; border: 1px solid #e2e2de; border-radius: 6px;
  margin: 0 0 1rem; padding: 1rem; }
figure img { display: block; height: auto; max-width: 100%; }
figcaption { color: #5e5e58; font-size: .9rem; margin-top: .75rem; }
figcaption b { color: #1f1f1c; }
table { border-collapse: collapse; font-size: .85rem; }
td, th { padding: .15rem 1rem .15rem 0; text-align: left; overflow-wrap: anywhere; }
td.hash { font-family: ui-monospace, monospace; }
@media print { body { max-width: none; padding: 0; } figure { break-inside: avoid; } }
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A figure on the page.

    Attributes
    ----------
    title, caption
        What it is.
    """

    title: str
    picture: bytes = b""
    """Its SVG; empty if it could not be made."""
    caption: str = ""
    files: tuple[str, ...] = ()
    """Where it and its data lie, relative to the page."""
    note: str = ""
    """Why there is no picture."""


@dataclass(slots=True)
class Section:
    """A heading and its figures."""

    title: str
    entries: list[Entry] = field(default_factory=list)


def page_of(sections: list[Section], files: Mapping[str, str]) -> str:
    """The page as HTML; it asks for nothing outside itself.

    Parameters
    ----------
    files
        Name and hash of each network's file.
    """
    contents = "".join(
        f'<a href="#s{number}">{escape(section.title)}</a>\n'
        for number, section in enumerate(sections)
    )
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="hash">{digest}</td></tr>\n'
        for name, digest in files.items()
    )
    body = "".join(_section(section, n) for n, section in enumerate(sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Depthwise kernels</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Depthwise kernels</h1>\n<p>kernelviewer {__version__}</p>\n"
        f"<table><tr><th>File</th><th>SHA-256</th></tr>\n{rows}</table>\n"
        f"<nav>\n{contents}</nav>\n{body}</body>\n</html>\n"
    )


def _section(section: Section, number: int) -> str:
    figures = "".join(map(_figure, section.entries))
    title = escape(section.title)
    return f'<section id="s{number}">\n<h2>{title}</h2>\n{figures}</section>\n'


def _figure(entry: Entry) -> str:
    title = f"<b>{escape(entry.title)}.</b>"
    if not entry.picture:
        note = escape(entry.note)
        return f"<figure><figcaption>{title} {note}</figcaption></figure>\n"
    data = base64.b64encode(entry.picture).decode()
    links = " · ".join(
        f'<a href="{escape(name)}">{escape(name.rpartition("/")[2])}</a>'
        for name in entry.files
    )
    return (
        f'<figure><img alt="{escape(entry.title)}" '
        f'src="data:image/svg+xml;base64,{data}">\n'
        f"<figcaption>{title} {escape(entry.caption)}<br>{links}</figcaption>\n"
        "</figure>\n"
    )
