"""``kernelviewer corpus``: many networks as one, built, counted, asked and checked."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from kernelviewer.commands.networks import (
    Autoencoders,
    add_autoencoder_argument,
    add_by_argument,
    add_threshold_argument,
    naming_of,
)
from kernelviewer.commands.output import (
    RefusedError,
    aligned,
    complain,
    counted,
    number,
    say,
    share,
)
from kernelviewer.commands.reading import (
    add_json_argument,
    add_output_argument,
    add_reading_arguments,
    check_output,
    count_to,
    number_between,
    read_bank,
    writing,
)
from kernelviewer.corpus.build import (
    Engine,
    Plan,
    build,
    expand,
    family_hash,
    recipe_of,
)
from kernelviewer.corpus.query import COLUMNS, GROUPS, HELP, Questions, parse
from kernelviewer.corpus.store import AUTOENCODERS, Corpus, CorpusError
from kernelviewer.corpus.tables import Accuracies, chosen, main_size, table_of
from kernelviewer.device import CHOICES
from kernelviewer.files import csv_writer, write_text
from kernelviewer.formats.errors import with_hint
from kernelviewer.kernels import size_key
from kernelviewer.text import csv_text
from kernelviewer.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from kernelviewer.corpus.build import Tally
    from kernelviewer.corpus.query import Found
    from kernelviewer.figures.content import Table
    from kernelviewer.kernels.bank import KernelBank

INTERRUPTED = 130
_NOT_A_TERMINAL_S = 30.0
_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands of the command."""
    parts = parser.add_subparsers(dest="part", required=True, metavar="COMMAND")
    for name, (add, _, about) in _PARTS.items():
        add(parts.add_parser(name, help=about, description=f"{about.capitalize()}."))


def run(options: argparse.Namespace) -> int:
    """Run one of them."""
    try:
        code: int = _PARTS[options.part][1](options)
    except CorpusError as error:
        raise RefusedError(str(error)) from None
    return code


def _add_build(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help=_SOURCES)
    add_output_argument(
        parser,
        "DIR",
        "folder of the corpus; one that is there goes on, and what it has of the "
        "same content is not done again",
        required=True,
    )
    _add_engine(parser)
    add(
        "--weights",
        choices=("float16", "float32"),
        default="float16",
        help="how weights are kept: patterns as float16, within a thousandth of a "
        "kernel's scale, or the numbers themselves (default: %(default)s)",
    )
    add(
        "--rebuild",
        action="store_true",
        help="make networks again that were made with other options or by another "
        "version",
    )
    add_by_argument(parser)
    add_threshold_argument(parser)
    add_autoencoder_argument(parser)
    add_reading_arguments(parser)


_SOURCES = (
    "checkpoints of any format, folders of them, timm names, hf-hub:owner/repository, "
    "or .txt files with one of these a line"
)


def _add_engine(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    cores = os.cpu_count() or 1
    add(
        "--workers",
        type=count_to(1_000_000),
        default=cores,
        metavar="N",
        help="networks at a time on this machine (default: its cores, %(default)s)",
    )
    cluster = parser.add_mutually_exclusive_group()
    cluster.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="use this Dask cluster"
    )
    cluster.add_argument(
        "--scheduler-file",
        default="",
        metavar="F",
        help="use the Dask cluster whose scheduler wrote this file",
    )
    add(
        "--timeout",
        type=number_between(1, 1e6, "time"),
        default=3600.0,
        metavar="S",
        help="seconds after which a network is given up (default: %(default)g)",
    )
    add(
        "--memory",
        type=number_between(0.1, 1e5, "size"),
        metavar="GB",
        help="memory that a network may take (default: 80 %% of the machine's, shared "
        "among the workers)",
    )
    add(
        "--device",
        choices=CHOICES,
        default="cpu",
        help="where to compute (default: %(default)s; a worker has one core)",
    )
    add_json_argument(parser, "print what was done as a JSON object")


def _build(options: argparse.Namespace) -> int:
    named = Autoencoders(options.autoencoder)
    recipe, files = recipe_of(
        naming_of(options),
        {size_key(size): path for size, path in named.files.items()},
        threshold=options.threshold,
        weights=options.weights,
        copy=options.copy,
        include=options.include,
    )
    plan = Plan(recipe, files, _engine(options), options.rebuild)
    return _taken_in(options, options.output, plan)


def _add_add(parser: argparse.ArgumentParser) -> None:
    _add_corpus(parser)
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help=_SOURCES)
    _add_engine(parser)


def _add(options: argparse.Namespace) -> int:
    recipe = Corpus.open(options.corpus).recipe
    files = {
        key: options.corpus / AUTOENCODERS / f"{key}.safetensors"
        for key in recipe.autoencoders
    }
    recipe = msgspec.structs.replace(recipe, family=family_hash())
    return _taken_in(options, options.corpus, Plan(recipe, files, _engine(options)))


