"""Real trained files that lie beside the checkout where there are any."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
CHECKPOINTS = SHARED / "checkpoints"

needs_checkpoints = pytest.mark.skipif(
    not CHECKPOINTS.is_dir(), reason="the shared checkpoints are not beside this clone"
)


@cache
def reference_counts() -> dict[str, Any]:
    """Per file and layer: kernels, size, sum and L2 that a right reader gives."""
    return json.loads((CHECKPOINTS / "reference_counts.json").read_text())
