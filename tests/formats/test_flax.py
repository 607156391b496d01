"""Flax checkpoints: MessagePack as `flax.serialization` writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgpack
import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.kernels import extract_kernels
from tests.formats.reading import bytes_read, weights

if TYPE_CHECKING:
    from pathlib import Path

W = weights(0, (3, 3, 1, 6))
"""A depthwise kernel as Flax stores it."""
TURNED = W.transpose(3, 2, 0, 1)
ROW = W[0, 0, 0]


def packed(value: Any, dtype: str = "") -> msgpack.ExtType:
    """An array as Flax's extension type 1 (a scalar as type 3)."""
    array = np.asarray(value)
    parts = (array.shape, dtype or array.dtype.name, array.tobytes())
    kind = 3 if isinstance(value, np.generic) else 1
    return msgpack.ExtType(kind, msgpack.packb(parts, use_bin_type=True))


def save(path: Path, tree: dict[str, Any]) -> Path:
    path.write_bytes(msgpack.packb(tree, use_bin_type=True, strict_types=True))
    return path


def test_parameters_are_turned_and_other_state_is_named(tmp_path: Path) -> None:
    tree = {
        "step": 12,
        "params": {
            "block_0": {"dw": {"kernel": packed(W), "bias": packed(W[0, 0, 0])}}
        },
        "batch_stats": {"bn": {"mean": packed(W[0, 0, 0])}},
        "opt_state": {"0": {"mu": {"dw": {"kernel": packed(W)}}, "count": packed(3)}},
        "lr": packed(np.float32(0.1)),
        "done": True,
        "note": "a text",
        "none": None,
    }
    checkpoint = open_checkpoint(save(tmp_path / "m.msgpack", tree))
    kernel, bias = checkpoint.tensors
    assert (kernel.name, kernel.raw_name) == (
        "block_0.dw.weight",
        "params/block_0/dw/kernel",
    )
    assert bias.name == "block_0.dw.bias"
    np.testing.assert_array_equal(kernel.load(), TURNED)
    assert {item.name: item.reason for item in checkpoint.skipped} == {
        "batch_stats/bn/mean": "running statistics of a normalisation layer",
        "opt_state/0/mu/dw/kernel": "optimizer state",
        "opt_state/0/count": "optimizer state",
        "lr": "a single number",
    }


def test_arrays_that_flax_divides(tmp_path: Path) -> None:
    flat = W.ravel()
    pieces = {str(i): packed(flat[20 * i : 20 * i + 20]) for i in range(3)}
    divided = {
        "__msgpack_chunked_array__": True,
        "shape": {str(i): size for i, size in enumerate(W.shape)},
        "chunks": pieces,
    }
    path = save(tmp_path / "m.msgpack", {"params": {"dw": {"kernel": divided}}})
    np.testing.assert_array_equal(open_checkpoint(path).tensors[0].load(), TURNED)


def test_bfloat16(tmp_path: Path) -> None:
    bits = (W.view(np.uint32) >> 16).astype(np.uint16)
    tree = {"params": {"dw": {"kernel": packed(bits, "bfloat16")}}}
    (tensor,) = open_checkpoint(save(tmp_path / "m.msgpack", tree)).tensors
    assert tensor.dtype == "bfloat16"
    np.testing.assert_allclose(tensor.load(), TURNED, rtol=2**-7)


def test_weights_inside_an_old_optimizer(tmp_path: Path) -> None:
    dw = {"dw": {"kernel": packed(W)}}
    tree = {"optimizer": {"target": {"params": dw}, "state": {"step": 1, "m": dw}}}
    checkpoint = open_checkpoint(save(tmp_path / "m.msgpack", tree))
    assert [t.name for t in checkpoint.tensors] == ["dw.weight"]
    assert [item.name for item in checkpoint.skipped] == ["optimizer/state/m/dw/kernel"]