def _engine(options: argparse.Namespace) -> Engine:
    return Engine(
        options.workers,
        options.scheduler,
        options.scheduler_file,
        options.timeout,
        int((options.memory or 0) * 1e9),
        options.device,
    )


class _Line(Watch):
    """Progress on one line of a terminal; elsewhere a line every half minute.

    ``counts``: the text does not say how far it is.
    """

    def __init__(self, *, counts: bool = False) -> None:
        self._counts = counts
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._next = time.monotonic() + _NOT_A_TERMINAL_S
        self._text = ""

    def progress(self, done: int, total: int, text: str = "") -> None:
        if self._counts:
            text = f"{number(done)} of {number(total)}: {text}"
        if self._is_terminal and text != self._text:
            self._text = text
            sys.stderr.write(f"\r\x1b[K{text}"[:120])
            if total and done >= total:
                sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        elif not self._is_terminal and time.monotonic() > self._next:
            self._next = time.monotonic() + _NOT_A_TERMINAL_S
            complain(text)


def _taken_in(options: argparse.Namespace, folder: Path, plan: Plan) -> int:
    """Build, and tell how it went."""
    sources = expand(options.sources)
    tally = build(sources, folder, plan, _Line())
    for item in tally.failures:
        complain(with_hint(item.message, item.hint))
    if options.json:
        say(json.dumps(_summary(folder, tally), indent=1))
    else:
        went = (
            f"{counted(tally.added, 'network')} taken in",
            f"{number(tally.there)} there before",
            f"{number(len(tally.failures))} failed",
            counted(tally.kernels, "kernel"),
        )
        say(f"{folder}: {', '.join(went)} ({tally.seconds:.0f} s)")
    if tally.stopped:
        complain("interrupted; the same command goes on where it was")
        return INTERRUPTED
    return int(bool(tally.failures))


def _summary(folder: Path, tally: Tally) -> dict[str, Any]:
    return {
        "corpus": str(folder),
        "sources": tally.total,
        "added": tally.added,
        "there": tally.there,
        "failed": len(tally.failures),
        "kernels": tally.kernels,
        "seconds": round(tally.seconds, 3),
        "stopped": tally.stopped,
        "failures": [msgspec.to_builtins(item) for item in tally.failures],
        "warnings": tally.warnings,
    }


def _add_info(parser: argparse.ArgumentParser) -> None:
    _add_corpus(parser)
    add_json_argument(parser)


def _info(options: argparse.Namespace) -> int:
    corpus = Corpus.open(options.corpus)
    failures = corpus.failures()
    weights = sum(s.weights_bytes for n in corpus.networks for s in n.sizes)
    index = sum(s.index_bytes for n in corpus.networks for s in n.sizes)
    repeats = sum(bool(item.equal_to) for item in corpus.networks)
    if options.json:
        facts = {
            "networks": len(corpus.networks),
            "equal_networks": repeats,
            "kernels": corpus.kernels,
            "sizes": corpus.sizes(),
            "index_bytes": index,
            "weights_bytes": weights,
            "recipe": msgspec.to_builtins(corpus.recipe),
            "failures": [msgspec.to_builtins(item) for item in failures],
        }
        say(json.dumps(facts, indent=1))
        return 0
    recipe = corpus.recipe
    alike = f", {number(repeats)} with the kernels of an earlier one" if repeats else ""
    say(f"{options.corpus}: {counted(len(corpus.networks), 'network')}{alike}")
    say(f"{counted(corpus.kernels, 'kernel')}, named by the {recipe.by}")
    heads = ("  size", "networks", "kernels", "flat", "identified", "bytes a kernel")
    rows: list[tuple[str, ...]] = [heads]
    for size, kernels in corpus.sizes().items():
        rows.append(_size_row(corpus, size, kernels))
    say(*aligned(rows, frozenset(range(1, 6))))
    say(
        f"index {index / 1e6:.1f} MB, weights {weights / 1e6:.1f} MB ({recipe.weights})"
    )
    if failures:
        say(f"\n{counted(len(failures), 'source')} could not be taken in:")
        for item in failures[:_SHOWN]:
            say(f"  {item.message} ({item.kind})")
        if len(failures) > _SHOWN:
            say(f"  and {number(len(failures) - _SHOWN)} more, in failures.jsonl")
    return 0


