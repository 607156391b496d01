"""Pretrained networks by name, from the local cache of the Hugging Face hub or from it.

Only files are fetched; they are opened like any other checkpoint. Names are timm's
(``convnext_atto.d2_in1k``) or ``hf-hub:owner/repository``.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import urllib.parse
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import CheckpointError
from kernelviewer.resources import resource

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "hf-hub:"
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors")
CONFIG = "config.json"
PROBE_S = 4.0


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


def repository_of(name: str) -> str:
    """The hub's repository of a network's name.

    Raises
    ------
    CheckpointError
        The name is neither in timm's list nor an id of the hub.
    """
    name = name.strip()
    for model in known_models():
        if name == model.name or name == model.name.split(".")[0]:
            return model.repository
    identity = name.removeprefix(PREFIX)
    if identity.count("/") == 1 and all(identity.split("/")):
        return identity
    raise CheckpointError(
        Path(name),
        "there is no pretrained network of this name",
        f"Give a name of timm's list, or {PREFIX}owner/repository.",
    )


def cached_file(repository: str) -> Path | None:
    """The weights in the local cache; None if they are not there."""
    from huggingface_hub import try_to_load_from_cache

    for name in WEIGHTS:
        path = try_to_load_from_cache(repository, name)
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
    repository = repository_of(name)
    if path := cached_file(repository):
        return path
    _require_connection(repository)
    return _download(repository, progress, check)


def _require_connection(repository: str) -> None:
    """Say at once that there is no network, instead of after many tries."""
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    if not offline and urllib.request.getproxies():
        return
    from huggingface_hub.constants import ENDPOINT

    host = urllib.parse.urlsplit(ENDPOINT)
    port = host.port or (80 if host.scheme == "http" else 443)
    try:
        if offline:
            raise OSError("HF_HUB_OFFLINE is set")
        socket.create_connection((host.hostname or "", port), PROBE_S).close()
    except OSError as error:
        raise _unreachable(repository) from error


def _unreachable(repository: str) -> CheckpointError:
    return CheckpointError(
        Path(repository),
        "the weights are not in the local cache and the hub cannot be reached",
        "Connect to the network and try again, or open a file you have.",
    )


def _download(
    repository: str,
    progress: Callable[[int, int, str], None],
    check: Callable[[], None],
) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    meter = _meter(repository, progress, check)
    for name in WEIGHTS:
        check()
        try:
            path = Path(hf_hub_download(repository, name, tqdm_class=meter))
            if name != WEIGHTS[-1]:
                _download_config(repository)
            return path
        except LocalEntryNotFoundError as error:
            raise _unreachable(repository) from error
        except EntryNotFoundError:
            continue
        except GatedRepoError as error:
            raise CheckpointError(
                Path(repository),
                "the owner gives these weights only to who asked for them",
                "Ask for access on the repository's page, then sign in with `hf auth "
                "login`.",
            ) from error
        except RepositoryNotFoundError as error:
            raise CheckpointError(
                Path(repository),
                "the hub has no such public repository",
                "Check the name; private ones need `hf auth login`.",
            ) from error
        except (HfHubHTTPError, OSError) as error:
            raise CheckpointError(
                Path(repository),
                f"the download failed ({type(error).__name__})",
                "Try again; what was downloaded is kept.",
            ) from error
    raise CheckpointError(
        Path(repository),
        "the repository holds no weights in one file",
        f"It has none of {', '.join(WEIGHTS)}; download it and open its folder.",
    )


def _download_config(repository: str) -> None:
    """Fetch the small file that names the architecture; do without it if need be."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    try:
        hf_hub_download(repository, CONFIG)
    except (EntryNotFoundError, HfHubHTTPError, OSError):
        return


def _meter(
    repository: str,
    progress: Callable[[int, int, str], None],
    check: Callable[[], None],
) -> Any:
    """A progress bar's class that reports to us and lets us cancel."""
    from tqdm import tqdm

    class Meter(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(
                *arguments, **{**options, "disable": False, "file": _Nowhere()}
            )

        def update(self, n: float | None = 1) -> bool | None:
            check()
            shown: bool | None = super().update(n)
            progress(int(self.n), int(self.total or 0), f"downloading {repository}")
            return shown

    return Meter


class _Nowhere:
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing to flush."""
