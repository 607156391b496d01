"""Naming a scene's kernels: by an autoencoder, or by the pattern family itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.figures.content import FigureError
from kernelviewer.figures.scene import FAMILY, Coding, Yardstick
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.kernels.classes import FINE, INDEX, Naming
from kernelviewer.latent.labels import label, named_by
from kernelviewer.latent.stretches import family_stretches, same_names
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.figures.scene import Scene, Subject
    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.classes import By, OwnName
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.watch import Watch

_POINTS = 512


@dataclass(frozen=True, slots=True)
class FigureNaming:
    """How the kernels of a figure get their codes and names."""

    autoencoder: Autoencoder | None = None
    """What encodes them; None: they have no codes, and the family names them."""
    threshold: float | None = None
    """Least fit of an identified kernel; None: the usual one of the size and of what
    names it."""
    stretches: Stretches = ()
    """Stretches in place of the autoencoder's own."""
    naming: Naming = field(default_factory=Naming)
    """By what they are named. Where the family has no kernels of the size, it is by the
    code."""
    own: Mapping[str, OwnName] = field(default_factory=dict)
    """The user's names and colours of classes, by class id."""

    def by(self, size: Size) -> By:
        """What names kernels of a size.

        Raises
        ------
        FigureError
            There is no autoencoder, and the family has no kernels of the size.
        """
        from kernelviewer.kernels.family import supported

        coded, known = self.autoencoder is not None, supported(size)
        by = named_by(self.naming.by, has_code=coded, has_family=known)
        if by is None:
            raise FigureError(
                f"the pattern family has no {size_label(size)} kernels",
                "Figures without classes (sheet, samples, pca) can be made.",
            )
        return by


def name_scene(
    scene: Scene, naming: FigureNaming, *, device: str = "auto", watch: Watch = NEVER
) -> Scene:
    """The scene with codes and classes of its kernels.

    Parameters
    ----------
    device
        Where to compute, as `kernelviewer.device.choose_device` takes it.
    watch
        Told networks done and their number; what it raises cancels the naming.

    Raises
    ------
    FigureError
        The autoencoder is for another size, or the family has no members of this one.
    """
    yardstick = find_yardstick(naming, scene.size, device=device, watch=watch)
    place = choose_device(device)
    codings = []
    quiet = watch.quiet()
    for number, subject in enumerate(scene.subjects):
        watch.progress(number, len(scene.subjects), subject.name)
        codings.append(_coding(subject, naming.autoencoder, yardstick, place, quiet))
    return with_codings(scene, yardstick, codings)


def find_yardstick(
    naming: FigureNaming, size: Size, *, device: str = "auto", watch: Watch = NEVER
) -> Yardstick:
    """What names kernels of a size; parameters and errors as in `name_scene`."""
    autoencoder, by = naming.autoencoder, naming.by(size)
    if autoencoder is not None and autoencoder.size != size:
        raise FigureError(
            f"the autoencoder is for {size_label(autoencoder.size)} kernels,"
            f" not for {size_label(size)}",
            "Choose one of the size, or another size.",
        )
    if by == "code":
        assert autoencoder is not None
        found = yardstick_of(autoencoder, naming.threshold, naming.stretches)
        return replace(found, own=naming.own)
    from kernelviewer.kernels.family.spectrum import family_spectrum
    from kernelviewer.latent.family_null import family_null

    null = family_null(size, device=choose_device(device), watch=watch)
    usual, own = null.default_threshold, family_spectrum(size)
    scheme = naming.naming.scheme(by)
    return Yardstick(
        method=FAMILY,
        threshold=usual if naming.threshold is None else naming.threshold,
        null=null,
        spectrum=own.spectrum(_POINTS),
        stretches=family_stretches(own, scheme),
        scheme=scheme,
        own=naming.own,
    )


def with_codings(
    scene: Scene, yardstick: Yardstick, codings: Sequence[Coding]
) -> Scene:
    """The scene with codes and classes that are known, one `Coding` a network."""
    subjects = tuple(
        replace(subject, coding=coding)
        for subject, coding in zip(scene.subjects, codings, strict=True)
    )
    return replace(scene, subjects=subjects, yardstick=yardstick)


def yardstick_of(
    autoencoder: Autoencoder, threshold: float | None = None, stretches: Stretches = ()
) -> Yardstick:
    """What names the kernels that an autoencoder encoded."""
    own = autoencoder.stretches
    return Yardstick(
        method=f"{autoencoder.method} autoencoder",
        threshold=autoencoder.threshold if threshold is None else threshold,
        null=autoencoder.null if autoencoder.null.kernels else None,
        spectrum=autoencoder.spectrum(_POINTS),
        stretches=stretches or own,
        sha256=fingerprint(autoencoder),
        edited=bool(stretches) and not same_names(stretches, own),
    )


def fingerprint(autoencoder: Autoencoder) -> str:
    """Hash of what encodes and decodes: method, size and the model's numbers."""
    digest = hashlib.sha256()
    digest.update(f"{autoencoder.method} {size_key(autoencoder.size)}".encode())
    for name, values in _numbers(autoencoder):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(values, np.float32).tobytes())
    return digest.hexdigest()


def _numbers(autoencoder: Autoencoder) -> list[tuple[str, NDArray[np.float32]]]:
    from kernelviewer.latent.curve import Curve

    model = autoencoder.model
    if isinstance(model, Curve):
        return [("series", model.series), ("stretch", model.stretch)]
    return sorted(model.parameters.items())


def _coding(
    subject: Subject,
    autoencoder: Autoencoder | None,
    yardstick: Yardstick,
    device: Device,
    watch: Watch,
) -> Coding:
    """Codes and classes by what the yardstick says."""
    kernels = subject.kernels
    if yardstick.by == "code":
        assert autoencoder is not None
        codes = autoencoder.encode_set(kernels, device=device, watch=watch)
        found = label(codes, yardstick.stretches, yardstick.threshold)
        return Coding(codes.code, codes.fit, found.best_class.astype(np.int64))
    from kernelviewer.kernels.family import family_fit_set
    from kernelviewer.kernels.family.fit import MARGIN
    from kernelviewer.kernels.family.spectrum import family_spectrum
    from kernelviewer.latent.family_null import like_noise

    there = ~kernels.flat
    # the fine classes come from the bank alone; for the paper's, edges are refined too
    margin = 0.0 if yardstick.scheme is FINE else MARGIN
    own = family_fit_set(kernels, device=device, margin=margin, watch=watch)
    code, fit = (np.full(len(kernels), np.nan, np.float32) for _ in range(2))
    best = np.full(len(kernels), INDEX["flat"], np.int64)
    code[there] = family_spectrum(kernels.size).codes(own)
    noise = like_noise(
        kernels, np.flatnonzero(there), own.cosine, device=device, watch=watch
    )
    named = np.where(noise, INDEX["unidentified"], own.index_in(yardstick.scheme))
    fit[there], best[there] = own.cosine, named
    return Coding(code, fit, best)
