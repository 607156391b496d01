"""What tests of readers share: opening, picking depthwise tensors, comparing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.formats.source import OpenedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from numpy.typing import NDArray

    from kernelviewer.formats import Checkpoint, Tensor

SIZES = [(13, 13), (31, 31), (1, 11), (31, 1), (4, 4), (2, 6), (7,), (5, 3, 3)]
"""Kernel sizes that no shared file of the format has: large, strips, even, 1-D, 3-D."""


def is_depthwise(tensor: Tensor) -> bool:
    """Whether the file's own facts say that each channel has its own kernels."""
    facts = tensor.operator
    return bool(facts and facts.groups and facts.groups == facts.in_channels != 1)


def depthwise(checkpoint: Checkpoint) -> list[Tensor]:
    """The tensors that are depthwise by the file's own facts, in order."""
    return [tensor for tensor in checkpoint.tensors if is_depthwise(tensor)]


def named(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Tensors by name."""
    return {tensor.name: tensor for tensor in checkpoint.tensors}


def weights(seed: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Some numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def cosines(a: Tensor, b: Tensor) -> NDArray[np.float64]:
    """Cosine of each kernel of one layer with the same kernel of another."""
    rows = [np.asarray(t.load(), np.float64).reshape(t.shape[0], -1) for t in (a, b)]
    product = (rows[0] * rows[1]).sum(1)
    length = np.linalg.norm(rows[0], axis=1) * np.linalg.norm(rows[1], axis=1)
    return product[length > 1e-9] / length[length > 1e-9]


@contextmanager
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Notes how many bytes of values each read of an opened file takes."""
    counts: list[int] = []
    read = OpenedFile.read

    def counted(self: OpenedFile, offset: int, count: int) -> NDArray[np.uint8]:
        counts.append(count)
        return read(self, offset, count)

    with monkeypatch.context() as patch:
        patch.setattr(OpenedFile, "read", counted)
        yield counts
