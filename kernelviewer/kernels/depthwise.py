"""Which tensors of a checkpoint are depthwise convolutions.

A depthwise weight ``[C·m, 1, *size]`` looks exactly like that of a convolution whose
input has one channel: the stem of a network for grey images, spectrograms or signals.
Where the file holds its graph, the graph decides; else names, order and neighbouring
shapes do, and what stays open is called ambiguous.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kernelviewer.kernels import names
from kernelviewer.kernels.network import Network, is_kernel_stack

if TYPE_CHECKING:
    from kernelviewer.formats.checkpoint import Checkpoint, Operator, Tensor
    from kernelviewer.kernels.network import Layer


Verdict = Literal[
    "depthwise", "transposed", "ambiguous", "fixed", "convolution", "none"
]


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a tensor, and why."""

    verdict: Verdict
    """``depthwise``, ``transposed`` (depthwise), ``ambiguous``, ``fixed``,
    ``convolution`` (any other) or ``none`` (no convolution)."""
    reason: str = ""
    """Why it is ambiguous or fixed, a sentence; why kernels of one channel are an
    ordinary convolution's, a clause; else empty."""
    multiplier: int = 1
    """Kernels per input channel of a depthwise layer, as far as can be told."""


CONVOLUTION = Decision("convolution")
NO_CONVOLUTION = Decision("none")
DEPTHWISE = Decision("depthwise")


def ordinary(reason: str) -> Decision:
    """The decision that a stack of kernels is an ordinary convolution, and why."""
    return Decision("convolution", f"an ordinary convolution: {reason}")


def ambiguous(reason: str) -> Decision:
    """The decision that the user has to decide, and why."""
    return Decision("ambiguous", reason)


_COMPLEX = ("complex64", "complex128")
_NO_WEIGHT_TYPES = ("bool", "int16", "int32", "int64", *_COMPLEX)
_LARGEST_SIDE = 127
_LARGEST_MULTIPLIER = 8


def classify(checkpoint: Checkpoint) -> tuple[Decision, ...]:
    """Say of every tensor whether it is a depthwise convolution.

    Only names, shapes and the file's graph are used; no values are read.

    Returns
    -------
    tuple of Decision
        One for each of ``checkpoint.tensors``, in the same order.
    """
    judge = _Judge(checkpoint.tensors)
    return tuple(judge.decide(tensor) for tensor in checkpoint.tensors)


