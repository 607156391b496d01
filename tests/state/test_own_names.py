"""Names of the user's, and tags: what is kept of them, and what goes with what."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs

from kernelviewer.kernels.classes import (
    CLASSES,
    FINE,
    INDEX,
    OwnName,
    class_shown,
    own_from_json,
    own_to_json,
    showing_classes,
)
from kernelviewer.latent.stretches import rename
from kernelviewer.state.document import Document
from kernelviewer.state.own_names import Tag, edits, tag_bits, tag_texts
from kernelviewer.state.pool import make_pool
from kernelviewer.state.selection import Kernels
from kernelviewer.state.session.capture import Coders, rebuild
from kernelviewer.state.session.form import (
    NamesEntry,
    OwnNameEntry,
    TagEntry,
    from_text,
    to_text,
)
from tests.state.banks import make_bank
from tests.state.session_work import SEVEN, reopened, session_of, worked_on


def of(*numbers: int, model: int = 1, size: tuple[int, ...] = SEVEN) -> Kernels:
    return Kernels(size, {model: np.array(numbers)})


def test_a_tag_is_put_on_all_and_taken_away_where_all_have_it() -> None:
    tag = Tag().toggled(of(1, 2)).toggled(of(2, 3))
    assert tag.kernels[SEVEN].indices[1].tolist() == [1, 2, 3]
    tag = tag.toggled(of(0, size=(3, 3)))
    assert len(tag) == 4
    tag = tag.toggled(of(1, 3))
    assert tag.kernels[SEVEN].indices[1].tolist() == [2]
    assert tag.toggled(of(2)).kernels.keys() == {(3, 3)}


def test_tags_are_told_by_the_pool() -> None:
    document = Document()
    model = document.open(make_bank("first"))
    pool = make_pool((model,), SEVEN)
    assert tag_bits(document.marks.tags, pool) is None
    document.toggle_tag(2, of(1, model=model.id))
    document.toggle_tag(9, of(0, 1, model=model.id))
    document.rename_tag(9, OwnName("  a   b "))
    tags = document.marks.tags
    bits = tag_bits(tags, pool)
    assert tag_texts(tags, bits, len(pool))[:3] == ["a b", "tag 2; a b", ""]


def test_a_closed_network_takes_its_name_and_tags_with_it() -> None:
    document = Document()
    first = document.open(make_bank("first"))
    second = document.open(make_bank("other"))
    document.rename_network(first.id, "before")
    document.toggle_tag(1, of(0, model=first.id))
    document.toggle_tag(1, of(5, model=second.id))
    document.close(first.id)
    assert not document.marks.names.networks
    assert {*document.marks.tags[1].kernels[SEVEN].indices} == {second.id}
    document.undo()
    assert {*document.marks.tags} <= {1}
    document.close_all()
    assert document.marks.are_blank


def test_another_copy_of_a_network_has_the_tags_of_kernels_it_has_too() -> None:
    document = Document()
    model = document.open(make_bank("first"))
    document.toggle_tag(1, of(0, 3, model=model.id))
    document.replace(model.id, make_bank("first"))
    assert document.marks.tags[1].kernels[SEVEN].indices[model.id].tolist() == [0, 3]


def test_names_tell_open_networks_apart_and_follow_the_file_again() -> None:
    document = Document()
    first = document.open(make_bank("net_first"))
    document.open(make_bank("net_other"))
    assert [model.name for model in document.models] == ["first", "other"]
    document.rename_network(first.id, " the \n first ")
    assert document.models[0].name == "the first"
    assert document.models[1].name == "other"
    document.rename_network(first.id, "")
    assert document.models[0].name == "first"
    document.close(first.id)
    assert document.models[0].name == "net_other"


def test_what_was_edited_is_listed() -> None:
    document = worked_on()
    assert edits(document.marks, document.models) == (
        "“after” is the network other",
        "“Kante” is the class Edge ∂x (left–right), in a colour of its own",
        "Stretches of 7×7 kernels: “hats”",
    )
    document.reset_names()
    assert edits(document.marks, document.models) == ()
    assert document.marks.tags


def test_a_class_without_pattern_cannot_be_renamed() -> None:
    for class_id in ("unidentified", "flat", "none"):
        with pytest.raises(ValueError, match="no class that can be named"):
            Document().rename_class(class_id, OwnName("x"))


def test_the_usual_name_is_no_own_one() -> None:
    document = Document()
    document.rename_class("d1-x", OwnName("First derivative ∂x"))
    assert not document.marks.names
    assert not document.undo_name


def test_names_are_shown_while_they_are_in_force() -> None:
    own = {"on-centre": OwnName("hat of a very long name", "#123456")}
    with showing_classes(own):
        item = class_shown(INDEX["on-centre"])
        assert (item.name, item.dark) == ("hat of a very long name", "#123456")
        assert item.short == "hat of a very lon…"
        assert item.id == "on-centre"
        assert class_shown(INDEX["flat"]) is CLASSES[INDEX["flat"]]
    assert class_shown(INDEX["on-centre"]) is CLASSES[INDEX["on-centre"]]
    assert own_from_json(own_to_json(own)) == own


@pytest.mark.parametrize(
    "values",
    [[], {"d1-x": 3}, {"d1-x": {"name": 3}}, {"blob": {}}, {"d1-x": {"colour": "red"}}],
)
def test_own_names_that_are_none_are_refused(values: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        own_from_json(values)


def test_a_session_without_names_says_nothing_of_them() -> None:
    document = Document()
    document.open(make_bank("first"))
    text = to_text(session_of(document))
    assert not {word for word in ("names", "tags", 'colour"') if f'"{word}' in text}


def test_a_session_has_names_and_tags_of_networks_that_are_there() -> None:
    session = from_text(to_text(session_of(worked_on())))
    document, _ = reopened(session, "first", "other")
    assert [model.name for model in document.models] == ["first", "after"]
    assert document.marks.names.classes == {"edge-x": OwnName("Kante", "#D55E00")}
    assert {*document.marks.tags} == {3, 9}
    assert document.marks.tags[3].own == OwnName("broken", "#009E73")
    assert document.marks.stretches[SEVEN][0].colour == "#1A2B3C"
    alone, lost = reopened(session, "first", None)
    assert alone.models[0].name == "first"
    assert not alone.marks.names.networks
    assert any("left out" in text for text in lost)


def test_a_session_keeps_the_fine_class_of_a_stretch() -> None:
    document = worked_on()
    stretches = rename(document.stretches_of(SEVEN), 0, "on-disc", "", scheme=FINE)
    document.set_stretches(SEVEN, stretches)
    again, _ = reopened(from_text(to_text(session_of(document))), "first", "other")
    assert again.marks.stretches[SEVEN][0].label == stretches[0].label == "On-disc"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("two\nlines", "two lines"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("bell\x07", "bell\\x07"),
        ("half \ud83d", "half \\ud83d"),
        ("x" * 5000, "x" * 60),
        ("\u05e9\u05dc\u05d5\u05dd \U0001f600", "\u05e9\u05dc\u05d5\u05dd \U0001f600"),
    ],
    ids=["lines", "turned", "bell", "half", "long", "plain"],
)
def test_names_are_kept_as_one_can_read_them_whoever_gave_them(
    name: str, kept: str
) -> None:
    document = Document()
    model = document.open(make_bank("first"))
    document.rename_network(model.id, name)
    document.rename_class("on-centre", OwnName(name))
    document.rename_tag(3, OwnName(name))
    mine = document.marks
    assert mine.names.networks == {model.id: kept}
    assert mine.names.classes["on-centre"].name == mine.tags[3].own.name == kept
    session = session_of(document)
    written = structs.replace(
        session,
        names=NamesEntry(
            {"0": name}, {"on-centre": OwnNameEntry(name), "flat": OwnNameEntry("odd")}
        ),
        tags={"3": TagEntry(name), "4": TagEntry(kernels={"7x7": {}})},
    )
    work, _ = rebuild(written, document.models, Coders())
    assert work.marks.names == mine.names
    assert work.marks.tags == mine.tags
