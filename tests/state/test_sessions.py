"""Sessions as files: what is written is read again; what is damaged is told."""

from __future__ import annotations

import gc
import json
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.formats import CheckpointError
from kernelviewer.latent.segments import Segment
from kernelviewer.state import queries
from kernelviewer.state.arrangement import Display
from kernelviewer.state.charts import Charts
from kernelviewer.state.document import Document
from kernelviewer.state.model import KernelRef, LayerRef
from kernelviewer.state.selection import (
    All,
    Classes,
    CodeRange,
    Every,
    Kernels,
    Layers,
    Selection,
    Similar,
    Step,
)
from kernelviewer.state.session import runs
from kernelviewer.state.session.capture import (
    Coders,
    Surroundings,
    describe,
    entry_of,
    rebuild,
)
from kernelviewer.state.session.files import is_session, read_session
from kernelviewer.state.session.model import CoderEntry, Look, SessionError
from kernelviewer.state.session.places import Places
from kernelviewer.state.session.queries import ENCODINGS, read_query, write_query
from kernelviewer.state.session.text import from_text, to_text
from kernelviewer.state.work import Work
from tests.state.banks import make_bank

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.state.session.model import Session

SEVEN = (7, 7)
HASH = "a" * 64
STRETCHES = (Segment(0.0, 0.25, "on-centre", 1, 0.9), Segment(0.25, 1.0, "d1-x"))


def worked_on() -> Document:
    """Two networks with every kind of mark on them."""
    document = Document(Display("class", "fit", "layer"))
    first = document.open(make_bank("first"))
    second = document.open(make_bank("other"))
    document.show_layers(frozenset({LayerRef(first.id, 0), LayerRef(second.id, 1)}))
    document.set_threshold(SEVEN, 0.1 + 0.2)
    document.set_segments(SEVEN, STRETCHES)
    own = {first.id: np.array([0, 1, 2, 7]), second.id: np.array([9])}
    for mode, query in (
        ("replace", Layers(frozenset({LayerRef(second.id, 1)}))),
        ("add", CodeRange(1 / 3, 2 / 3)),
        ("intersect", Classes(frozenset({"on-centre", "d1-x"}))),
        ("add", Similar((3, 3), tuple((np.arange(9) - 4) / 7.7), 0.9, "first 3")),
        ("subtract", Every((All(), CodeRange(0.0, 0.1)))),
        ("toggle", Kernels(SEVEN, own)),
    ):
        document.select(mode, query)  # type: ignore[arg-type]
    document.set_focus(KernelRef(second.id, SEVEN, 3))
    document.set_position(0.123456789)
    document.show_charts(Charts(across=2, up=0, colour_by="layer"))
    document.show_only_selected(True)
    return document


def session_of(document: Document) -> Session:
    """The session of a document whose files are beside it."""
    networks = tuple(
        entry_of(model, f"nets/{model.bank.name}.safetensors", HASH, 1000)
        for model in document.models
    )
    coders = {SEVEN: CoderEntry(HASH, shipped="curve-7x7")}
    look = Look("grey", True, "AAAA")
    around = Surroundings(networks, coders, look, "2026-01-02T03:04:05Z")
    return describe(document.work, around)


def reopened(session: Session, *names: str | None) -> tuple[Document, list[str]]:
    """A document that took the session up, with these networks."""
    document = Document()
    models = [
        None if name is None else document.new_model(make_bank(name)) for name in names
    ]
    work, lost = rebuild(session, models, Coders())
    document.restore(work)
    return document, lost


# --- the same again ---


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
    assert after.segments_of(SEVEN) == STRETCHES
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
    odd = replace(session.networks[0], path="nets/\udcff é.safetensors")
    session = replace(session, networks=(odd, *session.networks[1:]))
    data = to_text(session).encode()
    assert from_text(data.decode()).networks == session.networks


def test_nothing_that_a_document_holds_is_forgotten() -> None:
    """Whatever is added to the document is saved, or computed again."""
    held = {name for name in vars(Document()) if not name.startswith("_")}
    work = set(Work.__slots__) - {"marks"}
    assert held - work == {"analyses", "families"}
    document = worked_on()
    again, _ = reopened(from_text(to_text(session_of(document))), "first", "other")
    for name in ("display", "charts", "position"):
        assert (
            getattr(again, name) == getattr(document, name) != getattr(Document(), name)
        )
    assert again.scope.only_selected


def test_what_was_saved_keeps_no_closed_network_in_memory() -> None:
    document = worked_on()
    saved = document.work.gist
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


# --- every kind of query has its encoding ---


