"""`kernelviewer init`: kernels to start from, by the formulas of their papers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from kernelviewer.cli import main
from kernelviewer.kernels.keys import approximate_kernels
from kernelviewer.latent.keys import published
from kernelviewer.latent.replacing import KINDS, difference_of_gaussians

if TYPE_CHECKING:
    from pathlib import Path


class Block(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dwconv = torch.nn.Conv2d(48, 48, 7, groups=48, padding=3)
        self.pwconv = torch.nn.Conv2d(48, 48, 1)


def network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    stem = torch.nn.Conv2d(3, 48, 4)
    return torch.nn.Sequential(stem, Block(), Block())


def made(kind: str, tmp_path: Path, *words: str) -> dict[str, torch.Tensor]:
    net = network()
    with torch.no_grad():
        weight = net[1].dwconv.weight
        weight += 3 * torch.linspace(-1, 1, 7) * torch.randn(48, 1, 1, 1)
    torch.save({"model": net.state_dict()}, tmp_path / "net.pth")
    output = tmp_path / "out.safetensors"
    files = ["--like", str(tmp_path / "net.pth"), "-o", str(output)]
    assert main(["init", *files, "--kind", kind, *words]) == 0
    return load_file(output)


@pytest.mark.parametrize("kind", KINDS)
def test_it_loads_into_the_network(kind: str, tmp_path: Path) -> None:
    found = made(kind, tmp_path)
    missing, unexpected = network().load_state_dict(found, strict=False)
    assert unexpected == []
    assert set(found) == {"1.dwconv.weight", "2.dwconv.weight"}
    assert not any("dwconv.weight" in name for name in missing)
    again = made(kind, tmp_path)
    other = made(kind, tmp_path, "--seed", "7")
    for name, values in found.items():
        assert values.shape == (48, 1, 7, 7)
        assert torch.isfinite(values).all()
        assert torch.equal(values, again[name])
    if kind in ("covariance", "random", "family"):
        assert not torch.equal(found["1.dwconv.weight"], other["1.dwconv.weight"])


@pytest.mark.parametrize(("taps", "gamma"), [(7, 0.5), (3, 0.5), (5, 0.7), (9, 0.3)])
def test_difference_of_gaussians(taps: int, gamma: float) -> None:
    found = difference_of_gaussians(taps, gamma)
    assert found[found > 0].sum() == pytest.approx(1)
    assert found[found < 0].sum() == pytest.approx(-1)
    radius = gamma * (taps + 1) / 2
    sigma = radius / (2 * gamma) * math.sqrt((1 - gamma**2) / -math.log(gamma))
    if (taps, gamma) == (7, 0.5):
        assert sigma == pytest.approx(2.08, abs=0.005)
    y, x = np.mgrid[:taps, :taps] - (taps - 1) / 2
    square = x * x + y * y
    parts = np.stack([
        np.exp(-square / (2 * (gamma * sigma) ** 2)).ravel(),
        np.exp(-square / (2 * sigma**2)).ravel(),
    ])  # fmt: skip
    _, residual, _, _ = np.linalg.lstsq(parts.T, found.ravel(), rcond=None)
    assert residual.max(initial=0) < 1e-20  # nothing but the two Gaussians


def test_on_and_off(tmp_path: Path) -> None:
    found = made("dog", tmp_path, "--on", "0.25")["1.dwconv.weight"].numpy()
    assert (found[:, 0, 3, 3] > 0).sum() == 12
    share = made("dog", tmp_path, "--share", "0.5")["1.dwconv.weight"].numpy()
    kernel = difference_of_gaussians(7)
    rows = share.reshape(48, -1)
    like = [bool(np.allclose(abs(row), abs(kernel.ravel()), atol=1e-6)) for row in rows]
    assert sum(like) == 24


def test_covariance_is_that_of_the_layer(tmp_path: Path) -> None:
    found = made("covariance", tmp_path)
    spread = found["1.dwconv.weight"].flatten(1).numpy()
    slope = np.tile(np.linspace(-1, 1, 7), 7)
    slope /= np.linalg.norm(slope)
    along, whole = (spread @ slope).var(), spread.var(axis=0).sum()
    assert along > 0.8 * whole  # what was put into the first layer
    other = found["2.dwconv.weight"].flatten(1).numpy()
    assert (other @ slope).var() < 0.2 * other.var(axis=0).sum()


def test_keys_are_the_published_ones(tmp_path: Path) -> None:
    found = made("keys", tmp_path)["1.dwconv.weight"].numpy()[:, 0]
    approximated = approximate_kernels(found, published())
    assert approximated.r2 == pytest.approx(1, abs=1e-5)
    assert np.bincount(approximated.key).tolist() == [6] * 8


def test_what_there_is_none_of(tmp_path: Path, capsys) -> None:
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 48, 4), torch.nn.Conv2d(48, 48, (1, 11), groups=48),
        torch.nn.Conv2d(48, 48, 1),
    )  # fmt: skip
    torch.save(net.state_dict(), tmp_path / "net.pth")
    files = ["--like", str(tmp_path / "net.pth"), "-o", str(tmp_path / "o.safetensors")]
    for kind in ("dog", "keys"):
        assert main(["init", *files, "--kind", kind]) == 1
        assert "1×11" in capsys.readouterr().err


def test_like_an_architecture_of_timm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import timm

    output = tmp_path / "out.safetensors"
    words = ["init", "--like", "timm:convnext_atto", "-o", str(output)]
    assert main([*words, "--kind", "keys"]) == 0
    found = load_file(output)
    network = timm.create_model("convnext_atto", pretrained=False)
    state = network.state_dict()
    depthwise = {
        f"{name}.weight"
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Conv2d) and module.groups > 1
    }
    assert set(found) == depthwise
    assert all(found[name].shape == state[name].shape for name in found)
    assert network.load_state_dict(found, strict=False).unexpected_keys == []
    kernels = torch.cat([value[:, 0] for value in found.values()]).numpy()
    r2 = approximate_kernels(kernels, published()).r2
    assert r2 == pytest.approx(np.ones(len(kernels)), abs=1e-3)
    for kind in ("covariance", "family"):  # an untrained network has none to give
        capsys.readouterr()
        assert main([*words, "--kind", kind]) == 1
        assert "trained checkpoint" in capsys.readouterr().err
    words[2] = "timm:convnext_attto"
    assert main([*words, "--kind", "dog"]) == 1
    assert "convnext_atto" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["covariance", "family"])
def test_flat_layers_have_taught_nothing(kind: str, tmp_path: Path, capsys) -> None:
    save_file({"dwconv.weight": torch.zeros(24, 1, 7, 7)}, tmp_path / "net.safetensors")
    words = ["--like", str(tmp_path / "net.safetensors"), "--kind", kind]
    assert main(["init", *words, "-o", str(tmp_path / "out.safetensors")]) == 1
    problem = {
        "covariance": "all alike: nothing varies",
        "family": "flat: none has a member",
    }
    assert problem[kind] in capsys.readouterr().err
    assert not (tmp_path / "out.safetensors").exists()
