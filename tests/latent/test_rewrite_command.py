"""`kernelviewer rewrite`: the same file with other kernels, and nothing else."""

from __future__ import annotations

import json
import shutil
import zipfile
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import kernelviewer as kv
from kernelviewer.cli import main
from kernelviewer.formats.rewriting import encode
from kernelviewer.latent.keys import published
from tests.shared import CHECKPOINTS, needs_checkpoints

if TYPE_CHECKING:
    from pathlib import Path

SIZES = ((7, 7), (3, 3))


def state(dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    """Two blocks, 7×7 and 3×3, with what stands around them."""
    torch.manual_seed(1)
    found = {"stem.weight": torch.randn(24, 3, 4, 4), "stem.bias": torch.randn(24)}
    for block, size in enumerate((7, 3, 7)):
        name = f"blocks.{block}"
        found[f"{name}.dwconv.weight"] = torch.randn(24, 1, size, size) + 0.3
        found[f"{name}.dwconv.bias"] = torch.randn(24)
        found[f"{name}.pwconv1.weight"] = torch.randn(96, 24)
        found[f"{name}.pwconv2.weight"] = torch.randn(24, 96)
    found["blocks.0.dwconv.weight"][3] = 0  # dead
    return {key: value.to(dtype) for key, value in found.items()}


def by_hand(weight: np.ndarray) -> np.ndarray:
    """The published keys' approximation of [C, 1, 7, 7], written out."""
    rows = weight.reshape(len(weight), -1).astype(float)
    mean = rows.mean(axis=1, keepdims=True)
    products = (rows - mean) @ published().rows.T.astype(float)
    best = np.abs(products).argmax(axis=1)
    gain = products[np.arange(len(rows)), best]
    made = gain[:, None] * published().rows[best] + mean
    return made.reshape(weight.shape)


def changed(old: dict[str, np.ndarray], new: dict[str, np.ndarray]) -> set[str]:
    """Names whose bytes differ; all names and shapes are there."""
    assert list(old) == list(new)
    for name in old:
        assert old[name].shape == new[name].shape
        assert old[name].dtype == new[name].dtype
    return {name for name in old if old[name].tobytes() != new[name].tobytes()}


def arrays(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    views = {torch.bfloat16: torch.uint16}
    return {
        key: value.contiguous().view(views.get(value.dtype, value.dtype)).numpy()
        for key, value in tensors.items()
    }


def rewritten(path: Path, output: Path, *words: str) -> dict[str, object]:
    before = path.read_bytes()
    assert main(["rewrite", str(path), "-o", str(output), *words]) == 0
    assert path.read_bytes() == before
    return json.loads(output.with_name(f"{output.name}.json").read_text())


SEVENS = {"blocks.0.dwconv.weight", "blocks.2.dwconv.weight"}
PUBLISHED = ("--keys", "published")


@pytest.mark.parametrize(
    ("dtype", "exact"),
    [
        (torch.float32, 1e-4),
        (torch.float64, 1e-4),
        (torch.float16, 5e-3),
        (torch.bfloat16, 4e-2),
    ],
)
def test_pytorch(dtype: torch.dtype, exact: float, tmp_path: Path) -> None:
    old = state(dtype)
    torch.save({"epoch": 3, "model": old}, tmp_path / "net.pth")
    note = rewritten(tmp_path / "net.pth", tmp_path / "out.pth", *PUBLISHED)
    new = torch.load(tmp_path / "out.pth", weights_only=True)
    assert new["epoch"] == 3
    assert changed(arrays(old), arrays(new["model"])) == SEVENS
    for name in SEVENS:
        made = by_hand(old[name].double().numpy())
        assert new["model"][name].double().numpy() == pytest.approx(made, abs=exact)
    assert {item["name"] for item in note["layers"]} == {f"model/{n}" for n in SEVENS}
    with zipfile.ZipFile(tmp_path / "out.pth") as archive:
        assert archive.testzip() is None


def test_pytorch_views_and_strides(tmp_path: Path) -> None:
    old = state()
    whole = torch.randn(7, 7, 50, 1)
    old["blocks.0.dwconv.weight"] = whole[:, :, 10:34].permute(2, 3, 0, 1)
    torch.save(old, tmp_path / "net.pth")
    output = tmp_path / "out.pth"
    code = main(["rewrite", str(tmp_path / "net.pth"), "-o", str(output), *PUBLISHED])
    assert code == 1  # its bytes lie between those of others
    assert not output.exists()
    old["blocks.0.dwconv.weight"] = torch.randn(7, 7, 24, 1).permute(2, 3, 0, 1)
    torch.save(old, tmp_path / "net.pth")
    rewritten(tmp_path / "net.pth", output, *PUBLISHED)
    new = torch.load(output, weights_only=True)
    weight = old["blocks.0.dwconv.weight"].numpy()
    found = new["blocks.0.dwconv.weight"].numpy()
    assert found == pytest.approx(by_hand(weight), abs=1e-4)


def test_safetensors_keeps_its_metadata(tmp_path: Path) -> None:
    old = state()
    save_file(old, tmp_path / "net.safetensors", metadata={"format": "pt"})
    output = tmp_path / "out.safetensors"
    note = rewritten(tmp_path / "net.safetensors", output, *PUBLISHED)
    new = load_file(output)
    assert changed(arrays(old), {key: arrays(new)[key] for key in old}) == SEVENS
    with safe_open(output, "np") as file:
        facts = file.metadata()
    assert facts["format"] == "pt"
    assert json.loads(facts["kernelviewer"]) == note
    assert note["source"] == "net.safetensors"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_numpy(save, tmp_path: Path, capsys) -> None:
    old = {key: value.numpy() for key, value in state().items()}
    old["blocks.2.dwconv.weight"] = np.asfortranarray(old["blocks.2.dwconv.weight"])
    save(tmp_path / "net.npz", **old)
    output = tmp_path / "out.npz"
    if save is np.savez_compressed:
        words = ["rewrite", str(tmp_path / "net.npz"), "-o", str(output), *PUBLISHED]
        assert main(words) == 1
        assert "packed" in capsys.readouterr().err
        assert not output.exists()
        return
    rewritten(tmp_path / "net.npz", output, *PUBLISHED)
    with np.load(output) as new:
        assert changed(old, dict(new)) == SEVENS
        for name in SEVENS:
            assert new[name] == pytest.approx(by_hand(old[name]), abs=1e-4)


def test_keras_hdf5_in_chunks_is_refused(tmp_path: Path, capsys) -> None:
    with h5py.File(tmp_path / "net.h5", "w") as file:
        kernel = np.random.default_rng(0).normal(size=(7, 7, 24, 1))
        group = file.create_group("dw")
        group.attrs["weight_names"] = [b"dw/depthwise_kernel:0"]
        group.create_dataset("dw/depthwise_kernel:0", data=kernel, compression="gzip")
        file.attrs["layer_names"] = [b"dw"]
    output = tmp_path / "out.h5"
    assert main(["rewrite", str(tmp_path / "net.h5"), "-o", str(output), *PUBLISHED])
    assert "not stored as it is used" in capsys.readouterr().err
    assert not output.exists()


def test_keras_hdf5(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    kernel = random.normal(size=(7, 7, 24, 1)).astype(np.float32)
    other = random.normal(size=(1, 1, 24, 24)).astype(np.float32)
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["backend"] = "tensorflow"
        weights = {"dw/depthwise_kernel:0": kernel, "pw/kernel:0": other}
        for name, values in weights.items():
            layer = name.split("/")[0]
            group = file.create_group(layer)
            group.attrs["weight_names"] = [name.encode()]
            group.create_dataset(name, data=values)
        file.attrs["layer_names"] = [b"dw", b"pw"]
    rewritten(tmp_path / "net.h5", tmp_path / "out.h5", *PUBLISHED)
    with h5py.File(tmp_path / "out.h5") as file:
        assert file.attrs["backend"] == "tensorflow"
        new = file["dw/dw/depthwise_kernel:0"][:]
        assert (file["pw/pw/kernel:0"][:] == other).all()
    made = by_hand(kernel.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)
    assert new == pytest.approx(made, abs=1e-4)


@pytest.mark.parametrize("external", [False, True])
def test_onnx(external: bool, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    weight = state()["blocks.2.dwconv.weight"].numpy()
    bias = np.arange(24, dtype=np.float32)
    node = onnx.helper.make_node(
        "Conv", ["x", "w", "b"], ["y"], group=24, pads=[3, 3, 3, 3]
    )
    shape = [1, 24, 9, 9]
    graph = onnx.helper.make_graph(
        [node],
        "net",
        [onnx.helper.make_tensor_value_info("x", 1, shape)],
        [onnx.helper.make_tensor_value_info("y", 1, shape)],
        [
            onnx.numpy_helper.from_array(weight, "w"),
            onnx.numpy_helper.from_array(bias, "b"),
        ],
    )
    model = onnx.helper.make_model(graph)
    source, folder = tmp_path / "net.onnx", tmp_path / "out"
    folder.mkdir()
    extra = {"save_as_external_data": True, "location": "net.bin", "size_threshold": 0}
    onnx.save(model, source, **(extra if external else {}))
    note = rewritten(source, folder / "out.onnx", *PUBLISHED)
    new = onnx.load(folder / "out.onnx")
    onnx.checker.check_model(new)
    found = {
        item.name: onnx.numpy_helper.to_array(item) for item in new.graph.initializer
    }
    assert found["w"] == pytest.approx(by_hand(weight), abs=1e-4)
    assert (found["b"] == bias).all()
    assert json.loads(new.metadata_props[-1].value) == note
    if external:
        assert main(
            ["rewrite", str(source), "-o", str(tmp_path / "x.onnx"), *PUBLISHED]
        )
        assert not (tmp_path / "x.onnx").exists()


def test_onnxruntime_computes_with_the_new_kernels(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    torch.manual_seed(2)
    weight, bias = torch.randn(24, 1, 7, 7), torch.randn(24)
    picture = torch.randn(1, 24, 9, 9)
    numbers = [weight.numpy(), bias.numpy()]
    inputs = [
        onnx.numpy_helper.from_array(values, name)
        for values, name in zip(numbers, "wb", strict=True)
    ]
    node = onnx.helper.make_node(
        "Conv", ["x", "w", "b"], ["y"], group=24, pads=[3, 3, 3, 3]
    )
    ends = [onnx.helper.make_tensor_value_info(name, 1, [1, 24, 9, 9]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "net", ends[:1], ends[1:], inputs)
    version = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=version, ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    rewritten(tmp_path / "net.onnx", tmp_path / "out.onnx", *PUBLISHED)
    for name, used in (
        ("net", weight),
        ("out", torch.from_numpy(by_hand(weight.numpy())).float()),
    ):
        path = str(tmp_path / f"{name}.onnx")
        session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"x": picture.numpy()})
        wanted = torch.nn.functional.conv2d(picture, used, bias, padding=3, groups=24)
        assert found == pytest.approx(wanted.numpy(), abs=1e-3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_keras_loads_the_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((9, 9, 24)),
            layers.DepthwiseConv2D(7, padding="same", name="dw"),
            layers.Conv2D(24, 1, name="pw"),
            layers.SeparableConv2D(8, 3, name="other"),
        ]
    )
    model.save(tmp_path / "net.keras")
    rewritten(tmp_path / "net.keras", tmp_path / "out.keras", *PUBLISHED)
    again = keras.saving.load_model(tmp_path / "out.keras")
    old, new = ([np.asarray(w) for w in m.get_weights()] for m in (model, again))
    assert [values.shape for values in old] == [values.shape for values in new]
    assert [(a == b).all() for a, b in zip(old, new, strict=True)].count(False) == 1
    made = by_hand(old[0].transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1)
    assert new[0] == pytest.approx(made, abs=1e-4)
    picture = np.random.default_rng(0).normal(size=(1, 9, 9, 24)).astype(np.float32)
    padded = np.pad(picture, ((0, 0), (3, 3), (3, 3), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7), axis=(1, 2))
    kernel = made[:, :, :, 0].transpose(2, 0, 1)
    wanted = np.einsum("nxyckl,ckl->nxyc", windows, kernel) + old[1]
    found = np.asarray(again.get_layer("dw")(picture).detach().cpu())
    assert found == pytest.approx(wanted, abs=1e-3)


def test_sought_keys(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "net.safetensors")
    output = tmp_path / "out.safetensors"
    words = ("--keys", "3", "--among", "family", "--size", "3x3")
    note = rewritten(tmp_path / "net.safetensors", output, *words)
    assert [item["name"] for item in note["layers"]] == ["blocks.1.dwconv.weight"]
    rows = load_file(output)["blocks.1.dwconv.weight"].flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    assert np.linalg.matrix_rank(rows.numpy(), tol=1e-4) <= 3


@pytest.mark.parametrize("words", [["--family"], ["--reconstruction"], ["--noise"]])
def test_other_kernels(words: list[str], tmp_path: Path) -> None:
    old = state()
    save_file(old, tmp_path / "net.safetensors")
    output = tmp_path / "out.safetensors"
    note = rewritten(tmp_path / "net.safetensors", output, *words)
    new = load_file(output)
    everywhere = {name for name in old if "dwconv.weight" in name}
    assert changed(arrays(old), {key: arrays(new)[key] for key in old}) == everywhere
    for name in everywhere:
        one, two = (t[name].double().flatten(1) for t in (old, new))
        assert two.mean(1).numpy() == pytest.approx(one.mean(1).numpy(), abs=1e-5)
        a, b = ((t - t.mean(1, keepdim=True)).numpy() for t in (one, two))
        cosine = (a * b).sum(1)[4:] / np.linalg.norm(a[4:], axis=1)
        cosine /= np.linalg.norm(b[4:], axis=1)
        scale = np.linalg.norm(b[4:], axis=1) / np.linalg.norm(a[4:], axis=1)
        if words == ["--noise"]:
            assert scale == pytest.approx(1, abs=1e-5)
            assert abs(cosine.mean()) < 0.3
        else:
            assert scale == pytest.approx(np.abs(cosine), abs=1e-4)
            assert (cosine > -1e-4).all()
            (item,) = [i for i in note["layers"] if i["name"] == name]
            there = cosine**2 if name != "blocks.0.dwconv.weight" else None
            if there is not None:
                every = np.concatenate([there, first_four(a, b)])
                assert item["r2"] == pytest.approx(every.mean(), abs=1e-4)
    dead = "blocks.0.dwconv.weight"
    assert (new[dead][3] == 0).all()


def first_four(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    top = (a * b).sum(1)[:4]
    return (top / np.linalg.norm(a[:4], axis=1) / np.linalg.norm(b[:4], axis=1)) ** 2


def test_transplant(tmp_path: Path) -> None:
    old, other = state(), state()
    for name in other:
        other[name] = other[name] * 2 + 1
    other["blocks.1.dwconv.weight"] = torch.randn(24, 1, 5, 5)
    save_file(old, tmp_path / "net.safetensors")
    torch.save(other, tmp_path / "other.pth")
    output = tmp_path / "out.safetensors"
    rewritten(
        tmp_path / "net.safetensors", output, "--from", str(tmp_path / "other.pth")
    )
    new = load_file(output)
    assert changed(arrays(old), {key: arrays(new)[key] for key in old}) == SEVENS
    for name in SEVENS:
        assert torch.equal(new[name], other[name])
    listed = (tmp_path / "out.safetensors.freeze.txt").read_text().split()
    assert set(listed) == SEVENS
    torch.save({"model": old}, tmp_path / "nested.pth")
    words = ("--from", str(tmp_path / "other.pth"))
    rewritten(tmp_path / "nested.pth", tmp_path / "out.pth", *words)
    assert set((tmp_path / "out.pth.freeze.txt").read_text().split()) == SEVENS


def test_the_input_is_never_overwritten(tmp_path: Path, capsys) -> None:
    path, link = tmp_path / "net.safetensors", tmp_path / "link.safetensors"
    save_file(state(), path)
    link.symlink_to(path)
    before = path.read_bytes()
    for output in (path, link, tmp_path / "." / "net.safetensors"):
        assert main(["rewrite", str(path), "-o", str(output), *PUBLISHED]) == 1
        assert "another name" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_weight_norm_is_refused(tmp_path: Path, capsys) -> None:
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 24, 4),
        torch.nn.utils.parametrizations.weight_norm(
            torch.nn.Conv2d(24, 24, 7, groups=24)
        ),
        torch.nn.Conv2d(24, 24, 1),
    )
    torch.save(net.state_dict(), tmp_path / "net.pth")
    output = tmp_path / "out.pth"
    assert main(["rewrite", str(tmp_path / "net.pth"), "-o", str(output), *PUBLISHED])
    assert "not stored as it is used" in capsys.readouterr().err
    assert not output.exists()


def test_what_does_not_fit_the_stored_type_is_refused() -> None:
    with pytest.raises(ValueError, match="too large for float16"):
        encode(np.array([1e9]), "float16")
    assert encode(np.array([np.inf]), "float16") == b"\x00\x7c"
    halves = torch.randn(1000).mul(3)
    assert encode(halves.double().numpy(), "bfloat16") == (
        halves.bfloat16().view(torch.uint16).numpy().tobytes()
    )


@needs_checkpoints
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("minixception-fer-dmytro.keras", "3x3"),
        ("minixception-fer2013-epoch110-oarriaga.hdf5", "3x3"),
        ("cfsr-x2-df2k-aitical.onnx", "9x9"),
        ("cfsr-x2-df2k-aitical.pth", "9x9"),
        ("lkdnet-s-its-swu.pth", "7x7"),
        ("deimv2-atto-coco-intellindust.safetensors", "3x3"),
        ("proxylessnas-w0.3-imagenet-flaxlayout.npz", "7x7"),
    ],
)
def test_real_files(name: str, size: str, tmp_path: Path) -> None:
    source = CHECKPOINTS / name
    output = tmp_path / name
    words = ["rewrite", str(source), "-o", str(output), "--size", size, "--noise"]
    assert main(words) == 0
    old, new = (kv.open_checkpoint(path) for path in (source, output))
    note = json.loads((tmp_path / f"{name}.json").read_text())
    replaced = {item["name"] for item in note["layers"]}
    assert replaced
    for one, two in zip(old.tensors, new.tensors, strict=True):
        same = one.load().tobytes() == two.load().tobytes()
        assert same == (one.raw_name not in replaced)
    # every byte outside the kernels (and the note) is as it was
    a, b = source.read_bytes(), output.read_bytes()
    if name.endswith((".pth", ".hdf5")):
        assert len(a) == len(b)
    if name.endswith(".pth"):
        assert torch.load(output, weights_only=True, map_location="cpu")
    if name.endswith((".keras", ".npz")):
        with zipfile.ZipFile(output) as archive:
            assert archive.testzip() is None


