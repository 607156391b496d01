"""Sessions as files: what is written is read again, and means the same."""

from __future__ import annotations

import gc
import json
import weakref
from typing import TYPE_CHECKING

import msgspec

from kernelviewer.state.arrangement import Charts, Display
from kernelviewer.state.document import Document
from kernelviewer.state.model import KernelRef
from kernelviewer.state.selection import (
    Kernels,
    Selection,
    Step,
)
from kernelviewer.state.session.files import is_session
from kernelviewer.state.session.form import from_text, to_text
from kernelviewer.state.session.places import LayersEntry, Places, write_query
from tests.state.session_work import SEVEN, STRETCHES, reopened, session_of, worked_on

if TYPE_CHECKING:
    from pathlib import Path


def test_a_session_written_read_and_written_again_is_the_same_text() -> None:
    session = session_of(worked_on())
    text = to_text(session)
    assert to_text(from_text(text)) == text
    again, lost = reopened(from_text(text), "first", "other")
    assert lost == []
    assert to_text(session_of(again)) == text


def test_reopened_work_marks_the_same_kernels() -> None:
    before = worked_on()
    after, _ = reopened(session_of(before), "first", "other")
    old, new = before.models[0].id, after.models[0].id
    assert len(after.selection.steps) == len(before.selection.steps)
    last = after.selection.steps[-1].query
    assert isinstance(last, Kernels)
    assert last.indices[new].tolist() == [0, 1, 2, 7]
    assert after.threshold_of(SEVEN) == before.threshold_of(SEVEN)
    assert repr(after.stretches_of(SEVEN)) == repr(STRETCHES)  # NaN is in it
    assert after.scope.layers is not None
    assert before.scope.layers is not None
    assert {ref.layer for ref in after.scope.layers if ref.model == new} == {
        ref.layer for ref in before.scope.layers if ref.model == old
    }
    assert after.focus == KernelRef(after.models[1].id, SEVEN, 3)
    assert after.position == before.position
    assert after.display == before.display
    assert not after.can_undo


def test_the_text_is_made_to_be_read_and_compared() -> None:
    text = to_text(session_of(worked_on()))
    values = json.loads(text)
    assert list(values) == sorted(values)
    assert values["networks"][0]["path"] == "nets/first.safetensors"
    assert values["selection"][-1]["query"]["of"] == {"0": "0-2,7", "1": "9"}
    assert values["selection"][0]["query"]["of"] == {"1": ["stages.1.conv_dw"]}
    assert max(map(len, text.splitlines())) < 200
    assert text.endswith("}\n")


def test_marks_in_closed_networks_are_not_written() -> None:
    document = worked_on()
    document.close(document.models[0].id)
    values = json.loads(to_text(session_of(document)))
    assert values["selection"][-1]["query"]["of"] == {"0": "9"}
    assert values["scope"]["layers"] == {"0": ["stages.1.conv_dw"]}


def test_names_that_are_no_unicode_survive() -> None:
    session = session_of(worked_on())
    odd = msgspec.structs.replace(session.networks[0], path="nets/\udcff é.safetensors")
    session = msgspec.structs.replace(session, networks=(odd, *session.networks[1:]))
    data = to_text(session).encode()
    assert from_text(data.decode()).networks == session.networks


def test_nothing_that_a_document_holds_is_forgotten() -> None:
    """Whatever is added to the work is saved; the document has nothing beside it."""
    held = {name for name in vars(Document()) if not name.startswith("_")}
    assert held == {"work", "changed"}
    document = worked_on()
    again, _ = reopened(from_text(to_text(session_of(document))), "first", "other")
    for name in ("display", "charts", "position"):
        assert (
            getattr(again, name) == getattr(document, name) != getattr(Document(), name)
        )
    assert again.scope.only_selected


def test_what_was_saved_keeps_no_closed_network_in_memory() -> None:
    document = worked_on()
    saved = document.work.fingerprint
    assert document.work.is_saved_as(saved)
    bank = weakref.ref(document.banks[0])
    document.close(document.models[0].id)
    gc.collect()
    assert bank() is None
    assert not document.work.is_saved_as(saved)


def test_a_session_that_lacks_what_came_later_opens() -> None:
    values = json.loads(to_text(session_of(worked_on())))
    for later in ("charts", "origin"):
        values.pop(later, None)
    for record, kept in (("display", "group_by"), ("look", "colormap")):
        values[record] = {kept: values[record][kept]}
    session = from_text(json.dumps(values))
    assert session.display == Display("class")
    assert session.charts == Charts()


def test_a_session_is_told_by_its_content(tmp_path: Path) -> None:
    text = to_text(session_of(worked_on()))
    for name, content, expected in (
        ("a.json", text, True),
        ("b", "\ufeff\n" + text, True),
        ("c.json", "{}", False),
        ("d.kvsession", "{}", True),
        ("e.txt", f"see: {text}", False),
    ):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        assert is_session(path) is expected, name
    assert not is_session(tmp_path)
    assert not is_session(tmp_path / "gone.kvsession")


def test_a_query_keeps_its_meaning_where_the_network_is_gone() -> None:
    nowhere = Places([None])
    query = LayersEntry({"0": ("a", "b")}).read(nowhere)
    assert write_query(query, nowhere) == LayersEntry({})
    assert nowhere.missing == {(0, "layer"): 2}
    assert Selection((Step("replace", query),)).steps
