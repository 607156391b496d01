"""The ``config.json`` that Hugging Face and timm put beside a network's weights."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from kernelviewer.formats.checkpoint import Checkpoint

WEIGHTS = (
    "model.safetensors",
    "open_clip_model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin",
    "open_clip_pytorch_model.bin",
    "diffusion_pytorch_model.bin",
    "model.pt",
    "model.pth",
    "tf_model.h5",
    "flax_model.msgpack",
    "model.onnx",
)
"""Names that model folders give to their weights, the preferred one first."""
CONFIG = "config.json"
_MAX_BYTES = 1 << 20


def read_config(folder: Path) -> dict[str, Any]:
    """Read a folder's configuration; empty if there is none that makes sense."""
    path = folder / CONFIG
    try:
        if path.stat().st_size > _MAX_BYTES:
            return {}
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def with_config(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """Add what the configuration in a folder says of the network."""
    config = read_config(folder)
    if not config or checkpoint.architecture:
        return checkpoint
    return replace(
        checkpoint,
        architecture=architecture_of(config),
        metadata={**checkpoint.metadata, "config": config},
    )


def architecture_of(config: dict[str, Any]) -> str:
    """Name of the architecture: timm's, else the class of transformers."""
    name = config.get("architecture")
    classes = config.get("architectures")
    if isinstance(classes, list) and classes and not name:
        name = classes[0]
    for key in ("model_type", "model_name"):
        name = name or config.get(key)
    return name if isinstance(name, str) else ""
