"""safetensors files: types, order, laziness, and headers that contradict the file."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from tests.formats.reading import bytes_read, named, weights

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, header: dict[str, Any] | str, data: bytes) -> Path:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def entry(kind: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "dtype",
    [
        *("float64", "float32", "float16", "bfloat16", "int8", "uint8"),
        *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"),
    ],
)
def test_every_type_gives_the_values_torch_gives(dtype: str, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    if dtype.startswith("float8"):
        raw = torch.arange(256, dtype=torch.uint8)
        tensor = raw.view(getattr(torch, dtype))
    elif "int" in dtype:
        tensor = torch.arange(-128, 128).to(getattr(torch, dtype))
    else:
        tensor = torch.linspace(-3, 3, 256).to(getattr(torch, dtype))
    tensor = tensor.reshape(4, 64)
    path = tmp_path / "x.safetensors"
    save_file({"w": tensor}, path)
    found = open_checkpoint(path).tensors[0]
    assert (found.shape, found.dtype) == ((4, 64), dtype)
    expected = tensor.to(torch.float32).numpy()
    np.testing.assert_array_equal(found.load().astype(np.float32), expected)


def test_scale_only_float8_is_read(tmp_path: Path) -> None:
    kind = entry("F8_E8M0", [4], 0, 4)
    path = write(tmp_path / "x", {"w": kind}, bytes([127, 128, 0, 255]))
    found = open_checkpoint(path).tensors[0].load()
    np.testing.assert_array_equal(found, [1, 2, 2.0**-127, np.nan])


def test_types_that_are_no_weights_are_listed_with_the_reason(tmp_path: Path) -> None:
    header = {
        "w": entry("F32", [2], 0, 8),
        "steps": entry("I64", [1], 8, 16),
        "mask": entry("BOOL", [1], 16, 17),
        "odd": entry("F4", [2], 17, 18),
        "c": entry("C64", [1], 18, 26),
        "none": entry("F32", [0, 3], 26, 26),
    }
    checkpoint = open_checkpoint(write(tmp_path / "x", header, bytes(26)))
    assert [t.name for t in checkpoint.tensors] == ["w"]
    assert {item.name: item.reason for item in checkpoint.skipped} == {
        "steps": "whole numbers (indices, counters or a mask), no weights",
        "mask": "whole numbers (indices, counters or a mask), no weights",
        "odd": "its number type, F4, is not read",
        "c": "complex numbers, no weights of a convolution",
        "none": "it is empty",
    }


def test_names_sorted_by_the_writer_are_put_in_counting_order(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    blocks = {f"blocks.{i}.w": weights(i, (2, 2)) for i in range(12)}
    save_file(blocks, tmp_path / "x")
    assert list(named(open_checkpoint(tmp_path / "x"))) == list(blocks)


def test_another_order_in_the_file_is_kept(tmp_path: Path) -> None:
    names = ["stem.w", "blocks.10.w", "blocks.2.w", "head.w"]
    header = {n: entry("F32", [1], 4 * i, 4 * i + 4) for i, n in enumerate(names)}
    path = write(tmp_path / "x", header, bytes(16))
    assert list(named(open_checkpoint(path))) == names


def test_only_the_header_is_read_until_values_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.numpy import save_file

    arrays = {"a.w": weights(0, (300, 300)), "b.w": weights(1, (5, 1, 7, 7))}
    save_file(arrays, tmp_path / "x")
    with bytes_read(monkeypatch) as counts:
        checkpoint = open_checkpoint(tmp_path / "x")
        assert sum(counts) < 1000
        counts.clear()
        named(checkpoint)["b.w"].load()
        assert counts == [5 * 49 * 4]


@pytest.mark.parametrize(
    ("header", "data", "problem"),
    [
        ('{"w": ', b"", "its header is not readable (broken JSON)"),
        ('{"a": 1', b"", "its header is not readable (broken JSON)"),
        ('{"w": 3}', b"", "its header makes no sense of “w”"),
        ({"w": entry("F32", [2], 0, 4)}, bytes(8), "its header gives “w” a shape"),
        ({"w": entry("F32", [-1, -1], 0, 4)}, bytes(4), "makes no sense of “w”"),
        ({"w": entry("F32", [1], -4, 0)}, bytes(4), "makes no sense of “w”"),
        ({"w": entry("F32", [1], 4, 0)}, bytes(4), "makes no sense of “w”"),
        ({"w": entry("F32", [True], 0, 4)}, bytes(4), "makes no sense of “w”"),
        ({"w": entry("F32", [1], 0.0, 4)}, bytes(4), "makes no sense of “w”"),  # type: ignore[arg-type]
        ({"w": entry([], [1], 0, 4)}, bytes(4), "makes no sense of “w”"),  # type: ignore[arg-type]
        ({"w": entry("F32", [1.0], 0, 4)}, bytes(4), "makes no sense of “w”"),  # type: ignore[list-item]
        ({"w": entry("F32", [1] * 33, 0, 4)}, bytes(4), "makes no sense of “w”"),
        ({"w": entry("F32", [2], 0, 8)}, bytes(4), "it ends before the values of “w”"),
        (
            {"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)},
            bytes(12),
            "its header gives two tensors the same bytes",
        ),
        (
            '{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, '
            '"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
            bytes(4),
            "its header lists a name twice",
        ),
        ("{}", b"", "it holds no arrays"),
        ("{" + '"a":{' * 5000, b"", "its structure makes no sense"),
    ],
)
def test_headers_that_make_no_sense(
    header: dict[str, Any] | str, data: bytes, problem: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "x.safetensors", header, data)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert str(caught.value).startswith("x.safetensors: a safetensors file, but ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("length", "problem"),
    [
        (10**6, "its header claims 1,000,000 bytes but the file ends after 100"),
        (1 << 35, "its header claims 34,359,738,368 bytes, more than any has"),
    ],
)
def test_header_lengths_beyond_the_file(
    length: int, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + b"{" + bytes(91))
    with pytest.raises(CheckpointError, match=problem):
        open_checkpoint(path)


def test_a_file_that_changed_or_vanished_since_it_was_opened(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "x.safetensors"
    save_file({"w": weights(0, (9, 9))}, path)
    tensor = open_checkpoint(path).tensors[0]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r"x\.safetensors: the file changed"):
        tensor.load()
    path.unlink()
    with pytest.raises(CheckpointError, match="the file is no longer there"):
        tensor.load()


def test_neither_torch_nor_safetensors_is_imported_to_read(tmp_path: Path) -> None:
    header = {"w": entry("BF16", [2], 0, 4)}
    path = write(tmp_path / "x", header, bytes(4))
    code = (
        "import sys; from kernelviewer.formats import open_checkpoint as o\n"
        f"o({str(path)!r}).tensors[0].load()\n"
        "print([m for m in ('torch', 'safetensors', 'onnx', 'h5py') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_convolutions_of_mlx_are_turned(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    kernels, line, dense = (
        weights(0, shape) for shape in ((16, 1, 7, 5), (16, 1, 9), (32, 16, 3, 3))
    )
    state = {
        "dw.weight": np.ascontiguousarray(kernels.transpose(0, 2, 3, 1)),
        "line.weight": np.ascontiguousarray(line.transpose(0, 2, 1)),
        "dense.weight": np.ascontiguousarray(dense.transpose(0, 2, 3, 1)),
        "head.weight": weights(1, (10, 32)),
    }
    save_file(state, tmp_path / "x.safetensors", metadata={"format": "mlx"})
    tensors = named(open_checkpoint(tmp_path / "x.safetensors"))
    for name, expected in (("dw", kernels), ("line", line), ("dense", dense)):
        tensor = tensors[f"{name}.weight"]
        assert tensor.shape == expected.shape
        np.testing.assert_array_equal(tensor.load(), expected)
    assert tensors["head.weight"].shape == (10, 32)