def _size_row(corpus: Corpus, size: str, kernels: int) -> tuple[str, ...]:
    found = [c for n in corpus.networks if (c := n.counts(size)) is not None]
    flat = sum(item.flat for item in found)
    named = [item for item in found if item.coverage is not None]
    present = sum(item.kernels - item.flat for item in named)
    identified = round(
        sum((item.coverage or 0) * (item.kernels - item.flat) for item in named)
    )
    size_bytes = sum(item.index_bytes + item.weights_bytes for item in found)
    return (
        f"  {size}",
        number(len(found)),
        number(kernels),
        number(flat),
        share(identified, present),
        f"{size_bytes / max(kernels, 1):.0f}",
    )


def _add_table(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_corpus(parser)
    add("--size", default="", help="kernel size (default: the one with most kernels)")
    add(
        "--network",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only networks with such names, as in 'mcunet*' (may be repeated)",
    )
    add(
        "--paper",
        action="store_true",
        help="join the fine classes to those of the paper",
    )
    add(
        "--repeats",
        action="store_true",
        help="list networks with the kernels of an earlier one too",
    )
    add(
        "--accuracy",
        type=Path,
        metavar="CSV",
        help="table with a network and its accuracy a line, which becomes a column",
    )
    add_output_argument(
        parser, "OUT", "the file to write: .csv, .md or .tex (default: print Markdown)"
    )


def _table(options: argparse.Namespace) -> int:
    from kernelviewer.figures.export import to_csv, to_latex, to_markdown

    writers: dict[str, Callable[[Table], str]] = {
        ".csv": to_csv,
        ".md": to_markdown,
        ".tex": to_latex,
    }
    suffix = options.output.suffix.lower() if options.output else ".md"
    if suffix not in writers:
        raise RefusedError(f"{options.output}: name a .csv, .md or .tex file", 2)
    check_output(options.output)
    corpus = Corpus.open(options.corpus)
    accuracies = Accuracies.read(options.accuracy) if options.accuracy else None
    size = (options.size or main_size(corpus)).replace("×", "x")
    networks = chosen(corpus, size, options.network, repeats=options.repeats)
    if accuracies is not None:
        _tell_unused(accuracies, corpus)
    text = writers[suffix](table_of(networks, accuracies, paper=options.paper))
    if options.output is None:
        say(text.rstrip("\n"))
        return 0
    with writing(options.output):
        write_text(options.output, text)
    say(f"{options.output}: {counted(len(networks), 'network')}, {size} kernels")
    return 0


def _tell_unused(accuracies: Accuracies, corpus: Corpus) -> None:
    unused = accuracies.unused(corpus.networks)
    if unused:
        few = ", ".join(unused[:5]) + (" …" if len(unused) > 5 else "")
        complain(f"{counted(len(unused), 'network')} of the accuracies not here: {few}")


def _add_corpus(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", type=Path, metavar="DIR", help="the corpus")


def _check(options: argparse.Namespace) -> int:
    corpus = Corpus.open(options.corpus)
    problems = 0
    for problem in corpus.check():
        complain(problem)
        problems += 1
    if problems:
        complain(
            "build again from the same sources: what is missing or damaged is made "
            "anew, the rest is kept"
        )
        return 1
    say(
        f"{options.corpus}: {counted(len(corpus.networks), 'network')}, "
        f"{counted(corpus.kernels, 'kernel')}, all as recorded"
    )
    return 0


def _add_query(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_corpus(parser)
    add("terms", nargs="*", metavar="TERM", help=HELP.replace("%", "%%"))
    add(
        "--by",
        default="",
        metavar="COLUMNS",
        help=f"count by these, with commas between: {', '.join(GROUPS)}, size",
    )
    add(
        "--histogram",
        choices=("code", "fit", "cosine", "margin"),
        help="count in 20 equal parts from 0 to 1",
    )
    add(
        "--nearest",
        metavar="FILE:LAYER:CHANNEL",
        help="the kernels nearest to this one of a checkpoint, nearest first",
    )
    add(
        "--most",
        type=count_to(1_000_000),
        default=1000,
        metavar="N",
        help="how many kernels at most are nearest, or written (default: %(default)s)",
    )
    add(
        "--sample",
        type=int,
        metavar="SEED",
        help="where there are more, a random sample in place of the first",
    )
    add_output_argument(
        parser, "OUT", "write the kernels: .csv (a row each) or .npz (their weights)"
    )


def _query(options: argparse.Namespace) -> int:
    query = parse(" ".join(options.terms))
    check_output(options.output)
    if options.output and options.output.suffix.lower() not in (".csv", ".npz"):
        raise RefusedError(f"{options.output}: name a .csv or .npz file", 2)
    questions, watch = Questions(Corpus.open(options.corpus)), _Line(counts=True)
    try:
        if options.nearest:
            kernel = _kernel_of(options.nearest, options.output)
            found = questions.nearest(
                kernel, most=options.most, query=query, watch=watch
            )
            if not len(found):
                size = size_key(found.size)
                raise CorpusError(f"there are no {size} kernels to compare with")
            return _written(questions, found, options)
        if options.by:
            _say_counts(
                questions.counts(query, options.by.split(","), watch), options.by
            )
        elif options.histogram:
            counts = questions.histogram(query, options.histogram, 20, 0.0, 1.0, watch)
            for place, kernels in enumerate(counts.tolist()):
                say(f"{place / 20:.2f}–{(place + 1) / 20:.2f}  {number(kernels):>12}")
        elif options.output is None:
            say(counted(questions.count(query, watch), "kernel"))
        if options.output is None:
            return 0
        found = questions.find(query, options.most, seed=options.sample, watch=watch)
        return _written(questions, found, options)
    finally:
        questions.close()


def _say_counts(counts: dict[tuple[Any, ...], int], by: str) -> None:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    rows = [(*by.split(","), "kernels")]
    rows += [(*map(_said, key), number(kernels)) for key, kernels in ordered]
    say(*aligned(rows, frozenset({len(rows[0]) - 1})))


def _said(value: object) -> str:
    return "–" if value is None else str(value)


def _kernel_of(text: str, output: Path | None) -> NDArray[np.float32]:
    """The kernel of a file that is named by its layer and channel."""
    head, _, channel = text.rpartition(":")
    path, _, name = head.rpartition(":")
    if not path or not channel.isdecimal():
        raise RefusedError(f"{text!r} is not FILE:LAYER:CHANNEL", 2)
    reading = argparse.Namespace(copy="", include=[], output=output)
    bank = read_bank(path, reading)
    if bank is None:
        raise RefusedError("there is no kernel to look for")
    for kernels in bank.sizes.values():
        there = [bank.layers[i].name == name for i in kernels.layer.tolist()]
        place = np.flatnonzero(np.array(there) & (kernels.channel == int(channel)))
        if len(place):
            return np.asarray(kernels.weights[place[0]])
    raise RefusedError(f"{path} has no kernel {channel} in a layer {name!r}")


def _written(questions: Questions, found: Found, options: argparse.Namespace) -> int:
    """Write or print the kernels that were found."""
    if options.output is None:
        say(*aligned(list(_lines(questions, found)), frozenset({3})))
        return 0
    with writing(options.output):
        if options.output.suffix.lower() == ".npz":
            _write_weights(options.output, questions.bank(found, "query"))
        else:
            _write_rows(options.output, questions, found)
    part = f" of {number(found.total)}" if found.total > len(found) else ""
    how = ", a sample" if part and options.sample is not None else ""
    say(f"{options.output}: {counted(len(found), 'kernel')}{part}{how}")
    return 0


def _lines(questions: Questions, found: Found) -> Iterator[Sequence[str]]:
    """Rows of the nearest kernels, for people."""
    rows = questions.rows(found, ("layer", "channel", "class"))
    yield ("network", "layer", "channel", "cosine", "class")
    for place in range(len(found)):
        yield (
            found.networks[found.network[place]],
            str(rows["layer"][place]),
            str(rows["channel"][place]),
            f"{found.columns['similarity'][place]:.4f}",
            _said(rows["class"][place]),
        )


def _write_rows(path: Path, questions: Questions, found: Found) -> None:
    columns = questions.rows(found, COLUMNS)
    names = [*found.columns, *COLUMNS]
    with csv_writer(path) as writer:
        writer.writerow(["network", "size", *names])
        size = size_key(found.size)
        values = [(found.columns | columns)[name] for name in names]
        for place in range(len(found)):
            network = csv_text(found.networks[found.network[place]])
            writer.writerow([network, size, *(_cell(v[place]) for v in values)])


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, np.floating) and np.isnan(value)):
        return ""
    if isinstance(value, str):
        return csv_text(value)
    return f"{value:.7g}" if isinstance(value, np.floating) else value


def _write_weights(path: Path, bank: KernelBank) -> None:
    from kernelviewer.kernels.archive import write_archive

    write_archive(path, [(bank.name, bank)])


_PARTS: dict[str, tuple[Any, Any, str]] = {
    "build": (_add_build, _build, "take networks into a new corpus, or go on with one"),
    "add": (_add_add, _add, "take more networks into a corpus, as it was built"),
    "info": (
        _add_info,
        _info,
        "tell what a corpus has, and what could not be taken in",
    ),
    "table": (_add_table, _table, "write the paper's table over all networks"),
    "query": (_add_query, _query, "count kernels, find and write them"),
    "check": (
        _add_corpus,
        _check,
        "look for what is missing, cut off or of old versions",
    ),
}
"""Command → what adds its arguments, what runs it, what it does."""
