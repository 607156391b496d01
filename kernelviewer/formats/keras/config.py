"""The layers of a Keras model in network order, from its saved configuration."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from kernelviewer.formats.errors import DamagedError

_MAX_DEPTH = 64


@dataclass(slots=True, eq=False)
class Layer:
    """A layer or, with layers inside, a model."""

    name: str
    """The layer's own name."""
    kind: str
    """Its class without the package it is registered under: ``DepthwiseConv2D``."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Its configuration."""
    layers: list[Layer] = field(default_factory=list)
    place: int = 0
    """Its number in network order, over all levels."""

    def numbers(self, name: str) -> tuple[int, ...] | None:
        """A setting of one or several whole numbers: strides, dilation."""
        value = self.settings.get(name)
        values = value if isinstance(value, list) else [value]
        whole = [item for item in values if type(item) is int]
        return tuple(whole) if len(whole) == len(values) else None

    def text(self, name: str) -> str | None:
        """A setting that is a word: padding."""
        value = self.settings.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str, default: int) -> int:
        """A setting that is one whole number: groups."""
        value = self.settings.get(name)
        return value if type(value) is int else default


@dataclass(slots=True, eq=False)
class Network:
    """The model, and its layers of every level by name."""

    root: Layer
    by_name: dict[str, Layer] = field(default_factory=dict)


def read_config(text: str) -> Network:
    """Read the configuration that Keras saves as JSON.

    Raises
    ------
    DamagedError
        It is no JSON or nested absurdly.
    """
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        raise DamagedError("its configuration is damaged") from None
    root = _layer(config, 0)
    network = Network(root)
    _number(root, network.by_name)
    return network


def snake_case(kind: str) -> str:
    """A class name as Keras writes it in paths: ``depthwise_conv2d``."""
    name = re.sub(r"\W+", "", kind)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _layer(config: object, depth: int) -> Layer:
    if depth > _MAX_DEPTH:
        raise DamagedError("its configuration is nested absurdly deep")
    entry = config if isinstance(config, dict) else {}
    settings = entry.get("config")
    inside: object = settings  # Keras 1 lists a Sequential's layers right here
    if isinstance(settings, dict):
        inside = settings.get("layers")
        if inside is None and isinstance(settings.get("layer"), dict):
            inside = [settings["layer"]]  # TimeDistributed, Bidirectional
    else:
        settings = {}
    name = settings.get("name") or entry.get("name") or ""
    kind = str(entry.get("class_name") or "").rpartition(">")[2]
    items = inside if isinstance(inside, list) else []
    layers = [_layer(item, depth + 1) for item in items]
    return Layer(str(name), kind, settings, layers)


def _number(root: Layer, by_name: dict[str, Layer]) -> None:
    """Set every layer's place, depth first, and note it by name."""
    waiting, place = [root], 0
    while waiting:
        layer = waiting.pop()
        layer.place, place = place, place + 1
        by_name.setdefault(layer.name, layer)
        waiting += reversed(layer.layers)
