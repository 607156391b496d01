"""How long figures take; prints, gates on nothing.

Run with ``pytest -s tests/speed/test_figures.py``. Processor time is that of all
threads together, so that what else the machine does matters little.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from kernelviewer.figures import (
    EXHIBITS,
    FigureNaming,
    FigureOptions,
    make_figure,
    make_scene,
    name_scene,
)
from kernelviewer.figures.report import Report
from kernelviewer.figures.writing import render, render_pixels
from kernelviewer.formats import open_checkpoint
from kernelviewer.kernels import extract_kernels
from kernelviewer.latent.autoencoder import shipped
from tests.figures.scenes import make_bank, named, scene_of
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NETWORK = "mcunet-in3-cifar100-best-sanchoo1.pth"
"""3 416 kernels of three sizes."""
PREVIEW_DPI = 110


def spent(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


def test_a_sheet_of_ten_thousand_kernels() -> None:
    scene = named(make_bank([(f"stages.{i}.conv_dw", 500) for i in range(20)]))
    make_figure("sheet", named(make_bank()))
    data = b""

    def make() -> None:
        nonlocal data
        data = render(make_figure("sheet", scene).figure, ".svg", {})

    wall, processor = spent(make)
    print(
        f"\nsheet of 10 000 kernels as SVG: {wall:.2f} s, {processor:.2f} s processor"
    )
    print(f"  {len(data) / 1e6:.2f} MB (goal: 2 s, 3 MB)")


@pytest.mark.parametrize("kind", EXHIBITS)
def test_a_preview_after_an_option_changed(kind: str) -> None:
    scene = scene_of(kind, make_bank([("a", 1200)]))
    content = make_figure(kind, scene).content

    def change(size: float) -> None:
        options = FigureOptions(font_size=size)
        drawn = make_figure(kind, scene, options, content=content)
        render_pixels(drawn.figure, PREVIEW_DPI)

    change(7.1)
    times = [spent(lambda size=size: change(size)) for size in (7.2, 7.3, 7.4)]
    wall, processor = (sorted(column)[1] for column in zip(*times, strict=True))
    print(
        f"\npreview of {kind}: {1e3 * wall:.0f} ms, {1e3 * processor:.0f} ms processor"
    )


@needs_checkpoints
@pytest.mark.timeout(600)
def test_a_report_of_three_thousand_kernels(tmp_path: Path) -> None:
    bank = extract_kernels(open_checkpoint(CHECKPOINTS / NETWORK))
    size = next(iter(bank.sizes))
    warm = name_scene(
        make_scene([bank], size), FigureNaming(shipped(size)), device="cpu"
    )
    make_figure("sheet", warm)
    report = Report(tmp_path, FigureOptions(), lambda size: named)
    wall, processor = spent(lambda: report.write([bank]))
    print(f"\nreport of {len(bank)} kernels in {len(bank.sizes)} sizes: {wall:.1f} s,")
    print(f"  {processor:.1f} s processor (goal: 20 s)")
