"""Networks in several files, folders and archives: dropped as one."""

from __future__ import annotations

import gc
import gzip
import json
import tarfile
import tempfile
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from kernelviewer.formats import CheckpointError, is_checkpoint, open_checkpoint
from tests.files.opcodes import WEIGHT, table, torch_zip
from tests.formats.reading import named, weights

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.float32]]

ARRAYS: Arrays = {
    f"blocks.{i}.conv_dw.weight": weights(i, (8, 1, 7, 7)) for i in range(12)
}


def same(path: Path, arrays: Arrays = ARRAYS) -> None:
    found = named(open_checkpoint(path))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name].load(), array)


def sharded(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    names, parts = list(ARRAYS), 3
    where = {}
    for part in range(parts):
        file = f"model-{part + 1:05}-of-{parts:05}.safetensors"
        chosen = names[part * 4 : part * 4 + 4]
        save_file({name: ARRAYS[name] for name in chosen}, folder / file)
        where |= dict.fromkeys(chosen, file)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": where}))
    return index


def snapshot(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    save_file(ARRAYS, folder / "model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(torch_zip(table(WEIGHT)))
    (folder / "config.json").write_text(json.dumps({"architecture": "convnext_tiny"}))
    (folder / "README.md").write_text("# A network")
    return folder


def test_a_sharded_checkpoint_by_its_index_or_its_folder(tmp_path: Path) -> None:
    index = sharded(tmp_path / "net")
    same(index)
    same(index.parent)
    assert is_checkpoint(index.parent)
    checkpoint = open_checkpoint(index.parent)
    assert checkpoint.path == index.parent
    assert checkpoint.format == "safetensors, 3 parts"
    assert checkpoint.size_bytes > sum(array.nbytes for array in ARRAYS.values())


def test_a_sharded_checkpoint_of_pytorch(tmp_path: Path) -> None:
    import torch

    where = {}
    for part, names in enumerate((list(ARRAYS)[:5], list(ARRAYS)[5:])):
        file = f"pytorch_model-{part + 1:05}-of-00002.bin"
        torch.save({n: torch.tensor(ARRAYS[n]) for n in names}, tmp_path / file)
        where |= dict.fromkeys(names, file)
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    same(tmp_path)


def test_one_part_alone_says_so(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    part = open_checkpoint(index.parent / "model-00002-of-00003.safetensors")
    assert len(part.tensors) == 4
    assert part.warnings == (
        "This is part 2 of 3 of a network; open its folder or its .index.json for the "
        "whole.",
    )


def test_a_part_that_is_missing_or_no_checkpoint(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    part = tmp_path / "model-00003-of-00003.safetensors"
    part.write_text("hello")
    with pytest.raises(CheckpointError, match="it is neither safetensors nor PyTorch"):
        open_checkpoint(index)
    part.unlink()
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(tmp_path)
    assert str(caught.value) == (
        "model.safetensors.index.json: a part of the network, "
        "model-00003-of-00003.safetensors, is missing. Download it into the same "
        "folder."
    )


def test_several_missing_parts_are_counted_and_named(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    for part in (1, 3):
        (tmp_path / f"model-0000{part}-of-00003.safetensors").unlink()
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(index)
    assert str(caught.value) == (
        "model.safetensors.index.json: 2 of its 3 parts are missing "
        "(model-00001-of-00003.safetensors, model-00003-of-00003.safetensors). "
        "Download them into the same folder."
    )


def test_an_index_that_is_out_of_date_names_what_lies_there(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    for path in tmp_path.glob("*.safetensors"):
        path.unlink()
    save_file(ARRAYS, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(index)
    assert str(caught.value).endswith(
        "are missing (model-00001-of-00003.safetensors, "
        "model-00002-of-00003.safetensors, model-00003-of-00003.safetensors), and the "
        "index may be out of date. Download them into the same folder, or open what "
        "lies there: model.safetensors."
    )


def test_an_index_that_does_not_fit_its_parts_is_told_of(tmp_path: Path) -> None:
    index = sharded(tmp_path)
    content = json.loads(index.read_text())
    first, second = (f"model-0000{part}-of-00003.safetensors" for part in (1, 2))
    names = list(ARRAYS)
    content["weight_map"]["gone.weight"] = first
    del content["weight_map"][names[5]]
    content["weight_map"][names[0]] = second  # where it is not
    index.write_text(json.dumps(content))
    more = {name: ARRAYS[name] + 1 for name in names[4:5]}
    save_file({name: ARRAYS[name] for name in names[:4]} | more, tmp_path / first)
    save_file(ARRAYS, tmp_path / "model-00001-of-00001.safetensors")
    checkpoint = open_checkpoint(index)
    found = named(checkpoint)
    assert set(found) == set(ARRAYS)
    np.testing.assert_array_equal(found[names[4]].load(), ARRAYS[names[4]])
    assert [(item.name, item.reason) for item in checkpoint.skipped] == [
        (f"{names[4]} in {first}", f"left over: its index takes it from {second}")
    ]
    assert checkpoint.warnings == (
        "The index names 1 tensor (gone.weight) that no part holds: the index or a "
        "part is of another version of the network.",
        f"The parts hold 1 tensor ({names[5]}) that the index does not name.",
        "Beside the index lies 1 part (model-00001-of-00001.safetensors) that it does "
        "not name, left unread.",
    )


def test_sorted_parts_are_sorted_as_one_file_is(tmp_path: Path) -> None:
    blocks = [f"encoder.{b}.{m}.weight" for b in range(12) for m in ("dw", "pw", "se")]
    parts = [["patches.weight", *blocks[:18]], blocks[18:]]
    where = {}
    for number, names in enumerate(parts, 1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({name: weights(1, (4, 4)) for name in names}, tmp_path / file)
        where |= dict.fromkeys(names, file)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    found = [tensor.name for tensor in open_checkpoint(index).tensors]
    assert found == [*blocks, "patches.weight"]


def test_a_model_folder_is_one_network_with_its_architecture(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "net")
    assert is_checkpoint(folder)
    same(folder)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.path == folder
    assert checkpoint.architecture == "convnext_tiny"
    assert checkpoint.metadata["config"] == {"architecture": "convnext_tiny"}
    assert open_checkpoint(folder / "model.safetensors").architecture == "convnext_tiny"


def test_a_configuration_of_transformers(tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "net")
    config = {"architectures": ["ConvNextForImageClassification"], "model_type": "x"}
    (folder / "config.json").write_text(json.dumps(config))
    assert open_checkpoint(folder).architecture == "ConvNextForImageClassification"
    (folder / "config.json").write_text("{")
    assert open_checkpoint(folder).architecture == ""


def test_a_folder_with_one_checkpoint_opens_it(tmp_path: Path) -> None:
    (tmp_path / "run" / "weights").mkdir(parents=True)
    save_file(ARRAYS, tmp_path / "run" / "weights" / "best.safetensors")
    (tmp_path / "run" / "log.txt").write_text("epoch 1")
    for name in ("optimizer.pt", "rng_state_0.pth", "training_args.bin"):
        (tmp_path / "run" / name).write_bytes(torch_zip(table(WEIGHT)))
    assert not is_checkpoint(tmp_path)
    same(tmp_path)


DCP = "this is a distributed checkpoint of PyTorch (DCP)"
CONVERT = (
    "Convert it with torch's own tool, python -m "
    "torch.distributed.checkpoint.format_utils dcp_to_torch folder folder.pth, and "
    "open the .pth file."
)
DEEPSPEED = "this is a checkpoint of DeepSpeed"
JOIN = (
    "Join its parts with DeepSpeed's script in the same folder, python "
    "zero_to_fp32.py . joined, and open what it writes."
)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "the folder holds no checkpoint. Open a file with a network's weights."),
        (
            ["a.pth", "b.pth", "c.pth", "d.pth"],
            "the folder holds 4 checkpoints (a.pth, b.pth, c.pth, …). Open one of "
            "them.",
        ),
        (
            ["saved_model.pb"],
            "this is a TensorFlow SavedModel, which is not read. Export the network as "
            "ONNX or safetensors and open that.",
        ),
        (
            [".metadata"],
            f"{DCP}, which is not read. {CONVERT}",
        ),
        ([".metadata", "__0_0.distcp"], f"{DCP}, which is not read. {CONVERT}"),
        (
            ["common.pt", "meta.pt", ".metadata", "__0_0.distcp"],
            f"{DCP}, which is not read. {CONVERT}",
        ),
        (
            ["fsdp_0/.metadata", "a_optimizer_0/.metadata", "scheduler.pt"],
            f"{DCP}, which is not read. {CONVERT.replace('folder', 'fsdp_0', 2)}",
        ),
        (
            ["default/_METADATA", "_CHECKPOINT_METADATA"],
            "this is an Orbax checkpoint, which is not read. Export the network as "
            "ONNX or safetensors and open that.",
        ),
        (
            ["model-00001-of-00002.pt", "model-00002-of-00002.pt"],
            "the folder holds 2 parts of a network without model.pt.index.json. "
            "Download that into the same folder: it makes one of them.",
        ),
        (
            ["zero_to_fp32.py", "latest", "pytorch_model/zero_pp_rank_0_x_states.pt"],
            f"{DEEPSPEED}, which is not read. {JOIN}",
        ),
        (
            [
                "bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt",
                "bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt",
                "mp_rank_00_model_states.pt",
            ],
            f"{DEEPSPEED}, which is not read. {JOIN}",
        ),
        (
            ["latest", "step/zero_pp_rank_0_mp_rank_00_model_states.pt"],
            f"{DEEPSPEED}, which is not read. {JOIN}",
        ),
    ],
)
def test_folders_that_are_not_one_network(
    names: list[str], message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in names:
        readable = name.endswith((".pth", ".pt", ".distcp", ".metadata"))
        data = torch_zip(table(WEIGHT)) if readable else b"\x08\x01\x12\0"
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder)
    assert str(caught.value) == f"folder: {message}"


def unpacked(folder: Path) -> Path:
    """A file of PyTorch, unzipped: its files lie in a folder of its name."""
    import torch

    state = {"stem.weight": torch.ones(8, 3, 3, 3)}
    state |= {name: torch.tensor(array) for name, array in ARRAYS.items()}
    torch.save(state, folder / "net.pt")
    with zipfile.ZipFile(folder / "net.pt") as packed:
        packed.extractall(folder)
    (folder / "net.pt").unlink()
    return folder / "net"


def test_an_unpacked_file_of_pytorch_is_read(tmp_path: Path) -> None:
    folder = unpacked(tmp_path)
    assert is_checkpoint(folder)
    for path in (tmp_path, folder, folder / "data.pkl"):
        checkpoint = open_checkpoint(path)
        assert checkpoint.path == path
        assert checkpoint.format == "PyTorch, unpacked"
        assert len(checkpoint.files) == 2 + len(ARRAYS)
        found = named(checkpoint)
        assert list(found) == ["stem.weight", *ARRAYS]
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found[name].load(), array)


def test_an_unpacked_file_whose_values_are_missing_or_short(tmp_path: Path) -> None:
    folder = unpacked(tmp_path)
    values = folder / "data" / "3"
    values.write_bytes(values.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match="its record 3 holds 1,564 bytes where"):
        open_checkpoint(folder)
    values.unlink()
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder)
    assert str(caught.value) == (
        "data.pkl: an unpacked PyTorch file, but its file data/3 is missing. Unpack it "
        "again, or open the file that was unpacked."
    )


def test_an_unpacked_program_is_told_to_be_packed_again(tmp_path: Path) -> None:
    folder = unpacked(tmp_path)
    (folder / "constants.pkl").write_bytes(b"\x80\x02).")
    with pytest.raises(CheckpointError, match=r"zip -r -0 net\.pt net, in the folder"):
        open_checkpoint(folder)


def test_a_pickle_without_values_beside_it_is_a_plain_one(tmp_path: Path) -> None:
    import pickle

    values = {"dw.weight": ARRAYS["blocks.0.conv_dw.weight"]}
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(values))
    assert open_checkpoint(tmp_path).format == "Python pickle"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("__0_0.distcp", f"{DCP.replace('is a', 'is a part of a')}. {CONVERT}"),
        (".metadata", f"{DCP.replace('is a', 'is a part of a')}. {CONVERT}"),
        (
            "zero_pp_rank_0_mp_rank_00_model_states.pt",
            f"{DEEPSPEED.replace('is a', 'is a part of a')}. {JOIN}",
        ),
    ],
)
def test_a_part_of_a_divided_checkpoint_is_no_network(
    name: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "folder" / name
    path.parent.mkdir()
    path.write_bytes(torch_zip(table(WEIGHT)))
    assert not is_checkpoint(path)
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert str(caught.value) == f"{name}: {message}"


def test_the_joined_network_beside_a_divided_checkpoint_is_opened(
    tmp_path: Path,
) -> None:
    save_file(ARRAYS, tmp_path / "joined.safetensors")
    (tmp_path / "zero_to_fp32.py").write_text("import torch")
    (tmp_path / "global_step9").mkdir()
    for name in ("mp_rank_00_model_states.pt", "zero_pp_rank_0_mp_optim_states.pt"):
        path = tmp_path / "global_step9" / name
        path.write_bytes(torch_zip(table(WEIGHT)))
    same(tmp_path)
    assert len(open_checkpoint(path.with_name("mp_rank_00_model_states.pt")).tensors)
    (tmp_path / "joined.safetensors").unlink()
    with pytest.raises(CheckpointError, match="in the folder above"):
        open_checkpoint(tmp_path / "global_step9")
    with pytest.raises(CheckpointError, match="a checkpoint of DeepSpeed"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("kind", ["zip", "tar", "gz", "bz2", "xz"])
def test_archives_around_a_model_folder(kind: str, tmp_path: Path) -> None:
    folder = snapshot(tmp_path / "net")
    archive = tmp_path / f"net.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for path in folder.iterdir():
                out.write(path, f"net/{path.name}")
    else:
        mode = "w" if kind == "tar" else f"w:{kind}"
        with tarfile.open(archive, mode) as out:  # type: ignore[call-overload]
            out.add(folder, "net")
    same(archive)
    checkpoint = open_checkpoint(archive)
    assert checkpoint.path == archive
    assert checkpoint.architecture == "convnext_tiny"
    assert checkpoint.format.startswith("safetensors in ")
    assert not is_checkpoint(archive)


@pytest.mark.parametrize("packer", ["gzip", "bz2", "lzma"])
def test_a_single_packed_file(packer: str, tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "x.safetensors")
    data = (tmp_path / "x.safetensors").read_bytes()
    packed = tmp_path / "x.safetensors.gz"
    packed.write_bytes(__import__(packer).compress(data))
    same(packed)


@pytest.mark.parametrize("outer", ["zip", "tar"])
@pytest.mark.parametrize("inner", ["zip", "gz"])
def test_an_archive_in_an_archive(outer: str, inner: str, tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "x.safetensors")
    packed = tmp_path / f"net.{inner}"
    if inner == "zip":
        with zipfile.ZipFile(packed, "w") as out:
            out.write(tmp_path / "x.safetensors", "x.safetensors")
    else:
        packed.write_bytes(gzip.compress((tmp_path / "x.safetensors").read_bytes()))
    archive = tmp_path / f"both.{outer}"
    if outer == "zip":
        with zipfile.ZipFile(archive, "w") as out:
            out.write(packed, f"folder/{packed.name}")
            out.writestr("folder/readme.txt", "hello")
    else:
        with tarfile.open(archive, "w") as tar:
            tar.add(packed, packed.name)
    same(archive)
    checkpoint = open_checkpoint(archive)
    assert checkpoint.path == archive
    names = {"gz": "gzip"}
    assert checkpoint.format == (f"safetensors in {names.get(inner, inner)} in {outer}")


def test_a_name_that_only_mentions_an_optimizer_is_a_network(tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "convnext_adam_amp.safetensors")
    same(tmp_path)


def test_a_folder_of_archives_names_them(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "net.pth.gz").write_bytes(gzip.compress(b"x"))
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(folder)
    assert str(caught.value) == (
        "folder: the folder holds no checkpoint, only an archive (net.pth.gz). "
        "Unpack it and open what is inside."
    )


def test_a_folder_with_a_pointer_says_what_it_is(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"
    (tmp_path / "best.pth").write_bytes(pointer)
    with pytest.raises(CheckpointError, match="this is a Git-LFS pointer"):
        open_checkpoint(tmp_path)


def test_what_was_unpacked_goes_with_the_last_tensor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    save_file(ARRAYS, tmp_path / "x.safetensors")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as out:
        out.write(tmp_path / "x.safetensors", "x.safetensors")
    tensor = open_checkpoint(tmp_path / "x.zip").tensors[0]
    gc.collect()
    np.testing.assert_array_equal(tensor.load(), ARRAYS[tensor.name])
    assert list(temporary.iterdir())
    del tensor
    gc.collect()
    assert not list(temporary.iterdir())


def test_errors_in_an_archive_name_the_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as out:
        out.writestr("net.safetensors", b"\x09\0\0\0\0\0\0\0{")
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(tmp_path / "x.zip")
    assert str(caught.value).startswith(
        "x.zip: an archive, but net.safetensors in it: a safetensors file, but its "
        "header claims 9 bytes"
    )
