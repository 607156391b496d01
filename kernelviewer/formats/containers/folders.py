"""Folders that are one model: a Hugging Face snapshot, a sharded checkpoint."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.containers.sharded import index_of, parts_named
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.network.names import natural_key
from kernelviewer.formats.source import HEAD_BYTES
from kernelviewer.formats.torch.zip_file import pickle_in
from kernelviewer.formats.wrong_files import EXPORT, divided_in, without_parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePath

    from kernelviewer.formats.checkpoint import Checkpoint
    from kernelviewer.formats.source import Source
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

    Test = Callable[[Path], bool]


_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_MAX_FILES = 10_000
_UNREAD = (
    ("saved_model.pb", "a TensorFlow SavedModel"),
    ("keras_metadata.pb", "a TensorFlow SavedModel"),
    ("Manifest.json", "a Core ML package"),
    ("_METADATA", "an Orbax checkpoint"),
    ("*.data-00000-of-*", "a TensorFlow checkpoint"),
)
_SUFFIXES = {
    *(".pth", ".pt", ".pt2", ".ckpt", ".safetensors", ".onnx", ".tflite"),
    *(".h5", ".hdf5", ".keras", ".npz", ".msgpack"),
}
_TRAINING = re.compile(
    r"optimi[sz]ers?|optim|(lr_)?schedulers?|(grad_?)?scaler|training_args"
    r"|(rng|random)_states?(_\d+)?",
    re.IGNORECASE,
)
_PACKED = {".gz", ".bz2", ".xz", ".zip", ".tar"}
DESCRIPTION, KIND = "corpus.json", "kernelviewer corpus"
"""What describes a corpus, and what it says there."""


def match(source: Source) -> bool:
    """True if a folder is one model."""
    return source.is_folder and main_file(source.path) is not None


def main_file(folder: AnyPath) -> Path | None:
    """File that stands for a model folder: its index, its weights, or its pickle."""
    folder = Path(folder)
    for name in _INDEXES:
        if (folder / name).is_file():
            return folder / name
    for path in sorted(folder.glob("*.index.json")):
        if path.is_file() and _is_index(path):
            return path
    unpacked = pickle_in(folder)
    if unpacked is not None:
        return unpacked
    if not (folder / CONFIG).is_file():
        return None
    return next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)


def _is_index(path: Path) -> bool:
    """True if a file is the index of a sharded checkpoint."""
    try:
        with path.open("rb") as file:
            return b'"weight_map"' in file.read(HEAD_BYTES)
    except OSError:
        return False


def network_in(
    folder: Path, watch: Watch, is_network: Test, is_archive: Test
) -> Path | None:
    """The file that holds a folder's network; None if there is none.

    Parameters
    ----------
    is_network, is_archive
        Whether some reader takes a file; whether it is an archive.

    Raises
    ------
    CheckpointError
        There are several, or one that was divided among many processes.
    """
    main = main_file(folder)
    if main is not None:
        return main
    found = files_in(folder, is_network, watch)
    divided = None if found else divided_in(folder, watch)
    if divided is not None:
        raise divided
    if len(found) > 1:
        index = index_of(found)
        if index:
            problem = (
                f"the folder holds {len(found)} parts of a network without {index}"
            )
            hint = "Download that into the same folder: it makes one of them."
            raise CheckpointError(folder, problem, hint)
        problem = f"the folder holds {len(found)} checkpoints "
        raise CheckpointError(
            folder, problem + _listed(folder, found), "Open one of them."
        )
    if not found:  # what is named like one says best what it is instead
        named = files_in(folder, is_named_so, watch)
        found = [path for path in named if not is_archive(path)][:1]
    return found[0] if found else None


def is_named_so(path: PurePath) -> bool:
    """True if a file's name is that of a checkpoint, whatever it holds."""
    return path.suffix.lower() in _SUFFIXES


def is_packed(path: AnyPath) -> bool:
    """True if a file's name is that of a packed checkpoint: ``net.pth.gz``."""
    path = Path(path)
    inner = path
    while inner.suffix.lower() in _PACKED:
        inner = inner.with_suffix("")
    return inner != path and is_named_so(inner)


def is_for_training(path: AnyPath) -> bool:
    """True if a file's name is one that only resuming a training needs."""
    path = Path(path)
    return _TRAINING.fullmatch(path.stem) is not None


def is_hidden(name: str) -> bool:
    """True if a folder is one that people do not look into, such as ``.git``."""
    return name.startswith(".")


def is_corpus(folder: AnyPath) -> bool:
    """Whether a folder is a corpus, of whatever version."""
    return _facts(Path(folder) / DESCRIPTION).get("kind") == KIND


def files_in(folder: Path, is_file: Test, watch: Watch) -> list[Path]:
    """Networks in a folder and those below; not what only training needs."""
    found: list[Path] = []
    looked_at = 0
    for place, folders, names in os.walk(folder):
        watch.check()
        kept = [name for name in folders if not is_hidden(name)]
        folders[:] = sorted(kept, key=natural_key)
        main = main_file(Path(place))
        if main is not None:
            found.append(main)
            folders.clear()
            continue
        looked_at += len(names)
        if looked_at > _MAX_FILES:
            break
        parts = _parts_in(Path(place), names)
        whole = set(without_parts(names)) - parts
        for name in sorted(whole, key=natural_key):
            path = Path(place, name)
            if not is_for_training(path) and is_file(path):
                found.append(path)
    return found


def _parts_in(place: Path, names: list[str]) -> set[str]:
    """Names of files in a folder that only are parts, by Keras's indexes there."""
    indexes = [place / name for name in names if name.endswith(".weights.json")]
    return {name for index in indexes for name in parts_named(index)}


def _listed(folder: Path, found: list[Path]) -> str:
    """Names of the first few files, in brackets."""
    names = ", ".join(str(path.relative_to(folder)) for path in found[:3])
    return f"({names}{', …' if len(found) > 3 else ''})"


def without_network(folder: Path, packed: list[Path]) -> CheckpointError:
    """Say what a folder holds instead of a checkpoint; ``packed`` are its archives."""
    for name, what in _UNREAD:
        if any(next(folder.glob(path), None) for path in (name, f"*/{name}")):
            problem = f"this is {what}, which is not read"
            return CheckpointError(folder, problem, EXPORT)
    if packed:
        one = len(packed) == 1
        what = "only an archive" if one else "only archives"
        problem = f"the folder holds no checkpoint, {what} {_listed(folder, packed)}"
        hint = f"Unpack {'it' if one else 'one of them'} and open what is inside."
        return CheckpointError(folder, problem, hint)
    return CheckpointError(
        folder,
        "the folder holds no checkpoint",
        "Open a file with a network's weights.",
    )


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
    return _facts(folder / CONFIG)


def _facts(path: Path) -> dict[str, Any]:
    """The table in a JSON file; empty if it is none, or no plain file of that size."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            return {}
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


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
