"""Choosing the device, which imports torch only where there may be a GPU."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kernelviewer import device
from kernelviewer.device import CPU, Device, DeviceError, choose_device, needs_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUILDS = {
    "cuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n": {"cuda"},
    "cuda = None\nhip = '6.2'\n": {"hip"},
    "cuda: Optional[str] = None\nhip: Optional[str] = None\n": set(),
    "__version__ = '9.0'\n": {"cuda", "hip"},
}


@pytest.mark.parametrize("text", BUILDS)
def test_what_torch_was_made_for_is_read_from_its_version_file(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "version.py").write_text(text)
    found = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(device, "find_spec", lambda name: found)
    assert device._torch_is_made_for() == BUILDS[text]


def test_without_torch_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "find_spec", lambda name: None)
    assert device._torch_is_made_for() == set()


@pytest.mark.parametrize(
    ("hidden", "likely"), [("", False), ("-1", False), ("0", True)]
)
def test_a_gpu_is_likely_where_its_driver_is_and_it_is_not_hidden(
    hidden: str, likely: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nvcuda.dll").touch()
    monkeypatch.setattr(device, "DRIVERS", (str(tmp_path / "nvcuda.dll"),))
    monkeypatch.setattr(device, "_torch_is_made_for", lambda: {"cuda"})
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert device._gpu_is_likely.__wrapped__() is likely
    monkeypatch.setattr(device, "_torch_is_made_for", set)
    assert not device._gpu_is_likely.__wrapped__()


def test_the_cpu_needs_no_torch_and_a_gpu_does() -> None:
    assert not needs_torch("cpu")
    assert needs_torch("cuda")
    assert needs_torch("mps")
    assert choose_device("cpu") is CPU


def test_a_gpu_that_is_not_there_leaves_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(device, "_gpu_is_likely", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") is CPU


def test_a_broken_torch_is_named_with_the_way_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(device, "_gpu_is_likely", lambda: True)
    assert choose_device("auto") is CPU
    with pytest.raises(DeviceError, match=r"torch, which a GPU needs.*use device cpu"):
        choose_device("cuda")


@pytest.fixture
def product_threads() -> Iterator[Callable[[], int]]:
    """How many threads numpy's products have; put back at the end."""
    libraries = (Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas64*")
    path = next(libraries, None)
    if path is None:
        pytest.skip("this numpy brings no OpenBLAS")
    library = ctypes.CDLL(str(path))
    ask = getattr(library, "scipy_openblas_get_num_threads64_", None)
    if ask is None:
        pytest.skip("this OpenBLAS does not tell")
    before = ask()
    yield ask
    library.scipy_openblas_set_num_threads64_(ctypes.c_int(before))


def test_products_leave_one_core_to_the_window(
    product_threads: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_window_has_a_core", False)
    device.leave_a_core()
    assert product_threads() == max(1, (os.cpu_count() or 2) - 1)


def test_products_have_one_thread_while_batches_run_side_by_side(
    product_threads: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "threads", lambda: 2)
    device._set_blas_threads(2)
    before = product_threads()
    batches = CPU.batches(1000, 2**10, 256)
    seen: list[tuple[int, int]] = []

    def work(first: int) -> None:
        seen.append((first, product_threads()))

    for _ in device.side_by_side(work, batches, CPU):
        pass
    assert sorted(seen) == [(0, 1), (512, 1)]
    assert product_threads() == before


@pytest.mark.parametrize(
    ("total", "taps", "count", "step"),
    [
        (3000, 49, 1, 5120),
        (12_000, 49, 2, 6144),
        (3000, 169, 2, 1536),
        (100, 1000, 1, 256),
        (50_000, 100, 10, 5120),
        (0, 9, 0, 28_928),
    ],
)
def test_batches_are_shared_by_the_threads(
    total: int, taps: int, count: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "threads", lambda: 2)
    found = CPU.batches(total, taps, 256)
    assert (len(found), found.step) == (count, step)
    assert len(Device("cpu", "torch").batches(12_000, 49, 256)) == 1


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_read_only_arrays_of_any_byte_order_are_put(library: str) -> None:
    given = np.arange(6, dtype=">f8").reshape(2, 3)
    given.flags.writeable = False
    where = Device("cpu", library)
    found = where.put(given)
    assert found.dtype == where.xp.float32
    np.testing.assert_array_equal(device.host(found), given)
