"""A training run as an animated picture: the codes on the spectrum, and the kernels."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.figures.colours import ink, rgb
from kernelviewer.figures.comparing import run_of
from kernelviewer.figures.content import FigureError
from kernelviewer.figures.counts import count_labels, coverage_facts, named
from kernelviewer.figures.exhibits.sheet import prepare_sheet
from kernelviewer.figures.exhibits.spectrum import BINS, prepare_spectrum
from kernelviewer.figures.fonts import figure_style
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.writing import render_pixels, write_bytes
from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import classes_shown
from kernelviewer.text import shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

    from kernelviewer.figures.comparing import Run
    from kernelviewer.figures.page import Page
    from kernelviewer.figures.scene import Scene
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

SUFFIXES = {".gif": "GIF", ".png": "PNG", ".apng": "PNG"}
"""Suffix → the format of the picture."""
SCREEN = FigureOptions(dpi=110, font_size=8.0, legend=False, scale_bar=False)
"""How an animation looks, if nothing else is wished."""
_FRAME, _LAST = 500, 2500
"""How long a step, and the last one, is seen, in milliseconds."""
_MOST = 900
"""So many kernels are shown; of more, some of each layer at random."""
_BORDER = 8
"""Rows below the kernels."""
_HIGH = 150.0
"""How high the kernels are together, in millimetres, if they fit."""


def write_animation(
    scene: Scene, path: AnyPath, options: FigureOptions = SCREEN, watch: Watch = NEVER
) -> Path:
    """Write the scene's networks, as steps of a run, as an animated GIF or PNG.

    A frame shows the codes of the step on the spectrum, where there are codes, to one
    scale in all of them, and below it the same kernels at the same places.

    Parameters
    ----------
    path
        ``.gif``, or ``.png`` and ``.apng``, which keep all colours.
    watch
        Told frames done and their number; what it raises leaves no file.

    Raises
    ------
    FigureError
        The kernels have no classes, they do not fit, or the file cannot be written.
    """
    from PIL import Image

    path = Path(path)
    kind = check_suffix(path)
    run = run_of(scene, watch)
    pixels = []
    for number, frame in enumerate(_frames(scene, run, options, watch)):
        text = f"drawing {run.unit} {run.numbers[number]}"
        watch.progress(number, len(run), text)
        pixels.append(frame)
    watch.check()
    paper = rgb(ink(options.dark).paper).astype(np.uint8)
    high = max(map(len, pixels))
    whole = np.empty((len(pixels), high, *pixels[0].shape[1:]), np.uint8)
    whole[:] = paper
    for frame, room in zip(pixels, whole, strict=True):
        room[: len(frame)] = frame
    used = np.flatnonzero((whole != paper).any(axis=(0, 2, 3)))
    high = min(high, int(used.max(initial=0)) + _BORDER)
    frames = [Image.fromarray(room[:high]) for room in whole]
    if kind == "GIF":  # one palette, so that colours do not flicker
        colours = _palette(frames[-1], options)
        frames = [f.quantize(palette=colours, dither=Image.Dither.NONE) for f in frames]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        format=kind,
        save_all=True,
        append_images=frames[1:],
        duration=[*[_FRAME] * (len(frames) - 1), _LAST],
        loop=0,
    )
    write_bytes(path, buffer.getvalue(), watch)
    watch.progress(len(run), len(run))
    return path


def check_suffix(path: Path) -> str:
    """The format of the picture that a name asks for.

    Raises
    ------
    FigureError
        It asks for another one.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        problem = f"{shown(path.name)}: animations are written as GIF or PNG"
        raise FigureError(problem, f"Give the name one of {', '.join(SUFFIXES)}.")
    return kind


def _palette(frame: Image.Image, options: FigureOptions) -> Image.Image:
    """256 colours: those of the last frame, and the classes', which are rare in it."""
    from PIL import Image

    ground = ink(options.dark)
    fixed = [ground.paper, ground.text, *map(ground.of_class, classes_shown())]
    found = (
        frame.quantize(256 - len(fixed), dither=Image.Dither.NONE).getpalette() or []
    )
    colours = Image.new("P", (1, 1))
    own = [int(part) for colour in fixed for part in rgb(colour)]
    colours.putpalette([*own, *found[: 768 - len(own)]])
    return colours


def _frames(
    scene: Scene, run: Run, options: FigureOptions, watch: Watch
) -> Iterator[NDArray[np.uint8]]:
    """RGB [rows, columns, 3] of each step."""
    yardstick, labels, quiet = named(scene), run.labels(scene), watch.quiet()
    chosen = _some(run)
    part = f"; {len(chosen)} of {len(run.layer)} kernels shown"
    part = part if len(chosen) < len(run.layer) else ""
    most = _fullest(run) if yardstick.spectrum is not None else 0
    for step, subject in enumerate(run.subjects):
        coverage = count_labels(labels[step].astype(np.int64)).coverage
        facts = coverage_facts(coverage, yardstick)[0]
        title = (
            f"{run.name}, {size_label(scene.size)}, {run.unit} {run.numbers[step]}: "
            f"{facts}{part}"
        )
        mask = np.zeros(len(subject.kernels), bool)
        mask[run.index[step]] = True
        here = replace(scene, subjects=(replace(subject, shown=mask),))
        headed = replace(options, title=title)
        parts = []
        if most:
            content = replace(prepare_spectrum(here, options, quiet), fullest=most)
            with figure_style():
                parts.append(content.draw(headed, quiet))
            headed = options
        mask = np.zeros(len(subject.kernels), bool)
        mask[run.index[step][chosen]] = True
        here = replace(scene, subjects=(replace(subject, shown=mask),))
        parts.append(_sheet(here, headed, quiet))
        pictures = []
        for page in parts:
            watch.check()
            pictures.append(render_pixels(page.figure, options.dpi)[:, :, :3])
        yield np.concatenate(pictures)


def _sheet(scene: Scene, options: FigureOptions, watch: Watch) -> Page:
    """The kernels in a height that a screen has, or in what they need."""
    content = prepare_sheet(scene, options, watch)
    with figure_style():
        try:
            return content.draw(replace(options, height_mm=_HIGH), watch)
        except FigureError:
            return content.draw(options, watch)


def _some(run: Run) -> NDArray[np.intp]:
    """Which of the run's kernels are shown: of each layer as large a share."""
    total = len(run.layer)
    if total <= _MOST:
        return np.arange(total)
    rng = np.random.default_rng(0)
    parts = []
    for number in range(len(run.layers)):
        mine = np.flatnonzero(run.layer == number)
        wanted = max(1, round(len(mine) * _MOST / total))
        parts.append(np.sort(rng.permutation(mine)[:wanted]))
    return np.concatenate(parts)


def _fullest(run: Run) -> int:
    """Codes in the fullest bin of all steps; 0 if there are none."""
    counts = [
        np.histogram(subject.coding.code[index], bins=BINS, range=(0, 1))[0].max()
        for subject, index in zip(run.subjects, run.index, strict=True)
        if subject.coding is not None
    ]
    return int(max(counts, default=0))
