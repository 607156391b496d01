"""Figures for papers: plain data in, matplotlib figures, files and tables out.

>>> import kernelviewer as kv
>>> from kernelviewer.figures import FigureOptions, make_figure, make_scene
>>> from kernelviewer.files import resource
>>> checkpoint = kv.open_checkpoint(resource("sample", "sample.safetensors"))
>>> scene = make_scene([kv.extract_kernels(checkpoint)])
>>> drawn = make_figure("sheet", scene, FigureOptions(width_mm=89))
>>> drawn.figure
<Figure size ...>

``drawn.write(path)`` writes SVG, PDF or PNG. matplotlib is imported when a figure is
drawn; pyplot never is.
"""

from __future__ import annotations

from kernelviewer.figures.content import FigureError
from kernelviewer.figures.drawn import Drawn, make_figure
from kernelviewer.figures.exhibits import EXHIBITS
from kernelviewer.figures.naming import FigureNaming, name_scene
from kernelviewer.figures.options import PRESETS, FigureOptions
from kernelviewer.figures.scene import Scene, Subject, make_scene

# fmt: off
__all__ = [
    "EXHIBITS", "PRESETS", "Drawn", "FigureError", "FigureNaming", "FigureOptions",
    "Scene", "Subject", "make_figure", "make_scene", "name_scene",
]
# fmt: on
