"""Parts of TensorFlow.js networks opened alone: which ``model.json`` they belong to."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_SHARD_NAME = re.compile(r"(group\d+-shard\d+of\d+|.*-shard\d+)(\.bin)?")
_MAX_FILES, _MAX_JSON = 50, 1 << 26
_BESIDE = "It lies beside its list of weights: open its"


def shard(path: Path) -> tuple[str, str] | None:
    """What a file with weights is, with an article, and what to do; None if it is none.

    Files of other names count if a network beside them says that they are its own.
    """
    named = _SHARD_NAME.fullmatch(path.name) is not None
    if not named and path.suffix != ".bin":
        return None
    model = model_with(path.parent, {path.name})
    if model is None and not named:
        return None
    name = model.name if model is not None else "model.json"
    return "a part of a TensorFlow.js network", f"{_BESIDE} {name}."


def model_with(
    folder: Path, names: set[str], besides: Path | None = None
) -> Path | None:
    """The network in a folder that has its weights in files of these names."""
    paths = [path for path in folder.glob("*.json") if path != besides]
    networks = {path: files_of(_json(path)) for path in sorted(paths)[:_MAX_FILES]}
    return next((path for path, files in networks.items() if names <= files), None)


def files_of(content: object) -> set[str]:
    """Files with weights that a network's JSON, or a bare list of weights, names."""
    manifest = content.get("weightsManifest") if isinstance(content, dict) else content
    groups = manifest if isinstance(manifest, list) else []
    paths = [group.get("paths") for group in groups if isinstance(group, dict)]
    return {
        name
        for some in paths
        if isinstance(some, list)
        for name in some
        if isinstance(name, str)
    }


def _json(path: Path) -> Any:
    """A file's content, or nothing."""
    try:
        if path.stat().st_size > _MAX_JSON:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
