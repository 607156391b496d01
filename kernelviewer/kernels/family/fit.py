"""The family member nearest to each kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernelviewer.device import choose_device
from kernelviewer.kernels.classes import INDEX, PATTERNS
from kernelviewer.kernels.family.grid import bank
from kernelviewer.kernels.family.members import CLASS_KINDS, Members, as_plane, named
from kernelviewer.kernels.family.refine import refined
from kernelviewer.kernels.family.regions import ORDERS

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from kernelviewer.kernels.bank import Size
    from kernelviewer.kernels.family.grid import Bank

MARGIN = 0.1
NO_CLASS = -1.0
TIE = 1e-5
"""By how much a derivative along y has to be better: a tie goes to x."""
_CPU = (256, 2**19)
_DEVICE = (8192, 2**21)
"""Kernels multiplied with the bank at a time, and taps in a batch of kernels: on the
CPU the products stay in its cache, and a batch is large enough that refining one class
of it is more than the overhead of its calls; on a device both keep it busy. All well
below 500 MB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FamilyFit(Members):
    """Each kernel's nearest family member. N kernels.

    Attributes
    ----------
    size
        Kernel size.
    cosine
        float32 [N], between the kernel's pattern and its member.
    class_cosine
        float32 [N, 11]: the best member of each class of
        `kernelviewer.kernels.classes.PATTERNS`; −1 for classes that the size has too
        few taps for.
    """

    size: Size
    cosine: NDArray[np.float32]
    class_cosine: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Nearest member of each class to b kernels: [b, 11], parameters [5, b, 11]."""

    cosine: Tensor
    sign: Tensor
    start: Tensor
    parameters: Tensor


def family_fit(
    patterns: NDArray[np.float32] | Tensor,
    *,
    device: torch.device | None = None,
    refine: bool = True,
    margin: float = MARGIN,
    check: Callable[[], object] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> FamilyFit:
    """The member of the pattern family nearest to each kernel.

    Each kernel is multiplied with a bank of members; the best of each class that comes
    near is then refined by Levenberg and Marquardt's method, within the class's limits
    (`kernelviewer.kernels.family.regions`). A kernel's class is that of its largest
    cosine; a tie goes to x. The same kernels give the same fit on the same device.

    Parameters
    ----------
    patterns
        [N, *size]; means and lengths do not matter.
    device
        Where to compute; by default the best there is.
    refine
        Whether to refine what the bank finds.
    margin
        Classes whose cosine in the bank is within ``margin`` of the kernel's best are
        refined; 2 refines all. The cosines of the others are the bank's, a few
        hundredths lower than they could be.
    check
        Called before each batch; what it raises ends the fit.
    progress
        Called after each batch with the number of kernels done and N.

    Returns
    -------
    FamilyFit

    Raises
    ------
    ValueError
        The family has no members of this size, or a kernel is not finite or constant.
    """
    size = tuple(patterns.shape[1:])
    plane = as_plane(size)
    device = choose_device() if device is None else device
    members = bank(plane, device)
    total = len(patterns)
    results = _Results(total)
    rows, taps = _CPU if device.type == "cpu" else _DEVICE
    step = max(256, taps // (plane[0] * plane[1]))
    for first in range(0, total, step):
        if check:
            check()
        here = slice(first, min(first + step, total))
        kernels = _unit(patterns[here], device, first)
        found = _search(kernels, members, rows)
        if refine:
            _refine(kernels, members, found, plane, margin)
        results.put(here, found)
        if progress:
            progress(here.stop, total)
    return results.fit(size)


class _Results:
    """What the batches found, on the host."""

    def __init__(self, total: int) -> None:
        import numpy as np

        self.class_cosine = np.empty((total, len(PATTERNS)), dtype=np.float32)
        self.class_index = np.empty(total, dtype=np.int8)
        self.sign = np.empty(total, dtype=np.int8)
        self.cosine = np.empty(total, dtype=np.float32)
        self.parameters = np.empty((5, total), dtype=np.float32)

    def put(self, here: slice, found: _Found) -> None:
        """Keep the best class of a batch."""
        import torch

        ties = torch.zeros(len(PATTERNS), device=found.cosine.device)
        ties[[INDEX["d1-y"], INDEX["d2-y"]]] = TIE
        best = (found.cosine - ties).argmax(1)
        rows = torch.arange(len(best), device=best.device)
        self.class_cosine[here] = found.cosine.cpu().numpy()
        self.class_index[here] = best.cpu().numpy()
        self.sign[here] = found.sign[rows, best].cpu().numpy()
        self.cosine[here] = found.cosine[rows, best].cpu().numpy()
        self.parameters[:, here] = found.parameters[:, rows, best].cpu().numpy()

    def fit(self, size: Size) -> FamilyFit:
        """The fit, with the parameters as people name them."""
        return FamilyFit(
            **named(self.class_index, self.parameters, as_plane(size)),
            class_index=self.class_index,
            sign=self.sign,
            size=size,
            cosine=self.cosine.clip(-1, 1),
            class_cosine=self.class_cosine.clip(-1, 1),
        )


def _unit(
    kernels: NDArray[np.float32] | Tensor, device: torch.device, first: int
) -> Tensor:
    """Kernels [b, taps] on the device, mean 0, length 1."""
    import numpy as np
    import torch

    if not isinstance(kernels, torch.Tensor):
        kernels = torch.from_numpy(np.array(kernels, dtype=np.float32))
    flat = kernels.to(device, torch.float32).flatten(1)
    largest = flat.abs().amax(1)
    # by the largest value first, lest squares overflow or vanish
    flat = flat / largest[:, None]
    free = flat - flat.mean(1, keepdim=True)
    length = free.norm(dim=1)
    for bad, what in (
        (~largest.isfinite(), "has values that are not finite: leave it out"),
        (~(length > 1e-6), "is constant, it has no pattern: leave flat kernels out"),
    ):
        if bad.any():
            msg = f"kernel {first + int(bad.nonzero()[0])} {what}"
            raise ValueError(msg)
    unit: Tensor = free / length[:, None]
    return unit


def _search(kernels: Tensor, members: Bank, rows: int) -> _Found:
    """The bank's nearest member of each class."""
    import torch

    shape, device = (len(kernels), len(PATTERNS)), kernels.device
    found = _Found(
        cosine=torch.full(shape, NO_CLASS, device=device),
        sign=torch.ones(shape, device=device),
        start=torch.zeros(shape, dtype=torch.int64, device=device),
        parameters=torch.empty(5, *shape, device=device),
    )
    products = torch.empty(rows, members.patterns.shape[1], device=device)
    for first in range(0, len(kernels), rows):
        here = slice(first, min(first + rows, len(kernels)))
        every = torch.mm(
            kernels[here], members.patterns, out=products[: here.stop - first]
        )
        for kind, low, high in members.kinds:
            _keep_best(found, here, kind, every[:, low:high], low)
    found.parameters[:] = members.parameters[:, found.start]
    return found


