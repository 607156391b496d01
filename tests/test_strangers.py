"""Which paths that others wrote may be touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernelviewer.strangers import is_plain, is_remote, reach

SHARES = [
    "//server/share/net.pth",
    "\\\\server\\share\\net.pth",
    "/\\server\\share\\net.pth",
    "\\\\?\\UNC\\server\\share\\net.pth",
    "\\\\.\\pipe\\name",
    "\\??\\UNC\\server\\share",
    "/dev/stdin",
    "/x/../dev/zero",
    "/proc/self/mem",
]
OUTSIDE = ["../net.pth", "a/../../net.pth", "/etc/passwd", "..", ".", "a/.."]
INSIDE = ["net.pth", "nets/net.pth", "nets/../net.pth", "nul.pth", "./a b.pth"]


@pytest.mark.parametrize("written", SHARES)
def test_shares_and_devices_are_never_touched(written: str) -> None:
    assert is_remote(written)
    assert reach(Path("/home/me/sent"), written) == "never"


@pytest.mark.parametrize("written", OUTSIDE)
def test_what_leads_out_is_outside(written: str, tmp_path: Path) -> None:
    assert reach(tmp_path, written) == "outside"


@pytest.mark.parametrize("written", INSIDE)
def test_what_stays_is_inside(written: str, tmp_path: Path) -> None:
    assert reach(tmp_path, written) == "inside"
    assert reach(tmp_path, str(tmp_path / written)) == "inside"


@pytest.mark.parametrize(
    "written", ["NUL", "nets/com1.pth", "C:/nets/LPT¹", "a.pth:stream", "aux .x/n.pth"]
)
def test_names_that_are_devices_on_windows(written: str) -> None:
    assert is_remote(written, windows=True)
    assert not is_remote(written, windows=False)


def test_usual_windows_paths_are_no_devices() -> None:
    assert not is_remote("C:\\nets\\common.pth", windows=True)
    assert not is_remote("nets/console/auxiliary.pth", windows=True)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "\\\\s\\x", "/x", "a\0"]
)
def test_names_with_folders_are_not_plain(name: str) -> None:
    assert not is_plain(name)
    assert is_plain("net..v2.safetensors")


def test_links_are_followed_as_text(tmp_path: Path) -> None:
    folder = tmp_path / "sent"
    (folder / "real").mkdir(parents=True)
    (folder / "real" / "net.pth").touch()
    for name, target in {
        "in": "real",
        "again": "in",
        "up": "..",
        "abroad": "//server/share",
        "ring": "ring",
        "self": ".",
        "etc": "/etc",
    }.items():
        (folder / name).symlink_to(target)
    assert reach(folder, "in/net.pth") == "inside"
    assert reach(folder, "again/net.pth") == "inside"
    assert reach(folder, "self/real/net.pth") == "inside"
    assert reach(folder, "up/net.pth") == "outside"
    assert reach(folder, "in/../up/sent/real/net.pth") == "outside"
    assert reach(folder, "etc/passwd") == "outside"
    assert reach(folder, "self") == "outside"
    assert reach(folder, "abroad/net.pth") == "never"
    assert reach(folder, "ring/net.pth") == "never"
    (tmp_path / "mine").symlink_to(folder)
    assert reach(tmp_path / "mine", "real/net.pth") == "inside"
