"""When libraries and modules are imported, and what that costs."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from importlib.machinery import ModuleSpec


@contextmanager
def there_to_stay() -> Iterator[None]:
    """Import or make something large without the garbage collector, now and later.

    It would look again and again through modules, classes and functions that are there
    to stay: a quarter of the time of a command that draws a figure, and up to 0.1 s at
    once in the window. `gc.unfreeze` ends it.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()


@contextmanager
def imported_later(*names: str) -> Iterator[None]:
    """Have these modules run when something in them is first asked for.

    For those that a library imports as a whole at its top and uses in a function.
    """
    from importlib.util import LazyLoader

    class Later(PathFinder):
        @classmethod
        def find_spec(
            cls, fullname: str, path: Sequence[str] | None = None, target: Any = None
        ) -> ModuleSpec | None:
            found = None
            if fullname in names:
                found = PathFinder.find_spec(fullname, path, target)
            if found and found.loader:
                found.loader = LazyLoader(found.loader)
            return found

    sys.meta_path.insert(0, Later)
    try:
        yield
    finally:
        sys.meta_path.remove(Later)


def imported_when_used(
    package: str, places: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package whose names come from elsewhere.

    A name's module is imported when the name is first asked for, not with the package
    (PEP 562), so that the window stands before readers are imported. Type checkers
    see the same names imported under ``TYPE_CHECKING``.

    Parameters
    ----------
    package
        Its ``__name__``.
    places
        Public name → the module that defines it.
    """
    own = sys.modules[package]

    def get(name: str) -> Any:
        if name not in places:
            there = ", ".join(places)
            msg = f"module {package!r} has no attribute {name!r}; there are {there}"
            raise AttributeError(msg, name=name, obj=own)
        with there_to_stay():
            value = getattr(import_module(places[name]), name)
        setattr(own, name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(own), *places})

    return get, names
