"""What was derived last, kept as long as it is derived from the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from kernelviewer.state.arrangement import Charts, Display

if TYPE_CHECKING:
    from collections.abc import Callable

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
