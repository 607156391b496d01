"""Tasks on a corpus: open it, count what a line of text finds, read kernels of it.

Nothing is loaded whole: a corpus that is open is its list of networks, and what is read
of it is at most as many kernels as were asked for. The line of text is a query
(`kernelviewer.corpus.query`) with one term more, ``like>=0.9``: the cosine to the
kernel that is looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.corpus.query import HELP, Questions, parse, size_of
from kernelviewer.corpus.store import Corpus, CorpusError
from kernelviewer.corpus.store import library as corpus_library
from kernelviewer.formats.containers.folders import DESCRIPTION, is_corpus
from kernelviewer.kernels.bank import KernelBank, size_key, size_label
from kernelviewer.kernels.classes import CLASSES, INDEX, class_shown
from kernelviewer.kernels.equality import prepare
from kernelviewer.state.model import Drawn, OpenModel
from kernelviewer.state.tally import NetworkCounts, SummedCounts
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from kernelviewer.corpus.query import Found, Query
    from kernelviewer.corpus.store import Network
    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.watch import Watch

LINE_HELP = f"{HELP}; like>=0.9, the cosine to the kernel that is looked at"
_LIKE = re.compile(r"(?:^|\s)like\s*>=?\s*(\S*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class OpenCorpus:
    """A corpus that is open, and its networks as rows of a table.

    ``rows`` have the networks' places in the corpus as ids.
    """

    corpus: Corpus
    rows: tuple[NetworkCounts, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return shown(self.corpus.folder.name)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, understood; ``least`` is the cosine that it asks for, if any."""

    query: Query
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many kernels a line finds; ``more``: there are more than were looked for."""

    kernels: int
    more: bool = False


def corpus_at(path: Path) -> Path | None:
    """The corpus that a path means, its folder or the file that describes it."""
    if path.name == DESCRIPTION:
        path = path.parent
    return path if is_corpus(path) else None


def read_line(text: str) -> Line:
    """What a line of text asks for.

    Raises
    ------
    CorpusError
        It is none; the hint tells what can be written.
    """
    match = _LIKE.search(text)
    if match is None:
        return Line(parse(text))
    try:
        least = float(match[1])
    except ValueError:
        hint = f"Give {LINE_HELP}."
        raise CorpusError(f"{match[1]!r} is no number for like", hint) from None
    return Line(parse(f"{text[: match.start()]} {text[match.end() :]}"), least)


def title_of(text: str) -> str:
    """A line of text as a network is called that was made by it."""
    line = read_line(text)
    parts = []
    for term in line.query.terms:
        if term.column == "flat":
            parts.append("flat" if term.number else "not flat")
        elif term.texts:
            names = [
                class_shown(INDEX[name]).name if name in INDEX else name
                for name in term.texts
            ]
            parts.append("not " * (term.sign == "!=") + " or ".join(names))
        else:
            sign = {">=": "≥", "<=": "≤", "!=": "≠"}.get(term.sign, term.sign)
            parts.append(f"{term.column} {sign} {term.number:g}")
    if line.query.networks:
        parts.append(" or ".join(line.query.networks))
    parts += [f"not {name}" for name in line.query.without]
    if line.least is not None:
        parts.append(f"like ≥ {line.least:g}")
    return ", ".join(parts) or f"all {line.query.size.replace('x', '×')}".rstrip()


def open_corpus(ticket: Ticket, path: Path) -> OpenCorpus:
    """Open a corpus: only the list of its networks is read.

    Raises
    ------
    CorpusError
        It cannot be read, or what that takes is not installed.
    """
    folder = corpus_at(path) or path
    corpus_library("duckdb")
    corpus = Corpus.open(folder)
    main = next(iter(corpus.sizes()), "")
    rows = []
    for number, network in enumerate(corpus.networks):
        ticket.check()
        rows.append(_row(number, network, main))
    return OpenCorpus(corpus, tuple(rows))


def _row(number: int, network: Network, main: str) -> NetworkCounts:
    """A network of a corpus as a row of the table of networks."""
    bank = KernelBank(
        Path(network.source),
        network.name,
        network.format,
        network.size_bytes,
        (),
        {},
        architecture=network.architecture,
        warnings=network.warnings,
    )
    named = {item.size: item for item in network.sizes if item.by}
    sizes = {}
    for key, item in named.items():
        counts = tuple(item.classes.get(kind.id, 0) for kind in CLASSES)
        sizes[size_of(key)] = SummedCounts(counts, item.null_coverage)
    chief = named.get(main)
    fit = None if chief is None else chief.mean_fit
    return NetworkCounts(
        OpenModel(number, bank),
        {size_of(item.size): item.kernels for item in network.sizes},
        sum(item.flat for item in network.sizes),
        _together(sizes.values()) if sizes else None,
        sizes,
        float("nan") if fit is None else fit,
    )


def _together(sizes: Iterable[SummedCounts]) -> SummedCounts:
    """Kernels of several sizes; noise is weighed as the kernels with a pattern."""
    parts = list(sizes)
    counts = np.array([part.counts for part in parts])
    weights = counts[:, : INDEX["unidentified"] + 1].sum(axis=1)
    nulls = [part.null for part in parts if part.null is not None]
    null = None
    if len(nulls) == len(parts) and weights.sum():
        null = float(np.average(nulls, weights=weights))
    return SummedCounts(tuple(counts.sum(axis=0).tolist()), null)


def count(
    ticket: Ticket,
    questions: Questions,
    line: Line,
    kernel: NDArray[np.float32] | None,
    most: int,
) -> Count:
    """How many kernels a line finds, of those like ``kernel`` at most ``most``.

    Another thread may end it with `Questions.interrupt` once the ticket is cancelled.
    """
    ticket.check()
    try:
        if line.least is None:
            return Count(questions.count(line.query, ticket))
        found = questions.nearest(
            _needed(kernel),
            most=most + 1,
            least=line.least,
            query=line.query,
            watch=ticket,
        )
    except CorpusError:
        ticket.check()
        raise
    return Count(min(len(found), most), len(found) > most)


def _needed(kernel: NDArray[np.float32] | None) -> NDArray[np.float32]:
    if kernel is None:
        hint = "Click a kernel first: like compares with it."
        raise CorpusError("no kernel is looked at", hint)
    return kernel


def draw(ticket: Ticket, corpus: Corpus, wanted: Sequence[Drawn]) -> None:
    """Read kernels of a corpus as networks, each a partial value (bank, `Drawn`).

    Raises
    ------
    CorpusError
        There are none, they are of several sizes, or a partition is damaged.
    """
    questions = Questions(corpus)
    try:
        for number, drawn in enumerate(wanted):
            ticket.progress(number, len(wanted), drawn.name)
            ticket.send((read(questions, drawn, ticket), drawn))
    finally:
        questions.close()


def read(questions: Questions, drawn: Drawn, watch: Watch) -> KernelBank:
    """What was drawn from a corpus, read once more or for the first time."""
    if drawn.network:
        bank = questions.network(drawn.network, watch)
    else:
        found = _find(questions, drawn, watch)
        if not len(found):
            raise CorpusError(f"{drawn.name}: no kernel is found")
        bank = questions.bank(found.in_order(), drawn.name, watch)
        bank = replace(bank, warnings=tuple(_remarks(found, drawn)))
    prepare(bank)
    return bank


def _find(questions: Questions, drawn: Drawn, watch: Watch) -> Found:
    line = read_line(drawn.query)
    if drawn.like:
        kernel = np.array(drawn.like, np.float32).reshape(size_of(drawn.size))
        least = -1.0 if line.least is None else line.least
        return questions.nearest(
            kernel, most=drawn.most, least=least, query=line.query, watch=watch
        )
    if line.least is not None:
        _needed(None)
    return questions.find(line.query, drawn.most, seed=drawn.seed, watch=watch)


def _remarks(found: Found, drawn: Drawn) -> Iterable[str]:
    """What has to be said of a network that was made of a corpus."""
    here, of = f"{len(found):,}", f"{found.total:,}"
    here, of = here.replace(",", "\u202f"), of.replace(",", "\u202f")
    if drawn.like:
        lowest = found.columns["similarity"].min()
        yield f"The {here} nearest, of cosine {lowest:.3f} and more"
    elif found.total > len(found) and drawn.seed is not None:
        yield f"A sample of {here} of {of} kernels that are found"
    elif found.total > len(found):
        yield f"The first {here} of {of} kernels that are found"


def drawn_like(
    kernel: NDArray[np.float32], most: int, name: str, query: str = ""
) -> Drawn:
    """The kernels nearest to one, at most so many."""
    taps = tuple(map(float, kernel.ravel()))
    return Drawn(
        query=query, most=most, size=size_key(kernel.shape), like=taps, name=name
    )


def sizes_of(corpus: Corpus, query: Query) -> str:
    """The sizes in which a query looks, for people."""
    own = [query.size] if query.size else list(corpus.sizes())
    return ", ".join(size_label(size_of(key)) for key in own)
