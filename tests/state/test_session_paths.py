"""Where a session's files are: beside it, moved with it, moved away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.state.session.paths import find, find_moved, path_from

if TYPE_CHECKING:
    from pathlib import Path


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_paths_are_written_from_the_sessions_folder(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "sessions"
    assert path_from(folder, folder / "a.pth") == "a.pth"
    assert path_from(folder, tmp_path / "nets" / "b.pth") == "../../nets/b.pth"
    assert path_from(None, tmp_path / "b.pth") == (tmp_path / "b.pth").as_posix()


def test_a_folder_that_moves_as_a_whole_keeps_its_files(tmp_path: Path) -> None:
    net = touch(tmp_path / "old" / "nets" / "a.pth")
    written = path_from(tmp_path / "old" / "sessions", net)
    (tmp_path / "old").rename(tmp_path / "new")
    folder = tmp_path / "new" / "sessions"
    assert find(folder, written) == tmp_path / "new" / "nets" / "a.pth"


def test_a_file_beside_the_session_is_found(tmp_path: Path) -> None:
    beside = touch(tmp_path / "sent" / "a.pth")
    assert find(tmp_path / "sent", "../../data/a.pth") == beside
    assert find(tmp_path / "sent", "../../data/b.pth") is None


def test_a_linked_folder_leads_to_its_files(tmp_path: Path) -> None:
    net = touch(tmp_path / "data" / "a.pth")
    (tmp_path / "deep" / "real").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "deep" / "real")
    written = path_from(link, net)
    assert written == "../data/a.pth"
    found = find(link, written)
    assert found is not None
    assert found.samefile(net)


def test_files_that_moved_the_same_way_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    new = tmp_path / "disk" / "archive"
    now = touch(new / "convnext" / "a.pth")
    tiny = touch(new / "mobile" / "tiny" / "b.pth")
    missing = ["../nets/convnext/a.pth", "../nets/mobile/tiny/b.pth", "../nets/c.pth"]
    found = find_moved(folder, missing, {missing[0]: now})
    assert found == {missing[1]: tiny}


def test_files_put_into_one_folder_are_found(tmp_path: Path) -> None:
    now = touch(tmp_path / "all" / "a.pth")
    other = touch(tmp_path / "all" / "b.pth")
    missing = ["x/a.pth", "y/z/b.pth"]
    assert find_moved(tmp_path, missing, {"x/a.pth": now}) == {"y/z/b.pth": other}


def test_a_renamed_file_still_shows_the_way(tmp_path: Path) -> None:
    now = touch(tmp_path / "new" / "renamed.pth")
    other = touch(tmp_path / "new" / "sub" / "b.pth")
    missing = ["old/a.pth", "old/sub/b.pth"]
    assert find_moved(tmp_path, missing, {"old/a.pth": now}) == {"old/sub/b.pth": other}
