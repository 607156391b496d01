"""An autoencoder with one code: encoding kernels, decoding codes, its stretches.

Its file is safetensors with a JSON header, checked when it is read.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from kernelviewer.device import choose_device, host
from kernelviewer.files import atomic_write, resource
from kernelviewer.formats import CheckpointError
from kernelviewer.kernels import size_key, size_label
from kernelviewer.kernels.classes import FINE, PAPER, UNIDENTIFIED
from kernelviewer.kernels.support import on_support, parts
from kernelviewer.latent import LatentError
from kernelviewer.latent import stretches as editing
from kernelviewer.latent.curve import (
    POINTS,
    Codes,
    Curve,
    PlainAutoencoder,
    arc_length,
    codes_of_table,
    encode,
    shapes,
    unit_rows,
)
from kernelviewer.latent.nearest import Table, unit
from kernelviewer.latent.noise import BINS, Null
from kernelviewer.latent.stretches import Stretch
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from kernelviewer.device import Array, Device
    from kernelviewer.kernels import KernelSet, Size
    from kernelviewer.kernels.bank import Support
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

Method = Literal["curve", "paper"]
Naming = Literal["code", "family"]
METHODS: tuple[Method, ...] = ("curve", "paper")


@dataclass(frozen=True, eq=False)
class Autoencoder:
    """Kernels ↔ codes in [0, 1], for kernels of one size. Immutable."""

    method: Method
    """``curve`` (`kernelviewer.latent.curve`) or ``paper``
    (`kernelviewer.latent.curve`)."""
    size: Size
    """The kernel size."""
    model: Curve | PlainAutoencoder
    """The fitted model."""
    stretches: Stretches
    """The named stretches of the spectrum."""
    null: Null
    """What white noise reaches."""
    point_cosine: NDArray[np.float32]
    """float32 [2048, 23]: cosine of the points of the spectrum with the nearest family
    member of each fine class, [2048, 11] of each of the paper's in files of version
    0.1.0; empty where the family has none of this size."""
    centroids: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)
    """float32 [k, taps] for some k: spherical K-means on the same kernels, so that the
    two can be compared on any network; may be empty."""
    card: Mapping[str, Any] = field(default_factory=dict)
    """How it was made, JSON-like: training files by hash, seed, options, results,
    versions."""

    @classmethod
    def of(cls, method: Method, model: Curve | PlainAutoencoder) -> Autoencoder:
        """A model alone, without names and with an empty null."""
        return cls(
            method,
            model.size,
            model,
            (Stretch(0.0, 1.0, UNIDENTIFIED.id),),
            Null(np.zeros(BINS, np.int64)),
            np.empty((0, len(FINE.patterns)), np.float32),
        )

    @property
    def threshold(self) -> float:
        """The fit from which on a kernel is identified, if nothing else is wished."""
        return self.null.default_threshold

    @property
    def default_naming(self) -> Naming:
        """How kernels of this size are named if nothing else is wished.

        ``family`` where the curve was judged on no unseen network.
        """
        return "family" if self.card.get("default_naming") == "family" else "code"

    @cached_property
    def arc_length(self) -> float:
        """Length of the spectrum on the sphere of patterns, in units of π."""
        return arc_length(self.table.reshape(len(self.table), -1))

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """The spectrum at 2 048 codes, decoded once: float32 [2048, *size]."""
        return self.spectrum(POINTS)

    def decode(self, code: NDArray[np.floating]) -> NDArray[np.float32]:
        """Patterns of codes: float32 [n, *size], mean 0 and length 1.

        Needs no torch. Codes beyond [0, 1] give the pattern of the nearer end.
        """
        codes = np.atleast_1d(np.asarray(code))
        return self.model.decode(codes).reshape(-1, *self.size)

    def spectrum(self, count: int = 256) -> NDArray[np.float32]:
        """Patterns [count, *size] of codes that lie evenly from 0 to 1."""
        return self.decode(codes_of_table(count))

    def encode(
        self,
        kernels: Array,
        *,
        support: Support | None = None,
        device: Device | None = None,
        watch: Watch = NEVER,
    ) -> Codes:
        """Codes of kernels, or of their patterns: offset and scale do not matter.

        Parameters
        ----------
        kernels
            [N, *size], an array of numpy or torch.
        support
            Taps on which they are compared with the spectrum; None: all. The codes of
            a part are those of the nearest points, whatever the method.
        device
            Where to compute; by default the best there is. Memory beyond the kernels
            stays under 500 MB.
        watch
            Told kernels done and N; checked between batches. What it raises ends the
            encoding.

        Returns
        -------
        Codes
            NaN where a kernel is constant (on the support) or not finite.

        Raises
        ------
        LatentError
            The kernels are of another size.
        """
        if tuple(kernels.shape[1:]) != self.size:
            raise self._mismatch(tuple(kernels.shape[1:]))
        where = choose_device() if device is None else device
        rows = self.table.reshape(len(self.table), -1)
        if support is not None:
            kernels = on_support(kernels, support)
            patterns = on_support(self.table, support)
            rows = unit_rows(patterns.reshape(len(rows), -1).astype(np.float64))
        flat = kernels.reshape(len(kernels), math.prod(kernels.shape[1:]))
        code = np.full(len(flat), np.nan, np.float32)
        fit = np.full(len(flat), np.nan, np.float32)
        table = Table(rows, where)
        find = self._finder(table, nearest=support is not None)
        text = f"encoding {size_label(self.size)} kernels"
        for count, here in enumerate(table.batches(len(flat))):
            watch.check()
            found, cosine, valid = map(host, find(flat[here]))
            code[here] = np.where(valid, found, np.nan)
            fit[here] = np.where(valid, cosine, np.nan)
            if count % 64 == 0:
                watch.progress(here.stop, len(flat), text)
        watch.progress(len(flat), len(flat), text)
        return Codes(code, np.clip(fit, -1, 1))

    def encode_set(
        self, kernels: KernelSet, *, device: Device | None = None, watch: Watch = NEVER
    ) -> Codes:
        """As `encode`, for the kernels of a network, each on its layer's support.

        Flat kernels get NaN.
        """
        codes = self.encode(kernels.weights, device=device, watch=watch)
        for place, support in parts(kernels.layer, kernels.supports):
            if support is not None:
                weights = kernels.weights[place]
                found = self.encode(weights, support=support, device=device)
                codes.code[place], codes.fit[place] = found.code, found.fit
        codes.code[kernels.flat] = np.nan
        codes.fit[kernels.flat] = np.nan
        return codes

    def save(self, path: AnyPath) -> None:
        """Write a ``.safetensors`` file, whole or not at all.

        Raises
        ------
        OSError
            The folder is missing or read-only, or the disk is full.
        """
        write_autoencoder(
            path,
            {
                "method": self.method,
                "size": self.size,
                "model": self.model,
                "stretches": self.stretches,
                "null": self.null,
                "point_cosine": self.point_cosine,
                "centroids": self.centroids,
                "card": self.card,
            },
        )

    @classmethod
    def load(cls, path: AnyPath) -> Autoencoder:
        """Read what `save` wrote; needs no torch.

        Raises
        ------
        CheckpointError
            The file cannot be read or is no autoencoder of this program.
        """
        return cls(**read_autoencoder(path))

    def with_stretches(self, stretches: Stretches) -> Autoencoder:
        """The same with other stretches."""
        return replace(self, stretches=stretches)

    def _finder(
        self, table: Table, *, nearest: bool
    ) -> Callable[[Array], tuple[Array, Array, Array]]:
        """A function to code, fit and being patterned of a batch [n, taps]."""
        where = table.device
        if nearest or isinstance(self.model, Curve):
            codes = codes_of_table().astype(np.float32)

            def find(kernels: Array) -> tuple[Array, Array, Array]:
                cosine, row, valid = table.nearest_exactly(kernels)
                return codes[host(row)], cosine, valid

            return find
        xp, parameters = where.xp, self.model.on(where)

        def find_plainly(kernels: Array) -> tuple[Array, Array, Array]:
            patterns, valid = unit(where.put(kernels))
            code = encode(parameters, patterns)
            point = xp.astype(xp.round(code * (len(table.rows) - 1)), xp.int64)
            return code, xp.sum(patterns * table.rows[point], axis=1), valid

        return find_plainly

    def _mismatch(self, size: Size) -> LatentError:
        return LatentError(
            f"this autoencoder is for {size_label(self.size)} kernels, "
            f"not for {size_label(size) if size else 'single numbers'}",
            "Choose one for the size, or train one with kernelviewer train.",
        )


@cache
def shipped(size: Size, method: Method = "curve") -> Autoencoder | None:
    """The autoencoder that comes with the program for a kernel size, if there is one.

    Raises
    ------
    CheckpointError
        Its file is damaged.
    """
    try:
        path = resource("autoencoders", f"{method}-{size_key(size)}.safetensors")
    except FileNotFoundError:
        return None
    return Autoencoder.load(path)


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
        raise LatentError(f"its method {str(method)[:40]!r} is unknown")
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
        raise LatentError(f"{name} has the wrong shape or type")
    if not np.isfinite(array).all():
        raise LatentError(f"{name} has values that are not finite")
