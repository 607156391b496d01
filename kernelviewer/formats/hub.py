"""Pretrained networks by name, from the local cache of the Hugging Face hub or from it.

Only files are fetched; they are opened like any other checkpoint. Names are timm's
(``convnext_atto.d2_in1k``), ``hf-hub:owner/repository`` (with ``@revision`` where not
the main branch is meant), or the address of a repository's page.
"""

from __future__ import annotations

import gzip
import json
import os
import queue
import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelviewer.files import resource
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernelviewer.watch import Watch


PREFIX = "hf-hub:"
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors")
_PAGE = re.compile(r"(https?://)?(www\.)?(huggingface\.co|hf\.co)/")
_IDENTITY = re.compile(r"([\w-][\w.-]*/[\w.-]+?)(?:\.git)?/?(?:@([\w./-]+))?")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A pretrained network of timm's list."""

    name: str
    """Architecture and tag."""
    repository: str
    """``owner/repository`` on the hub."""
    depthwise: bool
    """Whether the architecture has depthwise convolutions."""


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
    """True if a text is an id of the hub (or the address of its page), not timm's."""
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


def cached(name: str) -> Path | None:
    """A pretrained network's weights, if they need no download.

    Raises
    ------
    CheckpointError
        There is no such name.
    """
    return cached_file(*repository_of(name))


def fetch(name: str, *, watch: Watch = NEVER) -> Path:
    """Path of a pretrained network's weights, downloaded if the cache lacks them.

    Parameters
    ----------
    name
        A name of timm's list, or ``hf-hub:owner/repository``.
    watch
        Told bytes done and in all while downloading; what it raises cancels it.

    Raises
    ------
    CheckpointError
        There is no such network, no network connection, or no permission.
    """
    repository, revision = repository_of(name)
    path = cached_file(repository, revision)
    return path or download(repository, WEIGHTS, watch, revision)


CONFIG = "config.json"
PROBE_S = 4.0
POLL_S = 0.1
PIECE = 1 << 18
"""Bytes between two reports; the library's ten megabytes are seconds on a slow line."""
_SIGN_IN = "Sign in with `hf auth login`"


def download(
    repository: str, names: tuple[str, ...], watch: Watch, revision: str = ""
) -> Path:
    """Path of the first of the files that the repository has, and of its configuration.

    Parameters
    ----------
    repository, revision
        ``owner/repository``, and its branch, tag or commit (``""``: its main branch).
    names
        Files that would do, the best first.
    watch
        Told bytes done and in all while downloading; what it raises cancels it.

    Raises
    ------
    CheckpointError
        There is no such repository, no network connection, or no permission.
    """
    _require_connection(repository)

    def work() -> Path:
        with _plain_and_prompt():
            return _first_of(repository, names, watch, revision or None)

    return _interruptible(work, watch)


def _require_connection(repository: str) -> None:
    """Say at once that there is no network, instead of after many tries."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise CheckpointError(
            Path(repository),
            "the weights are not in the local cache, and HF_HUB_OFFLINE forbids to "
            "fetch them",
            "Unset HF_HUB_OFFLINE, or open a file you have.",
        )
    from urllib.parse import urlsplit
    from urllib.request import getproxies

    if getproxies():
        return
    from huggingface_hub.constants import ENDPOINT

    host = urlsplit(ENDPOINT)
    port = host.port or (80 if host.scheme == "http" else 443)
    try:
        socket.create_connection((host.hostname or "", port), PROBE_S).close()
    except OSError as error:
        raise _unreachable(repository) from error


def _unreachable(repository: str) -> CheckpointError:
    return CheckpointError(
        Path(repository),
        "the weights are not in the local cache and the hub cannot be reached",
        "Connect to the network and try again, or open a file you have.",
    )


def _interruptible(work: Callable[[], Path], watch: Watch) -> Path:
    """Run on a thread of its own: cancelling must not wait for a silent server.

    After a cancel that thread ends by itself at its next piece, or at the library's
    time limit.
    """
    outcome: queue.SimpleQueue[Path | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except BaseException as error:
            outcome.put(error)

    threading.Thread(target=run, name="download", daemon=True).start()
    while True:
        try:
            result = outcome.get(timeout=POLL_S)
        except queue.Empty:
            watch.check()
            continue
        if isinstance(result, BaseException):
            raise result
        return result


@contextmanager
def _plain_and_prompt() -> Iterator[None]:
    """Let the library fetch over HTTP, in pieces small enough to report and to stop at.

    Its native client (hf_xet) cannot be stopped in mid-file.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE
    constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE = True, PIECE
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE = before


