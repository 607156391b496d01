"""``kernelviewer figure``: one figure of one or more checkpoints, ready for print."""

from __future__ import annotations

import argparse
import fnmatch
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.commands.looks import add_looks, add_naming, looks, naming
from kernelviewer.commands.output import complain, say
from kernelviewer.commands.reading import (
    add_equal_argument,
    add_reading_arguments,
    check_included,
    parse_size,
    read_bank,
)
from kernelviewer.device import DeviceError
from kernelviewer.figures.content import FigureError, OptionError
from kernelviewer.figures.drawn import make_figure
from kernelviewer.figures.exhibits import EXHIBITS, exhibit
from kernelviewer.figures.export import DATA_SUFFIXES, write_kernels
from kernelviewer.figures.fonts import load_matplotlib
from kernelviewer.figures.naming import fingerprint, name_scene
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.provenance import (
    find_files,
    read_record,
    show_again,
    with_hashes,
)
from kernelviewer.figures.scene import FAMILY, Scene, make_scene
from kernelviewer.figures.writing import with_suffix
from kernelviewer.formats.containers.folders import is_corpus
from kernelviewer.formats.errors import HintedError
from kernelviewer.kernels.bank import size_key
from kernelviewer.kernels.classes import own_from_json
from kernelviewer.latent import LatentError
from kernelviewer.latent.stretches import from_json

if TYPE_CHECKING:
    from kernelviewer.figures.naming import FigureNaming
    from kernelviewer.figures.provenance import Record
    from kernelviewer.figures.scene import Subject
    from kernelviewer.kernels import KernelBank