@needs_checkpoints
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("mcunet-vww-int8-tinyengine.tflite", "safetensors"),
        ("deimv2-atto-coco-dynint8.onnx", "keeps no other values"),
    ],
)
def test_what_is_not_rewritten(name: str, problem: str, tmp_path: Path, capsys) -> None:
    shutil.copy(CHECKPOINTS / name, tmp_path / name)
    output = tmp_path / "out"
    assert main(["rewrite", str(tmp_path / name), "-o", str(output), "--noise"]) == 1
    assert problem in capsys.readouterr().err
    assert not output.exists()


def test_flat_kernels_and_those_that_are_no_numbers_are_left(
    tmp_path: Path, capsys
) -> None:
    weights = torch.randn(24, 1, 7, 7)
    weights[0], weights[1, 0, 0, 0], weights[2] = 0, float("nan"), float("inf")
    save_file({"dwconv.weight": weights}, tmp_path / "net.safetensors")
    output = tmp_path / "out.safetensors"
    for words in (["--family"], ["--noise"], ["--keys", "published"]):
        assert (
            main(
                [
                    "rewrite",
                    str(tmp_path / "net.safetensors"),
                    *words,
                    "-o",
                    str(output),
                ]
            )
            == 0
        )
        told = capsys.readouterr().out
        assert ": 21 kernels replaced by " in told
        assert told.endswith("; 3 flat kernels left as before\n")
        after = load_file(output)["dwconv.weight"]
        assert torch.equal(after[:3].view(torch.int32), weights[:3].view(torch.int32))
        assert (after[3:] != weights[3:]).flatten(1).any(1).all()
