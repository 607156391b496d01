"""``kernelviewer series``: the checkpoints of one run, and when its kernels formed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelviewer.commands.networks import (
    LINE,
    Autoencoders,
    add_autoencoder_argument,
    add_by_argument,
    add_network_arguments,
    add_threshold_argument,
    device_of,
    naming_of,
)
from kernelviewer.commands.output import (
    RefusedError,
    aligned,
    complain,
    counted,
    number,
    rounded,
    say,
)
from kernelviewer.commands.reading import (
    add_json_argument,
    add_output_argument,
    check_included,
    check_output,
    keep_apart,
    parse_size,
    writing,
)
from kernelviewer.figures.animation import check_suffix, write_animation
from kernelviewer.figures.content import FigureError
from kernelviewer.files import csv_writer, resource
from kernelviewer.formats.registry import find_checkpoints
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.series import Series
from kernelviewer.latent.film import COLUMNS, film_of, rows_of
from kernelviewer.text import csv_text, percent

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from kernelviewer.kernels import KernelBank, Size
    from kernelviewer.kernels.series import LeftOut
    from kernelviewer.latent.film import Film, Formation, StepTotals, Track

SAMPLE = "sample-run"
"""The run that comes with the program, unless there is a file of this name."""
_ROWS_BETWEEN_CHECKS = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add_network_arguments(
        parser,
        "checkpoints of one run in any order, or folders of them; "
        f"{SAMPLE}: the one that comes with the program",
    )
    add_output_argument(parser, "OUT.csv", "write one row per step and kernel")
    add_by_argument(parser)
    add(
        "--animation",
        type=Path,
        metavar="OUT.gif",
        help="write an animated .gif, .png or .apng of the codes on the spectrum and "
        "the kernels",
    )
    add(
        "--size",
        type=parse_size,
        help="kernel size of the animation (default: the one with most kernels)",
    )
    add_threshold_argument(parser)
    add_autoencoder_argument(parser)
    add_json_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Read the run, write and print."""
    check_output(options.output, options.animation)
    if options.animation:
        try:
            check_suffix(options.animation)
        except FigureError as error:
            raise RefusedError(str(error), 2) from None
    device, autoencoders = device_of(options), Autoencoders(options.autoencoder)
    series = open_series(options.files, options)
    naming = naming_of(options)
    film = film_of(
        series,
        autoencoders.get,
        by=naming.by,
        words=naming.words,
        threshold=options.threshold,
        device=device,
        watch=LINE,
    )
    _tell(film.left_out)
    if not film.steps:
        raise RefusedError("none of the files is a step of a run")
    check_included(options, series.included)
    whole = autoencoders.fit([series.bank(len(series) - 1)]) and not film.left_out
    if options.output:
        with writing(options.output):
            rows = _write(film, options.output)
    if options.json:
        say(json.dumps(summarise(film), indent=1))
    else:
        say(*_table(film))
        if options.output:
            say(f"\n{options.output}: {number(rows)} rows")
    if options.animation:
        try:
            _animate(series, autoencoders, options)
        except FigureError as error:
            complain(str(error))
            return 1
    return int(not whole)


def _animate(
    series: Series, autoencoders: Autoencoders, options: argparse.Namespace
) -> None:
    """Write the animation; codes are shown wherever there are some."""
    from kernelviewer.figures.naming import FigureNaming, name_scene
    from kernelviewer.figures.scene import make_scene

    scene = make_scene([series.bank(i) for i in range(len(series))], options.size)
    named = FigureNaming(
        autoencoders.get(scene.size), options.threshold, (), naming_of(options)
    )
    scene = name_scene(scene, named, device=options.device, watch=LINE)
    write_animation(scene, options.animation, watch=LINE)


def read_run(
    words: Sequence[str], options: argparse.Namespace
) -> tuple[list[KernelBank], bool]:
    """Every step of a run at once, and whether some were left out, which is told."""
    series = open_series(words, options)
    series.keep_alike()
    _tell(series.left_out)
    if len(series):
        check_included(options, series.included)
    return [series.bank(step) for step in range(len(series))], bool(series.left_out)


def _tell(left_out: Sequence[LeftOut]) -> None:
    for item in left_out:
        complain(f"{item.name} is left out: {item.problem}")