def test_every_kind_of_query_can_be_written() -> None:
    kinds = set(get_args(queries.Query))
    with_mask = {
        value
        for value in vars(queries).values()
        if isinstance(value, type)
        and hasattr(value, "mask")
        and value.__module__ == queries.__name__
    }
    assert kinds == with_mask
    assert set(ENCODINGS) == kinds
    names = [encoding.name for encoding in ENCODINGS.values()]
    assert len(set(names)) == len(names)


def test_the_example_has_every_kind_of_query() -> None:
    """A new kind of query has to be added to the round trip above."""

    def kinds(query: object) -> set[type]:
        parts = query.queries if isinstance(query, Every) else ()
        return {type(query)}.union(*map(kinds, parts))

    steps = worked_on().selection.steps
    assert set().union(*(kinds(step.query) for step in steps)) == set(ENCODINGS)


# --- lists of kernels ---


@given(st.sets(st.integers(0, 5000), max_size=600))
def test_kernels_survive_as_text(chosen: set[int]) -> None:
    indices = np.array(sorted(chosen), np.int64)
    text = runs.to_text(indices)
    found, beyond = runs.within(*runs.from_text(text, "x"), 5001)
    assert found.tolist() == indices.tolist()
    assert not beyond
    assert runs.to_text(found) == text


@given(st.sets(st.integers(0, 300)), st.integers(0, 300))
def test_kernels_beyond_the_end_are_left_out_and_counted(
    chosen: set[int], count: int
) -> None:
    text = runs.to_text(np.array(sorted(chosen), np.int64))
    found, beyond = runs.within(*runs.from_text(text, "x"), count)
    assert found.tolist() == sorted(n for n in chosen if n < count)
    assert beyond == sum(n >= count for n in chosen)


def test_large_selections_stay_small() -> None:
    rng = np.random.default_rng(0)
    million = 1_000_000
    assert runs.to_text(np.arange(million)) == "0-999999"
    half = np.flatnonzero(rng.random(million) < 0.5)
    assert len(runs.to_text(half)) < 170_000


@pytest.mark.parametrize(
    "text",
    [
        *("1,", "a", "3-1", "5,3", "1-4,4-6", "-3", "1-", "²", "1 ,2"),
        *("99999999999999999", "bits:*", "bits:é", "bits:AAA"),
    ],
)
def test_lists_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SessionError, match="no list of kernels"):
        runs.from_text(text, "the selection")


def test_a_huge_range_takes_no_memory() -> None:
    firsts, lasts = runs.from_text("0-999999999999", "x")
    found, beyond = runs.within(firsts, lasts, 10)
    assert len(found) == 10
    assert beyond == 10**12 - 10


# --- what has changed since ---


def test_a_network_that_is_gone_takes_its_marks_with_it() -> None:
    document, lost = reopened(session_of(worked_on()), None, "other")
    assert [model.bank.name for model in document.models] == ["other"]
    assert lost == ["first.safetensors was left out, with what was selected in it"]
    last = document.selection.steps[-1].query
    assert isinstance(last, Kernels)
    assert list(last.indices) == [document.models[0].id]


def test_kernels_and_layers_that_a_changed_network_lacks_are_told() -> None:
    document = Document()
    small = make_bank("other", (("stages.0.conv_dw", SEVEN, 4),))
    models = [document.new_model(make_bank("first")), document.new_model(small)]
    work, lost = rebuild(session_of(worked_on()), models, Coders())
    assert lost == [
        "1 marked kernel is not in other.safetensors any more",
        "2 marked layers are not in other.safetensors any more",
    ]
    assert work.focus is not None
    last = work.marks.selection.steps[-1].query
    assert isinstance(last, Kernels)
    assert not len(last.indices[models[1].id])


# --- bad files ---


def broken(**changes: Any) -> str:
    """A session's text with some values replaced; ``…`` takes one out."""
    values = json.loads(to_text(session_of(worked_on())))
    for key, value in changes.items():
        if value is ...:
            del values[key]
        else:
            values[key] = value
    return json.dumps(values)


def step(**query: Any) -> list[Any]:
    return [{"mode": "replace", "query": query}]


