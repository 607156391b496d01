"""Change without Qt: signals, and answers kept as long as they stay the same.

psygnal has such signals and more; its import takes a twentieth of the window's start.
"""

from __future__ import annotations

from inspect import ismethod
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar
from weakref import WeakKeyDictionary, WeakMethod

from kernelviewer.state.arrangement import Charts, Display

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


P = ParamSpec("P")
T = TypeVar("T")
Owner = TypeVar("Owner")


def same(old: object, new: object) -> bool:
    """True if nothing changed; arrays and large parts compare by identity."""
    if isinstance(new, int | float | str | tuple | frozenset | dict | Display | Charts):
        return bool(old == new)
    return old is new


class Memo(Generic[P, T]):
    """A function that keeps its last answer.

    Parameters
    ----------
    function
        Depends on nothing but its arguments.
    """

    def __init__(self, function: Callable[P, T]) -> None:
        self._function = function
        self._known: tuple[tuple[object, ...], T] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's value for these arguments."""
        given = (*args, *kwargs.values())
        if self._known is None or not all(map(same, self._known[0], given)):
            self._known = given, self._function(*args, **kwargs)
        return self._known[1]


class MemoOf(Generic[Owner, P, T]):
    """A function of an object that keeps its last answer for each, as long as that is.

    Parameters
    ----------
    function
        Depends on nothing but its arguments; its answer must not hold the object.
    """

    def __init__(self, function: Callable[Concatenate[Owner, P], T]) -> None:
        self._function = function
        self._known: WeakKeyDictionary[Owner, tuple[tuple[object, ...], T]]
        self._known = WeakKeyDictionary()

    def __call__(self, of: Owner, *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's value for the object and these arguments."""
        given = (*args, *kwargs.values())
        known = self._known.get(of)
        if known is None or not all(map(same, known[0], given)):
            known = self._known[of] = given, self._function(of, *args, **kwargs)
        return known[1]
