"""The task that writes the table of labels of what is open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernelviewer.device import choose_device
from kernelviewer.jobs.analysing import analyse
from kernelviewer.latent.curve import Codes
from kernelviewer.latent.labels import Labelling, label_kernels, write_rows
from kernelviewer.state.analysis import best_classes, identified, null_of
from kernelviewer.state.pool import make_pool
from kernelviewer.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kernelviewer.jobs.runner import Ticket
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.labels import Labelled
    from kernelviewer.state.analysis import Analysis
    from kernelviewer.state.document import Document
    from kernelviewer.state.model import OpenModel
    from kernelviewer.state.work import Work
    from kernelviewer.text import AnyPath

    Masks = dict[tuple[int, Size], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class LabelWish:
    """Kernels to label, frozen when it was asked for.

    Attributes
    ----------
    work
        What is open, and how it is marked.
    analyses
        What is known already; the rest is computed.
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

    Raises
    ------
    OSError
        The file cannot be written; it names the file.
    """
    autoencoders = _autoencoders(wish)
    chosen = None
    if wish.only_selected:
        wish = replace(wish, analyses=_analyses(ticket, wish, autoencoders))
        chosen = _chosen(ticket, wish, autoencoders)

    def found() -> Iterator[tuple[Labelled, NDArray[np.bool_] | None]]:
        for model in wish.work.models:
            for size in model.bank.sizes:
                ticket.check()
                mask = None if chosen is None else chosen[model.id, size]
                if mask is None or mask.any():
                    yield _label(ticket, wish, model, size, autoencoders[size]), mask

    try:
        return write_rows(path, found(), ticket)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _autoencoders(wish: LabelWish) -> dict[Size, Autoencoder | None]:
    """The autoencoder of every open size: the window's, else the program's."""
    from kernelviewer.latent.autoencoder import shipped

    sizes = {size for model in wish.work.models for size in model.bank.sizes}
    return {size: wish.work.autoencoders.get(size) or shipped(size) for size in sizes}


def _label(
    ticket: Ticket,
    wish: LabelWish,
    model: OpenModel,
    size: Size,
    autoencoder: Autoencoder | None,
) -> Labelled:
    known = wish.analyses.get((model.id, size))
    codes = None
    if known is not None and known.code is not None:
        codes = Codes(known.code, known.fit)
    how = Labelling(
        autoencoder,
        wish.work.marks.thresholds.get(size),
        wish.work.marks.stretches.get(size),
        codes,
    )
    return label_kernels(
        shown(model.bank.path),
        model.bank,
        size,
        how,
        choose_device(wish.device),
        watch=ticket,
    )


def _analyses(
    ticket: Ticket, wish: LabelWish, autoencoders: Mapping[Size, Autoencoder | None]
) -> Mapping[tuple[int, Size], Analysis]:
    """Labels that are known, and those still to be found, of every network and size."""
    found = dict(wish.analyses)
    for model in wish.work.models:
        for size, kernels in model.bank.sizes.items():
            if (model.id, size) not in found:
                result = analyse(ticket, kernels, autoencoders[size], wish.device)
                if result.analysis is not None:
                    found[model.id, size] = result.analysis
    return found


def _chosen(
    ticket: Ticket, wish: LabelWish, autoencoders: Mapping[Size, Autoencoder | None]
) -> Masks:
    """The selected kernels in scope of every network and size."""
    masks: Masks = {}
    for size, autoencoder in autoencoders.items():
        ticket.check()
        pool = make_pool(wish.work.models, size)
        stretches = wish.work.marks.stretches.get(size)
        threshold = wish.work.marks.thresholds.get(size)
        if autoencoder is not None:
            stretches = stretches or autoencoder.stretches
            threshold = autoencoder.threshold if threshold is None else threshold
        elif threshold is None:
            null = null_of(wish.analyses, size)
            threshold = null.default_threshold if null else None
        labels = best_classes(pool, wish.analyses, stretches)
        if labels is not None and threshold is not None:
            labels = identified(labels, threshold)
        mask = wish.work.marks.selection.mask(pool, labels)
        mask &= pool.layers_mask(wish.work.scope.layers)
        for model, low, high in zip(
            pool.models, pool.starts[:-1], pool.starts[1:], strict=True
        ):
            masks[model.id, size] = mask[low:high]
    return masks
