"""The graph in a program of torch.export: which convolution uses which parameter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.operators import operator_of

if TYPE_CHECKING:
    from kernelviewer.formats.checkpoint import Operator

_TARGET = re.compile(r"\.aten\.(convolution|conv(_transpose)?[123]d)\.")
_OF_A_RULE = re.compile(r"(^|\.)parametrizations\.\w+\.\d")
"""State of a re-parametrisation itself, such as the vectors of spectral norm."""
_MOST_PARTS = 64


def operators(program: dict[str, Any]) -> dict[str, Operator]:
    """Parameter → the convolution that the graph computes with it.

    Empty where the graph is not as expected: the weights do not depend on it.
    """
    found: dict[str, Operator] = {}
    try:
        module = program["graph_module"]
        names = _parameter_names(module["signature"]["input_specs"])
        nodes = module["graph"]["nodes"]
        sources = _sources(nodes)
        for node in nodes:
            target = _TARGET.search(node["target"])
            if target:
                arguments = _arguments(node["inputs"])
                if target[2]:
                    arguments["transposed"] = True
                operator = operator_of(arguments, groups=1)
                for weight in _made_of(str(arguments["weight"]), sources, names):
                    found[names.get(weight, weight)] = operator
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}
    return found


def _sources(nodes: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Tensor in the graph → the tensors that the operator behind it takes."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        taken = [name for item in node["inputs"] for name in _tensors(item["arg"])]
        for output in node["outputs"]:
            found.update(dict.fromkeys(_tensors(output), taken))
    return found


def _tensors(value: dict[str, Any]) -> list[str]:
    """Names of one argument's tensors."""
    (item,) = value.values()
    entries = item if isinstance(item, list) else [item]
    return [entry["name"] for entry in entries if isinstance(entry, dict)]


def _made_of(
    weight: str, sources: dict[str, list[str]], names: dict[str, str]
) -> list[str]:
    """The parameters that a weight is made of: itself, or the parts of weight norm.

    None where more goes into it: a weight that depends on the network's input.
    """
    waiting, seen = [weight], {weight: None}
    while waiting:
        name = waiting.pop()
        if name in names:
            continue
        if name not in sources or len(seen) > _MOST_PARTS:
            return [weight]
        new = [item for item in sources[name] if item not in seen]
        seen.update(dict.fromkeys(new))
        waiting += new
    parts = [name for name in seen if name in names]
    return [name for name in parts if not _OF_A_RULE.search(names[name])] or [weight]


def _parameter_names(specs: list[dict[str, Any]]) -> dict[str, str]:
    """Name in the graph → name in the network, of parameters and buffers."""
    return {
        spec[kind]["arg"]["name"]: spec[kind][f"{kind}_name"]
        for spec in specs
        for kind in ("parameter", "buffer")
        if kind in spec
    }


def _arguments(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Argument's name → its value; tensors by their name."""
    values = {}
    for item in inputs:
        (value,) = item["arg"].values()
        values[item["name"]] = value["name"] if isinstance(value, dict) else value
    return values