_TABLES = tuple(suffix for suffix in DATA_SUFFIXES if suffix != ".npz")
_FAMILY_SIZE = (7, 7)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    kinds = "; ".join(f"{item.kind}: {item.summary}" for item in EXHIBITS.values())
    parser.usage = (
        "kernelviewer figure KIND [FILE…] -o OUT [OPTION…]\n"
        "       kernelviewer figure --from FIGURE [FILE…] -o OUT [OPTION…]"
    )
    parser.add_argument("words", nargs="*", metavar="KIND FILE", help=kinds)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=Path,
        metavar="OUT",
        help="the file to write: .svg, .pdf or .png; a table also .csv, .md, .tex",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FIGURE",
        help="make this figure again; its files are looked for beside it, here, and "
        "among those named",
    )
    parser.add_argument(
        "--size",
        type=parse_size,
        help="kernel size, such as 7x7 (default: the one with most kernels)",
    )
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        metavar="NAME",
        help="show only this layer, what lies in this module, or what a pattern such "
        "as 'stages.*.conv_dw' matches (may be repeated)",
    )
    parser.add_argument(
        "--channel",
        action="append",
        default=[],
        type=int,
        metavar="N",
        help="show only this channel of every layer shown (may be repeated)",
    )
    parser.add_argument(
        "--caption", metavar="TEXT", help="written into the file in place of ours"
    )
    parser.add_argument(
        "--data", type=Path, metavar="OUT", help="write what is drawn: .csv or .npz"
    )
    parser.add_argument(
        "--kernels",
        type=Path,
        metavar="OUT",
        help="write the kernels shown: .npz, .safetensors, .png or .zip",
    )
    parser.add_argument(
        "--accuracy",
        type=Path,
        metavar="CSV",
        help="table with a network and its accuracy a line, for coverage-accuracy",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace existing files without asking"
    )
    add_looks(parser)
    add_naming(parser)
    add_reading_arguments(parser)
    add_equal_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Make the figure and write it."""
    words = list(options.words)
    if options.source is None and not words:
        complain(f"name a figure: {', '.join(EXHIBITS)}")
        return 2
    try:
        record = read_record(options.source) if options.source else None
        kind = record.kind if record else words.pop(0)
        if kind not in EXHIBITS:
            complain(f"there is no figure {kind!r}; choose {', '.join(EXHIBITS)}")
            return 1 if record else 2
        if exhibit(kind).needs_file and not words and record is None:
            complain(f"name a checkpoint: kernelviewer figure {kind} FILE -o OUT")
            return 2
        return _make(kind, words, record, options)
    except (OptionError, DeviceError) as error:
        complain(str(error))
        return 2
    except HintedError as error:
        complain(str(error))
        return 1


def _make(
    kind: str, words: list[str], record: Record | None, options: argparse.Namespace
) -> int:
    paths = [Path(word) for word in words]
    of_corpus = any(map(is_corpus, paths))
    if of_corpus and not exhibit(kind).of_counts:
        kinds = ", ".join(key for key, item in EXHIBITS.items() if item.of_counts)
        complain(f"{paths[0]} is a corpus, of which there are these figures: {kinds}")
        return 2
    if record is not None and not of_corpus:
        folders = (options.source.resolve().parent, Path.cwd())
        paths = find_files(record, paths, folders)
        options.size = options.size or record.kernel_size
    look = looks(options, FigureOptions.from_json(record.options) if record else None)
    output = _output(kind, options.output)
    written = [output, *filter(None, (options.data, options.kernels))]
    if not options.force and not all(map(_may_write, written)):
        return 1
    if of_corpus:
        return _of_corpus(kind, paths, options, look, output)
    if exhibit(kind).is_run and record is None:
        from kernelviewer.commands.series import read_run

        banks, failed = read_run(words, options)
    else:
        found: set[str] = set()
        banks = _read(paths, record, options, found)
        failed = len(banks) < len(paths)
        if not failed:
            check_included(options, found)
    if paths and not banks:
        return 1
    scene = _scene(kind, banks, record, options, look)
    if options.accuracy is not None:
        from kernelviewer.corpus.tables import Accuracies

        scene = Accuracies.read(options.accuracy).join(scene)
    caption = options.caption or (record.caption if record else "")
    _write(kind, scene, look, output, caption, options)
    return int(failed)


def _of_corpus(
    kind: str,
    paths: list[Path],
    options: argparse.Namespace,
    look: FigureOptions,
    output: Path,
) -> int:
    """The figure of a corpus, of whose networks the counts are enough."""
    from kernelviewer.corpus.store import Corpus
    from kernelviewer.corpus.tables import Accuracies, chosen, main_size, scene_of

    if len(paths) > 1:
        complain("name one corpus alone: kernelviewer figure KIND CORPUS -o OUT")
        return 2
    corpus = Corpus.open(paths[0])
    size = size_key(options.size) if options.size else main_size(corpus)
    accuracies = Accuracies.read(options.accuracy) if options.accuracy else None
    networks = chosen(corpus, size, repeats=options.count_equal)
    scene = scene_of(corpus, size, networks, accuracies)
    _write(kind, scene, look, output, options.caption or "", options)
    return 0


def _write(
    kind: str,
    scene: Scene,
    look: FigureOptions,
    output: Path,
    caption: str,
    options: argparse.Namespace,
) -> None:
    """Draw the figure and write it, with all that is to be told."""
    load_matplotlib(documented=False)
    drawn = make_figure(kind, scene, look)
    if caption:
        drawn = drawn.with_caption(caption)
    if output.suffix.lower() in _TABLES:
        drawn.write_data(output)
    else:
        output = drawn.write(output)
    say(f"{output}: {drawn.caption}")
    if options.data:
        say(f"{drawn.write_data(options.data)}: data")
    if options.kernels:
        say(f"{write_kernels(scene, options.kernels)}: kernels")
    for note in (*drawn.notes, drawn.remark):
        if note:
            complain(note)


def _read(
    paths: list[Path],
    record: Record | None,
    options: argparse.Namespace,
    found: set[str],
) -> list[KernelBank]:
    """The files' kernels; copies and included layers as the record has them."""
    banks = []
    for number, path in enumerate(paths):
        reading = argparse.Namespace(**vars(options))
        if record is not None:
            reading.copy = reading.copy or record.files[number].copy
            reading.include = reading.include or list(record.files[number].include)
        bank = read_bank(str(path), reading, found)
        if bank is not None:
            banks.append(bank)
    return banks


def _scene(
    kind: str,
    banks: list[KernelBank],
    record: Record | None,
    options: argparse.Namespace,
    look: FigureOptions,
) -> Scene:
    """What the figure shows, with codes and classes where they are needed."""
    if not exhibit(kind).needs_file:
        return Scene((), options.size or _FAMILY_SIZE)
    scene = make_scene(banks, options.size)
    scene = replace(scene, count_equal=options.count_equal)
    if record is not None:
        scene = show_again(scene, record)
    else:
        scene = _only_layers(scene, options.layer)
        scene = with_hashes(_only_channels(scene, options.channel))
    item = exhibit(kind)
    wanted = item.needs_classes(look)
    if not (wanted or item.shows_classes or options.kernels):
        return scene
    chosen = _naming(scene, record, options)
    asked = options.autoencoder is not None or options.by is not None
    if chosen.autoencoder is None and not asked and not wanted:
        return scene
    return name_scene(scene, chosen, device=options.device)


