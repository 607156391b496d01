"""Which layer of the configuration a dataset of a Keras file belongs to."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernelviewer.formats.keras.config import snake_case
from kernelviewer.formats.keras.layers import class_kind
from kernelviewer.formats.network.names import natural_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kernelviewer.formats.keras.config import Layer, Network

    Attributes = dict[str, dict[str, Any]]


_WRAPPERS = ("layers", "_layer_checkpoint_dependencies", "_functional")
"""Parts of a path that stand between a model and its layers."""
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dataset belongs."""

    path: tuple[str, ...]
    """Names of the models around it and of its layer."""
    variable: str
    """Last part of its path: ``kernel:0``, or a number."""
    layer: Layer | None
    """Its layer in the configuration, if it is there."""
    order: tuple[Any, ...]
    """Sorts datasets in network order."""
    owner: tuple[str, ...]
    """Path in the file of the layer that has the variable."""
    class_name: str
    """Its layer's class, from the configuration or the path; empty if neither tells."""
    names: tuple[str, ...]
    """What the attribute that holds the layer is called, and the layer's own name."""
    lists: int
    """How many parts of ``owner`` lead to the innermost layer in a list of layers; what
    is below are attributes of that layer."""


def places(
    paths: Iterable[str],
    attributes: Attributes,
    network: Network | None,
    written: Mapping[str, int] | None = None,
) -> dict[str, Place]:
    """Place of each dataset, by its path in the file.

    Parameters
    ----------
    attributes
        What HDF5 notes beside them, by the path of the group.
    network
        The model's configuration, if the file has it.
    written
        When each dataset was written, as a number. Keras writes layer by layer, which
        gives the order where no configuration does.
    """
    attributes = {_slashed(path): values for path, values in attributes.items()}
    finder = _Finder(attributes, network, _listed(attributes))
    written = {_slashed(path): when for path, when in (written or {}).items()}
    finder.written = _order_written(written, finder.is_list)
    return {path: finder.place(path, index) for index, path in enumerate(paths)}


@dataclass(eq=False)
class _Finder:
    attributes: Attributes
    network: Network | None
    listed: dict[str, int]
    written: dict[str, int] = field(default_factory=dict)
    _children: dict[int, dict[str, Layer]] = field(default_factory=dict)

    def place(self, path: str, index: int) -> Place:
        """Where the dataset belongs; ``index`` is its place in the file."""
        parts = _slashed(path).split("/")
        if len(parts) > 1 and (parts[-2] == "vars" or parts[-1].isdecimal()):
            return self._by_structure(parts, index)
        return self._by_name(path.split("/"), self.listed.get(path), index)

    def _by_name(self, parts: list[str], listed: int | None, index: int) -> Place:
        """Keras 1 and 2: layer / (layers within) / variable."""
        inner = parts[1:-1] if parts[0] == "model_weights" else parts[:-1]
        known = self.network.by_name if self.network else {}
        names = [name for name in inner if name in known]
        layer = known[names[-1]] if names else None
        told = layer is not None and inner[-1] == layer.name
        if layer is not None and not class_kind(layer.kind):
            names += inner[inner.index(layer.name) + 1 :]  # layers of a custom one
        path = tuple(dict.fromkeys(names or inner or parts[:1]))
        kind = layer.kind if layer and (told or class_kind(layer.kind)) else ""
        if not kind:  # Keras may have made the name of the class
            kind = next(filter(class_kind, (*inner[-1:], *inner[:1])), "")
        order: tuple[Any, ...] = (1, layer.place if layer else 0, index)
        if listed is not None:
            order = (0, listed)
        owner, called = tuple(parts[:-1]), tuple(inner[-1:])
        lists = len(owner) - len(inner) + 1
        layer = layer if kind else None  # that of a layer around it says nothing
        return Place(path, parts[-1], layer, order, owner, kind, called, lists)

    def _by_structure(self, parts: list[str], index: int) -> Place:
        """Keras 3: the model's own structure, with numbered variables."""
        layer = self.network.root if self.network else None
        path: list[str] = []
        order: list[tuple[Any, ...]] = []
        walked, kind = "", layer.kind if layer else ""
        names: tuple[str, ...] = ()
        lists = 0
        for depth, part in enumerate(parts[:-1], 1):
            around, walked = walked, f"{walked}/{part}" if walked else part
            if part == "vars" or part in _WRAPPERS:
                continue
            name, in_list = self._own_name(walked), self.is_list(around)
            layer = self._child(layer, part, name)
            kind = layer.kind if layer else part if in_list else ""
            names, lists = (part, name), depth if in_list else lists
            if class_kind(name) and not in_list:
                kind, name = kind or name, ""  # Keras made the name of the class
            path.append(layer.name if layer and layer.name else name or part)
            when = self.written.get(walked, 0) if in_list else 0
            order.append((0, layer.place) if layer else (1, when, natural_key(part)))
        variable = parts[-1]
        order.append((2, int(variable[:9]) if variable.isdecimal() else index))
        shown, owner = tuple(path) or ("model",), tuple(parts[:-1])
        return Place(shown, variable, layer, (0, *order), owner, kind, names, lists)

    def _own_name(self, path: str) -> str:
        """The name that Keras notes for the layer at a path, if it makes sense."""
        name = self.attributes.get(f"{path}/vars", {}).get("name")
        if not isinstance(name, str) or len(name) > _LONGEST_NAME:
            return ""
        return name if name.isprintable() and name.strip("/. ") else ""

    def is_list(self, path: str) -> bool:
        """True if a group is a list: layers in it are named by their class.

        A group of a layer or model, which has ``vars``, names them by its attributes.
        """
        return bool(path) and f"{path}/vars" not in self.attributes

    def _child(self, parent: Layer | None, part: str, name: str) -> Layer | None:
        """The layer that a part of a path stands for.

        Keras notes the layer's own name in an attribute; without it, it counts
        classes: ``conv2d_2`` is the third Conv2D.
        """
        if parent is None:
            return None
        if id(parent) not in self._children:
            self._children[id(parent)] = _children(parent)
        children = self._children[id(parent)]
        named = children.get(f"name:{name}") if name else None
        return named or children.get(part)


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


def _slashed(path: str) -> str:
    """A path as Keras means it: on Windows it wrote backslashes for a while."""
    return path.replace("\\", "/")


def _order_written(
    written: Mapping[str, int], is_list: Callable[[str], bool]
) -> dict[str, int]:
    """When each group was written; empty if that is not the network's order.

    In a copy of a file it may be another: then ``conv2d_2`` comes before ``conv2d_1``.
    """
    first: dict[str, int] = {}
    for path, when in written.items():
        parts = path.split("/")
        for end in range(1, len(parts)):
            group = "/".join(parts[:end])
            first[group] = min(first.get(group, when), when)
    last: dict[str, int] = {}
    for group in sorted(first, key=natural_key):
        kind = re.sub(r"_\d+$", "", group)
        if not is_list(group.rpartition("/")[0]):
            continue
        if first[group] < last.get(kind, 0):
            return {}
        last[kind] = first[group]
    return first


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
