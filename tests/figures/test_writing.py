"""Files: whole or not at all, equal for equal figures, text as text, dpi inside."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.figures import FigureError, FigureOptions, Scene, make_figure
from kernelviewer.figures.provenance import read_record
from kernelviewer.figures.writing import render, render_pixels, with_suffix
from tests.figures.reading import Svg
from tests.figures.scenes import make_bank, named
from tests.recorder import EndedError, Recorder

if TYPE_CHECKING:
    from kernelviewer.figures import Drawn

SUFFIXES = (".svg", ".pdf", ".png")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    options = FigureOptions(width_mm=89.0, title="Classes (a) & \\ more")
    return make_figure("classes", named(make_bank(name="nét")), options)


@pytest.fixture(scope="module")
def written(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The figure's file of each format."""
    folder = tmp_path_factory.mktemp("written")
    return {suffix: drawn.write(folder / f"figure{suffix}") for suffix in SUFFIXES}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("figure", "figure.svg"),
        ("figure.PDF", "figure.PDF"),
        ("net.v2", "net.v2.svg"),
        ("a.b.png", "a.b.png"),
    ],
)
def test_a_missing_suffix_is_added(given: str, expected: str) -> None:
    assert with_suffix(Path(given)) == Path(expected)


def test_other_picture_formats_are_refused_by_name() -> None:
    with pytest.raises(FigureError, match=r"x\.jpg: figures are written as SVG"):
        with_suffix(Path("x.jpg"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_tells_how_to_make_it_again(
    drawn: Drawn, written: dict[str, Path], suffix: str
) -> None:
    path = written[suffix]
    assert read_record(path) == drawn.record
    assert str(path.parent).encode() not in path.read_bytes()


def test_equal_figures_are_equal_files() -> None:
    first, again = (
        make_figure("pca", named(make_bank()), FigureOptions(width_mm=89.0, dpi=150))
        for _ in range(2)
    )
    for suffix in SUFFIXES:
        data = render(first.figure, suffix, first.metadata())
        assert data == render(again.figure, suffix, again.metadata()), suffix
        assert data == render(first.figure, suffix, first.metadata()), suffix


FACTS = """
import hashlib, inspect, json, sys
documented = sys.argv[1] == "documented"
facts = {}
import kernelviewer.figures
facts["before"] = sorted(sys.modules)
from kernelviewer.figures.fonts import figure_style, load_matplotlib
load_matplotlib(documented=documented)
from matplotlib.artist import kwdoc
from matplotlib.lines import Line2D
texts = Line2D.set.__doc__, kwdoc(Line2D)
facts["told"] = ["dash_capstyle" in text for text in texts]
facts["space"] = "mpl_toolkits.mplot3d" in sys.modules
with figure_style():
    pass
from matplotlib import dviread
facts["style"] = "matplotlib.style" in sys.modules
signature = lambda artist: "marker" in inspect.signature(artist.set).parameters
facts["signature"] = signature(Line2D)
Line2D([], []).set(marker="o", lw=2)
class Own(Line2D): pass
facts["own signature"] = signature(Own)
from tests.figures.scenes import make_bank, named
from kernelviewer.figures import Scene, make_figure
from kernelviewer.figures.writing import render
make_figure("family", Scene((), (7, 7)))
drawn = make_figure("classes", named(make_bank()))
facts["after"] = sorted(sys.modules)
facts["files"] = [
    hashlib.sha256(render(drawn.figure, suffix, drawn.metadata())).hexdigest()
    for suffix in (".svg", ".pdf")
]
if not documented:
    glyphs = sys.modules["fontTools.agl"]
    facts["glyphs"] = type(glyphs).__name__, glyphs.toUnicode("alpha")
    facts["glyphs"] += (type(glyphs).__name__,)
import mpl_toolkits.mplot3d
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def processes() -> dict[str, dict[str, Any]]:
    """What is so where matplotlib was imported with its tables of properties, and
    where without, in processes of different hashes.
    """
    return {
        how: json.loads(
            subprocess.run(
                [sys.executable, "-c", FACTS, how],
                cwd=ROOT,
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                encoding="utf-8",
                check=True,
            ).stdout
        )
        for seed, how in (("1", "documented"), ("2", "bare"))
    }


def test_equal_figures_are_equal_in_another_process(
    processes: dict[str, dict[str, Any]],
) -> None:
    """Also where matplotlib was imported without its tables of properties."""
    first, second = (facts["files"] for facts in processes.values())
    assert first == second
    assert len(first) == 2


def test_only_commands_leave_out_what_matplotlib_says_of_properties(
    processes: dict[str, dict[str, Any]],
) -> None:
    documented, bare = processes["documented"], processes["bare"]
    assert (documented["told"], documented["space"]) == ([True, True], True)
    assert (bare["told"], bare["space"]) == ([False, True], False)


def test_what_a_command_leaves_out_of_matplotlib_comes_when_it_is_used(
    processes: dict[str, dict[str, Any]],
) -> None:
    bare = processes["bare"]
    assert not bare["style"]
    assert not bare["signature"]
    assert bare["own signature"]
    assert bare["glyphs"] == ["_LazyModule", "α", "module"]


def test_pyplot_qt_and_torch_are_never_imported(
    processes: dict[str, dict[str, Any]],
) -> None:
    for facts in processes.values():
        assert not {"matplotlib", "torch"} & {*facts["before"]}
        assert not {"matplotlib.pyplot", "PySide6", "torch"} & {*facts["after"]}


def test_png_holds_its_resolution(tmp_path: Path) -> None:
    from PIL import Image

    options = FigureOptions(width_mm=89.0, dpi=130)
    path = make_figure("sheet", named(make_bank()), options).write(tmp_path / "a.png")
    with Image.open(path) as picture:
        assert picture.info["dpi"] == pytest.approx((130, 130), abs=0.02)
        assert picture.width == round(89 / 25.4 * 130)


def test_pdf_embeds_its_fonts_and_keeps_text(written: dict[str, Path]) -> None:
    data = written[".pdf"].read_bytes()
    assert b"/FontFile2" in data
    assert b"/Subtype /Type3" not in data
    assert b"/CIDFontType2" in data or b"/TrueType" in data
    streams = b"".join(
        zlib.decompress(part)
        for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.S)
        if part[:1] == b"x"
    )
    assert b" Tj" in streams or b" TJ" in streams


def test_svg_text_is_text_with_fallback_families(drawn: Drawn) -> None:
    svg = Svg(drawn.figure)
    assert "On-centre" in svg.texts
    assert "Classes (a) & \\ more" in svg.texts
    styles = re.findall(rb"<text style=\"([^\"]+)\"", svg.data)
    families = [re.split(rb"font-family: |\dpx ", style)[-1] for style in styles]
    families = [family.partition(b";")[0] for family in families]
    assert families
    for family in families:
        assert family.endswith(b"sans-serif")
        assert b"Arial" in family
        assert b"DejaVu Sans" in family


def test_kernels_are_crisp_in_svg(drawn: Drawn) -> None:
    svg = Svg(drawn.figure)
    assert svg.data.count(b"image-rendering:pixelated") == len(svg.images) == 2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_hold_no_time(written: dict[str, Path], suffix: str) -> None:
    data = written[suffix].read_bytes()
    assert b"CreationDate" not in data
    assert b"<dc:date>" not in data
    assert b"tIME" not in data


def test_a_missing_folder_is_said(drawn: Drawn, tmp_path: Path) -> None:
    with pytest.raises(FigureError, match=r"a\.svg: .* there is no such folder"):
        drawn.write(tmp_path / "none" / "a.svg")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere"
)
def test_a_read_only_folder_is_said(drawn: Drawn, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FigureError, match="may not be written to"):
            drawn.write(tmp_path / "a.svg")
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_leaves_the_old_file(
    drawn: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.svg"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FigureError, match="the disk is full"):
        drawn.write(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_in_mid_write_leaves_nothing(
    drawn: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        drawn.write(tmp_path / "a.svg")
    assert list(tmp_path.iterdir()) == []


def test_a_preview_is_the_figure_at_another_resolution(drawn: Drawn) -> None:
    pixels = render_pixels(drawn.figure, 100)
    width, height = drawn.figure.get_size_inches()
    assert pixels.shape == (int(height * 100), int(width * 100), 4)
    assert drawn.figure.dpi == 300
    assert (pixels[:, :, :3] != 255).any()


def test_the_users_own_settings_of_matplotlib_stay(drawn: Drawn) -> None:
    import matplotlib as mpl

    before = {
        name: mpl.rcParams[name]
        for name in ("svg.fonttype", "font.size", "svg.hashsalt")
    }
    with mpl.rc_context({"font.size": 31, "axes.facecolor": "red"}):
        again = make_figure(
            "classes",
            named(make_bank(name="nét")),
            FigureOptions(width_mm=89.0, title="Classes (a) & \\ more"),
        )
        assert render(again.figure, ".svg", {}) == render(drawn.figure, ".svg", {})
        assert mpl.rcParams["font.size"] == 31
    assert {name: mpl.rcParams[name] for name in before} == before


def test_figures_can_be_drawn_in_several_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def one(number: int) -> bytes:
        bank = make_bank([("layer", 20 + number % 2)])
        return Svg(make_figure("sheet", named(bank)).figure).data

    expected = [one(0), one(1)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(8)))
    assert found == [expected[number % 2] for number in range(8)]


def test_pixels_of_png_and_preview_agree(tmp_path: Path) -> None:
    from PIL import Image

    drawn = make_figure(
        "family", Scene((), (7, 7)), FigureOptions(width_mm=89.0, dpi=120)
    )
    path = drawn.write(tmp_path / "a.png")
    with Image.open(path) as picture:
        assert np.array_equal(
            np.asarray(picture.convert("RGBA")), render_pixels(drawn.figure, 120)
        )


def test_a_figure_cancelled_while_it_is_written_leaves_nothing(tmp_path: Path) -> None:
    drawn = make_figure("sheet", named(make_bank()))
    (tmp_path / "old.svg").write_text("old")
    for name in ("new.svg", "old.svg", "new.pdf"):
        with pytest.raises(EndedError):
            drawn.write(tmp_path / name, Recorder(end=1))
    assert [path.name for path in tmp_path.iterdir()] == ["old.svg"]
    assert (tmp_path / "old.svg").read_text() == "old"
