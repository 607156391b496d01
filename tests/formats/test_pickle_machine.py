"""The pickle machine: what Python's own pickle writes, and objects that stay inert."""

from __future__ import annotations

import enum
import functools
import pickle
import pickletools
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelviewer.formats import open_checkpoint
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.torch.pickle_machine import (
    HANDLERS,
    LONG_STRING,
    PickleMachine,
)
from kernelviewer.formats.torch.pickle_values import (
    BUILDERS,
    Global,
    InMemory,
    NumpyArray,
    Span,
    Stub,
)
from kernelviewer.watch import NEVER
from tests.files.opcodes import call, stream, text


def run(data: bytes) -> Any:
    machine = PickleMachine(
        *(data, 0, len(data)),
        origin=InMemory(data),
        builders=BUILDERS,
        persistent=lambda value: value,
        watch=NEVER,
    )
    value = machine.run()
    assert machine.position == len(data)
    return value


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(1 << 500), 1 << 500)
    | st.floats(allow_nan=False)
    | st.text()
)
trees = st.recursive(
    scalars | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), inner)
        | st.lists(inner, max_size=5).map(tuple)
    ),
    max_leaves=30,
)


@settings(derandomize=True, database=None, deadline=None)
@given(tree=trees, protocol=st.integers(2, 5))
def test_plain_values_come_back_as_they_were(tree: object, protocol: int) -> None:
    assert run(pickle.dumps(tree, protocol)) == tree


@settings(derandomize=True, database=None, deadline=None)
@given(tree=st.recursive(scalars, lambda i: st.lists(i) | st.lists(i).map(tuple)))
def test_the_oldest_protocols(tree: object) -> None:
    for protocol in (0, 1):
        assert run(pickle.dumps(tree, protocol)) == tree


def test_every_opcode_of_python_is_known() -> None:
    known = {op.code for op in pickletools.opcodes}
    unknown = HANDLERS[0xFF]
    missing = {code for code in known if HANDLERS[ord(code)] is unknown}
    assert missing == {"\x97"}, "only buffers outside the file are refused"


def test_long_strings_stay_in_the_file() -> None:
    value = ["x" * LONG_STRING, "é" * LONG_STRING, b"y" * 3 * LONG_STRING]
    short, characters, raw = run(pickle.dumps(value, 4))
    assert short == value[0]
    assert isinstance(characters, Span)
    assert isinstance(raw, Span)
    assert characters.read().tobytes().decode() == value[1]
    assert raw.read().tobytes() == value[2]


class Thing:
    def __init__(self) -> None:
        self.x = [1, 2]


class Shape(enum.Enum):
    ROUND = 1


class Slotted:
    __slots__ = ("x",)


class Words(dict[str, int]):
    pass


class Row(list[int]):
    pass


def test_objects_become_descriptions() -> None:
    for protocol in (0, 1, 2, 4):
        thing = run(pickle.dumps(Thing(), protocol))
        assert isinstance(thing, Stub)
        assert thing.kind == Global(__name__, "Thing")
        assert thing.state == {"x": [1, 2]}


def test_other_kinds_of_objects() -> None:
    slotted = Slotted()
    slotted.x = 3
    assert run(pickle.dumps(slotted, 4)).state == {"x": 3}
    assert run(pickle.dumps(Words(a=1), 4)).mapping == {"a": 1}
    assert run(pickle.dumps(Row([1, 2]), 4)).items == [1, 2]
    assert run(pickle.dumps(Shape.ROUND, 4)).kind == Global(__name__, "Shape")
    partial = run(pickle.dumps(functools.partial(Thing, 1), 4))
    assert partial.kind == Global("functools", "partial")
    assert isinstance(run(pickle.dumps(PurePosixPath("a/b"), 4)), Stub)
    assert run(pickle.dumps({1, 2}, 4)) == [1, 2]


def test_values_that_refer_to_themselves() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    found = run(pickle.dumps(loop, 4))
    assert found[1] is found


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_numpy_arrays_and_numbers(protocol: int) -> None:
    array = np.arange(6, dtype="<i2").reshape(2, 3)
    found = run(pickle.dumps([array, np.float32(0.5), np.int64(-3)], protocol))
    assert isinstance(found[0], NumpyArray)
    assert (found[0].shape, found[0].dtype) == ((2, 3), "i2")
    assert found[1:] == [0.5, -3]


def test_a_pickle_that_ends_too_early() -> None:
    data = pickle.dumps({"a": [1, "b", (2.5, None)]}, 2)
    for end in range(len(data)):
        with pytest.raises(DamagedError):
            run(data[:end])


def test_nothing_that_is_named_is_imported(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported: list[str] = []
    real = __import__

    def noted(name: str, *arguments: Any, **options: Any) -> Any:
        imported.append(name)
        return real(name, *arguments, **options)

    body = call("some_module.that sets", text("x"))
    monkeypatch.setattr("builtins.__import__", noted)
    found = run(stream(body))
    assert isinstance(found, Stub)
    assert not [name for name in imported if name.startswith("some_module")]


def test_plain_pickles_of_arrays_and_tensors(tmp_path: Any) -> None:
    import torch

    weight = np.random.default_rng(0).normal(size=(64, 1, 7, 7)).astype(np.float32)
    model = {
        "model": {"dw.weight": weight, "dw.bias": weight[:, 0, 0, 0].copy()},
        "__author__": "someone",
    }
    tensors = {"dw.weight": torch.from_numpy(weight), "dw.small": torch.ones(2, 2)}
    for value in (model, tensors):
        for protocol in (2, 4):
            path = tmp_path / "x.pkl"
            path.write_bytes(pickle.dumps(value, protocol))
            checkpoint = open_checkpoint(path)
            assert checkpoint.format == "Python pickle"
            assert len(checkpoint.tensors) == 2
            np.testing.assert_array_equal(checkpoint.tensors[0].load(), weight)
