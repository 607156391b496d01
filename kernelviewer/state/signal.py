"""A signal without Qt: something tells that it changed, and whoever listens is called.

psygnal does this and more; its import takes a twentieth of the window's start.
"""

from __future__ import annotations

from inspect import ismethod
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

if TYPE_CHECKING:
    from collections.abc import Callable


class Signal:
    """Calls its listeners, without arguments, in the order in which they came.

    Of a bound method only a weak reference is kept: who listens can go without a word.
    What a listener raises reaches who emits, and those after it are not called.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[], Callable[[], Any] | None]] = []

    def connect(self, listener: Callable[[], Any]) -> None:
        """Call it from now on."""
        if ismethod(listener):
            self._listeners.append(WeakMethod(listener))
        else:
            self._listeners.append(lambda: listener)

    def disconnect(self, listener: Callable[[], Any]) -> None:
        """Call it no more."""
        self._listeners = [
            held for held in self._listeners if held() not in (listener, None)
        ]

    def emit(self) -> None:
        """Call every listener that is still there."""
        for held in tuple(self._listeners):
            if (listener := held()) is not None:
                listener()
