"""The data of a figure, and the kernels it shows, as files for other programs."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.figures.colours import ink
from kernelviewer.figures.content import FigureError
from kernelviewer.figures.counts import printable
from kernelviewer.figures.kernels import gather
from kernelviewer.figures.options import FigureOptions
from kernelviewer.figures.tiling import Mosaic, as_pictures, palette, quantise
from kernelviewer.figures.writing import failing_as_figure, write_bytes
from kernelviewer.kernels.archive import write_npz
from kernelviewer.kernels.bank import size_key
from kernelviewer.kernels.classes import CLASSES
from kernelviewer.text import csv_text, latex_text, markdown_text, shown
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from kernelviewer.figures.content import Content, Table
    from kernelviewer.figures.scene import Scene
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch


DATA_SUFFIXES = (".csv", ".npz", ".md", ".tex")
KERNEL_SUFFIXES = (".npz", ".safetensors", ".png", ".zip")
_TAP = 8
_BEGIN = (1980, 1, 1, 0, 0, 0)
"""The date of every entry of a zip file: equal data make equal files."""


def write_data(content: Content, path: AnyPath, watch: Watch = NEVER) -> Path:
    """Write exactly what is drawn.

    Parameters
    ----------
    path
        ``.csv`` (the default), ``.md`` and ``.tex`` hold the exhibit's table, ``.npz``
        its arrays.

    Returns
    -------
    Path
        The file, with its suffix.

    Raises
    ------
    FigureError
        The file cannot be written.
    """
    path = Path(path)
    path = _known(path, DATA_SUFFIXES, ".csv")
    suffix = path.suffix.lower()
    if suffix == ".npz":
        _write_npz(path, content.arrays(), watch)
        return path
    writers = {".csv": to_csv, ".md": to_markdown, ".tex": to_latex}
    text = writers[suffix](content.table())
    write_bytes(path, text.encode("utf-8", "backslashreplace"), watch)
    return path


def write_kernels(scene: Scene, path: AnyPath, watch: Watch = NEVER) -> Path:
    """Write the kernels that are shown.

    Parameters
    ----------
    path
        ``.npz`` (the default) and ``.safetensors`` hold what ``kernelviewer extract``
        writes and, where there are any, codes, fits and classes; ``.png`` is one
        picture of all kernels, ``.zip`` a picture of each.
    watch
        Told kernels done and their number; what it raises cancels the writing.

    Raises
    ------
    FigureError
        No kernels are shown, or the file cannot be written.
    """
    path = Path(path)
    path = _known(path, KERNEL_SUFFIXES, ".npz")
    if not scene.count:
        raise FigureError("no kernels are shown", "Show a layer or another size.")
    suffix = path.suffix.lower()
    watch.progress(0, scene.count, shown(path.name))
    if suffix == ".npz":
        _write_npz(path, _gather(scene), watch)
    elif suffix == ".safetensors":
        write_bytes(path, _safetensors(scene), watch)
    elif suffix == ".png":
        write_bytes(path, _png(_tiles(scene, watch)), watch)
    else:
        write_bytes(path, _zipped(scene, watch), watch)
    watch.progress(scene.count, scene.count, shown(path.name))
    return path


def _known(path: Path, suffixes: tuple[str, ...], default: str) -> Path:
    """The path, with the default suffix unless it has one of the known ones."""
    if path.suffix.lower() in suffixes:
        return path
    return path.with_name(path.name + default)


def _gather(scene: Scene) -> dict[str, NDArray[Any]]:
    """All kernels shown, in arrays named as in `kernelviewer.kernels.archive`."""
    parts = [(subject, subject.index) for subject in scene.subjects]
    owner = np.repeat(np.arange(len(parts)), [len(index) for _, index in parts])
    index = np.concatenate([index for _, index in parts])
    key = size_key(scene.size)
    arrays = {
        name if name in ("layers", "sources") else f"{name}_{key}": values
        for name, values in gather(scene.subjects, owner, index).items()
    }
    if any(subject.tags is not None for subject in scene.subjects):
        arrays[f"tags_{key}"] = np.concatenate(
            [
                np.full(len(index), "") if own.tags is None else own.tags[index]
                for own, index in parts
            ]
        )
    codings = [subject.coding for subject in scene.subjects]
    if scene.yardstick is not None and None not in codings:
        known = [(c, i) for c, (_, i) in zip(codings, parts, strict=True) if c]
        threshold = scene.yardstick.threshold
        arrays[f"code_{key}"] = np.concatenate([c.code[i] for c, i in known])
        arrays[f"fit_{key}"] = np.concatenate([c.fit[i] for c, i in known])
        labels = np.concatenate([c.label(threshold)[i] for c, i in known])
        arrays[f"class_{key}"] = labels
        arrays["classes"] = np.array([item.id for item in CLASSES])
    return arrays


def _write_npz(path: Path, arrays: Mapping[str, NDArray[Any]], watch: Watch) -> None:
    with failing_as_figure(path):
        whole = {name: [np.asarray(values)] for name, values in arrays.items()}
        write_npz(path, whole, watch)


def _safetensors(scene: Scene) -> bytes:
    from safetensors.numpy import save

    arrays = _gather(scene)
    texts = {
        name: json.dumps(values.tolist())
        for name, values in arrays.items()
        if values.dtype.kind == "U"
    }
    tensors = {
        name: np.ascontiguousarray(values)
        for name, values in arrays.items()
        if name not in texts
    }
    return bytes(save(tensors, {"size": size_key(scene.size), **texts}))


def _pictures(scene: Scene, watch: Watch) -> Iterator[tuple[str, NDArray[np.uint16]]]:
    """Name and indices of colours [rows, columns] of each kernel shown."""
    for number, subject in enumerate(scene.subjects, 1):
        watch.check()
        kernels, index = subject.kernels, subject.index
        colours = quantise(as_pictures(kernels.weights[index]), kernels.flat[index])
        for picture, i in zip(colours, index, strict=True):
            layer = subject.bank.layers[kernels.layer[i]].name
            folder = (
                subject.name if len(scene.subjects) == 1 else f"{number} {subject.name}"
            )
            name = f"{folder}/{layer}/{kernels.channel[i]:05d}.png"
            yield name, picture


def _tiles(scene: Scene, watch: Watch) -> NDArray[np.uint8]:
    """All kernels in about a square, a tap apart, RGB."""
    pictures = np.stack([picture for _, picture in _pictures(scene, watch)])
    height, width = pictures.shape[1:]
    per_row = max(1, round((len(pictures) * (height + 1) / (width + 1)) ** 0.5))
    lines = -(-len(pictures) // per_row)
    mosaic = Mosaic(lines * (height + 1) - 1, per_row * (width + 1) - 1)
    mosaic.place(pictures, 0, per_row, (height + 1, width + 1))
    options = FigureOptions()
    return mosaic.picture(palette(options, ink(options.dark)), _TAP)


def _zipped(scene: Scene, watch: Watch) -> bytes:
    """A picture of each kernel, in a folder for each network and layer."""
    options = FigureOptions()
    colours = palette(options, ink(options.dark))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (name, picture) in enumerate(_pictures(scene, watch)):
            watch.progress(number, scene.count, name)
            tile = colours[picture].repeat(_TAP, axis=0).repeat(_TAP, axis=1)
            safe = re.sub(r'[\\:*?"<>|\x00-\x1f]', "_", printable(name))
            safe = safe.replace("..", "__")
            archive.writestr(zipfile.ZipInfo(safe, date_time=_BEGIN), _png(tile))
    return buffer.getvalue()


def _png(colours: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, format="png")
    return buffer.getvalue()


def to_csv(table: Table) -> str:
    """Comma separated, a heading line first, lines ended by a line feed.

    Numbers have all their digits; what is not known is empty; no text is a formula.
    """
    return _separated(table, ",")


def to_tsv(table: Table) -> str:
    """The same with tabulators, as spreadsheets take it from the clipboard."""
    return _separated(table, "\t")


def _separated(table: Table, delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(map(csv_text, table.columns))
    writer.writerows(
        [_exact(value) for value in row]
        for row in zip(*table.columns.values(), strict=True)
    )
    return text.getvalue()


def to_markdown(table: Table) -> str:
    """A pipe table; numbers to the right, with the digits that matter."""
    rows = [list(table.columns), *_rows(table)]
    rows = [[markdown_text(cell) for cell in row] for row in rows]
    numeric = _numeric(table)
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rule = [
        "-" * (w - 1) + (":" if n else "-")
        for w, n in zip(widths, numeric, strict=True)
    ]
    lines = [rows[0], rule, *rows[1:]]
    return "".join(
        f"| {' | '.join(_padded(row, widths, numeric))} |\n" for row in lines
    )


def to_latex(table: Table) -> str:
    """A ``tabular`` with the rules of the booktabs package."""
    columns = "".join("r" if numeric else "l" for numeric in _numeric(table))
    lines = [
        "% \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        " & ".join(map(latex_text, table.columns)) + r" \\",
        "\\midrule",
        *(" & ".join(map(latex_text, row)) + r" \\" for row in _rows(table)),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _rows(table: Table) -> Iterator[list[str]]:
    for row in zip(*table.columns.values(), strict=True):
        yield [_short(value) for value in row]


def _numeric(table: Table) -> list[bool]:
    return [
        all(isinstance(value, int | float) for value in column)
        for column in table.columns.values()
    ]


def _padded(row: list[str], widths: list[int], numeric: list[bool]) -> list[str]:
    return [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(row, widths, numeric, strict=True)
    ]


def _exact(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else ""
    return csv_text(value) if isinstance(value, str) else str(value)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if math.isfinite(value) else "–"
    return str(value)
