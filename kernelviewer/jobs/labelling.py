"""The task that writes the table of labels of what is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.latent.curve import Codes
from kernelviewer.latent.labels import Labelling, label_kernels, write_rows
from kernelviewer.state.analysis import PoolLabels
from kernelviewer.state.own_names import tag_bits, tag_texts
from kernelviewer.state.pool import make_pool
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.naming import By
    from kernelviewer.latent.labels import Labelled
    from kernelviewer.state.analysis import Analysis
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.work import Work
    from kernelviewer.text import AnyPath


@dataclass(frozen=True, slots=True, eq=False)
class LabelWish:
    """Kernels to label, frozen when it was asked for.

    Attributes
    ----------
    work
        What is open, and how it is marked.
    analyses
        Codes that are known already; the rest is computed.
    only_selected
        Write only what is selected within the scope.
    device
        Where to compute.
    """

    work: Work
    analyses: Mapping[tuple[int, Size], Analysis]
    only_selected: bool
    device: str


def wish_of(document: Document, device: str, *, only_selected: bool) -> LabelWish:
    """Kernels to label in an open document as it is now."""
    return LabelWish(document.work, document.analyses, only_selected, device)


def write_labels(ticket: Ticket, path: AnyPath, wish: LabelWish) -> int:
    """Write the CSV file of `kernelviewer label` for what is open; its rows.

    Where networks were renamed, or kernels bear tags, that is a further column:
    ``network``, ``tags``.

    Raises
    ------
    OSError
        The file cannot be written; it names the file.
    """
    sizes = {size for model in wish.work.models for size in model.bank.sizes}

    def found() -> Iterator[tuple[Labelled, NDArray[np.bool_] | None]]:
        chosen: dict[tuple[int, Size], tuple[Labelled, NDArray[np.bool_]]] = {}
        for size in sizes if wish.only_selected else ():
            chosen |= _selected(ticket, wish, size)
        for model in wish.work.models:
            for size in model.bank.sizes:
                if not wish.only_selected:
                    yield _label(ticket, wish, model, size), None
                elif (model.id, size) in chosen:
                    yield chosen[model.id, size]

    marks = wish.work.marks
    there = {"network": marks.names.networks, "tags": marks.tags}
    more = [name for name, own in there.items() if own]
    try:
        return write_rows(path, found(), ticket, more)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _label(ticket: Ticket, wish: LabelWish, model: OpenModel, size: Size) -> Labelled:
    from kernelviewer.latent.autoencoder import shipped

    ticket.check()
    autoencoder = wish.work.autoencoders.get(size) or shipped(size)
    known, marks = wish.analyses.get((model.id, size)), wish.work.marks
    codes = None
    if known is not None and known.code is not None:
        codes = Codes(known.code, known.fit)
    by_family = autoencoder is not None and marks.naming.by == "family"
    thresholds = marks.family_thresholds if by_family else marks.thresholds
    how = Labelling(
        autoencoder,
        marks.naming,
        thresholds.get(size),
        marks.stretches.get(size),
        codes,
    )
    found = label_kernels(
        shown(model.bank.path),
        model.bank,
        size,
        how,
        choose_device(wish.device),
        watch=ticket,
    )
    count = len(found.kernels)
    bits = tag_bits(marks.tags, make_pool((model,), size))
    more = {
        "network": [model.name] * count,
        "tags": tag_texts(marks.tags, bits, count),
    }
    return replace(found, more=more)


def _selected(
    ticket: Ticket, wish: LabelWish, size: Size
) -> dict[tuple[int, Size], tuple[Labelled, NDArray[np.bool_]]]:
    """The networks with kernels of a size that are selected and in scope."""
    pool = make_pool(wish.work.models, size)
    found = [_label(ticket, wish, model, size) for model in pool.models]
    mask = wish.work.marks.selection.mask(pool, _pooled(found))
    mask &= pool.layers_mask(wish.work.scope.layers)
    masks = np.split(mask, pool.starts[1:-1])
    return {
        (model.id, size): (item, own)
        for model, item, own in zip(pool.models, found, masks, strict=True)
        if own.any()
    }


def _pooled(found: Sequence[Labelled]) -> PoolLabels | None:
    """The labels of a pool's networks; None where nothing names them."""
    labels = [item.labels for item in found if item.labels is not None]
    if len(labels) < len(found):
        return None
    # networks of one size are named alike
    by: By = "family" if found[0].by == "family" else "code"
    learned = _joined(
        [None if item.codes is None else item.codes.code for item in found]
    )
    own = _joined([item.family_code for item in found])
    code, other = (own, learned) if by == "family" else (learned, own)
    assert code is not None
    return PoolLabels(
        by,
        code,
        np.concatenate([item.fit for item in found]),
        np.concatenate([item.best_class for item in labels]).astype(np.uint8),
        np.concatenate([item.class_index for item in labels]).astype(np.uint8),
        other,
    )


def _joined(
    codes: Sequence[NDArray[np.float32] | None],
) -> NDArray[np.float32] | None:
    known = [code for code in codes if code is not None]
    return np.concatenate(known) if known and len(known) == len(codes) else None
