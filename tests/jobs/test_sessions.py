"""Sessions without a window: what every version wrote opens, and is written again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from kernelviewer import __version__
from kernelviewer.files import file_hash
from kernelviewer.formats import CheckpointError
from kernelviewer.jobs import sessions
from kernelviewer.jobs.runner import Ticket, run_now
from kernelviewer.jobs.sessions import (
    Lacking,
    Reopened,
    Wanted,
    hash_network,
    keep,
    look_along,
    open_session,
    shipped_entry,
    write_session,
)
from kernelviewer.jobs.tasks import load
from kernelviewer.kernels import size_key
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.state.document import Document
from kernelviewer.state.selection import Kernels, Layers
from kernelviewer.state.session.files import (
    KEPT,
    RecoveryFile,
    offers,
    read_session,
    recovery_folder,
)
from kernelviewer.state.session.form import Look, from_text, to_text
from tests.shared import CHECKPOINTS, needs_checkpoints

SESSIONS = Path(__file__).parents[1] / "files" / "sessions"
SAVED = "2030-01-01T00:00:00Z"
SEVEN, FIVE = (7, 7), (5, 5)
CHANGED = "comes with the program has changed: codes may differ"


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    """The session that the first version wrote, in a folder of its own."""
    shutil.copytree(SESSIONS / "v1", tmp_path / "v1")
    return tmp_path / "v1" / "marked.kvsession"


def read(path: Path, answers: Any = None) -> Reopened | Lacking:
    found = run_now(open_session, path, answers or {}, Document().new_model)
    assert isinstance(found, Reopened | Lacking)
    return found


def reopen(path: Path, answers: Any = None) -> Reopened:
    found = read(path, answers)
    assert isinstance(found, Reopened)
    return found


def taken_up(found: Reopened) -> Document:
    """A document with the session in it."""
    document = Document()
    document.restore(found.work)
    return document


def wanted(document: Document, found: Reopened) -> Wanted:
    return Wanted(document.work, found.session.look, SAVED)


def written_anew(data: bytes, saved: str = SAVED) -> bytes:
    """A session's bytes with what every save writes anew: who wrote it, and when.

    An autoencoder that comes with the program may be another in another version.
    """
    values = json.loads(data)
    anew = {values["program"]: __version__, values["saved"]: saved}
    for size in (SEVEN, (3, 3)):
        autoencoder = shipped(size)
        assert autoencoder is not None
        old = values["autoencoders"][size_key(size)]["sha256"]
        anew[old] = shipped_entry(autoencoder).sha256
    for old, new in anew.items():
        assert data.count(f'"{old}"'.encode()) == 1
        data = data.replace(f'"{old}"'.encode(), f'"{new}"'.encode())
    return data


def test_a_session_of_the_first_version_opens_and_is_written_the_same(
    v1: Path,
) -> None:
    before = v1.read_bytes()
    found = reopen(v1)
    assert all(CHANGED in note for note in found.notes)
    document = taken_up(found)
    assert found.lost == ()
    assert [bank.name for bank in document.banks] == ["first", "second"]
    assert {size: len(k) for size, k in document.banks[1].sizes.items()} == {
        (7, 7): 6,
        (5, 5): 6,
        (3, 3): 6,  # the fixed layer was taken in by hand
    }
    assert document.marks.thresholds == {SEVEN: 0.412, (3, 3): 0.9}
    assert document.marks.stretches[SEVEN][1].name == "Edges, étroites"
    assert document.autoencoders[FIVE].stretches[0].class_id == "unidentified"
    assert document.chosen == {FIVE: v1.parent / "own-5x5.safetensors"}
    steps = document.selection.steps
    modes = "replace add subtract add add subtract toggle"
    assert [step.mode for step in steps] == modes.split()
    picked, layers = steps[0].query, steps[1].query
    assert isinstance(picked, Kernels)
    assert [own.tolist() for own in picked.indices.values()] == [[0, 1, 2, 7], [4]]
    assert isinstance(layers, Layers)
    names = {
        document.model(ref.model).bank.layers[ref.layer].name for ref in layers.layers
    }
    assert names == {"stages.1.conv_dw", "blocks.1.dw"}
    assert document.focus is not None
    assert document.focus.index == 2
    assert (document.position, document.size) == (0.375, SEVEN)
    run_now(write_session, v1, wanted(document, found))
    assert v1.read_bytes() == written_anew(before)


def test_a_file_of_the_first_version_is_read_and_written_byte_for_byte(
    v1: Path,
) -> None:
    text = v1.read_bytes().decode()
    assert to_text(from_text(text)) == text


def test_a_session_and_its_files_move_together(v1: Path, tmp_path: Path) -> None:
    v1.parent.rename(tmp_path / "elsewhere")
    found = reopen(tmp_path / "elsewhere" / v1.name)
    assert all(CHANGED in note for note in found.notes)
    assert len(found.work.models) == 2


def test_what_is_missing_is_listed_once(v1: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    shutil.copytree(v1.parent, away)
    for name in ("first.safetensors", "nets/second.safetensors", "own-5x5.safetensors"):
        (v1.parent / name).unlink()
    found = read(v1)
    assert isinstance(found, Lacking)
    assert [item.name for item in found.missing] == [
        "first.safetensors",
        "second.safetensors",
        "own-5x5.safetensors",
    ]
    assert found.missing[1].where == str(v1.parent / "nets" / "second.safetensors")
    (away / "own-5x5.safetensors").write_bytes(b"another")
    seen = run_now(
        look_along,
        v1.parent,
        found.missing,
        {"first.safetensors": away / "first.safetensors"},
    )
    assert {key: sighting.same for key, sighting in seen.items()} == {
        "first.safetensors": True,
        "nets/second.safetensors": True,
        "own-5x5.safetensors": False,
    }
    answers = {key: sighting.path for key, sighting in seen.items()}
    notes = reopen(v1, answers).notes
    assert any(note.startswith("own-5x5.safetensors: ") for note in notes)


def test_a_changed_file_that_lacks_an_included_layer_opens_without_it(
    v1: Path,
) -> None:
    path = v1.parent / "nets" / "second.safetensors"
    tensors = load_file(path)
    del tensors["blocks.0.blur.weight"]
    save_file(tensors, path)
    found = reopen(v1)
    assert (3, 3) not in found.work.models[1].bank.sizes
    assert "second.safetensors has changed since the session was saved" in found.notes
    assert any("taken in by hand are left out" in note for note in found.notes)


def test_a_part_of_a_network_that_changed_is_noticed(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((8, 1, 7, 7), np.float32)
    part = "net-00001-of-00001.safetensors"
    save_file({"dw.weight": weights}, tmp_path / part)
    index = tmp_path / "net.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"dw.weight": part}}))
    document = Document()
    document.open(run_now(load, index))
    path = tmp_path / "work.kvsession"
    run_now(write_session, path, Wanted(document.work, Look(), ""))
    assert reopen(path).notes == ()
    save_file({"dw.weight": weights[::-1].copy()}, tmp_path / part)
    changed = f"{index.name} has changed since the session was saved"
    assert reopen(path).notes == (changed,)


def test_hashing_gives_way_between_pieces_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    noise = np.random.default_rng(0).normal(size=(64, 1, 7, 7)).astype(np.float32)
    other = np.zeros((5, 1_000_000), np.float32)
    save_file({"dwconv.weight": noise, "other": other}, path)
    bank = run_now(load, path)
    ticket, urgent = Ticket("hash"), []
    ticket.set_lane(lambda: urgent.append(1))
    assert hash_network(ticket, bank) == file_hash(path)
    assert len(urgent) > 1


def test_an_autoencoder_for_another_size_is_not_used(v1: Path) -> None:
    text = v1.read_text(encoding="utf-8").replace('"5x5": {', '"9x9": {')
    v1.write_text(text, encoding="utf-8")
    found = reopen(v1)
    assert found.work.chosen == {}
    assert any("is not for 9×9 kernels" in note for note in found.notes)


def test_an_unknown_shipped_autoencoder_is_told(v1: Path) -> None:
    text = v1.read_text(encoding="utf-8").replace('"curve-7x7"', '"magic-7x7"')
    v1.write_text(text, encoding="utf-8")
    found = reopen(v1)
    assert any("encoded without magic-7x7" in note for note in found.notes)


@pytest.fixture
def of_the_hub(v1: Path) -> Path:
    """A session whose network is one of the hub."""
    text = v1.read_text(encoding="utf-8")
    text = text.replace('"path": "first.safetensors"', '"hub": "net.tag"')
    v1.write_text(text, encoding="utf-8")
    return v1


def test_a_network_of_the_hub_that_cannot_be_had_is_missing(
    of_the_hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cached(name: str) -> Path:
        raise CheckpointError(Path(name), "there is no such network")

    monkeypatch.setattr(sessions, "cached", cached)
    found = read(of_the_hub)
    assert isinstance(found, Lacking)
    (missing,) = found.missing
    assert (missing.name, missing.where) == ("net.tag", "there is no such network")
    assert not missing.hub
    file = of_the_hub.parent / "first.safetensors"
    model = reopen(of_the_hub, {missing.key: file}).work.models[0]
    assert (model.bank.name, model.hub) == ("net.tag", "net.tag")


def test_nothing_is_downloaded_unasked(
    of_the_hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = of_the_hub.parent / "first.safetensors"
    fetched: list[str] = []

    def fetch(name: str, **options: Any) -> Path:
        fetched.append(name)
        return file

    monkeypatch.setattr(sessions, "cached", lambda name: None)
    monkeypatch.setattr(sessions, "fetch", fetch)
    found = read(of_the_hub)
    assert isinstance(found, Lacking)
    assert not fetched
    (missing,) = found.missing
    assert (missing.name, missing.hub) == ("net.tag", "net.tag")
    assert missing.outside is None
    sightings = run_now(sessions.download_missing, found.missing)
    assert fetched == ["net.tag"]
    assert sightings == {missing.key: sessions.Sighting(file, True)}


def test_what_the_cache_has_of_the_hub_opens(
    of_the_hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = of_the_hub.parent / "first.safetensors"
    monkeypatch.setattr(sessions, "cached", lambda name: file)
    monkeypatch.setattr(sessions, "fetch", None)
    assert reopen(of_the_hub).work.models[0].bank.path == file


# --- writing ---


def test_writing_fails_whole_or_not_at_all(
    v1: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = reopen(v1)
    document = taken_up(found)
    before = v1.read_bytes()

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kernelviewer.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        run_now(write_session, v1, wanted(document, found))
    assert v1.read_bytes() == before
    assert not [path for path in v1.parent.iterdir() if path.name.startswith(".")]


def test_a_trained_autoencoder_never_overwrites_a_file(v1: Path) -> None:
    found = reopen(v1)
    document = taken_up(found)
    document.restore(replace(document.work, chosen={FIVE: None}))
    taken = v1.parent / "marked-5x5.safetensors"
    taken.write_text("somebody's")
    written = run_now(write_session, v1, wanted(document, found))
    assert taken.read_text() == "somebody's"
    assert list(written.files.values()) == [v1.parent / "marked-5x5-2.safetensors"]
    assert (
        reopen(v1).work.autoencoders[FIVE].null.kernels
        == document.autoencoders[FIVE].null.kernels
    )


# --- kept work ---


def put(name: str, text: str = "{}") -> Path:
    path = recovery_folder() / f"{name}.kvsession"
    path.write_text(text, encoding="utf-8")
    return path


def test_only_work_that_nobody_holds_is_offered(v1: Path) -> None:
    text = v1.read_text(encoding="utf-8")
    free = put("free", text)
    held = RecoveryFile(put("held", text))
    held.make()
    put("newer", text.replace('"version": 1', '"version": 99'))
    put("broken", "{")
    assert [offer.path for offer in offers()] == [free]
    claimed = RecoveryFile.claim(free)
    assert claimed is not None
    assert RecoveryFile.claim(free) is None
    assert list(offers()) == []
    claimed.release()
    held.release()
    assert len(list(offers())) == 2
    assert read_session(free).networks
    gone = RecoveryFile.claim(recovery_folder() / "gone.kvsession")
    assert gone is None


def test_old_kept_work_goes_after_some_time(v1: Path) -> None:
    text = v1.read_text(encoding="utf-8")
    for number in range(KEPT + 3):
        put(f"work-{number:02}", text)
    assert len(list(offers())) == KEPT
    assert len(list(recovery_folder().glob("*.kvsession"))) == KEPT


def test_removing_takes_autoencoders_along(v1: Path) -> None:
    file = RecoveryFile()
    path = file.make()
    file.write(v1.read_text(encoding="utf-8"))
    path.with_name(f"{path.stem}-7x7.safetensors").touch()
    file.remove()
    assert list(recovery_folder().iterdir()) == []


def test_keeping_that_is_given_up_saves_no_autoencoder_twice(v1: Path) -> None:
    found = reopen(v1)
    document = taken_up(found)
    document.restore(replace(document.work, chosen={FIVE: None}))
    work, file = wanted(document, found), RecoveryFile()
    for _ in range(2):  # nobody hears what the first of them did
        run_now(keep, file, work)
    assert len(list(recovery_folder().glob("*.safetensors"))) == 1
    file.remove()


# --- real files ---

REAL = (
    "deimv2-atto-coco-intellindust.safetensors",
    "mcunet-in4-pruned-cifar10-wholemodule-sanchoo1.pth",
    "cfsr-x2-df2k-aitical.onnx",
    "minixception-fer-dmytro.keras",
    "mobilenetv1-vww96-float-mlcommons.tflite",
    "proxylessnas-w0.3-imagenet-flaxlayout.npz",
)


@needs_checkpoints
def test_real_files_of_many_formats_come_back(tmp_path: Path) -> None:
    document = Document()
    for name in REAL:
        document.open(run_now(load, CHECKPOINTS / name))
    for size in document.sizes:
        document.set_threshold(size, 0.5)
    first = document.models[0]
    size = max(first.bank.sizes, key=lambda size: len(first.bank.sizes[size]))
    picked = np.arange(0, len(first.bank.sizes[size]), 3)
    document.select("replace", Kernels(size, {first.id: picked}))
    path = tmp_path / "real.kvsession"
    moment = Wanted(document.work, Look(), "2030-01-01T00:00:00Z")
    run_now(write_session, path, moment)
    before = path.read_bytes()
    found = reopen(path)
    assert found.notes == found.lost == ()
    again = taken_up(found)
    for old, new in zip(document.banks, again.banks, strict=True):
        assert (new.path, new.copy, len(new)) == (old.path, old.copy, len(old))
    run_now(write_session, path, wanted(again, found))
    assert path.read_bytes() == before