def _first_of(
    repository: str, names: tuple[str, ...], watch: Watch, revision: str | None
) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    watch.progress(0, 0, f"asking the hub for {repository}")
    meter = _meter(repository, watch)
    for name in names:
        watch.check()
        try:
            path = Path(
                hf_hub_download(repository, name, revision=revision, tqdm_class=meter)
            )
        except LocalEntryNotFoundError as error:
            if isinstance(error.__cause__, Exception) and _status(error.__cause__):
                raise _explained(repository, error.__cause__) from error
            raise _unreachable(repository) from error
        except EntryNotFoundError:
            continue
        except Exception as error:
            raise _explained(repository, error) from error
        _fetch_configuration(repository, revision)
        return path
    raise CheckpointError(
        Path(repository),
        "the repository holds no weights in one file",
        f"It has none of {', '.join(names)}; download it and open its folder.",
    )


def _explained(repository: str, error: Exception) -> CheckpointError:
    """Say what went wrong and what to do about it."""
    from huggingface_hub import errors

    problem = f"the download failed ({_reason(error)})"
    hint = "Try again."
    if isinstance(error, errors.GatedRepoError):
        problem = "the owner gives these weights only to who asked for them"
        hint = f"Ask for access on the repository's page. {_SIGN_IN} then."
    elif isinstance(error, errors.RepositoryNotFoundError):
        problem = "the hub has no such public repository"
        hint = f"Check the name. If it is a private one: {_SIGN_IN[0].lower()}"
        hint += f"{_SIGN_IN[1:]}."
    elif isinstance(error, errors.RevisionNotFoundError):
        problem = "the repository has no such branch, tag or commit"
        hint = "Check what follows the @."
    elif _status(error) in (401, 403):
        problem = f"the hub refuses the request ({_status(error)})"
        hint = f"{_SIGN_IN} anew: the token may have run out or lack the right to read."
    elif _status(error) == 429:
        problem = "the hub was asked too often (429)"
        hint = "Wait some minutes and try again."
    elif _status(error) >= 500:
        problem = f"the hub does not work at present ({_status(error)})"
        hint = "Try again later, or open a file you have."
    return CheckpointError(Path(repository), problem, hint)


def _status(error: Exception) -> int:
    """Status of the server's answer; 0 where there was none."""
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0))


def _reason(error: Exception) -> str:
    """A few words: what the system said, else the kind of error."""
    if status := _status(error):
        return str(status)
    if isinstance(error, OSError):
        if error.strerror:
            return error.strerror
        if "onsistency check" in str(error):
            return "the file that came is not whole"
    return type(error).__name__


def _fetch_configuration(repository: str, revision: str | None) -> None:
    """Fetch the small file that names the architecture; do without it if need be."""
    from huggingface_hub import hf_hub_download

    try:
        hf_hub_download(repository, CONFIG, revision=revision)
    except Exception:
        return


def _meter(repository: str, watch: Watch) -> Any:
    """A progress bar's class that reports to us and lets us cancel."""
    from tqdm import tqdm

    class Meter(tqdm):  # type: ignore[misc]
        monitor_interval = 0

        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(
                *arguments, **{**options, "disable": False, "file": _Nowhere()}
            )

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            done, total = int(self.n), int(self.total or 0)
            watch.progress(done, total, f"downloading {repository}")
            return shown

    return Meter


class _Nowhere:
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing to flush."""
