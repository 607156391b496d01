"""TFLite models: the kernels of every subgraph's convolutions, no interpreter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernelviewer.formats.checkpoint import (
    Checkpoint,
    Operator,
    Skipped,
    Tensor,
    unread_layers,
)
from kernelviewer.formats.errors import DamagedError
from kernelviewer.formats.network.names import unique_name
from kernelviewer.formats.source import Reader, viewed
from kernelviewer.formats.tflite.tensors import (
    CONVOLUTIONS,
    FULLY_CONNECTED,
    Layer,
    Subgraph,
    UnreadError,
    layer_name,
    root,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.formats.source import OpenedFile, Options, Source
    from kernelviewer.formats.tflite.tensors import Constant, Convolution, Table
    from kernelviewer.watch import Watch


_WHAT = "a TFLite model"
_ABSURD = "it lists an absurd number of operators"
_MAX_OPERATORS = 200_000
_MAX_KINDS = 10_000


def match(source: Source) -> bool:
    """True if the file carries TFLite's mark."""
    return source.head[4:8] == b"TFL3"


def read(source: Source, options: Options) -> Checkpoint:
    """Open a TFLite model.

    Raises
    ------
    CheckpointError
        The file is damaged.
    """
    file = source.file()
    with viewed(file) as data:
        model = root(data)
        walk = _Walk(file, options.watch)
        walk.model(model)
        facts = {"TFLite version": model.number(0, "<I")}
        description = model.text(3)
    return Checkpoint(
        source.path,
        "TFLite",
        source.size,
        tuple(walk.tensors),
        tuple(walk.skipped),
        tuple(walk.warnings()),
        metadata=facts | ({"description": description} if description else {}),
    )


@dataclass(eq=False)
class _Walk:
    """Goes through the operators and collects weights, each of them once."""

    file: OpenedFile
    watch: Watch
    tensors: list[Tensor] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    _buffers: set[int] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _visited: int = 0
    _scales: int = 0
    _convolutions: int = 0
    _unread: int = 0

    def model(self, model: Table) -> None:
        """Visit every subgraph."""
        if not len(model.tables(2)):
            raise DamagedError("there is no graph in it")
        kinds = model.tables(1)
        if len(kinds) > _MAX_KINDS:
            raise DamagedError(_ABSURD)
        codes = tuple(max(kind.number(0, "<b"), kind.number(3, "<i")) for kind in kinds)
        for table in model.tables(2):
            self._subgraph(Subgraph(self.file, table, model.tables(4), codes))

    def warnings(self) -> list[str]:
        """Warnings for the user."""
        return unread_layers(self._unread)

    def _subgraph(self, graph: Subgraph) -> None:
        self._count()
        for operator in graph.operators:
            self._count()
            layer = Layer(
                operator,
                graph.code(operator),
                operator.integers(1),
                operator.integers(2),
            )
            if layer.code in CONVOLUTIONS or layer.code == FULLY_CONNECTED:
                self._layer(graph, layer)
            graph.note(layer)

    def _count(self) -> None:
        self._visited += 1
        if self._visited > _MAX_OPERATORS:
            raise DamagedError(_ABSURD)
        if self._visited % 64 == 1:
            self.watch.check()

    def _layer(self, graph: Subgraph, layer: Layer) -> None:
        self.watch.check()
        kind = CONVOLUTIONS.get(layer.code)
        self._convolutions += kind is not None
        if len(layer.inputs) < 2 or not layer.outputs:
            raise DamagedError("a layer in it has no weights")
        name = layer_name(
            graph.tensors[layer.inputs[1]].text(3),
            graph.tensors[layer.outputs[0]].text(3),
            kind.name if kind else "fully_connected",
            self._convolutions,
        )
        try:
            constant = graph.constant(layer.inputs[1])
            if kind is None:
                order, operator = tuple(range(len(constant.shape))), None
            else:
                order, operator = kind.order, _operator(graph, layer, kind, constant)
        except UnreadError as reason:
            self.skipped.append(Skipped(name, str(reason)))
            self._unread += kind is not None and kind.depthwise
            return
        if constant.buffer in self._buffers:
            return  # the same weights in another subgraph or at another scale
        self._buffers.add(constant.buffer)
        self._scales += 0 if constant.scale is None else constant.scale.nbytes
        if self._scales > self.file.size:
            raise DamagedError("the scales of its weights share bytes")
        name = unique_name(name, self._names)
        self.tensors.append(_tensor(name, constant, order, operator))


def _tensor(
    name: str, constant: Constant, order: tuple[int, ...], operator: Operator | None
) -> Tensor:
    """A weight with its axes in PyTorch's order."""

    def load() -> NDArray[np.generic]:
        return constant.load().transpose(order)

    shape = tuple(constant.shape[axis] for axis in order)
    return Tensor(name, shape, constant.dtype, load, constant.name, operator)


def _operator(
    graph: Subgraph, layer: Layer, kind: Convolution, constant: Constant
) -> Operator:
    """The file's facts about a convolution; checks that its weight can be one's."""
    shape = constant.shape
    if (
        len(shape) != len(kind.order)
        or 0 in shape
        or (kind.depthwise and shape[0] != 1)
    ):
        msg = f"its weight has the shape {list(shape)}, which {kind.name} cannot have"
        raise UnreadError(msg)
    options = layer.table.table(4)
    image = graph.tensors[layer.inputs[kind.image]].integers(0)
    channels = image[-1] if image else 0
    out, inside = (shape[axis] for axis in kind.order[:2])
    groups = 1
    if kind.depthwise:
        multiplier = options.number(3, "<i") if options else 0
        if channels < 1 or out % channels:
            channels = out // multiplier if multiplier > 0 else out
        groups = channels
    elif kind.transposed:
        channels = out
    elif channels < 1 or channels % inside:
        channels = inside
    else:
        groups = channels // inside
    if options is None:
        return Operator(groups, kind.transposed, in_channels=channels)
    return Operator(
        groups,
        kind.transposed,
        stride=tuple(options.number(index, "<i", 1) for index in kind.strides),
        dilation=tuple(options.number(index, "<i", 1) for index in kind.dilations)
        or None,
        padding="valid" if options.number(0, "<b") else "same",
        in_channels=channels,
    )


READER = Reader("TFLite", _WHAT, match, read)
