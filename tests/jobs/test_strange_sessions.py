"""Sessions from somebody else: nothing outside their folder is touched unasked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kernelviewer.files import file_hash
from kernelviewer.jobs.runner import run_now
from kernelviewer.jobs.sessions import (
    Lacking,
    Reopened,
    Wanted,
    look_along,
    open_session,
    write_session,
)
from kernelviewer.state.document import Document
from kernelviewer.state.keys import KeyChoice
from kernelviewer.state.session.files import recovery_folder
from kernelviewer.state.session.form import Look
from kernelviewer.state.session.paths import known_files
from tests.networks import write_network
from tests.odd_files import write_odd_network
from tests.test_strangers import SHARES
from tests.watching import watch

if TYPE_CHECKING:
    from pathlib import Path

EMPTY: dict[str, Any] = {
    "format": "kernelviewer session",
    "version": 1,
    "program": "",
    "saved": "",
    "autoencoders": {},
    "thresholds": {},
    "stretches": {},
    "selection": [],
    "scope": {},
    "position": 0.5,
    "display": {},
    "look": {},
}


def write_strange(path: Path, *written: str, sha256: str = "", coder: str = "") -> Path:
    """A session that names networks, and perhaps an autoencoder, in such a way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = dict(EMPTY)
    values["networks"] = [
        {"path": name, "sha256": sha256, "bytes": 1} for name in written
    ]
    if coder:
        values["autoencoders"] = {"7x7": {"path": coder, "sha256": ""}}
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def read(path: Path, answers: Any = None) -> Reopened | Lacking:
    found = run_now(open_session, path, answers or {}, Document().new_model)
    assert isinstance(found, Reopened | Lacking)
    return found


