"""Pretrained networks by name, from the local cache of the Hugging Face hub or from it.

Only files are fetched; they are opened like any other checkpoint. Names are timm's
(``convnext_atto.d2_in1k``), ``hf-hub:owner/repository`` (with ``@revision`` where not
the main branch is meant), or the address of a repository's page.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.formats.download import download
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.resources import resource

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "hf-hub:"
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors")
_PAGE = re.compile(r"(https?://)?(www\.)?(huggingface\.co|hf\.co)/")
_IDENTITY = re.compile(r"([\w-][\w.-]*/[\w.-]+?)(?:\.git)?/?(?:@([\w./-]+))?")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A pretrained network of timm's list.

    Attributes
    ----------
    name
        Architecture and tag.
    repository
        ``owner/repository`` on the hub.
    depthwise
        Whether the architecture has depthwise convolutions.
    """

    name: str
    repository: str
    depthwise: bool


@cache
def known_models() -> tuple[KnownModel, ...]:
    """Pretrained networks of timm that lie on the hub, by name (a shipped list)."""
    try:
        data = resource("architectures", "models.json.gz").read_bytes()
    except FileNotFoundError:
        return ()
    rows = json.loads(gzip.decompress(data))["models"]
    return tuple(KnownModel(*row) for row in rows)


def is_identity(name: str) -> bool:
    """Whether a text is an id of the hub (or the address of its page), not timm's."""
    return _identity(name) is not None


def short_name(name: str) -> str:
    """The name to show: timm's as it is, else ``owner/repository``."""
    found = _identity(name)
    if found is None:
        return name.strip()
    return "@".join(part for part in found if part)


def _identity(name: str) -> tuple[str, str] | None:
    """(repository, revision) that a text spells."""
    text = _PAGE.sub("", name.strip().removeprefix(PREFIX), count=1)
    text = re.sub(r"/(?:tree|blob|resolve)/([^/]+).*", r"@\1", text)
    found = _IDENTITY.fullmatch(text)
    if found is None or ".." in text or "--" in found[1]:
        return None
    return found[1], found[2] or ""


def repository_of(name: str) -> tuple[str, str]:
    """The hub's repository of a network's name, and the wanted revision of it.

    The revision is empty where the main branch is meant.

    Raises
    ------
    CheckpointError
        The name is neither in timm's list nor an id of the hub.
    """
    name = name.strip()
    for model in known_models():
        if name in (model.name, model.name.split(".")[0], f"timm/{model.name}"):
            return model.repository, ""
    found = _identity(name)
    if found is not None:
        return found
    raise CheckpointError(
        Path(name),
        "there is no pretrained network of this name",
        f"Give a name of timm's list, or {PREFIX}owner/repository.",
    )


def cached_file(repository: str, revision: str = "") -> Path | None:
    """The weights in the local cache; None if they are not there."""
    from huggingface_hub import try_to_load_from_cache

    for name in WEIGHTS:
        path = try_to_load_from_cache(repository, name, revision=revision or None)
        if isinstance(path, str):
            return Path(path)
    return None


def fetch(
    name: str,
    *,
    progress: Callable[[int, int, str], None] = lambda done, total, text: None,
    check: Callable[[], None] = lambda: None,
) -> Path:
    """Path of a pretrained network's weights, downloaded if the cache lacks them.

    Parameters
    ----------
    name
        A name of timm's list, or ``hf-hub:owner/repository``.
    progress
        Called with bytes done, bytes in all and a text.
    check
        Called while downloading; what it raises cancels it.

    Raises
    ------
    CheckpointError
        There is no such network, no network connection, or no permission.
    """
    repository, revision = repository_of(name)
    path = cached_file(repository, revision)
    return path or download(repository, WEIGHTS, progress, check, revision)
