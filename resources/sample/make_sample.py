"""Train the sample network on crops of photographs and save it.

``python make_sample.py`` does it all again; README.md beside it says what is needed.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import photographs
import structure
import torch
from network import Network
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Recipe:
    """Everything that the result depends on, apart from the photographs."""

    seed: int = 20240125
    steps: int = 900
    batch: int = 64
    crop: int = 80
    dims: tuple[int, ...] = (40, 80, 160)
    depths: tuple[int, ...] = (2, 2, 4)
    expansion: int = 2
    kernel: int = 7
    kernel_std: float = 0.01
    rate: float = 2.5e-3
    decay: float = 0.3
    kernel_decay: float = 2.0
    average: float = 0.995
    smoothing: float = 0.1


def learning_rate(step: int, recipe: Recipe) -> float:
    """Rate at a step: a short straight warm-up, then half a cosine to nought."""
    warm = recipe.steps // 20
    if step < warm:
        return recipe.rate * (step + 1) / warm
    done = (step - warm) / (recipe.steps - warm)
    return recipe.rate * (0.5 + 0.5 * math.cos(math.pi * done))


def optimiser(network: Network, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW: kernels decay most, other weights a little, norms and biases not."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        decay = recipe.decay if parameter.ndim > 1 else 0.0
        if name.endswith("conv_dw.weight"):
            decay = recipe.kernel_decay
        groups.setdefault(decay, []).append(parameter)
    return torch.optim.AdamW(
        [{"params": group, "weight_decay": d} for d, group in groups.items()],
        lr=recipe.rate,
        betas=(0.9, 0.98),
    )


def accuracy(
    network: Network, crops: photographs.Crops, *, unseen: bool, batches: int = 20
) -> float:
    """Share of crops whose photograph the network names, 100 crops a batch."""
    right = 0
    for _ in range(batches):
        pictures, labels = crops.draw(100, unseen=unseen)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            right += int((network(pictures).argmax(1) == labels).sum())
    return right / (100 * batches)


def new_network(classes: int, recipe: Recipe) -> Network:
    """An untrained network. Channels-last makes its backward pass 4 times faster."""
    torch.manual_seed(recipe.seed)
    network = Network(
        classes, recipe.dims, recipe.depths, recipe.kernel, recipe.expansion
    )
    network.initialise(recipe.kernel_std)
    return network.to(memory_format=torch.channels_last)


def train(
    pictures: list[Tensor],
    recipe: Recipe,
    report_every: int,
    after: Callable[[int, Network, Network], None] = lambda *_: None,
) -> tuple[Network, float]:
    """Running average of the trained network, and the loss of the last steps.

    ``after`` is called with the steps done (0 before the first), the network and its
    running average.
    """
    crops = photographs.Crops(pictures, recipe.crop, recipe.seed)
    network = new_network(len(pictures), recipe)
    averaged = copy.deepcopy(network)
    adam = optimiser(network, recipe)
    recent, began = math.log(len(pictures)), time.monotonic()
    after(0, network, averaged)
    for step in range(recipe.steps):
        for group in adam.param_groups:
            group["lr"] = learning_rate(step, recipe)
        batch, labels = crops.draw(recipe.batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(batch)
        loss = functional.cross_entropy(
            logits.float(), labels, label_smoothing=recipe.smoothing
        )
        adam.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        adam.step()
        with torch.no_grad():
            pairs = zip(averaged.parameters(), network.parameters(), strict=True)
            for mean, now in pairs:
                mean.lerp_(now, 1 - recipe.average)
        recent += 0.02 * (float(loss.detach()) - recent)
        after(step + 1, network, averaged)
        if (step + 1) % report_every == 0:
            minutes = (time.monotonic() - began) / 60
            print(f"step {step + 1}, loss {recent:.3f}, {minutes:.1f} min")
            report(averaged, stages_only=True)
    return averaged, recent


def depthwise(network: Network) -> dict[str, np.ndarray]:
    """Kernels [C, k, k] of every depthwise layer, in network order."""
    return {
        name.removesuffix(".weight"): weight.detach().numpy()[:, 0].copy()
        for name, weight in network.named_parameters()
        if name.endswith("conv_dw.weight")
    }


def print_row(name: str, kernels: np.ndarray) -> None:
    """Structure of some kernels, a line of the report's table."""
    cosine = structure.family_cosine(kernels)
    shares = " | ".join(f"{(cosine > t).mean():.2f}" for t in (0.7, 0.8, 0.9))
    print(
        f"| {name} | {len(kernels)} | {cosine.mean():.3f} | {shares} "
        f"| {np.median(structure.moran(kernels)):.2f} "
        f"| {structure.leading_variance(kernels):.2f} |",
        flush=True,
    )