def lacking(path: Path) -> Lacking:
    found = read(path)
    assert isinstance(found, Lacking)
    return found


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A network of the user's that a stranger's session names."""
    (tmp_path / "mine").mkdir()
    return write_network(tmp_path / "mine" / "secret.safetensors")


@pytest.mark.parametrize("kind", ["relative", "absolute", "link", "linked folder"])
def test_what_lies_outside_is_asked_for_and_not_touched(
    kind: str, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = tmp_path / "sent"
    sent.mkdir()
    (sent / "link.safetensors").symlink_to(secret)
    (sent / "folder").symlink_to(secret.parent)
    written = {
        "relative": "../mine/secret.safetensors",
        "absolute": str(secret),
        "link": "link.safetensors",
        "linked folder": "folder/secret.safetensors",
    }[kind]
    session = write_strange(sent / "s.kvsession", written, coder=written)
    touched = watch(monkeypatch)
    (missing,) = lacking(session).missing
    monkeypatch.undo()
    assert str(session) in touched
    assert not [path for path in touched if path.startswith(str(secret.parent))]
    assert missing.outside is not None
    assert missing.outside.samefile(secret)
    found = read(session, {missing.key: missing.outside})
    assert isinstance(found, Reopened)
    assert len(found.work.models) == 1


@pytest.mark.parametrize("written", SHARES)
def test_shares_and_devices_are_never_touched(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = write_strange(tmp_path / "s.kvsession", written, "../known.pth")
    session_text = session.read_text(encoding="utf-8")
    touched = watch(monkeypatch)
    found = lacking(session)
    monkeypatch.undo()
    assert found.missing[0].where == written
    allowed = (str(tmp_path), str(recovery_folder().parent))
    assert [p for p in touched if not p.startswith(allowed) and "server" in p] == []
    assert not [p for p in touched if p.startswith(("/dev", "/proc", "//"))]
    assert session.read_text(encoding="utf-8") == session_text


def test_a_device_is_not_even_offered(tmp_path: Path) -> None:
    session = write_strange(tmp_path / "s.kvsession", "/dev/zero", "//server/share/n")
    device, share = lacking(session).missing
    assert device.outside is None
    assert share.outside is not None


def test_a_file_of_the_name_beside_the_session_needs_the_hash(
    secret: Path, tmp_path: Path
) -> None:
    (tmp_path / "sent").mkdir()
    beside = write_network(tmp_path / "sent" / "secret.safetensors")
    same = write_strange(
        tmp_path / "sent" / "s.kvsession", str(secret), sha256=file_hash(beside)
    )
    found = read(same)
    assert isinstance(found, Reopened)
    assert found.work.models[0].bank.path == beside
    other = write_strange(
        tmp_path / "sent" / "t.kvsession", str(secret), sha256="0" * 64
    )
    assert lacking(other).missing[0].outside == secret


def test_ones_own_sessions_open_without_a_question(
    secret: Path, tmp_path: Path
) -> None:
    document = Document()
    first = write_strange(tmp_path / "mine" / "a.kvsession", secret.name)
    found = read(first)
    assert isinstance(found, Reopened)
    document.restore(found.work)
    own = tmp_path / "sessions" / "own.kvsession"
    own.parent.mkdir()
    run_now(write_session, own, Wanted(document.work, Look(), "2030-01-01T00:00:00Z"))
    again = read(own)
    assert isinstance(again, Reopened)
    assert again.work.models[0].bank.path == secret


def test_the_users_word_is_remembered(secret: Path, tmp_path: Path) -> None:
    session = write_strange(tmp_path / "sent" / "s.kvsession", str(secret))
    (missing,) = lacking(session).missing
    assert not known_files()
    assert isinstance(read(session, {missing.key: secret}), Reopened)
    assert isinstance(read(session), Reopened)


def test_an_earlier_word_does_not_count_for_a_share(tmp_path: Path) -> None:
    from kernelviewer.state.session.paths import note_files

    note_files(["//server/share/n.pth"])
    session = write_strange(tmp_path / "s.kvsession", "//server/share/n.pth")
    assert lacking(session).missing[0].outside is not None


def test_recovery_files_are_trusted(secret: Path) -> None:
    kept = write_strange(recovery_folder() / "1-a.kvsession", str(secret))
    assert isinstance(read(kept), Reopened)


def test_what_moved_along_lies_near_what_was_located(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = write_strange(
        tmp_path / "sent" / "s.kvsession", "/x/gone.pth", "/net/evil/secret.safetensors"
    )
    found = lacking(session)
    touched = watch(monkeypatch)
    sightings = run_now(
        look_along, session.parent, found.missing, {found.missing[0].key: secret}
    )
    monkeypatch.undo()
    assert set(sightings) == {item.key for item in found.missing}
    assert not [path for path in touched if path.startswith("/net")]


def test_a_network_of_odd_names_comes_back(tmp_path: Path) -> None:
    from kernelviewer.jobs.tasks import load

    odd = write_odd_network(tmp_path)
    document = Document()
    document.open(run_now(load, odd))
    path = tmp_path / odd.name.replace(".safetensors", ".kvsession")
    run_now(write_session, path, Wanted(document.work, Look(), "2030-01-01T00:00:00Z"))
    found = read(path)
    assert isinstance(found, Reopened)
    assert found.work.models[0].bank.path == odd
    odd.unlink()
    (missing,) = lacking(path).missing
    missing.name.encode()
    missing.where.encode()


def test_a_file_of_keys_is_asked_for_as_a_network_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    mine = tmp_path / "mine" / "keys.csv"
    mine.write_text("key,row,column,value\n")
    session = write_strange(tmp_path / "sent" / "s.kvsession")
    values = json.loads(session.read_text())
    for written in (str(mine), "../mine/keys.csv", "//server/share/keys.csv"):
        values["keys"] = {"by": "file", "path": written}
        session.write_text(json.dumps(values))
        with monkeypatch.context() as patch:
            touched = watch(patch)
            (missing,) = lacking(session).missing
        assert missing.name == "keys.csv"
        assert not [path for path in touched if "/mine" in path or "server" in path]
        without = read(session, {missing.key: None})
        assert isinstance(without, Reopened)
        assert without.notes == ("The keys of keys.csv were left out",)
        assert without.work.marks.keys == KeyChoice()
    found = read(session, {missing.key: mine})
    assert isinstance(found, Reopened)
    assert found.work.marks.keys == KeyChoice("file", 8, str(mine))


def test_what_names_no_file_is_left_out_and_told(tmp_path: Path) -> None:
    session = write_strange(tmp_path / "s.kvsession")
    values = json.loads(session.read_text())
    values["keys"] = {"by": "file"}
    values["autoencoders"] = {"7x7": {"sha256": ""}}
    session.write_text(json.dumps(values))
    found = read(session)
    assert isinstance(found, Reopened)
    coder, keys = found.notes
    assert coder.startswith("The autoencoder for 7×7 was left out")
    assert keys.startswith("The keys of a file were left out")
    assert found.work.marks.keys == KeyChoice()
    assert not found.work.autoencoders


def test_a_file_of_keys_moves_with_the_session(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (old / "keys.csv").write_text("key,row,column,value\n")
    document = Document()
    document.choose_keys(KeyChoice("file", 8, str(old / "keys.csv")))
    wanted = Wanted(document.work, Look(), "2030-01-01T00:00:00Z")
    run_now(write_session, old / "s.kvsession", wanted)
    assert str(tmp_path) not in (old / "s.kvsession").read_text()
    old.rename(new)
    found = read(new / "s.kvsession")
    assert isinstance(found, Reopened)
    assert found.work.marks.keys.path == str(new / "keys.csv")
    assert found.notes == ()


def test_a_file_of_keys_that_has_changed_is_told_of(tmp_path: Path) -> None:
    keys, path = tmp_path / "keys.csv", tmp_path / "s.kvsession"
    keys.write_text("key,row,column,value\n")
    document = Document()
    document.choose_keys(KeyChoice("file", 8, str(keys)))
    run_now(write_session, path, Wanted(document.work, Look(), "2030-01-01T00:00:00Z"))
    keys.write_text("key,row,column,value\n0,0,0,1\n")
    found = read(path)
    assert isinstance(found, Reopened)
    assert found.notes == ("keys.csv has changed: keys may differ",)
    once = json.loads(path.read_text())  # as sessions were
    del once["keys"]["sha256"]
    path.write_text(json.dumps(once))
    before = read(path)
    assert isinstance(before, Reopened)
    assert before.notes == ()
    assert before.work.marks.keys == found.work.marks.keys
