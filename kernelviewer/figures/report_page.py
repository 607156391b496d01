"""The page of a report: one HTML file that holds every picture."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from kernelviewer import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    picture
        Its SVG; empty if it could not be made.
    files
        Where it and its data lie, relative to the page.
    note
        Why there is no picture.
    """

    title: str
    picture: bytes = b""
    caption: str = ""
    files: tuple[str, ...] = ()
    note: str = ""


@dataclass(slots=True)
class Section:
    """A heading and its figures."""

    title: str
    entries: list[Entry] = field(default_factory=list)


def page_of(sections: list[Section], files: Mapping[str, str]) -> str:
    """The page as HTML; it asks for nothing outside itself.

    Parameters
    ----------
    sections
        What it shows.
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
