"""Autoencoders as files: safetensors with a JSON header, checked when they are read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from kernelviewer.files import atomic_write
from kernelviewer.formats import CheckpointError
from kernelviewer.kernels.classes import FINE, PAPER
from kernelviewer.latent import stretches as editing
from kernelviewer.latent.curve import POINTS, Curve, PlainAutoencoder, shapes
from kernelviewer.latent.errors import LatentError
from kernelviewer.latent.noise import BINS, Null

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from kernelviewer.kernels import Size
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.text import AnyPath

KEY = "kernelviewer"
KIND = "autoencoder"
FORMAT = 1
_LARGEST_FILE = 64 * 2**20
_MOST_TAPS = 4096
_NULL, _POINTS, _CENTROIDS = "null_counts", "point_cosine", "kmeans_"
Arrays = dict[str, "NDArray[Any]"]


class Fields(TypedDict):
    """The contents of a file: the fields of `kernelviewer.latent.Autoencoder`."""

    method: Literal["curve", "paper"]
    size: Size
    model: Curve | PlainAutoencoder
    stretches: Stretches
    null: Null
    point_cosine: NDArray[np.float32]
    centroids: Mapping[int, NDArray[np.float32]]
    card: Mapping[str, Any]


class _WrongError(Exception):
    """A fault of the file, a clause."""


def write_autoencoder(path: AnyPath, fields: Fields) -> None:
    """Write the file, whole or not at all."""
    path = Path(path)
    from safetensors.numpy import save

    header = {
        "kind": KIND,
        "format": FORMAT,
        "method": fields["method"],
        "size": list(fields["size"]),
        "segments": editing.to_json(fields["stretches"]),
        "card": fields["card"],
    }
    model = fields["model"]
    arrays: Arrays = (
        {"series": model.series, "stretch": model.stretch}
        if isinstance(model, Curve)
        else dict(model.parameters)
    )
    arrays[_NULL] = fields["null"].counts.astype(np.int32)
    if fields["point_cosine"].size:
        arrays[_POINTS] = fields["point_cosine"]
    for count, centroids in fields["centroids"].items():
        arrays[f"{_CENTROIDS}{count}"] = centroids
    ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    data = save(ordered, {KEY: json.dumps(header, sort_keys=True)})
    with atomic_write(path) as file:
        file.write(data)


def read_autoencoder(path: AnyPath) -> Fields:
    """The contents that `write_autoencoder` wrote, checked.

    Raises
    ------
    CheckpointError
        The file cannot be read or is something else.
    """
    path = Path(path)
    try:
        header, arrays = _read(path)
        return _fields(header, arrays)
    except _WrongError as error:
        raise CheckpointError(path, str(error), _HINT) from None
    except (LatentError, KeyError, TypeError, ValueError, OverflowError) as error:
        problem = f"it is a damaged autoencoder ({_reason(error)})"
        raise CheckpointError(path, problem, _HINT) from None


_HINT = "Choose a file that kernelviewer train has written."


def _reason(error: Exception) -> str:
    if isinstance(error, LatentError):
        return error.problem
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return "values that make no sense"


def _read(path: Path) -> tuple[dict[str, Any], Arrays]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        if not path.is_file():
            problem = "is a folder" if path.is_dir() else "there is no such file"
            raise _WrongError(problem)
        if path.stat().st_size > _LARGEST_FILE:
            raise _WrongError("is too large for an autoencoder")
        data = path.read_bytes()  # not mapped: another program may cut it off
        metadata = _metadata(data)
        if KEY not in metadata:
            raise _WrongError("is no autoencoder but a network")
        header = json.loads(metadata[KEY])
        arrays = load(data)
    except OSError as error:
        raise _WrongError(f"cannot be read ({error.strerror or error})") from None
    except (SafetensorError, json.JSONDecodeError, UnicodeError, RecursionError):
        raise _WrongError("is no autoencoder, or a damaged one") from None
    except (TypeError, AttributeError):  # types that numpy has no name for
        raise _WrongError("is no autoencoder but a network") from None
    if not isinstance(header, dict) or header.get("kind") != KIND:
        raise _WrongError("is no autoencoder, or a damaged one")
    if header.get("format") != FORMAT:
        raise _WrongError("was written by another version of kernelviewer")
    return header, arrays


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata in the header of a safetensors file."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    return header.get("__metadata__") or {}


def _fields(header: Mapping[str, Any], arrays: Arrays) -> Fields:
    size = _size(header["size"])
    taps = math.prod(size)
    method = header["method"]
    if method not in ("curve", "paper"):
        msg = f"its method {str(method)[:40]!r} is unknown"
        raise LatentError(msg)
    card = header["card"]
    if not isinstance(card, dict):
        raise TypeError
    points = arrays.get(_POINTS, np.empty((0, len(FINE.patterns)), np.float32))
    if len(points):
        # files of 0.1.0 know the paper's classes only
        known = len(PAPER.patterns), len(FINE.patterns)
        classes = next((n for n in known if points.shape[1:] == (n,)), known[-1])
        _expect(points, _POINTS, (POINTS, classes))
    return {
        "method": method,
        "size": size,
        "model": _curve(size, arrays) if method == "curve" else _plain(size, arrays),
        "stretches": editing.from_json(header["segments"]),
        "null": _null(arrays[_NULL]),
        "point_cosine": points,
        "centroids": dict(sorted(_centroids(arrays, taps))),
        "card": card,
    }


def _size(value: Any) -> Size:
    size = tuple(value)
    if not size or any(type(n) is not int or n < 1 for n in size):
        raise ValueError
    if math.prod(size) > _MOST_TAPS:
        raise ValueError
    return size


def _curve(size: Size, arrays: Arrays) -> Curve:
    series, stretch = arrays["series"], arrays["stretch"]
    _expect(series, "series", (len(series), math.prod(size)))
    _expect(stretch, "stretch", (len(stretch),))
    if not 1 <= len(series) <= POINTS or not 2 <= len(stretch) <= POINTS + 1:
        raise ValueError
    if stretch[0] != 0 or stretch[-1] != 1 or (np.diff(stretch) < 0).any():
        raise ValueError
    return Curve(size, series, stretch)


def _plain(size: Size, arrays: Arrays) -> PlainAutoencoder:
    wanted = shapes(math.prod(size))
    for name, shape in wanted.items():
        _expect(arrays[name], name, shape)
    return PlainAutoencoder(size, {name: arrays[name] for name in wanted})


def _null(counts: NDArray[Any]) -> Null:
    if counts.shape != (BINS,) or counts.dtype.kind != "i" or (counts < 0).any():
        raise ValueError
    if not counts.sum():
        raise ValueError
    return Null(counts.astype(np.int64))


def _centroids(arrays: Arrays, taps: int) -> list[tuple[int, NDArray[np.float32]]]:
    found = []
    for name, value in arrays.items():
        if name.startswith(_CENTROIDS):
            _expect(value, name, (len(value), taps))
            found.append((int(name.removeprefix(_CENTROIDS)), value))
    return found


def _expect(array: NDArray[Any], name: str, shape: tuple[int, ...]) -> None:
    if array.dtype != np.float32 or array.shape != shape:
        msg = f"{name} has the wrong shape or type"
        raise LatentError(msg)
    if not np.isfinite(array).all():
        msg = f"{name} has values that are not finite"
        raise LatentError(msg)
