"""Remake the two lists about timm's networks that the program ships.

index.json tells how to recognise architectures by names and shapes, models.json.gz
which pretrained networks there are and where they lie.

Builds every architecture that timm registers on the meta device (no weights, no
downloads) and notes, for each that has a depthwise convolution, a fingerprint of its
convolutions' names and shapes and what each convolution does. Those that can be fused
for inference (MobileOne, FastViT, RepViT …) are noted in both forms. Takes some
minutes; with patterns of names only these architectures are described anew and the
rest of the index is kept:

    python resources/architectures/make_index.py
    python resources/architectures/make_index.py "mobileone*" "repvit*"
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
import warnings
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import timm
import torch
from timm.utils.model import reparameterize_model

from kernelviewer.kernels.names import details, fingerprint

INDEX = Path(__file__).with_name("index.json")
MODELS = Path(__file__).with_name("models.json.gz")
FUSING = ("fuse", "reparameterize", "switch_to_deploy")
CONVOLUTIONS = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)


def facts(module: torch.nn.Module) -> list[Any]:
    """[groups, stride, dilation, padding, in_channels] of a convolution."""
    padding = module.padding
    return [
        module.groups,
        list(module.stride),
        list(module.dilation),
        padding if isinstance(padding, str) else list(padding),
        module.in_channels,
    ]


def describe(name: str) -> list[dict[str, Any]]:
    """What `describe_form` says of an architecture as it is trained and as it is fused.

    Only what has names or shapes of its own counts.
    """
    with torch.device("meta"):
        model = timm.create_model(name, pretrained=False)
        found = {entry["fingerprint"]: entry for entry in describe_form(model)}
        if found and any(map(can_be_fused, model.modules())):
            fused = describe_form(reparameterize_model(model.eval()))
            found = {entry["fingerprint"]: entry for entry in fused} | found
    return list(found.values())


def can_be_fused(module: torch.nn.Module) -> bool:
    """Whether a module has a form of its own for inference."""
    return any(hasattr(module, name) for name in FUSING)


def describe_form(model: torch.nn.Module) -> list[dict[str, Any]]:
    """Fingerprint and convolutions of a network; empty without depthwise ones.

    Where layers share their weights there are two: files list those under all of their
    names or, as readers do that know the same values again, under the first.
    """
    layers = {
        f"{path}.weight": module
        for path, module in model.named_modules(remove_duplicate=False)
        if isinstance(module, CONVOLUTIONS)
    }
    depthwise = {
        key: facts(module)
        for key, module in layers.items()
        if module.groups > 1 and module.groups == module.in_channels
    }
    alone = [key for key, module in layers.items() if module.in_channels == 1]
    if not depthwise:
        return []
    state = model.state_dict()
    once = {name for name, _ in model.named_parameters()}
    once |= {name for name, _ in model.named_buffers()}
    found = {}
    for kept in (state.keys(), [key for key in state if key in once]):
        shapes = {key: tuple(state[key].shape) for key in kept}
        numbers = {key: shapes[key] for key in kept if state[key].is_floating_point()}
        found[fingerprint(shapes)] = {
            "fingerprint": fingerprint(shapes),
            "details": details(numbers),
            "depthwise": {key: depthwise[key] for key in depthwise if key in shapes},
            "one_channel": [key for key in alone if key in shapes],
        }
    return list(found.values())


def packed(facts: dict[str, Any]) -> str:
    """Facts as compressed text, so that only the entry that is needed is parsed."""
    text = json.dumps(facts, separators=(",", ":"), sort_keys=True)
    return base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def write(path: Path, content: dict[str, Any]) -> None:
    """Write compressed JSON, the same bytes each time."""
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def write_models(depthwise: set[str]) -> None:
    """List the pretrained networks that lie on the hub: name, repository, depthwise."""
    rows = []
    for name in timm.list_pretrained():
        repository = timm.get_pretrained_cfg(name).hf_hub_id
        if repository:
            rows.append([name, repository, name.split(".")[0] in depthwise])
    write(MODELS, {"timm": timm.__version__, "models": rows})


Groups = dict[str, dict[str, tuple[list[str], str]]]
"""Fingerprint → details → names of architectures, and packed facts."""


def kept(names: list[str]) -> Groups:
    """The index as it is, without the architectures that are described anew."""
    groups: Groups = defaultdict(dict)
    if len(names) == len(timm.list_models()):
        return groups
    known = json.loads(INDEX.read_text())
    if known["timm"] != timm.__version__:
        sys.exit(f"the index was made with timm {known['timm']}: remake all of it")
    for key, entries in known["architectures"].items():
        for rest, alike, facts in entries:
            others = [name for name in alike if name not in names]
            if others:
                groups[key][rest] = (others, facts)
    return groups


def main(patterns: list[str]) -> None:
    """Describe architectures and write the index."""
    warnings.simplefilter("ignore")
    names = timm.list_models(patterns or "")
    groups, order = kept(names), timm.list_models()
    failed: list[str] = []
    for number, name in enumerate(names, 1):
        try:
            found = describe(name)
        except Exception as error:
            failed.append(f"{name}: {error}")
            continue
        for entry in found:
            key, rest = entry.pop("fingerprint"), entry.pop("details")
            alike, facts = groups[key].get(rest) or ([], packed(entry))
            groups[key][rest] = (sorted({*alike, name}, key=order.index), facts)
        if number % 50 == 0:
            print(f"{number} of {len(names)}", file=sys.stderr)
    index = {
        "timm": timm.__version__,
        "architectures": {
            key: sorted(
                ([rest, *entry] for rest, entry in entries.items()),
                key=lambda entry: order.index(entry[1][0]),
            )
            for key, entries in groups.items()
        },
    }
    INDEX.write_text(json.dumps(index, indent=0, sort_keys=True) + "\n")
    every = [alike for entries in groups.values() for alike, _ in entries.values()]
    known = {name for alike in every for name in alike}
    write_models(known)
    print(f"{len(groups)} fingerprints, {len(every)} with their details, ", end="")
    print(f"of {len(known)} architectures")
    print("\n".join(failed), file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