def _naming(
    scene: Scene, record: Record | None, options: argparse.Namespace
) -> FigureNaming:
    """As the arguments ask, else as the record tells, else as usual."""
    if record is None or not record.naming:
        return naming(options, scene.size)
    facts = record.naming
    recorded = "family" if facts.get("method") == FAMILY else "code"
    options.by = options.by or recorded
    if options.by == "family" and options.autoencoder is None:
        options.autoencoder = "family"  # none is needed
    options.class_words = options.class_words or facts.get("words", "paper")
    try:
        known = facts.get("stretches")
        stretches = from_json(known) if known else ()
    except (KeyError, LatentError):
        raise FigureError(
            "the stretches that the figure tells of are damaged"
        ) from None
    threshold = facts.get("threshold") if options.by == recorded else None
    chosen = naming(options, scene.size, threshold, stretches)
    try:
        chosen = replace(chosen, own=own_from_json(facts.get("own", {})))
    except ValueError as error:
        raise FigureError(
            f"the names that the figure tells of are damaged: {error}"
        ) from None
    found = fingerprint(chosen.autoencoder) if chosen.autoencoder else ""
    if options.by == recorded == "code" and found != facts.get("sha256", ""):
        raise FigureError(
            "the kernels of this figure were named by another autoencoder",
            "Name its file with --autoencoder.",
        )
    return chosen


def _only_layers(scene: Scene, names: list[str]) -> Scene:
    """The scene with only the layers that are named.

    Raises
    ------
    FigureError
        A name matches none.
    """
    if not names:
        return scene
    subjects: list[Subject] = []
    met: set[str] = set()
    for subject in scene.subjects:
        matched = [
            {name for name in names if _matches(layer.name, name)}
            for layer in subject.bank.layers
        ]
        wanted = [i for i, found in enumerate(matched) if found]
        met.update(*(matched[i] for i in set(subject.kernels.layer.tolist())))
        shown = np.isin(subject.kernels.layer, wanted)
        subjects.append(replace(subject, shown=shown))
    missing = [name for name in names if name not in met]
    if missing:
        raise FigureError(
            f"no layer with kernels of this size is named {missing[0]!r}",
            "kernelviewer info lists the layers.",
        )
    text = f"layers {', '.join(names)}"
    return replace(scene, subjects=tuple(subjects), selection=text)


def _only_channels(scene: Scene, channels: list[int]) -> Scene:
    """The scene with only these channels of the layers shown.

    Raises
    ------
    FigureError
        No layer has one of them.
    """
    if not channels:
        return scene
    subjects = []
    for subject in scene.subjects:
        shown = np.isin(subject.kernels.channel, channels)
        if subject.shown is not None:
            shown &= subject.shown
        subjects.append(replace(subject, shown=shown))
    met = [item.kernels.channel[item.index] for item in subjects]
    missing = sorted(set(channels) - set(np.concatenate(met).tolist()))
    if missing:
        raise FigureError(f"no layer shown has a channel {missing[0]}")
    text = f"channel{'s' * (len(channels) > 1)} {', '.join(map(str, channels))}"
    joined = f"{scene.selection}, {text}" if scene.selection else text
    return replace(scene, subjects=tuple(subjects), selection=joined)


def _matches(layer: str, name: str) -> bool:
    """True if a layer is the one named, lies within it, or fits the pattern."""
    return layer.startswith(f"{name}.") or fnmatch.fnmatchcase(layer, name)


def _output(kind: str, path: Path) -> Path:
    """The file to write, with its suffix."""
    if kind == "table" and path.suffix.lower() in _TABLES:
        return path
    return with_suffix(path)


def _may_write(path: Path) -> bool:
    """True if a file may be replaced; asks, if there is someone to ask."""
    if not path.exists() or not sys.stdin.isatty():
        return True
    answer = input(f"{path} exists. Replace it? [y/N] ")
    if answer.strip().lower() in ("y", "yes"):
        return True
    complain(f"{path} is kept; nothing was written")
    return False
