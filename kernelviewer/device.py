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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from kernelviewer.importing import large_import

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

_BLAS_THREADS = (
    "scipy_openblas_{}_num_threads64_",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)

_window_has_a_core = False
_several, _several_lock, _usual_threads = 0, Lock(), 1

Array = Any
"""An array of numpy or torch, as the array API standard has it."""


class DeviceError(ValueError):
    """A device that does not exist, or that this machine does not have."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where arrays lie and what computes with them.

    Attributes
    ----------
    type
        ``cuda``, ``mps`` or ``cpu``.
    library
        ``numpy`` knows only the CPU.
    """

    type: str
    library: Literal["numpy", "torch"] = "torch"

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
    with large_import():
        import torch
    torch.set_num_threads(_all_but_one())


def threads() -> int:
    """How many threads may compute: as many as there are cores, or one less."""
    return _all_but_one() if _window_has_a_core else os.cpu_count() or 1


def leave_a_core() -> None:
    """Have numpy leave one core to the window.

    Threads that fill a busy machine wait for each other. numpy's wheels bring OpenBLAS,
    which is told so; another library keeps its own number of threads.
    """
    global _window_has_a_core
    _window_has_a_core = True
    _choose_blas_threads(_all_but_one())


@contextmanager
def one_thread_each() -> Iterator[None]:
    """While several threads make products, numpy makes each in one thread.

    Else the threads of each product wait for the other's, at full load: on two cores
    twice the processor time. The last to leave sets the usual number again.
    """
    global _several, _usual_threads
    with _several_lock:
        if not _several:
            _usual_threads = next((ask() for ask, _ in _blas()), 1)
            _choose_blas_threads(1)
        _several += 1
    try:
        yield
    finally:
        with _several_lock:
            _several -= 1
            if not _several:
                _choose_blas_threads(_usual_threads)


def _choose_blas_threads(count: int) -> None:
    for _, choose in _blas():
        choose(count)


@cache
def _blas() -> tuple[tuple[Callable[[], int], Callable[[int], None]], ...]:
    """What tells and sets the number of threads of numpy's OpenBLAS."""
    root, found = Path(np.__file__).parent, []
    for path in (root.parent / "numpy.libs").glob("*openblas*"):
        with suppress(OSError):
            library = ctypes.CDLL(str(path))
            for name in _BLAS_THREADS:
                ask, choose = name.format("get"), name.format("set")
                if hasattr(library, ask) and hasattr(library, choose):
                    found.append((getattr(library, ask), getattr(library, choose)))
    return tuple(found)


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
