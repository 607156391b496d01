"""Mirror images of kernels: the pattern family is closed under them.

A network trained on other data would as soon have grown a pattern's mirror image, its
transpose or its negative, so training may show them too.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from kernelviewer.kernels import Size


def mirrors(size: Size) -> NDArray[np.int64]:
    """The ways to mirror and, where the kernel is square, transpose it.

    Returns
    -------
    int64 [G, taps]
        Row g holds, for each tap of the image, the tap of the kernel that it comes
        from. The first row is the identity.
    """
    taps = np.arange(np.prod(size)).reshape(size)
    turned = [taps]
    if len(size) == 2 and size[0] == size[1]:
        turned.append(taps.T)
    axes = [axis for axis, length in enumerate(size) if length > 1]
    flips = [
        tuple(axis for axis, flip in zip(axes, chosen, strict=True) if flip)
        for chosen in product((False, True), repeat=len(axes))
    ]
    rows = [np.flip(plane, flip) for plane in turned for flip in flips]
    return np.stack([row.reshape(-1) for row in rows])


def vary(
    patterns: Tensor, images: Tensor, share: float, generator: torch.Generator
) -> Tensor:
    """Replace a random share of the patterns [n, taps] by an image or its negative.

    Each of the ``images`` that `mirrors` gives is as likely, and so is either sign.
    """
    import torch

    count = len(patterns)
    chosen = torch.randint(0, 2 * len(images), (count,), generator=generator)
    chosen[torch.rand(count, generator=generator) >= share] = 0
    sign = 1.0 - 2.0 * (chosen >= len(images)).float()
    return patterns.gather(1, images[chosen % len(images)]) * sign[:, None]
