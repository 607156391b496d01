"""A hub on this machine: answers as the real one does to the library's requests."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

COMMIT = "c" * 40


@dataclass
class FakeHub:
    """What lies on the hub, and how it behaves.

    Attributes
    ----------
    files
        ``owner/repository`` → file name → bytes.
    errors
        ``owner/repository`` → (status, headers) given to every request for it.
    first
        Bytes of a file that are sent at once; then the server waits for ``go_on``.
    break_after
        Bytes after which the connection is cut, one entry for each of the next tries.
    asked
        Method and path of every request.
    """

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    errors: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    first: int | None = None
    break_after: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> FakeHub:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Where the hub answers."""
        return f"http://127.0.0.1:{self._server.server_port}"


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        hub = self.hub
        hub.asked.append(f"{self.command} {self.path}")
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
        repository, name = (found[1], found[3]) if found else ("", "")
        if repository in hub.errors:
            status, headers = hub.errors[repository]
            self._head(status, 0, headers)
        elif repository not in hub.files:
            self._head(401, 0, {"X-Error-Code": "RepoNotFound"})
        elif name not in hub.files[repository]:
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}
            self._head(404, 0, headers)
        else:
            self._file(hub.files[repository][name])

    def _file(self, data: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(asked[1]) if asked else 0
        headers = {
            "ETag": f'"{sha256(data).hexdigest()}"',
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._head(206 if asked else 200, len(data) - start, headers)
        if self.command == "HEAD":
            return
        hub = self.hub
        if hub.break_after:
            self.wfile.write(data[start : start + hub.break_after.pop(0)])
            self.close_connection = True
            return
        at_once = len(data) if hub.first is None else hub.first
        self.wfile.write(data[start : start + at_once])
        if start + at_once < len(data):
            self.wfile.flush()
            hub.go_on.wait()
            self.wfile.write(data[start + at_once :])

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub that the library takes for the real one; no download outlives it."""
    import huggingface_hub
    from huggingface_hub import constants

    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HF_HUB_OFFLINE",
        "HF_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    huggingface_hub.close_session()
    with FakeHub() as hub:
        template = f"{hub.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield hub
        hub.go_on.set()
        for thread in threading.enumerate():
            if thread.name == "download":
                thread.join()
    huggingface_hub.close_session()
