"""The graph in a program of torch.export: which convolution uses which parameter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.operators import operator_of

if TYPE_CHECKING:
    from kernelviewer.formats.checkpoint import Operator

_TARGET = re.compile(r"\.aten\.(convolution|conv(_transpose)?[123]d)\.")


def operators(program: dict[str, Any]) -> dict[str, Operator]:
    """Parameter → the convolution that the graph computes with it.

    Empty where the graph is not as expected: the weights do not depend on it.
    """
    found: dict[str, Operator] = {}
    try:
        module = program["graph_module"]
        names = _parameter_names(module["signature"]["input_specs"])
        for node in module["graph"]["nodes"]:
            target = _TARGET.search(node["target"])
            if target:
                arguments = _arguments(node["inputs"])
                weight = str(arguments["weight"])
                if target[2]:
                    arguments["transposed"] = True
                found[names.get(weight, weight)] = operator_of(arguments, groups=1)
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}
    return found


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
