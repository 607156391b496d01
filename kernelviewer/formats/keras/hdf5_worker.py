"""Lists what an HDF5 file holds; runs as a process of its own.

The HDF5 library can hang or crash on damaged files. Here it may: the program only sees
that the answer is missing. Requests come as lines of JSON on standard input, answers go
to standard output. No group's links are followed out of the file, no dataset is read
unless it is asked for.
"""

from __future__ import annotations

import faulthandler
import io
import json
import math
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import h5py


HANG_SECONDS = 1.5
"""Without progress for so long, the process ends itself."""
MAX_OBJECTS, MAX_DEPTH = 200_000, 64
MAX_ATTRIBUTE = 1 << 26
MAX_READ = 1 << 27
MEMORY = 1 << 29

_ATTRIBUTES = ("keras_version", "backend", "model_config", "name")
_LISTS = ("layer_names", "weight_names")  # long ones are divided: layer_names0 …
_DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)


class Window(io.RawIOBase):
    """A stretch of a file that looks like a file: an entry of a zip."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file, self._offset, self._size, self._at = file, offset, size, 0

    def readable(self) -> bool:
        """Bytes can be read."""
        return True

    def seekable(self) -> bool:
        """Any place can be read."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the stretch."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}
        self._at = start[whence] + offset
        return self._at

    def tell(self) -> int:
        """The place in the stretch."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, up to the stretch's end."""
        view = memoryview(buffer)[: max(0, self._size - self._at)]
        self._file.seek(self._offset + self._at)
        count = self._file.readinto(view)  # type: ignore[attr-defined]
        self._at += count
        return int(count)


class Listing:
    """Walks the groups and describes datasets and the attributes that Keras writes.

    Groups called ``vars`` are noted without attributes too: each is that of a layer.
    """

    def __init__(self) -> None:
        self.datasets: list[dict[str, Any]] = []
        self.attributes: dict[str, dict[str, Any]] = {}
        self.skipped: list[tuple[str, str]] = []
        self._groups: set[Any] = set()
        self._objects = 0
        self._watched = time.monotonic()

    def group(self, group: h5py.Group, path: str, depth: int) -> None:
        """Describe a group and what is below."""
        import h5py

        place = h5py.h5o.get_info(group.id)
        if depth > MAX_DEPTH:
            self.skipped.append((path, "a group nested absurdly deep"))
            return
        if (place.fileno, place.addr) in self._groups:
            self.skipped.append((path, "a group that holds itself"))
            return
        self._groups.add((place.fileno, place.addr))
        self._note_attributes(group, path)
        for name in group:
            self._progress()
            inner = f"{path}/{text(name)}" if path else text(name)
            raw = name if isinstance(name, bytes) else name.encode()  # bytes: no UTF-8
            try:
                self._entry(group, raw, inner, depth)
            except _DAMAGED:
                self.skipped.append((inner, "it is damaged"))

    def _entry(self, group: h5py.Group, name: bytes, path: str, depth: int) -> None:
        import h5py

        kind = group.id.links.get_info(name).type
        if kind == h5py.h5l.TYPE_EXTERNAL:
            reason = "a link to another file, which is not followed"
            self.skipped.append((path, reason))
        elif kind == h5py.h5l.TYPE_HARD:
            item = h5py.h5o.open(group.id, name)
            if isinstance(item, h5py.h5g.GroupID):
                self.group(h5py.Group(item), path, depth + 1)
            elif isinstance(item, h5py.h5d.DatasetID):
                self.datasets.append(described(item, path))

    def _note_attributes(self, group: h5py.Group, path: str) -> None:
        found = {}
        with suppress(*_DAMAGED):
            for name in group.attrs:
                self._progress()
                if name in _ATTRIBUTES or name.startswith(_LISTS):
                    with suppress(*_DAMAGED):
                        found[name] = attribute(group, name)
        if found or path.rpartition("/")[2] == "vars":
            self.attributes[path] = found

    def _progress(self) -> None:
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            raise MemoryError("it lists an absurd number of objects")
        if time.monotonic() - self._watched > HANG_SECONDS / 4:
            self._watched = time.monotonic()
            watch()


