"""The module tree of a network's depthwise layers, as people read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from kernelviewer.kernels.bank import KernelBank, LayerInfo


_NAMES: WeakKeyDictionary[KernelBank, dict[int, str]] = WeakKeyDictionary()


@dataclass(slots=True)
class Node:
    """A module, or a layer where ``layer`` is its index in the bank."""

    text: str
    """Its part of the name; modules with one child are joined to it by dots."""
    layer: int | None = None
    """Index into ``bank.layers``; None for a module."""
    children: list[Node] = field(default_factory=list)
    """Submodules and layers in network order."""

    def layers(self) -> list[int]:
        """Indices of all layers at or below this node."""
        own = [] if self.layer is None else [self.layer]
        return own + [index for child in self.children for index in child.layers()]


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts over some layers: kernels, flat ones, and their sizes."""

    kernels: int
    flat: int
    sizes: tuple[tuple[int, ...], ...]


def layer_tree(bank: KernelBank) -> list[Node]:
    """Roots of the module tree of a bank's layers.

    A root that holds everything is dissolved into its children, which then carry its
    name: ``blocks.1``, ``blocks.4``. What the names of all layers of a module end in is
    left out.
    """
    top = Node("")
    for index, layer in enumerate(bank.layers):
        _insert(top, layer.name.split("."), index)
    roots = [_joined(child) for child in top.children]
    while len(roots) == 1 and roots[0].layer is None:
        prefix = roots[0].text
        roots = [
            Node(f"{prefix}.{child.text}", child.layer, child.children)
            for child in roots[0].children
        ]
    _shorten(roots)
    return roots


def _shorten(nodes: list[Node]) -> None:
    """Leave the tail out that the names of all layers among the nodes share."""
    for node in nodes:
        _shorten(node.children)
    leaves = [node for node in nodes if node.layer is not None and not node.children]
    names = [node.text.split(".") for node in leaves]
    if len(leaves) < 2:
        return
    tail = 0
    while all(len(parts) > tail + 1 for parts in names) and (
        len({parts[-1 - tail] for parts in names}) == 1
    ):
        tail += 1
    short = [".".join(parts[: len(parts) - tail]) for parts in names]
    if len(set(short)) == len(short):
        for node, text in zip(leaves, short, strict=True):
            node.text = text


def tree_names(bank: KernelBank) -> dict[int, str]:
    """Layer index → its name as the tree shows it, from the root on."""
    if bank in _NAMES:
        return _NAMES[bank]
    names: dict[int, str] = {}

    def walk(nodes: list[Node], above: str) -> None:
        for node in nodes:
            path = f"{above}.{node.text}" if above else node.text
            if node.layer is not None:
                names[node.layer] = path
            walk(node.children, path)

    walk(layer_tree(bank), "")
    _NAMES[bank] = names
    return names


def short_names(bank: KernelBank) -> dict[int, str]:
    """Layer index → its name in the tree without what all names begin with."""
    names = tree_names(bank)
    parts = [name.split(".") for name in names.values()]
    shared = 0
    while (
        len(parts) > 1
        and all(len(part) > shared + 1 for part in parts)
        and (len({part[shared] for part in parts}) == 1)
    ):
        shared += 1
    return {
        index: ".".join(part[shared:]) for index, part in zip(names, parts, strict=True)
    }


def summarize(bank: KernelBank, indices: list[int]) -> Summary:
    """Counts over the included layers among ``indices``."""
    layers = [bank.layers[index] for index in indices]
    used: list[LayerInfo] = [layer for layer in layers if layer.included]
    return Summary(
        kernels=sum(layer.kernels for layer in used),
        flat=sum(layer.flat for layer in used),
        sizes=tuple(sorted({layer.size for layer in used or layers})),
    )


def _insert(node: Node, parts: list[str], index: int) -> None:
    for part in parts:
        child = next(
            (c for c in reversed(node.children) if c.text == part and c.layer is None),
            None,
        )
        if child is None:
            child = Node(part)
            node.children.append(child)
        node = child
    if node.layer is None and not node.children:
        node.layer = index
    else:
        node.children.append(Node(parts[-1], index))


def _joined(node: Node) -> Node:
    while node.layer is None and len(node.children) == 1:
        child = node.children[0]
        node = Node(f"{node.text}.{child.text}", child.layer, child.children)
    return Node(node.text, node.layer, [_joined(child) for child in node.children])
