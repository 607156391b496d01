"""A training run as a film: what every kernel is at every step, and when it formed.

Only codes, fits and classes are kept of each step; its kernels are read, encoded and
let go. When a kernel has formed, `Formation.first` says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from kernelviewer.formats import CheckpointError
from kernelviewer.kernels.classes import (
    CLASSES,
    FLAT,
    INDEX,
    PAPER,
    PATTERNS,
    UNIDENTIFIED,
    Naming,
)
from kernelviewer.kernels.comparison import pair_cosines
from kernelviewer.kernels.family import family_fit_set, supported
from kernelviewer.kernels.family.spectrum import family_spectrum
from kernelviewer.kernels.pairing import pair
from kernelviewer.latent.curve import Codes
from kernelviewer.latent.labels import Labels, label
from kernelviewer.latent.stretches import near_classes, stretch_of
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.kernels.bank import KernelBank, KernelSet, Size
    from kernelviewer.kernels.classes import By, Scheme, Words
    from kernelviewer.kernels.pairing import Pairing
    from kernelviewer.kernels.series import LeftOut, Series, Step
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.noise import Null
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.watch import Watch

_NONE = np.uint16(65535)
_MOST = 65534.0
_NEAR = np.min_scalar_type((1 << len(PATTERNS)) - 1)
_AT_ONCE = 4096
_FLAT, _UNIDENTIFIED = INDEX[FLAT.id], INDEX[UNIDENTIFIED.id]


@dataclass(frozen=True, slots=True, eq=False)
class Formation:
    """From when on kernels are what they are at the end. N kernels."""

    first: NDArray[np.int16]
    """int16 [N]: index of the first step from which the class stays the same and the
    fit reaches the threshold to the end; −1 for kernels that never form."""
    layer: NDArray[np.int32]
    """int32 [N], index into ``layers``."""
    layers: tuple[str, ...]
    """Names of the layers, in network order."""
    numbers: tuple[int, ...]
    """How far the run was at each step."""

    @property
    def formed(self) -> int:
        """How many kernels have formed."""
        return int((self.first >= 0).sum())

    @property
    def never(self) -> int:
        """How many have not, flat ones among them."""
        return len(self.first) - self.formed

    @property
    def median_step(self) -> float | None:
        """Median of the numbers of the steps at which kernels formed."""
        return self._median(self.first)

    def of_layers(self) -> list[tuple[str, int, int, float | None]]:
        """Name, kernels, how many of them formed and median step of each layer."""
        told = []
        for number, name in enumerate(self.layers):
            here = self.first[self.layer == number]
            told.append((name, len(here), int((here >= 0).sum()), self._median(here)))
        return told

    def _median(self, first: NDArray[np.int16]) -> float | None:
        there = first[first >= 0]
        if not len(there):
            return None
        return float(np.median(np.array(self.numbers, np.float64)[there]))


def formation_steps(label: NDArray[np.int8]) -> NDArray[np.int16]:
    """`Formation.first` of classes int8 [S, N], *unidentified* below the threshold."""
    if not len(label):
        return np.full(label.shape[1], -1, np.int16)
    last = label[-1]
    stays = (label == last) & (last < len(PATTERNS))
    stays = np.logical_and.accumulate(stays[::-1], axis=0)[::-1]
    return np.where(stays[-1], stays.argmax(axis=0), -1).astype(np.int16)


@dataclass(frozen=True, slots=True)
class StepTotals:
    """The kernels of one size at one step."""

    kernels: int
    flat: int
    """Their numbers."""
    mean_fit: float
    coverage: float
    scale: float
    cosine: float
    """Means over those that are not flat: fit, share identified, scale, and cosine with
    the kernel's own last state; NaN without any, or where nothing names them."""
    classes: Mapping[str, int]
    """Kernels of each class by its id; empty where nothing names them."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Track:
    """The kernels of one size along a run: S steps, N kernels. Arrays are read-only.

    A code and a fit take two bytes each: 0 … 65534 for 0 … 1, 65535 for none.

    Attributes
    ----------
    by, scheme
        What named them: the code, or the family, None where neither can; and the
        classes that it named them by.
    """

    size: Size
    """Kernel size."""
    by: By | None
    threshold: float
    null: Null | None
    """Least fit of an identified kernel, and what white noise reaches."""
    layers: tuple[str, ...]
    """Names of the layers as the last step has them."""
    layer: NDArray[np.int32]
    channel: NDArray[np.int32]
    """int32 [N]: index into ``layers``, channel in the layer."""
    code: NDArray[np.uint16]
    fit: NDArray[np.uint16]
    """uint16 [S, N]; codes on the spectrum of what names the kernels."""
    best: NDArray[np.int8]
    paper: NDArray[np.int8]
    """int8 [S, N], index into `CLASSES` of the best class, whatever the fit: the
    family's is a fine one; and of the class of the paper that it belongs to."""
    second: NDArray[np.int8]
    margin: NDArray[np.uint16]
    """int8 and uint16 [S, N]: the family's class that comes nearest after the best, and
    by how much it is less near; of kernels that the code names nothing."""
    near: NDArray[np.unsignedinteger[Any]]
    """Whole numbers [S, N], bit c set where class c of the paper explains a kernel
    within `kernelviewer.latent.stretches.TOLERANCE` as well as its member does."""
    cosine: NDArray[np.float16]
    """float16 [S, N], with the kernel's own last state; NaN where either is flat."""
    scale: NDArray[np.float32]
    """float32 [S], mean scale of the kernels that are not flat."""
    numbers: tuple[int, ...]
    """How far the run was at each step."""
    scheme: Scheme = PAPER

    def __len__(self) -> int:
        return len(self.layer)

    def fits(self, bank: KernelBank, kernels: KernelSet) -> bool:
        """True if it is about these kernels of a network, in their order."""
        used, layer = np.unique(kernels.layer, return_inverse=True)
        return (
            self.layers == tuple(bank.layers[i].name for i in used)
            and np.array_equal(self.layer, layer)
            and np.array_equal(self.channel, kernels.channel)
        )

    @property
    def named(self) -> NDArray[np.int8]:
        """int8 [S, N], the best class in the words of the scheme."""
        by_paper = self.by == "family" and self.scheme is PAPER
        return self.paper if by_paper else self.best

    def in_words(self, scheme: Scheme) -> Track:
        """What the family named, by another scheme: always the same track for one."""
        if self.by != "family" or scheme is self.scheme:
            return self
        if self not in _REWORDED:
            _REWORDED[self] = replace(self, scheme=scheme)
        return _REWORDED[self]

    def with_stretches(self, stretches: Stretches) -> Track:
        """The same with codes named by other stretches."""
        if self.by != "code":
            return self
        kinds = np.array([item.class_index for item in stretches], np.int8)
        there = self.code != _NONE
        found = stretch_of(stretches, _unpacked(self.code[there]))
        best = self.best.copy()
        best[there] = kinds[np.minimum(found, len(stretches) - 1)]
        return replace(self, best=best)

    def codes(self, step: int) -> Codes:
        """Codes and fits of a step."""
        return Codes(_unpacked(self.code[step]), _unpacked(self.fit[step]))

    def path(self, kernel: int) -> NDArray[np.float32]:
        """The codes [S] of one kernel along the run; NaN where it is flat."""
        return _unpacked(self.code[:, kernel])

    def margins(self, step: int) -> NDArray[np.float32]:
        """By how much the second class is less near at a step; NaN for flat ones."""
        return _unpacked(self.margin[step])

    def classes(
        self, step: int | slice, threshold: float | None = None
    ) -> NDArray[np.int8]:
        """Classes [N] of a step, or [S, N] of steps: int8, *unidentified* below it."""
        level = self.threshold if threshold is None else threshold
        best, fit = self.named[step], self.fit[step]
        enough = (fit >= _packed(np.float32(level))) & (fit != _NONE) & (level < 1)
        named = (enough & (best < len(PATTERNS))) | (best == _FLAT)
        return np.where(named, best, np.int8(_UNIDENTIFIED))

    def labels(self, step: int, threshold: float | None = None) -> Labels:
        """Classes of a step as those of one network are."""
        level = self.threshold if threshold is None else threshold
        found = self.classes(step, level)
        return Labels(found, self.named[step], found < len(PATTERNS), level)

    def totals(self, step: int, threshold: float | None = None) -> StepTotals:
        """Numbers of a step."""
        flat = int((self.best[step] == _FLAT).sum())
        there = self.best[step] != _FLAT
        cosine = self.cosine[step].astype(np.float32)
        facts = len(self), flat
        means = float(self.scale[step]), _mean(cosine)
        if self.by is None:
            return StepTotals(*facts, np.nan, np.nan, *means, {})
        labels = self.labels(step, threshold)
        fit = _mean(_unpacked(self.fit[step][there]))
        return StepTotals(
            *facts, fit, labels.coverage, *means, labels.counts(self.scheme)
        )

    def formation(self, threshold: float | None = None) -> Formation:
        """When its kernels formed."""
        first = formation_steps(self.classes(slice(None), threshold))
        return Formation(first, self.layer, self.layers, self.numbers)

    @property
    def null_coverage(self) -> float:
        """Share of white noise that reaches the threshold; NaN if not known."""
        return self.null.coverage(self.threshold) if self.null else float("nan")


