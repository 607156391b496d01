"""The compute device, cuda, mps or cpu, and the library that computes there.

On a CPU numpy does the numerics: importing torch takes seconds and holds the
interpreter. They are written once, against the array API, and run with torch on a GPU.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from kernelviewer.importing import there_to_stay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from numpy.typing import DTypeLike, NDArray

    from kernelviewer.watch import Watch

CHOICES = ("auto", "cuda", "mps", "cpu")

DRIVERS = (
    "/proc/driver/nvidia/version",
    "/dev/nvidiactl",
    "/dev/dxg",
    rf"{os.environ.get('SYSTEMROOT', '')}\System32\nvcuda.dll",
)
"""Where NVIDIA's driver shows on Linux, in a container, in WSL and on Windows."""

_THREADS_OF_BLAS = (
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)

_window_has_a_core = False
_most_threads = 0

Array = Any
"""An array of numpy or torch, as the array API standard has it."""


class DeviceError(ValueError):
    """A device that does not exist, or that this machine does not have."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where arrays lie and what computes with them."""

    type: str
    """``cuda``, ``mps`` or ``cpu``."""
    library: Literal["numpy", "torch"] = "torch"
    """``numpy`` knows only the CPU."""

    @property
    def xp(self) -> Any:
        """The array API namespace."""
        return np if self.library == "numpy" else _torch_namespace()

    @property
    def torch_device(self) -> torch.device:
        """The device for what only torch can do, which is imported: training."""
        import torch

        return torch.device(self.type)

    def put(self, array: Array, dtype: DTypeLike = np.float32) -> Array:
        """The array on this device, with native numbers of a type.

        For torch it is a copy: arrays of a bank are read-only, which torch is not.
        """
        if self.library == "numpy":
            return np.asarray(host(array), dtype)
        return self.xp.asarray(np.array(host(array), dtype), device=self.type)

    def batches(self, total: int, taps: int, multiple: int) -> range:
        """Where batches of ``total`` kernels of so many taps start.

        ``step`` is how many a batch has, a multiple if that is possible. There are as
        many batches as threads, but not of so few kernels that one thread would be done
        with them all as soon as several, which wait for each other's interpreter.
        """
        most = max(_LEAST, _TAPS[self.library] // taps)
        most = most // multiple * multiple or most
        if self.library == "numpy":
            share = -(-total // (threads() * multiple)) * multiple
            alone = _ALONE // taps // multiple * multiple
            most = min(most, max(share, alone, multiple))
        return range(0, total, most)


_TAPS = {"numpy": 2**19, "torch": 2**21}
"""In a batch of kernels: so many that their work is more than the overhead of calls,
and well below 500 MB."""
_ALONE, _LEAST = 2**18, 256
"""Taps that are not shared out; kernels in a batch at least."""

CPU = Device("cpu", "numpy")


def namespace_of(array: Array) -> Any:
    """The array API namespace of an array's library."""
    return np if isinstance(array, np.ndarray) else _torch_namespace()


def _torch_namespace() -> Any:
    # numpy is its own; its wrapper would import all of numpy, which takes 0.1 s
    import array_api_compat.torch as xp

    return xp


def host(array: Array) -> NDArray[Any]:
    """An array of either library as one of numpy."""
    if isinstance(array, np.ndarray):
        return array
    found: NDArray[Any] = array.detach().cpu().numpy()
    return found


def choose_device(wish: str = "auto") -> Device:
    """Device that computations run on.

    torch is imported only for a GPU that is asked for, or that there seems to be.

    Parameters
    ----------
    wish
        One of ``auto`` (cuda, then mps, then cpu), ``cuda``, ``mps``, ``cpu``.

    Raises
    ------
    DeviceError
        The wish is not a choice, or this machine does not have it, or torch, which the
        wished GPU needs, is broken.
    """
    if wish not in CHOICES:
        msg = f"unknown device {wish!r}; choose one of {', '.join(CHOICES)}"
        raise DeviceError(msg)
    if not needs_torch(wish):
        return CPU
    try:
        import torch
    except (ImportError, OSError) as error:
        if wish == "auto":
            return CPU
        msg = f"torch, which a GPU needs, cannot be imported ({error}); use device cpu"
        raise DeviceError(msg) from error
    usable = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wish == "auto":
        wish = next(name for name, there in usable.items() if there)
    if not usable[wish]:
        there = ", ".join(name for name, has in usable.items() if has)
        msg = f"this machine has no {wish} device that torch can use; it has {there}"
        raise DeviceError(msg)
    return CPU if wish == "cpu" else Device(wish)


def needs_torch(wish: str) -> bool:
    """True if the device takes an import of torch, which takes seconds."""
    return wish in ("cuda", "mps") or (wish == "auto" and _gpu_is_likely())


def describe_device(device: Device) -> str:
    """Readable name: ``cpu``, ``mps`` or, say, ``cuda · NVIDIA H100``."""
    if device.type == "cuda":
        import torch

        return f"cuda · {torch.cuda.get_device_name(device.torch_device)}"
    return device.type


def start_torch(watch: Watch) -> None:
    """Import torch for a job of the window, which keeps one core to itself."""
    if "torch" not in sys.modules:
        watch.progress(0, 0, "importing torch, which takes seconds the first time")
    with there_to_stay():
        import torch
    torch.set_num_threads(_all_but_one())


def threads() -> int:
    """How many threads may compute: as many as there are cores, unless told less."""
    if _most_threads:
        return _most_threads
    return _all_but_one() if _window_has_a_core else os.cpu_count() or 1


def use_threads(count: int) -> None:
    """Have at most ``count`` threads of ours compute, where processes share a machine.

    Libraries that numpy brings are told by their own variables, before it is imported.
    """
    global _most_threads
    _most_threads = count


def leave_a_core() -> None:
    """Have numpy leave one core to the window.

    Threads that fill a busy machine wait for each other. numpy's wheels bring OpenBLAS,
    which is told so; another library keeps its own number of threads.
    """
    global _window_has_a_core
    _window_has_a_core = True
    _set_blas_threads(_all_but_one())


def side_by_side(
    work: Callable[[int], None], batches: range, device: Device
) -> Iterator[None]:
    """Batches of work, done in order or, where numpy computes, on several threads.

    Those of numpy's products rest meanwhile: after each product they would turn on the
    spot for a while, on a core that others could use.
    """
    if device.library != "numpy":
        yield from map(work, batches)
        return
    count = min(threads(), len(batches))
    with _BLAS_RESTS:
        if count < 2:
            yield from map(work, batches)
            return
        with ThreadPoolExecutor(count) as pool:
            yield from pool.map(work, batches)


class _BlasRests:
    """One thread for each of numpy's products, while there is any user of it."""

    def __init__(self) -> None:
        self._lock, self._users = threading.Lock(), 0
        self._before: list[int] = []

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = [blas.get() for blas in _blas()]
                _set_blas_threads(1)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                for blas, count in zip(_blas(), self._before, strict=True):
                    blas.set(ctypes.c_int(count))


_BLAS_RESTS = _BlasRests()


class _Blas(NamedTuple):
    """What asks for and sets the number of threads of a library of products."""

    get: Any
    set: Any


def _set_blas_threads(count: int) -> None:
    for blas in _blas():
        blas.set(ctypes.c_int(count))


@cache
def _blas() -> list[_Blas]:
    """The OpenBLAS of numpy's wheel, if it is there."""
    found = []
    root = Path(np.__file__).parent
    for path in (root.parent / "numpy.libs").glob("*openblas*"):
        with suppress(OSError):
            library = ctypes.CDLL(str(path))
            for name in _THREADS_OF_BLAS:
                with suppress(AttributeError):
                    calls = (getattr(library, name.format(w)) for w in ("get", "set"))
                    found.append(_Blas(*calls))
    return found


def _all_but_one() -> int:
    return max(1, (os.cpu_count() or 2) - 1)


@cache
def _gpu_is_likely() -> bool:
    """True if there is a GPU's driver and a torch made for it; neither is loaded."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    made_for = _torch_is_made_for()
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    nvidia = not hidden and any(Path(driver).exists() for driver in DRIVERS)
    amd = Path("/dev/kfd").exists()
    return ("cuda" in made_for and nvidia) or ("hip" in made_for and amd)


def _torch_is_made_for() -> set[str]:
    """``cuda`` and ``hip``, as far as the installed torch supports them.

    What its version file does not tell counts as support.
    """
    found = find_spec("torch")
    if found is None or found.origin is None:
        return set()
    try:
        text = Path(found.origin).with_name("version.py").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return {"cuda", "hip"}
    without = re.findall(r"^(cuda|hip)\b[^=\n]*= *None\b", text, re.MULTILINE)
    return {"cuda", "hip"}.difference(without)