class _Judge:
    """Decides on layers in network order; a stem once found helps with the next."""

    def __init__(self, tensors: tuple[Tensor, ...]) -> None:
        self._network = Network(tensors)
        self._has_graph = any(
            tensor.operator is not None and tensor.operator.groups is not None
            for tensor in tensors
        )
        self._stems = Stems(self._network)
        self._by_tensor: dict[int, Decision] = {}
        for layer in self._network.layers:
            decision = self._decide_on_layer(layer)
            if layer.role == "candidate" and decision.verdict == "convolution":
                self._stems.add(layer)
            self._by_tensor[id(layer.tensor)] = decision

    def decide(self, tensor: Tensor) -> Decision:
        known = self._by_tensor.get(id(tensor))
        if known is not None:
            return known
        told = _from_graph(tensor)
        if told is not None:
            return told
        if self._has_graph and not tensor.doubt:
            return NO_CONVOLUTION
        return _from_name_alone(tensor)

    def _decide_on_layer(self, layer: Layer) -> Decision:
        told = _from_graph(layer.tensor)
        if told is not None:
            return told
        if layer.tensor.dtype in _NO_WEIGHT_TYPES:
            return NO_CONVOLUTION
        if layer.tensor.doubt:
            return _from_name_alone(layer.tensor)
        if layer.role == "convolution":
            return CONVOLUTION
        if layer.role != "candidate":
            return NO_CONVOLUTION
        decision = self._from_surroundings(layer)
        if decision.verdict != "depthwise":
            return decision
        operator = layer.tensor.operator
        transposed = (
            names.says_transposed(layer.path, layer.size)
            if operator is None
            else operator.transposed
        )
        verdict: Verdict = "transposed" if transposed else "depthwise"
        return Decision(verdict, multiplier=self._multiplier(layer))

    def _from_surroundings(self, layer: Layer) -> Decision:
        network = self._network
        kernels = layer.tensor.shape[0]
        if names.is_fixed(layer.path):
            return Decision("fixed", "It bears the name of a fixed filter.")
        own_bias = not layer.tensor.name.endswith("depthwise_kernel")
        if own_bias and layer.bias not in (None, kernels):
            return ordinary("its bias tells that it is transposed, with one output")
        if names.spells_depthwise(layer.tensor.name):
            return DEPTHWISE
        if not (
            network.has_source_before(layer) or network.has_colour_input or self._stems
        ):
            return self._stems.judge_first(layer)
        further = self._stems.judge_further(layer)
        if further is not None:
            return further
        if names.says_depthwise(layer.path):
            return DEPTHWISE
        rank = len(layer.tensor.shape)
        if rank == 5 and network.ranks and rank not in network.ranks:
            return ambiguous("It is three-dimensional in a network that is not.")
        return self._from_flow(layer)

    def _from_flow(self, layer: Layer) -> Decision:
        """Judge by whether it is repeated, given channels by a layer, taken by one."""
        network, stems = self._network, self._stems
        consumer = network.consumer(layer)
        taken = consumer is not None and consumer.takes(layer.channels)
        mixed_next = consumer is not None and consumer.is_pointwise
        separable = taken and mixed_next
        repeated = network.is_repeated(layer)
        fed, fed_by_norm = self._is_fed(layer), self._is_fed_by_own_norm(layer)
        if network.previous_weight(layer) in stems and not (separable or fed_by_norm):
            return ambiguous("It may be a second input layer.")
        if not repeated and layer.bias is None and network.next_weight(layer) is None:
            return ambiguous(
                "It is the last convolution and has no bias: it may be a transposed "
                "one with a single output."
            )
        if repeated and (fed or not taken or mixed_next):
            return DEPTHWISE
        if network.is_sorted and not (network.has_colour_input or stems):
            return ambiguous(
                "The file lists its layers by name, so this may be the first one."
            )
        if fed and (separable or network.has_colour_input or fed_by_norm):
            return DEPTHWISE
        given = network.gives(layer.channels, layer)
        if separable and given and not stems.has_colour_twin(layer):
            return DEPTHWISE
        return ambiguous(
            f"No layer near it gives {layer.channels} channels: its input may have "
            "just one."
        )

    def _is_fed(self, layer: Layer) -> bool:
        before = self._network.previous(layer)
        if before is None or before.channels <= 1:
            return False
        return layer.channels % before.channels == 0

    def _is_fed_by_own_norm(self, layer: Layer) -> bool:
        """True if a normalisation stands before it that is not its predecessor's."""
        before = self._network.previous(layer)
        source = self._network.previous_weight(layer)
        return (
            self._is_fed(layer)
            and before is not None
            and before.role == "norm"
            and before.parent == layer.parent
            and (source is None or source.parent != layer.parent)
        )

    def _multiplier(self, layer: Layer) -> int:
        before = self._network.previous(layer)
        if before is None or not self._is_fed(layer):
            return 1
        ratio = layer.channels // before.channels
        if ratio > _LARGEST_MULTIPLIER or self._network.gives(layer.channels, layer):
            return 1
        return ratio


