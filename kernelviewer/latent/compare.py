"""Comparing two networks with their codes and classes, and a table of all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.files import csv_writer
from kernelviewer.kernels import extract_kernels, size_key, size_label
from kernelviewer.kernels.classes import CLASSES, FLAT, INDEX, UNIDENTIFIED, Naming
from kernelviewer.kernels.comparison import KernelNames, compare_pairs
from kernelviewer.kernels.pairing import Match, pair
from kernelviewer.latent.autoencoder import shipped
from kernelviewer.latent.labels import ROWS_BETWEEN_CHECKS, label, named_by, reaches
from kernelviewer.text import csv_text
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kernelviewer.device import Device
    from kernelviewer.formats import Checkpoint
    from kernelviewer.formats.live import Network
    from kernelviewer.kernels import KernelBank, KernelSet, Size
    from kernelviewer.kernels.classes import By, Words
    from kernelviewer.kernels.comparison import Comparison, SizeComparison
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.text import AnyPath
    from kernelviewer.watch import Watch

COLUMNS = (
    *("layer_a", "channel_a", "layer_b", "channel_b", "size", "cosine"),
    *("log_scale_ratio", "offset_change", "code_a", "code_b", "class_a", "class_b"),
    *("fit_a", "fit_b"),
)


def compare(
    bank_a: KernelBank | Checkpoint | AnyPath | Network,
    bank_b: KernelBank | Checkpoint | AnyPath | Network,
    *,
    by: By = "family",
    words: Words = "fine",
    match: Match = "names",
    layers: Iterable[tuple[str, str]] | None = None,
    threshold: float | None = None,
    autoencoders: Callable[[Size], Autoencoder | None] = shipped,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Comparison:
    """Find what changed between two networks, kernel by kernel.

    Parameters
    ----------
    bank_a, bank_b
        The networks, before and after, or what `kernelviewer.extract_kernels` takes.
    by
        What names the kernels: the stretch of the spectrum that their ``code`` lies in,
        or their nearest member of the pattern ``family``. Where one has nothing of the
        size, it is the other.
    words
        Whose classes the family names them by: the ``fine`` ones or the ``paper``'s.
    match
        Which kernels correspond, as `kernelviewer.kernels.pairing.pair` takes it:
        ``names``, ``order`` or ``best``.
    layers
        Names of the layers that correspond, before and after, and no others do; those
        that cannot are left out. By default they are found.
    threshold
        Least fit of an identified kernel; by default the usual one of the size.
    autoencoders
        Kernel size → what encodes; by default those that come with the program.
        Kernels of sizes without one have no codes.
    device
        Where to compute; by default the best there is.
    watch
        Told what is done; what it raises ends the work.

    Returns
    -------
    Comparison
        ``sizes[7, 7]`` has an array for each quantity of the pairs, ``summary`` and
        ``null`` of all, and ``layers``; ``pairing`` knows what has no partner.

    Examples
    --------
    >>> import kernelviewer as kv
    >>> from kernelviewer.files import resource
    >>> sample = resource("sample", "sample.safetensors")
    >>> bank = kv.extract_kernels(sample)
    >>> found = kv.compare(bank, sample)
    >>> kernels = found.sizes[7, 7]
    >>> len(kernels) == len(bank.sizes[7, 7])
    True
    >>> f"{kernels.summary.mean_cosine:.3f}, changed {kernels.summary.changed:.1%}"
    '1.000, changed 0.0%'
    >>> abs(kernels.null.mean_cosine) < 0.5 < kernels.null.changed
    True
    """
    if match not in get_args(Match):
        ways = ", ".join(get_args(Match))
        raise ValueError(f"kernels are matched by {ways}, not {match!r}")
    place = choose_device() if device is None else device
    bank_a, bank_b = extract_kernels(bank_a), extract_kernels(bank_b)
    pairing = pair(bank_a, bank_b, match=match, layers=layers, watch=watch)
    names = {}
    for size in pairing.sizes:
        how = _Naming(Naming(by, words), size, autoencoders(size), threshold, place)
        sides = [how.names(bank.sizes[size], watch) for bank in (bank_a, bank_b)]
        if sides[0] is not None and sides[1] is not None:
            names[size] = sides[0], sides[1]
    return compare_pairs(pairing, names, watch=watch)


class _Naming:
    """What names the kernels of one size."""

    def __init__(
        self,
        naming: Naming,
        size: Size,
        autoencoder: Autoencoder | None,
        threshold: float | None,
        device: Device,
    ) -> None:
        from kernelviewer.kernels.family import supported

        coded, known = autoencoder is not None, supported(size)
        self._scheme = naming.scheme("family")
        self._by = named_by(naming.by, has_code=coded, has_family=known)
        self._size, self._autoencoder = size, autoencoder
        self._threshold, self._device = threshold, device

    def names(self, kernels: KernelSet, watch: Watch) -> KernelNames | None:
        """Codes, fits and classes of kernels; None where nothing names them."""
        code = np.full(len(kernels), np.nan, np.float32)
        if self._autoencoder is not None:
            codes = self._autoencoder.encode_set(
                kernels, device=self._device, watch=watch
            )
            if self._by == "code":
                own = self._autoencoder.threshold
                level = own if self._threshold is None else self._threshold
                found = label(codes, self._autoencoder.stretches, level)
                return KernelNames(codes.code, codes.fit, found.class_index)
            code = codes.code
        return self._by_family(kernels, code, watch) if self._by == "family" else None

    def _by_family(
        self, kernels: KernelSet, code: np.ndarray, watch: Watch
    ) -> KernelNames | None:
        from kernelviewer.kernels.family import family_fit_set
        from kernelviewer.latent.family_null import family_null, like_noise

        level = self._threshold
        if level is None:
            null = family_null(self._size, device=self._device, watch=watch)
            level = null.default_threshold
        there = ~kernels.flat
        text = f"fitting the family to {size_label(self._size)} kernels"
        found = family_fit_set(kernels, device=self._device, watch=watch.saying(text))
        fit = np.full(len(kernels), np.nan, np.float32)
        kind = np.full(len(kernels), INDEX[FLAT.id], np.int8)
        fit[there] = found.cosine
        enough = reaches(found.cosine, level) & ~like_noise(
            kernels, np.flatnonzero(there), found.cosine, device=self._device
        )
        kind[there] = np.where(
            enough, found.index_in(self._scheme), INDEX[UNIDENTIFIED.id]
        )
        return KernelNames(code, fit, kind)


def write_pairs(path: AnyPath, found: Comparison, watch: Watch = NEVER) -> int:
    """Write a CSV file with a row for each pair, whole or not at all; count them.

    Names are printable, and none of them is a formula to a spreadsheet. What a pair
    does not have, such as the cosine of a flat kernel, is empty.

    Raises
    ------
    OSError
        The folder is read-only or the disk is full.
    """
    count = 0
    with csv_writer(path) as writer:
        writer.writerow(COLUMNS)
        for item in found.sizes.values():
            for start in range(0, len(item), ROWS_BETWEEN_CHECKS):
                watch.check()
                rows = slice(start, start + ROWS_BETWEEN_CHECKS)
                writer.writerows(_rows(found, item, rows))
            count += len(item)
    return count


def _rows(
    found: Comparison, item: SizeComparison, rows: slice
) -> Iterator[tuple[object, ...]]:
    """Rows of some of the pairs."""
    pairs = item.pairs
    columns = [
        _layers(found.bank_a, pairs.layer_a[rows]),
        pairs.channel_a[rows].tolist(),
        _layers(found.bank_b, pairs.layer_b[rows]),
        pairs.channel_b[rows].tolist(),
        [size_key(item.size)] * len(pairs.index_a[rows]),
        _numbers(item.cosine[rows]),
        _numbers(item.scale_ratio[rows]),
        [f"{value:.7g}" for value in item.offset_change[rows].tolist()],
    ]
    sides = (
        (item.side_a.names, pairs.index_a[rows]),
        (item.side_b.names, pairs.index_b[rows]),
    )
    nothing = [""] * len(columns[0])
    for name in ("code", "class_index", "fit"):
        for names, everywhere in sides:
            index = everywhere[rows]
            if names is None:
                columns.append(nothing)
            elif name == "class_index":
                kinds = names.class_index[index].tolist()
                columns.append([CLASSES[kind].id for kind in kinds])
            else:
                columns.append(_numbers(getattr(names, name)[index]))
    yield from zip(*columns, strict=True)


def _layers(bank: KernelBank, layer: np.ndarray) -> list[str]:
    return [csv_text(bank.layers[i].name) for i in layer.tolist()]


def _numbers(values: np.ndarray) -> list[str]:
    return ["" if value != value else f"{value:.6f}" for value in values.tolist()]