def report(network: Network, *, stages_only: bool = False) -> None:
    """A table of structure: per layer, stage and network, and for white noise."""
    layers = depthwise(network)
    stages: dict[str, list[np.ndarray]] = {}
    for name, kernels in layers.items():
        stages.setdefault(".".join(name.split(".")[:2]), []).append(kernels)
    everything = np.concatenate(list(layers.values()))
    print("| kernels of | number | mean fit | > .7 | > .8 | > .9 | Moran's I | 5 PCs |")
    print("|---|---|---|---|---|---|---|---|")
    for name, kernels in {} if stages_only else layers.items():
        print_row(name, kernels)
    for name, parts in stages.items():
        print_row(name, np.concatenate(parts))
    print_row("all", everything)
    if not stages_only:
        noise = np.random.default_rng(0).standard_normal(
            (20_000, *everything.shape[1:])
        )
        print_row("white noise", noise.astype(np.float32))


def save(network: Network, path: Path, facts: dict[str, str]) -> None:
    """Write a safetensors file, float32, with the facts in its header.

    By hand, since the library's writer sorts tensors by name and the file is to have
    them in network order.
    """
    header: dict[str, object] = {"__metadata__": facts}
    values, end = [], 0
    for name, weight in network.state_dict().items():
        raw = weight.detach().contiguous().numpy().astype("<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(weight.shape),
            "data_offsets": [end, end + len(raw)],
        }
        values.append(raw)
        end += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(values))


def arguments() -> tuple[argparse.Namespace, Recipe]:
    """Where things are, and the recipe: one option for each of its fields."""
    parser = argparse.ArgumentParser(description="Train the sample network.")
    temporary = Path(tempfile.gettempdir()) / "kernelviewer-photographs"
    parser.add_argument("--photographs", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--cache", type=Path, default=temporary)
    parser.add_argument("--out", type=Path, default=HERE / "sample.safetensors")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--report-every", type=int, default=100, metavar="STEPS")
    defaults = asdict(Recipe())
    for name, value in defaults.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, tuple):
            parser.add_argument(flag, type=int, nargs=len(value), default=value)
        else:
            parser.add_argument(flag, type=type(value), default=value)
    options = parser.parse_args()
    chosen = {name: getattr(options, name) for name in defaults}
    chosen |= {name: tuple(chosen[name]) for name in ("dims", "depths")}
    return options, Recipe(**chosen)


def main() -> None:
    """Find the photographs, train, save, report."""
    options, recipe = arguments()
    torch.set_num_threads(options.threads)
    folders = tuple(options.photographs or photographs.FOLDERS)
    pictures = photographs.load(folders, options.cache)
    if not pictures:
        raise SystemExit(f"no photographs in {', '.join(map(str, folders))}")
    print(f"{len(pictures)} photographs; {recipe}", flush=True)
    began = time.monotonic()
    network, loss = train(pictures, recipe, options.report_every)
    minutes = (time.monotonic() - began) / 60
    crops = photographs.Crops(pictures, recipe.crop, recipe.seed + 1)
    facts = {
        "architecture": "ConvNeXt-like classifier with 7x7 depthwise layers",
        "made_by": "resources/sample/make_sample.py of kernelviewer",
        "recipe": json.dumps(asdict(recipe)),
        "seed": str(recipe.seed),
        "photographs": str(len(pictures)),
        "loss": f"{loss:.3f}",
        "accuracy_unseen_parts": f"{accuracy(network, crops, unseen=True):.3f}",
        "accuracy_trained_parts": f"{accuracy(network, crops, unseen=False):.3f}",
        "license": "MIT",
    }
    save(network, options.out, facts)
    print(f"{minutes:.1f} min; {json.dumps(facts)}")
    report(network)


if __name__ == "__main__":
    main()
