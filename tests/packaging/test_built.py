"""The wheel and the sdist, installed away from the clone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy
import pytest

from kernelviewer import __version__

ROOT = Path(__file__).parents[2]


def run(*words: str | Path, cwd: Path, **variables: str) -> str:
    result = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env={
            **{name: text for name, text in os.environ.items() if name != "PYTHONPATH"},
            "QT_QPA_PLATFORM": "offscreen",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    hatch = (sys.executable, "-m", "hatchling", "build")
    run(*hatch, "-t", "sdist", "-d", folder, cwd=ROOT)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    source = next(path for path in folder.iterdir() if path.is_dir())
    run(*hatch, "-t", "wheel", "-d", folder, cwd=source)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, and ours for the rest.

    Libraries are found through a path file; what is installed in place is not, since
    path files in such a folder don't count.
    """
    folder = tmp_path_factory.mktemp("environment")
    has_pip = find_spec("pip") is not None
    venv.create(folder, with_pip=not has_pip)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    wheel = next(built.glob("*.whl"))
    pip = (sys.executable, "-m", "pip", "--python", python)
    pip = pip if has_pip else (python, "-m", "pip")
    run(*pip, "install", "--no-deps", "--no-compile", "-q", wheel, cwd=folder)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(python, "-c", code, cwd=folder).strip())
    libraries = Path(numpy.__file__).parents[1]
    (packages / "libraries.pth").write_text(f"{libraries}\n")
    return programs


def test_the_wheel_holds_program_data_and_types(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(
            next(name for name in names if name.endswith("/METADATA"))
        ).decode()
    for name in (
        "kernelviewer/py.typed",
        "kernelviewer/data/sample/sample.safetensors",
        "kernelviewer/data/desktop/kernelviewer.desktop",
    ):
        assert name in names
    assert not [name for name in names if name.startswith("tests/")]
    assert f"Version: {__version__}\n" in metadata
    assert "Author: kernelviewer developers\n" in metadata


def test_installed_away_from_the_clone(installed: Path, tmp_path: Path) -> None:
    program = installed / "kernelviewer"
    python = installed / "python"
    assert run(program, "--version", cwd=tmp_path) == f"kernelviewer {__version__}\n"
    code = """
import kernelviewer
from kernelviewer.cli import main
from kernelviewer.files import resource
print(kernelviewer.__file__)
print(sample := str(resource("sample", "sample.safetensors")))
for words in (
    ("info", sample),
    ("label", sample, "-o", "labels.csv"),
    ("figure", "composition", sample, "-o", "figure.svg"),
):
    assert not main([*words]), words
"""
    place, sample, *told = run(python, "-c", code, cwd=tmp_path).splitlines()
    assert Path(place).is_relative_to(installed.parent)
    assert any("880" in line for line in told)
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 881
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")
    run(program, sample, "--screenshot", "window.png", cwd=tmp_path)
    assert (tmp_path / "window.png").read_bytes().startswith(b"\x89PNG")


def test_the_version_stands_once_and_is_told_alike() -> None:
    def found(name: str, pattern: str) -> list[str]:
        return re.findall(pattern, (ROOT / name).read_text("utf-8"), re.M)

    assert found("CITATION.cff", r"^version: (\S+)$") == [__version__]
    recipe = "resources/packaging/conda/meta.yaml"
    assert found(recipe, r'set version = "(.+?)"') == [__version__]
    metainfo = "resources/desktop/kernelviewer.metainfo.xml"
    assert found(metainfo, r'<release version="(.+?)"')[0] == __version__


def test_the_recipe_asks_for_what_the_package_asks_for() -> None:
    recipe = (ROOT / "resources/packaging/conda/meta.yaml").read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    block = re.search(r"^dependencies = \[\n(.*?)^\]", project, re.M | re.S)
    assert block is not None
    conda = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
    for line in re.findall(r'"(.+?)"', block[1]):
        name, versions = re.match(r"([\w-]+)(.*)", line).groups()  # type: ignore[union-attr]
        name = conda.get(name, name.removesuffix("-Essentials").lower())
        assert f"- {name} {versions}\n" in recipe