def _from_graph(tensor: Tensor) -> Decision | None:
    """The verdict of the file's own graph; None if it does not name the groups."""
    operator, shape = tensor.operator, tensor.shape
    if operator is None or len(shape) < 3 or tensor.dtype in _COMPLEX:
        return None
    groups = _groups(operator, shape)
    if not groups:
        return None
    channels = shape[0] if operator.transposed else groups * shape[1]
    spatial = any(side > 1 for side in shape[2:])
    if groups == 1 or groups != channels or not spatial:
        return ordinary("the file's own graph says so")
    kernels = shape[0] * shape[1] if operator.transposed else shape[0]
    verdict: Verdict = "transposed" if operator.transposed else "depthwise"
    return Decision(verdict, multiplier=kernels // channels)


def _groups(operator: Operator, shape: tuple[int, ...]) -> int | None:
    if operator.groups is not None:
        return operator.groups
    if operator.transposed or operator.in_channels is None or not shape[1]:
        return None
    return operator.in_channels // shape[1]


def _from_name_alone(tensor: Tensor) -> Decision:
    """A parameter or buffer whose name is not that of a layer's weight."""
    shape = tensor.shape
    kernels = names.may_be_kernels(tensor.name)
    if (
        not is_kernel_stack(shape)
        or tensor.dtype in _NO_WEIGHT_TYPES
        or kernels is False
        or names.is_norm(names.module_path(tensor.name))
        or (kernels is None and len(shape) == 3 and not tensor.doubt)
        or max(shape[2:]) > _LARGEST_SIDE
    ):
        return NO_CONVOLUTION
    if names.is_fixed(tensor.name):
        return Decision("fixed", "It bears the name of a fixed filter.")
    if names.spells_depthwise(tensor.name) or names.says_depthwise(tensor.name):
        return DEPTHWISE
    if tensor.doubt:
        return ambiguous(tensor.doubt)
    return ambiguous(
        "It has the shape of depthwise kernels, but not the name of a layer's weight."
    )


_NARROWEST_TEXT = 32
_FIRST = ordinary("the first of its network, whose input has one channel")


class Stems:
    """The input layers found so far, and whether another layer is one more of them.

    What is asked of them is kept by what it is found by: there may be thousands.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: set[int] = set()
        self._parents: set[str] = set()
        self._patterns: set[str] = set()
        self._signatures: dict[tuple[str, str], int] = {}
        self._runs: dict[int, tuple[int, list[Layer]]] = {}
        self._first: dict[tuple[object, ...], list[tuple[Layer, Decision]]] = {}
        self._colours: dict[tuple[object, ...], set[str]] = {}
        for stem in network.colour_inputs:
            self._colours.setdefault(_outline(stem), set()).add(_last(stem))

    def __contains__(self, layer: object) -> bool:
        return id(layer) in self._known

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, layer: Layer) -> None:
        """Remember a layer that takes an input of one channel."""
        number = len(self._known)
        self._known.add(id(layer))
        self._parents.add(layer.parent)
        self._patterns.add(layer.pattern)
        self._signatures.setdefault(self._network.signature(layer), number)
        run = self._network.run_from(layer)
        for item in run:
            self._runs.setdefault(id(item), (number, run))

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
        self._first.setdefault(_module(layer), []).append((layer, decision))
        return decision

    def judge_further(self, layer: Layer) -> Decision | None:
        """Decide on a layer that may be an input layer too; None: nothing says so."""
        if self._reads_text(layer):
            return ordinary("it runs over vectors of words")
        if self._stands_like_a_stem(layer):
            return ordinary("the first of its branch, whose input has one channel")
        for first, decision in self._first.get(_module(layer), ()):
            if first.path.split(".")[0] != layer.path.split(".")[0]:
                return decision
        scope = names.input_scope(layer.path)
        if scope is not None and self._network.is_first_in(layer, scope):
            if not self._network.has_colour_input:
                return ordinary("by its name the first, whose input has one channel")
            return ambiguous("Its name is that of an input layer.")
        if scope is not None and self._embeds_patches_too(layer, scope):
            return ambiguous("It may be a second input layer.")
        if not names.says_depthwise(layer.path) and self._extends_a_twin(layer):
            return ambiguous(
                "By its name it may take a second input, such as a depth image."
            )
        return None

    def has_colour_twin(self, layer: Layer) -> bool:
        """True if an input layer for colours gives as many channels, kernels alike."""
        return _outline(layer) in self._colours

    def _embeds_patches_too(self, layer: Layer, scope: str) -> bool:
        """True if it stands beside a stem in a module that makes patches."""
        return names.is_patch_embedding(scope) and (
            layer.parent in self._parents or layer.pattern in self._patterns
        )

    def _reads_text(self, layer: Layer) -> bool:
        """True if it runs over word vectors, as wide as they are."""
        widths = self._network.embedding_widths
        return any(side >= _NARROWEST_TEXT and side in widths for side in layer.size)

    def _stands_like_a_stem(self, layer: Layer) -> bool:
        """True if it stands in its branch where a known stem stands in another.

        The first stem tells that it is like, or beside by name.
        """
        consumer = self._network.consumer(layer)
        if consumer is None:
            return False
        like = beside = None
        if not consumer.is_pointwise:
            like = self._signatures.get(self._network.signature(layer))
        if not consumer.takes(layer.channels):
            beside = self._runs.get(id(layer))
        if beside is None or (like is not None and like <= beside[0]):
            return like is not None
        return consumer.takes(sum(item.channels for item in beside[1]))

    def _extends_a_twin(self, layer: Layer) -> bool:
        """True if a name is that of a stem and more: ``conv1_d`` beside ``conv1``."""
        own, twins = _last(layer), self._colours.get(_outline(layer), set())
        starts = (own[:at] for at, sign in enumerate(own) if sign == "_")
        return any(start in twins and not start.isdigit() for start in starts)


def _last(layer: Layer) -> str:
    """A layer's own name, without the modules around it."""
    return layer.path.rpartition(".")[2]


def _outline(layer: Layer) -> tuple[object, ...]:
    """Equal for layers that give as many channels by kernels of one size."""
    return layer.channels, layer.size


def _module(layer: Layer) -> tuple[object, ...]:
    """Equal for the same module of two branches: ``a.conv.value``, ``b.conv.value``."""
    tail = layer.path.partition(".")[2]
    return tail, "" if tail else layer.path, layer.tensor.shape
