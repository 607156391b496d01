"""``kernelviewer desktop``: what it writes, and that it leaves nothing."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kernelviewer.cli import main
from kernelviewer.commands import desktop

pytestmark = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="menus of Linux desktops"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*kernelviewer*.*")}


def test_install_and_remove(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder / "applications" / "other.desktop"
    other.parent.mkdir(parents=True)
    other.write_text("mine")
    assert main(["desktop", "--install"]) == 0
    written = files(folder)
    assert "applications/kernelviewer.desktop" in written
    assert "icons/hicolor/48x48/apps/kernelviewer.png" in written
    assert "icons/hicolor/scalable/apps/kernelviewer.svg" in written
    assert str(folder) in capsys.readouterr().out
    assert main(["desktop", "--install"]) == 0
    assert main(["desktop", "--remove"]) == 0
    assert not {name for name in files(folder) if "kernelviewer" in name}
    assert other.read_text() == "mine"
    assert main(["desktop", "--remove"]) == 0


def test_the_entry_starts_this_program(folder: Path) -> None:
    main(["desktop", "--install"])
    path = folder / "applications" / "kernelviewer.desktop"
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(path, "utf-8")
    program, files = entry["Desktop Entry"]["Exec"].rsplit(" ", 1)
    assert files == "%F"
    assert Path(program.strip('"')).name == "kernelviewer"
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", str(path)], check=True)


def test_every_type_of_the_entry_is_declared(folder: Path) -> None:
    main(["desktop", "--install"])
    entry = (folder / "applications" / "kernelviewer.desktop").read_text("utf-8")
    line = next(x for x in entry.splitlines() if x.startswith("MimeType="))
    wanted = set(line.removeprefix("MimeType=").strip(";").split(";"))
    declared = ElementTree.parse(folder / "mime" / "packages" / "kernelviewer.xml")
    assert wanted == {item.get("type") for item in declared.getroot()}


def test_the_metainfo_is_valid(folder: Path) -> None:
    main(["desktop", "--install"])
    path = folder / "metainfo" / "org.kernelviewer.kernelviewer.metainfo.xml"
    ElementTree.parse(path)
    if not shutil.which("appstreamcli"):
        pytest.skip("appstreamcli is not installed")
    words = ["appstreamcli", "validate", "--no-net", str(path)]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_text("a file")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert main(["desktop", "--install"]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("/usr/bin/kernelviewer", "/usr/bin/kernelviewer"),
        ("/home/a b/kernelviewer", '"/home/a b/kernelviewer"'),
        ("/opt/50%/kernelviewer", '"/opt/50%%/kernelviewer"'),
        ("/home/50%/kernel$viewer", '"/home/50%%/kernel\\\\$viewer"'),
    ],
)
def test_odd_paths_are_quoted(path: str, quoted: str) -> None:
    assert desktop._quoted(path) == quoted


def test_one_of_the_two_has_to_be_said() -> None:
    with pytest.raises(SystemExit) as stop:
        main(["desktop"])
    assert stop.value.code == 2
