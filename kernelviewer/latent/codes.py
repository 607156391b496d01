"""Codes of kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Where kernels lie on the spectrum. N kernels.

    Attributes
    ----------
    code
        float32 [N] in [0, 1]; NaN for flat kernels.
    fit
        float32 [N], cosine of each kernel with its reconstruction; NaN likewise.
    """

    code: NDArray[np.float32]
    fit: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, rows: slice) -> Codes:
        return Codes(self.code[rows], self.fit[rows])

    @property
    def mean_fit(self) -> float:
        """Mean over the kernels that are not flat; NaN without any."""
        import numpy as np

        there = self.fit[~np.isnan(self.fit)]
        return float(there.mean(dtype=np.float64)) if len(there) else float("nan")
