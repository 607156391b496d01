"""Which layer of the configuration a dataset of a Keras file belongs to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.keras_config import snake_case
from kernelviewer.formats.names import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernelviewer.formats.keras_config import Layer, Network

    Attributes = dict[str, dict[str, Any]]

_WRAPPERS = ("layers", "_layer_checkpoint_dependencies", "_functional")
"""Parts of a path that stand between a model and its layers."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dataset belongs.

    Attributes
    ----------
    path
        Names of the models around it and of its layer.
    variable
        Last part of its path: ``kernel:0``, or a number.
    layer
        Its layer in the configuration, if it is there.
    order
        Sorts datasets in network order.
    """

    path: tuple[str, ...]
    variable: str
    layer: Layer | None
    order: tuple[Any, ...]


def places(
    paths: Iterable[str], attributes: Attributes, network: Network | None
) -> dict[str, Place]:
    """Place of each dataset, by its path in the file."""
    finder = _Finder(attributes, network, _listed(attributes))
    return {path: finder.place(path, index) for index, path in enumerate(paths)}


@dataclass(eq=False)
class _Finder:
    attributes: Attributes
    network: Network | None
    listed: dict[str, int]
    _children: dict[int, dict[str, Layer]] = field(default_factory=dict)

    def place(self, path: str, index: int) -> Place:
        """Where the dataset belongs; ``index`` is its place in the file."""
        parts = path.split("/")
        if len(parts) > 1 and (parts[-2] == "vars" or parts[-1].isdecimal()):
            return self._by_structure(parts, index)
        return self._by_name(parts, self.listed.get(path), index)

    def _by_name(self, parts: list[str], listed: int | None, index: int) -> Place:
        """Keras 1 and 2: layer / (layers within) / variable."""
        inner = parts[1:-1] if parts[0] == "model_weights" else parts[:-1]
        known = self.network.by_name if self.network else {}
        names = [name for name in inner if name in known]
        layer = known[names[-1]] if names else None
        path = tuple(dict.fromkeys(names or inner[:1] or parts[:1]))
        if listed is not None:
            return Place(path, parts[-1], layer, (0, listed))
        return Place(path, parts[-1], layer, (1, layer.place if layer else 0, index))

    def _by_structure(self, parts: list[str], index: int) -> Place:
        """Keras 3: the model's own structure, with numbered variables."""
        layer = self.network.root if self.network else None
        path: list[str] = []
        order: list[tuple[Any, ...]] = []
        walked = ""
        for part in parts[:-1]:
            walked = f"{walked}/{part}" if walked else part
            if part == "vars" or part in _WRAPPERS:
                continue
            name = self.attributes.get(f"{walked}/vars", {}).get("name")
            layer = self._child(layer, part, name)
            path.append(layer.name if layer and layer.name else str(name or part))
            order.append((0, layer.place) if layer else (1, natural_key(part)))
        variable = parts[-1]
        order.append((2, int(variable[:9]) if variable.isdecimal() else index))
        return Place(tuple(path) or ("model",), variable, layer, (0, *order))

    def _child(self, parent: Layer | None, part: str, name: object) -> Layer | None:
        """The layer that a part of a path stands for.

        Keras notes the layer's own name in an attribute; without it, it counts
        classes: ``conv2d_2`` is the third Conv2D.
        """
        if parent is None:
            return None
        if id(parent) not in self._children:
            self._children[id(parent)] = _children(parent)
        children = self._children[id(parent)]
        return children.get(f"name:{name}") or children.get(part)


def _children(parent: Layer) -> dict[str, Layer]:
    """The layers right inside, by every name that a file may give them."""
    children: dict[str, Layer] = {}
    counts: Counter[str] = Counter()
    for layer in parent.layers:
        kind = snake_case(layer.kind)
        number = counts[kind]
        counts[kind] += 1
        children.setdefault(f"{kind}_{number}" if number else kind, layer)
        children.setdefault(f"name:{layer.name}", layer)
    for layer in parent.layers:
        children.setdefault(layer.name, layer)
    if parent.layers:  # a wrapper's only layer
        children.setdefault("layer", parent.layers[0])
        children.setdefault("forward_layer", parent.layers[0])
    return children


def _listed(attributes: Attributes) -> dict[str, int]:
    """Place of each dataset in the lists of names that Keras 1 and 2 write."""
    order: dict[str, int] = {}
    for group, values in attributes.items():
        for name in _joined(values, "layer_names"):
            inner = f"{group}/{name}" if group else name
            for weight in _joined(attributes.get(inner, {}), "weight_names"):
                order.setdefault(f"{inner}/{weight}", len(order))
    return order


def _joined(values: dict[str, Any], name: str) -> list[str]:
    """A list that is divided over several attributes where it is long."""
    keys = sorted((key for key in values if key.startswith(name)), key=natural_key)
    lists = [values[key] for key in keys]
    return [item for part in lists if isinstance(part, list) for item in part]
