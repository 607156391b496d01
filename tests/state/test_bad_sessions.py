"""Sessions that are damaged, of another kind, or made up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelviewer.formats import CheckpointError
from kernelviewer.state.session.capture import (
    Coders,
    rebuild,
)
from kernelviewer.state.session.files import read_session
from kernelviewer.state.session.form import SessionError, from_text, to_text
from tests.state.session_work import HASH, session_of, step, worked_on

if TYPE_CHECKING:
    from pathlib import Path


def broken(**changes: Any) -> str:
    """A session's text with some values replaced; ``…`` takes one out."""
    values = json.loads(to_text(session_of(worked_on())))
    for key, value in changes.items():
        if value is ...:
            del values[key]
        else:
            values[key] = value
    return json.dumps(values)


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
    "version": (broken(version="1"), "$.version is not a whole number"),
    "version-true": (broken(version=True), "$.version is not a whole number"),
    "no-networks": (broken(networks=...), "it has no “networks”"),
    "network": (broken(networks=[7]), "$.networks[0] is not a table"),
    "no-path": (
        broken(networks=[{**NETWORK, "path": ""}]),
        "$.networks[0] has no path",
    ),
    "zero-path": (
        broken(networks=[{**NETWORK, "path": "a\0"}]),
        "$.networks[0].path is not a text without zero characters",
    ),
    "bytes": (
        broken(networks=[{**NETWORK, "bytes": -1}]),
        "$.networks[0].bytes is not a whole number ≥ 0",
    ),
    "bytes-2": (
        broken(networks=[{**NETWORK, "bytes": 10**400}]),
        "$.networks[0].bytes is not a whole number ≤ 9007199254740992",
    ),
    "hash": (
        broken(networks=[{**NETWORK, "sha256": "xy"}]),
        "$.networks[0].sha256 is not a hash",
    ),
    "no-hash": (
        broken(networks=[{"path": "a", "bytes": 1}]),
        "$.networks[0] has no “sha256”",
    ),
    "include": (
        broken(networks=[{**NETWORK, "include": [1]}]),
        "$.networks[0].include[0] is not a text",
    ),
    "include-2": (
        broken(networks=[{**NETWORK, "include": "a"}]),
        "$.networks[0].include is not a list",
    ),
    "copy": (
        broken(networks=[{**NETWORK, "copy": None}]),
        "$.networks[0].copy is not a text",
    ),
    "hub": (
        broken(networks=[{**NETWORK, "hub": ["x"]}]),
        "$.networks[0].hub is not a text",
    ),
    "fewer-networks": (
        broken(networks=[NETWORK]),
        "$.selection[0].query is about network 1, but there are only 1",
    ),
    "coders": (broken(autoencoders=[]), "autoencoders is not a table"),
    "coder-size": (broken(autoencoders={"07x7": {}}), "a kernel size such as 7x7"),
    "size-0": (broken(thresholds={"0x7": 0.5}), "a kernel size such as 7x7"),
    "size-4": (broken(thresholds={"1x1x1x1": 0.5}), "a kernel size such as 7x7"),
    "size-²": (broken(thresholds={"²": 0.5}), "a kernel size such as 7x7"),
    "threshold": (broken(thresholds={"7x7": "0.5"}), "thresholds.7x7 is not a number"),
    "threshold-2": (
        broken(thresholds={"7x7": 2}),
        "$.thresholds.7x7 is not a number ≤ 1.0",
    ),
    "threshold-nan": (
        broken(thresholds={"7x7": float("nan")}),
        "NaN is no finite number",
    ),
    "threshold-inf": (
        broken(thresholds={"7x7": 0}).replace(": 0}", ": 1e999}"),
        "finite",
    ),
    "threshold-huge": (
        broken(thresholds={"7x7": 10**400}),
        "$.thresholds.7x7 is out of range",
    ),
    "stretches": (broken(stretches={"7x7": {}}), "stretches.7x7 is not a list"),
    "no-stretch": (broken(stretches={"7x7": []}), "do not cover the spectrum"),
    "gap": (broken(stretches={"7x7": [{**STRETCH, "high": 0.5}]}), "do not cover"),
    "class": (
        broken(stretches={"7x7": [{**STRETCH, "class_id": "x"}]}),
        "no class 'x'",
    ),
    "sign": (
        broken(stretches={"7x7": [{**STRETCH, "sign": 1.5}]}),
        "$.stretches.7x7[0].sign is not a whole number",
    ),
    "cosine": (broken(stretches={"7x7": [{**STRETCH, "family_cosine": []}]}), "cosine"),
    "no-cosine": (
        broken(stretches={"7x7": [{k: STRETCH[k] for k in list(STRETCH)[:5]}]}),
        "$.stretches.7x7[0] has no “family_cosine”",
    ),
    "name": (
        broken(stretches={"7x7": [{**STRETCH, "name": 1}]}),
        "$.stretches.7x7[0].name is not a text",
    ),
    "selection": (broken(selection={}), "selection is not a list"),
    "step": (broken(selection=["all"]), "$.selection[0] is not a table"),
    "no-query": (broken(selection=[{"mode": "add"}]), "$.selection[0] has no “query”"),
    "mode": (
        broken(selection=[{"mode": "xor", "query": {"type": "all"}}]),
        "$.selection[0].mode cannot be “xor”",
    ),
    "type": (broken(selection=step(type="magic")), "of a newer kernelviewer"),
    "type-2": (
        broken(selection=step(type=["all"])),
        "$.selection[0].query.type is not a text",
    ),
    "layers": (broken(selection=step(type="layers", of=[])), "is not a table"),
    "layers-2": (broken(selection=step(type="layers", of={"0": "a"})), "is not a list"),
    "layers-3": (broken(selection=step(type="layers", of={"0": [0]})), "is not a text"),
    "layers-4": (
        broken(selection=step(type="layers", of={"x": []})),
        "a key of $.selection[0].query.of is not the number of a network",
    ),
    "layers-5": (
        broken(selection=step(type="layers", of={"00": []})),
        "a key of $.selection[0].query.of is not the number of a network",
    ),
    "kernels": (
        broken(selection=step(type="kernels", size="7x7")),
        "$.selection[0].query has no “of”",
    ),
    "kernels-2": (
        broken(selection=step(type="kernels", size="7x7", of={"9": "1"})),
        "$.selection[0].query is about network 9, but there are only 2",
    ),
    "kernels-3": (
        broken(selection=step(type="kernels", size="7x7", of={"0": "4-1"})),
        "no list of kernels",
    ),
    "kernels-4": (broken(selection=step(type="kernels", size=7, of={})), "size"),
    "codes": (
        broken(selection=step(type="codes", low=0)),
        "$.selection[0].query has no “high”",
    ),
    "classes": (
        broken(selection=step(type="classes", ids="all")),
        "$.selection[0].query.ids is not a list",
    ),
    "classes-2": (
        broken(selection=step(type="classes", ids=["x"])),
        "$.selection[0].query.ids[0] is not one of on-point, off-point",
    ),
    "classes-3": (
        broken(selection=step(type="classes", ids=[[]])),
        "$.selection[0].query.ids[0] is not a text",
    ),
    "similar": (
        broken(selection=step(type="similar", size="7x7", taps="1 2", cosine=0.5)),
        "$.selection[0].query has a pattern that is not of its size",
    ),
    "similar-2": (
        broken(selection=step(type="similar", size="1x2", taps="1 x", cosine=0.5)),
        "$.selection[0].query has a pattern that is no list of numbers",
    ),
    "every": (broken(selection=step(type="every", queries=[1])), "is not a table"),
    "scope": (broken(scope=None), "scope is not a table"),
    "scope-layers": (broken(scope={"layers": ["a"], "size": None}), "scope.layers"),
    "scope-size": (broken(scope={"layers": None, "size": "x"}), "scope.size"),
    "scope-only": (broken(scope={"size": None, "only_selected": 1}), "only_selected"),
    "focus": (broken(focus=[1]), "focus is not a table"),
    "focus-2": (broken(focus={"network": 0, "size": "7x7"}), "$.focus has no “index”"),
    "focus-3": (
        broken(focus={"network": 5, "size": "7x7", "index": 0}),
        "$.focus is about network 5, but there are only 2",
    ),
    "focus-4": (broken(focus={"network": 0.5, "size": "7x7", "index": 0}), "network"),
    "position": (broken(position=1.5), "$.position is not a number ≤ 1.0"),
    "position-2": (broken(position=None), "position is not a number"),
    "display": (
        broken(display={"group_by": "colour"}),
        "$.display.group_by cannot be “colour”",
    ),
    "display-2": (broken(display=...), "it has no “display”"),
    "charts": (broken(charts={"across": "0"}), "charts.across is not a whole number"),
    "charts-2": (broken(charts={"up": -1}), "$.charts names a component that there"),
    "charts-3": (broken(charts={"across": 2**70}), "$.charts names a component that"),
    "look": (broken(look={"framed": 1}), "look.framed is not true or false"),
    "look-2": (broken(look={"layout": 5}), "look.layout is not a text"),
    "program": (broken(program=1), "program is not a text"),
    "saved": (broken(saved=None), "saved is not a text"),
    "new-field": (broken(mood="fine"), "it has “mood”, which is of a newer"),
    "new-field-within": (
        broken(networks=[{**NETWORK, "mood": 1}]),
        "$.networks[0] has “mood”, which is of a newer",
    ),
    "name-of-none": (
        broken(names={"networks": {"7": "x"}}),
        "$.names.networks is about network 7, but there are only 2",
    ),
    "name-of-class": (
        broken(names={"classes": {"blob": {}}}),
        "a key of $.names.classes is not one of",
    ),
    "colour": (
        broken(names={"classes": {"d1-x": {"colour": "red"}}}),
        "$.names.classes.d1-x.colour is not a colour such as #1A2B3C",
    ),
    "colour-of-stretch": (
        broken(stretches={"7x7": [{**STRETCH, "colour": "#12345"}]}),
        "colour is not a colour such as #1A2B3C",
    ),
    "tag": (broken(tags={"10": {}}), "a key of $.tags is not a number from 1 to 9"),
    "tag-kernels": (
        broken(tags={"1": {"kernels": {"7x7": {"0": "3-1"}}}}),
        "$.tags.1 is no list of kernels",
    ),
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
