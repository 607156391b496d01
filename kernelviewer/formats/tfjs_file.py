"""TensorFlow.js: ``model.json`` of graphs and Keras models, with its weight files."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.checkpoint import Checkpoint
from kernelviewer.formats.damage import DamagedError, damage_named
from kernelviewer.formats.errors import CheckpointError
from kernelviewer.formats.flax_layout import arrange, no_weights
from kernelviewer.formats.keras_config import read_config
from kernelviewer.formats.keras_entries import entries
from kernelviewer.formats.tf_operations import FACTS, Found, Node, convolutions
from kernelviewer.formats.tfjs_parts import files_of, model_with
from kernelviewer.formats.tfjs_weights import read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kernelviewer.formats.leaves import Leaf
    from kernelviewer.formats.source import Options, Source

_WHAT = "a TensorFlow.js network"
_MARKS = (b'"modelTopology"', b'"weightsManifest"', b'"graph-model"', b'"layers-model"')
_MAX_JSON = 1 << 24
_BROKEN = "its JSON is broken"


def match(source: Source) -> bool:
    """Whether the file is such a network's JSON, or only its list of weights."""
    text = source.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"{":
        return any(mark in text for mark in _MARKS)
    return text[:1] == b"[" and b'"weights"' in text and b'"dtype"' in text


def open_tfjs(source: Source, options: Options) -> Checkpoint:
    """Open the network; its weights lie in files beside the JSON.

    Raises
    ------
    CheckpointError
        The JSON is damaged, or a file with weights is missing or cut off.
    """
    with damage_named(source.path, _WHAT):
        content = _json(source)
        model = content if isinstance(content, dict) else {}
        alone = () if model else _alone(source.path, content)
        manifest = model.get("weightsManifest") if model else content
        leaves, files = read_manifest(manifest, source.path, options.check)
        topology = model.get("modelTopology")
        topology = topology if isinstance(topology, dict) else {}
        found = _found(source, options, topology, leaves)
    if not found.tensors:
        raise no_weights(source.path, _WHAT, found.skipped)
    return Checkpoint(
        source.path,
        "TensorFlow.js",
        source.size + sum(file.size for file in files),
        found.tensors,
        found.skipped,
        (*found.warnings, *alone),
        metadata=_facts(model),
        files=tuple(files),
    )


def _alone(path: Path, manifest: object) -> tuple[str, ...]:
    """A sentence of a list of weights that has no network.

    Raises
    ------
    CheckpointError
        The network that it belongs to lies beside it.
    """
    files = files_of(manifest)
    owner = model_with(path.parent, files, besides=path) if files else None
    if owner is not None:
        problem = f"this is only the list of weights of a network, {owner.name}"
        raise CheckpointError(path, problem, f"Open {owner.name}.")
    return ("This is only a network's list of weights: what they do is told by names.",)


def _found(
    source: Source, options: Options, topology: dict[str, Any], leaves: list[Leaf]
) -> Found:
    """Tensors by the graph, by Keras's configuration, or by names and shapes."""
    if isinstance(topology.get("node"), list):
        constants = {leaf.raw_name: leaf for leaf in leaves if not leaf.unusable}
        return convolutions(_nodes(topology), constants, options.check)
    config = topology.get("model_config", topology)
    if config:
        network = read_config(json.dumps(config))
        tensors, skipped = entries(leaves, network)
        return Found(tuple(tensors), tuple(skipped))
    arranged = arrange(source.path, leaves, options.copy)
    return Found(arranged.tensors, arranged.skipped, arranged.warnings)


def _json(source: Source) -> object:
    if source.size > _MAX_JSON:
        msg = "its JSON is larger than that of any network"
        raise DamagedError(msg)
    try:
        return json.loads(source.path.read_bytes())
    except (ValueError, RecursionError):
        raise DamagedError(_BROKEN) from None


def _nodes(topology: dict[str, Any]) -> Iterator[Node]:
    """The graph's nodes, then those of its functions."""
    library = topology.get("library")
    functions = library.get("function") if isinstance(library, dict) else None
    yield from map(_node, _entries(topology.get("node")))
    for function in _entries(functions):
        yield from map(_node, _entries(function.get("nodeDef")))


def _entries(items: object) -> Iterable[dict[str, Any]]:
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise DamagedError(_BROKEN)
    return items


def _node(entry: dict[str, Any]) -> Node:
    inputs, attributes = entry.get("input"), entry.get("attr")
    inputs = inputs if isinstance(inputs, list) else []
    attributes = attributes if isinstance(attributes, dict) else {}
    facts = {name: _value(attributes.get(name)) for name in FACTS}
    return Node(
        str(entry.get("name")),
        str(entry.get("op")),
        tuple(str(name).split(":")[0] for name in inputs),
        {name: value for name, value in facts.items() if value is not None},
    )


def _value(attribute: object) -> tuple[int, ...] | str | None:
    """A list of numbers, which JSON writes as texts, or a text in base64."""
    if not isinstance(attribute, dict):
        return None
    text, items = attribute.get("s"), attribute.get("list")
    try:
        if isinstance(items, dict):
            return tuple(int(item) for item in items.get("i", []))
        if isinstance(text, str):
            return base64.b64decode(text, validate=True).decode().lower()
    except (ValueError, TypeError, binascii.Error):
        return None
    return None


def _facts(model: dict[str, Any]) -> dict[str, Any]:
    names = {"generatedBy": "generated by", "convertedBy": "converted by"}
    found = {title: model.get(name) for name, title in names.items()}
    return {title: text for title, text in found.items() if isinstance(text, str)}