def described(dataset: h5py.h5d.DatasetID, path: str) -> dict[str, Any]:
    """Shape, number type and place of a dataset; ``problem`` says why there is none."""
    import h5py

    dtype, big_endian = number_type(dataset.get_type())
    plan, space = dataset.get_create_plist(), dataset.get_space()
    layout = plan.get_layout()
    has_shape = space.get_simple_extent_type() != h5py.h5s.NULL
    shape = space.shape if has_shape else ()
    facts = {
        "path": path,
        "shape": list(shape),
        "dtype": dtype,
        "big_endian": big_endian,
        "offset": dataset.get_offset() if layout == h5py.h5d.CONTIGUOUS else None,
        "address": h5py.h5o.get_info(dataset).addr,
        "problem": "",
    }
    if not (has_shape and dtype):
        facts["problem"] = "it holds no numbers that can be read"
    elif plan.get_external_count() or layout == h5py.h5d.VIRTUAL:
        facts["problem"] = "its values lie in another file, which is not followed"
    elif 0 not in shape and not dataset.get_storage_size():
        facts["problem"] = "its values were never written"
    return facts


def number_type(kind: Any) -> tuple[str, bool]:
    """Name of a stored number type, empty if it is none, and its byte order."""
    import h5py

    size = kind.get_size()
    if isinstance(kind, h5py.h5t.TypeOpaqueID) and size == 2:
        return "bfloat16", False  # how h5py stores numbers that numpy does not know
    if isinstance(kind, h5py.h5t.TypeFloatID):
        exponent = kind.get_fields()[2]
        names = {(2, 5): "float16", (2, 8): "bfloat16", (4, 8): "float32"}
        names[8, 11] = "float64"
        return names.get((size, exponent), ""), kind.get_order() == h5py.h5t.ORDER_BE
    if isinstance(kind, h5py.h5t.TypeIntegerID) and size in (1, 2, 4, 8):
        sign = "" if kind.get_sign() == h5py.h5t.SGN_2 else "u"
        return f"{sign}int{8 * size}", kind.get_order() == h5py.h5t.ORDER_BE
    return "", False


def attribute(group: h5py.Group, name: str) -> str | list[str]:
    """A text or a list of texts."""
    handle = group.attrs.get_id(name)
    if math.prod(handle.shape) * handle.dtype.itemsize > MAX_ATTRIBUTE:
        raise ValueError("an attribute in it is absurdly large")
    value = group.attrs[name]
    if isinstance(value, bytes | str):
        return text(value)
    return [text(item) for item in np.ravel(value).tolist()]


def text(value: object) -> str:
    """A text of the file."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def opened(request: dict[str, Any]) -> h5py.File:
    """The file, the stretch of a file, or the bytes that a request names."""
    import h5py

    if "bytes" in request:
        return h5py.File(io.BytesIO(sys.stdin.buffer.read(request["bytes"])), "r")
    if not request["offset"]:
        return h5py.File(request["path"], "r")
    file = Path(request["path"]).open("rb")  # noqa: SIM115 (closed with the process)
    return h5py.File(Window(file, request["offset"], request["size"]), "r")


def listing(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer what the file holds."""
    result = Listing()
    with opened(request) as file:
        result.group(file, "", 0)
    return vars(result), b""


def values(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer one dataset's values, in its own number type."""
    with opened(request) as file:
        dataset = file[request["dataset"]]
        stored = dataset.id.get_type().get_size()
        if dataset.size * stored > MAX_READ:
            return {"error": "large"}, b""
        if stored != dataset.dtype.itemsize:
            return {"error": "damaged"}, b""
        return {}, np.ascontiguousarray(dataset[()]).tobytes()


def watch() -> None:
    """Start counting again until the process counts as hung."""
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=_NOWHERE)


def serve() -> None:
    """Answer requests until there are no more."""
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        watch()
        try:
            answer, data = (values if "dataset" in request else listing)(request)
        except (*_DAMAGED, MemoryError, RecursionError) as error:
            cut = "truncated file" in str(error)
            answer, data = {"error": "cut" if cut else "damaged"}, b""
        faulthandler.cancel_dump_traceback_later()
        kept = {key: value for key, value in answer.items() if not key.startswith("_")}
        head = json.dumps({**kept, "bytes": len(data)})
        sys.stdout.buffer.write(head.encode() + b"\n" + data)
        sys.stdout.buffer.flush()


def limit_memory() -> None:
    """Keep a damaged file from taking the machine's memory, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


if __name__ == "__main__":
    _NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115 (open as long as we run)
    limit_memory()
    serve()
