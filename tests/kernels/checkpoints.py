"""Checkpoints made of shapes or arrays, for tests that need no file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kernelviewer.formats import Checkpoint, Skipped, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np

    from kernelviewer.formats import Operator


def of_shapes(
    shapes: Iterable[tuple[str, tuple[int, ...]]],
    operators: Mapping[str, Operator] | None = None,
) -> Checkpoint:
    """Tensors that have names and shapes and must not be read."""
    tensors = tuple(
        Tensor(name, shape, "float32", _unread, name, (operators or {}).get(name))
        for name, shape in shapes
    )
    return Checkpoint(Path("network.pth"), "PyTorch", 0, tensors)


def of_arrays(
    arrays: Mapping[str, np.ndarray],
    operators: Mapping[str, Operator] | None = None,
    **facts: object,
) -> Checkpoint:
    """Tensors that hold the given values."""
    tensors = tuple(
        Tensor(
            name,
            array.shape,
            str(array.dtype),
            _holding(array),
            f"module.{name}",
            (operators or {}).get(name),
        )
        for name, array in arrays.items()
    )
    return Checkpoint(
        Path("network.pth"),
        "PyTorch",
        123,
        tensors,
        skipped=(Skipped("optimizer", "optimizer state"),),
        **facts,
    )


def _holding(array: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: array


def _unread() -> np.ndarray:
    raise AssertionError("classifying must not read values")
