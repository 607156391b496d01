"""Signals: who listens is called, in order, as long as it is there."""

from __future__ import annotations

import pytest

from kernelviewer.state.memo import Signal


class Listener:
    """Counts how often it is told."""

    def __init__(self, told: list[Listener]) -> None:
        self._told = told

    def hear(self) -> None:
        self._told.append(self)


def test_listeners_are_told_in_order_until_they_are_disconnected() -> None:
    signal, told = Signal(), []
    first, second = Listener(told), Listener(told)
    signal.connect(first.hear)
    signal.connect(second.hear)
    signal.emit()
    signal.disconnect(first.hear)
    signal.emit()
    assert told == [first, second, second]


def test_a_listener_that_is_gone_is_not_held_nor_told() -> None:
    signal, told = Signal(), []
    listener = Listener(told)
    signal.connect(listener.hear)
    del listener
    signal.emit()
    assert told == []


def test_functions_are_held() -> None:
    signal, told = Signal(), []
    signal.connect(lambda: told.append(1))
    signal.emit()
    assert told == [1]


def test_a_listener_may_come_or_go_while_it_is_told() -> None:
    signal, told = Signal(), []

    def once() -> None:
        told.append("once")
        signal.disconnect(once)
        signal.connect(lambda: told.append("then"))

    signal.connect(once)
    signal.emit()
    assert told == ["once"]
    signal.emit()
    assert told == ["once", "then"]


def test_what_a_listener_raises_reaches_who_emits() -> None:
    def fail() -> None:
        raise KeyError("a fault")

    signal = Signal()
    signal.connect(fail)
    with pytest.raises(KeyError, match="a fault"):
        signal.emit()
