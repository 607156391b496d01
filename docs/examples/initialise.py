"""PyTorch: a small network from initial kernels of several kinds.

    python docs/examples/initialise.py --photographs FOLDER

trains the sample's small network (`resources/sample`) from each kind of
``kernelviewer init`` with several seeds, everything but the depthwise kernels starting
alike, and prints how many crops it names. ``--frozen`` keeps the kernels as they start.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "resources" / "sample"))

import photographs  # noqa: E402
from make_sample import accuracy  # noqa: E402
from network import Network  # noqa: E402

SAMPLE = ROOT / "resources" / "sample" / "sample.safetensors"
KINDS = ("random", "dog", "covariance", "keys", "family")


def starting_network(kind: str, seed: int, classes: int, folder: Path) -> Network:
    """The sample's network, its depthwise kernels of a kind, the rest by the seed."""
    torch.manual_seed(seed)
    network = Network(classes, (40, 80, 160), (2, 2, 4), 7, 2)
    network.initialise(kernel_std=0.01)
    path = folder / f"{kind}-{seed}.safetensors"
    command = (sys.executable, "-m", "kernelviewer", "init", "--like", SAMPLE)
    command += ("--kind", kind, "--seed", str(seed), "-o", path)
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    kernels = load_file(path)
    unknown = network.load_state_dict(kernels, strict=False).unexpected_keys
    assert kernels
    assert not unknown, unknown
    return network.to(memory_format=torch.channels_last)


def train(
    network: Network, crops: photographs.Crops, options: argparse.Namespace
) -> None:
    """Plain AdamW with a warm-up of a tenth and a straight way down to nought."""
    learned = []
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not (options.frozen and "conv_dw.weight" in name))
        learned += [parameter] if parameter.requires_grad else []
    adam = torch.optim.AdamW(learned, lr=options.rate, weight_decay=0.05)
    warm = options.steps / 10
    for step in range(options.steps):
        left = (options.steps - step) / (options.steps - warm)
        adam.param_groups[0]["lr"] = options.rate * min((step + 1) / warm, left)
        pictures, labels = crops.draw(options.batch)
        loss = functional.cross_entropy(network(pictures), labels, label_smoothing=0.1)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        adam.step()


def main() -> None:
    """Train every kind with every seed, and print a row for each kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=Path, nargs="+", required=True)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--crop", type=int, default=48, help="pixels")
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--frozen", action="store_true", help="kernels do not learn")
    options = parser.parse_args()
    cache = options.cache / "kernelviewer-photographs"
    pictures = photographs.load(tuple(options.photographs), cache)
    if not pictures:
        raise SystemExit("no photographs there")
    print(f"{len(pictures)} photographs; chance is {1 / len(pictures):.1%}")
    print("| kernels | new crops | parts never seen | seconds |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kinds:
            began = time.process_time()
            found: dict[bool, list[float]] = {False: [], True: []}
            for seed in range(options.seeds):
                network = starting_network(kind, seed, len(pictures), Path(folder))
                crops = photographs.Crops(pictures, options.crop, seed)
                train(network, crops, options)
                for unseen, shares in found.items():
                    test = photographs.Crops(pictures, options.crop, 1000)
                    share = accuracy(network, test, unseen=unseen, batches=10)
                    shares.append(share)
            cells = [
                f"{statistics.mean(some):.1%} ({min(some):.1%} to {max(some):.1%})"
                for some in found.values()
            ]
            spent = time.process_time() - began
            print(f"| {kind} | {' | '.join(cells)} | {spent:.0f} |", flush=True)


if __name__ == "__main__":
    main()
