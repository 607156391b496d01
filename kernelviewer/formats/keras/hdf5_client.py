"""What an HDF5 file holds, asked of a process that may hang or crash in our place."""

from __future__ import annotations

import atexit
import importlib.util
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from kernelviewer.formats.errors import CheckpointError, DamagedError
from kernelviewer.formats.stored import ITEMSIZE, decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kernelviewer.formats.source import OpenedFile


_SCRIPT = Path(__file__).with_name("hdf5_worker.py")
_BROKEN = "its HDF5 structure is damaged"
_MAX_ANSWER = 1 << 28
_ENVIRONMENT = {
    "HDF5_USE_FILE_LOCKING": "FALSE",  # also opens what a training run still writes
    "HDF5_PLUGIN_PRELOAD": "::",  # no filter is loaded from the machine's folders
    "OPENBLAS_NUM_THREADS": "1",
}


class _Lister:
    """The process: started when first needed, replaced when it dies."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a request; wait for the answer and the bytes after it.

        Raises
        ------
        DamagedError
            The process died of the file.
        """
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.write(data)
                process.stdin.flush()
                line = process.stdout.readline(_MAX_ANSWER)
                answer = json.loads(line)
                body = process.stdout.read(answer.pop("bytes"))
            except (OSError, ValueError):
                self._stop()
                raise DamagedError(_BROKEN) from None
        return answer, body

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-W", "ignore", str(_SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **_ENVIRONMENT},
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


_LISTER = _Lister()


@dataclass(frozen=True, slots=True)
class Dataset:
    """An array in the file. ``offset`` is None where it is divided or packed.

    ``address`` is where its description lies: what was written first lies first.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    big_endian: bool
    offset: int | None
    address: int
    problem: str


@dataclass(slots=True)
class Hdf5:
    """The bytes of an HDF5 file: a file, a stretch of one, or in memory."""

    file: OpenedFile
    offset: int
    size: int
    """Where the bytes lie."""
    data: NDArray[np.uint8] | None = None
    """The bytes, where the file holds them packed."""
    datasets: list[Dataset] = field(default_factory=list)
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """What the file holds; attributes by the path of their group."""

    def list(self) -> None:
        """Fill in what the file holds.

        Raises
        ------
        DamagedError
            The structure makes no sense.
        CheckpointError
            h5py is not installed.
        """
        if importlib.util.find_spec("h5py") is None:
            problem = "reading Keras and HDF5 files needs the package h5py"
            raise CheckpointError(self.file.path, problem, "Run: pip install h5py")
        answer, _ = self._ask({})
        self.attributes = answer["attributes"]
        self.skipped = [(path, reason) for path, reason in answer["skipped"]]
        for facts in answer["datasets"]:
            facts["shape"] = tuple(facts["shape"])
            self.datasets.append(Dataset(**facts))

    def read(self, dataset: Dataset) -> NDArray[np.generic]:
        """The values of a dataset.

        Raises
        ------
        DamagedError
            It lies outside the file or cannot be unpacked.
        CheckpointError
            It is packed and very large.
        """
        count = math.prod(dataset.shape) * ITEMSIZE[dataset.dtype]
        if dataset.offset is not None and self.data is not None:
            raw = self.data[dataset.offset : dataset.offset + count]
        elif dataset.offset is not None:
            raw = self.file.read(self.offset + dataset.offset, count)
        else:
            raw = self._unpacked(dataset)
        if len(raw) != count:
            raise DamagedError(_BROKEN)
        values = decode(raw, dataset.dtype, big_endian=dataset.big_endian)
        return values.reshape(dataset.shape)

    def fits(self, dataset: Dataset) -> bool:
        """True if a dataset's bytes lie inside the file."""
        count = math.prod(dataset.shape) * ITEMSIZE[dataset.dtype]
        return dataset.offset is None or dataset.offset + count <= self.size

    def _unpacked(self, dataset: Dataset) -> NDArray[np.uint8]:
        self.file.read(0, 0)  # raises if the file is another one by now
        _, data = self._ask({"dataset": dataset.path})
        return np.frombuffer(data, np.uint8)

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if self.data is not None:
            request["bytes"] = len(self.data)
            answer, body = _LISTER.ask(request, self.data.tobytes())
        else:
            request |= {"path": str(self.file.path.resolve())}
            request |= {"offset": self.offset, "size": self.size}
            answer, body = _LISTER.ask(request, b"")
        if answer.get("error") == "large":
            problem = f"“{request['dataset'][-60:]}” in it is packed and very large"
            raise CheckpointError(self.file.path, problem, "Save it without packing.")
        if answer.get("error") == "cut":
            msg = "its end is missing: it is half a download"
            raise DamagedError(msg, "Download it again.")
        if "error" in answer:
            raise DamagedError(_BROKEN)
        return answer, body
