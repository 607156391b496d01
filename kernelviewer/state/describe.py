"""Selection and scope in words: for chips, captions and people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kernelviewer.kernels.bank import size_label
from kernelviewer.kernels.classes import UNIDENTIFIED, classes_shown
from kernelviewer.state.layer_tree import tree_names
from kernelviewer.state.selection import (
    All,
    Classes,
    CodeRange,
    Every,
    Kernels,
    Layers,
    Similar,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelviewer.kernels.bank import KernelBank, Size
    from kernelviewer.state.model import LayerRef, OpenModel
    from kernelviewer.state.selection import Query, Selection, Step
    from kernelviewer.state.view_state import ViewState

SIGNS = {"replace": "", "add": "∪", "subtract": "−", "intersect": "∩", "toggle": "△"}
INVERTED = "inverted"
NARROW = 0.02
"""Code ranges narrower than this are told with a third decimal."""
FEW = 3
"""Up to this many names are listed one by one."""


class Told(Protocol):
    """Something that can be put into words: a `Document` or a `ViewState`."""

    @property
    def models(self) -> tuple[OpenModel, ...]:
        """The open networks."""

    @property
    def selection(self) -> Selection:
        """The acts of selecting."""

    @property
    def size(self) -> Size | None:
        """The kernel size shown."""


@dataclass(frozen=True, slots=True)
class StepText:
    """One act of selecting in words: the sign that joins it, and what it marks."""

    sign: str
    text: str


def describe_selection(told: Told) -> str:
    """The selection as one expression; empty if nothing is selected.

    Acts apply from the left: ``(blocks.4 ∪ blocks.6) ∩ On-centre``.
    """
    text, before = "", ""
    for number, step in enumerate(told.selection.steps):
        part = describe_step(step, told)
        if part.text == INVERTED:
            text, before = f"all but ({text})", ""
            continue
        if number and before not in ("", part.sign):
            text = f"({text})"
        text = f"{text} {part.sign} {part.text}" if number else part.text
        before = part.sign if number else ""
    return text


def describe_step(step: Step, told: Told) -> StepText:
    """One act of the selection in words."""
    if step.mode == "toggle" and isinstance(step.query, All):
        return StepText("", INVERTED)
    text = describe_query(step.query, told.models, told.size)
    return StepText(SIGNS[step.mode], text)


def describe_query(
    query: Query, models: Sequence[OpenModel], size: Size | None = None
) -> str:
    """A query in words, such as ``code 0.31–0.40``.

    Parameters
    ----------
    models
        The open networks; a network's name is said where there are several.
    size
        The kernel size that goes without saying.
    """
    match query:
        case All():
            return "all kernels"
        case Layers(layers):
            return describe_layers(layers, models)
        case CodeRange(low, high, by):
            digits = 2 if high - low >= NARROW else 3
            word = "code" if by == "code" else "family code"
            return f"{word} {low:.{digits}f}–{high:.{digits}f}"
        case Classes(ids):
            return _classes(ids)
        case Kernels():
            return _kernels(query, models, size)
        case Similar(_, _, cosine, name):
            return f"like {name or 'a kernel'}, cosine ≥ {cosine:.2f}"
        case Every(queries):
            parts = [describe_query(part, models, size) for part in queries]
            return f"({' ∩ '.join(parts)})"


def describe_layers(layers: frozenset[LayerRef], models: Sequence[OpenModel]) -> str:
    """Some layers by their name, or by what their names begin with."""
    by_model: dict[int, set[int]] = defaultdict(set)
    for ref in layers:
        by_model[ref.model].add(ref.layer)
    texts = []
    for model in models:
        if chosen := by_model.pop(model.id, None):
            text = _layers_of(model.bank, chosen)
            if text:
                several = len(models) > 1
                texts.append(f"{model.name}: {text}" if several else text)
            else:
                texts.append(f"all of {model.name}")
    if by_model and not texts:
        return "layers of a closed network"
    return ", ".join(texts) if texts else "no layers"


def describe_scope(state: ViewState) -> str:
    """The layers in scope, and whether what they are compared with is in it too."""
    layers = describe_layers(state.layers or frozenset(), state.models)
    if state.pool is None or state.pairs is None:
        return layers
    alone = int(state.pool.layers_mask(state.layers).sum())
    return layers if int(state.shown.sum()) == alone else f"{layers}, with partners"


def _layers_of(bank: KernelBank, chosen: set[int]) -> str:
    """Layers of one network in words; empty for all of them."""
    included = {i for i, layer in enumerate(bank.layers) if layer.included}
    names = tree_names(bank)
    if len(chosen) == 1:
        return names.get(min(chosen), bank.layers[min(chosen)].name)
    if chosen >= included:
        return ""
    parts = [names[index].split(".") for index in sorted(chosen)]
    shared = parts[0]
    for part in parts[1:]:
        same = [a == b for a, b in zip(shared, part, strict=False)]
        shared = shared[: (*same, False).index(False)]
    if not shared:
        listed = [".".join(part) for part in parts]
        return ", ".join(listed) if len(listed) <= FEW else f"{len(listed)} layers"
    below = [i for i in included if names[i].split(".")[: len(shared)] == shared]
    count = f"{len(chosen)}"
    if len(below) > len(chosen):
        count += f" of {len(below)}"
    return f"{'.'.join(shared)}, {count} layers"


def _classes(ids: frozenset[str]) -> str:
    items = [item for item in classes_shown() if item.id in ids]
    nameless = UNIDENTIFIED.id
    names = [item.name if item.id == nameless else item.short for item in items]
    if len(names) > FEW:
        return f"{len(names)} classes"
    return ", ".join(names) if names else "no class"


def _kernels(query: Kernels, models: Sequence[OpenModel], size: Size | None) -> str:
    known = {model.id for model in models}
    count = sum(len(own) for model, own in query.indices.items() if model in known)
    if not count:
        return "kernels of a closed network"
    of = f" of {size_label(query.size)}" if query.size != size else ""
    kernels = f"{count:,} kernel{'' if count == 1 else 's'}{of}".replace(",", " ")
    return f"{query.name}: {kernels}" if query.name else f"{kernels} picked"
