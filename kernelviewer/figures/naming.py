"""Naming a scene's kernels: by an autoencoder, or by the pattern family itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernelviewer.device import choose_device
from kernelviewer.figures.errors import FigureError
from kernelviewer.figures.scene import Coding, Yardstick
from kernelviewer.kernels.bank import size_key, size_label
from kernelviewer.kernels.classes import INDEX
from kernelviewer.latent.labels import label
from kernelviewer.latent.stretches import same_names
from kernelviewer.watch import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kernelviewer.device import Device
    from kernelviewer.figures.scene import Scene, Subject
    from kernelviewer.kernels.bank import Size
    from kernelviewer.latent.autoencoder import Autoencoder
    from kernelviewer.latent.stretches import Stretches
    from kernelviewer.watch import Watch

FAMILY = "pattern family"
_POINTS = 512


@dataclass(frozen=True, slots=True)
class Naming:
    """How kernels get their names.

    Attributes
    ----------
    autoencoder
        What encodes them; None: each kernel's best member of the pattern family.
    threshold
        Least fit of an identified kernel; None: the usual one of the size.
    stretches
        Stretches in place of the autoencoder's own.
    """

    autoencoder: Autoencoder | None = None
    threshold: float | None = None
    stretches: Stretches = ()


def name_scene(
    scene: Scene, naming: Naming, *, device: str = "auto", watch: Watch = NEVER
) -> Scene:
    """The scene with codes and classes of its kernels.

    Parameters
    ----------
    scene
        Networks and a kernel size.
    naming
        How to name.
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
        if naming.autoencoder is None:
            codings.append(_family_coding(subject, place, quiet))
        else:
            codings.append(
                _coding(subject, naming.autoencoder, yardstick, place, quiet)
            )
    return with_codings(scene, yardstick, codings)


def find_yardstick(
    naming: Naming, size: Size, *, device: str = "auto", watch: Watch = NEVER
) -> Yardstick:
    """What names kernels of a size; parameters and errors as in `name_scene`."""
    if naming.autoencoder is not None:
        if naming.autoencoder.size != size:
            raise FigureError(
                f"the autoencoder is for {size_label(naming.autoencoder.size)} kernels,"
                f" not for {size_label(size)}",
                "Choose one of the size, or another size.",
            )
        return yardstick_of(naming.autoencoder, naming.threshold, naming.stretches)
    from kernelviewer.kernels.family import supported
    from kernelviewer.latent.baselines import family_null

    if not supported(size):
        raise FigureError(
            f"the pattern family has no {size_label(size)} kernels",
            "Figures without classes (sheet, samples, pca) can be made.",
        )
    place = choose_device(device)
    null = family_null(size, device=place, watch=watch)
    usual = null.default_threshold
    return Yardstick(
        FAMILY, usual if naming.threshold is None else naming.threshold, null
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
    autoencoder: Autoencoder,
    threshold: float | None = None,
    stretches: Stretches = (),
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
    autoencoder: Autoencoder,
    yardstick: Yardstick,
    device: Device,
    watch: Watch,
) -> Coding:
    """Codes, and the classes of their stretches."""
    codes = autoencoder.encode_set(subject.kernels, device=device, watch=watch)
    found = label(codes, yardstick.stretches, yardstick.threshold)
    return Coding(codes.code, codes.fit, found.best_class.astype(np.int64))


def _family_coding(subject: Subject, device: Device, watch: Watch) -> Coding:
    """Best class and cosine of each kernel; no codes."""
    from kernelviewer.kernels.family import family_fit_set

    kernels = subject.kernels
    there = ~kernels.flat
    found = family_fit_set(kernels, device=device, watch=watch)
    fit = np.full(len(kernels), np.nan, np.float32)
    best = np.full(len(kernels), INDEX["flat"], np.int64)
    fit[there], best[there] = found.cosine, found.paper_index
    return Coding(np.full(len(kernels), np.nan, np.float32), fit, best)