def open_series(words: Sequence[str], options: argparse.Namespace) -> Series:
    """The files that are named and what lies in folders, in order.

    Raises
    ------
    RefusedError
        There are none.
    """
    paths: dict[Path, None] = {}
    for word in words:
        place = Path(word)
        if word == SAMPLE and not place.exists():
            try:
                place = resource(SAMPLE)
            except FileNotFoundError as error:
                raise RefusedError(str(error)) from None
        found = list(find_checkpoints(place, LINE))
        if not found:
            raise RefusedError(f"{word}: there is no checkpoint in this folder")
        paths |= dict.fromkeys(found)
    keep_apart(options, paths)
    return Series(list(paths), copy=options.copy, include=options.include, watch=LINE)


def summarise(film: Film) -> dict[str, Any]:
    """What ``series --json`` prints."""
    return {
        "steps": [
            {
                "step": film.numbers[step],
                "path": str(item.path),
                "sizes": {
                    size_key(size): _totals(track.totals(step))
                    for size, track in film.tracks.items()
                },
            }
            for step, item in enumerate(film.steps)
        ],
        "formation": {
            size_key(size): _formed(track.formation())
            for size, track in film.tracks.items()
            if track.by
        },
        "details": {
            size_key(size): {
                "by": track.by,
                "words": track.scheme.id,
                "threshold": rounded(track.threshold),
                "null_coverage": rounded(track.null_coverage),
                "mean_scale": [rounded(item.scale) for item in _every(film, track)],
                "last_cosine": [rounded(item.cosine) for item in _every(film, track)],
            }
            for size, track in film.tracks.items()
        },
        "ordered_by": film.ordered_by,
        "left_out": [
            {"path": str(item.path), "problem": item.problem} for item in film.left_out
        ],
    }


def _totals(totals: StepTotals) -> dict[str, Any]:
    return {
        "kernels": totals.kernels,
        "flat": totals.flat,
        "mean_fit": rounded(totals.mean_fit),
        "coverage": rounded(totals.coverage),
        "classes": dict(totals.classes) or None,
    }


def _every(film: Film, track: Track) -> list[StepTotals]:
    return [track.totals(step) for step in range(len(film))]


def _formed(formation: Formation) -> dict[str, Any]:
    return {
        "formed": formation.formed,
        "never": formation.never,
        "median_step": formation.median_step,
        "layers": [
            {"layer": name, "median_step": median}
            for name, _, _, median in formation.of_layers()
        ],
    }


def _write(film: Film, path: Path) -> int:
    """Write the CSV file, whole or not at all, and count its rows."""
    total = len(film) * sum(map(len, film.tracks.values()))
    with csv_writer(path) as writer:
        writer.writerow(COLUMNS)
        for count, row in enumerate(rows_of(film)):
            if count % _ROWS_BETWEEN_CHECKS == 0:
                LINE.progress(count, total, f"writing {path.name}")
            writer.writerow([csv_text(v) if isinstance(v, str) else v for v in row])
    LINE.progress(total, total)
    return total


def _table(film: Film) -> Iterator[str]:
    names = {"names": "the numbers in their names"}
    first, last = film.numbers[0], film.numbers[-1]
    yield (
        f"{counted(len(film), 'step')}, {number(first)} to {number(last)}, in the "
        f"order of {names.get(film.ordered_by, film.ordered_by)}"
    )
    if not film.tracks:
        yield "There are no depthwise kernels."
    for size, track in film.tracks.items():
        yield ""
        yield from _size_table(film, size, track)


def _size_table(film: Film, size: Size, track: Track) -> Iterator[str]:
    head = f"{size_label(size)}: {number(len(track))} kernels"
    if track.by is None:
        yield f"{head}; neither a code nor the family names kernels of this size."
        return
    yield (
        f"{head}, named by the {track.by}; identified from {track.threshold:.3f} on, "
        f"which {percent(track.null_coverage)} of white noise reaches"
    )
    rows = [("  step", "mean fit", "coverage", "cosine with the last", "mean scale")]
    for step, at in enumerate(film.numbers):
        totals = track.totals(step)
        rows.append(
            (
                f"  {number(at)}",
                f"{totals.mean_fit:.3f}",
                percent(totals.coverage),
                f"{totals.cosine:.3f}",
                f"{totals.scale:.3g}",
            )
        )
    yield from aligned(rows, frozenset(range(5)))
    formation = track.formation()
    yield (
        f"  from some step on the same to the end: {number(formation.formed)} kernels "
        f"({percent(formation.formed / len(track))}), median step "
        f"{_step(formation.median_step)}"
    )
    layers = [("  layer", "kernels", "formed", "median step")]
    layers += [
        (f"  {name}", number(kernels), number(formed), _step(median))
        for name, kernels, formed, median in formation.of_layers()
    ]
    yield from aligned(layers, frozenset({1, 2, 3}))


def _step(median: float | None) -> str:
    return "–" if median is None else f"{median:g}"