_REWORDED: WeakKeyDictionary[Track, Track] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A run that has been looked through."""

    steps: tuple[Step, ...]
    numbers: tuple[int, ...]
    """In order; how far the run was at each."""
    ordered_by: str
    """What gave the order (`kernelviewer.kernels.series.Order`)."""
    left_out: tuple[LeftOut, ...]
    """Files that are no step of it, and why."""
    tracks: Mapping[Size, Track]
    """Kernel size → its kernels, largest kernels first."""

    def __len__(self) -> int:
        return len(self.steps)


def film_of(
    series: Series,
    autoencoder: Callable[[Size], Autoencoder | None],
    *,
    by: By = "family",
    words: Words = "fine",
    threshold: float | None = None,
    known: Film | None = None,
    device: Device | None = None,
    watch: Watch = NEVER,
) -> Film:
    """Look through a run: encode and name the kernels of each step.

    Steps that break off or have other layers than most are left out of the series.
    Kernels are those of the last step; two networks are in memory at a time.

    Parameters
    ----------
    autoencoder
        The one for a kernel size, or None.
    by
        What names kernels. A size without an autoencoder is named by the family.
    words
        Whose classes the family names them by: the ``fine`` ones or the ``paper``'s.
    threshold
        Least fit of an identified kernel; None: the usual one of each size.
    known
        What was found with the same autoencoders before steps were added or taken away:
        steps whose files have not changed are not encoded again.
    watch
        Told steps done, their number and the next one's name; what it raises cancels.

    Raises
    ------
    LatentError
        An autoencoder is for another size than was asked for.
    """
    series.keep_alike()
    while len(series):
        try:
            last = series.bank(len(series) - 1)
        except CheckpointError as error:
            series.drop(len(series) - 1, error.problem)
        else:
            break
    else:
        return Film((), (), series.ordered_by, series.left_out, {})
    naming = Naming(by, words)
    reels = {
        size: _Reel(
            kernels, last, len(series), autoencoder(size), naming, device, watch
        )
        for size, kernels in last.sizes.items()
    }
    for size, reel in reels.items():
        reel.take_over(known.tracks.get(size) if known else None)
    done = 0
    while done < len(series):
        watch.progress(done, len(series), f"encoding {series.steps[done].name}")
        try:
            bank = series.bank(done)
        except CheckpointError as error:
            series.drop(done, error.problem)
            continue
        pairing = pair(last, bank)
        for reel in reels.values():
            reel.expose(done, pairing, watch.quiet(), _place(known, series.steps[done]))
        done += 1
    watch.progress(done, done)
    tracks = {size: reel.track(series, threshold) for size, reel in reels.items()}
    return Film(
        series.steps, series.numbers, series.ordered_by, series.left_out, tracks
    )


def _place(known: Film | None, step: Step) -> int | None:
    """Index of the same state of the same file in what is known."""
    for number, other in enumerate(known.steps if known else ()):
        if (other.path, other.stamp) == (step.path, step.stamp):
            return number
    return None


class _Reel:
    """A track being filled, step by step."""

    def __init__(
        self,
        kernels: KernelSet,
        bank: KernelBank,
        steps: int,
        autoencoder: Autoencoder | None,
        naming: Naming,
        device: Device | None,
        watch: Watch,
    ) -> None:
        self._kernels, self._device = kernels, device
        self._autoencoder = autoencoder if naming.by == "code" else None
        self._by: By | None = "code" if self._autoencoder else "family"
        self._scheme = naming.scheme(self._by)
        self._null = self._find_null(watch.quiet())
        used, self._layer = np.unique(kernels.layer, return_inverse=True)
        self._layers = tuple(bank.layers[i].name for i in used)
        shape = (steps, len(kernels))
        self._code = np.full(shape, _NONE, np.uint16)
        self._fit = np.full(shape, _NONE, np.uint16)
        self._best = np.full(shape, _FLAT, np.int8)
        self._paper, self._second = self._best.copy(), self._best.copy()
        self._margin = np.full(shape, _NONE, np.uint16)
        self._near = np.zeros(shape, _NEAR)
        self._cosine = np.full(shape, np.nan, np.float16)
        self._scale = np.full(steps, np.nan, np.float32)
        self._known: Track | None = None

    def take_over(self, known: Track | None) -> None:
        """Use codes that are known, if they are of the same kernels."""
        if known is None or (known.by, known.layers) != (self._by, self._layers):
            return
        channels = np.array_equal(known.channel, self._kernels.channel)
        if channels and np.array_equal(known.layer, self._layer):
            self._known = known

    def _find_null(self, watch: Watch) -> Null | None:
        from kernelviewer.latent.family_null import family_null

        if self._autoencoder is not None:
            return self._autoencoder.null
        if not supported(self._kernels.size):
            self._by = None
            return None
        return family_null(self._kernels.size, device=self._device, watch=watch)

    def expose(
        self, step: int, pairing: Pairing, watch: Watch, known: int | None
    ) -> None:
        """Take in the kernels of a step, which may be known as another one."""
        size = self._kernels.size
        pairs, kernels = pairing.sizes[size], pairing.bank_b.sizes[size]
        here, there = pairs.index_a, pairs.index_b
        if self._known is not None and known is not None:
            self._code[step] = self._known.code[known]
            self._fit[step] = self._known.fit[known]
            self._best[step] = self._known.best[known]
            self._paper[step] = self._known.paper[known]
            self._second[step] = self._known.second[known]
            self._margin[step] = self._known.margin[known]
            self._near[step] = self._known.near[known]
        else:
            rows = np.full(len(kernels), -1, np.intp)
            rows[there] = here
            self._name(step, kernels, rows, watch)
        self._cosine[step, here] = pair_cosines(pairing, size, watch)
        present = kernels.scale[~kernels.flat]
        self._scale[step] = present.mean(dtype=np.float64) if len(present) else np.nan

    def _name(
        self, step: int, kernels: KernelSet, rows: NDArray[np.intp], watch: Watch
    ) -> None:
        """Take in code, fit and classes of each kernel, which goes to its row."""
        if self._autoencoder is not None:
            codes = self._autoencoder.encode_set(
                kernels, device=self._device, watch=watch
            )
            found = label(codes, self._autoencoder.stretches, 0.0)
            self._code[step, rows] = _packed(codes.code)
            self._fit[step, rows] = _packed(codes.fit)
            self._best[step, rows] = found.best_class
            return
        there = np.flatnonzero(~kernels.flat)
        if self._by is None:
            self._best[step, rows[there]] = _UNIDENTIFIED
            return
        from kernelviewer.latent.family_null import like_noise

        for first in range(0, len(there), _AT_ONCE):
            some = there[first : first + _AT_ONCE]
            watch.check()
            family = family_fit_set(kernels, some, device=self._device, watch=watch)
            at = rows[some]
            own = family_spectrum(kernels.size).codes(family)
            self._code[step, at] = _packed(own)
            self._fit[step, at] = _packed(family.cosine)
            noise = like_noise(kernels, some, family.cosine, device=self._device)
            for target, named in (
                (self._best, family.class_index),
                (self._paper, family.paper_index),
            ):
                target[step, at] = np.where(noise, np.int8(_UNIDENTIFIED), named)
            self._second[step, at] = family.second_index
            self._margin[step, at] = _packed(family.margin)
            self._near[step, at] = near_classes(family)

    def track(self, series: Series, threshold: float | None) -> Track:
        """What was taken in, of the steps that were left in the series."""
        steps = len(series)
        usual = self._null.default_threshold if self._null else float("nan")
        track = Track(
            size=self._kernels.size,
            by=self._by,
            threshold=usual if threshold is None else threshold,
            null=self._null if self._null and self._null.kernels else None,
            layers=self._layers,
            layer=self._layer.astype(np.int32),
            channel=self._kernels.channel,
            code=self._code[:steps],
            fit=self._fit[:steps],
            best=self._best[:steps],
            paper=self._paper[:steps],
            second=self._second[:steps],
            margin=self._margin[:steps],
            near=self._near[:steps],
            cosine=self._cosine[:steps],
            scale=self._scale[:steps],
            numbers=series.numbers,
            scheme=self._scheme,
        )
        for name in (
            *("layer", "code", "fit", "best", "paper", "second", "margin", "near"),
            *("cosine", "scale"),
        ):
            getattr(track, name).flags.writeable = False
        return track


def rows_of(film: Film) -> Iterator[tuple[object, ...]]:
    """A row for each step and kernel, as `COLUMNS` names them; flat ones say less."""
    names = [item.id for item in CLASSES]
    for track in film.tracks.values():
        formed = track.formation().first.tolist() if track.by else [-1] * len(track)
        key = "x".join(map(str, track.size))
        for step, number in enumerate(film.numbers):
            codes, cosines = track.codes(step), track.cosine[step].tolist()
            kinds = track.classes(step).tolist() if track.by else []
            columns = (codes.code.tolist(), codes.fit.tolist(), cosines)
            for i, (code, fit, cosine) in enumerate(zip(*columns, strict=True)):
                best = int(track.named[step, i])
                named = bool(track.by) or best == _FLAT
                yield (
                    number,
                    film.steps[step].name,
                    track.layers[track.layer[i]],
                    int(track.channel[i]),
                    key,
                    _text(code),
                    _text(fit),
                    names[kinds[i] if kinds else best] if named else "",
                    names[best] if named else "",
                    _text(cosine, 3),
                    film.numbers[formed[i]] if formed[i] >= 0 else "",
                )


# fmt: off
COLUMNS = (
    "step", "source", "layer", "channel", "size", "code", "fit", "class", "best_class",
    "last_cosine", "formation_step",
)
# fmt: on


def _text(value: float, digits: int = 6) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _mean(values: NDArray[np.float32]) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean(dtype=np.float64)) if len(there) else float("nan")


def _packed(values: NDArray[np.float32] | np.float32) -> NDArray[np.uint16]:
    """Numbers from 0 to 1 in two bytes; what is less counts as 0, NaN as none."""
    steps = np.rint(np.clip(np.nan_to_num(values), 0, 1) * _MOST)
    return np.where(np.isnan(values), _NONE, steps.astype(np.uint16))


def _unpacked(steps: NDArray[np.uint16]) -> NDArray[np.float32]:
    values = steps.astype(np.float32) / np.float32(_MOST)
    values[steps == _NONE] = np.nan
    return values
