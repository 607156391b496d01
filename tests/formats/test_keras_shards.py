"""Keras weights divided over several files: the index, its parts, a part alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from kernelviewer.formats import CheckpointError, open_checkpoint
from kernelviewer.formats.registry import files_of
from tests.formats.keras_models import keras3_layers, layer, model
from tests.formats.reading import depthwise, weights

if TYPE_CHECKING:
    from pathlib import Path

K = weights(0, (3, 3, 8, 1))
PARTS = [
    {
        "layers/conv2d": ("stem", [weights(1, (3, 3, 3, 8))]),
        "layers/depthwise_conv2d": ("first", [K]),
    },
    {"layers/separable_conv2d": ("second", [K + 1])},
    {
        "layers/depthwise_conv2d_1": ("third", [K + 2]),
        "layers/depthwise_conv2d_2": ("fourth", [K + 3]),
        "layers/depthwise_conv2d_10": ("last", [K + 4]),
    },
]
ORDER = ["first", "third", "fourth", "last"]


def sharded(folder: Path, name: str = "net") -> Path:
    """An index and three parts; a layer's variables lie in two of them."""
    where: dict[str, Any] = {}
    for index, layers in enumerate(PARTS):
        part = folder / f"{name}_{index:05}.weights.h5"
        part.write_bytes(keras3_layers(layers))
        where |= {f"/{path}/vars": part.name for path in layers}
    with h5py.File(folder / f"{name}_00002.weights.h5", "a") as file:
        file["layers/separable_conv2d/vars/1"] = weights(3, (1, 1, 8, 4))
    where["/layers/separable_conv2d/vars"] = [
        f"{name}_{index:05}.weights.h5" for index in (1, 2)
    ]
    return write_index(folder / f"{name}.weights.json", where)


def write_index(path: Path, where: object) -> Path:
    """An index as Keras writes it."""
    facts = {"metadata": {"total_size": 1.0}, "weight_map": where}
    path.write_text(json.dumps(facts, indent=4))
    return path


def test_all_parts_are_one_network(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    checkpoint = open_checkpoint(index)
    assert checkpoint.format == "Keras HDF5, 3 parts"
    assert checkpoint.warnings == ()
    found = {t.name.split(".")[0]: t for t in depthwise(checkpoint)}
    assert [*found] == ["first", "second", "third", "fourth", "last"]
    for value, name in enumerate(["first", "second", "third", "fourth", "last"]):
        expected = (K + value).transpose(2, 3, 0, 1)
        np.testing.assert_array_equal(found[name].load(), expected)
    files = [index, *(tmp_path / f"net_{i:05}.weights.h5" for i in range(3))]
    assert [file.path for file in checkpoint.files] == files
    assert [file.path for file in files_of(index)] == files
    assert checkpoint.size_bytes == sum(file.stat().st_size for file in files)


def test_a_folder_with_an_index_is_its_network(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    checkpoint = open_checkpoint(tmp_path)
    assert (checkpoint.path, checkpoint.files[0].path) == (tmp_path, index)
    sharded(tmp_path, "other")
    with pytest.raises(CheckpointError, match="holds 2 checkpoints") as caught:
        open_checkpoint(tmp_path)
    assert "(net.weights.json, other.weights.json)" in str(caught.value)


def test_the_configuration_beside_an_index_is_used(tmp_path: Path) -> None:
    sharded(tmp_path, "model")
    kinds = ["Depthwise"] * 4
    config = model(*[layer(f"{k}Conv2D", n) for k, n in zip(kinds, ORDER, strict=True)])
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = depthwise(open_checkpoint(tmp_path / "model.weights.json"))
    assert [t.name.split(".")[0] for t in found][:4] == ORDER


@pytest.mark.parametrize("number", [0, 2])
def test_a_part_alone_says_what_it_is(tmp_path: Path, number: int) -> None:
    index = sharded(tmp_path)
    part = tmp_path / f"net_{number:05}.weights.h5"
    assert open_checkpoint(part).warnings == (
        f"This is part {number + 1} of 3 of a network; open net.weights.json for the "
        "whole.",
    )
    index.unlink()
    (warning,) = open_checkpoint(part).warnings
    assert warning == (
        "By its name this may be one part of a network; its index, net.weights.json, "
        "which opens the whole, is not beside it."
    )


def test_a_file_that_the_index_does_not_name_is_whole(tmp_path: Path) -> None:
    sharded(tmp_path)
    other = tmp_path / "net_00010.weights.h5"
    other.write_bytes(keras3_layers(PARTS[0]))
    assert open_checkpoint(other).warnings == ()


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    (tmp_path / "net_00001.weights.h5").unlink()
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(index)
    assert str(caught.value) == (
        "net.weights.json: a part of the network, net_00001.weights.h5, is missing. "
        "Download it into the same folder."
    )


def test_a_part_that_is_cut_off_is_named(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    part = tmp_path / "net_00001.weights.h5"
    part.write_bytes(part.read_bytes()[:-200])
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(index)
    assert str(caught.value) == (
        "net_00001.weights.h5: a part of sharded weights, but its end is missing: it "
        "is half a download. Download it again."
    )


def test_a_part_of_another_kind_is_named(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    (tmp_path / "net_00001.weights.h5").write_bytes(b"hello")
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(index)
    assert str(caught.value) == (
        "net_00001.weights.h5: a part of sharded weights, but it is no HDF5 file, as "
        "the others are. Download or export it again."
    )


def test_layers_that_a_part_lacks_are_told(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    (tmp_path / "net_00001.weights.h5").write_bytes(keras3_layers({}))
    checkpoint = open_checkpoint(index)
    assert checkpoint.warnings == (
        "1 layer of the index not found (“layers/separable_conv2d/vars” in "
        "net_00001.weights.h5): a part may be of another network.",
    )
    names = [t.name.split(".")[0] for t in depthwise(checkpoint)]
    assert names == ORDER


@pytest.mark.parametrize(
    "name",
    [
        *("../x.weights.h5", "/etc/x.weights.h5", "a/x.weights.h5", "..\\x.weights.h5"),
        *(
            "C:x.weights.h5",
            "C:\\x.weights.h5",
            "\\\\host\\x.weights.h5",
            "..",
            ".",
            "",
        ),
        "x\0.weights.h5",
    ],
)
def test_parts_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "x.weights.h5").write_bytes(keras3_layers(PARTS[0]))
    for where in ({"/layers/a/vars": name}, {"/layers/a/vars": [name]}):
        index = write_index(folder / "net.weights.json", where)
        with pytest.raises(CheckpointError) as caught:
            open_checkpoint(index)
        assert str(caught.value).startswith(
            "net.weights.json: the index of a sharded checkpoint, but it names a part "
            "outside its folder, “"
        )


@pytest.mark.parametrize("where", [{"a": 5}, {"a": [["x"]]}, ["x"], "x", None])
def test_an_index_that_makes_no_sense(tmp_path: Path, where: object) -> None:
    index = write_index(tmp_path / "net.weights.json", where)
    with pytest.raises(CheckpointError, match="cannot be read \\(broken JSON\\)"):
        open_checkpoint(index)


def test_an_index_without_parts(tmp_path: Path) -> None:
    index = write_index(tmp_path / "net.weights.json", {"a": []})
    with pytest.raises(CheckpointError, match="it names 0 parts"):
        open_checkpoint(index)
