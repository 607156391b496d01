"""The widgets of the window, by name."""

from __future__ import annotations

from types import SimpleNamespace


class Parts(SimpleNamespace):
    """What the views of the registry are made of, as attributes."""
