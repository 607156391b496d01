"""A watch over which files are touched."""

from __future__ import annotations

import builtins
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

LOOKS = ("stat", "lstat", "readlink", "open", "scandir", "listdir", "access")


def watch(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every path that is looked at or opened from now on."""
    touched: list[str] = []

    def watched(call: Any) -> Any:
        def wrapper(path: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(path, str | bytes | os.PathLike):
                touched.append(str(Path(os.fsdecode(path)).absolute()))
            return call(path, *args, **kwargs)

        return wrapper

    for name in LOOKS:
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    opened = watched(io.open)
    monkeypatch.setattr(io, "open", opened)
    monkeypatch.setattr(builtins, "open", opened)
    return touched
