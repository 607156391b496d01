"""Real trained files that lie beside the checkout where there are any."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
CHECKPOINTS = SHARED / "checkpoints"

needs_checkpoints = pytest.mark.shared
"""For tests that read them; `pytest -m shared` runs only these."""


def skip_without_shared(items: list[pytest.Item]) -> None:
    """Skip the tests that are marked so where the files are not beside the clone."""
    if CHECKPOINTS.is_dir():
        return
    skip = pytest.mark.skip(reason="the shared files are not beside this clone")
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(skip)


@cache
def reference_counts() -> dict[str, Any]:
    """Per file and layer: kernels, size, sum and L2 that a right reader gives."""
    return json.loads((CHECKPOINTS / "reference_counts.json").read_text())