@pytest.mark.parametrize("stem", ["stem", "patches"])
def test_no_layer_of_many_numbered_blocks_is_lost(stem: str, tmp_path: Path) -> None:
    blocks = {
        f"layers_{block}": {
            "Conv_0": {"bias": packed(ROW), "kernel": packed(W + block)},
            "Dense_0": {"bias": packed(ROW), "kernel": packed(weights(1, (6, 6)))},
        }
        for block in range(12)
    }
    tree = {
        "params": {
            "encoder": dict(sorted(blocks.items())),
            stem: {"Dense_0": {"kernel": packed(weights(2, (4, 6)))}},
        }
    }
    path = save(tmp_path / "m.msgpack", tree)
    bank = extract_kernels(open_checkpoint(path))
    names = [f"encoder.layers_{block}.Conv_0" for block in range(12)]
    assert [layer.name for layer in bank.layers] == names
    np.testing.assert_array_equal(
        bank.sizes[3, 3].weights,
        np.concatenate(
            [(W + block).transpose(3, 2, 0, 1)[:, 0] for block in range(12)]
        ),
    )


@pytest.mark.parametrize("beside", ["first", "last", "between"])
@pytest.mark.parametrize("sorted_above", [False, True])
def test_blocks_are_counted_at_every_level_that_the_writer_sorted(
    beside: str, sorted_above: bool, tmp_path: Path
) -> None:
    """A stem is written before, after or among blocks that are sorted by letters."""

    def level(blocks: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        items = sorted(blocks.items())
        place = {"first": 0, "last": len(items), "between": 3}[beside]
        return dict([*items[:place], *other.items(), *items[place:]])

    def stage(seed: int) -> dict[str, Any]:
        blocks = {
            f"block_{number}": {"dw": {"kernel": packed(W + seed + number)}}
            for number in range(12)
        }
        return level(blocks, {"zoom": {"kernel": packed(weights(seed, (1, 1, 6, 6)))}})

    stages = {f"stage_{number}": stage(100 * number) for number in range(2)}
    outer = {"stem": {"kernel": packed(weights(2, (3, 3, 3, 6)))}}
    net = dict(sorted((stages | outer).items())) if sorted_above else outer | stages
    path = save(tmp_path / "m.msgpack", {"params": net})
    bank = extract_kernels(open_checkpoint(path))
    assert [layer.name for layer in bank.layers] == [
        f"stage_{stage}.block_{number}.dw" for stage in range(2) for number in range(12)
    ]
    first = [layer[0] for layer in np.split(bank.sizes[3, 3].weights, 24)]
    shift = [100 * stage + number for stage in range(2) for number in range(12)]
    for found, expected in zip(first, shift, strict=True):
        np.testing.assert_allclose(found, TURNED[0, 0] + expected, rtol=1e-6)


def test_blocks_in_their_order_stay_in_it(tmp_path: Path) -> None:
    """As their names count, or in an order that is no sorting."""
    for numbers in ([*range(12)], [3, 1, 2], [*range(11, -1, -1)]):
        tree = {
            f"block_{number}": {"dw": {"kernel": packed(W)}, "a": packed(ROW)}
            for number in numbers
        }
        checkpoint = open_checkpoint(save(tmp_path / "m.msgpack", {"params": tree}))
        names = [t.name for t in checkpoint.tensors if len(t.shape) > 1]
        assert names == [f"block_{number}.dw.weight" for number in numbers]


@pytest.mark.parametrize(
    ("base", "average"),
    [
        *(("params", "params_ema"), ("params", "ema_params"), ("model", "ema")),
        *(("student", "teacher"), ("net", "net_ema"), ("params", "polyak")),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_copies_count_once(
    base: str, average: str, nested: bool, tmp_path: Path
) -> None:
    def copy(factor: float) -> dict[str, Any]:
        pointwise = factor * weights(1, (1, 1, 6, 6))
        return {
            "dw": {"kernel": packed(factor * W)},
            "pw": {"kernel": packed(pointwise)},
            "stem": {"kernel": packed(factor * weights(2, (3, 3, 3, 6)))},
        }

    tree = {base: copy(1), average: copy(2)}
    path = save(tmp_path / "m.msgpack", {"state": tree} if nested else tree)
    for wish, shown, factor in (("", average, 2), (base, base, 1)):
        checkpoint = open_checkpoint(path, copy=wish)
        assert set(checkpoint.copies) == {base, average}
        assert checkpoint.copy == shown
        names = [tensor.name for tensor in checkpoint.tensors]
        assert sorted(names) == ["dw.weight", "pw.weight", "stem.weight"]
        found = {tensor.name: tensor for tensor in checkpoint.tensors}
        np.testing.assert_array_equal(found["dw.weight"].load(), factor * TURNED)


def test_averaged_parts_without_a_counterpart_are_no_copies(tmp_path: Path) -> None:
    tree = {
        "ema_body": {"dw": {"kernel": packed(W)}},
        "ema_head": {"fc": {"kernel": packed(weights(1, (6, 3)))}},
    }
    checkpoint = open_checkpoint(save(tmp_path / "m.msgpack", tree))
    assert checkpoint.copies == ()
    assert len(checkpoint.tensors) == 2


def test_attention_is_no_convolution(tmp_path: Path) -> None:
    query = weights(0, (12, 1, 6))  # one head
    tree = {"params": {"attention": {"query": {"kernel": packed(query)}}}}
    (tensor,) = open_checkpoint(save(tmp_path / "m.msgpack", tree)).tensors
    assert tensor.shape == (12, 1, 6)


def test_opening_reads_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "m.msgpack", {"params": {"dw": {"kernel": packed(W)}}})
    with bytes_read(monkeypatch) as counts:
        (tensor,) = open_checkpoint(path).tensors
        assert not counts
        tensor.load()
    assert counts == [W.nbytes]


@pytest.mark.parametrize("box", ["value", "raw_value"])
def test_arrays_in_the_boxes_of_nnx(box: str, tmp_path: Path) -> None:
    module = {"kernel": {box: packed(W)}, "bias": {box: packed(ROW)}}
    path = save(tmp_path / "m.msgpack", {"blocks": {"0": {"conv": module}}})
    kernel, bias = open_checkpoint(path).tensors
    assert (kernel.name, bias.name) == ("blocks.0.conv.weight", "blocks.0.conv.bias")
    assert kernel.raw_name == f"blocks/0/conv/kernel/{box}"
    np.testing.assert_array_equal(kernel.load(), TURNED)


def test_blocks_that_run_in_a_loop_are_stacked(tmp_path: Path) -> None:
    """As ``nn.scan`` writes them: three blocks, not kernels of three dimensions."""
    stack = weights(1, (3, 5, 5, 1, 6))
    rows = packed(stack[:, 0, 0, 0])
    blocks = {
        "dw": {"bias": rows, "kernel": packed(stack)},
        "norm": {"bias": rows, "scale": rows},
        "pw": {"bias": rows, "kernel": packed(weights(2, (3, 1, 1, 6, 6)))},
    }
    tree = {"params": {"blocks": blocks, "stem": {"kernel": packed(W)}}}
    checkpoint = open_checkpoint(save(tmp_path / "m.msgpack", tree))
    names = [tensor.name for tensor in checkpoint.tensors]
    assert len(names) == 3 * 6 + 1
    found = extract_kernels(checkpoint)
    assert [layer.name for layer in found.layers if layer.size == (5, 5)] == [
        "blocks.0.dw",
        "blocks.1.dw",
        "blocks.2.dw",
    ]
    expected = stack[..., 0, :].transpose(0, 3, 1, 2).reshape(-1, 5, 5)
    np.testing.assert_array_equal(found.sizes[5, 5].weights, expected)


def test_kernels_of_three_dimensions_are_no_stack(tmp_path: Path) -> None:
    volume = weights(1, (3, 5, 5, 1, 6))
    module = {"kernel": packed(volume), "bias": packed(ROW)}
    path = save(tmp_path / "m.msgpack", {"blocks": {"dw": module}})
    kernel, _ = open_checkpoint(path).tensors
    assert kernel.shape == (6, 1, 3, 5, 5)


def test_another_programs_messagepack(tmp_path: Path) -> None:
    path = save(tmp_path / "m.msgpack", {"users": [{"name": "x", "age": 2.5}]})
    with pytest.raises(CheckpointError, match="MessagePack file without any arrays"):
        open_checkpoint(path)
