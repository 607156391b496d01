"""Layers that take an image or a signal of one channel: they look depthwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelviewer.kernels import names
from kernelviewer.kernels.decision import DEPTHWISE, ambiguous, ordinary

if TYPE_CHECKING:
    from kernelviewer.kernels.decision import Decision
    from kernelviewer.kernels.layer import Layer
    from kernelviewer.kernels.network import Network

_NARROWEST_TEXT = 32
_FIRST = ordinary("the first of its network, whose input has one channel")


class Stems:
    """The input layers found so far, and whether another layer is one more of them."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: list[Layer] = []
        self._first: list[tuple[Layer, Decision]] = []

    def __contains__(self, layer: object) -> bool:
        return layer in self._known

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, layer: Layer) -> None:
        """Remember a layer that takes an input of one channel."""
        self._known.append(layer)

    def judge_first(self, layer: Layer) -> Decision:
        """Decide on a layer before which nothing stands, where no other takes colours.

        Something must take the network's input, and mostly this layer does.
        """
        network = self._network
        following, consumer = network.next_weight(layer), network.consumer(layer)
        if network.is_in_repeated_block(layer):
            return DEPTHWISE
        dense_next = (
            consumer is not None
            and consumer.is_spatial
            and consumer.takes(layer.channels)
        )
        if names.says_depthwise(layer.path) and not dense_next:
            return DEPTHWISE
        stacked = following is not None and following.role == "candidate"
        order_tells = not network.is_sorted and (network.has_spatial or stacked)
        decision = _FIRST
        if not names.is_first(layer.path) and not order_tells:
            decision = ambiguous(
                "It is the first convolution, and nothing tells whether its input has "
                f"one channel or {layer.channels}."
            )
        self._first.append((layer, decision))
        return decision

    def judge_further(self, layer: Layer) -> Decision | None:
        """Decide on a layer that may be an input layer too; None: nothing says so."""
        if self._reads_text(layer):
            return ordinary("it runs over vectors of words")
        if self._stands_like_a_stem(layer):
            return ordinary("the first of its branch, whose input has one channel")
        for first, decision in self._first:
            elsewhere = first.path.split(".")[0] != layer.path.split(".")[0]
            if elsewhere and _is_same_module(first, layer):
                return decision
        scope = names.input_scope(layer.path)
        if scope is not None and self._network.is_first_in(layer, scope):
            if not self._network.has_colour_input:
                return ordinary("by its name the first, whose input has one channel")
            return ambiguous("Its name is that of an input layer.")
        if scope is not None and self._embeds_patches_too(layer, scope):
            return ambiguous("It may be a second input layer.")
        if not names.says_depthwise(layer.path) and any(
            _extends(layer, stem) for stem in self._colour_twins(layer)
        ):
            return ambiguous(
                "By its name it may take a second input, such as a depth image."
            )
        return None

    def has_colour_twin(self, layer: Layer) -> bool:
        """Whether an input layer for colours gives as many channels, kernels alike."""
        return bool(self._colour_twins(layer))

    def _embeds_patches_too(self, layer: Layer, scope: str) -> bool:
        """Whether it stands beside a stem in a module that makes patches."""
        return names.is_patch_embedding(scope) and any(
            stem.parent == layer.parent or stem.pattern == layer.pattern
            for stem in self._known
        )

    def _reads_text(self, layer: Layer) -> bool:
        """Whether it runs over word vectors, as wide as they are."""
        widths = self._network.embedding_widths
        return any(side >= _NARROWEST_TEXT and side in widths for side in layer.size)

    def _stands_like_a_stem(self, layer: Layer) -> bool:
        """Whether it stands in its branch where a known stem stands in another."""
        network = self._network
        consumer = network.consumer(layer)
        if consumer is None:
            return False
        for stem in self._known:
            twin = network.signature(stem) == network.signature(layer)
            if twin and not consumer.is_pointwise:
                return True
            run = network.run_from(stem)
            if layer in run and not consumer.takes(layer.channels):
                return consumer.takes(sum(item.channels for item in run))
        return False

    def _colour_twins(self, layer: Layer) -> list[Layer]:
        return [
            stem
            for stem in self._network.colour_inputs
            if stem.channels == layer.channels and stem.size == layer.size
        ]


def _is_same_module(one: Layer, other: Layer) -> bool:
    """Whether two branches have the same module: ``a.conv.value``, ``b.conv.value``."""
    tails = [layer.path.partition(".")[2] for layer in (one, other)]
    return tails[0] == tails[1] != "" and one.tensor.shape == other.tensor.shape


def _extends(layer: Layer, stem: Layer) -> bool:
    """Whether a name is that of the stem and something more: ``conv1_d``, ``conv1``."""
    own, other = (item.path.rpartition(".")[2] for item in (layer, stem))
    return own.startswith(f"{other}_") and not other.isdigit()