def _keep_best(
    found: _Found, here: slice, kind: str, products: Tensor, first: int
) -> None:
    """Note the largest products of one kind, with either sign."""
    import torch

    most, most_at = products.max(1)
    least, least_at = products.min(1)
    if kind in ORDERS:
        index = INDEX[kind]
        up = most >= -least
        found.cosine[here, index] = torch.where(up, most, -least)
        found.start[here, index] = torch.where(up, most_at, least_at) + first
        found.sign[here, index] = torch.where(up, 1.0, -1.0)
        return
    on, off = INDEX[f"on-{kind}"], INDEX[f"off-{kind}"]
    found.cosine[here, on], found.start[here, on] = most, most_at + first
    found.cosine[here, off], found.start[here, off] = -least, least_at + first
    found.sign[here, off] = -1.0


def _refine(
    kernels: Tensor,
    members: Bank,
    found: _Found,
    plane: tuple[int, int],
    margin: float,
) -> None:
    """Refine the classes that come near to each kernel's best."""
    near = found.cosine.amax(1, keepdim=True) - margin
    close = (found.cosine >= near) & (found.cosine > NO_CLASS)
    for index, (kind, _) in enumerate(CLASS_KINDS):
        rows = close[:, index].nonzero()[:, 0]
        if not len(rows):
            continue
        start = found.start[rows, index]
        signed = kernels[rows] * found.sign[rows, index, None]
        found.cosine[rows, index], found.parameters[:, rows, index] = refined(
            kind,
            signed.T.contiguous(),
            members.parameters[:, start],
            (members.low[:, start], members.high[:, start]),
            plane,
        )
