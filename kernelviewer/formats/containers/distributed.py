"""Checkpoints that many processes wrote, each its part: named, and how to join them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.formats.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernelviewer.formats.source import Source
    from kernelviewer.watch import Watch


_DCP = "a distributed checkpoint of PyTorch (DCP)"
_DEEPSPEED = "a checkpoint of DeepSpeed"
_TOOL = "torch.distributed.checkpoint.format_utils"
_SCRIPT = "zero_to_fp32.py"
_MAX_FILES = 10_000
_PARTS = (
    (re.compile(r"\.metadata|.*\.distcp"), _DCP),
    (
        re.compile(
            r"(bf16_|fp16_)?zero_pp_rank_\d+_.*_states\.pt|.*_optim_states\.pt"
            r"|layer_\d+-model_.*states\.pt"
        ),
        _DEEPSPEED,
    ),
)
"""Names of parts that hold no whole network, and what they are of."""
_WEIGHTS = re.compile(r"mp_rank_\d+_model_states\.pt")
"""DeepSpeed's file of weights: whole only where it divides just the optimizer."""


def is_part(path: Path) -> bool:
    """True if a file's name is that of a part that holds no whole network."""
    return _kind(path.name) != ""


def without_parts(names: Iterable[str]) -> list[str]:
    """The files of a folder that are no parts of a divided checkpoint."""
    found = list(names)
    divided = any(name == _SCRIPT or _kind(name) == _DEEPSPEED for name in found)
    return [
        name
        for name in found
        if not _kind(name) and not (divided and _WEIGHTS.fullmatch(name))
    ]


def part(source: Source) -> tuple[str, str] | None:
    """What a part is, with an article, and what to do; None if it is none."""
    kind = _kind(source.path.name)
    return (f"a part of {kind}", _advice(kind, source.path.parent)) if kind else None


def divided_in(folder: Path, watch: Watch) -> CheckpointError | None:
    """What to say of a folder that holds such a checkpoint; None if it holds none."""
    looked_at = 0
    for place, folders, names in os.walk(folder):
        watch.check()
        folders.sort()
        looked_at += len(names)
        kinds = [
            _kind(name) or _DEEPSPEED * (name == _SCRIPT) for name in sorted(names)
        ]
        kind = next((kind for kind in kinds if kind), "")
        if kind:
            problem = f"this is {kind}, which is not read"
            return CheckpointError(folder, problem, _advice(kind, Path(place)))
        if looked_at > _MAX_FILES:
            break
    return None


def _kind(name: str) -> str:
    """What a file of this name is a part of; empty if of nothing."""
    return next((kind for pattern, kind in _PARTS if pattern.fullmatch(name)), "")


def _advice(kind: str, folder: Path) -> str:
    """How to join a checkpoint that lies in a folder."""
    if kind == _DCP:
        name = folder.resolve().name
        return (
            f"Convert it with torch's own tool, python -m {_TOOL} dcp_to_torch {name} "
            f"{name}.pth, and open the .pth file."
        )
    above = not (folder / _SCRIPT).is_file() and (folder.parent / _SCRIPT).is_file()
    where = "folder above" if above else "same folder"
    return (
        f"Join its parts with DeepSpeed's script in the {where}, python {_SCRIPT} . "
        "joined, and open what it writes."
    )