NETWORK = {"path": "a.pth", "sha256": HASH, "bytes": 1}
STRETCH = {"low": 0, "high": 1, "class_id": "d1-x", "sign": 0, "name": ""}
STRETCH["family_cosine"] = None
BAD: dict[str, tuple[str, str]] = {
    "empty": ("", "damaged: Expecting value in line 1"),
    "cut": (to_text(session_of(worked_on()))[:800], "damaged"),
    "array": ("[]", "it is not a table"),
    "number": ("7", "it is not a table"),
    "other": ('{"format": "something"}', "no session of kernelviewer"),
    "newer": (broken(version=2), "made by a newer kernelviewer"),
    "version": (broken(version="1"), "its version is not a whole number"),
    "version-true": (broken(version=True), "its version is not a whole number"),
    "no-networks": (broken(networks=...), "networks is not a list"),
    "network": (broken(networks=[7]), "network 0 is not a table"),
    "no-path": (broken(networks=[{**NETWORK, "path": ""}]), "network 0.path is not"),
    "zero-path": (broken(networks=[{**NETWORK, "path": "a\0"}]), "network 0.path"),
    "bytes": (broken(networks=[{**NETWORK, "bytes": -1}]), "network 0.bytes"),
    "bytes-2": (broken(networks=[{**NETWORK, "bytes": 10**400}]), "network 0.bytes"),
    "hash": (broken(networks=[{**NETWORK, "sha256": "xy"}]), "network 0.sha256"),
    "no-hash": (broken(networks=[{"path": "a", "bytes": 1}]), "network 0.sha256"),
    "include": (broken(networks=[{**NETWORK, "include": [1]}]), "network 0.include"),
    "include-2": (broken(networks=[{**NETWORK, "include": "a"}]), "network 0.include"),
    "copy": (broken(networks=[{**NETWORK, "copy": None}]), "network 0.copy"),
    "hub": (broken(networks=[{**NETWORK, "hub": ["x"]}]), "network 0.hub"),
    "fewer-networks": (broken(networks=[NETWORK]), "about the 1 networks it names"),
    "coders": (broken(autoencoders=[]), "autoencoders is not a table"),
    "coder": (broken(autoencoders={"7x7": {"sha256": ""}}), "autoencoders.7x7.path"),
    "coder-size": (broken(autoencoders={"07x7": {}}), "a kernel size such as 7x7"),
    "size-0": (broken(thresholds={"0x7": 0.5}), "a kernel size such as 7x7"),
    "size-4": (broken(thresholds={"1x1x1x1": 0.5}), "a kernel size such as 7x7"),
    "size-²": (broken(thresholds={"²": 0.5}), "a kernel size such as 7x7"),
    "threshold": (broken(thresholds={"7x7": "0.5"}), "thresholds.7x7 is not a number"),
    "threshold-2": (broken(thresholds={"7x7": 2}), "thresholds.7x7 is not a fit"),
    "threshold-nan": (broken(thresholds={"7x7": float("nan")}), "NaN is no number"),
    "threshold-inf": (
        broken(thresholds={"7x7": 0}).replace(": 0}", ": 1e999}"),
        "finite",
    ),
    "threshold-huge": (broken(thresholds={"7x7": 10**400}), "finite"),
    "stretches": (broken(stretches={"7x7": {}}), "stretches.7x7 is not a list"),
    "no-stretch": (broken(stretches={"7x7": []}), "do not cover the spectrum"),
    "gap": (broken(stretches={"7x7": [{**STRETCH, "high": 0.5}]}), "do not cover"),
    "class": (
        broken(stretches={"7x7": [{**STRETCH, "class_id": "x"}]}),
        "no class 'x'",
    ),
    "sign": (
        broken(stretches={"7x7": [{**STRETCH, "sign": 1.5}]}),
        "stretches.7x7.sign",
    ),
    "cosine": (broken(stretches={"7x7": [{**STRETCH, "family_cosine": []}]}), "cosine"),
    "no-cosine": (
        broken(stretches={"7x7": [{k: STRETCH[k] for k in list(STRETCH)[:5]}]}),
        "family_cosine is not there",
    ),
    "name": (broken(stretches={"7x7": [{**STRETCH, "name": 1}]}), "stretches.7x7.name"),
    "selection": (broken(selection={}), "selection is not a list"),
    "step": (broken(selection=["all"]), "a step of the selection is not a table"),
    "no-query": (broken(selection=[{"mode": "add"}]), "a step of the selection"),
    "mode": (broken(selection=[{"mode": "xor", "query": {"type": "all"}}]), "the mode"),
    "type": (broken(selection=step(type="magic")), "of a newer kernelviewer"),
    "type-2": (broken(selection=step(type=["all"])), "the type of a step"),
    "layers": (broken(selection=step(type="layers", of=[])), "is not a table"),
    "layers-2": (broken(selection=step(type="layers", of={"0": "a"})), "is not a list"),
    "layers-3": (broken(selection=step(type="layers", of={"0": [0]})), "is not a text"),
    "layers-4": (broken(selection=step(type="layers", of={"x": []})), "by number"),
    "layers-5": (broken(selection=step(type="layers", of={"00": []})), "about the 2"),
    "kernels": (broken(selection=step(type="kernels", size="7x7")), "is not a table"),
    "kernels-2": (
        broken(selection=step(type="kernels", size="7x7", of={"9": "1"})),
        "about the 2 networks",
    ),
    "kernels-3": (
        broken(selection=step(type="kernels", size="7x7", of={"0": "4-1"})),
        "no list of kernels",
    ),
    "kernels-4": (broken(selection=step(type="kernels", size=7, of={})), "size"),
    "codes": (broken(selection=step(type="codes", low=0)), "the selection's high"),
    "classes": (broken(selection=step(type="classes", ids="all")), "classes"),
    "classes-2": (broken(selection=step(type="classes", ids=["x"])), "a class of"),
    "classes-3": (broken(selection=step(type="classes", ids=[[]])), "a class of"),
    "similar": (
        broken(selection=step(type="similar", size="7x7", taps="1 2", cosine=0.5)),
        "the selection's pattern is not one of its size",
    ),
    "similar-2": (
        broken(selection=step(type="similar", size="1x2", taps="1 x", cosine=0.5)),
        "the selection's pattern is not a list of numbers",
    ),
    "every": (broken(selection=step(type="every", queries=[1])), "is not a table"),
    "scope": (broken(scope=None), "scope is not a table"),
    "scope-layers": (broken(scope={"layers": ["a"], "size": None}), "scope.layers"),
    "scope-size": (broken(scope={"layers": None, "size": "x"}), "scope.size"),
    "scope-only": (broken(scope={"size": None, "only_selected": 1}), "only_selected"),
    "focus": (broken(focus=[1]), "focus is not a table"),
    "focus-2": (broken(focus={"network": 0, "size": "7x7"}), "focus.index"),
    "focus-3": (broken(focus={"network": 5, "size": "7x7", "index": 0}), "about the 2"),
    "focus-4": (broken(focus={"network": 0.5, "size": "7x7", "index": 0}), "network"),
    "position": (broken(position=1.5), "position is not a code"),
    "position-2": (broken(position=None), "position is not a number"),
    "display": (
        broken(display={"group_by": "colour"}),
        "display.group_by is not one of",
    ),
    "display-2": (broken(display=...), "display is not a table"),
    "charts": (broken(charts={"across": "0"}), "charts.across is not a whole number"),
    "look": (broken(look={"framed": 1}), "look.framed is not true or false"),
    "look-2": (broken(look={"layout": 5}), "look.layout is not a text"),
    "program": (broken(program=1), "program is not a text"),
    "saved": (broken(saved=None), "saved is not a text"),
    "deep": ("[" * 100_000, "damaged"),
    "deep-query": (
        broken(selection=[]).replace(
            '"selection": []',
            '"selection": [{"mode": "add", "query": '
            + '{"type": "every", "queries": [' * 400
            + "]}" * 400
            + "}]",
        ),
        "nested too deep",
    ),
    "long-number": ('{"a": ' + "9" * 5000 + "}", "damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_session_says_what_is_wrong_and_which_file(
    name: str, tmp_path: Path
) -> None:
    text, message = BAD[name]
    path = tmp_path / "bad.kvsession"
    path.write_text(text)
    with pytest.raises(CheckpointError) as caught:
        read_session(path)
    assert caught.value.path == path
    assert message in caught.value.problem
    assert "\n" not in caught.value.problem


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file"):
        read_session(tmp_path / "gone.kvsession")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_session(tmp_path)
    binary = tmp_path / "binary.kvsession"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match="no UTF-8 text"):
        read_session(binary)


@given(st.data())
def test_no_wrong_type_anywhere_crashes(data: st.DataObject) -> None:
    """Any value anywhere is replaced: it is refused, or it is read."""
    values = json.loads(to_text(session_of(worked_on())))
    at: Any = values
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        inside = isinstance(at[key], dict | list) and at[key]
        if not inside or not data.draw(st.booleans()):
            break
        at = at[key]
    odd = [None, True, -1, 1e300, "", "x", "7x7", [], {}, [None], {"0": None}, 2**70]
    at[key] = data.draw(st.sampled_from(odd))
    try:
        session = from_text(json.dumps(values))
    except SessionError:
        pass
    else:
        models = [None] * len(session.networks)
        rebuild(session, models, Coders())
        to_text(session)


# --- by content ---


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
    query = read_query({"type": "layers", "of": {"0": ["a", "b"]}}, nowhere)
    assert write_query(query, nowhere) == {"type": "layers", "of": {}}
    assert nowhere.missing == {(0, "layer"): 2}
    assert Selection((Step("replace", query),)).steps
